//! How the children of a component failed.

use std::fmt;
use std::sync::Arc;

use crate::{End, EndReason};

/// So many are kept by name; all are counted.
const KEPT: usize = 16;

/// The failures among a component's children, and theirs, in the order in which they happened.
///
/// The first 16 are kept; all are [counted](Self::count).
#[derive(Clone, Debug, Default)]
pub struct ChildFailures {
    kept: Vec<ChildFailure>,
    more: u64,
}

/// A component that failed or panicked inside of another one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChildFailure {
    /// Its name.
    pub component: Arc<str>,
    /// How it ended.
    pub reason: EndReason,
}

impl ChildFailures {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.kept.len() as u64 + self.more
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Those that are kept, the first of them first.
    pub fn iter(&self) -> impl Iterator<Item = &ChildFailure> {
        self.kept.iter()
    }

    /// What failed inside of a child came before the child's own failure.
    pub(crate) fn add(&mut self, end: &End) {
        let own = end.reason.failure().map(|_| ChildFailure {
            component: Arc::clone(&end.component),
            reason: end.reason.clone(),
        });
        for failure in end.failures.kept.iter().cloned().chain(own) {
            if self.kept.len() < KEPT {
                self.kept.push(failure);
            } else {
                self.more += 1;
            }
        }
        self.more += end.failures.more;
    }
}

impl fmt::Display for ChildFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.kept.iter().enumerate() {
            let before = if index > 0 { ", " } else { "" };
            write!(f, "{before}{} {}", failure.component, failure.reason)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
