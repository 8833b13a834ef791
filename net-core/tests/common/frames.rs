//! What a framing makes of bytes, however they are split.

use net_core::framing::{Decoded, FrameFault, Framing};
use net_core::{ErrorKind, Framed, Net, Stream};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::backend::in_jumping_tokio;
use super::poll_once;

/// A frame as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Content(Vec<u8>),
    Fault(FrameFault),
}

pub(crate) fn content(bytes: &[u8]) -> Item {
    Item::Content(bytes.to_vec())
}

pub(crate) fn too_long(limit: usize, length: usize) -> Item {
    Item::Fault(FrameFault::TooLong { limit, length })
}

/// Everything that a framing makes of chunks that arrive one after the other, and how it ends.
pub(crate) fn decode<F: Framing>(framing: &F, chunks: &[&[u8]]) -> (Vec<Item>, Result<(), ErrorKind>) {
    let (mut state, mut unread, mut items) = (F::State::default(), Vec::new(), Vec::new());
    for chunk in chunks {
        unread.extend_from_slice(chunk);
        loop {
            match framing.decode(&mut state, &unread) {
                Ok(Decoded::Frame(found)) => {
                    items.push(content(&unread[found.content]));
                    unread.drain(..found.consumed);
                }
                Ok(Decoded::Fault { fault, consumed }) => {
                    items.push(Item::Fault(fault));
                    unread.drain(..consumed);
                }
                Ok(Decoded::Discard(n)) if n > 0 => drop(unread.drain(..n)),
                Ok(Decoded::Discard(_) | Decoded::More(_)) => break,
                Err(error) => return (items, Err(error.kind())),
            }
        }
    }
    let at_end = framing.at_boundary(&state, &unread);
    (items, if at_end { Ok(()) } else { Err(ErrorKind::Truncated) })
}

/// The same through [`Framed`] over a pipe: each chunk is one read. Lent frames and owned ones must be equal.
pub(crate) fn through_framed<F: Framing>(
    framing: &F,
    chunks: &[&[u8]],
    owned: bool,
) -> (Vec<Item>, Result<(), ErrorKind>) {
    in_jumping_tokio(async {
        let (mut peer, stream) = Stream::pair(&Net::os());
        let mut framed = Framed::new(stream, framing.clone());
        let mut items = Vec::new();
        let mut chunks = chunks.iter().filter(|chunk| !chunk.is_empty());
        let mut open = true;
        loop {
            let frame = match poll_once(&mut Box::pin(framed.next())).await {
                None if !open => panic!("waits although the peer has ended"),
                None => {
                    match chunks.next() {
                        Some(chunk) => peer.write_all(chunk).await.unwrap(),
                        None => {
                            peer.shutdown().await.unwrap();
                            open = false;
                        }
                    }
                    continue;
                }
                Some(Ok(None)) => return (items, Ok(())),
                Some(Err(error)) => return (items, Err(error.kind())),
                Some(Ok(Some((frame, _)))) => match frame.fault() {
                    Some(fault) => Item::Fault(fault),
                    None if owned => Item::Content(frame.into_bytes().into()),
                    None => content(&frame),
                },
            };
            items.push(frame);
        }
    })
}

/// Cuts bytes at each of these places.
pub(crate) fn cut<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    places.push(bytes.len());
    let mut from = 0;
    places
        .into_iter()
        .map(|to| {
            let chunk = &bytes[from..to];
            from = to;
            chunk
        })
        .collect()
}

/// Whatever way the bytes are split, they come out as these items.
pub(crate) fn check<F: Framing>(framing: &F, bytes: &[u8], cuts: &[prop::sample::Index], expected: &[Item]) {
    let whole = (expected.to_vec(), Ok(()));
    let each: Vec<&[u8]> = bytes.chunks(1).collect();
    let some = cut(bytes, cuts);
    assert_eq!(decode(framing, &[bytes]), whole);
    assert_eq!(decode(framing, &each), whole);
    assert_eq!(decode(framing, &some), whole);
    for owned in [false, true] {
        assert_eq!(through_framed(framing, &[bytes], owned), whole);
        assert_eq!(through_framed(framing, &each, owned), whole);
        assert_eq!(through_framed(framing, &some, owned), whole);
    }
}

pub(crate) fn encode<F: Framing>(framing: &F, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        framing.encode(frame, &mut bytes).unwrap();
    }
    bytes
}

pub(crate) fn contents(frames: &[Vec<u8>]) -> Vec<Item> {
    frames.iter().map(|frame| content(frame)).collect()
}

pub(crate) fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
}
