//! Chunks that can be found in the middle of a stream: each begins with a mark that occurs nowhere else.

use std::collections::VecDeque;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Failure, Inbox, Outbox};

/// The mark, if nobody says otherwise.
const SYNC: &[u8] = &[b'X'; 24];

/// The largest chunk that is gathered, if nobody says otherwise.
const LARGEST: usize = 16 * 1024 * 1024;

/// Puts a mark before each message. In the data `%`, and each byte that the mark has, is written as `%` and two
/// hexadecimal digits, so that the mark occurs nowhere else.
#[derive(Boxes, Debug)]
pub struct DataChunker {
    /// Data.
    inbox: Inbox<Bytes>,
    /// The mark, and the data.
    outbox: Outbox<Bytes>,
    sync: Bytes,
}

/// Finds chunks in a stream, whatever pieces it comes in. What comes before the first mark is no chunk, and dropped.
///
/// The end of a chunk is known when the next one begins, when anything comes at `flush`, or when the producer has
/// finished.
#[derive(Boxes, Debug)]
pub struct DataDeChunker<A: Send + 'static = ()> {
    /// A stream of chunks.
    inbox: Inbox<Bytes>,
    /// Anything: the last chunk is whole.
    flush: Inbox<A>,
    /// The data of a chunk each.
    outbox: Outbox<Bytes>,
    sync: Bytes,
    largest: usize,
}

impl Default for DataChunker {
    /// With 24 times `X` as the mark, as in Kamaelia.
    fn default() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            sync: Bytes::from_static(SYNC),
        }
    }
}

impl DataChunker {
    /// With 24 times `X` as the mark, as in Kamaelia.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the mark.
    ///
    /// # Errors
    /// [`BadSync`].
    pub fn sync(mut self, mark: impl Into<Bytes>) -> Result<Self, BadSync> {
        self.sync = checked(mark.into())?;
        Ok(self)
    }
}

impl Component for DataChunker {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(data) = self.inbox.recv().await {
            self.outbox.send(chunk(&self.sync, &data)).await?;
        }
        Ok(())
    }
}

impl<A: Send + 'static> Default for DataDeChunker<A> {
    fn default() -> Self {
        Self {
            inbox: Inbox::new(),
            flush: Inbox::new(),
            outbox: Outbox::new(),
            sync: Bytes::from_static(SYNC),
            largest: LARGEST,
        }
    }
}

impl DataDeChunker {
    /// With 24 times `X` as the mark, and chunks of 16 MiB at most.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<A: Send + 'static> DataDeChunker<A> {
    /// Sets the mark.
    ///
    /// # Errors
    /// [`BadSync`].
    pub fn sync(mut self, mark: impl Into<Bytes>) -> Result<Self, BadSync> {
        self.sync = checked(mark.into())?;
        Ok(self)
    }

    /// Sets how many bytes, as they are written, a chunk may have; a larger one fails it. Default: 16 MiB.
    #[must_use]
    pub fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Where anything tells that the last chunk is whole.
    pub fn flush(&self) -> &Inbox<A> {
        &self.flush
    }
}

impl<A: Send + 'static> Component for DataDeChunker<A> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut finder = Finder::new(self.sync.clone());
        let mut chunks = VecDeque::new();
        loop {
            let Self { inbox, flush, .. } = &mut self;
            // Data first: what was sent before a flush is flushed.
            let come = async { Some(inbox.recv().await) };
            let flushed = async {
                match flush.recv().await {
                    Some(_) => None,
                    None => std::future::pending().await,
                }
            };
            match crate::first(come, flushed).await {
                Some(Some(bytes)) => finder.push(&bytes, &mut chunks)?,
                Some(None) => break,
                None => finder.flush(&mut chunks)?,
            }
            if finder.rest.len() > self.largest {
                let message = format!("a chunk has more than {} bytes", self.largest);
                return Err(Failure::new(message));
            }
            self.outbox.send_all(&mut chunks).await?;
        }
        if !context.is_stopped() {
            finder.flush(&mut chunks)?;
            self.outbox.send_all(&mut chunks).await?;
        }
        Ok(())
    }
}

/// One chunk.
fn chunk(sync: &[u8], data: &[u8]) -> Bytes {
    let mut chunk = BytesMut::with_capacity(sync.len() + data.len());
    chunk.put_slice(sync);
    for byte in data {
        if *byte == b'%' || sync.contains(byte) {
            chunk.put_slice(format!("%{byte:02x}").as_bytes());
        } else {
            chunk.put_u8(*byte);
        }
    }
    chunk.freeze()
}

/// Finds chunks.
#[derive(Debug)]
struct Finder {
    sync: Bytes,
    rest: BytesMut,
    /// A mark has been seen, and `rest` begins after it.
    inside: bool,
    /// Where in `rest` no mark begins.
    seen: usize,
}

impl Finder {
    fn new(sync: Bytes) -> Self {
        Self {
            sync,
            rest: BytesMut::new(),
            inside: false,
            seen: 0,
        }
    }

    fn push(&mut self, bytes: &[u8], chunks: &mut VecDeque<Bytes>) -> Result<(), Failure> {
        self.rest.extend_from_slice(bytes);
        loop {
            let unseen = self.rest.get(self.seen..).unwrap_or_default();
            let Some(at) = unseen.windows(self.sync.len()).position(|window| window == self.sync) else {
                // A mark may have begun in the last bytes.
                self.seen = self.rest.len().saturating_sub(self.sync.len() - 1).max(self.seen);
                if !self.inside {
                    drop(self.rest.split_to(self.seen));
                    self.seen = 0;
                }
                return Ok(());
            };
            let before = self.rest.split_to(self.seen + at);
            drop(self.rest.split_to(self.sync.len()));
            self.seen = 0;
            if std::mem::replace(&mut self.inside, true) {
                chunks.push_back(plain(&before)?);
            }
        }
    }

    /// The last chunk is whole.
    fn flush(&mut self, chunks: &mut VecDeque<Bytes>) -> Result<(), Failure> {
        if std::mem::replace(&mut self.inside, false) {
            chunks.push_back(plain(&self.rest.split())?);
        }
        self.seen = 0;
        Ok(())
    }
}

/// What the data were before they were written.
fn plain(written: &[u8]) -> Result<Bytes, Failure> {
    let mut data = BytesMut::with_capacity(written.len());
    let mut bytes = written.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            data.put_u8(*byte);
            continue;
        }
        let mut digit = || char::from(*bytes.next()?).to_digit(16);
        match (digit(), digit()) {
            (Some(high), Some(low)) => data.put_u8((high * 16 + low) as u8),
            _ => return Err(Failure::new("a chunk has a % that no two hexadecimal digits follow")),
        }
    }
    Ok(data.freeze())
}

/// A mark that can't be told from data: an empty one, or one with `%` or hexadecimal digits, which stand for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSync(Bytes);

impl fmt::Display for BadSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no mark for chunks: it must not be empty, and have no % and no hexadecimal digit",
            self.0
        )
    }
}

impl std::error::Error for BadSync {}

fn checked(sync: Bytes) -> Result<Bytes, BadSync> {
    let bad = |byte: &u8| *byte == b'%' || byte.is_ascii_hexdigit();
    if sync.is_empty() || sync.iter().any(bad) {
        return Err(BadSync(sync));
    }
    Ok(sync)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_come_back_whatever_pieces_they_come_in(
            data in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), Just(b'X'), Just(b'%')], 0..40), 0..5),
            noise in "[a-w]{0,5}",
            cut in 1_usize..9,
        ) {
            let sync = Bytes::from_static(b"XYX");
            let mut stream = noise.into_bytes();
            stream.extend(data.iter().flat_map(|data| chunk(&sync, data)));
            let (mut finder, mut found) = (Finder::new(sync), VecDeque::new());
            for piece in stream.chunks(cut) {
                finder.push(piece, &mut found).unwrap();
            }
            finder.flush(&mut found).unwrap();
            let found: Vec<_> = found.iter().map(|chunk| chunk.to_vec()).collect();
            prop_assert_eq!(found, data);
        }

        #[test]
        fn any_bytes_are_chunks_or_an_error(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'X'), Just(b'%')], 0..100)) {
            let (mut finder, mut found) = (Finder::new(Bytes::from_static(b"X")), VecDeque::new());
            let _ = finder.push(&bytes, &mut found);
            let _ = finder.flush(&mut found);
        }
    }

    #[test]
    fn a_chunk_is_written_as_ever() {
        assert_eq!(chunk(b"XY", b"a%XbY"), "XYa%25%58b%59");
        assert!(checked(Bytes::from_static(b"a")).is_err() && checked(Bytes::new()).is_err());
        assert!(plain(b"%5").is_err() && plain(b"%zz").is_err());
    }
}
