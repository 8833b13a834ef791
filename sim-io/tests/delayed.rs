//! Delayed starts, and subscriptions to events. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use common::{Units, seconds, world};
use sim_io::interruptible;

#[test]
fn a_process_starts_later() {
    let (env, log) = world();
    process!(env, log; {
        let starts = env.start_delayed(seconds(3), {
            let (env, log) = (env.clone(), log.clone());
            async move {
                log.say(format!("starts at {}", env.time()));
                env.wait(1).await;
                7
            }
        });
        let child = starts.await.unwrap();
        log.say(format!("has it at {}, alive {}", env.time(), child.is_alive()));
        log.say(format!("{} at {}", child.await.unwrap(), env.time()));
    });
    env.run().unwrap();
    log.expect("starts at 3 | has it at 3, alive true | 7 at 4");
}

#[test]
fn an_event_interrupts_who_subscribes() {
    let (env, log) = world();
    let event = env.event::<&str>();
    process!(env, log, event; {
        env.subscribe(&event).unwrap();
        let interrupted = interruptible(&env, env.wait(9)).await.unwrap_err();
        log.say(format!("{} at {}", interrupted.cause::<&str>().unwrap(), env.time()));
        if env.subscribe(&event).is_err() {
            log.say("refused");
        }
    });
    process!(env, event; {
        env.wait(2).await;
        event.succeed("value").unwrap();
    });
    env.run().unwrap();
    log.expect("value at 2 | refused");
    // Outside of a process there is nobody to interrupt.
    assert!(env.subscribe(&env.event::<()>()).is_err());
}
