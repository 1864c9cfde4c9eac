//! The future-event list.
//!
//! [`Calendar`] hands out entries by time, and entries of one time in the order in which they were pushed.
//! It is a hierarchical calendar of radix 64: level `l` has 64 slots of `64^l` nanoseconds each, and an
//! entry lies in the level of the highest base-64 digit in which its time differs from the reference (a
//! radix heap, Ahuja et al. 1990, laid out like the timing wheels of Varghese and Lauck 1987). When the
//! earliest slot holds few entries it is sorted into the `bottom`, from which entries are taken; when it
//! holds many, they are dealt out to finer slots first.
//!
//! Order among equal times needs no sequence number: two entries of one time are always in the same slot, a
//! slot is only appended to, and it is dealt out front to back.
//!
//! Pushing and taking cost amortised constant time for any distribution of times, with no parameter to tune.
//! Entries live in chunks of one pool that never shrinks, so that a steady population of events allocates nothing.

use crate::time::Time;

const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = 64usize.div_ceil(DIGIT as usize);

/// A slot with at most this many entries is sorted instead of dealt out.
const SORTABLE: u32 = 24;
/// A bottom that has grown beyond this many entries gives its later part back to the slots.
const CROWDED: usize = 96;
/// Places in the bottom, those of taken entries among them; more only where more entries are of one time.
const ROOM: usize = 2 * CROWDED;
/// When there are no more entries than this, the bottom takes all of them, and all that come: so few are kept in order with
/// fewer steps than slots take.
const FEW: usize = 12;
/// A bottom that takes all entries and has grown beyond this many gives its later part to the slots.
const NO_LONGER_FEW: usize = 24;

/// The chunk index that stands for "none".
const NONE: u32 = u32::MAX;
const CHUNK: usize = 15;

#[derive(Debug, Clone, Copy)]
struct Entry<T> {
    time: u64,
    item: T,
}

/// A piece of a slot's list of entries: 256 bytes when an entry has 16.
#[derive(Debug, Clone)]
struct Chunk<T> {
    entries: [Entry<T>; CHUNK],
    len: u32,
    next: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    head: u32,
    tail: u32,
    len: u32,
}

const EMPTY: Slot = Slot {
    head: NONE,
    tail: NONE,
    len: 0,
};

/// A future-event list with first-in, first-out order among equal times.
///
/// Times must not lie before the last entry taken.
#[derive(Debug, Clone)]
pub struct Calendar<T> {
    /// Entries before `bottom_end`, ascending, from `head` on and before `tail`; the others are taken, or places for more.
    bottom: Vec<Entry<T>>,
    head: usize,
    tail: usize,
    bottom_end: u64,
    /// The instant from which digits are counted; never after an entry that lies in a slot.
    reference: u64,
    slots: Box<[[Slot; SLOTS]; LEVELS]>,
    /// Bit `s` of `occupied[l]`: slot `s` of level `l` holds entries.
    occupied: [u64; LEVELS],
    /// Bit `l`: level `l` holds entries.
    levels: u32,
    chunks: Vec<Chunk<T>>,
    free: u32,
    /// How many entries lie in slots.
    in_slots: usize,
}

impl<T: Copy> Calendar<T> {
    /// An empty calendar.
    pub fn new() -> Calendar<T> {
        Calendar {
            bottom: Vec::with_capacity(ROOM),
            head: 0,
            tail: 0,
            bottom_end: 0,
            reference: 0,
            slots: Box::new([[EMPTY; SLOTS]; LEVELS]),
            occupied: [0; LEVELS],
            levels: 0,
            chunks: Vec::new(),
            free: NONE,
            in_slots: 0,
        }
    }

    /// How many entries are waiting.
    pub fn len(&self) -> usize {
        self.in_slots + (self.tail - self.head)
    }

    /// Whether no entry is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an entry. One at [`Time::NEVER`] is never handed out, so it is not kept.
    #[inline]
    pub fn push(&mut self, time: Time, item: T) {
        if time == Time::NEVER {
            return;
        }
        let time = time.as_nanos();
        if time < self.bottom_end {
            self.insert_bottom(time, item);
        } else {
            self.push_slot(time, item);
        }
    }

    /// The time of the earliest entry, or [`Time::NEVER`].
    #[inline]
    pub fn next_time(&mut self) -> Time {
        if self.is_used_up() && !self.refill() {
            return Time::NEVER;
        }
        Time::from_nanos(self.bottom[self.head].time)
    }

    /// Whether the entries that have been put in order are used up, so that the next look puts more in order.
    #[inline]
    pub fn is_used_up(&self) -> bool {
        self.head == self.tail
    }

    /// The next entries, as far as they have been put in order: at least one unless the calendar is empty.
    pub fn upcoming(&mut self) -> impl Iterator<Item = T> {
        if self.is_used_up() {
            self.refill();
        }
        self.bottom[self.head..self.tail]
            .iter()
            .map(|entry| entry.item)
    }

    /// Takes the earliest entry.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, T)> {
        if self.is_used_up() && !self.refill() {
            return None;
        }
        self.take()
    }

    /// Takes the earliest entry, if [`next_time`](Self::next_time) has just looked at it.
    #[inline]
    pub fn take(&mut self) -> Option<(Time, T)> {
        if self.is_used_up() {
            return None;
        }
        let entry = self.bottom.get(self.head)?;
        self.head += 1;
        Some((Time::from_nanos(entry.time), entry.item))
    }

    /// Inserts behind all entries of the same time.
    ///
    /// The parts of an entry are stored one by one where they belong. An entry that is put together first and copied then would
    /// have to wait for its parts to reach the cache, in the middle of the longest chain of work that a run has.
    #[inline(always)]
    fn insert_bottom(&mut self, time: u64, item: T) {
        let Some(entries) = self.bottom.get_mut(self.head..=self.tail) else {
            return self.make_room_for(time, item);
        };
        let mut at = entries.len() - 1;
        while at > 0 && entries[at - 1].time > time {
            entries[at] = entries[at - 1];
            at -= 1;
        }
        entries[at].time = time;
        entries[at].item = item;
        self.tail += 1;
    }

    /// Inserts into a bottom that has no place left.
    #[cold]
    #[inline(never)]
    fn make_room_for(&mut self, time: u64, item: T) {
        if self.tail >= ROOM {
            self.tidy_up();
        }
        if time >= self.bottom_end {
            return self.push_slot(time, item);
        }
        if self.tail == self.bottom.len() {
            let places = ROOM.max(2 * self.tail);
            self.bottom.resize(places, Entry { time, item });
        }
        self.insert_bottom(time, item);
    }

    /// Drops the taken entries, and gives the later part of a crowded bottom back to the slots.
    fn tidy_up(&mut self) {
        self.bottom.copy_within(self.head..self.tail, 0);
        self.tail -= self.head;
        self.head = 0;
        let most = match self.bottom_end {
            u64::MAX => NO_LONGER_FEW,
            _ => CROWDED,
        };
        if self.tail <= most {
            return;
        }
        // All entries of one time stay on one side of the cut, or their order would be lost.
        let entries = &self.bottom[..self.tail];
        let (first, cut_time) = (entries[0].time, entries[most / 4].time);
        let cut = entries.partition_point(|entry| {
            if cut_time == first {
                entry.time <= first
            } else {
                entry.time < cut_time
            }
        });
        if cut == self.tail {
            return;
        }
        self.bottom_end = self.bottom[cut].time;
        if self.bottom_end < self.reference {
            self.move_back(self.bottom_end);
        }
        for at in cut..self.tail {
            let Entry { time, item } = self.bottom[at];
            self.push_slot(time, item);
        }
        self.tail = cut;
    }

    /// Moves the reference back, so that entries from `to` on can lie in slots.
    ///
    /// What lies in levels below the highest digit in which the two references differ has that digit of the
    /// old one: it is gathered in the slot of that digit. All else lies where it belongs.
    fn move_back(&mut self, to: u64) {
        let level = ((to ^ self.reference).ilog2() / DIGIT) as usize;
        let place = ((self.reference >> (DIGIT * level as u32)) as usize) & (SLOTS - 1);
        self.reference = to;
        for finer in 0..level {
            while self.occupied[finer] != 0 {
                let from = self.occupied[finer].trailing_zeros() as usize;
                let slot = self.take_slot(finer, from);
                self.in_slots += slot.len as usize;
                self.gather(slot, level, place);
            }
        }
    }

    /// Appends what a slot held to another one.
    fn gather(&mut self, from: Slot, level: usize, place: usize) {
        let slot = &mut self.slots[level][place];
        if slot.tail == NONE {
            slot.head = from.head;
        } else {
            self.chunks[slot.tail as usize].next = from.head;
        }
        slot.tail = from.tail;
        slot.len += from.len;
        self.occupied[level] |= 1 << place;
        self.levels |= 1 << level;
    }

    /// Empties a slot and hands out what it held.
    #[inline]
    fn take_slot(&mut self, level: usize, place: usize) -> Slot {
        let slot = std::mem::replace(&mut self.slots[level][place], EMPTY);
        self.in_slots -= slot.len as usize;
        self.occupied[level] &= !(1 << place);
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
        slot
    }

    /// Puts an entry at or after `bottom_end` into its slot.
    #[inline]
    fn push_slot(&mut self, time: u64, item: T) {
        self.in_slots += 1;
        let differs = (time ^ self.reference) | 1;
        let level = (differs.ilog2() / DIGIT) as usize;
        let place = ((time >> (DIGIT * level as u32)) as usize) & (SLOTS - 1);
        let slot = &mut self.slots[level][place];
        if let Some(chunk) = self.chunks.get_mut(slot.tail as usize)
            && let Some(free) = chunk.entries.get_mut(chunk.len as usize)
        {
            free.time = time;
            free.item = item;
            chunk.len += 1;
            slot.len += 1;
            return;
        }
        self.append_chunk(level, place, time, item);
    }

    fn append_chunk(&mut self, level: usize, place: usize, time: u64, item: T) {
        let fresh = self.fresh_chunk(time, item);
        let slot = &mut self.slots[level][place];
        if slot.tail == NONE {
            slot.head = fresh;
        } else {
            self.chunks[slot.tail as usize].next = fresh;
        }
        slot.tail = fresh;
        slot.len += 1;
        self.occupied[level] |= 1 << place;
        self.levels |= 1 << level;
    }

    /// A chunk that holds just this entry.
    fn fresh_chunk(&mut self, time: u64, item: T) -> u32 {
        if self.free == NONE {
            self.chunks.push(Chunk {
                entries: [Entry { time, item }; CHUNK],
                len: 1,
                next: NONE,
            });
            return (self.chunks.len() - 1) as u32;
        }
        let fresh = self.free;
        let chunk = &mut self.chunks[fresh as usize];
        self.free = chunk.next;
        chunk.entries[0].time = time;
        chunk.entries[0].item = item;
        chunk.len = 1;
        chunk.next = NONE;
        fresh
    }

    /// Fills the empty bottom from the earliest slot; false when there is none.
    fn refill(&mut self) -> bool {
        (self.head, self.tail) = (0, 0);
        // A burst at one instant may have made it longer.
        self.bottom.truncate(ROOM);
        if self.in_slots <= FEW {
            return self.take_all();
        }
        while self.levels != 0 {
            let level = self.levels.trailing_zeros() as usize;
            let place = self.occupied[level].trailing_zeros() as usize;
            let slot = self.take_slot(level, place);
            let (start, end) = self.bounds(level, place);
            self.reference = start;
            if level == 0 || slot.len <= SORTABLE {
                self.bottom_end = end;
                self.sort_into_bottom(slot);
                return true;
            }
            self.deal_out(slot);
        }
        false
    }

    /// Takes all entries into the empty bottom; false when there are none.
    fn take_all(&mut self) -> bool {
        self.bottom_end = u64::MAX;
        while self.levels != 0 {
            let level = self.levels.trailing_zeros() as usize;
            let place = self.occupied[level].trailing_zeros() as usize;
            let slot = self.take_slot(level, place);
            self.sort_into_bottom(slot);
        }
        !self.is_used_up()
    }

    /// The first instant of a slot and the first after it.
    fn bounds(&self, level: usize, place: usize) -> (u64, u64) {
        let shift = DIGIT * level as u32;
        let above = u64::MAX.checked_shl(shift + DIGIT).unwrap_or(0);
        let start = (self.reference & above) | ((place as u64) << shift);
        (start, start.saturating_add(1 << shift))
    }

    fn sort_into_bottom(&mut self, slot: Slot) {
        let mut at = slot.head;
        while at != NONE {
            let chunk = &self.chunks[at as usize];
            for index in 0..chunk.len as usize {
                let Entry { time, item } = self.chunks[at as usize].entries[index];
                self.insert_bottom(time, item);
            }
            at = self.release(at);
        }
    }

    fn deal_out(&mut self, slot: Slot) {
        let mut at = slot.head;
        while at != NONE {
            for index in 0..self.chunks[at as usize].len as usize {
                let Entry { time, item } = self.chunks[at as usize].entries[index];
                self.push_slot(time, item);
            }
            at = self.release(at);
        }
    }

    /// Gives a chunk back to the pool and returns the one after it.
    fn release(&mut self, at: u32) -> u32 {
        let chunk = &mut self.chunks[at as usize];
        let next = std::mem::replace(&mut chunk.next, self.free);
        self.free = at;
        next
    }
}

impl<T: Copy> Default for Calendar<T> {
    fn default() -> Self {
        Calendar::new()
    }
}
