//! One direction of a connection: bytes to messages, TCP segments to bytes.

use std::collections::BTreeMap;

use net_core::framing::{Decoded, Framing, LengthPrefix};

use super::Content;
use crate::{Message, SType, frame};

/// What segments that came too early may hold, in bytes and in number. What is more has been lost by the recorder.
const EARLY_BYTES: usize = 1 << 20;
const EARLY_SEGMENTS: usize = 1024;

/// Bytes in order, to messages.
pub(super) struct Stream {
    rules: LengthPrefix,
    unread: Vec<u8>,
    /// A length made no sense: what follows can't be cut into messages.
    lost: bool,
}

impl Stream {
    pub(super) fn new(max_text: usize) -> Self {
        Self {
            rules: frame::framing(max_text),
            unread: Vec::new(),
            lost: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], found: &mut dyn FnMut(Content)) {
        if self.lost {
            return;
        }
        self.unread.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = self.unread.get(at..).unwrap_or_default();
            match self.rules.decode(&mut (), rest) {
                Ok(Decoded::Frame(located)) => {
                    let content = rest.get(located.content).unwrap_or_default();
                    if let Ok((header, text)) = frame::split(content) {
                        found(Content::Message(Message::new(header, text.to_vec())));
                    }
                    at += located.consumed;
                }
                Ok(_) => break,
                Err(error) => {
                    self.lost = true;
                    let what = error.detail_text().unwrap_or("a length that can't be");
                    found(Content::Fault(format!("{what}; what follows it is left out")));
                    break;
                }
            }
        }
        if self.lost {
            self.unread = Vec::new();
        } else {
            self.unread.drain(..at);
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, found: &mut dyn FnMut(Content)) {
        if !self.unread.is_empty() {
            let count = self.unread.len();
            found(Content::Fault(format!(
                "it ends inside a message, {count} bytes after that began"
            )));
            self.unread = Vec::new();
        }
    }
}

/// TCP segments, to bytes in order.
pub(super) struct Flow {
    max_text: usize,
    stream: Stream,
    /// The number of the next byte, once it is known.
    next: Option<u32>,
    /// What came before what goes before it, by its number.
    early: BTreeMap<u32, Vec<u8>>,
    early_bytes: usize,
    /// The flow began, or was found again, and looked like HSMS.
    is_hsms: bool,
}

/// A TCP segment.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) sequence: u32,
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) data: &'a [u8],
}

impl Flow {
    pub(super) fn new(max_text: usize) -> Self {
        Self {
            max_text,
            stream: Stream::new(max_text),
            next: None,
            early: BTreeMap::new(),
            early_bytes: 0,
            is_hsms: false,
        }
    }

    pub(super) fn segment(&mut self, segment: Segment<'_>, found: &mut dyn FnMut(Content)) {
        let mut sequence = segment.sequence;
        if segment.begins {
            // Of the same ends a connection may come after another. A SYN that comes again begins nothing new.
            sequence = sequence.wrapping_add(1);
            if self.next != Some(sequence) {
                self.end(found);
                *self = Self::new(self.max_text);
                self.next = Some(sequence);
            }
        }
        if !segment.data.is_empty() {
            self.data(sequence, segment.data, found);
        }
        if segment.ends && self.early.is_empty() {
            self.end(found);
        }
    }

    fn data(&mut self, sequence: u32, data: &[u8], found: &mut dyn FnMut(Content)) {
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        if ahead == 0 {
            self.in_order(data, found);
        } else if ahead < 1 << 31 {
            let replaced = self.early.insert(sequence, data.to_vec());
            self.early_bytes += data.len();
            self.early_bytes -= replaced.map_or(0, |replaced| replaced.len());
            if self.early_bytes > EARLY_BYTES || self.early.len() > EARLY_SEGMENTS {
                self.skip_gap(found);
            }
        } else {
            // Sent again; some of it may be new.
            let old = next.wrapping_sub(sequence) as usize;
            self.in_order(data.get(old..).unwrap_or_default(), found);
        }
        self.catch_up(found);
    }

    fn in_order(&mut self, data: &[u8], found: &mut dyn FnMut(Content)) {
        if data.is_empty() {
            return;
        }
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(length));
        // A recording may begin in the middle: wait for what looks like a message's begin.
        if !self.is_hsms {
            self.is_hsms = self.begins_message(data);
        }
        if self.is_hsms {
            self.stream.push(data, found);
            if self.stream.lost {
                self.is_hsms = false;
                self.stream = Stream::new(self.max_text);
            }
        }
    }

    /// Uses what came early and whose turn it is now.
    fn catch_up(&mut self, found: &mut dyn FnMut(Content)) {
        while let Some(next) = self.next {
            let due = self.early.keys().copied().find(|at| next.wrapping_sub(*at) < 1 << 31);
            let Some(data) = due.and_then(|at| self.early.remove(&at).map(|data| (at, data))) else {
                break;
            };
            self.early_bytes -= data.1.len();
            let old = next.wrapping_sub(data.0) as usize;
            self.in_order(data.1.get(old..).unwrap_or_default(), found);
        }
    }

    /// Goes on behind what the recorder has missed.
    fn skip_gap(&mut self, found: &mut dyn FnMut(Content)) {
        let Some(next) = self.next else {
            return;
        };
        let Some(nearest) = self.early.keys().copied().min_by_key(|at| at.wrapping_sub(next)) else {
            return;
        };
        if self.is_hsms {
            let missing = nearest.wrapping_sub(next);
            found(Content::Fault(format!("{missing} bytes are missing in the recording")));
        }
        self.next = Some(nearest);
        self.is_hsms = false;
        self.stream = Stream::new(self.max_text);
        self.catch_up(found);
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, found: &mut dyn FnMut(Content)) {
        while !self.early.is_empty() {
            self.skip_gap(found);
        }
        if self.is_hsms {
            self.stream.end(found);
        }
        self.is_hsms = false;
    }

    /// Whether a message may begin here: its length is possible, and so are its types.
    fn begins_message(&self, data: &[u8]) -> bool {
        match data {
            [a, b, c, d, header @ ..] => {
                let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
                let possible = (self.stream.rules.min..=self.stream.rules.max).contains(&length);
                let p_type = header.get(4).is_none_or(|p_type| *p_type == 0);
                let s_type = header
                    .get(5)
                    .is_none_or(|s_type| !matches!(SType::from(*s_type), SType::Other(_)));
                possible && p_type && s_type
            }
            short => short.iter().all(|byte| *byte == 0),
        }
    }
}
