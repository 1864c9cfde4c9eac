//! What is handed out: what paths ask of others, in the order in which they ask.

use super::{Message, Work};
use crate::backend::Backend;
use crate::backend::walk::{Ending, Op};
use crate::event::FlightId;
use crate::model::{FanOutId, ServiceId, StreamId};
use crate::time::Time;

/// What a path asks of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// A visit of a service whose member is elsewhere. The job waits.
    Visit {
        /// Who waits.
        job: u32,
        /// The request on whose behalf the visit is.
        flight: FlightId,
        /// Where to.
        service: ServiceId,
        /// What is handed on.
        call: Call,
    },
    /// A message for a stream.
    Publish {
        /// Who waits until it is stored, if anybody does.
        job: Option<u32>,
        /// The request on whose behalf it is published.
        flight: FlightId,
        /// The stream.
        stream: StreamId,
        /// Its subject.
        subject: String,
        /// The id by which the stream knows a retry, unlike for every request and every publishing step.
        id: u64,
        /// What its consumers need to know.
        message: Message,
    },
    /// The work that was handed in under this ticket has ended.
    Settled {
        /// Which.
        ticket: u32,
        /// How.
        end: WorkEnd,
    },
    /// A delivery of a fan-out.
    Deliver {
        /// Of which.
        fan_out: FanOutId,
        /// Its number within the emission.
        number: u32,
        /// When it reaches its subscriber, which may lie ahead.
        at: Time,
        /// The request on whose behalf it is.
        flight: FlightId,
    },
}

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
    /// The next thing that a path asks of others.
    pub fn take_errand(&mut self) -> Option<Errand> {
        self.outside.as_mut()?.errands.pop_front()
    }

    fn ask(&mut self, errand: Errand) {
        if let Some(outside) = &mut self.outside {
            outside.errands.push_back(errand);
        }
    }

    /// Hands a visit on when its line is not played here; whether it was.
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
        self.ask(Errand::Visit {
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
        self.ask(Errand::Settled { ticket, end });
    }

    /// A job publishes to a stream that is elsewhere; whether it waits.
    pub(crate) fn publish_outside(&mut self, id: u32, publication: u32) -> bool {
        let job = self.jobs[id];
        let step = &self.paths.program.publications[publication as usize];
        let (stream, subject, waits) = (step.stream, step.subject.clone(), step.acknowledged);
        let (message_id, identity) =
            self.message_identity(publication, job.path, job.identity, job.attempt);
        self.ask(Errand::Publish {
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

    /// Hands on the deliveries of an emission whose subscribers are elsewhere.
    pub(crate) fn deliver_outside(
        &mut self,
        fan_out: FanOutId,
        flight: FlightId,
        reached: impl Iterator<Item = (u32, Time)>,
    ) {
        if let Some(outside) = &mut self.outside {
            outside
                .errands
                .extend(reached.map(|(number, at)| Errand::Deliver {
                    fan_out,
                    number,
                    at,
                    flight,
                }));
        }
    }
}
