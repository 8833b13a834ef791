//! Cutting frames out of a stream, without I/O.
//!
//! 1 MiB of frames is fed in pieces of 16 KiB, and each decoder copies the piece into a buffer of its own, as a read
//! would. Only the yardstick scans the stream in place: it is the limit.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::feed::Feed;
use crate::framing::Framing;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::target::Bound::AtMost;
use crate::target::Target;
use bytes::BytesMut;
use memchr::memchr;
use net_core::framing::{Framing as Rules, LengthPrefix, Line};
use net_core::{Frame, Framed};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec, LinesCodec};

const STREAM: usize = 1 << 20;
const PIECE: usize = 16 * 1024;

const CURSOR: &str = "cursor buffer, lent";
const LINES: &str = "LinesCodec";
const LENGTHS: &str = "LengthDelimitedCodec";

/// A way to cut a stream. It is fed the whole stream, and shows the content of each frame: a line without its LF, a body
/// without its length.
pub trait Cut {
    /// Before the first stream.
    ///
    /// # Errors
    /// If there is none.
    fn new(framing: Framing) -> Outcome<Self>
    where
        Self: Sized;

    /// Takes one stream.
    ///
    /// # Errors
    /// If the decoder finds fault with it.
    fn stream(&mut self, bytes: &Arc<[u8]>, each: impl FnMut(&[u8])) -> Outcome<()>;
}

/// Makes the tables for lines.
///
/// # Errors
/// If the streams can't be made.
pub fn lines() -> Outcome<Vec<Comparison>> {
    [16, 256, 4096, 65_536, STREAM]
        .into_iter()
        .map(|size| line_table(size))
        .collect()
}

fn line_table(size: usize) -> Outcome<Comparison> {
    let framing = Framing::Line;
    let mut lent = row::<Lent>("net-core, lent", framing, size)?;
    match size {
        16 => {
            lent = lent
                .target(Target::ratio(AtMost(1.25)))
                .target(Target::times_better(LINES, 5.0));
        }
        65_536 => lent = lent.target(Target::ratio_to(CURSOR, AtMost(1.2))),
        _ => {}
    }
    let rows = vec![
        row::<InPlace>("memchr in place", framing, size)?,
        row::<Cursor>(CURSOR, framing, size)?,
        lent,
        row::<Buffered>("net-core, lent, next_buffered", framing, size)?,
        row::<Owned>("net-core, owned", framing, size)?,
        row::<Freeze>("BytesMut, split().freeze()", framing, size)?,
        row::<Lines>(LINES, framing, size)?,
    ];
    Ok(table("line-decode", size, rows))
}

/// Makes the tables for length-prefixed frames.
///
/// # Errors
/// If the streams can't be made.
pub fn lengths() -> Outcome<Vec<Comparison>> {
    [14, 256, 4096, 65_536, STREAM]
        .into_iter()
        .map(|size| length_table(size))
        .collect()
}

fn length_table(size: usize) -> Outcome<Comparison> {
    let framing = Framing::Length;
    let mut lent = row::<Lent>("net-core, lent", framing, size)?;
    if size == 14 {
        lent = lent
            .target(Target::ratio(AtMost(1.5)))
            .target(Target::times_better(LENGTHS, 5.0));
    }
    let owned = row::<Owned>("net-core, owned", framing, size)?;
    let rows = vec![
        row::<InPlace>("slice walk in place", framing, size)?,
        row::<Cursor>(CURSOR, framing, size)?,
        lent,
        row::<Buffered>("net-core, lent, next_buffered", framing, size)?,
        owned.target(Target::ratio_to(LENGTHS, AtMost(1.0))),
        row::<Freeze>("BytesMut, split().freeze()", framing, size)?,
        row::<LengthDelimited>(LENGTHS, framing, size)?,
    ];
    Ok(table("length-decode", size, rows))
}

fn table(group: &str, size: usize, rows: Vec<Row>) -> Comparison {
    Comparison {
        name: format!("{group}/{size}"),
        operation: "frame",
        measure: Measure::Cpu,
        about: format!("Frames of {size} bytes in all; 1 MiB in pieces of 16 KiB. One thread, its own processor time."),
        rows,
    }
}

/// A row. Before it is timed, every frame is compared with the one that the stream was made of; while it is timed,
/// frames and bytes are counted.
fn row<C: Cut + 'static>(name: &str, framing: Framing, size: usize) -> Outcome<Row> {
    let stream: Arc<[u8]> = framing.samples(size, STREAM)?.into();
    let count = (STREAM / size) as u64;
    let content = (size - if framing == Framing::Line { 1 } else { 4 }) as u64;
    Ok(Row::new(name, move |effort| {
        let mut cut = C::new(framing)?;
        verify(&mut cut, framing, &stream)?;
        let mut pass = || -> Outcome<u64> {
            let (mut frames, mut bytes) = (0, 0);
            cut.stream(black_box(&stream), |frame| {
                frames += 1;
                bytes += black_box(frame).len() as u64;
            })?;
            if frames == count && bytes == count * content {
                Ok(frames)
            } else {
                Err(format!("{frames} frames of {bytes} bytes in all, not {count} of {content} each").into())
            }
        };
        let warm = Instant::now();
        while warm.elapsed() < effort.warm_up {
            pass()?;
        }
        let mut frames = 0;
        let meter = Meter::start(Account::ThisThread)?;
        let start = Instant::now();
        while start.elapsed() < effort.sample {
            frames += pass()?;
        }
        Ok(Sample::new(frames, meter.stop()?))
    }))
}

fn verify(cut: &mut impl Cut, framing: Framing, stream: &Arc<[u8]>) -> Outcome<()> {
    let mut expected = Vec::new();
    framing.walk(stream, |frame| expected.push(content(framing, frame).to_vec()));
    let (mut seen, mut same) = (0, true);
    cut.stream(stream, |frame| {
        same &= expected.get(seen).is_some_and(|expected| expected == frame);
        seen += 1;
    })?;
    if same && seen == expected.len() {
        Ok(())
    } else {
        Err("the frames are not those of the stream".into())
    }
}

fn content(framing: Framing, frame: &[u8]) -> &[u8] {
    match framing {
        Framing::Line => &frame[..frame.len() - 1],
        Framing::Length => &frame[4..],
    }
}

struct InPlace(Framing);

impl Cut for InPlace {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self(framing))
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        let framing = self.0;
        framing.walk(bytes, |frame| each(content(framing, frame)));
        Ok(())
    }
}

/// One reused buffer with two cursors: where the next frame starts, and how far it was searched.
struct Cursor {
    framing: Framing,
    buffer: Vec<u8>,
    searched: usize,
}

impl Cut for Cursor {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self {
            framing,
            buffer: Vec::with_capacity(PIECE),
            searched: 0,
        })
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        let framing = self.framing;
        for piece in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            let used = match framing {
                Framing::Length => framing.walk(&self.buffer, |frame| each(content(framing, frame))),
                Framing::Line => {
                    let mut head = 0;
                    while let Some(end) = memchr(b'\n', &self.buffer[self.searched..]) {
                        let end = self.searched + end;
                        each(&self.buffer[head..end]);
                        head = end + 1;
                        self.searched = head;
                    }
                    self.searched = self.buffer.len() - head;
                    head
                }
            };
            // The unfinished tail moves once per piece, not once per frame.
            let kept = self.buffer.len() - used;
            self.buffer.copy_within(used.., 0);
            self.buffer.truncate(kept);
        }
        Ok(())
    }
}

struct Freeze {
    framing: Framing,
    buffer: BytesMut,
    searched: usize,
}

impl Cut for Freeze {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self {
            framing,
            buffer: BytesMut::with_capacity(PIECE),
            searched: 0,
        })
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        for piece in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            match self.framing {
                Framing::Length => {
                    while let Some(header) = self.buffer.first_chunk::<4>() {
                        let size = 4 + u32::from_be_bytes(*header) as usize;
                        if self.buffer.len() < size {
                            break;
                        }
                        let frame = self.buffer.split_to(size).freeze();
                        each(&frame[4..]);
                    }
                }
                Framing::Line => {
                    while let Some(end) = memchr(b'\n', &self.buffer[self.searched..]) {
                        let end = self.searched + end;
                        let frame = self.buffer.split_to(end + 1).freeze();
                        each(&frame[..end]);
                        self.searched = 0;
                    }
                    self.searched = self.buffer.len();
                }
            }
        }
        Ok(())
    }
}

struct Lines {
    codec: LinesCodec,
    buffer: BytesMut,
}

impl Cut for Lines {
    fn new(_: Framing) -> Outcome<Self> {
        Ok(Self {
            codec: LinesCodec::new(),
            buffer: BytesMut::with_capacity(PIECE),
        })
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        for piece in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            while let Some(line) = self.codec.decode(&mut self.buffer)? {
                each(line.as_bytes());
            }
        }
        Ok(())
    }
}

struct LengthDelimited {
    codec: LengthDelimitedCodec,
    buffer: BytesMut,
}

impl Cut for LengthDelimited {
    fn new(_: Framing) -> Outcome<Self> {
        Ok(Self {
            codec: LengthDelimitedCodec::new(),
            buffer: BytesMut::with_capacity(PIECE),
        })
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        for piece in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            while let Some(body) = self.codec.decode(&mut self.buffer)? {
                each(&body);
            }
        }
        Ok(())
    }
}

/// A `Framed` of net-core that reads from memory.
enum Connection {
    Line(Framed<Line>),
    Length(Framed<LengthPrefix>),
}

struct Source {
    feed: Feed,
    connection: Connection,
}

impl Source {
    fn new(framing: Framing) -> Outcome<Self> {
        let feed = Feed::new(PIECE);
        let Poll::Ready(stream) = poll_once(feed.stream()) else {
            return Err("connecting to memory has to wait".into());
        };
        let stream = stream?;
        let connection = match framing {
            Framing::Line => Connection::Line(Framed::new(stream, Line::default().max(STREAM))),
            Framing::Length => Connection::Length(Framed::new(stream, LengthPrefix::default())),
        };
        Ok(Self { feed, connection })
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, each: impl FnMut(Frame<'_>)) -> Outcome<()> {
        self.feed.fill(bytes);
        match &mut self.connection {
            Connection::Line(framed) => all(framed, each),
            Connection::Length(framed) => all(framed, each),
        }
    }
}

/// Shows every frame until the feed is empty, which is when `next` has to wait.
fn all(framed: &mut Framed<impl Rules>, mut each: impl FnMut(Frame<'_>)) -> Outcome<()> {
    ended(poll_once(async {
        while let Some((frame, _)) = framed.next().await? {
            each(frame);
        }
        Err("the feed has ended".into())
    }))
}

fn ended(outcome: Poll<Outcome<()>>) -> Outcome<()> {
    match outcome {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Ok(()),
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

struct Lent(Source);

impl Cut for Lent {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self(Source::new(framing)?))
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        self.0.stream(bytes, |frame| each(&frame))
    }
}

/// The loop of a program that counts nanoseconds: everything that has been read, before it waits again.
struct Buffered(Source);

impl Cut for Buffered {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self(Source::new(framing)?))
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        self.0.feed.fill(bytes);
        match &mut self.0.connection {
            Connection::Line(framed) => all_buffered(framed, |frame| each(&frame)),
            Connection::Length(framed) => all_buffered(framed, |frame| each(&frame)),
        }
    }
}

fn all_buffered(framed: &mut Framed<impl Rules>, mut each: impl FnMut(Frame<'_>)) -> Outcome<()> {
    ended(poll_once(async {
        while let Some((frame, _)) = framed.next().await? {
            each(frame);
            while let Some((frame, _)) = framed.next_buffered() {
                each(frame);
            }
        }
        Err("the feed has ended".into())
    }))
}

struct Owned(Source);

impl Cut for Owned {
    fn new(framing: Framing) -> Outcome<Self> {
        Ok(Self(Source::new(framing)?))
    }

    fn stream(&mut self, bytes: &Arc<[u8]>, mut each: impl FnMut(&[u8])) -> Outcome<()> {
        self.0.stream(bytes, |frame| each(&frame.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<C: Cut>(framing: Framing, size: usize) {
        let stream = framing.samples(size, 300_000.max(2 * size)).unwrap().into();
        let mut cut = C::new(framing).unwrap();
        for _ in 0..3 {
            verify(&mut cut, framing, &stream).unwrap();
        }
    }

    #[test]
    fn every_way_finds_the_same_frames() {
        for size in [16, 255, 4096, 40_000, STREAM] {
            check::<Lines>(Framing::Line, size);
            check::<LengthDelimited>(Framing::Length, size);
            for framing in [Framing::Line, Framing::Length] {
                check::<InPlace>(framing, size);
                check::<Cursor>(framing, size);
                check::<Freeze>(framing, size);
                check::<Lent>(framing, size);
                check::<Buffered>(framing, size);
                check::<Owned>(framing, size);
            }
        }
    }
}
