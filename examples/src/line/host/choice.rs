//! Whether the controller lets hot lots go first.

use std::collections::{BTreeSet, VecDeque};

/// What the controller has been told of lots on its connection. It is judged by what it knew when it chose: it says how many
/// lines about lots it had taken in by then, since what was sent to it may be on its way still.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Lines that it is not known to have taken in yet, each without its first word, `lot`.
    told: VecDeque<String>,
    /// How many it has taken in.
    known: u64,
    hot: BTreeSet<String>,
    /// The hot ones that wait, and those that were chosen and have not started.
    waiting: BTreeSet<String>,
    chosen: BTreeSet<String>,
}

impl Choice {
    /// A line is sent to the controller.
    pub(super) fn told(&mut self, line: &str) {
        if let Some(lot) = line.strip_prefix("lot ") {
            self.told.push_back(lot.to_owned());
        }
    }

    /// The controller has chosen a lot, after so many lines about lots. Whether a hot one waited that is passed over.
    pub(super) fn overtakes(&mut self, lot: &str, known: u64) -> bool {
        while self.known < known
            && let Some(line) = self.told.pop_front()
        {
            self.known += 1;
            self.knows(&line);
        }
        if self.waiting.remove(lot) {
            self.chosen.insert(lot.to_owned());
        }
        !self.hot.contains(lot) && !self.waiting.is_empty()
    }

    fn knows(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(what), Some(lot)) = (words.next(), words.next()) else {
            return;
        };
        match what {
            "waiting" if words.next() == Some("hot") => {
                self.hot.insert(lot.to_owned());
                self.waiting.insert(lot.to_owned());
            }
            "refused" if self.chosen.remove(lot) => {
                self.waiting.insert(lot.to_owned());
            }
            "started" => {
                self.waiting.remove(lot);
                self.chosen.remove(lot);
            }
            "done" => {
                self.hot.remove(lot);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str]) -> Choice {
        let mut choice = Choice::default();
        for line in lines {
            choice.told(line);
        }
        choice
    }

    #[test]
    fn a_lot_that_is_not_hot_overtakes_one_that_the_controller_knew() {
        let mut choice = told(&["books", "lot waiting A normal", "lot waiting B hot", "tool online"]);
        assert!(choice.overtakes("A", 2));
        assert!(!choice.overtakes("B", 2));
        assert!(!choice.overtakes("A", 2));
    }

    #[test]
    fn one_of_which_it_had_not_heard_is_not_overtaken() {
        let mut choice = told(&["lot waiting A normal", "lot waiting C normal", "lot waiting B hot"]);
        assert!(!choice.overtakes("A", 2));
        assert!(choice.overtakes("C", 3));
    }

    #[test]
    fn one_that_was_refused_waits_again() {
        let mut choice = told(&["lot waiting A normal", "lot waiting B hot", "lot refused B"]);
        assert!(!choice.overtakes("B", 2));
        assert!(choice.overtakes("A", 3));
        choice.told("lot started B");
        assert!(!choice.overtakes("A", 4));
    }
}
