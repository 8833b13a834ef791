//! hyper and tungstenite themselves, on tokio's pipe in memory: what their protocols cost without a network.

use super::{Scheme, TEXT};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::groups::bulk::Tls;
use crate::networks::duplex;
use futures::future::try_join;
use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_local;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{accept_async_with_config, client_async_with_config};

/// So many round trips, after one that opens the connection.
///
/// # Errors
/// If the work is done wrong.
pub fn run(scheme: Scheme, tls: &Tls, count: u64) -> Outcome<Spent> {
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.server));
    let connector = TlsConnector::from(Arc::clone(&tls.client));
    duplex::meet(async move |client, server| {
        if scheme.is_encrypted() {
            let name = ServerName::try_from("server")?;
            let (client, server) = try_join(connector.connect(name, client), acceptor.accept(server)).await?;
            exchange(scheme, client, server, count).await
        } else {
            exchange(scheme, client, server, count).await
        }
    })
}

/// Whatever goes wrong at the server's end, the client hears of it.
async fn exchange<C, S>(scheme: Scheme, client: C, server: S, count: u64) -> Outcome<Spent>
where
    C: AsyncRead + AsyncWrite + Unpin + 'static,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    if scheme.is_websocket() {
        spawn_local(answer(server));
        echo(client, count).await
    } else {
        let page = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(TEXT))) };
        let server_side = hyper::server::conn::http1::Builder::new();
        spawn_local(server_side.serve_connection(TokioIo::new(server), service_fn(page)));
        get(client, count).await
    }
}

async fn get(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, count: u64) -> Outcome<Spent> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    spawn_local(connection);
    let mut page = async || {
        let request = Request::get("/").header(HOST, "server").body(Empty::<Bytes>::new())?;
        sender.ready().await?;
        let page = sender
            .send_request(request)
            .await?
            .into_body()
            .collect()
            .await?
            .to_bytes();
        if page == TEXT.as_bytes() {
            Ok(())
        } else {
            Outcome::Err(format!("another page came: {page:?}").into())
        }
    };
    page().await?;
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        page().await?;
    }
    meter.stop()
}

/// As large as ours; the library's own are of 128 KiB.
fn buffers() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .write_buffer_size(8 * 1024)
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Error> {
    let mut socket = accept_async_with_config(stream, Some(buffers())).await?;
    while let Some(message) = socket.next().await {
        socket.send(message?).await?;
    }
    Ok(())
}

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin, count: u64) -> Outcome<Spent> {
    let (mut socket, _) = client_async_with_config("ws://server/", stream, Some(buffers())).await?;
    let expected = Message::text(TEXT);
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        socket.send(Message::text(TEXT)).await?;
        let back = socket.next().await.transpose()?;
        if back.as_ref() != Some(&expected) {
            return Err(format!("{back:?} came back").into());
        }
    }
    meter.stop()
}
