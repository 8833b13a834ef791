//! Sends a lot of bytes to an echo and receives them meanwhile: one thread writes, the calling one reads.

use super::bulk::{Check, Volume, pattern, pieces};
use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::harness::Sample;
use crate::sockets::{self, SETTLE, STALL};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

/// Bytes of one read, and at most of one write.
const BLOCK: usize = 256 * 1024;

/// Has the volume echoed and tells the sample; one operation is a megabyte, there and back. The processor time is that of
/// all but the calling thread: the server's, and that of the thread that writes.
///
/// # Errors
/// If the connection fails, or other bytes come back than were sent.
pub fn run(address: SocketAddr, volume: Volume) -> Outcome<Sample> {
    let mut stream = sockets::connect(address)?;
    stream.set_read_timeout(Some(STALL))?;
    thread::sleep(SETTLE);
    let mut check = Check::new(volume);
    let mut buffer = vec![0; BLOCK];
    let mut part = |from: u64| -> Outcome<()> {
        let mut writes = stream.try_clone()?;
        let writing = thread::spawn(move || write(&mut writes, volume, from));
        loop {
            match stream.read(&mut buffer)? {
                0 => return Err("the server closed the connection".into()),
                count if check.take(&buffer[..count])? > 0 => break,
                _ => {}
            }
        }
        writing.join().map_err(|_| "the writer panicked")??;
        Ok(())
    };
    part(0)?;
    let meter = Meter::start(Account::Others)?;
    part(volume.warm_up)?;
    let spent = meter.stop()?;
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(Sample::new(volume.measured / 1_000_000, spent)),
        _ => Err("more came back than was sent".into()),
    }
}

fn write(stream: &mut TcpStream, volume: Volume, from: u64) -> std::io::Result<()> {
    let block = pattern();
    for piece in pieces(volume, from) {
        for bytes in block[piece].chunks(BLOCK) {
            stream.write_all(bytes)?;
        }
    }
    Ok(())
}
