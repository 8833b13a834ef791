//! Requests, notifications and replies.

use std::time::Duration;

use bytes::Bytes;
use net_core::{ErrorKind, Sender, framing::LengthPrefix};
use tokio::sync::oneshot;

use super::RequestError;
use crate::connection::shared::{Shared, State, Ticket};
use crate::session::{Outcome, Refused};
use crate::{Connection, Error, Header, Message, StreamFunction};

/// What a request may have of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestOptions {
    /// The session id, which is the entity in HSMS-GS. Default: that of the connection.
    pub session_id: Option<u16>,
    /// How long the reply may take. Default: T3.
    pub t3: Option<Duration>,
}

impl RequestOptions {
    /// Sets the session id.
    #[must_use]
    pub fn session_id(mut self, id: u16) -> Self {
        self.session_id = Some(id);
        self
    }

    /// Sets how long the reply may take.
    #[must_use]
    pub fn t3(mut self, limit: Duration) -> Self {
        self.t3 = Some(limit);
        self
    }
}

/// Gives its transaction up when it is dropped.
struct Open<'a> {
    shared: &'a Shared,
    system: u32,
    epoch: u64,
    answer: oneshot::Receiver<Result<Message, Outcome>>,
    done: bool,
}

impl Open<'_> {
    async fn answered(&mut self) -> Result<Message, RequestError> {
        let answer = (&mut self.answer).await;
        self.done = true;
        match answer {
            Ok(answer) => answer.map_err(RequestError::from),
            // The session is gone, and with it the connection.
            Err(_) => Err(RequestError::NotConnected),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.shared.with(|state| {
                if state.epoch == self.epoch {
                    state.session.cancel(self.system);
                }
            });
        }
    }
}

/// What to do about a frame that was not sent.
fn unsent(error: Error) -> RequestError {
    match error.kind() {
        ErrorKind::FrameTooLong | ErrorKind::BadFrame => RequestError::Unsendable(error),
        _ => RequestError::Disconnected(crate::session::CloseReason::Failed(error)),
    }
}

/// Sends at once, or gives the way to wait for room.
fn push(state: &State, header: &Header, text: &[u8]) -> Result<Option<Sender<LengthPrefix>>, RequestError> {
    match state.push(header, text) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Limit => Ok(state.sender.clone()),
        Err(error) => Err(unsent(error)),
    }
}

async fn wait(way: Option<Sender<LengthPrefix>>, header: &Header, text: &[u8]) -> Result<(), RequestError> {
    match way {
        None => Ok(()),
        Some(sender) => sender.send_parts(&[&header.to_bytes(), text]).await.map_err(unsent),
    }
}

impl Connection {
    /// Sends a primary message with the W-bit, and waits for its reply, for T3 at most. Cancel safe: dropping the future
    /// gives the transaction up, and a reply that comes later is counted as such.
    ///
    /// The text is what follows the header on the wire: nothing (`""`), or an [`Item`](crate::Item). Text as Rust has it
    /// goes out byte for byte as well, and is no SECS-II; SML has to be read first:
    ///
    /// ```
    /// # use hsms::{ActiveConnection, ConnectionOptions, Item, Net, PassiveConnection, StreamFunction};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # struct Equipment;
    /// # impl hsms::Delegate for Equipment {
    /// #     async fn on_connection_message_received(&self, connection: &hsms::Connection, message: hsms::Message) {
    /// #         let _ = connection.reply(&message.header, message.text).await;
    /// #     }
    /// # }
    /// # let net = Net::os();
    /// # let equipment = PassiveConnection::new(&net, "mem:sml".parse()?, ConnectionOptions::new(0), Equipment);
    /// # let host = ActiveConnection::new(&net, equipment.enable().await?, ConnectionOptions::new(0), ());
    /// # host.enable()?;
    /// # host.selected(std::time::Duration::from_secs(10)).await?;
    /// let wanted: Item = "<L <U4 1001> <U4 1002>>".parse()?;
    /// let reply = host.request(StreamFunction::new(1, 3), wanted).await?;
    /// // The same without SML, and the reply's item.
    /// let wanted = Item::list([Item::u4(1001), Item::u4(1002)]);
    /// assert_eq!(reply.item()?, Some(wanted));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RequestError`] tells them apart.
    pub async fn request(&self, about: StreamFunction, text: impl Into<Bytes>) -> Result<Message, RequestError> {
        self.request_with(about, text, RequestOptions::default()).await
    }

    /// [`request`](Self::request) to another session entity, or with another time limit.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn request_with(
        &self,
        about: StreamFunction,
        text: impl Into<Bytes>,
        options: RequestOptions,
    ) -> Result<Message, RequestError> {
        self.request_noting(about, text.into(), options, |_| ()).await
    }

    /// [`request_with`](Self::request_with) that tells its system bytes once it is sent.
    pub(super) async fn request_noting(
        &self,
        about: StreamFunction,
        text: Bytes,
        options: RequestOptions,
        note: impl FnOnce(u32),
    ) -> Result<Message, RequestError> {
        let shared = &*self.shared;
        let (ticket, answer) = oneshot::channel();
        let id = options.session_id.unwrap_or(self.session_id());
        let now = shared.net.now();
        let (header, epoch, way) = shared.with(|state| {
            let header = state.session.request(id, about, text.len(), options.t3, ticket, now)?;
            match push(state, &header, &text) {
                Ok(way) => Ok((header, state.epoch, way)),
                Err(error) => {
                    state.session.cancel(header.system());
                    Err(error)
                }
            }
        })?;
        note(header.system());
        let mut open = Open {
            shared,
            system: header.system(),
            epoch,
            answer,
            done: false,
        };
        if way.is_some() {
            // T3 runs while it waits for room, too.
            let sending = wait(way, &header, &text);
            tokio::select! {
                biased;
                sent = sending => sent?,
                answered = open.answered() => return answered,
            }
        }
        open.answered().await
    }

    /// Sends a primary message that wants no reply. Waits for room. Cancel safe. The text is as in
    /// [`request`](Self::request).
    ///
    /// # Errors
    /// [`RequestError`] if it can't be sent.
    pub async fn notify(&self, about: StreamFunction, text: impl Into<Bytes>) -> Result<(), RequestError> {
        self.notify_with(about, text, RequestOptions::default()).await
    }

    /// [`notify`](Self::notify) to another session entity.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub async fn notify_with(
        &self,
        about: StreamFunction,
        text: impl Into<Bytes>,
        options: RequestOptions,
    ) -> Result<(), RequestError> {
        let text = text.into();
        let id = options.session_id.unwrap_or(self.session_id());
        let now = self.shared.net.now();
        let (header, way) = self.shared.with(|state| {
            let header = state.session.notify(id, about, text.len(), now)?;
            push(state, &header, &text).map(|way| (header, way))
        })?;
        wait(way, &header, &text).await
    }

    /// Answers a primary message: with the next function, no W-bit, the same session id and system bytes. Waits for room.
    /// Cancel safe. The text is as in [`request`](Self::request).
    ///
    /// # Errors
    /// [`RequestError`] if it can't be sent.
    pub async fn reply(&self, primary: &Header, text: impl Into<Bytes>) -> Result<(), RequestError> {
        self.answer(primary, &primary.secondary(), text.into(), None).await
    }

    /// Aborts the transaction of a primary message, with function 0. Waits for room. Cancel safe.
    ///
    /// # Errors
    /// As [`reply`](Self::reply).
    pub async fn abort(&self, primary: &Header) -> Result<(), RequestError> {
        self.answer(primary, &primary.abort(), Bytes::new(), None).await
    }

    /// Reports a message in stream 9: function 1, 3, 5, 7 or 11, which quote its header. Only equipment does, and never
    /// about stream 9; else nothing is sent, and it gives false.
    pub fn report(&self, function: u8, about: &Header) -> bool {
        let now = self.shared.net.now();
        self.shared.with_session(|state| {
            if state.unanswered == Some(*about) {
                state.unanswered = None;
            }
            state.session.report(function, about, now)
        })
    }

    /// Answers on the connection of that number, or on whichever there is.
    pub(super) async fn answer(
        &self,
        primary: &Header,
        answer: &Header,
        text: Bytes,
        epoch: Option<u64>,
    ) -> Result<(), RequestError> {
        let now = self.shared.net.now();
        let way = self.shared.with(|state| {
            if epoch.is_some_and(|epoch| epoch != state.epoch) {
                return Err(RequestError::NotConnected);
            }
            state.session.reply(primary, text.len(), now)?;
            if state.unanswered == Some(*primary) {
                state.unanswered = None;
            }
            push(state, answer, &text)
        })?;
        wait(way, answer, &text).await
    }

    /// Asks to select: [`Header::CONTROL`] in HSMS-SS, an entity in HSMS-GS. The side that connects does so by itself, as
    /// [`SessionOptions::select`](crate::SessionOptions::select) says. Cancel safe, but what was asked is asked.
    ///
    /// # Errors
    /// [`RequestError::SelectRefused`] with the peer's reason, and the others.
    pub async fn select(&self, id: u16) -> Result<(), RequestError> {
        self.control(|state, ticket, now| state.session.select(id, Some(ticket), now))
            .await
    }

    /// Asks to end the selection of an entity (HSMS-GS). Cancel safe, likewise.
    ///
    /// # Errors
    /// [`RequestError::DeselectRefused`] with the peer's reason, and the others.
    pub async fn deselect(&self, id: u16) -> Result<(), RequestError> {
        self.control(|state, ticket, now| state.session.deselect(id, Some(ticket), now))
            .await
    }

    /// Asks whether the peer is there, and waits for the answer, for T6 at most. Cancel safe, likewise.
    ///
    /// # Errors
    /// [`RequestError::TimedOut`], which counts as a failed Linktest, and the others.
    pub async fn linktest(&self) -> Result<(), RequestError> {
        self.control(|state, ticket, now| state.session.linktest(Some(ticket), now))
            .await
    }

    /// Ends the selection of an entity at once: in HSMS-SS ([`Header::CONTROL`]) that closes the connection.
    ///
    /// # Errors
    /// [`RequestError::NotSelected`] or [`RequestError::NotConnected`].
    pub fn separate(&self, id: u16) -> Result<(), RequestError> {
        let now = self.shared.net.now();
        Ok(self.shared.with_session(|state| state.session.separate(id, now))?)
    }

    /// Sets whether Select is accepted; if not, it is answered with the status 2, not ready. At first it is.
    pub fn set_ready(&self, ready: bool) {
        self.shared.with(|state| state.session.set_ready(ready));
    }

    /// Sets whether Deselect is refused with the status 2, busy. At first it is not.
    pub fn set_busy(&self, busy: bool) {
        self.shared.with(|state| state.session.set_busy(busy));
    }

    async fn control(
        &self,
        ask: impl FnOnce(&mut State, Ticket, net_core::Instant) -> Result<(), Refused>,
    ) -> Result<(), RequestError> {
        let (ticket, answer) = oneshot::channel();
        let now = self.shared.net.now();
        self.shared.with_session(|state| ask(state, ticket, now))?;
        match answer.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(outcome)) => Err(outcome.into()),
            Err(_) => Err(RequestError::NotConnected),
        }
    }
}
