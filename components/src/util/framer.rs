//! Frames with a tag and a length, for streams of bytes: `<tag> <length>` LF `<data>`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox, Signal};

/// The largest frame that is taken, if nobody says otherwise.
const LARGEST: usize = 16 * 1024 * 1024;

/// The longest line before the data: two numbers of 64 bits.
const LONGEST_HEAD: usize = 42;

/// Puts each message into a frame: its tag and length as text, LF, and the data.
#[derive(Boxes, Debug, Default)]
pub struct Framer {
    /// Tags and data.
    inbox: Inbox<(u64, Bytes)>,
    /// A frame each.
    outbox: Outbox<Bytes>,
}

impl Framer {
    /// One of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Component for Framer {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some((tag, data)) = self.inbox.recv().await {
            self.outbox.send(frame(tag, &data)).await?;
        }
        Ok(())
    }
}

/// One frame.
fn frame(tag: u64, data: &[u8]) -> Bytes {
    let head = format!("{tag} {}\n", data.len());
    let mut frame = BytesMut::with_capacity(head.len() + data.len());
    frame.put_slice(head.as_bytes());
    frame.put_slice(data);
    frame.freeze()
}

/// Takes frames apart, whatever pieces they come in.
///
/// What is no frame fails it; with [`one_per_message`](Self::one_per_message) it is told by `signal` and left out.
#[derive(Boxes, Debug)]
pub struct DeFramer {
    /// Frames.
    inbox: Inbox<Bytes>,
    /// Tags and data.
    outbox: Outbox<(u64, Bytes)>,
    largest: usize,
    whole: bool,
}

impl Default for DeFramer {
    fn default() -> Self {
        Self::new()
    }
}

impl DeFramer {
    /// One for a stream of bytes, with frames of 16 MiB at most.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            largest: LARGEST,
            whole: false,
        }
    }

    /// Sets how many bytes of data a frame may have. Default: 16 MiB.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Each message is one whole frame, as a [`DataDeChunker`](super::DataDeChunker) sends them: one that is damaged is
    /// told by `signal`, as a [`Signal::ErrorInformation`], and the next one is taken as ever.
    #[must_use]
    pub fn one_per_message(mut self) -> Self {
        self.whole = true;
        self
    }
}

impl Component for DeFramer {
    async fn main(mut self, mut context: Context) -> Outcome {
        let mut rest = BytesMut::new();
        while let Some(bytes) = self.inbox.recv().await {
            rest.extend_from_slice(&bytes);
            if self.whole {
                let found = take(&mut rest, self.largest);
                let error = match found {
                    Ok(Some(frame)) if rest.is_empty() => {
                        self.outbox.send(frame).await?;
                        continue;
                    }
                    Ok(Some(_)) => FrameError::Surplus(rest.len()),
                    Ok(None) => FrameError::Short(rest.len()),
                    Err(error) => error,
                };
                rest.clear();
                context.signal(Signal::ErrorInformation {
                    caller: context.name().clone(),
                    error: error.into(),
                });
            } else {
                while let Some(frame) = take(&mut rest, self.largest)? {
                    self.outbox.send(frame).await?;
                }
            }
        }
        if !rest.is_empty() && !context.is_stopped() {
            return Err(FrameError::Short(rest.len()).into());
        }
        Ok(())
    }
}

/// The first frame, taken off; none if it is not whole yet.
fn take(from: &mut BytesMut, largest: usize) -> Result<Option<(u64, Bytes)>, FrameError> {
    let head = from.get(..LONGEST_HEAD).unwrap_or(from);
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        let possible = head.iter().all(|byte| byte.is_ascii_digit() || *byte == b' ');
        return if possible && head.len() < LONGEST_HEAD {
            Ok(None)
        } else {
            Err(FrameError::Head)
        };
    };
    let numbers = head.get(..end).and_then(|line| std::str::from_utf8(line).ok());
    let (tag, length) = numbers.and_then(|line| line.split_once(' ')).ok_or(FrameError::Head)?;
    // Digits only: `parse` would take a sign.
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse::<u64>().ok())
            .flatten()
            .ok_or(FrameError::Head)
    };
    let (tag, length) = (number(tag)?, number(length)?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > largest {
        return Err(FrameError::TooLarge { length, largest });
    }
    if from.len() - end - 1 < length {
        return Ok(None);
    }
    from.advance(end + 1);
    Ok(Some((tag, from.split_to(length).freeze())))
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It does not begin with two numbers and a line's end.
    Head,
    /// It is larger than is taken.
    TooLarge {
        /// Its bytes.
        length: usize,
        /// How many are taken.
        largest: usize,
    },
    /// It ended after so many bytes, and should be longer.
    Short(usize),
    /// So many bytes follow it.
    Surplus(usize),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("a frame does not begin with its tag, its length and a line's end"),
            Self::TooLarge { length, largest } => write!(f, "a frame of {length} bytes; {largest} are taken"),
            Self::Short(length) => write!(f, "the end came inside a frame, after {length} bytes of it"),
            Self::Surplus(length) => write!(f, "{length} bytes follow a frame"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_back_whatever_pieces_they_come_in(
            frames in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..50)), 0..5),
            cut in 1_usize..20,
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(|(tag, data)| frame(*tag, data)).collect();
            let (mut rest, mut found) = (BytesMut::new(), Vec::new());
            for piece in stream.chunks(cut) {
                rest.extend_from_slice(piece);
                while let Some((tag, data)) = take(&mut rest, LARGEST).unwrap() {
                    found.push((tag, data.to_vec()));
                }
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(found, frames);
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut rest = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut rest, 10) {}
        }
    }

    #[test]
    fn damage_is_told() {
        let error = |text: &str| take(&mut BytesMut::from(text), 10).unwrap_err();
        assert_eq!(error("x"), FrameError::Head);
        assert_eq!(error("1\n"), FrameError::Head);
        assert_eq!(error("+1 2\nab"), FrameError::Head);
        assert_eq!(error(&"1".repeat(42)), FrameError::Head);
        assert_eq!(
            error("1 11\n"),
            FrameError::TooLarge {
                length: 11,
                largest: 10
            }
        );
        assert_eq!(frame(7, b"ab"), "7 2\nab");
    }
}
