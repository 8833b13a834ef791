//! Control messages: Select, Deselect, Linktest, Reject, Separate.

use net_core::Instant;

use super::entities::Unclaimed;
use super::{Action, CloseReason, Outcome, Refused, Session, SessionEvent, State};
use crate::{DeselectStatus, Header, RejectReason, SType, SelectStatus};

impl<T> Session<T> {
    /// Asks to select an entity: [`Header::CONTROL`] in HSMS-SS.
    ///
    /// # Errors
    /// [`Refused`] if it is selected already, is not one of ours, or the session can't.
    pub fn select(&mut self, id: u16, tied: Option<T>, now: Instant) -> Result<(), Refused> {
        self.connected_only()?;
        if self.is_selected(id) {
            return Err(Refused::AlreadySelected);
        }
        let single = id == Header::CONTROL;
        if !self.entities.offers(id) || (single && !self.active) || (single != self.is_single() && self.has_selected())
        {
            return Err(Refused::NotAllowed);
        }
        let header = Header::select_req(id, self.open.next_system());
        self.open_control(header, tied, now);
        Ok(())
    }

    /// Asks to end the selection of an entity; HSMS-GS only.
    ///
    /// # Errors
    /// [`Refused`] if it is not selected, or in HSMS-SS.
    pub fn deselect(&mut self, id: u16, tied: Option<T>, now: Instant) -> Result<(), Refused> {
        self.connected_only()?;
        if id == Header::CONTROL {
            return Err(Refused::NotAllowed);
        }
        if !self.is_selected(id) {
            return Err(Refused::NotSelected);
        }
        let header = Header::deselect_req(id, self.open.next_system());
        self.open_control(header, tied, now);
        Ok(())
    }

    /// Asks whether the peer is there, in whatever state.
    ///
    /// # Errors
    /// [`Refused`] if there is no connection.
    pub fn linktest(&mut self, tied: Option<T>, now: Instant) -> Result<(), Refused> {
        self.connected_only()?;
        self.send_linktest(tied, now);
        Ok(())
    }

    /// Ends the selection of one entity at once; the connection ends with it in HSMS-SS.
    ///
    /// # Errors
    /// [`Refused`] if it is not selected.
    pub fn separate(&mut self, id: u16, now: Instant) -> Result<(), Refused> {
        self.connected_only()?;
        if !self.is_selected(id) {
            return Err(Refused::NotSelected);
        }
        if id == Header::CONTROL {
            self.end(now);
            return Ok(());
        }
        let header = Header::separate_req(id, self.open.next_system());
        self.send(header, now);
        self.unselect(id, now);
        Ok(())
    }

    /// Ends the connection: separates from whatever is selected, then wants it closed. Does nothing if it is ending
    /// already.
    pub fn end(&mut self, now: Instant) {
        if self.state == State::NotConnected || self.closing.is_some() {
            return;
        }
        let ids: Vec<u16> = self.selected().collect();
        for id in ids {
            let header = Header::separate_req(id, self.open.next_system());
            self.send(header, now);
        }
        self.close(CloseReason::Local);
    }

    /// Sets whether Select is accepted; if not, it is answered with [`SelectStatus::NotReady`]. At first it is.
    pub fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
    }

    /// Sets whether Deselect is refused with [`DeselectStatus::Busy`]. At first it is not.
    pub fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    fn connected_only(&self) -> Result<(), Refused> {
        if self.state == State::NotConnected || self.closing.is_some() {
            Err(Refused::NotConnected)
        } else if self.open.len() >= self.options.max_open {
            Err(Refused::TooMany)
        } else {
            Ok(())
        }
    }

    pub(super) fn open_control(&mut self, header: Header, tied: Option<T>, now: Instant) {
        self.open.open(header, now + self.options.timers.t6, tied);
        self.send(header, now);
    }

    /// Selects what the side that connects is to select.
    pub(super) fn select_all(&mut self, now: Instant) {
        self.select_at = None;
        for id in self.options.select.clone() {
            // What the peer has selected meanwhile, or is not one of ours, needs no Select.
            let _ = self.select(id, None, now);
        }
    }

    pub(super) fn control(&mut self, header: &Header, has_text: bool, now: Instant) {
        let kind = header.s_type();
        if kind == SType::RejectReq {
            return self.peer_rejected(header, now);
        }
        if has_text || matches!(kind, SType::Data | SType::Other(_)) {
            return self.reject(header, RejectReason::STypeNotSupported, now);
        }
        match kind {
            SType::SelectReq => self.select_asked(header, now),
            SType::DeselectReq => self.deselect_asked(header, now),
            SType::LinktestReq => self.send(Header::linktest_rsp(header), now),
            SType::SeparateReq => self.separated(header.session_id(), now),
            SType::SelectRsp => self.answered(header, SType::SelectReq, now),
            SType::DeselectRsp => self.answered(header, SType::DeselectReq, now),
            SType::LinktestRsp => self.answered(header, SType::LinktestReq, now),
            SType::RejectReq | SType::Data | SType::Other(_) => {}
        }
    }

    pub(super) fn reject(&mut self, header: &Header, reason: RejectReason, now: Instant) {
        self.stats.rejected += 1;
        self.send(Header::reject_req(header, reason), now);
        self.tell(SessionEvent::Rejected(*header, reason));
    }

    /// Changes the state first and answers then: what the peer sends right behind the answer finds it changed.
    fn select_asked(&mut self, header: &Header, now: Instant) {
        let status = self.select_by_peer(header.session_id(), now);
        self.send(Header::select_rsp(header, status), now);
    }

    fn select_by_peer(&mut self, id: u16, now: Instant) -> SelectStatus {
        let single = id == Header::CONTROL;
        if self.is_selected(id) && !single {
            return SelectStatus::EntitySelected;
        }
        if self.has_selected() && (single || self.is_single()) {
            return SelectStatus::AlreadyActive;
        }
        if !self.ready {
            return SelectStatus::NotReady;
        }
        match self.take(id, now) {
            Ok(()) => SelectStatus::Established,
            Err(Unclaimed::Unknown) => SelectStatus::NoSuchEntity,
            Err(Unclaimed::InUse) if single => SelectStatus::Exhausted,
            Err(Unclaimed::InUse) => SelectStatus::EntityInUse,
        }
    }

    /// Selects an entity, unless another connection has it.
    fn take(&mut self, id: u16, now: Instant) -> Result<(), Unclaimed> {
        let claim = self.entities.claim(id)?;
        self.selected.push(claim);
        self.tell(SessionEvent::Selected(id));
        if self.state == State::NotSelected {
            self.state = State::Selected;
            self.t7 = None;
            self.link.begin(self.options.linktest.as_ref(), now);
        }
        Ok(())
    }

    /// Ends the selection of an entity, and the transactions of its data.
    fn unselect(&mut self, id: u16, now: Instant) {
        self.selected.retain(|claim| claim.id != id);
        self.tell(SessionEvent::Deselected(id));
        let of_it = |header: &Header| header.is_data() && (id == Header::CONTROL || header.session_id() == id);
        for open in self.open.close_where(of_it) {
            self.complete(open.tied, Outcome::NotSelected);
        }
        if self.selected.is_empty() {
            self.state = State::NotSelected;
            self.t7 = Some(now + self.options.timers.t7);
            self.link.next = None;
        }
    }

    /// Which entity a Deselect or Separate means: in HSMS-SS there is only one.
    fn meant(&self, id: u16) -> u16 {
        if self.is_single() { Header::CONTROL } else { id }
    }

    fn deselect_asked(&mut self, header: &Header, now: Instant) {
        let id = self.meant(header.session_id());
        let status = if !self.is_selected(id) {
            match id {
                Header::CONTROL => DeselectStatus::NotEstablished,
                _ if !self.entities.offers(id) => DeselectStatus::NoSuchEntity,
                _ if self.entities.is_selected(id) => DeselectStatus::EntityInUse,
                _ => DeselectStatus::NotEstablished,
            }
        } else if self.busy {
            DeselectStatus::Busy
        } else {
            self.unselect(id, now);
            DeselectStatus::Ended
        };
        self.send(Header::deselect_rsp(header, status), now);
    }

    fn separated(&mut self, id: u16, now: Instant) {
        let id = self.meant(id);
        if !self.is_selected(id) {
            return;
        }
        if id == Header::CONTROL {
            self.close(CloseReason::Separated);
        } else {
            self.unselect(id, now);
        }
    }

    /// A response to what we asked, or to nothing.
    fn answered(&mut self, header: &Header, asked: SType, now: Instant) {
        let Some(open) = self.open.close_kind(header.system(), asked) else {
            return self.reject(header, RejectReason::TransactionNotOpen, now);
        };
        let id = open.header.session_id();
        let outcome = match asked {
            SType::SelectReq => match header.select_status() {
                SelectStatus::Established => self.select_granted(id, now),
                // The peer's own Select has done it meanwhile.
                _ if self.is_selected(id) => Outcome::Done,
                status => Outcome::SelectRefused(status),
            },
            SType::DeselectReq => match header.deselect_status() {
                DeselectStatus::Ended => {
                    if self.is_selected(id) {
                        self.unselect(id, now);
                    }
                    Outcome::Done
                }
                status => Outcome::DeselectRefused(status),
            },
            _ => {
                self.link.answered(self.options.linktest.as_ref(), now);
                Outcome::Done
            }
        };
        let refused = match outcome {
            Outcome::SelectRefused(status) if id == Header::CONTROL => Some(status),
            _ => None,
        };
        self.complete(open.tied, outcome);
        if let Some(status) = refused {
            self.close(CloseReason::SelectRefused(status));
        }
    }

    fn select_granted(&mut self, id: u16, now: Instant) -> Outcome {
        if self.is_selected(id) {
            return Outcome::Done;
        }
        match self.take(id, now) {
            Ok(()) => Outcome::Done,
            Err(_) => {
                // Another connection of ours was quicker: the peer must not think that it has us.
                let header = Header::separate_req(id, self.open.next_system());
                self.send(header, now);
                Outcome::SelectRefused(SelectStatus::EntityInUse)
            }
        }
    }

    /// System bytes alone tell what was rejected: some peers put another session id into it.
    fn peer_rejected(&mut self, header: &Header, now: Instant) {
        self.stats.peer_rejected += 1;
        let Some(open) = self.open.close(header.system()) else {
            return self.tell(SessionEvent::PeerRejected(*header));
        };
        let reason = header.reject_reason();
        self.complete(open.tied, Outcome::Rejected(reason));
        match open.header.s_type() {
            SType::SelectReq => self.close(CloseReason::SelectRejected(reason)),
            // It does not know the question, but it is there.
            SType::LinktestReq => self.link.answered(self.options.linktest.as_ref(), now),
            _ => {}
        }
    }

    pub(super) fn complete(&mut self, tied: Option<T>, outcome: Outcome) {
        if let Some(tied) = tied {
            self.actions.push_back(Action::Completed(tied, outcome));
        }
    }
}
