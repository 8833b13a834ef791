//! Whatever is done to boxes: nothing is lost, order is kept, bounds hold. And what a message costs.

use std::collections::VecDeque;
use std::future::Future;

use components::{BoxOptions, Context, Inbox, Net, Outbox, Pipeline, System, from_fn, link, map, unlink};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    SendMany(usize),
    Take,
    TakeInner,
    Join,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize).prop_map(Step::Send),
        2 => (1..6_usize).prop_map(Step::SendMany),
        4 => Just(Step::Take),
        3 => Just(Step::TakeInner),
        1 => Just(Step::Join),
        1 => Just(Step::Cut),
    ]
}

proptest! {
    /// Three senders, an inbox that is linked onward to another one and cut off again, at any moment.
    #[test]
    fn boxes_lose_nothing_keep_order_and_hold_their_bounds(
        outer_size in 1..9_usize,
        inner_size in 1..9_usize,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let (mut outer, mut inner) = (Inbox::with_capacity(outer_size), Inbox::with_capacity(inner_size));
        let mut outboxes: Vec<Outbox<(usize, u32)>> = (0..3).map(|_| Outbox::new()).collect();
        for outbox in &outboxes {
            link(outbox, &outer).unwrap();
        }
        // What a plain queue would hold.
        let (mut at_outer, mut at_inner) = (VecDeque::new(), VecDeque::new());
        let (mut next, mut joined) = ([0_u32; 3], false);
        for step in steps {
            match step {
                Step::Send(who) => {
                    let message = (who, next[who]);
                    let (queue, size) = if joined { (&mut at_inner, inner_size) } else { (&mut at_outer, outer_size) };
                    let sent = outboxes[who].try_send(message);
                    prop_assert_eq!(sent.is_ok(), queue.len() < size);
                    if sent.is_ok() {
                        queue.push_back(message);
                        next[who] += 1;
                    }
                }
                Step::SendMany(count) => {
                    let mut batch: VecDeque<_> = (0..count as u32).map(|n| (0, next[0] + n)).collect();
                    let (queue, size) = if joined { (&mut at_inner, inner_size) } else { (&mut at_outer, outer_size) };
                    let room = size.saturating_sub(queue.len());
                    // Polled once: it sends what there is room for.
                    let mut sending = Box::pin(outboxes[0].send_all(&mut batch));
                    let done = sending.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
                    drop(sending);
                    prop_assert_eq!(done.is_ready(), count <= room);
                    let sent = count.min(room);
                    queue.extend((0..sent as u32).map(|n| (0, next[0] + n)));
                    next[0] += sent as u32;
                }
                Step::Take => prop_assert_eq!(outer.try_recv(), at_outer.pop_front()),
                Step::TakeInner => prop_assert_eq!(inner.try_recv(), at_inner.pop_front()),
                Step::Join if !joined => {
                    let fits = at_outer.is_empty() || at_outer.len() + at_inner.len() <= inner_size;
                    prop_assert_eq!(link(&outer, &inner).is_ok(), fits);
                    if fits {
                        at_inner.append(&mut at_outer);
                        joined = true;
                    }
                }
                Step::Cut => {
                    prop_assert_eq!(unlink(&outer), joined);
                    joined = false;
                }
                Step::Join => prop_assert!(link(&outer, &inner).is_err()),
            }
            prop_assert_eq!((outer.len(), inner.len()), (at_outer.len(), at_inner.len()));
        }
        prop_assert!(outer.counts().high_water <= outer_size.max(inner_size));
    }

    /// The same through components on several threads: each sender's messages come in order, all of them.
    #[test]
    fn components_lose_nothing_whatever_their_boxes_hold(
        sizes in proptest::collection::vec(1..20_usize, 3),
        count in 0..3000_u32,
        threads in any::<bool>(),
    ) {
        let runtime = if threads {
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
        } else {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
        };
        runtime.block_on(async move {
            let size = |n: usize| BoxOptions::new().capacity(sizes[n]);
            let source = from_fn("Source", move |_: Inbox<u32>, mut outbox: Outbox<u32>, _: Context| async move {
                for n in 0..count {
                    outbox.send(n).await?;
                }
                Ok(())
            });
            let sink = from_fn("Sink", move |mut inbox: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
                let mut next = 0;
                while let Some(n) = inbox.recv().await {
                    assert_eq!(n, next);
                    next += 1;
                }
                assert_eq!(next, count);
                Ok(())
            });
            let pipeline = Pipeline::new(source)
                .then(map(|n: u32| n)).with_box(size(0))
                .then(map(|n: u32| n)).with_box(size(1))
                .then(sink).with_box(size(2))
                .on_failure(components::OnFailure::Escalate);
            let end = System::new(&Net::os()).activate(pipeline).unwrap().await;
            assert!(end.reason.is_clean(), "{end}");
        });
    }
}

#[test]
fn a_message_costs_no_allocation() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let run = |count: u32| {
        allocation_counter::measure(|| {
            runtime.block_on(async {
                let source = from_fn(
                    "Source",
                    move |_: Inbox<u32>, mut outbox: Outbox<u32>, _: Context| async move {
                        for n in 0..count {
                            outbox.send(n).await?;
                        }
                        Ok(())
                    },
                );
                let pipeline = Pipeline::new(source)
                    .then(map(|n: u32| n + 1))
                    .then(components::for_each(drop));
                System::new(&Net::os()).activate(pipeline).unwrap().await;
            });
        })
        .count_total
    };
    let (few, many) = (run(1_000), run(50_000));
    assert!(
        many <= few + 20,
        "{few} allocations for 1 000 messages, {many} for 50 000"
    );
}
