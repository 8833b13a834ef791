//! What a row promises, and whether it kept it.
//!
//! A promise is judged by the best figures (minimum processor time, or best rate): noise only ever adds. It never fails
//! a run; a timing is not a test.

use crate::harness::{Measure, Measured, Results, Sample};
use std::fmt;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Not more than.
    AtMost(f64),
    /// Not less than.
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(formatter, "<= {limit}"),
            Self::AtLeast(limit) => write!(formatter, ">= {limit}"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Subject {
    /// The table's figure as a multiple of another row's (of the yardstick's).
    Ratio(Option<&'static str>),
    /// How many times better the table's figure is than another row's.
    TimesBetter(&'static str),
    /// An extra value as a multiple of the yardstick's.
    ExtraRatio(&'static str),
    /// An extra value itself.
    Extra(&'static str),
    /// The table's figure itself.
    Figure,
    /// Calls to the allocator per operation.
    Allocations,
}

/// A promise of a row.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    subject: Subject,
    bound: Bound,
}

/// What became of a promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What was promised: of what, and the limit.
    pub promise: String,
    /// The value and what was promised, for people.
    pub text: String,
    /// Whether it was kept; `None` if there is nothing to judge by.
    pub met: Option<bool>,
}

impl Target {
    /// The figure as a multiple of the yardstick's.
    #[must_use]
    pub fn ratio(bound: Bound) -> Self {
        Self {
            subject: Subject::Ratio(None),
            bound,
        }
    }

    /// The figure as a multiple of another row's.
    #[must_use]
    pub fn ratio_to(row: &'static str, bound: Bound) -> Self {
        Self {
            subject: Subject::Ratio(Some(row)),
            bound,
        }
    }

    /// At least so many times better than another row.
    #[must_use]
    pub fn times_better(row: &'static str, times: f64) -> Self {
        Self {
            subject: Subject::TimesBetter(row),
            bound: Bound::AtLeast(times),
        }
    }

    /// An extra value (p99) as a multiple of the yardstick's: the median of the rounds' ratios.
    #[must_use]
    pub fn extra_ratio(extra: &'static str, bound: Bound) -> Self {
        Self {
            subject: Subject::ExtraRatio(extra),
            bound,
        }
    }

    /// An extra value itself: the best one.
    #[must_use]
    pub fn extra(extra: &'static str, bound: Bound) -> Self {
        Self {
            subject: Subject::Extra(extra),
            bound,
        }
    }

    /// The figure itself, for what doesn't depend on the machine.
    #[must_use]
    pub fn figure(bound: Bound) -> Self {
        Self {
            subject: Subject::Figure,
            bound,
        }
    }

    /// Calls to the allocator per operation; what rounds to 0.00 counts as none.
    #[must_use]
    pub fn allocations(bound: Bound) -> Self {
        Self {
            subject: Subject::Allocations,
            bound,
        }
    }

    /// Judges a row of a table.
    #[must_use]
    pub fn judge(&self, results: &Results, row: &Measured) -> Verdict {
        let measure = results.measure;
        let find = |name: &str| results.rows.iter().find(|row| row.name == name);
        let (what, value) = match self.subject {
            Subject::Ratio(None) => (
                String::new(),
                results.rows.first().and_then(|first| ratio(measure, row, first)),
            ),
            Subject::Ratio(Some(name)) => (
                format!("of {name} "),
                find(name).and_then(|other| ratio(measure, row, other)),
            ),
            Subject::TimesBetter(name) => {
                let ratio = find(name).and_then(|other| ratio(measure, row, other));
                let better = ratio.map(|ratio| if measure.less_is_better() { 1.0 / ratio } else { ratio });
                (format!("x {name} "), better)
            }
            Subject::ExtraRatio(name) => {
                let first = results.rows.first();
                let ratios = first
                    .map(|first| ratios(first, row, |sample| sample.extra(name)))
                    .unwrap_or_default();
                (format!("{name} "), median(&ratios))
            }
            Subject::Extra(name) => (format!("{name} "), best(row, |sample| sample.extra(name), true)),
            Subject::Figure => (
                String::new(),
                best(row, |sample| measure.of(sample), measure.less_is_better()),
            ),
            Subject::Allocations => (
                "allocs ".to_owned(),
                row.allocations.map(|count| (count * 100.0).round() / 100.0),
            ),
        };
        let bound = self.bound;
        let promise = format!("{what}{bound}");
        let (text, met) = match value {
            Some(value) => {
                let met = bound.holds(value);
                let word = if met { "met" } else { "MISSED" };
                (format!("{} {promise} {word}", short(value, bound)), Some(met))
            }
            None => (format!("{promise} not judged"), None),
        };
        Verdict { promise, text, met }
    }
}

/// A value; a near miss with one digit more, so that it is not rounded away.
fn short(value: f64, bound: Bound) -> String {
    let (Bound::AtMost(limit) | Bound::AtLeast(limit)) = bound;
    let digits = if value >= 10_000.0 {
        0
    } else if value >= 10.0 {
        1
    } else if !bound.holds(value) && (value - limit).abs() < 0.01 {
        3
    } else {
        2
    };
    format!("{value:.digits$}")
}

/// The best figure of one row as a multiple of the best figure of another.
#[must_use]
pub fn ratio(measure: Measure, row: &Measured, other: &Measured) -> Option<f64> {
    let best_of = |row| best(row, |sample| measure.of(sample), measure.less_is_better());
    let other = best_of(other)?;
    (other > 0.0).then_some(best_of(row)? / other)
}

/// The ratios of a row to the yardstick, round by round.
#[must_use]
pub fn ratios(first: &Measured, row: &Measured, value: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let pairs = row.samples.iter().zip(&first.samples);
    let ratios = pairs.filter_map(|(own, first)| Some(value(own)? / value(first)?));
    ratios.filter(|ratio| ratio.is_finite()).collect()
}

/// The best of a row's values.
#[must_use]
pub fn best(row: &Measured, value: impl Fn(&Sample) -> Option<f64>, less_is_better: bool) -> Option<f64> {
    let values = row.samples.iter().filter_map(value);
    if less_is_better {
        values.min_by(f64::total_cmp)
    } else {
        values.max_by(f64::total_cmp)
    }
}

/// The middle value, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) {
        (sorted[middle - 1] + upper) / 2.0
    } else {
        upper
    })
}

#[cfg(test)]
mod tests {
    use super::Bound::{AtLeast, AtMost};
    use super::*;
    use crate::cpu::Spent;
    use crate::harness::{Extra, Unit};
    use std::time::Duration;

    fn row(name: &str, millis: &[u64], p99: f64) -> Measured {
        let sample = |&millis: &u64| {
            let time = Duration::from_millis(millis);
            let extras = vec![Extra {
                name: "p99",
                unit: Unit::Time,
                value: p99,
            }];
            Sample {
                extras,
                ..Sample::new(
                    1000,
                    Spent {
                        wall: time,
                        cpu: time,
                        allocations: None,
                    },
                )
            }
        };
        let samples = millis.iter().map(sample).collect();
        Measured {
            name: name.into(),
            samples,
            allocations: Some(0.004),
            trouble: None,
            targets: Vec::new(),
        }
    }

    fn results(measure: Measure) -> Results {
        let rows = vec![
            row("limit", &[110, 100], 10.0),
            row("peer", &[1300, 1320], 11.0),
            row("ours", &[104, 130], 12.0),
        ];
        Results {
            name: "test".into(),
            operation: "frame",
            measure,
            about: String::new(),
            rows,
        }
    }

    fn judge(measure: Measure, target: Target) -> Verdict {
        let results = results(measure);
        target.judge(&results, &results.rows[2])
    }

    #[test]
    fn judged_by_the_best_figures() {
        assert_eq!(judge(Measure::Cpu, Target::ratio(AtMost(1.10))).text, "1.04 <= 1.1 met");
        assert_eq!(
            judge(Measure::Cpu, Target::ratio(AtMost(1.03))).text,
            "1.04 <= 1.03 MISSED"
        );
        assert_eq!(
            judge(Measure::Rate, Target::ratio(AtLeast(0.96))).text,
            "0.96 >= 0.96 met"
        );
        assert_eq!(judge(Measure::Cpu, Target::figure(AtMost(104_000.0))).met, Some(true));
    }

    #[test]
    fn better_means_less_or_more_as_the_measure_has_it() {
        for measure in [Measure::Cpu, Measure::Rate] {
            assert_eq!(
                judge(measure, Target::times_better("peer", 12.0)).text,
                "12.5 x peer >= 12 met"
            );
        }
        assert_eq!(
            judge(Measure::Cpu, Target::ratio_to("peer", AtMost(1.0))).met,
            Some(true)
        );
    }

    #[test]
    fn extras_and_allocations() {
        assert_eq!(
            judge(Measure::Rate, Target::extra_ratio("p99", AtMost(1.15))).text,
            "1.20 p99 <= 1.15 MISSED"
        );
        assert_eq!(judge(Measure::Rate, Target::extra("p99", AtMost(12.0))).met, Some(true));
        assert_eq!(
            judge(Measure::Rate, Target::allocations(AtMost(0.0))).text,
            "0.00 allocs <= 0 met"
        );
    }

    #[test]
    fn nothing_to_judge_by() {
        assert_eq!(judge(Measure::Cpu, Target::ratio_to("nobody", AtMost(1.0))).met, None);
        assert_eq!(judge(Measure::Extra("p50"), Target::ratio(AtMost(1.0))).met, None);
    }

    #[test]
    fn a_near_miss_is_not_rounded_away() {
        assert_eq!(
            judge(Measure::Cpu, Target::ratio(AtMost(1.036))).text,
            "1.040 <= 1.036 MISSED"
        );
        assert_eq!(short(7_444_087.5, AtLeast(10e6)), "7444088");
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
