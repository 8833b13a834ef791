//! What a handler may give back.

use hyper::body::Bytes;
use hyper::{StatusCode, header};

use super::{Body, Error, Response};

/// What a handler may give back: a [`Response`], a text, bytes, a status, a status with any of these, nothing, or a
/// `Result` of two of them.
pub trait Reply {
    /// The response that it means.
    fn into_response(self) -> Response;
}

impl Reply for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl Reply for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl Reply for () {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Reply for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}

impl<T: Reply> Reply for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl<T: Reply, E: Reply> Reply for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(reply) => reply.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

fn typed(body: Body, kind: &'static str) -> Response {
    let mut response = Response::new(body);
    let kind = header::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

macro_rules! reply {
    ($($type:ty => $kind:literal),*) => {$(
        impl Reply for $type {
            fn into_response(self) -> Response {
                typed(self.into(), $kind)
            }
        }
    )*};
}

reply!(
    &'static str => "text/plain; charset=utf-8",
    String => "text/plain; charset=utf-8",
    Vec<u8> => "application/octet-stream",
    Bytes => "application/octet-stream"
);

impl From<&Error> for StatusCode {
    /// The status that tells a client of a body that could not be read: 413, 408, or 400.
    fn from(error: &Error) -> Self {
        match error {
            Error::BodyTooLarge { .. } => Self::PAYLOAD_TOO_LARGE,
            Error::Timeout { .. } => Self::REQUEST_TIMEOUT,
            _ => Self::BAD_REQUEST,
        }
    }
}

impl From<Error> for StatusCode {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl Reply for Error {
    /// The status, and the error's words.
    fn into_response(self) -> Response {
        (StatusCode::from(&self), format!("{self}\n")).into_response()
    }
}
