//! The plots of a spec against its variant.

use blis_sim::result::{Compared, Comparison};

use super::compare::shown;
use super::quantiles::{named, quantiles};
use crate::report::plot::{Axis, Form, Mark, Plot, PlotRow, Quantity, Scale, Series};

/// The spec and its variant; differences that are told from none and those that are not.
const BASE: usize = 1;
const VARIANT: usize = 2;
const TOLD: usize = 2;
const NOT_TOLD: usize = 6;

/// How far the variant is from the spec, with the figures in these words; and both distributions.
pub fn whatif(comparison: &Comparison, name: fn(&str) -> String) -> Vec<Plot> {
    vec![changes(comparison, name), distributions(comparison)]
}

fn changes(comparison: &Comparison, name: fn(&str) -> String) -> Plot {
    let rows = comparison.figures.iter().filter_map(|figure| {
        let base = figure.base.filter(|base| *base != 0.0)?;
        let at = figure.difference? / base;
        let within = figure
            .difference_ci95
            .map(|ends| ends.map(|end| end / base));
        let is_told = within.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        Some(PlotRow {
            name: name(&figure.figure),
            shown: shown(at, within),
            colour: if is_told { TOLD } else { NOT_TOLD },
            form: Form::Estimate {
                at,
                within,
                beside: None,
            },
        })
    });
    Plot::rows(
        "What changes",
        "The variant less the spec as it is, as a share of the latter, with 95 % intervals over pairs of the same random numbers; at 0 nothing changes.",
        Axis::new("change", Quantity::Share, Scale::FromZero),
        rows.collect(),
    )
    .coloured(&[(TOLD, "differs"), (NOT_TOLD, "not told")])
}

fn distributions(comparison: &Comparison) -> Plot {
    type Side = fn(&Compared) -> (Option<f64>, Option<[f64; 2]>);
    let side = |title: &str, colour: usize, of: Side| {
        let points = comparison.figures.iter().filter_map(|figure| {
            let quantile = figure.figure.strip_prefix("latency_ms.response.")?;
            let (value, within) = of(figure);
            named(quantile, value, within)
        });
        Series {
            name: title.to_owned(),
            colour,
            mark: Mark::Marked,
            points: points.collect(),
        }
    };
    quantiles(
        "Response time by percentile",
        "The share of the requests that had a response time of at most this, of the spec as it is and of its variant; bars are 95 % intervals.",
        "response time",
        vec![
            side("as it is", BASE, |one| (one.base, one.base_ci95)),
            side("variant", VARIANT, |one| (one.variant, one.variant_ci95)),
        ],
        None,
    )
}
