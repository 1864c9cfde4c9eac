//! The fit of each run, by the model of all runs and by that of the other runs.

use std::ops::Range;

use nalgebra::DMatrix;

use super::document::GoodnessResult;
use super::explain::{Explained, Question};
use super::knowledge::inverse;
use super::least_squares::{Start, Task, refit};
use crate::dist::special_functions::gamma_p;

/// Without a run no number changes by more than this, as it is measured, if it is computed by slopes.
const LINEAR: f64 = 0.03;

/// A figure of a run beside what a model has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The logarithm of what the fitted model has.
    pub fitted: f64,
    /// By how many standard deviations that is more than what was measured.
    pub off: f64,
    /// The same of a model that was fitted to the other runs alone.
    pub left_out: Option<[f64; 2]>,
}

/// How a run is explained.
#[derive(Debug, Clone, PartialEq)]
pub struct OfRun {
    /// Its figures.
    pub figures: Vec<Held>,
    /// All of them together.
    pub goodness: GoodnessResult,
}

/// A sum of squares that is less probable than this where the model is right says that it is not.
const WRONG: f64 = 0.01;

impl GoodnessResult {
    /// Whether the model does not explain what was measured.
    pub fn is_wrong(&self) -> bool {
        self.p < WRONG
    }
}

/// How probable a chi-square as large as this is.
pub fn goodness(chi_square: f64, freedom: usize) -> GoodnessResult {
    GoodnessResult {
        chi_square,
        freedom: freedom as u64,
        p: match freedom {
            0 => 1.0,
            _ => 1.0 - gamma_p(freedom as f64 / 2.0, chi_square / 2.0),
        },
    }
}

/// How the best structure explains each run. Each run is left out once, where there are several.
pub fn of_runs(question: Question<'_>, best: &Explained) -> Option<Vec<OfRun>> {
    let measured = question.measured.concat();
    let task = Task {
        few: best.few.as_ref(),
        ..question.task(&best.structure, &measured, &best.whitening)
    };
    let point = &best.fitted.point;
    let off = task.off(&best.fitted.figures());
    let fitted = task.by_many(best.fitted.figures());
    let covariance = inverse_of(&best.whitening);
    let share = point.len() as f64 / measured.len() as f64;
    let mut first = 0;
    let ranges = question.measured.iter().map(|run| {
        let range = first..first + run.len();
        first = range.end;
        range
    });
    let ranges: Vec<Range<usize>> = ranges.collect();
    let left_out = question.each(ranges.len() as u64, |nth| {
        let range = ranges[nth as usize].clone();
        Some(match ranges.len() > 1 {
            true => left_out(&task, best, &covariance, range),
            false => None,
        })
    })?;
    let mut all = Vec::new();
    for (range, left_out) in ranges.into_iter().zip(left_out) {
        let held = |(within, at): (usize, usize)| Held {
            fitted: fitted[at],
            off: (fitted[at] - measured[at]) / libm::sqrt(covariance[(at, at)]),
            left_out: left_out.as_ref().map(|all| all[within]),
        };
        let squares = off.rows(range.start, range.len()).norm_squared();
        // The fitted numbers take their share of each run's figures.
        let freedom = (range.len() as f64 * (1.0 - share)).round() as usize;
        all.push(OfRun {
            figures: range.enumerate().map(held).collect(),
            goodness: goodness(squares, freedom),
        });
    }
    Some(all)
}

/// The covariance that a whitening is of.
fn inverse_of(whitening: &DMatrix<f64>) -> DMatrix<f64> {
    inverse(whitening.transpose() * whitening)
}

/// What a model has for a run that was fitted to the others alone, and by how many standard deviations that is more than what was
/// measured.
fn left_out(
    task: &Task<'_>,
    best: &Explained,
    covariance: &DMatrix<f64>,
    run: Range<usize>,
) -> Option<Vec<[f64; 2]>> {
    // Differences of the run count nothing.
    let mut whitening = task.whitening.clone();
    whitening.rows_mut(run.start, run.len()).fill(0.0);
    let others = Task {
        whitening: &whitening,
        ..task.clone()
    };
    let fitted = refit(&others, &Start::from(&best.fitted), LINEAR)?;
    let slopes = fitted.slopes()?;
    let counting = &whitening * slopes;
    let of_numbers = inverse(counting.transpose() * counting);
    let of_figures = slopes * of_numbers * slopes.transpose();
    let predicted = task.by_many(fitted.figures());
    let one = |at: usize| {
        let variance = covariance[(at, at)] + of_figures[(at, at)];
        [
            predicted[at],
            (predicted[at] - task.measured[at]) / libm::sqrt(variance),
        ]
    };
    Some(run.map(one).collect())
}
