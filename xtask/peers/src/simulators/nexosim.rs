//! nexosim: models that schedule events for themselves, on one thread.

use super::{Delays, Done, Model as Timeouts, tally};
use crate::Outcome;
use crate::cpu::Spent;
use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Process {
    delays: Delays,
}

#[Model]
impl Process {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.wait(context);
    }

    #[nexosim(schedulable)]
    async fn due(&mut self, (): (), context: &Context<Self>) {
        let now = context.time();
        tally::event(now.as_secs() as u64 * 1_000_000_000 + u64::from(now.subsec_nanos()));
        self.wait(context);
    }

    fn wait(&mut self, context: &Context<Self>) {
        let delay = Duration::from_nanos(self.delays.next());
        context
            .schedule_event(delay, schedulable!(Self::due), ())
            .expect("what is scheduled is in the future");
    }
}

/// Runs a model.
///
/// # Errors
/// If the run fails.
pub fn run(model: &Timeouts) -> Outcome<(Done, Spent)> {
    let mut bench = SimInit::with_num_threads(1);
    for process in 0..model.processes {
        let delays = model.delays(process);
        bench = bench.add_model(Process { delays }, Mailbox::new(), "process");
    }
    let at = |time: u64| MonotonicTime::EPOCH + Duration::from_nanos(time);
    let mut simulation = bench.init(MonotonicTime::EPOCH).map_err(text)?;
    simulation.step_until(at(model.warm)).map_err(text)?;
    let meter = tally::start()?;
    simulation.step_until(at(model.end)).map_err(text)?;
    tally::stop(meter)
}

/// Its errors can't be shared between threads.
fn text(error: impl Display) -> String {
    error.to_string()
}
