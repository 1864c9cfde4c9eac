//! Visits: jobs at services, in their queues and with their workers.
//!
//! Most stations are plain: first-in, first-out, and nothing else. Their visits take the short way of [`plain`]. Features of
//! special stations, which make visits slower, are in [`special`] and [`service`].

mod admission;
mod condition;
mod loads;
mod outage;
mod plain;
mod ranked;
mod service;
mod sharing;
mod special;
mod station;

pub(crate) use ranked::{FIRST, Place};
pub(crate) use station::{Station, plain_stations};

use std::ops::Range;

use crate::engine::Arena;
use crate::model::{ClassId, Model, OnTimeout, Order, ServiceId, SizeDraws};
use crate::time::{Span, Time};
use loads::Loads;
use outage::Turn;
use ranked::Ranked;
use service::Completion;
use sharing::Sharing;
use station::{Discipline, Line};

/// All services, with those who wait and are served there.
#[derive(Debug, Clone)]
pub(crate) struct Visits {
    stations: Vec<Station>,
    lines: Vec<Line>,
    /// Requests present by member, of the services that ask for the least loaded one.
    loads: Vec<Loads>,
    ranked: Vec<Ranked>,
    sharings: Vec<Sharing>,
    completions: Arena<(Completion, Time)>,
    turns: Vec<Turn>,
    /// How much requests carry, where service times depend on it.
    sizes: Option<SizeDraws>,
    classes_of_clients: Vec<Option<ClassId>>,
    classes_of_paths: Vec<Option<ClassId>>,
    /// How long after its intended time a request of a path is due.
    due_after: Vec<Option<Span>>,
}

/// How a service receives a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It waits or is served.
    Taken,
    /// The queue is full.
    Refused,
    /// Nobody is there.
    Unreachable,
    /// Its client has given up before it came, and the service heeds that.
    Gone,
}

/// What a delivery that was dealt to a member asks of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dealt {
    /// The member.
    pub(crate) member: u32,
    /// What it costs, where that is not the service time.
    pub(crate) cost: Option<Span>,
}

impl Visits {
    /// The services of a model with nobody there. Those of `special` have visits that take the longer way.
    pub(crate) fn new(model: &Model, special: impl Iterator<Item = ServiceId>) -> Visits {
        let (mut lines, mut loads) = (Vec::new(), Vec::new());
        let services = model.services.iter();
        let mut stations: Vec<Station> = services
            .map(|service| Station::new(model.seed, service, &mut lines, &mut loads))
            .collect();
        for service in special {
            stations[service.index()].special = true;
        }
        let (ranked, sharings) = disciplines(model, &mut stations);
        let sized = model
            .services
            .iter()
            .any(|service| service.per_byte.is_some());
        let classes = model.actions.iter().map(|action| action.class);
        let consumers = model.consumers.iter().map(|consumer| consumer.class);
        let due = model.actions.iter().map(|action| action.deadline);
        Visits {
            stations,
            lines,
            loads,
            ranked,
            sharings,
            completions: Arena::new(),
            turns: outage::turns(model),
            sizes: sized.then(|| SizeDraws::new(model)),
            classes_of_clients: model.clients.iter().map(|client| client.class).collect(),
            classes_of_paths: classes.chain(consumers).collect(),
            due_after: due.chain(model.consumers.iter().map(|_| None)).collect(),
        }
    }

    /// Whether some service heeds that a client has given up.
    pub(crate) fn heed_timeouts(&self) -> bool {
        let mut stations = self.stations.iter();
        stations.any(|station| station.on_timeout != OnTimeout::Stay)
    }

    /// What a service does with work whose client has given up.
    pub(crate) fn on_timeout(&self, service: ServiceId) -> OnTimeout {
        self.stations[service.index()].on_timeout
    }

    /// Whether something has to be kept beside the jobs that come here.
    pub(crate) fn keep_sides(&self) -> bool {
        !self.ranked.is_empty() || self.stations.iter().any(|station| station.rare.tentative)
    }

    /// Every visit takes the longer way from now on.
    pub(crate) fn take_the_longer_way(&mut self) {
        for station in &mut self.stations {
            station.special = true;
        }
    }

    /// The queues of a service: those of its members, or the one that all take from.
    pub(crate) fn lines_of(&self, service: ServiceId) -> Range<u32> {
        self.stations[service.index()].all_lines()
    }

    /// How many queues there are.
    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The queue of a member of a service, unless that is gone, or is none.
    pub(crate) fn line_of(&self, service: ServiceId, member: u32) -> Option<u32> {
        let lines = self.lines_of(service);
        let line = lines.start + member;
        (lines.contains(&line) && !self.lines[line as usize].gone).then_some(line)
    }

    /// A request is present at a member that was not.
    #[inline(never)]
    pub(super) fn came_to_member(&mut self, service: ServiceId, line: u32) {
        let station = &self.stations[service.index()];
        if let Some(loads) = self.loads.get_mut(station.loads as usize) {
            loads.enter(line - station.first_line);
        }
    }

    /// A request is no longer present at a member.
    #[inline(never)]
    pub(super) fn went_from_member(&mut self, service: ServiceId, line: u32) {
        let station = &self.stations[service.index()];
        if let Some(loads) = self.loads.get_mut(station.loads as usize) {
            loads.leave(line - station.first_line);
        }
    }

    /// Which ranked queue is a service's.
    fn ranked_index(&self, service: ServiceId, line: u32) -> Option<usize> {
        let station = &self.stations[service.index()];
        match station.rare.discipline {
            Discipline::Ranked(first) => Some((first + line - station.first_line) as usize),
            Discipline::Fifo | Discipline::Shared(_) => None,
        }
    }

    /// Those that share the workers of a queue.
    fn sharing_index(&self, service: ServiceId, line: u32) -> Option<u32> {
        let station = &self.stations[service.index()];
        match station.rare.discipline {
            Discipline::Shared(first) => Some(first + line - station.first_line),
            Discipline::Fifo | Discipline::Ranked(_) => None,
        }
    }
}

/// The queues that are ranked and those whose workers are shared; each station learns which are its own.
fn disciplines(model: &Model, stations: &mut [Station]) -> (Vec<Ranked>, Vec<Sharing>) {
    let (mut ranked, mut sharings) = (Vec::new(), Vec::new());
    for (service, station) in model.services.iter().zip(stations) {
        match service.order {
            Order::Fifo => {}
            Order::Priority { .. } | Order::Deadline | Order::Fair { .. } => {
                station.rare.discipline = Discipline::Ranked(ranked.len() as u32);
                ranked.extend(station.all_lines().map(|_| Ranked::default()));
            }
            Order::Shared { .. } => {
                station.rare.discipline = Discipline::Shared(sharings.len() as u32);
                let each = service.workers_of_lines();
                let each = each.map(|workers| u32::try_from(workers).unwrap_or(u32::MAX));
                sharings.extend(each.map(Sharing::new));
            }
        }
    }
    (ranked, sharings)
}
