//! `blis replay`: the requests of a recorded run, through a model.

use blis_sim::model::{ActionId, Arrival, ClientId, Model, Path, Recording, Source};
use blis_sim::result;
use blis_sim::spec::error::shown;
use blis_sim::time::Time;
use blis_sim::trace::Row;
use blis_sim::users::Script;

use crate::cli::{ClientArgs, OverrideArgs, ReplayArgs, ReplayAs};
use crate::commands::{deliver, first_failure};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::recorded::{Finished, Recorded};
use crate::run_directory::{RunDirectory, SPEC};
use crate::simulate::replay;
use crate::trace_file::TraceFile;
use crate::trace_rows::Rows;
use crate::workload::{self, LiveWorkload};

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

/// Users are those of the run, whatever another spec says of them: what they would have done belongs to their sessions, and says how
/// long a run has to be.
fn behave_as(model: &mut Model<Path>, of_run: &LiveWorkload) {
    for client in &mut model.clients {
        let mut known = of_run.model.clients.iter();
        if let Some(recorded) = known.find(|known| known.name == client.name) {
            client.source = recorded.source.clone();
            client.population = recorded.population;
            client.on_failure = recorded.on_failure.clone();
        }
    }
}

/// All requests of a record, in the order in which they ended.
fn rows(finished: &Finished) -> Result<(LiveWorkload, Vec<Row>), Failure> {
    let mut rows = Vec::new();
    let workload = finished.each_row(|_, row| rows.push(*row))?;
    let dropped = finished
        .run
        .record
        .as_ref()
        .map_or(0, |record| record.dropped);
    if dropped > 0 {
        tell(&format!(
            "blis: warning: {dropped} entries are missing from the record, and so are their requests from the replay\n"
        ));
    }
    Ok((workload, rows))
}

/// The same requests with the clients and actions of another model, by their names.
fn in_the_terms_of(
    model: &Model<Path>,
    of_run: &LiveWorkload,
    mut rows: Vec<Row>,
) -> Result<Vec<Row>, Failure> {
    let clients = of_run.model.clients.iter().map(|one| one.name.as_str());
    let known: Vec<&str> = model.clients.iter().map(|one| one.name.as_str()).collect();
    let clients = translated("client", clients, &known);
    let actions = of_run.model.actions.iter().map(|one| one.name.as_str());
    let known: Vec<&str> = model.actions.iter().map(|one| one.name.as_str()).collect();
    let actions = translated("action", actions, &known);
    let find = |ids: &[Result<usize, String>], at: usize| {
        match ids.get(at) {
        Some(found) => found.clone().map_err(Failure::Usage),
        None => Err(Failure::Usage(
            "the record names a client or an action that its spec does not have; restore the directory".to_owned(),
        )),
    }
    };
    for row in &mut rows {
        row.client = ClientId(find(&clients, usize::from(row.client.0))? as u16);
        row.action = ActionId(find(&actions, row.action.index())? as _);
    }
    Ok(rows)
}

/// Where each of these names stands among those that are known, or what to say where it does not.
fn translated<'a>(
    kind: &str,
    names: impl Iterator<Item = &'a str>,
    known: &[&str],
) -> Vec<Result<usize, String>> {
    let one = |name: &str| {
        known.iter().position(|one| *one == name).ok_or_else(|| {
            format!(
                "requests of the {kind} {} were recorded, and the spec has no such {kind}; its {kind}s are {}",
                shown(name),
                known.join(", ")
            )
        })
    };
    names.map(one).collect()
}

/// Lets sessions of open clients start when they did.
fn arrive_as(model: &mut Model<Path>, rows: &[Row]) -> Result<(), Failure> {
    for (at, client) in model.clients.iter_mut().enumerate() {
        let Source::Open { arrival, shape, .. } = &mut client.source else {
            // Users of closed clients begin by the model's own rule, as they did.
            continue;
        };
        if client.population.get() > 1 {
            return Err(Failure::Usage(format!(
                "the client {} is a cohort of open clients, whose sessions are numbered by member; replay it with --as recorded",
                shown(&client.name)
            )));
        }
        let first =
            |row: &&Row| usize::from(row.client.0) == at && row.number == 0 && row.attempt == 0;
        let first = rows.iter().filter(first);
        let mut first: Vec<(Time, u64, ActionId)> = first
            .map(|row| (row.intended, row.user, row.action))
            .collect();
        first.sort_unstable_by_key(|(at, user, _)| (*at, *user));
        // Where the mix decides what is sent, it does so again.
        let is_told =
            matches!(arrival, Arrival::Recorded(recording) if !recording.actions.is_empty());
        let actions = first.iter().filter(|_| is_told).map(|(.., action)| *action);
        *arrival = Arrival::Recorded(Recording {
            actions: actions.collect(),
            times: first.iter().map(|(at, ..)| *at).collect(),
        });
        *shape = None;
    }
    Ok(())
}
