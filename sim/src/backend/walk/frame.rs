//! Frames: what a job owes to others when it ends.
//!
//! A plain request owes nothing. A visit that holds its worker owes the release, an arm of a fork its parent, a
//! delivery its stream, a copy its fan-out. However a job ends, every frame is settled, from the innermost on.

use std::ops::Range;

use super::job::NONE;
use super::jobs::Jobs;
use crate::backend::{Backend, Moment};
use crate::event::{Outcome, Sink, VisitStep};
use crate::model::ServiceId;
use crate::time::Time;

/// Something owed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Frame {
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
pub(crate) enum Ending {
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

impl Jobs {
    /// A job holds the worker that has served it.
    pub(crate) fn hold(&mut self, id: u32) {
        let job = &self[id];
        self[id].frame = self.frames.insert(Frame::Held {
            service: job.service,
            line: job.line,
            since: job.since,
            outer: job.frame,
        });
    }

    /// The outermost thing that a job owes, held workers aside.
    pub(crate) fn bottom(&self, id: u32) -> Option<Frame> {
        let mut at = self[id].frame;
        while let Some(&frame) = self.frames.get(at) {
            match frame {
                Frame::Held { outer, .. } => at = outer,
                other => return Some(other),
            }
        }
        None
    }

    /// Whether a job holds a worker of one of these queues.
    pub(crate) fn holds_at(&self, id: u32, lines: &Range<u32>) -> bool {
        self.held(id).any(|(_, line, _)| lines.contains(&line))
    }

    /// What a job owes first when it ends.
    pub(crate) fn innermost(&self, id: u32) -> Option<&Frame> {
        self.frames.get(self[id].frame)
    }

    /// Takes out what a job owes first; what lies beyond is next.
    #[inline(always)]
    fn take_innermost(&mut self, id: u32) -> Option<Frame> {
        let at = self[id].frame;
        if at == NONE {
            return None;
        }
        let frame = self.frames[at];
        self.frames.remove(at);
        self[id].frame = match frame {
            Frame::Held { outer, .. } => outer,
            _ => NONE,
        };
        Some(frame)
    }

    /// The workers that a job holds, the innermost first.
    pub(crate) fn held(&self, id: u32) -> impl Iterator<Item = (ServiceId, u32, Time)> {
        let mut at = self[id].frame;
        std::iter::from_fn(move || match self.frames.get(at) {
            Some(&Frame::Held {
                service,
                line,
                since,
                outer,
            }) => {
                at = outer;
                Some((service, line, since))
            }
            _ => None,
        })
    }
}

impl Backend {
    /// Settles all that a job owes and forgets the job.
    #[inline(never)]
    pub(crate) fn unwind<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        self.settle(id, ending, m);
        self.requests.is_over(self.jobs[id].flight, id);
        self.jobs.remove(id);
    }

    /// Settles all that a job owes; the job goes on owing nothing.
    pub(crate) fn settle<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        while let Some(frame) = self.jobs.take_innermost(id) {
            match frame {
                Frame::Held { .. } => self.let_go(id, frame, ending, m),
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
        if let Some(Frame::Held { .. }) = self.jobs.innermost(id)
            && let Some(frame) = self.jobs.take_innermost(id)
        {
            self.let_go(id, frame, Ending::Well, m);
        }
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
}
