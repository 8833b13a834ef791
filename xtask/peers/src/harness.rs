//! Rows take turns.
//!
//! A [`Comparison`] is one table to be: a name, what counts in it, and rows. Running it takes a sample of each row in
//! turn (A B C, A B C, …), so that a busy minute on the machine hits all of them alike. Round 0 is dropped: it warms
//! up, and it is the one in which allocations are counted. The first row is the yardstick.

use crate::Outcome;
use crate::allocations;
use crate::cpu::Spent;
use crate::pin::Pinned;
use crate::target::{Target, Verdict};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How much work a run does.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds, the dropped one included.
    pub rounds: usize,
    /// How long one sample takes where time sets its length.
    pub sample: Duration,
    /// How long it runs before that.
    pub warm_up: Duration,
    /// By how much samples of a fixed amount of work are divided.
    pub divisor: u64,
}

impl Effort {
    /// For figures that are to be quoted.
    pub const FULL: Self = Self {
        rounds: 5,
        sample: Duration::from_millis(250),
        warm_up: Duration::from_millis(50),
        divisor: 1,
    };
    /// For seeing that everything works.
    pub const QUICK: Self = Self {
        rounds: 2,
        sample: Duration::from_millis(30),
        warm_up: Duration::from_millis(5),
        divisor: 10,
    };

    /// An amount of work: the full one, or a part of it.
    #[must_use]
    pub fn amount(&self, full: u64) -> u64 {
        (full / self.divisor).max(1)
    }
}

/// What a value of a column is, hence how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Seconds, of what takes some.
    Seconds,
}

/// A value that only some tables have: a percentile, bytes of memory.
#[derive(Clone, Copy, Debug)]
pub struct Extra {
    /// The head of its column.
    pub name: &'static str,
    /// What it is.
    pub unit: Unit,
    /// How much; the less, the better.
    pub value: f64,
}

/// What one run of a row yielded. That the work was done has been proven by then.
#[derive(Clone, Debug)]
pub struct Sample {
    /// How often that was done of which the table tells the cost.
    pub operations: u64,
    /// What it took; `None` where only the extra values count.
    pub spent: Option<Spent>,
    /// Further values.
    pub extras: Vec<Extra>,
}

impl Sample {
    /// A sample without extra values.
    #[must_use]
    pub fn new(operations: u64, spent: Spent) -> Self {
        Self {
            operations,
            spent: Some(spent),
            extras: Vec::new(),
        }
    }

    fn per_operation(&self, value: f64) -> Option<f64> {
        (self.operations > 0).then(|| value / self.operations as f64)
    }

    /// Operations per second by the clock on the wall.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.spent?.wall.as_secs_f64();
        (seconds > 0.0).then(|| self.operations as f64 / seconds)
    }

    /// Nanoseconds of processor time per operation.
    #[must_use]
    pub fn cpu(&self) -> Option<f64> {
        self.per_operation(self.spent?.cpu.as_secs_f64() * 1e9)
    }

    /// Calls to the allocator per operation, if they were counted.
    #[must_use]
    pub fn allocations(&self) -> Option<f64> {
        self.per_operation(self.spent?.allocations?.calls as f64)
    }

    /// An extra value.
    #[must_use]
    pub fn extra(&self, name: &str) -> Option<f64> {
        self.extras
            .iter()
            .find(|extra| extra.name == name)
            .map(|extra| extra.value)
    }
}

/// What counts in a table: the figure of which medians and ratios are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Operations per second: the more, the better.
    Rate,
    /// Processor time per operation: the less, the better.
    Cpu,
    /// An extra value: the less, the better.
    Extra(&'static str),
}

impl Measure {
    /// The figure of a sample.
    #[must_use]
    pub fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Rate => sample.rate(),
            Self::Cpu => sample.cpu(),
            Self::Extra(name) => sample.extra(name),
        }
    }

    /// Whether a smaller figure is the better one.
    #[must_use]
    pub fn less_is_better(self) -> bool {
        !matches!(self, Self::Rate)
    }
}

type Work = Box<dyn FnMut(&Effort) -> Outcome<Sample>>;
type Prepare = Box<dyn FnOnce() -> Result<(), String>>;

/// One competitor.
pub struct Row {
    name: String,
    work: Result<Work, String>,
    prepare: Option<Prepare>,
    targets: Vec<Target>,
}

impl Row {
    /// A row that is measured. The closure takes one sample: it sets up, warms up, measures, and proves the work.
    #[must_use]
    pub fn new(name: impl Into<String>, work: impl FnMut(&Effort) -> Outcome<Sample> + 'static) -> Self {
        Self {
            name: name.into(),
            work: Ok(Box::new(work)),
            prepare: None,
            targets: Vec::new(),
        }
    }

    /// A row that can't be measured here, and why, or what to do about it.
    #[must_use]
    pub fn absent(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            work: Err(why.into()),
            prepare: None,
            targets: Vec::new(),
        }
    }

    /// Has something done before the table is measured; if that fails, the row is absent, and the failure tells why.
    #[must_use]
    pub fn after(mut self, prepare: impl FnOnce() -> Result<(), String> + 'static) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Adds a target, marked in the table as met or missed.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// The row's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the row promises.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Row")
            .field("name", &self.name)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

/// One table to be.
#[derive(Debug)]
pub struct Comparison {
    /// What selects it on the command line: the group's name, or the group's and its own with a slash between.
    pub name: String,
    /// What one operation is: "frame", "round trip".
    pub operation: &'static str,
    /// What counts.
    pub measure: Measure,
    /// The conditions, in a sentence or two.
    pub about: String,
    /// The competitors, the yardstick first.
    pub rows: Vec<Row>,
}

/// Why a row has no figures, or not all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It can't be measured here. No reason to fail.
    Absent(String),
    /// It did its work wrong, or not at all. The run fails.
    Wrong(String),
}

/// A row with its figures.
#[derive(Debug)]
pub struct Measured {
    /// The row's name.
    pub name: String,
    /// The samples that count, in the order of the rounds.
    pub samples: Vec<Sample>,
    /// Calls to the allocator per operation, from the dropped round.
    pub allocations: Option<f64>,
    /// What went wrong.
    pub trouble: Option<Trouble>,
    /// What it promises.
    pub targets: Vec<Target>,
}

/// One table with its figures.
#[derive(Debug)]
pub struct Results {
    /// As in [`Comparison::name`].
    pub name: String,
    /// As in [`Comparison::operation`].
    pub operation: &'static str,
    /// As in [`Comparison::measure`].
    pub measure: Measure,
    /// As in [`Comparison::about`].
    pub about: String,
    /// The rows, the yardstick first.
    pub rows: Vec<Measured>,
}

impl Results {
    /// Whether any row did its work wrong.
    #[must_use]
    pub fn wrong(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.trouble, Some(Trouble::Wrong(_))))
    }

    /// What became of each target: by the row's name, in the order of the rows.
    pub fn verdicts(&self) -> impl Iterator<Item = (&str, Verdict)> {
        self.rows.iter().flat_map(|row| {
            let targets = row.targets.iter();
            targets.map(|target| (row.name.as_str(), target.judge(self, row)))
        })
    }
}

impl Comparison {
    /// Takes all the samples, pinned to one core. `progress` is told each row that is about to run.
    ///
    /// # Errors
    /// If the process can't be pinned. What goes wrong in a row is kept with the row.
    pub fn run(self, effort: &Effort, mut progress: impl FnMut(usize, &str)) -> Outcome<Results> {
        let mut works = Vec::with_capacity(self.rows.len());
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let Row { name, targets, .. } = row;
            let prepared = row.prepare.map_or(Ok(()), |prepare| prepare());
            let work = prepared.and(row.work);
            let trouble = work.as_ref().err().map(|why| Trouble::Absent(why.clone()));
            works.push(work.ok());
            rows.push(Measured {
                name,
                samples: Vec::new(),
                allocations: None,
                trouble,
                targets,
            });
        }
        let _pinned = Pinned::to_last_core()?;
        for round in 0..effort.rounds {
            for (work, row) in works.iter_mut().zip(&mut rows) {
                let Some(run) = work.as_mut().filter(|_| row.trouble.is_none()) else {
                    continue;
                };
                progress(round, &row.name);
                allocations::count(round == 0);
                // What panics in one row is that row's trouble.
                let sample =
                    catch_unwind(AssertUnwindSafe(|| run(effort))).unwrap_or_else(|_| Err("it panicked".into()));
                allocations::count(false);
                match sample {
                    Ok(sample) if round == 0 => row.allocations = sample.allocations(),
                    Ok(sample) => row.samples.push(sample),
                    Err(error) => row.trouble = Some(Trouble::Wrong(format!("round {round}: {error}"))),
                }
            }
        }
        Ok(Results {
            name: self.name,
            operation: self.operation,
            measure: self.measure,
            about: self.about,
            rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn spent() -> Spent {
        Spent {
            wall: Duration::from_secs(1),
            cpu: Duration::from_millis(500),
            allocations: None,
        }
    }

    #[test]
    fn rows_take_turns_and_round_0_is_dropped() {
        let _turn = allocations::TURN.lock();
        let order = Rc::new(RefCell::new(String::new()));
        let row = |name: &'static str| {
            let order = Rc::clone(&order);
            Row::new(name, move |_| {
                order.borrow_mut().push_str(name);
                match name {
                    "c" => Err("wrong sum".into()),
                    "d" => panic!("a row's own trouble"),
                    _ => Ok(Sample::new(10, spent())),
                }
            })
        };
        let unprepared = row("y").after(|| Err("not prepared".into()));
        let prepared = row("b").after(|| Ok(()));
        let rows = vec![
            row("a"),
            Row::absent("x", "not here"),
            prepared,
            row("c"),
            unprepared,
            row("d"),
        ];
        let (operation, measure) = ("thing", Measure::Rate);
        let comparison = Comparison {
            name: "test".into(),
            operation,
            measure,
            about: String::new(),
            rows,
        };
        let results = comparison
            .run(
                &Effort {
                    rounds: 3,
                    ..Effort::QUICK
                },
                |_, _| (),
            )
            .unwrap();
        assert_eq!(*order.borrow(), "abcdabab");
        assert_eq!(
            results.rows.iter().map(|row| row.samples.len()).collect::<Vec<_>>(),
            [2, 0, 2, 0, 0, 0]
        );
        assert_eq!(results.rows[1].trouble, Some(Trouble::Absent("not here".into())));
        assert_eq!(
            results.rows[3].trouble,
            Some(Trouble::Wrong("round 0: wrong sum".into()))
        );
        assert_eq!(results.rows[4].trouble, Some(Trouble::Absent("not prepared".into())));
        assert_eq!(
            results.rows[5].trouble,
            Some(Trouble::Wrong("round 0: it panicked".into()))
        );
        assert!(results.wrong());
    }

    #[test]
    fn figures_of_a_sample() {
        let sample = Sample::new(10, spent());
        assert_eq!(sample.rate(), Some(10.0));
        assert_eq!(sample.cpu(), Some(5e7));
        assert_eq!(sample.allocations(), None);
        assert_eq!(Sample::new(0, spent()).cpu(), None);
    }
}
