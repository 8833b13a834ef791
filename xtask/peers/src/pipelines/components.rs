//! components: typed boxes with a bound, counters on.

use super::{CAPACITY, Threads};
use crate::Outcome;
use crate::cpu::Spent;
use components::{BoxOptions, Component, Context, HasInbox, HasOutbox, Inbox, Net, Outbox, Pipeline, System};
use components::{from_fn, map};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages that a source makes before it hands them on, where it hands on many.
const BATCH: u64 = 256;

/// One message at a time.
///
/// # Errors
/// If the pipeline does not end as it should.
pub fn run(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    plain(threads, 1, count)
}

/// The same with so many stages.
///
/// # Errors
/// If the pipeline does not end as it should.
pub fn run_long(stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    plain(Threads::One, stages, count)
}

fn plain(threads: Threads, stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    let source = from_fn(
        "Source",
        move |_: Inbox<()>, mut outbox: Outbox<u64>, _: Context| async move {
            for number in 0..count {
                outbox.send(number).await?;
            }
            Ok(())
        },
    );
    let sum = Arc::new(AtomicU64::new(0));
    let total = Arc::clone(&sum);
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
    pipeline(threads, source, stages, || map(|number: u64| number + 1), sink, &sum)
}

/// As many messages at a time as there are, by the calls that components have for it.
///
/// # Errors
/// If the pipeline does not end as it should.
pub fn batched(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    let source = from_fn(
        "Source",
        move |_: Inbox<()>, mut outbox: Outbox<u64>, _: Context| async move {
            let mut batch = VecDeque::new();
            let mut next = 0;
            while next < count {
                let end = count.min(next + BATCH);
                batch.extend(next..end);
                outbox.send_all(&mut batch).await?;
                next = end;
            }
            Ok(())
        },
    );
    let stage = || {
        from_fn(
            "Stage",
            |mut inbox: Inbox<u64>, mut outbox: Outbox<u64>, _: Context| async move {
                let mut batch = VecDeque::new();
                while inbox.recv_all(&mut batch).await > 0 {
                    batch.iter_mut().for_each(|number| *number += 1);
                    outbox.send_all(&mut batch).await?;
                }
                Ok(())
            },
        )
    };
    let sum = Arc::new(AtomicU64::new(0));
    let total = Arc::clone(&sum);
    let sink = from_fn(
        "Sink",
        move |mut inbox: Inbox<u64>, _: Outbox<()>, _: Context| async move {
            let (mut all, mut batch) = (0, VecDeque::new());
            while inbox.recv_all(&mut batch).await > 0 {
                all += batch.drain(..).sum::<u64>();
            }
            total.store(all, Ordering::Release);
            Ok(())
        },
    );
    pipeline(threads, source, 1, stage, sink, &sum)
}

fn pipeline<S: Component + HasInbox<In = u64> + HasOutbox<Out = u64>>(
    threads: Threads,
    source: impl Component + HasOutbox<Out = u64>,
    stages: u64,
    stage: impl Fn() -> S,
    sink: impl Component + HasInbox<In = u64>,
    sum: &AtomicU64,
) -> Outcome<(u64, Spent)> {
    threads.measure(async move {
        let room = BoxOptions::new().capacity(CAPACITY);
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
