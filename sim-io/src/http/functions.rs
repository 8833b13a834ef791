//! Functions that are called by their path: simpy.io's RPC over HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use net_core::BoxFuture;

use super::{Reply, Request, Response};
use crate::message::Fault;

type Work = BoxFuture<'static, Result<String, Fault>>;

/// Functions without arguments, called by their path with whatever method: what simpy.io calls RPC over HTTP.
///
/// The path without its first `/`, with the query if there is one, is the name. The text that the function gives is the
/// body of a 200; an unknown name, an error and a panic are a 404 without a body.
///
/// ```
/// use sim_io::http::{Functions, Server};
///
/// let functions = Functions::new()
///     .function("level", || async { Ok("2.5".to_owned()) })
///     .function("tank/page", || async { Ok("<p>full</p>".to_owned()) })
///     .header("content-type", "text/html");
/// let server = Server::new(move |request| functions.answer(request));
/// ```
#[derive(Clone, Default)]
pub struct Functions {
    by_name: BTreeMap<String, Function>,
    latest: String,
}

#[derive(Clone)]
struct Function {
    call: Arc<dyn Fn() -> Work + Send + Sync>,
    headers: HeaderMap,
}

impl Functions {
    /// No functions yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function. A name may have a `/` in it.
    #[must_use]
    pub fn function<F, W>(mut self, name: &str, function: F) -> Self
    where
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<String, Fault>> + Send + 'static,
    {
        let call = Arc::new(move || -> Work { Box::pin(function()) });
        let headers = HeaderMap::new();
        self.by_name.insert(name.to_owned(), Function { call, headers });
        name.clone_into(&mut self.latest);
        self
    }

    /// Adds a header to the responses of the function that was added last.
    ///
    /// # Panics
    /// If the name has letters that no header may have.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Some(function) = self.by_name.get_mut(&self.latest) {
            let value = HeaderValue::from_static(value);
            function.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    /// Calls the function that a request names: a handler of a [`Server`](super::Server).
    pub fn answer(&self, request: Request) -> impl Future<Output = Response> + Send + use<> {
        let function = self.by_name.get(name(request.uri())).cloned();
        async move {
            // Its body is skipped meanwhile.
            drop(request);
            let Some(Function { call, headers }) = function else {
                return StatusCode::NOT_FOUND.into_response();
            };
            match net_core::catch_panic(async move { call().await }).await {
                Ok(Ok(text)) => {
                    let mut response = Response::new(text.into());
                    *response.headers_mut() = headers;
                    response
                }
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }
}

fn name(uri: &Uri) -> &str {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    path.strip_prefix('/').unwrap_or(path)
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
