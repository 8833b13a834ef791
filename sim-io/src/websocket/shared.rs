//! What the two halves share: the socket, and who waits for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::{Sink, Stream as _};
use net_core::{Endpoint, Instant, Net, Stream};
use tokio::io::AsyncWrite;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error as Inner, Message};

use super::Options;

pub(super) struct Shared {
    pub(super) net: Net,
    pub(super) peer: Endpoint,
    pub(super) options: Options,
    state: Mutex<State>,
}

pub(super) struct State {
    socket: WebSocketStream<Stream>,
    /// When this side began to close.
    pub(super) closed_at: Option<Instant>,
    reader: Option<Waker>,
    /// The socket knows one who waits to write. If the reader has written, it has to be told of the writer again.
    writer: Option<Waker>,
}

impl Shared {
    pub(super) async fn new(stream: Stream, role: Role, options: Options) -> Arc<Self> {
        let (net, peer) = (stream.net(), stream.peer().clone());
        let socket = WebSocketStream::from_raw_socket(stream, role, Some(options.config())).await;
        Arc::new(Self {
            net,
            peer,
            options,
            state: Mutex::new(State {
                socket,
                closed_at: None,
                reader: None,
                writer: None,
            }),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // What panics in it is broken, and says so by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Inner>>> {
        let next = Pin::new(&mut self.socket).poll_next(cx);
        if next.is_pending() {
            self.reader = Some(cx.waker().clone());
        }
        next
    }

    /// Sends a message of the writer's: hands it over when there is room, and waits until it is out.
    pub(super) fn poll_send(&mut self, message: &mut Option<Message>, cx: &mut Context<'_>) -> Poll<Result<(), Inner>> {
        let mut socket = Pin::new(&mut self.socket);
        let mut progress = Poll::Ready(Ok(()));
        if message.is_some() {
            progress = socket.as_mut().poll_ready(cx);
            if let Poll::Ready(Ok(())) = progress
                && let Some(message) = message.take()
            {
                progress = Poll::Ready(socket.as_mut().start_send(message));
            }
        }
        if let Poll::Ready(Ok(())) = progress {
            progress = socket.poll_flush(cx);
        }
        if progress.is_pending() {
            self.writer = Some(cx.waker().clone());
        }
        progress
    }

    /// Sends a message of the reader's: a ping, or what tells the peer why it is cut off.
    pub(super) fn poll_aside(
        &mut self,
        message: &mut Option<Message>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Inner>> {
        let mut socket = Pin::new(&mut self.socket);
        let begun = match message.take() {
            Some(message) => socket.as_mut().start_send(message),
            None => Ok(()),
        };
        let progress = match begun {
            Ok(()) => socket.as_mut().poll_flush(cx),
            Err(error) => Poll::Ready(Err(error)),
        };
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        progress
    }

    /// This side begins to close; the reader has to mind the time.
    pub(super) fn closing(&mut self, now: Instant) {
        self.closed_at.get_or_insert(now);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Closes our side of the connection below.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(self.socket.get_mut()).poll_shutdown(cx)
    }

    pub(super) fn fault(&mut self, error: &net_core::Error) {
        self.socket.get_mut().fault(error);
    }
}

/// A close frame.
pub(super) fn close_frame(code: u16, reason: &str) -> Message {
    // A control frame has 125 bytes, and the code has two.
    let reason = &reason[..reason.floor_char_boundary(123)];
    Message::Close(Some(CloseFrame {
        code: code.into(),
        reason: reason.into(),
    }))
}
