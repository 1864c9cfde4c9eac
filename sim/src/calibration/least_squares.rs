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
    /// After so many steps derivatives are simulated again; between, they follow from the steps.
    pub renewed: usize,
    /// A fit that has taken a step ends where its derivatives say that no step leads to a sum of squares below this.
    pub hopeless: f64,
}

/// A share of the sum of squares that is far less than a structure has to be better by, and of numbers far less than runs tell.
pub const FINE: f64 = 3e-4;
/// Enough to see whether a structure is far off.
pub const ROUGH: f64 = 3e-3;

/// Derivatives are simulated at every step,
pub const EXACT: usize = 1;
/// or are followed as long as no fit is said to be the best by them.
pub const FOLLOWED: usize = 5;

/// What came of a fit.
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
        Problem::at(self.clone(), point).simulated_slopes()
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
    /// The numbers that were looked at last, and the differences there.
    last: RefCell<Option<Place>>,
    /// The derivatives that are known, of which place, and how many steps ago they were simulated.
    slopes: RefCell<Option<(DMatrix<f64>, Place, usize)>>,
}

/// Numbers, as they are measured, and the differences there.
type Place = (DVector<f64>, DVector<f64>);

impl Problem<'_> {
    fn at<'a>(task: Task<'a>, point: &[f64]) -> Problem<'a> {
        let numbers = point.iter().zip(&task.ranges);
        let numbers = numbers.map(|(value, range)| range.within(range.scale.measured(*value)));
        let numbers = DVector::from_iterator(point.len(), numbers);
        Problem {
            task,
            numbers,
            best: RefCell::new(None),
            last: RefCell::new(None),
            slopes: RefCell::new(None),
        }
    }

    /// The derivatives, by differences to either side.
    fn simulated_slopes(&self) -> Option<DMatrix<f64>> {
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
        *self.last.borrow_mut() = Some((self.numbers.clone(), off.clone()));
        Some(off)
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let last = self.last.borrow();
        let here = last.as_ref().filter(|(at, _)| *at == self.numbers);
        let mut known = self.slopes.borrow_mut();
        let known_before = known.take();
        let followed = match (&known_before, here) {
            (Some((slopes, before, age)), Some(here)) if age + 1 < self.task.renewed => {
                Some((followed(slopes, before, here), age + 1))
            }
            _ => None,
        };
        let (slopes, age) = match followed {
            Some(followed) => followed,
            None => (self.simulated_slopes()?, 0),
        };
        let is_first = known_before.is_none();
        *known = here.map(|here| (slopes.clone(), here.clone(), age));
        let is_hopeless =
            here.is_some_and(|(_, off)| least_beside(&slopes, off) > self.task.hopeless);
        (is_first || !is_hopeless).then_some(slopes)
    }
}

/// The least sum of squares where differences are as straight as their derivatives.
fn least_beside(slopes: &DMatrix<f64>, off: &DVector<f64>) -> f64 {
    // Numbers that change nothing leave columns of zeros, which the QR decomposition takes for any direction.
    let within = slopes.clone().qr().q().tr_mul(off);
    off.norm_squared() - within.norm_squared()
}

/// The derivatives after a step: those before it, changed as little as the step allows (Broyden 1965, "A class of methods for solving
/// nonlinear simultaneous equations", equation 4.5).
fn followed(slopes: &DMatrix<f64>, before: &Place, here: &Place) -> DMatrix<f64> {
    let step = &here.0 - &before.0;
    let length = step.norm_squared();
    if length <= 0.0 {
        return slopes.clone();
    }
    let missed = &here.1 - &before.1 - slopes * &step;
    slopes + missed * step.transpose() / length
}
