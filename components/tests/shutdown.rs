//! Who is told to end and what is said at the end: every row of the chassis' tables.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::system;
use components::{
    Active, Boxes, Carousel, Component, Context, Graphline, Inbox, NextRequest, Outbox, Outcome, Signal, System, link,
};

const SECOND: Duration = Duration::from_secs(1);

type Log = Arc<Mutex<Vec<String>>>;

/// Notes what its control box gets, ends when it is told to, and by itself after a while.
#[derive(Boxes)]
struct Listener {
    inbox: Inbox<u32>,
    outbox: Outbox<u32>,
    control: Inbox<Signal>,
    name: &'static str,
    patience: Duration,
    log: Log,
}

impl Listener {
    fn new(name: &'static str, patience: Duration, log: &Log) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            control: Inbox::new(),
            name,
            patience,
            log: Arc::clone(log),
        }
    }
}

impl Component for Listener {
    async fn main(mut self, context: Context) -> Outcome {
        let log = Arc::clone(&self.log);
        let note = |what: String| log.lock().unwrap().push(format!("{} {what}", self.name));
        note("begins".into());
        let until = context.net().now() + self.patience;
        loop {
            let left = until.saturating_duration_since(context.net().now());
            match context.net().timeout(left, self.control.recv()).await {
                Ok(Some(signal)) => {
                    note(signal.to_string());
                    if signal.is_end() {
                        break;
                    }
                }
                _ => break,
            }
        }
        note("ends".into());
        Ok(())
    }
}

fn shutdown() -> Signal {
    Signal::shutdown_by("test")
}

/// A and C, who are told by nobody, and B, who is told by A; with links of the graph's own control and signal to C.
fn graph(control: bool, signal: bool, log: &Log) -> Graphline {
    let mut graph = Graphline::new();
    for name in ["A", "B", "C"] {
        graph.add(name, Listener::new(name, SECOND * 10, log)).unwrap();
    }
    graph.link("A.signal", "B.control").unwrap();
    if control {
        graph.link("self.control", "C.control").unwrap();
    }
    if signal {
        graph.link("C.signal", "self.signal").unwrap();
    }
    graph
}

/// Starts a graph; what its signal says is heard.
fn hear(system: &System, graph: Graphline) -> (Active, Inbox<Signal>, Outbox<Signal>) {
    let mut outer = Graphline::new();
    outer.add("GRAPH", graph).unwrap();
    outer.link("GRAPH.signal", "self.said").unwrap();
    outer.link("self.told", "GRAPH.control").unwrap();
    let (said, tell) = (Inbox::new(), Outbox::new());
    link(outer.own_outbox::<Signal>("said").unwrap(), &said).unwrap();
    link(&tell, outer.own_inbox::<Signal>("told").unwrap()).unwrap();
    (system.activate(outer).unwrap(), said, tell)
}

#[tokio::test(start_paused = true)]
async fn a_graphline_keeps_to_its_table() {
    let arrivals = [
        Some(shutdown()),
        Some(Signal::finished_by("test")),
        Some(Signal::Status("test".into())),
        None,
    ];
    for (control, signal) in [(false, false), (false, true), (true, false), (true, true)] {
        for arrives in &arrivals {
            let row = format!("control linked: {control}, signal linked: {signal}, arrives: {arrives:?}");
            let (system, log) = (system(), Log::default());
            let (active, mut said, mut tell) = hear(&system, graph(control, signal, &log));
            system.net().sleep(SECOND).await;
            if let Some(arrives) = arrives {
                tell.send(arrives.clone()).await.unwrap();
            }
            assert!(active.await.reason.is_clean(), "{row}");
            let heard: Vec<String> = {
                let log = log.lock().unwrap();
                let told = log.iter().filter(|line| line.contains("(test)"));
                told.map(|line| line[..1].to_owned()).collect()
            };
            let expected: &[&str] = match (arrives, control) {
                (None, _) => &[],
                (Some(_), true) => &["C"],
                (Some(_), false) => &["A", "C"],
            };
            assert_eq!(heard, expected, "{row}");
            assert_eq!(
                log.lock().unwrap().iter().filter(|line| line.ends_with("ends")).count(),
                3
            );
            let said: Vec<Signal> = std::iter::from_fn(|| said.try_recv()).collect();
            let [said] = &said[..] else { panic!("{said:?}, {row}") };
            match arrives {
                Some(signal_to_all) if signal_to_all.is_shutdown() && !control && !signal => {
                    assert_eq!(said, signal_to_all, "{row}");
                }
                _ => {
                    assert!(said.is_finished(), "{said}, {row}");
                    let by = said.caller().unwrap();
                    assert!(
                        by.starts_with(if signal { "Listener" } else { "Graphline" }),
                        "{by}, {row}"
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_graphline_ends_after_its_last_child_and_without_any_at_once() {
    let (system, log) = (system(), Log::default());
    let begin = system.net().now();
    let (active, mut said, mut tell) = hear(&system, graph(true, false, &log));
    tell.send(shutdown()).await.unwrap();
    // C ends at once, and A and B take their time.
    assert!(said.recv().await.unwrap().is_finished());
    assert_eq!(system.net().now() - begin, SECOND * 10);
    active.await;
    let (active, mut said, _tell) = hear(&system, Graphline::new());
    assert!(said.recv().await.unwrap().is_finished());
    active.await;
    assert_eq!(system.net().now() - begin, SECOND * 10);
}

/// A carousel of listeners, with what drives it.
struct Ride {
    system: System,
    active: Active,
    orders: Outbox<(&'static str, u64)>,
    asked: Inbox<NextRequest>,
    said: Inbox<Signal>,
    log: Log,
}

impl Ride {
    fn new() -> Self {
        let (system, log) = (system(), Log::default());
        let notes = Arc::clone(&log);
        // Each child: its name, and after how many seconds it ends by itself.
        let carousel = Carousel::new(move |(name, seconds)| Listener::new(name, SECOND * seconds as u32, &notes));
        let (orders, asked, said) = (Outbox::new(), Inbox::new(), Inbox::new());
        link(&orders, carousel.next()).unwrap();
        link(carousel.request_next(), &asked).unwrap();
        let mut graph = Graphline::new();
        graph.add("RIDE", carousel).unwrap();
        graph.link("self.control", "RIDE.control").unwrap();
        graph.link("RIDE.signal", "self.said").unwrap();
        link(graph.own_outbox::<Signal>("said").unwrap(), &said).unwrap();
        let active = system.activate(graph).unwrap();
        Self {
            system,
            active,
            orders,
            asked,
            said,
            log,
        }
    }

    async fn order(&mut self, name: &'static str, seconds: u64) {
        self.orders.send((name, seconds)).await.unwrap();
    }

    async fn pause(&self) {
        self.system.net().sleep(SECOND).await;
    }

    /// What the children have seen, what the carousel said, and how often it asked for orders.
    async fn end(mut self) -> (Vec<String>, Vec<Signal>, usize) {
        self.active.await;
        let log = self.log.lock().unwrap().clone();
        let said = std::iter::from_fn(|| self.said.try_recv()).collect();
        (log, said, std::iter::from_fn(|| self.asked.try_recv()).count())
    }
}

/// What one child sees: how it was told to end, if it was.
fn life(name: &str, told: Option<&str>) -> Vec<String> {
    let mut life = vec![format!("{name} begins")];
    life.extend(told.map(|word| format!("{name} {word}")));
    life.push(format!("{name} ends"));
    life
}

/// The log without who has told.
fn short(log: &[String]) -> Vec<String> {
    log.iter()
        .map(|line| line.split('(').next().unwrap().to_owned())
        .collect()
}

const PF: Option<&str> = Some("producerFinished");
const SM: Option<&str> = Some("shutdownMicroprocess");

#[tokio::test(start_paused = true)]
async fn a_carousel_replaces_its_child_by_the_next_one() {
    let mut ride = Ride::new();
    ride.order("a", 100).await;
    ride.pause().await;
    // With a child: that one is told to end at once, and no request is sent.
    ride.order("b", 100).await;
    ride.pause().await;
    ride.active.finish();
    let (log, said, asked) = ride.end().await;
    assert_eq!(short(&log), [life("a", SM), life("b", PF)].concat());
    assert!(said.len() == 1 && said[0].is_finished(), "{said:?}");
    assert_eq!(asked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_carousel_asks_when_its_child_ends_by_itself() {
    let mut ride = Ride::new();
    ride.order("a", 2).await;
    ride.pause().await;
    ride.pause().await;
    assert_eq!(ride.asked.recv().await, Some(NextRequest));
    ride.order("b", 100).await;
    ride.pause().await;
    ride.active.stop();
    let (log, said, asked) = ride.end().await;
    assert_eq!(short(&log), [life("a", None), life("b", SM)].concat());
    assert!(said.len() == 1 && said[0].is_shutdown(), "{said:?}");
    // A stop was pending.
    assert_eq!(asked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_carousel_that_is_to_finish_makes_what_is_queued() {
    // Without a child: all of it, each told that it has no successor to wait for.
    let mut ride = Ride::new();
    ride.order("a", 5).await;
    ride.order("b", 5).await;
    ride.active.finish();
    let (log, said, asked) = ride.end().await;
    assert_eq!(short(&log).iter().filter(|line| line.ends_with("begins")).count(), 2);
    assert!(short(&log).contains(&"b producerFinished".to_owned()), "{log:?}");
    assert!(said.len() == 1 && said[0].is_finished(), "{said:?}");
    assert_eq!(asked, 0);
    // With a child: it makes room.
    let mut ride = Ride::new();
    ride.order("a", 100).await;
    ride.pause().await;
    for name in ["b", "c", "d"] {
        ride.order(name, 100).await;
    }
    ride.active.finish();
    let (log, said, asked) = ride.end().await;
    let log = short(&log);
    assert_eq!(log[..3], life("a", SM));
    assert_eq!(log[log.len() - 3..], life("d", PF));
    for name in ["b", "c"] {
        assert!(log.contains(&format!("{name} begins")), "{log:?}");
    }
    assert!(said.len() == 1 && said[0].is_finished(), "{said:?}");
    assert_eq!(asked, 0);
}

#[tokio::test(start_paused = true)]
async fn a_carousel_with_nothing_queued_ends_with_its_child() {
    for child in [false, true] {
        let mut ride = Ride::new();
        if child {
            ride.order("a", 100).await;
        }
        ride.pause().await;
        ride.active.finish();
        let (log, said, asked) = ride.end().await;
        assert_eq!(short(&log), if child { life("a", PF) } else { vec![] });
        assert!(said.len() == 1 && said[0].is_finished(), "{said:?}");
        assert_eq!(asked, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_carousel_that_is_stopped_drops_what_is_queued() {
    for child in [false, true] {
        let mut ride = Ride::new();
        if child {
            ride.order("a", 100).await;
            ride.pause().await;
        }
        ride.active.tell(shutdown());
        ride.order("b", 100).await;
        ride.order("c", 100).await;
        let (log, said, asked) = ride.end().await;
        assert_eq!(short(&log), if child { life("a", SM) } else { vec![] });
        assert_eq!(said, [shutdown()]);
        assert_eq!(asked, 0);
    }
}
