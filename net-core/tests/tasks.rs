//! Tasks, time limits and shutdown: ends, panics and aborts that somebody sees; in virtual time.
#![cfg(feature = "os")]

mod common;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::backend::{net, on_each_backend, where_time_jumps};
use common::{poll_once, settle};
use net_core::{
    Backoff, Endpoint, ErrorKind, EventKind, Instant, Net, Operation, Phase, Shutdown, ShutdownReport, Stream,
    TimeoutKind, catch_panic,
};
use tokio::sync::Notify;

on_each_backend!(
    an_aborted_task_has_let_go_of_everything_when_it_is_told,
    who_waits_for_a_shutdown_is_woken_in_the_order_in_which_he_came,
);

where_time_jumps!(
    a_task_gives_its_result_to_whoever_waits,
    a_panic_ends_its_task_alone_and_its_message_is_told,
    an_aborted_task_is_dropped_and_its_waiter_hears_of_it,
    aborting_before_the_first_poll_or_after_the_end_is_harmless,
    a_task_whose_handle_is_dropped_runs_on,
    a_time_limit_drops_what_takes_longer_and_says_how_long_it_waited,
    a_sleep_can_be_moved_and_one_without_end_is_no_overflow,
    a_shutdown_waits_for_the_work_that_was_begun_and_counts_it,
    work_that_is_not_done_at_the_deadline_is_aborted,
    a_stop_without_work_takes_no_time,
    a_second_stop_waits_for_the_first_and_gives_the_same_report,
    the_beginning_of_a_shutdown_is_told_once,
    new_work_is_refused_once_the_stop_has_begun,
    a_stop_that_is_dropped_can_be_gone_on_with,
);

const SECOND: Duration = Duration::from_secs(1);

/// Tells when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn a_task_gives_its_result_to_whoever_waits() {
    let net = net();
    let task = net.spawn(async { 6 * 7 }).unwrap();
    assert!(!task.is_finished());
    settle().await;
    assert!(task.is_finished());
    assert_eq!(task.await.unwrap(), 42);
}

async fn a_panic_ends_its_task_alone_and_its_message_is_told() {
    let net = net();
    for (task, message) in [
        (
            net.spawn(async { panic!("of a plain text") }).unwrap(),
            "panic: of a plain text",
        ),
        (net.spawn(async { panic!("number {}", 7) }).unwrap(), "panic: number 7"),
        (
            net.spawn(async { std::panic::panic_any(7) }).unwrap(),
            "panic: of unknown type",
        ),
    ] {
        let error = net.timeout(SECOND, task).await.unwrap().map(|()| {}).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Internal, Operation::Run));
        assert_eq!(error.detail_text(), Some(message));
        assert!(!error.is_transient());
    }
    assert_eq!(catch_panic(async { 1 }).await.unwrap(), 1);
}

async fn an_aborted_task_is_dropped_and_its_waiter_hears_of_it() {
    let net = net();
    let dropped = Arc::new(AtomicBool::new(false));
    let witness = Dropped(Arc::clone(&dropped));
    let task = net
        .spawn(async move {
            let _witness = witness;
            pending::<()>().await;
        })
        .unwrap();
    settle().await;
    assert!(!dropped.load(Ordering::SeqCst));
    task.abort();
    let error = task.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Cancelled, Operation::Run)
    );
    assert!(dropped.load(Ordering::SeqCst));
}

async fn aborting_before_the_first_poll_or_after_the_end_is_harmless() {
    let net = net();
    let ran = Arc::new(AtomicBool::new(false));
    let runs = Arc::clone(&ran);
    let task = net.spawn(async move { runs.store(true, Ordering::SeqCst) }).unwrap();
    task.abort();
    task.abort();
    assert_eq!(task.await.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!ran.load(Ordering::SeqCst));
    let task = net.spawn(async { 1 }).unwrap();
    settle().await;
    task.abort();
    settle().await;
    assert_eq!(task.await.unwrap(), 1);
}

async fn a_task_whose_handle_is_dropped_runs_on() {
    let net = net();
    let done = Arc::new(Notify::new());
    let tell = Arc::clone(&done);
    let clock = net.clone();
    drop(net.spawn(async move {
        clock.sleep(10 * SECOND).await;
        tell.notify_one();
    }));
    net.timeout(60 * SECOND, done.notified()).await.unwrap();
    assert_eq!(net.now(), Instant::ZERO + 10 * SECOND);
}

async fn a_time_limit_drops_what_takes_longer_and_says_how_long_it_waited() {
    let net = net();
    assert_eq!(net.timeout(SECOND, async { 1 }).await.unwrap(), 1);
    // What is done at the first look needs no time at all.
    assert_eq!(net.timeout(Duration::ZERO, async { 1 }).await.unwrap(), 1);
    let dropped = Arc::new(AtomicBool::new(false));
    let witness = Dropped(Arc::clone(&dropped));
    let error = net
        .timeout(45 * SECOND, async move {
            let _witness = witness;
            pending::<()>().await;
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Request));
    assert!(error.to_string().ends_with("nothing after 45s"), "{error}");
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(net.now(), Instant::ZERO + 45 * SECOND);
}

async fn a_sleep_can_be_moved_and_one_without_end_is_no_overflow() {
    let net = net();
    let mut sleep = net.sleep(SECOND);
    sleep.reset(Instant::ZERO + 5 * SECOND);
    sleep.await;
    assert_eq!(net.now(), Instant::ZERO + 5 * SECOND);
    let mut never = net.sleep(Duration::MAX);
    assert!(poll_once(&mut never).await.is_none());
    let mut never = net.sleep_until(Instant::MAX);
    assert!(poll_once(&mut never).await.is_none());
    // A moment that has passed is there at once.
    net.sleep_until(Instant::ZERO).await;
    assert_eq!(net.now(), Instant::ZERO + 5 * SECOND);
}

async fn a_shutdown_waits_for_the_work_that_was_begun_and_counts_it() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    assert_eq!(shutdown.phase(), Phase::Running);
    // Work that ends before the stop is not counted.
    drop(shutdown.guard().unwrap());
    for seconds in 1..=3 {
        let (guard, clock) = (shutdown.guard().unwrap(), net.clone());
        net.spawn(async move {
            guard.draining().await;
            assert!(guard.is_draining());
            clock.sleep(seconds * SECOND).await;
            guard.lost(100);
        })
        .unwrap();
    }
    assert_eq!(shutdown.guards(), 3);
    let report = shutdown.stop(10 * SECOND).await;
    assert_eq!(
        (report.finished, report.aborted, report.bytes_lost, report.took),
        (3, 0, 300, 3 * SECOND)
    );
    assert_eq!((shutdown.phase(), shutdown.guards()), (Phase::Draining, 0));
}

async fn work_that_is_not_done_at_the_deadline_is_aborted() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    let quick = shutdown.guard().unwrap();
    let slow = shutdown.guard().unwrap();
    net.spawn(async move { quick.run(std::future::ready(1)).await })
        .unwrap();
    let slow = net.spawn(async move { slow.run(pending::<()>()).await }).unwrap();
    settle().await;
    let stubborn = shutdown.guard().unwrap();
    let report = shutdown.stop(5 * SECOND).await;
    assert_eq!(shutdown.phase(), Phase::Aborting);
    assert_eq!(slow.await.unwrap(), None);
    // The stubborn one had a second of grace, and is counted although it still runs.
    assert_eq!((report.finished, report.aborted, report.took), (0, 2, 6 * SECOND));
    drop(stubborn);
    assert_eq!(shutdown.guards(), 0);
}

async fn a_stop_without_work_takes_no_time() {
    let net = net();
    let report = Shutdown::new(&net).stop(Duration::ZERO).await;
    assert_eq!(report, ShutdownReport::default());
}

async fn a_second_stop_waits_for_the_first_and_gives_the_same_report() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    let (guard, clock) = (shutdown.guard().unwrap(), net.clone());
    net.spawn(async move {
        clock.sleep(3 * SECOND).await;
        drop(guard);
    })
    .unwrap();
    let first = {
        let shutdown = shutdown.clone();
        net.spawn(async move { shutdown.stop(10 * SECOND).await }).unwrap()
    };
    net.sleep(SECOND).await;
    let second = shutdown.stop(10 * SECOND).await;
    assert_eq!(second, first.await.unwrap());
    assert_eq!(shutdown.stop(Duration::ZERO).await, second);
    assert_eq!((second.finished, second.took), (1, 3 * SECOND));
}

async fn the_beginning_of_a_shutdown_is_told_once() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let net = net().observed(move |event| {
        if event.kind == EventKind::Draining {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let shutdown = Shutdown::new(&net);
    shutdown.stop(SECOND).await;
    shutdown.stop(SECOND).await;
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

async fn new_work_is_refused_once_the_stop_has_begun() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    let guard = shutdown.guard().unwrap();
    let mut stopping = Box::pin(shutdown.stop(10 * SECOND));
    assert!(poll_once(&mut stopping).await.is_none());
    let error = shutdown.guard().unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Cancelled, Operation::Run)
    );
    drop(guard);
    let report = stopping.await;
    assert_eq!((report.finished, report.aborted), (1, 0));
}

async fn a_stop_that_is_dropped_can_be_gone_on_with() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    let guard = shutdown.guard().unwrap();
    assert!(net.timeout(SECOND, shutdown.stop(10 * SECOND)).await.is_err());
    assert_eq!(shutdown.phase(), Phase::Draining);
    net.timeout(SECOND, shutdown.draining()).await.unwrap();
    drop(guard);
    assert_eq!(shutdown.stop(10 * SECOND).await.finished, 1);
}

#[test]
fn a_network_outside_a_runtime_says_what_is_missing() {
    let net = Net::os();
    // Any executor that is not tokio's.
    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        match work
            .as_mut()
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("waits"),
        }
    }
    let tcp: Endpoint = "tcp://127.0.0.1:1".parse().unwrap();
    let unix: Endpoint = "unix:/nowhere".parse().unwrap();
    let errors = [
        block_on(net.connect(&tcp)).map(drop).unwrap_err(),
        block_on(net.connect(&unix)).map(drop).unwrap_err(),
        block_on(net.connect(&"tcp://localhost:1".parse().unwrap()))
            .map(drop)
            .unwrap_err(),
        block_on(net.bind(&tcp.clone().with_port(0))).map(drop).unwrap_err(),
        block_on(net.bind(&unix)).map(drop).unwrap_err(),
        block_on(net.datagram(&"udp://127.0.0.1:0".parse().unwrap()))
            .map(drop)
            .unwrap_err(),
        net.spawn(async {}).map(drop).unwrap_err(),
    ];
    for error in errors {
        assert!(format!("{error:#}").contains("no tokio runtime here"), "{error:#}");
    }
    // What needs no runtime works everywhere.
    let (here, there) = Stream::pair(&net);
    assert_eq!(here.peer(), there.local());
    net.random();
    assert!(net.now() >= Instant::ZERO);
    assert_eq!(Backoff::default().pause(1, 0), Duration::from_millis(100));
}

async fn an_aborted_task_has_let_go_of_everything_when_it_is_told() {
    let net = net();
    let dropped = Arc::new(AtomicBool::new(false));
    let held = Dropped(Arc::clone(&dropped));
    let task = net
        .spawn(async move {
            let _held = held;
            pending::<()>().await;
        })
        .unwrap();
    settle().await;
    assert!(!task.is_finished());
    task.abort();
    settle().await;
    assert!(task.is_finished());
    assert_eq!(task.await.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(dropped.load(Ordering::SeqCst));
}

async fn who_waits_for_a_shutdown_is_woken_in_the_order_in_which_he_came() {
    let net = net();
    let shutdown = Shutdown::new(&net);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    for number in 0..20 {
        let (guard, order) = (shutdown.guard().unwrap(), Arc::clone(&order));
        net.spawn(async move {
            guard.draining().await;
            order.lock().unwrap().push(number);
        })
        .unwrap();
        settle().await;
    }
    shutdown.stop(Duration::from_secs(3600)).await;
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}
