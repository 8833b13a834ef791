//! Background tasks whose end, failure or panic somebody sees.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};

use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::{Error, ErrorKind, Operation, Result};

/// A task that runs in the background; made by [`Net::spawn`](crate::Net::spawn).
///
/// As a future it gives the task's result. Dropping it lets the task run on. A task that panics ends alone: waiting
/// for it gives [`ErrorKind::Internal`] with the panic's message.
#[derive(Debug)]
pub struct Task<T> {
    result: oneshot::Receiver<Result<T>>,
    abort: Arc<Abort>,
}

/// How a task is told to stop.
#[derive(Debug, Default)]
struct Abort {
    asked: AtomicBool,
    task: OnceLock<Waker>,
}

impl<T> Task<T> {
    /// Stops the task at its next wait; waiting for it then gives [`ErrorKind::Cancelled`].
    pub fn abort(&self) {
        self.abort.asked.store(true, Ordering::Release);
        if let Some(task) = self.abort.task.get() {
            task.wake_by_ref();
        }
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        // The task's own handle is gone when it has ended, or was dropped with its runtime.
        Arc::strong_count(&self.abort) == 1
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.result)
            .poll(cx)
            .map(|sent| sent.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, Operation::Run))))
    }
}

pub(crate) fn spawn<T: Send + 'static>(
    backend: &dyn Backend,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<Task<T>> {
    let (sender, result) = oneshot::channel();
    let abort = Arc::new(Abort::default());
    let task = Box::pin(Run {
        work: Some(CatchPanic { future: work }),
        known: false,
        abort: Arc::clone(&abort),
        sender: Some(sender),
    });
    backend
        .spawn(task)
        .map_err(|error| Error::from_io(Operation::Run, error))?;
    Ok(Task { result, abort })
}

pin_project_lite::pin_project! {
    /// A spawned task: its work, until that is done or it is told to stop.
    #[repr(C)]
    struct Run<F: Future> {
        // Whoever may stop it knows its waker. In front, with what else each turn needs.
        known: bool,
        abort: Arc<Abort>,
        #[pin]
        work: Option<CatchPanic<F>>,
        sender: Option<oneshot::Sender<Result<F::Output>>>,
    }
}

impl<F: Future> Future for Run<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut run = self.project();
        // A task is polled with its own waker, so the first one will do; whoever sets `asked` after this finds it.
        if !std::mem::replace(run.known, true) {
            run.abort.task.get_or_init(|| cx.waker().clone());
        }
        let outcome = if run.abort.asked.load(Ordering::Acquire) {
            Err(Error::new(ErrorKind::Cancelled, Operation::Run))
        } else {
            match run.work.as_mut().as_pin_mut() {
                Some(work) => ready!(work.poll(cx)),
                None => return Poll::Ready(()),
            }
        };
        // Whoever waits for the task finds everything released that it held.
        run.work.set(None);
        if let Some(sender) = run.sender.take() {
            // Nobody may be waiting any more, and that is fine.
            let _ = sender.send(outcome);
        }
        Poll::Ready(())
    }
}

/// Runs a future; if it panics, that becomes an [`ErrorKind::Internal`] with the panic's message. Whatever the future
/// was changing when it panicked may be half changed.
///
/// # Errors
/// The panic.
pub async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T> {
    CatchPanic { future: work }.await
}

/// [`catch_panic`] for a plain call.
///
/// # Errors
/// The panic.
#[inline]
pub fn catch_panic_in<T>(call: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| panicked(panic.as_ref()))
}

pin_project_lite::pin_project! {
    struct CatchPanic<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for CatchPanic<F> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_panic_in(|| future.poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// The error that a caught panic becomes.
#[cold]
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of unknown type".to_owned());
    Error::new(ErrorKind::Internal, Operation::Run).detail(format!("panic: {message}"))
}
