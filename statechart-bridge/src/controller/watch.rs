//! Which inputs no transition takes; kept only if somebody wants to know.

use crate::Event;

/// The inputs of a moment, each with whether it was taken.
#[derive(Debug, Default)]
pub(crate) struct Watch(Vec<(Event, bool)>);

impl Watch {
    pub(crate) fn came(&mut self, event: &Event) {
        self.0.push((event.clone(), false));
    }

    pub(crate) fn taken(&mut self, event: &Event) {
        let found = self.0.iter_mut().find(|(known, _)| known.is_same(event));
        if let Some((_, taken)) = found {
            *taken = true;
        }
    }

    /// Those that nobody took, when all that was due is done.
    pub(crate) fn ignored(&mut self) -> Vec<Event> {
        let all = std::mem::take(&mut self.0);
        all.into_iter()
            .filter(|(_, taken)| !taken)
            .map(|(event, _)| event)
            .collect()
    }
}
