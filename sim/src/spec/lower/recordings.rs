//! Files to what they record: arrivals and measured values.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::run::span;
use super::{Findings, Names};
use crate::model::{ActionId, Mix, Recording};
use crate::spec::error::{nearest, one_of, shown};
use crate::spec::files::{Flaw, each_row};
use crate::spec::spanned::Spanned;
use crate::spec::units::{Duration, MAX_DURATION_NS, Number, UnitError};
use crate::time::{Span, Time};

const TIME_FORMS: &str =
    "a time is a number of seconds, or has a unit: `12.5`, `12500ms`; none is negative";

/// A time as a recording writes it: with its unit, or a number of seconds, which may have an exponent.
fn time(line: usize, text: &str) -> Result<Time, Flaw> {
    let is_bare = text.ends_with(|last: char| last.is_ascii_digit() || last == '.');
    let read = match is_bare {
        true if text.contains(['e', 'E']) => {
            let seconds = text.parse::<Number>();
            let nanos = seconds.map(|seconds| Duration(seconds.0 * 1e9));
            nanos.ok().filter(|nanos| nanos.0 <= MAX_DURATION_NS)
        }
        true => format!("{text}s").parse().ok(),
        false => text.parse().ok(),
    };
    match read {
        Some(time) => Ok(Time::ZERO + span(time)),
        None => {
            let what = if text.starts_with('-') {
                "negative"
            } else {
                "not a time"
            };
            let message = format!("`{}` is {what}", shown(text));
            Err(Flaw::new(line, message, TIME_FORMS))
        }
    }
}

/// The values of a file; `None` when they cannot be had.
pub fn values<Q: FromStr<Err = UnitError> + Into<f64>>(
    path: &Spanned<String>,
    findings: &mut Findings,
) -> Option<Vec<f64>> {
    let text = findings.file(path)?;
    let mut values = Vec::new();
    let read = each_row(&text, &["value"], |line, value, _| {
        let value: Result<Q, UnitError> = value.parse();
        let value = value.map_err(|error| Flaw::new(line, error.message, error.help))?;
        values.push(value.into());
        Ok(())
    });
    match read {
        Ok(()) => Some(values),
        Err(flaw) => {
            findings.error(flaw.into_error(path));
            None
        }
    }
}

/// The arrivals of a file, and the mix of its actions if it has some; `None` when they cannot be had.
pub fn arrivals(
    path: &Spanned<String>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Option<(Recording, Option<Mix>)> {
    let text = findings.file(path)?;
    let mut times: Vec<Time> = Vec::new();
    let mut actions = Vec::new();
    let read = each_row(&text, &["time", "time,action"], |line, written, action| {
        let at = time(line, written)?;
        if let Some(before) = times.last().filter(|before| **before > at) {
            let before: Span = before.since(Time::ZERO);
            let message = format!(
                "`{}` is before the row above it, at {before}",
                shown(written)
            );
            return Err(Flaw::new(
                line,
                message,
                "times ascend; equal ones are accepted",
            ));
        }
        times.push(at);
        if let Some(action) = action {
            actions.push(self::action(line, action, names)?);
        }
        Ok(())
    });
    if let Err(flaw) = read {
        findings.error(flaw.into_error(path));
        return None;
    }
    let mix = (!actions.is_empty()).then(|| shares(&actions));
    let recording = Recording {
        times: times.into(),
        actions: actions.into(),
    };
    Some((recording, mix))
}

/// Each action with its share of the sessions, in the order of the model.
fn shares(actions: &[ActionId]) -> Mix {
    let mut counts: BTreeMap<ActionId, usize> = BTreeMap::new();
    for &action in actions {
        *counts.entry(action).or_default() += 1;
    }
    let share = |count| count as f64 / actions.len() as f64;
    Mix {
        shares: counts
            .into_iter()
            .map(|(action, count)| (action, share(count)))
            .collect(),
    }
}

fn action(line: usize, name: &str, names: &Names<'_>) -> Result<ActionId, Flaw> {
    if let Some(&position) = names.actions.get(name) {
        return Ok(ActionId(position));
    }
    let known = || names.actions.keys().copied();
    let list = format!("the actions are {}", one_of(known()));
    let help = match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    };
    let message = format!("there is no action `{}`", shown(name));
    Err(Flaw::new(line, message, help))
}
