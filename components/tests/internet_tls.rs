//! TLS from the start and in mid-stream, by either side, verified; from one source on the operating system's sockets and on a
//! simulated network.

mod net_common;

use bytes::Bytes;
use components::{
    Boxes, Component, ConnectedSocketAdapter, Context, HowDied, Inbox, MakeSsl, Outbox, Outcome, Signal, SimpleServer,
    SocketShutdown, SslReady, System, TcpClient, link, map,
};
use net_common::{on_both, pattern};
use net_core::{ConnectOptions, ErrorKind, TlsClient, TlsFault, TlsServer};
use tokio::io::AsyncReadExt;

/// A server's and a client's side that trust each other; names: localhost and server.
fn trusting() -> (TlsServer, TlsClient) {
    let names = ["localhost".to_owned(), "server".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let server = TlsServer::builder().identity_pem(certificate.as_bytes(), key.as_bytes());
    let client = TlsClient::builder().root_pem(certificate.as_bytes());
    (server.build().unwrap(), client.build().unwrap())
}

/// A protocol that begins TLS when asked to, and echoes.
#[derive(Boxes)]
struct Upgrading {
    inbox: Inbox<Bytes>,
    outbox: Outbox<Bytes>,
    makessl: Outbox<MakeSsl>,
    sslready: Inbox<SslReady>,
    tls: TlsServer,
}

impl Component for Upgrading {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(bytes) = self.inbox.recv().await {
            if &*bytes == b"STARTTLS" {
                // What is queued goes out in plain, before the last words.
                self.outbox.send("queued;".into()).await?;
                self.makessl
                    .send(MakeSsl::server(self.tls.clone()).saying("go ahead"))
                    .await?;
                let ready = self.sslready.recv().await.unwrap();
                ready.outcome?;
            } else {
                self.outbox.send(bytes).await?;
            }
        }
        Ok(())
    }
}

fn upgrading(tls: &TlsServer) -> impl FnMut() -> Upgrading + Send + 'static + use<> {
    let tls = tls.clone();
    move || Upgrading {
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        makessl: Outbox::new(),
        sslready: Inbox::new(),
        tls: tls.clone(),
    }
}

/// Receives this many bytes.
async fn receive(from: &mut Inbox<Bytes>, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend_from_slice(&from.recv().await.expect("more bytes"));
    }
    all
}

#[test]
fn d09_tls_in_mid_stream_on_both_sides() {
    on_both(|sides| async move {
        let (server_tls, client_tls) = trusting();
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, upgrading(&server_tls))
            .await
            .unwrap();
        let client = TcpClient::new(sides.reach(server.local()));
        let server = system.activate(server).unwrap();
        let (mut makessl, mut sslready) = (Outbox::new(), Inbox::new());
        link(&makessl, &client.makessl).unwrap();
        link(&client.sslready, &sslready).unwrap();
        let mut client = System::new(&sides.client).activate_with_handle(client).unwrap();
        client.put("plain".into()).await.unwrap();
        assert_eq!(receive(&mut client.outbox, 5).await, b"plain");
        client.put("STARTTLS".into()).await.unwrap();
        assert_eq!(receive(&mut client.outbox, 15).await, b"queued;go ahead");
        makessl
            .send(MakeSsl::client(client_tls.clone(), "localhost"))
            .await
            .unwrap();
        let info = sslready.recv().await.unwrap().outcome.unwrap();
        assert!(!info.peer_certificates.is_empty());
        // Encrypted once only: a second order is refused, and the connection goes on.
        makessl.send(MakeSsl::client(client_tls, "localhost")).await.unwrap();
        let again = sslready.recv().await.unwrap().outcome.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::WrongState);

        let data = pattern(sides.size(1_000_000));
        let expected = data.len();
        let sending = async {
            for part in data.chunks(30_000) {
                client.inbox.send(Bytes::copy_from_slice(part)).await.unwrap();
            }
            client.component.finish();
        };
        let receiving = async {
            let mut all = Vec::new();
            while let Some(bytes) = client.outbox.recv().await {
                all.extend_from_slice(&bytes);
            }
            all
        };
        let ((), back) = tokio::join!(sending, receiving);
        assert_eq!(back.len(), expected);
        assert!(back == data);
        let end = client.component.clone().await;
        assert!(end.reason.is_clean(), "{end}");
        server.finish();
        assert!(server.await.reason.is_clean());
    });
}

#[test]
fn d09_a_server_of_another_name_or_issuer_is_refused_with_the_reason() {
    on_both(|sides| async move {
        let (server_tls, client_tls) = trusting();
        let (_, stranger) = trusting();
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, upgrading(&server_tls))
            .await
            .unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        for (tls, name, fault) in [
            (client_tls, "elsewhere", Some(TlsFault::WrongName)),
            (stranger, "localhost", None),
        ] {
            let client = TcpClient::new(at.clone());
            let (mut makessl, mut sslready) = (Outbox::new(), Inbox::new());
            link(&makessl, &client.makessl).unwrap();
            link(&client.sslready, &sslready).unwrap();
            let mut client = System::new(&sides.client).activate_with_handle(client).unwrap();
            client.put("STARTTLS".into()).await.unwrap();
            receive(&mut client.outbox, 15).await;
            makessl.send(MakeSsl::client(tls, name)).await.unwrap();
            let error = sslready.recv().await.unwrap().outcome.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Tls(_)), "{error}");
            if let Some(fault) = fault {
                assert_eq!(error.kind(), ErrorKind::Tls(fault));
            }
            let signal = client.signal.recv().await.unwrap();
            let end = SocketShutdown::of(&signal).unwrap();
            assert!(matches!(end.how, HowDied::TlsFailed(_)), "{end}");
        }
        server.stop();
        server.await;
    });
}

#[test]
fn tls_from_the_start_closes_properly_and_a_cut_is_told() {
    on_both(|sides| async move {
        let (server_tls, client_tls) = trusting();
        let net = sides.server.with_server_tls(server_tls);
        let system = System::new(&net);
        let listen = sides.listen.to_string().replace("tcp://", "tls://").parse().unwrap();
        let server = SimpleServer::bind(&system, &listen, || map(|bytes: Bytes| bytes))
            .await
            .unwrap();
        let at = sides.reach(server.local()).to_string().replace("tcp://", "tls://");
        // The certificate has the name, not the address.
        let at: components::Endpoint = at.replace("127.0.0.1", "localhost").parse().unwrap();
        let server = system.activate(server).unwrap();
        let options = ConnectOptions::default().tls(client_tls);
        let client = TcpClient::new(at).connect_options(options);
        let mut client = System::new(&sides.client).activate_with_handle(client).unwrap();
        client.put("hello".into()).await.unwrap();
        assert_eq!(receive(&mut client.outbox, 5).await, b"hello");
        client.component.finish();
        assert!(client.outbox.recv().await.is_none());
        let end = client.component.clone().await;
        assert!(end.reason.is_clean(), "{end}");
        server.finish();
        assert!(server.await.reason.is_clean());
    });
}

#[test]
fn a_shutdown_ends_a_handshake_that_never_comes() {
    on_both(|sides| async move {
        let (server_tls, _) = trusting();
        let mut listener = sides.server.bind(&sides.listen).await.unwrap();
        let mut silent = sides.client.connect(&sides.reach(listener.local())).await.unwrap();
        let adapter = ConnectedSocketAdapter::new(listener.accept().await.unwrap());
        let (mut makessl, mut control, mut feedback) = (Outbox::new(), Outbox::new(), Inbox::<Signal>::new());
        link(&makessl, &adapter.makessl).unwrap();
        link(&control, &adapter.control).unwrap();
        link(&adapter.creator_feedback, &feedback).unwrap();
        System::new(&sides.server).activate(adapter).unwrap();
        makessl.send(MakeSsl::server(server_tls).saying("go")).await.unwrap();
        let mut word = [0; 2];
        silent.read_exact(&mut word).await.unwrap();
        control.try_send(Signal::shutdown_microprocess()).unwrap();
        let signal = feedback.recv().await.unwrap();
        assert!(matches!(SocketShutdown::of(&signal).unwrap().how, HowDied::Shutdown));
        drop(silent);
    });
}
