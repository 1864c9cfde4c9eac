//! The search in the simulated world: runs the sample paths that [`Roots`] asks for, on all cores.

use std::num::NonZeroUsize;

use crate::analysis::constraints;
use crate::model::Model;
use crate::replication::Halt;
use crate::search::eyes::{Counts, Eyes};
use crate::search::length::{Given, Length};
use crate::search::paths::{self, Kind, Trials};
use crate::search::roots::{Ask, Next, Outcome, Roots, Stage, Wanted};
use crate::search::{AtLeast, Axis, Ceiling, Ended, Found, Trial};

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
    /// On this many threads.
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

/// Why a search has no result.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// There is no model of a load.
    #[error("{0}")]
    Model(E),
    /// A run was not completed.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// What was found for one choice of objectives.
#[derive(Debug, Clone)]
pub struct Tier {
    /// How its search ended.
    pub ended: Ended,
    /// The largest load that kept these objectives below all that missed them.
    pub lower: Option<f64>,
    /// The smallest load that missed them.
    pub upper: Option<f64>,
    /// What each path contributes to the ceiling, as [`Found::contributions`].
    pub contributions: Vec<f64>,
}

impl Tier {
    /// The same as of its own search, in these trials.
    pub fn found(self, trials: Vec<Trial>, interrupted: bool) -> Found {
        Found {
            ended: self.ended,
            lower: self.lower,
            upper: self.upper,
            contributions: self.contributions,
            trials,
            interrupted,
        }
    }
}

/// What was found for several choices of objectives.
#[derive(Debug, Clone)]
pub struct Tiers {
    /// In the order of the choices; fewer where the search was stopped.
    pub tiers: Vec<Tier>,
    /// Every trial, in the order in which they began.
    pub trials: Vec<Trial>,
    /// Whether it was stopped from outside before its end.
    pub interrupted: bool,
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
    let found = search_tiers(model_at, plan, &[&|_| true], eyes, see)?;
    let mut tiers = found.tiers.into_iter();
    let tier = tiers.next().unwrap_or_else(|| Tier {
        ended: stopped(found.interrupted),
        lower: None,
        upper: None,
        contributions: Vec::new(),
    });
    Ok(tier.found(found.trials, found.interrupted))
}

/// Searches the ceiling for several choices of objectives, the loosest last. What was simulated for one is not simulated again
/// for another. Trials are judged by the last.
///
/// # Errors
/// Whatever keeps a trial from running.
pub fn search_tiers<E>(
    model_at: &dyn Fn(f64) -> Result<Model, E>,
    mut plan: Plan,
    tiers: &[Counts<'_>],
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(Reached),
) -> Result<Tiers, Failed<E>> {
    if plan.is_load {
        let first = model_at(plan.wanted.start).map_err(Failed::Model)?;
        plan.wanted.start = likely(&first, plan.wanted);
        plan.wanted.range = plan.wanted.range.or_else(|| {
            let load = constraints(&first).binding()?.load();
            // What is not kept where hardly anything is busy is kept nowhere.
            let start = plan.wanted.start;
            (load > 0.0).then_some([start / EASIEST, start * HARDEST])
        });
    }
    // The last choice is the loosest.
    let judged_by: Counts<'_> = tiers.last().copied().unwrap_or(&|_| true);
    let mut trials = Trials::new(judged_by);
    let mut found = Vec::with_capacity(tiers.len());
    let mut interrupted = false;
    for counts in tiers {
        let mut searching = Searching {
            model_at,
            plan,
            eyes,
            counts: *counts,
            roots: Roots::new(plan.axis, plan.wanted),
            main: None,
        };
        searching.remember(&trials);
        let outcome = searching.run(&mut trials, see)?;
        interrupted = outcome.is_none() && (eyes.watch.stop)();
        let is_stopped = outcome.is_none();
        found.push(tier(plan.axis, &searching.roots, outcome, interrupted));
        if is_stopped {
            break;
        }
    }
    Ok(Tiers {
        tiers: found,
        trials: trials.into_trials(),
        interrupted,
    })
}

/// A load to be simulated on its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alone {
    /// The load, in the unit of what is varied.
    pub load: f64,
    /// How long it is run.
    pub length: Length,
    /// Along this many sample paths, which no search runs.
    pub paths: u64,
    /// On this many threads.
    pub threads: NonZeroUsize,
}

/// Simulates a load on its own, of which this is the model; `None` when it is told to stop.
///
/// # Errors
/// Whatever keeps a path from running.
pub fn trial(mut model: Model, alone: Alone, eyes: Eyes<'_>) -> Result<Option<Trial>, Halt> {
    alone.length.bound(&mut model);
    let wanted = paths::Wanted {
        stage: Stage::Answer,
        numbers: 0..alone.paths,
        threads: alone.threads,
        // A path that nobody judges runs to its end, however much is over the limits.
        counts: &|_| false,
    };
    let Some(ran) = paths::run(&model, &wanted, eyes, &mut |_| ())? else {
        return Ok(None);
    };
    let kind = Kind {
        stage: Stage::Answer,
        load: alone.load,
        length: alone.length,
    };
    let mut trials = Trials::new(&|_| true);
    trials.add(&model, kind, 0, ran);
    Ok(trials.into_trials().pop())
}

/// A search for one choice of objectives.
struct Searching<'a, E> {
    model_at: &'a dyn Fn(f64) -> Result<Model, E>,
    plan: Plan,
    eyes: Eyes<'a>,
    counts: Counts<'a>,
    roots: Roots,
    /// The length of a trial of the main stage, and the load that it is for.
    main: Option<(f64, Length)>,
}

impl<E> Searching<'_, E> {
    /// Takes what the pilots of other searches counted.
    fn remember(&mut self, trials: &Trials<'_>) {
        for (load, counted) in trials.pilots(self.counts) {
            let ask = Ask {
                load,
                stage: Stage::Pilot,
                paths: 0..counted.len() as u64,
                between: false,
            };
            self.roots.take(&ask, counted);
        }
    }

    /// Runs what the search asks for until its end; `None` when it is told to stop before.
    fn run(
        &mut self,
        trials: &mut Trials<'_>,
        see: &mut dyn FnMut(Reached),
    ) -> Result<Option<Outcome>, Failed<E>> {
        loop {
            let ask = match self.roots.follows() {
                Next::Done(outcome) => return Ok(Some(outcome)),
                Next::Run(ask) => ask,
            };
            if (self.eyes.watch.stop)() || (self.eyes.time_is_up)() {
                return Ok(None);
            }
            let mut model = (self.model_at)(ask.load).map_err(Failed::Model)?;
            let Some(length) = self.length(&model, &ask) else {
                continue;
            };
            length.bound(&mut model);
            if !self.simulate(&model, &ask, length, trials, see)? {
                return Ok(None);
            }
        }
    }

    /// How long the paths of an ask are; `None` where those of the main stage begin again with another length.
    fn length(&mut self, model: &Model, ask: &Ask) -> Option<Length> {
        let given = self.plan.length;
        if ask.stage == Stage::Pilot {
            return Some(Length::of_pilot(model, given));
        }
        let own = Length::of_main(model, given);
        let Some((load, length)) = self.main else {
            self.main = Some((ask.load, own));
            return Some(own);
        };
        let like = match self.plan.is_rate {
            true => length.for_load(ask.load / load),
            false => length,
        };
        let is_new = ask.stage == Stage::Main && ask.paths.start == 0 && ask.between;
        if is_new && own.is_unlike(like) && self.roots.begin_again(ask.load) {
            self.main = None;
            return None;
        }
        Some(like)
    }

    /// Runs the paths of an ask, but for those that were run before; false when they are told to stop.
    fn simulate(
        &mut self,
        model: &Model,
        ask: &Ask,
        length: Length,
        trials: &mut Trials<'_>,
        see: &mut dyn FnMut(Reached),
    ) -> Result<bool, Halt> {
        let kind = Kind {
            stage: ask.stage,
            load: ask.load,
            length,
        };
        let mut counted = trials.counted(kind, ask.paths.clone(), self.counts);
        let known = counted.len() as u64;
        let of = ask.paths.end - ask.paths.start;
        let (number, bounds) = (trials.number(), self.roots.bounds());
        if known < of {
            let wanted = paths::Wanted {
                stage: ask.stage,
                numbers: ask.paths.start + known..ask.paths.end,
                threads: self.plan.threads,
                counts: self.counts,
            };
            let ran = paths::run(model, &wanted, self.eyes, &mut |paths| {
                see(Reached {
                    trials: number,
                    load: ask.load,
                    paths: [known + paths, of],
                    bounds,
                });
            })?;
            let Some(ran) = ran else {
                return Ok(false);
            };
            counted.extend(ran.iter().map(|path| path.counted(self.counts)));
            trials.add(model, kind, ask.paths.start + known, ran);
        }
        self.roots.take(ask, counted);
        Ok(true)
    }
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

/// By what the load to begin with is divided and multiplied for the ends of a range that nobody gives, where the capacity is
/// known: refusals and errors may keep objectives far beyond it.
const EASIEST: f64 = 1e3;
const HARDEST: f64 = 1e6;
/// The share of the capacity at which ceilings are often found.
const LIKELY: f64 = 0.8;
/// How far from the first load the capacity of a model may be.
const MOST_LIKELY: f64 = 1e5;

fn tier(axis: Axis, roots: &Roots, outcome: Option<Outcome>, interrupted: bool) -> Tier {
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
            "The objectives are met and missed in no order that gives a ceiling; give a narrower range with --search."
                .to_owned(),
        ]),
        None => stopped(interrupted),
    };
    Tier {
        ended,
        lower,
        upper,
        contributions,
    }
}

/// How a search ended that was stopped.
fn stopped(interrupted: bool) -> Ended {
    Ended::Undecided(vec![match interrupted {
        true => "The search was interrupted.".to_owned(),
        false => {
            "The time limit was reached; raise --time-limit, or lower the precision, such as --precision 5%.".to_owned()
        }
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::Watch;
    use crate::spec;
    use crate::time::{Span, Time};

    #[test]
    fn a_load_alone_is_as_long_as_it_is_asked_to_be_however_much_is_over_the_limits() {
        let text = "{blis: 1, name: alone, run: {horizon: 9s}, clients: {users: {rate: 400/s, do: ask}}, actions: {ask: {path: \
                    [{visit: api}, reply], slo: {p90: 100ms}}}, services: {api: {workers: 4, time: 20ms}}}";
        let model = spec::lower(&spec::read(text).expect("it reads")).expect("it lowers");
        let alone = Alone {
            load: 400.0,
            length: Length {
                warmup: 1.0,
                measured: 20.0,
            },
            paths: 3,
            threads: NonZeroUsize::MIN,
        };
        let stopped = |stop, length| {
            let eyes = Eyes {
                watch: Watch {
                    stop: &move || stop,
                    most_present: u64::MAX,
                },
                time_is_up: &|| false,
            };
            trial(model.model.clone(), Alone { length, ..alone }, eyes).expect("it runs")
        };
        let trial = stopped(false, alone.length).expect("a trial");
        let measure = &trial.ran.measure;
        assert_eq!((trial.load, trial.paths), (400.0, 3));
        assert_eq!(
            measure.warmup(),
            Time::ZERO + Span::from_nanos(1_000_000_000)
        );
        assert_eq!(measure.measured(), Span::from_nanos(60_000_000_000));
        // Of twice what the workers can do half is answered, at the end after 10 s.
        let slowest = measure.total().window.latencies;
        let slowest = slowest.response().quantile(1.0).expect("a time");
        assert!(slowest > Span::from_nanos(15_000_000_000), "{slowest:?}");
        assert_eq!(trial.judged.status, crate::verdict::Status::Trip);
        // Whether it is told to stop is looked at now and then.
        let long = Length {
            measured: 500.0,
            ..alone.length
        };
        assert!(stopped(true, long).is_none());
    }
}
