//! A server of lines: each line is a command, and its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use net_core::Endpoint;
use oneline::{Admission, Charset, Command, Handler, HandlerError, Replies, Server};

use crate::matrix::{LIMIT, Result, Site};

#[derive(Debug)]
pub(super) struct Running(oneline::Running);

pub(super) async fn start(site: &Site) -> Result<(Endpoint, Running)> {
    let answered = site.count();
    // Any bytes are a line, so that clients without text can come too.
    let server = Server::with_handler(move || Shout(Arc::clone(&answered)))
        .charset(Charset::Bytes)
        .strict_lf()
        .line_timeout(LIMIT)
        .write_timeout(LIMIT)
        .linger(LIMIT)
        .admission(match site.crowd() {
            1 => Admission::queue(),
            max => Admission::Concurrent { max },
        });
    let running = server.start(&site.net, &site.at).await?;
    Ok((running.endpoint().clone(), Running(running)))
}

impl Running {
    pub(super) async fn stop(self) -> Result<()> {
        let stopped = self.0.stop(LIMIT).await;
        match stopped.report.aborted {
            0 => Ok(()),
            count => Err(format!("{count} clients had to be dropped").into()),
        }
    }
}

struct Shout(Arc<AtomicU64>);

impl Shout {
    fn answer(&self, command: &Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        replies.push_raw(command.raw().to_ascii_uppercase())?;
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Handler for Shout {
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.answer(&command, replies)
    }

    fn at_once(&mut self, command: &Command<'_>, replies: &mut Replies<'_>) -> Option<Result<(), HandlerError>> {
        Some(self.answer(command, replies))
    }
}
