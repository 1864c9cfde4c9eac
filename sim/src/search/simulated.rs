//! The search in the simulated world: gives the sample paths that [`Roots`] asks for, on all cores.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::analysis::constraints;
use crate::engine::LoadEnd;
use crate::measure::Measure;
use crate::model::Model;
use crate::replication::{Finished, Flow, Halt, Watch, in_order, seed_of};
use crate::runner::{Epoch, Ran};
use crate::search::judgement::add_path;
use crate::search::length::{Given, Length};
use crate::search::roots::{Ask, Next, Outcome, Roots, Stage, Wanted};
use crate::search::{
    AtLeast, Axis, Ceiling, Counted, Ended, Found, Judged, Look, Parts, Trial, judged,
};
use crate::simulation::{Progress, Simulation};
use crate::time::Time;
use crate::verdict::{LiveEvidence, Signal, evidence};

/// Events between two looks at a path: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;

/// The numbers of sample paths begin here, by stage: those of one are never those of another.
fn first_path(stage: Stage) -> u64 {
    match stage {
        Stage::Main => 0,
        Stage::Pilot => 1 << 40,
        Stage::Answer => 1 << 41,
    }
}

/// What is searched, and how.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The scale of what is varied.
    pub axis: Axis,
    /// Where to look, and how exactly.
    pub wanted: Wanted,
    /// What is given of the length of trials.
    pub length: Given,
    /// Whether it is the load of the model, a rate or users, so that the capacity of the model says where to begin.
    pub is_load: bool,
    /// Whether it is the rate of all that happens, so that a trial at twice the load is half as long.
    pub is_rate: bool,
    /// On so many threads.
    pub threads: NonZeroUsize,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// Trials that have ended.
    pub trials: usize,
    /// The load that is run now.
    pub load: f64,
    /// Sample paths of it that have ended, and all of them.
    pub paths: [u64; 2],
    /// The loads so far that kept the objectives and that missed them.
    pub bounds: [Option<f64>; 2],
}

/// What is looked at while a search goes on.
#[derive(Clone, Copy)]
pub struct Eyes<'a> {
    /// Whether it shall stop, and of its runs.
    pub watch: Watch<'a>,
    /// Whether its time is up.
    pub time_is_up: &'a (dyn Fn() -> bool + Sync),
}

/// Why a search has no result.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// There is no model of a load.
    #[error("{0}")]
    Model(E),
    /// A run did not come to its end.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// Searches the ceiling of what `model_at` gives at each load; `see` is told how far it has come.
///
/// # Errors
/// Whatever keeps a trial from running.
pub fn search<E>(
    model_at: &dyn Fn(f64) -> Result<Model, E>,
    plan: Plan,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(Reached),
) -> Result<Found, Failed<E>> {
    let mut wanted = plan.wanted;
    if plan.is_load {
        wanted.start = likely(&model_at(wanted.start).map_err(Failed::Model)?, wanted);
    }
    let mut roots = Roots::new(plan.axis, wanted);
    // Trials by stage, and how often the main one had been begun again.
    let mut trials: Vec<Kept> = Vec::new();
    let mut begun = 0;
    // The length of a trial of the main stage, and the load that it is for.
    let mut main: Option<(f64, Length)> = None;
    let mut stopped = false;
    let outcome = loop {
        let ask = match roots.follows() {
            Next::Done(outcome) => break Some(outcome),
            Next::Run(ask) => ask,
        };
        if (eyes.watch.stop)() || (eyes.time_is_up)() {
            stopped = true;
            break None;
        }
        let mut model = model_at(ask.load).map_err(Failed::Model)?;
        let own = || Length::of_main(&model, plan.length);
        let length = match (ask.stage, main) {
            (Stage::Pilot, _) => Length::of_pilot(&model, plan.length),
            (Stage::Main | Stage::Answer, Some((load, length))) => {
                let like = match plan.is_rate {
                    true => length.for_load(ask.load / load),
                    false => length,
                };
                if ask.stage == Stage::Main
                    && ask.paths.start == 0
                    && ask.between
                    && own().is_unlike(like)
                    && roots.begin_again(ask.load)
                {
                    main = None;
                    begun += 1;
                    continue;
                }
                like
            }
            (Stage::Main | Stage::Answer, None) => {
                let length = own();
                main = Some((ask.load, length));
                length
            }
        };
        length.bound(&mut model);
        let bounds = roots.bounds();
        let number = trials.len();
        let of = ask.paths.end - ask.paths.start;
        let ended = run(&model, &ask, plan.threads, eyes, &mut |paths| {
            see(Reached {
                trials: number,
                load: ask.load,
                paths: [paths, of],
                bounds,
            });
        })?;
        let Some(paths) = ended else {
            stopped = true;
            break None;
        };
        let counted = paths.iter().map(|path| path.counted.clone()).collect();
        roots.take(&ask, counted);
        let of = (ask.stage, begun);
        let mut known = trials.iter_mut();
        match known.find(|kept| kept.of == of && kept.trial.load == ask.load) {
            Some(kept) => kept.add(&model, paths),
            None => {
                let epoch = Epoch::of(u32::try_from(number).unwrap_or(u32::MAX));
                trials.extend(Kept::new(&model, of, epoch, ask.load, paths));
            }
        }
    };
    let trials = trials.into_iter().map(|kept| kept.trial).collect();
    let interrupted = stopped && (eyes.watch.stop)();
    Ok(found(plan.axis, &roots, outcome, trials, interrupted))
}

/// Where the ceiling probably is, by what the model at the first load says of its capacity.
fn likely(model: &Model, wanted: Wanted) -> f64 {
    let constraints = constraints(model);
    let load = constraints.binding().map_or(0.0, |one| one.load());
    let likely = wanted.start * LIKELY / load;
    let [low, high] = match wanted.range {
        Some([one, other]) => [one.min(other), one.max(other)],
        None => [wanted.start / MOST_LIKELY, wanted.start * MOST_LIKELY],
    };
    if likely.is_finite() && likely > 0.0 {
        likely.clamp(low, high)
    } else {
        wanted.start.clamp(low, high)
    }
}

/// The share of the capacity at which ceilings are often found.
const LIKELY: f64 = 0.8;
/// How far from the first load the capacity of a model may be.
const MOST_LIKELY: f64 = 1e5;

/// A path that was run.
struct Path {
    counted: Vec<Counted>,
    finished: Finished,
}

/// Runs the paths of an ask; `None` when they shall stop.
fn run(
    model: &Model,
    ask: &Ask,
    threads: NonZeroUsize,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(u64),
) -> Result<Option<Vec<Path>>, Halt> {
    let first = first_path(ask.stage) + ask.paths.start;
    let job = |number: u64, unwanted: &AtomicBool| {
        let mut path = model.clone();
        path.seed = seed_of(model.seed, first + number);
        let stop =
            || (eyes.watch.stop)() || (eyes.time_is_up)() || unwanted.load(Ordering::Relaxed);
        run_path(&path, &stop, eyes.watch.most_present)
    };
    let mut paths = Vec::new();
    let mut halted = None;
    let mut stopped = false;
    let of = ask.paths.end - ask.paths.start;
    in_order(of, threads, job, |number, path| match path {
        Ok(Some(path)) => {
            paths.push(path);
            see(number + 1);
            Flow::GoOn
        }
        Ok(None) => {
            stopped = true;
            Flow::Stop
        }
        Err(halt) => {
            halted = Some(halt);
            Flow::Stop
        }
    });
    match halted {
        Some(halt) => Err(halt),
        None => Ok((!stopped).then_some(paths)),
    }
}

/// Runs one path, until its load is over or so many samples are over a limit that the rest does not matter.
fn run_path(
    model: &Model,
    stop: &dyn Fn() -> bool,
    most_present: u64,
) -> Result<Option<Path>, Halt> {
    let mut simulation = Simulation::new(model, Measure::new(model));
    while simulation.advance(STRIDE)? == Progress::Running {
        let present = simulation.present() as u64;
        if stop() {
            return Ok(None);
        }
        let hopeless = present > most_present
            || signals(model, simulation.sink())
                .iter()
                .any(|signal| Counted::of(signal).is_hopeless());
        if hopeless {
            simulation.interrupt();
        }
    }
    let (events, intended) = (simulation.events(), simulation.intended());
    let ended_by = simulation.load_end().unwrap_or(LoadEnd::Idle);
    let simulated = simulation.now().since(Time::ZERO);
    let mut measure = simulation.into_sink();
    measure.finish(intended)?;
    Ok(Some(Path {
        counted: signals(model, &measure).iter().map(Counted::of).collect(),
        finished: Finished {
            measure,
            ended_by,
            intended,
            events,
            simulated,
        },
    }))
}

fn signals(model: &Model, measure: &Measure) -> Vec<Signal> {
    let evidence = evidence(model, measure, false, &LiveEvidence::default());
    evidence.map_or(Vec::new(), |evidence| evidence.signals)
}

/// A trial that may still get more paths.
struct Kept {
    of: (Stage, u64),
    trial: Trial,
    parts: Vec<Parts>,
}

impl Kept {
    /// A trial of these paths; `None` without one.
    fn new(
        model: &Model,
        of: (Stage, u64),
        epoch: Epoch,
        load: f64,
        paths: Vec<Path>,
    ) -> Option<Kept> {
        let mut paths = paths.into_iter();
        let first = paths.next()?.finished;
        let mut parts = Vec::new();
        add_path(&mut parts, &first.measure);
        let ran = Ran {
            epoch,
            measure: first.measure,
            ended_by: first.ended_by,
            ended_at: Time::ZERO + first.simulated,
            intended: first.intended,
            late_of_earlier: 0,
            evidence: LiveEvidence::default(),
        };
        let trial = Trial {
            load,
            paths: 1,
            judged: judged_by(model, &ran.measure, &parts),
            ran,
        };
        let mut kept = Kept { of, trial, parts };
        kept.add(model, paths.collect());
        Some(kept)
    }

    /// Adds paths.
    fn add(&mut self, model: &Model, paths: Vec<Path>) {
        let Kept { trial, parts, .. } = self;
        for Path { finished, .. } in paths {
            add_path(parts, &finished.measure);
            trial.ran.measure.merge(&finished.measure);
            trial.ran.intended += finished.intended;
            trial.ran.ended_at += finished.simulated;
            trial.paths += 1;
        }
        trial.judged = judged_by(model, &trial.ran.measure, parts);
    }
}

fn judged_by(model: &Model, measure: &Measure, parts: &[Parts]) -> Judged {
    let evidence = evidence(model, measure, false, &LiveEvidence::default());
    judged(&evidence.unwrap_or_default(), parts, Look::FIRST)
}

fn found(
    axis: Axis,
    roots: &Roots,
    outcome: Option<Outcome>,
    trials: Vec<Trial>,
    interrupted: bool,
) -> Found {
    let [lower, upper] = roots.bounds();
    let contributions = match &outcome {
        Some(Outcome::Root { estimate, .. }) => estimate.contributions.clone(),
        _ => Vec::new(),
    };
    let ended = match outcome {
        Some(Outcome::Root {
            answer,
            estimate,
            cliff,
            precise,
        }) => Ended::Ceiling(Ceiling {
            load: answer,
            interval: Some(axis.loads(estimate.interval)),
            cliff: cliff.map(|cliff| axis.loads(cliff)),
            precise,
        }),
        Some(Outcome::AtLeast(load)) => Ended::AtLeast(load, AtLeast::EndOfRange),
        Some(Outcome::NonePassed(_)) => Ended::NonePassed,
        Some(Outcome::Unclear) => Ended::Undecided(vec![
            "The objectives are neither kept nor missed in an order that a ceiling could be told from; give a narrower \
             range with --search."
                .to_owned(),
        ]),
        None => Ended::Undecided(vec![match interrupted {
            true => "The search was interrupted.".to_owned(),
            false => "The time limit was reached; raise --time-limit, or lower the precision.".to_owned(),
        }]),
    };
    Found {
        ended,
        lower,
        upper,
        trials,
        contributions,
        interrupted,
    }
}
