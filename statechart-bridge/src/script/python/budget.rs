//! How much code may do before it is stopped.

use std::cell::Cell;

/// Statements and calls of one piece of code.
const STEPS: u64 = 1_000_000;
/// Bytes that one piece of code may make.
const MEMORY: usize = 256 * 1024 * 1024;
/// About what a value takes in a list.
const ITEM: usize = 48;
/// Functions in functions.
const DEPTH: u32 = 32;

thread_local! {
    /// The budget of the code that calls a method right now: the method spends the same.
    static LENT: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// What is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    steps: u64,
    memory: usize,
    depth: u32,
}

impl Budget {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            steps: STEPS,
            memory: MEMORY,
            depth: DEPTH,
        }
    }

    /// Runs code with a new budget, or with that of its caller.
    #[inline]
    pub(super) fn spend<T>(run: impl FnOnce(&mut Self) -> T) -> T {
        let lent = LENT.take();
        let mut budget = lent.unwrap_or_else(Self::new);
        let result = run(&mut budget);
        if lent.is_some() {
            LENT.set(Some(budget));
        }
        result
    }

    /// Lets code that is called by way of the engine spend this budget.
    pub(super) fn lend<T>(&mut self, call: impl FnOnce() -> T) -> T {
        LENT.set(Some(*self));
        let result = call();
        if let Some(left) = LENT.take() {
            *self = left;
        }
        result
    }

    /// Spends a step.
    #[inline]
    pub(super) fn step(&mut self) -> Result<(), String> {
        match self.steps.checked_sub(1) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(format!("the code was stopped after {STEPS} steps: does it end?")),
        }
    }

    /// Spends the bytes of a new value, before it is made.
    #[inline]
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), String> {
        match self.memory.checked_sub(bytes) {
            Some(left) => {
                self.memory = left;
                // Much memory takes much time.
                let steps = bytes as u64 / 1024;
                self.steps = self.steps.saturating_sub(steps);
                Ok(())
            }
            None => Err(format!("the code was stopped: it made more than {MEMORY} bytes")),
        }
    }

    /// Spends so many items of a new list.
    #[inline]
    pub(super) fn make_items(&mut self, count: usize) -> Result<(), String> {
        self.make(count.saturating_mul(ITEM))
    }

    /// Goes into a function.
    pub(super) fn enter(&mut self) -> Result<(), String> {
        match self.depth.checked_sub(1) {
            Some(left) => {
                self.depth = left;
                Ok(())
            }
            None => Err(format!("functions call each other, {DEPTH} deep")),
        }
    }

    /// Comes out of it.
    pub(super) fn leave(&mut self) {
        self.depth += 1;
    }
}
