//! What the tests of TLS share.

use net_core::{Error, ErrorKind, Net, Operation, Result, Stream, TlsClient, TlsFault, TlsServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::backend::net;

/// Both sides of one handshake over a pipe in memory.
pub(crate) async fn handshake(server: &TlsServer, client: &TlsClient, name: &str) -> (Result<Stream>, Result<Stream>) {
    handshake_on(&net(), server, client, name).await
}

async fn handshake_on(
    net: &Net,
    server: &TlsServer,
    client: &TlsClient,
    name: &str,
) -> (Result<Stream>, Result<Stream>) {
    let (mut here, mut there) = Stream::pair(net);
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

pub(crate) fn fault(outcome: Result<Stream>) -> TlsFault {
    match outcome.expect_err("a refusal").kind() {
        ErrorKind::Tls(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// Two ends under TLS; dropping one cuts the connection off without close_notify.
pub(crate) async fn encrypted(server: &TlsServer, client: &TlsClient) -> (Stream, Stream) {
    encrypted_on(&net(), server, client).await
}

/// The same on a net of one's own.
pub(crate) async fn encrypted_on(net: &Net, server: &TlsServer, client: &TlsClient) -> (Stream, Stream) {
    let (connected, accepted) = handshake_on(net, server, client, "localhost").await;
    (connected.unwrap(), accepted.unwrap())
}
