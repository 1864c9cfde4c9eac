//! Room: the limits of requests in flight, and the requests that wait for room.
//!
//! Guarantees:
//! - Requests in flight never exceed the limit of the run, nor that of a client.
//! - Waiting requests are sent in the order of their intended times, and of one time in the order of arrival; one goes ahead
//!   only if its client has room and the clients of those before it do not.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{ClientId, MaxInFlight, Model};
use crate::time::Time;
use crate::users::Wake;

/// A limit, and how far it is used.
#[derive(Debug, Clone, Copy)]
struct Gate {
    limit: MaxInFlight,
    in_flight: u32,
    /// Since when there is room.
    since: Time,
}

impl Gate {
    fn new(limit: MaxInFlight) -> Gate {
        Gate {
            limit,
            in_flight: 0,
            since: Time::ZERO,
        }
    }

    fn is_full(&self) -> bool {
        self.in_flight >= self.limit.limit.get()
    }
}

/// A wake-up that waits for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    due: Time,
    order: u64,
    client: u16,
    wake: Wake,
}

/// What happens to a request that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is sent.
    Goes,
    /// It is not sent.
    Dropped,
    /// It waits.
    Held,
}

/// A request that has waited and can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// When it was due.
    pub due: Time,
    /// Since when there is room for it.
    pub room_since: Time,
}

/// The limits of a model that has some.
#[derive(Debug, Clone)]
pub(super) struct Room {
    all: Option<Gate>,
    /// By client.
    own: Vec<Option<Gate>>,
    /// By client where one has its own limit, all together otherwise.
    held: Vec<BinaryHeap<Reverse<Held>>>,
    waiting: usize,
    order: u64,
}

impl Room {
    /// The limits of a model; `None` where it has none.
    pub fn new<P>(model: &Model<P>) -> Option<Box<Room>> {
        let own = model.clients.iter().map(|client| client.max_in_flight);
        let own: Vec<_> = own.map(|limit| limit.map(Gate::new)).collect();
        let all = model.max_in_flight.map(Gate::new);
        let apart = own.iter().any(Option::is_some);
        (all.is_some() || apart).then(|| {
            let lines = if apart { own.len() } else { 1 };
            Box::new(Room {
                all,
                held: vec![BinaryHeap::new(); lines],
                own,
                waiting: 0,
                order: 0,
            })
        })
    }

    /// Whether a request waits.
    pub fn is_held(&self) -> bool {
        self.waiting > 0
    }

    /// What happens to a request of a client that is due now.
    pub fn admission(&self, client: ClientId) -> Admission {
        let gates = [self.own[client.index()], self.all];
        let mut full = gates.iter().flatten().filter(|gate| gate.is_full());
        match full.next() {
            None => Admission::Goes,
            // A limit that drops does so, whether another one would delay or not.
            Some(gate) if !gate.limit.delays() || full.any(|other| !other.limit.delays()) => {
                Admission::Dropped
            }
            Some(_) => Admission::Held,
        }
    }

    /// A request was sent.
    pub fn sent(&mut self, client: ClientId) {
        let gates = [self.own[client.index()].as_mut(), self.all.as_mut()];
        gates
            .into_iter()
            .flatten()
            .for_each(|gate| gate.in_flight += 1);
    }

    /// A request that was sent ended.
    pub fn ended(&mut self, client: ClientId, at: Time) {
        let gates = [self.own[client.index()].as_mut(), self.all.as_mut()];
        for gate in gates.into_iter().flatten() {
            if gate.in_flight == gate.limit.limit.get() {
                gate.since = at;
            }
            gate.in_flight -= 1;
        }
    }

    /// Keeps a wake-up until there is room.
    pub fn hold(&mut self, client: ClientId, due: Time, wake: Wake) {
        let order = self.order;
        self.order += 1;
        self.waiting += 1;
        let line = client.index().min(self.held.len() - 1);
        self.held[line].push(Reverse(Held {
            due,
            order,
            client: client.0,
            wake,
        }));
    }

    /// The line whose first request may go before those of the others.
    fn first(&self) -> Option<usize> {
        let all_full = self.all.is_some_and(|gate| gate.is_full());
        if self.waiting == 0 || all_full {
            return None;
        }
        let heads = self.held.iter().zip(&self.own).enumerate();
        let heads = heads.filter(|(_, (_, own))| !own.is_some_and(|gate| gate.is_full()));
        let heads = heads.filter_map(|(line, (held, _))| Some((held.peek()?.0, line)));
        heads.min().map(|(_, line)| line)
    }

    /// The request that would be sent next of those that wait, if one can be.
    pub fn next(&self) -> Option<Released> {
        let Reverse(Held { due, client, .. }) = *self.held[self.first()?].peek()?;
        let gates = [self.own[usize::from(client)], self.all];
        let since = gates.iter().flatten().map(|gate| gate.since).max();
        Some(Released {
            due,
            room_since: since.unwrap_or_default(),
        })
    }

    /// Takes it.
    pub fn release(&mut self) -> Option<(ClientId, Time, Wake)> {
        let line = self.first()?;
        self.take(line)
    }

    /// Takes whatever waits, room or not.
    pub fn give_up(&mut self) -> Option<(ClientId, Time, Wake)> {
        let heads = self.held.iter().enumerate();
        let heads = heads.filter_map(|(line, held)| Some((held.peek()?.0, line)));
        let (_, line) = heads.min()?;
        self.take(line)
    }

    fn take(&mut self, line: usize) -> Option<(ClientId, Time, Wake)> {
        let Reverse(held) = self.held[line].pop()?;
        self.waiting -= 1;
        Some((ClientId(held.client), held.due, held.wake))
    }
}
