//! The report of `blis explain`.

use std::path::Path;

use blis_sim::explain::{Explanation, Part, QuantileExplained, StationTime};

use super::number::{count, millis, percent};
use super::parts::{Block, Report, Section};
use super::table::Table;

/// Where the time of a run's requests went.
pub fn explain(directory: &Path, explanation: &Explanation) -> Report {
    let mut sections = vec![header(directory, explanation)];
    sections.extend(explanation.quantiles.iter().map(quantile));
    Report {
        title: explanation.name.clone(),
        sections,
    }
}

fn header(directory: &Path, explanation: &Explanation) -> Section {
    let outcome = match explanation.reproduced {
        true => "its totals are the same",
        false => "its totals DIFFER: this explains another run",
    };
    let line = format!(
        "{}, seed {}: {} was run again, and {outcome}",
        explanation.name,
        explanation.seed,
        directory.display()
    );
    Section::of([
        Block::Lines(vec![line]),
        Block::Notes(explanation.differences.clone()),
    ])
}

fn quantile(explained: &QuantileExplained) -> Section {
    let heading = match explained.quantile {
        0.5 => "the median request",
        _ => "a slow request",
    };
    Section::of([
        Block::Lines(band(explained)),
        Block::Table(times(explained)),
    ])
    .headed(heading)
}

/// Which requests these are.
fn band(explained: &QuantileExplained) -> Vec<String> {
    let band = &explained.band;
    let mut lines = vec![format!(
        "p{} is {}; on average over the {} requests from {} to {} (p{} to p{}):",
        explained.quantile * 100.0,
        millis(explained.quantile_ms),
        count(band.requests),
        millis(band.from_ms),
        millis(band.to_ms),
        band.from_quantile * 100.0,
        band.to_quantile * 100.0
    )];
    if band.actions.len() > 1 {
        let actions = band.actions.iter();
        let actions = actions.map(|(name, requests)| format!("{} {name}", count(*requests)));
        lines.push(format!(
            "by action {}",
            actions.collect::<Vec<_>>().join(", ")
        ));
    }
    if band.censored > 0 {
        lines.push(format!(
            "not answered, counted with their age at the end: {}",
            count(band.censored)
        ));
    }
    lines
}

/// The services in the order of the time they take, and what is left.
fn times(explained: &QuantileExplained) -> Table {
    let mut table = Table::new(&["", "waiting", "service", "held", "together", "share"]);
    let mut services: Vec<(&String, &StationTime)> = explained.services.iter().collect();
    services.sort_by_key(|(_, station)| std::cmp::Reverse(together(station)));
    for (name, station) in services {
        let parts = [station.waiting, station.service, station.held];
        let [waiting, service, held] = parts.map(|part| millis(part.mean_ms));
        let mean = parts.iter().map(|part| part.mean_ms).sum();
        let share = parts.iter().map(|part| part.share).sum();
        table.row([
            name.clone(),
            waiting,
            service,
            held,
            millis(mean),
            percent(share),
        ]);
    }
    let mut rest = |name: &str, part: &Part| {
        let blank = String::new;
        let (mean, share) = (millis(part.mean_ms), percent(part.share));
        table.row([name.to_owned(), blank(), blank(), blank(), mean, share]);
    };
    if explained.elsewhere.sum_ns > 0 {
        rest(&explained.elsewhere_is, &explained.elsewhere);
    }
    if explained.lag.sum_ns > 0 {
        rest("lag", &explained.lag);
    }
    rest("response", &explained.response);
    table
}

fn together(station: &StationTime) -> u128 {
    station.waiting.sum_ns + station.service.sum_ns + station.held.sum_ns
}
