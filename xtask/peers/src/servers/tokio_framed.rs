//! tokio-util's `Framed` with its stock codecs, with a flush per frame and with one when nothing more is ready.

use super::tokio_loop::{serve, serve_crowd};
use super::{Door, Job, Progress};
use crate::Outcome;
use crate::framing::Framing;
use futures::{FutureExt, Sink, SinkExt, StreamExt};
use std::error::Error;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_util::codec::{Decoder, Encoder, Framed, LengthDelimitedCodec, LinesCodec};

/// `feed` for each frame; a flush when no further frame is ready.
///
/// # Errors
/// Those of the sockets and codecs.
pub fn feed(door: Door, job: Job) -> Outcome<u64> {
    serve(door, job, |stream, framing| async move {
        match framing {
            Framing::Line => feed_connection(Framed::new(stream, LinesCodec::new()), |line| line).await,
            Framing::Length => feed_connection(Framed::new(stream, LengthDelimitedCodec::new()), |b| b.freeze()).await,
        }
    })
}

async fn feed_connection<C, I>(mut framed: Framed<TcpStream, C>, reply: impl Fn(C::Item) -> I) -> Outcome<u64>
where
    C: Decoder + Encoder<I, Error = <C as Decoder>::Error>,
    <C as Decoder>::Error: Error + Send + Sync + 'static,
    Framed<TcpStream, C>: Sink<I, Error = <C as Decoder>::Error>,
{
    let mut frames = 0;
    loop {
        let frame = match framed.next().now_or_never() {
            Some(frame) => frame,
            None => {
                framed.flush().await?;
                framed.next().await
            }
        };
        let Some(frame) = frame else { return Ok(frames) };
        framed.feed(reply(frame?)).await?;
        frames += 1;
    }
}

/// `send` for each frame, which flushes: what most programs do.
///
/// # Errors
/// Those of the sockets and codecs.
pub fn send(door: Door, job: Job) -> Outcome<u64> {
    serve(door, job, send_framed)
}

/// The same for many connections, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve_crowd(door, job, progress, send_framed)
}

async fn send_framed(stream: TcpStream, framing: Framing) -> Outcome<u64> {
    match framing {
        Framing::Line => send_connection(Framed::new(stream, LinesCodec::new()), |line| line).await,
        Framing::Length => send_connection(Framed::new(stream, LengthDelimitedCodec::new()), |b| b.freeze()).await,
    }
}

async fn send_connection<C, I>(mut framed: Framed<TcpStream, C>, reply: impl Fn(C::Item) -> I) -> Outcome<u64>
where
    C: Decoder + Encoder<I, Error = <C as Decoder>::Error>,
    <C as Decoder>::Error: Error + Send + Sync + 'static,
    Framed<TcpStream, C>: Sink<I, Error = <C as Decoder>::Error>,
{
    let mut frames = 0;
    while let Some(frame) = framed.next().await {
        framed.send(reply(frame?)).await?;
        frames += 1;
    }
    Ok(frames)
}
