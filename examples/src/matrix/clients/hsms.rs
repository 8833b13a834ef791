//! A host. To its own kind it speaks sessions; to others it sends frames past the session, and they come back.

use hsms::session::SessionEvent;
use hsms::{ActiveConnection, Connection, Delegate, Header, Item, Message, frame};
use net_core::{Endpoint, Error, ErrorKind, Operation};
use tokio::sync::mpsc;

use super::expect;
use crate::matrix::talk::{ARE_YOU_THERE, MODEL_NAME, SHOUT, Talk, patient_host, shout};
use crate::matrix::{LIMIT, Result, Site};

pub(super) async fn own(site: &Site, to: &Endpoint, texts: &[String]) -> Result<()> {
    let host = ActiveConnection::new(&site.net, to.clone(), patient_host(), ());
    let talking = async {
        host.selected(LIMIT).await?;
        let name = host.request(ARE_YOU_THERE, "").await?;
        expect(&name.text, Item::list(MODEL_NAME.map(Item::ascii)).as_bytes())?;
        for text in texts {
            let reply = host.request(SHOUT, Item::ascii(text).into_bytes()).await?;
            expect(&reply.text, Item::ascii(shout(text)).as_bytes())?;
        }
        host.linktest().await?;
        Ok(())
    };
    on_one_connection(&host, talking).await
}

pub(super) async fn frames(site: &Site, to: &Endpoint, talk: &Talk) -> Result<()> {
    let (told, mut news) = mpsc::unbounded_channel();
    let host = ActiveConnection::new(&site.net, to.clone(), patient_host().raw(), Ear(told));
    on_one_connection(&host, converse(&host, &mut news, talk)).await
}

/// Talks until all is said, or the connection fails or ends. The host would connect anew, again and again; here one
/// connection is what it is about.
async fn on_one_connection(host: &Connection, talking: impl Future<Output = Result<()>>) -> Result<()> {
    let mut events = host.events();
    host.enable()?;
    let broken = async {
        loop {
            match events.next().await.map(|event| event.event) {
                Some(SessionEvent::ConnectFailed(error)) => return Err(error.into()),
                Some(SessionEvent::Disconnected(reason)) => {
                    return Err(format!("the connection ended: {reason}").into());
                }
                Some(_) => {}
                None => return Err(lost()),
            }
        }
    };
    let outcome = tokio::select! {
        biased;
        outcome = talking => outcome,
        broken = broken => broken,
    };
    host.stop().await;
    outcome
}

async fn converse(host: &Connection, news: &mut mpsc::UnboundedReceiver<News>, talk: &Talk) -> Result<()> {
    match news.recv().await {
        Some(News::Connected) => {}
        _ => return Err(lost()),
    }
    for round in &talk.rounds {
        for message in messages(&round.send)? {
            host.send(&message).await?;
        }
        let mut answer = Vec::new();
        while answer.len() < round.expect.len() {
            match news.recv().await {
                Some(News::Came(message)) => frame::encode(&message.header, &message.text, &mut answer)?,
                _ => return Err(lost()),
            }
        }
        expect(&answer, &round.expect)?;
    }
    for message in messages(&talk.farewell)? {
        host.send(&message).await?;
    }
    Ok(())
}

/// Cuts bytes into the messages that they are.
fn messages(mut bytes: &[u8]) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length))?;
        let (content, rest) = rest.split_at_checked(length).ok_or("this is no frame")?;
        let (header, text): (Header, _) = frame::split(content)?;
        messages.push(Message::new(header, text.to_vec()));
        bytes = rest;
    }
    Ok(messages)
}

fn lost() -> Box<dyn std::error::Error + Send + Sync> {
    let error = Error::new(ErrorKind::Closed, Operation::Request);
    error.detail("the connection ended before the conversation").into()
}

/// What a connection tells.
enum News {
    Connected,
    Came(Message),
    Closed,
}

/// Passes on what a connection tells.
struct Ear(mpsc::UnboundedSender<News>);

impl Ear {
    fn tell(&self, news: News) {
        // Whoever listened may have heard enough.
        let _ = self.0.send(news);
    }
}

impl Delegate for Ear {
    async fn on_connection_established(&self, _: &Connection) {
        self.tell(News::Connected);
    }

    async fn on_connection_message_received(&self, _: &Connection, message: Message) {
        self.tell(News::Came(message));
    }

    async fn on_connection_closed(&self, _: &Connection) {
        self.tell(News::Closed);
    }
}
