//! The way to the controller: a protocol of lines for each connection that it makes.
//!
//! | line to the controller | means |
//! |---|---|
//! | `books` | it has just connected; what follows is how things are, and after that what changes |
//! | `tool online`, `tool offline`, `tool restarted` | whether commands can be given |
//! | `lot waiting NAME hot`, `lot waiting NAME normal` | it may be started |
//! | `lot started NAME`, `lot done NAME`, `lot refused NAME` | what the tool made of it |
//! | `alarm set ID`, `alarm cleared ID` | of alarms that stop the tool |
//! | `hold`, `resume` | an operator's wish |
//! | `over` | the shift is over: say how much you have heard |
//!
//! | line from the controller | means |
//! |---|---|
//! | `state NAME` | the line is idle, running, paused, down or offline |
//! | `start NAME N` | this lot is next, chosen after so many lines about lots |
//! | `pause`, `resume` | for the tool |
//! | `heard N` | so many lines have come |

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use components::{
    Boxes, Component, Context, Failure, HasInbox, HasOutbox, Inbox, Outbox, Outcome, PublishTo, SubscribeTo, link,
};

use tokio::sync::oneshot;

use super::books::Books;
use super::choice::Choice;
use super::tool_link::ORDERS;
use crate::line::news::{BACKPLANE, News, Order, Wish};
use crate::line::tool::EventKind;

/// No line of the controller is as long.
const LONGEST: usize = 1024;

/// A connection with the controller.
#[derive(Boxes)]
pub(super) struct Link {
    /// What the controller says.
    inbox: Inbox<Bytes>,
    /// What it is told.
    outbox: Outbox<Bytes>,
    /// All news.
    hears: Inbox<News>,
    /// News of the controller.
    tells: Outbox<News>,
    books: Books,
    /// Lines that the controller was sent.
    told: u64,
    choice: Choice,
}

impl Link {
    pub(super) fn new(books: &Books) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            hears: Inbox::new(),
            tells: Outbox::new(),
            books: books.clone(),
            told: 0,
            choice: Choice::default(),
        }
    }
}

impl Component for Link {
    async fn main(mut self, context: Context) -> Outcome {
        let publish = PublishTo::new(BACKPLANE);
        let subscribe = SubscribeTo::new(BACKPLANE);
        link(&self.tells, publish.inbox())?;
        link(subscribe.outbox(), &self.hears)?;
        context.spawn(publish)?;
        context.spawn(subscribe)?;
        self.greet(&context).await?;
        let mut said = BytesMut::new();
        loop {
            tokio::select! {
                biased;
                news = self.hears.recv() => match news {
                    Some(news) => {
                        if let Some(line) = line(&news) {
                            self.tell(line).await?;
                        }
                    }
                    // The host ends.
                    None => return Ok(()),
                },
                bytes = self.inbox.recv() => {
                    let Some(bytes) = bytes else { return Ok(()) };
                    said.extend_from_slice(&bytes);
                    while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
                        let line = said.split_to(end + 1);
                        self.said(&context, String::from_utf8_lossy(&line).trim()).await?;
                    }
                    if said.len() > LONGEST {
                        return Err(Failure::new(format!("the controller's line has more than {LONGEST} bytes")));
                    }
                }
            }
        }
    }
}

/// The line about a piece of news, if it concerns the controller.
fn line(news: &News) -> Option<String> {
    Some(match news {
        News::Online(_) => "tool online".to_owned(),
        News::Offline(_) => "tool offline".to_owned(),
        News::Waiting(lot) => format!("lot waiting {} {}", lot.name, if lot.hot { "hot" } else { "normal" }),
        News::Event(event) => match event.kind {
            EventKind::PowerOn => "tool restarted".to_owned(),
            EventKind::LotStarted => format!("lot started {}", event.lot),
            EventKind::LotDone => format!("lot done {}", event.lot),
            _ => return None,
        },
        News::Alarm(alarm) if alarm.stops => {
            format!("alarm {} {}", if alarm.set { "set" } else { "cleared" }, alarm.id)
        }
        News::Answer(answer) if answer.refused.is_some() => format!("lot refused {}", answer.order.lot.as_ref()?),
        News::Wish(Wish::Hold) => "hold".to_owned(),
        News::Wish(Wish::Resume) => "resume".to_owned(),
        News::Over => "over".to_owned(),
        News::Alarm(_) | News::Answer(_) | News::State(_) | News::Greeting(_) => return None,
    })
}

impl Link {
    async fn tell(&mut self, line: String) -> Outcome {
        self.told += 1;
        self.choice.told(&line);
        self.outbox.send((line + "\n").into()).await?;
        Ok(())
    }

    /// Tells how things are. The question goes the way of all news: what comes before it is in the books when they answer,
    /// and what comes after it comes here.
    async fn greet(&mut self, context: &Context) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let greeting = Arc::new(Mutex::new(Some(answer)));
        self.tells.send(News::Greeting(Arc::clone(&greeting))).await?;
        loop {
            match self.hears.recv().await {
                Some(News::Greeting(heard)) if Arc::ptr_eq(&heard, &greeting) => break,
                Some(_) => {}
                None => return Ok(()),
            }
        }
        for line in context.run(answered).await?? {
            self.tell(line).await?;
        }
        self.books.greeted();
        Ok(())
    }

    async fn said(&mut self, context: &Context, line: &str) -> Outcome {
        let order = match line.split_once(' ').unwrap_or((line, "")) {
            ("state", name) => {
                self.tells.send(News::State(name.into())).await?;
                return Ok(());
            }
            ("heard", lines) => {
                self.books.heard(self.told, lines.parse()?);
                return Ok(());
            }
            ("start", chosen) => {
                let Some((lot, known)) = chosen.split_once(' ') else {
                    return Err(Failure::new(format!(
                        "the controller does not say when it chose: {line:?}"
                    )));
                };
                if self.choice.overtakes(lot, known.parse()?) {
                    self.books.overtaken();
                }
                Order {
                    command: "START",
                    lot: Some(lot.to_owned()),
                }
            }
            ("pause", _) => Order {
                command: "PAUSE",
                lot: None,
            },
            ("resume", _) => Order {
                command: "RESUME",
                lot: None,
            },
            _ => {
                return Err(Failure::new(format!(
                    "the controller says what nobody understands: {line:?}"
                )));
            }
        };
        context
            .services()
            .retrieve::<Order>(ORDERS)?
            .outbox()
            .send(order)
            .await?;
        Ok(())
    }
}
