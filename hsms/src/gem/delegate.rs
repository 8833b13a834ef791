//! The delegate of a GEM equipment or host: it keeps the state of communication, and calls the handler of each message.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Admission, Communication, CommunicationState, Model, S1F2, Step};
use crate::connection::shared::Shared;
use crate::item::{FromItem, Item, ToItem};
use crate::lock::lock;
use crate::typed::{SecsMessage, SecsRequest};
use crate::{Bytes, Connection, Delegate, Message, Result, StreamFunction};

const ARE_YOU_THERE: StreamFunction = StreamFunction::new(1, 1);
const LOOPBACK: StreamFunction = StreamFunction::new(2, 25);

/// What a handler makes of a message.
enum Answer {
    /// Send this text, if the message wants a reply.
    Text(Bytes),
    /// It has answered, or wants it aborted.
    None,
    /// It can't read it: S9F7.
    Illegal,
}

type Call = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Handler = Box<dyn Fn(Connection, Message) -> Call + Send + Sync>;

/// A [`Delegate`] that does what E30 wants of every equipment and host, and calls a handler for each other message.
///
/// It establishes communication (S1F13, S1F14) as soon as the session is selected, and again until it is accepted;
/// answers S1F1 and S2F25; and reports what nobody handles: an equipment by S9F3 (unknown stream), S9F5 (unknown
/// function) or S9F7 (illegal data), a host, which has no stream 9, by function 0. One belongs to one connection.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use hsms::gem::{Gem, Hcack, Model, S2F41, S2F42};
/// use hsms::{ActiveConnection, ConnectionOptions, Net, PassiveConnection};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Model { mdln: "ETCHER".into(), softrev: "1.0".into() };
/// let equipment = Gem::equipment(model).on(|_, command: S2F41| async move {
///     let known = command.rcmd == "START";
///     S2F42 { hcack: if known { Hcack::Accepted } else { Hcack::UnknownCommand }, parameters: vec![] }
/// });
/// let net = Net::os();
/// let equipment = PassiveConnection::new(&net, "mem:etcher".parse()?, ConnectionOptions::new(0), equipment);
/// let at = equipment.enable().await?;
///
/// let gem = Arc::new(Gem::host());
/// let host = ActiveConnection::new(&net, at, ConnectionOptions::new(0), Arc::clone(&gem));
/// host.enable()?;
/// gem.communicating(&net, Duration::from_secs(10)).await?;
/// let reply = host.request_of(&S2F41 { rcmd: "START".into(), parameters: vec![] }).await?;
/// assert_eq!(reply.hcack, Hcack::Accepted);
/// # Ok(()) }
/// ```
pub struct Gem {
    core: Arc<Core>,
    model: Option<Model>,
    handlers: BTreeMap<StreamFunction, Handler>,
    lenient: bool,
}

struct Core {
    communication: Mutex<Communication>,
    /// The system bytes of our S1F13, from when it is sent until its end is noted.
    asked: Mutex<Option<u32>>,
    changed: Notify,
    /// The connection, from its first Select on. Weak, since it has this delegate.
    shared: Mutex<Weak<Shared>>,
}

impl Core {
    fn with<R>(&self, change: impl FnOnce(&mut Communication) -> R) -> R {
        let (result, changed) = {
            let communication = &mut *lock(&self.communication);
            let before = communication.state();
            let result = change(communication);
            (result, communication.state() != before)
        };
        if changed {
            self.changed.notify_waiters();
        }
        result
    }
}

/// How often others may go first so that an answer that has come is noted; once is enough but for threads.
const TURNS: usize = 100;

impl Core {
    /// Lets the task that asked for communication note an answer that came just before the message at hand: a peer may well
    /// send both at once.
    async fn caught_up(&self, connection: &Connection) {
        for _ in 0..TURNS {
            let asks = self.with(|communication| communication.state()) == CommunicationState::WaitCra;
            // Other requests may well be open.
            let answered = lock(&self.asked).is_some_and(|system| !connection.is_open(system));
            if !asks || !answered {
                return;
            }
            let mut passed = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut passed, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }
}

impl Gem {
    /// Of a host. It wants to communicate.
    #[must_use]
    pub fn host() -> Self {
        Self::new(Communication::host(), None)
    }

    /// Of an equipment of this model. It wants to communicate.
    #[must_use]
    pub fn equipment(model: Model) -> Self {
        Self::new(Communication::equipment(model.clone()), Some(model))
    }

    fn new(mut communication: Communication, model: Option<Model>) -> Self {
        // Nothing is selected yet: there is nothing to do.
        let _ = communication.enable();
        Self {
            core: Arc::new(Core {
                communication: Mutex::new(communication),
                asked: Mutex::default(),
                changed: Notify::new(),
                shared: Mutex::default(),
            }),
            model,
            handlers: BTreeMap::new(),
            lenient: false,
        }
    }

    /// Sets the delay between attempts to establish communication. Default: 10 s.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.core
            .with(|communication| *communication = communication.clone().delay(delay));
        self
    }

    /// Does not ask for communication itself, and handles messages before it is established too, instead of aborting
    /// them: for tools and tests. Default: it is strict.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Handles a request, as Rust types: what the handler gives is the reply. One that does not read as `M` is reported as
    /// illegal data (S9F7) and does not reach the handler. A second handler of the same message takes the first one's
    /// place, and those of S1F1 and S2F25 too; S1F13 is never for a handler.
    ///
    /// Handlers are called one after the other, in the order of the messages. While one works, the connection goes on, and
    /// it may make requests.
    #[must_use]
    pub fn on<M, F, Fut>(self, handler: F) -> Self
    where
        M: SecsRequest + for<'a> FromItem<'a>,
        M::Reply: ToItem,
        F: Fn(Connection, M) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = M::Reply> + Send + 'static,
    {
        self.insert(M::ABOUT, move |connection, message| match message.read::<M>() {
            Ok(content) => {
                let reply = handler(connection, content);
                Box::pin(async move {
                    let reply = reply.await;
                    if M::Reply::HEADER_ONLY {
                        return Answer::Text(Bytes::new());
                    }
                    match Item::of(&reply) {
                        Ok(item) => Answer::Text(item.into_bytes()),
                        Err(error) => {
                            warn(M::Reply::ABOUT, &error);
                            Answer::None
                        }
                    }
                })
            }
            Err(_) => Box::pin(std::future::ready(Answer::Illegal)),
        })
    }

    /// Handles a message that wants no reply, as a Rust type. One that has the W-bit nevertheless is aborted afterwards.
    #[must_use]
    pub fn on_notice<M, F, Fut>(self, handler: F) -> Self
    where
        M: SecsMessage + for<'a> FromItem<'a>,
        F: Fn(Connection, M) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.insert(M::ABOUT, move |connection, message| match message.read::<M>() {
            Ok(content) => {
                let work = handler(connection, content);
                Box::pin(async move {
                    work.await;
                    Answer::None
                })
            }
            Err(_) => Box::pin(std::future::ready(Answer::Illegal)),
        })
    }

    /// Handles a message as it came. What the handler gives is the text of the reply; with `None` it is aborted, if it
    /// wants a reply.
    #[must_use]
    pub fn on_message<F, Fut>(self, about: StreamFunction, handler: F) -> Self
    where
        F: Fn(Connection, Message) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<Bytes>> + Send + 'static,
    {
        self.insert(about, move |connection, message| {
            let work = handler(connection, message);
            Box::pin(async move { work.await.map_or(Answer::None, Answer::Text) })
        })
    }

    fn insert(
        mut self,
        about: StreamFunction,
        handler: impl Fn(Connection, Message) -> Call + Send + Sync + 'static,
    ) -> Self {
        self.handlers.insert(about, Box::new(handler));
        self
    }

    /// The state of communication.
    pub fn state(&self) -> CommunicationState {
        self.state_over(self.connection().as_ref())
    }

    fn connection(&self) -> Option<Connection> {
        let shared = lock(&self.core.shared).upgrade()?;
        Some(Connection { shared })
    }

    /// A session that has ended carries nothing, though its connection is still to be closed, and told of only then.
    fn state_over(&self, connection: Option<&Connection>) -> CommunicationState {
        match self.core.with(|communication| communication.state()) {
            CommunicationState::Communicating if !connection.is_some_and(|connection| connection.is_selected()) => {
                CommunicationState::NotCommunicating
            }
            state => state,
        }
    }

    /// Waits until messages of all kinds flow. Cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when the time is over.
    pub async fn communicating(&self, net: &crate::Net, limit: Duration) -> Result<()> {
        let wait = async {
            loop {
                let mut changed = std::pin::pin!(self.core.changed.notified());
                changed.as_mut().enable();
                let Some(connection) = self.connection() else {
                    changed.await;
                    continue;
                };
                // Or the session is selected again.
                let mut session = std::pin::pin!(connection.shared.changed.notified());
                session.as_mut().enable();
                if self.state_over(Some(&connection)) == CommunicationState::Communicating {
                    return;
                }
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = session => {}
                }
            }
        };
        net.timeout(limit, wait).await
    }

    async fn handle(&self, connection: &Connection, message: Message) {
        let (header, about) = (message.header, message.stream_function());
        let answer = match self.handlers.get(&about) {
            Some(handler) => handler(connection.clone(), message).await,
            None if about == LOOPBACK => Answer::Text(message.text),
            None if about == ARE_YOU_THERE => match Item::of(&S1F2(self.model.clone())) {
                Ok(item) => Answer::Text(item.into_bytes()),
                Err(_) => Answer::None,
            },
            None => return refuse(connection, if self.knows(about.stream()) { 5 } else { 3 }, &message).await,
        };
        match answer {
            Answer::Text(text) if header.w() => tell(about, connection.reply(&header, text).await),
            Answer::None if header.w() => tell(about, connection.abort(&header).await),
            Answer::Illegal => refuse(connection, 7, &Message::header_only(header)).await,
            Answer::Text(_) | Answer::None => {}
        }
    }

    fn knows(&self, stream: u8) -> bool {
        stream == ARE_YOU_THERE.stream()
            || stream == LOOPBACK.stream()
            || self.handlers.keys().any(|about| about.stream() == stream)
    }
}

/// Reports a message in stream 9; a host aborts it.
async fn refuse(connection: &Connection, function: u8, message: &Message) {
    let header = &message.header;
    if !connection.report(function, header) && header.w() {
        tell(header.stream_function(), connection.abort(header).await);
    }
}

fn tell(about: StreamFunction, sent: Result<(), crate::RequestError>) {
    if let Err(error) = sent {
        warn(about, &error);
    }
}

fn warn(about: StreamFunction, error: &dyn fmt::Display) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "hsms", %about, %error, "not answered");
    let _ = (about, error);
}

/// Does what the state model says, until it says nothing more or the connection's user is gone.
async fn establish(core: Weak<Core>, connection: Connection, mut step: Step) {
    loop {
        let ended = match step {
            Step::None => return,
            Step::Ask(attempt, s1f13) => {
                let reply = connection.request_of_noting(&s1f13, |system| {
                    if let Some(core) = core.upgrade() {
                        *lock(&core.asked) = Some(system);
                    }
                });
                (attempt, Some(reply.await))
            }
            Step::Wait(attempt, delay) => {
                connection.net().sleep(delay).await;
                (attempt, None)
            }
        };
        let Some(core) = core.upgrade() else { return };
        step = core.with(|communication| match ended {
            (attempt, Some(reply)) => communication.answered(attempt, reply.ok().as_ref()),
            (attempt, None) => communication.waited(attempt),
        });
        *lock(&core.asked) = None;
    }
}

impl Delegate for Gem {
    async fn on_connection_established(&self, connection: &Connection) {
        *lock(&self.core.shared) = Arc::downgrade(&connection.shared);
        let step = self.core.with(Communication::selected);
        if self.lenient || step == Step::None {
            return;
        }
        // Not here: the peer's S1F13 may have to be answered first.
        let work = establish(Arc::downgrade(&self.core), connection.clone(), step);
        // Without a runtime there would be no connection.
        let _ = connection.net().spawn(work);
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        let header = message.header;
        self.core.caught_up(connection).await;
        let admission = self
            .core
            .with(|communication| communication.primary(header.stream_function()));
        match admission {
            Admission::Answer(s1f14) if header.w() => {
                tell(header.stream_function(), connection.reply_of(&header, &s1f14).await);
            }
            Admission::Answer(_) => {}
            Admission::Abort if !self.lenient => {
                if header.w() {
                    tell(header.stream_function(), connection.abort(&header).await);
                }
            }
            Admission::Deliver | Admission::Abort => self.handle(connection, message).await,
        }
    }

    async fn on_connection_closed(&self, _: &Connection) {
        self.core.with(Communication::lost);
    }
}

impl fmt::Debug for Gem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gem")
            .field("state", &self.state())
            .field("model", &self.model)
            .field("handlers", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}
