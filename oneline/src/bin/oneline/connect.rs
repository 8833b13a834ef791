//! `oneline connect`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use oneline::net_core::{ConnectOptions, Net, TlsClient, TlsClientBuilder, race};
use oneline::{Client, ClientOptions, Error, ErrorKind};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::runtime::Runtime;

use crate::args::{Connect, Expected};
use crate::{FAILED, INTERRUPTED, TIMEOUT, USAGE, failed, shell};

pub(crate) fn run(runtime: &Runtime, arguments: &Connect) -> ExitCode {
    let options = match options(arguments) {
        Ok(options) => options,
        Err(error) => return failed(&format!("{error:#}")),
    };
    let net = Net::os();
    if let Some(unsent) = unsent(&arguments.command) {
        eprintln!("oneline: {unsent:?} could never be sent: it comes after `disconnect` or `shutdown`");
        return ExitCode::from(USAGE);
    }
    let connecting = async {
        let connected = async { Some(Client::connect_with(&net, &arguments.endpoint, options).await) };
        race(connected, async {
            interrupt().await;
            None
        })
        .await
    };
    let mut client = match runtime.block_on(connecting) {
        Some(Ok(client)) => client,
        Some(Err(error)) => return failed(&format!("{error:#}")),
        None => return ExitCode::from(INTERRUPTED),
    };
    let shown = arguments.command.is_empty() && std::io::stdin().is_terminal();
    let end = if shown {
        shell::run(runtime, &mut client)
    } else {
        runtime.block_on(race(commands(&mut client, arguments), async {
            interrupt().await;
            End::Interrupted
        }))
    };
    // So that a server of the original's kind goes on too. If the link is gone, there is nobody to tell.
    runtime.block_on(async {
        let _ = client.disconnect().await;
    });
    end.code()
}

/// The first command behind one that ends the connection.
fn unsent(commands: &[String]) -> Option<&String> {
    let last = commands
        .iter()
        .position(|command| command == "disconnect" || command == "shutdown")?;
    commands.get(last + 1)
}

/// How a conversation ended.
pub(crate) enum End {
    Done,
    Failed(Error),
    /// Standard input or output, not the network.
    Broken(std::io::Error),
    Interrupted,
}

impl End {
    fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
            Self::Broken(error) => failed(&format!("standard input or output: {error}")),
            Self::Failed(error) => {
                eprintln!("oneline: {error:#}");
                ExitCode::from(match error.kind() {
                    ErrorKind::Timeout(_) => TIMEOUT,
                    _ => FAILED,
                })
            }
        }
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Ctrl-C.
pub(crate) async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // It can't be caught: then it ends the program at once, as usual.
        std::future::pending::<()>().await;
    }
}

fn options(arguments: &Connect) -> oneline::Result<ClientOptions> {
    let mut connect = ConnectOptions::default()
        .timeout(arguments.timeout)
        .handshake_timeout(arguments.timeout);
    if arguments.endpoint.is_tls() {
        connect = connect.tls(tls(arguments)?);
    }
    Ok(ClientOptions::default()
        .connect(connect)
        .handshake(!arguments.no_handshake)
        .handshake_timeout(arguments.timeout)
        .reply_timeout(arguments.timeout))
}

fn tls(arguments: &Connect) -> oneline::Result<TlsClient> {
    let mut tls: TlsClientBuilder = TlsClient::builder();
    if let Some(issuers) = &arguments.tls_ca {
        tls = tls.root_file(issuers);
    }
    if arguments.tls_insecure {
        tls = tls.dangerously_accept_any_certificate();
    }
    if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
        tls = tls.identity_files(certificate, key);
    }
    tls.build()
}

async fn commands(client: &mut Client, arguments: &Connect) -> End {
    let outcome = if arguments.command.is_empty() {
        script(client, arguments.replies).await
    } else {
        given(client, arguments).await
    };
    match outcome {
        Ok(()) => End::Done,
        Err(end) => end,
    }
}

async fn given(client: &mut Client, arguments: &Connect) -> Result<(), End> {
    for command in &arguments.command {
        if !one(client, command.as_bytes(), arguments.replies).await? {
            break;
        }
    }
    Ok(())
}

async fn script(client: &mut Client, replies: Expected) -> Result<(), End> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let command = line.strip_suffix(b"\n").unwrap_or(&line);
        let command = command.strip_suffix(b"\r").unwrap_or(command);
        if command.is_empty() || command.starts_with(b"#") {
            continue;
        }
        if !one(client, command, replies).await? {
            return Ok(());
        }
    }
}

/// Sends one command and prints its replies; false if it was the last that makes sense.
async fn one(client: &mut Client, command: &[u8], replies: Expected) -> Result<bool, End> {
    match command {
        b"disconnect" => {
            client.disconnect().await?;
            return Ok(false);
        }
        b"shutdown" => {
            client.shutdown().await?;
            return Ok(false);
        }
        _ => {}
    }
    match replies {
        Expected::Count(count) => {
            client.send(command).await?;
            for _ in 0..count {
                print(client.recv().await?.bytes())?;
            }
        }
        // Its one reply is what marks the end of all others.
        Expected::All if command == b"ping" => print(client.request(command).await?.bytes())?,
        Expected::All => {
            for reply in client.collect(command).await? {
                print(reply.bytes())?;
            }
        }
    }
    Ok(true)
}

/// Prints a reply at once, byte for byte.
pub(crate) fn print(reply: &[u8]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(reply)?;
    output.write_all(b"\n")?;
    output.flush()
}
