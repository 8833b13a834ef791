//! Messages: requests and their replies on one connection, in both directions at once.
//!
//! ```
//! use sim_io::Environment;
//! use sim_io::codec::Json;
//! use sim_io::message::Message;
//! use sim_io::network::Network;
//!
//! let env = Environment::new();
//! let network = Network::new(&env);
//! let (server, client) = (network.host("server")?.net(), network.host("client")?.net());
//! env.try_process::<_, sim_io::Failure>(async move {
//!     let mut listener = server.bind(&"tcp://server:5557".parse()?).await?;
//!     let message = Message::new(listener.accept().await?, Json)?;
//!     while let Some(request) = message.recv().await? {
//!         match request.content::<String>() {
//!             Ok(name) => request.succeed(&format!("hello {name}"))?,
//!             Err(error) => request.fail(error)?, // that client is told, and the channel goes on
//!         }
//!     }
//!     Ok(())
//! });
//! let client = env.try_process::<_, sim_io::Failure>(async move {
//!     let message = Message::new(client.connect(&"tcp://server:5557".parse()?).await?, Json)?;
//!     // Two requests on their way at once.
//!     let (ann, bob) = (message.send("Ann"), message.send("Bob"));
//!     let (ann, bob): (String, String) = (ann.await?, bob.await?);
//!     Ok(format!("{ann}, {bob}"))
//! });
//! assert_eq!(env.run_until(&client)?, "hello Ann, hello Bob");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # On the wire
//! Each message is a [packet](crate::packet) with `[type, id, content]`, in JSON or whatever the [codec](crate::codec) is:
//! type 0 asks, 1 answers, 2 answers with a failure. Ids count from 0, for each direction apart. This is what simpy.io
//! and mosaik speak: the request `ohai` of Python is `00 00 00 0e` and `[0, 0, "ohai"]`.
//!
//! # What goes wrong
//! * A request that can't be encoded, is too large or one too many fails alone; so does a content that can't be decoded.
//! * A request that is dropped unanswered is answered with a failure.
//! * A message that breaks the protocol, or a packet that does, ends that channel: whoever waits hears why
//!   ([`ChannelError`]), and the connection is closed, so that the peer's side ends too.
//! * Both sides limit the open requests; see [`MessageOptions`].

mod driver;
mod error;
mod fault;
mod machine;
mod options;
mod reply;
mod request;
mod shared;
mod waiters;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use net_core::{Endpoint, Net, Stream};

pub use error::{ChannelError, RequestError};
#[cfg(any(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]
pub(crate) use fault::FaultContent;
pub use fault::{FailureForm, Fault, IntoFault};
pub use options::MessageOptions;
pub use reply::Reply;
pub use request::Request;

use crate::codec::{Codec, Encode};
use shared::{Holder, Shared, State};

/// One end of a channel of messages. Clones are handles on the same end, for several processes.
///
/// The channel lives in a task of its own on the connection's [`Net`]. It closes, after sending what was accepted, when
/// the last handle is gone and with it every [`Request`] and [`Reply`].
pub struct Message<C: Codec> {
    channel: Holder<C>,
}

impl<C: Codec> Message<C> {
    /// Messages over a connection, with the default [`MessageOptions`].
    ///
    /// # Errors
    /// If the connection's network can't run tasks here: the operating system's needs a tokio runtime around the call.
    pub fn new(stream: Stream, codec: C) -> net_core::Result<Self> {
        Self::with_options(stream, codec, MessageOptions::default())
    }

    /// Messages over a connection.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(stream: Stream, codec: C, options: MessageOptions) -> net_core::Result<Self> {
        let mut framed = options.packets.clone().framed(stream);
        let shared = Shared::new(codec, options, &mut framed);
        let channel = Holder::new(std::sync::Arc::clone(&shared));
        channel.net.spawn(driver::drive(framed, driver::EndGuard(shared)))?;
        Ok(Self { channel })
    }

    /// Sends a request, at once; the future is its reply. Any number of requests, up to the
    /// [limit](MessageOptions::limit), can be on their way.
    ///
    /// # Errors
    /// The reply tells what went wrong, now or later: [`RequestError`].
    pub fn send<T: ?Sized, R>(&self, content: &T) -> Reply<C, R>
    where
        C: Encode<T>,
    {
        Reply::send(self.channel.clone(), content)
    }

    /// A request that fails before it is sent.
    #[cfg(feature = "rpc")]
    pub(crate) fn refused<R>(&self, error: RequestError) -> Reply<C, R> {
        Reply::refused(self.channel.clone(), error)
    }

    /// Whether both are handles on the same end.
    #[cfg(feature = "rpc")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(&raw const *self.channel, &raw const *other.channel)
    }

    /// The peer's next request; `None` when none can come any more, because the peer has closed, or this side. Cancel
    /// safe. Several processes may receive; each request goes to one of them, in the order in which they asked.
    ///
    /// # Errors
    /// What else ended the channel.
    pub async fn recv(&self) -> Result<Option<Request<C>>, ChannelError> {
        Recv {
            channel: &self.channel,
            ticket: None,
        }
        .await
    }

    /// Closes the channel: what was accepted for sending still goes out; whoever waits hears of
    /// [`ChannelError::Closed`].
    pub fn close(&self) {
        self.channel.close();
    }

    /// Why the channel has ended, if it has.
    pub fn ended(&self) -> Option<ChannelError> {
        self.channel.lock().ended.clone()
    }

    /// Waits until the channel has ended, and says why. Cancel safe.
    pub async fn closed(&self) -> ChannelError {
        Closed {
            channel: &self.channel,
            ticket: None,
        }
        .await
    }

    /// How many requests of the peer wait for an answer here.
    pub fn open_requests(&self) -> usize {
        self.channel.lock().machine.taken()
    }

    /// The codec.
    pub fn codec(&self) -> &C {
        &self.channel.codec
    }

    /// The network that the connection lives on: for its clock and timers.
    pub fn net(&self) -> &Net {
        &self.channel.net
    }

    /// Our end.
    pub fn local_address(&self) -> &Endpoint {
        &self.channel.local
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.channel.peer
    }
}

impl<C: Codec> Clone for Message<C> {
    fn clone(&self) -> Self {
        Self {
            channel: self.channel.clone(),
        }
    }
}

impl<C: Codec> fmt::Debug for Message<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("codec", self.codec())
            .field("peer", self.peer_address())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}

struct Recv<'a, C: Codec> {
    channel: &'a Holder<C>,
    ticket: Option<u64>,
}

impl<C: Codec> Future for Recv<'_, C> {
    type Output = Result<Option<Request<C>>, ChannelError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let channel = self.channel;
        let mut state = channel.lock();
        if let Some((id, content)) = state.queue.pop_front() {
            drop(state);
            return Poll::Ready(Ok(Some(Request::new(channel.clone(), id, content))));
        }
        match &state.ended {
            Some(reason) if !reason.is_clean() => Poll::Ready(Err(reason.clone())),
            _ if state.no_more => Poll::Ready(Ok(None)),
            _ => {
                state.receivers.register(&mut self.ticket, cx);
                Poll::Pending
            }
        }
    }
}

impl<C: Codec> Drop for Recv<'_, C> {
    /// One that was woken and gives up lets the next have the request.
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let (left, next) = {
            let State { receivers, queue, .. } = &mut *self.channel.lock();
            let left = receivers.leave(ticket);
            let next = (left.is_none() && !queue.is_empty()).then(|| receivers.first());
            (left, next.flatten())
        };
        drop(left);
        if let Some(next) = next {
            next.wake();
        }
    }
}

struct Closed<'a, C: Codec> {
    channel: &'a Holder<C>,
    ticket: Option<u64>,
}

impl<C: Codec> Future for Closed<'_, C> {
    type Output = ChannelError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ChannelError> {
        let mut state = self.channel.lock();
        if let Some(reason) = &state.ended {
            return Poll::Ready(reason.clone());
        }
        state.ends.register(&mut self.ticket, cx);
        Poll::Pending
    }
}

impl<C: Codec> Drop for Closed<'_, C> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let left = self.channel.lock().ends.leave(ticket);
            drop(left);
        }
    }
}
