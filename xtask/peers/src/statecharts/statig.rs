//! statig: a machine that is compiled, without a queue, ports or scripts: the ceiling. Its guard and its action are Rust,
//! and it has them in each of the ways.
#![allow(
    missing_docs,
    reason = "the macro makes an enum of the states, and documents nothing"
)]

use super::Way;
use crate::Outcome as Done;
use crate::cpu::{Account, Meter, Spent};
use statig::prelude::*;
use std::hint::black_box;

/// What the machine keeps.
#[derive(Debug, Default)]
pub struct Toggle {
    count: u64,
}

/// The event, with its parameter.
#[derive(Clone, Copy, Debug)]
pub struct Flip(u32);

impl Toggle {
    #[inline]
    fn flip(&mut self, event: &Flip, to: State) -> Outcome<State> {
        if self.count < 1_000_000_000 && event.0 == 2 {
            self.count += 1;
            Transition(to)
        } else {
            Super
        }
    }
}

#[allow(
    missing_docs,
    reason = "the macro makes an enum of the states, and documents nothing"
)]
#[state_machine(initial = "State::dark()", state(derive(Debug, PartialEq)))]
impl Toggle {
    #[state]
    fn dark(&mut self, event: &Flip) -> Outcome<State> {
        self.flip(event, State::lit())
    }

    #[state]
    fn lit(&mut self, event: &Flip) -> Outcome<State> {
        self.flip(event, State::dark())
    }
}

/// Runs it.
///
/// # Errors
/// If the machine is not where it should be at the end.
pub fn run(_: Way, count: u64) -> Done<(u64, Spent)> {
    let mut machine = Toggle::default().state_machine();
    machine.init();
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        // Otherwise the compiler sees that it may as well add up.
        black_box(&mut machine).handle(&black_box(Flip(2)));
    }
    let spent = meter.stop()?;
    let expected = if count.is_multiple_of(2) {
        State::dark()
    } else {
        State::lit()
    };
    if *machine.state() == expected {
        Ok((machine.inner().count, spent))
    } else {
        Err(format!("after {count} events it is in {:?}", machine.state()).into())
    }
}

/// So many machines, started.
#[must_use]
pub fn crowd(count: usize) -> impl Sized {
    (0..count)
        .map(|_| {
            let mut machine = Toggle::default().state_machine();
            machine.init();
            machine
        })
        .collect::<Vec<_>>()
}
