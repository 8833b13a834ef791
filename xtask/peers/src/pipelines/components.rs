//! components: typed boxes with a bound, counters on.

use super::{CAPACITY, Threads};
use crate::Outcome;
use crate::cpu::Spent;
use components::{BoxOptions, Context, Inbox, Net, Outbox, Pipeline, System, from_fn, map};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs it.
///
/// # Errors
/// If the pipeline does not end as it should.
pub fn run(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    pipeline(threads, 1, count)
}

/// The same with so many stages.
///
/// # Errors
/// If the pipeline does not end as it should.
pub fn run_long(stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    pipeline(Threads::One, stages, count)
}

fn pipeline(threads: Threads, stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    let sum = Arc::new(AtomicU64::new(0));
    let total = Arc::clone(&sum);
    threads.measure(async move {
        let source = from_fn(
            "Source",
            move |_: Inbox<()>, mut outbox: Outbox<u64>, _: Context| async move {
                for number in 0..count {
                    outbox.send(number).await?;
                }
                Ok(())
            },
        );
        let sink = from_fn(
            "Sink",
            move |mut inbox: Inbox<u64>, _: Outbox<()>, _: Context| async move {
                let mut all = 0;
                while let Some(number) = inbox.recv().await {
                    all += number;
                }
                total.store(all, Ordering::Release);
                Ok(())
            },
        );
        let room = BoxOptions::new().capacity(CAPACITY);
        let stage = || map(|number: u64| number + 1);
        let mut pipeline = Pipeline::new(source).then(stage()).with_box(room);
        for _ in 1..stages {
            pipeline = pipeline.then(stage()).with_box(room);
        }
        let pipeline = pipeline.then(sink).with_box(room);
        let end = System::new(&Net::os()).activate(pipeline)?.await;
        if end.reason.is_clean() {
            Ok(sum.load(Ordering::Acquire))
        } else {
            Err(end.to_string().into())
        }
    })
}
