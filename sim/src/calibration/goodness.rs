//! The fit of each run, by the model of all runs and by that of the other runs.

use nalgebra::DMatrix;

use super::document::GoodnessResult;
use super::explain::{Explained, Question};
use super::knowledge::inverse;
use super::least_squares::{Task, fit};
use crate::dist::special_functions::gamma_p;

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
    let task = question.task(&best.structure, &measured, &best.whitening);
    let point = &best.fitted.point;
    let fitted = task.figures(point)?;
    let off = task.off(&fitted);
    let covariance = inverse_of(&best.whitening);
    let share = point.len() as f64 / measured.len() as f64;
    let mut all = Vec::new();
    let mut first = 0;
    for run in question.measured {
        let range = first..first + run.len();
        first = range.end;
        let left_out = match question.measured.len() > 1 && !(question.stop)() {
            true => left_out(&task, best, &covariance, range.clone()),
            false => None,
        };
        let held = |(within, at): (usize, usize)| Held {
            fitted: fitted[at],
            off: (fitted[at] - measured[at]) / libm::sqrt(covariance[(at, at)]),
            left_out: left_out.as_ref().map(|all| all[within]),
        };
        let squares = off.rows(range.start, run.len()).norm_squared();
        // The fitted numbers take their share of each run's figures.
        let freedom = (run.len() as f64 * (1.0 - share)).round() as usize;
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
    run: std::ops::Range<usize>,
) -> Option<Vec<[f64; 2]>> {
    // Differences of the run count nothing.
    let mut whitening = task.whitening.clone();
    whitening.rows_mut(run.start, run.len()).fill(0.0);
    let others = Task {
        whitening: &whitening,
        ..task.clone()
    };
    let fitted = fit(others, &best.fitted.point)?;
    // The derivatives of the figures themselves, and of what counts of them.
    let plain = DMatrix::identity(task.measured.len(), task.measured.len());
    let figures = Task {
        whitening: &plain,
        ..task.clone()
    };
    let slopes = figures.derivatives(&fitted.point)?;
    let counting = &whitening * &slopes;
    let of_numbers = inverse(counting.transpose() * counting);
    let of_figures = &slopes * of_numbers * slopes.transpose();
    let predicted = task.figures(&fitted.point)?;
    let one = |at: usize| {
        let variance = covariance[(at, at)] + of_figures[(at, at)];
        [
            predicted[at],
            (predicted[at] - task.measured[at]) / libm::sqrt(variance),
        ]
    };
    Some(run.map(one).collect())
}
