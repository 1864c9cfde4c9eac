//! Requests in flight and their deadlines against a list that is searched.

use blis_sim::engine::InFlight;
use blis_sim::event::{Event, FlightId, Request, Sink};
use blis_sim::model::{ClientId, Model};
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::users::{Users, Wake};
use proptest::prelude::*;

use crate::cases;

/// Clients with two timeouts that are the same, one that differs, and none.
const SPEC: &str = "
blis: 1
name: timeouts
run: {requests: 1}
clients:
  a: {concurrency: 1, do: ask, timeout: 20ns}
  b: {concurrency: 1, do: ask, timeout: 7ns}
  c: {concurrency: 1, do: ask, timeout: 20ns}
  d: {concurrency: 1, do: ask}
actions:
  ask: {path: [{delay: 1ms}, reply]}
";
const TIMEOUTS: [Option<u64>; 4] = [Some(20), Some(7), Some(20), None];

struct Deaf;

impl Sink for Deaf {
    fn advance(&mut self, _: Time) {}
    fn record(&mut self, _: Time, _: Event<'_>) {}
}

fn model() -> Model {
    spec::lower(&spec::read(SPEC).unwrap()).unwrap().model
}

/// Some request: what is in flight does not depend on what a request is.
fn request(model: &Model) -> Request {
    let mut users = Users::new(model);
    let mut first: Option<Wake> = None;
    users.start(|_, wake| first = first.or(Some(wake)));
    users
        .wake(Time::ZERO, first.unwrap(), &mut Deaf)
        .send
        .unwrap()
}

#[derive(Debug, Clone, Copy)]
enum Op {
    /// Time goes by, and a request of this client is sent.
    Send { after: u64, client: u16 },
    /// A reply comes for the request that was sent so many before the last, done or not.
    Reply(usize),
    /// The clients of all requests whose deadline has passed give up.
    Expire { after: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (prop_oneof![Just(0u64), 0u64..5], 0u16..4)
            .prop_map(|(after, client)| Op::Send { after, client }),
        3 => (0usize..30).prop_map(Op::Reply),
        1 => (0u64..12).prop_map(|after| Op::Expire { after }),
    ]
}

/// A request as the naive model keeps it; `number` is the order of sending.
#[derive(Debug, Clone, Copy)]
struct Sent {
    id: FlightId,
    client: u16,
    sent: u64,
    deadline: u64,
}

#[derive(Default)]
struct Naive {
    sent: Vec<Sent>,
    live: Vec<usize>,
}

impl Naive {
    fn earliest(&self) -> u64 {
        self.live
            .iter()
            .map(|&k| self.sent[k].deadline)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Of the earliest deadline, the request that was sent first among those of one timeout; timeouts in the order
    /// of the clients that have them.
    fn first_due(&self) -> Option<usize> {
        let earliest = self.earliest();
        if earliest == u64::MAX {
            return None;
        }
        let list = |k: usize| {
            let timeout = TIMEOUTS[usize::from(self.sent[k].client)];
            TIMEOUTS.iter().position(|other| *other == timeout)
        };
        let due = self
            .live
            .iter()
            .copied()
            .filter(|&k| self.sent[k].deadline == earliest);
        due.min_by_key(|&k| (list(k), k))
    }
}

struct Pair {
    flights: InFlight,
    naive: Naive,
    request: Request,
    now: u64,
}

impl Pair {
    fn send(&mut self, client: u16) {
        let request = Request {
            client: ClientId(client),
            ..self.request
        };
        let (id, deadline) = self.flights.insert(Time::from_nanos(self.now), request);
        let timeout = TIMEOUTS[usize::from(client)];
        let expected = timeout.map_or(u64::MAX, |timeout| self.now + timeout);
        assert_eq!(deadline.as_nanos(), expected);
        let sent = Sent {
            id,
            client,
            sent: self.now,
            deadline: expected,
        };
        self.naive.live.push(self.naive.sent.len());
        self.naive.sent.push(sent);
    }

    fn reply(&mut self, number: usize) {
        let sent = self.naive.sent[number];
        let live = self.naive.live.iter().position(|&k| k == number);
        match (self.flights.remove(sent.id), live) {
            (None, None) => {}
            (Some(flight), Some(at)) => {
                assert_eq!(flight.request.client, ClientId(sent.client));
                assert_eq!(flight.sent, Time::from_nanos(sent.sent));
                self.naive.live.remove(at);
            }
            (found, live) => panic!("request {number}: found {found:?}, expected {live:?}"),
        }
    }

    fn expire(&mut self) {
        while self.naive.earliest() <= self.now {
            let due = self.naive.first_due().unwrap();
            assert_eq!(self.flights.first_due(), Some(self.naive.sent[due].id));
            self.reply(due);
            self.check();
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Send { after, client } => {
                self.now += after;
                self.send(client);
            }
            Op::Reply(back) if back < self.naive.sent.len() => {
                self.reply(self.naive.sent.len() - 1 - back);
            }
            Op::Reply(_) => {}
            Op::Expire { after } => {
                self.now += after;
                self.expire();
            }
        }
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.flights.len(), self.naive.live.len());
        assert_eq!(self.flights.is_empty(), self.naive.live.is_empty());
        assert_eq!(
            self.flights.next_deadline().as_nanos(),
            self.naive.earliest()
        );
        let due = self.naive.first_due().map(|k| self.naive.sent[k].id);
        assert_eq!(self.flights.first_due(), due);
        let mut slots: Vec<usize> = self
            .naive
            .live
            .iter()
            .map(|&k| self.naive.sent[k].id.slot())
            .collect();
        slots.sort_unstable();
        let ids: Vec<usize> = self.flights.ids().iter().map(|id| id.slot()).collect();
        assert_eq!(ids, slots, "the slots taken, ascending");
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn deadlines_and_late_replies_are_those_of_a_searched_list(ops in prop::collection::vec(op(), 1..200)) {
        let model = model();
        let request = request(&model);
        let mut pair = Pair { flights: InFlight::new(&model), naive: Naive::default(), request, now: 0 };
        ops.into_iter().for_each(|op| pair.apply(op));
    }
}

/// A slot that is used again does not take the reply to the request that had it before.
#[test]
fn a_late_reply_finds_nothing_in_a_slot_used_again() {
    let model = model();
    let request = request(&model);
    let mut flights = InFlight::new(&model);
    let (first, deadline) = flights.insert(Time::ZERO, request);
    assert_eq!(deadline, Time::ZERO + Span::from_nanos(20));
    assert!(flights.remove(first).is_some());
    let (second, _) = flights.insert(Time::from_nanos(1), request);
    assert_eq!(first.slot(), second.slot());
    assert!(flights.remove(first).is_none());
    assert!(flights.remove(second).is_some());
    assert!(flights.remove(second).is_none());
}
