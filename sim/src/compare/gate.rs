//! Figures and their tolerances: a gate that nothing passes for lack of evidence.

use super::document::{CompareResult, FigureResult, GroupResult, ToleranceResult};
use super::estimate::Difference;
use super::names::{ALL, ERRORS};
use super::shares::{effect, ended, shares};
use super::sides::Sides;
use super::tolerance::{Standing, Tolerance, Tolerances};
use crate::dist::special_functions::normal_quantile;
use crate::event::Outcome;
use crate::statistics::LEVEL;
use crate::verdict::Status;

/// How many more of them are tolerated where a gate says nothing of them.
const ERRORS_TOLERATED: f64 = 0.001;

/// How the figures of a group stand to what is tolerated of them.
pub(super) fn tolerated(
    name: &str,
    group: &GroupResult,
    tolerances: &Tolerances,
    sides: Sides<'_>,
) -> Vec<ToleranceResult> {
    let action = (name != ALL).then_some(name);
    let is_answered = sides.map(|side| ended(side, action, |one| one == Outcome::Ok)[0] > 0.0);
    let given = tolerances.0.iter();
    let mut all: Vec<ToleranceResult> = given
        .map(|tolerance| match tolerance.figure.as_str() {
            ERRORS => errors(name, action, tolerance, sides),
            figure => {
                let found = group.figures.iter().find(|one| one.name == figure);
                of_figure(name, tolerance, found, is_answered)
            }
        })
        .collect();
    if given_of_errors(tolerances).is_none() {
        all.extend(usual_errors(name, action, sides));
    }
    all
}

fn given_of_errors(tolerances: &Tolerances) -> Option<&Tolerance> {
    tolerances.0.iter().find(|one| one.figure == ERRORS)
}

/// What is tolerated of errors where nobody says: told where there are more of them.
fn usual_errors(name: &str, action: Option<&str>, sides: Sides<'_>) -> Option<ToleranceResult> {
    let usual = Tolerance {
        figure: ERRORS.to_owned(),
        below: None,
        above: Some(ERRORS_TOLERATED),
    };
    let found = errors(name, action, &usual, sides);
    let is_more = found.difference > Some(ERRORS_TOLERATED);
    Some(found).filter(|_| is_more)
}

/// How the failures of a comparison stand to what is tolerated, told from its other side: how many more the baseline has. Nothing
/// where nothing is tolerated.
pub fn failures_of_baseline(
    found: &CompareResult,
    tolerances: &Tolerances,
    sides: Sides<'_>,
) -> Vec<ToleranceResult> {
    let swapped = [sides[1], sides[0]];
    let of = |name: &str| {
        let action = (name != ALL).then_some(name);
        match given_of_errors(tolerances) {
            Some(given) => Some(errors(name, action, given, swapped)),
            None => usual_errors(name, action, swapped),
        }
    };
    let names = found.total.iter().map(|_| ALL);
    let names = names.chain(found.actions.keys().map(String::as_str));
    match tolerances.0.is_empty() {
        true => Vec::new(),
        false => names.filter_map(of).collect(),
    }
}

fn of_figure(
    name: &str,
    tolerance: &Tolerance,
    figure: Option<&FigureResult>,
    is_answered: [bool; 2],
) -> ToleranceResult {
    let difference = figure.and_then(|figure| {
        Some(Difference {
            relative: figure.difference?,
            interval: figure.difference_ci95,
            p: figure.p,
        })
    });
    let is_time = tolerance.figure != "throughput";
    let is_gone = is_time
        && is_answered == [true, false]
        && figure.is_some_and(|one| one.baseline.is_some() && one.other.is_none());
    let (standing, times_longer) = match &difference {
        // Where nothing is answered any more there are no times to compare.
        _ if is_gone => (Standing::Beyond, None),
        Some(difference) => tolerance.standing(difference),
        None => (Standing::Undecided, None),
    };
    ToleranceResult {
        of: name.to_owned(),
        figure: tolerance.figure.clone(),
        below: tolerance.below,
        above: tolerance.above,
        difference: difference.map(|one| one.relative),
        difference_ci95: difference.and_then(|one| one.interval),
        standing,
        times_longer,
        why: figure.and_then(|figure| figure.absent.clone()),
    }
}

/// How many more requests fail than before.
fn errors(
    name: &str,
    action: Option<&str>,
    tolerance: &Tolerance,
    sides: Sides<'_>,
) -> ToleranceResult {
    let counts = sides.map(|side| ended(side, action, |outcome| outcome != Outcome::Ok));
    let effects = sides.map(effect);
    let (difference, _) = shares(counts, effects);
    // Each share as it is, with one more request that failed and one that did not (Agresti and Caffo 2000): of none among few nothing is
    // known.
    let variance = |[number, of]: [f64; 2], effect: f64| {
        let (number, of) = (number + 1.0, of + 2.0);
        let share = number / of;
        effect * share * (1.0 - share) / of
    };
    let error = libm::sqrt(variance(counts[0], effects[0]) + variance(counts[1], effects[1]));
    let reach = normal_quantile(0.5 + LEVEL / 2.0) * error;
    let most = tolerance.above.unwrap_or(0.0);
    let (standing, times_longer) = if most >= 1.0 {
        (Standing::Within, None)
    } else if counts.iter().any(|[_, of]| *of == 0.0) {
        (Standing::Undecided, None)
    } else if difference - reach > most {
        (Standing::Beyond, None)
    } else if difference + reach <= most {
        (Standing::Within, None)
    } else {
        let times = (reach / (most - difference)).powi(2);
        (
            Standing::Undecided,
            Some(times).filter(|times| times.is_finite()),
        )
    };
    ToleranceResult {
        of: name.to_owned(),
        figure: ERRORS.to_owned(),
        below: None,
        above: Some(most),
        difference: Some(difference),
        difference_ci95: reach
            .is_finite()
            .then_some([difference - reach, difference + reach]),
        standing,
        times_longer,
        why: None,
    }
}

/// Whether all was tolerated, of runs that can be trusted; `None` where nothing was said of that.
pub fn verdict(tolerances: &[ToleranceResult], reservations: &[String]) -> Option<Status> {
    let any = |standing| tolerances.iter().any(|one| one.standing == standing);
    match () {
        () if tolerances.is_empty() => None,
        () if any(Standing::Beyond) => Some(Status::Trip),
        () if any(Standing::Undecided) || !reservations.is_empty() => Some(Status::Inconclusive),
        () => Some(Status::Pass),
    }
}
