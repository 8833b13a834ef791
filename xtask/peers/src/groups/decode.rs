//! Cutting frames out of a stream, without I/O.
//!
//! 1 MiB of frames is fed in pieces of 16 KiB, and each decoder copies the piece into a buffer of its own, as a read
//! would. Only the yardstick scans the stream in place: it is the limit.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::framing::Framing;
use crate::harness::{Comparison, Measure, Row, Sample};
use bytes::BytesMut;
use memchr::memchr;
use std::hint::black_box;
use std::time::Instant;
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec, LinesCodec};

const STREAM: usize = 1 << 20;
const PIECE: usize = 16 * 1024;

/// A way to cut a stream. It is fed the whole stream, and shows the content of each frame: a line without its LF, a body
/// without its length.
pub trait Cut {
    /// Before the first stream.
    fn new(framing: Framing) -> Self;

    /// Takes one stream.
    ///
    /// # Errors
    /// If the decoder finds fault with it.
    fn stream(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Outcome<()>;
}

/// Makes the tables for lines.
///
/// # Errors
/// If the streams can't be made.
pub fn lines() -> Outcome<Vec<Comparison>> {
    [16, 256, 65_536].into_iter().map(|size| line_table(size)).collect()
}

fn line_table(size: usize) -> Outcome<Comparison> {
    let framing = Framing::Line;
    let rows = vec![
        row::<InPlace>("memchr in place", framing, size)?,
        row::<Cursor>("cursor buffer, lent", framing, size)?,
        row::<Freeze>("BytesMut, split().freeze()", framing, size)?,
        row::<Lines>("LinesCodec", framing, size)?,
    ];
    Ok(table("line-decode", size, rows))
}

/// Makes the tables for length-prefixed frames.
///
/// # Errors
/// If the streams can't be made.
pub fn lengths() -> Outcome<Vec<Comparison>> {
    [14, 256, 65_536].into_iter().map(|size| length_table(size)).collect()
}

fn length_table(size: usize) -> Outcome<Comparison> {
    let framing = Framing::Length;
    let rows = vec![
        row::<InPlace>("slice walk in place", framing, size)?,
        row::<Cursor>("cursor buffer, lent", framing, size)?,
        row::<Freeze>("BytesMut, split().freeze()", framing, size)?,
        row::<LengthDelimited>("LengthDelimitedCodec", framing, size)?,
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
    let stream = framing.samples(size, STREAM)?;
    let count = (STREAM / size) as u64;
    let content = (size - if framing == Framing::Line { 1 } else { 4 }) as u64;
    Ok(Row::new(name, move |effort| {
        let mut cut = C::new(framing);
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

fn verify(cut: &mut impl Cut, framing: Framing, stream: &[u8]) -> Outcome<()> {
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
    fn new(framing: Framing) -> Self {
        Self(framing)
    }

    fn stream(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
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
    fn new(framing: Framing) -> Self {
        Self {
            framing,
            buffer: Vec::with_capacity(PIECE),
            searched: 0,
        }
    }

    fn stream(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
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
    fn new(framing: Framing) -> Self {
        Self {
            framing,
            buffer: BytesMut::with_capacity(PIECE),
            searched: 0,
        }
    }

    fn stream(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
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
    fn new(_: Framing) -> Self {
        Self {
            codec: LinesCodec::new(),
            buffer: BytesMut::with_capacity(PIECE),
        }
    }

    fn stream(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
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
    fn new(_: Framing) -> Self {
        Self {
            codec: LengthDelimitedCodec::new(),
            buffer: BytesMut::with_capacity(PIECE),
        }
    }

    fn stream(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Outcome<()> {
        for piece in bytes.chunks(PIECE) {
            self.buffer.extend_from_slice(piece);
            while let Some(body) = self.codec.decode(&mut self.buffer)? {
                each(&body);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<C: Cut>(framing: Framing, size: usize) {
        let stream = framing.samples(size, 300_000).unwrap();
        let mut cut = C::new(framing);
        for _ in 0..3 {
            verify(&mut cut, framing, &stream).unwrap();
        }
    }

    #[test]
    fn every_way_finds_the_same_frames() {
        for size in [16, 255, 4096, 40_000] {
            check::<Lines>(Framing::Line, size);
            check::<LengthDelimited>(Framing::Length, size);
            for framing in [Framing::Line, Framing::Length] {
                check::<InPlace>(framing, size);
                check::<Cursor>(framing, size);
                check::<Freeze>(framing, size);
            }
        }
    }
}
