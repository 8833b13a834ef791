//! Waiting for whichever of two comes first.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for whichever of two is ready first, and drops the other. If both are ready, the first wins.
///
/// The order is fixed, so that a simulation runs the same each time; tokio's `select!` without `biased` would throw dice.
/// More than two are races of races. Where it matters which one it was, each gives a value that tells: an `enum`, or an
/// `Option`.
///
/// ```
/// use net_core::race;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let never = std::future::pending();
/// assert_eq!(race(never, async { "second" }).await, "second");
/// assert_eq!(race(async { "first" }, async { "second" }).await, "first");
/// # }
/// ```
///
/// Cancel safe if both are.
#[inline]
pub fn race<A: Future, B: Future<Output = A::Output>>(first: A, second: B) -> impl Future<Output = A::Output> {
    Race { first, second }
}

pin_project_lite::pin_project! {
    /// Not an `async` block, which would have room for each of the two twice.
    struct Race<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
    }
}

impl<A: Future, B: Future<Output = A::Output>> Future for Race<A, B> {
    type Output = A::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        let race = self.project();
        match race.first.poll(cx) {
            Poll::Pending => race.second.poll(cx),
            ready => ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn outcome(work: impl Future<Output = u8>) -> Poll<u8> {
        pin!(work).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_wins_a_tie() {
        assert_eq!(outcome(race(ready(1), ready(2))), Poll::Ready(1));
        assert_eq!(outcome(race(pending(), ready(2))), Poll::Ready(2));
        assert_eq!(outcome(race(ready(1), pending())), Poll::Ready(1));
        assert_eq!(outcome(race(pending(), pending())), Poll::Pending);
        assert_eq!(outcome(race(pending(), race(ready(2), ready(3)))), Poll::Ready(2));
    }

    #[test]
    fn it_takes_no_more_room_than_the_two() {
        assert_eq!(size_of_val(&race(ready([0_u8; 100]), ready([0_u8; 100]))), 202);
    }

    #[test]
    fn the_second_is_not_touched_when_the_first_is_ready() {
        let second = async { unreachable!("polled") };
        assert_eq!(outcome(race(ready(1), second)), Poll::Ready(1));
    }
}
