//! Lowers files to their recorded arrivals and measured values.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::moments::{self, Moment};
use super::{Findings, Names};
use crate::model::{ActionId, Mix, Recording};
use crate::spec::error::{nearest, one_of, shown};
use crate::spec::files::{Flaw, each_row};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{Offset, Trace};
use crate::spec::units::UnitError;
use crate::time::{Span, Time};

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
    trace: &Trace,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Option<(Recording, Option<Mix>)> {
    let path = trace.file();
    let text = findings.file(path)?;
    let mut start = start(trace, findings)?;
    let mut times: Vec<Time> = Vec::new();
    let mut actions = Vec::new();
    let read = each_row(&text, &["time", "time,action"], |line, written, action| {
        let moment = moments::read(line, written, trace.unit())?;
        let start = *start.get_or_insert(moment);
        if trace.offset().is_none() && times.is_empty() {
            moments::refuse_absolute(line, written, moment, trace.unit())?;
        }
        let before = times.last().copied().unwrap_or(Time::ZERO);
        if !times.is_empty() && moment < start + Moment::from(before.as_nanos()) {
            let before: Span = before.since(Time::ZERO);
            let message = format!(
                "`{}` is before the row above it, at {before}",
                shown(written)
            );
            return Err(Flaw::new(
                line,
                message,
                "sort the times in ascending order; equal ones are accepted",
            ));
        }
        times.push(moments::instant(line, written, moment, start)?);
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

/// The recorded time at which the run starts, `Some(None)` where the first arrival says it; `None` where that cannot be read.
fn start(trace: &Trace, findings: &mut Findings) -> Option<Option<Moment>> {
    let Some(offset) = trace.offset() else {
        return Some(Some(0));
    };
    let Offset::At(text) = &offset.value else {
        return Some(None);
    };
    match moments::read(0, text, trace.unit()) {
        Ok(moment) => Some(Some(moment)),
        Err(_) => {
            let error = offset.error(format!("`{}` is not an offset", shown(text)));
            findings.error(error.help(
                "write `first`, or a recorded time as the file writes it, such as `1718900000`",
            ));
            None
        }
    }
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
