//! Boxes: what they hold, what they refuse, who waits and who is woken.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use components::{BoxOptions, Delivery, Inbox, Outbox, Signal, Unsent, WhenFull, link, link_with};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn waker() -> (Arc<Woken>, Waker) {
    let woken = Arc::new(Woken::default());
    (Arc::clone(&woken), Waker::from(woken))
}

fn pair<T: Send + 'static>(options: BoxOptions) -> (Outbox<T>, Inbox<T>) {
    let (outbox, inbox) = (Outbox::new(), Inbox::with(options));
    link(&outbox, &inbox).unwrap();
    (outbox, inbox)
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn an_unlinked_outbox_discards_and_counts() {
    let mut outbox = Outbox::new();
    assert_eq!(outbox.try_send(1).unwrap(), Delivery::Discarded);
    assert_eq!((outbox.messages_sent(), outbox.messages_discarded()), (1, 1));
}

#[test]
fn an_unlinked_outbox_that_holds_keeps_its_messages_for_the_link() {
    let mut outbox = Outbox::holding(BoxOptions::new().capacity(2));
    outbox.try_send(1).unwrap();
    outbox.try_send(2).unwrap();
    let refused = outbox.try_send(3).unwrap_err();
    assert_eq!(refused.reason(), Unsent::NoSpaceInBox { len: 2, size: 2 });
    let mut inbox = Inbox::new();
    link(&outbox, &inbox).unwrap();
    outbox.try_send(3).unwrap();
    assert_eq!(
        [inbox.try_recv(), inbox.try_recv(), inbox.try_recv()],
        [Some(1), Some(2), Some(3)]
    );
}

#[test]
fn a_full_box_refuses_with_numbers_and_gives_the_message_back() {
    let (mut outbox, inbox) = pair(BoxOptions::new().capacity(2).when_full(WhenFull::Refuse));
    outbox.try_send("a").unwrap();
    outbox.try_send("b").unwrap();
    let (_, waker) = waker();
    let Poll::Ready(Err(refused)) = poll(&mut outbox.send("c"), &waker) else {
        panic!("not refused at once");
    };
    assert_eq!(refused.reason(), Unsent::NoSpaceInBox { len: 2, size: 2 });
    assert_eq!(refused.to_string(), "no space in box: it holds 2 of 2");
    assert_eq!(refused.into_message(), "c");
    assert_eq!(
        (inbox.len(), inbox.counts().refused, inbox.counts().received),
        (2, 1, 2)
    );
}

#[test]
fn what_the_receiver_has_in_hand_counts_against_the_capacity() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new().capacity(4));
    for n in 0..4 {
        outbox.try_send(n).unwrap();
    }
    // Takes all four out of the queue and hands one out: there is room for one, not for four.
    assert_eq!(inbox.try_recv(), Some(0));
    assert_eq!(inbox.len(), 3);
    outbox.try_send(4).unwrap();
    assert!(outbox.try_send(5).is_err());
    assert_eq!(inbox.len(), 4);
    assert_eq!(
        std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(inbox.counts().high_water, 4);
}

#[test]
fn the_newest_or_the_oldest_is_dropped_and_counted() {
    for (policy, left) in [(WhenFull::DropNewest, [1, 2]), (WhenFull::DropOldest, [4, 5])] {
        let (mut outbox, mut inbox) = pair(BoxOptions::new().capacity(2).when_full(policy));
        let sent: Vec<_> = (1..=5).map(|n| outbox.try_send(n).unwrap()).collect();
        let dropped = sent.iter().filter(|sent| **sent == Delivery::Dropped).count();
        assert_eq!(dropped, if policy == WhenFull::DropNewest { 3 } else { 0 });
        assert_eq!(inbox.counts().dropped, 3);
        assert_eq!(
            [inbox.try_recv(), inbox.try_recv(), inbox.try_recv()],
            [Some(left[0]), Some(left[1]), None]
        );
    }
}

#[test]
fn the_oldest_is_dropped_while_a_receiver_is_at_work_too() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new().capacity(3).when_full(WhenFull::DropOldest));
    (0..3).for_each(|n| drop(outbox.try_send(n)));
    assert_eq!(inbox.try_recv(), Some(0));
    (3..9).for_each(|n| drop(outbox.try_send(n)));
    assert_eq!(std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(), [6, 7, 8]);
}

#[test]
fn a_link_may_have_a_policy_of_its_own() {
    let inbox = Inbox::with_capacity(1);
    let (mut patient, mut careless) = (Outbox::new(), Outbox::new());
    link(&patient, &inbox).unwrap();
    link_with(&careless, &inbox, WhenFull::DropNewest).unwrap();
    patient.try_send(1).unwrap();
    assert_eq!(careless.try_send(2).unwrap(), Delivery::Dropped);
    assert!(patient.try_send(3).is_err());
}

#[test]
fn signals_are_never_refused_or_dropped() {
    let options = BoxOptions::new().capacity(1).when_full(WhenFull::DropNewest);
    let (mut outbox, mut inbox) = pair::<Signal>(options);
    for _ in 0..1000 {
        assert_eq!(outbox.try_send(Signal::Shutdown).unwrap(), Delivery::Delivered);
    }
    inbox.set_options(options);
    for _ in 0..1000 {
        assert_eq!(outbox.try_send(Signal::Shutdown).unwrap(), Delivery::Delivered);
    }
    assert_eq!(std::iter::from_fn(|| inbox.try_recv()).count(), 2000);
}

#[test]
fn a_sender_that_waits_is_woken_when_something_is_taken() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new().capacity(1));
    let (woken, waker) = waker();
    outbox.try_send(1).unwrap();
    let mut sending = outbox.send(2);
    assert!(poll(&mut sending, &waker).is_pending());
    assert_eq!(woken.times(), 0);
    assert_eq!(inbox.try_recv(), Some(1));
    assert_eq!(woken.times(), 1);
    assert!(matches!(
        poll(&mut sending, &waker),
        Poll::Ready(Ok(Delivery::Delivered))
    ));
    drop(sending);
    assert_eq!(inbox.counts().blocked, 1);
}

#[test]
fn a_receiver_is_woken_once_for_many_messages() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new());
    let (woken, waker) = waker();
    assert!(poll(&mut inbox.recv(), &waker).is_pending());
    (0..10).for_each(|n| drop(outbox.try_send(n)));
    assert_eq!(woken.times(), 1);
}

#[test]
fn senders_get_room_in_the_order_in_which_they_came() {
    let mut inbox = Inbox::with_capacity(1);
    let mut outboxes: Vec<Outbox<u32>> = (0..3).map(|_| Outbox::new()).collect();
    outboxes.iter().for_each(|outbox| link(outbox, &inbox).unwrap());
    outboxes[0].try_send(0).unwrap();
    let wakers: Vec<_> = (0..3).map(|_| waker()).collect();
    let mut sendings: Vec<_> = (1..).zip(&mut outboxes).map(|(n, outbox)| outbox.send(n)).collect();
    for (sending, (_, waker)) in sendings.iter_mut().zip(&wakers) {
        assert!(poll(sending, waker).is_pending());
    }
    for turn in 0..3 {
        assert_eq!(inbox.try_recv(), Some(turn));
        let times: Vec<_> = wakers.iter().map(|(woken, _)| woken.times()).collect();
        let expected: Vec<_> = (0..3).map(|n| usize::from(n <= turn)).collect();
        assert_eq!(times, expected);
        assert!(poll(&mut sendings[turn as usize], &wakers[turn as usize].1).is_ready());
    }
}

#[test]
fn a_place_that_is_given_up_goes_to_the_next_one() {
    let mut inbox = Inbox::with_capacity(1);
    let (mut first, mut second) = (Outbox::new(), Outbox::new());
    link(&first, &inbox).unwrap();
    link(&second, &inbox).unwrap();
    first.try_send(0).unwrap();
    let ((one, one_waker), (other, other_waker)) = (waker(), waker());
    let mut given_up = first.send(1);
    assert!(poll(&mut given_up, &one_waker).is_pending());
    let mut kept = second.send(2);
    assert!(poll(&mut kept, &other_waker).is_pending());
    assert_eq!(inbox.try_recv(), Some(0));
    assert_eq!((one.times(), other.times()), (1, 0));
    drop(given_up);
    assert_eq!(other.times(), 1);
    assert!(poll(&mut kept, &other_waker).is_ready());
    assert_eq!(inbox.try_recv(), Some(2));
}

#[test]
fn messages_for_a_box_that_is_gone_are_counted() {
    let (mut outbox, inbox) = pair(BoxOptions::new());
    outbox.try_send(1).unwrap();
    drop(inbox);
    assert_eq!(outbox.try_send(2).unwrap(), Delivery::Undeliverable);
}

#[test]
fn an_inbox_outside_of_components_ends_with_its_last_source() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new());
    let second = outbox.branch();
    let (woken, waker) = waker();
    outbox.try_send(1).unwrap();
    drop(second);
    assert_eq!(poll(&mut inbox.recv(), &waker), Poll::Ready(Some(1)));
    assert!(poll(&mut inbox.recv(), &waker).is_pending());
    drop(outbox);
    assert_eq!(woken.times(), 1);
    assert_eq!(poll(&mut inbox.recv(), &waker), Poll::Ready(None));
}

#[tokio::test]
async fn batches_are_sent_and_received_whole() {
    let (mut outbox, mut inbox) = pair(BoxOptions::new().capacity(10));
    let sender = async {
        let mut batch: VecDeque<u32> = (0..95).collect();
        outbox.send_all(&mut batch).await.unwrap();
        drop(outbox);
    };
    let receiver = async {
        let (mut all, mut batch) = (Vec::new(), VecDeque::new());
        while inbox.recv_all(&mut batch).await > 0 {
            assert!(batch.len() <= 10);
            all.extend(batch.drain(..));
        }
        all
    };
    let ((), all) = tokio::join!(sender, receiver);
    assert_eq!(all, (0..95).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sink_waits_for_room_and_a_stream_ends() {
    use futures_core::Stream;
    use futures_sink::Sink;
    let (outbox, mut inbox) = pair(BoxOptions::new().capacity(2));
    let sender = async move {
        let mut sink = pin!(outbox.into_sink());
        for n in 0..20 {
            std::future::poll_fn(|cx| sink.as_mut().poll_ready(cx)).await.unwrap();
            sink.as_mut().start_send(n).unwrap();
        }
        std::future::poll_fn(|cx| sink.as_mut().poll_close(cx)).await.unwrap();
    };
    let receiver = async move {
        let mut all = Vec::new();
        while let Some(n) = std::future::poll_fn(|cx| pin!(&mut inbox).poll_next(cx)).await {
            all.push(n);
        }
        all
    };
    let handle = tokio::join!(sender, receiver).1;
    assert_eq!(handle, (0..20).collect::<Vec<_>>());
}
