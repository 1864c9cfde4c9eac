//! The chance variation of the figures of a run, and the weights of differences.

use nalgebra::{DMatrix, DVector};

/// Added to every variance, in squared logarithms: a hundredth of a per cent, below which nobody measures.
const LEAST_VARIANCE: f64 = 1e-8;
/// What a difference of so much counts as 1 before it is known how far figures are off by chance.
const ROUGH: f64 = 0.02;

/// The whitening before anything is known of chance: each figure counts alike.
pub fn rough(figures: usize) -> DMatrix<f64> {
    DMatrix::identity(figures, figures) / ROUGH
}

/// The whitening of differences between what was measured and the mean of `paths` simulated sample paths, from the figures of many
/// paths of the same model; `None` where there are too few of them. Runs are independent: `lengths` says how many figures each has.
///
/// The inverse of an estimated covariance matrix is too large on average by (n - 1) / (n - k - 2) for n samples of k figures
/// (Hartlap, Simon and Schneider 2007, equation 17), which is taken out of it.
pub fn whitening(samples: &[Vec<f64>], lengths: &[usize], paths: u64) -> Option<DMatrix<f64>> {
    let figures: usize = lengths.iter().sum();
    let number = samples.len() as f64;
    let mut whole = DMatrix::zeros(figures, figures);
    let mut first = 0;
    for &length in lengths {
        let too_large = (number - length as f64 - 2.0) / (number - 1.0);
        if too_large <= 0.0 {
            return None;
        }
        let part = |sample: &Vec<f64>| DVector::from_column_slice(&sample[first..first + length]);
        let mean = samples.iter().map(part).sum::<DVector<f64>>() / number;
        let mut covariance = DMatrix::zeros(length, length);
        for sample in samples {
            let off = part(sample) - &mean;
            covariance += &off * off.transpose() / (number - 1.0);
        }
        for at in 0..length {
            covariance[(at, at)] += LEAST_VARIANCE;
        }
        // The mean of the simulated paths is off as well.
        covariance *= 1.0 + 1.0 / paths as f64;
        let root = covariance.cholesky()?.l().try_inverse()?;
        whole
            .view_mut((first, first), (length, length))
            .copy_from(&(root * libm::sqrt(too_large)));
        first += length;
    }
    Some(whole)
}

/// The logarithm of the determinant of the covariance that a whitening is of.
pub fn log_determinant(whitening: &DMatrix<f64>) -> f64 {
    // It is triangular.
    let diagonal = whitening.diagonal();
    -2.0 * diagonal.iter().map(|one| libm::log(*one)).sum::<f64>()
}
