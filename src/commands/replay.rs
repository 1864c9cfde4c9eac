//! `blis replay`: replays the requests of a recorded run through a model.

use blis_sim::result;
use blis_sim::spec::error::shown;
use blis_sim::spec::{Assignment, Setting};
use blis_sim::users::Script;
use clap::ValueEnum as _;

use crate::cli::{ClientArgs, OfVisits, OverrideArgs, ReplayArgs, ReplayAs};
use crate::commands::{deliver, first_failure};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::runs::directory::RunDirectory;
use crate::runs::names::SPEC;
use crate::runs::recorded::Recorded;
use crate::runs::recorded_visits::{self, Wanted};
use crate::runs::replayed::{Requests, arrive_as, behave_as, in_the_terms_of, requests};
use crate::runs::trace_file::TraceFile;
use crate::runs::trace_rows::Rows;
use crate::simulate::{Scripted, replay};
use crate::workload::{self, LiveWorkload, Workload};

/// Replays the run and reports it as one that was simulated.
///
/// # Errors
/// [`Failure::Usage`] where the directory holds no record of a run that was completed, or the model does not have its clients and
/// actions; those of [`workload::load`]; [`Failure::Output`] when the result cannot be written.
pub fn execute(args: &ReplayArgs) -> Result<Done, Failure> {
    let recorded = Recorded::read(&args.run, "replay")?;
    let Recorded::Ended(finished) = &recorded else {
        return Err(Failure::Usage(format!(
            "{} has no result: its run was interrupted or is still going on; replay a completed run",
            args.run.display()
        )));
    };
    let wanted = wanted(args, recorded.is_live())?;
    let (of_run, requests) = requests(finished, wanted.is_some())?;
    let overrides = args.overrides.judged_by(&args.objectives);
    refuse_users(&overrides, args.replay_as)?;
    if let Some(wanted) = wanted {
        refuse_draws(&overrides, wanted)?;
    }
    let own = args.run.join(SPEC);
    let file = args.spec.as_ref().unwrap_or(&own);
    let mut workload = workload::load(Some(file), &ClientArgs::default(), &overrides)?;
    if let Some(recorded) = setting(&args.recorded) {
        workload.configuration.insert(RECORDED.to_owned(), recorded);
    }
    let limits = &mut workload.model.limits;
    if std::mem::take(&mut limits.find_warmup) {
        // That of the run was found, too.
        limits.warmup = of_run.model.limits.warmup;
    }
    let recorded_requests = requests.rows.len() as u64;
    let scripted = match args.replay_as {
        ReplayAs::Recorded => Some(scripted(&mut workload, &of_run, requests, wanted)?),
        ReplayAs::Closed => {
            let rows = in_the_terms_of(&workload.model, &of_run, requests.rows)?;
            arrive_as(&mut workload.model, &rows)?;
            None
        }
    };
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.keep.force)?),
        None => None,
    };
    let mut trace = TraceFile::asked(&args.keep, &workload, Rows::new)?;
    let is_script = scripted.is_some();
    let mut progress = RunProgress::new(args.progress.quiet);
    let seen = (&Interrupt::listen()?, &mut progress);
    let (run, sent) = replay(&workload, scripted, seen, trace.as_mut())?;
    let [kept, printed] = deliver(&workload, &run, &args.format, |contents| match directory {
        Some(directory) => directory.write(contents),
        None => Ok(()),
    })?;
    let traced = trace.map_or(Ok(()), |trace| trace.close().map(drop));
    first_failure([kept, printed, traced])?;
    if is_script && sent < recorded_requests {
        tell(&format!(
            "blis: {} of {recorded_requests} recorded requests were not sent: they are beyond the horizon or the budget \
             of the spec\n",
            recorded_requests - sent
        ));
    }
    Ok(match &run.verdict {
        _ if run.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

/// The entry of the configuration that says what was recorded and not drawn.
const RECORDED: &str = "replay.recorded";

/// Its value, where there is one.
fn setting(recorded: &[OfVisits]) -> Option<Setting> {
    let all = OfVisits::value_variants().iter();
    let named: Vec<String> = all
        .filter(|one| recorded.contains(one))
        .filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned()))
        .collect();
    (!named.is_empty()).then(|| Setting {
        value: named.join(","),
        source: "--recorded".to_owned(),
    })
}

/// What of visits is used as it was recorded, if anything is.
fn wanted(args: &ReplayArgs, is_live: bool) -> Result<Option<Wanted>, Failure> {
    if args.recorded.is_empty() {
        return Ok(None);
    }
    if args.replay_as != ReplayAs::Recorded {
        return Err(Failure::Usage(
            "--recorded needs --as recorded, because closed-loop users may send other requests; leave out --as closed"
                .to_owned(),
        ));
    }
    if !is_live {
        return Err(Failure::Usage(format!(
            "{} is a simulated run without Blis-Member and Blis-Service-Time-Ns headers; leave out --recorded: a replay \
             with its seed draws the same members and service times",
            args.run.display()
        )));
    }
    Ok(Some(Wanted {
        members: args.recorded.contains(&OfVisits::Member),
        times: args.recorded.contains(&OfVisits::Service),
    }))
}

/// The requests of a record as the model is sent them.
fn scripted(
    workload: &mut Workload,
    of_run: &LiveWorkload,
    requests: Requests,
    wanted: Option<Wanted>,
) -> Result<Scripted, Failure> {
    let Requests { rows, headers } = requests;
    let rows = in_the_terms_of(&workload.model, of_run, rows)?;
    behave_as(&mut workload.model, of_run);
    let script = Script::new(&rows, workload.model.clients.len());
    let script = script.map_err(|why| Failure::Usage(why.to_string()))?;
    let Some(wanted) = wanted else {
        return Ok(Scripted {
            script,
            visits: None,
        });
    };
    let told = recorded_visits::Requests {
        model: &workload.model,
        of_run: &of_run.model,
        rows: &rows,
        headers: &headers,
    };
    let (visits, without) = recorded_visits::visits(told, wanted)?;
    if without > 0 {
        tell(&format!(
            "blis: {without} of {} recorded requests have no reply that says {wanted}; the model draws theirs\n",
            rows.len()
        ));
    }
    Ok(Scripted {
        script,
        visits: Some(visits),
    })
}

/// The keys of services that say how long they take,
const OF_TIMES: [&str; 5] = [
    "time",
    "by_size",
    "slower_when_busy",
    "cold_start",
    "slow_downs",
];
/// and those that say who serves.
const OF_MEMBERS: [&str; 2] = ["members", "dispatch"];

/// What a record says of visits is not set.
fn refuse_draws(overrides: &OverrideArgs, wanted: Wanted) -> Result<(), Failure> {
    let times = OF_TIMES.iter().filter(|_| wanted.times);
    let members = OF_MEMBERS.iter().filter(|_| wanted.members);
    let times = times.map(|key| (key, OfVisits::Service));
    let mut fixed = times.chain(members.map(|key| (key, OfVisits::Member)));
    let found = fixed.find_map(|(key, of)| {
        let of_service = ["services", "*", *key];
        let mut set = overrides.values.set.iter();
        // A service as a whole is set with its times and members.
        let sets = |set: &&Assignment| set.is_within(&of_service) || set.replaces(&of_service);
        Some((set.find(sets)?, of))
    });
    let Some((set, of)) = found else {
        return Ok(());
    };
    let (what, name) = match of {
        OfVisits::Member => ("the member of each request is", "member"),
        OfVisits::Service => ("service times are", "service"),
    };
    Err(Failure::Usage(format!(
        "--set {}={} has no effect: {what} taken from the record; leave {name} out of --recorded",
        shown(set.path()),
        shown(set.value())
    )))
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
            "--set {}={} has no effect: the load is recorded; set keys of the backend{}, or simulate the spec (`blis run`)",
            shown(set.path()),
            shown(set.value()),
            match replay_as {
                ReplayAs::Recorded => ", give --as closed",
                ReplayAs::Closed => "",
            }
        ))),
    }
}
