//! All jobs, with what they owe and what is kept beside them.

use std::ops::{Index, IndexMut};

use super::fork::Joining;
use super::frame::Frame;
use super::job::{Job, NONE};
use crate::backend::visits::{FIRST, Place};
use crate::engine::Arena;
use crate::time::Time;

/// All jobs.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    jobs: Arena<Job>,
    /// What they owe.
    pub(super) frames: Arena<Frame>,
    /// Forks whose arms are not all done.
    pub(super) joins: Arena<Joining>,
    /// What is kept beside each job, by its number, if anything is.
    sides: Vec<Side>,
    keeps_sides: bool,
}

/// What is kept beside a job where the model asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    /// Its place in a ranked queue.
    pub(crate) place: Place,
    /// What is left of its service time after a preemption, in nanoseconds.
    pub(crate) left: Option<u64>,
    /// Its completion, while it can be called off; [`NONE`] otherwise.
    pub(crate) completion: u32,
    /// When its request was intended.
    intended: Time,
}

impl Side {
    const BLANK: Side = Side {
        place: FIRST,
        left: None,
        completion: NONE,
        intended: Time::ZERO,
    };
}

impl Jobs {
    /// No jobs yet, with something kept beside each or not.
    pub(crate) fn new(keeps_sides: bool) -> Jobs {
        Jobs {
            jobs: Arena::new(),
            frames: Arena::new(),
            joins: Arena::new(),
            sides: Vec::new(),
            keeps_sides,
        }
    }

    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Takes up a job that is not its own request.
    #[inline]
    pub(crate) fn add(&mut self, job: Job, intended: Time) -> u32 {
        let id = self.jobs.insert(job);
        if self.keeps_sides {
            self.keep_side(id, intended);
        }
        id
    }

    /// Takes up a job that owes this when it ends.
    #[inline(always)]
    pub(crate) fn add_owing(&mut self, frame: Frame, job: Job, intended: Time) -> u32 {
        let frame = self.frames.insert(frame);
        self.add(Job { frame, ..job }, intended)
    }

    /// Takes a free number for a job, which holds an old one, or what `blank` makes.
    #[inline(always)]
    pub(crate) fn take(&mut self, blank: impl FnOnce() -> Job) -> u32 {
        self.jobs.take(blank)
    }

    /// Whether something is kept beside each job.
    #[inline]
    pub(crate) fn keeps_sides(&self) -> bool {
        self.keeps_sides
    }

    /// Begins what is kept beside a job.
    #[inline(never)]
    pub(crate) fn keep_side(&mut self, id: u32, intended: Time) {
        let index = id as usize;
        if index >= self.sides.len() {
            self.sides.resize(index + 1, Side::BLANK);
        }
        self.sides[index] = Side {
            intended,
            ..Side::BLANK
        };
    }

    /// What is kept beside a job, where the model asks for that.
    pub(crate) fn side(&mut self, id: u32) -> &mut Side {
        &mut self.sides[id as usize]
    }

    /// Takes what is left of a job's service time after a preemption, in nanoseconds.
    pub(crate) fn take_left(&mut self, id: u32) -> Option<u64> {
        self.sides.get_mut(id as usize)?.left.take()
    }

    /// When the request of a job was intended, where that is kept.
    pub(crate) fn intended(&self, id: u32) -> Time {
        let side = self.sides.get(id as usize);
        side.map_or(Time::ZERO, |side| side.intended)
    }

    /// Forgets a job.
    #[inline(always)]
    pub(crate) fn remove(&mut self, id: u32) {
        self.jobs.remove(id);
    }

    /// A job that was there at some time.
    pub(crate) fn get(&self, id: u32) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// The jobs that are there, ascending.
    pub(crate) fn taken(&self) -> Vec<u32> {
        self.jobs.taken()
    }
}

impl Index<u32> for Jobs {
    type Output = Job;

    #[inline(always)]
    fn index(&self, id: u32) -> &Job {
        &self.jobs[id]
    }
}

impl IndexMut<u32> for Jobs {
    #[inline(always)]
    fn index_mut(&mut self, id: u32) -> &mut Job {
        &mut self.jobs[id]
    }
}
