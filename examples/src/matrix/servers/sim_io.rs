//! A server of messages: one process listens, and one serves each connection.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use net_core::{Endpoint, Stream};
use sim_io::codec::Json;
use sim_io::message::{Message, MessageOptions};
use sim_io::{Failure, Process, interruptible};

use crate::matrix::talk::shout;
use crate::matrix::{LIMIT, Result, Site};

#[derive(Debug)]
pub(super) struct Running {
    listening: Process<()>,
    sessions: Rc<RefCell<Vec<Process<()>>>>,
}

pub(super) async fn start(site: &Site) -> Result<(Endpoint, Running)> {
    let env = site.env()?;
    let mut listener = site.net.bind(&site.at).await?;
    let endpoint = listener.local().clone();
    let sessions: Rc<RefCell<Vec<Process<()>>>> = Rc::default();
    let (started, answered, env_of_process) = (Rc::clone(&sessions), site.count(), env.clone());
    let listening = env.named_process("listener", async move {
        // Until it is interrupted, or can't accept any more.
        while let Ok(Ok(stream)) = interruptible(&env_of_process, listener.accept()).await {
            let answered = Arc::clone(&answered);
            let session = env_of_process.named_process("session", async move {
                // One that breaks ends alone, and its client hears why.
                let _ = serve(stream, &answered).await;
            });
            let mut started = started.borrow_mut();
            started.retain(Process::is_alive);
            started.push(session);
        }
    });
    Ok((endpoint, Running { listening, sessions }))
}

async fn serve(stream: Stream, answered: &AtomicU64) -> Result<(), Failure> {
    let channel = Message::with_options(stream, Json, MessageOptions::default().linger(LIMIT))?;
    while let Some(request) = channel.recv().await? {
        match request.content::<String>() {
            Ok(text) => {
                request.succeed(&shout(&text))?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => request.fail(&error)?,
        }
    }
    Ok(())
}

impl Running {
    pub(super) async fn stop(self) -> Result<()> {
        // It may have ended by itself.
        let _ = self.listening.interrupt("the server stops");
        let words = |failure: Failure| failure.to_string();
        (&self.listening).await.map_err(words)?;
        let sessions = self.sessions.take();
        for session in sessions {
            session.await.map_err(words)?;
        }
        Ok(())
    }
}
