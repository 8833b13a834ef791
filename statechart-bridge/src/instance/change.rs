//! Taking a transition: leaving, acting, entering.

use super::step::Step;
use super::{Chosen, Extent};
use crate::model::compiled::{BitSet, Change, Chart, Entry, StateId, Transition};
use crate::{BigStepMaximality, ComboStepMaximality};

impl Step<'_, '_> {
    #[inline]
    pub(super) fn fire(&mut self, chosen: Chosen) {
        let chart = self.chart;
        let transition = &chart.transitions[chosen.transition as usize];
        self.env.work.happened += 1;
        let traces = self.env.reports.traces();
        if traces {
            self.trace_fired(transition, chosen.live);
        }
        match &transition.change {
            Some(Change { quiet: Some(quiet), .. }) if !traces => {
                self.machine.active.remove_all(&quiet.left);
                self.run(&transition.actions, transition.source, chosen.live, "transition of");
                self.machine.active.insert_all(&quiet.entered);
            }
            Some(change) => {
                if change.leaf {
                    self.exit_state(transition.source, chosen.live);
                } else {
                    self.exit(change.domain, chosen.live);
                }
                self.run(&transition.actions, transition.source, chosen.live, "transition of");
                self.enter(change.domain, &change.entry, chosen.live);
            }
            None => self.run(&transition.actions, transition.source, chosen.live, "transition of"),
        }
        let semantics = self.chart.semantics;
        let closes = match semantics.combo_step_maximality {
            ComboStepMaximality::TakeOne => true,
            ComboStepMaximality::TakeMany => false,
            ComboStepMaximality::Syntactic => self.rests(transition),
        };
        let (start, end) = transition.area;
        if closes {
            self.env.work.extent = Extent::from(start);
            // Of everything nobody asks what it is.
            if self.env.work.extent != Extent::Everything {
                self.env.work.changed.insert_range(start, end);
            }
        }
        if semantics.big_step_maximality == BigStepMaximality::Syntactic && self.rests(transition) {
            self.env.work.closed.insert_range(start, end);
        }
    }

    /// Whether what a transition has changed has reached a stable state.
    fn rests(&self, transition: &Transition) -> bool {
        let (start, end) = transition.area;
        // The state around what was left and entered has not been reached by this transition.
        let start = start + u32::from(transition.change.is_some());
        self.machine.active.meets_within(&self.chart.stable, start, end)
    }

    /// Leaves all that is active inside of a state, the last first.
    fn exit(&mut self, domain: StateId, live: Option<usize>) {
        let chart = self.chart;
        let (start, end) = (domain.0 + 1, chart.state(domain).end);
        if self.machine.active.meets(&chart.remembering) {
            self.remember(start, end);
        }
        while let Some(state) = self.machine.active.last_in(start, end) {
            self.exit_state(state, live);
        }
    }

    #[inline]
    fn exit_state(&mut self, state: StateId, live: Option<usize>) {
        let described = self.chart.state(state);
        let (first, last) = described.timers;
        for timer in first..last {
            let token = &mut self.machine.timers[timer as usize];
            if *token != 0 {
                *token = 0;
                self.env.schedule.cancelled();
            }
        }
        if !described.exit.is_empty() {
            self.run(&described.exit, state, live, "exit of");
        }
        self.machine.active.remove(state);
        if self.env.reports.traces() {
            self.trace_state(state, false);
        }
    }

    /// Keeps for histories what was active in the states that are left.
    fn remember(&mut self, start: u32, end: u32) {
        let chart = self.chart;
        for (history, described) in self.machine.histories.iter_mut().zip(&chart.histories) {
            let parent = chart.state(described.state).parent;
            if parent.0 < start || parent.0 >= end || !self.machine.active.contains(parent) {
                continue;
            }
            let value = history.get_or_insert_with(|| BitSet::new(chart.states.len()));
            value.clear();
            for state in self.machine.active.iter() {
                let inside = if described.deep {
                    chart.is_inside(state, parent)
                } else {
                    state != StateId::ROOT && chart.state(state).parent == parent
                };
                if inside {
                    value.insert(state);
                }
            }
        }
    }

    /// Enters states inside of a state, the first first.
    pub(super) fn enter(&mut self, domain: StateId, entry: &Entry, live: Option<usize>) {
        let chart: &Chart = self.chart;
        match entry {
            Entry::Fixed(states) => {
                for state in states {
                    self.enter_state(*state, live);
                }
            }
            Entry::Remembered(targets) => {
                let mut set = std::mem::take(&mut self.env.work.scratch);
                set.clear();
                let histories = &self.machine.histories;
                chart.complete(domain, targets, &mut set, |number| {
                    histories.get(number).and_then(Option::as_ref)
                });
                for state in set.iter() {
                    self.enter_state(state, live);
                }
                self.env.work.scratch = set;
            }
        }
    }

    #[inline]
    fn enter_state(&mut self, state: StateId, live: Option<usize>) {
        let chart = self.chart;
        let described = chart.state(state);
        self.machine.active.insert(state);
        if self.env.reports.traces() {
            self.trace_state(state, true);
        }
        if !described.entry.is_empty() {
            self.run(&described.entry, state, live, "entry of");
        }
        let (first, last) = described.timers;
        for number in first..last {
            self.set_timer(state, number, live);
        }
    }

    fn set_timer(&mut self, state: StateId, number: u32, live: Option<usize>) {
        let chart = self.chart;
        let timer = &chart.timers[number as usize];
        let result = self.with_context(state, live, |cx| timer.delay.evaluate(cx));
        let delay = result.and_then(|value| {
            let seconds = value.as_number().filter(|seconds| !seconds.is_nan());
            seconds.ok_or_else(|| format!("after {value}: expected a number of seconds").into())
        });
        match delay {
            Ok(seconds) => {
                let at = self.env.now.saturating_add(milliseconds(seconds));
                let token = self.env.schedule.timer(at, self.id, number);
                self.machine.timers[number as usize] = token;
            }
            Err(fault) => {
                let place = chart.transitions[timer.transition as usize].place.clone();
                let what = format!("timer of {}", chart.path(state));
                self.fault(fault.at(place), &what, live);
            }
        }
    }

    #[cold]
    fn trace_state(&mut self, state: StateId, entered: bool) {
        let path = self.chart.path(state);
        let (now, id) = (self.env.now, self.id);
        self.env.reports.trace_state(now, id, &self.class.name, path, entered);
    }

    #[cold]
    fn trace_fired(&mut self, transition: &Transition, live: Option<usize>) {
        let chart = self.chart;
        let event = match transition.trigger {
            crate::model::compiled::Trigger::Spontaneous => String::new(),
            crate::model::compiled::Trigger::Timer => "after".to_owned(),
            crate::model::compiled::Trigger::Event(_) => {
                let event = live.and_then(|live| self.env.work.live[live].event.as_ref());
                event.map(ToString::to_string).unwrap_or_default()
            }
        };
        let source = chart.path(transition.source);
        let (now, id) = (self.env.now, self.id);
        self.env.reports.trace_fired(now, id, &self.class.name, source, event);
    }
}

/// Seconds as whole milliseconds, cut; what is negative is now, what is too much is never.
fn milliseconds(seconds: f64) -> u64 {
    // A little more, since few decimal fractions have an exact form: 1.001 s is 1001 ms.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the conversion saturates, which is what is wanted"
    )]
    let milliseconds = (seconds * 1000.0 + 1e-6) as u64;
    milliseconds
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn seconds_are_cut_to_milliseconds() {
        assert_eq!(milliseconds(0.0015), 1);
        assert_eq!(milliseconds(1.001), 1001);
        assert_eq!(milliseconds(0.0), 0);
        assert_eq!(milliseconds(-3.0), 0);
        assert_eq!(milliseconds(f64::INFINITY), u64::MAX);
    }
}
