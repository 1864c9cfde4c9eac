//! `--tiers`: several limits of one objective, each with its own ceiling, from the same trials.

use blis_sim::model::{Model, QuantileLimit};
use blis_sim::result::SignalResult;
use blis_sim::search::simulated::Tier;
use blis_sim::spec::error::{one_of, shown};
use blis_sim::spec::units::Duration;
use blis_sim::time::Span;
use blis_sim::verdict::{Counts, Limit, Signal};

use crate::exit::Failure;

/// The quantiles that may have tiers.
const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
];
const EXAMPLE: &str = "write [ACTION:]QUANTILE=LIMITS, such as p99=10ms,25ms,50ms";

/// Several limits of one quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiers {
    /// Of this action; of all where it is `None`.
    action: Option<String>,
    name: &'static str,
    quantile: f64,
    /// Strictly ascending.
    limits: Vec<Span>,
}

impl Tiers {
    /// As they are written.
    ///
    /// # Errors
    /// [`Failure::Usage`] that says what is accepted.
    pub fn of(text: &str) -> Result<Tiers, Failure> {
        let usage = |why: String| Failure::Usage(format!("--tiers `{}`: {why}", shown(text)));
        let Some((objective, limits)) = text.split_once('=') else {
            return Err(usage(format!("`=` is missing; {EXAMPLE}")));
        };
        let (action, name) = match objective.rsplit_once(':') {
            Some((action, name)) => (Some(action.to_owned()), name.trim()),
            None => (None, objective.trim()),
        };
        let known = QUANTILES.iter().find(|(known, _)| *known == name);
        let Some(&(name, quantile)) = known else {
            return Err(usage(format!(
                "`{}` is not a quantile; give one of {}",
                shown(name),
                one_of(QUANTILES.map(|(name, _)| name))
            )));
        };
        let mut spans: Vec<Span> = Vec::new();
        for limit in limits.split(',') {
            let read: Result<Duration, _> = limit.trim().parse();
            let read = read.map_err(|why| usage(format!("{why}; {}", why.help)))?;
            let span = Span::from_nanos_f64(read.0);
            if span == Span::ZERO {
                return Err(usage(
                    "a limit of 0 cannot be met; give times above 0".to_owned(),
                ));
            }
            if spans.last().is_some_and(|last| *last >= span) {
                return Err(usage(
                    "the limits are not strictly ascending; give each once, smallest first"
                        .to_owned(),
                ));
            }
            spans.push(span);
        }
        Ok(Tiers {
            action,
            name,
            quantile,
            limits: spans,
        })
    }

    /// Refuses an action that a model does not have.
    ///
    /// # Errors
    /// [`Failure::Usage`] then.
    pub fn check<P>(&self, model: &Model<P>) -> Result<(), Failure> {
        let known = |name: &String| model.actions.iter().any(|action| action.name == *name);
        match self.action.as_ref().filter(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(Failure::Usage(format!(
                "--tiers: there is no action `{}`; the actions are {}",
                shown(name),
                one_of(model.actions.iter().map(|action| action.name.as_str()))
            ))),
        }
    }

    /// Puts all limits into a model, in the place of those that it has at this quantile.
    pub fn put<P>(&self, model: &mut Model<P>) {
        let actions = model.actions.iter_mut();
        for action in actions.filter(|action| self.is_of(&action.name)) {
            let quantiles = &mut action.slo.quantiles;
            quantiles.retain(|limit| limit.quantile != self.quantile);
            quantiles.extend(self.limits.iter().map(|limit| QuantileLimit {
                quantile: self.quantile,
                limit: *limit,
            }));
            quantiles.sort_by(|one, other| one.quantile.total_cmp(&other.quantile));
        }
    }

    /// Whether a signal is looked at where only this limit is one.
    pub fn counts(&self, tier: Span, signal: &Signal) -> bool {
        match signal.limit {
            Limit::Quantile { quantile, limit }
                if quantile == self.quantile && signal.counts == Counts::Requests =>
            {
                let action = signal.of.strip_prefix("Action ");
                let of_tiers = action.is_some_and(|name| self.is_of(name));
                !of_tiers || limit == tier
            }
            _ => true,
        }
    }

    /// Whether a signal of a result is that of a limit other than the loosest.
    pub fn is_stricter(&self, signal: &SignalResult) -> bool {
        let action = signal.of.strip_prefix("Action ");
        let of_tiers = signal.name == self.name && action.is_some_and(|name| self.is_of(name));
        let loosest = self.limits.last().map(|limit| limit.as_millis_f64());
        of_tiers && Some(signal.limit) != loosest
    }

    fn is_of(&self, action: &str) -> bool {
        self.action.as_ref().is_none_or(|name| name == action)
    }

    /// The limits, the strictest first.
    pub fn limits(&self) -> &[Span] {
        &self.limits
    }

    /// What they are limits of: `p99`, `p99 of ask`.
    pub fn objective(&self) -> String {
        match &self.action {
            None => self.name.to_owned(),
            Some(action) => format!("{} of {action}", self.name),
        }
    }
}

/// What was found for each limit.
#[derive(Debug, Clone)]
pub struct OfTiers {
    /// The limits.
    pub tiers: Tiers,
    /// By limit; fewer where the search was stopped.
    pub found: Vec<Tier>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_or_refused_with_what_is_accepted() {
        let tiers = Tiers::of("ask:p99=10ms, 25ms,1s").expect("tiers");
        let nanos: Vec<u64> = tiers.limits.iter().map(|limit| limit.as_nanos()).collect();
        assert_eq!(nanos, [10_000_000, 25_000_000, 1_000_000_000]);
        assert_eq!(
            (tiers.objective().as_str(), tiers.quantile),
            ("p99 of ask", 0.99)
        );
        for (text, said) in [
            ("p99", "`=` is missing"),
            ("p98=1ms", "`p98` is not a quantile; give one of"),
            ("p99=", "an empty text is not a duration"),
            ("p99=1ms,1ms", "not strictly ascending"),
            ("p99=2ms,1ms", "not strictly ascending"),
            ("p99=0ms", "a limit of 0"),
            ("p99=1apple", "1apple"),
        ] {
            let why = Tiers::of(text).expect_err(text).to_string();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
