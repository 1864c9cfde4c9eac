//! A search from the command line to its report.

use std::path::PathBuf;
use std::time::Instant;

use blis_live::ceiling::End;
use blis_live::plan::lines as live_lines;
use blis_sim::model::Path;
use blis_sim::result::CeilingResult;
use blis_sim::search::Found;
use blis_sim::spec;
use blis_sim::time::Span;

use super::csv::CsvFile;
use super::directory::{Kept, SearchDirectory};
use super::document::{About, Tried, document};
use super::live::{self, Place};
use super::objectives;
use super::plan::{self, Plan};
use super::steps;
use super::varied::Varied;
use crate::cli::MaxRpsArgs;
use crate::exit::{Failure, tell};
use crate::interrupt::Interrupt;
use crate::live_progress;
use crate::nats_access;
use crate::progress::Progress;
use crate::report;
use crate::simulate::run_text;
use crate::workload::{Basis, Variations, Workload};

/// How a search came to its end.
#[derive(Debug)]
pub enum Ended {
    /// Nothing was run; this is what would be done.
    Planned(String),
    /// With what was found.
    Found(Box<CeilingResult>, Fate),
}

/// What became of a search besides what it found.
#[derive(Debug)]
pub enum Fate {
    /// It came to its own end, or was interrupted.
    Own,
    /// The connections were lost for good.
    Lost,
    /// A trial after the first could not be run.
    Failed(Failure),
}

/// Where results are kept.
#[derive(Debug)]
struct Places {
    csv: Option<CsvFile>,
    out: Option<SearchDirectory>,
}

impl Places {
    fn claim(args: &MaxRpsArgs) -> Result<Places, Failure> {
        let csv = |path: &PathBuf| CsvFile::claim(path, args.force);
        let out = |path: &PathBuf| SearchDirectory::claim(path, args.force);
        Ok(Places {
            csv: args.csv.as_ref().map(csv).transpose()?,
            out: args.out.as_ref().map(out).transpose()?,
        })
    }

    /// Keeps what was found; what could not be kept.
    fn keep<P>(
        &self,
        workload: &Workload<P>,
        found: &CeilingResult,
        tried: &[Tried],
    ) -> [Result<(), Failure>; 2] {
        let csv = self.csv.as_ref().map_or(Ok(()), |csv| csv.write(found));
        let out = self.out.as_ref().map_or(Ok(()), |out| {
            out.write(&Kept {
                found,
                spec: &run_text(workload),
                files: &workload.files,
                report: &report::markdown(&report::ceiling(found)),
                tried,
                file: workload.file.as_deref(),
            })
        });
        [csv, out]
    }
}

/// Searches what the flags ask for; also what of the result could not be kept.
///
/// # Errors
/// Those of [`Variations`] and [`Varied`]; [`Failure::Usage`] where flags contradict one another; what kept the first trial
/// from running.
pub fn search(
    args: &MaxRpsArgs,
    basis: Basis,
    is_live: bool,
) -> Result<(Ended, [Result<(), Failure>; 2]), Failure> {
    match is_live {
        true => over_nats(args, basis),
        false => simulated(args, basis),
    }
}

/// What is varied, and the plan.
fn prepared<P: PartialEq>(
    args: &MaxRpsArgs,
    variations: Variations<P>,
    is_live: bool,
) -> Result<(Varied<P>, Plan), Failure> {
    let trials = &args.trials;
    let values = trials.search.as_deref().or(trials.steps.as_deref());
    let example = values.and_then(|values| values.split([',', '.']).next());
    let (over, at) = (trials.over.as_deref(), trials.at.as_deref());
    let varied = Varied::of(variations, over, at, example)?;
    let plan = plan::plan(trials, &varied, is_live)?;
    varied.check(plan.loads())?;
    Ok((varied, plan))
}

/// Says once what of the spec a search does not heed.
fn tell_of_bounds<P: PartialEq>(varied: &Varied<P>, workload: &Workload<P>) {
    let given = varied.bounds_of_spec();
    // The embedded spec is nobody's who would wonder.
    if !given.is_empty() && workload.file.is_some() {
        tell(&format!(
            "blis: {} of the spec {} no trials: --hold, --longest-trial and --time-limit do\n",
            given.join(" and "),
            if given.len() == 1 { "bounds" } else { "bound" }
        ));
    }
}

/// Lines of a thing and what there is to say of it.
fn listed(first: &str, lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = lines
        .iter()
        .map(|(name, what)| format!("  {name:width$}  {}\n", blis_sim::visible::line(what)));
    format!("{first}\n\n{}", lines.collect::<String>())
}

const NOTHING_RUN: &str = "nothing is run: this is what the search would do";

fn simulated(
    args: &MaxRpsArgs,
    basis: Basis,
) -> Result<(Ended, [Result<(), Failure>; 2]), Failure> {
    let (varied, plan) = prepared(args, Variations::of(basis, spec::lower_with)?, false)?;
    let workload = varied.as_written()?;
    objectives::refuse_none(&workload.model)?;
    tell_of_bounds(&varied, &workload);
    let nothing_kept = [Ok(()), Ok(())];
    if args.dry_run {
        let lines = plan.lines(varied.name(), varied.unit(), None);
        return Ok((Ended::Planned(listed(NOTHING_RUN, &lines)), nothing_kept));
    }
    let places = Places::claim(args)?;
    let interrupt = Interrupt::listen()?;
    let (began, limit) = (Instant::now(), plan::wall(args.trials.time_limit));
    let time_is_up = || limit.is_some_and(|limit| began.elapsed() >= limit);
    let mut progress = Progress::new(workload.model.limits);
    let (found, tried) = match &plan {
        Plan::Steps(ramp) => {
            let stop = || interrupt.asked() || time_is_up();
            let see = |steps: &blis_sim::search::Steps, load| {
                if !args.quiet {
                    let (taken, number) = (steps.taken(), steps.number());
                    let left = began.elapsed().as_secs_f64() / taken.max(1) as f64
                        * (number - taken) as f64;
                    progress.show_trials(
                        taken as u64,
                        number as u64,
                        so_far(
                            &varied,
                            load,
                            [steps.lower(), steps.upper()],
                            (taken > 0).then_some(left),
                        ),
                    );
                }
            };
            steps::simulated(&varied, ramp, &stop, &time_is_up, see)?
        }
    };
    progress.finish();
    let found = Found {
        interrupted: interrupt.asked(),
        ..found
    };
    let about = About {
        varied: &varied,
        workload: &workload,
        live: false,
        with_precision: args.trials.steps.is_none(),
    };
    let document = document(&about, &found, &tried)?;
    let kept = places.keep(&workload, &document, &tried);
    Ok((Ended::Found(Box::new(document), Fate::Own), kept))
}

/// Where a search is: the load, the bounds so far, and the time that is left.
fn so_far<P: PartialEq>(
    varied: &Varied<P>,
    load: f64,
    [lower, upper]: [Option<f64>; 2],
    left: Option<f64>,
) -> String {
    let unit = varied.unit();
    let lower = lower.map_or(String::new(), |load| {
        format!(", {} passed", unit.shown(load))
    });
    let upper = upper.map_or(String::new(), |load| {
        format!(", {} missed", unit.shown(load))
    });
    let left = left.map_or(String::new(), |left| format!(", about {left:.0} s left"));
    format!("trial at {}{lower}{upper}{left}", unit.shown(load))
}

fn over_nats(
    args: &MaxRpsArgs,
    basis: Basis,
) -> Result<(Ended, [Result<(), Failure>; 2]), Failure> {
    let variations = Variations::of(basis, spec::lower_live)?;
    let (varied, plan) = prepared::<Option<Path>>(args, variations, true)?;
    let workload = varied.as_written()?;
    objectives::refuse_none(&workload.model)?;
    live::refuse_model_keys(&varied)?;
    let largest = plan.largest().or(varied.written()).unwrap_or(1.0);
    let largest = live::refuse_too_large(&varied, largest)?;
    let (target, access) = nats_access::resolve(&args.target)?;
    tell_of_bounds(&varied, &workload);
    let drain = workload.model.limits.drain;
    let mut lines = plan.lines(varied.name(), varied.unit(), Some(drain));
    if args.dry_run {
        lines.extend(live_lines(&largest, &target.names));
        let text = listed(NOTHING_RUN, &lines);
        return Ok((Ended::Planned(text), [Ok(()), Ok(())]));
    }
    let places = Places::claim(args)?;
    let interrupt = Interrupt::listen()?;
    if !args.quiet {
        for (name, what) in &lines {
            live_progress::tell(&format!("blis: {name}: {what}\n"));
        }
    }
    let place = Place {
        target: &target,
        access: &access,
        pace: plan.pace(),
        time_limit: args
            .trials
            .time_limit
            .map(|limit| Span::from_nanos_f64(limit.0)),
        quiet: args.quiet,
    };
    let (found, tried, end) = match &plan {
        Plan::Steps(ramp) => steps::live(&varied, ramp, &largest, &place, &interrupt)?,
    };
    let about = About {
        varied: &varied,
        workload: &workload,
        live: true,
        with_precision: args.trials.steps.is_none(),
    };
    let document = document(&about, &found, &tried)?;
    let kept = places.keep(&workload, &document, &tried);
    let fate = match end {
        End::Enough | End::Interrupted | End::TimeIsUp => Fate::Own,
        End::Lost => Fate::Lost,
        End::Failed(why) => Fate::Failed(why),
    };
    Ok((Ended::Found(Box::new(document), fate), kept))
}
