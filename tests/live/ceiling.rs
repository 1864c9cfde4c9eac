//! Trials for as long as somebody asks, against a service whose ceiling is known.
//!
//! The machine is shared, so that nothing here says that a load passes. That more than the workers can do does not, holds on
//! any machine.

use std::cell::RefCell;
use std::time::Duration;

use blis_live::observers::Wanted;
use blis_live::run::ceiling::{Asking, End, Field, Next, Watching, run};
use blis_live::run::failure::RunFailure;
use blis_live::run::trials::Pace;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_sim::engine::LoadEnd;
use blis_sim::event::Outcome;
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::runner::Ran;
use blis_sim::search::{Judged, Trial};
use blis_sim::time::Span;
use blis_sim::verdict::{Status, evidence, judge};

use crate::responder::Responder;
use crate::server::Server;

const WORKERS: usize = 4;
const TIME: Duration = Duration::from_millis(20);
/// What the workers can do, in requests per second.
const CAPACITY: f64 = 200.0;

fn millis(number: u64) -> Span {
    Span::from_nanos(number * 1_000_000)
}

const fn pace() -> Pace {
    Pace {
        warmup: Span::from_nanos(200_000_000),
        hold: Span::from_nanos(1_000_000_000),
        cooldown: Span::from_nanos(10_000_000),
    }
}

fn model(client: &str) -> Model {
    let text = format!(
        "{{blis: 1, name: ceiling, run: {{horizon: 1h, drain: 10s}}, clients: {{users: {{{client}, do: ask}}}}, actions: \
         {{ask: {{path: [{{visit: api}}, reply], slo: {{p90: 100ms}}, live: {{request: work}}}}}}, services: {{api: {{workers: \
         {WORKERS}, time: 20ms}}}}}}"
    );
    let read = blis_sim::spec::read(&text).expect("it reads");
    blis_sim::spec::lower(&read).expect("it lowers").model
}

fn at(load: f64) -> Model {
    model(&format!("rate: {load}/s"))
}

fn users(number: f64) -> Model {
    model(&format!("concurrency: {number}"))
}

fn judged(model: &Model, ran: &Ran) -> Judged {
    let evidence =
        evidence(model, &ran.measure, false, &ran.evidence).expect("it has an objective");
    let verdict = judge(&evidence);
    Judged {
        status: verdict.status,
        reasons: verdict.reasons,
        more_needed: verdict.more_needed,
        generator_limits: evidence.generator_limits,
        shares: Vec::new(),
    }
}

/// Tries loads in this order, up to the first that trips, and gives the trials and how they ended.
fn tried(
    url: &str,
    loads: &[f64],
    model: &dyn Fn(f64) -> Model,
    time_limit: Option<Span>,
    stop: &dyn Fn(&[Trial]) -> bool,
) -> (Vec<Trial>, Vec<u32>, End<RunFailure>) {
    let target = check(url, false, &Permission::default()).expect("loopback");
    let access = Access::default();
    let field = Field {
        target: &target,
        access: &access,
        wanted: Wanted::default(),
        pace: pace(),
        time_limit,
        before: 0,
    };
    let (mut left, kept) = (loads.iter().copied(), RefCell::new(Vec::new()));
    let connections = RefCell::new(Vec::new());
    let asking = Asking {
        next: &mut |before| match before {
            Some(judged) if judged.status == Status::Trip => None,
            _ => left.next().map(|load| Next {
                load,
                times_longer: 1,
            }),
        },
        model: &|load| Ok(model(load)),
        also: &mut || None::<Measure>,
        judge: &|_, tried| judged(&tried.model, &tried.ran),
        decided: &|_, _| false,
        keep: &mut |trial, tried| {
            kept.borrow_mut().push(trial.clone());
            connections
                .borrow_mut()
                .push(tried.observed.connected.connections);
        },
    };
    let watching = Watching {
        stop: &|| stop(&kept.borrow()),
        begins: &mut |_, _, _| (),
        show: &mut |_, _| (),
        warn: &|_| (),
    };
    let end = run(&model(loads[0]), &field, asking, watching).expect("the first trial runs");
    (kept.into_inner(), connections.into_inner(), end)
}

#[test]
fn trials_find_the_limit_of_a_service_that_others_wrote() {
    let server = Server::start("");
    let _service = Responder::start(&server, "work", WORKERS, TIME);
    let loads = [0.5, 2.0, 3.0].map(|share| share * CAPACITY);
    let (trials, _, end) = tried(&server.url(), &loads, &at, None, &|_| false);
    assert!(matches!(end, End::Enough), "{end:?}");
    // A load of which more than a tenth comes too late trips, and nothing beyond it is tried.
    let last = trials.last().expect("a trial");
    assert!(last.load <= 2.0 * CAPACITY, "{:?}", last.load);
    assert_eq!(last.judged.status, Status::Trip, "{:?}", last.judged);
    for trial in &trials {
        assert_eq!((trial.paths, trial.ran.ended_by), (1, LoadEnd::Horizon));
        assert_eq!(trial.judged.status == Status::Trip, trial.load == last.load);
        let requests = trial.ran.measure.total().requests();
        // Whatever was sent is answered before the next trial.
        assert_eq!(requests.ended(Outcome::Ok), requests.intended);
        let answered = trial.ran.measure.total().completed as f64;
        let seconds = trial.ran.measure.measured().as_secs_f64();
        let most = CAPACITY.min(trial.load * 1.5) * 1.1;
        assert!(answered / seconds <= most, "{answered} at {}", trial.load);
        assert!(
            answered / seconds >= CAPACITY * 0.1,
            "{answered} at {}",
            trial.load
        );
    }
}

#[test]
fn more_users_than_connections_have_connections_opened_between_trials() {
    let server = Server::start("");
    let _service = Responder::start(&server, "work", WORKERS, TIME);
    let (trials, connections, _) =
        tried(&server.url(), &[2.0, 1.0, 40.0], &users, None, &|_| false);
    // Forty users on four workers wait for 200 ms each.
    assert_eq!(trials.last().expect("a trial").judged.status, Status::Trip);
    let expected: Vec<u32> = [2, 2, 40].into_iter().take(connections.len()).collect();
    assert_eq!(connections, expected);
    let epochs: Vec<u32> = trials
        .iter()
        .map(|trial| trial.ran.epoch.number())
        .collect();
    // What is drawn for a load was drawn for none before it, whatever connections that had.
    assert_eq!(epochs, [0, 1, 2][..epochs.len()]);
}

#[test]
fn what_is_known_stands_when_a_search_is_ended() {
    let server = Server::start("");
    let _service = Responder::start(&server, "work", WORKERS, TIME);
    let (trials, _, end) = tried(&server.url(), &[1.0; 9], &users, None, &|kept| {
        kept.len() == 1
    });
    assert!(matches!(end, End::Interrupted), "{end:?}");
    assert_eq!(trials.len(), 1);
    // The time is enough for one trial, and for less than a quarter of the window of another.
    let (trials, _, end) = tried(
        &server.url(),
        &[1.0; 9],
        &users,
        Some(millis(1_500)),
        &|_| false,
    );
    assert!(matches!(end, End::TimeIsUp), "{end:?}");
    assert_eq!(trials.len(), 1);
}

#[test]
fn a_server_that_goes_ends_a_search_with_what_is_known() {
    let server = Server::start("");
    let _service = Responder::start(&server, "work", WORKERS, TIME);
    let url = server.url();
    let server = RefCell::new(Some(server));
    let stop = |kept: &[Trial]| {
        if kept.len() == 1 {
            server.take();
        }
        false
    };
    let (trials, _, end) = tried(&url, &[1.0; 9], &users, None, &stop);
    assert!(matches!(end, End::Lost | End::Failed(_)), "{end:?}");
    assert_eq!(trials.len(), 1);
}
