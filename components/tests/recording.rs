//! What passes a place is kept with its times and sent again, in virtual time; and what else a component knows of its boxes
//! and of the graph.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{collect, system};
use components::util::{Introspector, Recorder, Recording, Replayer};
use components::{
    BoxOptions, Context, Inbox, Outbox, Pipeline, TrackingError, for_each, from_fn, from_iter, link, map,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_recording_is_replayed_with_its_times() {
    let system = system();
    let source = from_fn(
        "Source",
        |_: Inbox<()>, mut outbox: Outbox<u32>, context: Context| async move {
            for n in 0..4 {
                context.sleep(SECOND * n).await?;
                outbox.send(n).await?;
            }
            Ok(())
        },
    );
    let recorder = Recorder::new();
    let tape = recorder.tape();
    let pipeline = Pipeline::new(source).then(recorder).then(for_each(drop));
    assert!(system.activate(pipeline).unwrap().await.reason.is_clean());
    let recording = tape.take();
    let expected = [(0, 0), (1, 1), (3, 2), (6, 3)].map(|(at, n)| (SECOND * at, n));
    assert_eq!(recording.messages(), expected);

    // Recorded once more while it is replayed: the same.
    let recorder = Recorder::new();
    let again = recorder.tape();
    let (all, sink) = collect();
    let began = system.net().now();
    let pipeline = Pipeline::new(Replayer::new(recording.clone()))
        .then(recorder)
        .then(sink);
    assert!(system.activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(system.net().now() - began, SECOND * 6);
    assert_eq!(*all.lock().unwrap(), [0, 1, 2, 3]);
    assert_eq!(again.take(), recording);

    let began = system.net().now();
    let pipeline = Pipeline::new(Replayer::new(recording).at_once()).then(for_each(drop));
    assert!(system.activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(system.net().now(), began);
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_told_to_finish_sends_no_more() {
    let system = system();
    let recording = Recording::new((0..10).map(|n| (SECOND * n, n)));
    let (all, sink) = collect();
    let active = system
        .activate(Pipeline::new(Replayer::new(recording)).then(sink))
        .unwrap();
    system.net().sleep(SECOND * 5 / 2).await;
    active.finish();
    assert!(active.await.reason.is_clean());
    assert_eq!(*all.lock().unwrap(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_recording_has_a_limit_and_what_is_missed_is_counted() {
    let recorder = Recorder::new().limit(3);
    let tape = recorder.tape();
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(0..10)).then(recorder).then(sink);
    system().activate(pipeline).unwrap().await;
    let recording = tape.take();
    assert_eq!((recording.messages().len(), recording.missed()), (3, 7));
    assert_eq!(all.lock().unwrap().len(), 10, "all are passed on");
}

#[test]
fn a_recording_is_written_and_read() {
    let messages = ["", "one", "two\nlines\n", "5 3\n"].map(|text| Bytes::from_static(text.as_bytes()));
    let recording = Recording::new((0..).map(|n| SECOND * n / 3).zip(messages));
    let mut file = Vec::new();
    recording.write(&mut file).unwrap();
    assert!(file.starts_with(b"0 0\n\n333333333 3\none\n"));
    assert_eq!(Recording::read(&mut &file[..]).unwrap(), recording);
    for cut in 1..file.len() {
        match Recording::read(&mut &file[..cut]) {
            // Whole messages only.
            Ok(part) => assert_eq!(part.messages(), &recording.messages()[..part.messages().len()]),
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData
                ),
                "{error}"
            ),
        }
    }
    for (wrong, says) in [
        (&b"nonsense\n"[..], "begins with \"nonsense\\n\""),
        (b"1 99999999999\n", "begins with"),
        (b"1 2\nabc\n", "longer than it says"),
    ] {
        let error = Recording::read(&mut &wrong[..]).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_message_that_could_not_be_read_is_not_written() {
    let long = Bytes::from(vec![0; (64 << 20) + 1]);
    let recording = Recording::new([(SECOND, Bytes::from_static(b"short")), (SECOND, long)]);
    let mut file = Vec::new();
    let error = recording.write(&mut file).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("message 2"), "{error}");
    assert!(file.is_empty());
}

#[test]
fn a_recording_that_ends_within_a_message_says_so() {
    // It claims more than it has.
    let error = Recording::read(&mut &b"1 60000000\nabc"[..]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("ends within message 1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_introspector_lets_time_pass_whatever_its_interval() {
    let system = system();
    let introspector = Introspector::new(Duration::ZERO);
    let mut lines = Inbox::<String>::new();
    link(components::HasOutbox::outbox(&introspector), &lines).unwrap();
    let introspector = system.activate(introspector).unwrap();
    assert!(lines.recv().await.is_some());
    let began = system.net().now();
    system.net().sleep(SECOND).await;
    assert_eq!(system.net().now() - began, SECOND);
    introspector.finish();
    assert!(introspector.await.reason.is_clean());
}

#[tokio::test(start_paused = true)]
async fn the_introspector_tells_what_changes() {
    let system = system();
    let introspector = Introspector::new(SECOND);
    let mut lines = Inbox::<String>::new();
    link(components::HasOutbox::outbox(&introspector), &lines).unwrap();
    let introspector = system.activate(introspector).unwrap();
    let first = lines.recv().await.unwrap();
    assert!(first.starts_with("DEL ALL\nADD NODE \"Introspector_1\" "), "{first}");
    let pipeline = system
        .activate(Pipeline::new(map(|n: u32| n)).then(for_each(drop)))
        .unwrap();
    let came = lines.recv().await.unwrap();
    let kinds: Vec<&str> = came.lines().map(|line| &line[..8]).collect();
    let nodes = kinds.iter().position(|kind| *kind == "ADD LINK").unwrap();
    assert!(kinds[..nodes].iter().all(|kind| *kind == "ADD NODE"), "{came}");
    assert!(kinds[nodes..].iter().all(|kind| *kind == "ADD LINK"), "{came}");
    assert!(
        came.contains("ADD NODE \"Map_3\" \"Map_3\" randompos component\n"),
        "{came}"
    );
    // Nothing changes, nothing is told.
    system.net().sleep(SECOND * 10).await;
    assert!(lines.try_recv().is_none());
    pipeline.stop();
    let went = lines.recv().await.unwrap();
    assert_eq!(went, {
        let undone = |add: &str, del: &str| {
            let of = came.lines().filter(|line| line.starts_with(add));
            of.map(|line| {
                let names: Vec<&str> = line.split('"').collect();
                match del {
                    "DEL NODE" => format!("DEL NODE \"{}\"\n", names[1]),
                    _ => format!("DEL LINK \"{}\" \"{}\"\n", names[1], names[3]),
                }
            })
            .collect::<String>()
        };
        undone("ADD LINK", "DEL LINK") + &undone("ADD NODE", "DEL NODE")
    });
    introspector.finish();
    assert!(introspector.await.reason.is_clean());
    assert!(lines.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn resources_are_tracked_by_the_boxes_made_for_them() {
    let adaptive = from_fn("Adaptive", |_: Inbox<()>, _: Outbox<()>, context: Context| async move {
        let (one, other) = (
            context.add_inbox::<u8>("client", BoxOptions::new()),
            context.add_inbox::<u8>("client", BoxOptions::new()),
        );
        let out = context.add_outbox::<u8>("reply");
        let mut clients = context.resources();
        clients.track("first", &one.name())?;
        clients.track("second", &other.name())?;
        assert_eq!(
            (clients.retrieve("client"), clients.retrieve("client1")),
            (Ok(&"first"), Ok(&"second"))
        );
        assert_eq!(
            clients.retrieve("outbox"),
            Err(TrackingError::NothingTracked("outbox".into()))
        );

        assert_eq!(
            clients.retrieve_information(&"first"),
            Err(TrackingError::UnknownResource)
        );
        clients.track_information("first", [&*one.name()], [&*out.name()], 1)?;
        // The last one counts.
        clients.track_information("first", [&*one.name()], [], 2)?;
        let known = clients.retrieve_information(&"first")?;
        assert_eq!(
            (&known.inboxes[..], known.outboxes.len(), known.information),
            (&["client".to_owned()][..], 0, 2)
        );
        let error = clients.track("third", "nowhere").unwrap_err().to_string();
        assert!(
            error.starts_with("there is no inbox nowhere; there is inbox inbox, "),
            "{error}"
        );
        // An outbox of the name is no inbox of it.
        assert!(clients.track_information("first", ["reply"], [], 3).is_err());
        assert_eq!(
            clients.retrieve_information(&"first")?.information,
            2,
            "nothing has changed"
        );

        assert_eq!(clients.cease(&"first")?.map(|known| known.information), Some(2));
        assert!(clients.retrieve("client").is_err() && clients.cease(&"first").is_err());
        assert_eq!(clients.cease(&"second"), Ok(None));
        Ok(())
    });
    let end = system().activate(adaptive).unwrap().await;
    assert!(end.reason.is_clean(), "{end}");
}
