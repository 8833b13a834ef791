//! What sessions cost in memory: nothing for a linktest or a request, little for being there.

#[path = "rig/mod.rs"]
mod common;

use std::time::Duration;

use common::{Echo, LIMIT, S1F1, patient};
use hsms::{ActiveConnection, Linktest, MultiPassiveServer, Net};
use tokio::runtime::{Builder, Runtime};

/// Its clock jumps, and all happens on this thread.
fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// So many hosts with a linktest every ten seconds, selected by one server.
async fn sessions(count: usize) -> (MultiPassiveServer, Vec<ActiveConnection>) {
    let net = Net::os();
    let mut options = patient();
    let served = options.clone();
    let server = MultiPassiveServer::new(&net, "mem:allocations".parse().unwrap());
    server.accept_any(move |_| Some((served.clone(), Echo)));
    let at = server.start().await.unwrap();
    options.session.linktest = Some(Linktest::every(Duration::from_secs(10)));
    let mut hosts = Vec::with_capacity(count);
    for _ in 0..count {
        let host = ActiveConnection::new(&net, at.clone(), options.clone(), ());
        host.enable().unwrap();
        host.selected(LIMIT).await.unwrap();
        hosts.push(host);
    }
    (server, hosts)
}

/// What passes costs nothing in the sessions: the pipes that stand for sockets give their memory back when they are
/// empty, and so take one allocation for each write.
const BY_THE_PIPES: u64 = 2;

#[test]
fn linktests_cost_no_allocation() {
    let runtime = runtime();
    let (_server, hosts) = runtime.block_on(sessions(1));
    let wait = |seconds| runtime.block_on(async { hosts[0].net().sleep(Duration::from_secs(seconds)).await });
    // The buffers find their size.
    wait(1000);
    let before = hosts[0].stats().linktests;
    let used = allocation_counter::measure(|| wait(10_000));
    let linktests = hosts[0].stats().linktests - before;
    assert!(linktests >= 990, "{linktests}");
    assert!(used.count_total <= BY_THE_PIPES * linktests + 10, "{used:?}");
    assert!(used.bytes_current.abs() < 4096, "{used:?}");
}

#[test]
fn requests_cost_a_handful_of_allocations() {
    const ROUNDS: u64 = 1000;
    let runtime = runtime();
    let (_server, hosts) = runtime.block_on(sessions(1));
    let ask = |count| {
        runtime.block_on(async {
            for _ in 0..count {
                hosts[0].request(S1F1, "").await.unwrap();
            }
        });
    };
    ask(100);
    let used = allocation_counter::measure(|| ask(ROUNDS));
    // One is the channel on which the reply comes.
    assert!(used.count_total <= (BY_THE_PIPES + 1) * ROUNDS + 10, "{used:?}");
    assert!(used.bytes_current.abs() < 4096, "{used:?}");
}

#[test]
fn an_idle_session_holds_little() {
    const SESSIONS: usize = 200;
    let runtime = runtime();
    let mut kept = None;
    let used = allocation_counter::measure(|| {
        kept = Some(runtime.block_on(async {
            let sessions = sessions(SESSIONS).await;
            sessions.1[0].net().sleep(Duration::from_secs(100)).await;
            sessions
        }));
    });
    let hosts = &kept.as_ref().unwrap().1;
    assert!(
        hosts
            .iter()
            .all(|host| host.is_selected() && host.stats().linktests > 5)
    );
    // Both ends of each, and the pipes between them.
    let each = used.bytes_current / (2 * SESSIONS as i64);
    assert!(each < 8 * 1024, "{each} bytes for an end of an idle session");
    println!("{each} bytes for an end of an idle session");
}
