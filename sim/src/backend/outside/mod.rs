//! What is played elsewhere: a backend whose services, streams and subscribers are not all its own.
//!
//! A simulation plays everything itself. The double of a backend leaves members of services to other processes, streams
//! to a real server and fan-outs to real subscribers. What a path asks of them is an
//! [`Output`](super::Output), which whoever drives the backend carries out; what comes of it is told by [`Backend::returned`]. Work that others hand in enters by
//! [`Backend::take_call`] and [`Backend::work`].
//!
//! Guarantees:
//! - A job that waits for others does nothing else until it returns, and holds the workers that it held before.
//! - The demands of what is handed on are those that they would be here: a [`Call`] and a [`Message`] carry the identity
//!   that they are drawn from.
//! - A visit that holds its worker while the path goes on is never handed on: its path holds a worker here.

mod handed_in;
mod handed_out;

pub use handed_in::{Delivered, Message};
pub use handed_out::{Call, WorkEnd};

use super::Backend;
use crate::engine::Arena;
use crate::model::{Model, ServiceId};
use crate::time::Span;

/// Work that was handed in.
#[derive(Debug, Clone, Copy)]
struct Work {
    ticket: u32,
    member: u32,
    /// What a batch costs.
    cost: Option<Span>,
}

/// What a backend keeps that is not alone.
#[derive(Debug, Clone)]
pub(super) struct Outside {
    works: Arena<Work>,
    /// The member that the next visit joins, where somebody else has chosen it.
    given: Option<u32>,
    /// Which queues are played here.
    here: Vec<bool>,
}

impl Backend {
    /// The backend of a model that leaves streams and subscribers to others, and services as [`Backend::play`] says; all
    /// are played here at first.
    pub fn open(model: &Model) -> Backend {
        let mut backend = Backend::new(model);
        backend.paths.program.add_calls();
        // Only visits that take the longer way can be handed on.
        backend.visits.take_the_longer_way();
        backend.fan_outs.hand_out();
        backend.outside = Some(Box::new(Outside {
            works: Arena::new(),
            given: None,
            here: vec![true; backend.visits.lines()],
        }));
        backend
    }

    /// Which members of a service are played here; those that are not get no further visits. A service whose members
    /// take from one queue has one place.
    pub fn play(&mut self, service: ServiceId, places: &[bool]) {
        let lines = self.visits.lines_of(service);
        let all = places.iter().any(|here| *here);
        if let Some(outside) = &mut self.outside {
            for (place, line) in lines.enumerate() {
                outside.here[line as usize] = places.get(place).copied().unwrap_or(all);
            }
        }
    }

    /// Whether streams and subscribers are elsewhere.
    pub(crate) fn is_open(&self) -> bool {
        self.outside.is_some()
    }
}
