//! The protocol: what a line means, however its bytes arrive; and what the server makes of it.

mod common;

use common::backend::{net, on_each_backend};
use common::{LIMIT, Raw, Record, sample, serving, where_time_jumps};
use oneline::net_core::framing::Line;
use oneline::{Charset, Decoder, Meaning, Protocol, Server, Terminator};
use proptest::prelude::*;

on_each_backend!(
    none_one_and_many_replies,
    a_session_split_at_every_byte_is_answered_alike,
    many_commands_in_one_packet_are_each_answered_in_order,
    terminators_are_what_was_set,
    half_close_is_the_end_of_the_input,
    a_handler_may_answer_at_once_or_later,
);

where_time_jumps!(a_handler_that_waits_lets_earlier_replies_go,);

/// What a decoder says, in a form to compare.
fn meanings(decoder: &mut Decoder, into: &mut Vec<String>) {
    while let Some(meaning) = decoder.next_meaning() {
        into.push(format!("{meaning:?}"));
    }
}

fn all_at_once(decoder: Decoder, bytes: &[u8]) -> Vec<String> {
    let (mut decoder, mut found) = (decoder, Vec::new());
    decoder.feed(bytes);
    meanings(&mut decoder, &mut found);
    found
}

fn decoders() -> [Decoder; 4] {
    let ascii = Protocol::default().charset(Charset::AsciiStrip);
    [
        Decoder::default(),
        Decoder::new(Protocol::default(), Line::default().max(8)),
        Decoder::new(ascii, Line::default().strict_lf()),
        Decoder::new(
            Protocol::default().charset(Charset::Bytes).shutdown(false),
            Line::default().max(3),
        ),
    ]
}

#[test]
fn built_in_commands_are_matched_exactly() {
    let protocol = Protocol::default();
    assert_eq!(protocol.meaning(b"ping"), Meaning::Ping);
    assert_eq!(protocol.meaning(b"disconnect"), Meaning::Disconnect);
    assert_eq!(protocol.meaning(b"shutdown"), Meaning::Shutdown);
    for line in [
        "", "PING", " ping", "ping ", "ping\r", "ping\0", "pin", "pings", "invalid",
    ] {
        let Meaning::Command(command) = protocol.meaning(line.as_bytes()) else {
            panic!("{line:?} is no built-in command");
        };
        assert_eq!(
            (command.text(), command.raw(), command.is_invalid()),
            (line, line.as_bytes(), false)
        );
    }
    let Meaning::Command(command) = protocol.shutdown(false).meaning(b"shutdown") else {
        panic!("it was forbidden");
    };
    assert_eq!(command.text(), "shutdown");
}

#[test]
fn every_split_of_a_session_means_the_same() {
    let session = b"ping\r\n\ncmd01\nh\xc3\xa9\r\n\xff\r\r\nfar too long a line\r\nshutdown\ndisconnect\r\nrest";
    for decoder in decoders() {
        let whole = all_at_once(decoder.clone(), session);
        for split in 0..=session.len() {
            let (mut decoder, mut found) = (decoder.clone(), Vec::new());
            for piece in [&session[..split], &session[split..]] {
                decoder.feed(piece);
                meanings(&mut decoder, &mut found);
            }
            assert_eq!(found, whole, "split at {split}");
            assert!(!decoder.is_at_boundary());
        }
        let (mut decoder, mut found) = (decoder, Vec::new());
        for byte in session {
            decoder.feed(&[*byte]);
            meanings(&mut decoder, &mut found);
        }
        assert_eq!(found, whole, "byte by byte");
    }
}

proptest! {
    #[test]
    fn a_line_comes_back_as_it_was(lines in proptest::collection::vec("[^\r\n\0]{0,40}", 0..20), crlf: bool) {
        let mut decoder = Decoder::default();
        for line in &lines {
            decoder.feed(line.as_bytes());
            decoder.feed(if crlf { b"\r\n" } else { b"\n" });
            let meaning = decoder.next_meaning();
            let text = match meaning {
                Some(Meaning::Ping) => "ping".to_owned(),
                Some(Meaning::Disconnect) => "disconnect".to_owned(),
                Some(Meaning::Shutdown) => "shutdown".to_owned(),
                Some(Meaning::Command(command)) => {
                    prop_assert!(!command.is_invalid());
                    command.text().to_owned()
                }
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(&text, line);
            prop_assert!(decoder.next_meaning().is_none() && decoder.is_at_boundary());
        }
    }

    #[test]
    fn arbitrary_bytes_in_arbitrary_pieces_mean_the_same(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r')], 0..200),
        sizes in proptest::collection::vec(1..20_usize, 1..50),
    ) {
        for decoder in decoders() {
            let whole = all_at_once(decoder.clone(), &bytes);
            let (mut decoder, mut found, mut rest) = (decoder, Vec::new(), &bytes[..]);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at((*size).min(rest.len()));
                decoder.feed(piece);
                meanings(&mut decoder, &mut found);
                rest = behind;
            }
            prop_assert_eq!(&found, &whole);
            prop_assert_eq!(whole.len(), bytes.iter().filter(|byte| **byte == b'\n').count());
        }
    }

    #[test]
    fn an_invalid_line_is_no_built_in_command(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        for charset in [Charset::AsciiStrip, Charset::Utf8, Charset::Bytes] {
            let (text, invalid) = charset.decode(&bytes);
            match Protocol::default().charset(charset).meaning(&bytes) {
                Meaning::Command(command) => {
                    prop_assert_eq!(command.is_invalid(), invalid);
                    prop_assert_eq!(command.text(), text);
                    prop_assert_eq!(command.raw(), &bytes[..]);
                }
                _ => prop_assert!(!invalid),
            }
        }
    }
}

async fn none_one_and_many_replies() {
    let server = Server::new(async |command| -> Vec<String> {
        let count = command.text().parse().unwrap_or(0);
        (0..count).map(|number: usize| number.to_string()).collect()
    });
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("0\n1\n3\nping\n").await;
    for wanted in ["0", "0", "1", "2", "pong"] {
        assert_eq!(client.line().await.unwrap(), wanted);
    }
}

async fn a_session_split_at_every_byte_is_answered_alike() {
    let session = b"ping\r\ncmd01\n\nh\xc3\xa9\xff\r\ndisconnect\n";
    for split in 0..session.len() {
        let (net, running) = serving(&sample()).await;
        let mut client = Raw::connect(&net, &running).await;
        client.send(&session[..split]).await;
        net.sleep(std::time::Duration::from_micros(50)).await;
        client.send(&session[split..]).await;
        let unknown = "nak - unknown cmd\n";
        assert_eq!(
            client.rest().await,
            format!("pong\nack\n{unknown}{unknown}"),
            "split at {split}"
        );
    }
}

async fn many_commands_in_one_packet_are_each_answered_in_order() {
    let server = Server::new(async |command| command.text().to_owned());
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    let count = 20_000;
    let text: String = (0..count).map(|number| format!("{number}\n")).collect();
    client.send(&text[..50_000]).await;
    let rest = text[50_000..].to_owned();
    let (mut reading, writing) = (client, rest);
    // Both directions at once: neither end waits for the other for ever.
    let mut expected = 0;
    for chunk in writing.as_bytes().chunks(10_000) {
        reading.send(chunk).await;
        for _ in 0..1000 {
            assert_eq!(reading.line().await.unwrap(), expected.to_string());
            expected += 1;
        }
    }
    while expected < count {
        assert_eq!(reading.line().await.unwrap(), expected.to_string());
        expected += 1;
    }
}

async fn terminators_are_what_was_set() {
    for (terminator, wanted) in [(Terminator::Lf, "pong\n"), (Terminator::CrLf, "pong\r\n")] {
        for ping in ["ping\n", "ping\r\n"] {
            let (net, running) = serving(&sample().terminator(terminator)).await;
            let mut client = Raw::connect(&net, &running).await;
            client.send(ping).await;
            client.finish().await;
            assert_eq!(client.rest().await, wanted);
        }
    }
    let record = Record::default();
    let (net, running) = serving(&record.server().strict_lf()).await;
    Raw::connect(&net, &running).await.ask("ping\r").await.unwrap();
    assert_eq!(record.all()[1], "ping\r");
}

/// `printf 'ping\r\n' | nc`: everything that came before the end is answered, then comes ours.
async fn half_close_is_the_end_of_the_input() {
    let server = Server::new(async |command| {
        // An answer that takes its time.
        net().sleep(std::time::Duration::from_millis(5)).await;
        format!("{}!", command.text())
    });
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("ping\r\na\nb\nc\n").await;
    client.finish().await;
    assert_eq!(client.rest().await, "pong\na!\nb!\nc!\n");
    assert!(running.is_running());
    running.stop(LIMIT).await;
}

/// What waits holds up nothing that was answered before it, and the client sees parts of an answer as they come.
async fn a_handler_that_waits_lets_earlier_replies_go() {
    let server = Server::with_handler(|| Counter);
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("ping\ncount\n").await;
    assert_eq!(client.line().await.unwrap(), "pong");
    let began = net.now();
    for number in 0..3_u128 {
        assert_eq!(client.line().await.unwrap(), number.to_string());
        // But for the time that a line takes on its way.
        let off = (net.now() - began).as_millis().abs_diff(number * 10_000);
        assert!(off < 1000, "{off} ms off");
    }
}

struct Counter;

impl oneline::Handler for Counter {
    async fn command(
        &mut self,
        _: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        for number in 0..3 {
            replies.push(number.to_string())?;
            assert_eq!(replies.count(), number + 1);
            net().sleep(std::time::Duration::from_secs(10)).await;
        }
        Ok(())
    }
}

async fn a_handler_may_answer_at_once_or_later() {
    let (net, running) = serving(&Server::with_handler(|| Both)).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("1\nlater\nping\n2\npanic\nfail\nlf\nlater\n").await;
    let wanted = [
        "1 at once",
        "later",
        "pong",
        "2 at once",
        "error: internal error, see the server's log",
        "error: as you wished",
    ];
    for wanted in wanted {
        assert_eq!(client.line().await.unwrap(), wanted);
    }
    assert!(client.line().await.unwrap().contains("must not contain LF"));
    assert_eq!(client.line().await.unwrap(), "later");
}

struct Both;

impl oneline::Handler for Both {
    async fn command(
        &mut self,
        command: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        net().sleep(std::time::Duration::from_micros(1)).await;
        Ok(replies.push(command.text())?)
    }

    fn at_once(
        &mut self,
        command: &oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Option<Result<(), oneline::HandlerError>> {
        match command.text() {
            "later" => None,
            "panic" => panic!("at once"),
            "fail" => Some(Err("as you wished".into())),
            "lf" => Some(replies.push("a\nb").map_err(Into::into)),
            text => Some(replies.push(format!("{text} at once")).map_err(Into::into)),
        }
    }
}
