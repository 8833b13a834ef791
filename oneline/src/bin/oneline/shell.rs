//! The interactive shell of `oneline connect`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use oneline::net_core::race;
use oneline::{Client, ErrorKind, Reply};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};
use tokio::runtime::Runtime;

use crate::connect::{End, interrupt, print};

/// Most lines that the history keeps.
const HISTORY: usize = 1000;

pub(crate) fn run(runtime: &Runtime, client: &mut Client) -> End {
    match converse(runtime, client) {
        Ok(()) => End::Done,
        Err(end) => end,
    }
}

fn converse(runtime: &Runtime, client: &mut Client) -> Result<(), End> {
    let config = Config::builder().max_history_size(HISTORY).map_err(broken)?.build();
    let mut editor: Editor<Commands, FileHistory> = Editor::with_config(config).map_err(broken)?;
    let history = history_file();
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    editor.set_helper(Some(learn(runtime, client)));
    println!("connected to {}; Tab completes, Ctrl-D leaves", client.endpoint());
    let end = loop {
        let command = match editor.readline("> ") {
            Ok(command) => command,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break Ok(()),
            Err(error) => break Err(broken(error)),
        };
        if command.is_empty() {
            continue;
        }
        // Without a history one still can work.
        let _ = editor.add_history_entry(&command);
        match ask(runtime, client, &command) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(end) => break Err(end),
        }
    };
    if let Some(path) = &history {
        let saved = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = saved
            .map_err(ReadlineError::from)
            .and_then(|()| editor.save_history(path))
        {
            eprintln!("oneline: the history can't be saved in {}: {error}", path.display());
        }
    }
    end
}

/// Sends one command and prints all replies; false if it was the last.
fn ask(runtime: &Runtime, client: &mut Client, command: &str) -> Result<bool, End> {
    let exchange = async {
        match command {
            "disconnect" => client.disconnect().await.map(|()| None),
            "shutdown" => client.shutdown().await.map(|()| None),
            // Its reply is what marks the end of all others.
            "ping" => client.request(command).await.map(|pong| Some(vec![pong])),
            command => client.collect(command).await.map(Some),
        }
    };
    let outcome = runtime.block_on(race(async { Some(exchange.await) }, async {
        interrupt().await;
        None
    }));
    let Some(outcome) = outcome else {
        // The next command's replies would be mixed with this one's, so the conversation can't go on as it was.
        return Err(End::Interrupted);
    };
    match outcome {
        Ok(Some(replies)) => {
            for reply in replies {
                print(reply.bytes())?;
            }
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(error) if matches!(error.kind(), ErrorKind::Timeout(_)) => {
            eprintln!("oneline: {error}; connecting anew");
            runtime.block_on(client.reconnect())?;
            Ok(true)
        }
        // For example a command with a NUL in it: nothing was sent.
        Err(error) if client.is_connected() => {
            eprintln!("oneline: {error}");
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

/// The commands that the server's `help` tells: the words before the arguments, on each line.
fn learn(runtime: &Runtime, client: &mut Client) -> Commands {
    let mut names: BTreeSet<String> = ["disconnect", "help", "ping", "shutdown"].map(str::to_owned).into();
    let replies: Vec<Reply> = runtime.block_on(client.collect("help")).unwrap_or_default();
    if replies.len() > 1 || replies.iter().any(|reply| reply.text().contains(" - ")) {
        for reply in &replies {
            let text = reply.text();
            let words = text
                .split_whitespace()
                .take_while(|word| !word.starts_with(['<', '[', '-']));
            let name = words.collect::<Vec<_>>().join(" ");
            if !name.is_empty() && !name.ends_with(':') {
                names.insert(name);
            }
        }
    }
    Commands(names)
}

struct Commands(BTreeSet<String>);

impl Completer for Commands {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let begun = line.get(..position).unwrap_or_default();
        let fitting = self.0.iter().filter(|name| name.starts_with(begun));
        Ok((0, fitting.cloned().collect()))
    }
}

impl Hinter for Commands {
    type Hint = String;
}

impl Highlighter for Commands {}
impl Validator for Commands {}
impl Helper for Commands {}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("oneline/history"))
}

fn broken(error: ReadlineError) -> End {
    match error {
        ReadlineError::Io(error) => End::Broken(error),
        error => End::Broken(std::io::Error::other(error.to_string())),
    }
}
