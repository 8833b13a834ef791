//! Clients without manners: they send half of something, floods, rubbish, or nothing; they reset, and distrust.

use std::time::Duration;

use net_core::{Endpoint, ErrorKind, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dice::Dice;
use super::talks::{Clients, Target, bare};
use crate::matrix::talk::Talk;
use crate::matrix::{LIMIT, Model, Result};

/// The most that a flood sends.
const FLOOD: usize = 1 << 20;

/// How long a flood waits for a server that takes nothing more.
const SILENCE: Duration = Duration::from_millis(300);

/// Is rude to whoever chance says, until it is told to stop.
pub(super) async fn visitor(with: Clients, number: u64) {
    let mut dice = Dice::new(with.seed, number);
    while with.goes_on() {
        let Some(target) = with.targets.get(dice.below(with.targets.len())) else {
            return;
        };
        let what = dice.below(8);
        let visit = with
            .site
            .net
            .timeout(LIMIT, visit(&with, target, what, &mut dice))
            .await;
        match visit {
            Ok(Ok(())) => with.books.rude.add(1),
            Ok(Err(error)) => with
                .books
                .failed(format_args!("rude client {what} of {}: {error}", target.model)),
            Err(_) => with
                .books
                .failed(format_args!("rude client {what} of {}: it hangs", target.model)),
        }
        with.pause(&mut dice).await;
    }
}

async fn visit(with: &Clients, target: &Target, what: usize, dice: &mut Dice) -> Result<()> {
    let net = &with.site.net;
    let server = with.books.server(target.model);
    match what {
        // Goes at once.
        0 => net.connect(&target.plain).await?.reset(),
        // Half of the first thing to be said, and then a reset, or an end.
        1 | 2 => {
            let encrypted = dice.one_in(2);
            let to = if encrypted { &target.tls } else { &target.plain };
            let mut stream = net.connect(to).await?;
            let talk = Talk::new(Model::Statechart, target.model, &["half of this".to_owned()])?;
            let all: Vec<u8> = talk.rounds.into_iter().flat_map(|round| round.send).collect();
            server.asked.add(1);
            let half = dice.below(all.len());
            // The server may have gone already: it owes nothing.
            let _ = stream.write_all(&all[..half]).await;
            if what == 1 {
                stream.reset();
            } else {
                // The server sees the end, and ends too; some tell first what was wrong.
                let _ = stream.close(LIMIT).await;
            }
        }
        // Asks and asks, and never reads.
        3 => {
            let stream = net.connect(&target.plain).await?;
            let texts = ["flood".to_owned()];
            let talk = Talk::new(Model::Statechart, target.model, &texts)?;
            let once: Vec<u8> = talk.rounds.into_iter().flat_map(|round| round.send).collect();
            let repeats = (16 * 1024 / once.len()).max(1);
            flood(with, target, stream, &once.repeat(repeats), repeats).await;
        }
        // Rubbish, and an end.
        4 => {
            let mut stream = net.connect(&target.plain).await?;
            let rubbish: Vec<u8> = (0..dice.below(2000)).map(|_| dice.next() as u8).collect();
            server.asked.add(rubbish.iter().filter(|byte| **byte == b'\n').count());
            let _ = stream.write_all(&rubbish).await;
            let _ = stream.close(LIMIT).await;
        }
        // No TLS where TLS is spoken: the server ends it.
        5 => {
            let to: Endpoint = bare(&target.tls)?;
            let mut stream = net.connect(&to).await?;
            let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
        }
        // Trusts another authority.
        6 => match with.distrustful.connect(&target.tls).await {
            Err(error) if matches!(error.kind(), ErrorKind::Tls(_)) => with.books.untrusted.add(1),
            Err(error) => return Err(error.into()),
            Ok(_) => return Err("a certificate was trusted that should not be".into()),
        },
        // Says nothing for a while.
        _ => {
            let stream = net.connect(&target.plain).await?;
            net.sleep(Duration::from_millis(dice.below(300) as u64)).await;
            let _ = stream.close(LIMIT).await;
        }
    }
    Ok(())
}

/// Sends the same again and again without reading, until the server takes no more, or ends it.
async fn flood(with: &Clients, target: &Target, mut stream: Stream, piece: &[u8], texts: usize) {
    let server = with.books.server(target.model);
    for _ in 0..FLOOD / piece.len() {
        // A text that has gone in part counts too: it may be answered.
        server.asked.add(texts);
        match with.site.net.timeout(SILENCE, stream.write_all(piece)).await {
            Ok(Ok(())) => {}
            _ => break,
        }
    }
    stream.reset();
}
