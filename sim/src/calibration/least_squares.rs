//! The least squares between what was measured and what a model gives, which is simulated.
//!
//! Steps are those of Gauss and Newton, damped where they promise more than they keep (Marquardt 1963, "An algorithm for least-squares
//! estimation of nonlinear parameters"). Most numbers are fitted by their logarithms, so that none becomes negative and steps are shares;
//! what is added to every response time is fitted as a length, which may be nothing. Each evaluation runs the same sample paths, so that
//! what differs between two points is the model and no chance.
//!
//! A fit costs what it simulates, so it simulates little. The slopes by which it goes on are differences to one side along the first path:
//! they say where to go, and all paths say whether it was better there. Each step corrects them by what it changed (Broyden 1965, "A class
//! of methods for solving nonlinear simultaneous equations"), and they are taken anew where they mislead and before a fit ends far from
//! where they were taken. What was simulated where a fit ended is kept, so that another fit of the same structure, by another whitening or
//! to fewer runs, begins with it. A fit of which nothing good is to be expected is given up.

use nalgebra::{DMatrix, DVector};

use super::structure::Structure;

/// The step to either side by which derivatives are taken: a share, or one of the length that a number is measured by.
const STEP: f64 = 0.03;
/// The step to one side by which slopes are.
const SHORT_STEP: f64 = 0.01;
/// The longest step of a number.
const LONGEST: f64 = 1.0;
/// The most evaluations for each number, and one more, beside those of slopes.
const PATIENCE: usize = 6;
/// The share of the curvature that is added to it at first, after a step that was no good, and at least.
const DAMPING: [f64; 3] = [1e-3, 0.1, 1e-6];
/// A step that keeps more than the first share of what it promised is followed by a bolder one, one that keeps less than the second by a
/// more careful one, and one that keeps less than the third was misled by its slopes.
const KEPT: [f64; 3] = [0.75, 0.25, 0.1];
/// Less than this of the sum of squares may be the doing of single requests.
const NOISE: f64 = 1.0;
/// The most steps in a row that are no good.
const MOST_FAILURES: usize = 3;
/// By shorter steps slopes are not corrected.
const SHORTEST: f64 = 2e-2;
/// Sample paths of the slopes by which intervals are computed: paths near capacity differ in how they change, and what they differ by would
/// count as information.
const PATHS_OF_SLOPES: u64 = 16;
/// A fit is given up where even this many times what the next step promises would not do.
const HOPE: f64 = 3.0;
/// A curvature below this is none.
const NO_CURVATURE: f64 = 1e-12;

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
    /// When a fit is done.
    pub settled: Settled,
    /// A sum of squares that is beyond this is of no interest.
    pub hopeless: f64,
    /// What the mean of many paths has more than that of the few, where it is known.
    pub few: Option<&'a DVector<f64>>,
}

/// When a fit is done: no step promises more than this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settled {
    /// Of the sum of squares,
    pub squares: f64,
    /// or this share of it,
    pub share: f64,
    /// by slopes that were taken no further away than this, as numbers are measured.
    pub near: f64,
}

/// Far less than runs tell of numbers: a seventh of a standard deviation.
pub const EXACT: Settled = Settled {
    squares: 0.02,
    share: 3e-4,
    near: 0.05,
};
/// Far less than a structure has to be better by.
pub const FINE: Settled = Settled {
    squares: 0.3,
    share: 3e-3,
    near: 0.05,
};
/// Enough to see whether a structure is far off.
pub const ROUGH: Settled = Settled {
    squares: 1.0,
    share: 3e-3,
    near: 0.3,
};

/// The result of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The numbers.
    pub point: Vec<f64>,
    /// The sum of squares: of chi-square where the model is right and the whitening is.
    pub squares: f64,
    /// What was simulated there.
    pub seen: Seen,
}

/// What was simulated of a structure at a point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// The figures of the first sample paths.
    paths: Vec<DVector<f64>>,
    /// How figures change with each number, and the numbers where that was found, as they are measured.
    slopes: Option<(DMatrix<f64>, DVector<f64>)>,
}

/// Where a fit starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The numbers.
    pub point: Vec<f64>,
    /// What is known of the structure there.
    pub seen: Seen,
}

impl From<Vec<f64>> for Start {
    fn from(point: Vec<f64>) -> Start {
        Start {
            point,
            seen: Seen::default(),
        }
    }
}

impl From<&Fitted> for Start {
    fn from(fitted: &Fitted) -> Start {
        Start {
            point: fitted.point.clone(),
            seen: fitted.seen.clone(),
        }
    }
}

impl Start {
    /// The mean of the figures of the paths.
    pub(super) fn figures(&self) -> DVector<f64> {
        mean(&self.seen.paths)
    }
}

impl Fitted {
    /// How the figures change with each number, as it is measured, as far as the fit saw it.
    pub(super) fn slopes(&self) -> Option<&DMatrix<f64>> {
        self.seen.slopes.as_ref().map(|(slopes, _)| slopes)
    }

    /// The mean of the figures of the paths.
    pub(super) fn figures(&self) -> DVector<f64> {
        mean(&self.seen.paths)
    }
}

/// Fits the numbers from a start; `None` where the model cannot be simulated there.
pub fn fit(task: Task<'_>, start: &Start) -> Option<Fitted> {
    let tries = PATIENCE * (start.point.len() + 1);
    let mut here = Here::of(&task, start)?;
    let [mut damping, careful, least] = DAMPING;
    let mut failures = 0;
    for _ in 0..tries {
        let Some((step, promised)) = here.step(damping) else {
            break;
        };
        if promised <= here.enough() {
            // By slopes from elsewhere there may be something to gain that they do not show.
            if here.is_near() || !here.renew() {
                break;
            }
            continue;
        }
        if here.squares - HOPE * promised > task.hopeless && here.is_near() {
            break;
        }
        let kept = here.try_step(&step) / promised;
        let [bold, cautious, misled] = KEPT;
        if kept > bold {
            damping = (damping / 10.0).max(least);
        } else if kept < cautious {
            damping = (damping * 10.0).max(careful);
        }
        if kept >= misled {
            failures = 0;
            continue;
        }
        failures += 1;
        // What is promised is no more than what single requests make, which jump from one worker or branch to another one.
        let is_noise = promised < NOISE || failures > MOST_FAILURES;
        if is_noise && here.is_near() || !here.is_here() && !here.renew() {
            break;
        }
    }
    Some(here.fitted())
}

/// Fits the numbers from a start at which slopes are known, as if figures changed by these: what single requests do to the figures of few paths
/// would keep a fit from what it can tell. Where a number changes by more than `linear`, it is fitted with simulations.
pub(super) fn refit(task: &Task<'_>, start: &Start, linear: f64) -> Option<Fitted> {
    match by_slopes(task, start, linear)? {
        Some(fitted) => Some(fitted),
        None => fit(task.clone(), start),
    }
}

/// The same with slopes over many paths, at the start and, where numbers change by more than `linear`, where they change to: slopes that the
/// steps of a fit corrected, or of one path, would say too much of how sure the numbers are.
pub(super) fn refit_by_many(task: &Task<'_>, start: Start, linear: f64) -> Option<Fitted> {
    let start = task.with_slopes(start)?;
    if let Some(fitted) = by_slopes(task, &start, linear)? {
        return Some(fitted);
    }
    let moved = fit(task.clone(), &start)?;
    let there = task.with_slopes(Start::from(&moved))?;
    match by_slopes(task, &there, linear)? {
        Some(fitted) => Some(fitted),
        None => Some(Fitted {
            seen: there.seen,
            ..moved
        }),
    }
}

/// Where figures that change as the slopes at a start say are nearest to what was measured; `None` where a number would change by more than
/// `linear`.
fn by_slopes(task: &Task<'_>, start: &Start, linear: f64) -> Option<Option<Fitted>> {
    let mut here = Here::of(task, start)?;
    let (step, promised) = here.step(0.0)?;
    if step.amax() > linear {
        return Some(None);
    }
    let change = &here.slopes * &step;
    here.paths.iter_mut().for_each(|path| *path += &change);
    here.numbers += step;
    here.squares -= promised.max(0.0);
    Some(Some(here.fitted()))
}

/// The sum of squares that a fit from a start comes to, if figures change as they did there.
pub(super) fn expected(task: &Task<'_>, start: &Start) -> Option<f64> {
    let here = Here::of(task, start)?;
    let (_, promised) = here.step(0.0)?;
    Some(here.squares - promised.max(0.0))
}

impl Task<'_> {
    /// How the whitened differences change with each number, as it is measured, at a point: over all paths, by differences to either side.
    pub fn derivatives(&self, point: &[f64]) -> Option<DMatrix<f64>> {
        Some(self.whitening * self.slopes(point)?)
    }

    /// A start from where a fit ended, with all paths of this one.
    pub(super) fn start(&self, fitted: &Fitted) -> Option<Start> {
        let mut start = Start::from(fitted);
        start.seen.paths = self.simulated(&start.point, start.seen.paths)?;
        Some(start)
    }

    /// The same start with slopes over many paths.
    fn with_slopes(&self, mut start: Start) -> Option<Start> {
        let many = Task {
            paths: self.paths.max(PATHS_OF_SLOPES),
            ..self.clone()
        };
        let slopes = many.slopes(&start.point)?;
        start.seen.slopes = Some((slopes, self.numbers(&start.point)));
        Some(start)
    }

    /// How the figures change.
    fn slopes(&self, point: &[f64]) -> Option<DMatrix<f64>> {
        let numbers = self.numbers(point);
        let mut columns = Vec::with_capacity(numbers.len());
        for nth in 0..numbers.len() {
            let range = self.ranges[nth];
            // At the end of its range a number has one side.
            let ends = [
                range.within(numbers[nth] - STEP),
                range.within(numbers[nth] + STEP),
            ];
            let at = |end: f64| self.figures(&self.point(&with(&numbers, nth, end)));
            columns.push((at(ends[1])? - at(ends[0])?) / (ends[1] - ends[0]));
        }
        Some(DMatrix::from_columns(&columns))
    }

    /// The mean of the model's figures over the paths.
    pub fn figures(&self, point: &[f64]) -> Option<DVector<f64>> {
        Some(mean(&self.simulated(point, Vec::new())?))
    }

    /// The figures of each path, of which the first ones are known.
    fn simulated(&self, point: &[f64], mut known: Vec<DVector<f64>>) -> Option<Vec<DVector<f64>>> {
        known.truncate(self.paths as usize);
        for path in known.len() as u64..self.paths {
            known.push(self.along(point, path)?);
        }
        Some(known)
    }

    fn along(&self, point: &[f64], path: u64) -> Option<DVector<f64>> {
        Some(DVector::from_vec((self.world)(
            self.structure,
            point,
            path,
        )?))
    }

    /// What the model has more than what was measured, whitened.
    pub fn differences(&self, point: &[f64]) -> Option<DVector<f64>> {
        Some(self.off(&self.figures(point)?))
    }

    /// The same of figures that are known.
    pub fn off(&self, figures: &DVector<f64>) -> DVector<f64> {
        let figures = self.by_many(figures.clone());
        self.whitening * (figures - DVector::from_column_slice(self.measured))
    }

    /// Figures as the mean of many paths has them.
    pub(super) fn by_many(&self, figures: DVector<f64>) -> DVector<f64> {
        match self.few {
            Some(few) => figures + few,
            None => figures,
        }
    }

    /// Values as they are measured.
    fn numbers(&self, point: &[f64]) -> DVector<f64> {
        let numbers = point.iter().zip(&self.ranges);
        let numbers = numbers.map(|(value, range)| range.within(range.scale.measured(*value)));
        DVector::from_iterator(point.len(), numbers)
    }

    /// The values of these numbers.
    fn point(&self, numbers: &DVector<f64>) -> Vec<f64> {
        let all = numbers.iter().zip(&self.ranges);
        all.map(|(measured, range)| range.value(*measured))
            .collect()
    }
}

/// Numbers of which one is another.
fn with(numbers: &DVector<f64>, nth: usize, number: f64) -> DVector<f64> {
    let mut numbers = numbers.clone();
    numbers[nth] = number;
    numbers
}

fn mean(paths: &[DVector<f64>]) -> DVector<f64> {
    let number = paths.len() as f64;
    let sum = paths
        .iter()
        .skip(1)
        .fold(paths[0].clone(), |sum, one| sum + one);
    sum / number
}

/// Where a fit is.
struct Here<'a> {
    task: &'a Task<'a>,
    numbers: DVector<f64>,
    paths: Vec<DVector<f64>>,
    /// Whitened.
    off: DVector<f64>,
    squares: f64,
    slopes: DMatrix<f64>,
    /// Where the slopes were taken.
    taken: DVector<f64>,
}

impl<'a> Here<'a> {
    /// Takes the slopes at a start, unless they are known.
    fn of(task: &'a Task<'a>, start: &Start) -> Option<Here<'a>> {
        let numbers = task.numbers(&start.point);
        let paths = task.simulated(&task.point(&numbers), start.seen.paths.clone())?;
        let off = task.off(&mean(&paths));
        let (slopes, taken) = match &start.seen.slopes {
            Some(known) => known.clone(),
            None => (slopes(task, &numbers, &paths[0])?, numbers.clone()),
        };
        let squares = off.norm_squared();
        squares.is_finite().then_some(Here {
            task,
            numbers,
            paths,
            squares,
            off,
            slopes,
            taken,
        })
    }

    /// Whether the slopes were taken nowhere else,
    fn is_here(&self) -> bool {
        self.numbers == self.taken
    }

    /// or near enough.
    fn is_near(&self) -> bool {
        (&self.numbers - &self.taken).amax() <= self.task.settled.near
    }

    /// What is too little to go on for.
    fn enough(&self) -> f64 {
        let Settled { squares, share, .. } = self.task.settled;
        squares.max(share * self.squares)
    }

    /// Takes the slopes anew; whether that was possible.
    fn renew(&mut self) -> bool {
        let Some(slopes) = slopes(self.task, &self.numbers, &self.paths[0]) else {
            return false;
        };
        self.slopes = slopes;
        self.taken.copy_from(&self.numbers);
        true
    }

    /// The next step, and by how much it makes the sum of squares less if figures change as the slopes say. A number at the end of its
    /// range does not go beyond it, and does not keep the others from theirs.
    fn step(&self, damping: f64) -> Option<(DVector<f64>, f64)> {
        let slopes = self.task.whitening * &self.slopes;
        let downhill = -(slopes.transpose() * &self.off);
        let curvature = slopes.transpose() * &slopes;
        let mut stays = vec![false; downhill.len()];
        loop {
            let (mut towards, mut curved) = (downhill.clone(), curvature.clone());
            for nth in 0..stays.len() {
                if stays[nth] {
                    towards[nth] = 0.0;
                    curved.row_mut(nth).fill(0.0);
                    curved.column_mut(nth).fill(0.0);
                }
                let own = curved[(nth, nth)];
                curved[(nth, nth)] = own * (1.0 + damping) + NO_CURVATURE;
            }
            let mut step = curved.cholesky()?.solve(&towards);
            let longest = step.amax();
            if longest > LONGEST {
                step *= LONGEST / longest;
            }
            let mut is_kept = false;
            for (nth, stays) in stays.iter_mut().enumerate() {
                let end = self.task.ranges[nth].within(self.numbers[nth] + step[nth]);
                let within = end - self.numbers[nth];
                is_kept |= !*stays && step[nth] != 0.0 && within == 0.0;
                *stays |= within == 0.0;
                step[nth] = within;
            }
            if !is_kept {
                let promised = self.squares - (&self.off + &slopes * &step).norm_squared();
                return Some((step, promised));
            }
        }
    }

    /// Takes a step if it is one downhill, and says by how much the sum of squares would become less.
    fn try_step(&mut self, step: &DVector<f64>) -> f64 {
        let numbers = &self.numbers + step;
        let Some(paths) = self.task.simulated(&self.task.point(&numbers), Vec::new()) else {
            return f64::NEG_INFINITY;
        };
        let figures = mean(&paths);
        let off = self.task.off(&figures);
        let squares = off.norm_squared();
        if !squares.is_finite() {
            return f64::NEG_INFINITY;
        }
        if step.norm() > SHORTEST {
            let unexpected = figures - mean(&self.paths) - &self.slopes * step;
            self.slopes += unexpected * step.transpose() / step.norm_squared();
        }
        let gained = self.squares - squares;
        if gained > 0.0 {
            self.numbers = numbers;
            self.paths = paths;
            self.off = off;
            self.squares = squares;
        }
        gained
    }

    fn fitted(self) -> Fitted {
        Fitted {
            point: self.task.point(&self.numbers),
            squares: self.squares,
            seen: Seen {
                paths: self.paths,
                slopes: Some((self.slopes, self.taken)),
            },
        }
    }
}

/// How figures change with each number along the first path, whose figures are known.
fn slopes(task: &Task<'_>, numbers: &DVector<f64>, known: &DVector<f64>) -> Option<DMatrix<f64>> {
    let mut columns = Vec::with_capacity(numbers.len());
    for (nth, range) in task.ranges.iter().enumerate() {
        let own = numbers[nth];
        let beyond = range.within(own + SHORT_STEP);
        let end = match beyond - own >= SHORT_STEP / 2.0 {
            true => beyond,
            false => range.within(own - SHORT_STEP),
        };
        let there = task.along(&task.point(&with(numbers, nth, end)), 0)?;
        columns.push((there - known) / (end - own));
    }
    Some(DMatrix::from_columns(&columns))
}
