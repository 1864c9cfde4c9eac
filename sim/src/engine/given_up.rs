//! Requests that ended without a reply and may still get one, to separate a late reply from a duplicate.

use crate::event::FlightId;

/// How many of the latest requests are told apart; a power of two. A reply to one that is further back is late for lack
/// of better knowledge when a later one has taken its place, and a second one otherwise.
const REMEMBERED: usize = 1 << 16;

/// The latest requests that were given up, each at the place of its generation: bounded memory, taken at the first one.
#[derive(Debug, Clone, Default)]
pub(crate) struct GivenUp {
    places: Vec<Option<Place>>,
    waited_for: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    flight: FlightId,
    is_waited_for: bool,
}

impl GivenUp {
    /// A request ended without a reply; whether one is waited for when nothing else is left to do.
    #[cold]
    pub(crate) fn add(&mut self, flight: FlightId, is_waited_for: bool) {
        if self.places.is_empty() {
            self.places = vec![None; REMEMBERED];
        }
        let place = &mut self.places[flight.generation() % REMEMBERED];
        let new = Place {
            flight,
            is_waited_for,
        };
        self.waited_for += u64::from(is_waited_for);
        if let Some(before) = place.replace(new) {
            self.waited_for -= u64::from(before.is_waited_for);
        }
    }

    /// A reply came to a request that has ended: whether it is its first. The next one is not.
    #[cold]
    pub(crate) fn is_first_reply(&mut self, flight: FlightId) -> bool {
        let Some(place) = self.places.get_mut(flight.generation() % REMEMBERED) else {
            return false;
        };
        match *place {
            Some(known) if known.flight == flight => {
                self.waited_for -= u64::from(known.is_waited_for);
                *place = None;
                true
            }
            Some(known) => known.flight.is_later_than(flight),
            None => false,
        }
    }

    /// How many replies are waited for.
    pub(crate) fn waited_for(&self) -> u64 {
        self.waited_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request of this generation.
    fn flight(generation: u64) -> FlightId {
        FlightId::from_bits(generation << 32 | 7)
    }

    #[test]
    fn the_first_reply_is_late_and_those_after_it_are_not() {
        let mut given_up = GivenUp::default();
        assert!(!given_up.is_first_reply(flight(3)));
        given_up.add(flight(3), true);
        assert_eq!(given_up.waited_for(), 1);
        assert!(!given_up.is_first_reply(flight(4)));
        assert!(given_up.is_first_reply(flight(3)));
        assert_eq!(given_up.waited_for(), 0);
        assert!(!given_up.is_first_reply(flight(3)));
    }

    #[test]
    fn what_is_forgotten_counts_as_late_and_is_not_waited_for() {
        let mut given_up = GivenUp::default();
        let far = 3 + REMEMBERED as u64;
        given_up.add(flight(3), true);
        given_up.add(flight(far), false);
        assert_eq!(given_up.waited_for(), 0);
        assert!(given_up.is_first_reply(flight(3)));
        assert!(given_up.is_first_reply(flight(far)));
        // One that was answered is not remembered at all, and comes after the one that has its place.
        given_up.add(flight(3), true);
        assert!(!given_up.is_first_reply(flight(far)));
    }
}
