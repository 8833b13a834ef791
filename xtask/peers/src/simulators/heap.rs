//! The limit: nothing but std's `BinaryHeap`, with time and sequence in one integer.

use super::{Delays, Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Runs a model.
///
/// # Errors
/// If the system refuses to tell the processor time.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let mut delays: Vec<Delays> = (0..model.processes).map(|process| model.delays(process)).collect();
    let mut sequence = 0;
    let mut heap = BinaryHeap::new();
    for (process, delays) in delays.iter_mut().enumerate() {
        heap.push(Reverse((key(delays.next(), &mut sequence), process)));
    }
    until(model.warm, &mut heap, &mut delays, &mut sequence);
    let meter = tally::start()?;
    until(model.end, &mut heap, &mut delays, &mut sequence);
    tally::stop(meter)
}

fn key(time: u64, sequence: &mut u64) -> u128 {
    *sequence += 1;
    u128::from(time) << 64 | u128::from(*sequence)
}

fn until(end: u64, heap: &mut BinaryHeap<Reverse<(u128, usize)>>, delays: &mut [Delays], sequence: &mut u64) {
    while let Some(mut first) = heap.peek_mut() {
        let Reverse((due, process)) = *first;
        let time = (due >> 64) as u64;
        if time > end {
            return;
        }
        tally::event(time);
        let next = time + delays[process].next();
        *first = Reverse((key(next, sequence), process));
        drop::<PeekMut<'_, _>>(first);
    }
}
