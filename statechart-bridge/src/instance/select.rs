//! Which transitions a small step takes.

use super::step::Step;
use super::{Chosen, Extent, Live};
use crate::model::compiled::{Guard, StateId, Trigger};
use crate::script::{Context, View};
use crate::{Concurrency, Priority, Value};

impl Step<'_, '_> {
    /// Takes what is enabled; false if nothing is.
    #[inline]
    pub(super) fn small_step(&mut self) -> bool {
        if self.env.work.extent == Extent::Everything || (self.env.work.live.is_empty() && !self.is_restless()) {
            return false;
        }
        if self.chart.semantics.concurrency == Concurrency::Many {
            return self.small_step_of_many();
        }
        match self.first(0) {
            Some(chosen) => {
                self.fire(chosen);
                true
            }
            None => false,
        }
    }

    /// Whether an active state has spontaneous transitions.
    #[inline]
    pub(super) fn is_restless(&self) -> bool {
        self.chart.is_spontaneous && self.machine.active.meets(&self.chart.spontaneous)
    }

    fn small_step_of_many(&mut self) -> bool {
        let mut chosen = std::mem::take(&mut self.env.work.chosen);
        chosen.clear();
        let mut start = 0;
        let mut taken: Vec<(u32, u32)> = Vec::new();
        while let Some((found, next)) = self.first_from(start, &taken) {
            taken.push(self.chart.transitions[found.transition as usize].area);
            chosen.push(found);
            start = next;
        }
        for one in &chosen {
            self.fire(*one);
        }
        let any = !chosen.is_empty();
        self.env.work.chosen = chosen;
        any
    }

    /// The first of the states from `start` on, by priority, with an enabled transition beside those taken, and from
    /// where to look for more.
    fn first_from(&mut self, start: u32, taken: &[(u32, u32)]) -> Option<(Chosen, u32)> {
        let mut at = start;
        loop {
            let found = self.first(at)?;
            let transition = &self.chart.transitions[found.transition as usize];
            let (source, area) = (transition.source, transition.area);
            // What is inside of its source has lost against it, be it taken or not.
            at = self.chart.state(source).end;
            if taken.iter().all(|taken| taken.1 <= area.0 || area.1 <= taken.0) {
                return Some((found, at));
            }
        }
    }

    /// The first state from `start` on with an enabled transition, by priority.
    #[inline]
    fn first(&mut self, start: u32) -> Option<Chosen> {
        let inner_first = self.chart.semantics.priority == Priority::SourceChild;
        let mut best: Option<(Chosen, u32)> = None;
        for index in (start / 64) as usize..self.machine.active.words.len() {
            let mut word = self.responding(index);
            if index as u32 == start / 64 {
                word &= u64::MAX << (start % 64);
            }
            while word != 0 {
                let state = StateId(index as u32 * 64 + word.trailing_zeros());
                word &= word - 1;
                if let Some((found, end)) = best
                    && state.0 >= end
                {
                    return Some(found);
                }
                if let Some(found) = self.enabled_in(state) {
                    if !inner_first {
                        return Some(found);
                    }
                    best = Some((found, self.chart.state(state).end));
                }
            }
        }
        best.map(|(found, _)| found)
    }

    /// The active states that may have something for the live events and have not changed yet, of one word.
    #[inline]
    fn responding(&self, index: usize) -> u64 {
        let (work, chart) = (&*self.env.work, self.chart);
        let responds = |live: &Live| match chart.responds.get(live.id.0 as usize) {
            Some(Some(responds)) => responds.words[index],
            _ => chart.spontaneous.words[index],
        };
        let word = match &work.live[..] {
            [] => chart.spontaneous.words[index],
            [live] => responds(live),
            all => all.iter().map(responds).fold(0, std::ops::BitOr::bitor),
        };
        let word = word & self.machine.active.words[index];
        if work.extent == Extent::Nothing {
            return word;
        }
        word & !work.changed.words[index]
    }

    /// The first enabled transition of a state.
    #[inline]
    fn enabled_in(&mut self, state: StateId) -> Option<Chosen> {
        let chart = self.chart;
        let described = chart.state(state);
        match &self.env.work.live[..] {
            [] => described
                .spontaneous
                .iter()
                .find_map(|transition| self.enabled(*transition, None)),
            [live] => described
                .candidates(live.id)
                .iter()
                .find_map(|transition| self.enabled(*transition, Some(0))),
            _ => {
                let (first, end) = described.transitions;
                (first..end).find_map(|transition| self.enabled_by_any(state, transition))
            }
        }
    }

    fn enabled_by_any(&mut self, state: StateId, transition: u32) -> Option<Chosen> {
        let chart = self.chart;
        if chart.transitions[transition as usize].trigger == Trigger::Spontaneous {
            return self.enabled(transition, None);
        }
        (0..self.env.work.live.len()).find_map(|live| {
            let event = self.env.work.live[live].id;
            let known = chart.state(state).by_event.iter().find(|(known, _)| *known == event);
            let (_, transitions) = known?;
            if !transitions.contains(&transition) {
                return None;
            }
            self.enabled(transition, Some(live))
        })
    }

    /// Whether a transition is enabled by this live event, which is one that its trigger names (or it is spontaneous).
    #[inline]
    fn enabled(&mut self, number: u32, live: Option<usize>) -> Option<Chosen> {
        let chart = self.chart;
        let transition = &chart.transitions[number as usize];
        let live = match transition.trigger {
            Trigger::Spontaneous => None,
            Trigger::Timer | Trigger::Event(None) => live,
            Trigger::Event(Some(port)) => {
                let live = live?;
                if self.env.work.live[live].port != port {
                    return None;
                }
                Some(live)
            }
        };
        let (start, end) = transition.area;
        if self.env.work.extent != Extent::Nothing && self.env.work.changed.meets_range(start, end) {
            return None;
        }
        let chosen = Chosen {
            transition: number,
            live,
        };
        if matches!(transition.guard, Guard::Always) && transition.same.is_none() {
            return Some(chosen);
        }
        if !transition.steady {
            return self.allowed(chosen).then_some(chosen);
        }
        let (number, happened) = (number as usize, self.env.work.happened);
        if self.env.work.refused[number] == happened {
            return None;
        }
        if self.allowed(chosen) {
            return Some(chosen);
        }
        self.env.work.refused[number] = happened;
        None
    }

    /// Whether its guard allows it.
    fn allowed(&mut self, chosen: Chosen) -> bool {
        let chart = self.chart;
        let transition = &chart.transitions[chosen.transition as usize];
        if let Some((key, parameter)) = transition.same {
            let arguments = self.arguments(chosen.live);
            let parameter = arguments.get(parameter).unwrap_or(&Value::Nil);
            let attribute = match self.class.slot(key) {
                Some(slot) => self.data.slots.get(slot),
                None => self.data.others.get(self.env.model.keys.name(key)),
            };
            if attribute.unwrap_or(&Value::Nil) != parameter {
                return false;
            }
        }
        match &transition.guard {
            Guard::Always => true,
            Guard::InState(states) => states.iter().all(|state| self.machine.active.contains(*state)),
            Guard::Else => !transition.rivals.iter().any(|rival| {
                // Those before it were asked already: one that is allowed and still was not taken would change too much.
                let (start, end) = chart.transitions[*rival as usize].area;
                let asked = *rival < chosen.transition && !self.env.work.changed.meets_range(start, end);
                let rival = Chosen {
                    transition: *rival,
                    ..chosen
                };
                !asked && self.allowed(rival)
            }),
            Guard::Code(code) => {
                let source = transition.source;
                let result = self.with_context(source, chosen.live, |cx| code.test(cx));
                match result {
                    Ok(allowed) => allowed,
                    Err(fault) => {
                        let place = transition.place.clone();
                        let what = format!("guard of {}", self.chart.path(source));
                        self.fault(fault.at(place), &what, chosen.live);
                        false
                    }
                }
            }
        }
    }

    pub(super) fn arguments(&self, live: Option<usize>) -> &[Value] {
        let event = live.and_then(|live| self.env.work.live[live].event.as_ref());
        event.map_or(&[], |event| event.parameters())
    }

    /// Lets code see and change the instance.
    #[inline]
    pub(super) fn with_context<T>(
        &mut self,
        state: StateId,
        live: Option<usize>,
        run: impl FnOnce(&mut Context<'_>) -> T,
    ) -> T {
        let event = live.and_then(|live| self.env.work.live[live].event.as_ref());
        let mut cx = Context {
            view: View {
                model: self.env.model,
                class: self.class,
                active: &self.machine.active,
                state,
                event,
                instance: self.id,
                now: self.env.now,
                behind: self.env.behind,
            },
            data: self.data,
            effects: self.env.effects,
            arguments: event.map_or(&[], |event| event.parameters()),
            depth: 0,
        };
        let result = run(&mut cx);
        if !self.env.effects.local.is_empty() {
            self.take_local();
        }
        result
    }
}
