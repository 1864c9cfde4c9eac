//! `blis compare`: how two runs, or two sets of runs, differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blis_sim::compare::{Blocks, Compared, Tolerances, compare};
use blis_sim::event::Outcome;
use blis_sim::time::{Span, Time};

use crate::cli::CompareArgs;
use crate::commands::present;
use crate::exit::{Done, Failure};
use crate::recorded::{Finished, Recorded};
use crate::report;

/// Compares the runs, and holds them against what is tolerated.
///
/// # Errors
/// [`Failure::Usage`] where a directory holds no run, or there is nothing to compare; [`Failure::Output`] when stdout cannot be
/// written.
pub fn execute(args: &CompareArgs) -> Result<Done, Failure> {
    let (baseline, other) = sides(args)?;
    let read = |paths: &[PathBuf]| -> Result<Vec<Compared>, Failure> {
        paths.iter().map(|path| compared(path)).collect()
    };
    let sides = [read(baseline)?, read(other)?];
    let none = Tolerances::default();
    let tolerances = args.tolerance.as_ref().unwrap_or(&none);
    let found = compare([&sides[0], &sides[1]], tolerances)
        .map_err(|why| Failure::Usage(why.to_string()))?;
    present(
        args.format.chosen(),
        || report::compare(&found),
        || found.to_json(),
    )?;
    Ok(found.verdict.map_or(Done::Well, Done::Judged))
}

/// The runs of either side.
fn sides(args: &CompareArgs) -> Result<(&[PathBuf], &[PathBuf]), Failure> {
    match (args.runs.as_slice(), args.against.as_slice()) {
        ([baseline, other], []) => {
            Ok((std::slice::from_ref(baseline), std::slice::from_ref(other)))
        }
        (runs, []) => Err(Failure::Usage(format!(
            "a comparison takes two runs, and {} named: `blis compare BASELINE OTHER`, or with several of each `blis compare A1 A2 \
             A3 --against B1 B2 B3`",
            match runs.len() {
                1 => "one is".to_owned(),
                runs => format!("{runs} are"),
            }
        ))),
        (runs, against) => Ok((runs, against)),
    }
}

/// A run with the response times of its record, where there is one.
fn compared(path: &Path) -> Result<Compared, Failure> {
    let recorded = Recorded::read(path, "compare")?;
    let blocks = match &recorded {
        Recorded::Ended(finished) if finished.run.record.is_some() => Some(blocks(finished)?),
        Recorded::Ended(_) | Recorded::Unfinished(_) => None,
    };
    match recorded {
        Recorded::Ended(finished) => Ok(Compared {
            name: path.display().to_string(),
            run: finished.run,
            blocks,
        }),
        Recorded::Unfinished(_) => Err(Failure::Usage(format!(
            "{} has no result: its run was interrupted, or still goes on, and how exact its figures are is not known; compare runs that \
             came to their end",
            path.display()
        ))),
    }
}

/// The response times of the answered requests of the window, by action.
fn blocks(finished: &Finished) -> Result<BTreeMap<String, Blocks>, Failure> {
    let window = &finished.run.window;
    let from = Time::ZERO + Span::from_nanos_f64(window.warmup_s * 1e9);
    let length = window.measured_s;
    let names = finished.run.actions.keys().cloned();
    let mut all: BTreeMap<String, Blocks> = names.map(|name| (name, Blocks::of(length))).collect();
    finished.each_row(|workload, row| {
        if row.outcome == Outcome::Ok
            && row.in_window
            && let Some(action) = workload.model.actions.get(row.action.index())
            && let Some(blocks) = all.get_mut(&action.name)
        {
            let after = row.intended.since(from).as_secs_f64() / length;
            blocks.add(after, row.response().as_nanos());
        }
    })?;
    Ok(all)
}
