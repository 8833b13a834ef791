//! HTTP and WebSocket, whatever comes in whatever parts: the same answers, never a panic, always an end.
#![cfg(feature = "websocket")]

mod protocol_common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use net_core::Stream;
use proptest::prelude::*;
use protocol_common::{on_virtual, read_to_end};
use sim_io::http::{Body, Client, Error, Reply, Request, Response, Server};
use sim_io::websocket::{self, Message, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn echo(mut request: Request) -> Result<String, Error> {
    let method = request.method().clone();
    Ok(format!("{method} {}", request.body_mut().text().await?))
}

/// Sends bytes in parts of these sizes, each in a packet of its own, and reads to the end.
async fn exchange(mut near: Stream, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let net = near.net();
    let mut rest = bytes;
    for size in sizes {
        let (part, after) = rest.split_at((*size).min(rest.len()));
        if near.write_all(part).await.is_err() {
            break;
        }
        rest = after;
        net.sleep(Duration::from_millis(5)).await;
    }
    let _ = near.write_all(rest).await;
    let _ = near.shutdown().await;
    read_to_end(&mut near).await
}

/// What a server of HTTP answers that gives the method and the body as a text.
fn http(bytes: Vec<u8>, sizes: Vec<usize>) -> Vec<u8> {
    served(echo, bytes, sizes)
}

/// What a server of HTTP answers that gives the body alone.
fn bodies(bytes: Vec<u8>, sizes: Vec<usize>) -> Vec<u8> {
    let body = async |mut request: Request| {
        let bytes = request.body_mut().bytes().await?;
        Ok::<_, Error>(Response::new(Body::from(bytes)))
    };
    served(body, bytes, sizes)
}

fn served<R: Reply>(handler: impl AsyncFn(Request) -> R + 'static, bytes: Vec<u8>, sizes: Vec<usize>) -> Vec<u8> {
    let out = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&out);
    on_virtual(move |near, far| async move {
        let server = Server::new(|request| handler(request));
        let (_, answer) = tokio::join!(server.serve_connection(far), exchange(near, &bytes, &sizes));
        *told.borrow_mut() = answer;
    });
    out.take()
}

const REQUESTS: &str = concat!(
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n",
    "GET /c HTTP/1.1\r\nHost: h\r\n\r\n"
);

const ASKS: &str = concat!(
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
);

/// A text, a ping, a text in two fragments and a close, all masked with zeros.
const FRAMES: &[u8] = b"\x81\x82\0\0\0\0hi\x89\x81\0\0\0\0p\x01\x81\0\0\0\0a\x80\x81\0\0\0\0b\x88\x82\0\0\0\0\x03\xe8";

/// The messages that arrive, the error if there is one, and what was answered after the handshake.
fn messages(frames: Vec<u8>, sizes: Vec<usize>) -> (Vec<Message>, bool, Vec<u8>) {
    let out = Rc::new(RefCell::new(Default::default()));
    let told = Rc::clone(&out);
    on_virtual(move |near, far| async move {
        let bytes = [ASKS.as_bytes(), &frames].concat();
        let serve = async {
            let mut messages = Vec::new();
            let Ok(mut socket) = websocket::accept(far, Options::default().max_message(1000)).await else {
                panic!("the handshake is right");
            };
            let ended = loop {
                match socket.recv().await {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            (messages, ended)
        };
        let ((messages, ended), answer) = tokio::join!(serve, exchange(near, &bytes, &sizes));
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        *told.borrow_mut() = (messages, ended, answer[head..].to_vec());
    });
    out.take()
}

#[test]
fn requests_that_are_split_at_every_byte() {
    let whole = http(REQUESTS.into(), Vec::new());
    let text = String::from_utf8(whole.clone()).unwrap();
    assert!(
        text.contains("POST hello") && text.contains("POST abc") && text.ends_with("GET "),
        "{text}"
    );
    for at in 1..REQUESTS.len() {
        assert_eq!(http(REQUESTS.into(), vec![at]), whole, "at {at}");
    }
    assert_eq!(http(REQUESTS.into(), vec![1; REQUESTS.len()]), whole);
}

/// A length beside chunks, behind messages whose bodies look like one.
const AMBIGUOUS: &str = concat!(
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 14\r\n\r\nContent-Length",
    "POST /b HTTP/1.1\r\nHost: h\r\ntransfer-Encoding: chunked\r\n\r\n3;x\r\n\r\n\n\r\n0\r\nContent-Length: 9\r\n\r\n",
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\ncontent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "GET /d HTTP/1.1\r\nHost: h\r\n\r\n"
);

#[test]
fn an_ambiguous_request_that_is_split_at_every_byte() {
    let whole = http(AMBIGUOUS.into(), Vec::new());
    let text = String::from_utf8(whole.clone()).unwrap();
    let statuses: Vec<_> = text.matches("HTTP/1.1 ").collect();
    assert_eq!(statuses.len(), 3, "{text}");
    assert!(text.contains("POST \r\n\n") && text.contains("HTTP/1.1 400 "), "{text}");
    for at in 1..AMBIGUOUS.len() {
        assert_eq!(http(AMBIGUOUS.into(), vec![at]), whole, "at {at}");
    }
    assert_eq!(http(AMBIGUOUS.into(), vec![1; AMBIGUOUS.len()]), whole);
}

/// A request, and what is to come of it: its body, or none if it is ambiguous.
fn request() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        Just(AMBIGUOUS.as_bytes().to_vec()),
        Just(b"\r\n0\r\n\r\n".to_vec()),
    ];
    let field = prop_oneof![
        Just("X: y"),
        Just("Content-Type: text/plain"),
        Just("Content-Length-Of: 3"),
        Just("XTransfer-Encoding: chunked"),
        Just("TE: trailers"),
        Just("C:"),
    ];
    let chunks = prop::collection::vec(1_usize..20, 1..4);
    let name = |name: &'static str| {
        prop::collection::vec(any::<bool>(), name.len()).prop_map(move |upper| {
            let letters = name.chars().zip(upper);
            let mixed: String = letters
                .map(|(letter, upper)| if upper { letter.to_ascii_uppercase() } else { letter })
                .collect();
            mixed
        })
    };
    let names = (name("content-length"), name("transfer-encoding"));
    (0..4, body, names, field, chunks, any::<bool>(), any::<bool>()).prop_map(
        |(kind, body, (length, coding), field, chunks, last, trailers)| {
            let length = format!("{length}:  {}\r\n", body.len());
            let coding = format!("{coding}: chunked\r\n");
            let framing = match (kind, last) {
                (0, _) => String::new(),
                (1, _) => length,
                (2, _) => coding,
                (_, false) => length + &coding,
                (_, true) => coding + &length,
            };
            let mut bytes = format!("POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n{framing}{field}\r\n\r\n").into_bytes();
            match kind {
                0 => return (bytes, Some(Vec::new())),
                1 => bytes.extend_from_slice(&body),
                _ => {
                    let mut rest = &body[..];
                    for size in chunks.iter().cycle() {
                        let (chunk, after) = rest.split_at((*size).min(rest.len()));
                        if chunk.is_empty() {
                            break;
                        }
                        bytes.extend_from_slice(format!("{:x};n=\"v\"\r\n", chunk.len()).as_bytes());
                        bytes.extend_from_slice(chunk);
                        bytes.extend_from_slice(b"\r\n");
                        rest = after;
                    }
                    bytes.extend_from_slice(b"0\r\n");
                    if trailers {
                        bytes.extend_from_slice(format!("{field}\r\nContent-Length: 3\r\n").as_bytes());
                    }
                    bytes.extend_from_slice(b"\r\n");
                }
            }
            (bytes, (kind < 3).then_some(body))
        },
    )
}

#[test]
fn frames_that_are_split_at_every_byte() {
    let whole = messages(FRAMES.into(), Vec::new());
    assert_eq!(whole.0, [Message::from("hi"), Message::from("ab")]);
    assert!(whole.1);
    for at in 0..FRAMES.len() {
        assert_eq!(messages(FRAMES.into(), vec![ASKS.len() + at]), whole, "at {at}");
    }
    assert_eq!(messages(FRAMES.into(), vec![1; ASKS.len() + FRAMES.len()]), whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_to_a_server(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..REQUESTS.len()) {
        // As they are, and in the middle of something sensible.
        http(bytes.clone(), vec![7]);
        let mut changed = REQUESTS.as_bytes().to_vec();
        changed.splice(at..at, bytes);
        http(changed, Vec::new());
    }

    #[test]
    fn ambiguous_requests_are_found_among_others(
        requests in prop::collection::vec(request(), 1..6),
        sizes in prop::collection::vec(1_usize..60, 0..20),
    ) {
        let mut expected = Vec::new();
        let mut refused = false;
        for (_, body) in &requests {
            match body {
                _ if refused => break,
                Some(body) => {
                    expected.extend_from_slice(
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
                    );
                    expected.extend_from_slice(body);
                }
                None => refused = true,
            }
        }
        let bytes = requests.into_iter().flat_map(|(bytes, _)| bytes).collect();
        let answer = bodies(bytes, sizes);
        prop_assert!(answer.starts_with(&expected), "{:?}", String::from_utf8_lossy(&answer));
        let rest = &answer[expected.len()..];
        if refused {
            prop_assert!(rest.starts_with(b"HTTP/1.1 400 "), "{:?}", String::from_utf8_lossy(rest));
            prop_assert_eq!(rest.windows(9).filter(|bytes| *bytes == b"HTTP/1.1 ").count(), 1);
        } else {
            prop_assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(rest));
        }
    }

    #[test]
    fn any_frames_to_a_server(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..FRAMES.len()) {
        messages(bytes.clone(), vec![ASKS.len() + 3]);
        let mut changed = FRAMES.to_vec();
        changed.splice(at..at, bytes);
        messages(changed, Vec::new());
    }

    #[test]
    fn any_answer_to_a_client(bytes in prop::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
        on_virtual(move |near, far| async move {
            let mut listener = far.net().bind(&"tcp://server:80".parse().unwrap()).await.unwrap();
            let serve = async {
                for _ in 0..2 {
                    let mut stream = listener.accept().await.unwrap();
                    let _ = stream.read(&mut [0; 4096]).await;
                    let line: &[u8] = if head { b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" } else { b"" };
                    let _ = stream.write_all(&[line, &bytes].concat()).await;
                    let _ = stream.shutdown().await;
                }
            };
            let net = near.net();
            let ask = async {
                if let Ok(mut response) = Client::new(&net).get("http://server/").await {
                    let _ = response.body_mut().bytes().await;
                }
                websocket::connect(&net, "ws://server/").await.unwrap_err();
            };
            tokio::join!(serve, ask);
        });
    }
}
