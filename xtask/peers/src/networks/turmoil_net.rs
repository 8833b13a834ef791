//! turmoil-net: a state machine for TCP behind tokio's types, without a clock of its own.

use super::{Distance, Job, drive, serve};
use crate::Outcome;
use crate::cpu::Spent;
use turmoil_net::fixture::ClientServer;
use turmoil_net::shim::tokio::net::{TcpListener, TcpStream};

/// Why there is nothing to measure at a distance.
pub const TOO_FAR: &str = "its connections time out when packets take up to 100 of its ticks";

/// Runs a job.
///
/// # Errors
/// If the work is done wrong, and for any distance: it counts ticks before it sends again, and gives up.
pub fn run(distance: Distance, job: Job) -> Outcome<Spent> {
    if distance == Distance::Far {
        return Err(TOO_FAR.into());
    }
    let server = async move {
        let served = async {
            let listener = TcpListener::bind("0.0.0.0:1").await?;
            let (stream, _) = listener.accept().await?;
            serve(stream, job).await
        };
        // What goes wrong here, the client sees.
        let _ = served.await;
    };
    let client = async move {
        let stream = TcpStream::connect("server:1").await?;
        drive(stream, job).await
    };
    ClientServer::new().server("server", server).run("client", client)
}
