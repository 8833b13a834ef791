//! A client of lines. To a server of another kind it sends lines too: what it says there ends with LF, and so do the
//! answers.

use net_core::{ConnectOptions, Endpoint};
use oneline::{Client, ClientOptions};

use super::expect;
use crate::matrix::talk::{Talk, shout};
use crate::matrix::{LIMIT, Result, Site};

fn patient() -> ClientOptions {
    ClientOptions::default()
        .connect(ConnectOptions::default().timeout(LIMIT).handshake_timeout(LIMIT))
        .handshake_timeout(LIMIT)
        .reply_timeout(LIMIT)
        .linger(LIMIT)
}

pub(super) async fn own(site: &Site, to: &Endpoint, texts: &[String]) -> Result<()> {
    let mut client = Client::connect_with(&site.net, to, patient()).await?;
    for text in texts {
        let reply = client.request(text).await?;
        expect(reply.bytes(), shout(text).as_bytes())?;
    }
    client.disconnect().await?;
    Ok(())
}

pub(super) async fn lines(site: &Site, to: &Endpoint, talk: &Talk) -> Result<()> {
    // The rules of the original: any bytes but LF are content.
    let options = patient().handshake(false).compatible();
    let mut client = Client::connect_with(&site.net, to, options).await?;
    for round in &talk.rounds {
        client.send_raw(line(&round.send)?).await?;
        let mut answer = Vec::new();
        while answer.len() < round.expect.len() {
            answer.extend_from_slice(client.recv().await?.bytes());
            answer.push(b'\n');
        }
        expect(&answer, &round.expect)?;
    }
    if !talk.farewell.is_empty() {
        client.send_raw(line(&talk.farewell)?).await?;
    }
    client.close().await;
    Ok(())
}

/// Without its end, which the client adds.
fn line(bytes: &[u8]) -> Result<&[u8]> {
    bytes.strip_suffix(b"\n").ok_or_else(|| "this is no line".into())
}
