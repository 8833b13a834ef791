//! Nothing is left open. The one test of this file has the process for itself, so that it may count descriptors.
#![cfg(all(feature = "reactor", target_os = "linux"))]

mod reactor_common;

use reactor_common::{pair, real};
use sim_io::reactor::Poller;

#[test]
fn an_environment_leaves_no_descriptor_behind() {
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    for poller in [Poller::Mio, Poller::Poll, Poller::Select] {
        let before = count();
        let env = real(poller);
        let first = pair(&env);
        let open = count();
        // A thousand connections come and go.
        for _ in 0..1000 {
            pair(&env);
        }
        assert_eq!(count(), open);
        drop(first);
        assert_eq!(count(), open - 2);
        // Handles keep nothing open when their environment ends.
        let kept = pair(&env);
        drop(env);
        assert_eq!(count(), before);
        drop(kept);
    }
}
