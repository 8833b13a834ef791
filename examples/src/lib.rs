//! Programs in which the models work together; run them with `cargo xtask demo`.
//!
//! The library holds nothing: it is where the snippets of the project's README are compiled and run as tests.

pub mod matrix;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
