//! Requests in flight and their timeouts.
//!
//! A request's place is named by a [`FlightId`]: a slot and the slot's generation. A reply that names an older
//! generation is a late one and finds nothing.
//!
//! Timeouts of one length come due in the order in which they are set, so each length has a list threaded
//! through the slots: setting one and forgetting one take constant time, and nothing is left behind.

use crate::engine::Arena;
use crate::event::{FlightId, Request};
use crate::model::Model;
use crate::time::{Span, Time};

const NONE: u32 = u32::MAX;

/// A request that was sent and is not done: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Flight {
    /// What was sent.
    pub request: Request,
    /// When it was sent.
    pub sent: Time,
    generation: u32,
    previous: u32,
    next: u32,
    /// The list of its timeout; [`NO_LIST`] without one.
    list: u16,
}

const NO_LIST: u16 = u16::MAX;

/// The requests of one timeout, in the order of their deadlines.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    timeout: Span,
    /// The first deadline, or [`Time::NEVER`].
    first: Time,
    head: u32,
    tail: u32,
}

/// All requests in flight.
#[derive(Debug, Clone)]
pub struct InFlight {
    slots: Arena<Flight>,
    /// The generation of the next request.
    generation: u32,
    lists: Vec<Deadlines>,
    /// The list of each client; [`NO_LIST`] without a timeout.
    list_of: Vec<u16>,
    earliest: Time,
}

impl InFlight {
    /// No requests yet; the timeouts are those of the model's clients.
    pub fn new<P>(model: &Model<P>) -> InFlight {
        let mut lists: Vec<Deadlines> = Vec::new();
        let list_of = model.clients.iter().map(|client| {
            let Some(timeout) = client.timeout else {
                return NO_LIST;
            };
            let list = lists
                .iter()
                .position(|list| list.timeout == timeout)
                .unwrap_or_else(|| {
                    lists.push(Deadlines {
                        timeout,
                        first: Time::NEVER,
                        head: NONE,
                        tail: NONE,
                    });
                    lists.len() - 1
                });
            // There are no more lists than clients, of which there are fewer than `NO_LIST`.
            list as u16
        });
        InFlight {
            list_of: list_of.collect(),
            lists,
            slots: Arena::new(),
            generation: 0,
            earliest: Time::NEVER,
        }
    }

    /// How many requests are in flight.
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no request is in flight.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The earliest deadline, or [`Time::NEVER`].
    #[inline]
    pub fn next_deadline(&self) -> Time {
        self.earliest
    }

    /// Takes up a request that is sent now; its timeout runs from now.
    #[inline(always)]
    pub fn insert(&mut self, now: Time, request: Request) -> (FlightId, Time) {
        let list = self.list_of[request.client.index()];
        // Wraps after 2^32 requests, by when no reply of the first is on its way.
        let generation = self.generation;
        self.generation = generation.wrapping_add(1);
        let slot = self.slots.take(|| Flight {
            request,
            sent: now,
            generation,
            previous: NONE,
            next: NONE,
            list,
        });
        let flight = &mut self.slots[slot];
        flight.request = request;
        flight.sent = now;
        flight.generation = generation;
        flight.list = list;
        let id = FlightId { slot, generation };
        if list == NO_LIST {
            return (id, Time::NEVER);
        }
        let list = &mut self.lists[usize::from(list)];
        let deadline = now + list.timeout;
        flight.previous = list.tail;
        flight.next = NONE;
        match std::mem::replace(&mut list.tail, slot) {
            NONE => {
                list.head = slot;
                list.first = deadline;
                self.earliest = self.earliest.min(deadline);
            }
            previous => self.slots[previous].next = slot,
        }
        (id, deadline)
    }

    /// Takes out a request that is done; `None` when it was taken out before: a late reply.
    #[inline(always)]
    pub fn remove(&mut self, id: FlightId) -> Option<&Flight> {
        let flight = self.slots.get(id.slot)?;
        if flight.generation != id.generation {
            return None;
        }
        let Flight {
            previous,
            next,
            list,
            ..
        } = *flight;
        if list != NO_LIST {
            self.unlink(list, previous, next);
        }
        // The next request's generation: no id that was given out for this slot has it, until the slot is taken by
        // that very request.
        self.slots[id.slot].generation = self.generation;
        self.slots.remove(id.slot);
        Some(&self.slots[id.slot])
    }

    #[inline(always)]
    fn unlink(&mut self, list: u16, previous: u32, next: u32) {
        let list = &mut self.lists[usize::from(list)];
        let next_deadline = match next {
            NONE => {
                list.tail = previous;
                Time::NEVER
            }
            _ => {
                let next = &mut self.slots[next];
                next.previous = previous;
                next.sent + list.timeout
            }
        };
        match previous {
            NONE => {
                list.head = next;
                list.first = next_deadline;
                self.earliest = match self.lists.len() {
                    1 => next_deadline,
                    _ => self.first_deadline(),
                };
            }
            _ => self.slots[previous].next = next,
        }
    }

    fn first_deadline(&self) -> Time {
        self.lists
            .iter()
            .fold(Time::NEVER, |earliest, list| earliest.min(list.first))
    }

    /// Whether a request is in flight.
    pub fn holds(&self, id: FlightId) -> bool {
        let flight = self.slots.get(id.slot);
        flight.is_some_and(|flight| flight.generation == id.generation)
    }

    /// The request whose deadline is the earliest; among equals, of the client named first.
    pub fn first_due(&self) -> Option<FlightId> {
        let due = self
            .lists
            .iter()
            .find(|list| list.head != NONE && list.first == self.earliest)?;
        Some(FlightId {
            slot: due.head,
            generation: self.slots[due.head].generation,
        })
    }

    /// All requests in flight, by slot: for settling them at the end of a run.
    pub fn ids(&self) -> Vec<FlightId> {
        let id = |slot| FlightId {
            slot,
            generation: self.slots[slot].generation,
        };
        self.slots.taken().into_iter().map(id).collect()
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActionId, ClientId};

    #[test]
    fn a_flight_is_one_cache_line() {
        assert_eq!(size_of::<Flight>(), 64);
    }

    fn request() -> Request {
        Request {
            user: crate::event::UserId(0),
            client: ClientId(0),
            action: ActionId(0),
            attempt: 0,
            user_number: 0,
            number: 0,
            intended: Time::ZERO,
        }
    }

    #[test]
    fn a_late_reply_finds_nothing_however_many_requests_there_were() {
        // In particular around the middle, where a generation and its complement are neighbours, and at the end.
        for first in [
            0,
            (1 << 31) - 2,
            (1 << 31) - 1,
            1 << 31,
            u32::MAX - 1,
            u32::MAX,
        ] {
            let mut in_flight = InFlight {
                slots: Arena::new(),
                generation: first,
                lists: Vec::new(),
                list_of: vec![NO_LIST],
                earliest: Time::NEVER,
            };
            let mut given_up = Vec::new();
            for _ in 0..6 {
                let (id, _) = in_flight.insert(Time::ZERO, request());
                assert!(in_flight.remove(id).is_some());
                given_up.push(id);
                for &late in &given_up {
                    assert!(in_flight.remove(late).is_none(), "{late:?} of {first}");
                }
            }
            assert_eq!(in_flight.len(), 0);
        }
    }
}
