//! Both ends of a session, to try against secsgem; and items, to compare with secsgem's.
//!
//! ```text
//! cargo run -p hsms --features gem --example secsgem_peer -- serve ROUNDS             equipment: secsgem is the host, and connects
//! cargo run -p hsms --features gem --example secsgem_peer -- connect ENDPOINT ROUNDS  the host of secsgem's equipment
//! cargo run -p hsms --features gem --example secsgem_peer -- make COUNT               prints random items
//! cargo run -p hsms --features gem --example secsgem_peer -- check                    reads items from standard input, and compares
//! ```
//!
//! `serve` prints `listening on ENDPOINT` first. In each round, which is one connection, each end asks the other for a
//! linktest, S1F1 and loopbacks, then tells it by S10F1 (the equipment) or S10F3 (the host) that it has checked all; the
//! host leaves when both have. A line is printed for each check, and the first that fails ends the program with exit code 1.
//! An item is a line: its bytes in hex, a tab, its SML.
//!
//! `connect` selects when it reads `connected` from its standard input, and connects again after any other line: secsgem
//! answers a Select that comes early but never applies it, and a peer that comes back early kills it.

use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hsms::gem::{Commack, Gem, Model, S1F1, S1F2, S1F13, S2F25, S10F1, S10F3, Terminal};
use hsms::item::Item;
use hsms::session::{CloseReason, SessionEvent};
use hsms::{
    ActiveConnection, Bytes, Connection, ConnectionOptions, Endpoint, Events, Header, Net, PassiveConnection,
    SessionOptions, StreamFunction, Timers, sml,
};
use tokio::sync::{Notify, mpsc};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// secsgem takes 16 s to read 16 MiB on a machine that does nothing else, and answers nothing meanwhile.
const LIMIT: Duration = Duration::from_secs(400);
/// How long to wait before trying again where nobody listens yet.
const REDIAL: Duration = Duration::from_secs(1);
const LARGEST: usize = (1 << 24) - 6;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", rounds] => serve(rounds.parse()?).await,
        ["connect", to, rounds] => connect(to.parse()?, rounds.parse()?).await,
        ["make", count] => {
            let mut random = Random(1);
            for number in 0..count.parse::<u64>()? {
                let item = random.item(number % 5, false);
                println!("{}\t{item}", hex(item.as_bytes()));
            }
            Ok(())
        }
        ["check"] => check_items(),
        _ => Err("usage: secsgem_peer serve ROUNDS | connect ENDPOINT ROUNDS | make COUNT | check".into()),
    }
}

/// Counts what secsgem asks, besides what every equipment and host answers.
#[derive(Clone, Default)]
struct Asked {
    s1f1: Arc<AtomicUsize>,
    loopbacks: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
    /// secsgem has checked all, in this round.
    checked: Arc<Notify>,
}

impl Asked {
    fn gem(&self, gem: Gem, model: Option<Model>) -> Gem {
        let (asked, loops, told, asked_to_show) = (self.clone(), self.clone(), self.clone(), self.clone());
        gem.on(move |_, _: S1F1| {
            asked.s1f1.fetch_add(1, Ordering::Relaxed);
            let model = model.clone();
            async { S1F2(model) }
        })
        .on_message(StreamFunction::new(2, 25), move |_, message| {
            loops.loopbacks.fetch_add(1, Ordering::Relaxed);
            loops.largest.fetch_max(message.text.len(), Ordering::Relaxed);
            async { Some(message.text) }
        })
        .on_notice(move |_, _: S10F1| {
            told.checked.notify_one();
            async {}
        })
        .on_notice(move |_, _: S10F3| {
            asked_to_show.checked.notify_one();
            async {}
        })
    }

    /// Waits until secsgem has checked all, and compares how often it asked.
    async fn checked(&self, net: &Net, round: usize) -> Outcome {
        net.timeout(LIMIT, self.checked.notified()).await?;
        let largest = usize::from(self.largest.load(Ordering::Relaxed) > LARGEST);
        check("S1F1 of secsgem's", &self.s1f1.load(Ordering::Relaxed), &round)?;
        let loopbacks = self.loopbacks.load(Ordering::Relaxed);
        check("loopbacks of secsgem's", &loopbacks, &(3 * round + largest))
    }
}

fn options() -> ConnectionOptions {
    // `connect` selects by itself. Nothing here may depend on how fast secsgem is: each limit is far off. T8 tells a message that was cut.
    let timers = Timers::default()
        .t3(LIMIT)
        .t5(REDIAL)
        .t6(LIMIT)
        .t7(LIMIT)
        .t8(Duration::from_secs(60));
    SessionOptions::new(0).timers(timers).select([]).into()
}

/// The next event of this kind.
async fn event<T>(net: &Net, events: &mut Events, kind: impl Fn(SessionEvent) -> Option<T>) -> Outcome<T> {
    loop {
        let event = net.timeout(LIMIT, events.next()).await?.ok_or("the events ended")?;
        if let Some(found) = kind(event.event) {
            return Ok(found);
        }
    }
}

/// The lines of the standard input.
fn input() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    // It ends with the program.
    thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

async fn serve(rounds: usize) -> Outcome {
    let net = Net::os();
    let model = Model {
        mdln: "MDLN".into(),
        softrev: "1.0".into(),
    };
    let asked = Asked::default();
    let gem = Arc::new(asked.gem(Gem::equipment(model.clone()), Some(model)));
    let equipment = PassiveConnection::new(&net, "tcp://127.0.0.1:0".parse()?, options(), Arc::clone(&gem));
    let mut events = equipment.events();
    println!("listening on {}", equipment.enable().await?);
    for round in 1..=rounds {
        equipment.selected(LIMIT).await?;
        gem.communicating(&net, LIMIT).await?;
        println!("round {round}: communicating");
        ask(&equipment, &[1000, 65_536, 1 << 20]).await?;
        let (terminal, text) = (Terminal(0), "checked".into());
        equipment.notify_of(&S10F1 { terminal, text }).await?;
        asked.checked(&net, round).await?;
        // It leaves by a Separate, after which the connection is closed from here.
        let reason = event(&net, &mut events, |event| match event {
            SessionEvent::Disconnected(reason) => Some(reason),
            _ => None,
        });
        check("secsgem separates", &reason.await?, &CloseReason::Separated)?;
    }
    check(
        "its largest loopback",
        &asked.largest.load(Ordering::Relaxed),
        &(LARGEST + 4),
    )?;
    counted(&equipment)?;
    equipment.stop().await;
    Ok(())
}

async fn connect(to: Endpoint, rounds: usize) -> Outcome {
    let net = Net::os();
    let asked = Asked::default();
    let gem = Arc::new(asked.gem(Gem::host(), None));
    let host = ActiveConnection::new(&net, to, options(), Arc::clone(&gem));
    let mut events = host.events();
    let mut lines = input();
    for round in 1..=rounds {
        host.enable()?;
        event(&net, &mut events, |event| {
            (event == SessionEvent::Connected).then_some(())
        })
        .await?;
        let line = net.timeout(LIMIT, lines.recv()).await?;
        check("secsgem is ready", &line.as_deref(), &Some("connected"))?;
        host.select(Header::CONTROL).await?;
        gem.communicating(&net, LIMIT).await?;
        println!("round {round}: communicating");
        let reply = host.request_of(&S1F13(None)).await?;
        check("S1F14 accepts", &reply.commack, &Commack::Accepted)?;
        check("it tells a model", &reply.model.is_some(), &true)?;
        let sizes = [1000, 65_536, 1 << 20, LARGEST];
        ask(&host, &sizes[..if round == 1 { 4 } else { 3 }]).await?;
        let (terminal, text) = (Terminal(0), "checked".into());
        // Answered, it has been read: secsgem forgets what waits in its queue when the connection ends.
        host.request_of(&S10F3 { terminal, text }).await?;
        asked.checked(&net, round).await?;
        host.stop().await;
        check("separated", &host.is_connected(), &false)?;
        if round < rounds {
            let line = net.timeout(LIMIT, lines.recv()).await?;
            check("secsgem has noticed", &line.is_some(), &true)?;
        }
    }
    counted(&host)
}

/// What our side asks of secsgem's.
async fn ask(connection: &Connection, sizes: &[usize]) -> Outcome {
    connection.linktest().await?;
    println!("linktest");
    let reply = connection.request_of(&S1F1).await?;
    check(
        "S1F2 tells a model, if it is equipment",
        &reply.0.is_some(),
        &connection.is_active(),
    )?;
    for &size in sizes {
        let bytes: Bytes = (0..size).map(|index| (index * 7 % 251) as u8).collect();
        let reply = connection.request_of(&S2F25(bytes.clone())).await?;
        check(&format!("loopback of {size} bytes"), &(reply.0 == bytes), &true)?;
    }
    Ok(())
}

fn counted(connection: &Connection) -> Outcome {
    let stats = connection.stats();
    check("no request is open", &connection.open_transactions(), &0)?;
    check("nothing was rejected", &(stats.rejected, stats.peer_rejected), &(0, 0))?;
    check("no reply was lost", &(stats.timeouts, stats.unmatched), &(0, 0))
}

fn check<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Outcome {
    if got != wanted {
        return Err(format!("{what}: got {got:?}, expected {wanted:?}").into());
    }
    println!("{what}");
    Ok(())
}

/// Compares what secsgem prints with what we make of it.
fn check_items() -> Outcome {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut count = 0;
    for line in text.lines() {
        let (bytes, shown) = line.split_once('\t').ok_or_else(|| format!("no tab in `{line}`"))?;
        let bytes = unhex(bytes)?;
        let read = Item::parse(bytes.clone()).map_err(|error| format!("{line}: {error}"))?;
        let messages = sml::parse(&format!("S1F2 {shown}.")).map_err(|error| format!("{line}: {error}"))?;
        let written = messages.first().and_then(|message| message.item.clone());
        let written = written.ok_or_else(|| format!("no item in `{line}`"))?;
        // Its bytes are ours, for its text and for what we read.
        if written.as_bytes() != bytes || Item::parse(written.clone().into_bytes())? != read {
            return Err(format!("{line}: we write {}", hex(written.as_bytes())).into());
        }
        count += 1;
    }
    println!("{count} items are the same");
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A String takes everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
    bytes.collect()
}

/// SplitMix64: the same items each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn several<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        const COUNTS: [usize; 8] = [0, 1, 1, 1, 2, 5, 40, 300];
        let count = COUNTS[self.below(8) as usize];
        (0..count).map(|_| one(self)).collect()
    }

    /// An item that secsgem can read and print: no localized text, JIS-8 not in lists, plain ASCII without quotes.
    fn item(&mut self, depth: u64, nested: bool) -> Item {
        if depth > 0 && self.below(10) > 3 {
            let count = self.below(5);
            return Item::list((0..count).map(|_| self.item(depth - 1, true)).collect::<Vec<_>>());
        }
        let text = |random: &mut Self| match random.below(127) as u8 {
            b'"' | b'\'' | b'\\' | b'~' => b' ',
            byte => byte,
        };
        match self.below(if nested { 13 } else { 14 }) {
            0 => Item::numbers(self.several(|random| random.next() as u8)),
            1 => Item::numbers(self.several(|random| random.next() as u16)),
            2 => Item::numbers(self.several(|random| random.next() as u32)),
            3 => Item::numbers(self.several(Self::next)),
            4 => Item::numbers(self.several(|random| random.next() as i8)),
            5 => Item::numbers(self.several(|random| random.next() as i16)),
            6 => Item::numbers(self.several(|random| random.next() as i32)),
            7 => Item::numbers(self.several(|random| random.next() as i64)),
            8 => Item::numbers(self.several(|random| random.next() as i32 as f32 / 7.0)),
            9 => Item::numbers(self.several(|random| random.next() as i64 as f64 / 7.0e12)),
            10 => Item::booleans(self.several(|random| random.below(2) == 1)),
            11 => Item::binary(self.several(|random| random.next() as u8)),
            12 => Item::ascii(self.several(text)),
            _ => Item::jis8(self.several(text)),
        }
    }
}
