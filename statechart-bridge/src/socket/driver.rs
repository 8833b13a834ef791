//! The task of one socket: moves commands, bytes and answers between its letter box, its machine and its transport.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use net_core::{Instant, Sleep};

use super::entry::Entry;
use super::error::SocketError;
use super::event::SocketEvent;
use super::handle::SocketHandle;
use super::machine::Machine;
use super::service::Shared;
use super::step::Control;
use super::transport::Transport;

/// Receives or accepts in a row before others get their turn.
const IN_A_ROW: usize = 16;

pub(super) struct Driver {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    machine: Machine,
    transport: Transport,
    flushing: bool,
    /// The peer's time, and what waits for its end.
    sleep: Option<(Instant, Sleep)>,
}

/// What the task has to do next.
enum Next {
    Answer,
    Control,
    Close,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, entry: Arc<Entry>, socket: SocketHandle, transport: Transport) -> Self {
        let machine = Machine::new(socket, shared.limits());
        Self {
            shared,
            entry,
            machine,
            transport,
            flushing: false,
            sleep: None,
        }
    }

    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    pub(super) fn socket(&self) -> &SocketHandle {
        self.machine.socket()
    }

    /// Lives as long as the socket.
    pub(super) async fn run(&mut self) {
        loop {
            while let Some(answer) = self.machine.next_answer() {
                if let Some(rest) = self.shared.deliver_at_once(&answer) {
                    Box::pin(self.shared.deliver_later(rest)).await;
                }
            }
            if self.machine.is_over() && self.entry.close() {
                break;
            }
            match poll_fn(|cx| self.poll_next(cx)).await {
                Next::Answer => {}
                Next::Control => Box::pin(self.control()).await,
                Next::Close => {
                    Box::pin(self.transport.close()).await;
                    self.machine.closed();
                }
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        take_commands(&self.shared, &self.entry, &mut self.machine, cx);
        self.poll_write(cx);
        self.poll_recv(cx);
        self.poll_accept(cx);
        if self.machine.has_answers() {
            Poll::Ready(Next::Answer)
        } else if self.machine.control().is_some() {
            Poll::Ready(Next::Control)
        } else if self.machine.closes() {
            Poll::Ready(Next::Close)
        } else {
            self.poll_deadline(cx)
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        let Self {
            machine,
            transport,
            shared,
            flushing,
            ..
        } = self;
        while let Some((data, to)) = machine.to_write() {
            match transport.poll_send(cx, data, to) {
                Poll::Pending => break,
                Poll::Ready(Ok(n)) => {
                    *flushing = true;
                    machine.wrote(n, shared.net().now());
                }
                Poll::Ready(Err(error)) => machine.write_failed(&error, shared.net().now()),
            }
        }
        if *flushing {
            *flushing = transport.poll_flush(cx).is_pending();
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) {
        for _ in 0..IN_A_ROW {
            if !self.machine.receives() {
                self.transport.rest();
                return;
            }
            match self.transport.poll_recv(cx, self.machine.wants_sender()) {
                Poll::Pending => return,
                Poll::Ready(Ok(received)) => self.machine.received(Ok(received)),
                Poll::Ready(Err(error)) => self.machine.received(Err(&error)),
            }
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) {
        for _ in 0..IN_A_ROW {
            if !self.machine.accepts() {
                return;
            }
            let outcome = match self.transport.poll_accept(cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(socket)) => self.shared.adopt(socket),
                Poll::Ready(Err(error)) => Err(SocketError::of("accept", &error)),
            };
            self.machine.accepted(outcome);
        }
    }

    /// Waits for the peer's time to run out, if it has one.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let Some(deadline) = self.machine.deadline() else {
            self.sleep = None;
            return Poll::Pending;
        };
        let net = self.shared.net();
        let (set_to, sleep) = self.sleep.get_or_insert_with(|| (deadline, net.sleep_until(deadline)));
        if *set_to != deadline {
            // Only then: one that is set again and again to a moment that has come would never say so.
            *set_to = deadline;
            sleep.reset(deadline);
        }
        if Pin::new(sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.machine.expired(net.now().max(deadline));
        self.sleep = None;
        Poll::Ready(Next::Answer)
    }

    /// Does what changes the socket itself; commands are taken meanwhile, and may end a connect or a
    /// handshake.
    async fn control(&mut self) {
        let Some(control) = self.machine.control().cloned() else {
            return;
        };
        let op = control.op();
        let outcome = {
            let Self {
                machine,
                transport,
                shared,
                entry,
                ..
            } = self;
            let socket = machine.socket().clone();
            let mut work = pin!(perform(transport, shared, socket, control));
            poll_fn(|cx| {
                take_commands(shared, entry, machine, cx);
                match work.as_mut().poll(cx) {
                    Poll::Pending if machine.gives_control_up() => {
                        Poll::Ready(Err(SocketError::cancelled(op, "close")))
                    }
                    other => other,
                }
            })
            .await
        };
        self.machine.controlled(outcome, self.shared.net().now());
    }
}

fn take_commands(shared: &Shared, entry: &Entry, machine: &mut Machine, cx: &Context<'_>) {
    let (steps, stop) = entry.take(cx);
    if steps.is_empty() && !stop {
        return;
    }
    let now = shared.net().now();
    for (step, raiser) in steps {
        machine.command(step, raiser, now);
    }
    if stop {
        machine.stop(now);
    }
}

async fn perform(
    transport: &mut Transport,
    shared: &Shared,
    socket: SocketHandle,
    control: Control,
) -> Result<SocketEvent, SocketError> {
    let op = control.op();
    let failed = |error: net_core::Error| SocketError::of(op, &error);
    let missing = |what: &str| SocketError::new("internal", None, op, format!("a socket after {op} has no {what}"));
    match control {
        Control::Bind(at) => {
            transport.bind(at).await.map_err(failed)?;
            let local = transport.local().cloned().ok_or_else(|| missing("address"))?;
            Ok(SocketEvent::Bound { socket, local })
        }
        Control::Listen => {
            transport.listen().map_err(failed)?;
            let local = transport.local().cloned().ok_or_else(|| missing("address"))?;
            Ok(SocketEvent::Listened { socket, local })
        }
        Control::Connect(to) => {
            transport.connect(to).await.map_err(failed)?;
            let peer = transport.peer().cloned().ok_or_else(|| missing("peer"))?;
            let port = transport.local().and_then(net_core::Endpoint::port);
            Ok(SocketEvent::Connected { socket, peer, port })
        }
        Control::Shutdown => {
            transport.shutdown().await.map_err(failed)?;
            Ok(SocketEvent::ShutDown { socket })
        }
        Control::StartTls(role) => {
            transport.start_tls(role).await.map_err(failed)?;
            Ok(SocketEvent::StartedTls { socket })
        }
        Control::Configure(option) => {
            transport.configure(shared.net(), &option).map_err(failed)?;
            let (name, value) = (option.name, option.value);
            Ok(SocketEvent::Configured { socket, name, value })
        }
    }
}
