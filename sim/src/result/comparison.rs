//! The document of `blis whatif`: a spec compared with its variant on common random numbers.
//!
//! A figure is the mean over the replications of their own figures, so that its difference is the mean of the differences of
//! the pairs, whose t-interval common random numbers make narrow.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::VerdictResult;
use super::build::{end_name, parts_of, verdict};
use super::identity::SpecIdentity;
use crate::analysis::Memory;
use crate::measure::Of;
use crate::model::Model;
use crate::replication::{Length, Paired, QUANTILES, Replicated, Short, Spread, Tail};
use crate::statistics::{Interval, LEVEL, MIN_BEYOND, beyond, difference};
use crate::verdict::{LiveEvidence, evidence};

/// The document's schema identifier.
pub const COMPARISON_SCHEMA: &str = "blis.whatif/1";

/// A spec compared with its variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Always `blis.whatif/1`.
    pub schema: String,
    /// The version of blis that made it.
    pub blis_version: String,
    /// The seed of both.
    pub seed: u64,
    /// Number of pairs of replications.
    pub replications: u64,
    /// The level of the intervals: 0.95.
    pub level: f64,
    /// Changes of the variant, by key.
    pub changes: BTreeMap<String, String>,
    /// The spec.
    pub base: Side,
    /// Its variant.
    pub variant: Side,
    /// Compared figures.
    pub figures: Vec<Compared>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Identity of the spec.
    pub spec: SpecIdentity,
    /// End of the load: `horizon`, `budget`, `idle` or `interrupted`.
    pub ended_by: String,
    /// Start of the measured window.
    pub warmup_s: f64,
    /// Requests intended in all replications.
    pub requests: u64,
    /// Verdict on the objectives, over all replications; absent without objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictResult>,
}

/// A figure of both sides, and its difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// Key in a result: `latency_ms.response.p95`, `services.api.utilisation`, and `error_share`.
    pub figure: String,
    /// Value of the spec; absent if a replication did not measure it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ci95: Option<[f64; 2]>,
    /// Value of the variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant_ci95: Option<[f64; 2]>,
    /// Variant minus spec, mean over the pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_ci95: Option<[f64; 2]>,
    /// Why intervals are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

impl Comparison {
    /// The document as pretty-printed JSON with a line break at its end.
    ///
    /// # Errors
    /// None that the types allow; the serialiser's own is passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        super::to_json(self)
    }
}

/// The JSON Schema of the document, pretty-printed with a line break at its end.
pub fn comparison_json_schema() -> String {
    super::schema_of::<Comparison>()
}

/// A model with the identity of the spec that it came from.
#[derive(Debug, Clone)]
pub struct Compares<'a> {
    /// The model that was run.
    pub model: &'a Model,
    /// How long it remembers.
    pub memory: Memory,
    /// Its spec.
    pub spec: SpecIdentity,
}

/// The document of a comparison; `changes` says by key what makes the variant.
pub fn compare(
    [base, variant]: [Compares<'_>; 2],
    changes: BTreeMap<String, String>,
    pairs: &Paired,
) -> Comparison {
    let mut figures = vec![
        (
            "throughput_rps".to_owned(),
            whole(pairs, |spread, all| ratio(spread.sums.throughput(all))),
        ),
        (
            "latency_ms.response.mean".to_owned(),
            whole(pairs, |spread, all| ratio(spread.sums.response(all))),
        ),
    ];
    for (index, name) in [(0, "p50"), (2, "p95"), (3, "p99")] {
        let figure = whole(pairs, |spread, _| quantile(spread.total, index));
        figures.push((format!("latency_ms.response.{name}"), figure));
    }
    figures.push((
        "error_share".to_owned(),
        whole(pairs, |spread, all| ratio(spread.sums.error_share(all))),
    ));
    for (at, service) in base.model.services.iter().enumerate() {
        let of_variant = variant
            .model
            .services
            .iter()
            .position(|other| other.name == service.name);
        let Some(other) = of_variant else { continue };
        let servers = (service.servers(), variant.model.services[other].servers());
        let busy = |spread: &Spread, at, servers| ratio(spread.sums.utilisation(at, servers));
        let sides = [
            pairs
                .base
                .each
                .iter()
                .map(|one| busy(one, at, servers.0))
                .collect(),
            pairs
                .variant
                .each
                .iter()
                .map(|one| busy(one, other, servers.1))
                .collect(),
        ];
        figures.push((format!("services.{}.utilisation", service.name), sides));
    }
    let lengths = [(&base, &pairs.base), (&variant, &pairs.variant)].map(|(of, side)| {
        let (measure, runs) = (&side.together.measure, side.each.len() as u64);
        Length::of(of.model, &of.memory, measure, runs)
    });
    Comparison {
        schema: COMPARISON_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: base.model.seed,
        replications: pairs.base.each.len() as u64,
        level: LEVEL,
        changes,
        base: side(base, &pairs.base),
        variant: side(variant, &pairs.variant),
        figures: figures
            .into_iter()
            .map(|(figure, sides)| {
                let long_enough = long_enough(&lengths, &figure);
                compared(figure, sides, long_enough)
            })
            .collect(),
    }
}

/// Whether both were run for long enough for an interval of a figure; the first that was not says why.
fn long_enough(lengths: &[Length; 2], figure: &str) -> Result<(), Short> {
    let quantiles = [("p50", 0), ("p95", 2), ("p99", 3)];
    let quantile = quantiles
        .into_iter()
        .find(|(name, _)| figure.ends_with(&format!(".{name}")));
    lengths.iter().try_for_each(|length| {
        let longest = length.memory().of_all();
        match quantile {
            Some((_, index)) => length.quantile(longest, QUANTILES[index]),
            None => length.mean(longest),
        }
    })
}

/// A figure of each replication of both, or why one did not measure it.
type Sides = [Vec<Result<f64, String>>; 2];

fn whole(pairs: &Paired, figure: impl Fn(&Spread, &[usize]) -> Result<f64, String>) -> Sides {
    [&pairs.base, &pairs.variant].map(|side| {
        let all = side.together.measure.positions(Of::Total);
        side.each.iter().map(|one| figure(one, &all)).collect()
    })
}

fn ratio((upper, lower): (f64, f64)) -> Result<f64, String> {
    match lower {
        0.0 => Err("a replication has no such event".to_owned()),
        _ => Ok(upper / lower),
    }
}

fn quantile(tail: Tail, index: usize) -> Result<f64, String> {
    if beyond(tail.count, QUANTILES[index]) + 1e-9 < MIN_BEYOND as f64 {
        return Err(format!(
            "in a replication fewer than {MIN_BEYOND} of {} observations lie beyond it",
            tail.count
        ));
    }
    Ok(tail.values[index])
}

fn compared(figure: String, sides: Sides, long_enough: Result<(), Short>) -> Compared {
    let empty = Compared {
        figure,
        base: None,
        base_ci95: None,
        variant: None,
        variant_ci95: None,
        difference: None,
        difference_ci95: None,
        absent: None,
    };
    let [base, variant] = sides.map(|side| side.into_iter().collect::<Result<Vec<f64>, String>>());
    let (base, variant) = match (base, variant) {
        (Ok(base), Ok(variant)) => (base, variant),
        (Err(why), _) | (_, Err(why)) => {
            return Compared {
                absent: Some(why),
                ..empty
            };
        }
    };
    let differences: Vec<f64> = variant
        .iter()
        .zip(&base)
        .map(|(to, from)| difference(*to, *from))
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let ends = |values: &[f64]| match long_enough {
        Ok(()) => Interval::of_mean(values).map(Interval::ends),
        Err(_) => None,
    };
    let absent = match &long_enough {
        _ if base.len() < 2 => Some("one replication has no spread; use at least 2".to_owned()),
        Err(short) => Some(short.to_string()),
        Ok(()) => None,
    };
    Compared {
        base: Some(mean(&base)),
        base_ci95: ends(&base),
        variant: Some(mean(&variant)),
        variant_ci95: ends(&variant),
        difference: Some(mean(&differences)),
        difference_ci95: ends(&differences),
        absent,
        ..empty
    }
}

fn side(of: Compares<'_>, replicated: &Replicated) -> Side {
    let measure = &replicated.together.measure;
    let ended_by = end_name(replicated.together.ended_by).to_owned();
    let interrupted = ended_by == super::INTERRUPTED;
    Side {
        spec: of.spec,
        warmup_s: measure.warmup().as_secs_f64(),
        requests: measure.total().requests().intended,
        verdict: evidence(of.model, measure, interrupted, &LiveEvidence::default())
            .map(|evidence| verdict(&evidence.in_parts(&parts_of(replicated)))),
        ended_by,
    }
}
