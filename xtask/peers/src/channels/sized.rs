//! Packets of any size, there and back, one after the other.

use super::by_hand::Frames;
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::networks::{self, Distance, real};
use net_core::Stream;
use sim_io::packet::{Packet, PacketOptions};
use sim_io::reactor::Poller;
use tokio::io::{AsyncRead, AsyncWrite};

/// Round trips.
#[derive(Clone, Copy, Debug)]
pub struct Echo {
    /// Bytes of a packet.
    pub size: usize,
    /// How many.
    pub count: u64,
}

impl Echo {
    fn packet(self) -> Vec<u8> {
        (0..self.size).map(|place| place as u8).collect()
    }

    fn compare(self, number: u64, same: Option<bool>) -> Outcome<()> {
        match same {
            Some(true) => Ok(()),
            Some(false) => Err(format!("another packet came back than number {number}").into()),
            None => Err(format!("the connection ended at number {number} of {}", self.count).into()),
        }
    }
}

/// Ours, on the simulated network.
///
/// # Errors
/// If the work is done wrong.
pub fn simulated(echo: Echo) -> Outcome<Spent> {
    networks::sim_io::meet(Distance::Near, serve, async move |stream| drive(stream, echo).await)
}

/// Ours, on real sockets.
///
/// # Errors
/// If the work is done wrong.
pub fn real(echo: Echo) -> Outcome<Spent> {
    real::meet_in_environment(Poller::Mio, serve, async move |stream| drive(stream, echo).await)
}

/// By hand on tokio, on real sockets.
///
/// # Errors
/// If the work is done wrong.
pub fn tokio(echo: Echo) -> Outcome<Spent> {
    real::meet_on_tokio(
        async move |stream| serve_by_hand(stream).await,
        async move |stream| drive_by_hand(stream, echo).await,
    )
}

/// The largest packet that is measured fits.
fn packets(stream: Stream) -> Packet {
    Packet::with_options(stream, PacketOptions::default().max_packet_size(1 << 20))
}

async fn serve(stream: Stream) -> Outcome<()> {
    let mut packets: Packet = packets(stream);
    while let Some(packet) = packets.read().await? {
        packets.push(packet)?;
    }
    Ok(())
}

async fn drive(stream: Stream, echo: Echo) -> Outcome<Spent> {
    let mut packets: Packet = packets(stream);
    let packet = echo.packet();
    let meter = Meter::start(Account::ThisThread)?;
    for number in 0..echo.count {
        packets.push(&packet)?;
        echo.compare(number, packets.read_with(|back| back == packet).await?)?;
    }
    meter.stop()
}

async fn serve_by_hand(stream: impl AsyncRead + AsyncWrite + Unpin) -> Outcome<()> {
    let mut frames = Frames::new(stream);
    let mut back = Vec::new();
    while let Some(frame) = frames.next().await? {
        back.clear();
        back.extend_from_slice(frame);
        frames.push(|out| {
            out.extend_from_slice(&back);
            Outcome::Ok(())
        })?;
    }
    Ok(())
}

async fn drive_by_hand(stream: impl AsyncRead + AsyncWrite + Unpin, echo: Echo) -> Outcome<Spent> {
    let mut frames = Frames::new(stream);
    let packet = echo.packet();
    let meter = Meter::start(Account::ThisThread)?;
    for number in 0..echo.count {
        frames.push(|out| {
            out.extend_from_slice(&packet);
            Outcome::Ok(())
        })?;
        let back = frames.next().await?;
        echo.compare(number, back.map(|back| back == packet))?;
    }
    meter.stop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_does_the_work() {
        for size in [1, 4096, 1 << 20] {
            for run in [simulated, real, tokio] {
                run(Echo { size, count: 3 }).unwrap();
            }
        }
    }
}
