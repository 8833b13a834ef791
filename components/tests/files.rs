//! Files and programs, in threads of their own.
#![cfg(feature = "derive")]

mod common;

use std::path::PathBuf;

use bytes::Bytes;
use common::{collect, system};
use components::util::{
    ByteRateRequestControl, PromptedFileReader, SimpleFileWriter, SimpleReader, UnixProcess, WholeFileWriter,
};
use components::{EndReason, HasInbox, HasOutbox, Inbox, OnFailure, Outbox, Pipeline, from_iter, link};

/// A file of this test, gone with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("components-{}-{name}", std::process::id())))
    }

    fn with(name: &str, content: &str) -> Self {
        let file = Self::new(name);
        std::fs::write(&file.0, content).unwrap();
        file
    }

    fn content(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn text(all: &[Bytes]) -> Vec<&str> {
    all.iter().map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_read_as_it_is_asked_for() {
    let file = Temporary::with("prompted", "one\ntwo\nthree");
    let (all, sink) = collect();
    let reader = PromptedFileReader::new(&file.0);
    let pipeline = Pipeline::new(from_iter([2, 5, 100, 100])).then(reader).then(sink);
    assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(text(&all.lock().unwrap()), ["on", "e\ntwo", "\nthree"]);
    let (all, sink) = collect();
    let reader = PromptedFileReader::new(&file.0).lines();
    let pipeline = Pipeline::new(from_iter([1, 5])).then(reader).then(sink);
    assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(text(&all.lock().unwrap()), ["one\n", "two\n", "three"]);
}

#[tokio::test]
async fn a_missing_file_fails_with_its_name() {
    let missing = PathBuf::from("/nowhere/at/all");
    for end in [
        system().activate(SimpleReader::new(&missing)).unwrap().await,
        system().activate(PromptedFileReader::new(&missing)).unwrap().await,
        system().activate(SimpleFileWriter::new(&missing)).unwrap().await,
    ] {
        assert!(end.reason.to_string().contains("/nowhere/at/all: "), "{end}");
    }
}

#[tokio::test]
async fn lines_of_a_file_are_copied_whole_and_appended() {
    let content: String = (0..5000).map(|n| format!("line {n}\n")).collect();
    let (from, to) = (Temporary::with("from", &content), Temporary::with("to", "old"));
    for append in [false, true] {
        let writer = SimpleFileWriter::new(&to.0);
        let writer = if append { writer.append() } else { writer };
        let pipeline = Pipeline::new(SimpleReader::new(&from.0)).then(writer);
        assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
        assert!(to.content() == content.repeat(if append { 2 } else { 1 }));
    }
}

#[tokio::test]
async fn whole_files_are_written_and_told() {
    let file = Temporary::new("whole");
    let writer = WholeFileWriter::new();
    let (mut orders, mut done) = (Outbox::new(), Inbox::new());
    link(&orders, writer.inbox()).unwrap();
    link(writer.done(), &done).unwrap();
    let active = system().activate(writer).unwrap();
    orders
        .send((file.0.clone(), Bytes::from_static(b"hello")))
        .await
        .unwrap();
    assert_eq!(done.recv().await, Some(file.0.clone()));
    assert_eq!(file.content(), "hello");
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[tokio::test]
async fn a_reader_keeps_to_a_rate_and_many_files_are_read_one_after_another() {
    let (one, other) = (
        Temporary::with("rate-1", &"a".repeat(100)),
        Temporary::with("rate-2", "b"),
    );
    let (all, sink) = collect();
    let rate = ByteRateRequestControl::new(1_000_000).chunk_size(30);
    let pipeline = Pipeline::new(PromptedFileReader::new(&one.0).at_rate(rate)).then(sink);
    assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
    let lengths: Vec<usize> = all.lock().unwrap().iter().map(Bytes::len).collect();
    assert_eq!(lengths, [30, 30, 30, 10]);

    let carousel = PromptedFileReader::reusable();
    let (mut names, mut prompts) = (Outbox::new(), Outbox::new());
    let (mut found, mut asked) = (Inbox::new(), Inbox::new());
    link(&names, carousel.next()).unwrap();
    link(&prompts, carousel.inbox()).unwrap();
    link(carousel.outbox(), &found).unwrap();
    link(carousel.request_next(), &asked).unwrap();
    let active = system().activate(carousel).unwrap();
    for (file, content) in [(&one, "a".repeat(100)), (&other, "b".to_owned())] {
        names.send(file.0.clone()).await.unwrap();
        prompts.send(1000).await.unwrap();
        assert_eq!(found.recv().await.unwrap(), content);
        // At the end of the file it asks for another.
        assert!(asked.recv().await.is_some());
    }
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_gets_everything_and_its_output_comes_whole() {
    let data: Vec<Bytes> = (0..300).map(|n| Bytes::from(format!("{n}\n").repeat(1000))).collect();
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(data.clone()))
        .then(UnixProcess::shell("cat"))
        .then(sink);
    assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
    assert!(all.lock().unwrap().concat() == data.concat());
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_that_fails_is_told_with_its_status_and_its_errors() {
    let process = UnixProcess::shell("echo oops >&2; exit 3");
    let mut errors = Inbox::new();
    link(process.stderr(), &errors).unwrap();
    let end = system().activate(process).unwrap().await;
    assert!(end.reason.to_string().contains("exit status: 3"), "{end}");
    assert_eq!(errors.recv().await.unwrap(), "oops\n");
    let missing = UnixProcess::new(std::process::Command::new("/nowhere/at/all"));
    let pipeline = Pipeline::new(from_iter([]))
        .then(missing)
        .on_failure(OnFailure::Escalate);
    let end = system().activate(pipeline).unwrap().await;
    assert!(matches!(end.reason, EndReason::Failed(_)), "{end}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_is_killed_when_its_component_is_stopped() {
    let system = system();
    let process = UnixProcess::shell("echo here; exec sleep 1000");
    let mut output = Inbox::<Bytes>::new();
    link(process.outbox(), &output).unwrap();
    let active = system.activate(process).unwrap();
    assert_eq!(output.recv().await.as_deref(), Some(&b"here\n"[..]));
    active.stop();
    assert!(matches!(active.await.reason, EndReason::Stopped));
    // Its pipes are closed, so the thread that reads them has ended too.
    assert_eq!(output.recv().await, None);
}
