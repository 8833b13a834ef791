//! No simulation: real sockets, with both ends on one thread.

use super::{Job, drive, serve};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::python::SIMPY_IO;
use crate::simulators::sim_io::run_until;
use crate::simulators::simpy::spent;
use mio::{Events, Interest, Poll, Token};
use net_core::Stream;
use sim_io::reactor::Poller;
use sim_io::{Environment, Failure};
use std::io::{ErrorKind, Read, Write};
use std::sync::mpsc;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Two processes of one environment.
///
/// # Errors
/// If the work is done wrong.
pub fn sim_io(poller: Poller, job: Job) -> Outcome<Spent> {
    meet_in_environment(
        poller,
        async move |stream| Ok(serve(stream, job).await?),
        async move |stream| drive(stream, job).await,
    )
}

/// Runs the two ends of a connection as processes of one environment, until the client's is done.
///
/// # Errors
/// Those of the ends.
pub fn meet_in_environment<S, C>(poller: Poller, server: S, client: C) -> Outcome<Spent>
where
    S: AsyncFnOnce(Stream) -> Outcome<()> + 'static,
    C: AsyncFnOnce(Stream) -> Outcome<Spent> + 'static,
{
    let env = Environment::in_real_time();
    env.use_poller(poller)?;
    let (told, address) = mpsc::channel();
    let net = env.net();
    env.try_process(async move {
        let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
        // If nobody listens any more, the run is over.
        let _ = told.send(listener.local().clone());
        let stream = listener.accept().await?;
        server(stream).await.map_err(|error| Failure::boxed(error))
    });
    let address = loop {
        match address.try_recv() {
            Ok(address) => break address,
            Err(_) => env.step().map_err(|error| error.to_string())?,
        };
    };
    let net = env.net();
    let client = env.process(async move {
        let connected = async { client(net.connect(&address).await?).await };
        connected.await.map_err(|error| error.to_string())
    });
    Ok(run_until(&env, &client)??)
}

/// Two tasks of tokio's current-thread runtime.
///
/// # Errors
/// If the work is done wrong.
pub fn tokio(job: Job) -> Outcome<Spent> {
    meet_on_tokio(
        async move |stream| Ok(serve(stream, job).await?),
        async move |stream| drive(stream, job).await,
    )
}

/// Runs the two ends of a connection as tasks of tokio's current-thread runtime, until both are done.
///
/// # Errors
/// Those of the ends.
pub fn meet_on_tokio<S, C>(server: S, client: C) -> Outcome<Spent>
where
    S: AsyncFnOnce(TcpStream) -> Outcome<()> + 'static,
    C: AsyncFnOnce(TcpStream) -> Outcome<Spent>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::task::spawn_local(async move {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            server(stream).await
        });
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let spent = client(stream).await?;
        server.await??;
        Ok(spent)
    })
}

/// The least that two ends on one thread need: one `Poll`, and two sockets. Round trips only.
///
/// # Errors
/// If the work is done wrong.
pub fn mio(job: Job) -> Outcome<Spent> {
    let Job::RoundTrips(count) = job else {
        return Err("it knows round trips only".into());
    };
    let mut poll = Poll::new()?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let client = std::net::TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    let mut ends = Vec::new();
    for (token, stream) in [client, server].into_iter().enumerate() {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, Token(token), Interest::READABLE)?;
        ends.push(stream);
    }
    let mut events = Events::with_capacity(8);
    let meter = Meter::start(Account::ThisThread)?;
    let mut number = 0_u32;
    ends[0].write_all(&number.to_be_bytes())?;
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Token(end) = event.token();
            let mut data = [0; 4];
            match ends[end].read(&mut data) {
                Ok(4) if data == number.to_be_bytes() => {}
                Ok(_) => return Err("other bytes came than were sent".into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            if end == 0 {
                number += 1;
                if u64::from(number) == count {
                    return meter.stop();
                }
            }
            ends[end].write_all(&number.to_be_bytes())?;
        }
    }
}

/// Two processes of the original's environment, with the named back-end.
///
/// # Errors
/// If the work is done wrong.
pub fn original(backend: &str, job: Job) -> Outcome<Spent> {
    let (job, count) = match job {
        Job::RoundTrips(count) => ("round-trips", count),
        Job::Bulk(bytes) => ("bulk", bytes),
    };
    let arguments = [job.to_owned(), count.to_string(), backend.to_owned()];
    let [proof, cpu, wall] = SIMPY_IO.numbers(include_str!("../../python/tcp.py"), &arguments)?;
    if proof == count {
        Ok(spent(cpu, wall))
    } else {
        Err(format!("{proof} of {count}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_does_the_work() {
        mio(Job::RoundTrips(20)).unwrap();
        for job in [Job::RoundTrips(20), Job::Bulk(3_000_000)] {
            tokio(job).unwrap();
            for poller in [Poller::Mio, Poller::Poll, Poller::Select] {
                sim_io(poller, job).unwrap_or_else(|error| panic!("{poller:?}, {job:?}: {error}"));
            }
        }
    }
}
