//! hsms: a server for many hosts on one port, with default options but for the linktest: these hosts would not answer it.

use super::{Door, Job, Progress, net_core};
use crate::Outcome;
use hsms::{Connection, ConnectionOptions, Delegate, Message, MultiPassiveServer, Net, SessionOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Answers each message with its own text, and counts.
#[derive(Clone)]
struct Member(Arc<Crowd>);

struct Crowd {
    size: u64,
    frames: AtomicU64,
    progress: Arc<Progress>,
    all_ended: Notify,
}

impl Delegate for Member {
    async fn on_connection_established(&self, _: &Connection) {
        self.0.progress.accepted.fetch_add(1, Ordering::Relaxed);
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        self.0.frames.fetch_add(1, Ordering::Relaxed);
        // A reply that can't be sent is missed at the other end.
        let _ = connection.reply(&message.header, message.text).await;
    }

    async fn on_connection_closed(&self, _: &Connection) {
        if self.0.progress.ended.fetch_add(1, Ordering::Relaxed) + 1 == self.0.size {
            self.0.all_ended.notify_one();
        }
    }
}

/// Echoes the messages of many hosts; an accepted one is one that has selected.
///
/// # Errors
/// If it can't listen.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    net_core::runtime()?.block_on(async move {
        let crowd = Arc::new(Crowd {
            size: job.connections as u64,
            frames: AtomicU64::new(0),
            progress,
            all_ended: Notify::new(),
        });
        let server = MultiPassiveServer::with_options(&Net::os(), "tcp://127.0.0.1:0".parse()?, net_core::options()?);
        let member = Member(Arc::clone(&crowd));
        let options = ConnectionOptions::from(SessionOptions::new(0).linktest(None));
        server.accept_any(move |_| Some((options.clone(), member.clone())));
        let at = server.start().await?;
        door.announce(at.socket_addr().ok_or("the listener has no address")?)?;
        crowd.all_ended.notified().await;
        server.stop().await;
        Ok(crowd.frames.load(Ordering::Relaxed))
    })
}
