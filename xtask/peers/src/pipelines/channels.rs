//! Channels and tasks, with nothing around them.

use super::{CAPACITY, Threads};
use crate::Outcome;
use crate::cpu::Spent;

/// tokio's bounded mpsc.
///
/// # Errors
/// If a task panics.
pub fn tokio(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    by_tokio(threads, 1, count)
}

/// The same with so many stages.
///
/// # Errors
/// If a task panics.
pub fn tokio_long(stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    by_tokio(Threads::One, stages, count)
}

fn by_tokio(threads: Threads, stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    use tokio::sync::mpsc::channel;
    threads.measure(async move {
        let (first, mut last) = channel(CAPACITY);
        tokio::spawn(async move {
            for number in 0..count {
                if first.send(number).await.is_err() {
                    break;
                }
            }
        });
        for _ in 0..stages {
            let (next, sink) = channel(CAPACITY);
            let mut stage = std::mem::replace(&mut last, sink);
            tokio::spawn(async move {
                while let Some(number) = stage.recv().await {
                    if next.send(number + 1).await.is_err() {
                        break;
                    }
                }
            });
        }
        let sum = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(number) = last.recv().await {
                sum += number;
            }
            sum
        });
        Ok(sum.await?)
    })
}

/// kanal's bounded channel.
///
/// # Errors
/// If a task panics.
pub fn kanal(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    by_kanal(threads, 1, count)
}

/// The same with so many stages.
///
/// # Errors
/// If a task panics.
pub fn kanal_long(stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    by_kanal(Threads::One, stages, count)
}

fn by_kanal(threads: Threads, stages: u64, count: u64) -> Outcome<(u64, Spent)> {
    threads.measure(async move {
        let (first, mut last) = kanal::bounded_async::<u64>(CAPACITY);
        tokio::spawn(async move {
            for number in 0..count {
                if first.send(number).await.is_err() {
                    break;
                }
            }
        });
        for _ in 0..stages {
            let (next, sink) = kanal::bounded_async::<u64>(CAPACITY);
            let stage = std::mem::replace(&mut last, sink);
            tokio::spawn(async move {
                while let Ok(number) = stage.recv().await {
                    if next.send(number + 1).await.is_err() {
                        break;
                    }
                }
            });
        }
        let sum = tokio::spawn(async move {
            let mut sum = 0;
            while let Ok(number) = last.recv().await {
                sum += number;
            }
            sum
        });
        Ok(sum.await?)
    })
}
