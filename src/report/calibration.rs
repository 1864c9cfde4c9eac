//! The report of `blis calibrate`.

use blis_sim::calibration::{CalibrationResult, NumberResult, RunCalibration};

use super::difference::signed;
use super::number::{millis, percent, runs_in_words, significant};
use super::parts::{Block, Report, Section};
use super::table::Table;

/// The structures that are shown.
const SHOWN_EXPLANATIONS: usize = 10;

/// What was fitted, and what the runs tell of it.
pub fn calibration(found: &CalibrationResult) -> Report {
    let sections = vec![
        Section::of([Block::Lines(vec![head(found)])]),
        Section::of([Block::Lines(found.findings.clone())]),
        Section::of([Block::Table(numbers(found))]),
        Section::of([Block::Table(others(found))]),
        Section::of([Block::Table(runs(found))]),
        Section::of([Block::Table(sources(found))]),
        next(found),
        Section::of([Block::Notes(notes(found))]),
    ];
    Report {
        title: "Calibration".to_owned(),
        sections,
    }
}

/// The same in short, for the report of what the fitted model predicts.
pub(super) fn fitted(found: &CalibrationResult) -> Section {
    let lines = std::iter::once(head(found)).chain(found.findings.iter().cloned());
    Section::of([
        Block::Lines(lines.collect()),
        Block::Table(numbers(found)),
        Block::Table(sources(found)),
        Block::Notes(found.notes.clone()),
    ])
}

fn head(found: &CalibrationResult) -> String {
    let requests: u64 = found.runs.iter().map(|run| run.requests).sum();
    format!(
        "{}, fitted to {} requests of {}",
        found.spec.name,
        requests,
        runs_in_words(found.runs.len())
    )
}

fn numbers(found: &CalibrationResult) -> Table {
    let mut table = Table::new(&["fitted", "value", "95 %", ""]);
    for number in &found.numbers {
        table.row(row(number));
    }
    for choice in &found.choices {
        let as_good = match choice.as_good.len() {
            0 | 1 => "-".to_owned(),
            _ => choice.as_good.join(" or "),
        };
        table.row([
            choice.name.clone(),
            choice.value.clone(),
            as_good,
            String::new(),
        ]);
    }
    for number in &found.follows {
        table.row(row(number));
    }
    table
}

fn row(number: &NumberResult) -> [String; 4] {
    let shown = |value: f64| match number.unit.as_str() {
        "ms" => millis(value),
        "1/s" => format!("{}/s", significant(value)),
        _ => significant(value),
    };
    let [low, high] = number.ci95;
    let told = match (number.told, number.tied_to.as_slice()) {
        (true, _) => String::new(),
        (false, []) => "not determined".to_owned(),
        (false, tied) => format!("determined only together with {}", tied.join(", ")),
    };
    [
        number.name.clone(),
        shown(number.value),
        format!("{} to {}", shown(low), shown(high)),
        told,
    ]
}

/// The other structures.
fn others(found: &CalibrationResult) -> Table {
    let mut table = Table::new(&["explanation", "chi-square", "criterion", "equally good"]);
    let shown = found.explanations.iter().take(SHOWN_EXPLANATIONS);
    for one in shown {
        table.row([
            one.set.join("  "),
            format!("{:.1}", one.chi_square),
            format!("{:.1}", one.criterion),
            if one.as_good { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

/// What the model has for each run.
fn runs(found: &CalibrationResult) -> Table {
    let mut table = Table::new(&[
        "run",
        "load",
        "",
        "measured",
        "fitted",
        "error",
        "from other runs",
        "error",
    ]);
    let mut figures = found.runs.iter().flat_map(|run| &run.figures);
    let first = figures.next();
    let several = figures.any(|one| first.is_some_and(|first| one.action != first.action));
    for run in &found.runs {
        for (nth, figure) in run.figures.iter().enumerate() {
            let first = |text: String| if nth == 0 { text } else { String::new() };
            let share = |value: f64| signed(value / figure.measured_ms - 1.0);
            table.row([
                first(run.name.clone()),
                first(load(run)),
                match several {
                    true => format!("{} {}", figure.action, figure.name),
                    false => figure.name.clone(),
                },
                millis(figure.measured_ms),
                millis(figure.fitted_ms),
                share(figure.fitted_ms),
                figure.left_out_ms.map_or("-".to_owned(), millis),
                figure.left_out_ms.map_or("-".to_owned(), share),
            ]);
        }
    }
    table
}

fn load(run: &RunCalibration) -> String {
    match run.users {
        Some(users) => format!("{users} users"),
        None => format!("{}/s", significant(run.offered_rps)),
    }
}

/// Loads worth measuring next.
fn next(found: &CalibrationResult) -> Section {
    if found.next_loads.is_empty() {
        return Section::empty();
    }
    let mut table = Table::new(&[
        "next load",
        "sd between the best two",
        "least certain number",
        "its half-width",
    ]);
    for next in &found.next_loads {
        table.row([
            match next.unit.is_empty() {
                true => format!("{:.0} users", next.load),
                false => format!("{}/s", significant(next.load)),
            },
            next.apart.map_or("-".to_owned(), significant),
            next.worst.clone(),
            match next.half_width < 10.0 {
                true => percent(next.half_width),
                false => "not determined".to_owned(),
            },
        ]);
    }
    Section::of([Block::Table(table)])
}

/// What the model could have been fitted to.
fn sources(found: &CalibrationResult) -> Table {
    let mut table = Table::new(&["source", "used", ""]);
    for source in &found.sources {
        let used = if source.used { "yes" } else { "no" };
        table.row([source.name.clone(), used.to_owned(), source.says.clone()]);
    }
    table
}

fn notes(found: &CalibrationResult) -> Vec<String> {
    let what = "`error` is (fitted - measured) / measured; `from other runs` is of a model that was fitted without the run; 95 % intervals hold for each \
                number alone and include all equally good explanations";
    let more = found.explanations.len().saturating_sub(SHOWN_EXPLANATIONS);
    let more =
        (more > 0).then(|| format!("{more} more explanations were fitted; --json shows them"));
    let price = "`criterion` is chi-square, plus a penalty for each fitted number, plus the extra chance variation of the structure compared with the \
                 best one; structures within 6.63 of the lowest are equally good, or within 6.63 times chi-square over its degrees of freedom if that is more";
    [what.to_owned(), price.to_owned()]
        .into_iter()
        .chain(more)
        .chain(found.notes.iter().cloned())
        .collect()
}
