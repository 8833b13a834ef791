//! The way to the tool: two components on one HSMS connection, one that listens and one that speaks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use components::{Boxes, Component, Context, Inbox, Outbox, Outcome};
use hsms::gem::{Accepted, Gem, Hcack, Id, Parameter, S1F1, S2F41, S5F1, S5F2, S6F11, S6F12};
use hsms::item::Item;
use hsms::session::SessionEvent;
use hsms::{ActiveConnection, ConnectionOptions, Endpoint, Net};
use tokio::sync::mpsc;

use super::books::Books;
use crate::line::news::{Alarm, Answer, News, Order};
use crate::line::tool::{EventKind, ToolEvent};

/// The service at which orders are taken.
pub(super) const ORDERS: &str = "orders";
/// Reports that wait for the Ear; with more the tool waits for its answers.
const REPORTS: usize = 16;
/// How long establishing communication may take once the link is selected.
const ESTABLISH: Duration = Duration::from_secs(30);

/// The connection to the tool, not yet enabled.
pub(crate) struct ToolLink {
    connection: Arc<ActiveConnection>,
    gem: Arc<Gem>,
    reports: mpsc::Receiver<Report>,
}

/// What the tool reports.
enum Report {
    Event(ToolEvent),
    Alarm(Alarm),
}

impl ToolLink {
    pub(crate) fn new(net: &Net, tool: Endpoint) -> Self {
        let (to, reports) = mpsc::channel(REPORTS);
        let alarms = to.clone();
        let gem = Gem::host()
            .on(move |_, S6F11(report): S6F11| {
                let (to, event) = (to.clone(), read(&report));
                async move {
                    // Confirmed is only what has been taken over.
                    let taken = match event {
                        Some(event) => to.send(Report::Event(event)).await.is_ok(),
                        None => false,
                    };
                    S6F12(if taken { Accepted::Accepted } else { Accepted::Error })
                }
            })
            .on(move |_, S5F1(alarm): S5F1| {
                let to = alarms.clone();
                async move {
                    let alarm = Alarm {
                        at: Duration::ZERO,
                        id: alarm
                            .alid
                            .number()
                            .and_then(|id| u32::try_from(id).ok())
                            .unwrap_or_default(),
                        set: alarm.alcd.is_set(),
                        stops: alarm.alcd.category() < 7,
                        text: alarm.text,
                    };
                    let taken = to.send(Report::Alarm(alarm)).await.is_ok();
                    S5F2(if taken { Accepted::Accepted } else { Accepted::Error })
                }
            });
        let gem = Arc::new(gem);
        let connection = ActiveConnection::new(net, tool, ConnectionOptions::new(0), Arc::clone(&gem));
        Self {
            connection: Arc::new(connection),
            gem,
            reports,
        }
    }

    pub(super) fn components(self, books: &Books) -> (Ear, Voice) {
        let voice = Voice {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            connection: Arc::clone(&self.connection),
            books: books.clone(),
        };
        let ear = Ear {
            outbox: Outbox::new(),
            link: self,
            books: books.clone(),
            last: 0,
            set: BTreeSet::new(),
            online: false,
        };
        (ear, voice)
    }
}

/// The event of a report; `None` if it is none of this tool's.
fn read(report: &hsms::gem::EventReport) -> Option<ToolEvent> {
    let kind = EventKind::of(report.ceid.number()?)?;
    let [at, lot, wafer, place] = &report.reports.first()?.values[..] else {
        return None;
    };
    Some(ToolEvent {
        serial: u32::try_from(report.dataid.number()?).ok()?,
        at: Duration::from_millis(at.read().ok()?),
        kind,
        lot: lot.read().ok()?,
        wafer: wafer.read().ok()?,
        place: place.read().ok()?,
    })
}

/// Listens to the tool, and tells what it hears, each thing once.
#[derive(Boxes)]
pub(super) struct Ear {
    /// What the tool reports.
    outbox: Outbox<News>,
    link: ToolLink,
    books: Books,
    /// The serial number of the last event.
    last: u32,
    /// The alarms that are set.
    set: BTreeSet<u32>,
    online: bool,
}

impl Component for Ear {
    async fn main(mut self, context: Context) -> Outcome {
        let mut events = self.link.connection.events();
        self.link.connection.enable()?;
        loop {
            tokio::select! {
                biased;
                () = context.finishing() => break,
                Some(event) = events.next() => self.happened(&context, &event.event).await?,
                Some(report) = self.link.reports.recv() => self.heard(report).await?,
            }
        }
        self.link.connection.stop().await;
        Ok(())
    }
}

impl Ear {
    async fn happened(&mut self, context: &Context, event: &SessionEvent) -> Outcome {
        match event {
            SessionEvent::Selected(_) => {
                let established = self.link.gem.communicating(context.net(), ESTABLISH).await;
                let model = match established {
                    Ok(()) => self.link.connection.request_of(&S1F1).await,
                    // The link is gone again: its end is told next.
                    Err(_) => return Ok(()),
                };
                let model = match model.map(|reply| reply.0) {
                    Ok(Some(model)) => format!("{} {}", model.mdln, model.softrev),
                    _ => "a tool that does not say what it is".to_owned(),
                };
                self.online = true;
                self.outbox.send(News::Online(model.into())).await?;
            }
            // Of tries that come to nothing nobody needs to hear.
            SessionEvent::Disconnected(why) if self.online => {
                self.online = false;
                self.outbox.send(News::Offline(why.to_string().into())).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn heard(&mut self, report: Report) -> Outcome {
        match report {
            Report::Event(event) if event.serial <= self.last => self.books.repeated(),
            Report::Event(event) => {
                self.books.missing(u64::from(event.serial - self.last - 1));
                self.last = event.serial;
                self.outbox.send(News::Event(Arc::new(event))).await?;
            }
            // An alarm has no number; but none is set twice.
            Report::Alarm(alarm) if alarm.set == self.set.contains(&alarm.id) => self.books.repeated(),
            Report::Alarm(mut alarm) => {
                alarm.at = self.books.clock().now();
                if alarm.set {
                    self.set.insert(alarm.id);
                } else {
                    self.set.remove(&alarm.id);
                }
                self.outbox.send(News::Alarm(Arc::new(alarm))).await?;
            }
        }
        Ok(())
    }
}

/// Gives the tool its orders, one after the other, and tells what becomes of them.
#[derive(Boxes)]
pub(super) struct Voice {
    /// Orders.
    inbox: Inbox<Order>,
    /// What became of them.
    outbox: Outbox<News>,
    connection: Arc<ActiveConnection>,
    books: Books,
}

impl Component for Voice {
    async fn main(mut self, context: Context) -> Outcome {
        context.services().register(ORDERS, &self.inbox)?;
        while let Some(order) = self.inbox.recv().await {
            let mut parameters = Vec::new();
            if let Some(lot) = &order.lot {
                let recipe = self.books.recipe(lot).unwrap_or_default();
                for (name, value) in [("LOT", lot.as_str()), ("PPID", recipe)] {
                    parameters.push(Parameter {
                        name: Id::from(name),
                        value: Item::ascii(value),
                    });
                }
            }
            let command = S2F41 {
                rcmd: order.command.to_owned(),
                parameters,
            };
            let answer = context.run(self.connection.request_of(&command)).await?;
            self.books.ordered(answer.is_ok());
            let refused = match answer.map(|reply| reply.hcack) {
                Ok(Hcack::Accepted | Hcack::Later | Hcack::Already) => None,
                Ok(refused) => Some(format!("refused: {refused:?}")),
                Err(error) => Some(format!("no answer: {error}")),
            };
            self.outbox
                .send(News::Answer(Arc::new(Answer { order, refused })))
                .await?;
        }
        Ok(())
    }
}
