//! Walking: jobs follow their paths until they wait for something or end.

mod fork;
mod frame;
mod job;
mod jobs;
mod paths;
mod program;

pub(crate) use frame::{Ending, Frame};
pub(crate) use job::{Hasher, Job, NONE, State, ordinal};
pub(crate) use jobs::Jobs;
pub(crate) use paths::{Path, Paths};
pub(crate) use program::Op;

use super::moment::{Moment, seldom};
use super::visits::Entry;
use super::{Backend, Reply};
use crate::engine::{Calendar, Task};
use crate::event::{Outcome, Sink};
use crate::time::Time;
use program::{Branch, Delay};

/// What follows a step.
enum Next {
    /// The job goes on.
    Walks,
    /// It waits for something.
    Waits,
    /// It has ended, with this answer.
    Ended(Option<Reply>),
}

impl Backend {
    /// A job has arrived at its next step.
    #[inline(never)]
    pub fn arrived<S: Sink>(
        &mut self,
        now: Time,
        job: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        self.walk(now, job, calendar, sink)
    }

    /// Walks a path until it waits for something or ends; at most one reply comes of it.
    #[inline(always)]
    pub(crate) fn walk<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let mut reply = None;
        loop {
            let job = &mut self.jobs[id];
            let at = job.step;
            job.step += 1;
            match self.paths.program.ops[at as usize] {
                Op::Visit(service, ordinal) => {
                    job.visit = ordinal;
                    let entry = self.visit(now, id, service, calendar, sink);
                    if entry == Entry::Taken {
                        return reply;
                    }
                    return seldom(now, calendar, sink, move |m| {
                        reply.or(self.turned_away(id, entry, m))
                    });
                }
                Op::ReplyAndEnd => {
                    reply = self.answer(now, id, Outcome::Ok, calendar);
                    self.end(now, id, calendar, sink);
                    return reply;
                }
                Op::Reply => reply = self.answer(now, id, Outcome::Ok, calendar),
                Op::End => {
                    self.end(now, id, calendar, sink);
                    return reply;
                }
                Op::Jump(target) => job.step = target,
                Op::Branch(branch) => {
                    let Branch { arms, ordinal } = &self.paths.program.branches[branch as usize];
                    let key = self.paths[job.path].branch;
                    let unit = key.draw(job.identity, job.ordinal(*ordinal)).unit();
                    if let Some((_, target)) =
                        arms.iter().find(|(upto, _)| unit < *upto).or(arms.last())
                    {
                        job.step = *target;
                    }
                }
                Op::Delay(delay) => {
                    let Delay { length, ordinal } = &self.paths.program.delays[delay as usize];
                    let key = self.paths[job.path].delay;
                    let mut draw = key.draw(job.identity, job.ordinal(*ordinal));
                    calendar.push(now + length.sample_span(&mut draw), Task::Arrived(id));
                    return reply;
                }
                Op::Fail(outcome) => {
                    let ending = Ending::Declined(outcome);
                    return seldom(now, calendar, sink, move |m| {
                        reply.or(self.fail(id, ending, m))
                    });
                }
                rare => match self.rare_step(now, id, rare, calendar, sink) {
                    Next::Walks => {}
                    Next::Waits => return reply,
                    Next::Ended(last) => return reply.or(last),
                },
            }
        }
    }

    /// A step that only some paths have.
    #[inline(never)]
    fn rare_step<S: Sink>(
        &mut self,
        now: Time,
        id: u32,
        op: Op,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Next {
        let m = &mut Moment {
            now,
            calendar,
            sink,
        };
        let waits = match op {
            Op::VisitAs(visit) => {
                let visit = &self.paths.program.visits[visit as usize];
                let service = visit.service;
                self.jobs[id].visit = visit.ordinal;
                match self.visit_special(id, service, m) {
                    Entry::Taken => true,
                    entry => return Next::Ended(self.turned_away(id, entry, m)),
                }
            }
            Op::Release => {
                self.release(id, m);
                false
            }
            Op::Fork(fork) => self.fork(id, fork, m),
            Op::Publish(publication) => self.publish(id, publication, m),
            Op::Store(publication) => {
                self.store_own(id, publication, m);
                false
            }
            Op::Emit(emission) => {
                self.emit(id, emission, m);
                false
            }
            Op::Visit(..)
            | Op::Delay(_)
            | Op::Reply
            | Op::ReplyAndEnd
            | Op::Fail(_)
            | Op::Branch(_)
            | Op::Jump(_)
            | Op::End => false,
        };
        if waits { Next::Waits } else { Next::Walks }
    }

    /// A job's path is done.
    #[inline(always)]
    fn end<S: Sink>(&mut self, now: Time, id: u32, calendar: &mut Calendar<Task>, sink: &mut S) {
        if self.jobs[id].frame == NONE {
            let job = &self.jobs[id];
            if !job.answered {
                self.requests.is_over(job.flight, id);
            }
            self.jobs.remove(id);
        } else {
            seldom(now, calendar, sink, move |m| {
                self.unwind(id, Ending::Well, m)
            });
        }
    }

    /// A service did not take a job in.
    #[cold]
    fn turned_away<S: Sink>(
        &mut self,
        id: u32,
        entry: Entry,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        match entry {
            Entry::Refused => self.fail(id, Ending::Failed(Outcome::Rejected), m),
            Entry::Unreachable => self.fail(id, Ending::Failed(Outcome::TransportError), m),
            Entry::Gone | Entry::Taken => None,
        }
    }

    /// Ends a job with a failure, which is the reply unless one was given before.
    #[inline(never)]
    pub(crate) fn fail<S: Sink>(
        &mut self,
        id: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) -> Option<Reply> {
        let reply = self.answer_failure(id, ending, m);
        self.unwind(id, ending, m);
        reply
    }
}
