//! `blis replay`: the requests of a recorded run, through a model.

use blis_sim::result;
use blis_sim::spec::error::shown;
use blis_sim::users::Script;

use crate::cli::{ClientArgs, OverrideArgs, ReplayArgs, ReplayAs};
use crate::commands::{deliver, first_failure};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::recorded::Recorded;
use crate::replayed::{arrive_as, behave_as, in_the_terms_of, rows};
use crate::run_directory::{RunDirectory, SPEC};
use crate::simulate::replay;
use crate::trace_file::TraceFile;
use crate::trace_rows::Rows;
use crate::workload;

/// Replays the run and reports it as one that was simulated.
///
/// # Errors
/// [`Failure::Usage`] where the directory holds no record of a run that came to its end, or the model does not have its clients and
/// actions; those of [`workload::load`]; [`Failure::Output`] when the result cannot be written.
pub fn execute(args: &ReplayArgs) -> Result<Done, Failure> {
    let recorded = Recorded::read(&args.run, "replay")?;
    let Recorded::Ended(finished) = &recorded else {
        return Err(Failure::Usage(format!(
            "{} has no result: its run was interrupted, or still goes on, and which requests would have come is not known; replay a \
             run that came to its end",
            args.run.display()
        )));
    };
    let (of_run, rows) = rows(finished)?;
    let overrides = args.overrides.judged_by(&args.objectives);
    refuse_users(&overrides, args.replay_as)?;
    let own = args.run.join(SPEC);
    let file = args.spec.as_ref().unwrap_or(&own);
    let mut workload = workload::load(Some(file), &ClientArgs::default(), &overrides)?;
    let limits = &mut workload.model.limits;
    if std::mem::take(&mut limits.find_warmup) {
        // That of the run was found, too.
        limits.warmup = of_run.model.limits.warmup;
    }
    let rows = in_the_terms_of(&workload.model, &of_run, rows)?;
    let recorded_requests = rows.len() as u64;
    let script = match args.replay_as {
        ReplayAs::Recorded => {
            behave_as(&mut workload.model, &of_run);
            let script = Script::new(&rows, workload.model.clients.len());
            Some(script.map_err(|why| Failure::Usage(why.to_string()))?)
        }
        ReplayAs::Closed => {
            arrive_as(&mut workload.model, &rows)?;
            None
        }
    };
    drop(rows);
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.keep.force)?),
        None => None,
    };
    let mut trace = TraceFile::asked(&args.keep, &workload, Rows::new)?;
    let is_script = script.is_some();
    let (run, sent) = replay(&workload, script, &Interrupt::listen()?, trace.as_mut())?;
    let form = args.format.chosen();
    let [kept, printed] = deliver(&workload, &run, form, |contents| match directory {
        Some(directory) => directory.write(contents),
        None => Ok(()),
    })?;
    let traced = trace.map_or(Ok(()), |trace| trace.close().map(drop));
    first_failure([kept, printed, traced])?;
    if is_script && sent < recorded_requests {
        tell(&format!(
            "blis: {} of {recorded_requests} recorded requests were not sent: they come after the horizon or the budget of the spec\n",
            recorded_requests - sent
        ));
    }
    Ok(match &run.verdict {
        _ if run.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

/// The keys of clients that say when sessions start,
const OF_ARRIVALS: [&str; 3] = ["rate", "arrival", "population"];
/// and those that say what users do then.
const OF_USERS: [&str; 5] = ["concurrency", "think", "session", "do", "on_failure"];

/// What was recorded is not set.
fn refuse_users(overrides: &OverrideArgs, replay_as: ReplayAs) -> Result<(), Failure> {
    let of_users = OF_USERS.iter().filter(|_| replay_as == ReplayAs::Recorded);
    let mut fixed = OF_ARRIVALS.iter().chain(of_users);
    let sets = |key: &&str| {
        let of_client = ["clients", "*", *key];
        overrides
            .values
            .set
            .iter()
            .find(|set| set.is_within(&of_client))
    };
    match fixed.find_map(sets) {
        None => Ok(()),
        Some(set) => Err(Failure::Usage(format!(
            "--set {}={} has no effect: who sends what when is recorded; set keys of the backend{}, or simulate the spec (`blis run`)",
            shown(set.path()),
            shown(set.value()),
            match replay_as {
                ReplayAs::Recorded => ", give --as closed for users who react",
                ReplayAs::Closed => "",
            }
        ))),
    }
}
