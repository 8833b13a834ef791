//! How many files the process may open, and how much memory it has touched.

use crate::Outcome;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one, and tells it.
///
/// # Errors
/// If the system refuses.
pub fn raise_open_files() -> Outcome<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// Bytes of memory of this process that are resident: what `VmRSS` tells, but exact.
///
/// The kernel keeps `VmRSS` in per-core counters that may lag by some hundred kilobytes, which is tens of bytes per
/// connection at 10 000 connections; `smaps_rollup` walks the pages.
///
/// # Errors
/// If `/proc` is not there.
pub fn resident() -> Outcome<u64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .ok_or("no Rss in smaps_rollup")?;
    let kilobytes = line.trim().strip_suffix("kB").ok_or("Rss is not in kB")?.trim();
    Ok(kilobytes.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touched_memory_is_seen() {
        let before = resident().unwrap();
        let block = std::hint::black_box(vec![1_u8; 8 << 20]);
        let after = resident().unwrap();
        assert!(after >= before + (7 << 20), "{before} {after}");
        drop(block);
    }
}
