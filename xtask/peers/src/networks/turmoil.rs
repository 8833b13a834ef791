//! turmoil: hosts on tokio's runtime, and a clock that ticks.

use super::{Distance, Job, drive, serve};
use crate::Outcome;
use crate::cpu::Spent;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use turmoil::Builder;
use turmoil::net::{TcpListener, TcpStream};

const PORT: u16 = 1;

/// Runs a job.
///
/// # Errors
/// If the work is done wrong.
pub fn run(distance: Distance, job: Job) -> Outcome<Spent> {
    let most = match distance {
        // Its tick, and the least that it has.
        Distance::Near => Duration::from_millis(1),
        Distance::Far => Duration::from_millis(100),
    };
    let mut simulation = Builder::new()
        .simulation_duration(Duration::MAX)
        .min_message_latency(Duration::ZERO)
        .max_message_latency(most)
        .tcp_capacity(1 << 20)
        .rng_seed(1)
        .build();
    simulation.host("server", move || async move {
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        let (stream, _) = listener.accept().await?;
        serve(stream, job).await?;
        Ok(())
    });
    let spent = Rc::new(Cell::new(None));
    let told = Rc::clone(&spent);
    simulation.client("client", async move {
        let stream = TcpStream::connect(("server", PORT)).await?;
        let outcome = drive(stream, job).await.map_err(|error| error.to_string())?;
        told.set(Some(outcome));
        Ok(())
    });
    simulation.run().map_err(|error| error.to_string())?;
    Ok(spent.get().ok_or("the client has not ended")?)
}
