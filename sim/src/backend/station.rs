//! Stations: the services of a model with their waiting lines and idle workers.
//!
//! A line is where requests wait for workers: one for each member of a queue group, or one for the whole
//! service when its members share. Lines are first-in, first-out and threaded through the jobs, so that
//! joining, being taken up and leaving from the middle all take constant time.

use crate::backend::job::{Jobs, NONE};
use crate::dist::Dist;
use crate::model::{Dispatch, OnTimeout, Service};
use crate::random::{Key, Kind, Purpose};

/// A waiting line and its idle workers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) idle: u32,
    pub(super) waiting: u32,
    workers: u32,
    head: u32,
    tail: u32,
}

impl Line {
    fn new(workers: u32) -> Line {
        Line {
            idle: workers,
            waiting: 0,
            workers,
            head: NONE,
            tail: NONE,
        }
    }

    /// Requests waiting or being served.
    fn present(&self) -> u64 {
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

/// What is fixed of a service, with the keys of its draws.
#[derive(Debug, Clone)]
pub(super) struct Station {
    pub(super) time: Dist,
    pub(super) errors: f64,
    pub(super) queue_limit: u32,
    pub(super) on_timeout: OnTimeout,
    dispatch: Dispatch,
    first_line: u32,
    lines: u32,
    pub(super) service_key: Key,
    pub(super) error_key: Key,
    member_key: Key,
}

impl Station {
    /// The station of a service; its lines are appended to `lines`.
    pub(super) fn new(seed: u64, service: &Service, lines: &mut Vec<Line>) -> Station {
        let key = |purpose| Key::new(seed, Kind::Service, &service.name, purpose);
        let first_line = lines.len() as u32;
        match service.dispatch {
            // Saturates: more workers than fit a u32 are never all busy.
            Dispatch::Shared => {
                let workers = u32::try_from(service.servers()).unwrap_or(u32::MAX);
                lines.push(Line::new(workers));
            }
            Dispatch::Random | Dispatch::LeastLoaded => {
                let line = Line::new(service.workers.get());
                lines.extend((0..service.members.get()).map(|_| line));
            }
        }
        Station {
            time: service.time.clone(),
            errors: service.errors,
            queue_limit: service.queue_limit.unwrap_or(u32::MAX),
            on_timeout: service.on_timeout,
            dispatch: service.dispatch,
            first_line,
            lines: lines.len() as u32 - first_line,
            service_key: key(Purpose::Service),
            error_key: key(Purpose::Error),
            member_key: key(Purpose::Member),
        }
    }

    /// The line that a visit joins.
    #[inline(always)]
    pub(super) fn choose_line(&self, lines: &[Line], identity: u64, ordinal: u64) -> u32 {
        if self.lines == 1 {
            return self.first_line;
        }
        self.choose_member(lines, identity, ordinal)
    }

    #[inline(never)]
    fn choose_member(&self, lines: &[Line], identity: u64, ordinal: u64) -> u32 {
        match self.dispatch {
            Dispatch::Shared => self.first_line,
            Dispatch::Random => {
                let mut draw = self.member_key.draw(identity, ordinal);
                self.first_line + draw.below(u64::from(self.lines)) as u32
            }
            Dispatch::LeastLoaded => {
                let members = self.first_line..self.first_line + self.lines;
                members
                    .min_by_key(|&line| lines[line as usize].present())
                    .unwrap_or(self.first_line)
            }
        }
    }
}
