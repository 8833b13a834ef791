//! The ends do their work, and a server that does it wrong is found out.

use peers::Outcome;
use peers::cpu::Account;
use peers::framing::Framing;
use peers::harness::Effort;
use peers::load::bulk::{self, Volume};
use peers::load::pipelined::{self, Shape};
use peers::load::sequential;
use peers::servers::{
    Door, Echo, Job, Running, agree, blocking, mio_loop, net_core, oneline, tokio_framed, tokio_loop,
};
use peers::sockets;
use std::io::{Read, Write};

/// These speak lines only.
const LINE_ECHOES: [(&str, Echo); 3] = [
    ("oneline, at_once", oneline::at_once),
    ("oneline, command", oneline::command),
    ("oneline, closure", oneline::closure),
];

const ECHOES: [(&str, Echo); 9] = [
    ("mio", mio_loop::echo),
    ("blocking", blocking::echo),
    ("tokio, lent", tokio_loop::lent),
    ("tokio, owned", tokio_loop::owned),
    ("Framed, feed", tokio_framed::feed),
    ("Framed, send", tokio_framed::send),
    ("net-core, lent", net_core::lent),
    ("net-core, owned", net_core::owned),
    ("net-core, Sender", net_core::sender),
];

#[test]
fn every_server_echoes_every_frame() {
    for (name, server) in ECHOES.into_iter().chain(LINE_ECHOES) {
        for framing in [Framing::Line, Framing::Length] {
            if framing != Framing::Line && LINE_ECHOES.iter().any(|(lines, _)| *lines == name) {
                continue;
            }
            // The last shape has more in flight than any buffer holds, so frames are cut by reads, and writes fall short.
            for (connections, window, batch) in [(1, 1, 1), (5, 64, 1), (2, 300_000, 1000)] {
                let shape = Shape {
                    batch,
                    ..Shape::new(framing.example(), connections, window)
                };
                let running = Running::start(move |door| server(door, Job { connections, framing })).unwrap();
                let (sample, frames) = pipelined::run(running.address, &shape, &Effort::QUICK).unwrap();
                assert!(sample.operations <= frames && frames > 0);
                agree("frames", frames, running.finish().unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}

#[test]
fn round_trips_have_percentiles() {
    let job = Job {
        connections: 1,
        framing: Framing::Line,
    };
    let running = Running::start(move |door| mio_loop::echo(door, job)).unwrap();
    let frame = Framing::Line.example();
    let (sample, frames) = sequential::run(running.address, frame, Account::Others, &Effort::QUICK).unwrap();
    agree("frames", frames, running.finish().unwrap()).unwrap();
    assert!(sample.extra("p50").unwrap() <= sample.extra("p99").unwrap());
}

#[test]
fn bulk_arrives() {
    let volume = Volume {
        warm_up: 1_000_000,
        measured: 5_000_000,
    };
    for receive in [
        blocking::bulk,
        tokio_loop::bulk,
        net_core::bulk_stream,
        net_core::bulk_framed,
    ] {
        let running = Running::start(move |door| receive(door, volume, 10_000, None)).unwrap();
        let sample = bulk::run(running.address, volume, None).unwrap();
        assert_eq!(sample.operations, 5);
        agree("bytes", volume.total(), running.finish().unwrap()).unwrap();
    }
}

#[test]
fn bulk_comes_back() {
    let volume = Volume {
        warm_up: 1_000_000,
        measured: 5_000_000,
    };
    for send in [
        blocking::bulk_send,
        tokio_loop::bulk_send,
        net_core::send_stream,
        net_core::send_framed,
    ] {
        let running = Running::start(move |door| send(door, volume, 0, None)).unwrap();
        let sample = bulk::run_back(running.address, volume, None).unwrap();
        assert_eq!(sample.operations, 5);
        agree("bytes", volume.total(), running.finish().unwrap()).unwrap();
    }
}

#[test]
fn unix_sockets_echo() {
    let job = Job {
        connections: 1,
        framing: Framing::Line,
    };
    for server in [blocking::echo_unix, tokio_loop::lent_unix, net_core::lent_unix] {
        let running = Running::start(move |door| server(door, job)).unwrap();
        let stream = sockets::connect_unix(&running.address).unwrap();
        let (_, frames) = sequential::run_on(stream, job.framing.example(), Account::Others, &Effort::QUICK).unwrap();
        agree("frames", frames, running.finish().unwrap()).unwrap();
    }
}

/// Answers each read with what `change` makes of it.
fn crooked(door: Door, change: impl Fn(&mut Vec<u8>)) -> Outcome<u64> {
    let (mut stream, _) = door.listen()?.accept()?;
    let mut buffer = vec![0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(0);
        }
        let mut reply = buffer[..count].to_vec();
        change(&mut reply);
        stream.write_all(&reply)?;
    }
}

#[test]
fn a_wrong_byte_and_a_wrong_count_are_found_out() {
    let shape = Shape::new(Framing::Line.example(), 1, 4);
    let flip = |reply: &mut Vec<u8>| reply[3] ^= 1;
    let running = Running::start(move |door| crooked(door, flip)).unwrap();
    let error = pipelined::run(running.address, &shape, &Effort::QUICK).unwrap_err();
    assert_eq!(error.to_string(), "other bytes came back than were sent");

    let running = Running::start(move |door| crooked(door, |_| ())).unwrap();
    let (_, frames) = pipelined::run(running.address, &shape, &Effort::QUICK).unwrap();
    let error = agree("frames", frames, running.finish().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the load counted {frames} frames, the server 0")
    );
}

#[test]
fn a_server_that_fails_to_start_says_why() {
    let error = Running::<u64>::start(|_| Err("no luck".into())).unwrap_err();
    assert_eq!(error.to_string(), "no luck");
}

#[test]
fn a_connection_that_the_server_drops_is_an_error_of_the_load() {
    let running = Running::<u64>::start(|door| {
        drop(door.listen()?.accept()?);
        Ok(0)
    });
    let shape = Shape::new(Framing::Line.example(), 1, 1);
    pipelined::run(running.unwrap().address, &shape, &Effort::QUICK).unwrap_err();
}
