//! Work handed out: visits of members elsewhere, messages of streams, and the end of work that was handed in.

use super::{Message, Work};
use crate::backend::Backend;
use crate::backend::output::Output;
use crate::backend::walk::{Ending, Op};
use crate::model::ServiceId;

/// A visit that is handed on, with all that its demand depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What its draws are made from.
    pub identity: u64,
    /// The position of the visit in the program, which is the same wherever the same spec is played.
    pub step: u32,
    /// Whose path it is.
    pub path: u16,
    /// On whose behalf.
    pub client: u16,
    /// Which try.
    pub attempt: u16,
}

/// How work on a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkEnd {
    /// It was done.
    Acknowledged,
    /// It failed.
    Naked,
    /// The process that worked on it is gone: nobody tells the stream.
    Lost,
}

impl Backend {
    /// Hands a visit on when its queue is not played here; whether it was.
    pub(crate) fn hand_on(&mut self, id: u32, service: ServiceId, line: u32) -> bool {
        let Some(outside) = &self.outside else {
            return false;
        };
        if outside.here[line as usize] || self.holds_here(id) || self.dealt(id).is_some() {
            return false;
        }
        let job = &mut self.jobs[id];
        job.service = service;
        let (flight, call) = (
            job.flight,
            Call {
                identity: job.identity,
                step: job.step - 1,
                path: job.path,
                client: job.client,
                attempt: job.attempt,
            },
        );
        self.outputs.push(Output::Visit {
            job: id,
            flight,
            service,
            call,
        });
        true
    }

    /// Whether the visit that a job begins holds its worker for the path.
    fn holds_here(&self, id: u32) -> bool {
        match self.paths.program.ops[self.jobs[id].step as usize - 1] {
            Op::VisitAs(visit) => self.paths.program.visits[visit as usize].holds,
            _ => false,
        }
    }

    /// Work that was handed in has ended.
    pub(crate) fn work_ended(&mut self, work: u32, ending: Ending) {
        let Some(outside) = &mut self.outside else {
            return;
        };
        let Work { ticket, .. } = outside.works[work];
        outside.works.remove(work);
        let end = match ending {
            Ending::Well | Ending::Declined(_) => WorkEnd::Acknowledged,
            Ending::Failed(_) | Ending::GaveUp => WorkEnd::Naked,
            Ending::Lost => WorkEnd::Lost,
        };
        self.outputs.push(Output::Settled { ticket, end });
    }

    /// A job publishes to a stream that is elsewhere; whether it waits.
    pub(crate) fn publish_outside(&mut self, id: u32, publication: u32) -> bool {
        let job = self.jobs[id];
        let step = &self.paths.program.publications[publication as usize];
        let (stream, subject, waits) = (step.stream, step.subject.clone(), step.acknowledged);
        let (message_id, identity) =
            self.message_identity(publication, job.path, job.identity, job.attempt);
        self.outputs.push(Output::Publish {
            job: waits.then_some(id),
            flight: job.flight,
            stream,
            subject,
            id: message_id,
            message: Message {
                identity,
                client: job.client,
                answered: job.answered,
            },
        });
        waits
    }
}
