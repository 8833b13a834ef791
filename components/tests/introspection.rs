//! The picture of what runs, and the check of what will.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::system;
use components::{
    Context, Event, Graphline, HasInbox, Inbox, Outbox, Pipeline, Problem, System, check, for_each, from_fn, from_iter,
    link, map,
};

const SECOND: Duration = Duration::from_secs(1);

/// Two components that fill each other's boxes before they read.
async fn stuck() -> (System, Arc<Mutex<Vec<Vec<String>>>>) {
    let system = system();
    let circles = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&circles);
    system.observe(move |event| {
        if let Event::Circle { links } = event {
            seen.lock().unwrap().push(links.clone());
        }
    });
    let greedy = || {
        from_fn(
            "Greedy",
            |mut inbox: Inbox<u32>, mut outbox: Outbox<u32>, _: Context| async move {
                for n in 0..1000 {
                    outbox.send(n).await?;
                }
                while inbox.recv().await.is_some() {}
                Ok(())
            },
        )
    };
    system
        .activate(Pipeline::new(greedy()).then(greedy()).circular())
        .unwrap();
    system.net().sleep(SECOND).await;
    (system, circles)
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_full_boxes_is_reported_by_name() {
    let (system, circles) = stuck().await;
    let mut expected = vec!["Greedy_2.outbox -> Greedy_3.inbox", "Greedy_3.outbox -> Greedy_2.inbox"];
    let told = circles.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    let mut links = told[0].clone();
    links.sort();
    expected.sort_unstable();
    assert_eq!(links, expected);
    let snapshot = system.snapshot();
    assert_eq!(snapshot.circles.len(), 1);
    assert_eq!(snapshot.blocked_links().len(), 2);
    let greedy = snapshot.component("Greedy_2").unwrap();
    assert!(greedy.time_blocked >= SECOND);
    let inbox = greedy.boxes.iter().find(|view| view.name == "inbox").unwrap();
    assert_eq!((inbox.depth, inbox.capacity), (64, Some(64)));
    assert!(snapshot.to_dot().contains("color=red"));
    assert!(snapshot.to_mermaid().contains("== \"blocked 1.0s\" ==>"));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_drawn_in_four_ways() {
    let system = system();
    let ticks = from_fn(
        "Ticks",
        |_: Inbox<u32>, mut outbox: Outbox<u32>, context: Context| async move {
            for n in 0.. {
                outbox.send(n).await?;
                context.sleep(SECOND / 10).await?;
            }
            Ok(())
        },
    );
    system
        .activate(Pipeline::new(ticks).then(map(|n: u32| n + 1)).then(for_each(drop)))
        .unwrap();
    system.net().sleep(SECOND * 10).await;
    let before = system.snapshot();
    system.net().sleep(SECOND * 10).await;
    let snapshot = system.snapshot().since(&before);
    let map = snapshot.component("Map_3").unwrap();
    let inbox = map.boxes.iter().find(|view| view.name == "inbox").unwrap();
    assert!((inbox.rate - 10.0).abs() < 0.2, "{}", inbox.rate);
    assert_eq!((inbox.message, inbox.documentation.as_str()), ("u32", "What comes in."));

    let dot = snapshot.to_dot();
    assert!(dot.starts_with("digraph components {") && dot.ends_with("}\n"));
    assert_eq!(dot.matches("subgraph cluster_").count(), 4);
    assert!(dot.contains("label=\"inbox\\n0/64, 10/s\""), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    let mermaid = snapshot.to_mermaid();
    assert!(mermaid.starts_with("flowchart LR\n"));
    assert_eq!(mermaid.matches("subgraph").count(), mermaid.matches("end\n").count());
    let lines = snapshot.to_lines();
    assert!(lines.starts_with("DEL ALL\nADD NODE \"Pipeline_1\" \"Pipeline_1\" randompos component\n"));
    assert!(lines.contains("randompos inbox\n") && lines.contains("ADD LINK \"Map_3\" \""));
    let json: serde_json::Value = serde_json::from_str(&snapshot.to_json()).unwrap();
    assert_eq!(json["components"][2]["name"], "Map_3");
    assert_eq!(json["components"][2]["parent"], 1);
    let links = json["links"].as_array().unwrap();
    assert!(
        links
            .iter()
            .any(|link| link["from_box"] == "Map_3.outbox" && link["to_box"] == "ForEach_4.inbox")
    );
}

#[test]
fn a_graph_is_checked_before_it_runs() {
    let mut graph = Graphline::new();
    graph.add("SOURCE", from_iter(0..3_u32)).unwrap();
    graph.add("A", map(|n: u32| n)).unwrap();
    graph.add("B", map(|n: u32| n)).unwrap();
    graph.add("LONELY", map(|n: u32| n)).unwrap();
    graph
        .add("INNER", Pipeline::new(map(|n: u32| n)).then(map(|n: u32| n)))
        .unwrap();
    graph
        .link("SOURCE.outbox", "A.inbox")
        .unwrap()
        .link("SOURCE.signal", "A.control")
        .unwrap();
    graph
        .link("A.outbox", "B.inbox")
        .unwrap()
        .link("B.outbox", "A.inbox")
        .unwrap();
    graph
        .link("self.inbox", "INNER.inbox")
        .unwrap()
        .link("INNER.outbox", "self.outbox")
        .unwrap();
    let problems = check(&graph);
    let circle = ["A", "B"].map(String::from).to_vec();
    assert_eq!(
        problems,
        [
            Problem::NeverTold { component: "B".into() },
            Problem::NothingSent {
                inbox: "LONELY.inbox".into()
            },
            Problem::Dangling {
                outbox: "LONELY.outbox".into()
            },
            Problem::Circle { components: circle },
        ]
    );
    assert_eq!(
        problems[3].to_string(),
        "data go in a circle (A -> B) and may fill all its boxes"
    );
    let pipeline = Pipeline::new(from_iter(0..3))
        .then(map(|n: i32| n))
        .then(for_each(drop));
    assert_eq!(check(&pipeline), []);
}

/// Compares two streams: its inboxes have names of their own.
#[derive(components::Boxes, Default)]
struct Compare {
    left: Inbox<u32>,
    right: Inbox<u32>,
    outbox: Outbox<bool>,
}

impl components::Component for Compare {
    async fn main(mut self, _: Context) -> components::Outcome {
        while let (Some(left), Some(right)) = (self.left.recv().await, self.right.recv().await) {
            self.outbox.send(left == right).await?;
        }
        Ok(())
    }
}

#[test]
fn inboxes_of_any_name_are_checked() {
    let mut graph = Graphline::new();
    graph.add("SOURCE", from_iter(0..3_u32)).unwrap();
    graph.add("COMPARE", Compare::default()).unwrap();
    graph.add("SHOW", for_each(|_: bool| {})).unwrap();
    graph.link("SOURCE.outbox", "COMPARE.left").unwrap();
    graph.link("SOURCE.signal", "COMPARE.control").unwrap();
    graph.link("COMPARE.outbox", "SHOW.inbox").unwrap();
    graph.link("COMPARE.signal", "SHOW.control").unwrap();
    assert_eq!(
        check(&graph),
        [Problem::NothingSent {
            inbox: "COMPARE.right".into()
        }]
    );
    graph.link("self.other", "COMPARE.right").unwrap();
    assert_eq!(check(&graph), []);
    // Beside an `inbox` others are for who wants them: the configuration of a splitter.
    let mut graph = Graphline::new();
    graph.add("SPLIT", components::Splitter::<u32>::new()).unwrap();
    graph.link("self.inbox", "SPLIT.inbox").unwrap();
    graph.link("SPLIT.outbox", "self.outbox").unwrap();
    assert_eq!(check(&graph), []);
}

#[tokio::test(start_paused = true)]
async fn counters_tell_what_was_sent_discarded_and_left() {
    let system = system();
    let component = map(|n: u32| n);
    let mut source = Outbox::new();
    link(&source, component.inbox()).unwrap();
    system.activate(component).unwrap();
    for n in 0..5 {
        source.send(n).await.unwrap();
    }
    system.net().sleep(SECOND).await;
    let snapshot = system.snapshot();
    let view = snapshot.component("Map_1").unwrap();
    let (inbox, outbox) = (&view.boxes[0], &view.boxes[1]);
    assert_eq!((inbox.counts.received, inbox.counts.taken), (5, 5));
    assert_eq!((outbox.sent, outbox.discarded, outbox.linked), (5, 5, false));
    assert!(snapshot.to_dot().contains("fillcolor=\"#e0e0e0\""));
}
