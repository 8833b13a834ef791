//! The same machine of two states in each library, in three ways: bare, through ports, and with scripts.
//!
//! One file per library. What a run gives is how many transitions were taken, which is compared with what it must be.

use crate::Outcome;
use crate::cpu::Spent;

pub mod memory;
pub mod ours;
pub mod sccd;
pub mod sismic;
pub mod statig;

/// Two states, one event, nothing else.
pub const TOGGLE: &str = include_str!("../../models/toggle.xml");
/// An event comes in on a port for each transition, and one goes out.
pub const PORTS: &str = include_str!("../../models/ports.xml");
/// Each transition has a guard and an action in the action language; they count.
pub const SCRIPTED: &str = include_str!("../../models/scripted.xml");
/// A class, and instances of it.
pub const CROWD: &str = include_str!("../../models/crowd.xml");

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A transition without a queue, ports and code.
    Bare,
    /// By the controller: an event in, and one out.
    Ports,
    /// By the controller, with a guard and an action.
    Scripted,
}

/// A library's run: so many events; how many transitions were taken, and what it took.
pub type Run = fn(Way, u64) -> Outcome<(u64, Spent)>;
