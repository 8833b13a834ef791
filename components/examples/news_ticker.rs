//! A news ticker: one component publishes on a backplane, and every client gets what is published while it is there.
//!
//! ```text
//! cargo run -p components --example news_ticker -- tcp://127.0.0.1:7003      and then: nc 127.0.0.1 7003
//! ```

mod common;

use std::time::Duration;

use bytes::Bytes;
use components::{
    Backplane, BoxOptions, Boxes, Component, Context, HasOutbox, Inbox, Outbox, Outcome, Pipeline, PublishTo,
    SimpleServer, SubscribeTo, System, WhenFull, from_fn, link,
};

const USAGE: &str = "usage: news_ticker ENDPOINT [--every MILLISECONDS]";

const NEWS: &[&str] = &["rain in the north", "sun in the south", "wind at sea"];

/// A client: gets the news, and says nothing.
#[derive(Boxes, Default)]
struct Reader {
    /// What the client sends: ignored.
    inbox: Inbox<Bytes>,
    /// The news.
    outbox: Outbox<Bytes>,
}

impl Component for Reader {
    async fn main(mut self, context: Context) -> Outcome {
        // One who reads slowly gets the newest, and holds up nobody.
        let subscribe = SubscribeTo::<Bytes>::new("news").with_box(BoxOptions::new().when_full(WhenFull::DropOldest));
        // A child's outbox that leads to ours.
        link(subscribe.outbox(), &self.outbox)?;
        context.spawn(subscribe)?;
        while self.inbox.recv().await.is_some() {}
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> common::Result<()> {
    let mut arguments = common::Arguments::read(USAGE, 1, &["--every"]);
    let every = Duration::from_millis(arguments.option("--every").unwrap_or("1000").parse()?);
    let system = System::new(&arguments.net()?);
    let server = SimpleServer::bind(&system, &arguments.endpoint(), Reader::default).await?;
    println!("listening on {}", server.local());
    system.activate(Backplane::<Bytes>::new("news"))?;
    let agency = from_fn(
        "Agency",
        move |_: Inbox<Bytes>, mut outbox: Outbox<Bytes>, context: Context| async move {
            for (number, text) in NEWS.iter().cycle().enumerate() {
                context.sleep(every).await?;
                outbox.send(format!("{}: {text}\n", number + 1).into()).await?;
            }
            Ok(())
        },
    );
    system.activate(Pipeline::new(agency).then(PublishTo::new("news")))?;
    common::run(system.activate(server)?).await
}
