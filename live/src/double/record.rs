//! What a double records of the events of its model: where each request was served, and the work of each member.

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::event::{Event, Sink, VisitStep};
use blis_sim::model::{Model, ServiceId};
use blis_sim::time::{Span, Time};

/// Where a request was served last, and for how long altogether.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// The member.
    pub member: u32,
    /// The pure service time.
    pub time: Span,
}

/// A visit of a request that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// Where it was.
    pub service: ServiceId,
    /// The member.
    pub member: u32,
    /// The pure service time; none where the visit found no room.
    pub time: Option<Span>,
}

/// What a member of a service did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberTally {
    /// Visits that it served to the end.
    pub visits: u64,
    /// Those of them that ended in an error.
    pub errors: u64,
    /// Visits that found no room.
    pub rejected: u64,
    /// Pure service time, together.
    pub service: Span,
}

/// Keeps where each request was served, and what each member did.
#[derive(Debug)]
pub struct Record {
    served: Vec<Served>,
    /// The visits of each request, in the order in which they ended.
    visits: Vec<Vec<Visited>>,
    /// How long visitors of a line were served before others took their workers.
    interrupted: BTreeMap<(u32, u32), Span>,
    /// By service and member.
    members: Vec<Vec<MemberTally>>,
    /// The first line of each service.
    first_line: Vec<u32>,
    /// Visitors that hold a worker of a line after their service time; meanwhile they visit other lines.
    holding: BTreeSet<(u32, u32)>,
}

impl Record {
    /// Of a model that nothing has happened to.
    pub fn new(model: &Model) -> Record {
        let services = (0u16..).zip(&model.services).map(|(id, _)| ServiceId(id));
        Record {
            served: Vec::new(),
            visits: Vec::new(),
            interrupted: BTreeMap::new(),
            members: services
                .clone()
                .map(|service| vec![MemberTally::default(); model.lines_of(service).len()])
                .collect(),
            first_line: services
                .map(|service| model.lines_of(service).start)
                .collect(),
            holding: BTreeSet::new(),
        }
    }

    /// A request takes this slot.
    pub fn begin(&mut self, slot: usize) {
        if slot >= self.served.len() {
            self.served.resize(slot + 1, Served::default());
            self.visits.resize(slot + 1, Vec::new());
        }
        self.served[slot] = Served::default();
        self.visits[slot].clear();
    }

    /// Where the request of this slot was served.
    pub fn served(&self, slot: usize) -> Served {
        self.served.get(slot).copied().unwrap_or_default()
    }

    /// The visits of the request of this slot.
    pub fn visits(&self, slot: usize) -> &[Visited] {
        self.visits.get(slot).map_or(&[], Vec::as_slice)
    }

    /// A visit of a request has ended, here or elsewhere.
    pub fn visited(&mut self, slot: usize, visited: Visited) {
        self.add(slot, visited.member, visited.time.unwrap_or_default());
        self.keep(slot, visited);
    }

    fn keep(&mut self, slot: usize, visited: Visited) {
        if let Some(visits) = self.visits.get_mut(slot) {
            visits.push(visited);
        }
    }

    /// A part of a request was served.
    fn add(&mut self, slot: usize, member: u32, time: Span) {
        if let Some(of) = self.served.get_mut(slot) {
            of.member = member;
            of.time = of.time + time;
        }
    }

    /// What each member of a service did.
    pub fn members(&self, service: usize) -> &[MemberTally] {
        &self.members[service]
    }

    /// Visits served to the end and their pure service time, of all services.
    pub fn total(&self) -> (u64, Span) {
        let all = self.members.iter().flatten();
        all.fold((0, Span::ZERO), |(visits, service), one| {
            (visits + one.visits, service + one.service)
        })
    }
}

impl Sink for Record {
    fn advance(&mut self, _now: Time) {}

    fn record(&mut self, _at: Time, event: Event<'_>) {
        let Event::Visit {
            service,
            line,
            visitor,
            flight,
            step,
        } = event
        else {
            return;
        };
        let member = line.saturating_sub(self.first_line[service.index()]);
        let who = (visitor, line);
        // What is known of the visit now, unless it goes on or was known before.
        let mut ended = None;
        let (time, visits, errors, rejected) = match step {
            VisitStep::Held { served } => {
                self.holding.insert(who);
                ended = Some(Some(served));
                (served, 0, 0, 0)
            }
            VisitStep::Completed { served, error } => {
                // The own service time of who held its worker is known already.
                let held = self.holding.remove(&who);
                ended = (!held).then_some(Some(served));
                let own = if held { Span::ZERO } else { served };
                (own, 1, u64::from(error), 0)
            }
            VisitStep::Preempted { served } => {
                let before = self.interrupted.entry(who).or_default();
                *before = *before + served;
                (served, 0, 0, 0)
            }
            VisitStep::Abandoned { .. }
            | VisitStep::Left { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::LostWaiting { .. } => {
                self.holding.remove(&who);
                self.interrupted.remove(&who);
                return;
            }
            VisitStep::Rejected => {
                ended = Some(None);
                (Span::ZERO, 0, 0, 1)
            }
            _ => return,
        };
        self.add(flight.slot(), member, time);
        if let Some(last) = ended {
            let before = self.interrupted.remove(&who).unwrap_or_default();
            let visited = Visited {
                service,
                member,
                time: last.map(|last| before + last),
            };
            self.keep(flight.slot(), visited);
        }
        if let Some(tally) = self.members[service.index()].get_mut(member as usize) {
            tally.visits += visits;
            tally.errors += errors;
            tally.rejected += rejected;
            tally.service = tally.service + time;
        }
    }
}
