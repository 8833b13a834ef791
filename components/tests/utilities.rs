//! The small components under their names in Kamaelia: what they do, and that each ends as all do.
#![cfg(feature = "derive")]

mod common;

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{collect, system};
use components::util::{
    ByteRateRequestControl, Chargen, Chooser, Chunkifier, Clock, Collate, Comparator, ConsoleEchoer, ConsoleReader,
    DeMarshaller, EchoProtocol, Filter, Filtering, ForwardIteratingChooser, InactivityChassis, Jump, LineSplit,
    Marshaller, Marshalling, MessageRateLimit, NullSink, OnDemandLimit, OneShot, PassThrough, PromptedTurnstile,
    RecoverOrder, Sync, TagWithSequenceNumber, TestResult, TriggeredOneShot, TriggeredSource, TwoWaySplitter,
    join_chooser_to_carousel,
};
use components::{
    Carousel, Component, Context, Failure, Graphline, HasInbox, HasOutbox, Inbox, OnFailure, Outbox, Pipeline, from_fn,
    from_iter, link,
};

const SECOND: Duration = Duration::from_secs(1);

/// What a component makes of these messages, when its producer has finished.
async fn through<C: Component + HasInbox + HasOutbox>(component: C, messages: Vec<C::In>) -> Vec<C::Out> {
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(messages)).then(component).then(sink);
    let end = system().activate(pipeline).unwrap().await;
    assert!(end.reason.is_clean(), "{end}");
    std::mem::take(&mut *all.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn d17_d18_every_one_does_all_its_work_before_it_ends() {
    let numbers = || (0..200_u32).collect::<Vec<_>>();
    assert_eq!(through(EchoProtocol::new(), numbers()).await, numbers());
    assert_eq!(through(PassThrough::new(), numbers()).await, numbers());
    assert_eq!(through(Collate::new(), numbers()).await, [numbers()]);
    assert_eq!(through(TwoWaySplitter::new(), numbers()).await, numbers());
    assert_eq!(through(MessageRateLimit::new(10), numbers()).await, numbers());
    assert_eq!(
        through(MessageRateLimit::new(10).gather(1000), numbers()).await,
        numbers()
    );
    let numbered: Vec<_> = numbers().into_iter().map(|n| (u64::from(n) + 5, n)).collect();
    assert_eq!(through(TagWithSequenceNumber::from(5), numbers()).await, numbered);
    assert_eq!(through(TriggeredSource::new("x"), numbers()).await, ["x"; 200]);
    assert_eq!(through(TriggeredOneShot::new("x"), numbers()).await, ["x"]);
    assert_eq!(through(TriggeredOneShot::<u8, _>::new("x"), vec![]).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn order_is_recovered_as_far_as_the_buffer_reaches() {
    let shuffled: Vec<(u64, ())> = [3, 1, 2, 0, 4, 4, 7, 6, 5].into_iter().map(|n| (n, ())).collect();
    let ordered: Vec<u64> = through(RecoverOrder::new(4), shuffled)
        .await
        .into_iter()
        .map(|(n, ())| n)
        .collect();
    assert_eq!(ordered, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test(start_paused = true)]
async fn text_and_bytes_are_cut_whatever_pieces_they_come_in() {
    let text = ["a", "b\nc", "\n\n", "d"].map(String::from).to_vec();
    assert_eq!(through(LineSplit::new(), text).await, ["ab", "c", "", "d"]);
    let bytes = ["abc", "defgh", "", "i"].map(Bytes::from_static_str).to_vec();
    assert_eq!(through(Chunkifier::new(4), bytes).await, ["abcd", "efgh", "i"]);
    let bytes = ["abc", "defgh"].map(Bytes::from_static_str).to_vec();
    assert_eq!(
        through(Chunkifier::new(4).without_delay(), bytes).await.concat(),
        b"abcdefgh"
    );
}

trait FromStr {
    fn from_static_str(text: &'static str) -> Self;
}

impl FromStr for Bytes {
    fn from_static_str(text: &'static str) -> Self {
        Self::from_static(text.as_bytes())
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_of_each_group_is_sent_when_the_last_has_come() {
    assert_eq!(through(Sync::new(2), (0..7).collect::<Vec<u32>>()).await, [0, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_chooser_walks_as_it_is_told() {
    use Jump::{First, Last, Next, Prev, Same};
    let steps = vec![Prev, Next, Same, Last, Next, Prev, First];
    assert_eq!(
        through(Chooser::new(["a", "b", "c"]), steps.clone()).await,
        ["a", "b", "b", "c", "b", "a"]
    );
    let looped = through(Chooser::new(["a", "b", "c"]).looped(), steps).await;
    assert_eq!(looped, ["a", "c", "a", "a", "c", "a", "c", "a"]);
    assert_eq!(through(Chooser::<u8>::new([]), vec![Next, First]).await, [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_keeps_time_and_ends() {
    let system = system();
    let clock = Clock::new(SECOND);
    let mut beats = Inbox::new();
    link(clock.outbox(), &beats).unwrap();
    let start = system.net().now();
    let active = system.activate(clock).unwrap();
    for beat in 0..5 {
        assert_eq!(beats.recv().await, Some(beat));
        // tokio's timers are exact to the millisecond.
        let late = (system.net().now() - start).abs_diff(SECOND * u32::try_from(beat).unwrap());
        assert!(late < Duration::from_millis(2), "{late:?}");
    }
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[tokio::test(start_paused = true)]
async fn messages_pass_one_by_one_as_they_are_asked_for() {
    let turnstile = PromptedTurnstile::<u32, ()>::new();
    let (mut data, mut ask, mut through) = (Outbox::new(), Outbox::new(), Inbox::new());
    link(&data, turnstile.inbox()).unwrap();
    link(&ask, turnstile.next()).unwrap();
    link(turnstile.outbox(), &through).unwrap();
    let system = system();
    let active = system.activate(turnstile).unwrap();
    // Asked for before it comes: remembered.
    ask.send(()).await.unwrap();
    for n in 0..3 {
        data.send(n).await.unwrap();
    }
    system.net().sleep(SECOND).await;
    assert_eq!((through.try_recv(), through.try_recv()), (Some(0), None));
    ask.send(()).await.unwrap();
    assert_eq!(through.recv().await, Some(1));
    active.finish();
    let end = active.await;
    assert!(end.reason.is_clean());
    assert_eq!(end.left_behind, 1);
    let limit = OnDemandLimit::<u32, ()>::new();
    let mut list = components::BoxList::default();
    components::Boxes::boxes(&limit, &mut list);
    assert!(format!("{list:?}").contains("inbox slidecontrol: ()"));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let system = system();
    let start = system.net().now();
    let limited = Pipeline::new(from_iter(0..50_u32))
        .then(MessageRateLimit::new(10))
        .then(NullSink::new());
    system.activate(limited).unwrap().await;
    let took = system.net().now() - start;
    assert!(took >= SECOND * 5 && took < SECOND * 6, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn endless_sources_end_when_they_are_told() {
    let system = system();
    let chargen = system
        .activate(Pipeline::new(Chargen::new()).then(NullSink::new()))
        .unwrap();
    // Virtual time would not pass: they always have something to do.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    chargen.finish();
    assert!(chargen.await.reason.is_clean());
    let unlinked = system.activate(Chargen::new()).unwrap();
    // It sends for ever, and lets others run.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    unlinked.stop();
    assert!(unlinked.await.reason.is_clean());
    let (all, sink) = collect();
    system
        .activate(Pipeline::new(OneShot::new(7)).then(sink))
        .unwrap()
        .await;
    assert_eq!(*all.lock().unwrap(), [7]);
}

/// A file in memory that others look at.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn lines_are_read_and_written() {
    let (prompts, written) = (Page::default(), Page::default());
    let reader = ConsoleReader::new()
        .prompt("? ")
        .ending(";")
        .on(Cursor::new("one\r\ntwo\nthree"), prompts.clone());
    let echoer = ConsoleEchoer::<String>::debug()
        .tag("> ")
        .forwarder()
        .on(written.clone());
    let (all, sink) = collect();
    let end = system()
        .activate(Pipeline::new(reader).then(echoer).then(sink))
        .unwrap()
        .await;
    assert!(end.reason.is_clean(), "{end}");
    assert_eq!(*all.lock().unwrap(), ["one;", "two;", "three;"]);
    assert_eq!(written.text(), r#"> "one;"> "two;"> "three;""#);
    assert_eq!(prompts.text(), "? ? ? ? ");
}

/// Adds up pairs, and gives the odd one at the end.
struct Pairs(Option<u32>);

impl Filtering for Pairs {
    type In = u32;
    type Out = u32;

    fn filter(&mut self, message: u32) -> Option<u32> {
        match self.0.take() {
            Some(first) => Some(first + message),
            None => {
                self.0 = Some(message);
                None
            }
        }
    }

    fn flush(&mut self) -> Option<u32> {
        self.0.take()
    }
}

#[tokio::test(start_paused = true)]
async fn d17_a_filter_is_given_everything_and_flushed() {
    assert_eq!(through(Filter::new(Pairs(None)), vec![1, 2, 3, 4, 5]).await, [3, 7, 5]);
}

struct Decimal;

impl Marshalling for Decimal {
    type Message = u32;

    fn marshall(message: &u32) -> Result<Bytes, Failure> {
        Ok(message.to_string().into())
    }

    fn demarshall(bytes: &[u8]) -> Result<u32, Failure> {
        Ok(std::str::from_utf8(bytes)?.parse()?)
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_written_as_bytes_and_read() {
    let both = Pipeline::new(Marshaller::<Decimal>::new()).then(DeMarshaller::<Decimal>::new());
    assert_eq!(through(both, vec![1, 20, 300]).await, [1, 20, 300]);
    let words = from_iter([Bytes::from_static(b"1"), Bytes::from_static(b"x")]);
    let pipeline = Pipeline::new(words)
        .then(DeMarshaller::<Decimal>::new())
        .on_failure(OnFailure::Escalate);
    let end = system().activate(pipeline).unwrap().await;
    assert!(end.reason.to_string().contains("invalid digit"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn streams_are_compared_and_a_false_result_fails() {
    for (other, outcome) in [
        (vec![1, 2, 3], "finished"),
        (vec![1, 9, 3], "failed: result 1 is false"),
        (vec![1, 2], "failed: inA has more messages than inB"),
    ] {
        let compare = Comparator::<u32>::new();
        let (mut a, mut b) = (Outbox::new(), Outbox::new());
        link(&a, compare.in_a()).unwrap();
        link(&b, compare.in_b()).unwrap();
        let mut graph = Graphline::new();
        graph.on_failure(OnFailure::Escalate);
        graph
            .add("COMPARE", compare)
            .unwrap()
            .add("TEST", TestResult::new())
            .unwrap();
        graph.link("COMPARE.outbox", "TEST.inbox").unwrap();
        graph.link("COMPARE.signal", "TEST.control").unwrap();
        let active = system().activate(graph).unwrap();
        for n in [1, 2, 3] {
            a.send(n).await.unwrap();
        }
        for n in other {
            b.send(n).await.unwrap();
        }
        active.finish();
        assert_eq!(active.await.reason.to_string(), outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_are_asked_for_at_a_rate_without_rounding() {
    let system = system();
    let control = ByteRateRequestControl::new(1000).chunk_size(7);
    let (mut rate, mut asked) = (Outbox::new(), Inbox::with_capacity(10_000));
    link(&rate, control.inbox()).unwrap();
    link(control.outbox(), &asked).unwrap();
    let active = system.activate(control).unwrap();
    let mut count = || std::iter::from_fn(|| asked.try_recv()).sum::<usize>();
    system.net().sleep(SECOND * 7).await;
    let first = count();
    assert!((6993..=7000).contains(&first), "{first}");
    rate.send(100_u64).await.unwrap();
    system.net().sleep(SECOND * 7).await;
    let second = first + count();
    assert!((7693..=7700).contains(&second), "{second}");
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_can_be_iterated_is_walked_forward_and_then_it_ends() {
    let jumps = vec![Jump::Same, Jump::Prev, Jump::Next, Jump::Next, Jump::Next, Jump::Same];
    let found = through(ForwardIteratingChooser::new(["a", "b"]), jumps).await;
    assert_eq!(found, ["a", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_chooser_drives_a_carousel_to_the_end_of_its_list() {
    let carousel = Carousel::new(|name: &'static str| from_iter_with_inbox(name));
    let graph = join_chooser_to_carousel(ForwardIteratingChooser::new(["a", "b", "c"]), carousel).unwrap();
    let mut found = Inbox::<String>::new();
    link(graph.own_outbox("outbox").unwrap(), &found).unwrap();
    let end = system().activate(graph).unwrap().await;
    assert!(end.reason.is_clean());
    let all: Vec<String> = std::iter::from_fn(|| found.try_recv()).collect();
    assert_eq!(all, ["a0", "a1", "b0", "b1", "c0", "c1"]);
}

/// Says its name twice, and ends.
fn from_iter_with_inbox(name: &'static str) -> impl Component + HasInbox<In = ()> + HasOutbox<Out = String> {
    from_fn(
        "Namer",
        move |_: Inbox<()>, mut outbox: Outbox<String>, _: Context| async move {
            for n in 0..2 {
                outbox.send(format!("{name}{n}")).await?;
            }
            Ok(())
        },
    )
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_component_and_what_it_is_sent_does_not_count() {
    let system = system();
    // Answers the first three messages only.
    let quiet = from_fn(
        "Quiet",
        |mut inbox: Inbox<u32>, mut outbox: Outbox<u32>, _: Context| async move {
            while let Some(n) = inbox.recv().await {
                if n < 3 {
                    outbox.send(n).await?;
                }
            }
            outbox.send(99).await?;
            Ok(())
        },
    );
    let begin = system.net().now();
    let mut handle = system
        .activate_with_handle(InactivityChassis::new(quiet, SECOND * 2))
        .unwrap();
    for n in 0..5 {
        handle.put(n).await.unwrap();
        system.net().sleep(SECOND).await;
    }
    let all: Vec<u32> = std::iter::from_fn(|| handle.try_get()).collect();
    assert_eq!(all, [0, 1, 2, 99]);
    let end = handle.component.clone().await;
    assert!(end.reason.is_clean());
    // The last answer came after two seconds, and two more were silent.
    assert!(system.net().now() - begin <= SECOND * 5);
    assert_eq!(handle.get().await, None);
}
