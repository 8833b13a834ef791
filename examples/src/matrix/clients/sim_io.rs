//! A client that is a process: messages to its own kind, and a stream of bytes to others.

use net_core::{Endpoint, Net};
use sim_io::codec::Json;
use sim_io::message::{Message, MessageOptions};
use sim_io::{Environment, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::expect;
use crate::matrix::talk::{Talk, shout};
use crate::matrix::{LIMIT, Result, Site};

pub(super) async fn own(site: &Site, to: &Endpoint, texts: &[String]) -> Result<()> {
    let (net, to, texts) = (site.net.clone(), to.clone(), texts.to_vec());
    let asking = async move {
        let channel = Message::with_options(net.connect(&to).await?, Json, MessageOptions::default().linger(LIMIT))?;
        // All are on their way at once.
        let replies: Vec<_> = texts.iter().map(|text| channel.send::<_, String>(text)).collect();
        for (text, reply) in texts.iter().zip(replies) {
            expect(reply.await?.as_bytes(), shout(text).as_bytes())?;
        }
        channel.close();
        let end = channel.closed().await;
        if end.is_clean() { Ok(()) } else { Err(end.into()) }
    };
    process(&site.env()?, asking).await
}

pub(super) async fn bytes(site: &Site, to: &Endpoint, talk: Talk) -> Result<()> {
    let (net, to) = (site.net.clone(), to.clone());
    process(&site.env()?, converse(net, to, talk)).await
}

async fn converse(net: Net, to: Endpoint, talk: Talk) -> Result<()> {
    let mut stream = net.connect(&to).await?;
    for round in &talk.rounds {
        stream.write_all(&round.send).await?;
        let mut answer = vec![0; round.expect.len()];
        stream.read_exact(&mut answer).await?;
        expect(&answer, &round.expect)?;
    }
    stream.write_all(&talk.farewell).await?;
    stream.close(LIMIT).await?;
    Ok(())
}

/// Runs it as a process of its own, which is given up when it takes too long.
async fn process(env: &Environment, work: impl Future<Output = Result<()>> + 'static) -> Result<()> {
    // A failure that nobody waits for would stop the whole run: here its text is the outcome.
    let talking = env.named_process("talker", async move { work.await.map_err(|error| error.to_string()) });
    env.any_of((&talking, env.timeout(LIMIT))).await.map_err(words)?;
    if talking.is_alive() {
        talking.kill();
        return Err("the conversation takes too long".into());
    }
    talking.await.map_err(words)?.map_err(Into::into)
}

fn words(failure: Failure) -> String {
    failure.to_string()
}
