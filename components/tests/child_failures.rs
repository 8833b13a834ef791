//! What a chassis tells of its children when it ends.

mod common;

use std::time::Duration;

use common::system;
use components::{
    Carousel, Component, Context, End, Failure, Graphline, Inbox, OnFailure, Outbox, Par, Pipeline, Seq, for_each,
    from_fn, from_iter, supervise,
};
use net_core::Backoff;

/// Fails at the first message.
fn fails(name: &'static str) -> impl Component + components::HasInbox<In = u32> + components::HasOutbox<Out = u32> {
    from_fn(name, |mut inbox: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
        match inbox.recv().await {
            Some(7) => panic!("a seven"),
            Some(_) => Err(Failure::new("no good")),
            None => Ok(()),
        }
    })
}

fn names(end: &End) -> Vec<String> {
    let failures = end.failures.iter();
    failures
        .map(|child| format!("{} {}", child.component, child.reason))
        .collect()
}

async fn end_of(component: impl Component) -> End {
    system().activate(component).unwrap().await
}

#[tokio::test(start_paused = true)]
async fn a_chassis_that_goes_on_tells_at_its_end_who_failed() {
    let end = end_of(Pipeline::new(from_iter([1])).then(fails("Bad")).then(for_each(drop))).await;
    assert!(end.reason.is_clean(), "a failure is that of the component alone");
    assert_eq!(names(&end), ["Bad_3 failed: no good"]);
    assert_eq!(end.failures.count(), 1);
    assert_eq!(
        end.to_string(),
        "Pipeline_1 finished; inside of it Bad_3 failed: no good"
    );
    let end = end_of(Pipeline::new(from_iter([7])).then(fails("Bad")).then(for_each(drop))).await;
    assert!(
        end.to_string()
            .ends_with("inside of it Bad_3 panicked: run: internal error: panic: a seven"),
        "{end}"
    );
    let end = end_of(Pipeline::new(from_iter([])).then(fails("Bad")).then(for_each(drop))).await;
    assert!(end.failures.is_empty());
    assert_eq!(end.to_string(), "Pipeline_1 finished");
}

#[tokio::test(start_paused = true)]
async fn each_chassis_tells() {
    let feed = || Pipeline::new(from_iter([1_u32])).then(fails("Bad"));
    assert_eq!(names(&end_of(Par::new().with(feed())).await), ["Bad_4 failed: no good"]);
    let mut graph = Graphline::new();
    graph.add("A", feed()).unwrap();
    assert_eq!(names(&end_of(graph).await), ["Bad_4 failed: no good"]);
    let seq = Seq::<(), u32>::new().then_source(feed()).then_source(feed());
    assert_eq!(
        names(&end_of(seq).await),
        ["Bad_4 failed: no good", "Bad_7 failed: no good"]
    );
    let carousel = Carousel::new(|_: u32| fails("Bad"));
    let (requests, data) = (from_iter([0_u32]), from_iter([1_u32]));
    components::link(components::HasOutbox::outbox(&requests), carousel.next()).unwrap();
    components::link(
        components::HasOutbox::outbox(&data),
        components::HasInbox::inbox(&carousel),
    )
    .unwrap();
    let system = system();
    let active = system.activate(carousel).unwrap();
    system.activate(requests).unwrap();
    system.activate(data).unwrap();
    system.net().sleep(Duration::from_secs(1)).await;
    active.finish();
    assert_eq!(names(&active.await), ["Bad_4 failed: no good"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_becomes_the_chassis_own_still_has_its_name() {
    let inner = Pipeline::new(from_iter([1]))
        .then(fails("Bad"))
        .on_failure(OnFailure::Escalate);
    let end = end_of(Par::new().with(inner)).await;
    assert!(end.reason.is_clean());
    // What failed first comes first.
    assert_eq!(names(&end), ["Bad_4 failed: no good", "Pipeline_2 failed: no good"]);
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_tells_of_those_that_it_has_started_anew_and_keeps_no_endless_list() {
    let mut tries = 0;
    let stubborn = supervise(Backoff::default().attempts(100), move || {
        tries += 1;
        let fail = tries <= 40;
        from_fn("Bad", move |_: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
            if fail { Err(Failure::new("no good")) } else { Ok(()) }
        })
    });
    let end = end_of(stubborn).await;
    assert!(end.reason.is_clean());
    assert_eq!((end.failures.count(), end.failures.iter().count()), (40, 16));
    assert!(end.to_string().ends_with("Bad_17 failed: no good and 24 more"), "{end}");
}
