//! The report of `blis explain`.

use std::path::Path;

use blis_sim::explain::{Explanation, QuantileExplained, StationTime, TimeShare};

use super::figures;
use super::number::{count, millis, percent};
use super::parts::{Block, Key, OnPage, Report, Section};
use super::table::Table;

/// Where the time of a run's requests went.
pub fn explain(directory: &Path, explanation: &Explanation) -> Report {
    let plots = explanation.quantiles.iter().map(figures::waterfall);
    let mut sections = vec![
        header(directory, explanation),
        Section::of([Block::OnPage(OnPage::Keys(keys(explanation)))]),
        Section::plots(plots).headed("Where the time goes"),
    ];
    sections.extend(explanation.quantiles.iter().map(quantile));
    Report {
        title: explanation.name.clone(),
        sections,
    }
}

/// What the quantiles are and what takes most of them, as large numbers.
fn keys(explanation: &Explanation) -> Vec<Key> {
    let mut keys = Vec::new();
    for explained in &explanation.quantiles {
        let name = format!("p{}", explained.quantile * 100.0);
        let parts = explained.services.iter().flat_map(|(service, time)| {
            [
                (format!("waiting for {service}"), time.waiting.share),
                (format!("served by {service}"), time.service.share),
                (format!("holding a worker of {service}"), time.held.share),
            ]
        });
        let most = parts.max_by(|(_, one), (_, other)| one.total_cmp(other));
        keys.push(Key {
            label: name,
            value: millis(explained.quantile_ms),
            beside: most.map_or(String::new(), |(what, share)| {
                format!("{} {what}", percent(share))
            }),
        });
    }
    keys
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
    let mut rest = |name: &str, part: &TimeShare| {
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
