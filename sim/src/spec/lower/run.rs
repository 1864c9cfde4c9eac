//! Lowers the run as a whole: version, name, seed and limits.

use std::num::NonZeroU64;

use super::Findings;
use crate::model::{Fitted, Limits, LiveModel};
use crate::spec::defaults::{DEFAULT_DRAIN, DEFAULT_SEED, LANGUAGE};
use crate::spec::error::{Origin, SpecError, shown};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{Provenance, Run, Spec, Warmup};
use crate::spec::units::Duration;
use crate::time::{Span, Time};
use crate::visible::is_hidden;

/// Longest name of a spec in bytes.
pub const MAX_NAME: usize = 100;
/// The most runs that the provenance of a spec names.
pub const MOST_RUNS: usize = 64;
/// The longest text of a provenance in bytes.
const LONGEST_TEXT: usize = 1000;

pub fn check_version(spec: &Spec, findings: &mut Findings) {
    let version = spec.blis.value.0;
    if version != LANGUAGE {
        let error = spec
            .blis
            .error(format!("version {version} of the language is not known"));
        findings.error(error.help(format!("use version {LANGUAGE}: `blis: {LANGUAGE}`")));
    }
}

pub fn name(spec: &Spec, findings: &mut Findings) -> String {
    let name = spec.name.value.as_str();
    if name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(is_hidden) {
        let error = spec
            .name
            .error(format!("`{}` cannot be the name of a spec", shown(name)));
        findings.error(error.help(format!("use 1 to {MAX_NAME} bytes of visible characters")));
    }
    name.to_owned()
}

/// Where the model comes from, if it was fitted.
pub fn fitted(written: &Provenance, findings: &mut Findings) -> Fitted {
    if written.runs.value.len() > MOST_RUNS {
        let message = format!("`runs` has {} entries", written.runs.value.len());
        let error = written.runs.error(message);
        findings.error(error.help(format!("name up to {MOST_RUNS} of them")));
    }
    let mut text = |written: &Spanned<String>| {
        let text = written.value.as_str();
        if text.trim().is_empty() || text.len() > LONGEST_TEXT || text.chars().any(is_hidden) {
            let error = written.error(format!("`{}` cannot be shown", shown(text)));
            findings.error(error.help(format!(
                "a text of `provenance` is 1 to {LONGEST_TEXT} bytes of characters that can be seen"
            )));
        }
        text.to_owned()
    };
    Fitted {
        by: text(&written.by),
        runs: written.runs.value.iter().map(&mut text).collect(),
        loads: written.loads.as_ref().map(&mut text),
        fit: written.fit.as_ref().map(&mut text),
    }
}

pub fn seed(spec: &Spec) -> u64 {
    spec.seed.as_ref().map_or(DEFAULT_SEED, |seed| seed.value.0)
}

/// The length of a duration in whole nanoseconds.
pub fn span(duration: Duration) -> Span {
    Span::from_nanos_f64(duration.0)
}

/// The horizon of a spec, checked or not.
pub fn horizon(spec: &Spec) -> Option<Time> {
    let run = spec.run.as_ref()?;
    run.value
        .horizon
        .as_ref()
        .map(|horizon| instant(horizon.value))
}

fn instant(duration: Duration) -> Time {
    Time::ZERO + span(duration)
}

pub fn limits(spec: &Spec, findings: &mut Findings) -> Limits {
    let none = Run::default();
    let run = spec.run.as_ref().map_or(&none, |run| &run.value);
    if run.requests.is_none() && run.horizon.is_none() {
        findings.error(unbounded(spec));
    }
    let mut requests = None;
    if let Some(budget) = &run.requests {
        requests = NonZeroU64::new(budget.value.0);
        if requests.is_none() {
            let error = budget.error("a budget of 0 requests runs nothing");
            findings.error(error.help("give at least 1, or leave `requests` out for no budget"));
        }
    }
    if let Some(horizon) = &run.horizon
        && span(horizon.value) == Span::ZERO
    {
        findings.error(
            horizon
                .error("a horizon of zero runs nothing")
                .help("give a time above 0s, such as `60s`"),
        );
    }
    let warmup = run.warmup.as_ref().map_or(Time::ZERO, |warmup| {
        let Warmup::At(time) = warmup.value else {
            return Time::ZERO;
        };
        if let Some(horizon) = &run.horizon
            && instant(time) >= instant(horizon.value)
        {
            let error = warmup.error(format!(
                "the warm-up ({time}) is not before the horizon ({})",
                horizon.value
            ));
            findings.error(error.help("shorten the warm-up (`--warmup`) or lengthen the run"));
        }
        instant(time)
    });
    Limits {
        requests,
        horizon: run.horizon.as_ref().map(|horizon| instant(horizon.value)),
        warmup,
        find_warmup: run
            .warmup
            .as_ref()
            .is_some_and(|warmup| warmup.value == Warmup::Auto),
        drain: span(
            run.drain
                .as_ref()
                .map_or(DEFAULT_DRAIN, |drain| drain.value),
        ),
    }
}

fn unbounded(spec: &Spec) -> SpecError {
    let message = "the load has no end: there is neither a budget nor a horizon";
    let error = match spec.run.as_ref().map(|run| run.origin) {
        Some(Origin::Text(place)) => SpecError::at(place, message),
        Some(Origin::Flag(_) | Origin::Set(_) | Origin::Default) | None => SpecError::new(message),
    };
    error
        .help("set `run.requests` or `run.horizon`, or give --num-requests or --horizon; `blis max-rps` and `blis serve` need neither")
        .absence()
}

/// Users beyond the budget never send anything.
pub fn warn_of_small_budget(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    let users: u64 = model
        .clients
        .iter()
        .map(|client| client.closed_users())
        .sum();
    let budget = spec
        .run
        .as_ref()
        .and_then(|run| run.value.requests.as_ref());
    if let Some(budget) = budget
        && budget.value.0 < users
    {
        let message = format!(
            "the budget of {} requests is smaller than the {users} users",
            budget.value
        );
        findings.warn(
            budget
                .error(message)
                .help("some users never send a request; raise the budget"),
        );
    }
}
