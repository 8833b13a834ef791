//! Finds messages whose end two readers could see in two places: those with both `Content-Length` and
//! `Transfer-Encoding`.
//!
//! hyper takes the length out of such a head and believes the chunks, so that the service sees nothing of it. RFC 9112
//! (6.1) allows that, but who stands before us, a proxy for one, may have believed the length: what it took for the body
//! is the next request for us. So the bytes are looked at before hyper has them. They go on unchanged; a [`Follower`] only
//! tells the number of the head that is ambiguous, and the service, which gets the heads in the same order, refuses that
//! one.
//!
//! It need not know what a good message is. Where hyper refuses a message, that ends the connection, and it does not
//! matter where the follower is by then; so it takes whatever hyper takes, and a little more.

use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memchr;

/// Which request of a connection is ambiguous: told by the reading side, asked by the service.
#[derive(Debug)]
pub(super) struct Ambiguity {
    at: AtomicU64,
    /// How many requests the service has seen.
    seen: AtomicU64,
}

impl Ambiguity {
    pub(super) fn new() -> Self {
        Self {
            at: AtomicU64::new(u64::MAX),
            seen: AtomicU64::new(0),
        }
    }

    pub(super) fn tell(&self, head: u64) {
        self.at.store(head, Ordering::Relaxed);
    }

    /// Whether the next request is the ambiguous one.
    pub(super) fn of_next(&self) -> bool {
        self.seen.fetch_add(1, Ordering::Relaxed) == self.at.load(Ordering::Relaxed)
    }

    /// Whether the ambiguous request was among those that the service has seen.
    pub(super) fn was_met(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > self.at.load(Ordering::Relaxed)
    }
}

/// Follows the requests of one connection, however their bytes are cut.
#[derive(Debug)]
pub(super) struct Follower {
    state: State,
    /// How many heads are over.
    heads: u64,
    /// What the present head has said so far.
    length: Option<u64>,
    chunked: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before a request line: empty lines are passed over.
    Before,
    /// Within a line of a head that says nothing here.
    Line,
    /// At the beginning of a line of a head.
    Name,
    /// Within the name of a field that may be this one; what is left of it.
    Called(Field, &'static [u8]),
    /// Within the value of `Content-Length`.
    Length(u64),
    /// Within a body that has so many bytes more.
    Body(u64),
    /// Within the size of a chunk.
    Size(u64),
    /// After a chunk's size, up to the end of its line.
    Extension(u64),
    /// Within a chunk.
    Chunk(u64),
    /// After a chunk, up to the end of its line.
    ChunkEnd,
    /// Within the trailers; whether their line is empty so far, and whether a CR came last.
    Trailer { empty: bool, cr: bool },
    /// An ambiguous head was seen, or what is no HTTP.
    Lost,
}

/// The fields that matter.
#[derive(Clone, Copy, Debug)]
enum Field {
    Length,
    Coding,
}

impl Follower {
    pub(super) fn new() -> Self {
        Self {
            state: State::Before,
            heads: 0,
            length: None,
            chunked: false,
        }
    }

    /// Looks at the next bytes. The number of the first ambiguous head, counted from 0, once its end is among them.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Option<u64> {
        while let [first, rest @ ..] = bytes {
            match &mut self.state {
                State::Line => match memchr(b'\n', bytes) {
                    Some(end) => {
                        bytes = &bytes[end + 1..];
                        self.state = State::Name;
                    }
                    None => return None,
                },
                State::Body(left) | State::Chunk(left) => {
                    let skipped = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    bytes = &bytes[skipped..];
                    *left -= skipped as u64;
                    if *left == 0 {
                        self.state = match self.state {
                            State::Chunk(_) => State::ChunkEnd,
                            _ => State::Before,
                        };
                    }
                }
                State::Lost => return None,
                _ => {
                    bytes = rest;
                    if self.step(*first) {
                        self.state = State::Lost;
                        return Some(self.heads);
                    }
                }
            }
        }
        None
    }

    /// Takes one byte; whether that ends an ambiguous head.
    fn step(&mut self, byte: u8) -> bool {
        self.state = match (self.state, byte) {
            (State::Before, b'\r' | b'\n') => State::Before,
            (State::Before, _) => State::Line,
            // An empty line.
            (State::Name, b'\r') => State::Name,
            (State::Name, b'\n') => {
                let (length, chunked) = (self.length.take(), std::mem::take(&mut self.chunked));
                if length.is_some() && chunked {
                    return true;
                }
                self.heads += 1;
                match length {
                    _ if chunked => State::Size(0),
                    None | Some(0) => State::Before,
                    Some(length) => State::Body(length),
                }
            }
            (State::Name, b'c' | b'C') => State::Called(Field::Length, b"ontent-length"),
            (State::Name, b't' | b'T') => State::Called(Field::Coding, b"ransfer-encoding"),
            (State::Called(field, [next, rest @ ..]), _) if byte.eq_ignore_ascii_case(next) => {
                State::Called(field, rest)
            }
            (State::Called(Field::Length, []), b':') => State::Length(0),
            (State::Called(Field::Coding, []), b':') => {
                self.chunked = true;
                State::Line
            }
            (State::Name | State::Called(..), _) => State::Line,
            (State::Length(length), b'0'..=b'9') => {
                State::Length(length.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
            }
            (State::Length(length), b'\n') => {
                self.length = Some(length);
                State::Name
            }
            (State::Length(length), _) => State::Length(length),
            (State::Size(size), b';' | b' ' | b'\t' | b'\r') => State::Extension(size),
            (State::Size(size), _) => match char::from(byte).to_digit(16) {
                Some(digit) => State::Size(size.saturating_mul(16).saturating_add(u64::from(digit))),
                None => State::Lost,
            },
            (State::Extension(0), b'\n') => State::Trailer { empty: true, cr: false },
            (State::Extension(size), b'\n') => State::Chunk(size),
            (State::Extension(size), _) => State::Extension(size),
            (State::ChunkEnd, b'\n') => State::Size(0),
            (State::ChunkEnd, _) => State::ChunkEnd,
            // These lines end with CR LF, and with nothing less.
            (State::Trailer { empty: true, cr: true }, b'\n') => State::Before,
            (State::Trailer { cr: true, .. }, b'\n') => State::Trailer { empty: true, cr: false },
            (State::Trailer { empty, .. }, b'\r') => State::Trailer { empty, cr: true },
            (State::Trailer { .. }, _) => State::Trailer {
                empty: false,
                cr: false,
            },
            (state @ (State::Line | State::Body(_) | State::Chunk(_) | State::Lost), _) => state,
        };
        false
    }
}
