//! hyper's clock: the time of a `Net`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use net_core::Net;

/// hyper counts in std's instants; the one at which this was made means time zero.
#[derive(Clone, Debug)]
pub(super) struct NetTimer {
    net: Net,
    zero: std::time::Instant,
}

struct NetSleep(net_core::Sleep);

impl NetTimer {
    pub(super) fn new(net: Net) -> Self {
        #[expect(clippy::disallowed_methods, reason = "only distances from it are used")]
        let zero = std::time::Instant::now();
        Self { net, zero }
    }
}

impl hyper::rt::Timer for NetTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(NetSleep(self.net.sleep(duration)))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> std::time::Instant {
        self.zero + Duration::from_nanos(self.net.now().as_nanos())
    }
}

impl Future for NetSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl hyper::rt::Sleep for NetSleep {}
