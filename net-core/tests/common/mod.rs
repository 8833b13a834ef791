//! What the test files share: places to connect to on every transport, a record of events, a scripted backend.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test file uses its own part of this"
)]

pub(crate) mod backend;
#[cfg(feature = "tls")]
pub(crate) mod certificates;
pub(crate) mod events;
#[cfg(feature = "os")]
pub(crate) mod frames;
pub(crate) mod place;
pub(crate) mod scripted;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Polls a future once.
pub(crate) async fn poll_once<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *work).poll(cx) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}

/// Lets every task that can run do so.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Bytes that differ from place to place, so that a mix-up shows.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}
