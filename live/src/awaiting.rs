//! What requests wait for besides their replies: deliveries on a subject that belong to them.
//!
//! Guarantees:
//! - A request that awaits deliveries is done when it has its reply, if it is sent as one, and so many deliveries as it
//!   waits for; a reply that is no success ends it at once.
//! - Every delivery counts once: as one of those that were to come, as a duplicate (the subscriber had its share, or had
//!   this message), as late (the request had been given up), or as unmatched (it names no request that is known).
//! - What was to come and had not when the request was given up or the run ended is missing, and may still become late.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use blis_sim::event::{FlightId, Outcome, Request};
use blis_sim::measure::Times;
use blis_sim::model::{ActionId, Answer, Model};
use blis_sim::time::{Span, Time};

/// Requests that wait for nothing more and are still known, so that what comes for them is a duplicate or late rather
/// than unmatched.
const REMEMBERED: usize = 1 << 16;

/// What names a request in its deliveries, in 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u64, u64);

impl Name {
    /// Of a text.
    pub fn of(text: &str) -> Name {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, text).hash(&mut hasher);
            hasher.finish()
        };
        Name(half(0), half(1))
    }
}

/// A delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Which action's requests are delivered there.
    pub action: ActionId,
    /// The request.
    pub name: Name,
    /// The subscription that it came over, among those of the action.
    pub subscriber: u32,
    /// What names the message itself, if anything does: a hash of its subject and its id.
    pub message: Option<u64>,
    /// When it came.
    pub at: Time,
}

/// What came of the deliveries of an action.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many were to come.
    pub expected: u64,
    /// How many of them came.
    pub delivered: u64,
    /// Deliveries beyond those that were to come.
    pub duplicates: u64,
    /// Deliveries for requests that had been given up; those were missing before.
    pub late: u64,
    /// Deliveries that name no request, or one of long ago.
    pub unmatched: u64,
    /// From the intended instant of the request to each delivery, of requests of the window.
    pub from_intended: Times,
    /// From the sending to each delivery.
    pub from_sent: Times,
    /// From the intended instant to the last delivery that was to come.
    pub to_last: Times,
}

impl Tally {
    /// How many were to come and did not, or only late.
    pub fn missing(&self) -> u64 {
        self.expected - self.delivered
    }
}

/// A request whose deliveries are not all there.
#[derive(Debug)]
struct Open {
    flight: FlightId,
    intended: Time,
    sent: Time,
    replied: bool,
    ended: bool,
    delivered: u32,
    /// By subscriber, where there are several.
    by_subscriber: HashMap<u32, u32>,
    messages: HashSet<(u32, u64)>,
}

/// The requests of one action.
#[derive(Debug)]
struct Awaited {
    deliveries: u32,
    until: u32,
    /// How many each subscriber may get.
    share: u32,
    needs_reply: bool,
    warmup: Time,
    tally: Tally,
    open: HashMap<Name, Open>,
    /// Those that have ended and are open, in the order in which they were sent, as far as they were.
    sent: VecDeque<(Time, Name)>,
    /// How long after its sending something may still come.
    patience: Span,
    closed: Closed,
}

/// Requests that wait for nothing more, as many as are remembered: whether all that was to come came.
#[derive(Debug, Default)]
struct Closed {
    complete: HashMap<Name, bool>,
    oldest: VecDeque<Name>,
}

impl Closed {
    fn add(&mut self, name: Name, complete: bool) {
        if self.complete.insert(name, complete).is_none() {
            self.oldest.push_back(name);
        }
        if self.oldest.len() > REMEMBERED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.complete.remove(&oldest);
        }
    }
}

/// How long after its sending something may still come for a request: as long as it may be waited for, and the drain.
fn patience<P>(model: &Model<P>) -> Span {
    let timeouts = model.clients.iter().filter_map(|client| client.timeout);
    timeouts.max().unwrap_or_default() + model.limits.drain
}

impl Awaited {
    /// Closes what has ended and was sent long ago: what comes for it is late.
    fn forget(&mut self, now: Time) {
        while let Some((sent, name)) = self.sent.front().copied() {
            let open = self.open.get(&name);
            let waits = open.is_some_and(|open| !open.ended && open.sent == sent);
            if sent + self.patience > now || waits {
                return;
            }
            self.sent.pop_front();
            if open.is_some_and(|open| open.sent == sent) {
                self.open.remove(&name);
                self.closed.add(name, false);
            }
        }
    }

    fn close_if_complete(&mut self, name: Name) {
        let complete = self
            .open
            .get(&name)
            .is_some_and(|open| open.ended && open.delivered == self.deliveries);
        if complete {
            self.open.remove(&name);
            self.closed.add(name, true);
        }
    }
}

/// The requests of earlier loads of which something was missing when their load was over, as many as are remembered, by
/// action.
#[derive(Debug, Default)]
pub struct Earlier(Vec<HashSet<Name>>);

impl Earlier {
    fn holds(&self, action: ActionId, name: Name) -> bool {
        let names = self.0.get(action.index());
        names.is_some_and(|names| names.contains(&name))
    }
}

/// All requests that await deliveries.
#[derive(Debug)]
pub struct Awaiting {
    earlier: Earlier,
    late_of_earlier: u64,
    actions: Vec<Option<Awaited>>,
    /// By slot: what the request of that slot awaits.
    by_slot: Vec<Option<(FlightId, ActionId, Name)>>,
}

impl Awaiting {
    /// Of a model, after these earlier loads.
    pub fn new<P>(model: &Model<P>, earlier: Earlier) -> Awaiting {
        let actions = model.actions.iter().map(|action| {
            let sending = action.sending.as_ref()?;
            let awaited = sending.awaited.as_ref()?;
            let subscribers = awaited.subscribers.get();
            Some(Awaited {
                deliveries: awaited.deliveries.get(),
                until: awaited.until.get(),
                share: awaited.deliveries.get().div_ceil(subscribers),
                needs_reply: sending.kind.answer() != Answer::Nothing,
                warmup: model.limits.warmup,
                tally: Tally::default(),
                open: HashMap::new(),
                sent: VecDeque::new(),
                patience: patience(model),
                closed: Closed::default(),
            })
        });
        Awaiting {
            earlier,
            late_of_earlier: 0,
            actions: actions.collect(),
            by_slot: Vec::new(),
        }
    }

    /// A request is sent, and deliveries with this name are to come.
    pub fn sent(&mut self, now: Time, flight: FlightId, request: &Request, name: Name) {
        let Some(awaited) = &mut self.actions[request.action.index()] else {
            return;
        };
        awaited.forget(now);
        awaited.tally.expected += u64::from(awaited.deliveries);
        if awaited.until < awaited.deliveries {
            awaited.sent.push_back((now, name));
        }
        awaited.open.insert(
            name,
            Open {
                flight,
                intended: request.intended,
                sent: now,
                replied: !awaited.needs_reply,
                ended: false,
                delivered: 0,
                by_subscriber: HashMap::new(),
                messages: HashSet::new(),
            },
        );
        if flight.slot() >= self.by_slot.len() {
            self.by_slot.resize(flight.slot() + 1, None);
        }
        self.by_slot[flight.slot()] = Some((flight, request.action, name));
    }

    /// A request has its reply: whether that ends it. One that awaits nothing is ended by it.
    pub fn replied(&mut self, flight: FlightId, outcome: Outcome) -> bool {
        let Some((action, name)) = self.of(flight) else {
            return true;
        };
        let Some(awaited) = &mut self.actions[action.index()] else {
            return true;
        };
        let Some(open) = awaited.open.get_mut(&name) else {
            return true;
        };
        if outcome != Outcome::Ok {
            self.give_up(flight);
            return true;
        }
        open.replied = true;
        let ends = open.delivered >= awaited.until;
        if ends {
            open.ended = true;
            self.by_slot[flight.slot()] = None;
            awaited.close_if_complete(name);
        }
        ends
    }

    /// Something was delivered: the request that it ends, if it ends one.
    pub fn delivered(&mut self, delivery: &Delivery) -> Option<FlightId> {
        let awaited = self.actions[delivery.action.index()].as_mut()?;
        let Some(open) = awaited.open.get_mut(&delivery.name) else {
            match awaited.closed.complete.get(&delivery.name) {
                Some(true) => awaited.tally.duplicates += 1,
                Some(false) => awaited.tally.late += 1,
                None if self.earlier.holds(delivery.action, delivery.name) => {
                    self.late_of_earlier += 1;
                }
                None => awaited.tally.unmatched += 1,
            }
            return None;
        };
        // What came before it was sent belongs to one before it.
        if delivery.at < open.sent {
            awaited.tally.late += 1;
            return None;
        }
        let of_subscriber = open.by_subscriber.entry(delivery.subscriber).or_default();
        let known = delivery
            .message
            .is_some_and(|message| !open.messages.insert((delivery.subscriber, message)));
        if *of_subscriber >= awaited.share || open.delivered >= awaited.deliveries || known {
            awaited.tally.duplicates += 1;
            return None;
        }
        *of_subscriber += 1;
        open.delivered += 1;
        let tally = &mut awaited.tally;
        tally.delivered += 1;
        let is_last = open.delivered == awaited.deliveries;
        if open.intended >= awaited.warmup {
            tally.from_intended.record(delivery.at.since(open.intended));
            tally.from_sent.record(delivery.at.since(open.sent));
            if is_last {
                tally.to_last.record(delivery.at.since(open.intended));
            }
        }
        let ends = !open.ended && open.replied && open.delivered >= awaited.until;
        let flight = open.flight;
        if ends {
            open.ended = true;
            self.by_slot[flight.slot()] = None;
        }
        awaited.close_if_complete(delivery.name);
        ends.then_some(flight)
    }

    /// A request was given up: what comes for it is late.
    pub fn give_up(&mut self, flight: FlightId) {
        let Some((action, name)) = self.of(flight) else {
            return;
        };
        self.by_slot[flight.slot()] = None;
        let Some(awaited) = &mut self.actions[action.index()] else {
            return;
        };
        if awaited.open.remove(&name).is_some() {
            awaited.closed.add(name, false);
        }
    }

    /// How many deliveries came for requests of earlier loads.
    pub fn late_of_earlier(&self) -> u64 {
        self.late_of_earlier
    }

    /// The requests of this load and of those before it of which something is missing.
    pub fn into_earlier(self) -> Earlier {
        let Awaiting {
            earlier, actions, ..
        } = self;
        let mut before = earlier.0.into_iter();
        let all = actions.into_iter().map(|awaited| {
            let mut names = before.next().unwrap_or_default();
            if let Some(awaited) = awaited {
                let closed = awaited.closed.complete.into_iter();
                let missing = closed.filter(|(_, complete)| !complete);
                let missing = missing.map(|(name, _)| name);
                // What is forgotten is told as unmatched.
                let room = REMEMBERED.saturating_sub(names.len());
                names.extend(missing.chain(awaited.open.into_keys()).take(room));
            }
            names
        });
        Earlier(all.collect())
    }

    /// Whether something is still to come.
    pub fn is_waiting(&self) -> bool {
        let mut actions = self.actions.iter().flatten();
        actions.any(|awaited| !awaited.open.is_empty())
    }

    /// What came of the deliveries of each action that has some.
    pub fn tallies(&self) -> impl Iterator<Item = (ActionId, &Tally)> {
        let actions = (0u16..).map(ActionId).zip(&self.actions);
        actions.filter_map(|(id, awaited)| Some((id, &awaited.as_ref()?.tally)))
    }

    fn of(&self, flight: FlightId) -> Option<(ActionId, Name)> {
        let (known, action, name) = (*self.by_slot.get(flight.slot())?)?;
        (known == flight).then_some((action, name))
    }
}

#[cfg(test)]
mod tests {
    use blis_sim::engine::InFlight;
    use blis_sim::model::ClientId;
    use proptest::prelude::*;

    use super::*;

    fn ms(at: u64) -> Time {
        Time::from_nanos(at * 1_000_000)
    }

    /// Requests sent as `live` says, all of which are in flight.
    struct Bench {
        awaiting: Awaiting,
        flights: Vec<FlightId>,
    }

    impl Bench {
        fn new(live: &str, requests: u64) -> Bench {
            let spec = format!(
                "{{blis: 1, name: a, run: {{requests: 9, warmup: 10ms}}, \
                 clients: {{users: {{concurrency: 9, do: ask}}}}, actions: {{ask: {{path: [reply], live: {live}}}}}}}"
            );
            let spec = blis_sim::spec::read(&spec).expect("it reads");
            let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
            let mut in_flight = InFlight::new(&model);
            let mut awaiting = Awaiting::new(&model, Earlier::default());
            let send = |number: u64| {
                let request = Request {
                    user: Default::default(),
                    client: ClientId(0),
                    action: ActionId(0),
                    attempt: 0,
                    user_number: number,
                    number: 0,
                    intended: ms(20),
                };
                let (flight, _) = in_flight.insert(ms(21), request);
                awaiting.sent(ms(21), flight, &request, Name::of(&number.to_string()));
                flight
            };
            let flights = (0..requests).map(send).collect();
            Bench { awaiting, flights }
        }

        fn deliver(&mut self, to: u64, subscriber: u32, message: Option<u64>, at: u64) -> bool {
            let ended = self.awaiting.delivered(&Delivery {
                action: ActionId(0),
                name: Name::of(&to.to_string()),
                subscriber,
                message,
                at: ms(at),
            });
            assert!(ended.is_none() || ended == Some(self.flights[to as usize]));
            ended.is_some()
        }

        fn tally(&self) -> &Tally {
            self.awaiting.tallies().next().expect("one action").1
        }
    }

    #[test]
    fn a_publication_is_done_with_the_last_delivery() {
        let mut bench = Bench::new("{publish: a, await: {subject: b, subscribers: 3}}", 1);
        assert!(!bench.deliver(0, 0, None, 30));
        assert!(!bench.deliver(0, 1, None, 31));
        assert!(bench.awaiting.is_waiting());
        assert!(bench.deliver(0, 2, None, 50));
        assert!(!bench.awaiting.is_waiting());
        let tally = bench.tally();
        assert_eq!(
            (tally.expected, tally.delivered, tally.missing()),
            (3, 3, 0)
        );
        assert_eq!(tally.from_intended.sum_nanos(), 51_000_000);
        assert_eq!(tally.from_sent.sum_nanos(), 48_000_000);
        assert_eq!(tally.to_last.sum_nanos(), 30_000_000);
    }

    #[test]
    fn a_request_needs_its_reply_besides() {
        let mut bench = Bench::new("{request: a, await: {subject: b}}", 2);
        let flights = bench.flights.clone();
        assert!(!bench.deliver(0, 0, None, 30));
        assert!(bench.awaiting.replied(flights[0], Outcome::Ok));
        assert!(!bench.awaiting.replied(flights[1], Outcome::Ok));
        assert!(bench.deliver(1, 0, None, 30));
        // What is done is no longer known by its id.
        assert!(bench.awaiting.replied(flights[1], Outcome::Ok));
    }

    #[test]
    fn a_failure_ends_it_and_what_comes_is_late() {
        let mut bench = Bench::new("{request: a, await: {subject: b}}", 1);
        let flight = bench.flights[0];
        assert!(bench.awaiting.replied(flight, Outcome::AppError));
        assert!(!bench.deliver(0, 0, None, 30));
        assert_eq!((bench.tally().late, bench.tally().missing()), (1, 1));
    }

    #[test]
    fn the_first_ends_it_and_the_others_still_count() {
        let live = "{publish: a, await: {subject: b, deliveries: 3, until: first}}";
        let mut bench = Bench::new(live, 1);
        assert!(bench.deliver(0, 0, None, 30));
        bench.awaiting.give_up(bench.flights[0]);
        assert!(!bench.deliver(0, 0, None, 40));
        assert!(bench.awaiting.is_waiting());
        assert!(!bench.deliver(0, 0, None, 50));
        assert_eq!((bench.tally().delivered, bench.tally().late), (3, 0));
        // One more than were to come.
        assert!(!bench.deliver(0, 0, None, 60));
        assert_eq!(bench.tally().duplicates, 1);
    }

    #[test]
    fn k_of_n_ends_it() {
        let live = "{publish: a, await: {subject: b, subscribers: 4, until: 2}}";
        let mut bench = Bench::new(live, 1);
        assert!(!bench.deliver(0, 3, None, 30));
        // The same subscriber again is a duplicate.
        assert!(!bench.deliver(0, 3, None, 31));
        assert!(bench.deliver(0, 1, None, 32));
        assert_eq!((bench.tally().delivered, bench.tally().duplicates), (2, 1));
    }

    #[test]
    fn a_message_that_comes_twice_is_a_duplicate() {
        let live = "{publish: a, await: {subject: b, deliveries: 2}}";
        let mut bench = Bench::new(live, 1);
        assert!(!bench.deliver(0, 0, Some(7), 30));
        assert!(!bench.deliver(0, 0, Some(7), 31));
        assert!(bench.deliver(0, 0, Some(8), 32));
        assert_eq!((bench.tally().delivered, bench.tally().duplicates), (2, 1));
    }

    #[test]
    fn each_subscriber_may_have_the_same_message() {
        let mut bench = Bench::new("{publish: a, await: {subject: b, subscribers: 3}}", 1);
        assert!(!bench.deliver(0, 0, Some(7), 30));
        assert!(!bench.deliver(0, 1, Some(7), 30));
        assert!(bench.deliver(0, 2, Some(7), 30));
        assert_eq!((bench.tally().delivered, bench.tally().duplicates), (3, 0));
    }

    #[test]
    fn what_came_before_the_sending_is_of_another_request() {
        let mut bench = Bench::new("{publish: a, await: {subject: b}}", 1);
        assert!(!bench.deliver(0, 0, None, 20));
        assert_eq!((bench.tally().delivered, bench.tally().late), (0, 1));
        assert!(bench.deliver(0, 0, None, 21));
    }

    #[test]
    fn what_has_ended_is_forgotten_when_nothing_may_come_any_more() {
        let live = "{publish: a, await: {subject: b, deliveries: 2, until: first}}";
        let mut bench = Bench::new(live, 2);
        assert!(bench.deliver(0, 0, None, 30));
        let awaited = bench.awaiting.actions[0].as_mut().expect("it awaits");
        awaited.forget(ms(30_020));
        assert_eq!(awaited.open.len(), 2);
        // Sent at 21 ms, with a drain of 30 s; the second one has not ended.
        awaited.forget(ms(30_021));
        assert_eq!(awaited.open.len(), 1);
        assert!(!bench.deliver(0, 0, None, 31_000));
        assert_eq!((bench.tally().late, bench.tally().missing()), (1, 3));
    }

    #[test]
    fn what_names_nobody_is_unmatched() {
        let mut bench = Bench::new("{publish: a, await: {subject: b}}", 1);
        bench.awaiting.delivered(&Delivery {
            action: ActionId(0),
            name: Name::of("nobody"),
            subscriber: 0,
            message: None,
            at: ms(30),
        });
        assert_eq!((bench.tally().unmatched, bench.tally().late), (1, 0));
    }

    proptest! {
        #[test]
        fn every_delivery_counts_once_and_every_request_ends_once(
            steps in prop::collection::vec((0u64..4, 0u32..3, 0u64..6, any::<bool>()), 0..60),
        ) {
            let live = "{request: a, await: {subject: b, subscribers: 3, until: 2}}";
            let mut bench = Bench::new(live, 4);
            let mut ends = [0; 4];
            let mut deliveries = 0;
            for (to, subscriber, message, deliver) in steps {
                if deliver {
                    deliveries += 1;
                    ends[to as usize] += u32::from(bench.deliver(to, subscriber, Some(message), 30));
                } else if ends[to as usize] == 0 {
                    let flight = bench.flights[to as usize];
                    let ended = bench.awaiting.replied(flight, Outcome::Ok);
                    ends[to as usize] += u32::from(ended);
                }
            }
            prop_assert!(ends.iter().all(|ends| *ends <= 1));
            let tally = bench.tally();
            prop_assert_eq!(tally.expected, 12);
            let counted = tally.delivered + tally.duplicates + tally.late + tally.unmatched;
            prop_assert_eq!(counted, deliveries);
            prop_assert!(tally.delivered <= tally.expected);
        }
    }
}
