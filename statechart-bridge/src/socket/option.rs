//! Options of a socket that a model sets by `configure_socket`.

use std::sync::Arc;
use std::time::Duration;

use net_core::{BindOptions, ConnectOptions, Keepalive, SocketOptions};

use crate::Value;

/// What `configure_socket`(socket, name, value) sets; before bind and connect, but for the two time limits.
///
/// | name | value | default |
/// |---|---|---|
/// | `backlog` | connections that wait to be accepted | 1024 |
/// | `nodelay` | bool | true |
/// | `keepalive` | seconds of silence before the first probe; 0 for none | 0 |
/// | `send_buffer`, `receive_buffer` | bytes | the system's |
/// | `reuse_address` | bool | true |
/// | `reuse_port` | bool | false |
/// | `v6_only` | bool | the system's |
/// | `connect_timeout` | seconds | 10 |
/// | `send_timeout` | seconds in which the peer takes nothing; 0 for no limit | 60 |
/// | `close_timeout` | the same while a close waits for queued sends | 30 |
#[derive(Clone, Debug, PartialEq)]
pub struct SocketOption {
    pub(super) name: Arc<str>,
    pub(super) value: Value,
    pub(super) setting: Setting,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Setting {
    Backlog(u32),
    Nodelay(bool),
    Keepalive(Option<Duration>),
    SendBuffer(usize),
    ReceiveBuffer(usize),
    ReuseAddress(bool),
    ReusePort(bool),
    V6Only(bool),
    ConnectTimeout(Duration),
    SendTimeout(Option<Duration>),
    CloseTimeout(Duration),
}

impl SocketOption {
    /// Reads an option.
    ///
    /// # Errors
    /// A sentence on what the name or the value should be.
    pub fn new(name: &str, value: &Value) -> Result<Self, String> {
        let flag = || {
            let wrong = || format!("option {name} must be a bool, not {}", value.kind());
            value.as_bool().ok_or_else(wrong)
        };
        let count = || {
            let wrong = || format!("option {name} must be an int from 0 to {}, not {value}", i32::MAX);
            value
                .as_int()
                .and_then(|n| i32::try_from(n).ok())
                .and_then(|n| u32::try_from(n).ok())
                .ok_or_else(wrong)
        };
        let bytes = || count().map(|n| n as usize);
        let time = || {
            let wrong = || format!("option {name} must be seconds, 0 or more, not {value}");
            value
                .as_number()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(wrong)
        };
        let limit = || time().map(|limit| (!limit.is_zero()).then_some(limit));
        let setting = match name {
            "backlog" => Setting::Backlog(count()?),
            "nodelay" => Setting::Nodelay(flag()?),
            "keepalive" => Setting::Keepalive(limit()?),
            "send_buffer" => Setting::SendBuffer(bytes()?),
            "receive_buffer" => Setting::ReceiveBuffer(bytes()?),
            "reuse_address" => Setting::ReuseAddress(flag()?),
            "reuse_port" => Setting::ReusePort(flag()?),
            "v6_only" => Setting::V6Only(flag()?),
            "connect_timeout" => Setting::ConnectTimeout(time()?),
            "send_timeout" => Setting::SendTimeout(limit()?),
            "close_timeout" => Setting::CloseTimeout(time()?),
            _ => {
                let shown: String = name.chars().take(60).collect();
                return Err(format!(
                    "no option {shown:?}: expected backlog, nodelay, keepalive, send_buffer, receive_buffer, \
                     reuse_address, reuse_port, v6_only, connect_timeout, send_timeout or close_timeout"
                ));
            }
        };
        Ok(Self {
            name: name.into(),
            value: value.clone(),
            setting,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, as it was given.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// What a socket is made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) connect: ConnectOptions,
    pub(super) bind: BindOptions,
}

impl Options {
    /// Takes a setting over; false for one that is none of the transport's.
    pub(super) fn set(&mut self, setting: Setting) -> bool {
        match setting {
            Setting::Backlog(n) => self.bind.socket.backlog = n,
            Setting::Nodelay(on) => self.both(|options| options.nodelay = on),
            Setting::Keepalive(idle) => self.both(|options| options.keepalive = idle.map(Keepalive::after)),
            Setting::SendBuffer(n) => self.both(|options| options.send_buffer = Some(n)),
            Setting::ReceiveBuffer(n) => self.both(|options| options.receive_buffer = Some(n)),
            Setting::ReuseAddress(on) => self.both(|options| options.reuse_address = on),
            Setting::ReusePort(on) => self.both(|options| options.reuse_port = on),
            Setting::V6Only(on) => self.both(|options| options.v6_only = Some(on)),
            Setting::ConnectTimeout(limit) => self.connect.timeout = limit,
            Setting::SendTimeout(_) | Setting::CloseTimeout(_) => return false,
        }
        true
    }

    fn both(&mut self, change: impl Fn(&mut SocketOptions)) {
        change(&mut self.connect.socket);
        change(&mut self.bind.socket);
    }
}
