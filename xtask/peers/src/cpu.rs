//! How much processor time a sample took, and whose.
//!
//! Processor time survives other jobs on the machine; wall time doesn't. A socket benchmark has a server and a load in
//! one process. The load measures, on its own thread: what the process used, less what the load's thread used, is what
//! the server used.

use crate::Outcome;
use crate::allocations::Allocations;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::time::{Duration, Instant};

/// Whose processor time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// The process without the calling thread: the server, when the load measures.
    Others,
    /// The calling thread alone, by its own clock: code without I/O.
    ThisThread,
    /// Another process: a server in another language.
    Process(i32),
}

/// What a sample took.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// By the clock on the wall.
    pub wall: Duration,
    /// Processor time, of whom the account says.
    pub cpu: Duration,
    /// Allocations of the process, if they were counted and are the process's own.
    pub allocations: Option<Allocations>,
}

/// A running measurement.
#[derive(Debug)]
pub struct Meter {
    account: Account,
    allocations: Allocations,
    cpu: Duration,
    wall: Instant,
}

impl Meter {
    /// Starts measuring, on the thread that will also stop it.
    ///
    /// # Errors
    /// If the system refuses to tell the processor time.
    pub fn start(account: Account) -> Outcome<Self> {
        Ok(Self {
            account,
            allocations: Allocations::now(),
            cpu: used(account)?,
            wall: Instant::now(),
        })
    }

    /// Ends the measurement.
    ///
    /// # Errors
    /// If the system refuses to tell the processor time.
    pub fn stop(self) -> Outcome<Spent> {
        let wall = self.wall.elapsed();
        let cpu = used(self.account)?.saturating_sub(self.cpu);
        let own = !matches!(self.account, Account::Process(_)) && crate::allocations::counting();
        Ok(Spent {
            wall,
            cpu,
            allocations: own.then(|| Allocations::now().since(self.allocations)),
        })
    }
}

fn used(account: Account) -> Outcome<Duration> {
    Ok(match account {
        Account::Others => usage(UsageWho::RUSAGE_SELF)?.saturating_sub(usage(UsageWho::RUSAGE_THREAD)?),
        Account::ThisThread => Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?),
        Account::Process(id) => Duration::from(clock_gettime(clock_getcpuclockid(Pid::from_raw(id))?)?),
    })
}

fn usage(who: UsageWho) -> Outcome<Duration> {
    let usage = getrusage(who)?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(value: TimeVal) -> Duration {
    let seconds = u64::try_from(value.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(value.tv_usec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            std::hint::black_box(0);
        }
    }

    #[test]
    fn work_of_another_thread_counts_as_work_of_others() {
        let meter = Meter::start(Account::Others).unwrap();
        std::thread::spawn(|| burn(Duration::from_millis(50))).join().unwrap();
        let spent = meter.stop().unwrap();
        assert!(spent.cpu > Duration::from_millis(5), "{spent:?}");
    }

    #[test]
    fn the_thread_clock_sees_only_this_thread() {
        let meter = Meter::start(Account::ThisThread).unwrap();
        std::thread::spawn(|| burn(Duration::from_millis(50))).join().unwrap();
        assert!(meter.stop().unwrap().cpu < Duration::from_millis(10));
    }
}
