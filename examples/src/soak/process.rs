//! What this process holds, as the system tells.

/// Numbers of `/proc/self`; zeros where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Resident memory, in KiB.
    pub(super) resident: u64,
    pub(super) threads: u64,
    /// Open descriptors.
    pub(super) files: usize,
}

impl Process {
    pub(super) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        };
        Self {
            resident: number("VmRSS:").unwrap_or_default(),
            threads: number("Threads:").unwrap_or_default(),
            files: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        }
    }
}
