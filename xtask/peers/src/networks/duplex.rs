//! No network at all: tokio's pipe in memory, bounded as the others are. It knows no distance.

use super::{Distance, Job, drive, serve};
use crate::Outcome;
use crate::cpu::Spent;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

const BUFFER: usize = 256 * 1024;

/// Runs a job.
///
/// # Errors
/// If the work is done wrong.
pub fn run(_: Distance, job: Job) -> Outcome<Spent> {
    meet(async move |client, server| {
        let server = tokio::task::spawn_local(serve(server, job));
        let spent = drive(client, job).await?;
        server.await??;
        Ok(spent)
    })
}

/// Runs what is to happen between the client's end of a pipe and the server's.
///
/// # Errors
/// Those of the ends.
pub fn meet(ends: impl AsyncFnOnce(DuplexStream, DuplexStream) -> Outcome<Spent>) -> Outcome<Spent> {
    let runtime = Builder::new_current_thread().build()?;
    let (client, server) = duplex(BUFFER);
    LocalSet::new().block_on(&runtime, ends(client, server))
}
