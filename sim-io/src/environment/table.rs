//! Tables whose places are used again, with a generation that tells old handles from new ones.

use std::num::NonZeroU32;

use super::queue::Slot;

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<Row<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Row<T> {
    generation: NonZeroU32,
    value: Option<T>,
}

impl<T> Row<T> {
    /// The next generation of the row; none after the last one, so that no old handle ever fits again.
    #[inline]
    fn retire(&mut self) -> bool {
        match self.generation.checked_add(1) {
            Some(next) => {
                self.generation = next;
                true
            }
            None => false,
        }
    }
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
            && let Some(row) = self.rows.get_mut(index as usize)
        {
            row.value = Some(value);
            return Slot::new(index, row.generation);
        }
        self.grow(value)
    }

    #[cold]
    fn grow(&mut self, value: T) -> Slot {
        let index = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let generation = NonZeroU32::MIN;
        self.rows.push(Row {
            generation,
            value: Some(value),
        });
        Slot::new(index, generation)
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        match self.rows.get(slot.index() as usize) {
            Some(row) if slot.has(row.generation) => row.value.as_ref(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        match self.rows.get_mut(slot.index() as usize) {
            Some(row) if slot.has(row.generation) => row.value.as_mut(),
            _ => None,
        }
    }

    /// What is at a place, whichever generation.
    #[cfg(feature = "reactor")]
    pub(crate) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.rows.get_mut(index as usize)?.value.as_mut()
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let row = self.rows.get_mut(slot.index() as usize)?;
        if !slot.has(row.generation) {
            return None;
        }
        let value = row.value.take()?;
        if row.retire() {
            self.free.push(slot.index());
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        (0..).zip(&self.rows).filter_map(|(index, row)| {
            let slot = Slot::new(index, row.generation);
            row.value.as_ref().map(|value| (slot, value))
        })
    }

    #[cfg(feature = "reactor")]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().filter_map(|row| row.value.as_mut())
    }

    /// Everything that is in it, in the order of the places.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        let mut values = Vec::new();
        for (index, row) in (0..).zip(&mut self.rows) {
            if let Some(value) = row.value.take() {
                if row.retire() {
                    self.free.push(index);
                }
                values.push(value);
            }
        }
        values
    }
}
