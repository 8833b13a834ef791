//! What thousands of idle connections cost, on the operating system's sockets. Alone in its program, so that threads,
//! descriptors and memory are its own.
#![cfg(target_os = "linux")]

#[path = "socket/rig.rs"]
#[allow(dead_code, reason = "one test needs little of it")]
mod rig;

/// The rig asks for the network that a test runs on.
mod backend {
    pub(crate) fn net() -> net_core::Net {
        net_core::Net::os()
    }
}

use rig::Rig;

/// A number from a line of a file such as `/proc/self/status`.
fn number(file: &str, line: &str, word: usize) -> usize {
    let text = std::fs::read_to_string(file).expect("Linux tells");
    let line = text
        .lines()
        .find(|found| found.starts_with(line))
        .expect("the line is there");
    line.split_whitespace()
        .nth(word)
        .and_then(|word| word.parse().ok())
        .unwrap_or(usize::MAX)
}

fn threads() -> usize {
    number("/proc/self/status", "Threads:", 1)
}

fn kilobytes() -> usize {
    number("/proc/self/status", "VmRSS:", 1)
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux tells").count()
}

#[test]
fn idle_connections_cost_no_thread_and_little_memory() {
    let limit = number("/proc/self/limits", "Max open files", 3);
    // Both ends are here.
    let connections = (limit.saturating_sub(200) / 2).min(10_000);
    println!("{connections} connections, by the limit of {limit} descriptors");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let work = runtime.spawn(async move {
        let rig = Rig::new();
        let (server, port) = rig.listen().await;
        // What the first ones bring up is not theirs.
        let mut sockets = Vec::with_capacity(connections);
        let mut peers = Vec::with_capacity(connections);
        let (before_threads, before_descriptors, before_memory) = (threads(), descriptors(), kilobytes());
        for _ in 0..connections {
            rig.raise("accept_socket", [server.clone()]);
            peers.push(rig.connect(port).await);
            let connection = rig.expect("accepted_socket", &server).await.parameter(1).clone();
            rig.raise("recv_socket", [connection.clone()]);
            sockets.push(connection);
        }
        assert_eq!(rig.service.open_sockets(), connections + 1);
        assert_eq!(threads(), before_threads);
        let memory = kilobytes() - before_memory;
        println!(
            "{memory} kB for both ends, {} bytes for each connection",
            memory * 1024 / connections
        );
        assert!(memory * 1024 / connections < 12 * 1024, "{memory} kB");

        for connection in &sockets {
            rig.raise("close_socket", [connection.clone()]);
            rig.expect_error(connection, "cancelled", "recv").await;
            rig.expect("closed_socket", connection).await;
        }
        drop(peers);
        // The tails are waited for in the background.
        while descriptors() > before_descriptors {
            tokio::task::yield_now().await;
        }
        assert_eq!(threads(), before_threads);
        while rig.service.open_sockets() > 1 {
            tokio::task::yield_now().await;
        }
    });
    let limit = std::time::Duration::from_secs(120);
    let net = net_core::Net::os();
    runtime
        .block_on(async { net.timeout(limit, work).await })
        .expect("an end")
        .unwrap();
}
