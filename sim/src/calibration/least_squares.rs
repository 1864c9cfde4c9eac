//! The least squares between what was measured and what a model gives, which is simulated.
//!
//! Levenberg and Marquardt, by the crate of that name. Most numbers are fitted by their logarithms, so that none becomes negative and steps are
//! shares; what is added to every response time is fitted as a length, which may be nothing. Each evaluation runs the same sample paths, so that what differs between two points is the model and no chance; derivatives
//! are differences to either side.

use std::cell::RefCell;

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

use super::structure::Structure;

/// The step to either side by which derivatives are taken: a share, or one of the length that a number is measured by.
const STEP: f64 = 0.03;
/// A step of the numbers that is this part of what the sum of squares may change by ends a fit: it is a share of how long the vector of
/// their logarithms is, and of a number itself many times as much.
const OF_NUMBERS: f64 = 1e-2;
/// The most evaluations beside those of derivatives, for each number and one more.
const PATIENCE: usize = 12;

/// Sums up a simulation of a point of a structure along a sample path; `None` where none is possible.
pub type World<'a> = dyn Fn(&Structure, &[f64], u64) -> Option<Vec<f64>> + Sync + 'a;

/// How a number is measured while it is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// By its logarithm.
    Shares,
    /// In so much.
    Lengths(f64),
}

impl Scale {
    /// A number as it is fitted.
    pub fn measured(self, value: f64) -> f64 {
        match self {
            Scale::Shares => libm::log(value),
            Scale::Lengths(length) => value / length,
        }
    }

    /// The number of what is fitted.
    pub fn value(self, measured: f64) -> f64 {
        match self {
            Scale::Shares => libm::exp(measured),
            Scale::Lengths(length) => measured * length,
        }
    }
}

/// Which values a number may have, and how it is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least value.
    pub least: f64,
    /// The largest one.
    pub largest: f64,
    /// How it is measured.
    pub scale: Scale,
}

impl Range {
    /// What is measured, within the range.
    pub(super) fn within(self, measured: f64) -> f64 {
        let least = self.scale.measured(self.least);
        let largest = self.scale.measured(self.largest);
        match measured.is_nan() {
            true => largest,
            false => measured.clamp(least, largest),
        }
    }

    /// The number of what is fitted, within the range.
    fn value(self, measured: f64) -> f64 {
        let value = self.scale.value(measured);
        match value.is_finite() {
            true => value.clamp(self.least, self.largest),
            false => self.largest,
        }
    }
}

/// What a fit is about.
#[derive(Clone)]
pub struct Task<'a> {
    /// What was measured.
    pub measured: &'a [f64],
    /// The matrix that makes differences independent of one another and of variance 1.
    pub whitening: &'a DMatrix<f64>,
    /// What is fitted.
    pub structure: &'a Structure,
    /// Of each of its numbers.
    pub ranges: Vec<Range>,
    /// Gives what the model has.
    pub world: &'a World<'a>,
    /// How many sample paths the model's figures are the mean of.
    pub paths: u64,
    /// A fit is done where the sum of squares, or the step of the numbers, changes by no more than this share.
    pub settled: f64,
}

/// A share of the sum of squares that is far less than a structure has to be better by, and of numbers far less than runs tell.
pub const FINE: f64 = 3e-4;
/// Enough to see whether a structure is far off.
pub const ROUGH: f64 = 3e-3;

/// The result of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The numbers.
    pub point: Vec<f64>,
    /// The sum of squares: of chi-square where the model is right and the whitening is.
    pub squares: f64,
}

/// Fits the numbers from a start.
pub fn fit(task: Task<'_>, start: &[f64]) -> Option<Fitted> {
    let settled = task.settled;
    let problem = Problem::at(task, start);
    let method = LevenbergMarquardt::new()
        .with_patience(PATIENCE)
        .with_ftol(settled)
        .with_xtol(settled * OF_NUMBERS)
        .with_stepbound(1.0);
    // Where the method stops, for whatever reason, the best point that it has seen is kept.
    let (found, _) = method.minimize(problem);
    let best = found.best.into_inner()?;
    Some(Fitted {
        point: best.1,
        squares: best.0,
    })
}

impl Task<'_> {
    /// How the whitened differences change with each number, as it is measured, at a point.
    pub fn derivatives(&self, point: &[f64]) -> Option<DMatrix<f64>> {
        Problem::at(self.clone(), point).jacobian()
    }

    /// The mean of the model's figures over the paths.
    pub fn figures(&self, point: &[f64]) -> Option<DVector<f64>> {
        let mut sum = DVector::zeros(self.measured.len());
        for path in 0..self.paths {
            let figures = (self.world)(self.structure, point, path)?;
            sum += DVector::from_vec(figures);
        }
        Some(sum / self.paths as f64)
    }

    /// What the model has more than what was measured, whitened.
    pub fn differences(&self, point: &[f64]) -> Option<DVector<f64>> {
        Some(self.off(&self.figures(point)?))
    }

    /// The same of figures that are known.
    pub fn off(&self, figures: &DVector<f64>) -> DVector<f64> {
        self.whitening * (figures - DVector::from_column_slice(self.measured))
    }
}

struct Problem<'a> {
    task: Task<'a>,
    /// As they are measured.
    numbers: DVector<f64>,
    /// The least sum of squares that was seen, and where.
    best: RefCell<Option<(f64, Vec<f64>)>>,
}

impl Problem<'_> {
    fn at<'a>(task: Task<'a>, point: &[f64]) -> Problem<'a> {
        let numbers = point.iter().zip(&task.ranges);
        let numbers = numbers.map(|(value, range)| range.within(range.scale.measured(*value)));
        let numbers = DVector::from_iterator(point.len(), numbers);
        Problem {
            task,
            numbers,
            best: RefCell::new(None),
        }
    }

    /// The values of these numbers.
    fn point(&self, numbers: &DVector<f64>) -> Vec<f64> {
        let all = numbers.iter().zip(&self.task.ranges);
        all.map(|(measured, range)| range.value(*measured))
            .collect()
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, numbers: &DVector<f64>) {
        self.numbers.copy_from(numbers);
    }

    fn params(&self) -> DVector<f64> {
        self.numbers.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let point = self.point(&self.numbers);
        let off = self.task.differences(&point)?;
        let squares = off.norm_squared();
        let mut best = self.best.borrow_mut();
        if squares.is_finite() && best.as_ref().is_none_or(|(least, _)| squares < *least) {
            *best = Some((squares, point));
        }
        Some(off)
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let mut columns = Vec::with_capacity(self.numbers.len());
        for nth in 0..self.numbers.len() {
            let range = self.task.ranges[nth];
            // At the end of its range a number has one side.
            let own = range.within(self.numbers[nth]);
            let ends = [range.within(own - STEP), range.within(own + STEP)];
            let at = |end: f64| {
                let mut numbers = self.numbers.clone();
                numbers[nth] = end;
                self.task.differences(&self.point(&numbers))
            };
            columns.push((at(ends[1])? - at(ends[0])?) / (ends[1] - ends[0]));
        }
        Some(DMatrix::from_columns(&columns))
    }
}
