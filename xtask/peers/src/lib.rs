//! Benchmarks side by side with named peers.
//!
//! A single rate says little on a shared machine: the same program is a fifth slower in the next minute. So nothing
//! here is compared with a number from another run. Every table is one [`harness::Comparison`]: its rows take turns
//! (A B C, A B C, …), the first row is the yardstick, and what counts is the ratio to it.
//!
//! | module | subject |
//! |---|---|
//! | [`harness`] | rows, rounds, and what is kept of a sample |
//! | [`cpu`] | how much processor time a sample took, and whose |
//! | [`pin`] | both ends on one core |
//! | [`allocations`] | the counting allocator |
//! | [`target`] | what a row promises, and whether it kept it |
//! | [`report`] | figures as a table: text or Markdown |
//! | [`machine`] | where and with what it was measured |
//! | [`figures`] | what was measured, kept in a file from run to run |
//! | [`document`], [`reasons`], [`plots`] | the report made of all figures: tables, why targets are missed, pictures |
//! | [`run`] | groups one after the other, each in a process of its own |
//! | [`limits`], [`sockets`], [`framing`], [`feed`] | what samples are made of |
//! | [`load`] | the client ends: echo, sequential round trips, bulk, HTTP |
//! | [`servers`] | the server ends: one file per way to write a server |
//! | [`simulators`], [`networks`] | the same model in each simulator, the same program on each simulated network |
//! | [`pipelines`], [`idlers`] | the same pipeline, and the same idle thing, in each library of channels, actors and components |
//! | [`statecharts`] | the same machine in each library of statecharts |
//! | [`channels`], [`web`] | packets and messages, HTTP and WebSocket: the same round trips by ours and by others |
//! | [`python`] | peers in Python |
//! | [`groups`] | the tables themselves, by name |

use std::error::Error;

pub mod allocations;
pub mod channels;
pub mod cpu;
pub mod document;
pub mod feed;
pub mod figures;
pub mod framing;
pub mod groups;
pub mod harness;
pub mod idlers;
pub mod limits;
pub mod load;
pub mod machine;
pub mod networks;
pub mod pin;
pub mod pipelines;
pub mod plots;
pub mod python;
pub mod reasons;
pub mod report;
pub mod run;
pub mod servers;
pub mod simulators;
pub mod sockets;
pub mod statecharts;
pub mod target;
pub mod web;

/// What a sample yields, or why it went wrong. Wrong work is the one thing that makes a run fail.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
