//! A chat room over WebSocket, with a page to try it in a browser; or with three simulated guests, in virtual time.
//!
//! ```text
//! cargo run -p sim-io --features websocket --example chat_room -- tcp://127.0.0.1:8080     then open http://127.0.0.1:8080
//! cargo run -p sim-io --features websocket --example chat_room -- --virtual tcp://server:80
//! ```
//!
//! It first prints `listening on ENDPOINT`, with the real port where 0 was asked for. A WebSocket on any path joins the
//! room, under the name in `?name=`; each text that it sends goes to everyone in the room, as `name: text`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use net_core::{Endpoint, Net};
use sim_io::http::{About, HeaderValue, Reply, Request, Response, Server, StatusCode, header};
use sim_io::network::{Link, Network};
use sim_io::websocket::{self, CloseReason, Message, Options, Reader, Text, WebSocket, Writer};
use sim_io::{Environment, Event, Failure, RunError};
use tokio::sync::mpsc;

const USAGE: &str = "usage: chat_room [--real | --virtual] [ENDPOINT]";

/// How many texts may wait for a guest who is slow; with more, they have to leave.
const MOST_WAITING: usize = 256;

/// The room: who is in it, and where to reach them.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Guests>>);

#[derive(Default)]
struct Guests {
    counted: u64,
    present: BTreeMap<u64, mpsc::Sender<Text>>,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> (u64, mpsc::Receiver<Text>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let mut guests = self.lock();
        guests.counted += 1;
        let number = guests.counted;
        guests.present.insert(number, sender);
        (number, receiver)
    }

    fn leave(&self, number: u64) {
        self.lock().present.remove(&number);
    }

    fn say(&self, text: String) {
        let text = Text::from(text);
        // Whoever can't keep up loses their place, and hears of it by the end of the channel.
        self.lock()
            .present
            .retain(|_, guest| guest.try_send(text.clone()).is_ok());
    }
}

/// A guest, from the door to the end.
async fn guest(room: Room, name: Option<String>, socket: WebSocket) -> Result<(), websocket::Error> {
    let (number, texts) = room.enter();
    let name = name.unwrap_or_else(|| format!("guest {number}"));
    room.say(format!("* {name} has come"));
    let (reader, writer) = socket.split();
    let outcome = {
        let (says, hears) = (Box::pin(says(&room, &name, reader)), Box::pin(hears(texts, writer)));
        match select(says, hears).await {
            Either::Left((outcome, _)) => outcome,
            // They were too slow: the close is on its way, and they may have the last word.
            Either::Right((outcome, says)) => match outcome {
                Ok(()) => says.await,
                failed => failed,
            },
        }
    };
    room.leave(number);
    room.say(format!("* {name} has gone"));
    outcome
}

async fn says(room: &Room, name: &str, mut reader: Reader) -> Result<(), websocket::Error> {
    while let Some(message) = reader.recv().await? {
        if let Some(text) = message.as_text() {
            room.say(format!("{name}: {text}"));
        }
    }
    Ok(())
}

async fn hears(mut texts: mpsc::Receiver<Text>, mut writer: Writer) -> Result<(), websocket::Error> {
    while let Some(text) = texts.recv().await {
        writer.send(Message::Text(text)).await?;
    }
    writer.close(CloseReason::GOING_AWAY, "too slow").await
}

/// The name in the query, if it is a sensible one: letters, digits, spaces and the like.
fn name_of(request: &Request) -> Option<String> {
    let pairs = request.uri().query()?.split('&');
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == "name")?
        .1;
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    let name: String = String::from_utf8(bytes)
        .ok()?
        .chars()
        .filter(|c| !c.is_control())
        .take(20)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Answers a request: the page, or the room.
fn answer(room: &Room, mut request: Request) -> Response {
    let name = name_of(&request);
    if request.headers().contains_key(header::UPGRADE) {
        let options = Options::default().max_message(4096);
        let Some(about) = About::of(&request).cloned() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        return match websocket::upgrade(&mut request, options) {
            Ok((response, pending)) => {
                let (room, net) = (room.clone(), about.net().clone());
                let work = async move {
                    if let Err(error) = async { guest(room, name, pending.await?).await }.await {
                        eprintln!("{}: {error}", about.peer());
                    }
                };
                match net.spawn(work) {
                    Ok(_) => response,
                    Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
                }
            }
            Err(rejection) => rejection.into_response(),
        };
    }
    if request.uri().path() != "/" {
        return (StatusCode::NOT_FOUND, "there is only the room\n").into_response();
    }
    let mut page = include_str!("chat_room.html").into_response();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    page.headers_mut().insert(header::CONTENT_TYPE, html);
    page
}

async fn open(net: &Net, at: &Endpoint) -> Result<Endpoint, Failure> {
    let room = Room::default();
    let server = Server::new(move |request| std::future::ready(answer(&room, request)));
    let running = server.start(net, at).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", running.endpoint())?;
    out.flush()?;
    Ok(running.endpoint().clone())
}

/// A simulated guest: comes at some second, says something, hears for a while, goes.
async fn simulated(env: Environment, net: Net, at: Endpoint, name: &str, comes: u64, goes: u64) -> Result<(), Failure> {
    env.timeout(Duration::from_secs(comes)).await;
    let url = at.to_string().replace("tcp://", "ws://").replace("tls://", "wss://");
    let mut socket = websocket::connect(&net, &format!("{url}/?name={name}")).await?;
    socket.send(format!("Hi, it is second {comes}")).await?;
    let leaving = Duration::from_secs(goes - comes);
    let until = net.now() + leaving;
    while let Ok(message) = net.timeout(until - net.now(), socket.recv()).await {
        match message? {
            Some(message) => println!("{} {name} hears: {}", env.now(), message.as_text().unwrap_or_default()),
            None => return Err(Failure::text("the room has closed")),
        }
    }
    socket.close().await?;
    Ok(())
}

fn run_virtual(at: Endpoint) -> Result<(), Box<dyn std::error::Error>> {
    let env = Environment::new();
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(20)));
    let server = network.host("server")?.net();
    let opened: Event<Endpoint> = env.event();
    env.named_try_process("room", {
        let opened = opened.clone();
        async move {
            let endpoint = open(&server, &at).await?;
            opened.succeed(endpoint)?;
            Ok::<_, Failure>(())
        }
    });
    let mut guests = Vec::new();
    for (name, comes, goes) in [("Ann", 1, 9), ("Bob", 2, 6), ("Eve", 3, 5)] {
        let (own, net, opened) = (env.clone(), network.host(name)?.net(), opened.clone());
        guests.push(env.named_try_process(name, async move {
            let at = opened.await?;
            simulated(own, net, at, name, comes, goes).await
        }));
    }
    for guest in &guests {
        env.run_until(guest)?;
    }
    Ok(())
}

fn run_real(at: Endpoint) -> Result<(), Box<dyn std::error::Error>> {
    let env = Environment::in_real_time();
    let net = env.net();
    let room = env.named_try_process("room", async move {
        open(&net, &at).await?;
        // Until Ctrl-C.
        std::future::pending::<Result<(), Failure>>().await
    });
    match env.run_until(&room) {
        // The room is the whole program here: why it failed is enough.
        Err(RunError::Unhandled { failure, .. }) => Err(failure.to_string().into()),
        ended => Ok(ended?),
    }
}

fn main() -> ExitCode {
    let (mut is_virtual, mut at) = (false, None);
    for argument in std::env::args().skip(1) {
        match &*argument {
            "--virtual" => is_virtual = true,
            "--real" => is_virtual = false,
            "-h" | "--help" => {
                println!(
                    "{USAGE}\n\na chat room over WebSocket, with a page for browsers; default: tcp://127.0.0.1:8080"
                );
                return ExitCode::SUCCESS;
            }
            _ if at.is_none() && !argument.starts_with('-') => at = Some(argument),
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let default = if is_virtual {
        "tcp://server:80"
    } else {
        "tcp://127.0.0.1:8080"
    };
    let at = at.unwrap_or_else(|| default.to_owned());
    let at = if at.contains("://") { at } else { format!("tcp://{at}") };
    let outcome = match at.parse() {
        Ok(endpoint) if is_virtual => run_virtual(endpoint),
        Ok(endpoint) => run_real(endpoint),
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_room: {error}");
            ExitCode::FAILURE
        }
    }
}
