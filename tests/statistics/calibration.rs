//! What a fit recovers of models that are known, what it says that it cannot, and that it does not explain what is otherwise.

use std::num::NonZeroUsize;

use blis_sim::analysis::constraints;
use blis_sim::calibration::explain::{Explained, Explanations, Free, Question, explain};
use blis_sim::calibration::goodness::{goodness, of_runs};
use blis_sim::calibration::knowledge::{Knowledge, Known};
use blis_sim::calibration::next_load::tells;
use blis_sim::calibration::structure::{OfService, Structure};
use blis_sim::calibration::summary::{Looks, Observed};
use blis_sim::dist::Family;
use blis_sim::model::{Arrival, Limits, Model, Recording, Source};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::trace::{Row, Trace};

/// One service, whose load, times and workers are set.
const SPEC: &str = "blis: 1\nname: fitted\nseed: 7\nrun: {horizon: 20s, warmup: 2s, drain: 60s}\nnetwork: {one_way: 1ms}\nclients: {users: \
                    {rate: 100/s, do: ask}}\nactions: {ask: {path: [{visit: work}, reply]}}\nservices: {work: {workers: 4, time: \
                    {gamma: {mean: 8ms, cv: 0.6}}}}\n";
/// What it carries.
const CAPACITY: f64 = 500.0;
const ONE_WAY: &str = "network.one_way";
const MEAN: &str = "services.work.time.mean";
const CV: &str = "services.work.time.cv";

fn model(set: &[String]) -> Option<Model> {
    let set: Result<Vec<_>, _> = set.iter().map(|one| one.parse()).collect();
    let spec = spec::read_with(SPEC, &set.ok()?).ok()?;
    Some(spec::lower(&spec).ok()?.model)
}

/// A run that was measured: what of it is looked at, the figures, and its arrivals.
struct Run {
    looks: Looks,
    figures: Vec<f64>,
    arrivals: Recording,
    limits: Limits,
}

impl Run {
    fn at(load: f64, seed: u64, set: &[&str]) -> Run {
        let mut all: Vec<String> = set.iter().map(|&one| one.to_owned()).collect();
        all.extend([
            format!("clients.users.rate={load}/s"),
            format!("seed={seed}"),
        ]);
        let model = model(&all).unwrap();
        let mut times = Vec::new();
        let mut observed = observed(&model, |row| times.push(row.intended));
        times.sort_unstable();
        let looks = observed.looks(1).unwrap();
        let mut figures = Vec::new();
        observed.summary(&looks, &mut figures);
        let arrivals = Recording {
            times: times.into(),
            actions: Vec::new().into(),
        };
        Run {
            looks,
            figures,
            arrivals,
            limits: model.limits,
        }
    }

    fn simulated(&self, mut model: Model, seed: u64) -> Vec<f64> {
        model.seed = seed;
        model.limits = self.limits;
        if let Source::Open { arrival, .. } = &mut model.clients[0].source {
            *arrival = Arrival::Recorded(self.arrivals.clone());
        }
        let mut figures = Vec::new();
        observed(&model, |_| ()).summary(&self.looks, &mut figures);
        figures
    }
}

fn observed(model: &Model, mut see: impl FnMut(&Row)) -> Observed {
    let mut observed = Observed::default();
    let sink = Trace::new(model, |row: &Row| {
        see(row);
        if row.in_window {
            observed.add(row.outcome, row.response());
        }
    });
    Simulation::new(model, sink).run().unwrap();
    observed
}

/// What a fit says of runs.
struct Fit {
    found: Explanations,
    numbers: Vec<Known>,
    capacity: Known,
}

impl Fit {
    fn best(&self) -> &Explained {
        &self.found.all[0]
    }

    fn workers(&self) -> Vec<u32> {
        let workers = self.found.as_good();
        let mut workers: Vec<u32> = workers
            .map(|one| one.structure.services[0].workers.unwrap())
            .collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    fn number(&self, name: &str) -> &Known {
        self.numbers.iter().find(|one| one.name == name).unwrap()
    }

    fn p(&self) -> f64 {
        let best = self.best();
        goodness(best.fitted.squares, best.freedom()).p
    }
}

fn holds(known: &Known, value: f64) -> bool {
    (known.interval[0]..=known.interval[1]).contains(&value)
}

/// Fits to runs at these loads, with what follows from it.
fn with_fit<T>(
    loads: &[f64],
    seed: u64,
    set: &[&str],
    free: Free,
    then: impl FnOnce(Question<'_>, &[Run], Fit) -> T,
) -> T {
    let runs = (0u64..).zip(loads);
    let runs: Vec<Run> = runs
        .map(|(nth, load)| Run::at(*load, seed * 100 + nth, set))
        .collect();
    let measured: Vec<Vec<f64>> = runs.iter().map(|run| run.figures.clone()).collect();
    let world = |structure: &Structure, point: &[f64], path: u64| {
        let model = model(&structure.assignments(point))?;
        let runs = (0u64..).zip(&runs);
        let all = runs.map(|(nth, run)| run.simulated(model.clone(), 1 << 40 | path << 8 | nth));
        Some(all.collect::<Vec<_>>().concat())
    };
    let question = Question {
        measured: &measured,
        world: &world,
        paths: 4,
        threads: NonZeroUsize::new(2).unwrap(),
        stop: &|| false,
    };
    let structure = Structure {
        network: true,
        services: vec![OfService {
            name: "work".to_owned(),
            workers: Some(if free.workers { 2 } else { 4 }),
            family: Some(Family::Gamma),
        }],
    };
    let found = explain(question, (structure, vec![0.5e6, 4e6, 1.0]), &[free]).unwrap();
    let knowledge = Knowledge::of(question, &found).unwrap();
    let numbers = knowledge.numbers();
    let capacity = |structure: &Structure, point: &[f64]| {
        let model = model(&structure.assignments(point))?;
        constraints(&model).binding().map(|one| one.capacity())
    };
    let capacity = knowledge.follows("capacity", &capacity).unwrap();
    let fit = Fit {
        found: found.clone(),
        numbers,
        capacity,
    };
    then(question, &runs, fit)
}

const ALL: Free = Free {
    workers: true,
    family: true,
};
const NUMBERS: Free = Free {
    workers: false,
    family: false,
};

#[test]
fn workers_family_and_numbers_of_a_known_service_are_found() {
    let loads = [100.0, 250.0, 350.0, 440.0];
    with_fit(&loads, 1, &[], ALL, |question, _, fit| {
        assert_eq!(fit.workers(), [4]);
        let family = fit.best().structure.services[0].family;
        assert_eq!(family, Some(Family::Gamma));
        assert!(fit.p() > 0.01, "{}", fit.p());
        for (name, value, within) in [(ONE_WAY, 1e6, 0.25), (MEAN, 8e6, 0.03), (CV, 0.6, 0.1)] {
            let known = fit.number(name);
            assert!((known.value / value - 1.0).abs() < within, "{known:?}");
            assert!(known.is_told(), "{known:?}");
        }
        let [low, high] = fit.capacity.interval;
        assert!((fit.capacity.value / CAPACITY - 1.0).abs() < 0.02);
        assert!(high / low < 1.1, "{:?}", fit.capacity);
        // Each run is what the others predict.
        let runs = of_runs(question, fit.best()).unwrap();
        for run in &runs {
            for figure in &run.figures {
                let [_, off] = figure.left_out.unwrap();
                assert!(off.abs() < 4.5, "{figure:?}");
            }
        }
    });
}

#[test]
fn another_family_is_found_as_that() {
    let set = ["services.work.time={lognormal: {mean: 8ms, cv: 1.2}}"];
    with_fit(&[100.0, 300.0, 420.0], 2, &set, ALL, |_, _, fit| {
        let family = fit.best().structure.services[0].family;
        assert_eq!(family, Some(Family::Lognormal));
        assert!(fit.workers().contains(&4), "{:?}", fit.workers());
    });
    let set = ["services.work.time=8ms"];
    with_fit(&[100.0, 300.0, 420.0], 3, &set, ALL, |_, _, fit| {
        let family = fit.best().structure.services[0].family;
        assert_eq!((family, fit.workers()), (Some(Family::Constant), vec![4]));
        assert_eq!(fit.numbers.len(), 2);
    });
}

/// A service that never waits leaves no trace of how many workers it has.
#[test]
fn one_low_load_tells_neither_workers_nor_the_capacity() {
    with_fit(&[40.0], 4, &[], ALL, |question, runs, fit| {
        let workers = fit.workers();
        assert!(workers.len() > 1, "{workers:?}");
        assert!(!fit.capacity.is_told(), "{:?}", fit.capacity);
        // Near what it may carry they differ, and next to idle they do not.
        let apart = |load: f64| {
            let run = Run {
                figures: Vec::new(),
                looks: runs[0].looks.clone(),
                ..Run::at(load, 99, &[])
            };
            let world = |structure: &Structure, point: &[f64], path: u64| {
                let model = model(&structure.assignments(point))?;
                Some(run.simulated(model, 1 << 41 | path))
            };
            let knowledge = Knowledge::of(question, &fit.found).unwrap();
            let known = (&fit.found, &knowledge);
            let tells = tells(question, known, (&world, runs[0].figures.len())).unwrap();
            tells.apart.unwrap()
        };
        let (idle, busy) = (apart(15.0), apart(450.0));
        assert!(busy > 5.0 * idle, "{idle} {busy}");
    });
}

/// Requests that wait for the member that they were drawn for, while another is idle, are none of one line.
#[test]
fn members_drawn_at_random_are_not_explained_by_one_line() {
    let set = [
        "services.work={members: 4, workers: 1, dispatch: random, time: {gamma: {mean: 8ms, cv: 0.6}}}",
    ];
    with_fit(
        &[100.0, 250.0, 400.0],
        5,
        &set,
        NUMBERS,
        |question, _, fit| {
            assert!(fit.p() < 1e-6, "{}", fit.p());
            let runs = of_runs(question, fit.best()).unwrap();
            let off = runs.iter().flat_map(|run| &run.figures);
            let left_out = off.map(|figure| figure.left_out.unwrap()[1].abs());
            assert!(left_out.fold(0.0, f64::max) > 5.0);
        },
    );
}

/// Six workers are not four, whatever family of times four have.
#[test]
fn a_wrong_number_of_workers_that_is_kept_explains_nothing() {
    let set = ["services.work={workers: 6, time: {gamma: {mean: 12ms, cv: 0.6}}}"];
    let free = Free {
        workers: false,
        family: true,
    };
    with_fit(&[100.0, 250.0, 440.0], 6, &set, free, |_, _, fit| {
        assert_eq!(fit.workers(), [4]);
        assert!(fit.p() < 1e-6, "{}", fit.p());
    });
}

/// A right structure is among those that explain the runs as well, also where a wrong one is nearer to what was measured by chance, and what
/// follows from all of them holds the truth.
#[test]
fn what_explains_the_runs_as_well_holds_the_right_structure() {
    let seeds = 4;
    let (mut right, mut held, mut all) = (0, 0, 0);
    for seed in 0..seeds {
        with_fit(&[150.0, 420.0], 2000 + seed, &[], ALL, |_, _, fit| {
            let workers = fit.workers();
            right += u32::from(workers.contains(&4));
            held += u32::from(holds(&fit.capacity, CAPACITY));
            all += workers.len();
        });
    }
    assert!(right >= 3, "{right} of {seeds}");
    assert!(held >= 3, "{held} of {seeds}");
    // And few others are.
    assert!(all <= 12, "{all}");
}

/// Intervals of 95 % hold the truth about so often.
#[test]
fn intervals_of_fitted_numbers_hold_the_truth() {
    let seeds = 30;
    let (mut held, mut all, mut width) = (0, 0, 0.0);
    for seed in 0..seeds {
        let free = NUMBERS;
        with_fit(&[150.0, 420.0], 1000 + seed, &[], free, |_, _, fit| {
            let truth = [(ONE_WAY, 1e6), (MEAN, 8e6), (CV, 0.6)];
            for (name, value) in truth {
                all += 1;
                let known = fit.number(name);
                held += u32::from(holds(known, value));
                width += (known.interval[1] - known.interval[0]) / (2.0 * value);
            }
            all += 1;
            held += u32::from(holds(&fit.capacity, CAPACITY));
        });
    }
    let share = f64::from(held) / f64::from(all);
    assert!(share >= 0.88, "{held} of {all}");
    // And they are no wider than they have to be.
    assert!(width / f64::from(all) < 0.12, "{}", width / f64::from(all));
}
