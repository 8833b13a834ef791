//! The client: commands out, replies in, each wait with a limit.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use net_core::framing::{FrameFault, Line, Terminator};
use net_core::{ConnectOptions, Endpoint, Error, ErrorKind, Framed, FramedLimits, Net, Operation, Result, TimeoutKind};

use crate::line::{PONG, Wire, check};

/// Sends commands to a line server and receives its replies.
///
/// Each result tells what happened: a reply (empty or not), [`Timeout`](ErrorKind::Timeout),
/// [`Closed`](ErrorKind::Closed) when the server ended the connection in order, [`Reset`](ErrorKind::Reset) and so on
/// when it broke. After the last two the client is no longer [connected](Self::is_connected), and
/// [`reconnect`](Self::reconnect) is the way on.
///
/// To leave, [`disconnect`](Self::disconnect): servers like the original never get over a client that only closes.
///
/// ```
/// use oneline::{Client, ErrorKind, Net, Server};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> oneline::Result<()> {
/// # let net = Net::os();
/// # let server = Server::new(async |command| (command.text() == "list").then_some(["one", "two"]));
/// # let running = server.start(&net, &"mem:client".parse()?).await?;
/// # let endpoint = running.endpoint();
/// let mut client = Client::connect(&net, endpoint).await?;
/// client.send("list").await?;
/// assert_eq!(client.recv().await?, "one");
/// assert_eq!(client.recv().await?, "two");
/// // How many replies there are, without waiting for a time limit:
/// assert_eq!(client.collect("list").await?.len(), 2);
/// assert_eq!(client.collect("nothing").await?.len(), 0);
///
/// client.disconnect().await?;
/// assert_eq!(client.recv().await.unwrap_err().kind(), ErrorKind::Closed);
/// # Ok(()) }
/// ```
pub struct Client {
    net: Net,
    endpoint: Endpoint,
    options: ClientOptions,
    link: Option<Framed<Wire>>,
    /// How many `pong`s are still to come, so that none is taken for another.
    pongs: usize,
}

/// How a [`Client`] connects, and its limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// How the connection is made; its limit for connecting is 10 s.
    pub connect: ConnectOptions,
    /// Whether connecting sends `ping` and waits for `pong`, which shows that it is this client's turn. Default: true.
    pub handshake: bool,
    /// How long the handshake may take. Default: 3 s.
    pub handshake_timeout: Duration,
    /// How long [`Client::recv`] waits. Default: 3 s.
    pub reply_timeout: Duration,
    /// How long the server may take nothing of what is sent. Default: 10 s.
    pub write_timeout: Duration,
    /// How long closing waits for the server's end. Default: 1 s.
    pub linger: Duration,
    /// The longest reply, in bytes. Default: 1 MiB.
    pub max_reply: usize,
    /// What ends a command. Default: LF.
    pub terminator: Terminator,
    /// Whether a CR before LF belongs to the reply. Default: false, it is taken off.
    pub strict_lf: bool,
    /// Whether a command may contain CR, LF and NUL, so that one call sends several commands. Default: false.
    pub allow_controls: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect: ConnectOptions::default(),
            handshake: true,
            handshake_timeout: Duration::from_secs(3),
            reply_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            max_reply: 1 << 20,
            terminator: Terminator::Lf,
            strict_lf: false,
            allow_controls: false,
        }
    }
}

impl ClientOptions {
    /// The original's rules: CR before LF is content, and a command may contain line feeds.
    #[must_use]
    pub fn compatible(mut self) -> Self {
        self.strict_lf = true;
        self.allow_controls = true;
        self
    }

    /// Sets how the connection is made.
    #[must_use]
    pub fn connect(mut self, options: ConnectOptions) -> Self {
        self.connect = options;
        self
    }

    /// Sets whether connecting waits for a `pong`.
    #[must_use]
    pub fn handshake(mut self, on: bool) -> Self {
        self.handshake = on;
        self
    }

    /// Limits the handshake.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.handshake_timeout = limit;
        self
    }

    /// Limits the waiting for a reply.
    #[must_use]
    pub fn reply_timeout(mut self, limit: Duration) -> Self {
        self.reply_timeout = limit;
        self
    }

    /// Limits how long the server may take nothing.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Limits how long closing waits for the server's end.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Limits the length of a reply, in bytes.
    #[must_use]
    pub fn max_reply(mut self, bytes: usize) -> Self {
        self.max_reply = bytes;
        self
    }

    /// Sets what ends a command.
    #[must_use]
    pub fn terminator(mut self, terminator: Terminator) -> Self {
        self.terminator = terminator;
        self
    }

    fn wire(&self) -> Wire {
        let mut line = Line::default().max(self.max_reply).terminator(self.terminator);
        if self.strict_lf {
            line = line.strict_lf();
        }
        Wire {
            // What is sent has the server's limit, which this side does not know.
            max_reply: usize::MAX,
            ..Wire::new(line)
        }
    }

    fn limits(&self) -> FramedLimits {
        // A reply that begins and does not end is `recv`'s to time; the part stays for the next call.
        FramedLimits::default()
            .frame_timeout(None)
            .write_timeout(self.write_timeout)
    }
}

/// One reply: a line, exactly as it was sent, without its terminator.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reply(Bytes);

impl Reply {
    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl PartialEq<str> for Reply {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Reply {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl Client {
    /// Connects, with the default [`ClientOptions`]: sends `ping`, and is connected when `pong` comes.
    ///
    /// # Errors
    /// Those of [`Net::connect`]. [`TimeoutKind::Handshake`] if no `pong` comes in time: another client has its turn, or
    /// it is no line server. [`ErrorKind::Refused`] if the server says something else, which the error quotes. In each
    /// case the connection is closed, so that nothing of it can turn up later.
    pub async fn connect(net: &Net, endpoint: &Endpoint) -> Result<Self> {
        Self::connect_with(net, endpoint, ClientOptions::default()).await
    }

    /// Connects, with options.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(net: &Net, endpoint: &Endpoint, options: ClientOptions) -> Result<Self> {
        let mut client = Self {
            net: net.clone(),
            endpoint: endpoint.clone(),
            options,
            link: None,
            pongs: 0,
        };
        client.reconnect().await?;
        Ok(client)
    }

    /// Connects anew, closing first what was connected before. What had been asked and not answered is lost.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn reconnect(&mut self) -> Result<()> {
        if self.link.is_some() {
            // How the old connection ends is no reason not to make the new one.
            let _ = self.disconnect().await;
        }
        let stream = self.net.connect_with(&self.endpoint, &self.options.connect).await?;
        let mut link = Framed::with_limits(stream, self.options.wire(), self.options.limits());
        if self.options.handshake {
            shake_hands(&self.net, &mut link, self.options.handshake_timeout)
                .await
                .map_err(|error| error.at(&self.endpoint))?;
        }
        self.link = Some(link);
        self.pongs = 0;
        Ok(())
    }

    /// Whether the connection is there, as far as is known. One that broke shows at the next call.
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Where the server is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The options.
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// The options, for changing the limits of later calls.
    pub fn options_mut(&mut self) -> &mut ClientOptions {
        &mut self.options
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`ErrorKind::BadFrame`] if it contains CR, LF or NUL, which would make other commands of it; nothing is sent then.
    /// [`TimeoutKind::Write`], and whatever breaks the connection.
    pub async fn send(&mut self, command: impl AsRef<[u8]>) -> Result<()> {
        let command = command.as_ref();
        if !self.options.allow_controls {
            check(command).map_err(|error| error.at(&self.endpoint))?;
        }
        self.send_raw(command).await
    }

    /// Sends a command as it is, and its terminator: an LF inside makes two commands of it.
    ///
    /// # Errors
    /// As [`send`](Self::send), but for the control characters.
    pub async fn send_raw(&mut self, command: impl AsRef<[u8]>) -> Result<()> {
        let command = command.as_ref();
        let link = self.link()?;
        let outcome = link.send(command).await;
        self.pongs += usize::from(command == b"ping");
        outcome.map_err(|error| self.lost(error))
    }

    /// Receives the next reply, within the [time limit](ClientOptions::reply_timeout). Cancel safe.
    ///
    /// # Errors
    /// [`TimeoutKind::Request`] if none came in time; a reply that has come in part is kept, and the next call goes on
    /// with it. [`ErrorKind::Closed`] at the server's end, [`ErrorKind::Truncated`] if that came inside a reply,
    /// [`ErrorKind::FrameTooLong`] for a reply over the limit, after which the next can be received. Otherwise whatever
    /// breaks the connection.
    pub async fn recv(&mut self) -> Result<Reply> {
        self.recv_within(self.options.reply_timeout).await
    }

    /// [`recv`](Self::recv) with a time limit of its own.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub async fn recv_within(&mut self, limit: Duration) -> Result<Reply> {
        let net = self.net.clone();
        let outcome = match net.timeout(limit, self.link()?.next()).await {
            Ok(Ok(Some((line, _)))) => match line.fault() {
                None => {
                    let reply = Reply(line.into_bytes());
                    if reply.0 == PONG {
                        self.pongs = self.pongs.saturating_sub(1);
                    }
                    return Ok(reply);
                }
                Some(fault) => return Err(self.too_long(fault)),
            },
            Ok(Ok(None)) => Error::new(ErrorKind::Closed, Operation::Read).detail("the server ended the connection"),
            Ok(Err(error)) => error,
            Err(_) => {
                return Err(Error::new(ErrorKind::Timeout(TimeoutKind::Request), Operation::Read)
                    .at(&self.endpoint)
                    .detail(format!("no reply within {limit:?}")));
            }
        };
        Err(self.lost(outcome))
    }

    /// Sends a command and receives one reply.
    ///
    /// A reply that comes after the time limit would be taken for that to the next command; [`resync`](Self::resync)
    /// throws it away.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`recv`](Self::recv).
    pub async fn request(&mut self, command: impl AsRef<[u8]>) -> Result<Reply> {
        self.send(command).await?;
        self.recv().await
    }

    /// Sends a command, and receives all its replies, however many: a `ping` sent behind it marks their end. (A reply
    /// that is itself `pong` would be mistaken for that.) At most [`MAX_COLLECTED`](Self::MAX_COLLECTED) replies.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`recv`](Self::recv); [`ErrorKind::Limit`] for too many replies.
    pub async fn collect(&mut self, command: impl AsRef<[u8]>) -> Result<Vec<Reply>> {
        self.send(command).await?;
        self.resync().await
    }

    /// The most replies that [`collect`](Self::collect) takes.
    pub const MAX_COLLECTED: usize = 1 << 16;

    /// Receives everything that was on its way, so that the next reply is the next command's. Returns what came, without
    /// the `pong`s.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub async fn resync(&mut self) -> Result<Vec<Reply>> {
        self.send(b"ping").await?;
        let mut replies = Vec::new();
        loop {
            match self.recv().await? {
                // Older pings may have been given up before their answer came.
                reply if reply.0 == PONG && self.pongs > 0 => {}
                reply if reply.0 == PONG => return Ok(replies),
                _ if replies.len() == Self::MAX_COLLECTED => {
                    return Err(Error::new(ErrorKind::Limit, Operation::Read)
                        .at(&self.endpoint)
                        .detail(format!("more than {} replies", Self::MAX_COLLECTED)));
                }
                reply => replies.push(reply),
            }
        }
    }

    /// Asks whether the server is alive.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`ErrorKind::BadFrame`] if the reply is not `pong`, for example because replies to
    /// earlier commands were not received.
    pub async fn ping(&mut self) -> Result<()> {
        let reply = self.request(b"ping").await?;
        if reply.0 == PONG {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadFrame, Operation::Request)
            .at(&self.endpoint)
            .detail(format!("instead of `pong` came {:?}", shortened(&reply.text()))))
    }

    /// Sends `disconnect`, and closes. Does nothing if not connected.
    ///
    /// # Errors
    /// If the command did not reach the server; the connection is closed all the same.
    pub async fn disconnect(&mut self) -> Result<()> {
        self.leave(b"disconnect").await
    }

    /// Sends `shutdown`, which stops the server, and closes. Does nothing if not connected.
    ///
    /// # Errors
    /// As [`disconnect`](Self::disconnect).
    pub async fn shutdown(&mut self) -> Result<()> {
        self.leave(b"shutdown").await
    }

    /// Closes without a word. The original's server does not get over that; ours does.
    pub async fn close(&mut self) {
        if let Some(link) = self.link.take() {
            link.close(self.options.linger).await;
        }
    }

    async fn leave(&mut self, word: &[u8]) -> Result<()> {
        let Some(mut link) = self.link.take() else {
            return Ok(());
        };
        let sent = link.send(word).await;
        link.close(self.options.linger).await;
        sent.map_err(|error| error.at(&self.endpoint))
    }

    fn link(&mut self) -> Result<&mut Framed<Wire>> {
        self.link.as_mut().ok_or_else(|| {
            Error::new(ErrorKind::Closed, Operation::Request)
                .at(&self.endpoint)
                .detail("not connected: call reconnect")
        })
    }

    /// The connection is over.
    fn lost(&mut self, error: Error) -> Error {
        self.link = None;
        error.at(&self.endpoint)
    }

    fn too_long(&self, fault: FrameFault) -> Error {
        Error::new(ErrorKind::FrameTooLong, Operation::Read)
            .at(&self.endpoint)
            .detail(format!("a reply of {fault}"))
    }
}

/// Sends `ping` and waits for `pong`.
async fn shake_hands(net: &Net, link: &mut Framed<Wire>, limit: Duration) -> Result<()> {
    let failed = |kind, detail: String| Err(Error::new(kind, Operation::Handshake).detail(detail));
    let exchange = async {
        // A server that refuses may have closed before it reads: what it said still counts.
        let sent = link.send(b"ping").await;
        match link.next().await {
            Ok(Some((line, _))) => Ok(Reply(line.into_bytes())),
            Ok(None) => Err(Error::new(ErrorKind::Closed, Operation::Handshake)
                .detail("the server closed the connection without a word")),
            Err(error) => Err(sent.err().unwrap_or(error)),
        }
    };
    match net.timeout(limit, exchange).await {
        Ok(Ok(reply)) if reply.0 == PONG => Ok(()),
        Ok(Ok(reply)) => failed(
            ErrorKind::Refused,
            format!("instead of `pong` the server says {:?}", shortened(&reply.text())),
        ),
        Ok(Err(error)) => Err(error),
        Err(_) => failed(
            ErrorKind::Timeout(TimeoutKind::Handshake),
            format!("no `pong` within {limit:?}: perhaps another client has its turn"),
        ),
    }
}

/// As much of a foreign text as fits an error message.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
