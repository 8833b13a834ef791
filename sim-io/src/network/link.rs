//! Links: what happens to packets on their way from one host to another.

use std::time::Duration;

use crate::environment::core::Core;

/// How long a packet is on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Anything between the two, equally likely.
    Uniform {
        /// At least.
        min: Duration,
        /// At most.
        max: Duration,
    },
    /// Exponentially distributed above a minimum: mostly short, sometimes long.
    Exponential {
        /// At least.
        min: Duration,
        /// On average, the minimum included.
        mean: Duration,
    },
    /// Normally distributed, cut off at a minimum.
    Normal {
        /// On average.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
        /// At least.
        min: Duration,
    },
}

/// Which packets are lost.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// None.
    None,
    /// Each with this probability (Bernoulli).
    Random(f64),
    /// In bursts (Gilbert-Elliott): the link is good or bad, and changes from packet to packet with these
    /// probabilities.
    Bursts {
        /// From good to bad.
        worsen: f64,
        /// From bad to good.
        mend: f64,
        /// Loss while it is good.
        good: f64,
        /// Loss while it is bad.
        bad: f64,
    },
}

/// The properties of one direction between two hosts.
///
/// ```
/// use std::time::Duration;
/// use sim_io::network::Link;
///
/// let dsl = Link::default()
///     .latency(Duration::from_millis(15))
///     .jitter(Duration::from_millis(2))
///     .bandwidth(16_000_000)
///     .loss(0.001);
/// assert_eq!(dsl.mtu, 1500);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// How long a packet is on its way. Default: 1 ms.
    pub latency: Latency,
    /// Up to this much is added to each packet's latency, equally likely. Default: none.
    pub jitter: Duration,
    /// Bits per second, headers included. Default: no limit.
    pub bandwidth: Option<u64>,
    /// Bytes that wait for the bandwidth. TCP waits for room, as behind a local queue; other packets that find none are
    /// lost. Default: 256 KiB.
    pub queue: usize,
    /// Which packets are lost. On a stream that is a delay: what was lost is sent again. Default: none.
    pub loss: Loss,
    /// Probability that a packet arrives twice. TCP discards the copy. Default: 0.
    pub duplicate: f64,
    /// Probability that a packet takes [`reorder_by`](Self::reorder_by) longer, so that later ones overtake it. TCP puts
    /// them in order again, so that what follows waits for it. Default: 0.
    pub reorder: f64,
    /// How much longer such a packet takes. Default: 10 ms.
    pub reorder_by: Duration,
    /// Probability that a packet is damaged. The checksums of TCP and UDP find it, so that it is as good as lost; it is
    /// counted apart. Default: 0.
    pub corrupt: f64,
    /// The largest packet in bytes, its IP header included. TCP cuts its segments to it; larger datagrams travel as
    /// fragments, and are lost when one of them is. Default: 1500.
    pub mtu: usize,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: Latency::Fixed(Duration::from_millis(1)),
            jitter: Duration::ZERO,
            bandwidth: None,
            queue: 256 * 1024,
            loss: Loss::None,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(10),
            corrupt: 0.0,
            mtu: 1500,
        }
    }
}

/// The smallest MTU that IPv4 hosts must take.
const SMALLEST_MTU: usize = 576;
/// The largest packet of IPv4.
const LARGEST_MTU: usize = 65_535;

impl Link {
    /// What connects a host with itself: no time, no loss, packets of 64 KiB.
    pub(super) fn loopback() -> Self {
        Self {
            latency: Latency::Fixed(Duration::ZERO),
            mtu: LARGEST_MTU,
            ..Self::default()
        }
    }

    /// Sets a fixed latency.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Latency::Fixed(latency);
        self
    }

    /// Sets a distribution of latencies.
    #[must_use]
    pub fn latencies(mut self, latency: Latency) -> Self {
        self.latency = latency;
        self
    }

    /// Sets the jitter.
    #[must_use]
    pub fn jitter(mut self, most: Duration) -> Self {
        self.jitter = most;
        self
    }

    /// Sets the bandwidth in bits per second; 0 means 1.
    #[must_use]
    pub fn bandwidth(mut self, bits_per_second: u64) -> Self {
        self.bandwidth = Some(bits_per_second.max(1));
        self
    }

    /// Sets how many bytes wait for the bandwidth.
    #[must_use]
    pub fn queue(mut self, bytes: usize) -> Self {
        self.queue = bytes;
        self
    }

    /// Loses each packet with this probability.
    #[must_use]
    pub fn loss(mut self, probability: f64) -> Self {
        self.loss = Loss::Random(probability);
        self
    }

    /// Sets which packets are lost.
    #[must_use]
    pub fn losses(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// Sets the probability that a packet arrives twice.
    #[must_use]
    pub fn duplicate(mut self, probability: f64) -> Self {
        self.duplicate = probability;
        self
    }

    /// Sets the probability that a packet takes longer, and by how much.
    #[must_use]
    pub fn reorder(mut self, probability: f64, by: Duration) -> Self {
        self.reorder = probability;
        self.reorder_by = by;
        self
    }

    /// Sets the probability that a packet is damaged.
    #[must_use]
    pub fn corrupt(mut self, probability: f64) -> Self {
        self.corrupt = probability;
        self
    }

    /// Sets the largest packet, from 576 to 65,535 bytes.
    #[must_use]
    pub fn mtu(mut self, bytes: usize) -> Self {
        self.mtu = bytes.clamp(SMALLEST_MTU, LARGEST_MTU);
        self
    }

    pub(super) fn largest_packet(&self) -> usize {
        self.mtu.clamp(SMALLEST_MTU, LARGEST_MTU)
    }

    /// How long the next packet is on its way.
    #[inline]
    pub(super) fn draw(&self, core: &Core) -> Duration {
        let latency = match self.latency {
            Latency::Fixed(latency) => latency,
            Latency::Uniform { min, max } => min.saturating_add(max.saturating_sub(min).mul_f64(fraction(core))),
            Latency::Exponential { min, mean } => {
                // 1 - fraction is never 0.
                min.saturating_add(times(mean.saturating_sub(min), -(1.0 - fraction(core)).ln()))
            }
            Latency::Normal { mean, deviation, min } => {
                let radius = (-2.0 * (1.0 - fraction(core)).ln()).sqrt();
                let by = radius * (std::f64::consts::TAU * fraction(core)).cos();
                if by < 0.0 {
                    mean.saturating_sub(times(deviation, -by)).max(min)
                } else {
                    mean.saturating_add(times(deviation, by)).max(min)
                }
            }
        };
        if self.jitter.is_zero() {
            latency
        } else {
            latency.saturating_add(self.jitter.mul_f64(fraction(core)))
        }
    }

    /// About how long packets are on their way.
    pub(super) fn typical(&self) -> Duration {
        let latency = match self.latency {
            Latency::Fixed(latency) => latency,
            Latency::Uniform { min, max } => min.saturating_add(max) / 2,
            Latency::Exponential { mean, min } => mean.max(min),
            Latency::Normal { mean, min, .. } => mean.max(min),
        };
        latency.saturating_add(self.jitter / 2)
    }
}

/// A duration times a number that is not negative; bounded, so that no setting can overflow.
fn times(duration: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * by).unwrap_or(Duration::MAX / 4)
}

/// From 0 up to, and without, 1.
pub(super) fn fraction(core: &Core) -> f64 {
    (core.random() >> 11) as f64 / (1_u64 << 53) as f64
}
