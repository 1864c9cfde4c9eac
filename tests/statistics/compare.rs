//! Whether `blis compare` finds what is there, and nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;

use blis_sim::compare::{Blocks, CompareResult, Compared, OfRecord, Tolerances, compare};
use blis_sim::event::Outcome;
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::replication::{Flow, in_order};
use blis_sim::result::Run;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::time::Time;
use blis_sim::trace::Trace;

use crate::support::{document_of, model, threads};

/// A stretch of a path: one worker, half of whose time is taken, from a second after the beginning.
struct Stretch {
    seed: u64,
    /// Seconds of the path.
    from: f64,
    to: f64,
    service: &'static str,
    errors: &'static str,
}

impl Stretch {
    fn model(&self) -> Model {
        model(&format!(
            "{{blis: 1, name: stretch, seed: {}, run: {{horizon: {}s, warmup: {}s}}, clients: {{feed: {{rate: 500/s, do: ask}}}}, \
             actions: {{ask: {{path: [{{visit: api}}, reply]}}}}, services: {{api: {{workers: 1, errors: {}, time: {{exponential: \
             {{mean: {}}}}}}}}}}}",
            self.seed, self.to, self.from, self.errors, self.service
        ))
    }

    /// The stretch as `blis compare` has it of a run with a record.
    fn compared(&self) -> Compared {
        let model = self.model();
        let from = model.limits.warmup;
        let length = self.to - self.from;
        let blocks = RefCell::new(Blocks::of(length));
        let trace = Trace::new(&model, |row| {
            if row.in_window && row.outcome == Outcome::Ok {
                let after = row.intended.since(from).as_secs_f64() / length;
                blocks.borrow_mut().add(after, row.response().as_nanos());
            }
        });
        let mut simulation = Simulation::new(&model, (Measure::new(&model), trace));
        while simulation.advance(u64::MAX).unwrap() == Progress::Running {}
        let (intended, ended, events) = (
            simulation.intended(),
            simulation.load_end().unwrap(),
            simulation.events(),
        );
        let at = simulation.now();
        let (mut measure, _) = simulation.into_sink();
        measure.finish(intended).unwrap();
        let run: Run = document_of(&model, &measure, ended, events, at.since(Time::ZERO));
        Compared {
            name: format!("seed {}", self.seed),
            run,
            record: Some(BTreeMap::from([(
                "ask".to_owned(),
                OfRecord {
                    blocks: blocks.into_inner(),
                    requests: None,
                },
            )])),
        }
    }
}

fn stretch(seed: u64, from: f64, to: f64) -> Stretch {
    Stretch {
        seed,
        from,
        to,
        service: "1ms",
        errors: "0%",
    }
}

fn found(one: &Compared, other: &Compared) -> CompareResult {
    let sides = [std::slice::from_ref(one), std::slice::from_ref(other)];
    compare(sides, &Tolerances::default()).unwrap()
}

/// Whether any difference is more than chance.
fn differs(found: &CompareResult) -> bool {
    let ask = &found.actions["ask"];
    let figures = ask.figures.iter().map(|one| one.more_than_chance);
    let outcomes = ask.outcomes.iter().map(|one| one.more_than_chance);
    let distribution = ask.distribution.iter().map(|one| one.more_than_chance);
    let mut all = figures.chain(outcomes).chain(distribution);
    all.any(|one| one == Some(true))
}

/// How many of so many seeds differ.
fn share(seeds: u64, one: impl Fn(u64) -> [Stretch; 2] + Sync) -> f64 {
    let mut number = 0u32;
    let job = |seed: u64, _: &_| {
        let [one, other] = one(seed);
        differs(&found(&one.compared(), &other.compared()))
    };
    in_order(seeds, threads(2), job, |_, differs| {
        number += u32::from(differs);
        Flow::GoOn
    });
    f64::from(number) / seeds as f64
}

#[test]
fn two_halves_of_one_run_are_called_different_no_more_often_than_is_said() {
    // 4000 requests each.
    let halves = |seed| [stretch(seed, 1.0, 9.0), stretch(seed, 9.0, 17.0)];
    let differ = share(1000, halves);
    assert!(differ <= 0.07, "{differ}");
    // A test that never finds anything keeps to that, too.
    assert!(differ >= 0.005, "{differ}");
}

#[test]
fn a_service_that_takes_a_twentieth_longer_is_found_at_the_length_that_is_said() {
    // 50,000 requests each.
    let slower = |seed| {
        let slower = Stretch {
            service: "1050us",
            ..stretch(seed + 10_000, 1.0, 101.0)
        };
        [stretch(seed, 1.0, 101.0), slower]
    };
    let found = share(100, slower);
    assert!(found >= 0.9, "{found}");
}

#[test]
fn a_run_differs_from_itself_by_nothing() {
    let run = stretch(1, 1.0, 9.0).compared();
    let found = found(&run, &run);
    let ask = &found.actions["ask"];
    for figure in &ask.figures {
        assert_eq!(figure.difference, Some(0.0), "{figure:?}");
        assert_eq!(
            (figure.p, figure.more_than_chance),
            (Some(1.0), Some(false))
        );
    }
    let distance = ask.distribution.as_ref().unwrap();
    assert_eq!(
        (distance.kolmogorov_smirnov, distance.wasserstein_ms),
        (0.0, 0.0)
    );
    assert!(ask.outcomes.iter().all(|one| one.difference == 0.0));
    assert!(!differs(&found));
}

/// Errors that come on their own are told from none; those of two runs with as many are not.
#[test]
fn more_errors_are_found_and_as_many_are_not() {
    let failing = |seed, errors| Stretch {
        errors,
        ..stretch(seed, 1.0, 21.0)
    };
    let outcome = |one: Stretch, other: Stretch| {
        let found = found(&one.compared(), &other.compared());
        let outcomes = &found.actions["ask"].outcomes;
        let failed = outcomes.iter().find(|one| one.outcome == "app_error");
        failed.unwrap().more_than_chance
    };
    assert_eq!(outcome(failing(1, "1%"), failing(2, "2%")), Some(true));
    assert_eq!(outcome(failing(1, "2%"), failing(2, "2%")), Some(false));
}
