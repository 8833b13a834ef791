//! A server of sessions: an equipment for any number of hosts, which says what it is and answers texts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hsms::{Connection, Delegate, Item, Message, MultiPassiveServer};
use net_core::Endpoint;

use crate::matrix::talk::{ARE_YOU_THERE, MODEL_NAME, SHOUT, patient_host, shout};
use crate::matrix::{Result, Site};

#[derive(Debug)]
pub(super) struct Running(MultiPassiveServer);

pub(super) async fn start(site: &Site) -> Result<(Endpoint, Running)> {
    let server = MultiPassiveServer::new(&site.net, site.at.clone());
    let answered = site.count();
    server.accept_any(move |_| Some((patient_host(), Equipment(Arc::clone(&answered)))));
    let endpoint = server.start().await?;
    Ok((endpoint, Running(server)))
}

impl Running {
    pub(super) async fn stop(self) -> Result<()> {
        self.0.stop().await;
        Ok(())
    }
}

struct Equipment(Arc<AtomicU64>);

impl Delegate for Equipment {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        let about = message.stream_function();
        let Ok(item) = message.item() else {
            connection.report(7, &message.header);
            return;
        };
        let text = item.as_ref().and_then(|item| item.view().text()?.ok());
        let answer = match text {
            _ if about == ARE_YOU_THERE => Some(Item::list(MODEL_NAME.map(Item::ascii))),
            Some(text) if about == SHOUT => Some(Item::ascii(shout(&text))),
            _ => None,
        };
        // A host that has gone meanwhile needs no answer.
        let _ = match answer {
            Some(item) => {
                let sent = connection.reply(&message.header, item.into_bytes()).await;
                if sent.is_ok() && about == SHOUT {
                    self.0.fetch_add(1, Ordering::Relaxed);
                }
                sent
            }
            None => connection.abort(&message.header).await,
        };
    }
}
