//! The books: what is counted while it runs, and what must hold at the end.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use net_core::{ConnectionId, EventKind, Net, NetEvent};

use super::process::Process;
use crate::matrix::Model;

/// Memory may grow by a tenth, and so many KiB, from the end of the warm-up on.
const ROOM: u64 = 16 * 1024;

/// Only so many failures are told.
const TOLD: usize = 20;

/// A counter.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that is counted.
#[derive(Default)]
pub(super) struct Books {
    /// Conversations that went well, and should.
    pub(super) well: Count,
    /// Conversations that were spoiled, and said so.
    pub(super) spoiled: Count,
    /// What rude clients did.
    pub(super) rude: Count,
    /// TLS handshakes that failed as they should.
    pub(super) untrusted: Count,
    /// Connections that were lost and made anew by who keeps one.
    pub(super) reconnects: Count,
    /// Pairs on simulated networks.
    pub(super) simulated: Count,
    /// By server.
    pub(super) servers: [ServerBooks; Model::ALL.len()],
    nets: Mutex<Vec<(String, Arc<Connections>)>>,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    count: u64,
    first: Vec<String>,
}

/// What was said to the servers of a model.
#[derive(Debug, Default)]
pub(super) struct ServerBooks {
    /// Texts that clients may have sent.
    pub(super) asked: Count,
    /// Texts that clients have got back, right.
    pub(super) confirmed: Count,
    /// Texts that the servers say they have answered; known at the end.
    pub(super) answered: Count,
}

/// The connections of one network.
#[derive(Debug, Default)]
struct Connections {
    open: Mutex<BTreeSet<ConnectionId>>,
    opened: Count,
    closed: Count,
    /// Events that no connection should have: a second opening, a second end.
    odd: Count,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    fn note(&self, event: &NetEvent) {
        let Some(id) = event.connection else { return };
        let expected = match event.kind {
            EventKind::Opened { .. } => {
                self.opened.add(1);
                locked(&self.open).insert(id)
            }
            EventKind::Closed { .. } => {
                self.closed.add(1);
                locked(&self.open).remove(&id)
            }
            _ => locked(&self.open).contains(&id),
        };
        if !expected {
            self.odd.add(1);
        }
    }
}

impl Books {
    /// The same network, whose connections are counted under this name.
    pub(super) fn observe(&self, name: &str, net: &Net) -> Net {
        let connections = Arc::new(Connections::default());
        locked(&self.nets).push((name.to_owned(), Arc::clone(&connections)));
        net.observed(move |event| connections.note(event))
    }

    pub(super) fn server(&self, model: Model) -> &ServerBooks {
        // The models are numbered in the order of `ALL`.
        &self.servers[model as usize]
    }

    /// Something went wrong that should not.
    pub(super) fn failed(&self, what: impl fmt::Display) {
        let mut failures = locked(&self.failures);
        failures.count += 1;
        if failures.first.len() < TOLD {
            failures.first.push(what.to_string());
        }
    }

    fn opened(&self) -> u64 {
        locked(&self.nets).iter().map(|(_, net)| net.opened.get()).sum()
    }

    fn open(&self) -> usize {
        locked(&self.nets).iter().map(|(_, net)| locked(&net.open).len()).sum()
    }

    /// How things are.
    pub(super) fn line(&self, at: Duration, process: &Process) -> String {
        format!(
            "{:>6.0} s  well {}, spoiled {}, rude {}, untrusted {}, reconnects {}, simulated {}, FAILED {}; \
             connections {} ({} open); {} MiB, {} descriptors, {} threads",
            at.as_secs_f64(),
            self.well.get(),
            self.spoiled.get(),
            self.rude.get(),
            self.untrusted.get(),
            self.reconnects.get(),
            self.simulated.get(),
            locked(&self.failures).count,
            self.opened(),
            self.open(),
            process.resident / 1024,
            process.files,
            process.threads,
        )
    }

    /// What must happen, with its count.
    fn happenings(&self) -> [(&'static str, &Count); 6] {
        [
            ("conversations went well", &self.well),
            ("conversations were spoiled, and said so", &self.spoiled),
            ("rude clients came", &self.rude),
            ("handshakes failed for want of trust", &self.untrusted),
            ("lost connections were made anew", &self.reconnects),
            ("pairs talked on simulated networks", &self.simulated),
        ]
    }

    /// Whether everything has happened that must.
    pub(super) fn everything_happened(&self) -> bool {
        let confirmed = self.servers.iter().map(|server| &server.confirmed);
        let counts = self.happenings().map(|(_, count)| count).into_iter().chain(confirmed);
        counts.map(Count::get).all(|count| count > 0)
    }

    /// Closes the books, once everything has ended. `complete`: nobody has ended it early.
    pub(super) fn close(&self, complete: bool, warm: Option<u64>, end: u64, tasks: usize, in_time: bool) -> Report {
        let mut report = Report::default();
        let failures = locked(&self.failures);
        report.check(
            failures.count == 0,
            format!("{} conversations went otherwise than they should", failures.count),
        );
        report.details.extend(failures.first.iter().cloned());
        report.check(in_time, "all threads and servers ended in time".to_owned());
        for (what, count) in self.happenings() {
            report.check(count.get() > 0 || !complete, format!("{} {what}", count.get()));
        }
        for model in Model::ALL {
            let ServerBooks {
                asked,
                confirmed,
                answered,
            } = self.server(model);
            let (asked, confirmed, answered) = (asked.get(), confirmed.get(), answered.get());
            report.check(
                (confirmed > 0 || !complete) && confirmed <= answered && answered <= asked,
                format!(
                    "{model}: {confirmed} texts came back right, {answered} were answered, {asked} were sent at most"
                ),
            );
        }
        for (name, net) in locked(&self.nets).iter() {
            let (opened, closed, odd) = (net.opened.get(), net.closed.get(), net.odd.get());
            let open = locked(&net.open).len();
            report.check(
                opened == closed && odd == 0 && open == 0,
                format!("{name}: {opened} connections opened, {closed} closed, {odd} odd events"),
            );
        }
        report.check(tasks == 0, format!("{tasks} tasks are left"));
        if let Some(warm) = warm.filter(|warm| *warm > 0) {
            let bound = warm + warm / 10 + ROOM;
            report.check(
                end <= bound,
                format!("memory: {warm} KiB after the warm-up, {end} KiB at the end, at most {bound} KiB allowed"),
            );
        }
        report
    }
}

/// The closed books.
#[derive(Clone, Debug, Default)]
pub struct Report {
    lines: Vec<(bool, String)>,
    details: Vec<String>,
}

impl Report {
    fn check(&mut self, well: bool, what: String) {
        self.lines.push((well, what));
    }

    /// With what the process held before and holds now.
    pub(super) fn with_process(mut self, before: &Process, after: &Process) -> Self {
        let (files, threads) = ((before.files, after.files), (before.threads, after.threads));
        self.check(
            files.1 <= files.0,
            format!("{} descriptors before, {} after", files.0, files.1),
        );
        self.check(
            threads.1 <= threads.0,
            format!("{} threads before, {} after", threads.0, threads.1),
        );
        self
    }

    /// Whether all is as it should be.
    pub fn is_well(&self) -> bool {
        self.lines.iter().all(|(well, _)| *well)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (well, line) in &self.lines {
            writeln!(f, "{:<6}  {line}", if *well { "ok" } else { "FAILED" })?;
        }
        for detail in &self.details {
            writeln!(f, "  {detail}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use net_core::Stream;

    use super::*;

    /// Books in which all is right.
    fn right() -> Books {
        let books = Books::default();
        for (_, count) in books.happenings() {
            count.add(1);
        }
        for server in &books.servers {
            server.asked.add(3);
            server.answered.add(2);
            server.confirmed.add(1);
        }
        books
    }

    fn is_well(books: &Books) -> bool {
        books.close(true, Some(1000), 1000, 0, true).is_well()
    }

    #[tokio::test]
    async fn what_is_not_right_is_told() {
        assert!(is_well(&right()));

        assert!(!is_well(&Books::default()), "nothing has happened");
        assert!(
            Books::default().close(false, None, 1000, 0, true).is_well(),
            "ended early"
        );

        let books = right();
        books.failed("a lost answer");
        assert!(!is_well(&books));

        let books = right();
        books.server(Model::Hsms).confirmed.add(2);
        assert!(!is_well(&books), "more came back than was answered");

        let books = right();
        books.server(Model::SimIo).answered.add(2);
        assert!(!is_well(&books), "more was answered than sent");

        let books = right();
        let net = books.observe("here", &Net::os());
        let (near, far) = Stream::pair(&net);
        assert!(!is_well(&books), "open connections");
        drop((near, far));
        assert!(is_well(&books));

        let books = right();
        assert!(
            !books.close(true, Some(1000), 2000 + ROOM, 0, true).is_well(),
            "memory grew"
        );
        assert!(
            !books.close(true, Some(1000), 1000, 1, true).is_well(),
            "a task is left"
        );
        assert!(
            !books.close(true, Some(1000), 1000, 0, false).is_well(),
            "somebody did not end"
        );
        let (before, after) = (
            Process::default(),
            Process {
                files: 1,
                ..Process::default()
            },
        );
        assert!(!Report::default().with_process(&before, &after).is_well());
    }
}
