//! The change from plain to TLS, in mid-stream.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as Task, Poll};

use net_core::{Error, ErrorKind, Operation, Stream};

use super::super::socket_end::HowDied;
use super::super::ssl::{MakeSsl, Role, SslReady};
use super::{Connection, Reading, Upgrade};

impl Connection {
    /// What waits in the inbox is sent in plain.
    pub(super) fn clear_for(&mut self, mut order: MakeSsl) {
        for _ in 0..self.ports.inbox.len() {
            let Some(bytes) = self.ports.inbox.try_recv() else {
                break;
            };
            if let Some(left) = &mut self.finishing {
                *left = left.saturating_sub(1);
            }
            if !bytes.is_empty() {
                self.out.push_back(bytes);
            }
        }
        let last = std::mem::take(&mut order.last_words);
        if !last.is_empty() {
            self.out.push_back(last);
        }
        self.moved = self.context.net().now();
        // What is read later is another layer's.
        self.dry = false;
        self.upgrade = Upgrade::Clearing(Box::new(order));
    }

    pub(super) fn begin_handshake(&mut self, cx: &mut Task<'_>) {
        let Upgrade::Clearing(order) = std::mem::replace(&mut self.upgrade, Upgrade::Handshake) else {
            return;
        };
        let Some(stream) = &mut self.stream else { return };
        // It goes on where it was dropped: see `poll_handshake`.
        let outcome = match order.role {
            Role::Client { tls, server_name } => {
                let handshake = pin!(stream.upgrade_tls_client(&tls, &server_name));
                handshake.poll(cx)
            }
            Role::Server { tls } => pin!(stream.upgrade_tls_server(&tls)).poll(cx),
        };
        if let Poll::Ready(outcome) = outcome {
            self.upgraded(outcome);
        }
    }

    pub(super) fn poll_handshake(&mut self, cx: &mut Task<'_>) -> bool {
        let outcome = match &mut self.stream {
            Some(stream) => pin!(stream.handshake()).poll(cx),
            None => return false,
        };
        match outcome {
            Poll::Ready(outcome) => {
                self.upgraded(outcome);
                true
            }
            Poll::Pending => false,
        }
    }

    fn upgraded(&mut self, outcome: Result<(), Error>) {
        self.upgrade = Upgrade::No;
        let info = self.stream.as_ref().and_then(Stream::tls);
        let outcome = match (outcome, info) {
            (Ok(()), Some(info)) => Ok(info),
            (Ok(()), None) => Err(Error::new(ErrorKind::Internal, Operation::Handshake)),
            (Err(error), _) => Err(error),
        };
        if let Err(error) = &outcome
            && error.kind() != ErrorKind::WrongState
        {
            self.reading = Reading::Failed;
            self.how = Some(match error.kind() {
                ErrorKind::Reset => HowDied::Reset(error.clone()),
                _ => HowDied::TlsFailed(error.clone()),
            });
        }
        if let Some(explicit) = &mut self.explicit {
            // Who waited for readiness has waited for another layer.
            explicit.may_read();
            explicit.may_write();
        }
        // Nobody upgrades often enough to fill a box.
        let _ = self.ports.sslready.try_send(SslReady { outcome });
    }
}
