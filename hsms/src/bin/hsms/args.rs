//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hsms::capture::Form;
use hsms::{ConnectionOptions, Endpoint, Linktest, SessionOptions, Timers};

use crate::tls;

const ENDPOINTS: &str = "\
Endpoints:
  tcp://HOST:PORT   TCP; port 0 lets the system choose
  tls://HOST:PORT   TLS over TCP, which HSMS does not know: for those who tunnel
  unix:/PATH        a Unix socket; unix:@NAME for an abstract name

Exit codes:
  0    all went well
  1    could not listen, connect or select
  2    the command line makes no sense
  3    a request has no reply, a linktest no answer, or a recording has faults
  130  interrupted by Ctrl-C";

/// HSMS (SEMI E37) and SECS-II (SEMI E5) on the command line.
#[derive(Debug, Parser)]
#[command(name = "hsms", version, max_term_width = 120)]
pub(crate) struct Arguments {
    /// Tell on standard error what happens; -vv tells more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Be equipment: answer S1F1, S1F13 and S2F25, report what is unknown by S9F3 or S9F5.
    Listen(Box<Listen>),
    /// Be a host: send messages, print the replies as SML.
    Connect(Box<Connect>),
    /// Connect, and measure how long linktests take.
    Ping(Box<Ping>),
    /// Print the messages of a recording as SML.
    Decode(Decode),
    /// Stand between a host and an equipment, and print what passes.
    Tap(Tap),
}

#[derive(Debug, Args)]
#[command(after_help = ENDPOINTS)]
pub(crate) struct Listen {
    /// Where to listen. The first line on standard output is `listening on ENDPOINT`, with the real port.
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Endpoint,
    #[command(flatten)]
    pub(crate) session: Session,
    /// Serve many hosts at once; else one at a time.
    #[arg(long)]
    pub(crate) multi: bool,
    /// Answer primaries with the secondaries in this file of SML: S7F20 in it answers S7F19.
    #[arg(long, value_name = "FILE.sml")]
    pub(crate) respond: Option<PathBuf>,
    /// The model name in S1F2 and S1F14.
    #[arg(long, value_name = "NAME", default_value = "hsms")]
    pub(crate) mdln: String,
    /// The software revision in S1F2 and S1F14.
    #[arg(long, value_name = "REVISION", default_value = env!("CARGO_PKG_VERSION"))]
    pub(crate) softrev: String,
    #[command(flatten)]
    pub(crate) tls: tls::Listening,
}

#[derive(Debug, Args)]
#[command(after_help = ENDPOINTS)]
pub(crate) struct Connect {
    /// Where the equipment listens.
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Endpoint,
    #[command(flatten)]
    pub(crate) session: Session,
    /// Send this message, written in SML: 'S1F1 W', 'S1F3 W <L <U4 7>>'. May be given several times. Without it, messages
    /// come from standard input; on a terminal that is a shell with history.
    #[arg(short, long, value_name = "SML")]
    pub(crate) command: Vec<String>,
    /// How long to wait for being connected and selected, in seconds: time for a few tries, which are T5 apart.
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How long to wait before Select, in milliseconds: some equipment needs a moment.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) select_delay: u64,
    #[command(flatten)]
    pub(crate) tls: tls::Connecting,
}

#[derive(Debug, Args)]
#[command(after_help = ENDPOINTS)]
pub(crate) struct Ping {
    /// Where the peer listens.
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Endpoint,
    #[command(flatten)]
    pub(crate) session: Session,
    /// How many linktests to send.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// How long to wait between two of them, in seconds.
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(crate) interval: Duration,
    /// How long to wait for being connected and selected, in seconds: time for a few tries, which are T5 apart.
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) tls: tls::Connecting,
}

#[derive(Debug, Args)]
#[command(after_help = ENDPOINTS)]
pub(crate) struct Decode {
    /// The recording; standard input without it, or with `-`.
    pub(crate) file: Option<PathBuf>,
    /// What it is.
    #[arg(long, value_enum, default_value_t = RecordingForm::Auto)]
    pub(crate) form: RecordingForm,
    /// Of a capture, only connections from or to this port.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RecordingForm {
    /// Looks for itself.
    Auto,
    /// Hex digits.
    Hex,
    /// Bytes.
    Binary,
    /// A file of tcpdump or Wireshark, pcap or pcapng.
    Pcap,
}

impl From<RecordingForm> for Form {
    fn from(form: RecordingForm) -> Self {
        match form {
            RecordingForm::Auto => Self::Auto,
            RecordingForm::Hex => Self::Hex,
            RecordingForm::Binary => Self::Binary,
            RecordingForm::Pcap => Self::Capture,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = ENDPOINTS)]
pub(crate) struct Tap {
    /// Where to listen for the host, not in TLS. The first line on standard output is `listening on ENDPOINT`, with the
    /// real port.
    #[arg(value_parser = endpoint)]
    pub(crate) listen: Endpoint,
    /// Where the equipment listens.
    #[arg(value_parser = endpoint)]
    pub(crate) target: Endpoint,
    #[command(flatten)]
    pub(crate) tls: tls::Connecting,
}

/// What all sessions have.
#[derive(Debug, Args)]
pub(crate) struct Session {
    /// The session id: the device id of the equipment.
    #[arg(long, value_name = "N", default_value_t = 0)]
    session_id: u16,
    /// Reply timeout, in seconds [default: 45].
    #[arg(long, value_name = "S", value_parser = seconds)]
    t3: Option<Duration>,
    /// Time between two tries to connect, in seconds [default: 10].
    #[arg(long, value_name = "S", value_parser = seconds)]
    t5: Option<Duration>,
    /// Control transaction timeout, in seconds [default: 5].
    #[arg(long, value_name = "S", value_parser = seconds)]
    t6: Option<Duration>,
    /// Time for being selected, in seconds [default: 10].
    #[arg(long, value_name = "S", value_parser = seconds)]
    t7: Option<Duration>,
    /// Time between two bytes of a message, in seconds [default: 5].
    #[arg(long, value_name = "S", value_parser = seconds)]
    t8: Option<Duration>,
    /// Test the link after S seconds of silence; 0 for never [default: 30].
    #[arg(long, value_name = "S")]
    linktest: Option<f64>,
}

impl Session {
    pub(crate) fn options(&self) -> Result<ConnectionOptions, String> {
        let mut timers = Timers::default();
        for (given, timer) in [
            (self.t3, &mut timers.t3),
            (self.t5, &mut timers.t5),
            (self.t6, &mut timers.t6),
            (self.t7, &mut timers.t7),
            (self.t8, &mut timers.t8),
        ] {
            if let Some(time) = given {
                *timer = time;
            }
        }
        let mut session = SessionOptions::new(self.session_id).timers(timers);
        if let Some(interval) = self.linktest {
            let interval = Duration::try_from_secs_f64(interval.min(YEAR))
                .map_err(|_| "--linktest should be a number of seconds, 0 for never".to_owned())?;
            session = session.linktest((!interval.is_zero()).then(|| Linktest::every(interval)));
        }
        Ok(session.into())
    }
}

/// As good as for ever, and every clock can add it.
const YEAR: f64 = 31_536_000.0;

fn endpoint(text: &str) -> Result<Endpoint, String> {
    match text.parse() {
        Ok(Endpoint::Udp(..)) => Err("udp:// carries no HSMS: use tcp://, tls:// or unix:".to_owned()),
        Ok(Endpoint::Mem(_)) => Err("mem: works within one program only: use tcp://, tls:// or unix:".to_owned()),
        Ok(endpoint) => Ok(endpoint),
        Err(error) => Err(error.detail_text().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || "it should be a number of seconds above 0, for example 2.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| bad())?;
    match Duration::try_from_secs_f64(seconds.min(YEAR)) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(bad()),
    }
}
