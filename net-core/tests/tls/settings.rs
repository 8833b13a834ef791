//! Where settings come from, and what is wrong with some.

use net_core::{BindOptions, ConnectOptions, ErrorKind, Operation, TlsClient, TlsServer};

use crate::common::backend::{net, on_each_backend};
use crate::common::certificates::{Authority, trusting};
use crate::common::place::Directory;
use crate::rig::handshake;

on_each_backend!(
    a_tls_listener_without_a_certificate_says_what_is_missing,
    settings_of_one_call_win_over_those_of_the_network,
    certificates_are_read_from_files_too,
);

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
    let directory = Directory::new();
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
