//! Figures that are kept: a run replaces those of its own tables, and the report is made of all.
//!
//! What is kept is what was measured. Limits, reasons and the order of tables come from the program when the report is
//! made, so a target that changes judges the old figures anew.

use crate::Outcome;
use crate::cpu::Spent;
use crate::harness::{Comparison, Extra, Measured, Results, Sample, Trouble, Unit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// All tables' figures, by the tables' names.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures {
    /// The tables.
    pub tables: BTreeMap<String, Table>,
}

/// One table's figures, and where they come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// Processor, cores, kernel, compiler; and whether the figures are good for nothing.
    pub machine: String,
    /// The day, UTC: `2026-11-21`.
    pub date: String,
    /// How busy the machine was when it began.
    pub load: String,
    /// How long the table took.
    pub seconds: f64,
    /// The conditions, as they were.
    pub about: String,
    /// Why there are no figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One row's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allocations: Option<f64>,
    /// Operations, nanoseconds of the clock on the wall, nanoseconds of processor time; the latter are both 0 where only
    /// the values of `extras` count.
    samples: Vec<(u64, u64, u64)>,
    /// Further values, one for each sample.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extras: BTreeMap<String, (Unit, Vec<f64>)>,
}

impl Figures {
    /// Reads a file; none there means no figures yet.
    ///
    /// # Errors
    /// If it can't be read, or isn't such a file.
    pub fn read(file: &Path) -> Outcome<Self> {
        match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        }
    }

    /// Writes a file, as a whole or not at all. A row is a line, so that changes can be read.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, file: &Path) -> Outcome<()> {
        let mut text = String::from("{\n");
        for (index, (name, table)) in self.tables.iter().enumerate() {
            if index > 0 {
                text.push_str(",\n");
            }
            let bare = Table {
                rows: Vec::new(),
                ..table.clone()
            };
            let head = serde_json::to_string(&bare)?;
            let head = head.strip_suffix("[]}").ok_or("the rows don't come last")?;
            let rows: Vec<String> = table.rows.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
            text.push_str(&format!(
                "{}: {head}[\n{}\n]}}",
                serde_json::to_string(name)?,
                rows.join(",\n")
            ));
        }
        text.push_str("\n}\n");
        let new = file.with_extension("new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, file))
            .map_err(|error| format!("{}: {error}", file.display()).into())
    }
}

impl Table {
    /// Results with what they are to be kept with.
    #[must_use]
    pub fn new(machine: &str, date: &str, load: &str, took: Duration, results: &Results) -> Self {
        Self {
            machine: machine.to_owned(),
            date: date.to_owned(),
            load: load.to_owned(),
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            about: results.about.clone(),
            failure: None,
            rows: results.rows.iter().map(Row::of).collect(),
        }
    }

    /// A table that yielded nothing, and why.
    #[must_use]
    pub fn failed(machine: &str, date: &str, about: &str, why: &str) -> Self {
        Self {
            machine: machine.to_owned(),
            date: date.to_owned(),
            load: String::new(),
            seconds: 0.0,
            about: about.to_owned(),
            failure: Some(why.to_owned()),
            rows: Vec::new(),
        }
    }

    /// The figures as results of the table that the program knows: its rows in their order, its targets.
    #[must_use]
    pub fn results(&self, comparison: &Comparison) -> Results {
        let rows = comparison.rows.iter().map(|row| {
            let kept = self.rows.iter().find(|kept| kept.name == row.name());
            let mut measured = kept.map_or_else(
                || Measured {
                    name: row.name().to_owned(),
                    samples: Vec::new(),
                    allocations: None,
                    trouble: Some(Trouble::Absent("newer than this table".to_owned())),
                    targets: Vec::new(),
                },
                Row::measured,
            );
            measured.targets = row.targets().to_vec();
            measured
        });
        Results {
            name: comparison.name.clone(),
            operation: comparison.operation,
            measure: comparison.measure,
            about: self.about.clone(),
            rows: rows.collect(),
        }
    }
}

impl Row {
    fn of(measured: &Measured) -> Self {
        let (absent, wrong) = match &measured.trouble {
            Some(Trouble::Absent(why)) => (Some(why.clone()), None),
            Some(Trouble::Wrong(why)) => (None, Some(why.clone())),
            None => (None, None),
        };
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut extras: BTreeMap<String, (Unit, Vec<f64>)> = BTreeMap::new();
        for extra in measured.samples.iter().flat_map(|sample| &sample.extras) {
            let entry = extras.entry(extra.name.to_owned());
            entry.or_insert((extra.unit, Vec::new())).1.push(extra.value);
        }
        Self {
            name: measured.name.clone(),
            absent,
            wrong,
            allocations: measured.allocations,
            samples: measured
                .samples
                .iter()
                .map(|sample| {
                    let spent = sample.spent;
                    (
                        sample.operations,
                        spent.map_or(0, |spent| nanos(spent.wall)),
                        spent.map_or(0, |spent| nanos(spent.cpu)),
                    )
                })
                .collect(),
            extras,
        }
    }

    fn measured(&self) -> Measured {
        let sample = |(index, &(operations, wall, cpu)): (usize, &(u64, u64, u64))| Sample {
            operations,
            spent: (wall > 0).then(|| Spent {
                wall: Duration::from_nanos(wall),
                cpu: Duration::from_nanos(cpu),
                allocations: None,
            }),
            extras: self
                .extras
                .iter()
                .filter_map(|(name, (unit, values))| {
                    Some(Extra {
                        name: known(name),
                        unit: *unit,
                        value: *values.get(index)?,
                    })
                })
                .collect(),
        };
        let absent = self.absent.clone().map(Trouble::Absent);
        Measured {
            name: self.name.clone(),
            samples: self.samples.iter().enumerate().map(sample).collect(),
            allocations: self.allocations,
            trouble: absent.or_else(|| self.wrong.clone().map(Trouble::Wrong)),
            targets: Vec::new(),
        }
    }
}

/// The name of a column for as long as the program runs: there are a few, and each is kept once.
fn known(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let new: &'static str = String::from(name).leak();
    names.insert(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{Measure, Row as Work};
    use crate::target::{Bound, Target};

    fn measured(name: &str) -> Measured {
        let sample = |value| Sample {
            extras: vec![Extra {
                name: "p99",
                unit: Unit::Time,
                value,
            }],
            ..Sample::new(
                10,
                Spent {
                    wall: Duration::from_nanos(1000),
                    cpu: Duration::from_nanos(700),
                    allocations: None,
                },
            )
        };
        Measured {
            name: name.into(),
            samples: vec![sample(1.5), sample(2.5)],
            allocations: Some(0.25),
            trouble: None,
            targets: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_judged_by_the_program() {
        let mut wrong = measured("wrong");
        wrong.samples.clear();
        wrong.trouble = Some(Trouble::Wrong("round 0: other bytes".into()));
        let results = Results {
            name: "a/1".into(),
            operation: "frame",
            measure: Measure::Cpu,
            about: "About.".into(),
            rows: vec![measured("limit"), measured("gone"), wrong],
        };
        let folder = std::env::temp_dir().join(format!("peers-figures-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("figures.json");
        let mut figures = Figures::read(&file).unwrap();
        assert!(figures.tables.is_empty());
        let table = Table::new("machine", "2026-01-01", "0.5", Duration::from_millis(1234), &results);
        figures.tables.insert("a/1".into(), table);
        let failed = Table::failed("machine", "2026-01-01", "About.", "the process ended");
        figures.tables.insert("b".into(), failed);
        figures.write(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let read = Figures::read(&file).unwrap();
        read.write(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        fs::remove_dir_all(&folder).unwrap();

        let row = |name: &str| Work::absent(name, "not run here");
        let comparison = Comparison {
            name: "a/1".into(),
            operation: "frame",
            measure: Measure::Cpu,
            about: String::new(),
            rows: vec![
                row("limit").target(Target::figure(Bound::AtMost(70.0))),
                row("new"),
                row("wrong"),
            ],
        };
        let results = read.tables["a/1"].results(&comparison);
        assert_eq!(
            results.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
            ["limit", "new", "wrong"]
        );
        let limit = &results.rows[0];
        assert_eq!(limit.samples[1].extra("p99"), Some(2.5));
        assert_eq!(limit.allocations, Some(0.25));
        assert_eq!(limit.targets[0].judge(&results, limit).text, "70.0 <= 70 met");
        assert!(matches!(&results.rows[1].trouble, Some(Trouble::Absent(_))));
        assert!(results.wrong());
        assert_eq!(read.tables["b"].failure.as_deref(), Some("the process ended"));
    }
}
