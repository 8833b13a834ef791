//! oneline: its server on real sockets, with default limits, on a current-thread runtime.

use super::net_core::{options, runtime};
use super::{Door, Job, Progress};
use crate::Outcome;
use crate::framing::Framing;
use net_core::{EventKind, Net};
use oneline::{Admission, Command, Handler, HandlerError, OwnedCommand, Replies, Server};
use std::error::Error;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Answers each command with itself, lent.
#[derive(Debug)]
struct Echo {
    at_once: bool,
    commands: u64,
    all: Arc<AtomicU64>,
}

impl Handler for Echo {
    #[inline]
    fn at_once(&mut self, command: &Command<'_>, replies: &mut Replies<'_>) -> Option<Result<(), HandlerError>> {
        if !self.at_once {
            return None;
        }
        self.commands += 1;
        Some(replies.push(command.text()).map_err(HandlerError::from))
    }

    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.commands += 1;
        replies.push(command.text())?;
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.all.fetch_add(self.commands, Ordering::Relaxed);
    }
}

/// A `Handler` that echoes in `at_once`.
///
/// # Errors
/// Those of the listener.
pub fn at_once(door: Door, job: Job) -> Outcome<u64> {
    handlers(door, job, Arc::default(), true)
}

/// A `Handler` that echoes in `command`, where it could wait.
///
/// # Errors
/// Those of the listener.
pub fn command(door: Door, job: Job) -> Outcome<u64> {
    handlers(door, job, Arc::default(), false)
}

/// The same for many clients, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    handlers(door, job, progress, false)
}

fn handlers(door: Door, job: Job, progress: Arc<Progress>, at_once: bool) -> Outcome<u64> {
    let all = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&all);
    let server = Server::with_handler(move || Echo {
        at_once,
        commands: 0,
        all: Arc::clone(&all),
    });
    serve(server, door, job, progress)?;
    Ok(counted.load(Ordering::Relaxed))
}

/// A closure that echoes: it gets an owned command and returns an owned reply.
///
/// # Errors
/// Those of the listener.
pub fn closure(door: Door, job: Job) -> Outcome<u64> {
    let all = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&all);
    let server = Server::new(move |command: OwnedCommand| {
        all.fetch_add(1, Ordering::Relaxed);
        ready(command.text().to_owned())
    });
    serve(server, door, job, Arc::default())?;
    Ok(counted.load(Ordering::Relaxed))
}

fn serve(server: Server, door: Door, job: Job, progress: Arc<Progress>) -> Outcome<()> {
    if job.framing != Framing::Line {
        return Err("oneline speaks lines".into());
    }
    runtime()?.block_on(async move {
        let all_ended = Arc::new(Notify::new());
        let last = Arc::clone(&all_ended);
        let net = Net::os().observed(move |event| match event.kind {
            EventKind::Opened { .. } => {
                progress.accepted.fetch_add(1, Ordering::Relaxed);
            }
            EventKind::Closed { .. } => {
                let ended = progress.ended.fetch_add(1, Ordering::Relaxed) + 1;
                if ended == job.connections as u64 {
                    last.notify_one();
                }
            }
            _ => {}
        });
        let server = server
            .admission(Admission::Concurrent { max: job.connections })
            .bind_options(options()?);
        let running = server.start(&net, &"tcp://127.0.0.1:0".parse()?).await?;
        door.announce(running.endpoint().socket_addr().ok_or("the server has no address")?)?;
        all_ended.notified().await;
        running.stop(Duration::from_secs(1)).await;
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    })
}
