//! Axon's rules of boxes, wake-ups, ends and pipelines, one test each, where another file has none.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll, Wake, Waker};

use common::{collect, system};
use components::{
    BoxOptions, Context, Delivery, Fanout, HasInbox, Inbox, LinkError, Outbox, Pipeline, ServiceError, Signal, Unsent,
    for_each, from_fn, from_iter, link, map,
};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls once; how often it has been woken is told later.
fn poll<F: Future>(future: F) -> (Arc<Woken>, Poll<F::Output>) {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let outcome = pin!(future).poll(&mut Task::from_waker(&waker));
    (woken, outcome)
}

#[test]
fn only_the_size_of_the_final_destination_counts() {
    let mut outbox = Outbox::new();
    let (outer, inner) = (Inbox::with_capacity(1), Inbox::with_capacity(3));
    link(&outbox, &outer).unwrap();
    link(&outer, &inner).unwrap();
    (0..3).for_each(|n| assert_eq!(outbox.try_send(n).unwrap(), Delivery::Delivered));
    let full = outbox.try_send(3).unwrap_err();
    assert_eq!(full.reason(), Unsent::NoSpaceInBox { len: 3, size: 3 });
    assert_eq!((full.into_message(), inner.len()), (3, 3), "nothing is stored");
}

#[tokio::test(start_paused = true)]
async fn an_inbox_is_not_linked_to_an_outbox() {
    let system = system();
    system.activate(map(|n: u8| n)).unwrap();
    system.activate(map(|n: u8| n)).unwrap();
    let error = system.link("Map_1.inbox", "Map_2.outbox").unwrap_err();
    assert!(matches!(error, LinkError::Backwards { .. }), "{error}");
}

#[test]
fn a_message_wakes_the_owner_of_the_final_inbox_and_nobody_between() {
    let (mut outbox, mut outer, mut inner) = (Outbox::new(), Inbox::<u8>::new(), Inbox::new());
    link(&outbox, &outer).unwrap();
    link(&outer, &inner).unwrap();
    let (between, pending) = poll(outer.recv());
    assert!(pending.is_pending());
    let (at_the_end, pending) = poll(inner.recv());
    assert!(pending.is_pending());
    outbox.try_send(1).unwrap();
    assert_eq!(between.0.load(Ordering::SeqCst), 0);
    assert_eq!(at_the_end.0.load(Ordering::SeqCst), 1);
}

#[test]
fn taking_a_message_wakes_who_waits_at_the_far_end_of_the_chain() {
    let (mut child, parent, mut inbox) = (Outbox::new(), Outbox::new(), Inbox::with_capacity(1));
    link(&child, &parent).unwrap();
    link(&parent, &inbox).unwrap();
    child.try_send(1).unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut sending = child.send(2);
    let mut task = Task::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut sending).poll(&mut task).is_pending());
    assert_eq!(inbox.try_recv(), Some(1));
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(std::pin::Pin::new(&mut sending).poll(&mut task).is_ready());
    assert_eq!(inbox.try_recv(), Some(2));
}

#[test]
fn a_box_made_smaller_keeps_what_waits_and_takes_no_more() {
    let (mut outbox, mut inbox) = (Outbox::new(), Inbox::with_capacity(4));
    link(&outbox, &inbox).unwrap();
    (0..4).for_each(|n| drop(outbox.try_send(n)));
    inbox.set_options(BoxOptions::new().capacity(2));
    assert_eq!(inbox.len(), 4);
    for expected in 0..3 {
        let full = outbox.try_send(9).unwrap_err();
        let len = 4 - expected;
        assert_eq!(full.reason(), Unsent::NoSpaceInBox { len, size: 2 });
        assert_eq!(inbox.try_recv(), Some(expected));
    }
    assert_eq!(outbox.try_send(4).unwrap(), Delivery::Delivered);
    assert_eq!(std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_same_item_goes_to_many_and_is_not_copied() {
    let fanout = Fanout::<Arc<String>>::new(["one", "other"]);
    let (mut source, mut one, mut other) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&source, fanout.inbox()).unwrap();
    link(fanout.out("one").unwrap(), &one).unwrap();
    link(fanout.out("other").unwrap(), &other).unwrap();
    system().activate(fanout).unwrap();
    let item = Arc::new("item".to_owned());
    source.send(Arc::clone(&item)).await.unwrap();
    assert!(Arc::ptr_eq(&one.recv().await.unwrap(), &item));
    assert!(Arc::ptr_eq(&other.recv().await.unwrap(), &item));
}

#[tokio::test(start_paused = true)]
async fn what_a_component_sends_last_arrives_and_then_its_links_go() {
    let last = from_fn(
        "Last",
        |mut inbox: Inbox<u8>, mut outbox: Outbox<u8>, _: Context| async move {
            while inbox.recv().await.is_some() {}
            outbox.send(7).await?;
            Ok(())
        },
    );
    let mut handle = system().activate_with_handle(last).unwrap();
    handle.component.finish();
    assert_eq!(handle.get().await, Some(7));
    assert!(handle.signal.recv().await.unwrap().is_finished());
    assert_eq!((handle.get().await, handle.signal.recv().await), (None, None));
    assert_eq!(handle.put(1).await.unwrap(), Delivery::Discarded);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_hands_control_to_its_first_child_and_signals_what_its_last_one_does() {
    let talker = |name: &'static str| {
        from_fn(
            name,
            |mut inbox: Inbox<u8>, mut outbox: Outbox<u8>, _: Context| async move {
                while let Some(n) = inbox.recv().await {
                    outbox.send(n).await?;
                }
                Ok(())
            },
        )
    };
    let pipeline = Pipeline::new(talker("First"))
        .then(talker("Middle"))
        .then(talker("Last"));
    let mut handle = system().activate_with_handle(pipeline).unwrap();
    handle.put(1).await.unwrap();
    assert_eq!(handle.get().await, Some(1));
    handle.control.try_send(Signal::producer_finished()).unwrap();
    let signal = handle.signal.recv().await.unwrap();
    assert!(
        signal.is_finished() && signal.caller().unwrap().starts_with("Last_"),
        "{signal}"
    );
    assert_eq!(handle.signal.recv().await, None, "once, and nothing of its own");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_may_be_of_one_and_ends_when_all_its_children_have() {
    let mut handle = system()
        .activate_with_handle(Pipeline::new(map(|n: u8| n + 1)))
        .unwrap();
    handle.put(1).await.unwrap();
    assert_eq!(handle.get().await, Some(2));
    handle.component.finish();
    assert!(handle.component.clone().await.reason.is_clean());

    let system = system();
    let slow = from_fn(
        "Slow",
        |mut inbox: Inbox<u8>, _: Outbox<()>, context: Context| async move {
            while inbox.recv().await.is_some() {}
            context.sleep(std::time::Duration::from_secs(5)).await?;
            Ok(())
        },
    );
    let began = system.net().now();
    let end = system
        .activate(Pipeline::new(from_iter(0..3)).then(slow))
        .unwrap()
        .await;
    assert!(end.reason.is_clean());
    assert_eq!(system.net().now() - began, std::time::Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn an_unlinked_child_of_a_graphline_is_started_too() {
    let mut graph = components::Graphline::new();
    let (all, sink) = collect::<u8>();
    graph.add("ALONE", from_iter(0..3)).unwrap();
    graph.add("SINK", sink).unwrap();
    let system = system();
    let active = system.activate(graph).unwrap();
    active.finish();
    assert!(active.await.reason.is_clean());
    assert_eq!((system.counts().started, all.lock().unwrap().len()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_of_a_component_that_has_ended_is_gone() {
    let system = system();
    let adder = for_each(|_: u8| {});
    system.services().register("adder", adder.inbox()).unwrap();
    let active = system.activate(adder).unwrap();
    assert_eq!(system.services().registered(), ["adder"]);
    active.stop();
    active.await;
    assert!(matches!(
        system.services().retrieve::<u8>("adder"),
        Err(ServiceError::NoSuchService { .. })
    ));
}
