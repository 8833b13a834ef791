//! The host: it loads a recipe, runs a job with it, and follows the events to the end.

use std::sync::Arc;
use std::time::Duration;

use hsms::gem::{Accepted, Gem, Id, Parameter, ProcessProgram, S1F3, S2F41, S6F11, S6F12, S7F3};
use hsms::item::Item;
use hsms::{ActiveConnection, ConnectionOptions, Endpoint, Net};
use tokio::sync::mpsc;

use super::equipment::{ABORTED, DONE, PROCESSED};

/// An event of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobEvent {
    pub(crate) ceid: u32,
    pub(crate) lot: String,
    pub(crate) wafer: u32,
    /// Since the job was started.
    pub(crate) after: Duration,
}

/// What is to be done: this recipe, so many wafers of a lot, and whether to abort it after so many.
pub(crate) struct Order<'a> {
    pub(crate) lot: &'a str,
    pub(crate) steps: &'a [u32],
    pub(crate) wafers: u32,
    pub(crate) abort_after: Option<u32>,
}

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SOON: Duration = Duration::from_secs(30);
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Runs a job on the equipment at this endpoint; its events, and how many wafers the equipment says were processed.
pub(crate) async fn run(net: &Net, equipment: Endpoint, order: &Order<'_>) -> Outcome<(Vec<JobEvent>, u32)> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let gem = Arc::new(Gem::host().on(move |_, S6F11(event): S6F11| {
        // Nobody listens any more: then nobody wants it.
        let _ = sender.send(event);
        async { S6F12(Accepted::Accepted) }
    }));
    let host = ActiveConnection::new(net, equipment, ConnectionOptions::new(0), Arc::clone(&gem));
    host.enable()?;
    gem.communicating(net, SOON).await?;

    let recipe = ProcessProgram {
        ppid: "OXIDE".into(),
        body: Item::numbers(order.steps),
    };
    let stored = host.request_of(&S7F3(recipe)).await?.0;
    if !stored.is_accepted() {
        return Err(format!("the recipe was refused: {stored:?}").into());
    }
    let started = net.now();
    command(
        &host,
        "START",
        [
            ("LOT", Item::ascii(order.lot)),
            ("PPID", Item::ascii("OXIDE")),
            ("WAFERS", Item::u4(order.wafers)),
        ],
    )
    .await?;

    let mut record = Vec::new();
    loop {
        let event = net.timeout(A_DAY, events.recv()).await?;
        let event = event.ok_or("the connection is gone")?;
        let ceid = event.ceid.number().and_then(|number| u32::try_from(number).ok());
        let [lot, wafer] = event.reports.first().map_or(&[][..], |report| &report.values) else {
            return Err("an event without its report".into());
        };
        let event = JobEvent {
            ceid: ceid.ok_or("an event without a number")?,
            lot: lot.read()?,
            wafer: wafer.read()?,
            after: net.now() - started,
        };
        record.push(event.clone());
        match event.ceid {
            DONE | ABORTED => break,
            _ if event.wafer > 0 && order.abort_after == Some(event.wafer) => command(&host, "ABORT", []).await?,
            _ => {}
        }
    }
    let values = host.request_of(&S1F3(vec![Id::from(PROCESSED)])).await?.0;
    let processed = values.first().ok_or("no value")?.read()?;
    host.stop().await;
    Ok((record, processed))
}

async fn command<const N: usize>(host: &ActiveConnection, rcmd: &str, parameters: [(&str, Item); N]) -> Outcome<()> {
    let parameters = parameters.map(|(name, value)| Parameter {
        name: Id::from(name),
        value,
    });
    let reply = host
        .request_of(&S2F41 {
            rcmd: rcmd.into(),
            parameters: parameters.into(),
        })
        .await?;
    match reply.hcack {
        hsms::gem::Hcack::Accepted | hsms::gem::Hcack::Later => Ok(()),
        refused => Err(format!("{rcmd} was refused: {refused:?}").into()),
    }
}
