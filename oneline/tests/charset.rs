//! Character sets: what is text, what is invalid, and the bytes behind it.

mod common;

use common::backend::on_each_backend;
use common::{Raw, connect, serving};
use oneline::{Charset, Server};
use proptest::prelude::*;

on_each_backend!(
    ascii_strip_drops_what_the_original_drops,
    utf8_is_text,
    bytes_are_never_invalid,
    the_raw_bytes_come_back_untouched,
);

/// Shows text, flag and bytes of each command.
fn shower(charset: Charset) -> Server {
    Server::new(async |command| format!("{:?} {} {}", command.text(), command.is_invalid(), command.raw().len()))
        .charset(charset)
}

async fn shown(charset: Charset, line: &[u8]) -> String {
    let (net, running) = serving(&shower(charset)).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send(line).await;
    client.send("\n").await;
    client.line().await.unwrap()
}

async fn ascii_strip_drops_what_the_original_drops() {
    assert_eq!(
        shown(Charset::AsciiStrip, "héllo €".as_bytes()).await,
        "\"hllo \" true 10"
    );
    assert_eq!(shown(Charset::AsciiStrip, b"\x80\xff").await, "\"\" true 2");
    assert_eq!(
        shown(Charset::AsciiStrip, b"plain\0\x7f").await,
        "\"plain\\0\\u{7f}\" false 7"
    );
}

async fn utf8_is_text() {
    assert_eq!(shown(Charset::Utf8, "héllo €".as_bytes()).await, "\"héllo €\" false 10");
    assert_eq!(shown(Charset::Utf8, b"h\xffi").await, "\"h\u{fffd}i\" true 3");
}

async fn bytes_are_never_invalid() {
    assert_eq!(
        shown(Charset::Bytes, b"\x00\x01\xfe\xff").await,
        "\"\\0\\u{1}\u{fffd}\u{fffd}\" false 4"
    );
}

async fn the_raw_bytes_come_back_untouched() {
    let server = Server::new(async |command| bytes::Bytes::copy_from_slice(command.raw()));
    let (net, running) = serving(&server.charset(Charset::Bytes)).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    let bytes: Vec<u8> = (1..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    assert_eq!(client.request(&bytes).await.unwrap().bytes(), &bytes);
    let reply = client.request(b"\xff").await.unwrap();
    assert_eq!((reply.to_str(), reply.text().as_ref()), (None, "\u{fffd}"));
}

proptest! {
    #[test]
    fn text_and_flag_agree_with_the_rules(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let (text, invalid) = Charset::AsciiStrip.decode(&bytes);
        prop_assert_eq!(invalid, !bytes.is_ascii());
        let ascii: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii).collect();
        prop_assert_eq!(text.as_bytes(), ascii);

        let (text, invalid) = Charset::Utf8.decode(&bytes);
        prop_assert_eq!(invalid, std::str::from_utf8(&bytes).is_err());
        prop_assert_eq!(invalid, text.as_bytes() != bytes);

        prop_assert!(!Charset::Bytes.decode(&bytes).1);
    }
}
