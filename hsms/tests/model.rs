//! Two sessions over a link that does its worst: it splits, merges, delays and cuts the bytes anywhere. After quiet both
//! ends agree, and every request has ended exactly once, with its own reply or an error.

#[path = "rig/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use hsms::net_core::Instant;
use hsms::session::{Action, CloseReason, Entities, Outcome, Received, Session, State};
use hsms::{Header, Linktest, SessionOptions, StreamFunction, Timers, frame};
use net_core::framing::{Decoded, Framing};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const QUESTION: StreamFunction = StreamFunction::new(2, 25);

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// An end sends a request; it is answered after so many of the answerer's turns.
    Request {
        end: usize,
        size: usize,
    },
    Notify {
        end: usize,
    },
    /// An end gives its oldest open request up.
    GiveUp {
        end: usize,
    },
    /// So many bytes of those on their way to an end arrive.
    Arrive {
        end: usize,
        count: usize,
    },
    /// An end answers its oldest question, aborts it, or never will.
    Answer {
        end: usize,
        how: u8,
    },
    Linktest {
        end: usize,
    },
    Select {
        end: usize,
        id: u16,
    },
    Deselect {
        end: usize,
        id: u16,
    },
    Separate {
        end: usize,
        id: u16,
    },
    /// The connection is cut: an end gets so many bytes of what is under way, the other none.
    Cut {
        end: usize,
        count: usize,
    },
    /// The active end ends the connection.
    End {
        end: usize,
    },
    Wait {
        seconds: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (end, id) = (0..2_usize, prop_oneof![Just(1_u16), Just(2), Just(Header::CONTROL)]);
    prop_oneof![
        6 => (end.clone(), 0..40_usize).prop_map(|(end, size)| Step::Request { end, size }),
        1 => end.clone().prop_map(|end| Step::Notify { end }),
        1 => end.clone().prop_map(|end| Step::GiveUp { end }),
        16 => (end.clone(), 1..60_usize).prop_map(|(end, count)| Step::Arrive { end, count }),
        6 => (end.clone(), 0..8_u8).prop_map(|(end, how)| Step::Answer { end, how }),
        1 => end.clone().prop_map(|end| Step::Linktest { end }),
        1 => (end.clone(), id.clone()).prop_map(|(end, id)| Step::Select { end, id }),
        1 => (end.clone(), id.clone()).prop_map(|(end, id)| Step::Deselect { end, id }),
        1 => (end.clone(), id).prop_map(|(end, id)| Step::Separate { end, id }),
        1 => (end.clone(), 0..60_usize).prop_map(|(end, count)| Step::Cut { end, count }),
        1 => end.prop_map(|end| Step::End { end }),
        2 => (0..30_u8).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Open,
    Replied,
    Failed,
    GivenUp,
}

struct End {
    session: Session<u64>,
    /// Bytes that have arrived and are no whole frame yet.
    unread: Vec<u8>,
    /// Bytes on their way here.
    coming: Vec<u8>,
    /// Primaries that wait for an answer.
    questions: Vec<(Header, Vec<u8>)>,
    /// The session wants the connection closed, once the rest is sent.
    closes: bool,
    /// Our requests, and what was asked for.
    requests: BTreeMap<u64, Ending>,
    /// The open requests' system bytes, in order.
    open: Vec<(u64, u32)>,
}

struct World {
    ends: [End; 2],
    now: Instant,
    connected: bool,
    last: u64,
    general: bool,
}

impl World {
    fn new(general: bool) -> Self {
        let timers = Timers::default();
        let options = SessionOptions::new(0)
            .timers(timers)
            .linktest(Linktest::every(10 * SECOND))
            .select(if general { vec![1] } else { vec![Header::CONTROL] });
        let entities = || {
            if general {
                Entities::general([1, 2])
            } else {
                Entities::single()
            }
        };
        let end = |session| End {
            session,
            unread: Vec::new(),
            coming: Vec::new(),
            questions: Vec::new(),
            closes: false,
            requests: BTreeMap::new(),
            open: Vec::new(),
        };
        Self {
            ends: [
                end(Session::active(options.clone(), entities())),
                end(Session::passive(options, entities())),
            ],
            now: Instant::ZERO,
            connected: false,
            last: 0,
            general,
        }
    }

    fn id(&self, end: usize) -> u16 {
        match self.ends[end].session.selected().next() {
            Some(id) if self.general => id,
            _ => 0,
        }
    }

    /// Sends, and does what the session wants done.
    fn settle(&mut self, end: usize) {
        while let Some(outgoing) = self.ends[end].session.transmit() {
            let mut place = [0; 12];
            let text = outgoing.text(&mut place).to_vec();
            self.send(end, &outgoing.header, &text);
        }
        while let Some(action) = self.ends[end].session.action() {
            match action {
                Action::Completed(request, outcome) => {
                    assert_ne!(outcome, Outcome::Done, "nobody has asked for that");
                    self.ends[end].ended(request, Ending::Failed);
                }
                Action::Close(_) => self.ends[end].closes = true,
                Action::Dial | Action::Event(_) => {}
            }
        }
    }

    fn send(&mut self, end: usize, header: &Header, text: &[u8]) {
        if self.connected {
            frame::encode(header, text, &mut self.ends[1 - end].coming).unwrap();
        }
    }

    /// Connects if the active side may.
    fn connect(&mut self) {
        if !self.connected && self.ends[0].session.may_dial() {
            self.connected = true;
            for end in 0..2 {
                self.ends[end].session.connected(self.now);
            }
            (0..2).for_each(|end| self.settle(end));
        }
    }

    fn disconnect(&mut self) {
        if !std::mem::take(&mut self.connected) {
            return;
        }
        for end in 0..2 {
            let it = &mut self.ends[end];
            it.session.disconnected(CloseReason::PeerClosed, self.now);
            it.unread.clear();
            it.coming.clear();
            it.questions.clear();
            it.closes = false;
            self.settle(end);
            let it = &self.ends[end];
            assert_eq!(it.session.open(), 0, "a transaction outlived its connection");
            assert!(it.requests.values().all(|ending| *ending != Ending::Open));
        }
    }

    fn arrive(&mut self, end: usize, count: usize) {
        let it = &mut self.ends[end];
        let count = count.min(it.coming.len());
        let arrived: Vec<u8> = it.coming.drain(..count).collect();
        it.unread.extend(arrived);
        loop {
            let it = &mut self.ends[end];
            let Decoded::Frame(found) = frame::framing(1000).decode(&mut (), &it.unread).unwrap() else {
                break;
            };
            let content = it.unread[found.content].to_vec();
            it.unread.drain(..found.consumed);
            let (header, text) = frame::split(&content).unwrap();
            match it.session.received(&header, text, self.now) {
                Received::Handled => {}
                Received::Primary if header.w() => it.questions.push((header, text.to_vec())),
                Received::Primary => {}
                Received::Reply(request) => {
                    assert!(text.starts_with(&request.to_be_bytes()), "the reply to another request");
                    it.ended(request, Ending::Replied);
                }
            }
            self.settle(end);
        }
        // One end has closed, and the other has seen all that it had sent.
        if self.ends[1 - end].closes && self.ends[end].coming.is_empty() {
            self.disconnect();
        }
    }

    fn request(&mut self, end: usize, size: usize) {
        let (id, request) = (self.id(end), self.last + 1);
        let it = &mut self.ends[end];
        let text = [&request.to_be_bytes()[..], &vec![7; size]].concat();
        let opened = it.session.request(id, QUESTION, text.len(), None, request, self.now);
        if let Ok(header) = opened {
            self.last = request;
            it.requests.insert(request, Ending::Open);
            it.open.push((request, header.system()));
            self.send(end, &header, &text);
        } else {
            assert_ne!(it.session.state(), State::Selected);
        }
    }

    fn answer(&mut self, end: usize, how: u8) {
        let it = &mut self.ends[end];
        if it.questions.is_empty() {
            return;
        }
        let (question, text) = it.questions.remove(0);
        let allowed = it.session.reply(&question, text.len(), self.now).is_ok();
        match how {
            _ if !allowed => {}
            0 => {
                it.session.abort(&question, self.now);
                self.settle(end);
            }
            // Never: T3 ends it.
            1 => {}
            _ => self.send(end, &question.secondary(), &text),
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let due = self.ends.iter().filter_map(|end| end.session.deadline()).min();
            match due {
                Some(due) if due <= until => {
                    self.now = self.now.max(due);
                    for end in 0..2 {
                        self.ends[end].session.expire(self.now);
                        self.settle(end);
                    }
                    self.connect();
                    self.hang_up();
                }
                _ => break,
            }
        }
        self.now = until;
    }

    /// Who wants to close does not wait for a peer that is silent.
    fn hang_up(&mut self) {
        for end in 0..2 {
            if self.ends[end].closes && self.ends[1 - end].coming.is_empty() {
                return self.disconnect();
            }
        }
    }

    fn take(&mut self, step: &Step) {
        self.connect();
        match *step {
            Step::Request { end, size } => self.request(end, size),
            Step::Notify { end } => {
                let id = self.id(end);
                if let Ok(header) = self.ends[end].session.notify(id, QUESTION, 0, self.now) {
                    self.send(end, &header, &[]);
                }
            }
            Step::GiveUp { end } => {
                let it = &mut self.ends[end];
                if let Some((request, system)) = it.open.first().copied() {
                    assert_eq!(it.session.cancel(system), Some(request));
                    it.ended(request, Ending::GivenUp);
                }
            }
            Step::Arrive { end, count } => self.arrive(end, count),
            Step::Answer { end, how } => self.answer(end, how),
            Step::Linktest { end } => drop(self.ends[end].session.linktest(None, self.now)),
            Step::Select { end, id } => drop(self.ends[end].session.select(id, None, self.now)),
            Step::Deselect { end, id } => drop(self.ends[end].session.deselect(id, None, self.now)),
            Step::Separate { end, id } => drop(self.ends[end].session.separate(id, self.now)),
            Step::Cut { end, count } => {
                self.arrive(end, count);
                self.disconnect();
            }
            Step::End { end } => self.ends[end].session.end(self.now),
            Step::Wait { seconds } => self.wait(u32::from(seconds) * SECOND),
        }
        (0..2).for_each(|end| self.settle(end));
        self.hang_up();
    }

    /// Lets everything arrive and be answered, until nothing moves any more.
    fn quiet(&mut self) {
        for _ in 0..200 {
            self.connect();
            for end in 0..2 {
                self.arrive(end, usize::MAX);
                while !self.ends[end].questions.is_empty() {
                    self.answer(end, 2);
                }
            }
            self.hang_up();
            let moving = self.ends.iter().any(|end| !end.coming.is_empty() || end.closes);
            if !moving && self.connected {
                break;
            }
            if !self.connected {
                self.wait(SECOND);
            }
        }
        // Questions that were never answered end by T3; linktests keep the rest of the time.
        for _ in 0..60 {
            self.wait(SECOND);
            for end in 0..2 {
                self.arrive(end, usize::MAX);
                while !self.ends[end].questions.is_empty() {
                    self.answer(end, 2);
                }
            }
            self.connect();
            (0..2).for_each(|end| self.arrive(end, usize::MAX));
        }
    }

    fn check(&self) {
        let selected = |end: usize| {
            self.ends[end]
                .session
                .selected()
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(selected(0), selected(1), "the ends do not agree");
        assert_eq!(self.ends[0].session.state(), self.ends[1].session.state());
        for end in &self.ends {
            assert!(end.open.is_empty(), "open: {:?}", end.open);
            assert_eq!(end.session.open_data(), 0, "a transaction is left");
            let open = end.requests.values().filter(|ending| **ending == Ending::Open).count();
            assert_eq!(open, 0, "a request never ended");
            let within = self.now + 10 * SECOND;
            assert!(end.session.deadline().is_none_or(|at| at <= within), "a timer is left");
        }
    }
}

impl End {
    fn ended(&mut self, request: u64, how: Ending) {
        let before = self.requests.insert(request, how);
        assert_eq!(before, Some(Ending::Open), "it has ended twice");
        self.open.retain(|(open, _)| *open != request);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 100 } else { 4000 }, ..ProptestConfig::default() })]

    #[test]
    fn two_ends_of_a_single_session_agree_after_quiet(steps in prop::collection::vec(step(), 0..150)) {
        run(false, &steps);
    }

    #[test]
    fn two_ends_of_general_sessions_agree_after_quiet(steps in prop::collection::vec(step(), 0..150)) {
        run(true, &steps);
    }

    #[test]
    fn any_frame_in_any_order_never_panics_and_what_it_makes_is_bounded(
        frames in prop::collection::vec((any::<[u8; 10]>(), 0..3_u8, any::<bool>()), 0..100),
        active in any::<bool>(),
    ) {
        let mut session: Session<u64> = if active {
            Session::active(SessionOptions::new(0), Entities::either([1, 2]))
        } else {
            Session::passive(SessionOptions::new(0), Entities::either([1, 2]))
        };
        let mut now = Instant::ZERO;
        session.connected(now);
        for (bytes, kind, text) in frames {
            // Mostly such as are nearly right.
            let mut bytes = bytes;
            if kind > 0 {
                (bytes[0], bytes[1]) = if kind == 1 { (255, 255) } else { (0, bytes[1] % 3) };
                (bytes[4], bytes[5]) = (0, bytes[5] % 10);
                bytes[6..9].fill(0);
                bytes[9] %= 4;
            }
            let before = session.waiting();
            let text: &[u8] = if text { b"!\x0a0123456789" } else { &[] };
            session.received(&Header::from_bytes(bytes), text, now);
            prop_assert!(session.waiting() <= before + 2);
            now += SECOND / 3;
            session.expire(now);
            let _ = session.request(0, QUESTION, 0, None, 1, now);
            while session.action().is_some() {}
            if session.waiting() > 10 {
                while session.transmit().is_some() {}
            }
        }
    }
}

fn run(general: bool, steps: &[Step]) {
    let mut world = World::new(general);
    for step in steps {
        world.take(step);
    }
    world.quiet();
    world.check();
}

/// The model itself does what it should: a request that gets through is replied to.
#[test]
fn a_request_on_a_good_link_gets_its_reply() {
    for general in [false, true] {
        let mut world = World::new(general);
        world.connect();
        for end in [1, 0] {
            world.arrive(end, usize::MAX);
        }
        for end in 0..2 {
            world.request(end, 100);
            for count in 0..200 {
                world.arrive(1 - end, count % 3);
            }
            world.answer(1 - end, 2);
            world.arrive(end, usize::MAX);
            assert_eq!(world.ends[end].requests.values().last(), Some(&Ending::Replied));
        }
        world.quiet();
        world.check();
    }
}
