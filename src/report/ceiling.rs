//! The report of a search for a ceiling.

mod answer;
mod remedies;

use blis_sim::result::{CeilingEnd, CeilingResult, PredictedResult, SignalResult, TrialResult};
use blis_sim::verdict::Status;

use super::number::{
    NOT_MEASURED, count, is_growth, millis, of_objective, or_not_measured, percent, significant,
};
use super::parts::{Block, Key, Mood, OnPage, Place, Report, Section};
use super::table::Table;
use super::verdict::status_name;
use super::{figures, limits, provenance};
use crate::ceiling::Unit;
use answer::answer;
use remedies::remedies;

/// The heading of what the model says of the figure to its left.
const MODEL: &str = "(model)";
/// Most objectives that have a column of their own.
const MOST_COLUMNS: usize = 6;

/// The ceilings of several limits, and their geometric mean.
fn tiers(found: &CeilingResult) -> Section {
    let Some(tiers) = &found.tiers else {
        return Section::empty();
    };
    let unit = unit(found);
    let mut table = Table::new(&["limit", &found.varied.parameter, "95 %", "max RPS"]);
    for tier in &tiers.limits {
        let at_least = match tier.ended {
            CeilingEnd::EndOfRange | CeilingEnd::GeneratorLimited => "≥ ",
            CeilingEnd::Ceiling | CeilingEnd::NonePassed | CeilingEnd::Undecided => "",
        };
        let value = match (tier.value, tier.ended) {
            (Some(value), _) => format!("{at_least}{}", unit.shown(value)),
            (None, CeilingEnd::NonePassed) => "none passed".to_owned(),
            (None, _) => NOT_MEASURED.to_owned(),
        };
        table.row([
            format!("{} {}", tiers.objective, millis(tier.limit_ms)),
            value,
            tier.value_ci95.map_or("-".to_owned(), |[low, high]| {
                format!("{} to {}", unit.shown(low), unit.shown(high))
            }),
            tier.max_rps.map_or("-".to_owned(), rate),
        ]);
    }
    let mean = match tiers.geometric_mean_rps {
        Some(mean) => format!(
            "geometric mean of max RPS over the {} limits: {}; the answer above is for the loosest",
            tiers.limits.len(),
            rate(mean)
        ),
        None => "no geometric mean: one of the limits has no ceiling".to_owned(),
    };
    Section::of([Block::Table(table), Block::Lines(vec![mean])])
}

/// The least share of the time that is told.
const LEAST_PART: f64 = 0.01;

/// The report of a search.
pub fn ceiling(found: &CeilingResult) -> Report {
    let verdict = Block::Verdict {
        mood: match (&found.answer, found.ended) {
            (Some(_), _) => Mood::Good,
            (None, CeilingEnd::NonePassed) => Mood::Bad,
            (None, _) => Mood::Open,
        },
        word: "ANSWER",
        said: Box::new(Block::Lines(answer(found))),
    };
    let mut report = Report {
        title: format!("Ceiling of {}", found.spec.name),
        sections: vec![
            Section::of([Block::Lines(vec![header(found)])]),
            Section::plots(figures::ceiling(found)).headed("Over load"),
            Section::of([Block::Table(trials(found)), Block::Notes(reasons(found))]),
            Section::of([verdict, Block::OnPage(OnPage::Keys(keys(found)))]).placed(Place::First),
            tiers(found),
            limit(found),
            Section::plots(figures::slow(found)).headed("Slow requests"),
            slow(found),
            Section::plots([figures::remedies(found)]).headed("Remedies"),
            remedies(found),
        ],
    };
    report.sections.extend(provenance::of_ceiling(found));
    report
}

/// The answer as large numbers.
fn keys(found: &CeilingResult) -> Vec<Key> {
    let unit = unit(found);
    let key = |label: &str, value: String, beside: String| Key {
        label: label.to_owned(),
        value,
        beside,
    };
    let Some(answer) = &found.answer else {
        return Vec::new();
    };
    let between = |[low, high]: [String; 2]| format!("95 %: {low} to {high}");
    let interval = answer.max_rps_ci95.map(|ends| between(ends.map(rate)));
    let of_value = answer.value_ci95;
    let of_value = of_value.map(|ends| between(ends.map(|end| unit.shown(end))));
    let max_rps = answer
        .max_rps
        .map(|rps| key("max RPS", rate(rps), interval.unwrap_or_default()));
    let value = key(
        &answer.parameter,
        unit.shown(answer.value),
        of_value.unwrap_or_default(),
    );
    let tightest = found
        .trial_at(answer.value)
        .and_then(|trial| trial.tightest());
    let tightest = tightest.and_then(|signal| {
        if is_growth(&signal.name) {
            return None;
        }
        let limit = of_objective(&signal.name, signal.limit);
        let shown = cell(std::slice::from_ref(signal), signal)?;
        let label = format!("{} there", signal.name);
        Some(key(&label, shown, format!("objective {limit}")))
    });
    let predicted = found.prediction.as_ref().and_then(|one| {
        let ceiling = one.ceiling?;
        let off = 100.0 * (answer.value / ceiling - 1.0);
        let beside = format!("measured {off:+.1} %");
        Some(key("the model said", unit.shown(ceiling), beside))
    });
    let gain = found.remedies.iter().find(|remedy| remedy.brings);
    let gain = gain.and_then(|remedy| {
        let value = format!("{:+.1} %", remedy.gain? * 100.0);
        Some(key("largest gain", value, remedy.what.clone()))
    });
    let all = max_rps.into_iter().chain([value]).chain(tightest);
    all.chain(predicted).chain(gain).collect()
}

fn header(found: &CeilingResult) -> String {
    let unit = unit(found);
    let at = found.varied.at.as_ref().map_or(String::new(), |at| {
        format!(" at {}", load(&at.parameter, at.value))
    });
    let written = found.varied.written.map_or(String::new(), |written| {
        format!(" (spec: {})", unit.shown(written))
    });
    let trials = match found.trials.len() {
        1 => "1 trial".to_owned(),
        trials => format!("{} trials", count(trials as u64)),
    };
    let interrupted = match found.interrupted {
        true => "; INTERRUPTED: bounds so far",
        false => "",
    };
    format!(
        "{}, seed {}, {}: {trials} over {}{written}{at}{interrupted}",
        found.spec.name, found.seed, found.mode, found.varied.parameter
    )
}

/// A load in the load parameter of a spec.
fn load(parameter: &str, value: f64) -> String {
    match parameter {
        "concurrency" => users(value),
        _ => Unit::PerSecond.shown(value),
    }
}

fn users(value: f64) -> String {
    match value {
        1.0 => "1 user".to_owned(),
        value => format!("{} users", Unit::Whole.shown(value)),
    }
}

/// A rate in whole requests where there are many.
fn rate(rps: f64) -> String {
    match rps >= 1000.0 {
        true => format!("{rps:.0}"),
        false => significant(rps),
    }
}

fn unit(found: &CeilingResult) -> Unit {
    Unit::named(&found.varied.unit, &found.varied.parameter)
}

/// The objectives that all trials have, as columns.
fn columns(found: &CeilingResult) -> Vec<(&SignalResult, String)> {
    let Some(first) = found.trials.first() else {
        return Vec::new();
    };
    let mut of: Vec<&str> = first.signals.iter().map(|one| one.of.as_str()).collect();
    of.dedup();
    let heading = |signal: &SignalResult| match of.len() {
        1 => signal.name.clone(),
        _ => {
            let of = signal.of.strip_prefix("Action ").unwrap_or(&signal.of);
            format!("{of} {}", signal.name)
        }
    };
    first
        .signals
        .iter()
        .take(MOST_COLUMNS)
        .map(|signal| (signal, heading(signal)))
        .collect()
}

fn trials(found: &CeilingResult) -> Table {
    let columns = columns(found);
    let has_services = found.trials.iter().any(|trial| !trial.services.is_empty());
    // What the model says stands to the right of what was measured.
    let has_model = found.trials.iter().any(|trial| trial.predicted.is_some());
    let mut headings = vec![
        found.varied.parameter.as_str(),
        "measured",
        "sent/s",
        "ok/s",
    ];
    headings.extend(has_model.then_some(MODEL));
    for (_, heading) in &columns {
        headings.push(heading);
        headings.extend(has_model.then_some(MODEL));
    }
    headings.push("failed");
    if has_services {
        headings.push("busiest");
    }
    headings.extend(has_model.then_some("(busiest)"));
    let verdict = verdict_heading(found);
    headings.push(&verdict);
    let mut table = Table::new(&headings);
    for trial in &found.trials {
        let mut cells = vec![
            unit(found).shown(trial.load),
            measured(trial),
            or_not_measured(trial.achieved_rps, significant),
            or_not_measured(trial.throughput_rps, significant),
        ];
        let model = trial.predicted.as_ref();
        let of_model = |text: &dyn Fn(&PredictedResult) -> Option<String>| {
            has_model.then(|| model.and_then(text).map_or("-".to_owned(), in_brackets))
        };
        cells.extend(of_model(&|model| model.throughput_rps.map(significant)));
        for (column, _) in &columns {
            cells.push(cell(&trial.signals, column).unwrap_or_else(|| NOT_MEASURED.to_owned()));
            cells.extend(of_model(&|model| cell(&model.signals, column)));
        }
        cells.push(or_not_measured(trial.error_share(), percent));
        if has_services {
            let busy = trial.services.values().filter_map(|one| one.utilisation);
            cells.push(or_not_measured(busy.reduce(f64::max), percent));
        }
        cells.extend(of_model(&|model| {
            let busy = model.utilisation.values().copied();
            busy.reduce(f64::max).map(percent)
        }));
        cells.push(status_name(trial.verdict).to_owned());
        table.row(cells);
    }
    match found.trials.is_empty() {
        true => Table::default(),
        false => table,
    }
}

/// For how long a trial was measured, along how many paths: `24 × 12.5 s`.
fn measured(trial: &TrialResult) -> String {
    let each = millis(1e3 * trial.window.measured_s / trial.paths.max(1) as f64);
    match trial.paths {
        0 | 1 => each,
        paths => format!("{} × {each}", count(paths)),
    }
}

/// Of several limits trials are judged by the loosest.
fn verdict_heading(found: &CeilingResult) -> String {
    let limits = found.tiers.iter().flat_map(|tiers| &tiers.limits);
    match limits.map(|tier| tier.limit_ms).reduce(f64::max) {
        None => "verdict".to_owned(),
        Some(loosest) => format!("verdict at {}", millis(loosest)),
    }
}

/// Figures of the objective of a column.
fn cell(signals: &[SignalResult], column: &SignalResult) -> Option<String> {
    let same = |one: &&SignalResult| one.of == column.of && one.name == column.name;
    let value = signals.iter().find(same)?.measured?;
    Some(of_objective(&column.name, value))
}

fn in_brackets(text: String) -> String {
    format!("({text})")
}

/// Why the trials that did not pass did not: of given loads each, of a search that has no answer the last one. What limits an
/// answer stands below it.
fn reasons(found: &CeilingResult) -> Vec<String> {
    let unit = unit(found);
    let mut others = found
        .trials
        .iter()
        .filter(|trial| trial.verdict != Status::Pass);
    let shown: Vec<&TrialResult> = match (found.searched, &found.answer) {
        (false, _) => others.collect(),
        (true, None) => others.next_back().into_iter().collect(),
        (true, Some(_)) => {
            let open = found
                .trials
                .iter()
                .any(|trial| trial.verdict == Status::Inconclusive);
            let note = "the answer uses all trials together; an INCONCLUSIVE trial alone is too short, or too near its objectives, to judge";
            return open.then(|| note.to_owned()).into_iter().collect();
        }
    };
    let lines = shown.into_iter().flat_map(|trial| {
        let at = format!(
            "{} at {}",
            status_name(trial.verdict),
            unit.shown(trial.load)
        );
        let reasons = trial.reasons.iter();
        reasons
            .map(|why| format!("{at}: {why}"))
            .collect::<Vec<_>>()
    });
    lines.collect()
}

fn limit(found: &CeilingResult) -> Section {
    let of_model = found.prediction.as_ref();
    let of_model = of_model.and_then(|prediction| prediction.bottleneck.as_ref());
    match (&found.bottleneck, of_model) {
        (None, None) => Section::empty(),
        (Some(bottleneck), _) => Section::fact(limits::fact(bottleneck, limits::was_used)),
        (None, Some(bottleneck)) => {
            let mut fact = limits::fact(bottleneck, limits::was_used);
            fact.add("according to the model; not measured in the real service".to_owned());
            Section::fact(fact)
        }
    }
}

/// Where the time of slow requests goes, the largest part first; parts below a hundredth are left out.
fn slow(found: &CeilingResult) -> Section {
    let of_model = found.prediction.as_ref();
    let of_model = of_model.and_then(|prediction| prediction.slow.as_ref());
    let (slow, whose) = match (&found.slow, of_model) {
        (None, None) => return Section::empty(),
        (Some(slow), _) => (slow, ""),
        (None, Some(slow)) => (slow, " in the model"),
    };
    let mut parts: Vec<(String, f64)> = Vec::new();
    for (name, time) in &slow.services {
        parts.push((format!("waiting for {name}"), time.waiting.share));
        parts.push((format!("served by {name}"), time.service.share));
        parts.push((format!("holding a worker of {name}"), time.held.share));
    }
    parts.push(("waiting to be sent".to_owned(), slow.lag.share));
    parts.push((slow.elsewhere_is.clone(), slow.elsewhere.share));
    parts.retain(|(_, share)| *share >= LEAST_PART);
    parts.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let parts = parts.iter();
    let parts: Vec<String> = parts
        .map(|(what, share)| format!("{} {what}", percent(*share)))
        .collect();
    Section::of([Block::Lines(vec![format!(
        "time of slow requests{whose} (p99, {}): {}",
        millis(slow.quantile_ms),
        parts.join(", ")
    )])])
}
