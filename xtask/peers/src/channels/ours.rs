//! Ours: `Packet`, and `Message` in JSON.

use super::{CONTENT, Job, Level, packet};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::networks::{self, Distance, real};
use net_core::Stream;
use sim_io::codec::Json;
use sim_io::message::Message;
use sim_io::packet::Packet;
use sim_io::reactor::Poller;

/// On the simulated network.
///
/// # Errors
/// If the work is done wrong.
pub fn simulated(distance: Distance, job: Job) -> Outcome<Spent> {
    networks::sim_io::meet(
        distance,
        async move |stream| serve(stream, job).await,
        async move |stream| drive(stream, job).await,
    )
}

/// On real sockets, both ends as processes of one environment.
///
/// # Errors
/// If the work is done wrong.
pub fn real(poller: Poller, job: Job) -> Outcome<Spent> {
    real::meet_in_environment(
        poller,
        async move |stream| serve(stream, job).await,
        async move |stream| drive(stream, job).await,
    )
}

async fn serve(stream: Stream, job: Job) -> Outcome<()> {
    match job.level {
        Level::Packets => {
            let mut packets = Packet::new(stream);
            while let Some(packet) = packets.read_with(|packet| <[u8; 4]>::try_from(packet)).await? {
                packets.push(packet?)?;
            }
        }
        Level::Messages => {
            let message = Message::new(stream, Json)?;
            while let Some(request) = message.recv().await? {
                let content: String = request.content()?;
                request.succeed(&content)?;
            }
        }
    }
    Ok(())
}

async fn drive(stream: Stream, job: Job) -> Outcome<Spent> {
    match job.level {
        Level::Packets => {
            let mut packets = Packet::new(stream);
            let meter = Meter::start(Account::ThisThread)?;
            for batch in job.batches() {
                for number in batch.clone() {
                    packets.push(packet(number))?;
                }
                for number in batch {
                    let same = packets.read_with(|back| back == packet(number)).await?;
                    if same != Some(true) {
                        return Err(format!("another packet came back than {number}").into());
                    }
                }
            }
            meter.stop()
        }
        Level::Messages => {
            let message = Message::new(stream, Json)?;
            let mut replies = Vec::new();
            let meter = Meter::start(Account::ThisThread)?;
            for batch in job.batches() {
                replies.extend(batch.map(|_| message.send::<_, String>(CONTENT)));
                for reply in replies.drain(..) {
                    let back = reply.await?;
                    if back != CONTENT {
                        return Err(format!("`{back}` came back").into());
                    }
                }
            }
            meter.stop()
        }
    }
}
