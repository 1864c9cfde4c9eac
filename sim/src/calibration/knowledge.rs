//! What the runs determine of each number, and of derived numbers.
//!
//! The intervals of a structure come from the curvature of its sum of squares (Gauss and Newton); they are widened by the root of
//! the excess if the model does not explain the runs. If several structures are equally good, an interval is the union of theirs.

use nalgebra::{DMatrix, DVector};

use super::explain::{Explained, Explanations, Question};
use super::least_squares::{Range, Scale};
use super::structure::Structure;

/// The two-sided 95 % quantile of the normal distribution.
pub(super) const WITHIN: f64 = 1.96;
/// Curvatures below this say nothing: a standard deviation of e to the hundredth times the number.
const FLAT: f64 = 1e-4;
/// The least standard deviation of a number, as a share of it. Of a constant time all quantiles are the same, and tell it as often as there are
/// any; but a variance has a floor (`weight.rs`) and a fit stops where little is left to gain, so that no number is found more exactly.
const FINEST: f64 = 1e-4;
/// From this correlation on, two numbers are told together alone.
const TIED: f64 = 0.9;
/// A number is told where half of its interval is at most this share of it, and a delay also where it is at most this share of the
/// shortest response.
const TOLD: f64 = 0.5;
const TOLD_OF_RESPONSE: f64 = 0.05;
/// The step by which derivatives of what follows are taken, as numbers are measured.
const STEP: f64 = 1e-3;

/// What the runs tell of a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its value in the best structure.
    pub value: f64,
    /// The 95 % interval over all structures that explain the runs as well.
    pub interval: [f64; 2],
    /// Numbers with which it is told together alone: more of one and less of the other explain the same.
    pub tied_to: Vec<String>,
    /// How far half of its interval may reach for it to be told.
    enough: f64,
}

impl Known {
    /// Whether the runs tell it.
    pub fn is_told(&self) -> bool {
        let [low, high] = self.interval;
        (high - low) / 2.0 <= self.enough
    }
}

/// A quantity that follows from the numbers.
pub type Follows<'a> = dyn Fn(&Structure, &[f64]) -> Option<f64> + 'a;

/// What the runs tell, one structure at a time.
#[derive(Debug, Clone)]
pub struct Knowledge<'a> {
    of: Vec<OfStructure<'a>>,
    shortest: f64,
}

#[derive(Debug, Clone)]
struct OfStructure<'a> {
    explained: &'a Explained,
    ranges: Vec<Range>,
    /// What the runs tell of the numbers as they are measured,
    information: DMatrix<f64>,
    /// and how uncertain these are therefore.
    covariance: DMatrix<f64>,
}

impl<'a> Knowledge<'a> {
    /// That of the structures that explain the runs as well as the best one; `None` where a simulation is not possible.
    pub fn of(question: Question<'_>, found: &'a Explanations) -> Option<Knowledge<'a>> {
        let measured = question.measured.concat();
        let wider = found.excess() * found.estimated(question);
        let of_structure = |explained: &'a Explained| {
            let structure = &explained.structure;
            let task = question.task(structure, &measured, &explained.whitening);
            // What was fitted by its own chance has them over all paths.
            let known = explained
                .fitted
                .slopes()
                .filter(|_| explained.few.is_some());
            let slopes = match known {
                Some(known) => &explained.whitening * known,
                None => task.derivatives(&explained.fitted.point)?,
            };
            let information = slopes.transpose() * slopes;
            Some(OfStructure {
                explained,
                covariance: inverse(information.clone()) * wider,
                information,
                ranges: task.ranges,
            })
        };
        let as_good: Vec<&Explained> = found.as_good().collect();
        let jobs = as_good.len() as u64;
        let of = question.each(jobs, |nth| of_structure(as_good[nth as usize]));
        of.filter(|of| !of.is_empty()).map(|of| Knowledge {
            of,
            shortest: question.shortest(),
        })
    }

    /// What the runs tell of the numbers of the best structure.
    pub(super) fn information(&self) -> Option<&DMatrix<f64>> {
        Some(&self.of.first()?.information)
    }

    /// The numbers of the best structure.
    pub fn numbers(&self) -> Vec<Known> {
        let Some(best) = self.of.first() else {
            return Vec::new();
        };
        let structure = &best.explained.structure;
        let names: Vec<String> = structure
            .parameters()
            .into_iter()
            .map(|one| one.name)
            .collect();
        let known = |(nth, name): (usize, &String)| {
            let own = self.of.iter().filter_map(|one| one.interval(name));
            let value = best.explained.fitted.point[nth];
            let enough = match best.ranges[nth].scale {
                Scale::Shares => TOLD * value,
                Scale::Lengths(_) => (TOLD * value).max(TOLD_OF_RESPONSE * self.shortest),
            };
            Known {
                name: name.clone(),
                value,
                enough,
                interval: union(own),
                tied_to: tied(&best.covariance, nth)
                    .map(|other| names[other].clone())
                    .collect(),
            }
        };
        names.iter().enumerate().map(known).collect()
    }

    /// Something that follows from the numbers.
    pub fn follows(&self, name: &str, of: &Follows<'_>) -> Option<Known> {
        let best = self.of.first()?.explained;
        let value = of(&best.structure, &best.fitted.point)?;
        let all: Option<Vec<[f64; 2]>> = self.of.iter().map(|one| one.following(of)).collect();
        Some(Known {
            name: name.to_owned(),
            value,
            interval: union(all?.into_iter()),
            tied_to: Vec::new(),
            enough: TOLD * value,
        })
    }
}

impl OfStructure<'_> {
    fn interval(&self, name: &str) -> Option<[f64; 2]> {
        let parameters = self.explained.structure.parameters();
        let nth = parameters.iter().position(|one| one.name == name)?;
        let value = self.explained.fitted.point[nth];
        let deviation = deviation(self.covariance[(nth, nth)]);
        let Range {
            least,
            largest,
            scale,
        } = self.ranges[nth];
        let ends = match scale {
            Scale::Lengths(length) => linear(value, length * deviation),
            Scale::Shares => relative(value, deviation),
        };
        Some(ends.map(|end| end.clamp(least, largest)))
    }

    fn following(&self, of: &Follows<'_>) -> Option<[f64; 2]> {
        let Explained {
            structure, fitted, ..
        } = self.explained;
        let value = of(structure, &fitted.point)?;
        let slope = |nth: usize| {
            let range = self.ranges[nth];
            let own = range.scale.measured(fitted.point[nth]);
            // At the end of its range a number has one side.
            let ends = [range.within(own - STEP), range.within(own + STEP)];
            let at = |end: f64| {
                let mut point = fitted.point.clone();
                point[nth] = range.scale.value(end);
                of(structure, &point).map(libm::log)
            };
            Some((at(ends[1])? - at(ends[0])?) / (ends[1] - ends[0]))
        };
        let slopes: Option<Vec<f64>> = (0..fitted.point.len()).map(slope).collect();
        let slopes = DVector::from_vec(slopes?);
        let variance = (slopes.transpose() * &self.covariance * &slopes)[(0, 0)];
        Some(relative(value, deviation(variance)))
    }
}

/// The standard deviation of a number. What is not a number stays that, which `max` would make a very small one.
fn deviation(variance: f64) -> f64 {
    match variance < FINEST * FINEST {
        true => FINEST,
        false => libm::sqrt(variance),
    }
}

fn relative(value: f64, deviation: f64) -> [f64; 2] {
    let factor = libm::exp(WITHIN * deviation);
    [value / factor, value * factor]
}

fn linear(value: f64, deviation: f64) -> [f64; 2] {
    let half = WITHIN * deviation;
    [(value - half).max(0.0), value + half]
}

fn union(of: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    of.fold([f64::INFINITY, f64::NEG_INFINITY], |whole, one| {
        [whole[0].min(one[0]), whole[1].max(one[1])]
    })
}

/// The numbers that are told together with this one alone.
fn tied(covariance: &DMatrix<f64>, nth: usize) -> impl Iterator<Item = usize> {
    let own = covariance[(nth, nth)];
    let correlation =
        move |other: usize| covariance[(nth, other)] / libm::sqrt(own * covariance[(other, other)]);
    (0..covariance.nrows()).filter(move |other| *other != nth && correlation(*other).abs() > TIED)
}

/// The inverse of an information matrix, in which what it does not tell is merely very uncertain.
pub fn inverse(information: DMatrix<f64>) -> DMatrix<f64> {
    let mut axes = information.symmetric_eigen();
    axes.eigenvalues
        .iter_mut()
        .for_each(|curvature| *curvature = 1.0 / curvature.max(FLAT));
    axes.recompose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_has_a_least_one_and_what_is_no_number_is_none() {
        assert_eq!(deviation(4.0), 2.0);
        assert_eq!(deviation(1e-12), FINEST);
        // What is 0 may come out below it.
        assert_eq!(deviation(-1e-18), FINEST);
        assert!(deviation(f64::NAN).is_nan());
    }
}
