//! Programs as components.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;

use crate::component::{Component, Outcome};
use crate::threaded::in_thread;
use crate::{Boxes, Context, Failure, Inbox, Outbox, link};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// A program: `inbox` is its standard input, `outbox` its standard output.
///
/// When the producer has finished, everything that was sent is written and the program's input is closed; what it still
/// writes is passed on until it closes its output and ends. Told to end at once, it is killed. A program that fails fails
/// the component, with its status. The threads that serve it end with its pipes.
#[derive(Boxes, Debug)]
pub struct UnixProcess {
    /// Standard input.
    inbox: Inbox<Bytes>,
    /// Standard output.
    outbox: Outbox<Bytes>,
    /// Standard error.
    stderr: Outbox<Bytes>,
    command: Command,
}

impl UnixProcess {
    /// A command line, for the shell.
    pub fn shell(line: &str) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(line);
        Self::new(command)
    }

    /// A command; its three streams are the component's.
    pub fn new(command: Command) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            stderr: Outbox::new(),
            command,
        }
    }

    /// Where the program's standard error comes out.
    pub fn stderr(&self) -> &Outbox<Bytes> {
        &self.stderr
    }
}

/// Kills the program when nobody waits for it any more.
struct Kill(Child);

impl Drop for Kill {
    fn drop(&mut self) {
        // One that has ended is not killed, and its status is taken, so that no zombie is left.
        if self.0.kill().is_ok() {
            let _ = self.0.wait();
        }
    }
}

impl Component for UnixProcess {
    async fn main(mut self, context: Context) -> Outcome {
        let command = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = Kill(command.spawn()?);
        let (Some(input), Some(output), Some(errors)) =
            (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take())
        else {
            return Err(Failure::new("the program has no pipes"));
        };
        let output = reader(output);
        let errors = reader(errors);
        link(&output.outbox, &self.outbox)?;
        link(&errors.outbox, &self.stderr)?;
        let (output, errors) = (context.spawn(output)?, context.spawn(errors)?);
        let writer = Writer {
            inbox: Inbox::new(),
            input: Box::new(input),
        };
        link(&self.inbox, &writer.inbox)?;
        let writer = context.spawn(writer)?;
        let work = async {
            output.clone().await;
            errors.clone().await;
        };
        let finish = async {
            context.finishing().await;
            writer.finish();
            std::future::pending::<()>().await;
        };
        context.run(crate::first(work, finish)).await?;
        // It has closed its output: mostly it has ended, too.
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            context.sleep(pause).await?;
            pause = (pause * 2).min(Duration::from_millis(100));
        };
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("the program has ended with {status}")))
        }
    }
}

/// Writes to a program, and closes its input at the end.
#[derive(Boxes)]
struct Writer {
    inbox: Inbox<Bytes>,
    input: Box<dyn Write + Send>,
}

impl Component for Writer {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("ProcessWriter", context, move |_| {
            while let Some(bytes) = self.inbox.recv_blocking() {
                self.input.write_all(&bytes)?;
                self.input.flush()?;
            }
            Ok(())
        })
        .await
    }
}

/// Reads from a program.
#[derive(Boxes)]
struct Reader {
    outbox: Outbox<Bytes>,
    output: Box<dyn Read + Send>,
}

fn reader(output: impl Read + Send + 'static) -> Reader {
    Reader {
        outbox: Outbox::new(),
        output: Box::new(output),
    }
}

impl Component for Reader {
    async fn main(mut self, context: Context) -> Outcome {
        in_thread("ProcessReader", context, move |context| {
            let mut buffer = vec![0; PIECE];
            while !context.is_stopped() {
                let count = self.output.read(&mut buffer)?;
                let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                    break;
                };
                self.outbox.send_blocking(Bytes::copy_from_slice(bytes))?;
            }
            Ok(())
        })
        .await
    }
}
