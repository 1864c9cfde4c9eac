//! What a record says of the visits of its requests: the members and service times that doubles tell in the headers of replies.
//!
//! Values are a stranger's. Guarantees:
//! - A visit is taken from the record only where it is determined which one it was: by its service in `Blis-Visits`, or because the path
//!   has no other. Paths on which that is not so are refused.
//! - A member is one that the service of the model has, and a service time is no longer than its request took. What is anything else
//!   ends the replay with the number of its row.
//! - Requests whose replies say nothing keep the model's draws, and are counted.

mod paths;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

use blis_sim::backend::RecordedVisits;
use blis_sim::event::ReplyHeaders;
use blis_sim::model::{LiveModel, Model, Path};
use blis_sim::spec::error::shown;
use blis_sim::trace::Row;

use crate::exit::Failure;
use source::Source;

/// What of visits is taken from a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The members that the server drew.
    pub members: bool,
    /// The service times.
    pub times: bool,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.members, self.times) {
            (true, true) => "member and service time",
            (_, false) => "which member served",
            (false, true) => "the service time",
        })
    }
}

/// The requests of a record, in the terms of a model.
#[derive(Debug, Clone, Copy)]
pub struct Requests<'a> {
    /// The model.
    pub model: &'a Model<Path>,
    /// The model that they were recorded of.
    pub of_run: &'a LiveModel,
    /// The requests.
    pub rows: &'a [Row],
    /// The recorded headers of their replies.
    pub headers: &'a [ReplyHeaders],
}

/// The visits of all requests, and how many of these have none that the model could use.
///
/// # Errors
/// [`Failure::Usage`] where it is not determined which visits were recorded, where none were, or where a row says what cannot be.
pub fn visits(requests: Requests<'_>, wanted: Wanted) -> Result<(RecordedVisits, u64), Failure> {
    let Requests {
        model,
        rows,
        headers,
        ..
    } = requests;
    let mut recorded = RecordedVisits::new(model);
    let mut sources: Vec<Option<Source>> = model.actions.iter().map(|_| None).collect();
    let (mut found, mut without) = (Vec::new(), 0);
    for (number, (row, headers)) in (1u64..).zip(rows.iter().zip(headers)) {
        let at = row.action.index();
        let source = match &mut sources[at] {
            Some(source) => source,
            empty => {
                empty.insert(Source::of(requests, row.action, wanted).map_err(Failure::Usage)?)
            }
        };
        if source.has_no_visits() {
            continue;
        }
        found.clear();
        let is_told = source.take(model, row, headers, &mut found);
        let is_told = is_told.map_err(|why| in_row(model, number, row, &why))?;
        without += u64::from(!is_told);
        if !found.is_empty() && !recorded.add(row, &found) {
            return Err(in_row(model, number, row, "it was recorded before"));
        }
    }
    for (source, action) in sources.iter().zip(&model.actions) {
        if let Some(source) = source {
            source.is_told(&action.name).map_err(Failure::Usage)?;
        }
    }
    if sources.iter().flatten().all(Source::has_no_visits) {
        return Err(Failure::Usage(
            "--recorded has no effect, because no recorded request visits a service; leave it out"
                .to_owned(),
        ));
    }
    Ok((recorded, without))
}

fn in_row(model: &Model<Path>, number: u64, row: &Row, why: &str) -> Failure {
    Failure::Usage(format!(
        "row {number} of the record (client {}, user {}, request {}, attempt {}): {why}",
        shown(&model.clients[row.client.index()].name),
        row.user,
        row.number,
        row.attempt
    ))
}
