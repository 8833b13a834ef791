//! Where the sides of a pair run, and what is known of their connections.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use net_core::{ClosedBy, ConnectionId, Endpoint, Error, EventKind, Net, NetEvent};
use sim_io::Environment;
use sim_io::network::{Link, Network};
use tokio::sync::{Notify, oneshot};

use super::{LIMIT, Model, Result};

/// What a pair runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The operating system's sockets.
    Os,
    /// A simulated network, in virtual time.
    Virtual,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Os, Self::Virtual];
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Os => "os",
            Self::Virtual => "virtual",
        })
    }
}

/// What a side has: its network, where it may listen, and for sim-io the environment.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its network, whose events are recorded.
    pub net: Net,
    /// Where a server is to listen.
    pub at: Endpoint,
    env: Option<Environment>,
    answered: Arc<AtomicU64>,
    clients_at_once: usize,
}

impl Site {
    /// A site; `env` is what the network belongs to, where it belongs to one.
    pub fn new(net: Net, at: Endpoint, env: Option<Environment>) -> Self {
        Self {
            net,
            at,
            env,
            answered: Arc::default(),
            clients_at_once: 1,
        }
    }

    /// Sets how many clients a server of lines serves at a time; the others wait. Default: 1.
    #[must_use]
    pub fn clients_at_once(mut self, count: usize) -> Self {
        self.clients_at_once = count;
        self
    }

    /// Whether one client is served at a time, or how many.
    pub(super) fn crowd(&self) -> usize {
        self.clients_at_once
    }

    /// The environment that a process needs.
    ///
    /// # Errors
    /// If the site has none.
    pub fn env(&self) -> Result<Environment> {
        self.env
            .clone()
            .ok_or_else(|| "processes need an environment, and this site has none".into())
    }

    /// How many texts the servers of this site have answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// The counter of answered texts.
    pub fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.answered)
    }
}

/// The connections of a side, as its network tells of them.
#[derive(Clone, Default)]
pub struct Life(Arc<Shared>);

/// How a connection ended.
struct End {
    by: ClosedBy,
    cause: Option<Error>,
}

#[derive(Default)]
struct Shared {
    connections: Mutex<BTreeMap<ConnectionId, Option<End>>>,
    closed: Notify,
}

impl Life {
    /// The same network, recorded here.
    pub fn observe(&self, net: &Net) -> Net {
        let record = self.clone();
        net.observed(move |event| record.note(event))
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Option<End>>> {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &NetEvent) {
        let Some(id) = event.connection else { return };
        match &event.kind {
            EventKind::Opened { .. } => drop(self.connections().insert(id, None)),
            EventKind::Closed { by, cause } => {
                self.connections().insert(
                    id,
                    Some(End {
                        by: *by,
                        cause: cause.clone(),
                    }),
                );
                self.0.closed.notify_one();
            }
            _ => {}
        }
    }

    /// Waits until no connection is open.
    async fn all_closed(&self) {
        while self.connections().values().any(Option::is_none) {
            self.0.closed.notified().await;
        }
    }

    /// How each connection ended, in the order in which they were opened; those that are open are left out.
    pub fn ends(&self) -> Vec<ClosedBy> {
        self.connections().values().flatten().map(|end| end.by).collect()
    }

    /// The same, for people: with the causes.
    pub fn causes(&self) -> Vec<String> {
        let one = |end: &Option<End>| match end {
            None => "still open".to_owned(),
            Some(End { by, cause: None }) => format!("by {by}"),
            Some(End { by, cause: Some(error) }) => format!("by {by}: {error}"),
        };
        self.connections().values().map(one).collect()
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.causes()).finish()
    }
}

/// How a side ended.
#[derive(Debug)]
pub(super) struct Ended<T> {
    /// What came of it.
    pub(super) outcome: Result<T>,
    /// Its connections.
    pub(super) life: Life,
}

/// Where pairs run.
#[derive(Clone)]
pub(super) enum Ground {
    Os,
    Virtual(Rc<Environment>, Network),
}

impl Ground {
    pub(super) fn new(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Os => Ok(Self::Os),
            Backend::Virtual => {
                let link = Link::default().latency(Duration::from_millis(5));
                Self::simulated(8, &link, &link)
            }
        }
    }

    /// A simulated network with this link between client and server, and another one from both to the relay.
    pub(super) fn simulated(seed: u64, direct: &Link, relayed: &Link) -> Result<Self> {
        let env = Environment::with_seed(seed);
        let network = Network::new(&env);
        network.set_default_link(relayed.clone());
        network.set_link(&network.host("client")?, &network.host("server")?, direct.clone());
        Ok(Self::Virtual(Rc::new(env), network))
    }

    /// Runs a story to its end.
    pub(super) fn play<F: Future<Output = Result<()>> + 'static>(self, story: impl FnOnce(Self) -> F) -> Result<()> {
        let running = story(self.clone());
        match self {
            Self::Os => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(async { Net::os().timeout(LIMIT, running).await? }),
            Self::Virtual(env, network) => {
                let clock = network.host("relay")?.net();
                in_process(&env, async move { clock.timeout(LIMIT * 10, running).await? })
            }
        }
    }

    /// Where something on this host can listen.
    pub(super) fn at(&self, host: &str) -> Result<Endpoint> {
        Ok(match self {
            Self::Os => "tcp://127.0.0.1:0".parse()?,
            Self::Virtual(..) => format!("tcp://{host}:0").parse()?,
        })
    }

    /// The network of what stands between the sides.
    pub(super) fn relay(&self) -> Result<Net> {
        Ok(match self {
            Self::Os => Net::os(),
            Self::Virtual(_, network) => network.host("relay")?.net(),
        })
    }

    /// Starts a side: a thread with what its model runs on, or a process on a host of its own.
    pub(super) fn run<T: Clone + Send + 'static, F: Future<Output = Result<T>> + 'static>(
        &self,
        host: &str,
        model: Model,
        work: impl FnOnce(Site) -> F + Send + 'static,
    ) -> Result<oneshot::Receiver<Ended<T>>> {
        let (done, ended) = oneshot::channel();
        let at = self.at(host)?;
        match self {
            Self::Os => {
                thread::Builder::new().name(host.to_owned()).spawn(move || {
                    let life = Life::default();
                    let outcome = on_a_thread(model, at, life.clone(), work);
                    // Nobody waits any more if something else took too long.
                    let _ = done.send(Ended { outcome, life });
                })?;
            }
            Self::Virtual(env, network) => {
                let life = Life::default();
                let net = life.observe(&network.host(host)?.net());
                let site = Site::new(net, at, Some(env.as_ref().clone()));
                env.named_process(host, async move {
                    let outcome = finished(work, site, &life).await;
                    let _ = done.send(Ended { outcome, life });
                });
            }
        }
        Ok(ended)
    }
}

/// Runs a side's work on this thread, with what its model runs on.
fn on_a_thread<T: 'static, F: Future<Output = Result<T>> + 'static>(
    model: Model,
    at: Endpoint,
    life: Life,
    work: impl FnOnce(Site) -> F + 'static,
) -> Result<T> {
    if model == Model::SimIo {
        let env = Environment::in_real_time();
        let site = Site::new(life.observe(&env.net()), at, Some(env.clone()));
        return in_process(&env, async move { finished(work, site, &life).await });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let site = Site::new(life.observe(&Net::os()), at, None);
        finished(work, site, &life).await
    })
}

/// Runs a side's work, and waits until its connections are closed.
async fn finished<T, F: Future<Output = Result<T>>>(
    work: impl FnOnce(Site) -> F,
    site: Site,
    life: &Life,
) -> Result<T> {
    let net = site.net.clone();
    let outcome = net.timeout(LIMIT, work(site)).await?;
    net.timeout(LIMIT, life.all_closed())
        .await
        .map_err(|_| format!("a connection stays open: {life:?}"))?;
    outcome
}

/// Runs something as a process of an environment, until it is over.
fn in_process<T: 'static>(env: &Environment, work: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    let outcome = Rc::new(RefCell::new(None));
    let place = Rc::clone(&outcome);
    let process = env.process(async move {
        let outcome = work.await;
        *place.borrow_mut() = Some(outcome);
    });
    env.run_until(&process).map_err(|error| error.to_string())?;
    let outcome = outcome.borrow_mut().take();
    outcome.unwrap_or_else(|| Err("the process ended without a result".into()))
}
