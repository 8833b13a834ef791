//! Components in a simulated network: virtual time, and the same run from the same seed.

use std::time::Duration;

use components::{Context, Event, Inbox, Outbox, Pipeline, System, for_each, from_fn, map, supervise};
use net_core::Backoff;
use sim_io::Environment;
use sim_io::network::Network;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A day of ticks with failures, and what happened in it.
fn run(seed: u64) -> (u64, Vec<String>) {
    let env = Environment::with_seed(seed);
    let network = Network::new(&env);
    let host = network.host("host").unwrap();
    let net = host.net();
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let process = env.named_process("test", {
        let events = std::sync::Arc::clone(&events);
        async move {
            let system = System::new(&net);
            let seen = std::sync::Arc::clone(&events);
            let clock = net.clone();
            system.observe(move |event: &Event| seen.lock().unwrap().push(format!("{:?} {event:?}", clock.now())));
            let ticks = from_fn(
                "Ticks",
                |_: Inbox<u32>, mut outbox: Outbox<u32>, context: Context| async move {
                    for n in 0..288 {
                        outbox.send(n).await?;
                        context.sleep(DAY / 288).await?;
                    }
                    Ok(())
                },
            );
            let shaky = supervise(Backoff::default(), || {
                map(|n: u32| {
                    assert_ne!(n % 100, 99, "on purpose");
                    n
                })
            });
            let end = system
                .activate(Pipeline::new(ticks).then(shaky).then(for_each(drop)))
                .unwrap()
                .await;
            assert!(end.reason.is_clean());
        }
    });
    env.run_until(&process).unwrap();
    assert!(env.now() - net_core::Instant::default() >= DAY);
    let events = events.lock().unwrap().clone();
    (env.trace_hash(), events)
}

#[test]
fn a_day_passes_at_once_and_equal_seeds_give_equal_runs() {
    let (hash, events) = run(7);
    assert_eq!(events.iter().filter(|event| event.contains("Restarting")).count(), 2);
    assert_eq!((hash, events), run(7));
}
