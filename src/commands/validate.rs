//! `blis validate`: compares predictions of a model with measurements.

use blis_live::run::ceiling::End;
use blis_live::run::plan;
use blis_sim::compare::Tolerances;
use blis_sim::model::{Model, Path};
use blis_sim::validation::{About, AtLoad, Fit, Objective, ValidationResult, validate};
use blis_sim::verdict::Status;

use crate::ceiling::live::{self, Given, Through};
use crate::ceiling::{Tried, Varied, ascending, refuse_model_key};
use crate::cli::{ValidateArgs, ValidationArgs};
use crate::commands::{Of, first_failure, present, print};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::provenance::{identity, run_text};
use crate::report;
use crate::runs::trials_directory::{Kept, TrialsDirectory, VALIDATION};
use crate::target::local::Local;
use crate::validation::{
    Field, Fitted, Lengths, Plan, Runs, Subject, System, USUAL, fitted, loads_to_fit, measured,
    needs_loads, predicted, simulated, usual_loads,
};
use crate::workload::LiveWorkload;

/// More live runs of a load than anybody waits for.
const MOST_REPEATS: u64 = 1_000;

/// Fits where that is asked for, predicts, measures, and says how far prediction and measurement are apart.
///
/// # Errors
/// Those of [`Subject`], [`Varied`] and [`System`]; [`Failure::Usage`] where the spec has no model, or a key is none of the load; what keeps
/// the first run from running.
pub fn execute(args: &ValidateArgs) -> Result<Done, Failure> {
    refuse(&args.runs)?;
    let mut asked = Asked::of(args)?;
    let named = System::named(args)?;
    let interrupt = Interrupt::listen()?;
    asked.find_loads(&interrupt)?;
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    let lines = asked.lines()?;
    if args.dry_run {
        print(&format!("dry run: plan of the validation\n\n{lines}"))?;
        return Ok(Done::Well);
    }
    if args.local {
        Local::check(args.spec.file())?;
    }
    let place = args.out.as_ref();
    let place = place.map(|path| TrialsDirectory::claim(path, VALIDATION, args.force));
    let place = place.transpose()?;
    if !args.progress.quiet {
        let workload = asked.varied.as_written()?;
        asked
            .varied
            .tell_of_bounds(&workload, "--hold and --time-limit");
    }
    let say = |line: &str| {
        if !args.progress.quiet {
            tell(&format!("blis: {line}\n"));
        }
    };
    say("plan:");
    lines.lines().for_each(say);
    // Nothing is simulated in vain.
    let mut system = System::reached(named, args)?;
    let Some(fit) = asked.fit(&system, &interrupt, &say)? else {
        return Ok(Done::Interrupted);
    };
    let mut judged = Judged::of(asked, fit, &interrupt)?;
    let mut all = predicted(
        &judged.simulated,
        &judged.loads,
        judged.lengths,
        (&interrupt, args.progress.quiet),
    )?;
    for one in &all {
        say(&predicted_line(&judged.varied, one));
    }
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    judged.begin(&say);
    let through = judged.measure(&system, args.progress.quiet, &interrupt)?;
    measured(&mut all, judged.lengths, &through);
    let mut found = judged.conclude(all, &through, args.runs.tolerance.as_ref())?;
    let is_gone = system.is_gone();
    found.notes.extend(system.end());
    if is_gone {
        found.distrust("The server and the double of --local ended before the live runs: failures are not caused by the system.");
    }
    let kept = match place {
        Some(place) => judged.keep(&place, &found, &through),
        None => Ok(()),
    };
    let form = args.format.chosen();
    let printed = present(
        form,
        Of::Validation(&found),
        || report::validation(&found),
        || found.to_json(),
    );
    first_failure([kept, printed])?;
    let verdict = match found.loads.is_empty() {
        true => Some(Status::Inconclusive),
        false => found.verdict,
    };
    done(through.end, verdict)
}

/// Refuses what no validation does.
fn refuse(runs: &ValidationArgs) -> Result<(), Failure> {
    refuse_model_key(
        runs.over.as_deref(),
        "or compare variants of the model with `blis whatif`",
    )?;
    match runs.repeats > MOST_REPEATS {
        true => Err(Failure::Usage(format!(
            "--repeats {} is too many; give at most {MOST_REPEATS}",
            runs.repeats
        ))),
        false => Ok(()),
    }
}

/// What is validated, as the flags say.
struct Asked<'a> {
    args: &'a ValidateArgs,
    /// What the flags name, and its model.
    subject: Subject,
    written: Model<Option<Path>>,
    /// The spec at any load, with a backend where one is fitted.
    varied: Varied<Option<Path>>,
    plan: Plan,
    /// The loads to fit to; none where nothing is fitted.
    to_fit: Vec<f64>,
    /// The loads to predict; `None` as long as they are not known.
    loads: Option<Vec<f64>>,
}

impl<'a> Asked<'a> {
    fn of(args: &'a ValidateArgs) -> Result<Asked<'a>, Failure> {
        let subject = Subject::of(args)?;
        let mut varied = subject.varied()?;
        let written = varied.as_written()?.model;
        plan::sendable(&written).map_err(|why| Failure::Usage(why.to_string()))?;
        let to_fit = loads_to_fit(args, &varied)?;
        if to_fit.is_some() {
            varied = subject.with_backend(&written, None)?.varied()?;
        }
        let loads = args.runs.predict_at.as_deref();
        let loads = loads.map(|loads| ascending("--predict-at", loads, varied.unit()));
        let to_fit = to_fit.unwrap_or_default();
        if loads.is_none() && !to_fit.is_empty() && varied.is_key() {
            return Err(needs_loads(&varied));
        }
        Ok(Asked {
            plan: Plan::of(&args.runs, &written, to_fit.len())?,
            loads: loads.transpose()?,
            args,
            subject,
            written,
            varied,
            to_fit,
        })
    }

    /// The loads to predict, where no fit is needed to know them; all that are known can be sent.
    fn find_loads(&mut self, interrupt: &Interrupt) -> Result<(), Failure> {
        let written = self.varied.as_written()?.model;
        let simulated = simulated(&self.varied, &written)?;
        if self.to_fit.is_empty() && self.loads.is_none() {
            let loads = usual_loads(&simulated, &|| interrupt.asked());
            if interrupt.asked() {
                return Ok(());
            }
            self.loads = Some(loads?);
        }
        let known = [Some(&self.to_fit), self.loads.as_ref()].into_iter();
        for loads in known.flatten().filter(|loads| !loads.is_empty()) {
            check(&self.varied, loads)?;
        }
        self.plan.lengths(self.number()).map(drop)
    }

    /// How many loads are predicted.
    fn number(&self) -> usize {
        self.loads.as_ref().map_or(USUAL, Vec::len)
    }

    /// What is going to be done, in lines.
    fn lines(&self) -> Result<String, Failure> {
        let shown = |loads: &Vec<f64>| -> Vec<String> {
            let unit = self.varied.unit();
            loads.iter().map(|load| unit.shown(*load)).collect()
        };
        let predict = self.loads.as_ref().map(shown);
        self.plan.lines(
            self.varied.name(),
            &shown(&self.to_fit),
            predict.as_deref(),
            USUAL,
        )
    }

    /// Fits the model where that is asked for: what came of it, or nothing. `None` where it was interrupted.
    fn fit(
        &self,
        system: &System,
        interrupt: &Interrupt,
        say: &dyn Fn(&str),
    ) -> Result<Option<Option<Fitted>>, Failure> {
        if self.to_fit.is_empty() {
            return Ok(Some(None));
        }
        let field = Field {
            args: self.args,
            subject: &self.subject,
            written: &self.written,
            varied: &self.varied,
            plan: self.plan,
            lengths: self.plan.lengths(self.number())?,
            loads: self.number(),
            interrupt,
            say,
        };
        Ok(fitted(&field, system, &self.to_fit)?.map(Some))
    }
}

/// Holds where these loads can be sent.
fn check(varied: &Varied<Option<Path>>, loads: &[f64]) -> Result<(), Failure> {
    varied.check(loads)?;
    live::check(varied, loads.iter().copied().fold(0.0, f64::max))
}

/// A model that is held against what is measured.
struct Judged {
    varied: Varied<Option<Path>>,
    simulated: Varied<Path>,
    workload: LiveWorkload,
    loads: Vec<f64>,
    plan: Plan,
    /// How many live runs of each load were asked for.
    repeats: u64,
    lengths: Lengths,
    fit: Option<Fitted>,
}

impl Judged {
    /// The model of the spec, or the fitted one.
    fn of(asked: Asked<'_>, fit: Option<Fitted>, interrupt: &Interrupt) -> Result<Judged, Failure> {
        let varied = match &fit {
            Some(fit) => fit.subject.varied()?,
            None => asked.varied,
        };
        let workload = varied.as_written()?;
        let simulated = simulated(&varied, &workload.model)?;
        let loads = match asked.loads {
            Some(loads) => loads,
            None => {
                let loads = usual_loads(&simulated, &|| interrupt.asked())?;
                check(&varied, &loads)?;
                loads
            }
        };
        let (plan, lengths) = match fit {
            Some(_) => asked.plan.after_fit(loads.len()),
            None => (asked.plan, asked.plan.lengths(loads.len())?),
        };
        Ok(Judged {
            repeats: asked.args.runs.repeats,
            varied,
            simulated,
            workload,
            loads,
            plan,
            lengths,
            fit,
        })
    }

    /// Live runs begin: a time limit that no fit was part of is one for them alone, and what is left after a fit is told.
    fn begin(&mut self, say: &dyn Fn(&str)) {
        match &self.fit {
            None => self.plan = self.plan.begun_now(),
            Some(_) => say(&format!(
                "{} live runs per load, {} each",
                self.plan.repeats, self.lengths.hold
            )),
        }
    }

    fn measure(
        &self,
        system: &System,
        quiet: bool,
        interrupt: &Interrupt,
    ) -> Result<Through, Failure> {
        let runs = Runs {
            varied: &self.varied,
            loads: Given::in_turns(&self.loads, self.plan.repeats),
            pace: self.plan.pace(self.lengths),
            time_limit: self.plan.left(),
            before: self.fit.as_ref().map_or(0, |fit| fit.tried.len()),
            recorded: None,
            quiet,
        };
        system.run(runs, interrupt)
    }

    fn conclude(
        &self,
        all: Vec<AtLoad>,
        through: &Through,
        tolerances: Option<&Tolerances>,
    ) -> Result<ValidationResult, Failure> {
        let workload = &self.workload;
        let unit = self.varied.unit();
        let (objectives, others) = objectives(&workload.model);
        let about = About {
            spec: identity(workload),
            parameter: self.varied.name(),
            unit: unit.name(),
            shown: &|load| unit.shown(load),
            is_closed: self.varied.name() == "concurrency",
            lengths_s: [self.lengths.warmup, self.lengths.hold].map(|length| length.0 / 1e9),
            repeats: self.repeats,
            objectives: &objectives,
            interrupted: !matches!(through.end, End::Enough),
        };
        let none = Tolerances::default();
        let found = validate(&about, all, tolerances.unwrap_or(&none));
        let mut found = found.map_err(|why| Failure::Usage(why.to_string()))?;
        found.notes.extend(others);
        if let Some(fit) = &self.fit {
            found.fitted(
                &about,
                &Fit {
                    calibration: &fit.calibration,
                    loads: &fit.loads,
                    left_out: &fit.left_out,
                },
            );
        }
        Ok(found)
    }

    /// Keeps the document, the report, the spec with what was fitted, and every live run: those to fit to first.
    fn keep(
        &self,
        place: &TrialsDirectory,
        found: &ValidationResult,
        through: &Through,
    ) -> Result<(), Failure> {
        let to_fit = self.fit.iter().flat_map(|fit| &fit.tried);
        let tried: Vec<Tried> = to_fit.chain(&through.tried).cloned().collect();
        place.write(&Kept {
            document: &found.to_json()?,
            rows: None,
            spec: &run_text(&self.workload),
            files: &self.workload.files,
            report: &report::markdown(&report::validation(found)),
            tried: &tried,
            file: self.workload.file.as_deref(),
        })
    }
}

/// The objectives whose loads are compared, and what to say of the others.
fn objectives(model: &Model<Option<Path>>) -> (Vec<Objective>, Option<String>) {
    let mut others = false;
    let mut all = Vec::new();
    for action in &model.actions {
        others |= action.slo.errors.is_some()
            || action.slo.deliveries.is_some()
            || action.slo.overall.is_some();
        for limit in &action.slo.quantiles {
            let millis = limit.limit.as_nanos() as f64 / 1e6;
            let known = Objective::of(&action.name, limit.quantile, millis);
            others |= known.is_none();
            all.extend(known);
        }
    }
    let others = others.then(|| {
        "only objectives on p50, p95 and p99 are validated; `blis max-rps` searches the ceiling under all objectives"
            .to_owned()
    });
    (all, others)
}

/// How the command ends whose live runs ended so.
fn done(end: End<Failure>, verdict: Option<Status>) -> Result<Done, Failure> {
    match end {
        End::Failed(why) => Err(why),
        End::Lost => {
            tell(
                "blis: the connection to the server was lost for more than 10 s; the validation ended early with these runs\n",
            );
            Ok(Done::Disconnected)
        }
        End::Interrupted => Ok(Done::Interrupted),
        End::Enough | End::TimeIsUp => Ok(verdict.map_or(Done::Well, Done::Judged)),
    }
}

fn predicted_line(varied: &Varied<Option<Path>>, one: &AtLoad) -> String {
    let runs = one.predicted.iter();
    let throughput: f64 = runs.map(|run| run.run.throughput_rps.unwrap_or(0.0)).sum();
    format!(
        "predicted at {}: {:.1} ok/s, in {} simulated runs",
        varied.unit().shown(one.load),
        throughput / one.predicted.len().max(1) as f64,
        one.predicted.len()
    )
}
