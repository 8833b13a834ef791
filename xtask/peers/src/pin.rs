//! Both ends on one core.
//!
//! The same ping-pong takes 11 µs with both ends on one core and 50 µs across two: the wake-up, not the code. Unpinned
//! it flips between both. So a ratio is only worth something when client and server share a core.

use crate::Outcome;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::sync::OnceLock;

/// The cores that the process had before anything was pinned.
static ALL: OnceLock<CpuSet> = OnceLock::new();

/// Lets the calling thread, and what it starts, use all cores for a while: for what is measured on several of them.
///
/// # Errors
/// If the system refuses.
pub fn on_all_cores<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let this = Pid::from_raw(0);
    let pinned = sched_getaffinity(this)?;
    sched_setaffinity(this, ALL.get().unwrap_or(&pinned))?;
    let outcome = work();
    sched_setaffinity(this, &pinned)?;
    outcome
}

/// Keeps the calling thread, and what it starts, on one core; gives the thread its cores back when dropped.
///
/// Threads and processes inherit the affinity of the thread that starts them, so pinning before anything is started
/// pins both ends.
#[derive(Debug)]
pub struct Pinned {
    before: CpuSet,
    core: usize,
}

impl Pinned {
    /// Pins to the last core that the thread may use (the first ones get most of the interrupts).
    ///
    /// # Errors
    /// If the system refuses.
    pub fn to_last_core() -> Outcome<Self> {
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this)?;
        ALL.get_or_init(|| before);
        let core = (0..CpuSet::count())
            .rev()
            .find(|&core| before.is_set(core).unwrap_or(false));
        let core = core.ok_or("this thread may not use any core")?;
        let mut one = CpuSet::new();
        one.set(core)?;
        sched_setaffinity(this, &one)?;
        Ok(Self { before, core })
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> usize {
        self.core
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // The set was this thread's own a moment ago; should it be refused now, the thread stays pinned.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_and_gives_back() {
        let cores = |set: CpuSet| (0..CpuSet::count()).filter(|&core| set.is_set(core).unwrap()).count();
        let now = || cores(sched_getaffinity(Pid::from_raw(0)).unwrap());
        let before = now();
        let pinned = Pinned::to_last_core().unwrap();
        assert_eq!(now(), 1);
        assert_eq!(on_all_cores(|| Ok(now())).unwrap(), before);
        assert_eq!(now(), 1);
        drop(pinned);
        assert_eq!(now(), before);
    }
}
