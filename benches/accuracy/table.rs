//! Errors of the simulation over the repetitions, each with its interval, and whether they are within what is promised.

use blis_sim::statistics::Interval;

use crate::Pair;
use crate::pair::{Figures, Setting};

/// A figure that is compared, and within how much.
struct Compared {
    name: &'static str,
    tolerance: f64,
    of: fn(&Figures) -> f64,
}

const fn compared(name: &'static str, tolerance: f64, of: fn(&Figures) -> f64) -> Compared {
    Compared {
        name,
        tolerance,
        of,
    }
}

const COMPARED: [Compared; 10] = [
    compared("throughput", 0.02, |figures| figures.throughput),
    compared("p50", 0.05, |figures| figures.p50),
    compared("p95", 0.05, |figures| figures.p95),
    compared("p99", 0.10, |figures| figures.p99),
    compared("p50 of each delivery", 0.05, |figures| figures.each[0]),
    compared("p95 of each delivery", 0.05, |figures| figures.each[1]),
    compared("p99 of each delivery", 0.10, |figures| figures.each[2]),
    compared("p50 of the last delivery", 0.05, |figures| figures.last[0]),
    compared("p95 of the last delivery", 0.05, |figures| figures.last[1]),
    compared("p99 of the last delivery", 0.10, |figures| figures.last[2]),
];
/// The document that has the table.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accuracy.md");
/// The heading that the table stands under.
const HEADING: &str = "## Figures\n";

/// One level of utilisation.
pub struct Row {
    utilisation: f64,
    requests: u64,
    /// By figure: mean error, half of its 95 % interval, and the errors nearest to and furthest from zero.
    errors: Vec<Spread>,
    one_way: f64,
    overrun: [f64; 2],
    control: [f64; 2],
}

struct Spread {
    mean: f64,
    half: f64,
    least: f64,
    most: f64,
}

impl Row {
    /// Of the pairs of a level.
    pub fn new(utilisation: f64, pairs: &[Pair]) -> Result<Row, String> {
        let errors = COMPARED.iter().map(|compared| {
            let errors: Vec<f64> = pairs
                .iter()
                .map(|pair| (compared.of)(&pair.simulated) / (compared.of)(&pair.live) - 1.0)
                .collect();
            let interval = Interval::of_mean(&errors).ok_or("too few repetitions")?;
            Ok(Spread {
                mean: interval.figure,
                half: interval.half_width,
                least: errors.iter().copied().fold(f64::INFINITY, f64::min),
                most: errors.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            })
        });
        let mean =
            |figure: fn(&Pair) -> f64| pairs.iter().map(figure).sum::<f64>() / pairs.len() as f64;
        Ok(Row {
            utilisation,
            requests: pairs.iter().map(|pair| pair.live.answered).sum(),
            errors: errors.collect::<Result<_, String>>()?,
            one_way: mean(|pair| pair.one_way),
            overrun: [mean(|pair| pair.overrun[0]), mean(|pair| pair.overrun[1])],
            control: [mean(|pair| pair.control[0]), mean(|pair| pair.control[1])],
        })
    }
}

/// A pair in a line, for who watches.
pub fn line(setting: Setting, pair: &Pair) -> String {
    let figures = |of: &Figures| {
        format!(
            "{} answered, {:.2}/s, {:.3}/{:.3}/{:.3} ms",
            of.answered, of.throughput, of.p50, of.p95, of.p99
        )
    };
    format!(
        "{:.0} % seed {}: live {}; simulated {}; one way {:.3} ms",
        setting.utilisation * 100.0,
        setting.seed,
        figures(&pair.live),
        figures(&pair.simulated),
        pair.one_way
    )
}

/// The tables in Markdown.
pub fn text(rows: &[Row], repetitions: u64, seconds: u64) -> String {
    let mut text = format!(
        "`cargo bench --bench accuracy -- --repetitions {repetitions} --seconds {seconds}`, on {}. Errors are those of the \
         simulation against the live run, as the mean of {repetitions} pairs with its 95 % interval; in brackets the least \
         and the largest of them.\n\n",
        machine()
    );
    text.push_str("| utilisation | requests | figure | error | spread | tolerance | within it |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        for (compared, error) in COMPARED.iter().zip(&row.errors) {
            let Compared {
                name, tolerance, ..
            } = compared;
            let percent = |share: f64| format!("{:+.2} %", share * 100.0);
            let within = error.mean.abs() + error.half <= *tolerance;
            let sharp = error.half <= tolerance / 2.0;
            let verdict = match (within, sharp) {
                (true, true) => "yes",
                (true, false) => "yes, with a wide interval",
                (false, _) => "no",
            };
            text.push_str(&format!(
                "| {:.0} % | {} | {name} | {} ± {:.2} % | [{}, {}] | {:.0} % | {verdict} |\n",
                row.utilisation * 100.0,
                row.requests,
                percent(error.mean),
                error.half * 100.0,
                percent(error.least),
                percent(error.most),
                tolerance * 100.0
            ));
        }
    }
    text.push_str(
        "\nWhat the machine had to do with it, as means of the runs:\n\n| utilisation | one way through the server | overrun \
         of the double, p50 and p99 | overrun of an idle thread, p50 and p99 |\n|---|---|---|---|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {:.0} % | {:.0} us | {:.0} us, {:.0} us | {:.0} us, {:.0} us |\n",
            row.utilisation * 100.0,
            row.one_way * 1e3,
            row.overrun[0],
            row.overrun[1],
            row.control[0],
            row.control[1]
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
        .ok_or("docs/accuracy.md has no section for the figures")?;
    let rest = after.find("\n## ").map_or("", |at| &after[at..]);
    std::fs::write(DOCUMENT, format!("{before}{HEADING}\n{text}{rest}"))
        .map_err(|why| why.to_string())
}
