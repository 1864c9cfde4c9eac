//! A pool of slots that are used again.

use std::ops::{Index, IndexMut};

/// Values in numbered slots. Taking and giving back a slot take constant time; the pool grows to the
/// largest number of values that were there together, and then allocates no more.
#[derive(Debug, Clone)]
pub struct Arena<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    /// No slots yet.
    pub fn new() -> Arena<T> {
        Arena {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many slots are taken.
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether no slot is taken.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.len() == self.free.len()
    }

    /// Puts a value into a free slot and returns the slot's number.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = value;
                slot
            }
            None => {
                self.slots.push(value);
                // Whoever goes without the slot numbers of a u32 has long run out of memory.
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Takes a free slot and returns its number; it holds an old value, or what `blank` makes when it is new.
    ///
    /// For values that are set field by field, which spares a copy of the whole.
    #[inline(always)]
    pub fn take(&mut self, blank: impl FnOnce() -> T) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(blank());
            (self.slots.len() - 1) as u32
        })
    }

    /// Gives a slot back. Its value stays readable until the slot is taken again.
    #[inline]
    pub fn remove(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// The value of a slot that was taken at some time.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)
    }

    /// The taken slots, ascending: for the end of a run, not for its course.
    pub fn taken(&self) -> Vec<u32> {
        let mut taken = vec![true; self.slots.len()];
        for &slot in &self.free {
            taken[slot as usize] = false;
        }
        (0u32..)
            .zip(taken)
            .filter_map(|(slot, taken)| taken.then_some(slot))
            .collect()
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena::new()
    }
}

impl<T> Index<u32> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }
}
