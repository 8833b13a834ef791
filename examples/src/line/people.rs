//! The people of the shift: operators at consoles, someone with `nc`, a display on the wall, a supervisor who asks the page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_core::{Endpoint, Net};
use oneline::{Client, ClientOptions};
use sim_io::{http, websocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::clock::minutes;
use super::story::{Story, lock};
use super::tally::Tally;
use super::{Failed, Outcome};

/// How long anyone waits for their turn at the console, and for a reply.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the people have asked, and what came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Mutex<(u64, u64)>>);

impl Asked {
    /// A question, and whether there was an answer.
    fn note(&self, answered: bool) {
        let (asked, answers) = &mut *lock(&self.0);
        *asked += 1;
        *answers += u64::from(answered);
    }

    /// How many questions there were, and answers.
    pub(crate) fn counts(&self) -> (u64, u64) {
        *lock(&self.0)
    }
}

/// Someone with a way to the line.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) net: Net,
    /// The consoles; the first is the one that all use who can.
    pub(crate) consoles: Vec<Endpoint>,
    pub(crate) web: Endpoint,
    pub(crate) story: Story,
    pub(crate) asked: Asked,
}

impl Person {
    /// Uses a console of another kind, if there is one.
    pub(crate) fn over(mut self, scheme: &str) -> Self {
        self.consoles
            .sort_by_key(|console| !console.to_string().starts_with(scheme));
        self
    }

    fn console(&self) -> Outcome<&Endpoint> {
        self.consoles.first().ok_or_else(|| Failed::text("there is no console"))
    }

    /// Goes to the console at a time of the shift, gives these commands, and leaves.
    pub(crate) async fn operates(
        self,
        name: &'static str,
        at: Duration,
        commands: &'static [&'static str],
    ) -> Outcome<()> {
        self.story.clock().until(at).await;
        let options = ClientOptions::default()
            .handshake_timeout(PATIENCE)
            .reply_timeout(PATIENCE);
        let mut client = Client::connect_with(&self.net, self.console()?, options).await?;
        for command in commands {
            let replies = client.collect(command).await;
            self.asked
                .note(replies.as_ref().is_ok_and(|replies| !replies.is_empty()));
            for reply in replies? {
                self.story.tell(name, format_args!("{command}: {reply}"));
            }
        }
        client.disconnect().await?;
        Ok(())
    }

    /// The same by hand: what `printf 'status\nlots\n' | nc -N` does.
    pub(crate) async fn uses_nc(self, name: &'static str, at: Duration, typed: &'static str) -> Outcome<()> {
        self.story.clock().until(at).await;
        let mut stream = self.net.connect(self.console()?).await?;
        stream.write_all(typed.as_bytes()).await?;
        stream.shutdown().await?;
        let mut said = String::new();
        let read = self.net.timeout(PATIENCE, stream.read_to_string(&mut said)).await;
        let lines = said.lines().count();
        for command in 0..typed.lines().count() {
            self.asked.note(lines > command);
        }
        read??;
        for line in said.lines() {
            self.story.tell(name, format_args!("nc: {line}"));
        }
        Ok(())
    }

    /// Begins a command at the console and never ends it; the console hangs up. How long that took.
    pub(crate) async fn falls_asleep(self, name: &'static str, at: Duration) -> Outcome<Duration> {
        self.story.clock().until(at).await;
        let mut stream = self.net.connect(self.console()?).await?;
        stream.write_all(b"sta").await?;
        let began = self.story.clock().now();
        self.story.tell(name, "types `sta` at the console, and falls asleep");
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = self.net.timeout(minutes(30), stream.read_to_end(&mut rest)).await?;
        let slept = self.story.clock().now().saturating_sub(began);
        self.story.tell(
            name,
            format_args!("the console has hung up after {} s; the next may come", slept.as_secs()),
        );
        Ok(slept)
    }

    /// Asks the page how the line is.
    pub(crate) async fn asks_the_page(self, name: &'static str, at: Duration) -> Outcome<()> {
        self.story.clock().until(at).await;
        let client = http::Client::new(&self.net);
        let answer = async {
            let mut response = client.get(&url("http", &self.web, "/status")).await?;
            let status = response.status();
            Ok::<_, http::Error>((status, response.body_mut().text().await?))
        };
        let answer = self.net.timeout(PATIENCE, answer).await?;
        self.asked.note(answer.is_ok());
        let (status, text) = answer?;
        let books: serde_json::Value = serde_json::from_str(&text)?;
        let count = |what: &str| books[what].as_array().map_or(0, Vec::len);
        let line = books["line"].as_str().unwrap_or("without controller");
        let (lots, alarms) = (count("lots"), count("alarms"));
        self.story.tell(
            name,
            format_args!("GET /status: {status}, the line is {line}, {lots} lots, {alarms} alarms"),
        );
        Ok(())
    }

    /// A display on the wall: sees all events until the shift is over; what it saw.
    pub(crate) async fn watches(self, ready: tokio::sync::oneshot::Sender<()>) -> Outcome<Tally> {
        let mut socket = websocket::connect(&self.net, &url("ws", &self.web, "/events")).await?;
        let mut seen = Tally::default();
        let mut ready = Some(ready);
        while let Some(message) = socket.recv().await? {
            // The first says how things are: from there on it sees everything.
            if let Some(ready) = ready.take() {
                let _ = ready.send(());
            }
            let message: serde_json::Value = serde_json::from_str(message.as_text().unwrap_or_default())?;
            match message["what"].as_str() {
                Some("event") => {
                    let serial = message["serial"].as_u64().and_then(|serial| u32::try_from(serial).ok());
                    seen.note(serial.ok_or_else(|| Failed::text("an event without a number"))?);
                }
                Some("over") => break,
                _ => {}
            }
        }
        socket.close().await?;
        Ok(seen)
    }
}

fn url(scheme: &str, at: &Endpoint, path: &str) -> String {
    at.to_string().replacen("tcp", scheme, 1) + path
}
