//! Big steps, combo steps, small steps.

use super::{Extent, Instance, Live, Machine, Queued, Until, Work};
use crate::controller::Schedule;
use crate::model::compiled::{Chart, Class, Model, StateId};
use crate::report::{Fault as Report, Reports};
use crate::script::{Data, Effects};
use crate::{BigStepMaximality, Fault, InputEventLifeline, InstanceId, InternalEventLifeline};

/// What an instance has around it when it steps.
pub(crate) struct Environment<'a> {
    pub(crate) model: &'a Model,
    pub(crate) effects: &'a mut Effects,
    pub(crate) schedule: &'a mut Schedule,
    pub(crate) reports: &'a mut Reports,
    pub(crate) now: u64,
    pub(crate) behind: u64,
    pub(crate) most_small_steps: u32,
    /// That of the last event that was given to anybody.
    pub(crate) number: u64,
    pub(crate) work: &'a mut Work,
}

/// What came of a big step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// Nothing was enabled.
    Idle,
    /// Something was taken.
    Fired,
    /// It took more small steps than allowed.
    Endless,
}

/// An instance in a step.
pub(super) struct Step<'a, 'b> {
    pub(super) class: &'a Class,
    pub(super) chart: &'a Chart,
    pub(super) machine: &'a mut Machine,
    pub(super) data: &'a mut Data,
    pub(super) queue: &'a mut std::collections::VecDeque<Queued>,
    pub(super) outports: &'a [std::sync::Arc<str>],
    pub(super) id: InstanceId,
    pub(super) env: &'a mut Environment<'b>,
}

impl Instance {
    fn step<'a, 'b>(&'a mut self, env: &'a mut Environment<'b>) -> Option<Step<'a, 'b>>
    where
        'b: 'a,
    {
        let class = env.model.class(self.class);
        Some(Step {
            class,
            chart: class.chart.as_ref()?,
            machine: &mut self.machine,
            data: &mut self.data,
            queue: &mut self.queue,
            outports: &self.outports,
            id: self.id,
            env,
        })
    }

    /// Enters the initial states.
    pub(crate) fn enter(&mut self, env: &mut Environment<'_>) {
        if let Some(mut step) = self.step(env) {
            step.enter(StateId::ROOT, &step.chart.start, None);
            step.machine.restless = true;
        }
    }

    /// Runs one big step, with or without an event.
    pub(crate) fn big_step(&mut self, event: Option<Queued>, env: &mut Environment<'_>) -> Stepped {
        match self.step(env) {
            Some(mut step) => step.big_step(event),
            None => Stepped::Idle,
        }
    }
}

impl Work {
    /// A combo step begins: what the one before has changed may change again.
    #[inline]
    fn reopen(&mut self) {
        if self.extent != Extent::Nothing {
            self.changed.clear();
            self.extent = Extent::Nothing;
        }
    }

    /// But for what has reached a stable state in this big step.
    fn keep_closed(&mut self) {
        if let Some(first) = self.closed.iter().next() {
            self.changed.clone_from(&self.closed);
            self.extent = Extent::from(first.0);
        }
    }

    /// Takes away the events that lived for the step that has ended.
    #[inline(always)]
    fn end(&mut self, step: Until) {
        match &self.live[..] {
            [] => {}
            // The usual case, without moving anything.
            [only] => {
                if only.until == step {
                    self.live.clear();
                }
            }
            _ => self.live.retain(|live| live.until != step),
        }
    }
}

impl Step<'_, '_> {
    fn big_step(&mut self, event: Option<Queued>) -> Stepped {
        let semantics = self.chart.semantics;
        let mut left = self.env.most_small_steps;
        let syntactic = semantics.big_step_maximality == BigStepMaximality::Syntactic;
        if syntactic {
            self.env.work.closed.clear();
        }
        let mut fired = false;
        self.env.work.happened += 1;
        // Of a step that panicked something may be left.
        self.env.work.live.clear();
        // What was raised before and is still to be seen comes before the input.
        self.begin_small_step();
        if let Some(Queued { id, port, event, .. }) = event {
            let until = match semantics.input_event_lifeline {
                InputEventLifeline::FirstSmallStep => Until::Small,
                InputEventLifeline::FirstComboStep => Until::Combo,
                InputEventLifeline::Whole => Until::Big,
            };
            self.env.work.live.push(Live { id, port, event, until });
        }
        loop {
            self.env.work.reopen();
            if syntactic {
                self.env.work.keep_closed();
            }
            if !self.machine.next_combo.is_empty() {
                self.env.work.live.append(&mut self.machine.next_combo);
            }
            let mut combo_fired = false;
            while self.small_step() {
                combo_fired = true;
                if left == 0 {
                    self.end_big_step();
                    return Stepped::Endless;
                }
                left -= 1;
                self.env.work.end(Until::Small);
                self.begin_small_step();
            }
            if !combo_fired {
                if syntactic && fired {
                    self.carry_over();
                }
                break;
            }
            fired = true;
            self.env.work.end(Until::Combo);
            if semantics.big_step_maximality == BigStepMaximality::TakeOne {
                self.carry_over();
                break;
            }
        }
        self.end_big_step();
        self.machine.restless =
            fired && (!self.machine.next_small.is_empty() || !self.machine.next_combo.is_empty() || self.is_restless());
        if fired { Stepped::Fired } else { Stepped::Idle }
    }

    /// What was raised for the next small step is there now.
    #[inline]
    fn begin_small_step(&mut self) {
        if !self.machine.next_small.is_empty() {
            self.env.work.live.append(&mut self.machine.next_small);
        }
    }

    fn end_big_step(&mut self) {
        self.env.work.live.clear();
    }

    /// A local event that no step could take yet waits for the next big step.
    fn carry_over(&mut self) {
        let (until, step) = match self.chart.semantics.internal_event_lifeline {
            InternalEventLifeline::NextSmallStep => (Until::Small, &mut self.machine.next_small),
            InternalEventLifeline::NextComboStep => (Until::Combo, &mut self.machine.next_combo),
            InternalEventLifeline::Queue | InternalEventLifeline::QueueFirst | InternalEventLifeline::Remainder => {
                return;
            }
        };
        step.extend(self.env.work.live.drain(..).filter(|live| live.until == until));
    }

    /// Makes local events of what code raised.
    pub(super) fn take_local(&mut self) {
        let lifeline = self.chart.semantics.internal_event_lifeline;
        for (id, event) in self.env.effects.local.drain(..) {
            let queued = Queued::internal(id, event, self.env.number | 1);
            let (list, until) = match lifeline {
                InternalEventLifeline::Queue => {
                    self.queue.push_back(queued);
                    continue;
                }
                InternalEventLifeline::QueueFirst => {
                    let at = self.queue.iter().take_while(|queued| queued.first).count();
                    self.queue.insert(at, Queued { first: true, ..queued });
                    continue;
                }
                InternalEventLifeline::NextSmallStep => (&mut self.machine.next_small, Until::Small),
                InternalEventLifeline::NextComboStep => (&mut self.machine.next_combo, Until::Combo),
                InternalEventLifeline::Remainder => (&mut self.machine.next_small, Until::Big),
            };
            let Queued { id, port, event, .. } = queued;
            list.push(Live { id, port, event, until });
        }
    }

    /// Reports a fault, and tells the instance by an event; not one in handling that event, which might go on for ever.
    #[cold]
    pub(super) fn fault(&mut self, fault: Fault, what: &str, live: Option<usize>) {
        let handled = live.and_then(|live| self.env.work.live.get(live)?.event.as_ref());
        let again = handled.is_some_and(|event| &**event.name() == crate::report::EXECUTION_ERROR);
        let report = Report::new(self.env.now, self.id, &self.class.name, what, fault);
        if !again {
            let event = report.as_event();
            let id = self.env.model.events.id(event.name());
            self.queue.push_back(Queued::internal(id, event, self.env.number | 1));
        }
        self.env.reports.fault(report);
    }
}
