//! Counts calls to the allocator.
//!
//! The counter runs only in the round that is dropped, so that the timed rounds don't pay for it (two atomic additions
//! cost as much as a small allocation).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static COUNTING: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);

/// How often, and for how many bytes, the process asked for memory while counting was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Calls of `alloc`, `alloc_zeroed` and `realloc`.
    pub calls: u64,
    /// Bytes asked for; a `realloc` counts with its whole new size.
    pub bytes: u64,
    /// Bytes given back; a `realloc` counts with its whole old size.
    pub freed: u64,
}

impl Allocations {
    /// The counters as they stand.
    #[must_use]
    pub fn now() -> Self {
        Self {
            calls: CALLS.load(Ordering::Relaxed),
            bytes: BYTES.load(Ordering::Relaxed),
            freed: FREED.load(Ordering::Relaxed),
        }
    }

    /// What came on top of an earlier reading.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            calls: self.calls - earlier.calls,
            bytes: self.bytes - earlier.bytes,
            freed: self.freed - earlier.freed,
        }
    }

    /// Bytes that were asked for and not given back.
    #[must_use]
    pub fn kept(self) -> u64 {
        self.bytes.saturating_sub(self.freed)
    }
}

/// Switches counting on or off, for the whole process.
pub fn count(on: bool) {
    COUNTING.store(on, Ordering::Relaxed);
}

/// Whether allocations are counted at the moment.
#[must_use]
pub fn counting() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

fn note(size: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(size as u64, Ordering::Relaxed);
    }
}

fn note_freed(size: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        FREED.fetch_add(size as u64, Ordering::Relaxed);
    }
}

/// The global allocator of the benchmarks.
///
/// This is the package's one use of `unsafe`, because `GlobalAlloc` can't be implemented without it. It is sound for
/// the following reason. Each method hands its arguments, unchanged, to the same method of [`std::alloc::System`] and
/// returns that method's result unchanged. So the promises that the caller makes to us (a layout of non-zero size, a
/// pointer that this allocator handed out, with the layout it was handed out with) are exactly the promises that
/// `System` asks for, as every block we ever hand out is one of `System`'s; and what `System` promises to us is exactly
/// what we have to promise to the caller. What comes before are `note` and
/// `note_freed`, which touch a few atomics: they allocate nothing (so they can't recurse), lock nothing, can't panic
/// (`fetch_add` wraps), and see neither the pointer nor the memory behind it.
#[allow(unsafe_code)]
mod global {
    use super::{note, note_freed};
    use std::alloc::{GlobalAlloc, Layout, System};

    struct Counting;

    // SAFETY: every method forwards to `System`, see above.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            note(layout.size());
            // SAFETY: the caller's promises about `layout` are the ones that `System` asks for.
            unsafe { System.alloc(layout) }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            note(layout.size());
            // SAFETY: as in `alloc`.
            unsafe { System.alloc_zeroed(layout) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            note(size);
            note_freed(layout.size());
            // SAFETY: `pointer` came from `System` by way of this allocator, with `layout`; `size` is the caller's promise.
            unsafe { System.realloc(pointer, layout, size) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            note_freed(layout.size());
            // SAFETY: `pointer` came from `System` by way of this allocator, with `layout`.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;
}

/// Counting is the whole process's: tests that switch it take turns.
#[cfg(test)]
pub(crate) static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_only_while_switched_on() {
        let _turn = TURN.lock();
        count(false);
        let before = Allocations::now();
        drop(std::hint::black_box(vec![0_u8; 100]));
        assert_eq!(Allocations::now().since(before), Allocations::default());
        count(true);
        let before = Allocations::now();
        drop(std::hint::black_box(Vec::<u8>::with_capacity(4321)));
        let seen = Allocations::now().since(before);
        count(false);
        // Other tests may allocate at the same time, hence no equality.
        assert!(seen.calls >= 1 && seen.bytes >= 4321 && seen.freed >= 4321, "{seen:?}");
    }
}
