//! Who is trusted, what is refused, and how that is told.

use net_core::{Endpoint, Error, ErrorKind, EventKind, Operation, Stream, TlsClient, TlsFault, TlsServer};
use tokio::io::AsyncWriteExt;

use crate::common::backend::{net, on_each_backend};
use crate::common::certificates::{Authority, trusting};
use crate::common::events::Events;
use crate::rig::{fault, handshake};

on_each_backend!(
    a_trusted_server_is_connected_to_and_both_sides_know_the_facts,
    an_unknown_issuer_is_refused_unless_it_is_asked_for,
    a_connection_without_any_setting_trusts_only_the_systems_issuers,
    a_certificate_for_another_name_or_another_time_is_refused,
    addresses_are_names_too_and_another_name_can_be_asked_for,
    clients_need_a_certificate_where_the_server_demands_one,
    the_two_sides_agree_on_an_application_protocol_or_fail,
    what_is_no_tls_is_told_as_such_on_either_side,
);

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
