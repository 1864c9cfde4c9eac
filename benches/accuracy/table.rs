//! Predictions beside what was measured, over the repeats, and whether they are within what is promised.

use crate::models::Modelled;
use crate::pair::{Figures, Pair, Setting};

/// The figures that are compared, and within how much.
const COMPARED: [(&str, f64); 4] = [
    ("throughput", 0.02),
    ("p50", 0.05),
    ("p95", 0.05),
    ("p99", 0.10),
];
/// Beyond this share of the ceiling figures are reported and not judged: a queue there remembers for longer than a run lasts.
const JUDGED: f64 = 0.8;
/// The document that has the tables.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/explanation/accuracy.md");
/// The heading that the tables stand under.
const HEADING: &str = "## Figures\n";

/// A pair in a line, for who watches.
pub fn line(setting: Setting<'_>, pair: &Pair) -> String {
    let figures = |of: &[Figures]| {
        let each = of.iter().map(|[throughput, p50, p95, p99]| {
            format!("{throughput:.2}/s {p50:.3}/{p95:.3}/{p99:.3} ms")
        });
        each.collect::<Vec<_>>().join(", ")
    };
    format!(
        "{}, {:.0} % seed {}: measured {}; {} {}; one way {:.3} ms",
        setting.model.name,
        setting.load * 100.0,
        setting.seed,
        figures(&pair.measured),
        setting.model.predicted.name(),
        figures(&pair.predicted),
        pair.one_way
    )
}

/// What stands above the tables.
pub fn heading(repetitions: u64, seconds: u64) -> String {
    format!(
        "`cargo bench --bench accuracy -- --repetitions {repetitions} --seconds {seconds}`, on {}. Measured and predicted are means of \
         {repetitions} pairs. The error is the mean error of the predictions, and the spread its least and largest. \"Within\" says \
         whether the mean error is within the tolerance, and \"in each\" that every pair is. Above {:.0} % of the ceiling \
         nothing is judged.\n",
        machine(),
        JUDGED * 100.0
    )
}

/// The tables of a model in Markdown, from the pairs of each load.
pub fn text(model: &Modelled, levels: &[(f64, Vec<Pair>)]) -> String {
    let mut text = format!(
        "\n### {} ({})\n\n| load | figure | measured | predicted | error | spread | tolerance | within |\n\
         |---|---|---|---|---|---|---|---|\n",
        model.name,
        model.predicted.name()
    );
    for (load, pairs) in levels {
        for (at, of) in model.figures.iter().enumerate() {
            for (nth, (name, tolerance)) in COMPARED.iter().enumerate() {
                let values = pairs
                    .iter()
                    .map(|pair| (pair.measured[at][nth], pair.predicted[at][nth]));
                let name = match of.of {
                    "" => (*name).to_owned(),
                    of => format!("{of}, {name}"),
                };
                let unit = if nth == 0 { "/s" } else { " ms" };
                let judged = (*load <= JUDGED).then_some(*tolerance);
                let cells = cells(&values.collect::<Vec<_>>(), unit, judged);
                text.push_str(&format!("| {:.0} % | {name} | {cells} |\n", load * 100.0));
            }
        }
    }
    text.push_str(&of_machine(levels));
    text
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, number) = values.fold((0.0, 0.0), |(sum, number), one| (sum + one, number + 1.0));
    sum / number
}

/// What a row says of a figure, from the measured and the predicted value of each pair.
fn cells(values: &[(f64, f64)], unit: &str, judged: Option<f64>) -> String {
    let errors: Vec<f64> = values
        .iter()
        .map(|(measured, predicted)| predicted / measured - 1.0)
        .collect();
    let error = mean(errors.iter().copied());
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let most = errors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // What is no number is within nothing.
    let within = |tolerance: f64| match error.abs() <= tolerance {
        true if errors.iter().all(|one| one.abs() <= tolerance) => "yes, in each",
        true => "on average",
        false => "no",
    };
    let tolerance = |tolerance: f64| format!("{:.0} %", tolerance * 100.0);
    format!(
        "{:.2}{unit} | {:.2}{unit} | {:+.2} % | [{:+.2} %, {:+.2} %] | {} | {}",
        mean(values.iter().map(|(measured, _)| *measured)),
        mean(values.iter().map(|(_, predicted)| *predicted)),
        error * 100.0,
        least * 100.0,
        most * 100.0,
        judged.map_or("none".to_owned(), tolerance),
        judged.map_or("not judged", within)
    )
}

/// What the machine had to do with it.
fn of_machine(levels: &[(f64, Vec<Pair>)]) -> String {
    let mut text = "\n| load | one way through the server | timing error of the double, p50 and p99 | scheduler jitter, \
                    p50 and p99 |\n|---|---|---|---|\n"
        .to_owned();
    for (load, pairs) in levels {
        let mean = |figure: fn(&Pair) -> f64| mean(pairs.iter().map(figure));
        text.push_str(&format!(
            "| {:.0} % | {:.0} us | {:.0} us, {:.0} us | {:.0} us, {:.0} us |\n",
            load * 100.0,
            mean(|pair| pair.one_way) * 1e3,
            mean(|pair| pair.overrun[0]),
            mean(|pair| pair.overrun[1]),
            mean(|pair| pair.control[0]),
            mean(|pair| pair.control[1])
        ));
    }
    text
}

/// What the figures were measured on, as far as the system says.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    format!("{cores} cores of {model}")
}

/// Puts the tables into the document.
pub fn write(text: &str) -> Result<(), String> {
    let document = std::fs::read_to_string(DOCUMENT).map_err(|why| why.to_string())?;
    let (before, after) = document
        .split_once(HEADING)
        .ok_or("docs/explanation/accuracy.md has no section for the figures")?;
    let rest = after.find("\n## ").map_or("", |at| &after[at..]);
    std::fs::write(DOCUMENT, format!("{before}{HEADING}\n{text}{rest}"))
        .map_err(|why| why.to_string())
}
