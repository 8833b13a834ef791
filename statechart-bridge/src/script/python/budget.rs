//! How much code may do before it is stopped.

use std::cell::Cell;

use crate::Value;

/// Statements and calls of one piece of code.
const STEPS: u64 = 1_000_000;
/// What a step is in bytes of text that are looked at.
const STEP: u64 = 1024;
/// What a step is in values that are looked at.
const VALUES: u64 = 16;
/// What a step is in items that others push aside.
const SHIFTED: u64 = 256;
/// Bytes that one piece of code may make.
const MEMORY: usize = 256 * 1024 * 1024;
/// Bytes that the constants of one model may take which are computed when it is loaded.
const CONSTANTS: usize = 64 * 1024 * 1024;
/// About what a value takes in a list.
const ITEM: usize = 48;
/// Functions in functions.
const DEPTH: u32 = 64;
/// Expressions in expressions and blocks in blocks, through all functions: what is on the stack at a time.
const NESTED: u32 = 200;
/// Lists in lists. What is nested without a limit could neither be compared nor thrown away.
const DEEPEST: usize = 100;

thread_local! {
    /// The budget of the code that calls a method right now: the method spends the same.
    static LENT: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// What is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Steps, in parts of them: what takes less than a step is spent too, since it may be done often in one.
    work: u64,
    memory: usize,
    depth: u32,
    nested: u32,
}

impl Budget {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            work: STEPS * STEP,
            memory: MEMORY,
            depth: DEPTH,
            nested: NESTED,
        }
    }

    /// For all that is computed when one model is loaded. What goes beyond it is computed when it is needed.
    pub(crate) fn of_constants() -> Self {
        Self {
            memory: CONSTANTS,
            ..Self::new()
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
        self.spend_work(STEP)
    }

    #[inline]
    fn spend_work(&mut self, work: u64) -> Result<(), String> {
        match self.work.checked_sub(work) {
            Some(left) => {
                self.work = left;
                Ok(())
            }
            None => Err(stopped()),
        }
    }

    /// Spends the bytes of a new value, before it is made.
    #[inline]
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), String> {
        match self.memory.checked_sub(bytes) {
            Some(left) => {
                self.memory = left;
                // Much memory takes much time.
                self.work = self.work.saturating_sub(bytes as u64);
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

    /// Spends what looking at so many values takes.
    #[inline]
    pub(super) fn look(&mut self, values: usize) -> Result<(), String> {
        self.spend_work((values as u64).saturating_mul(STEP / VALUES))
    }

    /// Spends what going through so many bytes of text takes.
    #[inline]
    pub(super) fn scan(&mut self, bytes: usize) -> Result<(), String> {
        self.spend_work(bytes as u64)
    }

    /// Spends what pushing so many items of a list or a map aside takes.
    pub(super) fn shift(&mut self, items: usize) -> Result<(), String> {
        self.spend_work((items as u64).saturating_mul(STEP / SHIFTED))
    }

    /// A value becomes a part of another: spends what all in it takes, however often it is in it.
    #[inline]
    pub(super) fn admit(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::List(_) | Value::Tuple(_) | Value::Map(_) => self.admit_all(value, 1),
            _ => Ok(()),
        }
    }

    /// So many times.
    pub(super) fn admit_all(&mut self, value: &Value, times: usize) -> Result<(), String> {
        let most = usize::try_from(self.work / (STEP / VALUES)).unwrap_or(usize::MAX);
        let mut count = 0;
        weigh(value, 0, &mut count, most)?;
        self.look(count.saturating_mul(times))
    }

    /// Goes into an expression or a block.
    #[inline]
    pub(super) fn nest(&mut self) -> Result<(), String> {
        match self.nested.checked_sub(1) {
            Some(left) => {
                self.nested = left;
                Ok(())
            }
            None => Err(format!(
                "expressions and blocks, {NESTED} deep through all functions: too many"
            )),
        }
    }

    /// Comes out of it.
    #[inline]
    pub(super) fn unnest(&mut self) {
        self.nested += 1;
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

fn stopped() -> String {
    format!("the code was stopped after {STEPS} steps: does it end?")
}

/// Counts all values in a value.
fn weigh(value: &Value, depth: usize, count: &mut usize, most: usize) -> Result<(), String> {
    *count += 1;
    if depth > DEEPEST {
        return Err(format!("lists in lists, {DEEPEST} deep: too many"));
    }
    if *count > most {
        return Err(stopped());
    }
    match value {
        Value::List(_) | Value::Tuple(_) => {
            let items = value.items().unwrap_or(&[]);
            items.iter().try_for_each(|item| weigh(item, depth + 1, count, most))
        }
        Value::Map(map) => map.iter().try_for_each(|(key, item)| {
            weigh(key, depth + 1, count, most)?;
            weigh(item, depth + 1, count, most)
        }),
        _ => Ok(()),
    }
}
