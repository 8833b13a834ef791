//! Connections: handles on their ends, connecting, reading and writing.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};

use net_core::{Endpoint, Plain, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::waiter;
use crate::environment::queue::Slot;
use crate::network::tcp::Which;
use crate::network::world::{World, find};

/// A program's hold on one end of a connection: dropping it closes the end.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) world: u64,
    pub(super) slot: Slot,
    pub(super) which: Which,
    /// Whether the drop resets the connection, instead of closing it in order.
    pub(super) reset: bool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Ok(world) = find(self.world) {
            world.with(|state, core| state.close(core, self.slot, self.which, self.reset));
        }
    }
}

impl Handle {
    pub(super) fn into_plain(mut self, world: &World) -> Plain {
        self.reset = false;
        let [local, peer] = world.with(|state, _| {
            let ends = state.conns.get(self.slot).map(|conn| &conn.ends);
            [self.which, 1 - self.which].map(|which| match ends {
                Some(ends) => ends[which].endpoint.clone(),
                None => Endpoint::tcp((Ipv4Addr::UNSPECIFIED, 0)),
            })
        });
        Plain::new(Connection {
            handle: self,
            local,
            peer,
        })
    }
}

/// A connection that is being made; dropping it gives up.
pub(super) struct Connecting(pub(super) Option<Handle>);

impl Future for Connecting {
    type Output = io::Result<Plain>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = &self.0 else { return Poll::Pending };
        let world = find(handle.world)?;
        let slot = handle.slot;
        let outcome =
            world.with(|state, core| state.poll_connect(slot, || waiter(core, cx, "an answer to connecting", None)));
        match outcome {
            None => Poll::Pending,
            Some(Err(error)) => {
                self.0 = None;
                Poll::Ready(Err(error))
            }
            Some(Ok(())) => match self.0.take() {
                Some(handle) => Poll::Ready(Ok(handle.into_plain(&world))),
                None => Poll::Pending,
            },
        }
    }
}

/// One end of a connection, as a transport.
#[derive(Debug)]
struct Connection {
    handle: Handle,
    local: Endpoint,
    peer: Endpoint,
}

impl Transport for Connection {
    fn local(&self) -> Endpoint {
        self.local.clone()
    }

    fn peer(&self) -> Endpoint {
        self.peer.clone()
    }

    fn reset_on_drop(&mut self) {
        // A Unix socket has no reset.
        self.handle.reset = !matches!(self.local, Endpoint::Unix(_));
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Handle { world, slot, which, .. } = self.handle;
        let Ok(world) = find(world) else {
            return Poll::Ready(());
        };
        world.with(|state, core| state.poll_readable(slot, which, |name| waiter(core, cx, "data on", Some(name))))
    }
}

impl Connection {
    fn write(&self, cx: &Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Handle { world, slot, which, .. } = self.handle;
        let written = find(world)?.with(|state, core| {
            state.write(core, slot, which, slices, |name| {
                waiter(core, cx, "room to write on", Some(name))
            })
        });
        written.map_or(Poll::Pending, Poll::Ready)
    }
}

impl AsyncRead for Connection {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Handle { world, slot, which, .. } = self.handle;
        let read = find(world)?
            .with(|state, core| state.read(core, slot, which, into, |name| waiter(core, cx, "data on", Some(name))));
        read.map_or(Poll::Pending, Poll::Ready)
    }
}

impl AsyncWrite for Connection {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, &[io::IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Handle { world, slot, which, .. } = self.handle;
        Poll::Ready(find(world)?.with(|state, core| state.shutdown(core, slot, which)))
    }
}
