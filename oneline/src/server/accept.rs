//! Accepting clients as the admission policy says, until the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use net_core::{Error, Framed, Listener, Net, Result, Shutdown, Stream, race};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::running::{Request, Running, StopReason, Stopped, request};
use super::session::Session;
use super::{Claim, Serve, Settings};
use crate::Admission;

/// Most connections that are being closed at once, and most that are being told of their rejection. Beyond that they are
/// dropped without waiting for their side.
const MAX_CLOSING: usize = 256;

/// What the sessions of one running server share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The end has begun: no further command is run. Quicker to look at than the shutdown's phase.
    stopping: AtomicBool,
    stop: watch::Sender<Option<Request>>,
    listening: watch::Sender<bool>,
    closing: Arc<Semaphore>,
    drain: Duration,
}

impl Shared {
    #[inline]
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A client asks for the end; returns when the listener is closed.
    pub(super) async fn shut_down(&self) {
        request(&self.stop, StopReason::Command, self.drain);
        // Its sender lives here; it can't be gone.
        let _ = self.listening.subscribe().wait_for(|listening| !listening).await;
    }

    /// A place among those that are closed with patience, if there is one.
    pub(super) fn closing(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.closing).try_acquire_owned().ok()
    }
}

/// Asks one session to end, for another's sake.
#[derive(Debug, Default)]
pub(super) struct Eviction {
    asked: AtomicBool,
    notify: Notify,
}

impl Eviction {
    fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.notify.notify_one();
    }

    #[inline]
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until asked; for one waiter.
    pub(super) async fn asked(&self) {
        while !self.is_asked() {
            self.notify.notified().await;
        }
    }
}

struct Acceptor {
    net: Net,
    listener: Listener,
    settings: Arc<Settings>,
    serve: Serve,
    shared: Arc<Shared>,
    shutdown: Shutdown,
    places: Arc<Semaphore>,
    /// The newest client's, under a takeover policy.
    eviction: Option<Arc<Eviction>>,
}

/// Starts accepting in the background.
pub(super) fn start(
    net: &Net,
    listener: Listener,
    settings: Arc<Settings>,
    serve: Serve,
    claim: Claim,
) -> Result<Running> {
    let endpoint = listener.local().clone();
    let shutdown = Shutdown::new(net);
    let stop = watch::Sender::new(None);
    let (stopped_sender, stopped) = watch::channel(None);
    let shared = Arc::new(Shared {
        stopping: AtomicBool::new(false),
        stop: stop.clone(),
        listening: watch::Sender::new(true),
        closing: Arc::new(Semaphore::new(MAX_CLOSING)),
        drain: settings.drain,
    });
    let acceptor = Acceptor {
        net: net.clone(),
        listener,
        places: Arc::new(Semaphore::new(settings.admission.places())),
        settings,
        serve,
        shared,
        shutdown: shutdown.clone(),
        eviction: None,
    };
    net.spawn(async move {
        let end = acceptor.run().await;
        // Free to start again before anybody hears of the end.
        drop(claim);
        stopped_sender.send_replace(Some(end));
    })
    .map_err(|error| error.at(&endpoint))?;
    Ok(Running {
        endpoint,
        stop,
        stopped,
        shutdown,
    })
}

impl Acceptor {
    async fn run(mut self) -> Stopped {
        let endpoint = self.listener.local().clone();
        log_info!(endpoint = %endpoint, "listening");
        let mut stop = self.shared.stop.subscribe();
        let drain = self.settings.drain;
        let broken = async {
            Request {
                reason: StopReason::Failed(self.accept().await),
                deadline: drain,
            }
        };
        let Request { reason, deadline } = race(asked(&mut stop), broken).await;
        self.shared.stopping.store(true, Ordering::Relaxed);
        let Self {
            listener,
            shared,
            shutdown,
            ..
        } = self;
        drop(listener);
        shared.listening.send_replace(false);
        log_info!(endpoint = %endpoint, reason = %reason, "stopping");
        let report = shutdown.stop(deadline).await;
        log_info!(endpoint = %endpoint, ?report, "stopped");
        Stopped { reason, report }
    }

    /// Serves who comes; ends only with an error of the listener. Cancel safe: what was accepted is served, or dropped
    /// because the end has begun.
    async fn accept(&mut self) -> Error {
        loop {
            let outcome = match self.settings.admission {
                Admission::Queue { .. } | Admission::Concurrent { .. } => self.accept_when_free().await,
                Admission::Reject { .. } => self.accept_or_reject().await,
                Admission::Takeover => self.accept_and_take_over().await,
            };
            if let Err(error) = outcome {
                return error;
            }
        }
    }

    async fn accept_when_free(&mut self) -> Result<()> {
        let Some(place) = place(&self.places).await else {
            return Ok(());
        };
        let stream = self.listener.accept().await?;
        self.admit(stream, place);
        Ok(())
    }

    async fn accept_or_reject(&mut self) -> Result<()> {
        let stream = self.listener.accept().await?;
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => {
                self.admit(stream, place);
            }
            Err(_) => self.reject(stream),
        }
        Ok(())
    }

    async fn accept_and_take_over(&mut self) -> Result<()> {
        let stream = self.listener.accept().await?;
        if let Some(before) = self.eviction.take() {
            before.ask();
        }
        // Not for long: the one before has only its grace time left.
        if let Some(place) = place(&self.places).await {
            self.eviction = Some(self.admit(stream, place));
        }
        Ok(())
    }

    fn admit(&self, stream: Stream, place: OwnedSemaphorePermit) -> Arc<Eviction> {
        let eviction = Arc::new(Eviction::default());
        if let Ok(guard) = self.shutdown.guard() {
            let session = Session {
                stream: Box::new(stream),
                place,
                guard,
                eviction: Arc::clone(&eviction),
                settings: Arc::clone(&self.settings),
                shared: Arc::clone(&self.shared),
            };
            self.spawn((self.serve)(session));
        }
        eviction
    }

    fn reject(&self, stream: Stream) {
        log_info!(peer = %stream.peer(), "rejected, another client is connected");
        let (Some(closing), Ok(guard)) = (self.shared.closing(), self.shutdown.guard()) else {
            return;
        };
        let settings = Arc::clone(&self.settings);
        self.spawn(async move {
            let _closing = closing;
            let mut framed = Framed::with_limits(stream, settings.wire, settings.limits.clone());
            let told = async {
                if let Admission::Reject { line } = &settings.admission {
                    // It may be gone already; then there is nobody to tell.
                    let _ = framed.send(line.as_bytes()).await;
                }
                framed.close(settings.linger).await
            };
            guard.run(told).await;
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Err(error) = self.net.spawn(task) {
            // Only without a runtime, and then this very task would not run.
            log_warn!(%error, "a client can't be served");
        }
    }
}

async fn place(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    // Never closed.
    Arc::clone(places).acquire_owned().await.ok()
}

async fn asked(stop: &mut watch::Receiver<Option<Request>>) -> Request {
    let request = match stop.wait_for(Option::is_some).await {
        Ok(request) => request.clone(),
        Err(_) => None,
    };
    match request {
        Some(request) => request,
        // Nobody can ask any more: run on.
        None => std::future::pending().await,
    }
}
