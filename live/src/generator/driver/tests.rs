//! The driver with its own clock: exact instants, no waiting.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use blis_sim::event::{Outcome, Request};
use blis_sim::measure::Measure;
use blis_sim::spec;
use blis_sim::users::mailbox::Key;

use super::*;
use crate::wire::publications::Place;
use crate::wire::transport::Sent;

mod publications;

/// Time and what comes in, both as the test says.
#[derive(Default)]
struct Stage {
    now: Time,
    /// What comes in, by instant.
    coming: VecDeque<(Time, Incoming)>,
    /// Each request that was sent: when it was, and was intended.
    sent: Vec<(Time, Time)>,
    /// How long the driver is busy with each request that it sends.
    busy: Span,
    /// The request of which instant takes so long to send, as when the process is stopped meanwhile.
    stall: Option<(Time, Span)>,
    /// Whether there is no connection.
    down: bool,
    /// Whether requests are publications that wait for nothing.
    publishes: bool,
    /// How many messages are known to be written, and how many will be at the end.
    written: u64,
    flushed: u64,
    /// How often it was asked what is written.
    looks: u64,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Stage>>);

impl Clock<Incoming> for Shared {
    fn now(&self) -> Time {
        self.0.borrow().now
    }

    fn wait(&mut self, until: Time) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        match stage.coming.front() {
            Some((at, incoming)) if *at <= until => {
                let (at, incoming) = (*at, incoming.clone());
                stage.now = stage.now.max(at);
                stage.coming.pop_front();
                Some(incoming)
            }
            _ => {
                stage.now = stage.now.max(until);
                None
            }
        }
    }

    fn poll(&mut self) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        let now = stage.now;
        let due = stage.coming.front().is_some_and(|(at, _)| *at <= now);
        due.then(|| stage.coming.pop_front())
            .flatten()
            .map(|(_, incoming)| incoming)
    }
}

/// The subject that a server refuses.
const DENIED: u64 = 7;

/// A backend that answers after so long, or never.
struct Echo {
    stage: Shared,
    after: Option<Span>,
    down: bool,
}

impl Transport for Echo {
    fn hand_over(&mut self) {}

    fn send(&mut self, now: Time, flight: FlightId, request: &Request) -> Sent {
        if self.down {
            return Sent::NoConnection;
        }
        let mut stage = self.stage.0.borrow_mut();
        assert_eq!(now, stage.now);
        stage.sent.push((now, request.intended));
        stage.now = now + stage.busy;
        if let Some((_, length)) = stage.stall.filter(|(at, _)| *at == now) {
            stage.now = now + length;
        }
        if stage.publishes {
            return Sent::Taken(Place {
                connection: 0,
                number: stage.sent.len() as u64,
            });
        }
        if let Some(after) = self.after {
            let at = now + after;
            let ending = Ok(());
            stage.coming.push_back((
                at,
                Incoming::Done {
                    flight,
                    epoch: Epoch::FIRST,
                    ending,
                    reply: Reply::default(),
                    at,
                },
            ));
            stage.coming.make_contiguous().sort_by_key(|(at, _)| *at);
        }
        Sent::Waiting(0)
    }

    fn key(&mut self, _flight: FlightId) -> Option<Key> {
        None
    }

    fn had(&self, connection: u32, _flight: FlightId) -> bool {
        connection == 0
    }

    fn had_sent(&self, _: u32, _: FlightId, subject: u64) -> bool {
        subject == DENIED
    }

    fn written(&mut self, _connection: u32) -> u64 {
        let mut stage = self.stage.0.borrow_mut();
        stage.looks += 1;
        stage.written
    }

    fn flush(&mut self) {
        let mut stage = self.stage.0.borrow_mut();
        stage.written = stage.written.max(stage.flushed);
    }
}

fn millis(number: u64) -> Time {
    Time::from_nanos(number * 1_000_000)
}

fn span(number: u64) -> Span {
    Span::from_nanos(number * 1_000_000)
}

fn drive(text: &str, after: Option<Span>, stage: Stage) -> (Vec<(Time, Time)>, Measure, Ended) {
    drive_shown(text, after, stage, &mut |_| ())
}

fn drive_shown(
    text: &str,
    after: Option<Span>,
    stage: Stage,
    show: &mut dyn FnMut(LoadProgress),
) -> (Vec<(Time, Time)>, Measure, Ended) {
    drive_watched(text, after, stage, show, |_| false)
}

/// Whether to stop is asked with the instant.
fn drive_watched(
    text: &str,
    after: Option<Span>,
    stage: Stage,
    show: &mut dyn FnMut(LoadProgress),
    stop: impl Fn(Time) -> bool,
) -> (Vec<(Time, Time)>, Measure, Ended) {
    drive_until(text, after, stage, show, (&stop, &|_| false))
}

/// Whether to stop, and whether there is enough, is asked with the instant.
fn drive_until(
    text: &str,
    after: Option<Span>,
    stage: Stage,
    show: &mut dyn FnMut(LoadProgress),
    (stop, enough): (&dyn Fn(Time) -> bool, &dyn Fn(Time) -> bool),
) -> (Vec<(Time, Time)>, Measure, Ended) {
    let read = spec::read(text).expect("a spec");
    let model = spec::lower(&read).expect("a model").model;
    let stage_down = stage.down;
    let shared = Shared(Rc::new(RefCell::new(stage)));
    let echo = Echo {
        stage: shared.clone(),
        after,
        down: stage_down,
    };
    let measure = Measure::new(&model);
    let driver = Driver::new(
        Epoch::FIRST,
        &model,
        echo,
        shared.clone(),
        measure,
        Arc::default(),
    );
    let mut shown = |reached: LoadProgress, _: &mut Measure| show(reached);
    let watch = LoadWatch {
        stop: &|| stop(shared.now()),
        enough: &|| enough(shared.now()),
        show: &mut shown,
    };
    let (_, mut measure, ended) = driver.run(watch);
    measure.finish(ended.intended).expect("the books balance");
    let sent = std::mem::take(&mut shared.0.borrow_mut().sent);
    (sent, measure, ended)
}

fn text(run: &str, client: &str) -> String {
    format!(
        "{{blis: 1, name: t, run: {run}, clients: {{c: {client}}},\n \
         actions: {{a: {{path: [{{visit: s}}, reply]}}}}, services: {{s: {{workers: 1, time: 1ms}}}}}}"
    )
}

#[test]
fn open_arrivals_are_sent_on_the_schedule_whether_answered_or_not() {
    for after in [Some(span(5)), Some(span(5000)), None] {
        let spec = text(
            "{horizon: 1s, drain: 10s}",
            "{rate: 100/s, arrival: constant, do: a}",
        );
        let (sent, _, ended) = drive(&spec, after, Stage::default());
        assert_eq!(sent.len(), 100);
        for (number, (at, intended)) in (1..).zip(&sent) {
            assert_eq!((*at, *intended), (millis(10 * number), millis(10 * number)));
        }
        assert_eq!(ended.by, LoadEnd::Horizon);
    }
}

#[test]
fn a_driver_that_is_late_lags_and_keeps_the_schedule() {
    let busy = Stage {
        busy: span(25),
        ..Stage::default()
    };
    let spec = text(
        "{horizon: 100ms, drain: 10s}",
        "{rate: 100/s, arrival: constant, do: a}",
    );
    let (sent, measure, _) = drive(&spec, Some(span(1)), busy);
    assert_eq!(sent.len(), 10);
    for (number, (at, intended)) in (0..).zip(&sent) {
        assert_eq!(*intended, millis(10 * (number + 1)));
        assert_eq!(*at, millis(10 + 25 * number));
    }
    let total = measure.total();
    let lag = total.window.latencies.lag().max().expect("lag");
    assert_eq!(lag, span(15 * 9));
    assert_eq!(
        total.window.latencies.response().max(),
        Some(span(15 * 9 + 1))
    );
}

#[test]
fn closed_users_come_at_completion_and_think_time() {
    let spec = text("{requests: 5}", "{concurrency: 1, think: 100ms, do: a}");
    let (sent, _, ended) = drive(&spec, Some(span(7)), Stage::default());
    let at: Vec<Time> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [0, 107, 214, 321, 428].map(millis));
    assert_eq!(
        (ended.by, ended.intended, ended.at),
        (LoadEnd::Budget, 5, millis(435))
    );
}

#[test]
fn a_timeout_is_at_its_deadline_and_a_reply_before_it_counts() {
    // The driver is held up from 0 to 200 ms; the first reply came at 40, the second never.
    let held_up = Stage {
        busy: span(100),
        ..Stage::default()
    };
    let spec = text("{requests: 2}", "{concurrency: 2, do: a, timeout: 50ms}");
    let (_, measure, ended) = drive(&spec, Some(span(40)), held_up);
    let total = measure.total();
    let requests = total.window.requests;
    assert_eq!(requests.ended(Outcome::Ok), 2);
    assert_eq!(total.window.latencies.service().max(), Some(span(40)));
    assert_eq!(ended.intended, 2);
    let silent = text("{requests: 2}", "{concurrency: 2, do: a, timeout: 50ms}");
    let (_, measure, ended) = drive(
        &silent,
        None,
        Stage {
            busy: span(100),
            ..Stage::default()
        },
    );
    let total = measure.total();
    assert_eq!(total.window.requests.ended(Outcome::TimedOut), 2);
    assert_eq!(total.window.latencies.service().max(), Some(span(50)));
    assert_eq!(ended.by, LoadEnd::Budget);
}

#[test]
fn what_was_sent_to_a_refused_subject_ends_there() {
    for (subject, failed) in [(DENIED, 1), (DENIED + 1, 0)] {
        let mut stage = Stage::default();
        stage.coming.push_back((
            millis(30),
            Incoming::Denied {
                connection: 0,
                subject,
                at: millis(30),
            },
        ));
        let spec = text(
            "{horizon: 100ms, drain: 0s}",
            "{rate: 50/s, arrival: constant, do: a}",
        );
        let (sent, measure, ended) = drive(&spec, None, stage);
        assert_eq!(sent.len(), 5);
        let requests = measure.total().window.requests;
        assert_eq!(requests.ended(Outcome::TransportError), failed);
        assert_eq!(ended.reasons.of(Reason::PermissionDenied), failed);
        assert_eq!(requests.ended(Outcome::Unresolved), 5 - failed);
        assert!(!ended.lost);
    }
}

#[test]
fn what_was_in_flight_on_a_lost_connection_ends_there() {
    let mut stage = Stage::default();
    stage.coming.push_back((
        millis(30),
        Incoming::Lost {
            connection: 0,
            at: millis(30),
        },
    ));
    stage
        .coming
        .push_back((millis(90), Incoming::Restored { connection: 0 }));
    let spec = text(
        "{horizon: 100ms, drain: 0s}",
        "{rate: 50/s, arrival: constant, do: a}",
    );
    let (sent, measure, ended) = drive(&spec, None, stage);
    assert_eq!(sent.len(), 5);
    let requests = measure.total().window.requests;
    assert_eq!(requests.ended(Outcome::TransportError), 1);
    assert_eq!(requests.ended(Outcome::Unresolved), 4);
    assert!(!ended.lost);
    assert_eq!(ended.reasons.of(Reason::LostWithConnection), 1);
    assert_eq!(ended.reasons.of_outcome(Outcome::TransportError), 1);
    let mut stage = Stage::default();
    stage.coming.push_back((
        millis(30),
        Incoming::Lost {
            connection: 0,
            at: millis(30),
        },
    ));
    let spec = text(
        "{horizon: 100s}",
        "{rate: 50/s, arrival: constant, do: a, timeout: 1s}",
    );
    let (_, _, ended) = drive(&spec, None, stage);
    assert!(ended.lost);
    assert!(ended.at < millis(10_200), "{:?}", ended.at);
}

/// Ten arrivals in 100 ms, each answered after 25 ms, with a limit of two requests in flight.
fn limited(policy: &str) -> (Vec<(Time, Time)>, Measure, Ended) {
    let spec = text(
        "{horizon: 100ms, drain: 10s}",
        "{rate: 100/s, arrival: constant, do: a}",
    );
    let limit = format!("max_in_flight: {{limit: 2, policy: {policy}}}}}");
    let spec = spec.strip_suffix('}').expect("a mapping").to_owned() + ", " + &limit;
    drive(&spec, Some(span(25)), Stage::default())
}

#[test]
fn a_limit_that_drops_counts_what_it_does_not_send() {
    let (sent, measure, ended) = limited("drop");
    // At 10 and 20 there is room; at 30 there is none; from 35 on one after another.
    let at: Vec<Time> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [10, 20, 40, 50, 70, 80, 100].map(millis));
    assert!(sent.iter().all(|(at, intended)| at == intended));
    let requests = measure.total().window.requests;
    assert_eq!(requests.intended, 10);
    assert_eq!(requests.ended(Outcome::Dropped), 3);
    assert_eq!(ended.reasons.of(Reason::OverInFlightLimit), 3);
}

#[test]
fn a_limit_that_delays_shows_as_lag_and_keeps_the_schedule() {
    let (sent, measure, ended) = limited("delay");
    let at: Vec<Time> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [10, 20, 35, 45, 60, 70, 85, 95, 110, 120].map(millis));
    for (number, (_, intended)) in (1..).zip(&sent) {
        assert_eq!(*intended, millis(10 * number));
    }
    let total = measure.total();
    assert_eq!(total.window.requests.ended(Outcome::Ok), 10);
    let lag = total.window.latencies.lag().max();
    assert_eq!(lag, Some(span(20)));
    // The limit held them back, not the driver.
    assert_eq!(ended.own_lag.max(), Some(Span::ZERO));
    assert_eq!(ended.reasons, Reasons::default());
}

#[test]
fn what_a_limit_delays_for_ever_is_dropped_after_the_drain() {
    let spec = text(
        "{horizon: 100ms, drain: 1s}",
        "{rate: 100/s, arrival: constant, do: a}",
    );
    let limit = "max_in_flight: {limit: 2, policy: delay}}";
    let spec = spec.strip_suffix('}').expect("a mapping").to_owned() + ", " + limit;
    let (sent, measure, ended) = drive(&spec, None, Stage::default());
    assert_eq!(sent.len(), 2);
    let requests = measure.total().window.requests;
    assert_eq!(requests.ended(Outcome::Unresolved), 2);
    assert_eq!(requests.ended(Outcome::Dropped), 8);
    assert_eq!(ended.at, millis(1100));
    // The limit kept them from being sent, not the driver.
    assert_eq!(ended.own_lag.max(), Some(Span::ZERO));
}

#[test]
fn a_driver_that_is_late_knows_that_it_is() {
    let busy = Stage {
        busy: span(25),
        ..Stage::default()
    };
    let spec = text(
        "{horizon: 100ms, drain: 10s}",
        "{rate: 100/s, arrival: constant, do: a}",
    );
    let (_, measure, ended) = drive(&spec, Some(span(1)), busy);
    let lag = measure.total().window.latencies.lag();
    assert_eq!(ended.own_lag.max(), lag.max());
    assert_eq!(ended.own_lag.sum_nanos(), lag.sum_nanos());
}

#[test]
fn what_was_sent_after_a_loss_does_not_end_before_it_was_sent() {
    let lost = Incoming::Lost {
        connection: 0,
        at: millis(5),
    };
    let stage = Stage {
        busy: span(10),
        coming: VecDeque::from([(millis(5), lost)]),
        ..Stage::default()
    };
    let spec = text("{requests: 2}", "{concurrency: 2, do: a}");
    let (sent, measure, _) = drive(&spec, None, stage);
    assert_eq!(sent, [(millis(0), millis(0)), (millis(10), millis(0))]);
    let requests = measure.total().window.requests;
    assert_eq!(requests.ended(Outcome::TransportError), 2);
}

#[test]
fn users_without_a_connection_try_a_few_times_a_second() {
    let stage = Stage {
        down: true,
        ..Stage::default()
    };
    let spec = text(
        "{horizon: 1s, drain: 1s}",
        "{concurrency: 2, do: a, on_failure: {respawn: true}}",
    );
    let (sent, measure, ended) = drive(&spec, None, stage);
    assert_eq!(sent.len(), 0);
    let requests = measure.total().window.requests;
    // At 0, 100, 200, ... 1000 ms.
    assert_eq!(requests.intended, 22);
    assert_eq!(requests.ended(Outcome::TransportError), 22);
    assert_eq!(ended.reasons.of(Reason::ConnectionDown), 22);
    assert_eq!(ended.at, millis(1100));
}

#[test]
fn a_reply_after_its_deadline_is_late_also_when_it_is_seen_first() {
    // Busy until 100 ms, by when the deadline of 50 ms and the reply of 60 ms have both passed.
    let busy = Stage {
        busy: span(100),
        ..Stage::default()
    };
    let spec = text("{requests: 1}", "{concurrency: 1, do: a, timeout: 50ms}");
    let (_, measure, _) = drive(&spec, Some(span(60)), busy);
    let requests = measure.total().window.requests;
    assert_eq!(requests.ended(Outcome::TimedOut), 1);
    assert_eq!(measure.late_replies(), 1);
}

#[test]
fn what_is_due_after_the_load_is_no_lag() {
    // One answer of three never comes, and the others' users are due again while it is waited for.
    let spec = text(
        "{requests: 3, drain: 500ms}",
        "{concurrency: 3, think: 40ms, do: a}",
    );
    let (_, _, ended) = drive(&spec, None, Stage::default());
    assert_eq!(ended.own_lag.max(), Some(Span::ZERO));
    assert_eq!(ended.own_lag.count(), 3);
}

#[test]
fn an_action_without_responders_is_warned_of_within_a_second() {
    let spec = text("{horizon: 5s}", "{rate: 2/s, arrival: constant, do: a}");
    let live = spec.replace("reply]", "reply], live: {request: demo.ask}");
    assert_ne!(spec, live);
    let model = spec::lower(&spec::read(&live).expect("a spec")).expect("a model");
    let responders = crate::wire::responders::Responders::new(&model.model);
    let mut silence = crate::wire::responders::Silence::new(&model.model);
    let mut warned = Vec::new();
    let mut told = 0;
    drive_shown(&spec, Some(span(1)), Stage::default(), &mut |reached| {
        for _ in told..reached.intended {
            let nobody = Err(crate::wire::reason::Reason::NoResponders);
            responders.heard(blis_sim::model::ActionId(0), nobody);
        }
        told = reached.intended;
        let warnings = silence.look(&responders);
        warned.extend(warnings.into_iter().map(|warning| (reached.now, warning)));
    });
    let [(at, warning)] = warned.as_slice() else {
        panic!("{warned:?}");
    };
    // The first request is at 500 ms.
    assert!(*at >= millis(500) && *at <= millis(700), "{at:?}");
    assert!(warning.contains("demo.ask"), "{warning}");
}

/// Requests intended, ended, and in flight at the end, by interval.
fn course(measure: &Measure) -> Vec<(u64, u64, u64)> {
    let mut in_flight = 0;
    let rows = measure.series().rows().iter();
    rows.map(|row| {
        let (intended, ended) = (row.requests.intended, row.requests.ended_total());
        in_flight = in_flight + intended - ended;
        (intended, ended, in_flight)
    })
    .collect()
}

#[test]
fn a_generator_that_stood_still_shows_in_the_intervals_it_stood_still_in() {
    // A request every 100 ms, answered after 1 ms; the sending of the one of 1 s takes until 3 s.
    let spec = text(
        "{horizon: 6s, drain: 1s}",
        "{rate: 10/s, arrival: constant, do: a}",
    );
    let stood_still = Stage {
        stall: Some((millis(1000), Span::from_secs(2))),
        ..Stage::default()
    };
    let (sent, measure, _) = drive(&spec, Some(span(1)), stood_still);
    assert_eq!(sent[9], (millis(1000), millis(1000)));
    assert_eq!(sent[10], (millis(3000), millis(1100)));
    assert_eq!(measure.series().width(), span(100));
    let rows = course(&measure);
    // An interval has the request of its first instant. The last one is a sliver of 1 ms, and part of the one before.
    assert_eq!(rows.len(), 60);
    assert!((1..59).all(|row| rows[row].0 == 1), "{rows:?}");
    // The answers stop where the generator does, and what it should have sent piles up. The answer of the request that
    // it was sending when it stopped came while it stood still, and counts where it came.
    let piled_up: Vec<(u64, u64)> = rows[9..34].iter().map(|row| (row.1, row.2)).collect();
    let mut expected = vec![(1, 0), (1, 0)];
    expected.extend((1..=19).map(|waiting| (0, waiting)));
    expected.push((20, 0));
    expected.extend([(1, 0); 3]);
    assert_eq!(piled_up, expected);
}

#[test]
fn what_a_limit_holds_back_is_in_flight_since_it_was_intended() {
    let (_, measure, _) = limited("delay");
    // Rows of 2 ms: intended at 10, 20, ..., of which no more than two are with the backend.
    assert_eq!(measure.series().width(), span(2));
    let rows = course(&measure);
    for (row, (intended, ..)) in rows.iter().enumerate() {
        assert_eq!(
            *intended,
            u64::from(row % 5 == 0 && (5..=50).contains(&row)),
            "{row}"
        );
    }
    let most = rows.iter().map(|(.., in_flight)| *in_flight).max();
    assert_eq!(most, Some(4));
}

/// One request that may take 50 ms, to which replies come at these instants.
fn replied_at(run: &str, replies: &[u64]) -> (Measure, Ended) {
    stopped_at(Time::NEVER, run, replies)
}

/// The same, where a stop is asked for from an instant on.
fn stopped_at(stop: Time, run: &str, replies: &[u64]) -> (Measure, Ended) {
    let mut stage = Stage::default();
    for at in replies.iter().copied().map(millis) {
        let (flight, ending) = (FlightId::from_bits(0), Ok(()));
        let done = Incoming::Done {
            flight,
            epoch: Epoch::FIRST,
            ending,
            reply: Reply::default(),
            at,
        };
        stage.coming.push_back((at, done));
    }
    let spec = text(run, "{concurrency: 1, do: a, timeout: 50ms}");
    let (_, measure, ended) = drive_watched(&spec, None, stage, &mut |_| (), |now| now >= stop);
    (measure, ended)
}

#[test]
fn late_and_duplicate_replies_are_two_counts() {
    let cases: [(&[u64], u64, u64); 5] = [
        (&[20], 0, 0),
        (&[20, 30], 0, 1),
        (&[60], 1, 0),
        (&[60, 70], 1, 1),
        (&[60, 70, 80], 1, 2),
    ];
    for (replies, late, duplicates) in cases {
        // A second request follows, and is never answered, so that the run goes on.
        let (measure, _) = replied_at("{requests: 2, drain: 1s}", replies);
        let counts = (measure.late_replies(), measure.duplicate_replies());
        assert_eq!(counts, (late, duplicates), "{replies:?}");
    }
}

#[test]
fn a_late_reply_is_waited_for_until_the_drain_is_over() {
    // The only request has timed out at 50 ms, and nothing else is to come.
    let (measure, ended) = replied_at("{requests: 1, drain: 1s}", &[400]);
    assert_eq!((measure.late_replies(), ended.at), (1, millis(400)));
    let (measure, ended) = replied_at("{requests: 1, drain: 1s}", &[1400]);
    assert_eq!((measure.late_replies(), ended.at), (0, millis(1000)));
    // One that was answered is not waited for.
    let (_, ended) = replied_at("{requests: 1, drain: 1s}", &[20]);
    assert_eq!(ended.at, millis(20));
}

#[test]
fn who_stops_a_run_during_its_drain_waits_for_what_is_in_flight_alone() {
    let run = "{requests: 1, drain: 1s}";
    // The driver looks around at 200 ms.
    let (measure, ended) = stopped_at(millis(150), run, &[400]);
    assert_eq!((measure.late_replies(), ended.at), (0, millis(200)));
    assert_eq!(ended.by, LoadEnd::Budget);
    // A request that is in flight then still has its drain.
    let (_, measure, ended) = drive_watched(
        &text(run, "{concurrency: 1, do: a, timeout: 10s}"),
        Some(span(400)),
        Stage::default(),
        &mut |_| (),
        |now| now >= millis(150),
    );
    let requests = measure.total().requests();
    assert_eq!((requests.ended(Outcome::Ok), ended.at), (1, millis(400)));
}

#[test]
fn a_reply_that_ends_no_request_counts_for_no_reason() {
    let mut stage = Stage::default();
    for at in [20, 30].map(millis) {
        let flight = FlightId::from_bits(0);
        let ending = Err(Reason::ServiceError);
        stage.coming.push_back((
            at,
            Incoming::Done {
                flight,
                epoch: Epoch::FIRST,
                ending,
                reply: Reply::default(),
                at,
            },
        ));
    }
    let (_, measure, ended) = drive(
        &text("{requests: 2, drain: 1s}", "{concurrency: 1, do: a}"),
        None,
        stage,
    );
    let requests = measure.total().requests();
    assert_eq!(requests.ended(Outcome::AppError), 1);
    assert_eq!(ended.reasons.of(Reason::ServiceError), 1);
    assert_eq!(measure.duplicate_replies(), 1);
}

#[test]
fn a_run_that_nobody_answers_does_not_wait_through_its_drain() {
    let client = "{rate: 100/s, arrival: constant, do: a, timeout: 50ms}";
    let spec = text("{horizon: 1s, drain: 30s}", client);
    let (_, _, ended) = drive(&spec, None, Stage::default());
    // The last request was sent at 1 s and timed out 50 ms later.
    assert_eq!(ended.at, millis(1050) + SILENCE);
    let spec = text("{horizon: 1s, drain: 2s}", client);
    assert_eq!(drive(&spec, None, Stage::default()).2.at, millis(3000));
    // Where one reply has come, others may.
    let (at, flight) = (millis(500), FlightId::from_bits(0));
    let reply = Incoming::Done {
        epoch: Epoch::FIRST,
        flight,
        ending: Ok(()),
        reply: Reply::default(),
        at,
    };
    let stage = Stage {
        coming: VecDeque::from([(at, reply)]),
        ..Stage::default()
    };
    let spec = text("{horizon: 1s, drain: 30s}", client);
    assert_eq!(drive(&spec, None, stage).2.at, millis(31_000));
}

#[test]
fn what_comes_for_an_earlier_load_ends_no_request_of_this_one() {
    let mut stage = Stage::default();
    let (flight, ending) = (FlightId::from_bits(0), Ok(()));
    for (at, epoch) in [(20, Epoch::of(3)), (30, Epoch::FIRST)] {
        let at = millis(at);
        let done = Incoming::Done {
            flight,
            epoch,
            ending,
            reply: Reply::default(),
            at,
        };
        stage.coming.push_back((at, done));
    }
    let spec = text(
        "{requests: 1, drain: 1s}",
        "{concurrency: 1, do: a, timeout: 50ms}",
    );
    let (_, measure, ended) = drive(&spec, None, stage);
    assert_eq!(ended.late_of_earlier, 1);
    let total = measure.total();
    assert_eq!(total.requests().ended(Outcome::Ok), 1);
    assert_eq!(total.window.latencies.service().max(), Some(span(30)));
    assert_eq!(
        (measure.late_replies(), measure.duplicate_replies()),
        (0, 0)
    );
}

/// Arrivals of 100 a second for 100 ms, of which one at a time may be in flight and is answered after `after`.
fn one_at_a_time(
    drain: &str,
    after: Option<Span>,
    stop: impl Fn(Time) -> bool,
) -> (Vec<(Time, Time)>, Measure, Ended) {
    let spec = text(
        &format!("{{horizon: 100ms, drain: {drain}}}"),
        "{rate: 100/s, arrival: constant, do: a, max_in_flight: {limit: 1, policy: delay}}",
    );
    drive_watched(&spec, after, Stage::default(), &mut |_| (), stop)
}

#[test]
fn who_stops_a_run_in_its_drain_sends_nothing_that_waits_for_room() {
    // The load is over at 100 ms, by when two of ten were sent; the driver looks around at 200 ms and 300 ms.
    let stop = |now| now >= millis(150);
    let (sent, measure, ended) = one_at_a_time("10s", Some(span(60)), stop);
    let at: Vec<Time> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [10, 70, 130, 190].map(millis));
    assert_eq!(ended.by, LoadEnd::Interrupted);
    // What waited is not intended; what was in flight has its answer.
    let requests = measure.total().requests();
    assert_eq!((requests.intended, requests.ended(Outcome::Ok)), (4, 4));
    assert_eq!(ended.at, millis(250));
}

#[test]
fn a_driver_that_is_late_drops_what_waits_for_room_at_the_cut_off() {
    // The second request is sent at 110 ms, when the first one has timed out. The sending takes until 350 ms, by when
    // the drain has been over since 200 ms.
    let spec = text(
        "{horizon: 100ms, drain: 100ms}",
        "{rate: 100/s, arrival: constant, do: a, timeout: 100ms, max_in_flight: {limit: 1, policy: delay}}",
    );
    let stage = Stage {
        stall: Some((millis(110), span(240))),
        ..Stage::default()
    };
    let (sent, measure, ended) = drive(&spec, None, stage);
    assert_eq!(sent.len(), 2);
    let requests = measure.total().requests();
    assert_eq!(requests.ended(Outcome::TimedOut), 1);
    assert_eq!(requests.ended(Outcome::Unresolved), 1);
    assert_eq!(requests.ended(Outcome::Dropped), 8);
    assert_eq!(ended.at, millis(200));
}

#[test]
fn a_crowd_that_waits_for_room_is_sent_as_soon_as_there_is_some() {
    // 300 requests are due while 300 are in flight, all of which are answered at one instant.
    let spec = text(
        "{horizon: 600ms, drain: 10s}",
        "{rate: 1000/s, arrival: constant, do: a, max_in_flight: {limit: 300, policy: delay}}",
    );
    let mut stage = Stage::default();
    for slot in 0..300 {
        let (flight, at) = (FlightId::from_bits((slot << 32) | slot), millis(600));
        let done = Incoming::Done {
            flight,
            epoch: Epoch::FIRST,
            ending: Ok(()),
            reply: Reply::default(),
            at,
        };
        stage.coming.push_back((at, done));
    }
    let (sent, _, ended) = drive(&spec, None, stage);
    assert_eq!(sent.len(), 600);
    assert!(sent[300..].iter().all(|(at, _)| *at == millis(600)));
    assert_eq!(ended.own_lag.max(), Some(Span::ZERO));
}

#[test]
fn a_connection_that_is_down_from_the_start_ends_the_run_in_time() {
    let read = spec::read(&text("{horizon: 100s}", "{rate: 50/s, do: a, timeout: 1s}"));
    let model = spec::lower(&read.expect("a spec")).expect("a model").model;
    let shared = Shared::default();
    let echo = Echo {
        stage: shared.clone(),
        after: None,
        down: true,
    };
    let (measure, gauges) = (Measure::new(&model), Arc::default());
    let driver = Driver::new(Epoch::FIRST, &model, echo, shared, measure, gauges);
    let watch = LoadWatch {
        stop: &|| false,
        enough: &|| false,
        show: &mut |_, _: &mut Measure| (),
    };
    let (_, _, ended) = driver.without([0]).run(watch);
    assert!(ended.lost);
    assert!(ended.at < millis(10_200), "{:?}", ended.at);
}

#[test]
fn a_load_that_is_decided_ends_there_and_what_it_has_sent_is_waited_for() {
    let at_300 = |now| now >= millis(300);
    let ask = "{rate: 100/s, arrival: constant, do: a, timeout: 1s}";
    let run = "{horizon: 10s, drain: 5s}";
    let driven = |after, stop: &dyn Fn(Time) -> bool| {
        let stage = Stage::default();
        drive_until(&text(run, ask), after, stage, &mut |_| (), (stop, &at_300))
    };
    let (_, measure, ended) = driven(Some(span(400)), &|_| false);
    assert_eq!((ended.by, ended.owed), (LoadEnd::Decided, 0));
    let requests = measure.total().requests();
    assert_eq!((requests.intended, requests.ended(Outcome::Ok)), (30, 30));
    assert_eq!(ended.at, millis(700));
    // Replies that come late are waited for too, as after a horizon.
    let (_, measure, ended) = driven(Some(span(1_400)), &|_| false);
    assert_eq!((measure.late_replies(), ended.owed), (30, 0));
    assert_eq!(ended.at, millis(1_700));
    // Nobody answers: what may still be worked on is told.
    let (_, _, ended) = driven(None, &|_| false);
    assert_eq!(ended.owed, 30);
    // Whoever wants the run to end says so, whatever is decided.
    let (_, _, ended) = driven(Some(span(400)), &at_300);
    assert_eq!(ended.by, LoadEnd::Interrupted);
}

#[test]
fn what_waits_for_room_when_a_load_is_decided_is_never_sent() {
    let spec = text(
        "{horizon: 10s, drain: 10s}",
        "{rate: 100/s, arrival: constant, do: a, max_in_flight: {limit: 1, policy: delay}}",
    );
    let asked: (&dyn Fn(Time) -> bool, &dyn Fn(Time) -> bool) =
        (&|_| false, &|now| now >= millis(250));
    let stage = Stage::default();
    let (sent, measure, ended) = drive_until(&spec, Some(span(60)), stage, &mut |_| (), asked);
    // One at 10 ms and one every 60 ms from then on; it is looked every 100 ms.
    assert_eq!((ended.by, sent.len()), (LoadEnd::Decided, 5));
    let requests = measure.total().requests();
    assert_eq!((requests.intended, requests.ended(Outcome::Ok)), (5, 5));
    assert_eq!(ended.at, millis(10 + 5 * 60));
}
