//! Visits as they were recorded: members and service times that a model uses in the place of its draws.
//!
//! A real queue group draws the member of each request anew, so that a model with the same arrivals and the same demands still has other
//! queues. What a record says of the visits of its requests is given to the backend before the run. Guarantees:
//! - A visit whose member was recorded joins that member, unless it is gone; one whose service time was recorded takes exactly that,
//!   whatever the member's speed or the state of the service.
//! - The visits of a request to one service are taken in the order in which they were recorded. A visit of which nothing was recorded
//!   draws as it always does.
//! - A backend that is given nothing does nothing for it: only visits that take the longer way are looked up.

use rustc_hash::FxHashMap;

use super::Backend;
use super::request::keys;
use crate::model::{Model, ServiceId};
use crate::random::Key;
use crate::time::Span;
use crate::trace::Row;

/// What was recorded of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedVisit {
    /// Where it was.
    pub service: ServiceId,
    /// The member that served it, where the model would draw one.
    pub member: Option<u32>,
    /// How long it was served.
    pub time: Option<Span>,
}

/// What was recorded of the visits of all requests.
#[derive(Debug, Clone)]
pub struct RecordedVisits {
    /// The keys of requests' identities, by client.
    keys: Vec<Key>,
    /// By identity and try: where its visits stand, and how many they are.
    of: FxHashMap<(u64, u16), (usize, u32)>,
    /// Each with whether it is still to come.
    visits: Vec<(RecordedVisit, bool)>,
}

impl RecordedVisits {
    /// Of requests of this model, none so far.
    pub fn new(model: &Model) -> RecordedVisits {
        RecordedVisits {
            keys: keys(model),
            of: FxHashMap::default(),
            visits: Vec::new(),
        }
    }

    /// Adds the visits of a request in their order; whether nothing was known of it so far.
    pub fn add(&mut self, row: &Row, visits: &[RecordedVisit]) -> bool {
        let Some(key) = self.keys.get(row.client.index()) else {
            return false;
        };
        let identity = (key.identity(row.user, row.number), row.attempt);
        if self.of.contains_key(&identity) {
            return false;
        }
        let at = self.visits.len();
        self.of.insert(identity, (at, visits.len() as u32));
        self.visits
            .extend(visits.iter().map(|visit| (*visit, true)));
        true
    }

    /// What of a request comes next at this service.
    fn next(
        &mut self,
        request: (u64, u16),
        service: ServiceId,
    ) -> Option<&mut (RecordedVisit, bool)> {
        let (at, number) = *self.of.get(&request)?;
        let mut visits = self.visits[at..at + number as usize].iter_mut();
        visits.find(|(visit, is_to_come)| *is_to_come && visit.service == service)
    }
}

impl Backend {
    /// Uses what was recorded of visits from now on.
    pub fn follow(&mut self, recorded: RecordedVisits) {
        // Only visits that take the longer way ask for it.
        self.visits.take_the_longer_way();
        self.recorded = Some(Box::new(recorded));
    }

    /// The queue of the member that was recorded for the visit that a job begins, unless that is gone.
    pub(super) fn recorded_line(&mut self, id: u32, service: ServiceId) -> Option<u32> {
        let recorded = self.recorded.as_mut()?;
        let job = &self.jobs[id];
        let (visit, _) = recorded.next((job.identity, job.attempt), service)?;
        self.visits.line_of(service, visit.member?)
    }

    /// The service time that was recorded for the visit that a job begins to be served at. Its next visit there is another one.
    pub(super) fn recorded_time(&mut self, id: u32) -> Option<Span> {
        let recorded = self.recorded.as_mut()?;
        let job = &self.jobs[id];
        let (visit, is_to_come) = recorded.next((job.identity, job.attempt), job.service)?;
        *is_to_come = false;
        visit.time
    }
}
