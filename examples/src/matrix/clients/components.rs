//! A client of small components: one that talks, and one that has the connection, wired to each other.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use components::{
    AdapterOptions, Boxes, Component, Context, Event, Failure, Graphline, Inbox, Outbox, Outcome, System, TcpClient,
};
use net_core::Endpoint;

use super::expect;
use crate::matrix::talk::Talk;
use crate::matrix::{LIMIT, Result, Site};

pub(super) async fn pipeline(site: &Site, to: &Endpoint, talk: Talk) -> Result<()> {
    let system = System::new(&site.net);
    let failures: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&failures);
    system.observe(move |event| {
        if let Event::Ended(end) = event
            && end.reason.failure().is_some()
        {
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(end.to_string());
        }
    });
    let connection = TcpClient::new(to.clone()).options(AdapterOptions::new().linger(LIMIT));
    let mut graph = Graphline::new();
    graph.add("TALKER", Talker::new(talk))?;
    graph.add("CONNECTION", connection)?;
    graph.link("TALKER.outbox", "CONNECTION.inbox")?;
    graph.link("CONNECTION.outbox", "TALKER.inbox")?;
    // Each ends when the other has: the connection after everything was sent.
    graph.link("TALKER.signal", "CONNECTION.control")?;
    graph.link("CONNECTION.signal", "TALKER.control")?;
    system.activate(graph)?.await;
    let failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("; ").into())
    }
}

/// Says what it has to, and compares the answers.
#[derive(Boxes)]
struct Talker {
    inbox: Inbox<Bytes>,
    outbox: Outbox<Bytes>,
    talk: Talk,
}

impl Talker {
    fn new(talk: Talk) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            talk,
        }
    }
}

impl Component for Talker {
    async fn main(mut self, _: Context) -> Outcome {
        let mut came = BytesMut::new();
        for round in self.talk.rounds {
            self.outbox.send(round.send.into()).await?;
            while came.len() < round.expect.len() {
                match self.inbox.recv().await {
                    Some(bytes) => came.extend_from_slice(&bytes),
                    None => return Err(Failure::new("the server ended in the middle of an answer")),
                }
            }
            let answer = came.split_to(round.expect.len());
            expect(&answer, &round.expect).map_err(|error| Failure::new(error.to_string()))?;
        }
        if !self.talk.farewell.is_empty() {
            self.outbox.send(self.talk.farewell.into()).await?;
        }
        Ok(())
    }
}
