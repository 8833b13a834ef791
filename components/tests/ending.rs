//! How components end: drained or at once, failed or panicked, each alone, and told.

mod common;

use std::time::Duration;

use common::{collect, system};
use components::{
    BoxOptions, Boxes, Component, Context, EndReason, Failure, Graphline, Inbox, LinkError, Net, OnFailure, Outbox,
    Outcome, Par, Pipeline, Received, Seq, Signal, System, for_each, from_fn, from_iter, link, map,
};

const SECOND: Duration = Duration::from_secs(1);

/// A component whose signal box somebody listens to.
#[derive(Boxes, Default)]
struct Worker {
    inbox: Inbox<u32>,
    outbox: Outbox<u32>,
    signal: Outbox<Signal>,
    fails_at: Option<u32>,
    panics_at: Option<u32>,
    pause: Duration,
}

impl Component for Worker {
    async fn main(mut self, context: Context) -> Outcome {
        while let Some(n) = self.inbox.recv().await {
            if self.fails_at == Some(n) {
                return Err(Failure::new(format!("did not like {n}")));
            }
            assert_ne!(self.panics_at, Some(n));
            context.sleep(self.pause).await?;
            self.outbox.send(n).await?;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_runs_to_its_end_and_loses_nothing() {
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(0..1000_u64)).then(map(|n| n + 1)).then(sink);
    let end = system().activate(pipeline).unwrap().await;
    assert!(matches!(end.reason, EndReason::Finished), "{end}");
    assert_eq!(*all.lock().unwrap(), (1..=1000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn d18_a_finished_producer_is_drained_and_shutdown_is_at_once() {
    for (stop, expected, left) in [(false, 10, 0), (true, 2, 7)] {
        let system = system();
        let (mut source, mut signals, mut results) = (Outbox::new(), Inbox::new(), Inbox::<u32>::new());
        let worker = Worker {
            pause: SECOND,
            ..Worker::default()
        };
        link(&source, &worker.inbox).unwrap();
        link(&worker.outbox, &results).unwrap();
        link(&worker.signal, &signals).unwrap();
        let active = system.activate(worker).unwrap();
        for n in 0..10 {
            source.send(n).await.unwrap();
        }
        system.net().sleep(SECOND * 5 / 2).await;
        if stop {
            active.stop();
        } else {
            active.finish();
        }
        let end = active.await;
        assert!(end.reason.is_clean());
        assert_eq!(std::iter::from_fn(|| results.try_recv()).count(), expected);
        assert_eq!((end.left_behind, system.counts().left_behind), (left, left));
        let signal = signals.recv().await.unwrap();
        assert_eq!((signal.is_shutdown(), signal.is_finished()), (stop, !stop));
        assert_eq!(signals.recv().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_is_told_to_stop() {
    let (full, worker) = (Inbox::with_capacity(1), Worker::default());
    link(&worker.outbox, &full).unwrap();
    let mut source = Outbox::new();
    link(&source, &worker.inbox).unwrap();
    let active = system().activate(worker).unwrap();
    for n in 0..5 {
        source.send(n).await.unwrap();
    }
    tokio::task::yield_now().await;
    active.stop();
    let end = active.await;
    assert!(matches!(end.reason, EndReason::Stopped), "{end}");
    assert_eq!((full.len(), end.left_behind), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn d10_d11_a_failure_or_panic_ends_one_component_alone_and_is_told() {
    for panics in [false, true] {
        let system = system();
        let worker = Worker {
            fails_at: (!panics).then_some(3),
            panics_at: panics.then_some(3),
            ..Worker::default()
        };
        let (mut source, mut signals, mut results) = (Outbox::new(), Inbox::new(), Inbox::<u32>::new());
        link(&source, &worker.inbox).unwrap();
        link(&worker.outbox, &results).unwrap();
        link(&worker.signal, &signals).unwrap();
        let other = system.activate(Worker::default()).unwrap();
        let active = system.activate(worker).unwrap();
        for n in 0..6 {
            source.send(n).await.unwrap();
        }
        let end = active.await;
        assert_eq!(matches!(end.reason, EndReason::Panicked(_)), panics, "{end}");
        assert_eq!(matches!(end.reason, EndReason::Failed(_)), !panics, "{end}");
        assert_eq!(std::iter::from_fn(|| results.try_recv()).collect::<Vec<_>>(), [0, 1, 2]);
        let signal = signals.recv().await.unwrap();
        assert!(signal.is_finished() && signal.failure().is_some(), "{signal}");
        assert_eq!((end.left_behind, system.counts().failed), (2, 1));
        assert!(other.end().is_none());
    }
}

/// Reads its control box itself.
#[derive(Boxes, Default)]
struct Explicit {
    inbox: Inbox<u32>,
    control: Inbox<Signal>,
    outbox: Outbox<String>,
}

impl Component for Explicit {
    async fn main(mut self, _: Context) -> Outcome {
        loop {
            let said = match self.inbox.recv_or(&mut self.control).await {
                Received::Message(n) => n.to_string(),
                Received::Control(signal) if signal.is_end() => {
                    self.outbox.send(signal.to_string()).await?;
                    return Ok(());
                }
                Received::Control(signal) => signal.to_string(),
                Received::Ended => return Ok(()),
            };
            self.outbox.send(said).await?;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn d17_data_sent_before_a_signal_is_seen_before_it() {
    let component = Explicit::default();
    let (mut data, mut signals, mut results) = (Outbox::new(), Outbox::new(), Inbox::new());
    link(&data, &component.inbox).unwrap();
    link(&signals, &component.control).unwrap();
    link(&component.outbox, &results).unwrap();
    for n in 0..3 {
        data.try_send(n).unwrap();
    }
    signals.try_send(Signal::producer_finished()).unwrap();
    signals.try_send(Signal::Status("hurry".into())).unwrap();
    system().activate(component).unwrap().await;
    let all: Vec<_> = std::iter::from_fn(|| results.try_recv()).collect();
    assert_eq!(all, ["status(hurry)", "0", "1", "2", "producerFinished"]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_overtakes_data() {
    let component = Explicit::default();
    let (mut data, mut signals, mut results) = (Outbox::new(), Outbox::new(), Inbox::new());
    link(&data, &component.inbox).unwrap();
    link(&signals, &component.control).unwrap();
    link(&component.outbox, &results).unwrap();
    data.try_send(1).unwrap();
    signals.try_send(Signal::shutdown_microprocess()).unwrap();
    let end = system().activate(component).unwrap().await;
    assert_eq!(
        (results.try_recv().as_deref(), end.left_behind),
        (Some("shutdownMicroprocess"), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn children_are_told_to_end_with_their_parent() {
    let system = system();
    let parent = from_fn("Parent", |_: Inbox<u32>, _: Outbox<u32>, context: Context| async move {
        context.spawn(Worker::default())?;
        Err(Failure::new("gave up"))
    });
    let end = system.activate(parent).unwrap().await;
    assert!(end.reason.failure().is_some());
    system.net().sleep(SECOND).await;
    assert_eq!((system.counts().started, system.counts().ended), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn d16_stopping_one_component_stops_no_other() {
    let system = system();
    let (one, other) = (
        system.activate(Worker::default()).unwrap(),
        system.activate(Worker::default()).unwrap(),
    );
    one.stop();
    assert!(matches!(one.await.reason, EndReason::Stopped));
    system.net().sleep(SECOND).await;
    assert!(other.end().is_none());
    other.abort();
    assert!(matches!(other.await.reason, EndReason::Aborted));
}

#[tokio::test(start_paused = true)]
async fn a_graphline_tells_whom_nobody_else_tells() {
    // (what arrives, what the graph says at its end)
    for stop in [true, false] {
        let system = system();
        let mut graph = Graphline::new();
        let explicit = || Worker {
            pause: SECOND,
            ..Worker::default()
        };
        graph.add("A", explicit()).unwrap().add("B", explicit()).unwrap();
        graph.link("self.inbox", "A.inbox").unwrap();
        graph
            .link("A.outbox", "B.inbox")
            .unwrap()
            .link("A.signal", "B.control")
            .unwrap();
        graph.link("B.outbox", "self.outbox").unwrap();
        let (mut source, mut results) = (Outbox::new(), Inbox::<u32>::new());
        link(&source, graph.own_inbox::<u32>("inbox").unwrap()).unwrap();
        link(graph.own_outbox("outbox").unwrap(), &results).unwrap();
        let mut outer = Graphline::new();
        outer.add("GRAPH", graph).unwrap();
        outer.add("EAR", Explicit::default()).unwrap();
        outer.link("GRAPH.signal", "EAR.control").unwrap();
        outer.link("EAR.outbox", "self.heard").unwrap();
        let mut heard = Inbox::<String>::new();
        link(outer.own_outbox("heard").unwrap(), &heard).unwrap();
        let active = system.activate(outer).unwrap();
        for n in 0..4 {
            source.send(n).await.unwrap();
        }
        system.net().sleep(SECOND * 5 / 2).await;
        let signal = if stop {
            Signal::shutdown_microprocess()
        } else {
            Signal::producer_finished()
        };
        active.tell(signal);
        assert!(active.await.reason.is_clean());
        let word = heard.recv().await.unwrap();
        assert_eq!(word.starts_with("shutdownMicroprocess"), stop, "{word}");
        assert_eq!(
            std::iter::from_fn(|| results.try_recv()).count(),
            if stop { 1 } else { 4 }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_named_wrongly_is_told_with_what_there_is() {
    let mut graph = Graphline::new();
    graph
        .add("A", Worker::default())
        .unwrap()
        .add("B", Explicit::default())
        .unwrap();
    let error = graph.link("C.outbox", "B.inbox").unwrap_err();
    assert_eq!(error.to_string(), r#"no component is called "C"; there is A, B, self"#);
    let error = graph.link("A.out", "B.inbox").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(r#"A has no box "out"; it has inbox inbox: u32, outbox outbox: u32"#)
    );
    let error = graph.link("B.outbox", "A.inbox").unwrap_err();
    assert!(matches!(
        error,
        LinkError::WrongType {
            from_type: "alloc::string::String",
            to_type: "u32",
            ..
        }
    ));
    assert!(matches!(graph.link("outbox", "A.inbox"), Err(LinkError::NotAName(_))));
    assert!(matches!(graph.link("self.a", "self.b"), Err(LinkError::BothOwn(..))));
    assert!(matches!(
        graph.add("A", Worker::default()),
        Err(LinkError::NameTaken(_))
    ));
    graph.link("A.outbox", "B.inbox").unwrap();
    assert!(matches!(
        graph.link("A.outbox", "B.inbox"),
        Err(LinkError::AlreadyLinked { .. })
    ));
    // Its own boxes are of the type that they first met.
    assert!(graph.link("A.outbox", "self.numbers").is_err() && graph.own_outbox::<u32>("numbers").is_none());
    graph.link("self.numbers", "A.inbox").unwrap();
    assert!(graph.own_inbox::<u32>("numbers").is_some() && graph.own_inbox::<String>("numbers").is_none());
    assert!(matches!(
        graph.link("B.outbox", "self.signal"),
        Err(LinkError::WrongType {
            to_type: "components::ipc::Signal",
            ..
        })
    ));
    let error = graph.with_box("A.inbocks", BoxOptions::new()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(r#"A has no box "inbocks"; it has inbox inbox: u32"#),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn d20_par_waits_for_its_children_and_passes_on_shutdown() {
    let system = system();
    let source = |from: u32| {
        from_fn(
            "Source",
            move |_: Inbox<u32>, mut outbox: Outbox<u32>, context: Context| async move {
                for n in from.. {
                    outbox.send(n).await?;
                    context.sleep(SECOND).await?;
                }
                Ok(())
            },
        )
    };
    let par = Par::new().with(source(0)).with(source(100));
    let mut results = Inbox::new();
    link(components::HasOutbox::outbox(&par), &results).unwrap();
    let active = system.activate(par).unwrap();
    system.net().sleep(SECOND * 3 / 2).await;
    active.stop();
    active.await;
    assert_eq!(system.counts().started, system.counts().ended);
    assert_eq!(
        std::iter::from_fn(|| results.try_recv()).collect::<Vec<_>>(),
        [0, 100, 1, 101]
    );
}

#[tokio::test(start_paused = true)]
async fn d20_seq_heeds_control_and_what_waits_goes_to_the_next_one() {
    let take = |count: usize| {
        from_fn(
            "Take",
            move |mut inbox: Inbox<u32>, mut outbox: Outbox<String>, _: Context| async move {
                for _ in 0..count {
                    let Some(n) = inbox.recv().await else { break };
                    outbox.send(format!("{count}:{n}")).await?;
                }
                Ok(())
            },
        )
    };
    let seq = Seq::new().then(take(2)).then(take(3)).then(take(9));
    let (mut source, mut results) = (Outbox::new(), Inbox::new());
    link(&source, components::HasInbox::inbox(&seq)).unwrap();
    link(components::HasOutbox::outbox(&seq), &results).unwrap();
    let active = system().activate(seq).unwrap();
    for n in 0..7 {
        source.send(n).await.unwrap();
    }
    active.finish();
    active.await;
    let all: Vec<_> = std::iter::from_fn(|| results.try_recv()).collect();
    assert_eq!(all, ["2:0", "2:1", "3:2", "3:3", "3:4", "9:5", "9:6"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_end_the_whole_chassis() {
    let system = system();
    let worker = |fails_at| Worker {
        fails_at,
        ..Worker::default()
    };
    let mut graph = Graphline::new();
    graph.add("A", worker(Some(1))).unwrap().add("B", worker(None)).unwrap();
    graph.link("self.inbox", "A.inbox").unwrap();
    graph.on_failure(OnFailure::Escalate);
    let mut source = Outbox::new();
    link(&source, graph.own_inbox::<u32>("inbox").unwrap()).unwrap();
    let active = system.activate(graph).unwrap();
    source.send(1).await.unwrap();
    let end = active.await;
    assert_eq!(end.reason.to_string(), "failed: did not like 1");
    assert_eq!(system.counts().started, system.counts().ended);
}

#[tokio::test(start_paused = true)]
async fn d20_messages_for_an_ended_component_do_not_pile_up() {
    let system = system();
    let once = from_fn("Once", |mut inbox: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
        inbox.recv().await;
        Ok(())
    });
    let pipeline = Pipeline::new(once).then(for_each(drop));
    let mut source = Outbox::new();
    link(&source, components::HasInbox::inbox(&pipeline)).unwrap();
    let active = system.activate(pipeline).unwrap();
    for n in 0..500 {
        source.send(n).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(active.await.reason.is_clean());
}

#[test]
fn without_a_runtime_starting_is_an_error() {
    let system = System::new(&Net::os());
    assert!(system.activate(Worker::default()).is_err());
    assert_eq!(system.counts().ended, 1);
}
