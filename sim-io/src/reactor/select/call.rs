//! The one call of the system that Rust can't check: `select`.
//!
//! This is the only file of the workspace that may contain `unsafe`; `cargo xtask tidy` refuses any other. What is said
//! here is why its one block is sound.
//!
//! # What the call demands
//! rustix's [`select`] is an `unsafe fn` with two demands.
//!
//! 1. *All descriptors in all the sets must correspond to open file descriptors.* This is I/O safety, not memory safety:
//!    the system reads no memory through a descriptor, and answers a closed one with EBADF. But a number that was closed
//!    may meanwhile be somebody else's file, and asking about that is what Rust's `BorrowedFd` exists to rule out.
//! 2. *Each set holds at least `nfds` bits.* This is memory safety: the system reads and writes
//!    `nfds` bits, rounded up to words, from where each set begins.
//!
//! # Why they hold
//! 1. A descriptor gets into [`Sets`] by [`Sets::insert`] only (its fields are private to a module in which nothing else
//!    sets a bit), and that takes a `BorrowedFd<'fd>`. A `BorrowedFd<'fd>` is open for all of `'fd`, and `Sets<'_, 'fd>`
//!    can't be used after `'fd` (it holds a `PhantomData<BorrowedFd<'fd>>`, so the compiler counts it as a borrower). The
//!    sets begin empty: [`Storage::sets`](super::sets::Storage::sets) clears what a wait before left behind, of
//!    descriptors that may be closed by now. So during the call, which borrows the sets, every bit that is set is an open
//!    descriptor. The system changes the sets only by clearing bits.
//! 2. The bound and both sets come together from [`Sets::parts`]. `insert` raises the bound and lengthens both sets in
//!    the same step, to `fd_set_num_elements(0, bound)` words, which is rustix's own count of the words for `bound` bits;
//!    nothing shortens a set without setting the bound to zero. The tests beside `Sets` check the lengths at the edges of
//!    words and far behind FD_SETSIZE, for any set of descriptors, and run under Miri:
//!    `cargo +nightly miri test -p sim-io --lib reactor::select::sets`.
//!
//! There is no limit at FD_SETSIZE: that is the length of C's type `fd_set`, which takes no part here. The system itself
//! takes any `nfds`, and clamps it to the number of descriptors that the process can have.
//!
//! # What else could go wrong
//! * *Aliasing*: both sets are distinct `&mut` slices of two vectors, so the system's writes overlap nothing.
//! * *Any bits are valid*: a word of a set is a transparent integer, so whatever the system writes is a value of it.
//! * *Threads*: the sets are borrowed exclusively for the call. Another thread may shut a socket down meanwhile, which
//!   changes what is ready, not what is open.
//! * *Signals*: the call returns EINTR and the sets are unspecified then; the caller gives them up.
//! * *The timeout* is a shared reference that rustix copies, because Linux writes the rest of the time into it.

#![expect(
    unsafe_code,
    reason = "rustix's select can't be called without; the page above says why it is sound"
)]

use rustix::event::{Timespec, select};
use rustix::io;

use super::sets::Sets;

/// Waits until a descriptor of the sets is ready, or the time is over; what is not ready leaves the sets.
///
/// # Errors
/// The system's; the sets are unspecified then.
pub(super) fn wait(sets: &mut Sets<'_, '_>, limit: Option<&Timespec>) -> io::Result<i32> {
    let (bound, read, write) = sets.parts();
    // SAFETY: the descriptors in both sets are borrowed for longer than this call, and both hold `bound` bits; see above.
    unsafe { select(bound, Some(read), Some(write), None, limit) }
}
