//! What a client of one model says to a server of another, byte for byte.
//!
//! All five servers do the same job, each in its own protocol: they give back each text in capital letters. A client
//! that has no protocol of its own for a server speaks that server's; a [`Talk`] has its bytes, and those of the answers.
//!
//! Two of the client models cut what they send and receive into units of their own, and still speak all five protocols:
//! * `oneline` sends and receives lines, so everything ends with LF: texts do, and so do system bytes of HSMS.
//! * `hsms` sends and receives frames of at least ten bytes behind their length. To a server of lines or plain bytes a
//!   frame is bytes like any other; to one of packets it is a packet.

use hsms::{ConnectionOptions, Header, Item, SessionOptions, StreamFunction, Timers, frame};

use super::{LIMIT, Model, Result};

/// Are you there?
pub(super) const ARE_YOU_THERE: StreamFunction = StreamFunction::new(1, 1);
/// A text, to be given back in capital letters: streams from 64 on are the user's.
pub const SHOUT: StreamFunction = StreamFunction::new(64, 1);
/// What the equipment calls itself.
pub(super) const MODEL_NAME: [&str; 2] = ["MATRIX", "1.0"];

/// Sessions that no machine is too slow for.
pub(super) fn patient_host() -> ConnectionOptions {
    let timers = Timers::default().t3(LIMIT).t6(LIMIT).t7(LIMIT).t8(LIMIT);
    ConnectionOptions::from(SessionOptions::new(0).timers(timers)).linger(LIMIT)
}

/// A conversation: rounds, one after the other, and what is said before leaving.
#[derive(Clone, Debug)]
pub struct Talk {
    /// What is sent, and exactly what comes back.
    pub rounds: Vec<Round>,
    /// What is sent last; the server then ends the connection, or the client does.
    pub farewell: Vec<u8>,
    /// How many texts the server is asked for.
    pub texts: usize,
}

/// Bytes, and their answer.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// What the client sends.
    pub send: Vec<u8>,
    /// What the server answers.
    pub expect: Vec<u8>,
}

impl Talk {
    /// What a client of this model says to this server, to have these texts in capital letters.
    ///
    /// # Errors
    /// If a text is too long for a protocol.
    pub fn new(client: Model, server: Model, texts: &[String]) -> Result<Self> {
        Ok(match (server, client) {
            (Model::SimIo, _) => messages(texts, client == Model::Oneline)?,
            (Model::Hsms, _) => session(texts)?,
            (_, Model::Hsms) => frames(texts)?,
            (Model::Oneline, _) => lines(texts, Some(("ping\n", "pong\n")), "disconnect\n"),
            (Model::Components | Model::Statechart, _) => lines(texts, None, ""),
        })
    }

    /// How many bytes the answers have.
    pub fn answer_length(&self) -> usize {
        self.rounds.iter().map(|round| round.expect.len()).sum()
    }
}

/// What every server does with a text.
pub(super) fn shout(text: &str) -> String {
    text.to_ascii_uppercase()
}

/// A line for each text.
fn lines(texts: &[String], greeting: Option<(&str, &str)>, farewell: &str) -> Talk {
    let greeting = greeting.map(|(send, expect)| Round {
        send: send.into(),
        expect: expect.into(),
    });
    let line = |text: &String| Round {
        send: format!("{text}\n").into_bytes(),
        expect: format!("{}\n", shout(text)).into_bytes(),
    };
    Talk {
        rounds: greeting.into_iter().chain(texts.iter().map(line)).collect(),
        farewell: farewell.into(),
        texts: texts.len(),
    }
}

/// A packet with `[0, id, text]` for each text.
///
/// For a client of lines a second request follows each. JSON may end with white space, so that one ends with LF; and its
/// answer has ten bytes, so that its length does.
fn messages(texts: &[String], for_lines: bool) -> Result<Talk> {
    let packet = |kind: u8, id: usize, text: &str, end: &str| -> Result<Vec<u8>> {
        let content = format!("[{kind},{id},{}]{end}", serde_json::to_string(text)?);
        let length = u32::try_from(content.len())?.to_be_bytes();
        Ok([&length[..], content.as_bytes()].concat())
    };
    let mut rounds = Vec::new();
    // What is left of an answer whose length was read as the end of a line.
    let mut rest = Vec::new();
    let mut id = 0;
    for text in texts {
        let mut round = Round {
            send: packet(0, id, text, "")?,
            expect: [std::mem::take(&mut rest), packet(1, id, &shout(text), "")?].concat(),
        };
        id += 1;
        if for_lines {
            let filling = &"ok!"[..3_usize.saturating_sub(id.to_string().len())];
            round.send.extend(packet(0, id, filling, "\n")?);
            let mut answer = packet(1, id, &shout(filling), "")?;
            rest = answer.split_off(4);
            round.expect.extend(answer);
            id += 1;
        }
        rounds.push(round);
    }
    Ok(Talk {
        rounds,
        farewell: Vec::new(),
        texts: id,
    })
}

/// Select, S1F1 and a text in one write, Linktest, a message for each text, Separate.
fn session(texts: &[String]) -> Result<Talk> {
    // The low byte is LF.
    let mut system = 0x0A;
    let mut next = || {
        system += 0x100;
        system
    };
    let one = |header: &Header, text: &[u8]| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        frame::encode(header, text, &mut bytes)?;
        Ok(bytes)
    };
    let select = Header::select_req(Header::CONTROL, next());
    let mut rounds = vec![Round {
        send: one(&select, b"")?,
        expect: one(&Header::select_rsp(&select, hsms::SelectStatus::Established), b"")?,
    }];
    let mut there = None;
    for text in texts {
        let mut round = Round::default();
        if there.is_none() {
            let header = Header::data(0, ARE_YOU_THERE, true, next());
            round.send.extend(one(&header, b"")?);
            let name = Item::list(MODEL_NAME.map(Item::ascii));
            round.expect.extend(one(&header.secondary(), &name.into_bytes())?);
            there = Some(header);
        }
        let header = Header::data(0, SHOUT, true, next());
        let item = |text: &str| Item::ascii(format!("{text}\n")).into_bytes();
        round.send.extend(one(&header, &item(text))?);
        round.expect.extend(one(&header.secondary(), &item(&shout(text)))?);
        rounds.push(round);
    }
    let linktest = Header::linktest_req(next());
    rounds.push(Round {
        send: one(&linktest, b"")?,
        expect: one(&Header::linktest_rsp(&linktest), b"")?,
    });
    Ok(Talk {
        rounds,
        farewell: one(&Header::separate_req(Header::CONTROL, next()), b"")?,
        texts: texts.len(),
    })
}

/// A frame for each text, to a server that takes any bytes and makes capital letters of those that have them.
fn frames(texts: &[String]) -> Result<Talk> {
    let mut rounds = Vec::new();
    for (number, text) in (1..).zip(texts) {
        let header = Header::data(0, SHOUT, true, number);
        let (mut send, mut expect) = (Vec::new(), Vec::new());
        frame::encode(&header, format!("{text}\n").as_bytes(), &mut send)?;
        frame::encode(&header, format!("{}\n", shout(text)).as_bytes(), &mut expect)?;
        rounds.push(Round { send, expect });
    }
    Ok(Talk {
        rounds,
        farewell: Vec::new(),
        texts: texts.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_lines_gets_whole_lines_from_every_server() {
        let texts = ["open valve 3".to_owned(), "dose 12 ml".to_owned()];
        for server in Model::ALL {
            let talk = Talk::new(Model::Oneline, server, &texts).unwrap();
            for round in &talk.rounds {
                assert_eq!(
                    (round.send.last(), round.expect.last()),
                    (Some(&b'\n'), Some(&b'\n')),
                    "{server}: {round:?}"
                );
            }
        }
    }

    #[test]
    fn a_client_of_frames_sends_whole_frames_to_every_server() {
        for server in Model::ALL {
            let talk = Talk::new(Model::Hsms, server, &["open valve 3".to_owned()]).unwrap();
            for round in &talk.rounds {
                for mut bytes in [&round.send[..], &round.expect[..]] {
                    while let Some((length, rest)) = bytes.split_first_chunk() {
                        let length = u32::from_be_bytes(*length) as usize;
                        assert!(length >= Header::LENGTH, "{server}");
                        bytes = rest.get(length..).expect("a whole frame");
                    }
                    assert!(bytes.is_empty());
                }
            }
        }
    }
}
