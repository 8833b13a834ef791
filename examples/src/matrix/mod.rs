//! The matrix: each of the five models as the client of each, on the operating system's sockets and on a simulated
//! network, from one source.
//!
//! [`check`] tries one pair. All servers do the same job in their own protocols ([`servers`]); what is said to them is in
//! [`talk`]; each model says it with what it has ([`clients`]). On the operating system each side has a thread of its own,
//! with tokio, or with an environment in real time where the side is sim-io's; on the simulated network each is a host.

pub mod clients;
mod ground;
pub mod relay;
pub mod servers;
pub mod talk;

use std::fmt;
use std::time::Duration;

use net_core::{ClosedBy, Endpoint};
use sim_io::network::Link;
use tokio::sync::oneshot;

pub use ground::{Backend, Life, Site};
use ground::{Ended, Ground};
use relay::{Fault, Relay};
use servers::Serving;
use talk::Talk;

/// The result of whatever a side does.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// How long one pair may take on the slowest machine, and how long any wait of a client.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The ways to program a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// Line commands.
    Oneline,
    /// Processes.
    SimIo,
    /// Sessions of E37.
    Hsms,
    /// Boxes.
    Components,
    /// Statecharts.
    Statechart,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Oneline,
        Self::SimIo,
        Self::Hsms,
        Self::Components,
        Self::Statechart,
    ];

    /// The name of its crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oneline => "oneline",
            Self::SimIo => "sim-io",
            Self::Hsms => "hsms",
            Self::Components => "components",
            Self::Statechart => "statechart-bridge",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Tries one pair: the client talks to the server; a second one is cut off in the middle of an answer and must end with an
/// error; a third one finds the server as it was. All bytes must be right, and all connections end as they should.
///
/// # Errors
/// What was not so.
pub fn check(client: Model, server: Model, backend: Backend) -> Result<()> {
    Ground::new(backend)?.play(move |ground| async move { story(&ground, client, server).await })
}

/// The same on a simulated network whose delays, losses and copies come from a seed.
///
/// # Errors
/// What was not so.
pub fn check_with_seed(client: Model, server: Model, seed: u64) -> Result<()> {
    let relayed = Link::default()
        .latency(Duration::from_millis(2 + seed % 50))
        .jitter(Duration::from_millis(seed % 11));
    // A reset is sent once: where it may get lost, whoever only reads never hears of it.
    let direct = relayed.clone().loss(0.02).duplicate(0.01).corrupt(0.005);
    let ground = Ground::simulated(seed, &direct, &relayed)?;
    ground.play(move |ground| async move { story(&ground, client, server).await })
}

async fn story(ground: &Ground, client: Model, server: Model) -> Result<()> {
    let texts = ["open valve 3", "dose 12.5 ml", "close valve 3"].map(str::to_owned);
    let (told, listening) = oneshot::channel();
    let (stop, stopping) = oneshot::channel::<()>();
    let serving = ground.run("server", server, async move |site: Site| {
        let serving = Serving::start(server, &site).await?;
        // Whoever asked may be gone; then so is the other sender.
        let _ = told.send(serving.endpoint().clone());
        let _ = stopping.await;
        serving.stop().await?;
        Ok(site.answered())
    })?;
    let Ok(at) = listening.await else {
        return Err(failed("the server", serving.await?.outcome));
    };

    let talks = async |to: Endpoint| -> Result<Ended<()>> {
        let texts = texts.clone();
        let talking = ground.run("client", client, async move |site: Site| {
            clients::talk(client, &site, &to, server, &texts).await
        })?;
        Ok(talking.await?)
    };
    let first = talks(at.clone()).await?;
    in_order("the first client", &first)?;

    let talk = Talk::new(client, server, &texts)?;
    let half = talk.answer_length() / 2;
    let (net, between) = (ground.relay()?, ground.at("relay")?);
    let relay = Relay::start(&net, &between, at.clone(), move || Fault::Reset { after: half }).await?;
    let second = talks(relay.local().clone()).await?;
    relay.stop().await;
    match (&second.outcome, &second.life.ends()[..]) {
        (Ok(()), _) => return Err("the client that was cut off says that all is well".into()),
        (Err(_), [ClosedBy::Error]) => {}
        (Err(error), ends) => return Err(format!("the client that was cut off ({error}) ended {ends:?}").into()),
    }

    let third = talks(at).await?;
    in_order("the client after the one that was cut off", &third)?;
    drop(stop);
    let served = serving.await?;
    let answered = served.outcome.map_err(|error| format!("the server: {error}"))?;
    let mut ends = served.life.ends();
    ends.sort_by_key(|by| *by == ClosedBy::Error);
    match ends[..] {
        [
            ClosedBy::Local | ClosedBy::Peer,
            ClosedBy::Local | ClosedBy::Peer,
            ClosedBy::Error,
        ] => {}
        _ => return Err(format!("the server's three connections ended {:?}", served.life.causes()).into()),
    }
    let (least, most) = (2 * talk.texts as u64, 3 * talk.texts as u64);
    if !(least..=most).contains(&answered) {
        return Err(format!("the server answered {answered} texts, not {least} to {most}").into());
    }
    Ok(())
}

/// Whether a client and its one connection ended well.
fn in_order(who: &str, ended: &Ended<()>) -> Result<()> {
    if let Err(error) = &ended.outcome {
        return Err(format!("{who}: {error}").into());
    }
    match ended.life.ends()[..] {
        [ClosedBy::Local | ClosedBy::Peer] => Ok(()),
        _ => Err(format!("{who}: its connections ended {:?}", ended.life.causes()).into()),
    }
}

fn failed<T>(who: &str, outcome: Result<T>) -> Box<dyn std::error::Error + Send + Sync> {
    match outcome {
        Ok(_) => format!("{who} ended too early").into(),
        Err(error) => format!("{who}: {error}").into(),
    }
}
