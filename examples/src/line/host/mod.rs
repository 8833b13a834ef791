//! The host, made of components: it drives the tool, fans out what happens on a backplane, keeps the books, and talks with
//! the controller.
//!
//! ```text
//!  tool ⇄ HSMS ─ Ear ──┐                        ┌─ SubscribeTo ─ books
//!                      ├─ PublishTo ─ Backplane ┼─ SubscribeTo ─ timeline
//!         HSMS ─ Voice ┘                        ├─ SubscribeTo ─ Link ⇄ controller
//!                 ↑ orders ── Link              └─ SubscribeTo ─ a display, by WebSocket
//! ```

mod books;
mod choice;
mod link;
mod log;
mod tool_link;

use std::sync::Arc;
use std::time::Duration;

use components::{
    Active, Backplane, Graphline, Handle, Inbox, OnFailure, Outbox, Pipeline, PublishTo, SimpleServer, SubscribeTo,
    System, for_each, from_fn,
};
use net_core::{Endpoint, Net};

pub(crate) use books::{Books, Passed};
pub(crate) use tool_link::ToolLink;

use super::news::{BACKPLANE, News, Wish};
use super::plan::Lot;
use super::story::Story;
use super::{Failed, Outcome};

/// The running host.
pub(crate) struct Host {
    pub(crate) system: System,
    pub(crate) books: Books,
    pub(crate) desk: Desk,
    /// Where the controller connects to.
    pub(crate) controller_at: Endpoint,
    /// Its parts, in the order in which they are to end.
    parts: Vec<Active>,
    stocker: Option<Active>,
    backplane: Active,
}

/// Where others of the house publish news.
#[derive(Clone)]
pub(crate) struct Desk(Arc<tokio::sync::Mutex<Handle<News, News>>>);

impl Desk {
    /// Publishes; waits while the backplane is behind.
    pub(crate) async fn publish(&self, news: News) {
        // After the end of the backplane nobody wants news.
        let _ = self.0.lock().await.put(news).await;
    }

    pub(crate) async fn wish(&self, wish: Wish) {
        self.publish(News::Wish(wish)).await;
    }
}

impl Host {
    /// Everything but the link to the tool: [`drive`](Self::drive) adds it once all who want to know are there.
    pub(crate) async fn start(net: &Net, controller_at: &Endpoint, story: &Story) -> Outcome<Self> {
        let system = System::new(net);
        let books = Books::new(story.clock());
        let backplane = system.activate(Backplane::<News>::new(BACKPLANE))?;
        let keeper = {
            let books = books.clone();
            for_each(move |news: News| books.note(&news))
        };
        let teller = {
            let (story, books) = (story.clone(), books.clone());
            for_each(move |news: News| log::tell(&story, &books, &news))
        };
        // The books first: who reads of something can look it up.
        let parts = vec![
            system.activate(Pipeline::new(SubscribeTo::new(BACKPLANE)).then(keeper).named("Books"))?,
            system.activate(
                Pipeline::new(SubscribeTo::new(BACKPLANE))
                    .then(teller)
                    .named("Timeline"),
            )?,
        ];
        let protocol = {
            let books = books.clone();
            move || link::Link::new(&books)
        };
        let server = SimpleServer::bind(&system, controller_at, protocol).await?;
        let controller_at = server.local().clone();
        let server = system.activate(server)?;
        let desk = system
            .activate_with_handle(PublishTo::new(BACKPLANE))
            .map_err(|error| Failed::new("the host's desk", error))?;
        Ok(Self {
            desk: Desk(Arc::new(tokio::sync::Mutex::new(desk))),
            parts: std::iter::once(server).chain(parts).collect(),
            stocker: None,
            system,
            books,
            controller_at,
            backplane,
        })
    }

    /// Connects to the tool, and lets the lots come.
    pub(crate) fn drive(
        &mut self,
        tool: ToolLink,
        lots: impl Iterator<Item = Lot> + Send + 'static,
        story: &Story,
    ) -> Outcome<()> {
        let (ear, voice) = tool.components(&self.books);
        let mut graph = Graphline::new().named("ToolLink");
        let wired = (|| {
            graph.add("EAR", ear)?.add("VOICE", voice)?;
            graph.add("PUBLISH", PublishTo::<News>::new(BACKPLANE))?;
            graph.link("EAR.outbox", "PUBLISH.inbox")?;
            graph.link("VOICE.outbox", "PUBLISH.inbox")?;
            graph.link("EAR.signal", "PUBLISH.control")?;
            Ok::<_, components::LinkError>(())
        })();
        wired.map_err(|error| Failed::new("the host's graph", error))?;
        graph.on_failure(OnFailure::Escalate);
        self.parts.insert(0, self.system.activate(graph)?);

        let clock = story.clock().clone();
        let stocker = from_fn(
            "Stocker",
            move |_: Inbox<()>, mut outbox: Outbox<News>, context: components::Context| async move {
                for lot in lots {
                    context.run(clock.until(lot.at)).await?;
                    outbox.send(News::Waiting(Arc::new(lot))).await?;
                }
                Ok(())
            },
        );
        let stocker = Pipeline::new(stocker).then(PublishTo::new(BACKPLANE)).named("Stocker");
        self.stocker = Some(self.system.activate(stocker)?);
        Ok(())
    }

    /// The part that failed, if one did.
    pub(crate) fn failure(&self) -> Option<String> {
        let parts = self.parts.iter().chain(&self.stocker).chain([&self.backplane]);
        parts.filter_map(Active::end).find_map(|end| {
            end.reason
                .failure()
                .map(|failure| format!("{}: {failure}", end.component))
        })
    }

    /// Ends everything: the tool is left in order, and all that was published gets to its readers.
    pub(crate) async fn stop(self, net: &Net) -> Outcome<()> {
        let ends = async {
            if let Some(stocker) = &self.stocker {
                // It may wait for a lot that is far away.
                stocker.stop();
            }
            for part in &self.parts {
                part.finish();
            }
            // Whoever only listens ends with the backplane.
            self.backplane.finish();
            for part in self.parts.into_iter().chain([self.backplane]) {
                let name = Arc::clone(part.name());
                let end = part.await;
                if let Some(failure) = end.reason.failure() {
                    return Err(Failed::new(&name, failure));
                }
            }
            Ok(())
        };
        net.timeout(Duration::from_secs(60), ends).await?
    }
}
