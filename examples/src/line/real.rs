//! The shift over the operating system's sockets: the tool under an environment of its own, in real time on a thread of its
//! own, as if it were another machine; everything else under tokio.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use net_core::{Endpoint, Net, Signals};
use sim_io::{Environment, Failure};
use tokio::sync::oneshot;

use super::args::Args;
use super::clock::Clock;
use super::shift::{self, World};
use super::story::Story;
use super::tool::{self, Memory, Tool};
use super::{Failed, Outcome, outcome, tls};

/// How long starting and stopping the tool may take.
const SOON: Duration = Duration::from_secs(60);

/// Runs it; whether all checks hold.
pub(crate) fn run(args: &Args) -> Outcome<bool> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(work(args))
}

async fn work(args: &Args) -> Outcome<bool> {
    // Only who is to run for ever has to be asked to stop.
    let signals = args.serve.then(Signals::new).transpose()?;
    let net = tls::Settings::new("127.0.0.1".to_owned())?.on(&Net::os());
    let clock = Clock::new(&net, args.speed());
    let story = Story::new(&clock);
    let memory = Memory::default();
    let tool = Thread::start(&net, args, &clock, &memory).await?;

    let mut consoles = vec![loopback(args.console_port)?, "tls://127.0.0.1:0".parse()?];
    if cfg!(unix) {
        consoles.push(format!("unix:{}", socket().display()).parse()?);
    }
    let everywhere = net.clone();
    let world = World {
        net: Box::new(move |_| Ok(everywhere.clone())),
        story: story.clone(),
        tool: tool.at.clone(),
        memory: memory.clone(),
        running_controller: Rc::default(),
        faults: Arc::default(),
        consoles,
        web: loopback(args.http_port)?,
        controller: loopback(args.controller_port)?,
    };
    if args.serve {
        story.line("Until Ctrl-C:");
    }
    let world_net = net.clone();
    let stop = async move {
        let Some(mut signals) = signals else {
            return std::future::pending().await;
        };
        signals.next().await;
        // Who asks twice has no patience.
        let impatient = world_net.spawn(async move {
            signals.next().await;
            exit(130);
        });
        drop(impatient);
    };
    let record = shift::run(&world, args, stop).await?;
    tool.stop(&net).await?;
    Ok(outcome::check(&story, args, &memory, &record))
}

/// Where operators find the Unix socket.
fn socket() -> PathBuf {
    std::env::temp_dir().join(format!("line-{}.sock", std::process::id()))
}

/// Ends the program whatever it does, and leaves no socket behind.
pub(crate) fn exit(code: i32) -> ! {
    // There may be none.
    let _ = std::fs::remove_file(socket());
    std::process::exit(code)
}

fn loopback(port: u16) -> Outcome<Endpoint> {
    Ok(format!("tcp://127.0.0.1:{port}").parse()?)
}

/// The tool's thread.
struct Thread {
    at: Endpoint,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), String>>,
}

impl Thread {
    async fn start(net: &Net, args: &Args, clock: &Clock, memory: &Memory) -> Outcome<Self> {
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (end, mut ended) = oneshot::channel();
        let (at, seed) = (loopback(args.tool_port)?, args.seed);
        let (clock, memory) = (clock.clone(), memory.clone());
        std::thread::Builder::new().name("tool".into()).spawn(move || {
            let env = Environment::with_seed(seed);
            let outcome = (|| {
                env.keep_real_time(sim_io::RealTime::new(1.0)?.lenient());
                let tool = Tool {
                    env: env.clone(),
                    net: env.net(),
                    at,
                    clock,
                    memory,
                };
                let tool = env.named_try_process("tool", tool::run(tool, ready, stopped));
                env.run_until(&tool)?;
                Ok::<_, Failure>(())
            })();
            // Nobody waits for it if the demo has failed elsewhere.
            let _ = end.send(outcome.map_err(|error| error.to_string()));
        })?;
        let at = tokio::select! {
            biased;
            at = net.timeout(SOON, is_ready) => at?,
            outcome = &mut ended => return Err(Failed::text(format!("the tool can't start: {outcome:?}"))),
        };
        let at = at.map_err(|_| Failed::text("the tool ended before it could listen"))??;
        Ok(Self { at, stop, ended })
    }

    async fn stop(self, net: &Net) -> Outcome<()> {
        drop(self.stop);
        let ended = net.timeout(SOON, self.ended).await?;
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failed::new("the tool", error)),
            Err(_) => Err(Failed::text("the tool's thread panicked")),
        }
    }
}
