//! The report of `blis whatif`.

use blis_sim::result::{Compared, Comparison, INTERRUPTED, Side};

use super::absence::sentence;
use super::figures;
use super::number::{NOT_MEASURED, count, millis_within, percent_within, significant_within};
use super::parts::{Block, Key, Mood, OnPage, Place, Report, Section};
use super::provenance::provenance;
use super::table::Table;
use super::verdict::{objectives, status_name};

/// The report of a comparison.
pub fn whatif(comparison: &Comparison) -> Report {
    let changes: Vec<String> = comparison
        .changes
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let interrupted = match comparison.variant.ended_by.as_str() {
        INTERRUPTED => ", INTERRUPTED",
        _ => "",
    };
    let name_of_spec = &comparison.base.spec.name;
    let what = format!(
        "{name_of_spec}, seed {}: variant with {}",
        comparison.seed,
        changes.join(", ")
    );
    let how = format!(
        "{} pairs of replications on common random numbers{interrupted}, 95 % intervals",
        count(comparison.replications)
    );
    let mut table = Table::new(&["", "spec", "variant", "difference", "change", "differs"]);
    let mut notes = Vec::new();
    for figure in &comparison.figures {
        table.row(row(figure));
        if let Some(why) = &figure.absent {
            notes.push(format!(
                "no interval for {}: {}",
                name(&figure.figure),
                sentence(why)
            ));
        }
    }
    let of_base = Block::Notes(verdict("spec", &comparison.base));
    let of_variant = Block::Notes(verdict("variant", &comparison.variant));
    let of_variant = match &comparison.variant.verdict {
        None => of_variant,
        Some(verdict) => Block::Verdict {
            mood: Mood::of(verdict.status),
            word: status_name(verdict.status),
            said: Box::new(of_variant),
        },
    };
    let (schema, version) = (&comparison.schema, &comparison.blis_version);
    let sides = [
        ("Provenance of the spec as it is", &comparison.base),
        ("Provenance of the variant", &comparison.variant),
    ];
    let provenances = sides.into_iter().map(|(heading, side)| {
        let of = provenance(schema, version, &side.spec, Vec::new());
        of.placed(Place::Folded(heading))
    });
    let sections = vec![
        Section::of([
            Block::Lines(vec![what, how]),
            Block::OnPage(OnPage::Keys(keys(comparison))),
        ])
        .placed(Place::First),
        Section::plots(figures::whatif(comparison, name)).headed("What changes"),
        Section::of([Block::Table(table)]),
        Section::of([Block::Notes(notes), of_base, of_variant]).placed(Place::First),
    ];
    Report {
        title: name_of_spec.clone(),
        sections: sections.into_iter().chain(provenances).collect(),
    }
}

/// What changes, as large numbers.
fn keys(comparison: &Comparison) -> Vec<Key> {
    let changes = comparison.figures.iter().filter_map(|figure| {
        let [_, _, variant, difference, change, _] = row(figure);
        let value = match change.as_str() {
            "-" => difference,
            _ => change,
        };
        figure.difference.map(|_| Key {
            label: name(&figure.figure),
            value,
            beside: format!("to {variant}"),
        })
    });
    changes.collect()
}

/// How a figure is called.
fn name(figure: &str) -> String {
    if let Some(response) = figure.strip_prefix("latency_ms.response.") {
        return format!("{response} response");
    }
    if let Some(service) = figure
        .strip_prefix("services.")
        .and_then(|rest| rest.strip_suffix(".utilisation"))
    {
        return format!("utilisation of {service}");
    }
    match figure {
        "throughput_rps" => "requests/s".to_owned(),
        "error_share" => "errors".to_owned(),
        other => other.to_owned(),
    }
}

fn row(figure: &Compared) -> [String; 6] {
    let write = match figure.figure.as_str() {
        "throughput_rps" => significant_within,
        latency if latency.starts_with("latency_ms.") => millis_within,
        _ => percent_within,
    };
    let shown = |value: Option<f64>, interval| {
        value.map_or(NOT_MEASURED.to_owned(), |value| write(value, interval))
    };
    let signed = |value: f64, interval: Option<[f64; 2]>| {
        let turned = |[low, high]: [f64; 2]| [-high, -low];
        match value < 0.0 {
            true => format!("-{}", write(-value, interval.map(turned))),
            false => format!("+{}", write(value, interval)),
        }
    };
    let change = match (figure.base, figure.difference) {
        (Some(base), Some(difference)) if base != 0.0 => {
            format!("{:+.1} %", difference / base * 100.0)
        }
        _ => "-".to_owned(),
    };
    let differs = match figure.difference_ci95 {
        None => "-",
        Some([low, high]) if low > 0.0 || high < 0.0 => "yes",
        Some([0.0, 0.0]) => "no",
        Some(_) => "cannot tell",
    };
    [
        name(&figure.figure),
        shown(figure.base, figure.base_ci95),
        shown(figure.variant, figure.variant_ci95),
        figure.difference.map_or("-".to_owned(), |value| {
            signed(value, figure.difference_ci95)
        }),
        change,
        differs.to_owned(),
    ]
}

fn verdict(which: &str, side: &Side) -> Vec<String> {
    let Some(verdict) = &side.verdict else {
        return Vec::new();
    };
    let status = format!("verdict {which}: {}", status_name(verdict.status));
    let lines = objectives(verdict).into_iter();
    let lines = lines.map(|line| format!("  {line}"));
    [status].into_iter().chain(lines).collect()
}
