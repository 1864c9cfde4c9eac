//! What would raise a ceiling, and by how much.

use blis_sim::result::{CeilingResult, RemedyResult};

use super::unit;
use crate::report::number::or_not_measured;
use crate::report::parts::{Block, Section};
use crate::report::table::Table;

/// What would raise the ceiling.
pub fn remedies(found: &CeilingResult) -> Section {
    if let Some(why) = &found.no_remedies {
        return Section::of([Block::Lines(vec![format!(
            "changes were not simulated: {why}"
        )])]);
    }
    if found.remedies.is_empty() {
        return Section::empty();
    }
    let unit = unit(found);
    let simulated = found.prediction.as_ref().and_then(|one| one.ceiling);
    let simulated = simulated.map(|ceiling| {
        let measured = found.answer.as_ref();
        let measured = measured.map_or(String::new(), |answer| {
            format!("; measured: {}", unit.shown(answer.value))
        });
        format!(
            "simulated: gains relative to the ceiling of the model, {}{measured}",
            unit.shown(ceiling)
        )
    });
    let mut table = Table::new(&["what would help", "ceiling", "95 %", "gain", "next limit"]);
    let (helping, others): (Vec<&RemedyResult>, Vec<&RemedyResult>) =
        found.remedies.iter().partition(|remedy| remedy.brings);
    for remedy in &helping {
        table.row([
            remedy.what.clone(),
            or_not_measured(remedy.ceiling, |ceiling| unit.shown(ceiling)),
            remedy.ceiling_ci95.map_or("-".to_owned(), |[low, high]| {
                format!("{} to {}", unit.shown(low), unit.shown(high))
            }),
            or_not_measured(remedy.gain, |gain| format!("{:+.1} %", gain * 100.0)),
            remedy.next.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let table = match helping.is_empty() {
        true => Table::default(),
        false => table,
    };
    let none = others.into_iter().map(|remedy| {
        let what = &remedy.what;
        let gain = remedy.gain.map(|gain| gain * 100.0);
        match (gain, remedy.gain_ci95) {
            (None, _) => format!("{what}: not measured"),
            // A gain of one sign with an interval of the other is neither.
            (Some(gain), Some([_, high])) if high < 0.0 && gain < 0.0 => format!(
                "{what} lowers the ceiling by {:.1} %, to {}",
                -gain,
                or_not_measured(remedy.ceiling, |ceiling| unit.shown(ceiling))
            ),
            (Some(_), _) => format!("{what}: no gain"),
        }
    });
    let notes = none.chain(simulated);
    Section::of([Block::Table(table), Block::Notes(notes.collect())])
}
