//! What hyper lets pass, and two readers could understand in two ways.

use hyper::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, StatusCode, Version};

/// Why a request is refused: the status, and what the client reads.
type Refusal = (StatusCode, &'static str);

/// What is wrong with a head.
enum Wrong {
    /// Codings of transfer that nobody here understands.
    Coding,
    /// `chunked` more than once, or nothing where a coding should be.
    Chunked,
}

/// Refuses what RFC 9112 wants refused and hyper leaves to others. hyper has seen to it that `chunked` comes last, and
/// that lengths are equal.
pub(super) fn request<B>(request: &hyper::Request<B>, ambiguous: bool) -> Result<(), Refusal> {
    if ambiguous {
        return Err((StatusCode::BAD_REQUEST, BOTH));
    }
    match coding(request.headers()) {
        Ok(()) => {}
        Err(Wrong::Coding) => return Err((StatusCode::NOT_IMPLEMENTED, CODING)),
        Err(Wrong::Chunked) => return Err((StatusCode::BAD_REQUEST, CHUNKED)),
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    match (request.version(), hosts) {
        (_, 1) | (Version::HTTP_10, 0) => Ok(()),
        (_, 0) => Err((StatusCode::BAD_REQUEST, "the request has no Host\n")),
        _ => Err((StatusCode::BAD_REQUEST, "the request has several Hosts\n")),
    }
}

/// Why a response to a request with this method can't be trusted to end where it seems to.
pub(super) fn response<B>(method: &Method, response: &hyper::Response<B>) -> Result<(), &'static str> {
    let without_body = match response.status() {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => true,
        status => status.is_informational() || method == Method::HEAD,
    };
    let headers = response.headers();
    if without_body || !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    if headers.contains_key(CONTENT_LENGTH) {
        return Err(BOTH.trim_end());
    }
    coding(headers).map_err(|wrong| match wrong {
        Wrong::Coding => CODING.trim_end(),
        Wrong::Chunked => CHUNKED.trim_end(),
    })
}

pub(super) const BOTH: &str = "both Content-Length and Transfer-Encoding are there, so that it may end in two places\n";
const CODING: &str = "the only Transfer-Encoding that is understood is chunked\n";
const CHUNKED: &str = "Transfer-Encoding is to be chunked, once\n";

/// The one coding that is understood is `chunked`.
fn coding(headers: &HeaderMap) -> Result<(), Wrong> {
    let mut all = headers.get_all(TRANSFER_ENCODING).iter().peekable();
    if all.peek().is_none() {
        return Ok(());
    }
    let (mut chunked, mut empty) = (0, 0);
    for value in all {
        for coding in value.as_bytes().split(|&byte| byte == b',') {
            match coding.trim_ascii() {
                b"" => empty += 1,
                coding if coding.eq_ignore_ascii_case(b"chunked") => chunked += 1,
                _ => return Err(Wrong::Coding),
            }
        }
    }
    match (chunked, empty) {
        (1, 0) => Ok(()),
        _ => Err(Wrong::Chunked),
    }
}
