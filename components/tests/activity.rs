//! The parts of Kamaelia's idle timeouts: who sees that something goes on, who misses it, and who tells what runs.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{collect, system};
use components::util::{ActivityMonitor, Clock, PassThrough, Reset, ResettableSender, WakeableIntrospector};
use components::{Graphline, HasInbox, Notify, Outbox, Pipeline, Signal, from_iter, link, map};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_monitor_passes_on_three_ways_and_signals_and_tells_of_each() {
    let system = system();
    let monitor = ActivityMonitor::<u32, String, char>::new();
    let (numbers, words) = (collect::<u32>(), collect::<String>());
    let (letters, resets) = (collect::<char>(), collect::<Reset>());
    let mut graph = Graphline::new();
    graph.add("MONITOR", monitor).unwrap();
    graph.add("NUMBERS", numbers.1).unwrap();
    graph.add("WORDS", words.1).unwrap();
    graph.add("LETTERS", letters.1).unwrap();
    graph.add("RESETS", resets.1).unwrap();
    for (from, to) in [
        ("self.inbox", "MONITOR.inbox"),
        ("self.inbox2", "MONITOR.inbox2"),
        ("self.inbox3", "MONITOR.inbox3"),
        ("self.control", "MONITOR.control"),
        ("MONITOR.outbox", "NUMBERS.inbox"),
        ("MONITOR.outbox2", "WORDS.inbox"),
        ("MONITOR.outbox3", "LETTERS.inbox"),
        ("MONITOR.observed", "RESETS.inbox"),
        ("MONITOR.signal", "self.signal"),
    ] {
        graph.link(from, to).unwrap();
    }
    let (mut number, mut word, mut letter) = (Outbox::<u32>::new(), Outbox::new(), Outbox::new());
    link(&number, graph.own_inbox("inbox").unwrap()).unwrap();
    link(&word, graph.own_inbox("inbox2").unwrap()).unwrap();
    link(&letter, graph.own_inbox("inbox3").unwrap()).unwrap();
    system.activate(graph).unwrap();
    number.send(4).await.unwrap();
    word.send("text".to_owned()).await.unwrap();
    letter.send('c').await.unwrap();
    system.net().sleep(SECOND).await;
    assert_eq!(*numbers.0.lock().unwrap(), [4]);
    assert_eq!(*words.0.lock().unwrap(), ["text"]);
    assert_eq!(*letters.0.lock().unwrap(), ['c']);
    assert_eq!(*resets.0.lock().unwrap(), [Reset; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_passes_on_what_waits_before_it_ends_even_where_nobody_hears_of_it() {
    let system = system();
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(0..1000))
        .then(ActivityMonitor::<i32>::new())
        .then(sink);
    assert!(system.activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(all.lock().unwrap().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_passes_other_signals_on() {
    let system = system();
    let monitor = ActivityMonitor::<u32>::new();
    let (resets, sink) = collect();
    link(monitor.observed(), sink.inbox()).unwrap();
    let (signals, hears) = collect::<Signal>();
    system.activate(sink).unwrap();
    let hears = system.activate(hears).unwrap();
    let active = system.activate(monitor).unwrap();
    let (from, to) = (format!("{}.signal", active.name()), format!("{}.inbox", hears.name()));
    system.link(&from, &to).unwrap();
    active.tell(Signal::Notify(Notify::new(Arc::from("Test"), 7_u32)));
    system.net().sleep(SECOND).await;
    let told = signals.lock().unwrap().clone();
    assert!(matches!(told.as_slice(), [Signal::Notify(_)]), "{told:?}");
    assert_eq!(resets.lock().unwrap().len(), 1);
    active.stop();
    active.await;
    system.net().sleep(SECOND).await;
    assert!(signals.lock().unwrap().iter().any(Signal::is_shutdown));
}

#[tokio::test(start_paused = true)]
async fn a_resettable_sender_sends_once_when_nothing_has_come_for_so_long() {
    let system = system();
    let begin = system.net().now();
    let mut handle = system
        .activate_with_handle(ResettableSender::<_, Reset>::new("NEXT", SECOND * 5))
        .unwrap();
    for _ in 0..3 {
        system.net().sleep(SECOND * 4).await;
        handle.put(Reset).await.unwrap();
    }
    assert_eq!(handle.get().await, Some("NEXT"));
    assert_eq!(system.net().now() - begin, SECOND * (3 * 4 + 5));
    assert!(handle.component.clone().await.reason.is_clean());
    assert_eq!(handle.get().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_resettable_sender_that_is_told_to_end_says_nothing() {
    let system = system();
    let mut handle = system
        .activate_with_handle(ResettableSender::<_, Reset>::new("NEXT", SECOND * 5))
        .unwrap();
    system.net().sleep(SECOND * 4).await;
    handle.component.finish();
    assert!(handle.component.clone().await.reason.is_clean());
    assert_eq!(handle.get().await, None);
}

#[tokio::test(start_paused = true)]
async fn together_they_tell_of_silence_and_not_of_traffic() {
    let system = system();
    let begin = system.net().now();
    let mut graph = Graphline::new();
    graph.add("MONITOR", ActivityMonitor::<u32>::new()).unwrap();
    graph
        .add(
            "TIMER",
            ResettableSender::<_, Reset>::new(Signal::producer_finished(), SECOND * 5),
        )
        .unwrap();
    for (from, to) in [
        ("self.inbox", "MONITOR.inbox"),
        ("MONITOR.outbox", "self.outbox"),
        ("MONITOR.observed", "TIMER.inbox"),
        ("TIMER.outbox", "MONITOR.control"),
    ] {
        graph.link(from, to).unwrap();
    }
    let mut traffic = Outbox::new();
    link(&traffic, graph.own_inbox("inbox").unwrap()).unwrap();
    let active = system.activate(graph).unwrap();
    for n in 0..3_u32 {
        traffic.send(n).await.unwrap();
        system.net().sleep(SECOND * 3).await;
    }
    assert!(active.await.reason.is_clean());
    // The last message came after six seconds.
    assert_eq!(system.net().now() - begin, SECOND * (6 + 5));
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_told_what_runs() {
    let system = system();
    let (all, sink) = collect::<Vec<Arc<str>>>();
    let asked = Pipeline::new(Clock::new(SECOND))
        .then(WakeableIntrospector::new())
        .then(sink);
    let asked = system.activate(asked).unwrap();
    system.net().sleep(SECOND / 2).await;
    let passing = system.activate(PassThrough::<u32>::new()).unwrap();
    system.net().sleep(SECOND).await;
    passing.stop();
    passing.await;
    system.net().sleep(SECOND).await;
    asked.stop();
    asked.await;
    let words: Vec<String> = all.lock().unwrap().iter().map(|names| names.join(" ")).collect();
    let ours = "Pipeline_1 Clock_2 WakeableIntrospector_3 ForEach_4";
    assert_eq!(
        words,
        [ours.to_owned(), format!("{ours} PassThrough_5"), ours.to_owned()]
    );
    // Another type of messages asks as well.
    let text = Pipeline::new(from_iter(["a", "b"]))
        .then(WakeableIntrospector::new())
        .then(map(|names: Vec<Arc<str>>| names.len()));
    assert!(system.activate(text).unwrap().await.reason.is_clean());
}
