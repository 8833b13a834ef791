//! WebSockets: what two ends of ours do together, and the numbered defects of the original, against a peer that speaks in
//! bytes.
#![cfg(feature = "websocket")]

mod protocol_common;

use std::time::Duration;

use net_core::{ErrorKind, Stream};
use protocol_common::{everywhere, in_memory, on_virtual, read_to_end};
use sim_io::http::{About, Reply, Request, Response, Server};
use sim_io::websocket::{self, CloseReason, Error, Message, Options, Reader, WebSocket, Writer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Two ends of a WebSocket over these streams: the client's and the server's.
async fn opened(near: Stream, far: Stream, options: Options) -> (WebSocket, WebSocket) {
    let net = near.net();
    // The client connects by itself: to the listener that lends it this address.
    let mut listener = far.net().bind(&far.local().clone().with_port(0)).await.unwrap();
    let url = listener.local().to_string().replace("tcp://", "ws://") + "/chat";
    let mut request = Request::default();
    *request.uri_mut() = url.parse().unwrap();
    let accept = async { websocket::accept(listener.accept().await.unwrap(), options.clone()).await };
    let (client, server) = tokio::join!(websocket::connect_with(&net, request, options.clone()), accept);
    (client.unwrap(), server.unwrap())
}

/// Where there are addresses.
fn with_addresses<F: Future<Output = ()> + 'static>(scenario: impl Fn(Stream, Stream) -> F + Clone + 'static) {
    on_virtual(scenario.clone());
    #[cfg(feature = "reactor")]
    protocol_common::on_reactor(scenario.clone());
    protocol_common::on_tokio(scenario);
}

const ASKS: &str = concat!(
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
);

/// A server's end whose client speaks in bytes, after the handshake of RFC 6455's own example.
async fn raw_client(mut near: Stream, far: Stream, options: Options) -> (Stream, WebSocket) {
    let ask = async {
        near.write_all(ASKS.as_bytes()).await.unwrap();
        let answer = head(&mut near).await;
        assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{answer}");
        assert!(
            answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            "{answer}"
        );
    };
    let (socket, ()) = tokio::join!(websocket::accept(far, options), ask);
    (near, socket.unwrap())
}

/// Reads up to the end of a header.
async fn head(stream: &mut Stream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A client's frame: masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The frames of a server, unmasked.
fn unframe(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        assert!(*length < 126, "unmasked and short");
        let (payload, rest) = rest.split_at(usize::from(*length));
        frames.push((*first, payload.to_vec()));
        bytes = rest;
    }
    frames
}

/// What the server's end says to these bytes of a client, as its error and its frames.
async fn told(
    near: Stream,
    far: Stream,
    options: Options,
    bytes: &[u8],
) -> (Result<Option<Message>, Error>, Vec<(u8, Vec<u8>)>) {
    let (mut near, mut socket) = raw_client(near, far, options).await;
    near.write_all(bytes).await.unwrap();
    let receive = async {
        let outcome = socket.recv().await;
        drop(socket);
        outcome
    };
    let (outcome, said) = tokio::join!(receive, read_to_end(&mut near));
    (outcome, unframe(&said))
}

#[test]
fn messages_of_all_sizes_both_ways() {
    with_addresses(|near, far| async move {
        let (mut client, mut server) = opened(near, far, Options::default()).await;
        let echo = async {
            while let Some(message) = server.recv().await.unwrap() {
                server.send(message).await.unwrap();
            }
            server.close_reason().cloned()
        };
        let talk = async {
            for size in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
                let (text, bytes) = ("ä".repeat(size / 2), vec![7_u8; size]);
                client.send(&*text).await.unwrap();
                assert_eq!(client.recv().await.unwrap(), Some(Message::from(text)));
                client.send(bytes.clone()).await.unwrap();
                assert_eq!(client.recv().await.unwrap(), Some(Message::from(bytes)));
            }
            client.close_with(4000, "enough").await.unwrap();
        };
        let (reason, ()) = tokio::join!(echo, talk);
        let reason = reason.unwrap();
        assert_eq!((reason.code, &*reason.reason), (4000, "enough"));
    });
}

async fn count(mut reader: Reader) -> usize {
    let mut count = 0;
    while let Some(message) = reader.recv().await.unwrap() {
        count += message.as_bytes().len();
    }
    count
}

async fn flood(mut writer: Writer) {
    for _ in 0..200 {
        writer.send(vec![1; 10_000]).await.unwrap();
    }
    writer.close(CloseReason::NORMAL, "").await.unwrap();
}

#[test]
fn both_directions_at_once_in_two_processes_each() {
    with_addresses(|near, far| async move {
        let (client, server) = opened(near, far, Options::default()).await;
        let ((near_in, near_out), (far_in, far_out)) = (client.split(), server.split());
        // Whoever closes first: the other may still be sending, and hears of it.
        let send = |mut writer: Writer| async move {
            for _ in 0..200 {
                match writer.send(vec![1; 10_000]).await {
                    Ok(()) => {}
                    Err(Error::Closed) => return,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let (received, (), _, _) = tokio::join!(count(far_in), flood(near_out), send(far_out), count(near_in));
        assert_eq!(received, 2_000_000);
    });
}

#[test]
fn a_receive_that_is_given_up_loses_nothing() {
    on_virtual(|near, far| async move {
        let net = near.net();
        let (mut client, server) = opened(near, far, Options::default()).await;
        let (mut reader, writer) = server.split();
        let talk = async {
            for n in 0..50_u8 {
                client.send(vec![n; 5000]).await.unwrap();
                net.sleep(Duration::from_micros(700)).await;
            }
            client.close().await.unwrap();
        };
        let listen = async {
            let mut next = 0;
            loop {
                match net.timeout(Duration::from_micros(300), reader.recv()).await {
                    Err(_) => {}
                    Ok(Ok(Some(message))) => {
                        assert_eq!(message, Message::from(vec![next; 5000]));
                        next += 1;
                    }
                    Ok(Ok(None)) => break,
                    Ok(Err(error)) => panic!("{error}"),
                }
            }
            assert_eq!(next, 50);
        };
        tokio::join!(talk, listen);
        drop(writer);
    });
}

#[test]
fn subprotocols_and_addresses() {
    on_virtual(|near, far| async move {
        let options = Options::default().protocol("chat.v2").protocol("chat.v1");
        let (client, server) = opened(near, far, options).await;
        assert_eq!(client.protocol(), Some("chat.v2"));
        assert_eq!(server.protocol(), Some("chat.v2"));
        assert!(server.peer_address().to_string().starts_with("tcp://"));
    });
}

#[test]
fn over_a_server_of_http_with_other_pages() {
    on_virtual(|near, far| async move {
        async fn site(mut request: Request) -> Response {
            if request.uri().path() != "/socket" {
                return "a page".into_response();
            }
            let net = About::of(&request).unwrap().net().clone();
            match websocket::upgrade(&mut request, Options::default()) {
                Ok((response, pending)) => {
                    net.spawn(async move {
                        let mut socket = pending.await?;
                        socket.send("welcome").await?;
                        socket.close_with(CloseReason::GOING_AWAY, "").await
                    })
                    .unwrap();
                    response
                }
                Err(rejection) => rejection.into_response(),
            }
        }
        let running = Server::new(site)
            .start(&far.net(), &"tcp://server:80".parse().unwrap())
            .await
            .unwrap();
        let net = near.net();
        let mut socket = websocket::connect(&net, "ws://server/socket").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from("welcome")));
        assert_eq!(socket.recv().await.unwrap(), None);
        assert_eq!(socket.close_reason().unwrap().code, CloseReason::GOING_AWAY);
        assert!(matches!(socket.send("too late").await, Err(Error::Closed)));
        let refused = websocket::connect(&net, "ws://server/").await.unwrap_err();
        assert!(
            matches!(refused, Error::Refused { status } if status == 200),
            "{refused:?}"
        );
        let page = sim_io::http::Client::new(&net)
            .get("http://server/socket")
            .await
            .unwrap();
        assert_eq!(page.status(), 426);
        running.stop(SECOND).await;
    });
}

#[test]
fn d22_the_clients_handshake_is_what_servers_expect() {
    on_virtual(|near, far| async move {
        let net = near.net();
        let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
        let serve = async {
            let mut stream = listener.accept().await.unwrap();
            let asked = head(&mut stream).await.to_lowercase();
            for line in [
                "connection: upgrade",
                "upgrade: websocket",
                "sec-websocket-version: 13",
                "host: server",
            ] {
                assert!(asked.contains(&format!("\r\n{line}\r\n")), "{asked}");
            }
            assert!(asked.starts_with("get /a?b http/1.1\r\n"), "{asked}");
        };
        let (error, ()) = tokio::join!(websocket::connect(&net, "ws://server/a?b"), serve);
        error.unwrap_err();
    });
}

#[test]
fn d22_the_servers_answer_is_checked() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "404"),
        (
            "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "Sec-WebSocket-Accept",
        ),
        (
            "HTTP/1.1 101 Yes\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n",
            "does not upgrade",
        ),
    ] {
        on_virtual(move |near, far| async move {
            let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
            let serve = async {
                let mut stream = listener.accept().await.unwrap();
                head(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream
            };
            let net = near.net();
            let (error, _stream) = tokio::join!(websocket::connect(&net, "ws://server/"), serve);
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        });
    }
}

#[test]
fn d22_another_version_gets_an_answer_of_http() {
    in_memory(|mut near, far| async move {
        let ask = async {
            let asked = ASKS.replace("Version: 13", "Version: 8");
            near.write_all(asked.as_bytes()).await.unwrap();
            near.shutdown().await.unwrap();
            String::from_utf8(read_to_end(&mut near).await).unwrap()
        };
        let (error, answer) = tokio::join!(websocket::accept(far, Options::default()), ask);
        assert!(matches!(error, Err(Error::Handshake(_))), "{error:?}");
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        assert!(answer.contains("\r\nsec-websocket-version: 13\r\n"), "{answer}");
    });
    for bad in [
        ASKS.replace("GET", "POST"),
        ASKS.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"),
        ASKS.replace("Sec-WebSocket-Key", "X-Key"),
    ] {
        in_memory(move |mut near, far| async move {
            let ask = async {
                near.write_all(bad.as_bytes()).await.unwrap();
                near.shutdown().await.unwrap();
                String::from_utf8(read_to_end(&mut near).await).unwrap()
            };
            let (error, answer) = tokio::join!(websocket::accept(far, Options::default()), ask);
            assert!(matches!(error, Err(Error::Handshake(_))), "{error:?}");
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        });
    }
}

#[test]
fn d22_pings_are_answered_and_fragments_joined() {
    everywhere(|near, far| async move {
        let (mut near, mut socket) = raw_client(near, far, Options::default()).await;
        for part in [
            frame(0x01, "frag".as_bytes()),
            frame(0x89, b"between"),
            frame(0x00, "men".as_bytes()),
            frame(0x8a, b"unasked"),
            frame(0x80, "ts".as_bytes()),
            frame(0x82, &[9; 300]),
        ] {
            near.write_all(&part).await.unwrap();
        }
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from("fragments")));
        assert_eq!(socket.recv().await.unwrap(), Some(Message::from(vec![9; 300])));
        let mut pong = [0; 9];
        near.read_exact(&mut pong).await.unwrap();
        assert_eq!(&pong, b"\x8a\x07between");
    });
}

#[test]
fn d22_a_close_is_answered_with_the_same_code() {
    everywhere(|near, far| async move {
        let (outcome, said) = told(near, far, Options::default(), &frame(0x88, b"\x03\xe9bye")).await;
        assert_eq!(outcome.unwrap(), None);
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].0, &said[0].1[..2]), (0x88, &b"\x03\xe9"[..]));
    });
}

#[test]
fn d22_what_breaks_the_protocol_is_refused_with_its_code() {
    let unmasked = b"\x81\x02hi".to_vec();
    for (bytes, code) in [
        (frame(0xc1, b"rsv1"), 1002_u16),
        (frame(0x91, b"rsv3"), 1002),
        (frame(0x83, b"opcode 3"), 1002),
        (frame(0x80, b"continues nothing"), 1002),
        (frame(0x09, b"ping in parts"), 1002),
        (unmasked, 1002),
        (frame(0x81, b"\xff\xfe"), 1007),
        ([frame(0x01, b"one"), frame(0x81, b"another")].concat(), 1002),
    ] {
        everywhere(move |near, far| {
            let bytes = bytes.clone();
            async move {
                let (outcome, said) = told(near, far, Options::default(), &bytes).await;
                match (code, outcome.unwrap_err()) {
                    (1002, Error::Protocol(_)) | (1007, Error::NotText) => {}
                    (_, other) => panic!("{bytes:?}: {other:?}"),
                }
                let (kind, payload) = said.last().unwrap();
                assert_eq!((*kind, &payload[..2]), (0x88, &code.to_be_bytes()[..]), "{bytes:?}");
            }
        });
    }
}

#[test]
fn d22_a_server_that_masks_is_refused() {
    on_virtual(|near, far| async move {
        let net = near.net();
        let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
        let serve = async {
            let mut stream = listener.accept().await.unwrap();
            let asked = head(&mut stream).await;
            let key = asked
                .lines()
                .find_map(|line| line.strip_prefix("sec-websocket-key: "))
                .unwrap();
            let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.write_all(&frame(0x81, b"masked")).await.unwrap();
            read_to_end(&mut stream).await
        };
        let ask = async {
            let mut socket = websocket::connect(&net, "ws://server/").await.unwrap();
            socket.recv().await
        };
        let (outcome, _) = tokio::join!(ask, serve);
        assert!(matches!(outcome, Err(Error::Protocol(_))), "{outcome:?}");
    });
}

#[test]
fn d22_limits() {
    let small = Options::default().max_message(10);
    let whole = frame(0x81, b"eleven byte");
    let parts = [frame(0x01, b"seven b"), frame(0x80, b"seven b")].concat();
    // Only its header: that much must not be waited for.
    let announced = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00".to_vec();
    for bytes in [whole, parts, announced] {
        let small = small.clone();
        everywhere(move |near, far| {
            let (small, bytes) = (small.clone(), bytes.clone());
            async move {
                let (outcome, said) = told(near, far, small, &bytes).await;
                assert!(matches!(outcome, Err(Error::TooLarge(_))), "{outcome:?}");
                assert_eq!(said.last().unwrap().1[..2], 1009_u16.to_be_bytes());
            }
        });
    }
    in_memory(move |near, far| async move {
        let (_near, mut socket) = raw_client(near, far, small).await;
        let error = socket.send("eleven byte").await.unwrap_err();
        assert!(matches!(error, Error::TooLarge(_)), "{error:?}");
    });
    // The handshake is limited too.
    in_memory(|mut near, far| async move {
        let ask = async {
            let long = format!("X: {}\r\n\r\n", "x".repeat(100_000));
            let asked = ASKS.replace("\r\n\r\n", "\r\n") + &long;
            let _ = near.write_all(asked.as_bytes()).await;
            let _ = near.shutdown().await;
            String::from_utf8(read_to_end(&mut near).await).unwrap()
        };
        let (error, answer) = tokio::join!(websocket::accept(far, Options::default()), ask);
        error.unwrap_err();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    });
}

#[test]
fn an_end_without_closing_is_no_orderly_end() {
    everywhere(|near, far| async move {
        let (near, mut socket) = raw_client(near, far, Options::default()).await;
        drop(near);
        let error = socket.recv().await.unwrap_err();
        assert!(matches!(error, Error::Cut), "{error:?}");
        assert!(matches!(socket.recv().await, Err(Error::Cut)));
    });
    on_virtual(|near, far| async move {
        let (near, mut socket) = raw_client(near, far, Options::default()).await;
        near.reset();
        match socket.recv().await {
            Err(Error::Net(error)) => assert_eq!(error.kind(), ErrorKind::Reset),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn time_limits() {
    on_virtual(|near, far| async move {
        // A client that asks for nothing.
        let error = websocket::accept(far, Options::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "no handshake within 10s");
        drop(near);
    });
    on_virtual(|near, far| async move {
        // A peer that does not answer the closing.
        let (near, socket) = raw_client(near, far, Options::default()).await;
        let began = near.net().now();
        let error = socket.close().await.unwrap_err();
        assert_eq!(error.to_string(), "no answer to the closing within 5s");
        assert!((5 * SECOND..6 * SECOND).contains(&(near.net().now() - began)));
    });
    on_virtual(|near, far| async move {
        // One that closes on its own, while the reader waits in another process.
        let (near, socket) = raw_client(near, far, Options::default()).await;
        let (mut reader, mut writer) = socket.split();
        let close = async {
            near.net().sleep(SECOND).await;
            writer.close(CloseReason::NORMAL, "").await.unwrap();
        };
        let (outcome, ()) = tokio::join!(reader.recv(), close);
        assert_eq!(outcome.unwrap_err().to_string(), "no answer to the closing within 5s");
    });
    on_virtual(|near, far| async move {
        // A peer that reads nothing.
        let (near, mut socket) = raw_client(near, far, Options::default()).await;
        let error = socket.send(vec![0; 10_000_000]).await.unwrap_err();
        assert_eq!(error.to_string(), "no room for the message within 30s");
        drop(near);
    });
    on_virtual(|near, far| async move {
        // A peer that is silent is asked, and given up.
        let (mut near, mut socket) = raw_client(near, far, Options::default()).await;
        let net = near.net();
        let began = net.now();
        let silent = async {
            let mut ping = [0; 2];
            near.read_exact(&mut ping).await.unwrap();
            assert_eq!(ping, [0x89, 0]);
            assert_eq!((net.now() - began).as_secs(), 60);
            // Once it answers, then it is dead.
            near.write_all(&frame(0x8a, b"")).await.unwrap();
            near.read_exact(&mut ping).await.unwrap();
            assert_eq!((net.now() - began).as_secs(), 120);
            near.net().sleep(100 * SECOND).await;
        };
        let (outcome, ()) = tokio::join!(socket.recv(), silent);
        assert_eq!(outcome.unwrap_err().to_string(), "no sign of life within 60s");
    });
}
