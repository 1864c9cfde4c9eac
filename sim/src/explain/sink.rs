//! The sink: visits of requests in flight, sums of those that ended within a band.

use super::before_reply::before_reply;
use super::walk::{Doing, Segment, deal_out};
use crate::event::{Event, FlightId, Outcome, Request, Sink, VisitStep};
use crate::model::{Model, ServiceId};
use crate::time::{Span, Time};

/// A range of response times, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The shortest.
    pub from: Span,
    /// The longest.
    pub to: Span,
}

impl Band {
    fn holds(self, response: Span) -> bool {
        self.from <= response && response <= self.to
    }
}

/// Where the time of the requests of a band went, in nanoseconds over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many requests: `ok`, and `timed_out` and `unresolved` at the age they had reached.
    pub requests: u64,
    /// How many of them were not answered.
    pub censored: u64,
    /// How many, by action.
    pub by_action: Vec<u64>,
    /// Response times: what follows adds up to them.
    pub response: u128,
    /// From intended to sent.
    pub lag: u128,
    /// At services, by their position in the model.
    pub stations: Vec<StationSums>,
    /// Time after the sending that is no visit: network and delays.
    pub elsewhere: u128,
}

/// Time at one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StationSums {
    /// In the line.
    pub waiting: u128,
    /// With a worker that is busy with it.
    pub service: u128,
    /// With a worker that is held, and nowhere else.
    pub held: u128,
}

impl StationSums {
    /// All of it.
    pub fn total(&self) -> u128 {
        self.waiting + self.service + self.held
    }
}

/// Explains the requests of some bands of response times.
#[derive(Debug, Clone)]
pub struct Explain {
    warmup: Time,
    /// By slot.
    flights: Vec<Flight>,
    /// By action, then service: whether a visit of it can be what the reply waits for.
    counts: Vec<Vec<bool>>,
    bands: Vec<(Band, Sums)>,
}

/// A request in flight, or the last one of its slot.
#[derive(Debug, Clone, Default)]
struct Flight {
    id: Option<FlightId>,
    ended: bool,
    visits: Vec<Visit>,
    segments: Vec<Segment>,
}

/// A visit that goes on.
#[derive(Debug, Clone, Copy)]
struct Visit {
    service: ServiceId,
    visitor: u32,
    doing: Doing,
    since: Time,
}

impl Explain {
    /// Of runs of this model, for requests of these bands.
    pub fn new(model: &Model, bands: &[Band]) -> Explain {
        let sums = Sums {
            by_action: vec![0; model.actions.len()],
            stations: vec![StationSums::default(); model.services.len()],
            ..Sums::default()
        };
        Explain {
            warmup: model.limits.warmup,
            flights: Vec::new(),
            counts: model
                .actions
                .iter()
                .map(|action| before_reply(model, action).visits)
                .collect(),
            bands: bands.iter().map(|band| (*band, sums.clone())).collect(),
        }
    }

    /// The bands with their sums, in the order in which they were given.
    pub fn bands(&self) -> &[(Band, Sums)] {
        &self.bands
    }

    /// The record of a request; `None` once it has ended.
    fn flight(&mut self, id: FlightId) -> Option<&mut Flight> {
        if id.slot() >= self.flights.len() {
            self.flights.resize_with(id.slot() + 1, Flight::default);
        }
        let flight = &mut self.flights[id.slot()];
        match flight.id {
            Some(known) if known == id => (!flight.ended).then_some(flight),
            // What an earlier request of the slot left behind is still being worked on.
            Some(known) if !id.is_later_than(known) => None,
            _ => {
                flight.id = Some(id);
                flight.ended = false;
                flight.visits.clear();
                flight.segments.clear();
                Some(flight)
            }
        }
    }

    fn done(&mut self, at: Time, request: &Request, id: FlightId, sent: Time, outcome: Outcome) {
        let Some(flight) = self.flight(id) else {
            return;
        };
        flight.end(at);
        let slot = id.slot();
        let response = at.since(request.intended);
        let held = matches!(
            outcome,
            Outcome::Ok | Outcome::TimedOut | Outcome::Unresolved
        );
        if !held || request.intended < self.warmup {
            return;
        }
        let Explain {
            flights,
            counts,
            bands,
            ..
        } = self;
        let counts = &counts[request.action.index()];
        let segments = &mut flights[slot].segments;
        let mut bands = bands
            .iter_mut()
            .filter(|(band, _)| band.holds(response))
            .peekable();
        if bands.peek().is_some() {
            segments.retain(|segment| counts[segment.service.index()]);
        }
        for (_, sums) in bands {
            sums.requests += 1;
            sums.censored += u64::from(outcome != Outcome::Ok);
            sums.by_action[request.action.index()] += 1;
            sums.response += nanos(response);
            sums.lag += nanos(sent.since(request.intended));
            deal_out(segments, sent, at, |what, span| sums.add(what, span));
        }
    }
}

impl Sums {
    fn add(&mut self, what: Option<(ServiceId, Doing)>, span: Span) {
        let part = match what {
            None => &mut self.elsewhere,
            Some((service, doing)) => {
                let station = &mut self.stations[service.index()];
                match doing {
                    Doing::Waiting => &mut station.waiting,
                    Doing::Service => &mut station.service,
                    Doing::Held => &mut station.held,
                }
            }
        };
        *part += nanos(span);
    }
}

fn nanos(span: Span) -> u128 {
    u128::from(span.as_nanos())
}

impl Flight {
    fn visit(&mut self, at: Time, service: ServiceId, visitor: u32, step: VisitStep) {
        let begins = |doing| Visit {
            service,
            visitor,
            doing,
            since: at,
        };
        match step {
            VisitStep::Joined => self.visits.push(begins(Doing::Waiting)),
            VisitStep::TakenAtOnce => self.visits.push(begins(Doing::Service)),
            VisitStep::Started { .. } => self.go_on(begins(Doing::Service)),
            VisitStep::Held { .. } => self.go_on(begins(Doing::Held)),
            VisitStep::Preempted { .. } => self.go_on(begins(Doing::Waiting)),
            VisitStep::Completed { .. }
            | VisitStep::Left { .. }
            | VisitStep::Abandoned { .. }
            | VisitStep::LostWaiting { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::CutWaiting { .. }
            | VisitStep::CutRunning { .. } => {
                if let Some(index) = self.position(service, visitor) {
                    let visit = self.visits.swap_remove(index);
                    self.close(visit, at);
                }
            }
            VisitStep::Rejected
            | VisitStep::Unreachable
            | VisitStep::WorkerBusy
            | VisitStep::WorkerIdle => {}
        }
    }

    /// The visit goes on doing something else.
    fn go_on(&mut self, next: Visit) {
        if let Some(index) = self.position(next.service, next.visitor) {
            let visit = std::mem::replace(&mut self.visits[index], next);
            self.close(visit, next.since);
        }
    }

    fn position(&self, service: ServiceId, visitor: u32) -> Option<usize> {
        let same = |visit: &Visit| visit.service == service && visit.visitor == visitor;
        self.visits.iter().rposition(same)
    }

    fn close(&mut self, visit: Visit, to: Time) {
        if visit.since < to {
            self.segments.push(Segment {
                service: visit.service,
                doing: visit.doing,
                from: visit.since,
                to,
            });
        }
    }

    /// Nothing that happens later is part of the response.
    fn end(&mut self, at: Time) {
        self.ended = true;
        while let Some(visit) = self.visits.pop() {
            self.close(visit, at);
        }
    }
}

impl Sink for Explain {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        match event {
            Event::Visit {
                service,
                visitor,
                flight,
                step,
                ..
            } => {
                if let Some(flight) = self.flight(flight) {
                    flight.visit(at, service, visitor, step);
                }
            }
            Event::Done {
                request,
                flight,
                sent,
                outcome,
            } => self.done(at, request, flight, sent, outcome),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InFlight;
    use crate::event::UserId;
    use crate::model::{ActionId, ClientId};

    const ALL: Band = Band {
        from: Span::ZERO,
        to: Span::MAX,
    };

    /// Two services before the reply and one after it; the window starts at 90 ns.
    fn model() -> Model {
        let text = "blis: 1\nname: x\nrun: {horizon: 1s, warmup: 90ns}\n\
                    clients: {c: {concurrency: 1, do: a}}\n\
                    actions: {a: {path: [{visit: gate}, {visit: store}, reply, {visit: tail}]}}\n\
                    services: {gate: {workers: 1, time: 1ns}, store: {workers: 1, time: 1ns}, \
                    tail: {workers: 1, time: 1ns}}\n";
        let spec = crate::spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let lowered = crate::spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:?}"));
        lowered.model
    }

    fn request(intended: u64) -> Request {
        Request {
            user: UserId(0),
            client: ClientId(0),
            action: ActionId(0),
            attempt: 0,
            user_number: 0,
            number: 0,
            intended: Time::from_nanos(intended),
        }
    }

    /// A sink with the requests in flight that it hears of.
    struct Story {
        in_flight: InFlight,
        sink: Explain,
    }

    impl Story {
        fn new(band: Band) -> Story {
            let model = model();
            Story {
                in_flight: InFlight::new(&model),
                sink: Explain::new(&model, &[band]),
            }
        }

        fn send(&mut self, at: u64) -> FlightId {
            let (flight, _) = self.in_flight.insert(Time::from_nanos(at), request(at));
            flight
        }

        fn visit(&mut self, at: u64, flight: FlightId, service: u16, step: VisitStep) {
            let event = Event::Visit {
                service: ServiceId(service),
                line: 0,
                visitor: 7,
                flight,
                step,
            };
            self.sink.record(Time::from_nanos(at), event);
        }

        /// The request ends; it was intended `lag` before it was sent.
        fn end(&mut self, at: u64, flight: FlightId, lag: u64, outcome: Outcome) {
            let ended = *self
                .in_flight
                .remove(flight)
                .unwrap_or_else(|| panic!("in flight"));
            let request = request(ended.sent.as_nanos() - lag);
            let event = Event::Done {
                request: &request,
                flight,
                sent: ended.sent,
                outcome,
            };
            self.sink.record(Time::from_nanos(at), event);
        }

        fn sums(&self) -> &Sums {
            let sums = &self.sink.bands()[0].1;
            let stations: u128 = sums.stations.iter().map(StationSums::total).sum();
            assert_eq!(sums.response, sums.lag + stations + sums.elsewhere);
            sums
        }
    }

    /// What the visit reports of its own times, which explanations do not rely on.
    const SPAN: Span = Span::ZERO;

    #[test]
    fn a_held_worker_is_told_from_what_it_is_held_for() {
        let mut story = Story::new(ALL);
        let flight = story.send(100);
        story.visit(102, flight, 0, VisitStep::Joined);
        story.visit(110, flight, 0, VisitStep::Started { waited: SPAN });
        story.visit(115, flight, 0, VisitStep::Preempted { served: SPAN });
        story.visit(118, flight, 0, VisitStep::Started { waited: SPAN });
        story.visit(120, flight, 0, VisitStep::Held { served: SPAN });
        story.visit(121, flight, 1, VisitStep::TakenAtOnce);
        let error = false;
        story.visit(
            150,
            flight,
            1,
            VisitStep::Completed {
                served: SPAN,
                error,
            },
        );
        story.visit(
            153,
            flight,
            0,
            VisitStep::Completed {
                served: SPAN,
                error,
            },
        );
        story.end(160, flight, 5, Outcome::Ok);
        let sums = story.sums();
        assert_eq!((sums.response, sums.lag, sums.elsewhere), (65, 5, 9));
        let [gate, store, tail] = sums.stations[..] else {
            panic!("three services");
        };
        assert_eq!((gate.waiting, gate.service, gate.held), (11, 7, 4));
        assert_eq!((store.waiting, store.service, store.held), (0, 29, 0));
        assert_eq!(tail, StationSums::default());
        assert_eq!(
            (sums.requests, sums.censored, &sums.by_action[..]),
            (1, 0, &[1][..])
        );
    }

    #[test]
    fn what_follows_the_reply_is_nobody_s_time() {
        let mut story = Story::new(ALL);
        let first = story.send(100);
        story.visit(100, first, 0, VisitStep::TakenAtOnce);
        let (served, error) = (SPAN, false);
        story.visit(130, first, 0, VisitStep::Completed { served, error });
        // The reply is on its way, and the rest of the path does not wait for it.
        story.visit(130, first, 2, VisitStep::TakenAtOnce);
        story.end(140, first, 0, Outcome::Ok);
        // The next request has its slot while the rest goes on.
        story.visit(150, first, 2, VisitStep::Completed { served, error });
        let second = story.send(160);
        assert_eq!(second.slot(), first.slot());
        story.visit(160, second, 0, VisitStep::TakenAtOnce);
        story.visit(162, first, 0, VisitStep::Joined);
        story.visit(165, second, 0, VisitStep::Completed { served, error });
        story.visit(166, first, 0, VisitStep::Left { waited: SPAN });
        story.end(170, second, 0, Outcome::Ok);
        let sums = story.sums();
        assert_eq!((sums.requests, sums.response, sums.elsewhere), (2, 50, 15));
        assert_eq!(sums.stations[0].service, 35);
        assert_eq!((sums.stations[0].waiting, sums.stations[2].total()), (0, 0));
    }

    #[test]
    fn only_the_band_the_window_and_held_times_count() {
        let band = Band {
            from: Span::from_nanos(10),
            to: Span::from_nanos(20),
        };
        let mut story = Story::new(band);
        for (sent, lasts, outcome, counts) in [
            (100, 9, Outcome::Ok, 0),
            (200, 10, Outcome::Ok, 1),
            (300, 20, Outcome::TimedOut, 2),
            (400, 21, Outcome::Ok, 2),
            (500, 15, Outcome::Rejected, 2),
            (600, 15, Outcome::AppError, 2),
            (89, 15, Outcome::Ok, 2),
            (700, 15, Outcome::Unresolved, 3),
        ] {
            let flight = story.send(sent);
            story.visit(sent, flight, 0, VisitStep::Joined);
            story.end(sent + lasts, flight, 0, outcome);
            assert_eq!(story.sums().requests, counts, "{sent}");
        }
        // They waited to the end.
        assert_eq!(story.sums().stations[0].waiting, 45);
        assert_eq!(story.sums().censored, 2);
    }
}
