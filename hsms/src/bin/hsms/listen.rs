//! `hsms listen`: equipment.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use hsms::{Connection, Delegate, Item, Message, MultiPassiveServer, Net, PassiveConnection, StreamFunction, sml};

use crate::args::Listen;
use crate::show::print;
use crate::signal::Signals;
use crate::{failed, misused};

/// Equipment that can say who it is, and what it is told to say.
struct Equipment {
    answers: BTreeMap<StreamFunction, Option<Item>>,
}

impl Equipment {
    fn new(arguments: &Listen) -> Result<Self, String> {
        let model = || Item::list([Item::ascii(&arguments.mdln), Item::ascii(&arguments.softrev)]);
        let accepted = Item::list([Item::binary([0]), model()]);
        let mut answers = BTreeMap::from([
            (StreamFunction::new(1, 1), Some(model())),
            (StreamFunction::new(1, 13), Some(accepted)),
        ]);
        if let Some(path) = &arguments.respond {
            let read = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let messages = sml::parse(&read).map_err(|error| format!("{}: {error}", path.display()))?;
            for message in messages {
                let about = message.about;
                if about.is_primary() || about.function() == 0 {
                    return Err(format!(
                        "{}: {about} answers nothing; replies have even functions above 0",
                        path.display()
                    ));
                }
                answers.insert(StreamFunction::new(about.stream(), about.function() - 1), message.item);
            }
        }
        Ok(Self { answers })
    }

    async fn answer(&self, connection: &Connection, message: &Message) {
        let about = message.stream_function();
        let known = self.answers.get(&about);
        let text = match known {
            // Loopback: what came goes back, byte for byte.
            None if about == StreamFunction::new(2, 25) => message.text.clone(),
            Some(item) => item.clone().map(Item::into_bytes).unwrap_or_default(),
            None => {
                let stream = about.stream();
                let known = stream == 2 || self.answers.keys().any(|known| known.stream() == stream);
                connection.report(if known { 5 } else { 3 }, &message.header);
                return;
            }
        };
        if message.header.w()
            && let Err(error) = connection.reply(&message.header, text).await
        {
            eprintln!("hsms: {about} can't be answered: {error}");
        }
    }
}

impl Delegate for Equipment {
    async fn on_connection_established(&self, connection: &Connection) {
        if let Some(peer) = connection.peer() {
            eprintln!("hsms: selected by {peer}");
        }
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        self.answer(connection, &message).await;
    }

    async fn on_connection_closed(&self, _: &Connection) {
        eprintln!("hsms: the connection is closed");
    }
}

pub(crate) async fn run(arguments: &Listen) -> ExitCode {
    let options = match arguments.session.options() {
        Ok(options) => options,
        Err(error) => return misused(&error),
    };
    let equipment = match Equipment::new(arguments) {
        Ok(equipment) => Arc::new(equipment),
        Err(error) => return failed(&error),
    };
    let net = Net::os();
    // Before the line that tells others that we are there: from then on a signal must end us in order.
    let signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let endpoint = arguments.endpoint.clone();
    if arguments.multi {
        let server = MultiPassiveServer::new(&net, endpoint);
        server.accept_any(move |_| Some((options.clone(), Arc::clone(&equipment))));
        let at = match server.start().await {
            Ok(at) => at,
            Err(error) => return failed(&format!("{error:#}")),
        };
        // A closed standard output is no reason not to serve.
        let _ = print(&format!("listening on {at}"));
        signals.any().await;
        server.stop().await;
    } else {
        let passive = PassiveConnection::new(&net, endpoint, options, equipment);
        let at = match passive.enable().await {
            Ok(at) => at,
            Err(error) => return failed(&format!("{error:#}")),
        };
        let _ = print(&format!("listening on {at}"));
        signals.any().await;
        passive.stop().await;
    }
    ExitCode::SUCCESS
}
