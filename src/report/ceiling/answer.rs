//! The answer of a search in words, or what is known without one.

use blis_sim::result::{AnswerResult, CeilingEnd, CeilingResult};
use blis_sim::verdict::{Standing, Status};

use super::{rate, unit, users};
use crate::ceiling::{Unit, figure};
use crate::report::number::{NOT_MEASURED, count, significant};

/// The answer, and why there is no higher one.
pub fn answer(found: &CeilingResult) -> Vec<String> {
    let mut lines = vec![match &found.answer {
        Some(answer) => the_answer(found, answer),
        None => no_answer(found),
    }];
    lines.extend(bounds_so_far(found));
    if let Some(answer) = &found.answer {
        lines.extend(growing(answer));
        lines.extend(at_the_answer(found, answer));
    }
    lines.extend(against_the_model(found));
    let limits = found.next_limit.join("; ");
    if !limits.is_empty() {
        let label = match (&found.answer, found.ended) {
            (_, CeilingEnd::GeneratorLimited) => "Search stopped: ",
            (Some(_), CeilingEnd::Undecided) => "Undecided above: ",
            (None, CeilingEnd::Undecided) => "Why: ",
            _ => "Next limit: ",
        };
        lines.push(format!("{label}{limits}"));
    } else if found.ended == CeilingEnd::EndOfRange {
        lines.push("Next limit: not found: all trials met their objectives".to_owned());
    }
    lines
}

/// Without an answer, what the search knows.
fn bounds_so_far(found: &CeilingResult) -> Option<String> {
    // A simulated search goes by figures that a trial which is too short does not vouch for.
    let shown = |load: f64, status: Status, what: &str| {
        let mut trials = found.trials.iter();
        let is_sure = trials.any(|trial| trial.load == load && trial.verdict == status);
        let unsure = if is_sure { "" } else { " (probably)" };
        format!("{} {what}{unsure}", unit(found).shown(load))
    };
    let kept = found
        .lower
        .map(|load| shown(load, Status::Pass, "met its objectives"));
    let missed = found
        .upper
        .filter(|_| found.ended == CeilingEnd::Undecided)
        .map(|load| shown(load, Status::Trip, "missed them"));
    let known: Vec<String> = kept.into_iter().chain(missed).collect();
    (!known.is_empty()).then(|| format!("Bounds so far: {}", known.join("; ")))
}

/// How far a live answer is from what the model said.
fn against_the_model(found: &CeilingResult) -> Option<String> {
    let prediction = found.prediction.as_ref()?;
    let (predicted, unit) = (prediction.ceiling?, unit(found));
    let said = format!("Model: {}", unit.shown(predicted));
    Some(match &found.answer {
        Some(answer) if found.ended != CeilingEnd::Ceiling => {
            format!("{said}; measured: at least {}", unit.shown(answer.value))
        }
        Some(answer) => format!(
            "{said}; measured: {} ({:+.1} %)",
            unit.shown(answer.value),
            100.0 * (answer.value / predicted - 1.0)
        ),
        None => format!("{said}; measured: no load passed"),
    })
}

fn the_answer(found: &CeilingResult, answer: &AnswerResult) -> String {
    let is_open = matches!(
        found.ended,
        CeilingEnd::EndOfRange | CeilingEnd::GeneratorLimited | CeilingEnd::Undecided
    );
    // Where more helps, the least that passed carries the load, and more of it passed too.
    let passed = found.trials.iter();
    let is_least = passed
        .filter(|trial| trial.verdict == Status::Pass)
        .any(|trial| trial.load > answer.value);
    let at_least = match (is_open, is_least) {
        (false, _) => "",
        (true, false) => "≥ ",
        (true, true) => "≤ ",
    };
    let rps = answer.max_rps.map_or(NOT_MEASURED.to_owned(), rate);
    let interval = answer.max_rps_ci95.map_or(String::new(), |[low, high]| {
        format!("95 %: {} to {}; ", rate(low), rate(high))
    });
    let kept = tightest(found, answer).map_or(String::new(), |kept| format!("   {kept}"));
    let value = match answer.parameter.as_str() {
        "rate" => format!("max RPS = {at_least}{rps} ({interval}"),
        "concurrency" => {
            let users = users(answer.value);
            format!("max RPS = {rps} with {at_least}{users} ({interval}")
        }
        key => {
            let value = unit(found).shown(answer.value);
            format!("{key} = {at_least}{value} ({rps} requests/s ok; {interval}")
        }
    };
    let (name, mode) = (&found.spec.name, &found.mode);
    format!("ANSWER: {value}workload={name}, {mode}){kept}")
}

/// The objective that is the nearest to its limit at the answer: `p99 243 ms of 250 ms`.
fn tightest(found: &CeilingResult, answer: &AnswerResult) -> Option<String> {
    let tightest = found.trial_at(answer.value)?.tightest()?;
    // What a single trial measured beyond its limit, where all of them together keep it, is chance.
    (tightest.standing == Standing::Within).then(|| figure(tightest, "against an objective of"))
}

/// That backlogs grew at the answer which no objective judges: the objectives of replies were met all the same.
fn growing(answer: &AnswerResult) -> Option<String> {
    let each = answer.growing.iter();
    let each: Vec<String> = each
        .map(|(name, slope)| format!("{name} by {}/s", significant(*slope)))
        .collect();
    (!each.is_empty()).then(|| {
        format!(
            "Caution: at this load backlogs grow, which no objective judges: {}; judge that with --slo growth",
            each.join(", ")
        )
    })
}

/// What the answer means in the terms of what was varied.
fn at_the_answer(found: &CeilingResult, answer: &AnswerResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(factor), Some(mean)) = (answer.factor, answer.mean_rps) {
        let peak = answer
            .peak_rps
            .filter(|peak| *peak > mean * 1.0005)
            .map_or(String::new(), |peak| {
                format!(", peak {}", Unit::PerSecond.shown(peak))
            });
        lines.push(format!(
            "At load {}, {} times the rates of the spec: mean {} requests{peak}",
            unit(found).shown(answer.value),
            significant(factor),
            Unit::PerSecond.shown(mean),
        ));
    }
    if answer.users.len() > 1 {
        let each = answer.users.iter();
        let each: Vec<String> = each
            .map(|(name, users)| format!("{name} {}", count(*users)))
            .collect();
        lines.push(format!("Users by client: {}", each.join(", ")));
    }
    let between = |[low, high]: [f64; 2]| {
        format!("{} to {}", unit(found).shown(low), unit(found).shown(high))
    };
    let is_whole = |interval: [f64; 2]| interval.iter().all(|end| end.fract() == 0.0);
    let unit_of = |interval: [f64; 2]| match unit(found) {
        // Between two whole numbers lies where they part.
        Unit::Whole if !is_whole(interval) => interval.map(significant).join(" to "),
        _ => between(interval),
    };
    let interval = answer.value_ci95.map(|interval| {
        format!(
            "95 % interval of {}: {}",
            answer.parameter,
            unit_of(interval)
        )
    });
    // Of a curve through many trials the root may lie beside single trials that chance decided: these bound nothing.
    let bounds = answer.lower.zip(answer.upper);
    let bounds = bounds.filter(|(lower, upper)| (*lower..=*upper).contains(&answer.value));
    let bounds = bounds.map(|(lower, upper)| format!("bounds: {}", between([lower, upper])));
    let both: Vec<String> = interval.into_iter().chain(bounds).collect();
    if !both.is_empty() {
        lines.push(both.join("; "));
    }
    if let Some([low, high]) = answer.cliff {
        lines.push(format!(
            "Cliff: the objectives are met by far at {} and missed by far at {}",
            unit(found).shown(low),
            unit(found).shown(high)
        ));
    }
    if answer.precise == Some(false) {
        lines.push(
            "Precision NOT REACHED; allow more time (--time-limit, --longest-trial)".to_owned(),
        );
    }
    lines
}

fn no_answer(found: &CeilingResult) -> String {
    let of = format!("workload={}, {}", found.spec.name, found.mode);
    match found.ended {
        CeilingEnd::NonePassed => {
            let tripped = found
                .trials
                .iter()
                .filter(|trial| trial.verdict == Status::Trip);
            let tripped: Vec<f64> = tripped.map(|trial| trial.load).collect();
            let least = tripped.iter().copied().reduce(f64::min);
            let most = tripped.iter().copied().reduce(f64::max);
            let below = match (least, most) {
                // Of a key either end may be the easiest.
                (Some(least), Some(most)) if found.is_of_a_key() && least < most => format!(
                    "; the objectives are missed from {} to {}: widen --search",
                    unit(found).shown(least),
                    unit(found).shown(most)
                ),
                (Some(least), _) => format!(
                    "; the objectives are missed at {}",
                    unit(found).shown(least)
                ),
                (None, _) => String::new(),
            };
            format!("ANSWER: no load passed ({of}){below}")
        }
        _ => format!("ANSWER: INCONCLUSIVE ({of}): the trials do not decide"),
    }
}
