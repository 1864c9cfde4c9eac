//! Frames: what a job owes to others when it ends.
//!
//! A plain request owes nothing. A visit that holds its worker owes the release, an arm of a fork its parent, a
//! delivery its stream, a copy its fan-out. However a job ends, every frame is settled, from the innermost on.

use super::{Backend, Moment, Reply};
use crate::backend::job::{NONE, State};
use crate::engine::{Arena, Task};
use crate::event::{Outcome, Sink, VisitStep};
use crate::model::{Join, ServiceId};
use crate::time::Time;

/// Something owed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Frame {
    /// A worker is held.
    Held {
        service: ServiceId,
        line: u32,
        /// When it was taken up.
        since: Time,
        /// The next frame.
        outer: u32,
    },
    /// The job is an arm of a fork; nothing lies beyond.
    Arm { join: u32, index: u32 },
    /// The job is a delivery of a message to a member; nothing lies beyond.
    Delivery { message: u32, member: u32 },
    /// The job is a batch; nothing lies beyond.
    Batch { batch: u32 },
    /// The job is work that was handed in; nothing lies beyond.
    Handed { work: u32 },
    /// The job is a delivery to a subscriber; nothing lies beyond.
    Copy { emission: u32 },
}

/// How a job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its path is done.
    Well,
    /// A step of its path says that it fails, with this answer for whoever waits: nothing is wrong with the work itself,
    /// and a delivery that ends so is acknowledged.
    Declined(Outcome),
    /// It failed, with this answer for whoever waits.
    Failed(Outcome),
    /// Its client gave up, and the service heeds that.
    GaveUp,
    /// The process that worked on it is gone.
    Lost,
}

/// A fork whose arms are not all done.
#[derive(Debug, Clone, Default)]
pub(super) struct Joining {
    /// The job that waits; [`NONE`] when it does not, or no longer.
    parent: u32,
    outstanding: u32,
    first: bool,
    /// The jobs of the arms; [`NONE`] for those that are done.
    arms: Vec<u32>,
}

/// All forks.
pub(super) type Joins = Arena<Joining>;

impl Backend {
    /// Settles all that a job owes and forgets the job.
    #[inline(never)]
    pub(super) fn unwind<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        self.settle(id, ending, m);
        self.jobs.remove(id);
    }

    /// Settles all that a job owes; the job goes on owing nothing.
    pub(super) fn settle<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        while self.jobs[id].frame != NONE {
            let at = std::mem::replace(&mut self.jobs[id].frame, NONE);
            let frame = self.frames[at];
            self.frames.remove(at);
            match frame {
                Frame::Held { outer, .. } => {
                    self.jobs[id].frame = outer;
                    self.let_go(id, frame, ending, m);
                }
                Frame::Arm { join, index } => self.arm_ended(join, index, ending, m),
                Frame::Delivery { message, member } => {
                    self.delivery_ended(message, member, ending, m);
                }
                Frame::Batch { batch } => self.batch_ended(batch, ending, m),
                Frame::Handed { work } => self.work_ended(work, ending),
                Frame::Copy { emission } => self.copy_ended(emission, ending, m),
            }
        }
    }

    /// A job's path lets go the worker that it holds.
    pub(super) fn release<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        let at = self.jobs[id].frame;
        let Some(&frame @ Frame::Held { outer, .. }) = self.frames.get(at) else {
            return;
        };
        self.frames.remove(at);
        self.jobs[id].frame = outer;
        self.let_go(id, frame, Ending::Well, m);
    }

    fn let_go<S: Sink>(&mut self, id: u32, frame: Frame, ending: Ending, m: &mut Moment<'_, S>) {
        let Frame::Held {
            service,
            line,
            since,
            ..
        } = frame
        else {
            return;
        };
        let served = m.now.since(since);
        let step = match ending {
            Ending::Well => VisitStep::Completed {
                served,
                error: false,
            },
            Ending::Declined(_) | Ending::Failed(_) => VisitStep::Completed {
                served,
                error: true,
            },
            Ending::GaveUp => VisitStep::Abandoned { served },
            Ending::Lost => VisitStep::LostRunning { served },
        };
        m.record(id, self.jobs[id].flight, service, line, step);
        self.worker_free(service, line, m);
    }

    /// A job holds the worker that has served it.
    pub(super) fn hold(&mut self, id: u32) {
        let job = &mut self.jobs[id];
        job.frame = self.frames.insert(Frame::Held {
            service: job.service,
            line: job.line,
            since: job.since,
            outer: job.frame,
        });
    }

    /// A job goes several ways; whether it waits for them.
    pub(super) fn fork<S: Sink>(&mut self, id: u32, fork: u32, m: &mut Moment<'_, S>) -> bool {
        let kind = self.program.forks[fork as usize].join;
        let count = self.program.forks[fork as usize].arms.len();
        let join = self.joins.take(Joining::default);
        for index in 0..count {
            let step = self.program.forks[fork as usize].arms[index];
            let frame = self.frames.insert(Frame::Arm {
                join,
                index: index as u32,
            });
            let mut arm = self.jobs[id];
            (arm.step, arm.frame, arm.state) = (step, frame, State::Moving);
            (arm.previous, arm.next) = (NONE, NONE);
            let intended = self.intended(id);
            let arm = self.add_job(arm, intended);
            self.joins[join].arms.push(arm);
            m.calendar.push(m.now, Task::Arrived(arm));
        }
        let waits = kind != Join::None;
        let joining = &mut self.joins[join];
        joining.outstanding = count as u32;
        joining.first = kind == Join::First;
        joining.parent = if waits { id } else { NONE };
        if waits {
            let job = &mut self.jobs[id];
            (job.state, job.line) = (State::Joining, join);
        }
        waits
    }

    /// An arm of a fork has ended.
    fn arm_ended<S: Sink>(&mut self, join: u32, index: u32, ending: Ending, m: &mut Moment<'_, S>) {
        let joining = &mut self.joins[join];
        joining.arms[index as usize] = NONE;
        joining.outstanding -= 1;
        let last = joining.outstanding == 0;
        let parent = joining.parent;
        if parent != NONE && (last || joining.first || ending != Ending::Well) {
            joining.parent = NONE;
            match ending {
                Ending::Well => {
                    self.jobs[parent].state = State::Moving;
                    m.calendar.push(m.now, Task::Arrived(parent));
                }
                Ending::GaveUp => self.unwind(parent, ending, m),
                Ending::Declined(_) | Ending::Failed(_) | Ending::Lost => {
                    self.fail_later(parent, ending, m);
                }
            }
        }
        if last {
            self.joins[join].arms.clear();
            self.joins.remove(join);
        }
    }

    /// The client of a job that waits for arms has given up: so have those of the arms.
    pub(super) fn give_up_arms<S: Sink>(&mut self, join: u32, m: &mut Moment<'_, S>) {
        for index in 0..self.joins[join].arms.len() {
            let arm = self.joins[join].arms[index];
            if arm != NONE {
                self.give_up(arm, m);
            }
            // The arms may have been the last, and the join another's by now.
            if self.joins[join].arms.len() <= index {
                return;
            }
        }
    }

    /// Whoever waits for the arms of a join waits no more.
    pub(super) fn forget_parent(&mut self, join: u32) {
        self.joins[join].parent = NONE;
    }

    /// Ends a job out of turn: whoever waits hears of it at this instant, or through the network.
    pub(super) fn fail_later<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        if let Some(reply) = self.answer_failure(id, ending, m) {
            let reply = self.replies.insert(reply);
            m.calendar.push(m.now, Task::Delivered(reply));
        }
        self.unwind(id, ending, m);
    }

    /// The answer to a request that ends like this, if somebody waits for it and it is this job's to give.
    pub(super) fn answer_failure<S: Sink>(
        &mut self,
        id: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        let outcome = match ending {
            Ending::Declined(outcome) | Ending::Failed(outcome) => outcome,
            Ending::Lost => Outcome::TransportError,
            Ending::Well | Ending::GaveUp => return None,
        };
        let own = match self.bottom(id) {
            None => true,
            // A message that was not worked on is delivered again.
            Some(Frame::Delivery { .. } | Frame::Handed { .. }) => {
                matches!(ending, Ending::Declined(_))
            }
            // The failure of an arm is its parent's to answer.
            Some(_) => false,
        };
        if self.jobs[id].answered || !own {
            return None;
        }
        self.answer(m.now, id, outcome, m.calendar)
    }

    /// The outermost thing that a job owes, held workers aside.
    fn bottom(&self, id: u32) -> Option<Frame> {
        let mut at = self.jobs[id].frame;
        while let Some(&frame) = self.frames.get(at) {
            match frame {
                Frame::Held { outer, .. } => at = outer,
                other => return Some(other),
            }
        }
        None
    }
}
