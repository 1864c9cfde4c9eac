//! A run over time: requests offered, answered and in flight, and the backlogs of consumers.

use blis_sim::result::{Interval, RequestCounts, Run};

use super::number::{NOT_MEASURED, count, millis, or_not_measured, significant};
use super::parts::{Block, Place, Section};
use super::table::Table;

/// The most rows of a course that a report shows; the document has all of them.
const ROWS: usize = 12;
/// The most consumers whose backlogs are shown.
const BACKLOGS: usize = 4;

/// The table over time.
pub fn course(run: &Run) -> Section {
    if run.series.is_empty() {
        return Section::empty();
    }
    let consumers = consumers(run);
    let backlogs = consumers
        .iter()
        .map(|(stream, name)| match consumers.len() {
            1 => "backlog".to_owned(),
            _ => format!("backlog {stream}/{name}"),
        });
    let backlogs: Vec<String> = backlogs.collect();
    let headings = [
        "from",
        "offered/s",
        "answered/s",
        "failed",
        "in flight",
        "largest p50",
        "largest p99",
    ];
    let headings = headings
        .into_iter()
        .chain(backlogs.iter().map(String::as_str));
    let mut table = Table::new(&headings.collect::<Vec<_>>());
    for rows in grouped(&run.series) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            continue;
        };
        let seconds = last.start_s + last.width_s - first.start_s;
        let sum = |of: fn(&RequestCounts) -> u64| rows.iter().map(|row| of(&row.requests)).sum();
        let per_second = |number: u64| significant(number as f64 / seconds);
        let failed = |of: &RequestCounts| {
            of.app_error
                + of.rejected
                + of.timed_out
                + of.transport_error
                + of.dropped
                + of.unresolved
        };
        let largest = |of: fn(&Interval) -> Option<f64>| {
            let largest = rows.iter().filter_map(of).reduce(f64::max);
            or_not_measured(largest, millis)
        };
        let backlog = |(stream, name): &(&str, &str)| {
            let stream = last.streams.get(*stream);
            let consumer = stream.and_then(|stream| stream.consumers.get(*name));
            consumer.map_or(NOT_MEASURED.to_owned(), |of| count(of.backlog))
        };
        let figures = [
            format!("{:.2} s", first.start_s),
            per_second(sum(|of| of.intended)),
            per_second(sum(|of| of.ok)),
            count(sum(failed)),
            count(last.in_flight),
            largest(|row| row.response_p50_ms),
            largest(|row| row.response_p99_ms),
        ];
        table.row(figures.into_iter().chain(consumers.iter().map(backlog)));
    }
    let first = "over time: first replication".to_owned();
    let note = run.replications.as_ref().map(|_| first);
    Section::of([
        Block::Table(table),
        Block::Notes(note.into_iter().collect()),
    ])
    .placed(Place::Folded("Over time, in numbers"))
}

/// The consumers whose backlogs are shown: all of those that intervals tell of, unless there are so many that a row would not
/// fit.
fn consumers(run: &Run) -> Vec<(&str, &str)> {
    let streams = run.series.last().into_iter().flat_map(|row| &row.streams);
    let all = streams.flat_map(|(stream, of)| {
        let names = of.consumers.keys();
        names.map(move |name| (stream.as_str(), name.as_str()))
    });
    all.take(BACKLOGS).collect()
}

/// Neighbouring rows together, so that there are few groups.
pub fn grouped<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    rows.chunks(rows.len().div_ceil(ROWS).max(1))
}
