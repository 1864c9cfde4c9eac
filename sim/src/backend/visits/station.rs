//! Stations: the services of a model with their queues and idle workers.
//!
//! A queue is where requests wait for workers: one for each member of a queue group, or one for the whole service if its
//! members share. Queues are first-in, first-out and threaded through the jobs, so that joining, being served and leaving from
//! the middle all take constant time. Other features (another order, admission, outages, held workers) make a special
//! station, whose jobs take the way of [`special`](super::special).

use std::collections::BTreeSet;

use super::admission::Gate;
use super::condition::Condition;
use super::loads::Loads;
use crate::backend::walk::{Jobs, NONE};
use crate::dist::Dist;
use crate::model::{Admission, Dispatch, Down, Model, OnTimeout, Order, Service};
use crate::random::{Key, Kind, Purpose};
use crate::time::Time;

/// A queue and its idle workers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// How many more it can serve.
    pub(super) idle: u32,
    pub(super) waiting: u32,
    /// How many it can serve at once.
    pub(super) workers: u32,
    head: u32,
    tail: u32,
    /// Whether its process is gone: nobody comes here.
    pub(super) gone: bool,
    /// Whether its process hangs: nobody is taken up.
    pub(super) hung: bool,
}

impl Line {
    fn new(workers: u32) -> Line {
        Line {
            idle: workers,
            waiting: 0,
            workers,
            head: NONE,
            tail: NONE,
            gone: false,
            hung: false,
        }
    }

    /// Whether nobody waits and nobody is served.
    pub(super) fn is_empty(&self) -> bool {
        self.present() == 0
    }

    /// Requests waiting or being served.
    pub(super) fn present(&self) -> u64 {
        u64::from(self.waiting) + u64::from(self.workers - self.idle)
    }

    /// Puts a job at the end.
    #[inline]
    pub(super) fn join(&mut self, jobs: &mut Jobs, job: u32) {
        self.waiting += 1;
        let previous = std::mem::replace(&mut self.tail, job);
        jobs[job].previous = previous;
        jobs[job].next = NONE;
        match previous {
            NONE => self.head = job,
            _ => jobs[previous].next = job,
        }
    }

    /// Hands the first job to a worker that has become free; without one the worker is idle.
    #[inline]
    pub(super) fn take(&mut self, jobs: &mut Jobs) -> Option<u32> {
        let first = self.head;
        if first == NONE {
            self.idle += 1;
            return None;
        }
        self.waiting -= 1;
        self.head = jobs[first].next;
        match self.head {
            NONE => self.tail = NONE,
            second => jobs[second].previous = NONE,
        }
        Some(first)
    }

    /// Takes a job out, wherever it stands.
    #[inline]
    pub(super) fn leave(&mut self, jobs: &mut Jobs, job: u32) {
        self.waiting -= 1;
        let (previous, next) = (jobs[job].previous, jobs[job].next);
        match previous {
            NONE => self.head = next,
            _ => jobs[previous].next = next,
        }
        match next {
            NONE => self.tail = previous,
            _ => jobs[next].previous = previous,
        }
    }
}

/// How a station's queues are kept, beyond first-in, first-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discipline {
    /// First-in, first-out, threaded through the jobs.
    Fifo,
    /// In the order of ranks; the queues are those from this one on in the backend's list.
    Ranked(u32),
    /// Processor sharing; those that share are those from this one on in the backend's list.
    Shared(u32),
}

/// What is fixed of a service, with the keys of its draws.
#[derive(Debug, Clone)]
pub(crate) struct Station {
    pub(crate) time: Dist,
    /// Nanoseconds that each byte of a request adds; at special stations.
    pub(crate) per_byte: Option<f64>,
    pub(crate) errors: f64,
    pub(crate) queue_limit: u32,
    pub(crate) on_timeout: OnTimeout,
    dispatch: Dispatch,
    pub(crate) first_line: u32,
    pub(crate) lines: u32,
    /// Which of the backend's counts of requests by member are its own; [`NONE`] where nobody asks for them.
    pub(crate) loads: u32,
    /// Whether its jobs take the longer way.
    pub(crate) special: bool,
    pub(crate) service_key: Key,
    pub(crate) error_key: Key,
    member_key: Key,
    pub(crate) rare: Box<Rare>,
}

/// What only special stations have.
#[derive(Debug, Clone)]
pub(crate) struct Rare {
    pub(super) discipline: Discipline,
    pub(super) preemptive: bool,
    /// Whether a job in service may be stopped before its end, which then must not come.
    pub(super) tentative: bool,
    pub(super) condition: Condition,
    pub(super) gate: Gate,
    /// Requests that wait, are served or hold a worker.
    pub(super) present: u32,
    pub(super) order: Order,
    /// The members that are gone.
    pub(super) gone: BTreeSet<u32>,
}

impl Station {
    /// The station of a service; its queues are appended to `lines`, and the counts of its members to `loads`.
    pub(super) fn new(
        seed: u64,
        service: &Service,
        lines: &mut Vec<Line>,
        loads: &mut Vec<Loads>,
    ) -> Station {
        let key = |purpose| Key::new(seed, Kind::Service, &service.name, purpose);
        let first_line = lines.len() as u32;
        let places = |workers: u32| match service.order {
            Order::Shared { limit: Some(limit) } => limit.get(),
            Order::Shared { limit: None } => u32::MAX,
            _ => workers,
        };
        match service.dispatch {
            // Saturates: more workers than fit a u32 are never all busy.
            Dispatch::Shared => {
                let workers = u32::try_from(service.servers()).unwrap_or(u32::MAX);
                lines.push(Line::new(places(workers)));
            }
            Dispatch::Random | Dispatch::LeastLoaded => {
                let each = service.members.each();
                lines.extend(each.map(|member| Line::new(places(member.workers.get()))));
            }
        }
        let preemptive = matches!(
            service.order,
            Order::Priority {
                preemptive: true,
                ..
            }
        );
        let members = lines.len() as u32 - first_line;
        let counted = service.dispatch == Dispatch::LeastLoaded && members > 1;
        if counted {
            loads.push(Loads::new(members));
        }
        let lost = service.outages.iter().any(|one| one.down == Down::Gone);
        Station {
            time: service.time.clone(),
            per_byte: service.per_byte,
            errors: service.errors,
            queue_limit: service.queue_limit.unwrap_or(u32::MAX),
            on_timeout: service.on_timeout,
            dispatch: service.dispatch,
            first_line,
            lines: members,
            loads: match counted {
                true => loads.len() as u32 - 1,
                false => NONE,
            },
            special: service.order != Order::Fifo
                || service.admission != Admission::default()
                || !service.outages.is_empty()
                || service.per_byte.is_some()
                || Condition::varies(service),
            service_key: key(Purpose::Service),
            error_key: key(Purpose::Error),
            member_key: key(Purpose::Member),
            rare: Box::new(Rare {
                discipline: Discipline::Fifo,
                preemptive,
                tentative: preemptive || lost,
                condition: Condition::new(service, lines.len() as u32 - first_line),
                gate: Gate::new(&service.admission),
                present: 0,
                order: service.order.clone(),
                gone: BTreeSet::new(),
            }),
        }
    }

    /// Whether all that it does is to serve visits in the order of their arrival, with errors or without, from a queue that
    /// may be full.
    fn is_plain(&self) -> bool {
        !self.special && self.on_timeout == OnTimeout::Stay && self.loads == NONE
    }

    /// The queue that a visit joins, where there are several and nobody asks for the least loaded member.
    #[inline(never)]
    pub(crate) fn draw_line(&self, identity: u64, ordinal: u64) -> u32 {
        self.first_line + self.draw_member(identity, ordinal)
    }

    /// The queue that a visit joins.
    #[inline(always)]
    pub(super) fn choose_line(&self, loads: &[Loads], identity: u64, ordinal: u64) -> u32 {
        if self.lines == 1 {
            return self.first_line;
        }
        self.first_line + self.choose_member(loads, identity, ordinal)
    }

    #[inline(never)]
    fn choose_member(&self, loads: &[Loads], identity: u64, ordinal: u64) -> u32 {
        match self.dispatch {
            Dispatch::Shared => 0,
            Dispatch::Random => self.draw_member(identity, ordinal),
            Dispatch::LeastLoaded => self.least_loaded(loads).unwrap_or(0),
        }
    }

    /// The queue that a visit joins when some members may be gone; `None` when all are.
    pub(super) fn choose_reachable(
        &self,
        loads: &[Loads],
        identity: u64,
        ordinal: u64,
    ) -> Option<u32> {
        match self.rare.gone.len() {
            0 => return Some(self.choose_line(loads, identity, ordinal)),
            gone if gone == self.lines as usize => return None,
            _ => {}
        }
        Some(self.first_line + self.choose_member(loads, identity, ordinal))
    }

    /// A member that is there, each as likely as any other.
    fn draw_member(&self, identity: u64, ordinal: u64) -> u32 {
        let gone = &self.rare.gone;
        let there = u64::from(self.lines) - gone.len() as u64;
        let mut member = self.member_key.draw(identity, ordinal).below(there) as u32;
        for &one in gone {
            if one > member {
                break;
            }
            member += 1;
        }
        member
    }

    fn least_loaded(&self, loads: &[Loads]) -> Option<u32> {
        loads.get(self.loads as usize)?.least()
    }

    /// The queues of the station.
    pub(crate) fn all_lines(&self) -> std::ops::Range<u32> {
        self.first_line..self.first_line + self.lines
    }

    /// The share of errors of a visit that is served to the end now.
    pub(super) fn error_share(&self, now: Time) -> f64 {
        self.rare.condition.error_share(now).unwrap_or(self.errors)
    }
}

/// The stations of a model, and the workers of each of their queues, if all stations are plain.
pub(crate) fn plain_stations(model: &Model) -> Option<(Vec<Station>, Vec<u32>)> {
    let (mut lines, mut loads) = (Vec::new(), Vec::new());
    let services = model.services.iter();
    let stations = services.map(|service| {
        let station = Station::new(model.seed, service, &mut lines, &mut loads);
        station.is_plain().then_some(station)
    });
    let stations: Vec<Station> = stations.collect::<Option<_>>()?;
    Some((stations, lines.iter().map(|line| line.workers).collect()))
}
