//! The life of connections as events: whatever happens, each opened connection is closed exactly once, with who and why.
#![cfg(feature = "os")]

mod common;

use std::time::Duration;

use common::backend::{Backend, net, on_each_backend, where_time_jumps};
use common::events::Events;
use common::{poll_once, settle};
use net_core::framing::{LengthPrefix, Line};
use net_core::{
    BindOptions, ClosedBy, ErrorKind, EventKind, Framed, FramedLimits, Listener, Net, NetEvent, Stream, TimeoutKind,
    WhenFull,
};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_backend!(an_observer_that_panics_hurts_itself_only,);

where_time_jumps!(
    who_closed_a_connection_and_why_is_told,
    a_fault_that_the_connection_survives_is_an_event_between,
    several_observers_hear_everything_and_clones_count_together,
);

/// What may happen to the connections of a network; the number chooses one of them.
#[derive(Clone, Debug)]
enum Step {
    Pair,
    Connect,
    Accept,
    Write(usize, usize),
    Read(usize),
    Shutdown(usize),
    Reset(usize),
    Drop(usize),
    Close(usize),
    Fault(usize),
    Frame(usize),
    FrameAnswered(usize),
    IntoFramed(usize),
    OutOfFramed(usize),
    CloseFramed(usize),
    Upgrade(usize),
    Sleep(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<usize>;
    prop_oneof![
        3 => Just(Step::Pair),
        3 => Just(Step::Connect),
        3 => Just(Step::Accept),
        4 => (which(), 0_usize..200).prop_map(|(which, n)| Step::Write(which, n)),
        4 => which().prop_map(Step::Read),
        2 => which().prop_map(Step::Shutdown),
        1 => which().prop_map(Step::Reset),
        2 => which().prop_map(Step::Drop),
        2 => which().prop_map(Step::Close),
        1 => which().prop_map(Step::Fault),
        4 => which().prop_map(Step::Frame),
        3 => which().prop_map(Step::FrameAnswered),
        3 => which().prop_map(Step::IntoFramed),
        1 => which().prop_map(Step::OutOfFramed),
        1 => which().prop_map(Step::CloseFramed),
        1 => which().prop_map(Step::Upgrade),
        2 => (0_u32..20).prop_map(Step::Sleep),
    ]
}

/// The connections that a run has.
#[derive(Default)]
struct Open {
    streams: Vec<Stream>,
    framed: Vec<Framed<Line>>,
}

impl Open {
    fn take(&mut self, which: usize) -> Option<Stream> {
        (!self.streams.is_empty()).then(|| self.streams.swap_remove(which % self.streams.len()))
    }

    fn take_framed(&mut self, which: usize) -> Option<Framed<Line>> {
        (!self.framed.is_empty()).then(|| self.framed.swap_remove(which % self.framed.len()))
    }

    fn stream(&mut self, which: usize) -> Option<&mut Stream> {
        let count = self.streams.len().max(1);
        self.streams.get_mut(which % count)
    }

    fn framed(&mut self, which: usize) -> Option<&mut Framed<Line>> {
        let count = self.framed.len().max(1);
        self.framed.get_mut(which % count)
    }

    async fn run(&mut self, net: &Net, listener: &mut Listener, step: Step) {
        const SECOND: Duration = Duration::from_secs(1);
        match step {
            Step::Pair => {
                let (here, there) = Stream::pair_with_capacity(net, 300);
                self.streams.extend([here, there]);
            }
            Step::Connect => {
                let connected = net.timeout(SECOND, net.connect(listener.local())).await;
                self.streams.extend(connected.into_iter().flatten());
            }
            Step::Accept => {
                let accepted = poll_once(&mut Box::pin(listener.accept())).await;
                self.streams.extend(accepted.and_then(Result::ok));
            }
            Step::Write(which, n) => {
                if let Some(stream) = self.stream(which) {
                    let mut text = vec![b'x'; n];
                    text.extend(b"\n");
                    let _ = poll_once(&mut Box::pin(stream.write(&text))).await;
                }
            }
            Step::Read(which) => {
                if let Some(stream) = self.stream(which) {
                    let _ = poll_once(&mut Box::pin(stream.read(&mut [0; 100]))).await;
                }
            }
            Step::Shutdown(which) => {
                if let Some(stream) = self.stream(which) {
                    let _ = stream.shutdown().await;
                }
            }
            Step::Reset(which) => {
                if let Some(stream) = self.take(which) {
                    stream.reset();
                }
            }
            Step::Drop(which) => drop(self.take(which)),
            Step::Close(which) => {
                if let Some(stream) = self.take(which) {
                    let _ = stream.close(SECOND).await;
                }
            }
            Step::Fault(which) => {
                if let Some(stream) = self.stream(which) {
                    let error = net_core::Error::new(ErrorKind::BadFrame, net_core::Operation::Read);
                    stream.fault(&error);
                }
            }
            Step::IntoFramed(which) => {
                if let Some(stream) = self.take(which) {
                    let limits = FramedLimits::default()
                        .high_water(100)
                        .write_timeout(5 * SECOND)
                        .frame_timeout(3 * SECOND)
                        .idle_timeout(10 * SECOND);
                    self.framed
                        .push(Framed::with_limits(stream, Line::default().max(60), limits));
                }
            }
            Step::Frame(which) => {
                if let Some(framed) = self.framed(which) {
                    let _ = poll_once(&mut Box::pin(framed.next())).await;
                }
            }
            Step::FrameAnswered(which) => {
                if let Some(framed) = self.framed(which)
                    && let Ok(Ok(Some((line, mut out)))) = net.timeout(SECOND, framed.next()).await
                {
                    let _ = out.push(&line);
                }
            }
            Step::OutOfFramed(which) => {
                if let Some(framed) = self.take_framed(which) {
                    let stream = net.timeout(SECOND, framed.into_stream()).await;
                    self.streams.extend(stream.into_iter().flatten());
                }
            }
            Step::CloseFramed(which) => {
                if let Some(framed) = self.take_framed(which) {
                    framed.close(SECOND).await;
                }
            }
            Step::Upgrade(which) => self.upgrade(net, which).await,
            Step::Sleep(seconds) => net.sleep(seconds * SECOND).await,
        }
    }

    /// What the peer sends is no TLS, or nothing at all: the upgrade fails or is given up.
    #[cfg(feature = "tls")]
    async fn upgrade(&mut self, net: &Net, which: usize) {
        let tls = net_core::TlsClient::builder()
            .dangerously_accept_any_certificate()
            .build()
            .unwrap();
        if let Some(stream) = self.stream(which) {
            let upgrade = stream.upgrade_tls_client(&tls, "localhost");
            let _ = net.timeout(Duration::from_secs(which as u64 % 20), upgrade).await;
        }
    }

    #[cfg(not(feature = "tls"))]
    async fn upgrade(&mut self, _: &Net, _: usize) {}
}

/// Whatever the steps, each connection opens and closes exactly once.
async fn once_each(at: &str, steps: Vec<Step>, reject: bool) {
    let (net, events) = Events::of(&net());
    let options =
        BindOptions::default()
            .max_connections(3)
            .when_full(if reject { WhenFull::Reject } else { WhenFull::Queue });
    let mut listener = net.bind_with(&at.parse().unwrap(), &options).await.unwrap();
    let mut open = Open::default();
    for step in steps {
        open.run(&net, &mut listener, step).await;
        let stats = net.stats();
        let opened = |event: &&NetEvent| matches!(event.kind, EventKind::Opened { .. });
        assert_eq!(stats.opened, events.all().iter().filter(opened).count() as u64);
        assert_eq!(stats.open() as usize, open.streams.len() + open.framed.len());
    }
    drop((open, listener));
    settle().await;
    events.check_all_closed(&net);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_connection_opens_and_closes_exactly_once_whatever_happens_between(
        steps in prop::collection::vec(step(), 0..80),
        reject in any::<bool>(),
    ) {
        Backend::JumpingTokio.run(once_each("mem:events", steps.clone(), reject));
        Backend::VirtualNetwork.run(once_each("tcp://127.0.0.1:0", steps.clone(), reject));
        Backend::BadLink.run(once_each("tcp://127.0.0.1:0", steps, reject));
    }
}

/// Runs something on one end of a pipe, and tells how that end's life ended.
async fn end_of<T>(work: impl AsyncFnOnce(Stream, Stream) -> T) -> (ClosedBy, Option<ErrorKind>) {
    let (net, events) = Events::of(&net());
    let (here, there) = Stream::pair(&net);
    let id = here.id();
    drop(work(here, there).await);
    settle().await;
    events.check_all_closed(&net);
    let (by, cause) = events.end_of(id).unwrap();
    (by, cause.map(|error| error.kind()))
}

async fn who_closed_a_connection_and_why_is_told() {
    let dropped = end_of(async |_, _| {}).await;
    assert_eq!(dropped, (ClosedBy::Local, None));

    let shut_down_here_first = end_of(async |mut here: Stream, there: Stream| {
        here.shutdown().await.unwrap();
        drop(there);
        here.read(&mut [0; 1]).await.unwrap()
    });
    assert_eq!(shut_down_here_first.await, (ClosedBy::Local, None));

    let ended_there_first = end_of(async |mut here: Stream, there: Stream| {
        drop(there);
        assert_eq!(here.read(&mut [0; 1]).await.unwrap(), 0);
        here.shutdown().await.unwrap();
    });
    assert_eq!(ended_there_first.await, (ClosedBy::Peer, None));

    let reset_there = end_of(async |mut here: Stream, there: Stream| {
        there.reset();
        here.read(&mut [0; 1]).await.unwrap_err();
    });
    assert_eq!(reset_there.await, (ClosedBy::Error, Some(ErrorKind::Reset)));

    let written_in_vain = end_of(async |mut here: Stream, there: Stream| {
        drop(there);
        here.write_all(b"x").await.unwrap_err();
        // What follows from the first error changes nothing.
        here.fault(&net_core::Error::new(ErrorKind::Internal, net_core::Operation::Run));
    });
    assert_eq!(written_in_vain.await, (ClosedBy::Error, Some(ErrorKind::BrokenPipe)));

    let silent = end_of(async |here, there| {
        let limits = FramedLimits::default().idle_timeout(Duration::from_secs(1));
        Framed::with_limits(here, Line::default(), limits)
            .next()
            .await
            .unwrap_err();
        there
    });
    assert_eq!(
        silent.await,
        (ClosedBy::Error, Some(ErrorKind::Timeout(TimeoutKind::Idle)))
    );

    let bad_frame = end_of(async |here, mut there: Stream| {
        there.write_all(&[0xff; 4]).await.unwrap();
        Framed::new(here, LengthPrefix::default()).next().await.unwrap_err();
        there
    });
    assert_eq!(bad_frame.await, (ClosedBy::Error, Some(ErrorKind::FrameTooLong)));

    let truncated = end_of(async |here, mut there: Stream| {
        there.write_all(b"half a li").await.unwrap();
        drop(there);
        Framed::new(here, Line::default()).next().await.unwrap_err();
    });
    assert_eq!(truncated.await, (ClosedBy::Error, Some(ErrorKind::Truncated)));

    let closed_in_order = end_of(async |here, mut there: Stream| {
        let closing = Framed::new(here, Line::default()).close(Duration::from_secs(1));
        let (report, _) = tokio::join!(closing, async {
            assert_eq!(there.read(&mut [0; 1]).await.unwrap(), 0);
            drop(there);
        });
        assert!(report.is_clean());
    });
    assert_eq!(closed_in_order.await, (ClosedBy::Local, None));
}

async fn a_fault_that_the_connection_survives_is_an_event_between() {
    let (net, events) = Events::of(&net());
    let (here, mut there) = Stream::pair(&net);
    let id = here.id();
    there.write_all(b"much too long\nok\n").await.unwrap();
    let mut lines = Framed::new(here, Line::default().max(4));
    assert!(lines.next().await.unwrap().unwrap().0.fault().is_some());
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"ok");
    drop((lines, there));
    let life = events.about(id);
    let [
        EventKind::Opened { accepted, .. },
        EventKind::Fault(fault),
        EventKind::Closed { by, cause },
    ] = &life[..]
    else {
        panic!("{life:?}");
    };
    assert!(!accepted);
    assert_eq!(fault.kind(), ErrorKind::FrameTooLong);
    assert_eq!(fault.detail_text(), Some("13 bytes, more than the limit of 4"));
    assert_eq!((by, cause), (&ClosedBy::Local, &None));
    let stats = net.stats();
    assert_eq!(
        (stats.faults, stats.frames_in, stats.bytes_in, stats.bytes_out),
        (1, 2, 17, 17)
    );
    events.check_all_closed(&net);
}

async fn several_observers_hear_everything_and_clones_count_together() {
    let unobserved = net();
    let (net, first) = Events::of(&net());
    let (net, second) = Events::of(&net);
    drop(Stream::pair(&net));
    drop(Stream::pair(&unobserved));
    assert_eq!(first.all().len(), 4);
    assert_eq!(first.all(), second.all());
    assert_eq!(net.stats().opened, 2);
    first.check_all_closed(&net);
}

async fn an_observer_that_panics_hurts_itself_only() {
    let net = net();
    let observed = net.observed(|event| panic!("{event:?}"));
    let (here, there) = Stream::pair(&observed);
    let task = net
        .spawn(async move {
            let _here = here;
            // The connection is dropped while this panic unwinds.
            panic!("of the handler");
        })
        .unwrap();
    assert!(task.await.is_err());
    drop(there);
    assert_eq!((net.stats().opened, net.stats().closed), (2, 2));
}
