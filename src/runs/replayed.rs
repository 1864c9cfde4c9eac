//! The recorded users of a run, given to a model: who they are, and when their sessions start.

use blis_sim::event::ReplyHeaders;
use blis_sim::model::{ActionId, Arrival, ClientId, Model, Path, Recording, Source};
use blis_sim::spec::error::shown;
use blis_sim::time::Time;
use blis_sim::trace::Row;

use crate::exit::{Failure, tell};
use crate::runs::recorded::Finished;
use crate::workload::LiveWorkload;

/// Users are those of the run, whatever another spec says of them: what they would have done belongs to their sessions, and says how
/// long a run has to be.
pub fn behave_as(model: &mut Model<Path>, of_run: &LiveWorkload) {
    for client in &mut model.clients {
        let mut known = of_run.model.clients.iter();
        if let Some(recorded) = known.find(|known| known.name == client.name) {
            client.source = recorded.source.clone();
            client.population = recorded.population;
            client.on_failure = recorded.on_failure.clone();
        }
    }
}

/// The requests of a record, in the order in which they ended.
#[derive(Debug)]
pub struct Requests {
    /// The requests.
    pub rows: Vec<Row>,
    /// The headers of their replies; empty unless they were asked for.
    pub headers: Vec<ReplyHeaders>,
}

/// All requests of a record, with the workload that they are of, and with headers or without them.
///
/// # Errors
/// [`Failure::Usage`] where there is none, or it cannot be read.
pub fn requests(
    finished: &Finished,
    with_headers: bool,
) -> Result<(LiveWorkload, Requests), Failure> {
    let (mut rows, mut headers) = (Vec::new(), Vec::new());
    let workload = finished.each_row(|_, row, of_row| {
        rows.push(*row);
        if with_headers {
            headers.push(of_row.clone());
        }
    })?;
    let dropped = finished
        .run
        .record
        .as_ref()
        .map_or(0, |record| record.dropped);
    if dropped > 0 {
        tell(&format!(
            "blis: warning: {dropped} entries are missing from the record{}; their requests are left out\n",
            finished
                .run
                .record
                .as_ref()
                .map_or(String::new(), |record| format!(" of run {}", record.run))
        ));
    }
    Ok((workload, Requests { rows, headers }))
}

/// The same requests with the clients and actions of another model, by their names.
///
/// # Errors
/// [`Failure::Usage`] where it does not have them.
pub fn in_the_terms_of(
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
    let find = |ids: &[Result<usize, String>], at: usize| match ids.get(at) {
        Some(found) => found.clone().map_err(Failure::Usage),
        None => Err(Failure::Usage(
            "the record names a client or an action that its spec lacks; restore the directory"
                .to_owned(),
        )),
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
                "the record has requests of the {kind} {}, which the spec lacks; its {kind}s are {}",
                shown(name),
                known.join(", ")
            )
        })
    };
    names.map(one).collect()
}

/// Lets sessions of open clients start when they did.
///
/// # Errors
/// [`Failure::Usage`] where a client is a cohort.
pub fn arrive_as(model: &mut Model<Path>, rows: &[Row]) -> Result<(), Failure> {
    for (at, client) in model.clients.iter_mut().enumerate() {
        let Source::Open { arrival, shape, .. } = &mut client.source else {
            // Users of closed clients begin by the model's own rule, as they did.
            continue;
        };
        if client.population.get() > 1 {
            return Err(Failure::Usage(format!(
                "the client {} is a cohort of open clients, and its record does not show when each of them starts; use \
                 `blis replay --as recorded`",
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

/// Lets clients wait, choose and hold back as they did, by their names: what a spec says of that may be another thing.
///
/// # Errors
/// [`Failure::Usage`] where the model has a client that the run did not have.
pub fn choose_as(model: &mut Model<Path>, of_run: &LiveWorkload) -> Result<(), Failure> {
    let known: Vec<&str> = model.actions.iter().map(|one| one.name.as_str()).collect();
    let actions = of_run.model.actions.iter().map(|one| one.name.as_str());
    let actions = translated("action", actions, &known);
    for client in &mut model.clients {
        let mut recorded = of_run.model.clients.iter();
        let Some(recorded) = recorded.find(|one| one.name == client.name) else {
            return Err(Failure::Usage(format!(
                "the spec has the client {}, which was not in the run; remove it from the spec",
                shown(&client.name)
            )));
        };
        client.timeout = recorded.timeout;
        client.max_in_flight = recorded.max_in_flight;
        let shares = recorded.mix.shares.iter().map(|(action, share)| {
            let id = actions[action.index()].clone().map_err(Failure::Usage)?;
            Ok((ActionId(id as _), *share))
        });
        client.mix.shares = shares.collect::<Result<_, Failure>>()?;
    }
    model.max_in_flight = of_run.model.max_in_flight;
    Ok(())
}
