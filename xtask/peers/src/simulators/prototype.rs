//! The least that an executor of asynchronous processes is: boxed futures, and a heap that holds which of them goes on
//! when. No cancelling, no events, no interrupts, one waiter per timeout, no waker.

use super::{Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Process = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Executor {
    now: Cell<u64>,
    running: Cell<usize>,
    sequence: Cell<u64>,
    heap: RefCell<BinaryHeap<Reverse<(u128, usize)>>>,
}

struct Timeout<'a> {
    executor: &'a Executor,
    at: u64,
    waits: bool,
}

impl Future for Timeout<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.waits {
            return Poll::Ready(());
        }
        self.waits = true;
        let executor = self.executor;
        let sequence = executor.sequence.replace(executor.sequence.get() + 1);
        let key = u128::from(self.at) << 64 | u128::from(sequence);
        executor.heap.borrow_mut().push(Reverse((key, executor.running.get())));
        Poll::Pending
    }
}

impl Executor {
    #[inline]
    fn timeout(&self, delay: u64) -> Timeout<'_> {
        Timeout {
            executor: self,
            at: self.now.get() + delay,
            waits: false,
        }
    }

    fn until(&self, end: u64, processes: &mut [Process]) {
        let context = &mut Context::from_waker(Waker::noop());
        loop {
            let mut heap = self.heap.borrow_mut();
            let Some(&Reverse((key, process))) = heap.peek() else {
                return;
            };
            let time = (key >> 64) as u64;
            if time > end {
                return;
            }
            heap.pop();
            drop(heap);
            self.now.set(time);
            self.running.set(process);
            let _ = processes[process].as_mut().poll(context);
        }
    }
}

/// Runs a model.
///
/// # Errors
/// If the system refuses to tell the processor time.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let executor = Rc::new(Executor::default());
    let mut processes: Vec<Process> = Vec::new();
    for process in 0..model.processes {
        let (executor, mut delays) = (Rc::clone(&executor), model.delays(process));
        processes.push(Box::pin(async move {
            loop {
                executor.timeout(delays.next()).await;
                tally::event(executor.now.get());
            }
        }));
    }
    for (index, process) in processes.iter_mut().enumerate() {
        executor.running.set(index);
        let _ = process.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    executor.until(model.warm, &mut processes);
    let meter = tally::start()?;
    executor.until(model.end, &mut processes);
    tally::stop(meter)
}
