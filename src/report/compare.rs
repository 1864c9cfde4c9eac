//! The report of `blis compare`.

use blis_sim::compare::{
    CompareResult, ComparedRun, CourseResult, DistributionResult, FigureResult, GroupResult,
    OutcomeResult, PairsResult, SPREAD_RUNS, SideResult,
};

use super::absence::sentence;
use super::difference::{between, held, named, signed, told, written};
use super::figures::{self, Sides};
use super::number::{count, millis, or_not_measured, percent, significant};
use super::parts::{Block, Key, OnPage, Report, Section};
use super::table::Table;

/// How two sets of runs differ, which are these.
pub fn compare(found: &CompareResult, sides: &Sides<'_>) -> Report {
    let mut sections = vec![Section::of([Block::Lines(vec![
        side("baseline", &found.baseline),
        side("other", &found.other),
    ])])];
    sections.push(Section::of([Block::OnPage(OnPage::Keys(keys(found)))]));
    sections.push(Section::plots(figures::compare(found, sides)).headed("Differences"));
    sections.push(Section::plots(figures::courses(&found.course)).headed("Over time"));
    if let Some(total) = &found.total {
        sections.push(group("all requests", total));
    }
    let actions = found.actions.iter();
    sections.extend(actions.map(|(name, one)| group(name, one)));
    sections.push(course(&found.course));
    sections.push(tolerances(found));
    sections.push(Section::of([Block::Notes(notes(found))]));
    Report {
        title: "Comparison".to_owned(),
        sections,
    }
}

/// The differences as large numbers: of all requests, or of those of the one action.
fn keys(found: &CompareResult) -> Vec<Key> {
    let group = found.total.as_ref().or(found.actions.values().next());
    let figures = group.into_iter().flat_map(|group| &group.figures);
    let keys = figures.filter_map(|figure| {
        Some(Key {
            label: figure.name.clone(),
            value: signed(figure.difference?),
            beside: match figure.difference_ci95 {
                None => String::new(),
                Some(_) => format!("95 %: {}", between(figure.difference_ci95)),
            },
        })
    });
    keys.collect()
}

fn side(which: &str, side: &SideResult) -> String {
    let runs: Vec<String> = side.runs.iter().map(run).collect();
    format!("{which}: {}", runs.join("; "))
}

fn run(run: &ComparedRun) -> String {
    format!(
        "{} ({}, {}, seed {}, {} requests in {})",
        run.name,
        run.spec.name,
        run.mode,
        run.seed,
        count(run.requests),
        millis(run.measured_s * 1e3)
    )
}

fn group(name: &str, group: &GroupResult) -> Section {
    let headings = [
        name,
        "baseline",
        "other",
        "difference",
        "95 %",
        "more than chance",
    ];
    let mut table = Table::new(&headings);
    for figure in &group.figures {
        table.row(figure_row(figure));
    }
    let failed = group.outcomes.iter().filter(|one| one.outcome != "ok");
    for outcome in failed {
        table.row(outcome_row(outcome));
    }
    let distance = group.distribution.iter().map(apart);
    let lines = distance.chain(group.pairs.iter().map(pairs));
    Section::of([Block::Table(table), Block::Lines(lines.collect())])
}

fn figure_row(figure: &FigureResult) -> [String; 6] {
    let shown = |value, interval| written(value, interval, &figure.unit);
    [
        named(&figure.name, &figure.unit),
        shown(figure.baseline, figure.baseline_ci95),
        shown(figure.other, figure.other_ci95),
        figure.difference.map_or("-".to_owned(), signed),
        between(figure.difference_ci95),
        told(figure.more_than_chance),
    ]
}

fn outcome_row(outcome: &OutcomeResult) -> [String; 6] {
    [
        outcome.outcome.clone(),
        percent(outcome.baseline),
        percent(outcome.other),
        format!("{:+.2} points", outcome.difference * 100.0),
        "-".to_owned(),
        told(outcome.more_than_chance),
    ]
}

fn apart(distance: &DistributionResult) -> String {
    format!(
        "response times: the distributions differ by at most {} (Kolmogorov-Smirnov distance); Wasserstein distance {}; \
         more than chance: {}",
        percent(distance.kolmogorov_smirnov),
        millis(distance.wasserstein_ms),
        told(distance.more_than_chance)
    )
}

fn pairs(pairs: &PairsResult) -> String {
    let size = |ms: f64| millis(ms.abs());
    let signed = |ms: f64| format!("{}{}", if ms < 0.0 { "-" } else { "+" }, size(ms));
    let interval = pairs.mean_ms_ci95.map_or(String::new(), |[low, high]| {
        format!(" (95 %: {} to {})", signed(low), signed(high))
    });
    let only = match (pairs.only_baseline, pairs.only_other) {
        (0, 0) => String::new(),
        (baseline, other) => format!(
            "; {} more were answered only in the baseline, {} only in the other",
            count(baseline),
            count(other)
        ),
    };
    format!(
        "{} requests are in both: their response time in the other is {} on average{interval}; more than chance: {}{only}",
        count(pairs.pairs),
        match pairs.mean_ms {
            0.0 => "the same".to_owned(),
            mean if mean < 0.0 => format!("{} shorter", size(mean)),
            mean => format!("{} longer", size(mean)),
        },
        told(pairs.more_than_chance)
    )
}

/// The courses side by side.
fn course(course: &[CourseResult]) -> Section {
    let mut table = Table::new(&[
        "from",
        "baseline ok/s",
        "other ok/s",
        "baseline mean",
        "other mean",
    ]);
    for part in course {
        table.row([
            millis(part.start_s * 1e3),
            or_not_measured(part.baseline_rps, significant),
            or_not_measured(part.other_rps, significant),
            or_not_measured(part.baseline_mean_ms, millis),
            or_not_measured(part.other_mean_ms, millis),
        ]);
    }
    match course.is_empty() {
        true => Section::empty(),
        false => Section::of([Block::Table(table)]).headed("course"),
    }
}

fn notes(found: &CompareResult) -> Vec<String> {
    let level = match found.tests {
        0 => "no difference is tested against chance: the runs have no intervals; see their reports for the reasons".to_owned(),
        tests => format!(
            "95 % intervals hold for each figure alone; `more than chance` is corrected for {tests} simultaneous tests: without a \
             difference, at most {} of comparisons say `yes` anywhere",
            percent(found.alpha)
        ),
    };
    let groups = found.total.iter().chain(found.actions.values());
    let figures = groups.flat_map(|group| &group.figures);
    let mut absent: Vec<String> = figures
        .filter_map(|figure| {
            let why = figure.absent.as_ref()?;
            Some(format!(
                "no interval for {}: {}",
                figure.name,
                sentence(why)
            ))
        })
        .collect();
    absent.sort();
    absent.dedup();
    let told = found.reservations.iter().chain(&found.notes).cloned();
    [level].into_iter().chain(absent).chain(told).collect()
}

fn tolerances(found: &CompareResult) -> Section {
    let Some(verdict) = found.verdict else {
        return Section::empty();
    };
    let several = [&found.baseline, &found.other]
        .iter()
        .all(|side| side.runs.len() >= SPREAD_RUNS);
    let all = found.tolerances.iter();
    let rows = all.map(|one| (format!("{} of {}", one.figure, one.of), one));
    held(rows, several, verdict)
}
