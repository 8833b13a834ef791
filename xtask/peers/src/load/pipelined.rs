//! Keeps a number of frames in flight on each of some connections, from one mio thread.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::harness::{Effort, Sample};
use crate::sockets::{self, SETTLE, STALL};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

/// What the load does.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The frame that is sent, and comes back.
    pub frame: &'static [u8],
    /// How many connections.
    pub connections: usize,
    /// How many frames are in flight on each.
    pub window: usize,
    /// How many frames go into one write at least: with 1, each read is answered with one write.
    pub batch: usize,
    /// Whose processor time is measured.
    pub account: Account,
}

impl Shape {
    /// Connections × window; each read is answered with one write; the server is in this process.
    #[must_use]
    pub fn new(frame: &'static [u8], connections: usize, window: usize) -> Self {
        Self {
            frame,
            connections,
            window,
            batch: 1,
            account: Account::Others,
        }
    }
}

/// Runs the load, and tells the sample and how many frames came back in all.
///
/// Each byte that comes back is compared with the one that was sent.
///
/// # Errors
/// If a wrong byte comes back, a connection ends, or nothing moves for [`STALL`].
pub fn run(address: SocketAddr, shape: &Shape, effort: &Effort) -> Outcome<(Sample, u64)> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut connections = Vec::with_capacity(shape.connections);
    for index in 0..shape.connections {
        let stream = sockets::connect(address)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        connections.push(Connection {
            stream,
            to_send: 0,
            sent: 0,
            received: 0,
            whole: 0,
            owed: 0,
        });
    }
    thread::sleep(SETTLE);

    // The stream of frames is periodic, so any piece of it, at any place, is a slice of this.
    let copies = BUFFER / shape.frame.len() + shape.window.max(shape.batch) + 2;
    let pattern = shape.frame.repeat(copies);
    let mut buffer = vec![0; BUFFER];
    for connection in &mut connections {
        connection.to_send = shape.window * shape.frame.len();
        connection.write(&pattern, shape.frame.len())?;
    }

    let mut frames = 0;
    let mut phase = Phase::WarmUp(Instant::now() + effort.warm_up);
    let mut result = None;
    loop {
        poll_again(&mut poll, &mut events)?;
        for event in &events {
            let connection = connections.get_mut(event.token().0).ok_or("an event for nobody")?;
            if event.is_readable() {
                let came = connection.read(&mut buffer, &pattern, shape.frame.len())?;
                frames += came;
                if !matches!(phase, Phase::Drain) {
                    connection.owed += usize::try_from(came)?;
                    if connection.owed >= shape.batch {
                        connection.to_send += connection.owed * shape.frame.len();
                        connection.owed = 0;
                    }
                }
            }
            connection.write(&pattern, shape.frame.len())?;
        }
        match &mut phase {
            Phase::WarmUp(until) if Instant::now() >= *until => {
                let meter = Meter::start(shape.account)?;
                phase = Phase::Sample {
                    meter: Some(meter),
                    before: frames,
                    until: Instant::now() + effort.sample,
                };
            }
            Phase::Sample { meter, before, until } if Instant::now() >= *until => {
                let meter = meter.take().ok_or("stopped twice")?;
                result = Some(Sample::new(frames - *before, meter.stop()?));
                phase = Phase::Drain;
            }
            _ => {}
        }
        if matches!(phase, Phase::Drain) && connections.iter().all(Connection::done) {
            break;
        }
    }
    Ok((result.ok_or("no sample was taken")?, frames))
}

const BUFFER: usize = 64 * 1024;

enum Phase {
    WarmUp(Instant),
    Sample {
        meter: Option<Meter>,
        before: u64,
        until: Instant,
    },
    /// Nothing new is sent; what is in flight has to come back.
    Drain,
}

struct Connection {
    stream: TcpStream,
    /// Bytes that are to be written.
    to_send: usize,
    /// Bytes written in all.
    sent: u64,
    /// Bytes read in all.
    received: u64,
    /// Whole frames read in all.
    whole: u64,
    /// Frames that came back and were not yet followed by new ones.
    owed: usize,
}

impl Connection {
    /// Reads until the socket is empty, which a short read tells; returns how many frames became whole.
    fn read(&mut self, buffer: &mut [u8], pattern: &[u8], frame: usize) -> Outcome<u64> {
        let before = self.whole;
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let place = usize::try_from(self.received % frame as u64)?;
            if buffer[..count] != pattern[place..place + count] {
                return Err("other bytes came back than were sent".into());
            }
            self.received += count as u64;
            self.whole = self.received / frame as u64;
            if count < buffer.len() {
                break;
            }
        }
        Ok(self.whole - before)
    }

    fn write(&mut self, pattern: &[u8], frame: usize) -> Outcome<()> {
        while self.to_send > 0 {
            let place = usize::try_from(self.sent % frame as u64)?;
            let end = pattern.len().min(place + self.to_send);
            match self.stream.write(&pattern[place..end]) {
                Ok(count) => {
                    self.to_send -= count;
                    self.sent += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.to_send == 0 && self.sent == self.received
    }
}

fn poll_again(poll: &mut Poll, events: &mut Events) -> Outcome<()> {
    match poll.poll(events, Some(STALL)) {
        Ok(()) if events.is_empty() => Err(format!("nothing moved for {STALL:?}").into()),
        Err(error) if error.kind() != ErrorKind::Interrupted => Err(error.into()),
        _ => Ok(()),
    }
}
