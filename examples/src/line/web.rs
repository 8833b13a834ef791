//! The line on a page: its state by HTTP, and what happens by WebSocket.
//!
//! | path | what |
//! |---|---|
//! | `/` | the page |
//! | `/status` | the books as JSON |
//! | `/events` | a WebSocket: each piece of news as JSON, as it comes |

use std::sync::{Arc, Mutex};
use std::time::Duration;

use components::{
    BoxOptions, Boxes, Component, Context, HasOutbox, Inbox, Outcome, SubscribeTo, System, WhenFull, link,
};
use net_core::{Endpoint, Net};
use serde_json::json;
use sim_io::http::{HeaderValue, Reply, Request, Response, Running, Server, StatusCode, header};
use sim_io::websocket::{self, CloseReason, Message, Options, Upgrading};
use tokio::sync::Notify;

use super::clock::TimeOfDay;
use super::host::Books;
use super::news::{BACKPLANE, News};
use super::story::lock;

const PAGE: &str = include_str!("../../pages/line.html");

/// News that wait for a display; with more, it misses the oldest, and nobody waits for it.
const BEHIND: usize = 1024;
/// How long displays may take to go when the shift is over.
const GONE: Duration = Duration::from_secs(20);

/// The running page.
pub(crate) struct Web {
    running: Running,
    displays: Arc<Displays>,
}

#[derive(Debug, Default)]
struct Displays {
    served: Mutex<Served>,
    gone: Notify,
}

/// What the page has done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    /// Displays that came, and those that have gone.
    pub(crate) came: u64,
    pub(crate) gone: u64,
    /// News that displays have missed.
    pub(crate) missed: u64,
}

impl Web {
    pub(crate) async fn start(net: &Net, at: &Endpoint, system: &System, books: &Books) -> net_core::Result<Self> {
        let displays = Arc::default();
        let (system, books, counts) = (system.clone(), books.clone(), Arc::clone(&displays));
        let server = Server::new(move |request| std::future::ready(answer(&system, &books, &counts, request)));
        Ok(Self {
            running: server.start(net, at).await?,
            displays,
        })
    }

    /// Where it listens.
    pub(crate) fn at(&self) -> &Endpoint {
        self.running.endpoint()
    }

    pub(crate) fn served(&self) -> Served {
        lock(&self.displays.served).clone()
    }

    /// Ends it, once the displays have gone, who hear the end from the backplane.
    pub(crate) async fn stop(&self, net: &Net) {
        self.running.stop(GONE).await;
        let all_gone = async {
            loop {
                let mut gone = std::pin::pin!(self.displays.gone.notified());
                gone.as_mut().enable();
                let served = self.served();
                if served.came == served.gone {
                    return;
                }
                gone.await;
            }
        };
        // Whoever is left shows in the counts.
        let _ = net.timeout(GONE, all_gone).await;
    }
}

fn answer(system: &System, books: &Books, displays: &Arc<Displays>, mut request: Request) -> Response {
    match request.uri().path() {
        "/" => typed(PAGE, "text/html; charset=utf-8"),
        "/status" => typed(format!("{}\n", books.json()), "application/json"),
        "/events" => match websocket::upgrade(&mut request, Options::default()) {
            Ok((response, pending)) => {
                let display = Display {
                    hears: Inbox::new(),
                    pending,
                    books: books.clone(),
                    displays: Arc::clone(displays),
                };
                match system.activate(display) {
                    Ok(_) => response,
                    Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
                }
            }
            Err(rejection) => rejection.into_response(),
        },
        _ => (StatusCode::NOT_FOUND, "there is / and /status and /events\n").into_response(),
    }
}

fn typed(body: impl Reply, kind: &'static str) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A display: a browser, or whoever else reads `/events`.
#[derive(Boxes)]
struct Display {
    /// All news.
    hears: Inbox<News>,
    pending: Upgrading,
    books: Books,
    displays: Arc<Displays>,
}

impl Component for Display {
    async fn main(mut self, context: Context) -> Outcome {
        // One that does not keep up misses something, and holds nobody up.
        let options = BoxOptions::new().capacity(BEHIND).when_full(WhenFull::DropOldest);
        let subscribe = SubscribeTo::new(BACKPLANE);
        link(subscribe.outbox(), &self.hears)?;
        self.hears.set_options(options);
        context.spawn(subscribe)?;
        lock(&self.displays.served).came += 1;
        let outcome = self.show(&context).await;
        {
            let served = &mut *lock(&self.displays.served);
            served.gone += 1;
            served.missed += self.hears.counts().dropped;
        }
        self.displays.gone.notify_waiters();
        outcome
    }
}

impl Display {
    async fn show(&mut self, context: &Context) -> Outcome {
        let socket = context.run(&mut self.pending).await??;
        let (mut reader, mut writer) = socket.split();
        // So that it has something to show at once.
        writer
            .send(json!({ "what": "hello", "status": self.books.json(), "recent": self.books.recent() }).to_string())
            .await?;
        loop {
            tokio::select! {
                biased;
                news = self.hears.recv() => {
                    let Some(news) = news else { break };
                    if let Some(message) = message(&self.books, &news) {
                        writer.send(message).await?;
                    }
                }
                // What it says is of no interest, but its pings and its end are.
                said = reader.recv() => if said?.is_none() { return Ok(()) },
            }
        }
        writer.close(CloseReason::GOING_AWAY, "the shift is over").await?;
        while reader.recv().await?.is_some() {}
        Ok(())
    }
}

/// The news as JSON.
fn message(books: &Books, news: &News) -> Option<Message> {
    let message = match news {
        News::Event(event) => json!({
            "what": "event", "serial": event.serial, "kind": event.kind.word(), "time": TimeOfDay(event.at).to_string(),
            "text": event.to_string(), "status": books.json(),
        }),
        News::Alarm(alarm) => json!({
            "what": "alarm", "set": alarm.set, "time": TimeOfDay(alarm.at).to_string(), "text": alarm.text,
            "status": books.json(),
        }),
        News::Online(_) | News::Offline(_) | News::Waiting(_) | News::State(_) => {
            json!({ "what": "status", "status": books.json() })
        }
        News::Over => json!({ "what": "over" }),
        News::Answer(_) | News::Wish(_) | News::Greeting(_) => return None,
    };
    Some(message.to_string().into())
}
