//! Structures near the best one, each judged by its own chance.
//!
//! Figures are about normal. Where those of a model have the mean m and the covariance S, minus twice the logarithm of the likelihood of
//! what was measured, y, is (y - m)' S^-1 (y - m) + log det S and a constant: a synthetic likelihood (Wood 2010, "Statistical inference for
//! noisy nonlinear ecological dynamic systems", equation 1). S is that of many simulated runs of the model itself. By the covariance of another
//! structure, one that is nearer to its capacity would look worse than it is, because its figures are off by more.
//!
//! The logarithm of the determinant of an estimated covariance is too small on average, by as much for every structure (Price, Drovandi,
//! Lee and Nott 2018, "Bayesian synthetic likelihood", equation 6), which their differences do not show.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};

use super::explain::{AS_WELL, Explained, SPREAD, sort};
use super::goodness::goodness;
use super::least_squares::{Start, Task, expected, refit_by_many};
use super::neighbours::key;
use super::question::Question;
use super::structure::{Kind, Structure};
use super::weight::log_determinant;

/// The most of them.
const MOST: usize = 8;
/// How much further from the best one than those that explain the runs as well a structure is by few samples that is not judged by all. The
/// same sample paths are drawn for all structures, so that their differences have less chance than each of them.
const MARGIN: f64 = 8.0;
/// How often a structure is sampled, where its numbers move.
const SAMPLED: usize = 3;
/// Numbers that change by no more than this, as they are measured, are computed by slopes.
const LINEAR: f64 = 0.1;
/// Points whose times differ by no more than the first share, and coefficients of variation by no more than the second, have about the
/// same chance: near its capacity that of a service grows several times as fast as its times.
const ALIKE: f64 = 0.01;
const VARYING_ALIKE: f64 = 0.1;

/// What covariances are multiplied with where no structure is right, so that none is better for having more chance (Wedderburn 1974,
/// "Quasi-likelihood functions").
fn excess(best: &Explained) -> f64 {
    match goodness(best.fitted.squares, best.freedom()).is_wrong() {
        true => best.excess(),
        false => 1.0,
    }
}

/// Samples of a model at a point.
struct Samples {
    /// The point, with the paths of a fine fit.
    start: Start,
    figures: Vec<Vec<f64>>,
}

/// What samples of a model at a point say.
struct Chance {
    /// The whitening of differences to their mean,
    whitening: DMatrix<f64>,
    /// what that has more than the mean of the paths of a fine fit,
    few: DVector<f64>,
    /// and the point.
    start: Start,
}

/// Judges structures by their own chance, each of them once.
pub(super) struct Judge<'a> {
    question: Question<'a>,
    measured: &'a [f64],
    samples: BTreeMap<String, Samples>,
    known: BTreeMap<String, Explained>,
}

impl<'a> Judge<'a> {
    pub fn of(question: Question<'a>, measured: &'a [f64]) -> Judge<'a> {
        Judge {
            question,
            measured,
            samples: BTreeMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// The chance of differences between what was measured and the mean of this many paths of a structure at its numbers, from few samples.
    pub fn whitening(&mut self, of: &Explained, paths: u64) -> Option<DMatrix<f64>> {
        let question = self.question;
        let samples = self.samples(of, question.few_samples())?;
        question.chance(samples, paths)
    }

    /// The chance of a structure at its numbers from this many samples.
    fn chance(&mut self, of: &Explained, number: u64) -> Option<Chance> {
        let question = self.question;
        let samples = self.samples(of, number)?;
        let whitening = question.chance(samples, number)?;
        let mean = samples.iter().map(|one| DVector::from_column_slice(one));
        let mean = mean.sum::<DVector<f64>>() / number as f64;
        let known = self.samples.get(&key(&of.structure))?;
        Some(Chance {
            whitening,
            few: mean - known.start.figures(),
            start: known.start.clone(),
        })
    }

    /// This many samples of a structure at its numbers, of which those that are known are not simulated again.
    fn samples(&mut self, of: &Explained, number: u64) -> Option<&[Vec<f64>]> {
        let (structure, point) = (&of.structure, &of.fitted.point);
        let known = self.samples.remove(&key(structure));
        let shortest = self.question.shortest();
        let known = known.filter(|known| is_near(structure, shortest, &known.start.point, point));
        let mut samples = match known {
            Some(known) => known,
            None => {
                let whitening = &of.whitening;
                let task = self.question.task(structure, self.measured, whitening);
                Samples {
                    start: task.start(&of.fitted)?,
                    figures: Vec::new(),
                }
            }
        };
        let first = samples.figures.len() as u64;
        let at = (structure, samples.start.point.as_slice());
        let more = self.question.samples_from(first, number, at)?;
        samples.figures.extend(more);
        let samples = self.samples.entry(key(structure)).or_insert(samples);
        samples.figures.get(..number as usize)
    }

    /// Structures that were fitted by one chance, in the order of their own likelihood. First few samples of each say which of them can be
    /// among those that explain the runs as well; these are judged by all samples.
    pub fn judge(&mut self, mut found: Vec<Explained>) -> Option<Vec<Explained>> {
        let best = found.first()?;
        let (scale, excess) = (best.excess(), excess(best));
        let most = best.criterion + SPREAD * scale;
        let near = found.iter().filter(|one| one.criterion <= most);
        let near: Vec<Explained> = near.take(MOST).cloned().collect();
        let race = self.race(&near, excess)?;
        let first = self.lead(&near, &race, (excess, (AS_WELL + MARGIN) * scale))?;
        let Some(leader) = self.judged(&near[first], excess) else {
            return Some(found);
        };
        let known = &self.known;
        let behind = |one: &Explained| {
            let mut all = near.iter().zip(&race);
            let own = all.find(|(near, _)| near.structure == one.structure);
            let behind = own.map(|(_, criterion)| criterion - race[first]);
            // Otherwise by the chance of the search.
            let behind = behind.filter(|behind| behind.is_finite());
            behind.unwrap_or(one.criterion - near[first].criterion)
        };
        let of_leader =
            excess * log_determinant(&known.get(&key(&near[first].structure))?.whitening);
        for one in &mut found {
            let criterion = self.judged(one, excess);
            let criterion = criterion.unwrap_or_else(|| leader + behind(one));
            if let Some(known) = known.get(&key(&one.structure)) {
                one.clone_from(known);
            }
            one.criterion = criterion - of_leader;
        }
        sort(&mut found);
        Some(found)
    }

    /// Judges those that are at most this far behind the first one by all samples, until no other one is. The position of the first.
    fn lead(
        &mut self,
        near: &[Explained],
        race: &[f64],
        (excess, behind): (f64, f64),
    ) -> Option<usize> {
        let by = |one: &usize, other: &usize| race[*one].total_cmp(&race[*other]);
        let mut first = (0..near.len()).min_by(by)?;
        let mut is_tried = vec![false; near.len()];
        loop {
            let is_open = |nth: &usize| !is_tried[*nth] && race[*nth] - race[first] <= behind;
            let open: Vec<usize> = (0..near.len()).filter(is_open).collect();
            if open.is_empty() {
                return Some(first);
            }
            let all: Vec<&Explained> = open.iter().map(|nth| &near[*nth]).collect();
            self.fit_all(&all)?;
            open.into_iter().for_each(|nth| is_tried[nth] = true);
            let judged = (0..near.len())
                .filter_map(|nth| Some((nth, self.judged(&near[nth], excess)?)))
                .min_by(|one, other| one.1.total_cmp(&other.1));
            first = judged.map_or(first, |(nth, _)| nth);
        }
    }

    /// A fit of a structure by its own chance.
    fn task<'b>(&'b self, one: &'b Explained, chance: &'b Chance) -> Task<'b> {
        let task = self
            .question
            .task(&one.structure, self.measured, &chance.whitening);
        Task {
            few: Some(&chance.few),
            ..task
        }
    }

    /// What each structure comes to by few samples of its own.
    fn race(&mut self, near: &[Explained], excess: f64) -> Option<Vec<f64>> {
        let mut all = Vec::with_capacity(near.len());
        for one in near {
            let chance = self.chance(one, self.question.few_samples());
            if (self.question.stop)() {
                return None;
            }
            let criterion = chance.and_then(|chance| {
                let task = self.task(one, &chance);
                let squares = expected(&task, &chance.start)?;
                let price = self.question.price(&one.fitted);
                Some(squares + price + excess * log_determinant(&chance.whitening))
            });
            all.push(criterion.unwrap_or(f64::INFINITY));
        }
        Some(all)
    }

    /// What a structure comes to by all samples of its own, where it was fitted by them.
    fn judged(&self, of: &Explained, excess: f64) -> Option<f64> {
        let known = self.known.get(&key(&of.structure))?;
        let price = self.question.price(&known.fitted);
        Some(known.fitted.squares + price + excess * log_determinant(&known.whitening))
    }

    /// Fits those by their own chance that are not known yet. One whose chance cannot be simulated keeps that of the others.
    fn fit_all(&mut self, near: &[&Explained]) -> Option<()> {
        let is_new = |one: &&&Explained| !self.known.contains_key(&key(&one.structure));
        let mut open: Vec<Explained> = near
            .iter()
            .filter(is_new)
            .map(|one| (*one).clone())
            .collect();
        for _ in 0..SAMPLED {
            let mut own = Vec::new();
            for one in &open {
                let chance = self.chance(one, self.question.samples_needed());
                if (self.question.stop)() {
                    return None;
                }
                own.extend(chance.map(|chance| (one, chance)));
            }
            let found = self.fit_each(&own)?;
            let shortest = self.question.shortest();
            // Where numbers moved away from what was sampled, its chance is another one.
            let has_moved = |(before, after): (&(&Explained, Chance), &Option<Explained>)| {
                let after = after.as_ref()?;
                let point = &before.1.start.point;
                let is_near = is_near(&after.structure, shortest, point, &after.fitted.point);
                (!is_near).then(|| after.afresh())
            };
            open = own.iter().zip(&found).filter_map(has_moved).collect();
            self.known.extend(
                found
                    .into_iter()
                    .flatten()
                    .map(|one| (key(&one.structure), one)),
            );
            if open.is_empty() {
                break;
            }
        }
        Some(())
    }

    /// Fits each by its chance; `None` for one that cannot be simulated beside its numbers.
    fn fit_each(&self, own: &[(&Explained, Chance)]) -> Option<Vec<Option<Explained>>> {
        let fitted = |nth: u64| {
            let (one, chance) = &own[nth as usize];
            let task = self.task(one, chance);
            Some(Explained {
                fitted: refit_by_many(&task, chance.start.clone(), LINEAR)?,
                whitening: chance.whitening.clone(),
                few: Some(chance.few.clone()),
                ..(*one).clone()
            })
        };
        self.question
            .each(own.len() as u64, |nth| Some(fitted(nth)))
    }
}

/// Whether two points of a structure have about the same chance.
fn is_near(structure: &Structure, shortest: f64, one: &[f64], other: &[f64]) -> bool {
    let kinds = structure.parameters().into_iter().map(|one| one.kind);
    let mut all = kinds.zip(one.iter().zip(other));
    all.all(|(kind, (one, other))| {
        let (alike, whole) = match kind {
            Kind::Time => (ALIKE, *one),
            Kind::Delay => (ALIKE, shortest),
            Kind::Variation(_) => (VARYING_ALIKE, *one),
        };
        (one - other).abs() <= alike * whole
    })
}
