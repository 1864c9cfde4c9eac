use proptest::prelude::*;

use super::*;
use crate::engine::InFlight;
use crate::model::ClientId;

fn ms(at: u64) -> Time {
    Time::from_nanos(at * 1_000_000)
}

/// Requests that await this, all of which are in flight.
struct Bench {
    mailbox: Mailbox,
    flights: Vec<FlightId>,
    received: Vec<Received>,
}

const ASK: ActionId = ActionId(0);

impl Bench {
    fn new(awaits: &str, requests: u64) -> Bench {
        let spec = format!(
            "{{blis: 1, name: a, run: {{requests: 9}}, clients: {{users: {{concurrency: 9, timeout: 5s, do: {{ask: 1, tell: 1}}}}}}, \
             actions: {{ask: {{path: [{{emit: all}}, reply], await: {awaits}}}, tell: {{path: [{{emit: all}}, reply], \
             await: {{}}}}}}, fan_outs: {{all: {{subscribers: 3, delay: 1ms}}}}}}"
        );
        let spec = crate::spec::read(&spec).expect("it reads");
        let model = crate::spec::lower(&spec).expect("it lowers").model;
        let mut in_flight = InFlight::new(&model);
        let mut mailbox = *Mailbox::new(&model).expect("it awaits");
        let send = |number: u64| {
            let request = Request {
                user: Default::default(),
                client: ClientId(0),
                action: ASK,
                attempt: 0,
                user_number: number,
                number: 0,
                intended: ms(20),
            };
            let (flight, _) = in_flight.insert(ms(21), request);
            mailbox.sent(ms(21), flight, &request, Key::of(&number.to_string()));
            flight
        };
        let flights = (0..requests).map(send).collect();
        Bench {
            mailbox,
            flights,
            received: Vec::new(),
        }
    }

    /// Requests that have their replies.
    fn replied(awaits: &str, requests: u64) -> Bench {
        let mut bench = Bench::new(awaits, requests);
        for number in 0..requests {
            assert_eq!(bench.reply(number, Outcome::Ok), Replied::Waits);
        }
        bench
    }

    fn reply(&mut self, to: u64, outcome: Outcome) -> Replied {
        self.mailbox.replied(self.flights[to as usize], outcome)
    }

    fn deliver(&mut self, to: u64, subscriber: u32, message: Option<u64>, at: u64) -> bool {
        let delivery = Delivery {
            action: ASK,
            subscriber,
            key: Key::of(&to.to_string()),
            message,
            fits: true,
            at: ms(at),
        };
        self.take(&delivery)
            .inspect(|ended| assert_eq!(*ended, self.flights[to as usize]))
            .is_some()
    }

    fn take(&mut self, delivery: &Delivery) -> Option<FlightId> {
        let (received, ends) = self.mailbox.deliver(delivery)?;
        self.received.push(received);
        ends
    }

    /// Delivered, duplicates, late, unmatched.
    fn counts(&self) -> [usize; 4] {
        let of = |is: fn(&Received) -> bool| self.received.iter().filter(|one| is(one)).count();
        [
            of(|one| matches!(one, Received::Delivered { .. })),
            of(|one| matches!(one, Received::Duplicate { .. })),
            of(|one| matches!(one, Received::Late { .. })),
            of(|one| matches!(one, Received::Unmatched)),
        ]
    }
}

#[test]
fn a_request_is_done_with_the_last_delivery() {
    let mut bench = Bench::replied("{subscribers: 3}", 1);
    assert!(!bench.deliver(0, 0, None, 30));
    assert!(!bench.deliver(0, 1, None, 31));
    assert!(bench.mailbox.is_waiting());
    assert!(bench.deliver(0, 2, None, 50));
    assert!(!bench.mailbox.is_waiting());
    let of = |is_first, is_last| Received::Delivered {
        intended: ms(20),
        sent: ms(21),
        is_first,
        is_last,
    };
    assert_eq!(
        bench.received,
        [of(true, false), of(false, false), of(false, true)]
    );
}

#[test]
fn a_request_needs_its_reply_besides() {
    let mut bench = Bench::new("{}", 2);
    assert!(!bench.deliver(0, 0, None, 30));
    assert_eq!(bench.reply(0, Outcome::Ok), ENDS);
    assert_eq!(bench.reply(1, Outcome::Ok), Replied::Waits);
    assert_eq!(bench.reply(1, Outcome::Ok), Replied::Again);
    assert!(bench.deliver(1, 0, None, 30));
    // What is done is no longer known by its id.
    assert_eq!(bench.reply(1, Outcome::Ok), ENDS);
}

#[test]
fn a_failure_ends_it_and_what_comes_is_late() {
    let mut bench = Bench::new("{}", 1);
    assert_eq!(bench.reply(0, Outcome::AppError), ENDS);
    assert!(!bench.deliver(0, 0, None, 30));
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
}

#[test]
fn what_times_out_with_its_reply_awaits_none() {
    let mut bench = Bench::replied("{}", 1);
    let ended = bench.reply(0, Outcome::TimedOut);
    assert_eq!(ended, Replied::Ends { before: true });
}

#[test]
fn the_first_ends_it_and_the_others_still_count() {
    let mut bench = Bench::replied("{deliveries: 3, until: first}", 1);
    assert!(bench.deliver(0, 0, None, 30));
    assert_eq!(bench.reply(0, Outcome::TimedOut), ENDS);
    assert!(!bench.deliver(0, 0, None, 40));
    assert!(bench.mailbox.is_waiting());
    assert!(!bench.deliver(0, 0, None, 50));
    assert_eq!(bench.counts(), [3, 0, 0, 0]);
    // One more than were to come.
    assert!(!bench.deliver(0, 0, None, 60));
    assert_eq!(bench.counts(), [3, 1, 0, 0]);
}

#[test]
fn k_of_n_ends_it() {
    let mut bench = Bench::replied("{subscribers: 4, until: 2}", 1);
    assert!(!bench.deliver(0, 3, None, 30));
    // The same subscriber again is a duplicate.
    assert!(!bench.deliver(0, 3, None, 31));
    assert!(bench.deliver(0, 1, None, 32));
    assert_eq!(bench.counts(), [2, 1, 0, 0]);
}

#[test]
fn a_message_that_comes_twice_is_a_duplicate() {
    let mut bench = Bench::replied("{deliveries: 2}", 1);
    assert!(!bench.deliver(0, 0, Some(7), 30));
    assert!(!bench.deliver(0, 0, Some(7), 31));
    assert!(bench.deliver(0, 0, Some(8), 32));
    assert_eq!(bench.counts(), [2, 1, 0, 0]);
}

#[test]
fn each_subscriber_may_have_the_same_message() {
    let mut bench = Bench::replied("{subscribers: 3}", 1);
    assert!(!bench.deliver(0, 0, Some(7), 30));
    assert!(!bench.deliver(0, 1, Some(7), 30));
    assert!(bench.deliver(0, 2, Some(7), 30));
    assert_eq!(bench.counts(), [3, 0, 0, 0]);
}

#[test]
fn what_came_before_the_sending_is_of_another_request() {
    let mut bench = Bench::replied("{}", 1);
    assert!(!bench.deliver(0, 0, None, 20));
    assert_eq!(bench.counts(), [0, 0, 1, 0]);
    assert!(bench.deliver(0, 0, None, 21));
}

#[test]
fn what_has_ended_is_forgotten_when_nothing_may_come_any_more() {
    let mut bench = Bench::replied("{deliveries: 2, until: first}", 2);
    assert!(bench.deliver(0, 0, None, 30));
    let open = |bench: &Bench| {
        let awaited = bench.mailbox.actions[0].as_ref();
        awaited.expect("it awaits").open.len()
    };
    bench.mailbox.forget(ms(5_021));
    assert_eq!(open(&bench), 2);
    // Sent at 21 ms, with a timeout of 5 s; the second one has not ended.
    bench.mailbox.forget(ms(5_022));
    assert_eq!(open(&bench), 1);
    assert!(!bench.deliver(0, 0, None, 6_000));
    assert_eq!(bench.counts(), [1, 0, 1, 0]);
}

#[test]
fn what_comes_after_the_timeout_is_late_also_for_a_request_that_is_done() {
    let mut bench = Bench::replied("{deliveries: 3, until: first}", 1);
    assert!(bench.deliver(0, 0, None, 30));
    assert!(!bench.deliver(0, 0, None, 5_021));
    assert!(!bench.deliver(0, 0, None, 5_022));
    assert_eq!(bench.counts(), [2, 0, 1, 0]);
}

#[test]
fn what_nobody_gives_up_is_waited_for() {
    let mut bench = Bench::replied("{deliveries: 2, until: first}", 1);
    bench.mailbox.patience = vec![None];
    assert!(bench.deliver(0, 0, None, 30));
    bench.mailbox.forget(ms(1_000_000));
    assert!(!bench.deliver(0, 0, None, 1_000_000));
    assert_eq!(bench.counts(), [2, 0, 0, 0]);
}

#[test]
fn a_second_reply_changes_nothing_whatever_it_says() {
    for second in [Outcome::AppError, Outcome::Rejected, Outcome::Ok] {
        let mut bench = Bench::replied("{}", 1);
        assert_eq!(bench.reply(0, second), Replied::Again);
        assert!(bench.deliver(0, 0, None, 30));
    }
}

#[test]
fn what_names_nobody_is_unmatched() {
    let mut bench = Bench::replied("{}", 1);
    let nobody = Delivery {
        action: ASK,
        subscriber: 0,
        key: Key::of("nobody"),
        message: None,
        fits: true,
        at: ms(30),
    };
    assert_eq!(bench.take(&nobody), None);
    assert_eq!(bench.counts(), [0, 0, 0, 1]);
}

#[test]
fn what_is_not_awaited_is_unmatched_whoever_it_is_for() {
    let mut bench = Bench::replied("{}", 1);
    let other = Delivery {
        action: ASK,
        subscriber: 0,
        key: Key::of("0"),
        message: None,
        fits: false,
        at: ms(30),
    };
    assert_eq!(bench.take(&other), None);
    assert_eq!(bench.counts(), [0, 0, 0, 1]);
    assert!(bench.deliver(0, 0, None, 31));
}

#[test]
fn what_is_for_a_request_of_another_action_does_not_count() {
    let mut bench = Bench::replied("{}", 1);
    let over_another = Delivery {
        action: ActionId(1),
        subscriber: 0,
        key: Key::of("0"),
        message: None,
        fits: true,
        at: ms(30),
    };
    assert_eq!(bench.mailbox.deliver(&over_another), None);
    assert!(bench.deliver(0, 0, None, 31));
}

#[test]
fn what_comes_for_an_earlier_load_matches_nothing() {
    let mut before = Bench::replied("{deliveries: 2}", 1);
    assert!(!before.deliver(0, 0, None, 30));
    let earlier = before.mailbox.into_earlier();
    let mut bench = Bench::replied("{}", 0);
    bench.mailbox.remember(earlier);
    assert!(!bench.deliver(0, 0, None, 40));
    assert_eq!(bench.counts(), [0, 0, 0, 0]);
    assert_eq!(bench.mailbox.late_of_earlier(), 1);
}

proptest! {
    #[test]
    fn every_delivery_counts_once_and_every_request_ends_once(
        steps in prop::collection::vec((0u64..4, 0u32..3, 0u64..6, any::<bool>()), 0..60),
    ) {
        let mut bench = Bench::new("{subscribers: 3, until: 2}", 4);
        let mut ends = [0; 4];
        let mut deliveries = 0;
        for (to, subscriber, message, deliver) in steps {
            if deliver {
                deliveries += 1;
                ends[to as usize] += u32::from(bench.deliver(to, subscriber, Some(message), 30));
            } else if ends[to as usize] == 0 {
                let ended = bench.reply(to, Outcome::Ok) == ENDS;
                ends[to as usize] += u32::from(ended);
            }
        }
        prop_assert!(ends.iter().all(|ends| *ends <= 1));
        let counts = bench.counts();
        prop_assert_eq!(counts.iter().sum::<usize>(), deliveries);
        prop_assert!(counts[0] <= 12);
    }
}
