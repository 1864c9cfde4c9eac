//! Several loads over the connections of one session, and the seam that they share with the simulated world.

use std::sync::{Arc, Mutex};

use blis_live::generator::driver::LoadWatch;
use blis_live::observers::Wanted;
use blis_live::run::failure::RunFailure;
use blis_live::run::failure::Unlike;
use blis_live::run::session::Session;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check, check_monitor};
use blis_sim::engine::LoadEnd;
use blis_sim::event::{Event, FlightId, Outcome, Request, Sink as _};
use blis_sim::measure::{Imbalance, Measure};
use blis_sim::model::{ActionId, ClientId, Model};
use blis_sim::runner::{Epoch, Ran, Runner, Simulated};
use blis_sim::time::Time;
use blis_sim::verdict::LiveEvidence;

use crate::server::Server;
use crate::wire::{Message, Wire};

fn model(client: &str, action: &str) -> Model {
    let text = format!(
        "{{blis: 1, name: loads, run: {{requests: 3, drain: 0s}}, clients: {{users: {{{client}, do: ask}}}}, \
         actions: {{ask: {{path: [{{emit: all}}, {{visit: api}}, reply], live: {action}}}}}, services: {{api: {{workers: 1, time: \
         1ms}}}}, fan_outs: {{all: {{subscribers: 1}}}}}}"
    );
    let read = blis_sim::spec::read(&text).expect("it reads");
    blis_sim::spec::lower(&read).expect("it lowers").model
}

fn session(server: &Server, model: &Model) -> Session {
    let target = check(&server.url(), false, &Permission::default()).expect("loopback");
    Session::open(
        model,
        &target,
        &Access::default(),
        &Wanted::default(),
        &|_| (),
    )
    .expect("it opens")
}

/// Three loads in a row, whatever the world.
fn three<R: Runner>(runner: &mut R, model: &Model) -> Vec<Ran>
where
    R::Error: std::fmt::Debug,
{
    let runs = (0..3).map(|_| runner.run(model, &|| false).expect("it runs"));
    let runs: Vec<Ran> = runs.collect();
    let epochs: Vec<u32> = runs.iter().map(|ran| ran.epoch.number()).collect();
    assert_eq!(epochs, [0, 1, 2]);
    for ran in &runs {
        assert_eq!((ran.intended, ran.ended_by), (3, LoadEnd::Budget));
        assert_eq!(ran.measure.total().requests().ended_total(), 3);
    }
    runs
}

fn ended(ran: &Ran, outcome: Outcome) -> u64 {
    ran.measure.total().requests().ended(outcome)
}

/// A responder that answers the third request of each load when the first one of the next load comes, before that.
fn slow_with_the_third(server: &Server, answer: impl Fn(&mut Wire, &Message) + Send + 'static) {
    let mut wire = Wire::connect(server.port);
    wire.subscribe("work");
    std::thread::spawn(move || {
        let mut held: Option<Message> = None;
        while let Some(message) = wire.next() {
            let id = message.header("Blis-Request").expect("an id").to_owned();
            let number = id.split('/').nth(2).expect("client, user, number, try");
            if number == "2" {
                held = Some(message);
                continue;
            }
            if let Some(held) = held.take() {
                answer(&mut wire, &held);
            }
            answer(&mut wire, &message);
        }
    });
}

/// What comes for the third request of a load is late in the next one, and ends nothing there.
fn the_third_is_late_in_the_next(runs: &[Ran]) {
    for (ran, late) in runs.iter().zip([0, 1, 1]) {
        assert_eq!(ran.late_of_earlier, late, "{:?}", ran.epoch);
        let ends = [Outcome::Ok, Outcome::Unresolved].map(|outcome| ended(ran, outcome));
        assert_eq!(ends, [2, 1], "{:?}", ran.epoch);
        let counts = (ran.measure.late_replies(), ran.measure.duplicate_replies());
        assert_eq!(counts, (0, 0), "{:?}", ran.epoch);
    }
}

#[test]
fn a_simulation_runs_loads_in_a_row() {
    let model = model("concurrency: 1", "{request: work}");
    let runs = three(&mut Simulated::new(1000), &model);
    for ran in &runs {
        // Nothing of one load is left for the next.
        assert_eq!(ran.ended_at, runs[0].ended_at);
        assert_eq!(ran.late_of_earlier, 0);
    }
}

#[test]
fn replies_of_one_load_are_late_in_the_next_and_end_nothing_there() {
    let server = Server::start("");
    slow_with_the_third(&server, |wire, message| {
        wire.publish_with(&message.reply, &[], b"done");
    });
    let action = "{request: work, request_id: Blis-Request}";
    let model = model("concurrency: 1", action);
    let mut session = session(&server, &model);
    let runs = three(&mut session, &model);
    session.close();
    the_third_is_late_in_the_next(&runs);
}

#[test]
fn acknowledgements_of_one_load_are_late_in_the_next_and_end_nothing_there() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    // The stream stores and says nothing: the responder acknowledges in its place.
    let config = r#"{"name": "WORK", "subjects": ["work"], "storage": "memory", "no_ack": true}"#;
    wire.ask("$JS.API.STREAM.CREATE.WORK", config);
    slow_with_the_third(&server, |wire, message| {
        wire.publish_with(&message.reply, &[], br#"{"stream": "WORK", "seq": 1}"#);
    });
    let model = model("concurrency: 1", "{jetstream: work}");
    let mut session = session(&server, &model);
    let runs = three(&mut session, &model);
    session.close();
    the_third_is_late_in_the_next(&runs);
}

/// What holds of every load in either world: requests, sessions and deliveries end as often as they begin.
fn the_books_balance(ran: &Ran, requests: u64, of_each: u64) {
    let total = ran.measure.total().requests();
    assert_eq!((ran.intended, ran.ended_by), (requests, LoadEnd::Budget));
    assert_eq!((total.intended, total.ended_total()), (requests, requests));
    for sessions in ran.measure.sessions() {
        assert_eq!(sessions.started, sessions.ended_total());
    }
    let meter = ran.measure.deliveries(ActionId(0)).expect("it awaits");
    let deliveries = meter.whole();
    assert_eq!(deliveries.expected, requests * of_each);
    assert_eq!(
        deliveries.expected,
        deliveries.delivered + deliveries.missing()
    );
    let [first, each, last] = [meter.first(), meter.each(), meter.last()];
    assert_eq!(each.from_intended.count(), meter.window().delivered);
    assert!(last.from_intended.count() <= first.from_intended.count());
}

#[test]
fn three_loads_in_a_row_balance_in_both_worlds() {
    let text = "{blis: 1, name: loads, run: {requests: 60, drain: 1s}, clients: {users: {concurrency: 4, think: 1ms, timeout: 300ms, \
                do: ask, on_failure: {respawn: true}}}, actions: {ask: {path: [{visit: api}, {emit: room}, reply], await: \
                {deliveries: 3}, live: {request: loads.ask, delivery: {subject: \"blis.loads.fanout.room.*\"}}}}, services: {api: \
                {workers: 4, time: 1ms}}, fan_outs: {room: {subscribers: 4, loss: 12%, delay: 2ms}}}";
    let read = blis_sim::spec::read(text).expect("it reads");
    let model = blis_sim::spec::lower(&read).expect("it lowers").model;
    let server = Server::start("");
    let path = crate::saved(&server, "loads.yaml", text);
    let _double = crate::programs::Double::start(&server.url(), &["--spec", &path]);
    let mut live = session(&server, &model);
    let mut simulated = Simulated::new(1000);
    for nth in 0..3 {
        let seen = live.run(&model, &|| false).expect("it runs");
        let predicted = simulated.run(&model, &|| false).expect("it runs");
        the_books_balance(&seen, 60, 3);
        the_books_balance(&predicted, 60, 3);
        // What is lost is drawn alike in the first load; in those after it a double draws anew.
        let counts = |ran: &Ran| ran.measure.deliveries(ActionId(0)).map(|of| of.whole());
        let missing = |ran: &Ran| counts(ran).map(|of| of.missing());
        assert!(nth > 0 || missing(&seen) == missing(&predicted));
        assert!(missing(&seen) > Some(0));
    }
    live.close();
}

#[test]
fn deliveries_of_one_load_are_late_in_the_next_and_match_nothing_there() {
    let server = Server::start("");
    slow_with_the_third(&server, |wire, message| {
        let id = message.header("Blis-Request").expect("an id");
        wire.publish_with("done", &[&format!("Blis-Request: {id}")], b"");
    });
    let model = model(
        "concurrency: 1",
        "{publish: work, delivery: {subject: done}}, await: {}",
    );
    let mut session = session(&server, &model);
    let runs = three(&mut session, &model);
    session.close();
    the_third_is_late_in_the_next(&runs);
}

#[test]
fn what_one_load_publishes_to_a_stream_is_no_duplicate_of_another() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    let config = r#"{"name": "ORDERS", "subjects": ["orders.>"], "storage": "memory"}"#;
    wire.ask("$JS.API.STREAM.CREATE.ORDERS", config);
    let model = model("concurrency: 1", "{jetstream: orders.new}");
    let mut session = session(&server, &model);
    let runs = three(&mut session, &model);
    session.close();
    let unresolved: u64 = runs.iter().map(|ran| ended(ran, Outcome::Unresolved)).sum();
    let stored: u64 = runs.iter().map(|ran| ended(ran, Outcome::Ok)).sum();
    let late: u64 = runs.iter().map(|ran| ran.late_of_earlier).sum();
    assert_eq!(stored + unresolved, 9);
    // The acknowledgement of the last publication of a load comes when the load is over.
    assert!(late <= 2, "{late}");
    let info = wire.ask("$JS.API.STREAM.INFO.ORDERS", "");
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    assert_eq!(info["state"]["messages"], 9, "{info}");
}

#[test]
fn a_load_of_another_kind_is_refused_before_it_is_sent() {
    let server = Server::start("");
    let heard = Arc::new(Mutex::new(0));
    let mut wire = Wire::connect(server.port);
    wire.subscribe("work");
    let counts = Arc::clone(&heard);
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            *counts.lock().expect("nobody panics") += 1;
            wire.publish_with(&message.reply, &[], b"done");
        }
    });
    let small = model("concurrency: 2", "{request: work}");
    let mut session = session(&server, &small);
    let refused = |session: &mut Session, load: &Model| match session.run(load, &|| false) {
        Err(RunFailure::Unlike(why)) => why,
        other => panic!("{:?}", other.map(|ran| ran.intended)),
    };
    let large = model("concurrency: 3", "{request: work}");
    let needed = Unlike::Connections { needed: 3, open: 2 };
    assert_eq!(refused(&mut session, &large), needed);
    let other = model("concurrency: 1", "{request: elsewhere}");
    assert_eq!(refused(&mut session, &other), Unlike::Actions);
    assert_eq!(*heard.lock().expect("nobody panics"), 0);
    // What was refused took no epoch.
    let ran = session.run(&small, &|| false).expect("it runs");
    assert_eq!(ran.epoch, Epoch::FIRST);
    session.close();
}

#[test]
fn deliveries_that_do_not_tell_loads_apart_are_refused_from_the_second_on() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("work");
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            let payload = message.payload.clone();
            wire.publish_with("done", &[], &payload);
        }
    });
    let of = |equals: &str| {
        let live = format!(
            "{{publish: work, delivery: {{subject: done, by: {{json: /id}}, equals: \"{equals}\"}}}}, await: {{}}"
        );
        let action = format!("{live}, payload: {{text: '{{\"id\": \"{equals}\"}}'}}");
        model("concurrency: 1", &action)
    };
    let alike = of("{user}-{n}");
    let mut opened = session(&server, &alike);
    opened.run(&alike, &|| false).expect("the first runs");
    let second = opened.run(&alike, &|| false);
    assert!(matches!(
        second,
        Err(RunFailure::Unlike(Unlike::SameNames(_)))
    ));
    opened.close();
    for equals in ["{uuid}", "{seq}"] {
        let apart = of(equals);
        let mut opened = session(&server, &apart);
        three(&mut opened, &apart);
        opened.close();
    }
}

/// A third world, which answers every request after a millisecond and knows nothing else.
struct Scripted(Epoch);

impl Runner for Scripted {
    type Error = Imbalance;

    fn run(&mut self, model: &Model, stop: &(dyn Fn() -> bool + Sync)) -> Result<Ran, Imbalance> {
        let epoch = self.0;
        self.0 = epoch.next();
        let mut measure = Measure::new(model);
        let budget = model.limits.requests.map_or(0, std::num::NonZeroU64::get);
        let client = ClientId(0);
        let mut now = Time::ZERO;
        measure.record(now, Event::SessionStarted { client });
        let mut intended = 0;
        while intended < budget && !stop() {
            let request = Request {
                user: Default::default(),
                client,
                action: ActionId(0),
                attempt: 0,
                user_number: 0,
                number: intended,
                intended: now,
            };
            intended += 1;
            measure.record(now, Event::Intended { request: &request });
            let sent = now;
            now += blis_sim::time::Span::from_nanos(1_000_000);
            if intended == budget {
                measure.record(sent, Event::LoadEnded);
            }
            measure.advance(now);
            let done = Event::Done {
                request: &request,
                flight: FlightId::from_bits(intended),
                sent,
                outcome: Outcome::Ok,
            };
            measure.record(now, done);
        }
        let end = blis_sim::event::SessionEnd::BudgetExhausted;
        measure.record(now, Event::SessionEnded { client, end });
        measure.finish(intended)?;
        Ok(Ran {
            epoch,
            measure,
            ended_by: LoadEnd::Budget,
            ended_at: now,
            intended,
            late_of_earlier: 0,
            evidence: LiveEvidence::default(),
        })
    }
}

#[test]
fn whoever_runs_loads_knows_no_world() {
    let model = model("concurrency: 1", "{request: work}");
    let scripted = three(&mut Scripted(Epoch::FIRST), &model);
    let simulated = three(&mut Simulated::new(1000), &model);
    // The service takes a millisecond in both, except for the request that the drain of 0 s cuts off.
    for (scripted, simulated) in scripted.iter().zip(&simulated) {
        assert_eq!(ended(scripted, Outcome::Ok), 3);
        assert_eq!(ended(simulated, Outcome::Ok), 2);
        let [a, b] = [scripted, simulated].map(|ran| {
            let total = ran.measure.total();
            total.window.latencies.service().max()
        });
        assert_eq!(a, b);
    }
}

#[test]
fn a_monitoring_that_is_gone_ends_no_later_load() {
    let server = Server::start("");
    let watched = Server::start("http: \"127.0.0.1:-1\"");
    let url = format!(
        "http://127.0.0.1:{}",
        watched.monitor.expect("a monitoring")
    );
    let monitor = check_monitor(&url, &Permission::default()).expect("loopback");
    let target = check(&server.url(), false, &Permission::default()).expect("loopback");
    let wanted = Wanted {
        streams: &[],
        monitor: Some(&monitor),
    };
    let model = model("concurrency: 3", "{request: work}");
    let opened = Session::open(&model, &target, &Access::default(), &wanted, &|_| ());
    let mut session = opened.expect("it opens");
    let mut load = || {
        let watch = LoadWatch {
            stop: &|| false,
            enough: &|| false,
            show: &mut |_, _| (),
        };
        let observed = session.run_load(&model, None::<Measure>, &|_| (), watch);
        observed.expect("it runs").observers.expect("observers")
    };
    let first = load();
    assert!(first.server.is_some() && !first.absent.contains_key("server"));
    drop(watched);
    let second = load();
    assert!(second.server.is_none());
    let why = &second.absent["server"];
    assert!(why.contains(url.trim_start_matches("http://")), "{why}");
}
