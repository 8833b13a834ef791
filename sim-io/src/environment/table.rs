//! Tables whose places are used again, with a generation that tells old handles from new ones.

use super::queue::Slot;

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Slot {
        if let Some(index) = self.free.pop()
            && let Some((generation, row)) = self.rows.get_mut(index as usize)
        {
            *row = Some(value);
            return Slot {
                index,
                generation: *generation,
            };
        }
        let index = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push((0, Some(value)));
        Slot { index, generation: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        match self.rows.get(slot.index as usize) {
            Some((generation, value)) if *generation == slot.generation => value.as_ref(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        match self.rows.get_mut(slot.index as usize) {
            Some((generation, value)) if *generation == slot.generation => value.as_mut(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let (generation, value) = self.rows.get_mut(slot.index as usize)?;
        if *generation != slot.generation {
            return None;
        }
        let value = value.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(slot.index);
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().filter_map(|(_, value)| value.as_ref())
    }

    /// Everything that is in it, in the order of the places.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        let mut values = Vec::new();
        for (index, (generation, value)) in (0..).zip(&mut self.rows) {
            if let Some(value) = value.take() {
                *generation = generation.wrapping_add(1);
                self.free.push(index);
                values.push(value);
            }
        }
        values
    }
}
