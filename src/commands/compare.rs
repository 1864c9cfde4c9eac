//! `blis compare`: compares two runs, or two sets of runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blis_sim::compare::{Blocks, Compared, Id, OfRecord, Requests, Tolerances, compare};
use blis_sim::event::Outcome;
use blis_sim::time::{Span, Time};

use crate::cli::CompareArgs;
use crate::commands::{Of, present};
use crate::exit::{Done, Failure};
use crate::report;
use crate::runs::recorded::{Finished, Recorded};

/// Requests of a run that are kept to be paired: a few hundred megabytes of them.
const MOST_PAIRED: u64 = 5_000_000;

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
    let runs = || -> report::Sides<'_> {
        [&sides[0], &sides[1]].map(|side| side.iter().map(|one| &one.run).collect())
    };
    present(
        args.format.chosen(),
        Of::Comparison(&found),
        || report::compare(&found, &runs()),
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
            "a comparison needs two runs, but {} given; use `blis compare BASELINE OTHER`, or `blis compare A1 A2 A3 \
             --against B1 B2 B3`",
            match runs.len() {
                1 => "one is".to_owned(),
                runs => format!("{runs} are"),
            }
        ))),
        (runs, against) => Ok((runs, against)),
    }
}

/// A run with what its record has, where there is one.
fn compared(path: &Path) -> Result<Compared, Failure> {
    let recorded = Recorded::read(path, "compare")?;
    match recorded {
        Recorded::Ended(finished) => Ok(Compared {
            name: path.display().to_string(),
            record: match finished.run.record.is_some() {
                true => Some(of_record(&finished)?),
                false => None,
            },
            run: finished.run,
        }),
        Recorded::Unfinished(_) => Err(Failure::Usage(format!(
            "{} has no result: its run was interrupted or is still going on; compare completed runs",
            path.display()
        ))),
    }
}

/// The requests of the window, by action.
fn of_record(finished: &Finished) -> Result<BTreeMap<String, OfRecord>, Failure> {
    let window = &finished.run.window;
    let from = Time::ZERO + Span::from_nanos_f64(window.warmup_s * 1e9);
    let length = window.measured_s;
    // Those that are not kept are not paired.
    let are_kept = window.requests.intended <= MOST_PAIRED;
    let of_action = |name: &String| {
        let of = OfRecord {
            blocks: Blocks::of(length),
            requests: are_kept.then(Requests::default),
        };
        (name.clone(), of)
    };
    let mut all: BTreeMap<String, OfRecord> = finished.run.actions.keys().map(of_action).collect();
    finished.each_row(|workload, row, _| {
        let action = workload.model.actions.get(row.action.index());
        let Some(own) = action.and_then(|action| all.get_mut(&action.name)) else {
            return;
        };
        if !row.in_window {
            return;
        }
        let response = (row.outcome == Outcome::Ok).then(|| row.response().as_nanos());
        if let Some(response) = response {
            let after = row.intended.since(from).as_secs_f64() / length;
            own.blocks.add(after, response);
        }
        if let Some(requests) = &mut own.requests {
            let id = Id {
                client: row.client.0,
                user: row.user,
                number: row.number,
                attempt: row.attempt,
                intended: row.intended.since(Time::ZERO).as_nanos(),
            };
            requests.add(id, response);
        }
    })?;
    let requests = all.values_mut().filter_map(|own| own.requests.as_mut());
    requests.for_each(Requests::sort);
    Ok(all)
}
