//! TLS: who is trusted, what is refused and how that is told, upgrades in place, and ends with and without close_notify.
#![cfg(all(feature = "os", feature = "tls"))]

mod common;

use std::time::Duration;

use common::backend::{net, on_each_backend, where_time_jumps};
use common::certificates::{Authority, trusting};
use common::events::Events;
use common::scripted::{Accept, Scripted};
use common::{poll_once, settle};
use net_core::framing::{LengthPrefix, Line, Raw};
use net_core::{
    BindOptions, ClosedBy, ConnectOptions, Endpoint, Error, ErrorKind, EventKind, Framed, Net, Operation, Result,
    Stream, Task, TimeoutKind, TlsClient, TlsFault, TlsServer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_backend!(
    a_trusted_server_is_connected_to_and_both_sides_know_the_facts,
    an_unknown_issuer_is_refused_unless_it_is_asked_for,
    a_connection_without_any_setting_trusts_only_the_systems_issuers,
    a_certificate_for_another_name_or_another_time_is_refused,
    addresses_are_names_too_and_another_name_can_be_asked_for,
    clients_need_a_certificate_where_the_server_demands_one,
    the_two_sides_agree_on_an_application_protocol_or_fail,
    what_is_no_tls_is_told_as_such_on_either_side,
    a_connection_is_upgraded_in_place_after_talking_in_the_clear,
    bytes_from_before_the_encryption_never_become_part_of_it,
    a_shutdown_says_close_notify_before_the_end,
    an_end_without_close_notify_is_truncated_unless_that_is_tolerated,
    framings_that_tell_their_length_need_no_close_notify_on_a_boundary,
    a_silent_client_holds_up_neither_accepting_nor_other_clients,
    the_time_limit_of_a_listeners_handshake_can_be_set,
    only_so_many_handshakes_are_under_way_at_once,
    a_tls_listener_without_a_certificate_says_what_is_missing,
    settings_of_one_call_win_over_those_of_the_network,
    certificates_are_read_from_files_too,
    an_upgrade_that_is_dropped_half_way_goes_on_with_the_next_call,
);

where_time_jumps!(
    a_peer_that_never_says_anything_ends_at_the_time_limit_of_the_handshake,
    waiting_for_a_slot_counts_toward_the_time_limit_of_the_handshake,
    the_time_limit_of_an_upgrade_in_place_can_be_set,
    both_halves_of_a_split_stream_go_on_when_the_handshake_is_done,
    both_halves_of_a_split_stream_hear_of_a_handshake_that_fails,
);

/// Both sides of one handshake over a pipe in memory.
async fn handshake(server: &TlsServer, client: &TlsClient, name: &str) -> (Result<Stream>, Result<Stream>) {
    let (mut here, mut there) = Stream::pair(&net());
    let connecting = async {
        here.upgrade_tls_client(client, name).await?;
        // In TLS 1.3 a server may refuse the client's certificate only after the client is done.
        here.read(&mut [0; 2])
            .await
            .map_err(|error| Error::from_io(Operation::Handshake, error))?;
        Ok(here)
    };
    let accepting = async {
        there.upgrade_tls_server(server).await?;
        there.write_all(b"ok").await.unwrap();
        Ok(there)
    };
    tokio::join!(connecting, accepting)
}

fn fault(outcome: Result<Stream>) -> TlsFault {
    match outcome.expect_err("a refusal").kind() {
        ErrorKind::Tls(fault) => fault,
        other => panic!("{other:?}"),
    }
}

async fn a_trusted_server_is_connected_to_and_both_sides_know_the_facts() {
    let authority = Authority::new("ours");
    let server = authority.issue(&["localhost"]).server();
    let (net, events) = Events::of(&net());
    let net = net.with_client_tls(authority.client()).with_server_tls(server);
    let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let port = listener.local().port().unwrap();
    let to: Endpoint = format!("tls://localhost:{port}").parse().unwrap();
    let accepting = async {
        let mut stream = listener.accept().await.unwrap();
        stream.handshake().await.unwrap();
        stream
    };
    let (client, server) = tokio::join!(net.connect(&to), accepting);
    let client = client.unwrap();
    let (here, there) = (client.tls().unwrap(), server.tls().unwrap());
    assert_eq!(here.version.as_deref(), Some("TLSv1_3"));
    assert_eq!(
        (&here.version, &here.cipher_suite),
        (&there.version, &there.cipher_suite)
    );
    assert_eq!(here.peer_certificates.len(), 1);
    assert!(there.peer_certificates.is_empty());
    assert_eq!(there.server_name.as_deref(), Some("localhost"));
    assert!(client.peer().is_tls() && server.local().is_tls());
    for (stream, was_accepted) in [(&client, false), (&server, true)] {
        let life = events.about(stream.id());
        let [EventKind::Opened { local, peer, accepted }, EventKind::Upgraded] = &life[..] else {
            panic!("{life:?}");
        };
        assert_eq!((local, peer), (stream.local(), stream.peer()));
        assert_eq!(*accepted, was_accepted);
    }
    drop((client, server));
    events.check_all_closed(&net);
}

async fn an_unknown_issuer_is_refused_unless_it_is_asked_for() {
    let server = Authority::new("theirs").issue(&["localhost"]).server();
    let client = Authority::new("ours").client();
    let (refused, told) = handshake(&server, &client, "localhost").await;
    assert_eq!(fault(refused), TlsFault::UnknownIssuer);
    assert_eq!(fault(told), TlsFault::Alert);
    let any = TlsClient::builder()
        .dangerously_accept_any_certificate()
        .build()
        .unwrap();
    let (connected, accepted) = handshake(&server, &any, "localhost").await;
    connected.unwrap();
    accepted.unwrap();
}

async fn a_connection_without_any_setting_trusts_only_the_systems_issuers() {
    let (server, _) = trusting();
    let net = net().with_server_tls(server);
    let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let to = listener.local().clone();
    let accepting = net
        .spawn(async move { listener.accept().await?.handshake().await })
        .unwrap();
    let error = net.connect(&to).await.unwrap_err();
    // A system without any issuers trusts nobody, and says that instead.
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Tls(TlsFault::UnknownIssuer) | ErrorKind::InvalidInput
        ),
        "{error:#}"
    );
    assert_eq!(error.endpoint(), Some(&to));
    assert!(accepting.await.unwrap().is_err());
}

async fn a_certificate_for_another_name_or_another_time_is_refused() {
    let authority = Authority::new("ours");
    let client = authority.client();
    for (identity, expected) in [
        (authority.issue(&["other.example"]), TlsFault::WrongName),
        (authority.issue_expired(&["localhost"]), TlsFault::Expired),
        (authority.issue_early(&["localhost"]), TlsFault::NotYetValid),
    ] {
        let (refused, told) = handshake(&identity.server(), &client, "localhost").await;
        assert_eq!(fault(refused), expected);
        assert_eq!(fault(told), TlsFault::Alert);
    }
}

async fn addresses_are_names_too_and_another_name_can_be_asked_for() {
    let authority = Authority::new("ours");
    let client = authority.client();
    for name in ["127.0.0.1", "::1", "tool.example"] {
        let (connected, accepted) = handshake(&authority.issue(&[name]).server(), &client, name).await;
        connected.unwrap();
        accepted.unwrap();
    }
    // The configured name wins over the endpoint's host, for the look at the certificate and for SNI.
    let server = authority.issue(&["tool.example"]).server();
    let client = TlsClient::builder()
        .root_pem(&authority.pem())
        .server_name("tool.example")
        .build()
        .unwrap();
    let (connected, accepted) = handshake(&server, &client, "127.0.0.1").await;
    connected.unwrap();
    assert_eq!(
        accepted.unwrap().tls().unwrap().server_name.as_deref(),
        Some("tool.example")
    );
    let (mut here, _there) = Stream::pair(&net());
    let error = here
        .upgrade_tls_client(&authority.client(), "no name")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn clients_need_a_certificate_where_the_server_demands_one() {
    let authority = Authority::new("ours");
    let identity = authority.issue(&["localhost"]);
    let server = TlsServer::builder()
        .identity_pem(&identity.certificate, &identity.key)
        .client_root_pem(&authority.pem())
        .build()
        .unwrap();
    let (told, refused) = handshake(&server, &authority.client(), "localhost").await;
    assert_eq!(fault(refused), TlsFault::CertificateRequired);
    assert_eq!(fault(told), TlsFault::CertificateRequired);

    let with = |issuer: &Authority| {
        let mine = issuer.issue(&["client"]);
        let builder = TlsClient::builder().root_pem(&authority.pem());
        builder.identity_pem(&mine.certificate, &mine.key).build().unwrap()
    };
    let (told, refused) = handshake(&server, &with(&Authority::new("theirs")), "localhost").await;
    assert_eq!(fault(refused), TlsFault::UnknownIssuer);
    assert_eq!(fault(told), TlsFault::Alert);
    let (connected, accepted) = handshake(&server, &with(&authority), "localhost").await;
    connected.unwrap();
    assert_eq!(accepted.unwrap().tls().unwrap().peer_certificates.len(), 1);
}

async fn the_two_sides_agree_on_an_application_protocol_or_fail() {
    let authority = Authority::new("ours");
    let identity = authority.issue(&["localhost"]);
    let server = |protocols: &[&[u8]]| {
        let builder = TlsServer::builder().identity_pem(&identity.certificate, &identity.key);
        builder.alpn(protocols).build().unwrap()
    };
    let client = |protocols: &[&[u8]]| {
        TlsClient::builder()
            .root_pem(&authority.pem())
            .alpn(protocols)
            .build()
            .unwrap()
    };
    let (connected, accepted) = handshake(&server(&[b"two", b"one"]), &client(&[b"one", b"two"]), "localhost").await;
    for stream in [connected, accepted] {
        // The server's preference counts.
        assert_eq!(
            stream.unwrap().tls().unwrap().application_protocol.as_deref(),
            Some(&b"two"[..])
        );
    }
    let (told, refused) = handshake(&server(&[b"one"]), &client(&[b"two"]), "localhost").await;
    assert_eq!(fault(refused), TlsFault::NoApplicationProtocol);
    assert_eq!(fault(told), TlsFault::NoApplicationProtocol);
}

async fn what_is_no_tls_is_told_as_such_on_either_side() {
    let (server, client) = trusting();
    let net = net();
    let (mut here, mut there) = Stream::pair(&net);
    there
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let error = here.upgrade_tls_server(&server).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Tls(TlsFault::NotTls), Operation::Handshake)
    );
    // The failure stays.
    let again = here.write_all(b"x").await.unwrap_err();
    assert_eq!(Error::from_io(Operation::Write, again), error);
    assert_eq!(here.handshake().await.unwrap_err(), error);

    let (mut here, mut there) = Stream::pair(&net);
    there.write_all(b"220 smtp.example ready\r\n").await.unwrap();
    let error = here.upgrade_tls_client(&client, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls(TlsFault::NotTls));

    let (mut here, there) = Stream::pair(&net);
    drop(there);
    let error = here.upgrade_tls_client(&client, "localhost").await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Tls(TlsFault::Protocol) | ErrorKind::BrokenPipe),
        "{error}"
    );
}

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

/// Two ends under TLS; dropping one cuts the connection off without close_notify.
async fn encrypted(server: &TlsServer, client: &TlsClient) -> (Stream, Stream) {
    let (connected, accepted) = handshake(server, client, "localhost").await;
    (connected.unwrap(), accepted.unwrap())
}

async fn a_shutdown_says_close_notify_before_the_end() {
    let (server, client) = trusting();
    let (mut here, mut there) = encrypted(&server, &client).await;
    here.write_all(b"last words").await.unwrap();
    here.shutdown().await.unwrap();
    let mut text = String::new();
    there.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "last words");
    // The other direction is still open.
    there.write_all(b"answer").await.unwrap();
    there.shutdown().await.unwrap();
    text.clear();
    here.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");
}

async fn an_end_without_close_notify_is_truncated_unless_that_is_tolerated() {
    let (server, client) = trusting();
    let (net, events) = Events::of(&net());
    let (mut here, mut there) = Stream::pair(&net);
    let (connected, accepted) = tokio::join!(
        here.upgrade_tls_client(&client, "localhost"),
        there.upgrade_tls_server(&server)
    );
    connected.unwrap();
    accepted.unwrap();
    there.write_all(b"half").await.unwrap();
    let id = here.id();
    drop(there);
    let mut text = Vec::new();
    let error = Error::from_io(Operation::Write, here.read_to_end(&mut text).await.unwrap_err());
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Truncated, Operation::Read)
    );
    assert_eq!(text, b"half");
    drop(here);
    assert_eq!(events.end_of(id), Some((ClosedBy::Error, Some(error))));

    let authority = Authority::new("ours");
    let server = authority.issue(&["localhost"]).server();
    let lenient = TlsClient::builder()
        .root_pem(&authority.pem())
        .tolerate_missing_close_notify()
        .build()
        .unwrap();
    let (mut here, there) = encrypted(&server, &lenient).await;
    drop(there);
    assert_eq!(here.read(&mut [0; 1]).await.unwrap(), 0);
}

async fn framings_that_tell_their_length_need_no_close_notify_on_a_boundary() {
    let (server, client) = trusting();
    for (sent, whole) in [(&b"\0\0\0\x05whole"[..], true), (b"\0\0\0\x05whole\0\0", false)] {
        let (net, events) = Events::of(&net());
        let (mut here, mut there) = Stream::pair(&net);
        let (connected, accepted) = tokio::join!(
            here.upgrade_tls_client(&client, "localhost"),
            there.upgrade_tls_server(&server)
        );
        connected.unwrap();
        accepted.unwrap();
        there.write_all(sent).await.unwrap();
        drop(there);
        let id = here.id();
        let mut lines = Framed::new(here, LengthPrefix::default());
        assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"whole");
        match lines.next().await {
            Ok(None) => assert!(whole),
            Ok(Some(frame)) => panic!("{frame:?}"),
            Err(error) => assert_eq!((whole, error.kind()), (false, ErrorKind::Truncated)),
        }
        drop(lines);
        let expected = if whole { ClosedBy::Peer } else { ClosedBy::Error };
        assert_eq!(events.end_of(id).unwrap().0, expected);
    }

    let (here, mut there) = encrypted(&server, &client).await;
    there.write_all(&[0, 0, 0, 1, 7]).await.unwrap();
    drop(there);
    let mut frames = Framed::new(here, LengthPrefix::default());
    assert_eq!(&*frames.next().await.unwrap().unwrap().0, &[7]);
    assert!(frames.next().await.unwrap().is_none());

    // Raw chunks tell nothing.
    let (here, there) = encrypted(&server, &client).await;
    drop(there);
    assert_eq!(
        Framed::new(here, Raw).next().await.unwrap_err().kind(),
        ErrorKind::Truncated
    );
}

async fn a_peer_that_never_says_anything_ends_at_the_time_limit_of_the_handshake() {
    let (server, client) = trusting();
    for upgrade_server in [true, false] {
        let net = net();
        let before = net.now();
        let (mut here, _there) = Stream::pair(&net);
        let error = if upgrade_server {
            here.upgrade_tls_server(&server).await.unwrap_err()
        } else {
            here.upgrade_tls_client(&client, "localhost").await.unwrap_err()
        };
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Timeout(TimeoutKind::Handshake), Operation::Handshake)
        );
        assert_eq!(net.now() - before, Duration::from_secs(10));
    }
}

async fn a_silent_client_holds_up_neither_accepting_nor_other_clients() {
    let (server, client) = trusting();
    let net = net().with_server_tls(server).with_client_tls(client);
    let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let to = listener.local().clone();
    let plain: Endpoint = to.to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let silent = listener.accept().await.unwrap();
    assert!(silent.tls().is_none());
    let mut silent = Framed::new(silent, Line::default());
    let connecting = {
        let net = net.clone();
        net.clone().spawn(async move { net.connect(&to).await }).unwrap()
    };
    let mut other = listener.accept().await.unwrap();
    assert!(poll_once(&mut Box::pin(silent.next())).await.is_none());
    other.handshake().await.unwrap();
    connecting.await.unwrap().unwrap();
}

async fn the_time_limit_of_a_listeners_handshake_can_be_set() {
    let (server, _) = trusting();
    let net = net().with_server_tls(server);
    let options = BindOptions::default().handshake_timeout(Duration::ZERO);
    let mut listener = net
        .bind_with(&"tls://127.0.0.1:0".parse().unwrap(), &options)
        .await
        .unwrap();
    let plain: Endpoint = listener.local().to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let error = listener.accept().await.unwrap().handshake().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
}

async fn only_so_many_handshakes_are_under_way_at_once() {
    let (server, client) = trusting();
    let net = net().with_server_tls(server).with_client_tls(client);
    let options = BindOptions::default().max_handshakes(1);
    let mut listener = net
        .bind_with(&"tls://127.0.0.1:0".parse().unwrap(), &options)
        .await
        .unwrap();
    let to = listener.local().clone();
    let plain: Endpoint = to.to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let mut holder = listener.accept().await.unwrap();
    // The silent client has the one slot.
    assert!(poll_once(&mut Box::pin(holder.handshake())).await.is_none());
    let connecting = {
        let net = net.clone();
        net.clone().spawn(async move { net.connect(&to).await }).unwrap()
    };
    let mut second = listener.accept().await.unwrap();
    for _ in 0..10 {
        assert!(poll_once(&mut Box::pin(second.handshake())).await.is_none());
        settle().await;
    }
    // It is free when the silent one goes.
    drop(holder);
    second.handshake().await.unwrap();
    connecting.await.unwrap().unwrap();
}

async fn waiting_for_a_slot_counts_toward_the_time_limit_of_the_handshake() {
    let (server, _) = trusting();
    let script = Scripted::new();
    let net = script.net().with_server_tls(server);
    let limit = Duration::from_secs(3);
    let options = BindOptions::default().max_handshakes(1).handshake_timeout(limit);
    let at: Endpoint = "tls://192.0.2.1:80".parse().unwrap();
    let mut listener = net.bind_with(&at, &options).await.unwrap();
    let mut handshakes = Vec::new();
    for _ in 0..4 {
        script.accepts(Accept::From("192.0.2.2:5".parse().unwrap()));
        let mut silent = listener.accept().await.unwrap();
        handshakes.push(net.spawn(async move { silent.handshake().await }).unwrap());
        settle().await;
    }
    let began = net.now();
    for (number, handshake) in handshakes.into_iter().enumerate() {
        let error = handshake.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
        let detail = error.detail_text().unwrap();
        assert_eq!(detail.contains("max_handshakes others"), number > 0, "{detail}");
    }
    // All of them at once, not one after the other.
    assert_eq!(net.now(), began + limit);
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

async fn a_tls_listener_without_a_certificate_says_what_is_missing() {
    let error = net().bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::InvalidInput, Operation::Bind)
    );
    assert!(error.to_string().contains("needs a certificate"), "{error}");
}

async fn settings_of_one_call_win_over_those_of_the_network() {
    let (wrong_server, wrong_client) = trusting();
    let (server, client) = trusting();
    let net = net().with_server_tls(wrong_server).with_client_tls(wrong_client);
    let options = BindOptions::default().tls(server);
    let mut listener = net
        .bind_with(&"tls://127.0.0.1:0".parse().unwrap(), &options)
        .await
        .unwrap();
    let to = listener.local().clone();
    let options = ConnectOptions::default().tls(client);
    let accepting = async { listener.accept().await?.handshake().await };
    let (connected, accepted) = tokio::join!(net.connect_with(&to, &options), accepting);
    connected.unwrap();
    accepted.unwrap();
}

#[test]
fn what_can_not_be_read_is_told_when_the_setting_is_built() {
    let authority = Authority::new("ours");
    let (identity, other) = (authority.issue(&["localhost"]), authority.issue(&["localhost"]));
    for (outcome, what) in [
        (
            TlsClient::builder().root_pem(b"no PEM").build().map(drop),
            "no certificate",
        ),
        (
            TlsClient::builder().root_file("/nowhere/root.pem").build().map(drop),
            "/nowhere/root.pem",
        ),
        (TlsClient::builder().server_name("no name").build().map(drop), "no name"),
        (
            TlsClient::builder()
                .identity_pem(&identity.certificate, b"")
                .build()
                .map(drop),
            "no private key",
        ),
        (
            TlsClient::builder()
                .identity_files("/nowhere/a", "/nowhere/b")
                .build()
                .map(drop),
            "/nowhere/a",
        ),
        (TlsServer::builder().build().map(drop), "needs a certificate"),
        (
            TlsServer::builder().identity_pem(b"", &identity.key).build().map(drop),
            "no certificate",
        ),
        (
            TlsServer::builder()
                .identity_files("/nowhere/a", "/nowhere/b")
                .build()
                .map(drop),
            "/nowhere/a",
        ),
        (
            TlsServer::builder()
                .client_root_file("/nowhere/root.pem")
                .build()
                .map(drop),
            "/nowhere/root.pem",
        ),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::InvalidInput, Operation::Configure)
        );
        assert!(error.to_string().contains(what), "{error}");
    }
    let mismatch = TlsServer::builder()
        .identity_pem(&identity.certificate, &other.key)
        .build()
        .unwrap_err();
    assert!(matches!(mismatch.kind(), ErrorKind::Tls(_)), "{mismatch}");
}

async fn certificates_are_read_from_files_too() {
    let directory = common::place::Directory::new();
    let authority = Authority::new("ours");
    let identity = authority.issue(&["localhost"]);
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("root.pem"), authority.pem()).unwrap();
    std::fs::write(path("server.pem"), &identity.certificate).unwrap();
    std::fs::write(path("server.key"), &identity.key).unwrap();
    let server = TlsServer::builder()
        .identity_files(path("server.pem"), path("server.key"))
        .client_root_file(path("root.pem"))
        .build()
        .unwrap();
    let client = TlsClient::builder()
        .root_file(path("root.pem"))
        .identity_files(path("server.pem"), path("server.key"))
        .build()
        .unwrap();
    let (connected, accepted) = handshake(&server, &client, "localhost").await;
    connected.unwrap();
    accepted.unwrap();
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

type Outcome = std::io::Result<()>;

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
