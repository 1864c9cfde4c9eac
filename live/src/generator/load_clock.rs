//! The clock of one load: its zero is the start of the load, over a clock that runs since the connections were opened.

use blis_sim::time::{Span, Time};

use crate::clock::Clock;
use crate::wire::transport::Incoming;
use blis_sim::users::mailbox::Delivery;

/// A clock whose zero is the start of a load.
pub struct LoadClock<C> {
    inner: C,
    since: Span,
}

impl<C: Clock<Incoming>> LoadClock<C> {
    /// Starts at an instant of the other clock.
    pub fn new(inner: C, start: Time) -> LoadClock<C> {
        let since = start.since(Time::ZERO);
        LoadClock { inner, since }
    }

    fn ours(&self, at: Time) -> Time {
        Time::ZERO + at.since((Time::ZERO + self.since).min(at))
    }

    fn of_ours(&self, incoming: Incoming) -> Incoming {
        match incoming {
            Incoming::Done {
                flight,
                epoch,
                ending,
                reply,
                at,
            } => Incoming::Done {
                flight,
                epoch,
                ending,
                reply,
                at: self.ours(at),
            },
            Incoming::Delivered(delivery) => Incoming::Delivered(Delivery {
                at: self.ours(delivery.at),
                ..delivery
            }),
            Incoming::Lost { connection, at } => Incoming::Lost {
                connection,
                at: self.ours(at),
            },
            Incoming::Denied {
                connection,
                subject,
                at,
            } => Incoming::Denied {
                connection,
                subject,
                at: self.ours(at),
            },
            Incoming::Restored { connection } => Incoming::Restored { connection },
        }
    }
}

impl<C: Clock<Incoming>> Clock<Incoming> for LoadClock<C> {
    fn now(&self) -> Time {
        self.ours(self.inner.now())
    }

    fn wait(&mut self, until: Time) -> Option<Incoming> {
        let incoming = self.inner.wait(until + self.since)?;
        Some(self.of_ours(incoming))
    }

    fn poll(&mut self) -> Option<Incoming> {
        let incoming = self.inner.poll()?;
        Some(self.of_ours(incoming))
    }
}
