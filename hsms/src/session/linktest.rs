//! Whether the peer is still there.

use net_core::Instant;

use super::{Action, CloseReason, Linktest, Session, SessionEvent, State, Timer, earliest};
use crate::{Header, SType};

/// After so many intervals without a word from the peer a test is sent, however much is sent to it, and counts, however
/// much it is asked.
const STARVED: u32 = 4;

/// What is known about the link.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// When to think about a test.
    pub(super) next: Option<Instant>,
    /// The last message received.
    heard: Instant,
    /// The last message either way.
    active: Instant,
    /// Something was received since the last test was sent.
    excused: bool,
    /// No answer can have come yet, whether the peer is there or not.
    pub(super) hindered: bool,
    /// Tests in a row that failed.
    failures: u32,
}

impl Link {
    #[inline]
    pub(super) fn received(&mut self, now: Instant) {
        self.heard = now;
        self.active = now;
        self.excused = true;
    }

    #[inline]
    pub(super) fn sent(&mut self, now: Instant) {
        self.active = now;
    }

    /// Begins to test: the session is selected.
    pub(super) fn begin(&mut self, linktest: Option<&Linktest>, now: Instant) {
        self.next = linktest.map(|linktest| now + linktest.interval);
        self.heard = now;
        self.active = now;
        self.failures = 0;
    }

    /// When the peer is starved, if no word comes from it.
    fn starved_at(&self, linktest: &Linktest) -> Instant {
        self.heard + linktest.interval.saturating_mul(STARVED)
    }

    /// The peer is there. Where traffic stands for tests, the next interval begins with its answer.
    pub(super) fn answered(&mut self, linktest: Option<&Linktest>, now: Instant) {
        self.failures = 0;
        if let Some(linktest) = linktest.filter(|linktest| linktest.suppress)
            && self.next.is_some()
        {
            self.next = Some(now + linktest.interval);
        }
    }
}

impl<T> Session<T> {
    /// A part of a message is still on its way, out or in: the link is not silent. Tell it before each
    /// [`expire`](Self::expire) of which it holds. A message that does not get on is for T8, or a time limit of the
    /// transport's.
    ///
    /// `hindered` is for a test that has no answer in time: it has not left itself yet, or what is half received keeps its
    /// answer from coming. Then it is forgiven. That something else is on its way out is no excuse: the peer may read for
    /// ever and never answer.
    pub fn underway(&mut self, hindered: bool, now: Instant) {
        self.link.active = now;
        self.link.hindered = hindered;
    }

    /// The time to think about a test has come.
    pub(super) fn linktest_due(&mut self, now: Instant) {
        let Some(linktest) = &self.options.linktest else {
            self.link.next = None;
            return;
        };
        let (interval, suppress) = (linktest.interval, linktest.suppress);
        let starved = self.link.starved_at(linktest);
        if suppress && starved > now {
            let quiet = self.link.active + interval;
            let busy = self.open.data() > 0;
            if quiet > now || busy {
                self.stats.linktests_suppressed += 1;
                self.link.next = Some(if quiet > now { quiet } else { now + interval });
                return;
            }
        }
        self.link.next = Some(now + interval);
        if !self.open.is_open(SType::LinktestReq) {
            self.send_linktest(None, now);
        }
    }

    pub(super) fn send_linktest(&mut self, tied: Option<T>, now: Instant) {
        let header = Header::linktest_req(self.open.next_system());
        self.stats.linktests += 1;
        self.link.excused = false;
        self.open_control(header, tied, now);
    }

    /// A test was not answered within T6.
    pub(super) fn linktest_unanswered(&mut self, now: Instant) {
        let (limit, forgiving, starved) = match &self.options.linktest {
            Some(linktest) => {
                let starved = self.link.starved_at(linktest);
                (linktest.failures.max(1), linktest.suppress, starved)
            }
            None => (1, false, now),
        };
        // Who asks again and again has a request open at all times: that the peer is busy with one excuses it only if it
        // was not starved when the test was sent.
        let busy = self.open.data() > 0 && starved + self.options.timers.t6 > now;
        if forgiving && (self.link.excused || self.link.hindered || busy) {
            self.stats.linktests_forgiven += 1;
            return;
        }
        self.stats.linktests_failed += 1;
        self.link.failures += 1;
        let count = self.link.failures;
        self.actions
            .push_back(Action::Event(SessionEvent::LinktestFailed(count)));
        if count >= limit || self.state != State::Selected {
            self.close(CloseReason::LinktestFailed(count));
        } else if let Some(linktest) = &self.options.linktest {
            // The next one is not put off: it has been silent for long enough.
            self.link.next = earliest(self.link.next, Some(now + linktest.interval));
        }
    }

    /// The timer that runs for an open control transaction.
    pub(super) const CONTROL_TIMER: Timer = Timer::T6;
}
