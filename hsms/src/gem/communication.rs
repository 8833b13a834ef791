//! Whether host and equipment communicate (E30): the state model, without I/O.

use std::fmt;
use std::time::Duration;

use super::{Commack, Model, S1F13, S1F14};
use crate::StreamFunction;

/// The state model of communication: S1F13 and S1F14 after select, again and again until one is accepted.
///
/// It does no I/O. Tell it what happens; it says what to do ([`Step`]), and what to do with messages of the peer
/// ([`Admission`]).
///
/// ```
/// use hsms::gem::{Commack, Communication, CommunicationState, S1F14, Step};
///
/// let mut host = Communication::host();
/// host.enable();
/// let Step::Ask(attempt, s1f13) = host.selected() else { panic!() };
/// assert_eq!(s1f13.0, None); // a host tells no model
/// // … send it; the reply is:
/// let reply = S1F14 { commack: Commack::Accepted, model: None };
/// host.answered(attempt, Some(&reply));
/// assert_eq!(host.state(), CommunicationState::Communicating);
/// ```
#[derive(Clone, Debug)]
pub struct Communication {
    model: Option<Model>,
    delay: Duration,
    state: CommunicationState,
    selected: bool,
    attempt: Attempt,
}

/// Where the model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommunicationState {
    /// Nobody wants to communicate.
    Disabled,
    /// There is no selected link.
    NotCommunicating,
    /// S1F13 is sent, its answer awaited.
    WaitCra,
    /// There was no answer, or a refusal: the next S1F13 is sent after a delay.
    WaitDelay,
    /// Messages of all kinds flow.
    Communicating,
}

impl fmt::Display for CommunicationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "DISABLED",
            Self::NotCommunicating => "NOT COMMUNICATING",
            Self::WaitCra => "WAIT CRA",
            Self::WaitDelay => "WAIT DELAY",
            Self::Communicating => "COMMUNICATING",
        })
    }
}

/// Which S1F13, or which wait, something belongs to: what comes late changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt(u64);

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Nothing.
    None,
    /// Send this S1F13, and tell its end to [`Communication::answered`].
    Ask(Attempt, S1F13),
    /// Wait so long, then call [`Communication::waited`].
    Wait(Attempt, Duration),
}

/// What to do with a primary of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// Answer an S1F13 with this.
    Answer(S1F14),
    /// It is for the application.
    Deliver,
    /// There is no communication: abort the transaction (SxF0), if it wants a reply.
    Abort,
}

impl Communication {
    /// Of a host, with a delay of ten seconds between attempts; it begins disabled.
    #[must_use]
    pub fn host() -> Self {
        Self {
            model: None,
            delay: Duration::from_secs(10),
            state: CommunicationState::Disabled,
            selected: false,
            attempt: Attempt::default(),
        }
    }

    /// Of an equipment of this model.
    #[must_use]
    pub fn equipment(model: Model) -> Self {
        Self {
            model: Some(model),
            ..Self::host()
        }
    }

    /// Sets the delay between attempts (E30: establish communications timeout). Default: 10 seconds.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> CommunicationState {
        self.state
    }

    /// Whether messages of all kinds flow.
    #[must_use]
    pub fn is_communicating(&self) -> bool {
        self.state == CommunicationState::Communicating
    }

    /// The application wants to communicate.
    pub fn enable(&mut self) -> Step {
        if self.state != CommunicationState::Disabled {
            return Step::None;
        }
        self.state = CommunicationState::NotCommunicating;
        if self.selected { self.ask() } else { Step::None }
    }

    /// The application does not want to communicate any more.
    pub fn disable(&mut self) {
        self.state = CommunicationState::Disabled;
    }

    /// The session was selected.
    pub fn selected(&mut self) -> Step {
        self.selected = true;
        match self.state {
            CommunicationState::NotCommunicating => self.ask(),
            _ => Step::None,
        }
    }

    /// The session is not selected any more, for whatever reason.
    pub fn lost(&mut self) {
        self.selected = false;
        if self.state != CommunicationState::Disabled {
            self.state = CommunicationState::NotCommunicating;
        }
    }

    /// The end of an S1F13: its reply, or `None` if none came (T3, a rejection, an abort).
    pub fn answered(&mut self, attempt: Attempt, reply: Option<&S1F14>) -> Step {
        if self.state != CommunicationState::WaitCra || attempt != self.attempt {
            return Step::None;
        }
        if reply.is_some_and(|reply| reply.commack == Commack::Accepted) {
            self.state = CommunicationState::Communicating;
            return Step::None;
        }
        self.state = CommunicationState::WaitDelay;
        Step::Wait(self.attempt, self.delay)
    }

    /// The delay is over.
    pub fn waited(&mut self, attempt: Attempt) -> Step {
        if self.state != CommunicationState::WaitDelay || attempt != self.attempt {
            return Step::None;
        }
        self.ask()
    }

    /// A primary came. An S1F13 is accepted in every state but DISABLED, and establishes communication.
    pub fn primary(&mut self, about: StreamFunction) -> Admission {
        const ESTABLISH: StreamFunction = StreamFunction::new(1, 13);
        match (self.state, about) {
            (CommunicationState::Disabled, _) => Admission::Abort,
            (_, ESTABLISH) => {
                self.state = CommunicationState::Communicating;
                Admission::Answer(S1F14 {
                    commack: Commack::Accepted,
                    model: self.model.clone(),
                })
            }
            (CommunicationState::Communicating, _) => Admission::Deliver,
            _ => Admission::Abort,
        }
    }

    fn ask(&mut self) -> Step {
        self.state = CommunicationState::WaitCra;
        self.attempt.0 += 1;
        Step::Ask(self.attempt, S1F13(self.model.clone()))
    }
}
