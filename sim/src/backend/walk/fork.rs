//! Forks: a job on several parallel paths, and the job that waits for them.

use super::frame::{Ending, Frame};
use super::job::{NONE, State};
use crate::backend::{Backend, Moment};
use crate::engine::Task;
use crate::event::Sink;
use crate::model::Join;

/// A fork whose arms are not all done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joining {
    /// The job that waits; [`NONE`] when it does not, or no longer.
    parent: u32,
    outstanding: u32,
    first: bool,
    /// The jobs of the arms; [`NONE`] for those that are done.
    arms: Vec<u32>,
}

impl Backend {
    /// A job goes several ways; whether it waits for them.
    pub(super) fn fork<S: Sink>(&mut self, id: u32, fork: u32, m: &mut Moment<'_, S>) -> bool {
        let kind = self.paths.program.forks[fork as usize].join;
        let count = self.paths.program.forks[fork as usize].arms.len();
        let join = self.jobs.joins.take(Joining::default);
        for index in 0..count {
            let step = self.paths.program.forks[fork as usize].arms[index];
            let frame = Frame::Arm {
                join,
                index: index as u32,
            };
            let mut arm = self.jobs[id];
            (arm.step, arm.state) = (step, State::Moving);
            (arm.previous, arm.next) = (NONE, NONE);
            let intended = self.jobs.intended(id);
            let arm = self.jobs.add_owing(frame, arm, intended);
            self.jobs.joins[join].arms.push(arm);
            m.calendar.push(m.now, Task::Arrived(arm));
        }
        let waits = kind != Join::None;
        let joining = &mut self.jobs.joins[join];
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
    pub(super) fn arm_ended<S: Sink>(
        &mut self,
        join: u32,
        index: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        let joining = &mut self.jobs.joins[join];
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
            self.jobs.joins[join].arms.clear();
            self.jobs.joins.remove(join);
        }
    }

    /// The client of a job that waits for arms has given up: so have those of the arms.
    pub(crate) fn give_up_arms<S: Sink>(&mut self, join: u32, m: &mut Moment<'_, S>) {
        for index in 0..self.jobs.joins[join].arms.len() {
            let arm = self.jobs.joins[join].arms[index];
            if arm != NONE {
                self.give_up(arm, m);
            }
            // The arms may have been the last, and the join another's by now.
            if self.jobs.joins[join].arms.len() <= index {
                return;
            }
        }
    }

    /// Whoever waits for the arms of a join waits no more.
    pub(crate) fn forget_parent(&mut self, join: u32) {
        self.jobs.joins[join].parent = NONE;
    }
}
