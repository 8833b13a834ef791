//! The interactive shell of `hsms connect`.

use std::path::PathBuf;
use std::process::ExitCode;

use hsms::Connection;
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};
use tokio::runtime::Runtime;

use crate::connect::{exchange_all, parse};
use crate::failed;
use crate::signal::Signals;

/// Most lines that the history keeps.
const HISTORY: usize = 1000;

pub(crate) fn run(runtime: &Runtime, host: &Connection, signals: &mut Signals) -> ExitCode {
    match converse(runtime, host, signals) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("the terminal: {error}")),
    }
}

fn converse(runtime: &Runtime, host: &Connection, signals: &mut Signals) -> rustyline::Result<()> {
    let config = Config::builder().max_history_size(HISTORY)?.build();
    let mut editor = DefaultEditor::with_config(config)?;
    let history = history_file();
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    println!(
        "selected at {}; messages are SML, as in `S1F1 W`; Ctrl-D leaves",
        host.endpoint()
    );
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        };
        if line.trim().is_empty() {
            continue;
        }
        // Without a history one still can work.
        let _ = editor.add_history_entry(&line);
        match parse(&line) {
            Ok(messages) => drop(exchange_all(runtime, host, &messages, signals)),
            Err(error) => eprintln!("hsms: {error}"),
        }
    }
    if let Some(path) = &history {
        let saved = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = saved
            .map_err(ReadlineError::from)
            .and_then(|()| editor.save_history(path))
        {
            eprintln!("hsms: the history can't be saved in {}: {error}", path.display());
        }
    }
    Ok(())
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("hsms/history"))
}
