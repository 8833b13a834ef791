//! From HTTP to WebSocket, on either side.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use net_core::{BoxFuture, Net, Stream};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::shared::Shared;
use super::{Error, Options, Reader, WebSocket, Writer};
use crate::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use crate::http::{
    self, ClientOptions, HeaderMap, HeaderName, HeaderValue, Method, Reply, Request, Response, Server, StatusCode, Uri,
    Version,
};

async fn socket(stream: Stream, role: Role, options: Options, protocol: Option<String>) -> WebSocket {
    let shared = Shared::new(stream, role, options).await;
    WebSocket {
        reader: Reader::new(Arc::clone(&shared)),
        writer: Writer::new(shared),
        protocol,
    }
}

/// Whether a header, which may come several times, has this word in its list.
fn has(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    words(headers, name).any(|known| known.eq_ignore_ascii_case(word))
}

fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',').map(str::trim))
}

/// Connects to a URL of `ws` or `wss`, with the default [`Options`].
///
/// # Errors
/// As [`connect_with`].
pub async fn connect(net: &Net, url: &str) -> Result<WebSocket, Error> {
    let uri = url.parse::<Uri>();
    let uri = uri.map_err(|error| Error::Http(http::Error::Url(format!("`{url}`: {error}"))))?;
    let mut request = Request::default();
    *request.uri_mut() = uri;
    connect_with(net, request, Options::default()).await
}

/// Connects with a request of one's own, whose URL is of `ws` or `wss`: with cookies, an origin, other headers.
///
/// # Errors
/// If there is no connection, the server does not open a WebSocket ([`Error::Refused`], [`Error::Handshake`]), or
/// [`Options::handshake_timeout`] runs out.
pub async fn connect_with(net: &Net, request: Request, options: Options) -> Result<WebSocket, Error> {
    let limit = options.handshake_timeout;
    match net.timeout(limit, open(net, request, options)).await {
        Ok(opened) => opened,
        Err(_) => {
            let what = "handshake";
            Err(Error::Timeout { what, limit })
        }
    }
}

async fn open(net: &Net, mut request: Request, options: Options) -> Result<WebSocket, Error> {
    let endpoint = http::endpoint_of(request.uri(), "ws", "wss")?;
    http::name_host(&mut request)?;
    let key = generate_key();
    let mut set = |name, value: &str| match HeaderValue::from_str(value) {
        Ok(value) => {
            request.headers_mut().insert(name, value);
            Ok(())
        }
        Err(_) => Err(Error::Handshake(format!("`{value}` can't be sent in a header"))),
    };
    set(CONNECTION, "Upgrade")?;
    set(UPGRADE, "websocket")?;
    set(SEC_WEBSOCKET_VERSION, "13")?;
    set(SEC_WEBSOCKET_KEY, &key)?;
    if !options.protocols.is_empty() {
        set(SEC_WEBSOCKET_PROTOCOL, &options.protocols.join(", "))?;
    }
    let offered = options.protocols.clone();
    let stream = net.connect(&endpoint).await?;
    let (mut sender, connection) = http::handshake(stream, &ClientOptions::default()).await?;
    let mut connection = pin!(connection.with_upgrades());
    let mut asked = pin!(async {
        let mut response = sender.send_request(request).await.map_err(http::Error::from)?;
        let protocol = agreed(&response, &key, &offered)?;
        let upgraded = hyper::upgrade::on(&mut response).await.map_err(http::Error::from)?;
        Ok::<_, Error>((http::upgraded_stream(upgraded)?, protocol))
    });
    let mut ended = false;
    let (stream, protocol) = poll_fn(|cx| {
        // What ends it is heard by who asks.
        ended = ended || connection.as_mut().poll(cx).is_ready();
        asked.as_mut().poll(cx)
    })
    .await?;
    Ok(socket(stream, Role::Client, options, protocol).await)
}

/// Whether the server's answer opens a WebSocket, and with which subprotocol.
fn agreed<B>(response: &hyper::Response<B>, key: &str, offered: &[String]) -> Result<Option<String>, Error> {
    let (status, headers) = (response.status(), response.headers());
    let wrong = |why: &str| Err(Error::Handshake(why.to_owned()));
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::Refused { status });
    }
    if !has(headers, UPGRADE, "websocket") || !has(headers, CONNECTION, "upgrade") {
        return wrong("the server's answer does not upgrade to `websocket`");
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes)
        != Some(derive_accept_key(key.as_bytes()).as_bytes())
    {
        return wrong("the server's Sec-WebSocket-Accept does not fit the key");
    }
    let Some(protocol) = headers.get(SEC_WEBSOCKET_PROTOCOL) else {
        return Ok(None);
    };
    let known = offered.iter().find(|known| protocol == known.as_str());
    match known {
        Some(protocol) => Ok(Some(protocol.clone())),
        None => wrong("the server chose a subprotocol that was not offered"),
    }
}

/// Opens a WebSocket in answer to a request that a [`Server`] got: the response to give, and the WebSocket that will be
/// there once it is sent, to be awaited in a process of its own.
///
/// # Errors
/// If the request asks for none, or for one of another version. The [`Rejection`] is a [`Reply`].
pub fn upgrade(request: &mut Request, options: Options) -> Result<(Response, Upgrading), Rejection> {
    let headers = request.headers();
    if !has(headers, UPGRADE, "websocket") || !has(headers, CONNECTION, "upgrade") {
        return Err(Rejection::NotAsked);
    }
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(Rejection::Malformed("it is no GET of HTTP/1.1"));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes) != Some(b"13") {
        return Err(Rejection::Version);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    // 16 bytes in base64.
    let Some(key) = key.filter(|key| key.len() == 24 && key.ends_with(b"==")) else {
        return Err(Rejection::Malformed("its Sec-WebSocket-Key is not one"));
    };
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONNECTION, "Upgrade");
    set(UPGRADE, "websocket");
    set(SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key));
    let offered: Vec<&str> = words(headers, SEC_WEBSOCKET_PROTOCOL).collect();
    let chosen = options
        .protocols
        .iter()
        .find(|own| offered.contains(&own.as_str()))
        .cloned();
    if let Some(protocol) = &chosen {
        set(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let pending = http::upgrade(request);
    let opening = Box::pin(async move { Ok(socket(pending.await?, Role::Server, options, chosen).await) });
    Ok((response, Upgrading(opening)))
}

/// The WebSocket after its upgrade, as a future; made by [`upgrade`].
#[must_use = "nobody talks to the client unless it is awaited"]
pub struct Upgrading(BoxFuture<'static, Result<WebSocket, Error>>);

impl Future for Upgrading {
    type Output = Result<WebSocket, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Upgrading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrading")
    }
}

/// Why a request opens no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// It does not ask for one.
    NotAsked,
    /// It asks for one of another version than 13.
    Version,
    /// It asks in a wrong way.
    Malformed(&'static str),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("here is a WebSocket, and the request asks for none"),
            Self::Version => f.write_str("only version 13 of WebSocket is spoken here"),
            Self::Malformed(why) => write!(f, "the request for a WebSocket is wrong: {why}"),
        }
    }
}

impl std::error::Error for Rejection {}

impl Reply for Rejection {
    /// 426 with the right version, or 400.
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, text).into_response(),
            Self::NotAsked | Self::Version => {
                let mut response = (StatusCode::UPGRADE_REQUIRED, text).into_response();
                let headers = response.headers_mut();
                headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
                response
            }
        }
    }
}

/// Opens a WebSocket on an accepted connection, without a [`Server`]: whatever its client asks for, it must ask for that.
///
/// # Errors
/// [`Error::Handshake`] if the client asked for something else, and was told so; what broke the connection; or
/// [`Error::Timeout`].
pub async fn accept(stream: Stream, options: Options) -> Result<WebSocket, Error> {
    let (net, limit) = (stream.net(), options.handshake_timeout);
    let outcome = Arc::new(Mutex::new(None));
    let told = Arc::clone(&outcome);
    let server = Server::new(move |mut request: Request| {
        let (response, outcome) = match upgrade(&mut request, options.clone()) {
            Ok((response, pending)) => (response, Ok(pending)),
            Err(rejection) => {
                let mut response = rejection.into_response();
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
                (response, Err(rejection))
            }
        };
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        std::future::ready(response)
    });
    let served = net.timeout(limit, server.serve_connection(stream)).await;
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (served, outcome) {
        (Err(_), _) => {
            let what = "handshake";
            Err(Error::Timeout { what, limit })
        }
        (Ok(_), Some(Err(rejection))) => Err(Error::Handshake(rejection.to_string())),
        (Ok(Err(error)), _) => Err(error.into()),
        (Ok(Ok(())), Some(Ok(pending))) => pending.await,
        (Ok(Ok(())), None) => Err(Error::Handshake("the client has gone without asking".to_owned())),
    }
}
