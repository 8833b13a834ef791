//! The life of one socket's commands, without I/O: which of them may run now, and what each is answered.
//!
//! Commands are taken in the order in which they were raised, into lanes that go on beside each other: receives,
//! accepts and sends. What changes the socket itself (bind, listen, connect, shutdown, close) waits for what was raised
//! before it, and holds up what comes after:
//!
//! ```text
//!            ┌─ control: bind, listen, connect, configure, shutdown, TLS (once sends are out): one at a time
//!  waiting ──┼─ receiving: counted          ┐
//!            ├─ accepting: counted          ├ side by side, each in order
//!            ├─ sending: one after the other┘
//!            └─ close: once sends are out; ends receiving and accepting, then answers whatever follows
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use net_core::{Endpoint, ErrorKind, Instant, Lane, Operation, TimeoutKind};

use super::error::SocketError;
use super::event::SocketEvent;
use super::handle::SocketHandle;
use super::option::{Setting, SocketOption};
use super::step::{Control, Receiving, Sending, Step};
use crate::InstanceId;

/// Takes the oldest. Once the crowd has gone, who stands alone needs no room for one.
fn pop<T>(lane: &mut Lane<T>) -> Option<T> {
    let oldest = lane.pop_front();
    lane.shrink();
    oldest
}

/// What a socket may hold, and how long it waits for a peer that takes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) commands: usize,
    pub(super) bytes: usize,
    pub(super) send_timeout: Option<Duration>,
    pub(super) close_timeout: Duration,
}

/// An answer, and who raised what it answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) event: SocketEvent,
    pub(super) raiser: Option<InstanceId>,
}

/// The last thing in a socket's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// The service stops: closes as soon as the sends are out.
    Stopping,
    Closed,
}

/// The commands of one socket.
#[derive(Debug)]
pub(super) struct Machine {
    socket: SocketHandle,
    limits: Limits,
    /// Raised, and not begun.
    waiting: VecDeque<(Step, InstanceId)>,
    control: Option<Box<(Control, InstanceId)>>,
    receiving: Lane<Receiving>,
    accepting: Lane<InstanceId>,
    sending: Lane<Sending>,
    /// Bytes of data that wait or are being sent.
    bytes: usize,
    /// Since when the peer has taken nothing of what is being sent.
    stalled: Option<Instant>,
    /// Whether a close waits for the sends.
    draining: bool,
    end: End,
    answers: Lane<Answer>,
}

impl Machine {
    pub(super) fn new(socket: SocketHandle, limits: Limits) -> Self {
        Self {
            socket,
            limits,
            waiting: VecDeque::new(),
            control: None,
            receiving: Lane::default(),
            accepting: Lane::default(),
            sending: Lane::default(),
            bytes: 0,
            stalled: None,
            draining: false,
            end: End::Open,
            answers: Lane::default(),
        }
    }

    pub(super) fn socket(&self) -> &SocketHandle {
        &self.socket
    }

    /// A command was raised.
    pub(super) fn command(&mut self, step: Step, raiser: InstanceId, now: Instant) {
        match self.end {
            End::Closed => return self.after_end(&step, raiser),
            End::Stopping if step != Step::Close => {
                return self.fail(raiser, SocketError::cancelled(step.op(), "stop"));
            }
            End::Stopping | End::Open => {}
        }
        if let Err(error) = self.room_for(&step) {
            self.fail(raiser, error);
            return;
        }
        if let Step::Send(data, _) = &step {
            self.bytes += data.as_bytes().len();
        }
        if self.waiting.is_empty() && self.may_begin(&step) {
            self.begin(step, raiser, now);
        } else {
            self.waiting.push_back((step, raiser));
        }
        self.advance(now);
    }

    /// Closing and giving up are never refused for lack of room. A single item of data may be larger than the limit: it
    /// is in memory already.
    fn room_for(&self, step: &Step) -> Result<(), SocketError> {
        let op = step.op();
        let pending = self.waiting.len() + self.receiving.len() + self.accepting.len() + self.sending.len();
        match step {
            Step::Close | Step::Cancel => Ok(()),
            _ if pending >= self.limits.commands => {
                let limit = self.limits.commands;
                Err(SocketError::limit(
                    op,
                    format!("{limit} commands wait for this socket already, which is the limit"),
                ))
            }
            Step::Send(data, _) if self.bytes > 0 && self.bytes + data.as_bytes().len() > self.limits.bytes => {
                let (waiting, limit) = (self.bytes, self.limits.bytes);
                let message =
                    format!("{waiting} bytes wait to be sent, and the limit is {limit}: wait for sent_socket");
                Err(SocketError::limit(op, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a command may begin, if none waits before it.
    fn may_begin(&self, step: &Step) -> bool {
        let free = match step {
            Step::Close => false,
            // The data that were raised before go first.
            Step::Control(Control::Shutdown | Control::StartTls(_)) => self.sending.is_empty(),
            _ => true,
        };
        free && self.control.is_none()
    }

    fn begin(&mut self, step: Step, raiser: InstanceId, now: Instant) {
        match step {
            Step::Control(Control::Configure(option)) => self.configure(option, raiser),
            Step::Control(control) => self.control = Some(Box::new((control, raiser))),
            Step::Recv => self.receiving.push_back(Receiving { raiser, from: false }),
            Step::RecvFrom => self.receiving.push_back(Receiving { raiser, from: true }),
            Step::Accept => self.accepting.push_back(raiser),
            Step::Send(data, to) => {
                if self.sending.is_empty() {
                    self.stalled = Some(now);
                }
                self.sending.push_back(Sending::new(data, to, raiser));
            }
            Step::Bad(error) if error.op.starts_with("send") && !self.sending.is_empty() => {
                self.sending.push_back(Sending::bad(error, raiser));
            }
            Step::Bad(error) => self.fail(raiser, error),
            Step::Cancel => {
                let count = self.receiving.len() + self.accepting.len();
                self.give_up("cancel_socket");
                let socket = self.socket.clone();
                self.answer(raiser, SocketEvent::Cancelled { socket, count });
            }
            Step::Close => {}
        }
    }

    /// Begins what waits and may begin.
    fn advance(&mut self, now: Instant) {
        while self.waiting.front().is_some_and(|(step, _)| self.may_begin(step)) {
            let Some((step, raiser)) = self.waiting.pop_front() else {
                break;
            };
            self.begin(step, raiser, now);
        }
        let ends = self.end == End::Stopping || matches!(self.waiting.front(), Some((Step::Close, _)));
        if ends && self.control.is_none() && !self.draining {
            self.draining = true;
            // The peer has its time from now on.
            self.stalled = (!self.sending.is_empty()).then_some(now);
        }
    }

    /// Time limits are the machine's own; the rest is the transport's.
    fn configure(&mut self, option: SocketOption, raiser: InstanceId) {
        match option.setting {
            Setting::SendTimeout(limit) => self.limits.send_timeout = limit,
            Setting::CloseTimeout(limit) => self.limits.close_timeout = limit,
            _ => {
                self.control = Some(Box::new((Control::Configure(option), raiser)));
                return;
            }
        }
        let event = self.configured(option);
        self.answer(raiser, event);
    }

    /// The answer to an option that was taken.
    pub(super) fn configured(&self, option: SocketOption) -> SocketEvent {
        SocketEvent::Configured {
            socket: self.socket.clone(),
            name: option.name,
            value: option.value,
        }
    }

    /// What is to be done to the socket itself now.
    pub(super) fn control(&self) -> Option<&Control> {
        self.control.as_deref().map(|(control, _)| control)
    }

    /// Whether a connect or a handshake that runs is in vain: the socket is to be closed, with nothing to send before.
    pub(super) fn gives_control_up(&self) -> bool {
        if !matches!(self.control(), Some(Control::Connect(_) | Control::StartTls(_))) {
            return false;
        }
        let sends = |step: &Step| matches!(step, Step::Send(..));
        let close = self.waiting.iter().position(|(step, _)| *step == Step::Close);
        match (self.end, close) {
            (End::Stopping, _) => true,
            (_, Some(close)) => !self.waiting.iter().take(close).any(|(step, _)| sends(step)),
            (_, None) => false,
        }
    }

    /// It was done, or not.
    pub(super) fn controlled(&mut self, outcome: Result<SocketEvent, SocketError>, now: Instant) {
        if let Some((_, raiser)) = self.control.take().map(|control| *control) {
            match outcome {
                Ok(event) => self.answer(raiser, event),
                Err(error) => self.fail(raiser, error),
            }
        }
        self.advance(now);
    }

    /// Whether a receive waits for data. What comes once TLS was asked for belongs to its handshake.
    pub(super) fn receives(&self) -> bool {
        let tls = |control: &Control| matches!(control, Control::StartTls(_));
        let begins = matches!(self.waiting.front(), Some((Step::Control(control), _)) if tls(control));
        !self.receiving.is_empty() && !begins && !self.control().is_some_and(tls)
    }

    /// A receive ended. An address comes with datagrams only.
    pub(super) fn received(&mut self, outcome: Result<(Bytes, Option<Endpoint>), &net_core::Error>) {
        let Some(receiving) = pop(&mut self.receiving) else {
            return;
        };
        let socket = self.socket.clone();
        match (outcome, receiving.from) {
            (Ok((data, Some(from))), true) => {
                self.answer(receiving.raiser, SocketEvent::ReceivedFrom { socket, data, from });
            }
            (Ok((data, _)), _) => self.answer(receiving.raiser, SocketEvent::Received { socket, data }),
            (Err(error), _) => self.fail(receiving.raiser, SocketError::of(receiving.op(), error)),
        }
    }

    /// Whether the first receive wants a datagram's sender.
    pub(super) fn wants_sender(&self) -> bool {
        self.receiving.front().is_some_and(|receiving| receiving.from)
    }

    /// Whether an accept waits for a connection.
    pub(super) fn accepts(&self) -> bool {
        !self.accepting.is_empty()
    }

    /// An accept ended.
    pub(super) fn accepted(&mut self, outcome: Result<(SocketHandle, Endpoint), SocketError>) {
        let Some(raiser) = pop(&mut self.accepting) else {
            return;
        };
        match outcome {
            Ok((connection, peer)) => {
                let socket = self.socket.clone();
                self.answer(
                    raiser,
                    SocketEvent::Accepted {
                        socket,
                        connection,
                        peer,
                    },
                );
            }
            Err(error) => self.fail(raiser, error),
        }
    }

    /// The bytes that are to be written now, and where to if it is said; empty for data without length.
    pub(super) fn to_write(&self) -> Option<(&[u8], Option<&Endpoint>)> {
        let front = self.sending.front()?;
        let rest = front.data.as_bytes().get(front.sent..).unwrap_or_default();
        Some((rest, front.to.as_ref()))
    }

    /// So many of them were written.
    pub(super) fn wrote(&mut self, n: usize, now: Instant) {
        let Some(front) = self.sending.front_mut() else { return };
        front.sent += n;
        self.stalled = Some(now);
        if front.sent < front.data.as_bytes().len() {
            return;
        }
        if let Some(sent) = self.take_sending() {
            let (socket, count) = (self.socket.clone(), sent.data.units());
            self.answer(sent.raiser, SocketEvent::Sent { socket, count });
        }
        self.pass_bad();
        self.advance(now);
    }

    /// The data could not be written.
    pub(super) fn write_failed(&mut self, error: &net_core::Error, now: Instant) {
        if let Some(failed) = self.take_sending() {
            self.fail(failed.raiser, SocketError::of(failed.op(), error));
        }
        self.stalled = Some(now);
        self.pass_bad();
        self.advance(now);
    }

    fn take_sending(&mut self) -> Option<Sending> {
        let sending = pop(&mut self.sending)?;
        self.bytes = self.bytes.saturating_sub(sending.data.as_bytes().len());
        Some(sending)
    }

    /// Tells what is wrong with the commands that would come next.
    fn pass_bad(&mut self) {
        while let Some(Sending { bad: Some(_), .. }) = self.sending.front()
            && let Some(Sending {
                bad: Some(error),
                raiser,
                ..
            }) = pop(&mut self.sending)
        {
            self.fail(raiser, error);
        }
    }

    /// When the peer's time to take data is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.sending.is_empty() {
            return None;
        }
        let limit = match (self.draining, self.limits.send_timeout) {
            (true, Some(limit)) => Some(limit.min(self.limits.close_timeout)),
            (true, None) => Some(self.limits.close_timeout),
            (false, limit) => limit,
        };
        Some(self.stalled? + limit?)
    }

    /// The peer took nothing in its time: whatever is being sent fails, since the rest could not follow what is missing.
    pub(super) fn expired(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let timeout = net_core::Error::new(ErrorKind::Timeout(TimeoutKind::Write), Operation::Write);
        while let Some(mut failed) = self.take_sending() {
            if let Some(error) = failed.bad.take() {
                self.fail(failed.raiser, error);
                continue;
            }
            let (sent, all) = (failed.sent, failed.data.as_bytes().len());
            let error = timeout
                .clone()
                .detail(format!("the peer took {sent} of {all} bytes, and then no more"));
            self.fail(failed.raiser, SocketError::of(failed.op(), &error));
        }
        self.stalled = None;
        self.advance(now);
    }

    /// Whether the socket is to be closed now.
    pub(super) fn closes(&self) -> bool {
        let asked = self.end == End::Stopping || matches!(self.waiting.front(), Some((Step::Close, _)));
        asked && self.control.is_none() && self.sending.is_empty() && self.end != End::Closed
    }

    /// It was closed: ends what was pending, and answers what follows.
    pub(super) fn closed(&mut self) {
        let by = if self.end == End::Stopping {
            "stop"
        } else {
            "close_socket"
        };
        self.give_up(by);
        self.end = End::Closed;
        let mut first = by == "close_socket";
        for (step, raiser) in std::mem::take(&mut self.waiting) {
            if std::mem::take(&mut first) {
                let socket = self.socket.clone();
                self.answer(raiser, SocketEvent::Closed { socket });
            } else {
                self.after_end(&step, raiser);
            }
        }
        self.bytes = 0;
    }

    /// Whether nothing is left but to go.
    pub(super) fn is_over(&self) -> bool {
        self.end == End::Closed && self.answers.is_empty()
    }

    /// The service stops: gives everything up but the sends that are under way.
    pub(super) fn stop(&mut self, now: Instant) {
        if self.end != End::Open {
            return;
        }
        self.end = End::Stopping;
        self.give_up("stop");
        for (step, raiser) in std::mem::take(&mut self.waiting) {
            match step {
                Step::Send(data, to) if self.control.is_none() => {
                    self.sending.push_back(Sending::new(data, to, raiser));
                }
                Step::Close => self.waiting.push_back((step, raiser)),
                Step::Bad(error) => self.fail(raiser, error),
                other => {
                    if let Step::Send(data, _) = &other {
                        self.bytes = self.bytes.saturating_sub(data.as_bytes().len());
                    }
                    self.fail(raiser, SocketError::cancelled(other.op(), "stop"));
                }
            }
        }
        self.advance(now);
    }

    /// The next answer.
    pub(super) fn next_answer(&mut self) -> Option<Answer> {
        pop(&mut self.answers)
    }

    /// Whether there is one.
    pub(super) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    fn give_up(&mut self, by: &str) {
        for receiving in std::mem::take(&mut self.receiving) {
            self.fail(receiving.raiser, SocketError::cancelled(receiving.op(), by));
        }
        for raiser in std::mem::take(&mut self.accepting) {
            self.fail(raiser, SocketError::cancelled("accept", by));
        }
    }

    fn after_end(&mut self, step: &Step, raiser: InstanceId) {
        let event = after_end(&self.socket, step);
        self.answer(raiser, event);
    }

    fn fail(&mut self, raiser: InstanceId, error: SocketError) {
        let event = SocketEvent::failed(&self.socket, error);
        self.answer(raiser, event);
    }

    fn answer(&mut self, raiser: InstanceId, event: SocketEvent) {
        let raiser = Some(raiser);
        self.answers.push_back(Answer { event, raiser });
    }
}

/// What a command for a closed socket is answered: closing again is fine.
pub(super) fn after_end(socket: &SocketHandle, step: &Step) -> SocketEvent {
    match step {
        Step::Close => SocketEvent::Closed { socket: socket.clone() },
        other => SocketEvent::failed(socket, SocketError::closed(other.op())),
    }
}
