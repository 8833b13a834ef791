//! The half that receives, and that minds the time.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use net_core::{Endpoint, ErrorKind, Instant, Operation, Sleep, TimeoutKind};
use tokio_tungstenite::tungstenite::Message as Inner;

use super::shared::{Shared, close_frame};
use super::{CloseReason, Error, Message};

/// The half of a [`WebSocket`](super::WebSocket) that receives.
///
/// It also answers pings and the peer's closing, so that somebody should always be receiving.
pub struct Reader {
    shared: Arc<Shared>,
    stage: Stage,
    /// When the peer was last heard, or asked.
    heard: Instant,
    alarm: Option<Sleep>,
    reason: Option<CloseReason>,
}

enum Stage {
    Open,
    /// The peer is being asked whether it is there.
    Asking(Option<Inner>),
    /// It was asked.
    Asked,
    /// The peer has closed; this side answers.
    Answering(Instant),
    /// The peer is told why it is cut off.
    Failing(Instant, Option<Inner>, Error),
    /// Our side of the connection is being closed.
    Ending(Instant, Option<Error>),
    Over(Option<Error>),
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let heard = shared.net.now();
        Self {
            shared,
            stage: Stage::Open,
            heard,
            alarm: None,
            reason: None,
        }
    }

    /// The next message; `None` after the peer has closed, or has answered our closing. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Cut`] if the connection ended without a closing handshake, [`Error::Protocol`], [`Error::TooLarge`] and
    /// [`Error::NotText`] for what the peer did wrong, [`Error::Timeout`] if it does not answer; each further call gives
    /// the same.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Why the peer has closed, once it has.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.reason.as_ref()
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.shared.peer
    }

    /// [`recv`](Self::recv) for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        loop {
            if self.is_late() {
                self.too_late();
            }
            match &mut self.stage {
                Stage::Over(None) => return Poll::Ready(Ok(None)),
                Stage::Over(Some(error)) => return Poll::Ready(Err(error.clone())),
                Stage::Ending(_, error) => {
                    if self.shared.lock().poll_shutdown(cx).is_ready() {
                        self.stage = Stage::Over(error.take());
                        continue;
                    }
                }
                Stage::Failing(since, frame, error) => {
                    if self.shared.lock().poll_aside(frame, cx).is_ready() {
                        self.stage = Stage::Ending(*since, Some(error.clone()));
                        continue;
                    }
                }
                Stage::Asking(ping) => {
                    // What goes wrong is heard by reading.
                    let _ = self.shared.lock().poll_aside(ping, cx);
                    self.stage = Stage::Asked;
                    continue;
                }
                Stage::Open | Stage::Asked | Stage::Answering(_) => {
                    let next = self.shared.lock().poll_next(cx);
                    if let Poll::Ready(next) = next {
                        match self.received(next) {
                            Some(message) => return Poll::Ready(Ok(Some(message))),
                            None => continue,
                        }
                    }
                }
            }
            let Some(due) = self.due() else {
                return Poll::Pending;
            };
            let net = &self.shared.net;
            let alarm = self.alarm.get_or_insert_with(|| net.sleep_until(due));
            alarm.reset(due);
            ready!(Pin::new(alarm).poll(cx));
            self.alarm = None;
        }
    }

    /// Until when the present stage may last.
    fn due(&self) -> Option<Instant> {
        self.limit().map(|(since, limit)| since + limit)
    }

    fn limit(&self) -> Option<(Instant, Duration)> {
        let options = &self.shared.options;
        match &self.stage {
            Stage::Open | Stage::Asked | Stage::Asking(_) => match self.shared.lock().closed_at {
                Some(closed) => Some((closed, options.close_timeout)),
                None => Some((self.heard, options.ping_after?)),
            },
            Stage::Answering(since) | Stage::Failing(since, ..) | Stage::Ending(since, _) => {
                Some((*since, options.close_timeout))
            }
            Stage::Over(_) => None,
        }
    }

    fn is_late(&self) -> bool {
        self.due().is_some_and(|due| self.shared.net.now() >= due)
    }

    /// The time of the present stage is over.
    fn too_late(&mut self) {
        let now = self.shared.net.now();
        let closing = self.shared.lock().closed_at.is_some();
        let limit = self.limit().map_or(Duration::ZERO, |(_, limit)| limit);
        let late = |what| Some(Error::Timeout { what, limit });
        let stage = std::mem::replace(&mut self.stage, Stage::Over(None));
        self.stage = match stage {
            Stage::Open if !closing => {
                self.heard = now;
                Stage::Asking(Some(Inner::Ping(Vec::new().into())))
            }
            Stage::Open | Stage::Asked | Stage::Asking(_) => {
                let (what, kind) = match closing {
                    true => ("answer to the closing", TimeoutKind::Close),
                    false => ("sign of life", TimeoutKind::Keepalive),
                };
                let cause = net_core::Error::new(ErrorKind::Timeout(kind), Operation::Read).at(&self.shared.peer);
                self.shared.lock().fault(&cause);
                Stage::Ending(now, late(what))
            }
            // The peer has closed, and knows no more than before.
            Stage::Answering(_) => Stage::Ending(now, None),
            Stage::Failing(_, _, error) => Stage::Ending(now, Some(error)),
            Stage::Ending(_, error) => Stage::Over(error),
            over @ Stage::Over(_) => over,
        };
    }

    /// Deals with what came; gives a message that is for the user.
    fn received(&mut self, next: Option<Result<Inner, tokio_tungstenite::tungstenite::Error>>) -> Option<Message> {
        let now = self.shared.net.now();
        self.heard = now;
        if matches!(self.stage, Stage::Asked) {
            self.stage = Stage::Open;
        }
        match next {
            Some(Ok(Inner::Text(text))) => return Some(Message::Text(text)),
            Some(Ok(Inner::Binary(bytes))) => return Some(Message::Binary(bytes)),
            Some(Ok(Inner::Close(frame))) => {
                self.reason = Some(CloseReason::of(frame));
                self.stage = Stage::Answering(now);
            }
            // A ping was answered already, or will be with the next poll.
            Some(Ok(Inner::Ping(_) | Inner::Pong(_) | Inner::Frame(_))) => {}
            Some(Err(error)) => {
                let error = Error::of(error);
                self.stage = match error.code() {
                    _ if self.reason.is_some() => Stage::Ending(now, None),
                    Some(code) => {
                        let cause =
                            net_core::Error::new(ErrorKind::BadFrame, Operation::Read).detail(error.to_string());
                        self.shared.lock().fault(&cause);
                        Stage::Failing(now, Some(close_frame(code, &error.to_string())), error)
                    }
                    None => Stage::Ending(now, Some(error)),
                };
            }
            None => self.stage = Stage::Ending(now, None),
        }
        None
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("peer", &self.shared.peer)
            .field("close_reason", &self.reason)
            .finish_non_exhaustive()
    }
}
