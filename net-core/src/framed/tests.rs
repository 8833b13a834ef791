//! Wakes and buffers, which can be seen from inside only.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Framed;
use crate::framing::{Framing, Line};
use crate::{Net, Stream};

impl<F: Framing> Framed<F> {
    /// Whether either side holds one.
    fn holds_buffers(&self) -> bool {
        self.input.holds_buffer() || self.writer.holds_buffer()
    }
}

#[derive(Default)]
struct Count(std::sync::atomic::AtomicUsize);

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_task_that_is_awake_is_not_woken_by_what_it_sends() {
    let (here, mut there) = Stream::pair(&Net::os());
    let mut lines = Framed::new(here, Line::default());
    let sender = lines.sender();
    let count = std::sync::Arc::new(Count::default());
    let waker = std::task::Waker::from(std::sync::Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let woken = || count.0.load(std::sync::atomic::Ordering::Relaxed);
    assert!(Pin::new(&mut lines.next()).poll(&mut cx).is_pending());
    lines.awake();
    sender.push(b"one").unwrap();
    assert_eq!(woken(), 0);
    // It is written when the task asks for more; from then on it has to be woken again.
    assert!(Pin::new(&mut lines.next()).poll(&mut cx).is_pending());
    let mut read = [0; 4];
    tokio::io::AsyncReadExt::read_exact(&mut there, &mut read)
        .await
        .unwrap();
    assert_eq!(&read, b"one\n");
    sender.push(b"two").unwrap();
    assert_eq!(woken(), 1);
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let net = Net::os();
    let (here, there) = Stream::pair(&net);
    let (mut here, mut there) = (Framed::new(here, Line::default()), Framed::new(there, Line::default()));
    here.send(b"ping").await.unwrap();
    let (line, mut out) = there.next().await.unwrap().unwrap();
    out.push(&line).unwrap();
    // The second look waits: it writes the answer, and gives the buffers back.
    let mut next = Box::pin(there.next());
    poll_fn(|cx| {
        assert!(next.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(next);
    assert!(!there.holds_buffers());
    assert_eq!(&*here.next().await.unwrap().unwrap().0, b"ping");
}
