//! A server of lines made of small components: bytes into lines, lines into capital letters.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use components::{
    Active, AdapterOptions, Component, Context, Failure, HasInbox, HasOutbox, Inbox, Outbox, Pipeline, SimpleServer,
    System, from_fn, map,
};
use net_core::Endpoint;

use crate::matrix::{LIMIT, Result, Site};

/// A client that sends a longer line is told off by the end of its connection.
const LONGEST: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Running(Active);

pub(super) async fn start(site: &Site) -> Result<(Endpoint, Running)> {
    let system = System::new(&site.net);
    let answered = site.count();
    let protocol = move || Pipeline::new(lines()).then(capitals(Arc::clone(&answered)));
    let server = SimpleServer::bind(&system, &site.at, protocol).await?;
    let server = server.options(AdapterOptions::new().linger(LIMIT));
    let endpoint = server.local().clone();
    Ok((endpoint, Running(system.activate(server)?)))
}

/// Bytes in, whole lines out, with their ends. What comes after the last end is none.
fn lines() -> impl Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes> {
    let body = |mut inbox: Inbox<Bytes>, mut outbox: Outbox<Bytes>, _: Context| async move {
        let mut rest = BytesMut::new();
        let mut whole = VecDeque::new();
        while let Some(bytes) = inbox.recv().await {
            let mut from = rest.len();
            rest.extend_from_slice(&bytes);
            while let Some(end) = rest.iter().skip(from).position(|byte| *byte == b'\n') {
                whole.push_back(rest.split_to(from + end + 1).freeze());
                from = 0;
            }
            outbox.send_all(&mut whole).await?;
            if rest.len() > LONGEST {
                return Err(Failure::new(format!("a line has more than {LONGEST} bytes")));
            }
        }
        Ok(())
    };
    from_fn("Lines", body)
}

fn capitals(answered: Arc<AtomicU64>) -> impl Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes> {
    map(move |line: Bytes| {
        answered.fetch_add(1, Ordering::Relaxed);
        Bytes::from(line.to_ascii_uppercase())
    })
}

impl Running {
    pub(super) async fn stop(self) -> Result<()> {
        self.0.finish();
        let end = self.0.await;
        if end.reason.is_clean() {
            Ok(())
        } else {
            Err(end.to_string().into())
        }
    }
}
