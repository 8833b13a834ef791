//! TLS: who is trusted, what is refused and how that is told, upgrades in place, and ends with and without close_notify.
#![cfg(all(feature = "os", feature = "tls"))]

#[path = "../common/mod.rs"]
mod common;

mod endings;
mod handshakes;
mod rig;
mod settings;
mod trust;
mod upgrades;
