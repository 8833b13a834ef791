//! A link from `signal` to `control` that was forgotten: told before it runs, when it matters, and in the picture.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{collect, system};
use components::util::PassThrough;
use components::{
    Backplane, Context, Event, Graphline, HasInbox, Inbox, Outbox, Pipeline, Problem, PublishTo, System, check,
    for_each, from_fn, from_iter, link, map,
};

const SECOND: Duration = Duration::from_secs(1);

/// A system, and who was told to be stranded after whom.
fn watched() -> (System, Arc<Mutex<Vec<String>>>) {
    let system = system();
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    system.observe(move |event| {
        if let Event::Stranded { component, after } = event {
            seen.lock().unwrap().push(format!("{component} after {after}"));
        }
    });
    (system, told)
}

/// Words that are shouted; `linked`: also the signals.
fn shouting(linked: bool) -> Graphline {
    let mut graph = Graphline::new();
    graph.add("WORDS", from_iter(["a".to_owned()])).unwrap();
    graph.add("SHOUT", map(|text: String| text.to_uppercase())).unwrap();
    graph.add("SHOW", for_each(|_: String| {})).unwrap();
    graph.link("WORDS.outbox", "SHOUT.inbox").unwrap();
    graph.link("SHOUT.outbox", "SHOW.inbox").unwrap();
    graph.link("SHOUT.signal", "SHOW.control").unwrap();
    if linked {
        graph.link("WORDS.signal", "SHOUT.control").unwrap();
    }
    graph
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_signal_is_told_by_check_by_an_event_and_in_the_picture() {
    let graph = shouting(false);
    let problems = check(&graph);
    let component = "SHOUT".to_owned();
    assert!(problems.contains(&Problem::NeverTold { component }), "{problems:?}");
    let (system, told) = watched();
    let active = system.activate(graph).unwrap();
    system.net().sleep(SECOND).await;
    assert!(active.end().is_none(), "it hangs");
    assert_eq!(*told.lock().unwrap(), ["Map_3 after FromIter_2"]);
    let snapshot = system.snapshot();
    assert_eq!(snapshot.stranded, ["Map_3".into()]);
    let note = "Map_3: nothing comes, nobody tells it to end";
    assert!(snapshot.to_dot().contains(note), "{}", snapshot.to_dot());
    assert!(snapshot.to_mermaid().contains(note), "{}", snapshot.to_mermaid());
    assert!(
        snapshot.to_json().contains("\"stranded\": [\n    \"Map_3\"\n  ]"),
        "{}",
        snapshot.to_json()
    );
    // A graphline tells those that nobody else tells.
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_stranded_where_signals_are_linked() {
    let graph = shouting(true);
    assert_eq!(check(&graph), []);
    let (system, told) = watched();
    assert!(system.activate(graph).unwrap().await.reason.is_clean());
    let (all, sink) = collect();
    let nested = Pipeline::new(Pipeline::new(from_iter(0..3)).then(PassThrough::new())).then(Pipeline::new(sink));
    assert!(system.activate(nested).unwrap().await.reason.is_clean());
    assert_eq!(*all.lock().unwrap(), [0, 1, 2]);
    assert_eq!(*told.lock().unwrap(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_component_inside_of_a_chassis_is_found_too() {
    let mut graph = Graphline::new();
    graph.add("NUMBERS", from_iter(0..3)).unwrap();
    // What leads to the pipeline leads to the component in it.
    graph.add("INSIDE", Pipeline::new(for_each(|_: i32| {}))).unwrap();
    graph.link("NUMBERS.outbox", "INSIDE.inbox").unwrap();
    let (system, told) = watched();
    let active = system.activate(graph).unwrap();
    system.net().sleep(SECOND).await;
    // The numbers had ended before the pipeline started what is in it: there was nobody yet to tell of.
    assert_eq!(*told.lock().unwrap(), [""; 0]);
    assert_eq!(system.snapshot().stranded, ["ForEach_4".into()]);
    active.stop();
    active.await;
}

#[tokio::test(start_paused = true)]
async fn who_may_still_get_something_is_not_stranded() {
    let (system, told) = watched();
    // One of two sources has ended.
    let (all, sink) = collect();
    let (mut early, late) = (Outbox::new(), from_iter(1..3));
    link(&early, sink.inbox()).unwrap();
    link(components::HasOutbox::outbox(&late), sink.inbox()).unwrap();
    let sink = system.activate(sink).unwrap();
    system.activate(late).unwrap().await;
    early.try_send(0).unwrap();
    system.net().sleep(SECOND).await;
    assert_eq!(*all.lock().unwrap(), [1, 2, 0]);
    // To a service anybody may link something at any time.
    let backplane = system.activate(Backplane::<u32>::new("NEWS")).unwrap();
    system.net().sleep(SECOND).await;
    let publish = Pipeline::new(from_iter(0..3_u32)).then(PublishTo::new("NEWS"));
    system.activate(publish).unwrap().await;
    system.net().sleep(SECOND).await;
    // One that never had a source is its own.
    let idle = from_fn("Idle", |mut inbox: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
        inbox.recv().await;
        Ok(())
    });
    let idle = system.activate(idle).unwrap();
    system.net().sleep(SECOND).await;
    assert_eq!(system.snapshot().stranded, [] as [Arc<str>; 0]);
    assert_eq!(*told.lock().unwrap(), [""; 0]);
    for active in [sink, backplane, idle] {
        active.stop();
        active.await;
    }
}
