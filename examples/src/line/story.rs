//! The timeline on the terminal, and the checks at its end.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::{Clock, TimeOfDay};

/// Tells what happens, line by line. Clones tell the same story.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    clock: Clock,
    /// Whether there is a line of progress to be written over; only on terminals.
    progress: Arc<Mutex<bool>>,
    is_terminal: bool,
}

impl Story {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            progress: Arc::default(),
            is_terminal: std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Something happened, just now.
    pub(crate) fn tell(&self, who: &str, what: impl Display) {
        self.tell_at(self.clock.now(), who, what);
    }

    /// Something happened at this time of the shift.
    pub(crate) fn tell_at(&self, at: std::time::Duration, who: &str, what: impl Display) {
        self.line(format_args!("{}  {who:<10}  {what}", TimeOfDay(at)));
    }

    /// A line without a time.
    pub(crate) fn line(&self, what: impl Display) {
        let mut progress = lock(&self.progress);
        if std::mem::take(&mut *progress) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        // Nobody reads it any more: the exit code still tells.
        let _ = writeln!(std::io::stdout(), "{what}");
    }

    /// How far it is; written over by the next line, and only where somebody looks.
    pub(crate) fn progress(&self, what: impl Display) {
        if !self.is_terminal {
            return;
        }
        let mut progress = lock(&self.progress);
        *progress = true;
        let mut err = std::io::stderr();
        let _ = write!(err, "\r\x1b[K{}  {what}", TimeOfDay(self.clock.now()));
        let _ = err.flush();
    }
}

/// What must be true of the outcome.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    held: usize,
    broken: usize,
}

impl Checks {
    /// Tells a fact, and whether it is so.
    pub(crate) fn fact(&mut self, story: &Story, what: impl Display, so: bool) {
        if so {
            self.held += 1;
            story.line(format_args!("  ok     {what}"));
        } else {
            self.broken += 1;
            story.line(format_args!("  WRONG  {what}"));
        }
    }

    /// The last line, and whether all was well.
    pub(crate) fn conclude(&self, story: &Story) -> bool {
        let Self { held, broken } = self;
        match broken {
            0 => story.line(format_args!("\nAll {held} checks hold.")),
            _ => story.line(format_args!("\n{held} checks hold, {broken} DO NOT.")),
        }
        *broken == 0
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What such locks guard is books and lines, never half changed where a panic could strike.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
