//! Which further load would tell most.

use std::num::NonZeroUsize;

use nalgebra::{DMatrix, DVector};

use super::explain::{Explained, Explanations, Question, World};
use super::knowledge::{WITHIN, inverse};
use super::least_squares::{FINE, Scale, Task};
use super::structure::LENGTHS;
use super::weight::whitening;
use crate::replication::{Flow, in_order};

/// What a run at a load would tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Tells {
    /// How far the two best structures are apart in it, as the root of the sum of squares; `None` where only one explains the
    /// runs.
    pub apart: Option<f64>,
    /// The position of the number that is told worst with it,
    pub worst: usize,
    /// and half of its interval as a share of it, or of a delay as a share of the shortest response.
    pub half_width: f64,
}

/// What one more run would tell, whose figures the world gives, `figures` of them; `None` where it cannot be simulated.
pub fn tells(
    question: Question<'_>,
    found: &Explanations,
    run: (&World<'_>, usize),
) -> Option<Tells> {
    let (world, figures) = run;
    let best = found.all.first()?;
    let there = Question { world, ..question };
    let samples = there.samples(&best.structure, &best.fitted.point)?;
    let whitening = whitening(&samples, &[figures], question.paths)?;
    let ranges = best.structure.ranges(question.shortest());
    let slopes = |world: &World<'_>, whitening: &DMatrix<f64>| {
        let of = |point: &[f64], path: u64| world(&best.structure, point, path);
        let measured = vec![0.0; whitening.ncols()];
        let task = Task {
            measured: &measured,
            whitening,
            ranges: &ranges,
            world: &of,
            paths: question.paths,
            settled: FINE,
        };
        task.derivatives(&best.fitted.point)
    };
    let so_far = slopes(question.world, &found.whitening)?;
    let more = slopes(world, &whitening)?;
    let information = so_far.transpose() * so_far + more.transpose() * more;
    let covariance = inverse(information) * found.excess() * found.estimated(question);
    let deviation = |nth: usize| {
        // Of a delay as a share of the shortest response.
        let part = match ranges[nth].scale {
            Scale::Shares => 1.0,
            Scale::Lengths(_) => LENGTHS,
        };
        libm::sqrt(covariance[(nth, nth)]) / part
    };
    let worst = (0..covariance.nrows())
        .max_by(|one, other| deviation(*one).total_cmp(&deviation(*other)))?;
    let other = found.as_good().find(|one| !std::ptr::eq(*one, best));
    let apart = match other {
        None => None,
        Some(other) => {
            let [here, there] =
                [best, other].map(|one| mean(world, one, question.paths, question.threads));
            Some((whitening * (here? - there?)).norm())
        }
    };
    Some(Tells {
        apart,
        worst,
        half_width: WITHIN * deviation(worst),
    })
}

/// The mean figures of a structure over sample paths.
fn mean(
    world: &World<'_>,
    of: &Explained,
    paths: u64,
    threads: NonZeroUsize,
) -> Option<DVector<f64>> {
    let mut all: Vec<DVector<f64>> = Vec::new();
    in_order(
        paths,
        threads,
        |path, _| world(&of.structure, &of.fitted.point, path),
        |_, figures| match figures {
            Some(figures) => {
                all.push(DVector::from_vec(figures));
                Flow::GoOn
            }
            None => Flow::Stop,
        },
    );
    (all.len() as u64 == paths).then(|| all.iter().sum::<DVector<f64>>() / paths as f64)
}
