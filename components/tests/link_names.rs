//! Errors of linking call boxes by names, or say where a box was made that has none yet.

use components::util::EchoProtocol;
use components::{
    Boxes, Component, Context, Graphline, HasOutbox, Inbox, LinkError, Net, Outbox, Outcome, Pipeline, Seq, System,
    for_each, from_iter, link, map,
};

/// Two inboxes of different types.
#[derive(Boxes, Default)]
struct Doubler {
    inbox: Inbox<u32>,
    words: Inbox<String>,
    outbox: Outbox<u32>,
}

impl Component for Doubler {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(n) = self.inbox.recv().await {
            self.outbox.send(n * 2).await?;
        }
        Ok(())
    }
}

/// Three boxes, the first two linked, and what linking the first to the third says.
fn too_many(from: &Outbox<u32>) -> String {
    let (one, other) = (Inbox::new(), Inbox::new());
    link(from, &one).unwrap();
    link(from, &other).unwrap_err().to_string()
}

#[test]
fn a_box_without_a_component_is_called_by_its_type_and_where_it_was_made() {
    let line = line!() + 1;
    let outbox = Outbox::<u32>::new();
    let text = too_many(&outbox);
    assert!(text.starts_with("outbox "), "{text}");
    let made = format!("of u32 (made at components/tests/link_names.rs:{line}:");
    assert!(text.contains(&made), "{text}");
    // The two inboxes were made on one line: their numbers tell them apart.
    assert_eq!(text.matches("(made at").count(), 3, "{text}");
    assert_eq!(text.matches("inbox ").count(), 2, "{text}");
}

#[test]
fn a_field_is_found_by_the_line_of_its_component() {
    let doubler = Doubler {
        inbox: Inbox::default(),
        words: Inbox::with_capacity(3),
        outbox: Outbox::default(),
    };
    let line = line!() - 2;
    let text = too_many(&doubler.outbox);
    assert!(text.contains(&format!("link_names.rs:{line}:")), "{text}");
}

#[tokio::test]
async fn a_component_that_runs_is_called_by_its_name() {
    let system = System::new(&Net::os());
    let context_link = system.activate(Doubler::default()).unwrap();
    let name = context_link.name();
    let wrong = system.activate(map(|word: String| word.len())).unwrap();
    let (from, to) = (format!("{}.outbox", wrong.name()), format!("{name}.words"));
    let error = system.link(&from, &to).unwrap_err();
    let expected = LinkError::WrongType {
        from,
        from_type: "usize",
        to,
        to_type: "alloc::string::String",
    };
    assert_eq!(error, expected);
}

#[test]
fn a_graphline_calls_its_children_and_its_own_boxes_by_the_names_that_it_gave() {
    let mut graph = Graphline::new();
    graph.add("NUMBERS", from_iter(0..3_u32)).unwrap();
    graph.add("DOUBLE", Doubler::default()).unwrap();
    graph.add("SHOW", for_each(|_: u32| {})).unwrap();
    graph.link("NUMBERS.outbox", "DOUBLE.inbox").unwrap();
    let error = graph.link("NUMBERS.outbox", "SHOW.inbox").unwrap_err();
    let names = |from: &str, there: &str, to: &str| LinkError::AlreadyLinked {
        from: from.into(),
        there: there.into(),
        to: to.into(),
    };
    assert_eq!(error, names("NUMBERS.outbox", "DOUBLE.inbox", "SHOW.inbox"));
    graph.link("DOUBLE.outbox", "self.outbox").unwrap();
    let error = graph.link("DOUBLE.outbox", "SHOW.inbox").unwrap_err();
    assert_eq!(error, names("DOUBLE.outbox", "self.outbox", "SHOW.inbox"));
    // The box that is made for the link that fails is named too.
    let error = graph.link("DOUBLE.outbox", "self.more").unwrap_err();
    assert_eq!(error, names("DOUBLE.outbox", "self.outbox", "self.more"));
    let error = graph.link("NUMBERS.outbox", "DOUBLE.words").unwrap_err();
    let expected = LinkError::WrongType {
        from: "NUMBERS.outbox".into(),
        from_type: "u32",
        to: "DOUBLE.words".into(),
        to_type: "alloc::string::String",
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn chassis_that_link_when_they_begin_name_their_children() {
    let system = System::new(&Net::os());
    // Each has a component whose outbox leads elsewhere already.
    let elsewhere = Inbox::<u32>::new();
    let doubler = || {
        let doubler = Doubler::default();
        link(HasOutbox::outbox(&doubler), &elsewhere).unwrap();
        doubler
    };
    let pipeline = Pipeline::new(doubler());
    let end = system.activate(pipeline).unwrap().await.to_string();
    assert!(end.contains("Doubler.outbox is linked to inbox "), "{end}");
    assert!(end.contains("of u32 (made at components/tests/link_names.rs"), "{end}");
    let end = system.activate(Seq::new().then(doubler())).unwrap().await.to_string();
    assert!(end.contains("Doubler.outbox is linked to inbox "), "{end}");
    assert!(end.contains(".outbox too; put a Fanout"), "{end}");
}

#[tokio::test]
async fn a_library_component_is_named_by_its_type_once_it_is_in_a_chassis() {
    let echo = EchoProtocol::<u32>::new();
    let elsewhere = Inbox::new();
    link(echo.outbox(), &elsewhere).unwrap();
    let end = System::new(&Net::os()).activate(Pipeline::new(echo)).unwrap().await;
    let text = end.to_string();
    assert!(text.contains("EchoProtocol.outbox is linked"), "{text}");
    assert!(elsewhere.is_empty());
}
