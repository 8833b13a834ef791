//! Instances: what they remember, and how they step.

mod actions;
mod change;
mod select;
mod step;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::few::Few;
use crate::model::compiled::{BitSet, Chart, ClassId, EventId, Model, PortId};
use crate::script::{Data, Key};
use crate::{Event, InstanceId, Object};

pub(crate) use step::{Environment, Stepped};

/// An instance of a class.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) class: ClassId,
    pub(crate) life: Life,
    pub(crate) data: Data,
    pub(crate) machine: Machine,
    /// What is due, in order.
    pub(crate) queue: VecDeque<Queued>,
    /// Whether it is in the controller's list of those that are to step.
    pub(crate) is_ready: bool,
    /// Links to others, by association.
    pub(crate) links: Box<[Links]>,
    /// Who links to it: instance, association, index.
    pub(crate) linked_by: Few<(InstanceId, usize, u64)>,
    /// The objects in its attributes, under which it is listed for events that are for who holds them.
    pub(crate) held: Box<[(Key, Object)]>,
    /// Its private ports, by their number in the class.
    pub(crate) inports: Box<[Arc<str>]>,
    pub(crate) outports: Box<[Arc<str>]>,
    /// The number of the event that it handled last.
    pub(crate) seen: u64,
    /// Big steps since the time went on or something came from outside, and when that was.
    pub(crate) spins: (u64, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It waits to be started; what is for it is kept.
    Created,
    Started,
    /// It ran without end, or panicked; it stays as it was and takes nothing.
    Halted,
}

/// The links of one association.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    /// The index of the next link.
    pub(crate) next: u64,
    pub(crate) targets: Few<u64, InstanceId>,
}

/// The states of an instance, and what it remembers between steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    pub(crate) active: BitSet,
    /// What histories remember, by number.
    pub(crate) histories: Box<[Option<BitSet>]>,
    /// The tokens of running timers, by number; 0 for none.
    pub(crate) timers: Box<[u64]>,
    /// What becomes live in the next small step, or in the next combo step.
    pub(crate) next_small: Vec<Live>,
    pub(crate) next_combo: Vec<Live>,
    /// Whether a big step without an event might find something to do.
    pub(crate) restless: bool,
}

impl Machine {
    pub(crate) fn new(chart: Option<&Chart>) -> Self {
        let Some(chart) = chart else {
            return Self::default();
        };
        Self {
            active: BitSet::new(chart.states.len()),
            histories: vec![None; chart.histories.len()].into(),
            timers: vec![0; chart.timers.len()].into(),
            ..Self::default()
        }
    }
}

/// What a step needs while it runs: the instances of an engine step one after the other, so they share it.
#[derive(Debug)]
pub(crate) struct Work {
    /// What this combo step has changed.
    pub(crate) changed: BitSet,
    /// How much that is, so that the set need not be asked.
    pub(crate) extent: Extent,
    /// What this big step changes no more, since it has reached a stable state.
    pub(crate) closed: BitSet,
    /// For entering by history.
    pub(crate) scratch: BitSet,
    /// The events of this small step.
    pub(crate) live: Vec<Live>,
    /// For small steps with many transitions.
    pub(crate) chosen: Vec<Chosen>,
    /// Counts what happens: steps that begin, transitions that are taken.
    pub(crate) happened: u64,
    /// By transition: how much had happened when its guard, which gives the same until more happens, refused it last.
    pub(crate) refused: Box<[u64]>,
}

impl Work {
    /// For the charts of a model.
    pub(crate) fn new(model: &Model) -> Self {
        let charts = model.classes.iter().filter_map(|class| class.chart.as_ref());
        let states = charts.clone().map(|chart| chart.states.len()).max();
        let states = BitSet::new(states.unwrap_or(0));
        let transitions = charts.map(|chart| chart.transitions.len()).max();
        Self {
            changed: states.clone(),
            extent: Extent::default(),
            closed: states.clone(),
            scratch: states,
            live: Vec::new(),
            chosen: Vec::new(),
            happened: 0,
            refused: vec![0; transitions.unwrap_or(0)].into(),
        }
    }
}

/// An event that waits for its big step.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) id: EventId,
    pub(crate) port: PortId,
    /// None for timers, and for events that are only a name.
    pub(crate) event: Option<Event>,
    /// The number and the token of the timer that this is of.
    pub(crate) timer: Option<(u32, u64)>,
    /// Whether it goes before what comes from outside.
    pub(crate) first: bool,
    /// Its place in the order of all events of the engine: the same for all who get it, even for what is given to many,
    /// odd for what an instance raised for itself after that.
    pub(crate) number: u64,
}

impl Queued {
    /// Whether it is this event, not one like it.
    pub(crate) fn is_of(&self, event: &Event) -> bool {
        self.event.as_ref().is_some_and(|own| own.is_same(event))
    }

    /// An event without port.
    pub(crate) fn internal(id: EventId, event: Event, number: u64) -> Self {
        Self {
            id,
            port: PortId::NONE,
            event: Some(event),
            timer: None,
            first: false,
            number,
        }
    }
}

/// An event that transitions can see.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) id: EventId,
    pub(crate) port: PortId,
    pub(crate) event: Option<Event>,
    pub(crate) until: Until,
}

/// How much of a chart a combo step has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    #[default]
    Nothing,
    Something,
    Everything,
}

impl Extent {
    /// That of an area that starts with this state.
    #[inline]
    pub(crate) fn from(start: u32) -> Self {
        if start == 0 { Self::Everything } else { Self::Something }
    }
}

/// How long an event is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// In one small step.
    Small,
    /// During a combo step.
    Combo,
    /// To the end of the big step.
    Big,
}

/// A transition that is to be taken, and the live event that enables it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen {
    pub(crate) transition: u32,
    pub(crate) live: Option<usize>,
}
