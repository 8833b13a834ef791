//! Clients that POST a body of their own and wait for it to come back, each one request at a time, from one mio thread.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::harness::{Effort, Extra, Sample, Unit};
use crate::sockets::{self, SETTLE, STALL};
use memchr::memmem;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// Runs the load, and tells the sample (with p50, p99 and the slowest) and how many requests were answered in all.
///
/// # Errors
/// If another body or another status comes back, a connection ends, or nothing moves for [`STALL`].
pub fn run(address: SocketAddr, clients: usize, effort: &Effort) -> Outcome<(Sample, u64)> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut all = Vec::with_capacity(clients);
    for index in 0..clients {
        let stream = sockets::connect(address)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, Token(index), Interest::READABLE)?;
        all.push(Client::new(stream, index));
    }
    thread::sleep(SETTLE);
    for client in &mut all {
        client.ask()?;
    }

    let mut phase = Phase::WarmUp;
    let mut until = Instant::now() + effort.warm_up;
    let (mut answered, mut before, mut waiting) = (0, 0, clients);
    let mut times = Vec::new();
    let mut meter = None;
    let mut spent = None;
    while waiting > 0 {
        match poll.poll(&mut events, Some(STALL)) {
            Ok(()) if events.is_empty() => return Err(format!("nothing moved for {STALL:?}").into()),
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            let client = all.get_mut(event.token().0).ok_or("an event for nobody")?;
            let Some(took) = client.hear()? else { continue };
            answered += 1;
            match phase {
                Phase::Drain => waiting -= 1,
                Phase::Sample => {
                    times.push(took);
                    client.ask()?;
                }
                Phase::WarmUp => client.ask()?,
            }
        }
        if matches!(phase, Phase::Drain) || Instant::now() < until {
            continue;
        }
        if let Some(running) = meter.take() {
            spent = Some((answered - before, Meter::stop(running)?));
            phase = Phase::Drain;
        } else {
            before = answered;
            until = Instant::now() + effort.sample;
            phase = Phase::Sample;
            meter = Some(Meter::start(Account::Others)?);
        }
    }
    let (count, spent) = spent.ok_or("no sample was taken")?;
    let sample = Sample {
        extras: percentiles(times)?,
        ..Sample::new(count, spent)
    };
    Ok((sample, answered))
}

enum Phase {
    WarmUp,
    Sample,
    /// Nothing new is asked; what was asked has to be answered.
    Drain,
}

fn percentiles(mut times: Vec<Duration>) -> Outcome<Vec<Extra>> {
    times.sort_unstable();
    let last = times
        .len()
        .checked_sub(1)
        .ok_or("nothing was answered in the whole sample")?;
    let extra = |name, percent: usize| Extra {
        name,
        unit: Unit::Time,
        value: times[(times.len() * percent / 100).min(last)].as_secs_f64() * 1e9,
    };
    Ok(vec![extra("p50", 50), extra("p99", 99), extra("slowest", 100)])
}

struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    body: Vec<u8>,
    /// What came of the response so far.
    response: Vec<u8>,
    asked: Instant,
}

impl Client {
    fn new(stream: TcpStream, index: usize) -> Self {
        let body = format!("client {index:09}").into_bytes();
        Self {
            stream,
            request: request(&body),
            body,
            response: Vec::new(),
            asked: Instant::now(),
        }
    }

    fn ask(&mut self) -> Outcome<()> {
        self.asked = Instant::now();
        // Nothing else is on its way, so there is room for all of it.
        match self.stream.write(&self.request)? {
            count if count == self.request.len() => Ok(()),
            _ => Err("the system took half of a request".into()),
        }
    }

    /// Reads what there is; how long the answer took, if it is whole now.
    fn hear(&mut self) -> Outcome<Option<Duration>> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => self.response.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        match body(&self.response)? {
            Some(body) if body == self.body => {
                self.response.clear();
                Ok(Some(self.asked.elapsed()))
            }
            Some(_) => Err("another body came back than was sent".into()),
            None => Ok(None),
        }
    }
}

/// A request with this body.
#[must_use]
pub fn request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: peers\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The body of a response, if it is whole.
///
/// # Errors
/// If the status is not 200, there is no length, or more comes than was asked for.
pub fn body(response: &[u8]) -> Outcome<Option<&[u8]>> {
    let Some(end) = memmem::find(response, b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, body) = (std::str::from_utf8(&response[..end])?, &response[end + 4..]);
    let mut lines = head.split("\r\n");
    if lines.next().and_then(|line| line.split(' ').nth(1)) != Some("200") {
        return Err(format!("the answer is {head:?}").into());
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let length: usize = length.ok_or("the answer has no length")?.parse()?;
    match body.len() {
        count if count == length => Ok(Some(body)),
        count if count < length => Ok(None),
        _ => Err("more came back than was asked for".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_body_is() {
        let response = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello";
        for cut in 0..response.len() {
            assert_eq!(body(&response[..cut]).unwrap(), None);
        }
        assert_eq!(body(response).unwrap(), Some(&b"hello"[..]));
        assert!(body(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nhello").is_err());
        assert!(body(b"HTTP/1.0 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n").is_err());
        assert!(body(b"HTTP/1.0 200 OK\r\n\r\n").is_err());
    }
}
