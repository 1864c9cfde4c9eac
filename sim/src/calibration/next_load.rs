//! Which further load is worth measuring.

use super::explain::{Explanations, Question};
use super::knowledge::{Knowledge, WITHIN, inverse};
use super::least_squares::{Scale, World};
use super::structure::LENGTHS;
use super::weight::whitening;

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

/// What one more run would tell beside those that are known, whose figures the world gives, `figures` of them; `None` where it cannot be simulated.
pub fn tells(
    question: Question<'_>,
    (found, knowledge): (&Explanations, &Knowledge<'_>),
    run: (&World<'_>, usize),
) -> Option<Tells> {
    let (world, figures) = run;
    let best = found.all.first()?;
    let there = Question { world, ..question };
    let samples = there.samples(&best.structure, &best.fitted.point)?;
    let whitening = whitening(&samples, &[figures], question.paths)?;
    // Where figures would lie does not matter to how they change.
    let nowhere = vec![0.0; figures];
    let task = there.task(&best.structure, &nowhere, &whitening);
    let more = task.derivatives(&best.fitted.point)?;
    let information = knowledge.information()? + more.transpose() * more;
    let covariance = inverse(information) * found.excess() * found.estimated(question);
    let deviation = |nth: usize| {
        // Of a delay as a share of the shortest response.
        let part = match task.ranges[nth].scale {
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
            let other_task = there.task(&other.structure, &nowhere, &whitening);
            let here = task.differences(&best.fitted.point)?;
            Some((here - other_task.differences(&other.fitted.point)?).norm())
        }
    };
    Some(Tells {
        apart,
        worst,
        half_width: WITHIN * deviation(worst),
    })
}
