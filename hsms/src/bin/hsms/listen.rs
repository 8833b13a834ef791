//! `hsms listen`: equipment.

use std::collections::BTreeMap;
use std::future::ready;
use std::process::ExitCode;

use hsms::gem::{Gem, Model};
use hsms::{Bytes, Connection, Delegate, Item, Message, MultiPassiveServer, PassiveConnection, StreamFunction, sml};

use crate::args::Listen;
use crate::show::print;
use crate::signal::Signals;
use crate::{failed, misused};

/// Equipment that can say who it is, and what it is told to say. It asks nothing of its host.
struct Equipment(Gem);

/// What equipment is made of: one for each connection.
struct Plan {
    model: Model,
    answers: BTreeMap<StreamFunction, Bytes>,
}

impl Plan {
    fn new(arguments: &Listen) -> Result<Self, String> {
        let mut answers = BTreeMap::new();
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
                let text = message.item.map(Item::into_bytes).unwrap_or_default();
                answers.insert(StreamFunction::new(about.stream(), about.function() - 1), text);
            }
        }
        let model = Model {
            mdln: arguments.mdln.clone(),
            softrev: arguments.softrev.clone(),
        };
        Ok(Self { model, answers })
    }

    fn equipment(&self) -> Equipment {
        let mut gem = Gem::equipment(self.model.clone()).lenient();
        for (about, text) in &self.answers {
            let text = text.clone();
            gem = gem.on_message(*about, move |_, _| ready(Some(text.clone())));
        }
        Equipment(gem)
    }
}

impl Delegate for Equipment {
    async fn on_connection_established(&self, connection: &Connection) {
        if let Some(peer) = connection.peer() {
            eprintln!("hsms: selected by {peer}");
        }
        self.0.on_connection_established(connection).await;
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        self.0.on_connection_message_received(connection, message).await;
    }

    async fn on_connection_closed(&self, connection: &Connection) {
        self.0.on_connection_closed(connection).await;
        eprintln!("hsms: the connection is closed");
    }
}

pub(crate) async fn run(arguments: &Listen) -> ExitCode {
    let options = match arguments.session.options() {
        Ok(options) => options,
        Err(error) => return misused(&error),
    };
    let plan = match Plan::new(arguments) {
        Ok(plan) => plan,
        Err(error) => return failed(&error),
    };
    let net = match arguments.tls.net(&arguments.endpoint) {
        Ok(net) => net,
        Err(error) => return misused(&error),
    };
    // Before the line that tells others that we are there: from then on a signal must end us in order.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&format!("signals can't be caught: {error}")),
    };
    let endpoint = arguments.endpoint.clone();
    if arguments.multi {
        let server = MultiPassiveServer::new(&net, endpoint);
        server.accept_any(move |_| Some((options.clone(), plan.equipment())));
        let at = match server.start().await {
            Ok(at) => at,
            Err(error) => return failed(&format!("{error:#}")),
        };
        // A closed standard output is no reason not to serve.
        let _ = print(&format!("listening on {at}"));
        signals.any().await;
        server.stop().await;
    } else {
        let passive = PassiveConnection::new(&net, endpoint, options, plan.equipment());
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
