//! Sockets as Linux shows them to a program, on every backend: the same tests for the simulated network, good and bad, and
//! for the operating system's sockets, over TCP, TLS, Unix sockets and UDP.

#![cfg(feature = "reactor")]

mod accepting;
mod addresses;
mod closing;
mod common;
mod connecting;
mod datagrams;
mod reading;
mod resets;
mod writing;
