//! Channels and tasks, with nothing around them.

use super::{CAPACITY, Threads};
use crate::Outcome;
use crate::cpu::Spent;

/// tokio's bounded mpsc.
///
/// # Errors
/// If a task panics.
pub fn tokio(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    use tokio::sync::mpsc::channel;
    threads.measure(async move {
        let (first, mut stage) = channel(CAPACITY);
        let (second, mut sink) = channel(CAPACITY);
        tokio::spawn(async move {
            for number in 0..count {
                if first.send(number).await.is_err() {
                    break;
                }
            }
        });
        tokio::spawn(async move {
            while let Some(number) = stage.recv().await {
                if second.send(number + 1).await.is_err() {
                    break;
                }
            }
        });
        let sum = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(number) = sink.recv().await {
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
    threads.measure(async move {
        let (first, stage) = kanal::bounded_async::<u64>(CAPACITY);
        let (second, sink) = kanal::bounded_async::<u64>(CAPACITY);
        tokio::spawn(async move {
            for number in 0..count {
                if first.send(number).await.is_err() {
                    break;
                }
            }
        });
        tokio::spawn(async move {
            while let Ok(number) = stage.recv().await {
                if second.send(number + 1).await.is_err() {
                    break;
                }
            }
        });
        let sum = tokio::spawn(async move {
            let mut sum = 0;
            while let Ok(number) = sink.recv().await {
                sum += number;
            }
            sum
        });
        Ok(sum.await?)
    })
}
