//! Calls of the methods of objects at the other end, in both directions.
//!
//! ```
//! use sim_io::Environment;
//! use sim_io::network::Network;
//! use sim_io::rpc::{Object, Rpc};
//!
//! let env = Environment::new();
//! let network = Network::new(&env);
//! let (server, client) = (network.host("server")?.net(), network.host("client")?.net());
//! env.try_process::<_, sim_io::Failure>({
//!     let env = env.clone();
//!     async move {
//!         let tank = Object::new()
//!             .method("level", |(): ()| Ok(2.5))
//!             .process("fill", move |(litres,): (u64,)| {
//!                 let env = env.clone();
//!                 async move {
//!                     env.timeout(std::time::Duration::from_secs(litres)).await;
//!                     Ok("full")
//!                 }
//!             });
//!         let root = Object::new().child("tank", tank);
//!         let mut listener = server.bind(&"tcp://server:5558".parse()?).await?;
//!         let rpc = Rpc::new(listener.accept().await?)?;
//!         rpc.serve(&root).await?;
//!         Ok(())
//!     }
//! });
//! let client = env.try_process::<_, sim_io::Failure>(async move {
//!     let rpc = Rpc::new(client.connect(&"tcp://server:5558".parse()?).await?)?;
//!     let tank = rpc.remote().at("tank");
//!     let answer: String = tank.call("fill", (30,)).await?;
//!     let level: f64 = tank.call("level", ()).await?;
//!     Ok(format!("{answer} at {level}"))
//! });
//! assert_eq!(env.run_until(&client)?, "full at 2.5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # On the wire
//! A call is a [message](crate::message) with `[path, args, kwargs]`, in Python's JSON, as simpy.io has it:
//! `[0, 0, ["a/x/greet", [1], {"k": 2}]]`. An empty last name calls the object itself: `""` the root, `"a/"` the child `a`.
//!
//! An object can be an argument or a reply, as a reference: one's own ([`Exposed`]) arrives as a [`Remote`], and a
//! [`Remote`] that goes home arrives as an [`Exposed`]. They are custom types, whose indices follow those of the user's:
//! `{"__type__": [0, "b"]}` and `{"__type__": [1, "b"]}` if there are none.
//!
//! # What goes wrong
//! * A path that leads nowhere, a name that begins with `_`, wrong arguments, an error or a panic in a method: that call
//!   fails, with the reason.
//! * Everything else as with [messages](crate::message).

mod arguments;
mod bind;
mod object;
mod reference;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use net_core::{Endpoint, Stream};

pub use arguments::Arguments;
pub use object::{Anywhere, Call, Here, Node, Object, Place, SendObject};
pub use reference::{Exposed, Remote, RemoteReply};

use crate::codec::PythonJson;
use crate::codec::python::CustomTypes;
use crate::message::{ChannelError, Message, MessageOptions};

/// One end of a connection on which both sides may call. Clones are handles on the same end.
#[derive(Clone, Debug)]
pub struct Rpc {
    message: Message<PythonJson>,
}

/// The settings of an [`Rpc`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RpcOptions {
    /// The channel below, with its limits and time-outs.
    pub messages: MessageOptions,
    /// Custom types of one's own. The peer must have registered the same.
    pub types: CustomTypes,
}

impl RpcOptions {
    /// Sets the options of the channel.
    #[must_use]
    pub fn messages(mut self, messages: MessageOptions) -> Self {
        self.messages = messages;
        self
    }

    /// Sets the custom types.
    #[must_use]
    pub fn types(mut self, types: CustomTypes) -> Self {
        self.types = types;
        self
    }
}

impl Rpc {
    /// Calls over a connection, with the default [`RpcOptions`].
    ///
    /// # Errors
    /// As [`Message::new`].
    pub fn new(stream: Stream) -> net_core::Result<Self> {
        Self::with_options(stream, RpcOptions::default())
    }

    /// Calls over a connection.
    ///
    /// # Errors
    /// As [`Message::new`].
    pub fn with_options(stream: Stream, options: RpcOptions) -> net_core::Result<Self> {
        let types = options
            .types
            .with_type(reference::PROXY)
            .with_converter(reference::OBJECT);
        let message = Message::with_options(stream, PythonJson::with_types(types), options.messages)?;
        Ok(Self { message })
    }

    /// The peer's root object.
    pub fn remote(&self) -> Remote {
        Remote::new(self.message.clone(), String::new())
    }

    /// Answers the peer's calls with this tree of objects until the channel ends. Calls that take time run at the same
    /// time, up to the limit of open requests. Without it the peer's calls wait; a side that only calls says so with
    /// [`MessageOptions::take_requests`].
    ///
    /// Dropping the future drops the calls that are being answered; the peer hears a failure.
    ///
    /// # Errors
    /// What ended the channel, unless it was closed in order.
    pub async fn serve<P: Place>(&self, root: &Node<P>) -> Result<(), ChannelError> {
        let mut running = FuturesUnordered::new();
        loop {
            let mut next = pin!(self.message.recv());
            let request = poll_fn(|cx| {
                while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
                next.as_mut().poll(cx)
            });
            let Some(request) = request.await? else {
                break;
            };
            if let Some(work) = root.dispatch(&self.message, request) {
                running.push(work);
            }
        }
        while let Some(()) = running.next().await {}
        Ok(())
    }

    /// The channel below: to close it, or to wait for its end.
    pub fn message(&self) -> &Message<PythonJson> {
        &self.message
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        self.message.peer_address()
    }
}
