//! Connections that are encrypted after they have begun in the clear, or while both halves of one wait.

use std::time::Duration;

use net_core::framing::Line;
use net_core::{Error, ErrorKind, EventKind, Framed, Net, Operation, Stream, Task, TimeoutKind, TlsClient, TlsServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::backend::{net, on_each_backend, where_time_jumps};
use crate::common::certificates::{Authority, trusting};
use crate::common::events::Events;
use crate::common::{poll_once, settle};
use crate::rig::handshake;

on_each_backend!(
    a_connection_is_upgraded_in_place_after_talking_in_the_clear,
    bytes_from_before_the_encryption_never_become_part_of_it,
    an_upgrade_that_is_dropped_half_way_goes_on_with_the_next_call,
);

where_time_jumps!(
    the_time_limit_of_an_upgrade_in_place_can_be_set,
    both_halves_of_a_split_stream_go_on_when_the_handshake_is_done,
    both_halves_of_a_split_stream_hear_of_a_handshake_that_fails,
);

async fn a_connection_is_upgraded_in_place_after_talking_in_the_clear() {
    let (server, client) = trusting();
    let (net, events) = Events::of(&net());
    let (here, there) = Stream::pair(&net);
    let (mut here, mut there) = (Framed::new(here, Line::default()), Framed::new(there, Line::default()));
    let talk = async {
        here.send(b"STARTTLS").await?;
        let (reply, _) = here.next().await?.unwrap();
        assert_eq!(&*reply, b"OK");
        here.upgrade_tls_client(&client, "localhost").await?;
        here.send(b"secret").await?;
        assert_eq!(&*here.next().await?.unwrap().0, b"secret");
        Ok::<_, Error>(())
    };
    let answer = async {
        let (line, mut out) = there.next().await?.unwrap();
        assert_eq!(&*line, b"STARTTLS");
        out.push(b"OK")?;
        // What has gathered is written in the clear before.
        there.upgrade_tls_server(&server).await?;
        let (line, mut out) = there.next().await?.unwrap();
        out.push(&line)?;
        out.flush().await
    };
    let (talked, answered) = tokio::join!(talk, answer);
    talked.unwrap();
    answered.unwrap();
    assert!(here.stream().tls().is_some());
    let id = there.stream().id();
    assert!(events.about(id).contains(&EventKind::Upgraded));
    drop((here, there));
    events.check_all_closed(&net);
}

async fn bytes_from_before_the_encryption_never_become_part_of_it() {
    let (server, client) = trusting();
    let net = net();
    // Given back to the stream.
    let (mut here, _there) = Stream::pair(&net);
    here.unread("injected".into());
    for outcome in [
        here.upgrade_tls_server(&server).await,
        here.upgrade_tls_client(&client, "localhost").await,
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::WrongState, Operation::Handshake)
        );
        assert!(error.to_string().contains("8 bytes were read before TLS"), "{error}");
    }
    // The stream is none the worse.
    let mut injected = [0; 8];
    here.read_exact(&mut injected).await.unwrap();

    // Buffered behind the command: the connection is broken then.
    let (here, mut there) = Stream::pair(&net);
    there.write_all(b"STARTTLS\ninjected\n").await.unwrap();
    let mut lines = Framed::new(here, Line::default());
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"STARTTLS");
    let error = lines.upgrade_tls_server(&server).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::WrongState, Operation::Handshake)
    );
    assert_eq!(lines.next().await.unwrap_err(), error);

    // Twice is once too often.
    let (connected, accepted) = handshake(&server, &client, "localhost").await;
    let (mut connected, _accepted) = (connected.unwrap(), accepted.unwrap());
    let error = connected.upgrade_tls_client(&client, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
}

async fn the_time_limit_of_an_upgrade_in_place_can_be_set() {
    let authority = Authority::new("ours");
    let identity = authority.issue(&["localhost"]);
    let server = TlsServer::builder()
        .identity_pem(&identity.certificate, &identity.key)
        .handshake_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let client = TlsClient::builder()
        .root_pem(&authority.pem())
        .handshake_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let net = net();
    let (mut here, _silent) = Stream::pair(&net);
    let error = here.upgrade_tls_server(&server).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
    assert_eq!(net.now().as_nanos(), 2_000_000_000);
    let (mut here, _silent) = Stream::pair(&net);
    let error = here.upgrade_tls_client(&client, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
    assert_eq!(net.now().as_nanos(), 5_000_000_000);
}

async fn an_upgrade_that_is_dropped_half_way_goes_on_with_the_next_call() {
    let (server, client) = trusting();
    let (mut here, mut there) = Stream::pair(&net());
    assert!(
        poll_once(&mut Box::pin(here.upgrade_tls_client(&client, "localhost")))
            .await
            .is_none()
    );
    let (written, accepted) = tokio::join!(here.write_all(b"hello"), there.upgrade_tls_server(&server));
    written.unwrap();
    accepted.unwrap();
    let flushing = async { here.flush().await.unwrap() };
    let mut hello = [0; 5];
    let (read, ()) = tokio::join!(there.read_exact(&mut hello), flushing);
    read.unwrap();
    assert_eq!(&hello, b"hello");
}

type Outcome = std::io::Result<()>;

/// The two halves of a stream in mid-handshake, each in a task of its own that waits already.
async fn halves_in_mid_handshake(net: &Net, stream: Stream, writer_first: bool) -> (Task<Outcome>, Task<Outcome>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = async move {
        let mut text = [0; 4];
        reader.read_exact(&mut text).await?;
        assert_eq!(&text, b"ping");
        Ok(())
    };
    let writing = async move {
        writer.write_all(b"hello").await?;
        writer.flush().await
    };
    if writer_first {
        let writing = net.spawn(writing).unwrap();
        settle().await;
        let reading = net.spawn(reading).unwrap();
        settle().await;
        (reading, writing)
    } else {
        let reading = net.spawn(reading).unwrap();
        settle().await;
        let writing = net.spawn(writing).unwrap();
        settle().await;
        (reading, writing)
    }
}

async fn both_halves_of_a_split_stream_go_on_when_the_handshake_is_done() {
    let (server, client) = trusting();
    let net = net();
    for writer_first in [true, false] {
        let (mut here, mut there) = Stream::pair(&net);
        assert!(
            poll_once(&mut Box::pin(here.upgrade_tls_server(&server)))
                .await
                .is_none()
        );
        let (reading, writing) = halves_in_mid_handshake(&net, here, writer_first).await;
        there.upgrade_tls_client(&client, "localhost").await.unwrap();
        let mut hello = [0; 5];
        let limit = Duration::from_secs(60);
        net.timeout(limit, there.read_exact(&mut hello)).await.unwrap().unwrap();
        there.write_all(b"ping").await.unwrap();
        there.flush().await.unwrap();
        for half in [reading, writing] {
            net.timeout(limit, half).await.unwrap().unwrap().unwrap();
        }
    }
}

async fn both_halves_of_a_split_stream_hear_of_a_handshake_that_fails() {
    let (server, _) = trusting();
    let net = net();
    for writer_first in [true, false] {
        let (mut here, there) = Stream::pair(&net);
        assert!(
            poll_once(&mut Box::pin(here.upgrade_tls_server(&server)))
                .await
                .is_none()
        );
        let (reading, writing) = halves_in_mid_handshake(&net, here, writer_first).await;
        drop(there);
        for half in [reading, writing] {
            let outcome = net.timeout(Duration::from_secs(1), half).await.unwrap().unwrap();
            let error = Error::from_io(Operation::Read, outcome.unwrap_err());
            assert_eq!(error.operation(), Operation::Handshake);
        }
    }
}
