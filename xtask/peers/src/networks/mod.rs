//! The same two programs on each simulated network: a server that sends everything back, and one that only reads.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub mod duplex;
pub mod real;
pub mod sim_io;
pub mod simpy_io;
pub mod turmoil;
pub mod turmoil_net;

/// How far the two hosts are apart, one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// No time at all, or the least that the simulator has.
    Near,
    /// 0 to 100 ms, at random for each packet.
    Far,
}

/// What the programs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// So many round trips of 4 bytes, one after the other.
    RoundTrips(u64),
    /// So many bytes one way, in writes of 64 KiB, to reads of 64 KiB.
    Bulk(u64),
}

/// A network's run of a job.
pub type Run = fn(Distance, Job) -> Outcome<Spent>;

const PIECE: usize = 64 * 1024;

/// The server's end, until the client's has nothing more to say.
///
/// # Errors
/// Those of the stream.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, job: Job) -> io::Result<()> {
    match job {
        Job::RoundTrips(_) => {
            let mut data = [0; 4];
            loop {
                match stream.read_exact(&mut data).await {
                    Ok(_) => stream.write_all(&data).await?,
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
        Job::Bulk(_) => {
            let mut data = vec![0; PIECE];
            let mut bytes = 0;
            loop {
                match stream.read(&mut data).await? {
                    0 => break,
                    count => bytes += count as u64,
                }
            }
            stream.write_u64(bytes).await?;
            stream.shutdown().await
        }
    }
}

/// The client's end: measures, and proves that the work was done.
///
/// # Errors
/// Those of the stream; wrong data.
pub async fn drive(mut stream: impl AsyncRead + AsyncWrite + Unpin, job: Job) -> Outcome<Spent> {
    let meter = Meter::start(Account::ThisThread)?;
    match job {
        Job::RoundTrips(count) => {
            let mut back = [0; 4];
            for number in 0..count {
                let data = (number as u32).to_be_bytes();
                stream.write_all(&data).await?;
                stream.read_exact(&mut back).await?;
                if back != data {
                    return Err(format!("{back:?} came back, not {data:?}").into());
                }
            }
        }
        Job::Bulk(bytes) => {
            let data = vec![7; PIECE];
            let mut left = bytes;
            while left > 0 {
                let count = left.min(PIECE as u64);
                stream.write_all(&data[..count as usize]).await?;
                left -= count;
            }
            stream.shutdown().await?;
            let arrived = stream.read_u64().await?;
            if arrived != bytes {
                return Err(format!("{arrived} bytes arrived, not {bytes}").into());
            }
        }
    }
    meter.stop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_does_the_work() {
        let networks: [(&str, Run); 4] = [
            ("duplex", duplex::run),
            ("sim-io", sim_io::run),
            ("turmoil", turmoil::run),
            ("turmoil-net", turmoil_net::run),
        ];
        for (name, run) in networks {
            for distance in [Distance::Near, Distance::Far] {
                if name == "turmoil-net" && distance == Distance::Far {
                    continue;
                }
                for job in [Job::RoundTrips(20), Job::Bulk(300_000)] {
                    run(distance, job).unwrap_or_else(|error| panic!("{name}, {distance:?}, {job:?}: {error}"));
                }
            }
        }
    }
}
