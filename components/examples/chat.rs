//! A chat: what one client says in a line, all clients hear.
//!
//! ```text
//! cargo run -p components --example chat -- tcp://127.0.0.1:7001      and then, as often as you like: nc 127.0.0.1 7001
//! ```

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use components::{
    Backplane, BoxOptions, Boxes, Component, Connected, Context, HasInbox, HasOutbox, Inbox, Outbox, Outcome,
    PublishTo, ServerCore, SubscribeTo, System, WhenFull, link,
};

const USAGE: &str = "usage: chat ENDPOINT";

/// Longer lines are cut into several.
const LONGEST: usize = 1024;

/// One who chats.
#[derive(Boxes)]
struct Chatter {
    /// What the client sends.
    inbox: Inbox<Bytes>,
    /// What it gets.
    outbox: Outbox<Bytes>,
    /// What it says to all.
    says: Outbox<Bytes>,
    /// What all say.
    hears: Inbox<Bytes>,
    name: String,
}

impl Component for Chatter {
    async fn main(mut self, context: Context) -> Outcome {
        let publish = PublishTo::new("chat");
        // One who does not keep up misses what is said, and holds up nobody.
        let subscribe = SubscribeTo::new("chat").with_box(BoxOptions::new().when_full(WhenFull::DropOldest));
        link(&self.says, publish.inbox())?;
        link(subscribe.outbox(), &self.hears)?;
        context.spawn(subscribe)?;
        context.spawn(publish)?;
        let mut line = BytesMut::new();
        loop {
            tokio::select! {
                biased;
                said = self.hears.recv() => match said {
                    Some(said) => { self.outbox.send(said).await?; }
                    None => return Ok(()),
                },
                bytes = self.inbox.recv() => {
                    let Some(bytes) = bytes else { return Ok(()) };
                    line.extend_from_slice(&bytes);
                    while let Some(length) = complete(&line) {
                        let text = line.split_to(length);
                        let text = String::from_utf8_lossy(&text);
                        self.says.send(format!("{}: {}\n", self.name, text.trim_end()).into()).await?;
                    }
                }
            }
        }
    }
}

/// How long the first whole line is, with its end.
fn complete(line: &[u8]) -> Option<usize> {
    let end = line.iter().position(|byte| *byte == b'\n');
    end.map(|end| end + 1).or((line.len() >= LONGEST).then_some(LONGEST))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 1, &[]);
    let system = System::new(&arguments.net()?);
    let guests = Arc::new(AtomicU32::new(0));
    let server = ServerCore::bind(&system, &arguments.endpoint(), move |_: &Connected| Chatter {
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        says: Outbox::new(),
        hears: Inbox::new(),
        name: format!("guest {}", guests.fetch_add(1, Ordering::Relaxed) + 1),
    })
    .await?;
    println!("listening on {}", server.local());
    system.activate(Backplane::<Bytes>::new("chat"))?;
    common::run(system.activate(server)?).await
}
