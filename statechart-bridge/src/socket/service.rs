//! The service: hears commands on `socket_out`, gives each socket a task, and answers on `socket_in`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use net_core::{Endpoint, Net, Socket};
use tokio::sync::oneshot;

use super::boot::{BootError, Routing, Settings};
use super::command::{BadCommand, SOCKET_OUT, SocketCommand};
use super::driver::Driver;
use super::entry::Entry;
use super::error::SocketError;
use super::event::SocketEvent;
use super::handle::SocketHandle;
use super::lock;
use super::machine::{self, Answer, Limits};
use super::step::{Control, Step};
use super::transport::Transport;
use crate::{Event, Hold, InstanceId, Output, OutputListener, SharedController, Value, WeakController};

/// A socket service that runs: a handle on it. Dropping the handle changes nothing; the service ends with its controller,
/// by the command `stop`, or by [`stop`](Self::stop).
#[derive(Clone)]
pub struct SocketService {
    shared: Arc<Shared>,
}

impl SocketService {
    /// How many sockets there are: created or accepted, and not closed yet.
    pub fn open_sockets(&self) -> usize {
        lock(&self.shared.state).open.len()
    }

    /// How many answers the controller refused for good, since the model has no such inport or has ended.
    pub fn undelivered(&self) -> u64 {
        self.shared.undelivered.load(Ordering::Relaxed)
    }

    /// Whether the service has ended.
    pub fn is_stopped(&self) -> bool {
        lock(&self.shared.state).over
    }

    /// Closes every socket and ends the service; returns when that is done. Data that were being sent go first, for at
    /// most the close timeout. Cancel safe: the stopping goes on.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        self.shared.request(Request::Stop {
            raiser: None,
            done: Some(done),
            silent: false,
        });
        // An error means that the service ended meanwhile, which is all the same.
        let _ = wait.await;
    }
}

impl fmt::Debug for SocketService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketService")
            .field("open_sockets", &self.open_sockets())
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

/// What the service's own task does.
pub(super) enum Request {
    Create {
        id: Option<Value>,
        raiser: InstanceId,
        datagram: bool,
    },
    Answer(Answer),
    Stop {
        raiser: Option<InstanceId>,
        done: Option<oneshot::Sender<()>>,
        /// Nobody is left to be told.
        silent: bool,
    },
}

/// What the listener, the tasks and the handle share. The controller is not held: it holds the listener.
pub(super) struct Shared {
    pub(super) controller: WeakController,
    net: Net,
    pub(super) settings: Settings,
    token: Arc<()>,
    numbers: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    requests: VecDeque<Request>,
    waker: Option<Waker>,
    open: BTreeMap<u64, Arc<Entry>>,
    /// As long as there are sockets or requests.
    holding: Option<Hold>,
    pub(super) stopping: bool,
    over: bool,
}

/// What hears the commands. Goes with the controller, and takes the service with it.
struct Listener(Arc<Shared>);

impl OutputListener for Listener {
    fn output(&self, output: &Output) {
        self.0.hear(&output.event, output.source);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.request(Request::Stop {
            raiser: None,
            done: None,
            silent: true,
        });
    }
}

pub(super) fn boot(
    controller: &impl SharedController,
    net: &Net,
    settings: Settings,
) -> Result<SocketService, BootError> {
    if controller.is_started() {
        return Err(BootError::Started);
    }
    let shared = Arc::new(Shared {
        controller: controller.downgrade(),
        net: net.clone(),
        settings,
        token: Arc::new(()),
        numbers: AtomicU64::new(0),
        undelivered: AtomicU64::new(0),
        state: Mutex::default(),
    });
    net.spawn(Arc::clone(&shared).serve()).map_err(BootError::Net)?;
    controller.add_output_listener(&[SOCKET_OUT], Arc::new(Listener(Arc::clone(&shared))));
    Ok(SocketService { shared })
}

impl Shared {
    pub(super) fn net(&self) -> &Net {
        &self.net
    }

    pub(super) fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// A model raised something on `socket_out`.
    fn hear(self: &Arc<Self>, event: &Event, raiser: InstanceId) {
        match SocketCommand::from_event(event) {
            Ok(Some(command)) => self.command(command, raiser),
            Ok(None) => {
                #[cfg(feature = "tracing")]
                tracing::debug!(event = %event.name(), "not a command of the socket service");
            }
            Err(BadCommand { socket, error }) => match SocketHandle::from_value(&socket) {
                Some(handle) => self.step(&handle, Step::Bad(error), raiser),
                None => self.refuse(socket, error, raiser),
            },
        }
    }

    fn command(self: &Arc<Self>, command: SocketCommand, raiser: InstanceId) {
        use SocketCommand as C;
        let (socket, step) = match command {
            C::Create { id } => return self.create(id, raiser, false),
            C::CreateDatagram { id } => return self.create(id, raiser, true),
            C::Stop => {
                return self.request(Request::Stop {
                    raiser: Some(raiser),
                    done: None,
                    silent: false,
                });
            }
            C::Bind { socket, address } => (socket, Step::Control(Control::Bind(address))),
            C::Listen { socket } => (socket, Step::Control(Control::Listen)),
            C::Connect { socket, address } => (socket, Step::Control(Control::Connect(address))),
            C::Shutdown { socket } => (socket, Step::Control(Control::Shutdown)),
            C::StartTls { socket, role } => (socket, Step::Control(Control::StartTls(role))),
            C::Configure { socket, option } => (socket, Step::Control(Control::Configure(option))),
            C::Accept { socket } => (socket, Step::Accept),
            C::Recv { socket } => (socket, Step::Recv),
            C::RecvFrom { socket } => (socket, Step::RecvFrom),
            C::Send { socket, data } => (socket, Step::Send(data, None)),
            C::SendTo { socket, data, address } => (socket, Step::Send(data, Some(address))),
            C::Cancel { socket } => (socket, Step::Cancel),
            C::Close { socket } => (socket, Step::Close),
        };
        self.step(&socket, step, raiser);
    }

    fn create(self: &Arc<Self>, id: Option<Value>, raiser: InstanceId, datagram: bool) {
        self.request(Request::Create { id, raiser, datagram });
    }

    /// A command for a socket, or for what was one.
    fn step(self: &Arc<Self>, socket: &SocketHandle, step: Step, raiser: InstanceId) {
        let Some(entry) = socket.entry().filter(|entry| entry.belongs_to(&self.token)) else {
            let error = SocketError::invalid(step.op(), format!("{socket} belongs to another socket service"));
            return self.refuse(socket.clone().into(), error, raiser);
        };
        if let Err(step) = entry.push(step, raiser) {
            self.request(Request::Answer(Answer {
                event: machine::after_end(socket, &step),
                raiser: Some(raiser),
            }));
        }
    }

    fn refuse(self: &Arc<Self>, socket: Value, error: SocketError, raiser: InstanceId) {
        self.request(Request::Answer(Answer {
            event: SocketEvent::UnknownError { socket, error },
            raiser: Some(raiser),
        }));
    }

    /// Leaves something for the service's task to do. When that has ended, the answer is given at once.
    pub(super) fn request(self: &Arc<Self>, request: Request) {
        self.hold();
        let waker = {
            let mut state = lock(&self.state);
            if state.over {
                let hold = state.holding.take();
                drop(state);
                drop(hold);
                if let Some(answer) = stopped(request) {
                    self.deliver_now(&answer);
                }
                return;
            }
            state.requests.push_back(request);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Keeps the controller going, if it isn't kept already.
    fn hold(&self) {
        if lock(&self.state).holding.is_some() {
            return;
        }
        // Without the lock: the controller may have one of its own, and call us under it.
        let hold = self.controller.upgrade().map(|controller| controller.hold());
        let spare = {
            let mut state = lock(&self.state);
            match (&state.holding, hold) {
                (None, Some(hold)) => {
                    state.holding = Some(hold);
                    None
                }
                (_, hold) => hold,
            }
        };
        drop(spare);
    }

    /// The service's own task.
    async fn serve(self: Arc<Self>) {
        while let Some(request) = poll_fn(|cx| self.poll_request(cx)).await {
            if lock(&self.state).stopping {
                if let Some(answer) = stopped(request) {
                    self.deliver(answer).await;
                }
                continue;
            }
            match request {
                Request::Create { id, raiser, datagram } => {
                    let transport = match datagram {
                        true => Transport::datagram(&self.net),
                        false => Transport::stream(&self.net, self.settings.options.clone()),
                    };
                    let raiser = Some(raiser);
                    let event = match self.open(transport) {
                        Ok(socket) => SocketEvent::Created { socket, id },
                        Err(mut error) => {
                            error.op = "create".into();
                            let socket = Value::Nil;
                            SocketEvent::UnknownError { socket, error }
                        }
                    };
                    self.deliver(Answer { event, raiser }).await;
                }
                Request::Answer(answer) => self.deliver(answer).await,
                Request::Stop { raiser, done, silent } => {
                    self.stop_sockets();
                    poll_fn(|cx| self.poll_all_closed(cx)).await;
                    if !silent {
                        let event = SocketEvent::Stopped;
                        self.deliver(Answer { event, raiser }).await;
                    }
                    drop(done);
                }
            }
        }
    }

    /// The next request; none after the last, when the service has stopped.
    fn poll_request(&self, cx: &Context<'_>) -> Poll<Option<Request>> {
        let mut state = lock(&self.state);
        if let Some(request) = state.requests.pop_front() {
            return Poll::Ready(Some(request));
        }
        state.over = state.stopping && state.open.is_empty();
        state.waker = (!state.over).then(|| cx.waker().clone());
        let over = state.over;
        let released = if state.open.is_empty() {
            state.holding.take()
        } else {
            None
        };
        drop(state);
        // What its end sets going may call us.
        drop(released);
        if over { Poll::Ready(None) } else { Poll::Pending }
    }

    fn poll_all_closed(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.open.is_empty() {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn stop_sockets(&self) {
        let open: Vec<_> = {
            let mut state = lock(&self.state);
            state.stopping = true;
            state.open.values().cloned().collect()
        };
        open.iter().for_each(|entry| entry.stop());
    }

    /// A connection that was accepted, as a socket of ours.
    pub(super) fn adopt(self: &Arc<Self>, socket: Socket) -> Result<(SocketHandle, Endpoint), SocketError> {
        let peer = socket
            .peer()
            .cloned()
            .ok_or_else(|| SocketError::new("internal", None, "accept", "a connection has no peer"))?;
        let handle = self.open(Transport::Stream(Box::new(socket), None))?;
        Ok((handle, peer))
    }

    /// Gives a socket its number, its letter box and its task.
    fn open(self: &Arc<Self>, transport: Transport) -> Result<SocketHandle, SocketError> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Entry::new(number, Arc::clone(&self.token), self.settings.routing == Routing::Users);
        let handle = SocketHandle::new(&entry);
        self.hold();
        {
            let mut state = lock(&self.state);
            let limit = self.settings.sockets;
            if state.open.len() >= limit {
                let message = format!("{limit} sockets are open, which is the limit");
                return Err(SocketError::limit("accept", message));
            }
            if state.stopping {
                return Err(SocketError::cancelled("accept", "stop"));
            }
            state.open.insert(number, Arc::clone(&entry));
        }
        let driver = Driver::new(Arc::clone(self), Arc::clone(&entry), handle.clone(), transport);
        let task = Arc::clone(self).attend(Box::new(driver));
        if let Err(error) = self.net.spawn(task) {
            entry.break_off();
            self.gone(number);
            return Err(SocketError::of("accept", &error));
        }
        Ok(handle)
    }

    /// A socket's task, with what follows it. What it holds while it waits is allocated for each socket, so all that is
    /// seldom needed lies in a box of its own.
    async fn attend(self: Arc<Self>, mut driver: Box<Driver>) {
        let gone = Gone(&self, Arc::clone(driver.entry()));
        if let Err(panic) = net_core::catch_panic(driver.run()).await {
            let socket = driver.socket().clone();
            Box::pin(self.bury(&gone.1, socket, panic)).await;
        }
    }

    /// Answers what a task leaves behind that has panicked.
    async fn bury(self: &Arc<Self>, entry: &Entry, socket: SocketHandle, panic: net_core::Error) {
        #[cfg(feature = "tracing")]
        tracing::error!(%socket, error = %panic, "a socket's task panicked");
        let error = SocketError::of("run", &panic);
        let failed = |raiser| Answer {
            event: SocketEvent::failed(&socket, error.clone()),
            raiser,
        };
        self.deliver(failed(None)).await;
        for (_, raiser) in entry.break_off() {
            self.deliver(failed(Some(raiser))).await;
        }
    }

    fn gone(&self, number: u64) {
        let waker = {
            let mut state = lock(&self.state);
            state.open.remove(&number);
            if state.open.is_empty() {
                state.waker.take()
            } else {
                None
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What a request is answered after the service has stopped.
fn stopped(request: Request) -> Option<Answer> {
    let closed = |op: &str| SocketError::new("closed", Some(9), op, "the socket service has stopped");
    match request {
        Request::Create { raiser, .. } => Some(Answer {
            event: SocketEvent::UnknownError {
                socket: Value::Nil,
                error: closed("create"),
            },
            raiser: Some(raiser),
        }),
        Request::Answer(answer) => Some(answer),
        Request::Stop { silent: true, .. } => None,
        Request::Stop { raiser, .. } => Some(Answer {
            event: SocketEvent::Stopped,
            raiser,
        }),
    }
}

/// Takes a socket off when its task ends, however it ends.
struct Gone<'a>(&'a Arc<Shared>, Arc<Entry>);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.1.break_off();
        self.0.gone(self.1.number());
    }
}
