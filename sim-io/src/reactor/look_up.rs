//! Looking up names: the system's way blocks, so it is done by other threads, which wake the environment.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::find;
use crate::environment::core::WaitsFor;

/// Threads that look up at the same time, in this program; further names wait for one of them.
const THREADS: usize = 8;

static DESK: Mutex<Desk> = Mutex::new(Desk {
    threads: 0,
    waiting: VecDeque::new(),
});

struct Desk {
    threads: usize,
    waiting: VecDeque<Arc<Job>>,
}

struct Job {
    host: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcome: Option<io::Result<Vec<IpAddr>>>,
    waker: Option<Waker>,
    /// Nobody wants it any more.
    dropped: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that is being looked up. Dropping it gives up; a thread that is at it finishes by itself.
pub(super) struct LookUp {
    reactor: u64,
    job: Arc<Job>,
    done: bool,
}

impl LookUp {
    pub(super) fn new(reactor: u64, host: &str) -> io::Result<Self> {
        let job = Arc::new(Job {
            host: host.to_owned(),
            state: Mutex::default(),
        });
        {
            let mut desk = lock(&DESK);
            if desk.threads < THREADS {
                std::thread::Builder::new()
                    .name("sim-io look-up".to_owned())
                    .spawn(work)?;
                desk.threads += 1;
            }
            desk.waiting.push_back(Arc::clone(&job));
        }
        let counter = find(reactor)?;
        counter.look_ups.set(counter.look_ups.get() + 1);
        Ok(Self {
            reactor,
            job,
            done: false,
        })
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.done, true)
            && let Ok(reactor) = find(self.reactor)
        {
            reactor.look_ups.set(reactor.look_ups.get().saturating_sub(1));
        }
    }
}

/// What a thread does until no name waits.
fn work() {
    loop {
        let job = {
            let mut desk = lock(&DESK);
            let job = desk.waiting.pop_front();
            if job.is_none() {
                desk.threads -= 1;
            }
            job
        };
        let Some(job) = job else { return };
        if lock(&job.state).dropped {
            continue;
        }
        let outcome = (job.host.as_str(), 0)
            .to_socket_addrs()
            .map(|addresses| addresses.map(|address| address.ip()).collect());
        let waker = {
            let mut state = lock(&job.state);
            state.outcome = Some(outcome);
            state.waker.take()
        };
        if let Some(waker) = waker {
            // It may be anybody's, and panic; the thread has other names to look up.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}

impl Future for LookUp {
    type Output = io::Result<Vec<IpAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        let (outcome, _before) = {
            let mut state = lock(&self.job.state);
            match state.outcome.take() {
                Some(outcome) => (Some(outcome), None),
                None => (None, state.waker.replace(waker)),
            }
        };
        match outcome {
            Some(outcome) => {
                self.end();
                Poll::Ready(outcome)
            }
            None => {
                let name = self.job.host.as_str().into();
                find(self.reactor)?
                    .core
                    .waits_for(WaitsFor::Thing("the address of", Some(name)));
                Poll::Pending
            }
        }
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        lock(&self.job.state).dropped = true;
        // Names that nobody wants any more don't gather while all threads are held up.
        lock(&DESK).waiting.retain(|job| !Arc::ptr_eq(job, &self.job));
        self.end();
    }
}
