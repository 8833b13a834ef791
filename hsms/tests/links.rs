//! Links that are slow or silent. While a large message is on its way nothing else can be, and no test of the link may fail
//! for it; a peer that is dead is found out, whoever waits for it; and a dial that hangs can be given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hsms::session::{CloseReason, SessionEvent};
use hsms::{
    ActiveConnection, Bytes, Connection, ConnectionOptions, Delegate, Endpoint, Linktest, Message, Net,
    PassiveConnection, SessionOptions, StreamFunction, Timers,
};
use sim_io::Environment;
use sim_io::network::{Link, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Takes 67 s on the link, many times the linktest interval and T6.
const LARGE: usize = 4 << 20;

/// Answers with a large text, or sends one by itself.
struct Library {
    asked: bool,
}

impl Delegate for Library {
    async fn on_connection_established(&self, connection: &Connection) {
        if !self.asked {
            let about = StreamFunction::new(7, 3);
            connection.notify(about, vec![7; LARGE]).await.unwrap();
        }
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        connection.reply(&message.header, vec![7; LARGE]).await.unwrap();
    }
}

fn options() -> ConnectionOptions {
    let linktest = Linktest::every(Duration::from_secs(10));
    let timers = Timers::default().t3(Duration::from_secs(300));
    SessionOptions::new(0).timers(timers).linktest(linktest).into()
}

/// Runs both ends, the host's with this work; then the link is as it was.
fn over_a_slow_link<F: Future<Output = Bytes> + 'static>(asked: bool, work: impl FnOnce(Connection) -> F + 'static) {
    let env = Environment::with_seed(3);
    let network = Network::new(&env);
    network.set_default_link(Link::default().bandwidth(500_000));
    let (there, here) = (network.host("tool").unwrap().net(), network.host("host").unwrap().net());
    let process = env.process(async move {
        let equipment =
            PassiveConnection::new(&there, "tcp://tool:5000".parse().unwrap(), options(), Library { asked });
        let at = equipment.enable().await.unwrap();
        let host = ActiveConnection::new(&here, at, options(), ());
        let mut events = host.events();
        host.enable().unwrap();
        host.selected(Duration::from_secs(10)).await.unwrap();
        let text = here.timeout(Duration::from_secs(150), work(host.connection().clone()));
        let text = text.await.expect("the message comes through");
        assert_eq!(text.len(), LARGE);
        assert!(here.now().as_nanos() > 60_000_000_000, "the link was not slow");
        // And when it is over, tests go on.
        here.sleep(Duration::from_secs(60)).await;
        for end in [host.connection(), equipment.connection()] {
            let stats = end.stats();
            assert_eq!((stats.connections, stats.linktests_failed), (1, 0), "{stats:?}");
            assert!(end.is_selected());
        }
        assert!(host.stats().linktests + equipment.stats().linktests > 3);
        while let Some(event) = events.try_next() {
            assert!(!matches!(event.event, SessionEvent::Disconnected(_)), "{event:?}");
        }
        host.stop().await;
        equipment.stop().await;
    });
    env.run_until(&process).unwrap();
}

#[test]
fn a_large_reply_holds_up_no_linktest_of_the_side_that_sends_it() {
    over_a_slow_link(true, async |host: Connection| {
        host.request(StreamFunction::new(7, 5), "").await.unwrap().text
    });
}

#[test]
fn a_large_request_holds_up_no_linktest_though_for_more_than_four_intervals_no_word_can_come() {
    over_a_slow_link(true, async |host: Connection| {
        // 50 s of the slow link.
        let reply = host.request(StreamFunction::new(7, 5), vec![7; LARGE / 4 * 3]).await;
        let stats = host.stats();
        assert!(stats.linktests_forgiven > 0, "{stats:?}");
        reply.unwrap().text
    });
}

#[test]
fn a_large_message_holds_up_no_linktest_of_the_side_that_receives_it() {
    over_a_slow_link(false, async |host: Connection| {
        host.primaries().next().await.unwrap().into_message().text
    });
}

/// Reads whatever comes, answers the Select, and then nothing any more.
async fn reads_and_never_answers(net: Net, ready: tokio::sync::oneshot::Sender<Endpoint>) {
    let mut listener = net.bind(&"tcp://tool:5000".parse().unwrap()).await.unwrap();
    ready.send(listener.local().clone()).unwrap();
    let mut host = listener.accept().await.unwrap();
    let mut select = [0; 14];
    host.read_exact(&mut select).await.unwrap();
    // Select.rsp: the same, but for its kind.
    select[9] = 2;
    host.write_all(&select).await.unwrap();
    let mut rest = vec![0; 64 * 1024];
    while host.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

#[test]
fn a_peer_that_is_always_sent_to_and_never_answers_is_found_out() {
    let env = Environment::with_seed(3);
    let network = Network::new(&env);
    network.set_default_link(Link::default().bandwidth(500_000));
    let (there, here) = (network.host("tool").unwrap().net(), network.host("host").unwrap().net());
    let process = env.process(async move {
        let (ready, at) = tokio::sync::oneshot::channel();
        let peer = there.spawn(reads_and_never_answers(there.clone(), ready)).unwrap();
        // Never is everything sent; but a test leaves within seconds, long before T6 is over.
        let timers = Timers::default().t6(Duration::from_secs(30));
        let linktest = Linktest::every(Duration::from_secs(10));
        let options = ConnectionOptions::from(SessionOptions::new(0).timers(timers).linktest(linktest));
        let host = ActiveConnection::new(&here, at.await.unwrap(), options.max_output(100_000), ());
        let mut events = host.events();
        host.enable().unwrap();
        host.selected(Duration::from_secs(10)).await.unwrap();
        let streams = async {
            let about = StreamFunction::new(7, 3);
            while host.notify(about, vec![7; 20_000]).await.is_ok() {}
        };
        let ended = here.timeout(Duration::from_secs(600), streams).await;
        ended.expect("the test that nobody answers ends it");
        peer.await.unwrap();
        host.stop().await;
        let stats = host.stats();
        assert_eq!((stats.linktests_failed, stats.linktests_forgiven), (1, 0), "{stats:?}");
        let mut reasons = Vec::new();
        while let Some(event) = events.try_next() {
            if let SessionEvent::Disconnected(reason) = event.event {
                reasons.push(reason);
            }
        }
        assert!(matches!(reasons[..], [CloseReason::LinktestFailed(1)]), "{reasons:?}");
    });
    env.run_until(&process).unwrap();
}

/// What becomes of the equipment after its first reply.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// It loses power.
    Crashes,
    /// It answers no request any more, but linktests.
    Dawdles,
}

struct Answers(Fate, AtomicBool);

impl Delegate for Answers {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        if self.0 == Fate::Dawdles && self.1.swap(true, Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        connection.reply(&message.header, "IDLE").await.unwrap();
    }
}

/// A host with the default options that asks its equipment without a pause, for half an hour: it waits for a reply this
/// long, or for T3. Gives what it heard of the link after that fate, and how long after it.
fn asked_without_a_pause(fate: Fate, patience: Option<Duration>) -> Vec<(Duration, SessionEvent)> {
    let env = Environment::with_seed(3);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(2)));
    let tool = network.host("tool").unwrap();
    let (there, here) = (tool.net(), network.host("host").unwrap().net());
    let process = env.process(async move {
        let delegate = Answers(fate, AtomicBool::new(false));
        let at = "tcp://tool:5000".parse().unwrap();
        let equipment = PassiveConnection::new(&there, at, ConnectionOptions::new(0), delegate);
        let at = equipment.enable().await.unwrap();
        let host = ActiveConnection::new(&here, at, ConnectionOptions::new(0), ());
        let mut events = host.events();
        host.enable().unwrap();
        host.selected(Duration::from_secs(10)).await.unwrap();
        let about = StreamFunction::new(1, 3);
        host.request(about, "").await.unwrap();
        while events.try_next().is_some() {}
        let start = here.now();
        if fate == Fate::Crashes {
            tool.crash();
        }
        while host.is_selected() && here.now() - start < Duration::from_secs(1800) {
            let reply = host.request(about, "");
            match patience {
                Some(patience) => drop(here.timeout(patience, reply).await),
                None => drop(reply.await.unwrap_err()),
            }
        }
        // It closes what nobody answers any more.
        here.sleep(Duration::from_secs(9)).await;
        let mut heard = Vec::new();
        while let Some(event) = events.try_next() {
            heard.push((event.at - start, event.event));
        }
        heard
    });
    env.run_until(&process).unwrap()
}

#[test]
fn equipment_that_is_dead_is_found_out_by_a_host_that_always_has_a_request_open() {
    // It gives a request up after T3, or earlier by itself.
    for patience in [None, Some(Duration::from_secs(10)), Some(Duration::from_millis(700))] {
        let heard = asked_without_a_pause(Fate::Crashes, patience);
        let failed = heard
            .iter()
            .find(|(_, event)| *event == SessionEvent::LinktestFailed(1));
        let (after, _) = failed.unwrap_or_else(|| panic!("{patience:?}: not found out: {heard:?}"));
        // Four or five intervals of 30 s, and T6.
        let seconds = after.as_secs();
        assert!((124..=155).contains(&seconds), "{patience:?}: {after:?}");
        let ended = heard
            .iter()
            .any(|(_, event)| *event == SessionEvent::Disconnected(CloseReason::LinktestFailed(1)));
        assert!(ended, "{patience:?}: {heard:?}");
    }
}

#[test]
fn equipment_that_answers_linktests_but_no_request_stays_selected() {
    for patience in [None, Some(Duration::from_secs(10))] {
        let heard = asked_without_a_pause(Fate::Dawdles, patience);
        let link = |(_, event): &(_, SessionEvent)| {
            matches!(event, SessionEvent::LinktestFailed(_) | SessionEvent::Disconnected(_))
        };
        assert!(!heard.iter().any(link), "{patience:?}: {heard:?}");
    }
}

#[test]
fn p03_disabling_while_the_dial_hangs_returns_at_once_and_leaves_no_connection() {
    let env = Environment::with_seed(3);
    let network = Network::new(&env);
    let (tool, host) = (network.host("tool").unwrap(), network.host("host").unwrap());
    let (there, here) = (tool.net(), host.net());
    let process = env.process(async move {
        let equipment = PassiveConnection::new(&there, "tcp://tool:5000".parse().unwrap(), options(), ());
        let at = equipment.enable().await.unwrap();
        network.hold(&host, &tool);
        let active = ActiveConnection::new(&here, at, options(), ());
        active.enable().unwrap();
        here.sleep(Duration::from_millis(100)).await;
        let now = here.now();
        active.stop().await;
        assert_eq!(here.now(), now);
        // The dial would succeed now: nobody is there for it.
        network.release(&host, &tool);
        here.sleep(Duration::from_secs(30)).await;
        assert!(!active.is_enabled() && !active.is_connected() && !equipment.is_connected());
        assert_eq!(active.stats().connections, 0);
        // Nor does it keep the next one from coming.
        active.enable().unwrap();
        active.selected(Duration::from_secs(10)).await.unwrap();
        active.stop().await;
        equipment.stop().await;
    });
    env.run_until(&process).unwrap();
}
