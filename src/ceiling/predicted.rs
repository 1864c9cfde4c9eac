//! The model of a spec beside a live search: its curve before the search, each trial after it ran, and changes that may raise
//! the ceiling.

use std::time::{Duration, Instant};

use blis_sim::model::{Model, Path};
use blis_sim::result::{Bottleneck, PredictedResult, PredictionResult, RemedyResult, TrialResult};
use blis_sim::search::Eyes;
use blis_sim::search::length::Length;
use blis_sim::search::simulated::{Alone, Plan, Reached, search, trial};
use blis_sim::search::{Ceiling, Found, Trial};
use blis_sim::spec::Assignment;
use blis_sim::spec::error::shown;

use super::document::Tried;
use super::plan::sought;
use super::simulated::{documents, eyes, plan};
use super::slow::slow;
use super::varied::Varied;
use super::{check_remedies, failed_remedies, remedies};
use crate::cli::TrialArgs;
use crate::exit::Failure;
use crate::simulate;

/// The half-width of the interval of a predicted ceiling as a share of it: nearer than a live trial comes.
const PRECISION: f64 = 0.01;
/// How long a prediction may take: about as long as a trial, and of a time limit no more than this share.
const LONGEST: Duration = Duration::from_secs(30);
const SHARE: u32 = 4;
/// How long the model may take for a trial that has run: as long as the pause after it is.
pub const LONGEST_TRIAL: Duration = Duration::from_secs(5);
/// Along how many paths it is run, and how many requests are enough of them together.
const PATHS: u64 = 10;
const ENOUGH: u64 = 500_000;

/// The model of a spec that is searched live.
#[derive(Debug)]
pub struct TheModel {
    varied: Varied<Path>,
    threads: Option<u64>,
}

/// What its simulation found.
#[derive(Debug)]
pub struct Prediction {
    found: Found,
    tried: Vec<Tried>,
    plan: Plan,
}

impl TheModel {
    /// That of a spec as it is written, or why there is none, in a sentence that says what would help.
    pub fn of(
        varied: &Varied<Option<Path>>,
        written: &Model<Option<Path>>,
        args: &TrialArgs,
    ) -> Result<TheModel, String> {
        let nothing_known = |why: &str| format!("the backend is not known: {why}");
        let varied = varied.simulated(written).map_err(|missing| {
            let name = shown(&missing.0);
            nothing_known(&format!(
                "action {name} has no path; give a spec with actions.{name}.path (--spec)"
            ))
        })?;
        Ok(TheModel {
            varied,
            threads: args.threads,
        })
    }

    /// Refuses changes that cannot be simulated.
    ///
    /// # Errors
    /// Those of [`check_remedies`].
    pub fn check(&self, asked: &[Assignment]) -> Result<(), Failure> {
        check_remedies(&self.varied, asked)
    }

    /// Simulates the curve; `None` where what is varied changes nothing in a simulation. It takes no longer than its share of
    /// a time limit.
    ///
    /// # Errors
    /// Those of [`Varied::model_at`], and of a range that is none.
    pub fn predict(
        &self,
        args: &TrialArgs,
        limit: Option<Duration>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Prediction>, Failure> {
        // How long live trials are bounds no simulated one.
        let args = TrialArgs {
            hold: None,
            longest_trial: None,
            warmup: None,
            precision: Some(PRECISION),
            ..args.clone()
        };
        let varied = &self.varied;
        let Ok(sought) = sought(&args, varied) else {
            // What is wrong with it is said of the live search.
            return Ok(None);
        };
        let ends = sought.range.unwrap_or([sought.start, 2.0 * sought.start]);
        if varied.check_simulated(&ends).is_err() {
            return Ok(None);
        }
        let began = Instant::now();
        let longest = limit.map_or(LONGEST, |limit| LONGEST.min(limit / SHARE));
        let time_is_up = || began.elapsed() >= longest;
        let stopped = || stop() || time_is_up();
        let plan = plan(varied, sought, &args, eyes(&stopped, &time_is_up).watch)?;
        let model_at = |load| varied.model_at(load);
        let found = search(&model_at, plan, eyes(stop, &time_is_up), &mut |_| ());
        // Whatever keeps the simulation from an answer keeps nobody from looking.
        let Ok(found) = found else {
            return Ok(None);
        };
        let tried = documents(varied, &found.trials, |_| ())?;
        Ok(Some(Prediction { found, tried, plan }))
    }

    /// What the model says of a live trial: run at its load, for as long. `None` where that would take long.
    pub fn says(
        &self,
        live: &Trial,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<PredictedResult>, Failure> {
        let began = Instant::now();
        let time_is_up = || began.elapsed() >= LONGEST_TRIAL;
        let length = Length::of_trial(live);
        if length.measured <= 0.0 {
            return Ok(None);
        }
        let model = self.varied.model_at(live.load)?;
        let alone = Alone {
            load: live.load,
            length,
            paths: (ENOUGH / live.ran.intended.max(1)).clamp(1, PATHS),
            threads: simulate::threads(&model, self.threads),
        };
        let Some(simulated) = trial(model, alone, eyes(stop, &time_is_up))? else {
            return Ok(None);
        };
        let tried = documents(&self.varied, std::slice::from_ref(&simulated), |_| ())?;
        let mut tried = tried.iter();
        Ok(tried
            .next()
            .map(|tried| TrialResult::of(&simulated, &tried.run).as_predicted()))
    }

    /// What would raise the ceiling; or why nothing was simulated, in a sentence.
    pub fn remedies(
        &self,
        asked: &[Assignment],
        prediction: Option<&Prediction>,
        eyes: Eyes<'_>,
        see: &mut dyn FnMut(&str, Reached),
    ) -> Result<Vec<RemedyResult>, String> {
        if (eyes.watch.stop)() {
            return Err("the search was interrupted".to_owned());
        }
        let prediction = prediction.filter(|one| one.ceiling().is_some());
        let Some(Prediction { found, plan, .. }) = prediction else {
            return Err(
                "the simulation found no ceiling to compare a change with; search the model without --url to see why"
                .to_owned(),
            );
        };
        remedies(&self.varied, asked, found, *plan, eyes, see).map_err(|why| failed_remedies(&why))
    }

    /// What was predicted, for the document.
    pub fn result(&self, prediction: &Prediction, eyes: Eyes<'_>) -> PredictionResult {
        PredictionResult {
            ceiling: prediction.ceiling().map(|ceiling| ceiling.load),
            ceiling_ci95: prediction.ceiling().and_then(|ceiling| ceiling.interval),
            trials: prediction.curve(),
            bottleneck: prediction.bottleneck(),
            slow: slow(&self.varied, &prediction.found, eyes).ok().flatten(),
        }
    }
}

impl Prediction {
    fn ceiling(&self) -> Option<&Ceiling> {
        self.found.ended.ceiling()
    }

    /// Where live trials are best begun: at the ceiling, or about where it is as far as that was found.
    pub fn load(&self) -> Option<f64> {
        // When its time is up, what is in the middle of what it knows is near enough.
        let middle = || {
            let bounds = self.found.lower.zip(self.found.upper);
            let bounds = bounds.or_else(|| apart(&self.found.trials));
            bounds.map(|(lower, upper)| (lower * upper).sqrt())
        };
        self.ceiling().map(|ceiling| ceiling.load).or_else(middle)
    }

    /// Every load that was simulated, once: where there are several trials of one, that of the most paths.
    fn curve(&self) -> Vec<PredictedResult> {
        let trials = self.found.trials.iter().zip(&self.tried);
        let trials = trials.map(|(trial, tried)| TrialResult::of(trial, &tried.run));
        let mut all: Vec<PredictedResult> = trials.map(TrialResult::as_predicted).collect();
        all.sort_by(|one, other| {
            let by_load = one.load.total_cmp(&other.load);
            by_load.then(other.paths.cmp(&one.paths))
        });
        all.dedup_by(|one, before| one.load == before.load);
        all
    }

    /// What limits the model at its ceiling.
    fn bottleneck(&self) -> Option<Bottleneck> {
        let load = self.load()?;
        let trials = self.found.trials.iter().zip(&self.tried);
        let away = |trial: &Trial| (trial.load - load).abs();
        let nearest = trials.min_by(|one, other| away(one.0).total_cmp(&away(other.0)))?;
        nearest.1.run.bottleneck.clone()
    }
}

/// The largest load whose figures keep the objectives, and the smallest above it whose figures do not, sure or not.
fn apart(trials: &[Trial]) -> Option<(f64, f64)> {
    let is_over = |trial: &&Trial| {
        let mut shares = trial.judged.shares.iter();
        shares.any(|share| share.over as f64 > share.allowed * share.samples as f64)
    };
    let kept = trials.iter().filter(|trial| !is_over(trial));
    let lower = kept.map(|trial| trial.load).max_by(f64::total_cmp)?;
    let missed = trials.iter().filter(is_over).map(|trial| trial.load);
    let upper = missed.filter(|load| *load > lower).min_by(f64::total_cmp)?;
    Some((lower, upper))
}
