//! Awaited deliveries, by action.

use blis_sim::result::Run;

use super::number::{count, millis, or_not_measured};
use super::parts::{Block, Section};
use super::table::Table;

/// The result of them, and how long it took.
pub fn deliveries(run: &Run) -> Section {
    if run.deliveries.is_empty() {
        return Section::empty();
    }
    let mut table = Table::new(&[
        "deliveries of",
        "to come",
        "came",
        "missing",
        "duplicates",
        "late",
        "unmatched",
        "p50 of each",
        "p99 of each",
        "p50 of the last",
        "p99 of the last",
    ]);
    let ms = |value| or_not_measured(value, millis);
    for (action, of) in &run.deliveries {
        table.row([
            action.clone(),
            count(of.expected),
            count(of.delivered),
            count(of.missing),
            count(of.duplicates),
            count(of.late),
            count(of.unmatched),
            ms(of.each_ms.p50),
            ms(of.each_ms.p99),
            ms(of.last_ms.p50),
            ms(of.last_ms.p99),
        ]);
    }
    let note =
        "times count from the intended time of the request; those of the last delivery only if all arrived"
            .to_owned();
    Section::of([Block::Table(table), Block::Notes(vec![note])])
}
