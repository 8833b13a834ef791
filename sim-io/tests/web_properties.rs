//! HTTP and WebSocket, whatever comes in whatever parts: the same answers, never a panic, always an end.
#![cfg(feature = "websocket")]

mod protocol_common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use net_core::Stream;
use proptest::prelude::*;
use protocol_common::{on_virtual, read_to_end};
use sim_io::http::{Client, Error, Request, Server};
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

/// What a server of HTTP answers.
fn http(bytes: Vec<u8>, sizes: Vec<usize>) -> Vec<u8> {
    let out = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&out);
    on_virtual(move |near, far| async move {
        let server = Server::new(echo);
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
