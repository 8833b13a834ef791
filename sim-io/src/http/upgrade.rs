//! Leaving HTTP for another protocol on the same connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::rt::TokioIo;
use net_core::Stream;

use super::io::Timed;
use super::{Error, Request};

/// The connection of a request, once the response with status 101 is sent. To be called before the handler gives that
/// response, and awaited after, in a task of its own.
pub fn upgrade(request: &mut Request) -> Upgrade {
    Upgrade(hyper::upgrade::on(request))
}

/// The connection after its upgrade, as a future; made by [`upgrade`].
pub struct Upgrade(hyper::upgrade::OnUpgrade);

impl Future for Upgrade {
    type Output = Result<Stream, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let upgraded = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(
            upgraded
                .map_err(|error| Error::NotUpgraded(error.to_string()))
                .and_then(stream),
        )
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}

/// The stream below, with what was read too far.
pub(crate) fn stream(upgraded: hyper::upgrade::Upgraded) -> Result<Stream, Error> {
    let parts = upgraded
        .downcast::<TokioIo<Timed>>()
        .map_err(|_| Error::NotUpgraded("it is no connection of this module".to_owned()))?;
    let mut stream = parts.io.into_inner().into_stream();
    stream.unread(parts.read_buf);
    Ok(stream)
}
