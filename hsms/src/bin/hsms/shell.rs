//! The interactive shell of `hsms connect`.

use std::path::PathBuf;
use std::process::ExitCode;

use hsms::Connection;
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::connect::{exchange_all, parse};
use crate::signal::Signals;
use crate::{INTERRUPTED, failed};

/// Most lines that the history keeps.
const HISTORY: usize = 1000;

pub(crate) fn run(runtime: &Runtime, host: &Connection, signals: &mut Signals) -> ExitCode {
    match converse(runtime, host, signals) {
        Ok(code) => code,
        Err(error) => failed(&format!("the terminal: {error}")),
    }
}

fn converse(runtime: &Runtime, host: &Connection, signals: &mut Signals) -> rustyline::Result<ExitCode> {
    let terminal = Terminal::new();
    let config = Config::builder().max_history_size(HISTORY)?.build();
    let editor = DefaultEditor::with_config(config)?;
    println!(
        "selected at {}; messages are SML, as in `S1F1 W`; Ctrl-D leaves",
        host.endpoint()
    );
    let (prompt, prompts) = mpsc::channel(1);
    let (to, mut lines) = mpsc::channel(1);
    // Where it waits for a key nobody can wake it.
    std::thread::spawn(move || edit(editor, prompts, &to));
    loop {
        let line = runtime.block_on(async {
            // After its end there are no lines.
            let _ = prompt.send(()).await;
            tokio::select! {
                biased;
                () = signals.terminate() => None,
                line = lines.recv() => Some(line),
            }
        });
        let line = match line {
            Some(Some(Ok(line))) => line,
            Some(Some(Err(ReadlineError::Interrupted))) => continue,
            Some(Some(Err(ReadlineError::Eof)) | None) => return Ok(ExitCode::SUCCESS),
            Some(Some(Err(error))) => return Err(error),
            None => {
                terminal.restore();
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        if line.trim().is_empty() {
            continue;
        }
        match parse(&line) {
            Ok(messages) => drop(exchange_all(runtime, host, &messages, signals)),
            Err(error) => eprintln!("hsms: {error}"),
        }
        if signals.terminated() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
}

/// Reads a line for each prompt, and keeps the history: after each line, since the program may end at any.
fn edit(mut editor: DefaultEditor, mut prompts: mpsc::Receiver<()>, lines: &mpsc::Sender<rustyline::Result<String>>) {
    let mut history = history_file();
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    while prompts.blocking_recv().is_some() {
        let line = editor.readline("> ");
        if let Ok(line) = &line
            && !line.trim().is_empty()
        {
            // Without a history one still can work.
            let _ = editor.add_history_entry(line);
            if let Some(path) = &history
                && let Err(error) = keep(&mut editor, path)
            {
                eprintln!("hsms: the history can't be saved in {}: {error}", path.display());
                history = None;
            }
        }
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

fn keep(editor: &mut DefaultEditor, path: &std::path::Path) -> rustyline::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    editor.append_history(path)
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("hsms/history"))
}

/// The terminal as it was, for an end while a line is being edited.
struct Terminal {
    #[cfg(unix)]
    modes: Option<nix::sys::termios::Termios>,
}

impl Terminal {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            modes: nix::sys::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }

    /// Also ends the bracketed paste that the editor has begun, and the line.
    #[cfg(unix)]
    fn restore(&self) {
        if let Some(modes) = &self.modes {
            // There is nobody to tell.
            let _ = nix::sys::termios::tcsetattr(std::io::stdin(), nix::sys::termios::SetArg::TCSADRAIN, modes);
        }
        println!("\x1b[?2004l");
    }

    #[cfg(not(unix))]
    fn restore(&self) {}
}
