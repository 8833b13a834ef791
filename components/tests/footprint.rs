//! What a component that does nothing weighs.

mod common;

use allocation_counter::measure;
use common::system;
use components::{Active, Context, Inbox, Outbox, System, from_fn};

/// Components that are started, and all wait for a message that does not come.
const MANY: u64 = 1000;

fn start(system: &System) -> Active {
    let echo = from_fn(
        "Echo",
        |mut inbox: Inbox<u64>, mut outbox: Outbox<u64>, _: Context| async move {
            while let Some(message) = inbox.recv().await {
                outbox.send(message).await?;
            }
            Ok(())
        },
    );
    system.activate(echo).unwrap()
}

#[test]
fn an_idle_component_takes_two_kilobytes_and_gives_them_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let system = system();
    let round = || {
        let mut active = Vec::with_capacity(MANY as usize);
        let kept = measure(|| {
            runtime.block_on(async {
                active.extend((0..MANY).map(|_| start(&system)));
                // All of them run, and wait.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            });
        });
        let back = measure(|| {
            runtime.block_on(async {
                for one in active {
                    one.stop();
                    one.await;
                }
            });
        });
        (kept, back)
    };
    // Queues of the runtime that grow once.
    round();
    let (kept, back) = round();
    let (bytes, blocks) = (kept.bytes_current / MANY as i64, kept.count_current / MANY as i64);
    assert!(bytes <= 2048 && blocks <= 16, "{bytes} bytes in {blocks} blocks");
    println!("{bytes} bytes in {blocks} blocks");
    let left = kept.bytes_current + back.bytes_current;
    assert!(left < 10_000, "{left} bytes are left of {MANY}");
}
