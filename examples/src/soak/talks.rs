//! Clients that talk, one conversation after the other, directly or by a relay that spoils some of them.

use std::sync::Arc;
use std::time::Duration;

use net_core::{Endpoint, Net, Phase, Shutdown};

use super::books::Books;
use super::dice::Dice;
use crate::matrix::relay::{Fault, Relay};
use crate::matrix::talk::Talk;
use crate::matrix::{LIMIT, Model, Result, Site, clients};

/// A server that is talked to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) model: Model,
    pub(super) plain: Endpoint,
    pub(super) tls: Endpoint,
}

/// What all clients of a thread share.
#[derive(Clone)]
pub(super) struct Clients {
    /// Their own.
    pub(super) site: Site,
    /// A network that does not trust the servers.
    pub(super) distrustful: Net,
    /// The relays' network.
    pub(super) relays: Net,
    pub(super) targets: Arc<[Target]>,
    pub(super) books: Arc<Books>,
    pub(super) stop: Shutdown,
    pub(super) seed: u64,
}

impl Clients {
    pub(super) fn goes_on(&self) -> bool {
        self.stop.phase() == Phase::Running
    }

    /// A short pause, of chance.
    pub(super) async fn pause(&self, dice: &mut Dice) {
        let pause = Duration::from_micros(dice.below(20_000) as u64);
        self.site.net.sleep(pause).await;
    }
}

/// Where a relay stands.
pub(super) fn between() -> Result<Endpoint> {
    Ok("tcp://127.0.0.1:0".parse()?)
}

/// The same endpoint, without its encryption: what a relay connects to.
pub(super) fn bare(endpoint: &Endpoint) -> Result<Endpoint> {
    Ok(endpoint.to_string().replace("tls://", "tcp://").parse()?)
}

/// Talks to whoever chance says, until it is told to stop.
pub(super) async fn talker(with: Clients, client: Model, number: u64) {
    let mut dice = Dice::new(with.seed, number);
    let mut count = 0_u64;
    while with.goes_on() {
        let Some(target) = with.targets.get(dice.below(with.targets.len())) else {
            return;
        };
        let texts = texts(&mut dice, client, target.model, &format!("{client} {number}.{count}"));
        count += 1;
        if let Err(error) = one(&with, client, target, &texts, &mut dice).await {
            with.books.failed(error);
        }
        with.pause(&mut dice).await;
    }
}

/// One to four texts, each different from every other.
fn texts(dice: &mut Dice, client: Model, server: Model, name: &str) -> Vec<String> {
    // To a server of lines or bytes a frame's length must not look like a letter or a line's end.
    let may_be_long = client != Model::Hsms || matches!(server, Model::Hsms | Model::SimIo);
    let count = 1 + dice.below(4);
    let text = |number: usize| {
        let long = may_be_long && dice.one_in(8);
        let filling = "lorem ".repeat(if long { dice.below(1500) } else { dice.below(5) });
        format!("{name} {number} {filling}.")
    };
    (0..count).map(text).collect()
}

/// One conversation, and whether it went as it should.
async fn one(with: &Clients, client: Model, target: &Target, texts: &[String], dice: &mut Dice) -> Result<()> {
    let talk = Talk::new(client, target.model, texts)?;
    let encrypted = dice.one_in(3);
    let direct = if encrypted { &target.tls } else { &target.plain };
    let (asked, answered) = (
        talk.rounds.iter().map(|round| round.send.len()).sum::<usize>(),
        talk.answer_length(),
    );
    let fault = match dice.below(12) {
        0 => Fault::None,
        1 => Fault::Slow {
            // A hundred pieces or so: a millisecond lasts long on a busy machine, and servers have their limits. A handshake
            // has some thousand bytes, and a limit of its own.
            piece: if encrypted { 512 } else { 8 } + answered / 100 + dice.below(200),
            pause: Duration::from_millis(1),
        },
        // The model's own client may have a little less to say, so that not the last bytes are cut off.
        2 | 3 => Fault::Reset {
            after: dice.below(answered * 3 / 4),
        },
        4 | 5 => Fault::Cut {
            after: dice.below(asked * 3 / 4),
        },
        _ => {
            let outcome = clients::talk(client, &with.site, direct, target.model, texts);
            return judge(with, client, target, texts, &talk, Fault::None, encrypted, outcome).await;
        }
    };
    let relay = Relay::start(&with.relays, &between()?, bare(direct)?, move || fault).await?;
    let relayed: Endpoint = if encrypted {
        relay.local().to_string().replace("tcp://", "tls://").parse()?
    } else {
        relay.local().clone()
    };
    let outcome = clients::talk(client, &with.site, &relayed, target.model, texts);
    let judged = judge(with, client, target, texts, &talk, fault, encrypted, outcome).await;
    relay.stop().await;
    judged
}

#[expect(clippy::too_many_arguments, reason = "all that there is to say about a conversation")]
async fn judge(
    with: &Clients,
    client: Model,
    target: &Target,
    texts: &[String],
    talk: &Talk,
    fault: Fault,
    encrypted: bool,
    outcome: impl Future<Output = Result<()>>,
) -> Result<()> {
    let server = with.books.server(target.model);
    server.asked.add(talk.texts);
    let began = with.site.net.now();
    let outcome = with.site.net.timeout(LIMIT * 2, outcome).await;
    let took = with.site.net.now() - began;
    let spoils = matches!(fault, Fault::Reset { .. } | Fault::Cut { .. });
    let by = if encrypted { "TLS" } else { "TCP" };
    let who = format!("{client} with {} by {by}, {fault:?}, after {took:.1?}", target.model);
    match outcome {
        Err(_) => Err(format!("{who}: it hangs").into()),
        Ok(Ok(())) if spoils => Err(format!("{who}: it says that all is well").into()),
        Ok(Err(error)) if !spoils => Err(format!("{who}: {error}").into()),
        Ok(Ok(())) => {
            server.confirmed.add(texts.len());
            with.books.well.add(1);
            Ok(())
        }
        Ok(Err(_)) => {
            with.books.spoiled.add(1);
            Ok(())
        }
    }
}
