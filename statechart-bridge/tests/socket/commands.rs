//! Commands and answers in both forms: typed and by name.

use bytes::Bytes;
use net_core::Endpoint;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use statechart_bridge::socket::{
    SOCKET_OUT, SocketCommand, SocketCommand as C, SocketData, SocketError, SocketEvent, SocketEvent as E,
    SocketHandle, SocketOption, TlsRole,
};
use statechart_bridge::{Event, Object, Value};

use crate::backend::Backend;
use crate::rig::Rig;

const NAMES: [&str; 18] = [
    "create_socket",
    "bind_socket",
    "listen_socket",
    "accept_socket",
    "connect_socket",
    "recv_socket",
    "send_socket",
    "close_socket",
    "shutdown_socket",
    "start_tls_socket",
    "cancel_socket",
    "configure_socket",
    "create_datagram_socket",
    "send_to_socket",
    "recv_from_socket",
    "stop",
    "Stop",
    "",
];

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("127.0.0.1".to_owned()),
        Just("::1".to_owned()),
        "[a-z]{1,8}",
        any::<String>()
    ]
}

/// Any value, with sockets more often than chance has it.
fn value(sockets: Vec<Value>) -> impl Strategy<Value = Value> {
    let options = [
        "backlog",
        "nodelay",
        "keepalive",
        "send_timeout",
        "v6_only",
        "tls://a:1",
        "unix:@a",
        "udp://[::1]:5",
        "client",
        "server",
    ];
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..70_000i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(options.to_vec()).prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::from),
        prop::sample::select(sockets),
        Just(Object::new("socket", 1, "a stranger").into()),
        (host(), -1..70_000i64).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            prop::collection::vec((inner.clone(), inner), 0..4).prop_map(Value::map),
        ]
    })
}

fn event(sockets: Vec<Value>) -> impl Strategy<Value = Event> {
    let parameters = prop_oneof![
        prop::collection::vec(value(sockets.clone()), 0..5),
        (
            prop::sample::select(sockets.clone()),
            prop::collection::vec(value(sockets), 0..4)
        )
            .prop_map(|(socket, rest)| {
                let mut parameters = vec![socket];
                parameters.extend(rest);
                parameters
            }),
    ];
    (prop::sample::select(NAMES.to_vec()), parameters).prop_map(|(name, parameters)| Event::new(name).with(parameters))
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn arbitrary_parameters_give_a_command_or_say_what_is_wrong() {
    Backend::Tokio.run(async {
        let rig = Rig::new();
        let sockets = vec![rig.create().await, rig.create().await];
        runner(2000)
            .run(&event(sockets), |event| {
                match SocketCommand::from_event(&event) {
                    Ok(Some(command)) => {
                        let again = command.to_event();
                        prop_assert_eq!(&**again.port(), SOCKET_OUT);
                        prop_assert_eq!(again.name(), event.name());
                        prop_assert_eq!(SocketCommand::from_event(&again), Ok(Some(command)));
                    }
                    Ok(None) => prop_assert!(["", "Stop"].contains(&&**event.name())),
                    Err(bad) => {
                        prop_assert_eq!(&bad.socket, event.parameter(0));
                        prop_assert!(bad.error.is_unknown());
                        prop_assert!(event.name().starts_with(&*bad.error.op));
                    }
                }
                // Whatever it is, it is no answer that panics.
                let _ = SocketEvent::from_event(&event);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn arbitrary_events_never_end_the_service() {
    Backend::Tokio.run(async {
        let rig = Rig::new();
        let sockets = vec![rig.create().await, rig.create().await];
        let mut runner = runner(1);
        let strategy = prop::collection::vec(event(sockets), 60);
        for _ in 0..10 {
            let events = strategy.new_tree(&mut runner).unwrap().current();
            for event in events {
                // Names would be looked up, and connections tried, wherever chance leads.
                if !["stop", "connect_socket", "bind_socket"].contains(&&**event.name()) {
                    rig.raise(event.name(), event.parameters().iter().cloned());
                }
            }
            rig.raise("create_socket", ["the end".into(), "of the round".into()]);
            rig.raise("create_socket", ["done".into()]);
            loop {
                let event = rig.next().await;
                if event.parameter(1).as_str() == Some("done") && &**event.name() == "created_socket" {
                    break;
                }
            }
        }
        assert!(!rig.service.is_stopped());
    });
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        any::<std::net::SocketAddr>()
            .prop_map(|address| Endpoint::tcp(std::net::SocketAddr::new(address.ip(), address.port()))),
        ("[a-z]{1,8}", any::<u16>()).prop_map(|(host, port)| format!("tcp://{host}:{port}").parse().unwrap()),
        ("[a-z]{1,8}", any::<u16>()).prop_map(|(host, port)| format!("tls://{host}:{port}").parse().unwrap()),
        "[a-z/]{1,20}".prop_map(|path| format!("unix:{path}").parse().unwrap()),
        "[a-z]{1,8}".prop_map(|name| format!("mem:{name}").parse().unwrap()),
    ]
}

fn data() -> impl Strategy<Value = SocketData> {
    prop_oneof![
        any::<String>().prop_map(|text| SocketData::from(&*text)),
        any::<Vec<u8>>().prop_map(|bytes| SocketData::from(Bytes::from(bytes))),
    ]
}

fn error(kind: &'static str) -> impl Strategy<Value = SocketError> {
    // An error is made by the service alone; its map is what others see.
    (any::<String>(), prop::option::of(any::<i32>())).prop_map(move |(message, errno)| {
        let map = Value::map([
            ("kind".into(), kind.into()),
            ("errno".into(), errno.into()),
            ("message".into(), message.into()),
            ("op".into(), "send".into()),
        ]);
        SocketError::from_value(&map).unwrap()
    })
}

#[test]
fn commands_and_answers_come_back_from_their_events() {
    Backend::Tokio.run(async {
        let rig = Rig::new();
        let socket = SocketHandle::from_value(&rig.create().await).unwrap();
        let connection = SocketHandle::from_value(&rig.create().await).unwrap();
        let strategy = (
            endpoint(),
            data(),
            value(vec![Value::Nil]),
            any::<u16>(),
            error("reset"),
            error("invalid"),
        );
        runner(500)
            .run(&strategy, |(at, data, value, n, failed, unknown)| {
                let socket = || socket.clone();
                let udp: Endpoint = format!("udp://127.0.0.1:{n}").parse().unwrap();
                for command in [
                    C::Create { id: None },
                    C::Create {
                        id: Some(value.clone()),
                    },
                    C::CreateDatagram {
                        id: Some(value.clone()),
                    },
                    C::Bind {
                        socket: socket(),
                        address: at.clone(),
                    },
                    C::Connect {
                        socket: socket(),
                        address: at.clone(),
                    },
                    C::Listen { socket: socket() },
                    C::Accept { socket: socket() },
                    C::Recv { socket: socket() },
                    C::RecvFrom { socket: socket() },
                    C::Send {
                        socket: socket(),
                        data: data.clone(),
                    },
                    C::SendTo {
                        socket: socket(),
                        data: data.clone(),
                        address: udp.clone(),
                    },
                    C::Configure {
                        socket: socket(),
                        option: SocketOption::new("backlog", &n.into()).unwrap(),
                    },
                    C::Shutdown { socket: socket() },
                    C::StartTls {
                        socket: socket(),
                        role: TlsRole::Server,
                    },
                    C::StartTls {
                        socket: socket(),
                        role: TlsRole::Client {
                            server_name: "localhost".into(),
                        },
                    },
                    C::Cancel { socket: socket() },
                    C::Close { socket: socket() },
                    C::Stop,
                ] {
                    prop_assert_eq!(SocketCommand::from_event(&command.to_event()), Ok(Some(command)));
                }

                let bytes = Bytes::copy_from_slice(data.as_bytes());
                for answer in [
                    E::Created {
                        socket: socket(),
                        id: None,
                    },
                    E::Created {
                        socket: socket(),
                        id: Some(value.clone()),
                    },
                    E::Bound {
                        socket: socket(),
                        local: at.clone(),
                    },
                    E::Listened {
                        socket: socket(),
                        local: at.clone(),
                    },
                    E::Accepted {
                        socket: socket(),
                        connection: connection.clone(),
                        peer: at.clone(),
                    },
                    E::Connected {
                        socket: socket(),
                        peer: at.clone(),
                        port: Some(n),
                    },
                    E::Connected {
                        socket: socket(),
                        peer: at,
                        port: None,
                    },
                    E::Received {
                        socket: socket(),
                        data: bytes.clone(),
                    },
                    E::ReceivedFrom {
                        socket: socket(),
                        data: bytes,
                        from: udp,
                    },
                    E::Sent {
                        socket: socket(),
                        count: n.into(),
                    },
                    E::Cancelled {
                        socket: socket(),
                        count: n.into(),
                    },
                    E::Configured {
                        socket: socket(),
                        name: "backlog".into(),
                        value: value.clone(),
                    },
                    E::ShutDown { socket: socket() },
                    E::StartedTls { socket: socket() },
                    E::Closed { socket: socket() },
                    E::Error {
                        socket: socket(),
                        error: failed,
                    },
                    E::UnknownError {
                        socket: value,
                        error: unknown,
                    },
                    E::Stopped,
                ] {
                    prop_assert_eq!(SocketEvent::from_event(&answer.to_event()), Some(answer));
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn created_socket_carries_the_id_of_exactly_one_parameter() {
    Backend::Tokio.run(async {
        let rig = Rig::new();
        for (parameters, expected) in [
            (vec![], 1),
            (vec!["id".into()], 2),
            (vec![Value::Nil], 2),
            (vec!["a".into(), "b".into()], 1),
        ] {
            let id = parameters.first().cloned();
            rig.raise("create_socket", parameters);
            let event = rig.next().await;
            assert_eq!(&**event.name(), "created_socket");
            assert_eq!(event.parameters().len(), expected, "{event}");
            if expected == 2 {
                assert_eq!(event.parameters().get(1), id.as_ref());
            }
        }
    });
}

#[test]
fn other_events_on_the_port_are_ignored() {
    Backend::Tokio.run(async {
        let rig = Rig::new();
        rig.raise("created_socket", []);
        rig.raise("SEND_SOCKET", []);
        rig.create().await;
        assert_eq!(rig.queue.waiting(), 0);
    });
}

#[test]
fn the_list_of_names_has_all_commands() {
    for name in SocketCommand::NAMES {
        let known = SocketCommand::from_event(&Event::new(name));
        assert_ne!(known, Ok(None), "{name}");
    }
    assert_eq!(SocketCommand::from_event(&Event::new("send_sokcet")), Ok(None));
}
