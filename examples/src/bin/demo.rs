//! The sample session of a line server, over TCP, TLS and a Unix socket, as a timeline. Ends with exit code 0 only if all
//! replies were right.
//!
//! Each time: a server; a first client that pings, sends commands, a wrong one too, and disconnects; a second client that
//! comes while the first is there and waits for its turn; a third that shuts the server down.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use oneline::net_core::{ConnectOptions, Instant, Operation, TlsClient, TlsServer};
use oneline::{Client, ClientOptions, Endpoint, ErrorKind, Net, Result, Server, StopReason};

/// How long anything may take before the demo calls it wrong.
const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("-h" | "--help") => {
            println!("demo: a line server and its clients over TCP, TLS and a Unix socket, as a timeline. No options.");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("demo: it takes no arguments, so {other:?} means nothing to it");
            return ExitCode::from(2);
        }
    }
    let net = Net::os();
    let mut story = Story::new(&net);
    let outcome = match net.timeout(LIMIT * 3, all(&mut story)).await {
        Ok(outcome) => outcome,
        Err(late) => Err(late),
    };
    if let Err(error) = outcome {
        story.wrong(format_args!("{error:#}"));
    }
    println!();
    if story.wrong == 0 {
        println!("All {} replies and events were right.", story.right);
        ExitCode::SUCCESS
    } else {
        println!("{} right, {} WRONG.", story.right, story.wrong);
        ExitCode::FAILURE
    }
}

async fn all(story: &mut Story) -> Result<()> {
    let net = story.net.clone();
    session(story, &net, &"tcp://127.0.0.1:0".parse()?).await?;

    let (server, client) = certificates()?;
    let encrypted = net.with_server_tls(server).with_client_tls(client);
    session(story, &encrypted, &"tls://127.0.0.1:0".parse()?).await?;

    if cfg!(unix) {
        let path = std::env::temp_dir().join(format!("oneline-demo-{}.sock", std::process::id()));
        session(story, &net, &format!("unix:{}", path.display()).parse()?).await?;
        story.fact("server", "has removed its socket's file", !path.exists());
    }
    Ok(())
}

/// A certificate for this run, and trust in it.
fn certificates() -> Result<(TlsServer, TlsClient)> {
    let failed = |error: rcgen::Error| oneline::Error::new(ErrorKind::Internal, Operation::Configure).because(error);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(failed)?;
    let certificate = made.cert.pem();
    let key = made.signing_key.serialize_pem();
    Ok((
        TlsServer::builder()
            .identity_pem(certificate.as_bytes(), key.as_bytes())
            .build()?,
        TlsClient::builder().root_pem(certificate.as_bytes()).build()?,
    ))
}

async fn session(story: &mut Story, net: &Net, endpoint: &Endpoint) -> Result<()> {
    let server = Server::new(async |command| match (command.is_invalid(), command.text()) {
        (true, text) => vec![format!("nak - not text: {text}")],
        (_, "cmd01") => vec!["ack".to_owned()],
        (_, "list") => vec!["one".to_owned(), "two".to_owned(), "three".to_owned()],
        (_, "quiet") => vec![],
        _ => vec!["nak - unknown cmd".to_owned()],
    });
    let running = server.start(net, endpoint).await?;
    let endpoint = running.endpoint().clone();
    println!();
    story.tell("server", format_args!("listens on {endpoint}"));

    let mut first = connect(story, net, &endpoint, "client 1").await?;
    story.ask("client 1", &mut first, "ping", &["pong"]).await?;
    story.ask("client 1", &mut first, "cmd01", &["ack"]).await?;
    story
        .ask("client 1", &mut first, "list", &["one", "two", "three"])
        .await?;
    story.ask("client 1", &mut first, "quiet", &[]).await?;
    story
        .ask("client 1", &mut first, "junk", &["nak - unknown cmd"])
        .await?;

    // It is not served, its handshake not even answered, until the first has left.
    story.tell("client 2", "wants to connect, and waits for its turn");
    let (network, at) = (net.clone(), endpoint.clone());
    let second = net.spawn(async move {
        let mut second = Client::connect_with(&network, &at, patient()).await?;
        let reply = second.request("cmd01").await?;
        second.disconnect().await?;
        Ok::<_, oneline::Error>(reply)
    })?;
    story.ask("client 1", &mut first, "ping", &["pong"]).await?;
    story.fact("client 2", "is not answered yet", !second.is_finished());
    first.disconnect().await?;
    story.tell("client 1", "disconnects");
    let reply = second.await??;
    story.fact(
        "client 2",
        "had its turn, and `cmd01` was answered with `ack`",
        reply.text() == "ack",
    );

    let mut third = connect(story, net, &endpoint, "client 3").await?;
    story.ask("client 3", &mut third, "cmd01", &["ack"]).await?;
    third.shutdown().await?;
    story.tell("client 3", "→ shutdown");
    let stopped = running.wait().await;
    story.fact(
        "server",
        format_args!("stopped: {}", stopped.reason),
        stopped.reason == StopReason::Command,
    );
    let refused = Client::connect(net, &endpoint)
        .await
        .is_err_and(|error| error.kind() == ErrorKind::Refused);
    story.fact("client 4", "comes too late, and is refused", refused);
    Ok(())
}

async fn connect(story: &mut Story, net: &Net, endpoint: &Endpoint, name: &str) -> Result<Client> {
    let client = Client::connect_with(net, endpoint, patient()).await?;
    story.tell(name, "connects");
    Ok(client)
}

/// Waits for its turn as long as the demo may last.
fn patient() -> ClientOptions {
    ClientOptions::default()
        .connect(ConnectOptions::default().handshake_timeout(LIMIT))
        .handshake_timeout(LIMIT)
}

/// What happened, line by line, and how much of it was right.
struct Story {
    net: Net,
    began: Instant,
    right: usize,
    wrong: usize,
}

impl Story {
    fn new(net: &Net) -> Self {
        Self {
            net: net.clone(),
            began: net.now(),
            right: 0,
            wrong: 0,
        }
    }

    fn tell(&self, who: &str, what: impl Display) {
        let at = (self.net.now() - self.began).as_secs_f64() * 1e3;
        println!("{at:9.2} ms  {who:<9} {what}");
    }

    fn wrong(&mut self, what: impl Display) {
        self.wrong += 1;
        self.tell("WRONG", what);
    }

    fn check<T: PartialEq + std::fmt::Debug>(&mut self, who: &str, what: &str, got: &T, wanted: &T) {
        self.tell(who, format_args!("{what} {got:?}"));
        if got == wanted {
            self.right += 1;
        } else {
            self.wrong(format_args!("{wanted:?} was expected"));
        }
    }

    /// Tells something that must be so.
    fn fact(&mut self, who: &str, what: impl Display, so: bool) {
        self.tell(who, what);
        if so {
            self.right += 1;
        } else {
            self.wrong("it is not so");
        }
    }

    /// Sends a command; exactly these replies must come.
    async fn ask(&mut self, who: &str, client: &mut Client, command: &str, wanted: &[&str]) -> Result<()> {
        self.tell(who, format_args!("→ {command}"));
        let got = if command == "ping" {
            vec![client.request(command).await?]
        } else {
            client.collect(command).await?
        };
        let got: Vec<_> = got.iter().map(|reply| reply.text().into_owned()).collect();
        self.check(who, "←", &got, &wanted.iter().map(|text| (*text).to_owned()).collect());
        Ok(())
    }
}
