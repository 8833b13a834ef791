//! `--exec PROGRAM`: a program answers.

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use oneline::net_core::{Net, race};
use oneline::{HandlerError, Replies};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// The most that a program may print for one command, in bytes.
const MAX_OUTPUT: u64 = 1 << 20;

/// Runs a program for each command: the command is its one argument and, as a line, its standard input; the lines that it
/// prints are the replies.
pub(crate) struct Program {
    net: Net,
    path: PathBuf,
    limit: Duration,
}

impl Program {
    pub(crate) fn new(net: &Net, path: PathBuf, limit: Duration) -> Self {
        Self {
            net: net.clone(),
            path,
            limit,
        }
    }

    /// Answers one command. The program is killed when it takes too long or prints too much, and when the server is
    /// aborted.
    pub(crate) async fn run(&self, command: &[u8], replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        if command.contains(&0) {
            return Err("a command for a program can't contain NUL".into());
        }
        let mut child = Command::new(&self.path)
            .arg(argument(command)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} can't be run: {error}", self.path.display()))?;
        let output = match self.net.timeout(self.limit, talk(&mut child, command)).await {
            Ok(output) => output?,
            Err(_) => return Err(format!("{} took longer than {:?}", self.path.display(), self.limit).into()),
        };
        let output = output.strip_suffix(b"\n").unwrap_or(&output);
        if output.is_empty() {
            return Ok(());
        }
        for line in output.split(|byte| *byte == b'\n') {
            replies.send(line.strip_suffix(b"\r").unwrap_or(line)).await?;
        }
        Ok(())
    }
}

async fn talk(child: &mut Child, command: &[u8]) -> Result<Vec<u8>, HandlerError> {
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let feed = async {
        if let Some(mut input) = input {
            // A program that does not read its input is fine.
            let _ = input.write_all(&[command, b"\n"].concat()).await;
        }
    };
    let collect = async {
        let mut bytes = Vec::new();
        if let Some(output) = output {
            output.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).await?;
        }
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = both(feed, collect).await?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_OUTPUT) {
        return Err(format!("the program printed more than {MAX_OUTPUT} bytes").into());
    }
    let status = child.wait().await?;
    if status.success() {
        Ok(bytes)
    } else {
        Err(format!("the program failed, {status}").into())
    }
}

/// Runs the two at once; gives what the second gives.
async fn both<T>(first: impl Future<Output = ()>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let early = race(
        async {
            first.as_mut().await;
            None
        },
        async { Some(second.as_mut().await) },
    );
    match early.await {
        None => second.await,
        Some(value) => {
            first.await;
            value
        }
    }
}

#[cfg(unix)]
fn argument(command: &[u8]) -> Result<OsString, HandlerError> {
    use std::os::unix::ffi::OsStringExt;
    Ok(OsString::from_vec(command.to_vec()))
}

#[cfg(not(unix))]
fn argument(command: &[u8]) -> Result<OsString, HandlerError> {
    Ok(std::str::from_utf8(command)?.into())
}
