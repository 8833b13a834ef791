//! Random commands on several sockets: each answered exactly once, in the order of its lane.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use statechart_bridge::socket::{SocketError, SocketServiceBuilder};
use statechart_bridge::{Event, Value};

use crate::backend::{Backend, net};
use crate::rig::Rig;

/// A command, before it is known which sockets there are.
#[derive(Clone, Copy, Debug)]
enum Do {
    Create,
    CreateDatagram,
    Bind,
    Listen,
    Accept,
    /// To the port that was bound this long ago.
    Connect(usize),
    Refused,
    Recv,
    RecvFrom,
    Send,
    SendNumber,
    SendTo(usize),
    Shutdown,
    Cancel,
    Configure,
    Close,
    /// Answers are looked at only now and then.
    Look,
    Wait,
}

fn anything() -> impl Strategy<Value = Do> {
    prop_oneof![
        2 => Just(Do::Create),
        1 => Just(Do::CreateDatagram),
        2 => Just(Do::Bind),
        2 => Just(Do::Listen),
        4 => Just(Do::Accept),
        4 => (0..3usize).prop_map(Do::Connect),
        1 => Just(Do::Refused),
        8 => Just(Do::Recv),
        1 => Just(Do::RecvFrom),
        12 => Just(Do::Send),
        1 => Just(Do::SendNumber),
        1 => (0..3usize).prop_map(Do::SendTo),
        1 => Just(Do::Shutdown),
        1 => Just(Do::Cancel),
        1 => Just(Do::Configure),
        1 => Just(Do::Close),
        6 => Just(Do::Look),
        3 => Just(Do::Wait),
    ]
}

/// What was raised for one socket and what it was answered, as commands without their `_socket`.
#[derive(Debug, Default)]
struct History {
    raised: Vec<String>,
    answered: Vec<String>,
    /// The lengths of what was sent, in the order of the answers.
    sent: Vec<i64>,
}

/// Commands that go on beside each other.
fn lane(op: &str) -> &'static str {
    match op {
        "recv" | "recv_from" => "receiving",
        "accept" => "accepting",
        "send" | "send_to" => "sending",
        _ => "control",
    }
}

fn in_lane(ops: &[String], name: &str) -> Vec<String> {
    ops.iter().filter(|op| lane(op) == name).cloned().collect()
}

impl History {
    fn check(&self) {
        for name in ["control", "receiving", "accepting", "sending"] {
            assert_eq!(in_lane(&self.raised, name), in_lane(&self.answered, name), "{self:?}");
        }
        // Nothing passes a close, on either side.
        let until_close = |ops: &[String]| {
            let mut parts: Vec<Vec<String>> = ops.split(|op| op == "close").map(<[String]>::to_vec).collect();
            parts.iter_mut().for_each(|part| part.sort());
            parts
        };
        assert_eq!(until_close(&self.raised), until_close(&self.answered), "{self:?}");
        // Each send is one longer than the one before.
        assert!(self.sent.is_sorted(), "{self:?}");
    }
}

struct Play {
    rig: Rig,
    sockets: Vec<Value>,
    addresses: Vec<Value>,
    histories: BTreeMap<u64, History>,
    creating: usize,
    length: usize,
}

fn number(socket: &Value) -> u64 {
    socket.as_object().expect("a socket").number()
}

impl Play {
    fn raise(&mut self, socket: &Value, op: &str, rest: Vec<Value>) {
        self.histories
            .entry(number(socket))
            .or_default()
            .raised
            .push(op.to_owned());
        let mut parameters = vec![socket.clone()];
        parameters.extend(rest);
        self.rig.raise(&format!("{op}_socket"), parameters);
    }

    fn answered(&mut self, event: &Event) {
        let name = &**event.name();
        let socket = event.parameter(0);
        let op = match name {
            "created_socket" => {
                self.creating -= 1;
                self.sockets.push(socket.clone());
                return;
            }
            "error_socket" | "unknown_error_socket" => {
                let error = SocketError::from_value(event.parameter(1)).expect("an error");
                error.op.to_string()
            }
            "bound_socket" => {
                self.addresses.push(event.parameter(2).clone());
                "bind".to_owned()
            }
            "listened_socket" => "listen".to_owned(),
            "accepted_socket" => {
                self.sockets.push(event.parameter(1).clone());
                "accept".to_owned()
            }
            "connected_socket" => "connect".to_owned(),
            "received_socket" => "recv".to_owned(),
            "received_from_socket" => "recv_from".to_owned(),
            "sent_socket" => {
                let history = self.histories.entry(number(socket)).or_default();
                history.sent.push(event.parameter(1).as_int().expect("a length"));
                // Which of the two is told by what was raised.
                let done = history.answered.iter().filter(|op| lane(op) == "sending").count();
                in_lane(&history.raised, "sending").get(done).expect("a send").clone()
            }
            "closed_socket" => "close".to_owned(),
            "shut_down_socket" => "shutdown".to_owned(),
            "cancelled_socket" => "cancel".to_owned(),
            "configured_socket" => "configure".to_owned(),
            _ => panic!("{event}"),
        };
        let history = self.histories.entry(number(socket)).or_default();
        history.answered.push(op.clone());
        // A receive that asks for the sender may be answered as such only by datagram sockets; errors tell their op.
        assert!(history.raised.contains(&op), "{event} answers nothing: {history:?}");
    }

    fn is_quiet(&self) -> bool {
        let all = |history: &History| history.raised.len() == history.answered.len();
        self.creating == 0 && self.histories.values().all(all)
    }

    /// The next answer of this name.
    async fn until(&mut self, name: &str) {
        loop {
            let event = self.rig.next().await;
            self.answered(&event);
            if &**event.name() == name {
                return;
            }
        }
    }

    /// A server with two connections, both ends of which are here: so that there is something to spoil.
    async fn prepare(&mut self) {
        for _ in 0..3 {
            self.creating += 1;
            self.rig.raise("create_socket", []);
            self.until("created_socket").await;
        }
        let sockets = self.sockets.clone();
        let [server, clients @ ..] = &*sockets else { return };
        self.raise(server, "bind", vec![("127.0.0.1", 0).into()]);
        self.raise(server, "listen", vec![]);
        self.until("listened_socket").await;
        for client in clients {
            let address = self.addresses.last().cloned();
            self.raise(client, "connect", address.into_iter().collect());
            self.raise(server, "accept", vec![]);
            self.until("accepted_socket").await;
        }
    }

    async fn run(mut self, commands: Vec<(Do, usize)>) {
        self.prepare().await;
        for (command, which) in commands {
            let socket = match self.sockets.len() {
                0 => None,
                n => self.sockets.get(which % n).cloned(),
            };
            let address = |back: usize| -> Option<Value> { self.addresses.iter().rev().nth(back).cloned() };
            match (command, socket) {
                (Do::Create, _) => {
                    self.creating += 1;
                    self.rig.raise("create_socket", []);
                }
                (Do::CreateDatagram, _) => {
                    self.creating += 1;
                    self.rig.raise("create_datagram_socket", []);
                }
                (Do::Look, _) => {
                    while let Some((event, _)) = self.rig.queue.try_next() {
                        self.answered(&event);
                    }
                }
                (Do::Wait, _) => self.rig.net.sleep(std::time::Duration::from_millis(1)).await,
                (_, None) => {}
                (Do::Bind, Some(socket)) => self.raise(&socket, "bind", vec![("127.0.0.1", 0).into()]),
                (Do::Listen, Some(socket)) => self.raise(&socket, "listen", vec![]),
                (Do::Accept, Some(socket)) => self.raise(&socket, "accept", vec![]),
                (Do::Connect(back), Some(socket)) => {
                    // A bad command, if there is no address yet.
                    let rest = address(back).into_iter().collect();
                    self.raise(&socket, "connect", rest);
                }
                (Do::Refused, Some(socket)) => self.raise(&socket, "connect", vec![("127.0.0.1", 1).into()]),
                (Do::Recv, Some(socket)) => self.raise(&socket, "recv", vec![]),
                (Do::RecvFrom, Some(socket)) => self.raise(&socket, "recv_from", vec![]),
                (Do::Send, Some(socket)) => {
                    self.length += 1;
                    self.raise(&socket, "send", vec!["x".repeat(self.length).into()]);
                }
                (Do::SendNumber, Some(socket)) => self.raise(&socket, "send", vec![1.into()]),
                (Do::SendTo(back), Some(socket)) => {
                    self.length += 1;
                    let mut rest = vec!["x".repeat(self.length).into()];
                    rest.extend(address(back));
                    self.raise(&socket, "send_to", rest);
                }
                (Do::Shutdown, Some(socket)) => self.raise(&socket, "shutdown", vec![]),
                (Do::Cancel, Some(socket)) => self.raise(&socket, "cancel", vec![]),
                (Do::Configure, Some(socket)) => {
                    self.raise(&socket, "configure", vec!["send_timeout".into(), 5.into()]);
                }
                (Do::Close, Some(socket)) => self.raise(&socket, "close", vec![]),
            }
        }
        let mut closed = 0;
        while closed < self.sockets.len() || !self.is_quiet() {
            // Accepted ones come to light meanwhile.
            while let Some(socket) = self.sockets.get(closed).cloned() {
                self.raise(&socket, "close", vec![]);
                closed += 1;
            }
            if !self.is_quiet() {
                let event = self.rig.next().await;
                self.answered(&event);
            }
        }
        while self.rig.service.open_sockets() > 0 {
            self.rig.net.sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!(self.rig.queue.try_next().is_none(), "an answer too many");
        self.histories.values().for_each(History::check);
    }
}

fn random_commands(backend: Backend, cases: u32) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(
            &prop::collection::vec((anything(), any::<usize>()), 1..120),
            |commands| {
                backend.run(async move {
                    let play = Play {
                        rig: Rig::on(net(), SocketServiceBuilder::new()),
                        sockets: Vec::new(),
                        addresses: Vec::new(),
                        histories: BTreeMap::new(),
                        creating: 0,
                        length: 0,
                    };
                    play.run(commands).await;
                });
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn random_commands_on_tokio() {
    random_commands(Backend::Tokio, 60);
}

#[test]
fn random_commands_on_the_virtual_network() {
    random_commands(Backend::VirtualNetwork, 200);
}

#[test]
fn random_commands_on_a_bad_link() {
    random_commands(Backend::BadLink, 60);
}
