//! Trying again, with pauses that grow and are jittered.

use std::future::Future;
use std::time::Duration;

use crate::{Error, ErrorKind, Net, Result};

/// How pauses between tries grow.
///
/// The default begins at 100 ms, doubles up to 30 s, varies each pause by up to half, and never gives up.
///
/// ```
/// use std::time::Duration;
/// use net_core::{Backoff, Net};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
/// let (client, address) = (net.clone(), listener.local().clone());
/// let stream = net.spawn(async move {
///     client.retry(&Backoff::default().attempts(3), |_attempt| client.connect(&address)).await
/// })?;
/// # drop(stream.await??);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// The first pause. Default: 100 ms.
    pub first: Duration,
    /// The longest pause. Default: 30 s.
    pub max: Duration,
    /// Each pause is this many times the one before. Default: 2.
    pub factor: f64,
    /// The share of a pause that chance decides, from 0 to 1. Default: 0.5.
    pub jitter: f64,
    /// How many tries there are in all; `None` for no end. Default: `None`.
    pub attempts: Option<u32>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            max: Duration::from_secs(30),
            factor: 2.0,
            jitter: 0.5,
            attempts: None,
        }
    }
}

impl Backoff {
    /// Sets the first pause.
    #[must_use]
    pub fn first(mut self, pause: Duration) -> Self {
        self.first = pause;
        self
    }

    /// Sets the longest pause.
    #[must_use]
    pub fn max(mut self, pause: Duration) -> Self {
        self.max = pause;
        self
    }

    /// Sets how pauses grow; less than 1 counts as 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets the share of a pause that chance decides.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Limits the tries.
    #[must_use]
    pub fn attempts(mut self, count: u32) -> Self {
        self.attempts = Some(count);
        self
    }

    /// The pause after that many failures (1 for the first), for a random number.
    pub fn pause(&self, failures: u32, random: u64) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.max(1.0).powi(exponent);
        let full = if grown.is_finite() {
            grown.min(self.max.as_secs_f64())
        } else {
            self.max.as_secs_f64()
        };
        // 53 random bits make a fraction from 0 to 1.
        let chance = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let pause = full * (1.0 - self.jitter.clamp(0.0, 1.0) * chance);
        // Settings that are no numbers, or rounding past the largest duration, must not panic.
        Duration::try_from_secs_f64(pause).map_or(self.max, |pause| pause.min(self.max))
    }
}

impl Error {
    /// Whether trying again later may help: the peer or the path, not the request, is at fault.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Resolve
                | ErrorKind::Refused
                | ErrorKind::Unreachable
                | ErrorKind::Timeout(_)
                | ErrorKind::Reset
                | ErrorKind::BrokenPipe
                | ErrorKind::Closed
                | ErrorKind::Truncated
                | ErrorKind::Limit
                | ErrorKind::Resource
        )
    }
}

impl Net {
    /// Tries until it works, pausing as `backoff` says. The closure gets the number of the try, from 1. Cancel safe as
    /// far as the tries are.
    ///
    /// # Errors
    /// The last try's error: when the tries are used up, or at once if it is not
    /// [transient](Error::is_transient).
    pub async fn retry<T, F: Future<Output = Result<T>>>(
        &self,
        backoff: &Backoff,
        mut attempt: impl FnMut(u32) -> F,
    ) -> Result<T> {
        let mut count = 1;
        loop {
            match attempt(count).await {
                Ok(value) => return Ok(value),
                Err(error) if !error.is_transient() || backoff.attempts.is_some_and(|max| count >= max) => {
                    return Err(error);
                }
                Err(_) => {
                    self.sleep(backoff.pause(count, self.random())).await;
                    count = count.saturating_add(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_jitter_only_shortens() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause(1, 0), Duration::from_millis(100));
        assert_eq!(backoff.pause(3, 0), Duration::from_millis(400));
        assert_eq!(backoff.pause(40, 0), Duration::from_secs(30));
        assert_eq!(backoff.pause(u32::MAX, 0), Duration::from_secs(30));
        assert!(backoff.pause(1, u64::MAX) >= Duration::from_millis(50));
    }
}
