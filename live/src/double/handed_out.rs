//! Work that a double leaves to others: visits of members of other processes, messages of streams, and deliveries of fan-outs.

use async_nats::{HeaderMap, Subject};
use blis_sim::backend::{Call, Message, Output};
use blis_sim::engine::Task;
use blis_sim::event::{FlightId, Outcome};
use blis_sim::model::{Deliverer, FanOutId, Model, REQUEST_ID, ServiceId, StreamId};
use blis_sim::time::{Span, Time};
use bytes::Bytes;

use super::Double;
use super::entrances::{self, PlayedServices, Purpose};
use super::messages::{Heard, Outgoing, Outlet, Returned};
use super::record::Visited;
use crate::clock::Clock;
use crate::double::peers::Roster;
use crate::double::service_protocol::{Endpoint, Instance};
use crate::wire::identity::{MESSAGE, REPLY_TO, VISIT};

/// How long an answer to what others do is waited for. One that a lost connection or a process that is gone took along
/// never comes, and would hold its worker for good.
const LOST: Span = Span::from_nanos(5_000_000_000);

/// A job that waits for what others do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    job: u32,
    flight: FlightId,
    since: Time,
    /// The service that is visited, where it is a visit.
    service: Option<ServiceId>,
}

/// A service of this process as others see it.
pub(super) fn instance(
    model: &Model,
    part: &PlayedServices,
    roster: &Roster,
    service: usize,
    started: &str,
) -> Instance {
    let endpoints = part.endpoints(service).map(|(subject, purpose)| {
        let name = match purpose {
            Purpose::Action(action) => model.actions[action.index()].name.as_str(),
            Purpose::Visit(_) => "visit",
        };
        Endpoint::new(name, subject.to_owned())
    });
    Instance {
        name: model.services[service].name.clone(),
        id: instance_id(roster.own(), service),
        spec: model.name.clone(),
        group: entrances::GROUP,
        started: started.to_owned(),
        endpoints: endpoints.collect(),
    }
}

/// The id of a service of a process.
pub fn instance_id(process: &str, service: usize) -> String {
    format!("{process}{service:02}")
}

/// What the header of a visit that is handed on says.
pub fn call_text(call: &Call) -> String {
    let Call {
        identity,
        step,
        path,
        client,
        attempt,
    } = call;
    format!("{identity:x}/{step}/{path}/{client}/{attempt}")
}

/// What such a header means; `None` when it is none.
pub fn parse_call(text: &str) -> Option<Call> {
    let mut parts = text.split('/');
    let call = Call {
        identity: u64::from_str_radix(parts.next()?, 16).ok()?,
        step: parts.next()?.parse().ok()?,
        path: parts.next()?.parse().ok()?,
        client: parts.next()?.parse().ok()?,
        attempt: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(call)
}

/// What the header of a message means; `None` when it is none.
pub fn parse_message(text: &str) -> Option<Message> {
    let mut parts = text.split('/');
    let message = Message {
        identity: u64::from_str_radix(parts.next()?, 16).ok()?,
        client: parts.next()?.parse().ok()?,
        answered: parts.next()? == "1",
    };
    parts.next().is_none().then_some(message)
}

/// What the header of a message of a stream says.
pub fn message_text(message: &Message) -> String {
    let answered = u8::from(message.answered);
    format!("{:x}/{}/{answered}", message.identity, message.client)
}

impl<C: Clock<Heard>, O: Outlet> Double<C, O> {
    /// Has others do what the model asks of them.
    pub(super) fn carry_out(&mut self) {
        while let Some(output) = self.backend.take_output() {
            match output {
                Output::Visit {
                    job,
                    flight,
                    service,
                    call,
                } => {
                    self.played.handed_on += 1;
                    let mut headers = self.identified(flight);
                    headers.insert(VISIT, call_text(&call));
                    let subject = entrances::visit_subject(&self.model, service.index());
                    self.hand_out((job, flight), Some(service), subject, headers);
                }
                Output::Publish {
                    job,
                    flight,
                    stream,
                    subject,
                    id,
                    message,
                } => self.publish_to_stream(job, flight, stream, subject, id, &message),
                Output::Delivery {
                    by: Deliverer::FanOut(fan_out),
                    subscriber,
                    at,
                    flight,
                    ..
                } => self.deliver(fan_out, subscriber, at, flight),
                // The stream itself delivers.
                Output::Delivery {
                    by: Deliverer::Consumer(_),
                    ..
                } => {}
                Output::Settled { ticket, end } => self.settled(ticket, end),
            }
        }
    }

    /// The header that names the request on whose behalf something is sent, as long as that is known.
    fn identified(&self, flight: FlightId) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let asked = self.asked.get(flight.slot());
        let identity = asked.filter(|asked| asked.flight == flight);
        if let Some(identity) = identity.and_then(|asked| asked.identity) {
            headers.insert(REQUEST_ID, identity.header(&self.model));
        }
        headers
    }

    /// Sends something that a job waits for the end of: a visit of a service, or else a publication.
    fn hand_out(
        &mut self,
        (job, flight): (u32, FlightId),
        service: Option<ServiceId>,
        subject: String,
        headers: HeaderMap,
    ) {
        let ticket = self.tickets;
        self.tickets += 1;
        let since = self.clock.now();
        let waiting = Waiting {
            job,
            flight,
            since,
            service,
        };
        let kind = if service.is_some() { 'v' } else { 'p' };
        self.waiting.insert(ticket, waiting);
        let reply = format!("{}{kind}{ticket:x}", self.setup.inbox);
        let sent = self.publish(Outgoing {
            subject: Subject::from(subject),
            reply: Some(Subject::from(reply)),
            headers,
            payload: Bytes::new(),
        });
        if !sent {
            self.bounced.push(Returned {
                ticket,
                outcome: Outcome::TransportError,
                served: None,
                at: self.reached,
            });
        }
    }

    fn publish_to_stream(
        &mut self,
        job: Option<u32>,
        flight: FlightId,
        stream: StreamId,
        subject: String,
        id: u64,
        message: &Message,
    ) {
        let mut headers = self.identified(flight);
        headers.insert(MESSAGE, message_text(message));
        if let Some(reply) = self.hand_over(flight, message) {
            headers.insert(REPLY_TO, reply.as_str());
        }
        if self.model.streams[stream.index()]
            .duplicate_window
            .is_some()
        {
            headers.insert("Nats-Msg-Id", format!("{id:x}"));
        }
        match job {
            Some(job) => self.hand_out((job, flight), None, subject, headers),
            None => {
                self.publish(Outgoing::bare(Subject::from(subject), headers));
            }
        }
    }

    /// Who waits for an answer that a consumer of a message gives. Where the path leaves that to consumers, it no longer
    /// answers itself.
    fn hand_over(&mut self, flight: FlightId, message: &Message) -> Option<Subject> {
        let asked = self.asked.get_mut(flight.slot())?;
        if message.answered || asked.flight != flight {
            return None;
        }
        let left = asked
            .action
            .is_some_and(|action| !self.model.answers_itself(action));
        if !left {
            return asked.reply.clone();
        }
        let reply = asked.reply.take();
        self.in_flight.remove(flight);
        reply
    }

    fn deliver(&mut self, fan_out: FanOutId, subscriber: u32, at: Time, flight: FlightId) {
        let subject = entrances::delivery_subject(&self.model, fan_out.index(), subscriber);
        let message = Outgoing::bare(Subject::from(subject), self.identified(flight));
        self.played.deliveries += 1;
        if at <= self.reached {
            self.publish(message);
            return;
        }
        let slot = self.outbound.insert(Some(message));
        self.calendar.push(at, Task::Delivery(slot));
    }

    /// Sends a delivery whose instant has come.
    pub(super) fn send_delivery(&mut self, slot: u32) {
        if let Some(message) = self.outbound[slot].take() {
            self.publish(message);
        }
        self.outbound.remove(slot);
    }

    /// Tells the model of what ended before it was sent.
    pub(super) fn take_back(&mut self) {
        while let Some(returned) = self.bounced.pop() {
            self.take_returned(returned);
        }
    }

    /// Gives up what others have not answered in time, as if nobody had been there.
    pub(super) fn give_up_lost(&mut self, now: Time) {
        // Tickets are in the order in which they were handed out.
        while let Some((ticket, waiting)) = self.waiting.first_key_value()
            && now >= waiting.since + LOST
        {
            self.take_returned(Returned {
                ticket: *ticket,
                outcome: Outcome::TransportError,
                served: None,
                at: now,
            });
        }
    }

    /// Something that others did has come to its end.
    pub(super) fn take_returned(&mut self, returned: Returned) {
        let at = self.come_to(returned.at);
        let waiting = self.waiting.remove(&returned.ticket);
        let Some(Waiting {
            job,
            flight,
            service,
            ..
        }) = waiting
        else {
            return;
        };
        let there = self.asked.get(flight.slot());
        if let (Some(service), Some((member, time))) = (service, returned.served)
            && there.is_some_and(|asked| asked.flight == flight)
        {
            let found_room = returned.outcome != Outcome::Rejected;
            let visited = Visited {
                service,
                member,
                time: found_room.then_some(time),
            };
            self.record.visited(flight.slot(), visited);
        }
        let Double {
            backend,
            calendar,
            record,
            ..
        } = self;
        let reply = backend.returned(at, job, returned.outcome, calendar, record);
        self.after(reply);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_it_was_written() {
        for answered in [false, true] {
            let message = Message {
                identity: u64::MAX - 1,
                client: 3,
                answered,
            };
            assert_eq!(parse_message(&message_text(&message)), Some(message));
        }
        for text in ["", "1/2", "1/2/1/1", "x/2/1"] {
            assert_eq!(parse_message(text), None, "{text}");
        }
    }

    #[test]
    fn a_call_reads_as_it_was_written() {
        let call = Call {
            identity: u64::MAX - 3,
            step: 7,
            path: 2,
            client: 1,
            attempt: 4,
        };
        assert_eq!(parse_call(&call_text(&call)), Some(call));
        for text in ["", "1/2/3/4", "1/2/3/4/5/6", "g/2/3/4/5", "1/2/3/4/70000"] {
            assert_eq!(parse_call(text), None, "{text}");
        }
    }
}
