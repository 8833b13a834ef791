//! A server: a handler, its limits, and the connections that it answers.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use net_core::{Endpoint, Guard, Listener, Net, Shutdown, Stream};

use super::body::Limits;
use super::drain::Drain;
use super::follow::Ambiguity;
use super::io::Timed;
use super::timer::NetTimer;
use super::{About, Body, Error, Reply, Request, Response, Running, ServerOptions, framing};

/// How much of a body may be read ahead, in bytes.
const READ_AHEAD: usize = 128 * 1024;

/// A server: calls its handler for each request, on as many connections at once as there are. Clones share the handler.
///
/// The handler is a function from a [`Request`] to a future of a [`Reply`]. A panic in it is a response with status 500, and
/// concerns nobody else. [`About::of`] tells who asks.
pub struct Server<F> {
    shared: Arc<Shared<F>>,
}

struct Shared<F> {
    handler: F,
    options: ServerOptions,
}

impl<F, W> Server<F>
where
    F: Fn(Request) -> W,
    W: Future<Output: Reply>,
{
    /// A server with the default [`ServerOptions`].
    pub fn new(handler: F) -> Self {
        Self::with_options(handler, ServerOptions::default())
    }

    /// A server with these limits.
    pub fn with_options(handler: F, options: ServerOptions) -> Self {
        Self {
            shared: Arc::new(Shared { handler, options }),
        }
    }

    /// Answers one connection until it ends: for handlers that stay on their thread, and connections from elsewhere.
    ///
    /// # Errors
    /// What broke the connection, or the bad request that ended it.
    pub async fn serve_connection(&self, stream: Stream) -> Result<(), Error> {
        connection(Arc::clone(&self.shared), stream, None).await
    }

    /// Answers all connections of a listener, as one future: for handlers that stay on their thread. It ends when the
    /// shutdown is over.
    ///
    /// # Errors
    /// What ended the listener.
    pub async fn serve(&self, mut listener: Listener, shutdown: &Shutdown) -> net_core::Result<()> {
        let own = shutdown.guard()?;
        let mut open = FuturesUnordered::new();
        {
            let mut draining = pin!(own.draining());
            loop {
                let accepted = poll_fn(|cx| {
                    while let Poll::Ready(Some(())) = open.poll_next_unpin(cx) {}
                    match draining.as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(None),
                        Poll::Pending => listener.poll_accept(cx).map(Some),
                    }
                });
                let Some(accepted) = accepted.await else { break };
                let (stream, shared) = (accepted?, Arc::clone(&self.shared));
                if let Ok(guard) = shutdown.guard() {
                    open.push(async move {
                        // What ended one connection is told by its events.
                        let _ = guard.run(connection(shared, stream, Some(&guard))).await;
                    });
                }
            }
        }
        drop((listener, own));
        while let Some(()) = open.next().await {}
        Ok(())
    }
}

impl<F, W> Server<F>
where
    F: Fn(Request) -> W + Send + Sync + 'static,
    W: Future<Output: Reply> + Send + 'static,
{
    /// Listens, and answers in the background.
    ///
    /// # Errors
    /// If it can't listen there, or the network can't run tasks here.
    pub async fn start(&self, net: &Net, endpoint: &Endpoint) -> net_core::Result<Running> {
        let mut listener = net.bind_with(endpoint, &self.shared.options.bind).await?;
        let endpoint = listener.local().clone();
        let shutdown = Shutdown::new(net);
        let failure = Arc::new(OnceLock::new());
        let running = Running::new(endpoint, shutdown.clone(), Arc::clone(&failure));
        let (own, shared, net) = (shutdown.guard()?, Arc::clone(&self.shared), net.clone());
        net.clone().spawn(async move {
            let mut draining = pin!(own.draining());
            loop {
                let accepted = poll_fn(|cx| match draining.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(None),
                    Poll::Pending => listener.poll_accept(cx).map(Some),
                });
                let stream = match accepted.await {
                    Some(Ok(stream)) => stream,
                    Some(Err(error)) => {
                        // Nobody else has set it.
                        let _ = failure.set(error);
                        own.draining().await;
                        break;
                    }
                    None => break,
                };
                let (Ok(guard), shared) = (shutdown.guard(), Arc::clone(&shared)) else {
                    break;
                };
                let spawned = net.spawn(async move {
                    let _ = guard.run(connection(shared, stream, Some(&guard))).await;
                });
                if spawned.is_err() {
                    break;
                }
            }
        })?;
        Ok(running)
    }
}

async fn connection<F, W>(shared: Arc<Shared<F>>, stream: Stream, guard: Option<&Guard>) -> Result<(), Error>
where
    F: Fn(Request) -> W,
    W: Future<Output: Reply>,
{
    let options = &shared.options;
    let net = stream.net();
    let about = About::new(&stream);
    let drain = Arc::new(Drain::new(&net, options.max_skipped, options.body_timeout));
    let limits = Limits {
        net: net.clone(),
        most: options.max_body,
        patience: options.body_timeout,
    };
    let ambiguity = Arc::new(Ambiguity::new());
    let service = service_fn(|request| {
        let ambiguous = ambiguity.of_next();
        answer(&shared, &about, &drain, &limits, request, ambiguous)
    });
    let io = Timed::new(stream, options.write_timeout, options.linger).followed(Arc::clone(&ambiguity));
    let io = TokioIo::new(io);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(NetTimer::new(net))
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header)
        .max_buf_size(options.max_header.max(READ_AHEAD))
        .half_close(true)
        .keep_alive(options.keep_alive)
        .auto_date_header(options.date_header)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut draining = pin!(async {
        match guard {
            Some(guard) => guard.draining().await,
            None => std::future::pending().await,
        }
    });
    let mut stopping = false;
    let ended = poll_fn(|cx| {
        if !stopping && draining.as_mut().poll(cx).is_ready() {
            stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        drain.poll(cx);
        connection.as_mut().poll(cx)
    });
    let ended = ended.await;
    drain.close();
    ended?;
    match ambiguity.was_met() {
        true => Err(Error::Framing(framing::BOTH.trim_end())),
        false => Ok(()),
    }
}

async fn answer<F, W>(
    shared: &Shared<F>,
    about: &About,
    drain: &Arc<Drain>,
    limits: &Limits,
    request: hyper::Request<Incoming>,
    ambiguous: bool,
) -> Result<Response, Infallible>
where
    F: Fn(Request) -> W,
    W: Future<Output: Reply>,
{
    if let Err(refusal) = framing::request(&request, ambiguous) {
        let mut response = refusal.into_response();
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        return Ok(response);
    }
    // Who waits for leave to send a body need not send it if nobody wants it.
    let drain = match request.headers().contains_key(EXPECT) {
        false => Arc::clone(drain),
        true => Arc::new(Drain::new(&limits.net, 0, Duration::ZERO)),
    };
    let mut request = request.map(|incoming| Body::received(incoming, limits.clone(), drain, None));
    request.extensions_mut().insert(about.clone());
    let work = net_core::catch_panic(async { (shared.handler)(request).await.into_response() });
    let outcome = match shared.options.handler_timeout {
        None => Some(work.await),
        Some(limit) => limits.net.timeout(limit, work).await.ok(),
    };
    Ok(match outcome {
        Some(Ok(response)) => response,
        Some(Err(_)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    })
}

impl<F> Clone for Server<F> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<F> fmt::Debug for Server<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}
