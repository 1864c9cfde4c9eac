//! Differences of figures, and their tolerances.

use blis_sim::compare::{Standing, ToleranceResult};
use blis_sim::verdict::Status;

use super::number::{NOT_MEASURED, millis_within, rough, significant_within};
use super::parts::{Block, Mood, Place, Section};
use super::table::Table;
use super::verdict::status_name;

/// An interval that reaches to this many times its figure is written by its ends.
const WIDE: f64 = 1.5;

/// A figure in its unit, to the digits that its interval warrants.
pub fn written(value: Option<f64>, interval: Option<[f64; 2]>, unit: &str) -> String {
    let write = match unit {
        "ms" => millis_within,
        _ => significant_within,
    };
    match (value, interval) {
        (None, _) => NOT_MEASURED.to_owned(),
        // To either side it is not the same then.
        (Some(value), Some([low, high])) if high > WIDE * value => {
            format!("{} to {}", write(low, None), write(high, None))
        }
        (Some(value), interval) => write(value, interval),
    }
}

/// The name of a figure, with its unit where its values do not have it.
pub fn named(name: &str, unit: &str) -> String {
    match unit {
        "ms" => name.to_owned(),
        unit => format!("{name} ({unit})"),
    }
}

/// Whether a difference is more than chance.
pub fn told(more_than_chance: Option<bool>) -> String {
    match more_than_chance {
        None => "unknown",
        Some(true) => "yes",
        Some(false) => "no",
    }
    .to_owned()
}

/// A share with its sign.
pub fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

/// An interval of shares.
pub fn between(interval: Option<[f64; 2]>) -> String {
    interval.map_or("-".to_owned(), |[low, high]| {
        format!("{} to {}", signed(low), signed(high))
    })
}

/// How named figures stand to what is tolerated; `several` says that each side has runs enough for more of them to help.
pub fn held<'a>(
    rows: impl Iterator<Item = (String, &'a ToleranceResult)>,
    several: bool,
    verdict: Status,
) -> Section {
    let mut table = Table::new(&["", "tolerated", "difference", "95 %", ""]);
    for (name, one) in rows {
        table.row([
            name,
            tolerated(one),
            one.difference.map_or("-".to_owned(), signed),
            between(one.difference_ci95),
            standing(one, several),
        ]);
    }
    let line = match verdict {
        Status::Pass => "PASS: all differences are within their tolerances",
        Status::Trip => "TRIP: a difference is beyond its tolerance",
        Status::Inconclusive => "INCONCLUSIVE: the runs do not decide",
    };
    let verdict = Block::Verdict {
        mood: Mood::of(verdict),
        word: status_name(verdict),
        said: Box::new(Block::Lines(vec![line.to_owned()])),
    };
    Section::of([Block::Table(table), verdict]).placed(Place::First)
}

/// How a figure stands to what is tolerated, in a sentence.
pub fn sentence(one: &ToleranceResult) -> String {
    format!(
        "difference {} (95 % interval {}), tolerated {}: {}",
        one.difference.map_or("not measured".to_owned(), signed),
        between(one.difference_ci95),
        tolerated(one),
        standing(one, false)
    )
}

fn tolerated(one: &ToleranceResult) -> String {
    let below = one.below.map(|share| signed(-share));
    match (below, one.above.map(signed)) {
        (Some(below), Some(above)) => format!("{below} to {above}"),
        (Some(below), None) => format!("no less than {below}"),
        (None, Some(above)) => format!("no more than {above}"),
        (None, None) => "-".to_owned(),
    }
}

fn standing(one: &ToleranceResult, several: bool) -> String {
    let more = if several {
        "as many runs"
    } else {
        "the length"
    };
    match (one.standing, one.times_longer) {
        (Standing::Within, _) => "within".to_owned(),
        (Standing::Beyond, _) => "BEYOND".to_owned(),
        (Standing::Undecided, None) => match &one.why {
            None => "undecided".to_owned(),
            Some(why) => format!("undecided: {why}"),
        },
        (Standing::Undecided, Some(times)) => format!(
            "undecided; needs about {} times {more}",
            rough(times.max(1.1))
        ),
    }
}
