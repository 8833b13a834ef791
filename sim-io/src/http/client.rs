//! A client that keeps its connections.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Method, Uri};
use hyper_util::rt::TokioIo;
use net_core::{ConnectOptions, Endpoint, Net, Stream};

use super::body::Limits;
use super::drain::Drain;
use super::io::Timed;
use super::{Body, Error, Request, Response, framing, lock};

/// How much of a body may be read ahead, in bytes.
const READ_AHEAD: usize = 128 * 1024;

/// The limits of a [`Client`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// How long a request may take until the header of its response is there, connecting included. Default: 30 s.
    pub timeout: Duration,
    /// How long the server may be silent in the middle of a body. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a request may wait for a server that does not read. Default: 30 s.
    pub write_timeout: Duration,
    /// How long a connection that is closed waits for the server to close too. Default: 2 s.
    pub linger: Duration,
    /// The largest header of a response, in bytes. Default: 64 KiB.
    pub max_header: usize,
    /// The largest body that is read whole, in bytes. Default: 16 MiB.
    pub max_body: usize,
    /// The most bytes of a body that nobody reads which are skipped; if there are more, the connection is closed.
    /// Default: 256 KiB.
    pub max_skipped: usize,
    /// The most idle connections that are kept for each server. Default: 8.
    pub max_idle: usize,
    /// Where to connect, whatever the URL says: to a Unix socket, or through a tunnel.
    pub endpoint: Option<Endpoint>,
    /// How it connects.
    pub connect: ConnectOptions,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            max_header: 64 * 1024,
            max_body: 16 * 1024 * 1024,
            max_skipped: 256 * 1024,
            max_idle: 8,
            endpoint: None,
            connect: ConnectOptions::default(),
        }
    }
}

impl ClientOptions {
    /// Sets how long a request may take until the header of its response is there.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how long the server may be silent in the middle of a body.
    #[must_use]
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self
    }

    /// Sets how long a request may wait for a server that does not read.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets how long a connection that is closed waits for the server to close too.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Sets the largest header of a response, in bytes.
    #[must_use]
    pub fn max_header(mut self, bytes: usize) -> Self {
        self.max_header = bytes;
        self
    }

    /// Sets the largest body that is read whole, in bytes.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the most bytes of an unread body which are skipped.
    #[must_use]
    pub fn max_skipped(mut self, bytes: usize) -> Self {
        self.max_skipped = bytes;
        self
    }

    /// Sets the most idle connections that are kept for each server.
    #[must_use]
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.max_idle = connections;
        self
    }

    /// Sets where to connect, whatever the URL says.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets how it connects.
    #[must_use]
    pub fn connect(mut self, options: ConnectOptions) -> Self {
        self.connect = options;
        self
    }
}

/// A client. Its connections are kept and used again, once the body of a response was read to its end or dropped. Clones
/// share them; they close when the last clone is gone.
///
/// It follows no redirections and keeps no cookies.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    net: Net,
    options: ClientOptions,
    idle: Mutex<BTreeMap<String, Vec<Kept>>>,
}

/// A connection.
struct Kept {
    sender: SendRequest<Body>,
    drain: Arc<Drain>,
}

impl Client {
    /// A client with the default [`ClientOptions`].
    pub fn new(net: &Net) -> Self {
        Self::with_options(net, ClientOptions::default())
    }

    /// A client with these limits.
    pub fn with_options(net: &Net, options: ClientOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                net: net.clone(),
                options,
                idle: Mutex::default(),
            }),
        }
    }

    /// Asks for what is there.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn get(&self, url: &str) -> Result<Response, Error> {
        self.request(Method::GET, url, ()).await
    }

    /// Sends a body.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn post(&self, url: &str, body: impl Into<Body>) -> Result<Response, Error> {
        self.request(Method::POST, url, body).await
    }

    /// Puts a body there.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn put(&self, url: &str, body: impl Into<Body>) -> Result<Response, Error> {
        self.request(Method::PUT, url, body).await
    }

    async fn request(&self, method: Method, url: &str, body: impl Into<Body>) -> Result<Response, Error> {
        let uri: Uri = url.parse().map_err(|error| Error::Url(format!("`{url}`: {error}")))?;
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        self.send(request).await
    }

    /// Sends a request, and waits for the header of its response. Dropping the future closes that connection.
    ///
    /// A request that a kept connection did not take, because the server has closed it, is sent again on a new one; one
    /// that was on its way is not, for nobody knows what became of it.
    ///
    /// # Errors
    /// If the URL is not a whole one of `http` or `https`, there is no connection, it breaks, the server sends what is no
    /// HTTP or what may end in two places, or [`ClientOptions::timeout`] runs out.
    pub async fn send(&self, mut request: Request) -> Result<Response, Error> {
        let inner = &self.inner;
        let endpoint = prepare(&mut request, inner.options.endpoint.as_ref())?;
        let limit = inner.options.timeout;
        match inner.net.timeout(limit, self.exchange(&endpoint, request)).await {
            Ok(response) => response,
            Err(_) => {
                let what = "response";
                Err(Error::Timeout { what, limit })
            }
        }
    }

    async fn exchange(&self, endpoint: &Endpoint, mut request: Request) -> Result<Response, Error> {
        let key = endpoint.to_string();
        let method = request.method().clone();
        loop {
            let kept = self.inner.take(&key);
            let reused = kept.is_some();
            let mut kept = match kept {
                Some(kept) => kept,
                None => self.inner.connect(endpoint).await?,
            };
            match kept.sender.ready().await {
                Ok(()) => {}
                Err(_) if reused => continue,
                Err(error) => return Err(error.into()),
            }
            match kept.sender.try_send_request(request).await {
                Ok(response) => {
                    // One that is refused ends the connection, by being dropped.
                    framing::response(&method, &response).map_err(Error::Framing)?;
                    return Ok(self.received(key, kept, response));
                }
                Err(mut error) => match error.take_message() {
                    Some(back) if reused => request = back,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// The response, whose body gives the connection back at its end.
    fn received(&self, key: String, kept: Kept, response: hyper::Response<Incoming>) -> Response {
        let inner = &self.inner;
        let limits = Limits {
            net: inner.net.clone(),
            most: inner.options.max_body,
            patience: inner.options.body_timeout,
        };
        let (drain, pool) = (Arc::clone(&kept.drain), Arc::downgrade(inner));
        let done = Box::new(move || give_back(&pool, key, kept));
        response.map(|incoming| Body::received(incoming, limits, drain, Some(done)))
    }
}

fn give_back(pool: &Weak<Inner>, key: String, kept: Kept) {
    let Some(inner) = pool.upgrade() else { return };
    if kept.sender.is_closed() {
        return;
    }
    let mut idle = lock(&inner.idle);
    let there = idle.entry(key).or_default();
    if there.len() < inner.options.max_idle {
        there.push(kept);
    }
}

impl Inner {
    /// The connection that was used last.
    fn take(&self, key: &str) -> Option<Kept> {
        let mut idle = lock(&self.idle);
        let there = idle.get_mut(key)?;
        let mut kept = there.pop();
        while kept.as_ref().is_some_and(|kept| kept.sender.is_closed()) {
            kept = there.pop();
        }
        if there.is_empty() {
            idle.remove(key);
        }
        kept
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Kept, Error> {
        let options = &self.options;
        let stream = self.net.connect_with(endpoint, &options.connect).await?;
        let drain = Arc::new(Drain::new(&self.net, options.max_skipped, options.body_timeout));
        let (sender, connection) = handshake(stream, options).await?;
        let drained = Arc::clone(&drain);
        self.net.spawn(async move {
            let mut connection = pin!(connection);
            // What ends it is heard by whoever waits for a response.
            let _ = poll_fn(|cx| {
                let ended = connection.as_mut().poll(cx);
                if ended.is_pending() {
                    drained.poll(cx);
                    return Poll::Pending;
                }
                ended
            })
            .await;
            drained.close();
        })?;
        Ok(Kept { sender, drain })
    }
}

pub(crate) type Connection = http1::Connection<TokioIo<Timed>, Body>;

/// HTTP on a connection, as the client.
pub(crate) async fn handshake(
    stream: Stream,
    options: &ClientOptions,
) -> Result<(SendRequest<Body>, Connection), Error> {
    let io = TokioIo::new(Timed::new(stream, options.write_timeout, options.linger));
    let mut builder = http1::Builder::new();
    builder
        .max_header_size(options.max_header)
        .max_buf_size(options.max_header.max(READ_AHEAD));
    Ok(builder.handshake(io).await?)
}

/// Where a URL leads, in the scheme of plain and the scheme of encrypted connections.
pub(crate) fn endpoint_of(uri: &Uri, plain: &str, encrypted: &str) -> Result<Endpoint, Error> {
    let wrong = |why: &str| Error::Url(format!("`{uri}`: {why}"));
    let (scheme, port) = match uri.scheme_str() {
        Some(scheme) if scheme == plain => ("tcp", 80),
        Some(scheme) if scheme == encrypted => ("tls", 443),
        _ => return Err(wrong(&format!("a URL begins with {plain}:// or {encrypted}://"))),
    };
    let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
    let port = uri.port_u16().unwrap_or(port);
    let endpoint = format!("{scheme}://{host}:{port}").parse();
    endpoint.map_err(|error: net_core::Error| wrong(&error.to_string()))
}

/// Gives a request the form that servers expect: a `Host`, and a path.
fn prepare(request: &mut Request, endpoint: Option<&Endpoint>) -> Result<Endpoint, Error> {
    let endpoint = match endpoint {
        Some(endpoint) => endpoint.clone(),
        None => endpoint_of(request.uri(), Scheme::HTTP.as_str(), Scheme::HTTPS.as_str())?,
    };
    name_host(request)?;
    Ok(endpoint)
}

pub(crate) fn name_host(request: &mut Request) -> Result<(), Error> {
    let uri = request.uri();
    if !request.headers().contains_key(HOST) {
        // Without what stands before an @, which is a password more often than not.
        let host = uri.authority().map(|authority| authority.as_str());
        let host = host.map_or("localhost", |host| host.rsplit('@').next().unwrap_or(host));
        let host = HeaderValue::from_str(host).map_err(|error| Error::Url(format!("`{uri}`: {error}")))?;
        request.headers_mut().insert(HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    Ok(())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle: usize = lock(&self.inner.idle).values().map(Vec::len).sum();
        f.debug_struct("Client")
            .field("options", &self.inner.options)
            .field("idle", &idle)
            .finish_non_exhaustive()
    }
}
