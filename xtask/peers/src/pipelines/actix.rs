//! actix: `do_send`, which heeds no bound. On two threads the source and the sink share one arbiter.

use super::{Threads, expected};
use crate::Outcome;
use crate::cpu::{Meter, Spent};
use actix::{Actor, Addr, Arbiter, Context, Handler, Message, System};
use tokio::sync::oneshot;

struct Number(u64);

impl Message for Number {
    type Result = ();
}

struct Stage(Addr<Sink>);

impl Actor for Stage {
    type Context = Context<Self>;
}

impl Handler<Number> for Stage {
    type Result = ();

    fn handle(&mut self, Number(number): Number, _: &mut Context<Self>) {
        self.0.do_send(Number(number + 1));
    }
}

struct Sink {
    sum: u64,
    left: u64,
    done: Option<oneshot::Sender<u64>>,
}

impl Actor for Sink {
    type Context = Context<Self>;
}

impl Handler<Number> for Sink {
    type Result = ();

    fn handle(&mut self, Number(number): Number, _: &mut Context<Self>) {
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
    if count == 0 {
        return Err(format!("no sum of {}", expected(count)).into());
    }
    let system = System::new();
    let (done, sum) = oneshot::channel();
    let sink = Sink {
        sum: 0,
        left: count,
        done: Some(done),
    };
    let meter = Meter::start(threads.account())?;
    let sum = system.block_on(async move {
        match threads {
            Threads::One => {
                let stage = Stage(sink.start()).start();
                for number in 0..count {
                    stage.do_send(Number(number));
                }
            }
            Threads::Two => {
                let (one, other) = (Arbiter::new(), Arbiter::new());
                let sink = Sink::start_in_arbiter(&one.handle(), |_| sink);
                let stage = Stage::start_in_arbiter(&other.handle(), |_| Stage(sink));
                one.spawn(async move {
                    for number in 0..count {
                        stage.do_send(Number(number));
                    }
                });
            }
        }
        sum.await
    })?;
    Ok((sum, meter.stop()?))
}
