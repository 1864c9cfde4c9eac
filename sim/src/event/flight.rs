//! The id of a request in flight.
//!
//! An id is a slot and the generation of the slot: a reply with an older generation is late and finds nothing.

/// The place of a request in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FlightId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl FlightId {
    /// The slot: below the largest number of requests that were in flight together.
    #[inline]
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// Its number among all requests of the run, until it wraps.
    pub(crate) fn generation(self) -> usize {
        self.generation as usize
    }

    /// All of it as a number, which [`from_bits`](Self::from_bits) reads again: for the subject of a reply.
    pub fn to_bits(self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.slot)
    }

    /// The id that such a number stands for. One that was never given out finds nothing.
    pub fn from_bits(bits: u64) -> FlightId {
        FlightId {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    /// Whether its request was sent after that of another one.
    pub fn is_later_than(self, other: FlightId) -> bool {
        // Generations wrap: of two, the later is less than half of their range ahead.
        let ahead = self.generation.wrapping_sub(other.generation);
        ahead != 0 && ahead < 1 << 31
    }
}
