//! Data messages: primaries out and in, replies to both, stream 9.

use std::time::Duration;

use net_core::Instant;

use super::{Device, Outcome, Outgoing, Received, Refused, Session, SessionEvent, State};
use crate::{Header, RejectReason, SType, StreamFunction};

/// The functions of stream 9 that quote a message of ours: unknown device, stream or function, illegal data, too much
/// data.
const ABOUT_OURS: [u8; 5] = [1, 3, 5, 7, 11];

impl<T> Session<T> {
    /// Opens a transaction: the header of a primary message with the W-bit, to be sent with a text of that many bytes. T3
    /// runs from now on, or the time given instead.
    ///
    /// # Errors
    /// [`Refused`] if the session is not selected, or too many transactions are open.
    #[inline]
    pub fn request(
        &mut self,
        session_id: u16,
        about: StreamFunction,
        text: usize,
        t3: Option<Duration>,
        tied: T,
        now: Instant,
    ) -> Result<Header, Refused> {
        self.selected_only(session_id)?;
        if self.open.len() >= self.options.max_open {
            return Err(Refused::TooMany);
        }
        let header = Header::data(session_id, about, true, self.open.next_system());
        let limit = t3.unwrap_or(self.options.timers.t3);
        self.open.open(header, now + limit, Some(tied));
        self.stats.requests += 1;
        self.data_sent(text, now);
        Ok(header)
    }

    /// The header of a message that wants no reply, to be sent with a text of that many bytes.
    ///
    /// # Errors
    /// [`Refused`] if the session is not selected.
    pub fn notify(
        &mut self,
        session_id: u16,
        about: StreamFunction,
        text: usize,
        now: Instant,
    ) -> Result<Header, Refused> {
        self.selected_only(session_id)?;
        let header = Header::data(session_id, about, false, self.open.next_system());
        self.data_sent(text, now);
        Ok(header)
    }

    /// A reply to a primary message is about to be sent, with a text of that many bytes.
    ///
    /// # Errors
    /// [`Refused`] if the session is not selected (any more).
    #[inline]
    pub fn reply(&mut self, primary: &Header, text: usize, now: Instant) -> Result<(), Refused> {
        self.selected_only(primary.session_id())?;
        self.data_sent(text, now);
        Ok(())
    }

    /// Aborts the transaction of a primary message that nobody answers, with function 0; counts it.
    pub fn abort(&mut self, primary: &Header, now: Instant) {
        if self.selected_only(primary.session_id()).is_ok() {
            self.stats.unanswered += 1;
            self.send(primary.abort(), now);
        }
    }

    /// Reports a message in stream 9 (equipment only): function 1, 3, 5, 7 or 11, which quote its header. Gives false,
    /// and does nothing, on a host, or about a message of stream 9.
    pub fn report(&mut self, function: u8, about: &Header, now: Instant) -> bool {
        if self.device != Device::Equipment || about.stream() == 9 || self.state != State::Selected {
            return false;
        }
        let system = self.open.next_system();
        let id = if self.is_single() {
            self.options.session_id
        } else {
            about.session_id()
        };
        let header = Header::data(id, StreamFunction::new(9, function), false, system);
        self.push(
            Outgoing {
                header,
                about: Some(*about),
            },
            now,
        );
        true
    }

    /// Gives a transaction up: its reply will be a late one.
    pub fn cancel(&mut self, system: u32) -> Option<T> {
        self.open.close(system)?.tied
    }

    #[inline]
    fn selected_only(&self, session_id: u16) -> Result<(), Refused> {
        match self.state {
            State::NotConnected => Err(Refused::NotConnected),
            State::Selected if self.is_single() || self.is_selected(session_id) => Ok(()),
            _ => Err(Refused::NotSelected),
        }
    }

    #[inline]
    fn data_sent(&mut self, text: usize, now: Instant) {
        self.stats.sent(text);
        self.link.sent(now);
    }

    #[inline]
    pub(super) fn data(&mut self, header: &Header, text: &[u8], now: Instant) -> Received<T> {
        let id = header.session_id();
        if self.state != State::Selected || (!self.is_single() && !self.is_selected(id)) {
            self.reject(header, RejectReason::NotSelected, now);
            return Received::Handled;
        }
        if !header.is_primary() {
            return self.secondary(header);
        }
        if header.stream() == 9 && self.is_about_ours(header, text) {
            return Received::Handled;
        }
        if self.is_foreign(id) {
            self.foreign(header, now);
            return Received::Handled;
        }
        if header.function().is_multiple_of(2) {
            self.tell(SessionEvent::InvalidData(*header));
            if !self.report(5, header, now) {
                self.send(header.abort(), now);
            }
            return Received::Handled;
        }
        Received::Primary
    }

    #[inline]
    fn is_foreign(&self, id: u16) -> bool {
        self.options.check_session_id && id != self.options.session_id && self.is_single()
    }

    #[cold]
    fn foreign(&mut self, header: &Header, now: Instant) {
        self.stats.foreign += 1;
        self.tell(SessionEvent::ForeignSession(*header));
        if !self.report(1, header, now) && header.w() {
            self.send(header.abort(), now);
        }
    }

    /// Only system bytes, session id, stream and function together make a reply.
    #[inline]
    fn secondary(&mut self, header: &Header) -> Received<T> {
        let check = self.options.check_session_id || !self.is_single();
        if let Some(open) = self.open.get(header.system())
            && open.header.is_data()
        {
            let asked = &open.header;
            let fits = asked.stream() == header.stream()
                && (header.function() == 0 || header.function() == asked.stream_function().secondary().function())
                && (!check || asked.session_id() == header.session_id());
            if fits {
                let closed = self.open.close(header.system());
                return self.replied(closed.and_then(|open| open.tied), header.function() == 0);
            }
            open.near_miss = Some(*header);
        }
        self.stats.unmatched += 1;
        self.tell(SessionEvent::UnmatchedReply(*header));
        Received::Handled
    }

    #[inline]
    fn replied(&mut self, tied: Option<T>, aborted: bool) -> Received<T> {
        self.stats.replies += 1;
        match tied {
            Some(tied) if !aborted => Received::Reply(tied),
            tied => {
                self.complete(tied, Outcome::Aborted);
                Received::Handled
            }
        }
    }

    /// Whether it reports a message that waits for its reply, which ends with that.
    fn is_about_ours(&mut self, header: &Header, text: &[u8]) -> bool {
        let Some(about) = Outgoing::quoted(text).filter(|_| ABOUT_OURS.contains(&header.function())) else {
            return false;
        };
        let ours = self.open.get(about.system()).is_some_and(|open| {
            open.header.s_type() == SType::Data && open.header.stream_function() == about.stream_function()
        });
        if ours && let Some(open) = self.open.close(about.system()) {
            self.complete(open.tied, Outcome::StreamNine(header.function()));
        }
        ours
    }
}
