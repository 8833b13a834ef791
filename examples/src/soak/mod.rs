//! All five models at once, for as long as one likes, with everything that goes wrong on a network; and at the end the
//! books: memory, descriptors, threads, tasks, connections, and what was sent and received.
//!
//! One thread runs tokio with the servers and clients of four models, a second one sim-io's environment in real time with
//! its own, a third one pairs of models on simulated networks. All are clients of all, by TCP and TLS.

mod books;
mod dice;
mod keepers;
mod process;
mod rude;
mod talks;
mod threads;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use net_core::{Net, Shutdown};

use books::Books;
pub use books::Report;
use process::Process;

use crate::matrix::Result;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long.
    pub lasts: Duration,
    /// Where chance begins.
    pub seed: u64,
}

impl Settings {
    /// How long it takes at least until memory is what it should stay.
    fn warm_up(&self) -> Duration {
        (self.lasts / 5).clamp(Duration::from_secs(2), Duration::from_secs(90))
    }
}

/// How often it says how things are.
const EVERY: Duration = Duration::from_secs(5);

/// How long everything may take to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs it until the time is over or `interrupted` is, and closes the books.
///
/// # Errors
/// If it can't begin.
pub fn run(
    settings: Settings,
    interrupted: impl Future<Output = ()>,
    mut tell: impl FnMut(&dyn fmt::Display),
) -> Result<Report> {
    let before = Process::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let net = Net::os();
        let books = Arc::new(Books::default());
        let stop = Shutdown::new(&net);
        let began = net.now();
        let mut crew = threads::Crew::start(settings, &net, &books, &stop).await?;
        // When memory was first read, and what it was.
        let mut warm: Option<(Duration, u64)> = None;
        let complete;
        let mut interrupted = std::pin::pin!(interrupted);
        loop {
            let left = settings.lasts.saturating_sub(net.now() - began);
            let pause = if left.is_zero() { EVERY } else { left.min(EVERY) };
            let told_to_end = tokio::select! {
                biased;
                () = &mut interrupted => true,
                () = crew.work() => false,
                () = net.sleep(pause) => false,
            };
            let now = net.now() - began;
            // What has not happened yet has not taken its memory yet.
            if warm.is_none() && now >= settings.warm_up() && books.everything_happened() {
                warm = Some((now, Process::now().resident));
            }
            tell(&books.line(now, &Process::now()));
            // On a slow machine it lasts until each thing has happened once, and then for as long as the warm-up: memory read
            // twice at the same moment would tell nothing.
            let measured = warm.is_some_and(|(at, _)| now - at >= settings.warm_up());
            let enough = now >= settings.lasts && (measured || now >= settings.lasts + PATIENCE);
            if told_to_end || enough {
                complete = !told_to_end;
                break;
            }
        }
        let end = Process::now().resident;
        let warm = warm.map(|(_, resident)| resident);
        tell(&"stopping: what is under way is finished first");
        let in_time = crew.end(&net, PATIENCE).await;
        let tasks = no_tasks(&net).await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(books.close(complete, warm, end, tasks, in_time))
    });
    drop(runtime);
    report.map(|report| report.with_process(&before, &Process::now()))
}

/// How many tasks are left, after they had time to end.
async fn no_tasks(net: &Net) -> usize {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..100 {
        if alive() == 0 {
            break;
        }
        net.sleep(Duration::from_millis(100)).await;
    }
    alive()
}
