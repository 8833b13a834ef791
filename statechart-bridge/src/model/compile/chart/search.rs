//! The tables that find transitions.

use std::collections::BTreeMap;

use super::Builder;
use crate::model::compile::index::Known;
use crate::model::compiled::{BitSet, EventId, StateId, Trigger};
use crate::model::transition;

impl Builder<'_> {
    /// The tables that find transitions.
    pub(super) fn searches(&mut self, events: &[(EventId, Known)]) {
        let states = self.chart.states.len();
        self.chart.spontaneous = BitSet::new(states);
        self.chart.remembering = BitSet::new(states);
        self.chart.stable = BitSet::new(states);
        self.chart.responds = vec![None; self.compiler.events.count as usize];
        for number in 0..states {
            let id = StateId(number as u32);
            let state = &self.chart.states[number];
            let (first, end) = state.transitions;
            let timers = self.chart.timers[state.timers.0 as usize..state.timers.1 as usize].iter();
            let timers: BTreeMap<u32, EventId> = timers.map(|timer| (timer.transition, timer.event)).collect();
            let mut table: BTreeMap<EventId, Vec<u32>> = BTreeMap::new();
            let mut spontaneous = Vec::new();
            for transition in first..end {
                match &self.described[number].transitions[(transition - first) as usize].trigger {
                    transition::Trigger::Spontaneous => spontaneous.push(transition),
                    transition::Trigger::After(_) => {
                        if let Some(event) = timers.get(&transition) {
                            table.entry(*event).or_default().push(transition);
                        }
                    }
                    transition::Trigger::Event { name, .. } => {
                        let event = self.compiler.events.id(name);
                        table.entry(event).or_default().push(transition);
                    }
                    transition::Trigger::Prefix { name, .. } => {
                        for (event, known) in events {
                            if known.begins(name) {
                                table.entry(*event).or_default().push(transition);
                            }
                        }
                    }
                }
            }
            for (event, transitions) in &mut table {
                transitions.extend(&spontaneous);
                transitions.sort_unstable();
                if let Some(responds) = self.chart.responds.get_mut(event.0 as usize) {
                    responds.get_or_insert_with(|| BitSet::new(states)).insert(id);
                }
            }
            let table = table.into_iter().map(|(event, list)| (event, list.into_boxed_slice()));
            let state = &mut self.chart.states[number];
            state.by_event = table.collect();
            if !spontaneous.is_empty() {
                self.chart.spontaneous.insert(id);
            }
            if !state.histories.is_empty() {
                self.chart.remembering.insert(id);
            }
            if self.described[number].stable {
                self.chart.stable.insert(id);
            }
            state.spontaneous = spontaneous.into();
        }
        let spontaneous = &self.chart.spontaneous;
        self.chart.is_spontaneous = spontaneous.iter().next().is_some();
        for responds in self.chart.responds.iter_mut().flatten() {
            responds.insert_all(spontaneous);
        }
    }

    /// The events that matter to an instance only if one attribute equals one parameter, whatever its states.
    pub(super) fn keyed(&mut self, events: &[(EventId, Known)]) {
        for (event, _) in events {
            let mut found = None;
            let all = self.chart.states.iter().all(|state| {
                let Some((_, transitions)) = state.by_event.iter().find(|(known, _)| known == event) else {
                    return true;
                };
                let by_event = transitions
                    .iter()
                    .map(|number| &self.chart.transitions[*number as usize])
                    .filter(|transition| transition.trigger != Trigger::Spontaneous);
                by_event.into_iter().all(|transition| {
                    transition.same.is_some() && *found.get_or_insert(transition.same) == transition.same
                })
            });
            if let (true, Some(Some(key))) = (all, found) {
                self.chart.keyed.insert(*event, key);
                if !self.chart.keys.contains(&key.0) {
                    self.chart.keys.push(key.0);
                }
            }
        }
    }
}
