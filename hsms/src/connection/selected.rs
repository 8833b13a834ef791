//! Waiting for a session that is selected, and saying why it is not.

use std::time::Duration;

use net_core::{Operation, TimeoutKind};

use super::Connection;
use super::shared::{Life, State};
use crate::session::{CloseReason, SessionEvent, State as SessionState};
use crate::{Error, ErrorKind, Result};

/// What has kept a connection from being selected since it last got on.
#[derive(Default)]
pub(crate) enum Failure {
    #[default]
    None,
    Connecting(Error),
    Connected(CloseReason),
}

impl Failure {
    pub(crate) fn note(&mut self, event: &SessionEvent) {
        *self = match event {
            SessionEvent::ConnectFailed(error) => Self::Connecting(error.clone()),
            SessionEvent::Disconnected(reason) => Self::Connected(reason.clone()),
            SessionEvent::Connected => Self::None,
            _ => return,
        };
    }
}

impl Connection {
    /// Waits until data may pass, for so long at most. Cancel safe.
    ///
    /// A try that fails does not end the waiting: an active connection tries again after T5.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] at once if the connection is not enabled: never, or not any more. When the time is over, what
    /// the last try failed of, such as [`ErrorKind::Refused`] if nobody listens there; [`ErrorKind::Closed`] if the
    /// connection was lost before it was selected, with the reason in the text; and [`ErrorKind::Timeout`] if nothing
    /// failed, but nothing came of it either.
    pub async fn selected(&self, limit: Duration) -> Result<()> {
        let wait = self.shared.until(|state| match state.life {
            Life::Fresh => Some(Err(self.not_enabled("it was never enabled: call `enable()` first"))),
            Life::Disabled | Life::Stopping(false) => Some(Err(self.not_enabled("the connection is disabled"))),
            _ => (state.session.state() == SessionState::Selected).then_some(Ok(())),
        });
        match self.shared.net.timeout(limit, wait).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.shared.with(|state| self.not_selected(state, limit))),
        }
    }

    fn not_enabled(&self, text: &'static str) -> Error {
        Error::new(ErrorKind::Closed, Operation::Connect)
            .at(self.endpoint())
            .detail(text)
    }

    /// Why it is not selected yet.
    fn not_selected(&self, state: &State, limit: Duration) -> Error {
        let over = |kind, text: &str| {
            Error::new(kind, Operation::Connect)
                .at(self.endpoint())
                .detail(format!("{text}; not selected within {limit:?}"))
        };
        match &state.failure {
            Failure::Connecting(error) | Failure::Connected(CloseReason::Failed(error)) => {
                let text = match (error.kind(), error.detail_text()) {
                    (_, Some(text)) => text,
                    (ErrorKind::Refused, None) => {
                        "nothing accepts connections there; is the peer on, and its port right?"
                    }
                    (_, None) => "the last try failed",
                };
                let text = format!("{text}; not selected within {limit:?}");
                error.clone().detail(text).at(self.endpoint())
            }
            Failure::Connected(reason) => over(ErrorKind::Closed, &reason.to_string()),
            Failure::None => {
                let text = match (state.sender.is_some(), self.is_active()) {
                    (true, true) => "connected, but the peer has not answered Select",
                    (true, false) => "connected, but the peer has sent no Select",
                    (false, true) => "the peer does not answer",
                    (false, false) => "no peer has connected",
                };
                over(ErrorKind::Timeout(TimeoutKind::Request), text)
            }
        }
    }
}
