//! Skipping bodies that nobody reads, so that the next message is found.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use net_core::{Net, Sleep};

use super::lock;

/// Called when the end of a body was reached.
pub(super) type Done = Box<dyn FnOnce() + Send + Sync>;

/// The unread rests of one connection's bodies. The connection's task polls it beside the connection.
pub(super) struct Drain {
    /// A longer rest is not read: the connection closes instead.
    most: usize,
    patience: Duration,
    net: Net,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rests: Vec<Rest>,
    waker: Option<Waker>,
    over: bool,
}

struct Rest {
    incoming: Incoming,
    left: usize,
    patience: Sleep,
    done: Option<Done>,
}

impl Drain {
    pub(super) fn new(net: &Net, most: usize, patience: Duration) -> Self {
        Self {
            most,
            patience,
            net: net.clone(),
            state: Mutex::default(),
        }
    }

    /// Takes over a body that its reader has given up.
    pub(super) fn push(&self, incoming: Incoming, done: Option<Done>) {
        let expected = incoming.size_hint().lower();
        if usize::try_from(expected).map_or(true, |expected| expected > self.most) {
            return;
        }
        let rest = Rest {
            incoming,
            left: self.most,
            patience: self.net.sleep(self.patience),
            done,
        };
        let waker = {
            let mut state = lock(&self.state);
            if state.over {
                return;
            }
            state.rests.push(rest);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Reads on. Never done by itself: the connection's end is.
    pub(super) fn poll(&self, cx: &mut Context<'_>) {
        let mut rests = {
            let mut state = lock(&self.state);
            state.waker = Some(cx.waker().clone());
            std::mem::take(&mut state.rests)
        };
        if rests.is_empty() {
            return;
        }
        // Not under the lock: the ends of bodies wake others.
        rests.retain_mut(|rest| rest.poll(cx));
        lock(&self.state).rests.append(&mut rests);
    }

    /// The connection is over.
    pub(super) fn close(&self) {
        let rests = {
            let mut state = lock(&self.state);
            state.over = true;
            std::mem::take(&mut state.rests)
        };
        drop(rests);
    }
}

impl Rest {
    /// Whether there is more to wait for. A body that is dropped before its end closes the connection.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let bytes = frame.data_ref().map_or(0, |data| data.len());
                    match self.left.checked_sub(bytes) {
                        Some(left) => self.left = left,
                        None => return false,
                    }
                }
                Poll::Ready(Some(Err(_))) => return false,
                Poll::Ready(None) => {
                    if let Some(done) = self.done.take() {
                        done();
                    }
                    return false;
                }
                Poll::Pending => return Pin::new(&mut self.patience).poll(cx).is_pending(),
            }
        }
    }
}
