//! Verdicts that other tools are known to get wrong: a PASS that nothing speaks for, a TRIP that the system has no part in.
//!
//! Each row is a run that would be misjudged if one thing were done as they do it. It is judged twice: as a plain run is, and
//! as a trial of a search.

#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;

use blis_sim::model::{ConsumerId, Model};
use blis_sim::replication::Watch;
use blis_sim::runner::{Epoch, Ran, Runner, Simulated};
use blis_sim::search::Eyes;
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Plan, search};
use blis_sim::search::{Axis, Direction, Ended, Found, Look, judged};
use blis_sim::spec;
use blis_sim::time::Span;
use blis_sim::verdict::Status::{self, Inconclusive, Pass, Trip};
use blis_sim::verdict::{LiveEvidence, Measured, evidence, judge, parts_of_run};

struct Row {
    /// What would be misjudged.
    defect: &'static str,
    /// All of the spec but its version and name.
    spec: &'static str,
    /// What only a live run would testify.
    live: LiveEvidence,
    plain: Status,
    trial: Status,
    /// What a reason of both says; nothing of a pass.
    says: &'static str,
}

fn model(text: &str) -> Model {
    let text = format!("{{blis: 1, name: row, {text}}}");
    let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"));
    let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"));
    lowered.model
}

fn run(world: &mut Simulated, model: &Model) -> Ran {
    world.run(model, &|| false).unwrap()
}

fn check(row: &Row) {
    let model = model(row.spec);
    let ran = run(&mut Simulated::new(u64::MAX), &model);
    let evidence = evidence(&model, &ran.measure, false, &row.live).unwrap();
    let plain = judge(&evidence);
    assert_eq!(
        plain.status, row.plain,
        "{}: {:?}",
        row.defect, plain.reasons
    );
    let trial = judged(&evidence, &parts_of_run(&ran.measure), Look::FIRST);
    assert_eq!(
        trial.status, row.trial,
        "{}, a trial: {:?}",
        row.defect, trial.reasons
    );
    for (status, reasons) in [(plain.status, plain.reasons), (trial.status, trial.reasons)] {
        let is_said = reasons.iter().any(|reason| reason.contains(row.says));
        assert!(is_said || status == Pass, "{}: {reasons:?}", row.defect);
    }
}

fn simulated(
    defect: &'static str,
    spec: &'static str,
    [plain, trial]: [Status; 2],
    says: &'static str,
) -> Row {
    Row {
        defect,
        spec,
        live: LiveEvidence::default(),
        plain,
        trial,
        says,
    }
}

#[test]
fn nothing_measured_is_no_pass() {
    for row in [
        simulated(
            "zero samples of one of two actions",
            "run: {horizon: 100s, warmup: 1s}, clients: {c: {rate: 50/s, do: ask}, \
             late: {arrival: {burst: {count: 1, at: 0s}}, do: tell}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 1s}}, \
             tell: {path: [{visit: desk}, reply], slo: {p95: 1s}}}, services: {desk: {workers: 4, time: 1ms}}",
            [Inconclusive, Inconclusive],
            "Action tell: no request was sent in the window: its p95 was not measured",
        ),
        simulated(
            "nothing intended at all",
            "run: {horizon: 100s, warmup: 50s}, clients: {c: {arrival: {burst: {count: 9}}, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 1s}}}, services: {desk: {workers: 4, time: 1ms}}",
            [Inconclusive, Inconclusive],
            "No request was intended in the window",
        ),
        simulated(
            "every request failed, and there is no objective",
            "run: {horizon: 100s}, clients: {c: {rate: 50/s, do: ask, timeout: 1ms}}, actions: {ask: {path: [{visit: desk}, reply]}}, \
             services: {desk: {workers: 4, time: 5ms}}",
            [Inconclusive, Inconclusive],
            "No request succeeded",
        ),
        simulated(
            "a consumer to which nothing came",
            "run: {horizon: 100s}, clients: {c: {rate: 50/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply, {branch: [{weight: 1, path: []}, {weight: 1e-12, path: [{publish: log}]}]}]}}, \
             services: {desk: {workers: 4, time: 1ms}}, streams: {log: {consumers: {writer: {service: desk, slo: {no_growth: true}}}}}",
            [Inconclusive, Inconclusive],
            "0 messages are too few to judge the growth of its backlog",
        ),
        simulated(
            "a handful of samples, all of them in time",
            "run: {horizon: 10s}, clients: {c: {rate: 5/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p99: 1s}}}, services: {desk: {workers: 4, time: 1ms}}",
            [Inconclusive, Inconclusive],
            "its p99",
        ),
    ] {
        check(&row);
    }
}

/// A burst that a consumer works off within the run: 1,000 messages at the start, 2 ms each.
const DRAINED: &str = "run: {horizon: 60s, warmup: 1s}, \
     clients: {c: {arrival: {burst: {count: 1000}}, do: tell}, steady: {rate: 20/s, arrival: constant, do: tell}}, \
     actions: {tell: {path: [reply, {publish: log}]}}, services: {desk: {workers: 1, time: 2ms}}, \
     streams: {log: {consumers: {writer: {service: desk, slo: {backlog_growth: 1/s}}}}}";

#[test]
fn a_consumer_that_was_drained_has_not_vanished() {
    let model = model(DRAINED);
    let ran = run(&mut Simulated::new(u64::MAX), &model);
    let (before, after) = ran.measure.consumers()[0].window_backlogs().unwrap();
    assert!(
        before.total() > 400 && after.total() <= 1,
        "{before:?} {after:?}"
    );
    let growth = ran.measure.backlog_growth(ConsumerId(0)).unwrap();
    let seen = |measured| LiveEvidence {
        backlogs: Some(vec![measured]),
        ..LiveEvidence::default()
    };
    let drained = Measured::BacklogGrowth {
        per_second: growth.slope_per_second,
        grows: growth.grows,
        arrivals: Some(0),
    };
    for (defect, live, [plain, trial], says) in [
        (
            "drained, in a simulation",
            LiveEvidence::default(),
            [Pass, Pass],
            "",
        ),
        ("drained, as it was seen", seen(drained), [Pass, Pass], ""),
        (
            "deleted",
            seen(Measured::Vanished),
            [Trip, Trip],
            "was deleted",
        ),
        (
            "not seen",
            seen(Measured::Missing),
            [Inconclusive, Inconclusive],
            "was not measured",
        ),
        (
            "not even asked for",
            LiveEvidence {
                backlogs: Some(Vec::new()),
                ..LiveEvidence::default()
            },
            [Inconclusive, Inconclusive],
            "was not measured",
        ),
    ] {
        check(&Row {
            defect,
            spec: DRAINED,
            live,
            plain,
            trial,
            says,
        });
    }
}

#[test]
fn a_shortfall_hides_no_trip_and_is_none() {
    for row in [
        simulated(
            "a slow system that holds its generator back",
            "run: {horizon: 200s, warmup: 5s}, max_in_flight: {limit: 50, policy: drop}, \
             clients: {c: {rate: 200/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 100ms}}}, \
             services: {desk: {workers: 1, time: {exponential: {mean: 10ms}}}}",
            [Trip, Trip],
            "over its objective",
        ),
        simulated(
            "a healthy system to which too little is sent",
            "run: {horizon: 200s, warmup: 5s}, max_in_flight: {limit: 2, policy: drop}, \
             clients: {c: {rate: 200/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 100ms}}}, \
             services: {desk: {workers: 9, time: {exponential: {mean: 10ms}}}}",
            [Inconclusive, Inconclusive],
            "less than 95 %",
        ),
    ] {
        check(&row);
    }
}

#[test]
fn errors_are_no_fast_successes() {
    for row in [
        simulated(
            "a service that answers a third with errors at once, by a limit on times alone",
            "run: {horizon: 100s, warmup: 5s}, clients: {c: {rate: 100/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 1s}}}, \
             services: {desk: {workers: 4, time: 1ms, errors: 30%}}",
            [Trip, Trip],
            "failed, which counts as over, and 0 exceeded it",
        ),
        simulated(
            "the same with a limit on errors",
            "run: {horizon: 100s, warmup: 5s}, clients: {c: {rate: 100/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 1s, errors: 1%}}}, \
             services: {desk: {workers: 4, time: 1ms, errors: 30%}}",
            [Trip, Trip],
            "errors are over",
        ),
        simulated(
            "replies that never come",
            "run: {horizon: 100s, warmup: 5s}, clients: {c: {rate: 100/s, timeout: 500ms, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, {branch: [{weight: 8, path: [reply]}, {weight: 2, path: [{delay: 1h}, reply]}]}], \
             slo: {p95: 1s}}}, services: {desk: {workers: 4, time: 1ms}}",
            [Trip, Trip],
            "failed, which counts as over, and 0 exceeded it",
        ),
        simulated(
            "a queue that is full",
            "run: {horizon: 100s, warmup: 5s}, clients: {c: {rate: 300/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 1s}}}, \
             services: {desk: {workers: 1, time: 10ms, queue: {limit: 3}}}",
            [Trip, Trip],
            "failed, which counts as over, and 0 exceeded it",
        ),
    ] {
        check(&row);
    }
}

#[test]
fn an_overload_is_not_judged_by_what_it_got_done() {
    for row in [
        // Twice what the service can do: those that were answered within the run were answered early, and half were not.
        simulated(
            "half of the requests are cut off, and the others were within the limit",
            "run: {horizon: 60s, warmup: 5s, drain: 0s}, clients: {c: {rate: 200/s, do: ask}}, \
             actions: {ask: {path: [{visit: desk}, reply], slo: {p90: 1m}}}, \
             services: {desk: {workers: 1, time: {exponential: {mean: 10ms}}}}",
            [Trip, Trip],
            "failed, which counts as over, and 0 exceeded it",
        ),
        simulated(
            "a backlog that grows by less than a limit in absolute numbers would notice",
            "run: {horizon: 60s, warmup: 5s}, clients: {c: {rate: 1200/s, do: tell}}, \
             actions: {tell: {path: [reply, {publish: log}]}}, services: {desk: {workers: 1, time: 1ms}}, \
             streams: {log: {consumers: {writer: {service: desk, slo: {no_growth: true}}}}}",
            [Trip, Trip],
            "more than chance explains",
        ),
    ] {
        check(&row);
    }
}

#[test]
fn what_was_before_the_window_is_not_in_it() {
    // 500 requests at once, worked off in five seconds: in the window a hundred of them end after four seconds and more.
    check(&simulated(
        "a ramp that ends within the window",
        "run: {horizon: 104s, warmup: 4s}, \
         clients: {ramp: {arrival: {burst: {count: 500}}, do: ask}, steady: {rate: 20/s, arrival: constant, do: ask}}, \
         actions: {ask: {path: [{visit: desk}, reply], slo: {p95: 2s}}}, \
         services: {desk: {workers: 1, time: {exponential: {mean: 10ms}}}}",
        // What the ramp left behind is in the first seconds of the window: a trial asks for more before it says so.
        [Pass, Inconclusive],
        "lengthen the trial",
    ));
}

#[test]
fn nothing_of_a_trial_is_in_the_next() {
    let load = |rate: &str| {
        model(&format!(
            "run: {{horizon: 60s, warmup: 5s, drain: 0s}}, clients: {{c: {{rate: {rate}, do: ask}}}}, \
             actions: {{ask: {{path: [{{visit: desk}}, reply], slo: {{p95: 200ms}}}}}}, \
             services: {{desk: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}}}}}"
        ))
    };
    let judged_in = |world: &mut Simulated, rate: &str| {
        let model = load(rate);
        let ran = run(world, &model);
        let evidence = evidence(&model, &ran.measure, false, &ran.evidence).unwrap();
        judged(&evidence, &parts_of_run(&ran.measure), Look::FIRST)
    };
    let fresh = judged_in(&mut Simulated::new(u64::MAX), "40/s");
    assert_eq!(fresh.status, Pass, "{:?}", fresh.reasons);
    let mut world = Simulated::new(u64::MAX);
    assert_eq!(judged_in(&mut world, "300/s").status, Trip);
    // Thousands of requests of the overload were never answered.
    assert_eq!(judged_in(&mut world, "40/s"), fresh);
}

/// The search for a rate at which the rest of a spec keeps its objectives, from 500/s to 2,000/s.
fn searched(spec: impl Fn(f64) -> String) -> Found {
    let plan = Plan {
        axis: Axis {
            direction: Direction::Rising,
            whole: false,
        },
        wanted: Wanted {
            start: 700.0,
            range: Some([500.0, 2000.0]),
            precision: 0.1,
            most_paths: 16,
        },
        length: Given {
            hold: Some(Span::from_secs(21)),
            longest: None,
            warmup: Some(Span::from_secs(1)),
        },
        is_load: true,
        is_rate: true,
        threads: NonZeroUsize::MIN,
    };
    let eyes = Eyes {
        watch: Watch {
            stop: &|| false,
            most_present: u64::MAX,
        },
        time_is_up: &|| false,
    };
    let model_at = |load: f64| Ok::<Model, String>(model(&spec(load)));
    search(&model_at, plan, eyes, &mut |_| ()).unwrap()
}

#[test]
fn nothing_of_a_trial_of_a_search_is_in_another() {
    let found = searched(|rate| {
        format!(
            "run: {{horizon: 1h}}, clients: {{c: {{rate: {rate}/s, arrival: constant, do: ask}}}}, \
             actions: {{ask: {{path: [{{visit: desk}}, reply], slo: {{p95: 20ms}}}}}}, \
             services: {{desk: {{workers: 4, time: {{exponential: {{mean: 4ms}}}}}}}}"
        )
    });
    assert!(found.trials.len() > 2);
    for (number, trial) in (0..).zip(&found.trials) {
        assert_eq!(trial.ran.epoch, Epoch::of(number));
        // Of constant arrivals there are exactly as many as the load has in the time of all its paths; one more or less of each
        // lies on the ends of its window.
        let seconds = trial.ran.measure.measured().as_secs_f64();
        let intended = trial.ran.measure.total().window.requests.intended;
        let expected = seconds * trial.load;
        assert!(
            (intended as f64 - expected).abs() <= 2.0 * trial.paths as f64,
            "{} paths at {}: {intended} of {expected}",
            trial.paths,
            trial.load
        );
        let judged = trial.judged.shares[0].samples;
        assert_eq!(judged, intended, "at {}", trial.load);
    }
}

#[test]
fn a_search_sees_the_growth_of_backlogs_where_that_is_promised() {
    // Its one worker takes 1,000 messages per second, and nobody who publishes waits for it.
    let with = |slo: &'static str| {
        searched(move |rate| {
            format!(
                "run: {{horizon: 1h}}, clients: {{c: {{rate: {rate}/s, do: tell}}}}, \
                 actions: {{tell: {{path: [{{publish: log}}, reply], slo: {{p95: 1s}}}}}}, \
                 services: {{desk: {{workers: 1, time: 1ms}}}}, streams: {{log: {{consumers: {{writer: {{service: desk{slo}}}}}}}}}"
            )
        })
    };
    let ceiling = |slo| match with(slo).ended {
        Ended::Ceiling(ceiling) => ceiling.load,
        other => panic!("{slo}: {other:?}"),
    };
    let unseen = with("").ended;
    assert!(matches!(unseen, Ended::AtLeast(2000.0, _)), "{unseen:?}");
    // Growth that chance does not explain is more than the worker does; growth of 200/s is 200/s more.
    let none = ceiling(", slo: {no_growth: true}");
    assert!((950.0..1050.0).contains(&none), "{none}");
    let some = ceiling(", slo: {backlog_growth: 200/s}");
    assert!((1150.0..1250.0).contains(&some), "{some}");
}
