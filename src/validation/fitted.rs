//! The model that is fitted before anything is predicted: loads that are measured for it, and the fit.
//!
//! A run in which the generator was the limit, or that tells nothing, is left out of the fit and said to be.

use std::cell::{Cell, RefCell};

use blis_live::run::ceiling::End;
use blis_sim::calibration::CalibrationResult;
use blis_sim::compare::generator_limits;
use blis_sim::model::{Model, Path};

use super::pace::{Lengths, Plan};
use super::subject::Subject;
use super::system::{Runs, System};
use crate::calibration::{Fitting, Fixed, Recording, assignments, members};
use crate::ceiling::live::{self, Given, Recorded};
use crate::ceiling::{MOST_REQUESTS, Tried, Unit, Varied, ascending};
use crate::cli::ValidateArgs;
use crate::exit::Failure;
use crate::interrupt::Interrupt;

/// The users that a model is fitted to where nobody says how many.
const USERS: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0];
/// More loads are measured where those do not tell how much the system carries, at most this many.
const MOST_MORE: usize = 3;

/// A fitted model, and the runs that it was fitted to.
pub struct Fitted {
    /// What was found.
    pub calibration: CalibrationResult,
    /// The loads that it was fitted to.
    pub loads: Vec<f64>,
    /// The spec with the values that were fitted.
    pub subject: Subject,
    /// Every run that was made for it.
    pub tried: Vec<Tried>,
    /// Runs that were left out, and why, in sentences.
    pub left_out: Vec<String>,
}

/// The loads that a model is fitted to, where one is.
///
/// # Errors
/// [`Failure::Usage`] where they are no loads, or are to be named.
pub fn loads_to_fit(
    args: &ValidateArgs,
    varied: &Varied<Option<Path>>,
) -> Result<Option<Vec<f64>>, Failure> {
    let is_wanted = args.runs.calibrate_at.is_some() || args.service.subject.is_some();
    if !is_wanted {
        return match args.runs.fix.first() {
            None => Ok(None),
            Some(_) => Err(Failure::Usage(
                "--fix has no effect without a fit; give loads to fit with --calibrate-at, or leave --fix out"
                    .to_owned(),
            )),
        };
    }
    match (&args.runs.calibrate_at, varied.unit()) {
        (Some(loads), unit) => ascending("--calibrate-at", loads, unit).map(Some),
        (None, Unit::Whole) => Ok(Some(USERS.to_vec())),
        (None, _) => Err(Failure::Usage(
            "--subject with --rate needs loads to fit; give some, such as --calibrate-at 50,100,200, or vary users with \
             --over concurrency"
                .to_owned(),
        )),
    }
}

/// What a fit needs beside its loads.
pub struct Field<'a> {
    /// The flags.
    pub args: &'a ValidateArgs,
    /// The spec to be fitted, which may say nothing of the backend, and its model.
    pub subject: &'a Subject,
    /// See `subject`.
    pub written: &'a Model<Option<Path>>,
    /// The same at any load.
    pub varied: &'a Varied<Option<Path>>,
    /// How long runs are.
    pub plan: Plan,
    /// As it comes to this.
    pub lengths: Lengths,
    /// How many loads are predicted afterwards.
    pub loads: usize,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
    /// Is told what is done.
    pub say: &'a dyn Fn(&str),
}

/// Measures loads and fits the model to them; where nobody named the loads, further ones for as long as they would tell how much the
/// system carries. `None` where it was interrupted, or the connections were lost.
///
/// # Errors
/// Those of [`System::run`] and [`Fitting::fit`]; [`Failure::Usage`] where no run tells anything.
pub fn fitted(of: &Field<'_>, system: &System, loads: &[f64]) -> Result<Option<Fitted>, Failure> {
    let mut subject = of.subject.with_backend(of.written, None)?;
    let mut variations = subject.to_fit()?;
    let model = variations.model(&variations.spec(&[])?)?;
    let fixed = Fixed {
        named: &of.args.runs.fix,
        set: &of.args.values.set,
    };
    fixed.check(&model)?;
    let mut kept = Kept::default();
    let mut next = loads.to_vec();
    loop {
        if !kept.measure(of, system, &model, &next)? {
            return Ok(None);
        }
        if kept.members.is_some() {
            subject = of.subject.with_backend(of.written, kept.members)?;
            variations = subject.to_fit()?;
        }
        let fitting = Fitting {
            variations: &variations,
            runs: &kept.runs,
            fixed,
            threads: None,
            plans: of.args.runs.calibrate_at.is_none(),
            has_members: kept.members.is_some(),
            interrupt: of.interrupt,
            deadline: of.plan.end_of_fit(of.loads),
            say: of.say,
        };
        let Some(fit) = fitting.fit()? else {
            return Ok(None);
        };
        for line in &fit.document.findings {
            (of.say)(line);
        }
        let further = further_load(&fit.document, &kept.asked);
        let further = further.filter(|load| {
            let is_sendable = live::check(of.varied, *load).is_ok();
            kept.asked.len() < loads.len() + MOST_MORE
                && is_sendable
                && of.plan.has_room(of.lengths, of.loads)
        });
        let Some(load) = further else {
            return Ok(Some(Fitted {
                subject: subject.with(assignments(&fit.assignments)?),
                calibration: fit.document,
                loads: kept.loads,
                tried: kept.tried,
                left_out: kept.left_out,
            }));
        };
        let shown = of.varied.unit().shown(load);
        (of.say)(&format!(
            "the runs do not determine the capacity of the system: measuring {shown}, too, and fitting the model again"
        ));
        next = vec![load];
    }
}

/// The load that tells most, where the runs do not tell what the system carries. One that was measured already tells no more.
fn further_load(found: &CalibrationResult, measured: &[f64]) -> Option<f64> {
    let capacity = found.follows.iter().find(|one| one.name == "capacity")?;
    if capacity.told {
        return None;
    }
    let loads = found.next_loads.iter().map(|one| one.load.round());
    loads.clone().find(|load| !measured.contains(load))
}

/// What was measured so far.
#[derive(Default)]
struct Kept {
    runs: Vec<Recording>,
    /// The loads of these.
    loads: Vec<f64>,
    /// All loads that were to be measured.
    asked: Vec<f64>,
    tried: Vec<Tried>,
    left_out: Vec<String>,
    /// How many members instances say that there are, where the spec says nothing of the backend.
    members: Option<u64>,
}

impl Kept {
    /// Measures loads once each; whether that was completed.
    fn measure(
        &mut self,
        of: &Field<'_>,
        system: &System,
        model: &Model,
        loads: &[f64],
    ) -> Result<bool, Failure> {
        let recorded = RefCell::new(Vec::new());
        let said = Cell::new(self.members);
        let keep = |trial: Recorded| {
            said.set(said.get().or(members(&trial.run, of.written)));
            let load = trial.load;
            let recording = recording(of, model, trial);
            recorded.borrow_mut().push((load, recording));
        };
        let runs = Runs {
            varied: of.varied,
            loads: Given::in_turns(loads, 1),
            pace: of.plan.pace(of.lengths),
            time_limit: of.plan.left(),
            before: self.tried.len(),
            recorded: Some(&keep),
            quiet: of.args.progress.quiet,
        };
        let through = system.run(runs, of.interrupt)?;
        self.members = said.get();
        let untried = loads.iter().skip(through.trials.len());
        self.asked.extend(loads);
        self.tried.extend(through.tried);
        match through.end {
            End::Failed(why) => return Err(why),
            End::Lost => {
                return Err(Failure::Connect(
                    "the connection to the server was lost for more than 10 s before a model was fitted; check the \
                     server, and validate again"
                        .to_owned(),
                ));
            }
            End::Interrupted => return Ok(false),
            End::Enough | End::TimeIsUp => {}
        }
        let shown = |load: &f64| of.varied.unit().shown(*load);
        self.left_out.extend(untried.map(|load| {
            format!(
                "{} {} is left out of the fit: --time-limit ended before it was measured",
                of.varied.name(),
                shown(load)
            )
        }));
        for (load, one) in recorded.into_inner() {
            match one {
                Ok(run) => {
                    self.runs.push(run);
                    self.loads.push(load);
                }
                Err(why) => {
                    (of.say)(&why);
                    self.left_out.push(why);
                }
            }
        }
        match (self.runs.is_empty(), self.left_out.last()) {
            (false, _) => Ok(true),
            (true, why) => Err(Failure::Usage(format!(
                "no run is left to fit: {}",
                why.map_or("--time-limit ended before one was made", String::as_str)
            ))),
        }
    }
}

/// A run to fit to, or why it is none.
fn recording(of: &Field<'_>, model: &Model, trial: Recorded) -> Result<Recording, String> {
    let load = of.varied.unit().shown(trial.load);
    let name = format!("{} {load}", of.varied.name());
    if let Some(limit) = generator_limits(&trial.run).first() {
        return Err(format!(
            "{name} is left out of the fit: the generator was the limit: {}",
            limit.trim()
        ));
    }
    if let Some(why) = trial.disturbed_by.first() {
        return Err(format!("{name} is left out of the fit: {why}"));
    }
    let Some(rows) = trial.rows else {
        return Err(format!(
            "{name} is left out of the fit: it has more than {MOST_REQUESTS} requests; shorten the runs (--hold)"
        ));
    };
    let recording = Recording::of(name, model, &trial.workload, (&trial.run, rows));
    recording.map_err(|why| format!("left out of the fit: {why}"))
}
