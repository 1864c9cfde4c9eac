//! Trials over one session: what one leaves does not count in the next.

use std::cell::RefCell;

use blis_live::observers::Wanted;
use blis_live::run::session::Session;
use blis_live::run::trials::{Beside, Pace, Trials, Tried};
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_sim::engine::LoadEnd;
use blis_sim::event::Outcome;
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::replication::seed_of;
use blis_sim::search::Judged;
use blis_sim::time::Span;
use blis_sim::verdict::Status;

use crate::responder::Responder;
use crate::server::Server;
use crate::wire::Wire;

fn model(text: &str) -> Model {
    let read = blis_sim::spec::read(text).expect("it reads");
    blis_sim::spec::lower(&read).expect("it lowers").model
}

const PACE: Pace = Pace {
    warmup: span(100),
    hold: span(400),
    cooldown: span(10),
};

const fn span(millis: u64) -> Span {
    Span::from_nanos(millis * 1_000_000)
}

fn trials(server: &Server, model: &Model, streams: &[String]) -> Trials {
    let target = check(&server.url(), false, &Permission::default()).expect("loopback");
    let wanted = Wanted {
        streams,
        monitor: None,
    };
    let access = Access::default();
    let session = Session::open(model, &target, &access, &wanted, &|_| ()).expect("it opens");
    Trials::new(session, 0)
}

/// A trial, with what was warned of.
fn tried(
    trials: &mut Trials,
    model: &Model,
    decided: &mut dyn FnMut(u64, u32) -> bool,
) -> (Tried<Option<Measure>, blis_sim::model::Path>, Vec<String>) {
    let warnings = RefCell::new(Vec::new());
    let beside = Beside {
        stop: &|| false,
        show: &mut |_, _| (),
        decided: &mut |so_far| {
            assert!(so_far.to_come < 1_000);
            decided(
                so_far.measure.total().window.requests.ended_total(),
                so_far.look,
            )
        },
        warn: &|warning| warnings.borrow_mut().push(warning.to_owned()),
    };
    let tried = trials
        .at(PACE)
        .run(model, None::<Measure>, beside)
        .expect("it runs");
    (tried, warnings.into_inner())
}

fn trip() -> Judged {
    Judged {
        status: Status::Trip,
        reasons: vec!["It was slow.".to_owned()],
        more_needed: None,
        generator_limits: Vec::new(),
        shares: Vec::new(),
    }
}

/// Answers everything that comes on `work`, with what it was asked.
fn responder(server: &Server) {
    let mut wire = Wire::connect(server.port);
    wire.subscribe("work.*");
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            let payload = message.payload.clone();
            wire.publish_with(&message.reply, &[], &payload);
        }
    });
}

const ASKS: &str = "{blis: 1, name: trials, seed: 7, run: {requests: 3, horizon: 1h, warmup: 30m, drain: 1s}, clients: {users: \
     {rate: 200/s, arrival: constant, do: ask}}, actions: {ask: {path: [reply], live: {request: \"work.{key}\"}}}, variables: \
     {key: {from: 0, to: 1000000}}}";

#[test]
fn trials_have_their_own_length_random_numbers_and_epochs() {
    let server = Server::start("");
    responder(&server);
    let mut wire = Wire::connect(server.port);
    wire.subscribe("work.*");
    let model = model(ASKS);
    assert_eq!(PACE.of_trial(&model, 3).seed, seed_of(7, 3));
    let mut trials = trials(&server, &model, &[]);
    let mut keys = Vec::new();
    for number in 0..2 {
        let (tried, warnings) = tried(&mut trials, &model, &mut |_, _| false);
        assert_eq!(warnings, Vec::<String>::new());
        let ran = &tried.ran;
        assert_eq!(
            (ran.epoch.number(), ran.ended_by),
            (number, LoadEnd::Horizon)
        );
        // One at 5 ms, one at 10 ms and so on, up to the end at 500 ms; those before 100 ms are not in the window.
        let total = ran.measure.total();
        assert_eq!((ran.intended, total.window.requests.intended), (100, 81));
        assert_eq!(
            ran.measure.warmup(),
            blis_sim::time::Time::ZERO + PACE.warmup
        );
        assert_eq!(total.requests().ended_total(), 100);
        let of_it = (0..100).map(|_| wire.next().expect("a request").subject);
        keys.push(of_it.collect::<Vec<String>>());
        // Whatever it came to, it can trip: nothing was left before it.
        assert_eq!(tried.judged(200.0, trip()).judged, trip());
    }
    assert_eq!(trials.number(), 2);
    let both = keys[0].iter().filter(|key| keys[1].contains(key)).count();
    assert!(
        both < 10,
        "{both} keys of the first trial are those of the second"
    );
    trials.close();
}

#[test]
fn a_trial_that_is_decided_ends_early_and_is_no_interrupted_one() {
    let server = Server::start("");
    responder(&server);
    let text = ASKS.replace("200/s", "1000/s");
    let model = model(&text);
    let mut trials = trials(&server, &model, &[]);
    let mut looks = Vec::new();
    let (tried, _) = tried(&mut trials, &model, &mut |ended, look| {
        looks.push((ended, look));
        true
    });
    trials.close();
    assert_eq!(tried.ran.ended_by, LoadEnd::Decided);
    assert!(tried.ran.intended < 500, "{}", tried.ran.intended);
    assert!(looks[0].0 >= 100 && looks[0].1 == 1, "{looks:?}");
    let requests = tried.ran.measure.total().requests();
    assert_eq!(requests.ended(Outcome::Unresolved), 0);
    assert_eq!(requests.intended, requests.ended(Outcome::Ok));
}

const PUBLISHES: &str = "{blis: 1, name: trials, run: {horizon: 1h, drain: 1s}, clients: {users: {rate: 200/s, arrival: \
     constant, do: ask}}, actions: {ask: {path: [reply], live: {jetstream: orders.new}}}}";

/// A stream, with a consumer that nobody takes from unless told.
fn stream(server: &Server) -> Wire {
    let mut wire = Wire::connect(server.port);
    wire.create_stream("ORDERS", "orders.>");
    wire.create_consumer("ORDERS", "worker");
    wire
}

#[test]
fn a_backlog_that_nobody_works_on_is_waited_for_once_and_told() {
    let server = Server::start("");
    let _wire = stream(&server);
    let model = model(PUBLISHES);
    let mut trials = trials(&server, &model, &[]);
    let (_, warnings) = tried(&mut trials, &model, &mut |_, _| false);
    let said = "the backlog of consumer ORDERS/worker is 100 messages above its level before the trial and does not shrink";
    assert!(warnings[0].starts_with(said), "{warnings:?}");
    let (second, warnings) = tried(&mut trials, &model, &mut |_, _| false);
    assert_eq!((warnings.len(), second.disturbed_by.len()), (0, 0));
    trials.close();
}

#[test]
fn a_trial_after_a_backlog_that_is_still_worked_on_cannot_trip() {
    let server = Server::start("");
    let mut wire = stream(&server);
    let model = model(PUBLISHES);
    let mut trials = trials(&server, &model, &[]);
    // One message is taken and acknowledged whenever the observers look: fewer than come.
    wire.subscribe("_INBOX.>");
    wire.subscribe("taken");
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            let payload = String::from_utf8_lossy(&message.payload);
            if message.reply.starts_with("$JS.ACK.") {
                wire.publish_with(&message.reply, &[], b"+ACK");
            } else if payload.contains("consumer_list_response") {
                wire.publish_to("$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker", "taken");
            }
        }
    });
    let (first, warnings) = tried(&mut trials, &model, &mut |_, _| false);
    assert!(first.disturbed_by.is_empty());
    assert!(
        warnings[0].contains("the backlog of consumer ORDERS/worker"),
        "{warnings:?}"
    );
    let (second, _) = tried(&mut trials, &model, &mut |_, _| false);
    let judged = second.judged(200.0, trip()).judged;
    assert_eq!(judged.status, Status::Inconclusive);
    assert!(
        judged.reasons[1].contains("raise `run.drain`"),
        "{judged:?}"
    );
    let pass = Judged {
        status: Status::Pass,
        ..trip()
    };
    assert_eq!(second.judged(200.0, pass.clone()).judged, pass);
    trials.close();
}

#[test]
fn a_trial_after_requests_that_are_still_answered_cannot_trip() {
    let server = Server::start("");
    let time = std::time::Duration::from_millis(20);
    let _service = Responder::start(&server, "work.*", 1, time);
    // Fifty a second are answered, of two hundred: a hundred replies in half a second, and a second to go after the drain.
    let model = model(&ASKS.replace("drain: 1s", "drain: 500ms"));
    let mut trials = trials(&server, &model, &[]);
    let (first, warnings) = tried(&mut trials, &model, &mut |_, _| false);
    assert!(first.observed.ended.owed > 0);
    assert!(
        warnings[0].contains("replies of the trial before were outstanding"),
        "{warnings:?}"
    );
    let (second, _) = tried(&mut trials, &model, &mut |_, _| false);
    trials.close();
    assert_eq!(
        second.judged(200.0, trip()).judged.status,
        Status::Inconclusive
    );
    // Nothing of it counts in the second: what came of it there is known as such.
    assert!(second.ran.late_of_earlier > 0);
    let requests = second.ran.measure.total().requests();
    assert_eq!(requests.intended, requests.ended_total());
}
