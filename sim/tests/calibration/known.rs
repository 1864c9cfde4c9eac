//! A known service, runs of it at given loads, and what a fit says of them.

use std::num::NonZeroUsize;

use blis_sim::analysis::constraints;
use blis_sim::calibration::explain::{Explained, Explanations, Free, Question, explain};
use blis_sim::calibration::goodness::goodness;
use blis_sim::calibration::knowledge::{Knowledge, Known};
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
/// Its workers, and what it carries.
pub const WORKERS: u32 = 4;
pub const CAPACITY: f64 = 500.0;
pub const ONE_WAY: &str = "network.one_way";
pub const MEAN: &str = "services.work.time.mean";
pub const CV: &str = "services.work.time.cv";

pub fn model(set: &[String]) -> Option<Model> {
    let set: Result<Vec<_>, _> = set.iter().map(|one| one.parse()).collect();
    let spec = spec::read_with(SPEC, &set.ok()?).ok()?;
    Some(spec::lower(&spec).ok()?.model)
}

/// A run that was measured: what of it is looked at, the figures, and its arrivals.
pub struct Run {
    pub looks: Looks,
    pub figures: Vec<f64>,
    pub arrivals: Recording,
    pub limits: Limits,
}

impl Run {
    pub fn at(load: f64, seed: u64, set: &[&str]) -> Run {
        let mut all: Vec<String> = set.iter().map(|&one| one.to_owned()).collect();
        all.extend([
            format!("clients.users.rate={load}/s"),
            format!("seed={seed}"),
        ]);
        let model = model(&all).expect("a model");
        let mut times = Vec::new();
        let mut observed = observed(&model, |row| times.push(row.intended));
        times.sort_unstable();
        let looks = observed.looks(1).expect("enough requests");
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

    pub fn simulated(&self, mut model: Model, seed: u64) -> Vec<f64> {
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
    Simulation::new(model, sink).run().expect("a run");
    observed
}

/// What a fit says of runs.
pub struct Fit {
    pub found: Explanations,
    pub numbers: Vec<Known>,
    pub capacity: Known,
}

impl Fit {
    pub fn best(&self) -> &Explained {
        &self.found.all[0]
    }

    pub fn workers(&self) -> Vec<u32> {
        let workers = self.found.as_good();
        let mut workers: Vec<u32> = workers
            .map(|one| one.structure.services[0].workers.expect("workers"))
            .collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    pub fn number(&self, name: &str) -> &Known {
        let mut all = self.numbers.iter();
        all.find(|one| one.name == name).expect("a number")
    }

    pub fn p(&self) -> f64 {
        let best = self.best();
        goodness(best.fitted.squares, best.freedom()).p
    }
}

pub fn holds(known: &Known, value: f64) -> bool {
    (known.interval[0]..=known.interval[1]).contains(&value)
}

/// Fits to runs at these loads, with what follows from it.
pub fn with_fit<T>(
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
        threads: NonZeroUsize::new(2).expect("two"),
        stop: &|| false,
    };
    let structure = Structure {
        network: true,
        services: vec![OfService {
            name: "work".to_owned(),
            workers: Some(if free.workers { 2 } else { WORKERS }),
            family: Some(Family::Gamma),
        }],
    };
    let found = explain(question, (structure, vec![0.5e6, 4e6, 1.0]), &[free]);
    let found = found.expect("explanations");
    let knowledge = Knowledge::of(question, &found).expect("knowledge");
    let numbers = knowledge.numbers();
    let capacity = |structure: &Structure, point: &[f64]| {
        let model = model(&structure.assignments(point))?;
        constraints(&model).binding().map(|one| one.capacity())
    };
    let capacity = knowledge.follows("capacity", &capacity);
    let capacity = capacity.expect("a capacity");
    let fit = Fit {
        found: found.clone(),
        numbers,
        capacity,
    };
    then(question, &runs, fit)
}

pub const ALL: Free = Free {
    workers: true,
    family: true,
};
pub const NUMBERS: Free = Free {
    workers: false,
    family: false,
};
