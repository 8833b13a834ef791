//! Carousel, Backplane, Fanout, Splitter and Plug, supervision.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{collect, system};
use components::{
    Backplane, BoxOptions, Carousel, Change, Component, Context, Event, Failure, Fanout, HasInbox, HasOutbox, Inbox,
    Missed, NextRequest, Outbox, Pipeline, Plug, PublishTo, Signal, Splitter, SubscribeTo, WhenFull, from_fn,
    from_iter, link, map, supervise,
};
use net_core::Backoff;

const SECOND: Duration = Duration::from_secs(1);

/// Names what it gets, and ends after so many.
fn namer(name: &'static str, most: usize) -> impl Component + HasInbox<In = u32> + HasOutbox<Out = String> {
    from_fn(
        "Namer",
        move |mut inbox: Inbox<u32>, mut outbox: Outbox<String>, _: Context| async move {
            for _ in 0..most {
                let Some(n) = inbox.recv().await else { break };
                outbox.send(format!("{name}{n}")).await?;
            }
            Ok(())
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_carousel_makes_one_child_after_another() {
    let system = system();
    let carousel = Carousel::new(|name: &'static str| namer(name, 2)).ask_first();
    let (mut data, mut orders) = (Outbox::new(), Outbox::new());
    let (mut asked, mut results) = (Inbox::new(), Inbox::new());
    link(&data, carousel.inbox()).unwrap();
    link(&orders, carousel.next()).unwrap();
    link(carousel.request_next(), &asked).unwrap();
    link(carousel.outbox(), &results).unwrap();
    let active = system.activate(carousel).unwrap();
    for n in 0..7 {
        data.send(n).await.unwrap();
    }
    for name in ["a", "b"] {
        assert_eq!(asked.recv().await, Some(NextRequest));
        orders.send(name).await.unwrap();
    }
    // Ended by itself, and asks again.
    assert_eq!(asked.recv().await, Some(NextRequest));
    // The third one is told to end by the fourth order.
    orders.send("c").await.unwrap();
    system.net().sleep(SECOND).await;
    orders.send("d").await.unwrap();
    system.net().sleep(SECOND).await;
    active.finish();
    assert!(active.await.reason.is_clean());
    let all: Vec<_> = std::iter::from_fn(|| results.try_recv()).collect();
    assert_eq!(all, ["a0", "a1", "b2", "b3", "c4", "c5", "d6"]);
}

#[tokio::test(start_paused = true)]
async fn a_carousel_without_a_child_ends_as_it_is_told() {
    for stop in [false, true] {
        let carousel = Carousel::new(|name: &'static str| namer(name, 2));
        let mut handle = system().activate_with_handle(carousel).unwrap();
        if stop {
            handle.component.stop();
        } else {
            handle.component.finish();
        }
        let signal = handle.signal.recv().await.unwrap();
        assert_eq!((signal.is_shutdown(), signal.is_finished()), (stop, !stop));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_published_comes_to_all_subscribers() {
    let system = system();
    let backplane = system.activate(Backplane::<u32>::new("NEWS")).unwrap();
    tokio::task::yield_now().await;
    let (one, sink) = collect();
    let first = system
        .activate(Pipeline::new(SubscribeTo::<u32>::new("NEWS")).then(sink))
        .unwrap();
    let (two, sink) = collect();
    let second = system
        .activate(Pipeline::new(SubscribeTo::<u32>::new("NEWS")).then(sink))
        .unwrap();
    system.net().sleep(SECOND).await;
    let news = Pipeline::new(from_iter(0..500_u32)).then(PublishTo::new("NEWS"));
    assert!(system.activate(news).unwrap().await.reason.is_clean());
    backplane.finish();
    // Subscribers are told when everything has come.
    assert!(backplane.await.reason.is_clean());
    assert!(first.await.reason.is_clean() && second.await.reason.is_clean());
    assert_eq!(*one.lock().unwrap(), (0..500).collect::<Vec<_>>());
    assert_eq!(*two.lock().unwrap(), *one.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn d21_a_second_backplane_of_the_name_and_a_missing_one_are_told() {
    let system = system();
    system.activate(Backplane::<u32>::new("NEWS")).unwrap();
    let end = system.activate(Backplane::<u32>::new("NEWS")).unwrap().await;
    assert!(end.reason.to_string().contains("exists already"), "{end}");
    let end = system.activate(PublishTo::<u32>::new("OTHER")).unwrap().await;
    assert!(
        end.reason
            .to_string()
            .contains(r#"no service "Backplane_I_OTHER"; there is Backplane_I_NEWS"#),
        "{end}"
    );
    let end = system.activate(SubscribeTo::<String>::new("NEWS")).unwrap().await;
    assert!(end.reason.to_string().contains("takes"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_lags_is_told_and_holds_nobody_back() {
    let system = system();
    system.activate(Backplane::<u32>::new("NEWS")).unwrap();
    tokio::task::yield_now().await;
    let lagging =
        SubscribeTo::<u32>::new("NEWS").with_box(BoxOptions::new().capacity(4).when_full(WhenFull::DropOldest));
    let (mut results, mut signals) = (Inbox::with_capacity(1), Inbox::new());
    link(lagging.outbox(), &results).unwrap();
    let mut list = components::Graphline::new();
    list.add("LAG", lagging).unwrap();
    list.link("LAG.signal", "self.signal").unwrap();
    let mut outer = components::Graphline::new();
    outer.add("GRAPH", list).unwrap();
    outer.link("GRAPH.signal", "self.told").unwrap();
    link(outer.own_outbox::<Signal>("told").unwrap(), &signals).unwrap();
    system.activate(outer).unwrap();
    system.net().sleep(SECOND).await;
    let news = Pipeline::new(from_iter(0..100_u32)).then(PublishTo::new("NEWS"));
    assert!(system.activate(news).unwrap().await.reason.is_clean());
    system.net().sleep(SECOND).await;
    let mut got = vec![];
    while let Ok(Some(n)) = system.net().timeout(SECOND, results.recv()).await {
        got.push(n);
    }
    assert_eq!(got[got.len() - 4..], [96, 97, 98, 99]);
    let missed: u64 = std::iter::from_fn(|| signals.try_recv())
        .filter_map(|signal| signal.message::<Missed>().map(|missed| missed.0))
        .sum();
    assert_eq!(missed as usize + got.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_fanout_copies_to_all_its_boxes_and_no_other() {
    let fanout = Fanout::new(["a", "b"]);
    let (mut source, mut a, mut b) = (Outbox::new(), Inbox::new(), Inbox::new());
    link(&source, fanout.inbox()).unwrap();
    link(fanout.out("a").unwrap(), &a).unwrap();
    link(fanout.out("b").unwrap(), &b).unwrap();
    assert!(fanout.out("outbox").is_none());
    let active = system().activate(fanout).unwrap();
    for n in 0..3 {
        source.send(n).await.unwrap();
    }
    active.finish();
    active.await;
    for inbox in [&mut a, &mut b] {
        assert_eq!(std::iter::from_fn(|| inbox.try_recv()).collect::<Vec<_>>(), [0, 1, 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn d21_sinks_of_a_splitter_come_and_go() {
    let system = system();
    let splitter = Splitter::new();
    let plug = Plug::new(&splitter, namer("plug", 2)).unwrap();
    let (mut plugged, mut sink, mut main) = (Inbox::new(), Inbox::new(), Inbox::new());
    link(plug.outbox(), &plugged).unwrap();
    link(splitter.outbox(), &main).unwrap();
    let (mut source, mut configuration) = (Outbox::new(), Outbox::new());
    link(&source, splitter.inbox()).unwrap();
    link(&configuration, splitter.configuration()).unwrap();
    let active = system.activate(splitter).unwrap();
    let plug = system.activate(plug).unwrap();
    system.net().sleep(SECOND).await;
    for n in 0..6 {
        if n == 3 {
            let (change, _) = Change::add(&sink, None).unwrap();
            configuration.send(change).await.unwrap();
        }
        source.send(n).await.unwrap();
        system.net().sleep(SECOND).await;
    }
    assert!(plug.await.reason.is_clean());
    active.finish();
    active.await;
    assert_eq!(
        std::iter::from_fn(|| main.try_recv()).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5]
    );
    assert_eq!(std::iter::from_fn(|| sink.try_recv()).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(
        std::iter::from_fn(|| plugged.try_recv()).collect::<Vec<_>>(),
        ["plug0", "plug1"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_supervised_component_is_made_anew_and_goes_on_with_what_waits() {
    let system = system();
    let restarts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&restarts);
    system.observe(move |event| {
        if let Event::Restarting { failure, failures, .. } = event {
            seen.lock().unwrap().push(format!("{failures}: {failure}"));
        }
    });
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let shaky = supervise(Backoff::default(), move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        from_fn(
            "Shaky",
            move |mut inbox: Inbox<u32>, mut outbox: Outbox<(u32, u32)>, _: Context| async move {
                while let Some(n) = inbox.recv().await {
                    if n % 3 == 2 {
                        return Err(Failure::new(format!("no {n}")));
                    }
                    outbox.send((number, n)).await?;
                }
                Ok(())
            },
        )
    });
    let (all, sink) = collect();
    let active = system
        .activate(Pipeline::new(from_iter(0..8)).then(shaky).then(sink))
        .unwrap();
    assert!(active.await.reason.is_clean());
    assert_eq!(*all.lock().unwrap(), [(0, 0), (0, 1), (1, 3), (1, 4), (2, 6), (2, 7)]);
    assert_eq!(*restarts.lock().unwrap(), ["1: no 2", "2: no 5"]);
    assert_eq!(system.counts().left_behind, 0);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_gives_up_with_the_last_failure() {
    let shaky = supervise(Backoff::default().attempts(3), || {
        from_fn("Shaky", |_: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
            Err(Failure::new("never"))
        })
    });
    let system = system();
    let mut handle = system.activate_with_handle(shaky).unwrap();
    assert_eq!(
        handle.signal.recv().await.unwrap().failure().unwrap().to_string(),
        "never"
    );
    assert_eq!(handle.component.clone().await.reason.to_string(), "failed: never");
    assert_eq!(system.counts().failed, 4);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_may_be_a_circle() {
    let system = system();
    let increment = |limit: u32| {
        from_fn(
            "Increment",
            move |mut inbox: Inbox<u32>, mut outbox: Outbox<u32>, _: Context| async move {
                while let Some(n) = inbox.recv().await {
                    if n >= limit {
                        break;
                    }
                    outbox.send(n + 1).await?;
                }
                Ok(())
            },
        )
    };
    let first = increment(100);
    let mut start = Outbox::new();
    link(&start, first.inbox()).unwrap();
    let active = system
        .activate(Pipeline::new(first).then(map(|n: u32| n)).circular())
        .unwrap();
    start.send(0).await.unwrap();
    assert!(active.await.reason.is_clean());
}
