//! ractor: `cast`, without a bound.

use super::Threads;
use crate::Outcome;
use crate::cpu::Spent;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

struct Stage;

impl Actor for Stage {
    type Msg = u64;
    type State = ActorRef<u64>;
    type Arguments = ActorRef<u64>;

    async fn pre_start(&self, _: ActorRef<u64>, sink: ActorRef<u64>) -> Result<ActorRef<u64>, ActorProcessingErr> {
        Ok(sink)
    }

    async fn handle(&self, _: ActorRef<u64>, number: u64, sink: &mut ActorRef<u64>) -> Result<(), ActorProcessingErr> {
        Ok(sink.cast(number + 1)?)
    }
}

struct Sink;

struct Sum {
    sum: u64,
    left: u64,
    done: Option<oneshot::Sender<u64>>,
}

impl Actor for Sink {
    type Msg = u64;
    type State = Sum;
    type Arguments = Sum;

    async fn pre_start(&self, _: ActorRef<u64>, sum: Sum) -> Result<Sum, ActorProcessingErr> {
        Ok(sum)
    }

    async fn handle(&self, _: ActorRef<u64>, number: u64, sum: &mut Sum) -> Result<(), ActorProcessingErr> {
        sum.sum += number;
        sum.left -= 1;
        if sum.left == 0
            && let Some(done) = sum.done.take()
        {
            let _ = done.send(sum.sum);
        }
        Ok(())
    }
}

/// Runs it.
///
/// # Errors
/// If an actor is gone too early.
pub fn run(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    threads.measure(async move {
        let (done, result) = oneshot::channel();
        let sum = Sum {
            sum: 0,
            left: count,
            done: Some(done),
        };
        let failed = |error: ractor::SpawnErr| error.to_string();
        let (sink, _) = Actor::spawn(None, Sink, sum).await.map_err(failed)?;
        let (stage, _) = Actor::spawn(None, Stage, sink.clone()).await.map_err(failed)?;
        let source = stage.clone();
        tokio::spawn(async move {
            for number in 0..count {
                if source.cast(number).is_err() {
                    break;
                }
            }
        });
        let sum = result.await?;
        stage.stop(None);
        sink.stop(None);
        Ok(sum)
    })
}
