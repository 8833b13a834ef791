//! kameo: `tell`, with bounded mailboxes.

use super::{CAPACITY, Threads};
use crate::Outcome;
use crate::cpu::Spent;
use kameo::mailbox;
use kameo::prelude::{Actor, ActorRef, Context, Message, Spawn};
use std::convert::Infallible;
use tokio::sync::oneshot;

struct Stage(ActorRef<Sink>);

impl Actor for Stage {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(state: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(state)
    }
}

impl Message<u64> for Stage {
    type Reply = ();

    async fn handle(&mut self, number: u64, _: &mut Context<Self, ()>) {
        // The sink lives longer; a sum that is wrong would tell.
        let _ = self.0.tell(number + 1).await;
    }
}

struct Sink {
    sum: u64,
    left: u64,
    done: Option<oneshot::Sender<u64>>,
}

impl Actor for Sink {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(state: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(state)
    }
}

impl Message<u64> for Sink {
    type Reply = ();

    async fn handle(&mut self, number: u64, _: &mut Context<Self, ()>) {
        self.sum += number;
        self.left -= 1;
        if self.left == 0
            && let Some(done) = self.done.take()
        {
            let _ = done.send(self.sum);
        }
    }
}

/// Runs it.
///
/// # Errors
/// If an actor is gone too early.
pub fn run(threads: Threads, count: u64) -> Outcome<(u64, Spent)> {
    threads.measure(async move {
        let (done, result) = oneshot::channel();
        let sink = Sink::spawn_with_mailbox(
            Sink {
                sum: 0,
                left: count,
                done: Some(done),
            },
            mailbox::bounded(CAPACITY),
        );
        let stage = Stage::spawn_with_mailbox(Stage(sink), mailbox::bounded(CAPACITY));
        tokio::spawn(async move {
            for number in 0..count {
                if stage.tell(number).await.is_err() {
                    break;
                }
            }
        });
        Ok(result.await?)
    })
}
