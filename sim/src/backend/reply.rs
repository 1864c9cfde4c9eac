//! Replies: what a job answers its client, and how that gets there.

use super::walk::{Ending, Frame};
use super::{Backend, Moment};
use crate::dist::Dist;
use crate::engine::{Arena, Calendar, Task};
use crate::event::{FlightId, Outcome, Sink};
use crate::model::Model;
use crate::random::{Key, Kind, Purpose};
use crate::time::{Span, Time};

/// A reply that has reached its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Of which request.
    pub flight: FlightId,
    /// How it ended.
    pub outcome: Outcome,
}

/// The network between clients and the backend, and the replies on their way through it.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    one_way: Option<(Dist, Key)>,
    on_the_way: Arena<Reply>,
}

impl Replies {
    pub(crate) fn new(model: &Model) -> Replies {
        let key = Key::new(model.seed, Kind::Network, "network", Purpose::Network);
        Replies {
            one_way: model.one_way.clone().map(|one_way| (one_way, key)),
            on_the_way: Arena::new(),
        }
    }

    /// Whether the way through the network takes time.
    #[inline(always)]
    pub(crate) fn take_time(&self) -> bool {
        self.one_way.is_some()
    }

    /// How long a message of this identity is on its way through the network, where that takes time.
    #[inline(always)]
    pub(crate) fn delay(&self, identity: u64, ordinal: u64) -> Option<Span> {
        let (one_way, key) = self.one_way.as_ref()?;
        Some(one_way.sample_span(&mut key.draw(identity, ordinal)))
    }

    /// A reply is on its way from now on, under the number that is given back.
    #[inline]
    pub(crate) fn leaves(&mut self, reply: Reply) -> u32 {
        self.on_the_way.insert(reply)
    }

    /// A reply has come.
    #[inline]
    pub(crate) fn comes(&mut self, number: u32) -> Reply {
        let reply = self.on_the_way[number];
        self.on_the_way.remove(number);
        reply
    }

    /// How many replies are on their way.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.on_the_way.len()
    }
}

impl Backend {
    /// Sends the job's reply: it is returned if it needs no time, otherwise the calendar delivers it.
    #[inline(always)]
    pub(super) fn answer(
        &mut self,
        now: Time,
        id: u32,
        outcome: Outcome,
        calendar: &mut Calendar<Task>,
    ) -> Option<Reply> {
        let job = &mut self.jobs[id];
        job.answered = true;
        let reply = Reply {
            flight: job.flight,
            outcome,
        };
        self.requests.forget(reply.flight);
        let Some(delay) = self.replies.delay(job.identity, job.ordinal(1)) else {
            return Some(reply);
        };
        calendar.push(now + delay, Task::Delivered(self.replies.leaves(reply)));
        None
    }

    /// A reply that is given out of turn goes through the calendar, at this instant.
    pub(super) fn reply_later<S: Sink>(&mut self, reply: Reply, m: &mut Moment<'_, S>) {
        let reply = self.replies.leaves(reply);
        m.calendar.push(m.now, Task::Delivered(reply));
    }

    /// A reply has come through the network.
    pub fn delivered(&mut self, reply: u32) -> Reply {
        self.replies.comes(reply)
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
        let own = match self.jobs.bottom(id) {
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

    /// Answers a failure out of turn, if it is this job's to answer.
    pub(super) fn answer_failure_later<S: Sink>(
        &mut self,
        id: u32,
        ending: Ending,
        m: &mut Moment<'_, S>,
    ) {
        if let Some(reply) = self.answer_failure(id, ending, m) {
            self.reply_later(reply, m);
        }
    }

    /// Ends a job out of turn: whoever waits hears of it at this instant, or through the network.
    pub(super) fn fail_later<S: Sink>(&mut self, id: u32, ending: Ending, m: &mut Moment<'_, S>) {
        self.answer_failure_later(id, ending, m);
        self.unwind(id, ending, m);
    }
}
