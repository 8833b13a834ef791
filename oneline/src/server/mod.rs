//! The server: its settings, and how it starts.

mod accept;
mod running;
mod session;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net_core::framing::{Line, Terminator};
use net_core::{BindOptions, Endpoint, Error, ErrorKind, FramedLimits, Net, Operation, Result};

pub use running::{Running, StopReason, Stopped};

use crate::handler::FromClosure;
use crate::line::{Wire, check};
use crate::{Admission, Charset, Fault, Handler, IntoReplies, OwnedCommand, Protocol, Router};
use session::Session;

/// Answers line commands; `ping`, `disconnect` and `shutdown` are built in.
///
/// Settings are made first, each with a default; [`start`](Self::start) then listens and gives a [`Running`]. The same
/// server may be started again after it has stopped.
///
/// ```
/// use oneline::{Client, Net, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> oneline::Result<()> {
/// let net = Net::os();
/// let server = Server::new(async |command| match command.text() {
///     "cmd01" => "ack",
///     _ => "nak - unknown cmd",
/// });
/// let running = server.start(&net, &"tcp://127.0.0.1:0".parse()?).await?;
///
/// let mut client = Client::connect(&net, running.endpoint()).await?;
/// assert_eq!(client.request("cmd01").await?, "ack");
/// client.shutdown().await?;
/// running.wait().await;
/// # Ok(()) }
/// ```
///
/// # Compatible with the original
/// [`compatible`](Self::compatible) keeps the rules of socket-oneline, so that its programs work unchanged. They differ
/// from the defaults:
///
/// | | default | compatible |
/// |---|---|---|
/// | character set | [`Charset::Utf8`] | [`Charset::AsciiStrip`] |
/// | CR before LF | belongs to the terminator | belongs to the command: `ping\r` is no `ping` |
/// | CR, LF, NUL in a reply | refused | sent as they are: an LF makes two replies |
///
/// In both, built-in commands are matched exactly, several commands in one packet are each answered, one client is served
/// while others wait, and replies end with LF. In both, unlike the original, a damaged line never is a built-in command,
/// and there are the limits below.
///
/// # Limits
/// | setting | default |
/// |---|---|
/// | [`max_line`](Self::max_line) | 64 KiB |
/// | [`max_reply`](Self::max_reply) | 1 MiB |
/// | [`line_timeout`](Self::line_timeout): from a line's first byte to its last | 30 s |
/// | [`write_timeout`](Self::write_timeout): how long the client may take nothing | 30 s |
/// | [`idle_timeout`](Self::idle_timeout): how long the client may say nothing | none |
/// | [`handler_timeout`](Self::handler_timeout): how long a command may take | none |
/// | [`takeover_grace`](Self::takeover_grace) | 1 s |
/// | [`linger`](Self::linger): how long a closed client may take to close its side | 1 s |
/// | [`drain`](Self::drain): how long clients may take to finish after a `shutdown` command | 5 s |
#[derive(Clone)]
pub struct Server {
    settings: Settings,
    serve: Serve,
    /// Where it runs; shared by clones.
    state: Arc<Mutex<State>>,
}

/// Runs one client's session, with a handler of its own.
type Serve = Arc<dyn Fn(Session) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type FaultReply = Arc<dyn Fn(&Fault) -> Option<String> + Send + Sync>;

/// What a server does at a line over the limit. The rest of it is dropped in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LongLine {
    /// Answers with an error, and goes on with the next line.
    #[default]
    Reply,
    /// Answers with an error, and closes the connection.
    Close,
}

/// Whether a server runs.
#[derive(Debug, Default)]
enum State {
    #[default]
    Stopped,
    Running(Endpoint),
}

#[derive(Clone)]
pub(crate) struct Settings {
    protocol: Protocol,
    wire: Wire,
    allow_controls: bool,
    limits: FramedLimits,
    admission: Admission,
    long_line: LongLine,
    fault_reply: FaultReply,
    handler_timeout: Option<Duration>,
    takeover_grace: Duration,
    linger: Duration,
    drain: Duration,
    bind: BindOptions,
}

impl Server {
    /// A server whose commands a closure answers, the same for all clients.
    ///
    /// It returns text, bytes, `()` for no reply, an [`Option`], several replies, or a [`Result`]: see [`IntoReplies`].
    /// A closure that shares something clones it into each future: `move |command| { let tool = tool.clone(); async move
    /// { … } }`. For a state of each client's own, and for commands without any allocation, see
    /// [`with_handler`](Self::with_handler).
    pub fn new<F, W, R>(answer: F) -> Self
    where
        F: Fn(OwnedCommand) -> W + Send + Sync + 'static,
        W: Future<Output = R> + Send + 'static,
        R: IntoReplies + Send + 'static,
    {
        let answer = Arc::new(answer);
        Self::with_handler(move || FromClosure(Arc::clone(&answer)))
    }

    /// A server that makes a [`Handler`] for each client.
    pub fn with_handler<H: Handler + 'static>(factory: impl Fn() -> H + Send + Sync + 'static) -> Self {
        let factory = Arc::new(factory);
        Self {
            settings: Settings::default(),
            serve: Arc::new(move |session| {
                let factory = Arc::clone(&factory);
                Box::pin(async move { session.run(|| factory()).await })
            }),
            state: Arc::default(),
        }
    }

    /// A server that answers by a [`Router`].
    pub fn with_router(router: Router) -> Self {
        let router = Arc::new(router);
        Self::with_handler(move || router.handler())
    }

    /// Takes over the original's rules; see [above](Self#compatible-with-the-original).
    #[must_use]
    pub fn compatible(mut self) -> Self {
        self.settings.protocol.charset = Charset::AsciiStrip;
        self.settings.wire.input = self.settings.wire.input.strict_lf();
        self.settings.allow_controls = true;
        self
    }

    /// Sets who is served when several clients come.
    #[must_use]
    pub fn admission(mut self, admission: Admission) -> Self {
        self.settings.admission = admission;
        self
    }

    /// Sets how bytes become text.
    #[must_use]
    pub fn charset(mut self, charset: Charset) -> Self {
        self.settings.protocol.charset = charset;
        self
    }

    /// Sets what ends replies. A command ends with LF, or with CR LF unless [`strict_lf`](Self::strict_lf) is set.
    #[must_use]
    pub fn terminator(mut self, terminator: Terminator) -> Self {
        self.settings.wire.input = self.settings.wire.input.terminator(terminator);
        self
    }

    /// Takes LF alone for the end of a command: a CR before it belongs to the command.
    #[must_use]
    pub fn strict_lf(mut self) -> Self {
        self.settings.wire.input = self.settings.wire.input.strict_lf();
        self
    }

    /// Sets whether clients may stop the server. If not, `shutdown` goes to the handler like any other command.
    #[must_use]
    pub fn allow_shutdown(mut self, allow: bool) -> Self {
        self.settings.protocol.shutdown = allow;
        self
    }

    /// Limits the length of a command, in bytes.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.settings.wire.input = self.settings.wire.input.max(bytes);
        self
    }

    /// Limits the length of a reply, in bytes.
    #[must_use]
    pub fn max_reply(mut self, bytes: usize) -> Self {
        self.settings.wire.max_reply = bytes;
        self
    }

    /// Sets what happens at a line over the limit.
    #[must_use]
    pub fn long_line(mut self, policy: LongLine) -> Self {
        self.settings.long_line = policy;
        self
    }

    /// Sets the reply to a command that went wrong; `None` for no reply. By default it is `error: ` and the fault's
    /// text. Control characters in it become spaces.
    #[must_use]
    pub fn fault_reply(mut self, reply: impl Fn(&Fault) -> Option<String> + Send + Sync + 'static) -> Self {
        self.settings.fault_reply = Arc::new(reply);
        self
    }

    /// Sets how long a client may say nothing before it is closed.
    #[must_use]
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.limits.idle_timeout = limit.into();
        self
    }

    /// Sets how long a line may take from its first byte to its last.
    #[must_use]
    pub fn line_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.limits.frame_timeout = limit.into();
        self
    }

    /// Sets how long a client may take nothing of what is sent to it.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.settings.limits.write_timeout = limit;
        self
    }

    /// Sets all limits of a connection, output buffers included, at once.
    #[must_use]
    pub fn limits(mut self, limits: FramedLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how long a command may take; what is not done by then is dropped where it waits, and the client gets an
    /// error reply.
    #[must_use]
    pub fn handler_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.handler_timeout = limit.into();
        self
    }

    /// Sets how long a client that is taken over may need for its command under way.
    #[must_use]
    pub fn takeover_grace(mut self, limit: Duration) -> Self {
        self.settings.takeover_grace = limit;
        self
    }

    /// Sets how long a client whose connection we close may take to close its side too. The next client does not wait
    /// for that.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.settings.linger = limit;
        self
    }

    /// Sets how long the clients may take to finish after a `shutdown` command. ([`Running::stop`] has its own limit.)
    #[must_use]
    pub fn drain(mut self, limit: Duration) -> Self {
        self.settings.drain = limit;
        self
    }

    /// Sets options of the listener: of its sockets, limits for each peer address, TLS.
    #[must_use]
    pub fn bind_options(mut self, options: BindOptions) -> Self {
        self.settings.bind = options;
        self
    }

    /// Whether it runs now.
    pub fn is_running(&self) -> bool {
        matches!(*self.state(), State::Running(_))
    }

    /// Listens, and serves clients in the background until a client sends `shutdown` or [`Running::stop`] is called.
    ///
    /// `tls://` endpoints need a certificate: [`Net::with_server_tls`] or [`BindOptions::tls`].
    ///
    /// A server runs on one endpoint. For a second one make a second server; what both handlers are to share they hold
    /// in an `Arc`, a router too: `Server::with_handler(move || router.handler())`. "One client at a time" counts for
    /// each server.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] while it runs already; [`ErrorKind::AddrInUse`] and the like from [`Net::bind`],
    /// naming the endpoint; [`ErrorKind::InvalidInput`] for a rejection line that is `pong` or no line.
    pub async fn start(&self, net: &Net, endpoint: &Endpoint) -> Result<Running> {
        if let Admission::Reject { line } = &self.settings.admission {
            check_rejection(line)?;
        }
        let claim = self.claim(endpoint)?;
        let mut options = self.settings.bind.clone();
        if let Admission::Queue { max } = self.settings.admission {
            options.socket.backlog = max;
        }
        let listener = net.bind_with(endpoint, &options).await?;
        claim.tell(listener.local());
        accept::start(
            net,
            listener,
            Arc::new(self.settings.clone()),
            Arc::clone(&self.serve),
            claim,
        )
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self, endpoint: &Endpoint) -> Result<Claim> {
        let mut state = self.state();
        if let State::Running(at) = &*state {
            return Err(Error::new(ErrorKind::WrongState, Operation::Listen)
                .at(endpoint)
                .detail(format!(
                    "the server is already running on {at}: stop it first, or make another for a second endpoint"
                )));
        }
        *state = State::Running(endpoint.clone());
        Ok(Claim(Arc::clone(&self.state)))
    }
}

/// The right to run; given back when dropped, whatever happened.
struct Claim(Arc<Mutex<State>>);

impl Claim {
    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn tell(&self, endpoint: &Endpoint) {
        self.set(State::Running(endpoint.clone()));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.set(State::Stopped);
    }
}

fn check_rejection(line: &str) -> Result<()> {
    let bad = |text: String| {
        Error::new(ErrorKind::InvalidInput, Operation::Configure).detail(format!("the rejection line {line:?} {text}"))
    };
    check(line.as_bytes()).map_err(|_| bad("must be one line, without CR, LF and NUL".to_owned()))?;
    if line.as_bytes() == crate::line::PONG {
        return Err(bad("would be taken for admission: choose another".to_owned()));
    }
    Ok(())
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            protocol: Protocol::default(),
            wire: Wire::new(Line::default()),
            allow_controls: false,
            limits: FramedLimits::default(),
            admission: Admission::default(),
            long_line: LongLine::default(),
            fault_reply: Arc::new(|fault| Some(format!("error: {fault}"))),
            handler_timeout: None,
            takeover_grace: Duration::from_secs(1),
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(5),
            bind: BindOptions::default(),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("state", &*self.state())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("protocol", &self.protocol)
            .field("line", &self.wire.input)
            .field("admission", &self.admission)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
