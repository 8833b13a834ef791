//! The threads, and who works on them.

use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use net_core::{Net, Phase, Shutdown, TlsClient, TlsServer};
use sim_io::Environment;
use tokio::sync::oneshot;

use super::books::Books;
use super::dice::Dice;
use super::talks::{self, Clients, Target};
use super::{Settings, keepers, rude};
use crate::matrix::servers::Serving;
use crate::matrix::{Model, Result, Site, check_with_seed};

/// Talkers of each model.
const TALKERS: u64 = 3;

/// So many clients does a server of lines serve at a time.
const CROWD: usize = 256;

/// Pairs on simulated networks have a pause between them, so that they leave the processor to the others.
const PAUSE: Duration = Duration::from_millis(100);

type Worker = Pin<Box<dyn Future<Output = ()>>>;

/// Certificates: the servers', trust in them, and trust in somebody else.
#[derive(Clone)]
struct Trust {
    server: TlsServer,
    client: TlsClient,
    distrustful: TlsClient,
}

impl Trust {
    fn new() -> Result<Self> {
        let made = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
        let (ours, other) = (made()?, made()?);
        let trusting = |certificate: String| TlsClient::builder().root_pem(certificate.as_bytes()).build();
        let key = ours.signing_key.serialize_pem();
        Ok(Self {
            server: TlsServer::builder()
                .identity_pem(ours.cert.pem().as_bytes(), key.as_bytes())
                .build()?,
            client: trusting(ours.cert.pem())?,
            distrustful: trusting(other.cert.pem())?,
        })
    }
}

/// Two servers of one model: one without, one with TLS.
struct Pair {
    model: Model,
    plain: (Serving, Site),
    tls: (Serving, Site),
}

impl Pair {
    async fn start(model: Model, net: &Net, env: Option<&Environment>) -> Result<Self> {
        let start = async |at: &str| -> Result<(Serving, Site)> {
            let site = Site::new(net.clone(), at.parse()?, env.cloned()).clients_at_once(CROWD);
            Ok((Serving::start(model, &site).await?, site))
        };
        Ok(Self {
            model,
            plain: start("tcp://127.0.0.1:0").await?,
            tls: start("tls://127.0.0.1:0").await?,
        })
    }

    fn target(&self) -> Target {
        Target {
            model: self.model,
            plain: self.plain.0.endpoint().clone(),
            tls: self.tls.0.endpoint().clone(),
        }
    }

    async fn stop(self, books: &Books) {
        for (serving, site) in [self.plain, self.tls] {
            if let Err(error) = serving.stop().await {
                books.failed(format_args!("the end of a server of {}: {error}", self.model));
            }
            let answered = usize::try_from(site.answered()).unwrap_or(usize::MAX);
            books.server(self.model).answered.add(answered);
        }
    }
}

/// A thread that was started.
struct Other {
    thread: thread::JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Other {
    fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<Self> {
        let (done, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            work();
            drop(done);
        })?;
        Ok(Self { thread, ended })
    }

    /// Waits for its end, but not for ever.
    async fn end(self, net: &Net, patience: Duration) -> bool {
        let in_time = net.timeout(patience, self.ended).await.is_ok();
        // Its last word is spoken: it ends now.
        in_time && self.thread.join().is_ok()
    }
}

/// Everybody.
pub(super) struct Crew {
    books: Arc<Books>,
    stop: Shutdown,
    servers: Vec<Pair>,
    workers: FuturesUnordered<Worker>,
    processes: Other,
    /// The clients of the other thread have ended.
    processes_are_quiet: oneshot::Receiver<()>,
    /// Lets the servers of the other thread end.
    processes_may_end: oneshot::Sender<()>,
    simulated: Other,
    simulated_may_end: mpsc::Sender<()>,
}

impl Crew {
    /// Starts everybody; those of this thread work in [`work`](Self::work).
    pub(super) async fn start(settings: Settings, net: &Net, books: &Arc<Books>, stop: &Shutdown) -> Result<Self> {
        let trust = Trust::new()?;
        let mut servers = Vec::new();
        for model in Model::ALL.into_iter().filter(|model| *model != Model::SimIo) {
            let net = books.observe(&format!("{model}, servers"), &net.with_server_tls(trust.server.clone()));
            servers.push(Pair::start(model, &net, None).await?);
        }
        let ours: Vec<Target> = servers.iter().map(Pair::target).collect();

        let (told, targets) = oneshot::channel();
        let (quiet, processes_are_quiet) = oneshot::channel();
        let (processes_may_end, may_end) = oneshot::channel();
        let (their_books, their_stop, their_trust) = (Arc::clone(books), stop.clone(), trust.clone());
        let processes = Other::start("sim-io", move || {
            let env = Environment::in_real_time();
            let company = Company {
                books: Arc::clone(&their_books),
                stop: their_stop,
                seed: settings.seed,
            };
            let work = company.work(env.clone(), their_trust, ours, told, quiet, may_end);
            let process = env.named_process("the soak", work);
            match env.run_until(&process) {
                Ok(None) => {}
                Ok(Some(error)) => their_books.failed(format_args!("sim-io's thread: {error}")),
                Err(error) => their_books.failed(format_args!("sim-io's thread: {error}")),
            }
        })?;
        let targets: Arc<[Target]> = targets.await.map_err(|_| "sim-io's thread could not begin")?;

        let clients = company(books, stop, &trust, net, None, targets, settings.seed);
        let workers: FuturesUnordered<Worker> = FuturesUnordered::new();
        let mut number = 0;
        for model in Model::ALL.into_iter().filter(|model| *model != Model::SimIo) {
            for _ in 0..TALKERS {
                number += 1;
                workers.push(Box::pin(talks::talker(clients.clone(), model, number)));
            }
        }
        for number in 100..102 {
            workers.push(Box::pin(rude::visitor(clients.clone(), number)));
        }
        workers.push(Box::pin(keepers::host(clients.clone(), 200)));
        workers.push(Box::pin(keepers::operator(clients, 201)));

        let (simulated_may_end, may_end) = mpsc::channel();
        let (their_books, their_stop) = (Arc::clone(books), stop.clone());
        let simulated = Other::start("simulated", move || {
            simulated_pairs(&their_books, &their_stop, settings.seed, &may_end);
        })?;
        Ok(Self {
            books: Arc::clone(books),
            stop: stop.clone(),
            servers,
            workers,
            processes,
            processes_are_quiet,
            processes_may_end,
            simulated,
            simulated_may_end,
        })
    }

    /// Works; never ends. Cancel safe: who was working goes on when it is called again.
    pub(super) async fn work(&mut self) {
        while self.workers.next().await.is_some() {}
        std::future::pending::<()>().await;
    }

    /// Ends everybody in order: first the clients, then the servers. Whether all did in time.
    pub(super) async fn end(mut self, net: &Net, patience: Duration) -> bool {
        self.stop.stop(Duration::ZERO).await;
        drop(self.simulated_may_end);
        let clients = async {
            while self.workers.next().await.is_some() {}
            // An error is the end of that thread, which is told below.
            let _ = self.processes_are_quiet.await;
        };
        let mut in_time = net.timeout(patience, clients).await.is_ok();
        let _ = self.processes_may_end.send(());
        let servers = async {
            for pair in self.servers {
                pair.stop(&self.books).await;
            }
        };
        in_time &= net.timeout(patience, servers).await.is_ok();
        in_time &= self.processes.end(net, patience).await;
        in_time &= self.simulated.end(net, patience).await;
        in_time
    }
}

/// What the clients of a thread share.
fn company(
    books: &Arc<Books>,
    stop: &Shutdown,
    trust: &Trust,
    net: &Net,
    env: Option<Environment>,
    targets: Arc<[Target]>,
    seed: u64,
) -> Clients {
    let who = if env.is_some() { "sim-io" } else { "others" };
    let clients = books.observe(&format!("{who}, clients"), net);
    let at = net_core::Endpoint::Mem("clients do not listen".into());
    Clients {
        distrustful: clients.with_client_tls(trust.distrustful.clone()),
        site: Site::new(clients.with_client_tls(trust.client.clone()), at, env),
        relays: books.observe(&format!("{who}, relays"), net),
        targets,
        books: Arc::clone(books),
        stop: stop.clone(),
        seed,
    }
}

/// What works under sim-io's environment.
struct Company {
    books: Arc<Books>,
    stop: Shutdown,
    seed: u64,
}

impl Company {
    /// The servers and clients of sim-io. What went wrong, if something did.
    async fn work(
        self,
        env: Environment,
        trust: Trust,
        mut targets: Vec<Target>,
        told: oneshot::Sender<Arc<[Target]>>,
        quiet: oneshot::Sender<()>,
        may_end: oneshot::Receiver<()>,
    ) -> Option<String> {
        let net = env.net();
        let observed = self
            .books
            .observe("sim-io, servers", &net.with_server_tls(trust.server.clone()));
        let pair = match Pair::start(Model::SimIo, &observed, Some(&env)).await {
            Ok(pair) => pair,
            Err(error) => return Some(error.to_string()),
        };
        targets.push(pair.target());
        let targets: Arc<[Target]> = targets.into();
        if told.send(Arc::clone(&targets)).is_err() {
            return None;
        }
        let clients = company(
            &self.books,
            &self.stop,
            &trust,
            &net,
            Some(env.clone()),
            targets,
            self.seed,
        );
        let mut workers = Vec::new();
        for number in 300..300 + TALKERS {
            let talker = talks::talker(clients.clone(), Model::SimIo, number);
            workers.push(env.named_process("talker", talker));
        }
        workers.push(env.named_process("visitor", rude::visitor(clients, 400)));
        for worker in workers {
            if let Err(error) = worker.await {
                self.books.failed(error);
            }
        }
        // Whoever waits for this has given up otherwise.
        let _ = quiet.send(());
        let _ = may_end.await;
        pair.stop(&self.books).await;
        None
    }
}

/// Pairs of models on simulated networks, one after the other.
fn simulated_pairs(books: &Books, stop: &Shutdown, seed: u64, may_end: &mpsc::Receiver<()>) {
    let mut dice = Dice::new(seed, 500);
    while stop.phase() == Phase::Running {
        let (Some(client), Some(server)) = (dice.pick(&Model::ALL), dice.pick(&Model::ALL)) else {
            return;
        };
        let seed = dice.next();
        match check_with_seed(client, server, seed) {
            Ok(()) => books.simulated.add(1),
            Err(error) => books.failed(format_args!("simulated, seed {seed}: {client} with {server}: {error}")),
        }
        if may_end.recv_timeout(PAUSE) != Err(mpsc::RecvTimeoutError::Timeout) {
            return;
        }
    }
}
