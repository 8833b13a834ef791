//! Links: direct delivery, passthrough of all three kinds, moving what waits, all or nothing.

use components::{Delivery, Graphline, Inbox, LinkError, Net, Outbox, for_each, from_iter, link, relink, unlink};

#[test]
fn messages_go_straight_to_the_end_of_any_chain() {
    let source = Outbox::new();
    // A component in a component in a component …: outboxes out, inboxes in.
    let outs: Vec<Outbox<u32>> = (0..5).map(|_| Outbox::new()).collect();
    let ins: Vec<Inbox<u32>> = (0..5).map(|_| Inbox::new()).collect();
    let mut sink = Inbox::new();
    let mut source = source;
    link(&source, &outs[0]).unwrap(); // 2: outbox to outbox
    outs.windows(2).for_each(|pair| link(&pair[0], &pair[1]).unwrap());
    link(&outs[4], &ins[0]).unwrap(); // 0: outbox to inbox
    ins.windows(2).for_each(|pair| link(&pair[0], &pair[1]).unwrap());
    link(&ins[4], &sink).unwrap(); // 1: inbox to inbox
    assert_eq!(source.try_send(7).unwrap(), Delivery::Delivered);
    assert!(ins.iter().all(|inbox| inbox.is_empty() && inbox.counts().received == 0));
    assert_eq!(sink.try_recv(), Some(7));
}

#[test]
fn many_may_send_to_one_but_one_to_many_is_an_error_that_shows_the_way() {
    let (one, other, inbox, second) = (Outbox::<u8>::new(), Outbox::new(), Inbox::new(), Inbox::new());
    link(&one, &inbox).unwrap();
    link(&other, &inbox).unwrap();
    let error = link(&one, &second).unwrap_err();
    assert!(matches!(error, LinkError::AlreadyLinked { .. }));
    assert!(error.to_string().contains("Fanout"), "{error}");
}

#[test]
fn what_waits_moves_on_in_order_when_an_inbox_is_linked_onward() {
    let (mut outbox, mut outer, mut inner) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&outbox, &outer).unwrap();
    (0..5).for_each(|n| drop(outbox.try_send(n)));
    // Some of it is in the receiver's hand by now.
    assert_eq!(outer.try_recv(), Some(0));
    link(&outer, &inner).unwrap();
    outbox.try_send(5).unwrap();
    assert_eq!(
        std::iter::from_fn(|| inner.try_recv()).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!((outer.try_recv(), outer.len()), (None, 0));
}

#[test]
fn later_messages_stay_where_the_link_was_taken_away() {
    let (mut outbox, mut outer, mut inner) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&outbox, &outer).unwrap();
    link(&outer, &inner).unwrap();
    outbox.try_send(1).unwrap();
    assert!(unlink(&outer));
    assert!(!unlink(&outer));
    outbox.try_send(2).unwrap();
    assert_eq!((inner.try_recv(), inner.try_recv()), (Some(1), None));
    assert_eq!(outer.try_recv(), Some(2));
    assert!(unlink(&outbox));
    assert_eq!(outbox.try_send(3).unwrap(), Delivery::Discarded);
}

#[test]
fn a_box_is_retargeted_without_losing_anything() {
    let (mut outbox, mut one, mut other) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&outbox, &one).unwrap();
    outbox.try_send(1).unwrap();
    relink(&outbox, &other).unwrap();
    outbox.try_send(2).unwrap();
    assert_eq!((one.try_recv(), one.try_recv()), (Some(1), None));
    assert_eq!((other.try_recv(), other.try_recv()), (Some(2), None));
}

#[test]
fn d20_linking_onward_into_a_box_too_small_changes_nothing() {
    let (mut outbox, mut outer, mut small) = (Outbox::new(), Inbox::new(), Inbox::with_capacity(2));
    link(&outbox, &outer).unwrap();
    (0..3).for_each(|n| drop(outbox.try_send(n)));
    let error = link(&outer, &small).unwrap_err();
    assert!(
        matches!(error, LinkError::NoSpaceInBox { len: 3, size: 2, .. }),
        "{error}"
    );
    outbox.try_send(3).unwrap();
    assert_eq!(
        std::iter::from_fn(|| outer.try_recv()).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    assert_eq!(small.try_recv(), None);
    link(&outer, &small).unwrap();
    outbox.try_send(4).unwrap();
    assert_eq!(small.try_recv(), Some(4));
}

#[test]
fn links_in_a_circle_are_refused() {
    let (one, other) = (Inbox::<u8>::new(), Inbox::new());
    link(&one, &other).unwrap();
    assert!(matches!(link(&other, &one), Err(LinkError::Circle { .. })));
    assert!(matches!(link(&other, &other), Err(LinkError::Circle { .. })));
}

#[tokio::test]
async fn a_sender_that_waits_follows_the_link() {
    let (mut outbox, full, mut empty) = (Outbox::new(), Inbox::with_capacity(1), Inbox::new());
    link(&outbox, &full).unwrap();
    outbox.try_send(1).unwrap();
    let branch = outbox.branch();
    let sender = async move {
        let mut branch = branch;
        branch.send(2).await.unwrap()
    };
    let mover = async {
        tokio::task::yield_now().await;
        relink(&outbox, &empty).unwrap();
    };
    let (delivery, ()) = tokio::join!(sender, mover);
    assert_eq!(delivery, Delivery::Delivered);
    assert_eq!((empty.try_recv(), full.len()), (Some(2), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_is_lost_or_reordered_while_links_change() {
    const COUNT: u32 = 20_000;
    let mut outbox = Outbox::new();
    let (outer, inner) = (Inbox::with_capacity(8), Inbox::with_capacity(8));
    link(&outbox, &outer).unwrap();
    let net = Net::os();
    let sender = net.spawn(async move {
        for n in 0..COUNT {
            outbox.send(n).await.unwrap();
        }
    });
    let receiver = net.spawn(async move {
        let (mut outer, mut inner) = (outer, inner);
        let mut next = 0;
        while next < COUNT {
            for _ in 0..5 {
                if let Some(n) = outer.try_recv() {
                    assert_eq!(n, next);
                    next += 1;
                }
            }
            while link(&outer, &inner).is_err() {}
            for _ in 0..13 {
                if let Some(n) = inner.try_recv() {
                    assert_eq!(n, next);
                    next += 1;
                }
            }
            unlink(&outer);
            while let Some(n) = inner.try_recv() {
                assert_eq!(n, next);
                next += 1;
            }
            tokio::task::yield_now().await;
        }
    });
    sender.unwrap().await.unwrap();
    receiver.unwrap().await.unwrap();
}

#[test]
fn d08_a_wrong_type_of_message_is_refused_when_it_is_linked() {
    // What is linked by type does not compile: see `Linkable`. By name it is an error, and nothing is linked.
    let mut graph = Graphline::new();
    graph.add("TEXT", from_iter(["a".to_owned()])).unwrap();
    graph.add("NUMBERS", for_each(|_: u64| {})).unwrap();
    let error = graph.link("TEXT.outbox", "NUMBERS.inbox").unwrap_err();
    assert!(error.to_string().contains("sends alloc::string::String"), "{error}");
    assert!(error.to_string().contains("takes u64"), "{error}");
    graph.link("TEXT.outbox", "self.text").unwrap();
}

#[test]
fn d20_boxes_belong_to_one_graph_and_to_no_other() {
    let mut first = Graphline::new();
    first.add("A", for_each(|_: u64| {})).unwrap();
    first.link("self.numbers", "A.inbox").unwrap();
    assert!(first.own_inbox::<u64>("numbers").is_some());
    assert!(Graphline::new().own_inbox::<u64>("numbers").is_none());
}
