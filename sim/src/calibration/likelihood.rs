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

use nalgebra::DMatrix;

use super::explain::{Explained, sort};
use super::goodness::goodness;
use super::least_squares::fit;
use super::neighbours::key;
use super::question::Question;
use super::weight::log_determinant;

/// Structures that are no further from the best one, by one chance for all, are judged by their own: four times the 99.9 % quantile of
/// chi-square with one degree of freedom.
const NEAR: f64 = 43.3;
/// The most of them.
const MOST: usize = 16;

/// What covariances are multiplied with where no structure is right, so that none is better for having more chance (Wedderburn 1974,
/// "Quasi-likelihood functions").
fn excess(best: &Explained) -> f64 {
    match goodness(best.fitted.squares, best.freedom()).is_wrong() {
        true => best.excess(),
        false => 1.0,
    }
}

/// Judges structures by their own chance, each of them once.
pub(super) struct Judge<'a> {
    question: Question<'a>,
    measured: &'a [f64],
    known: BTreeMap<String, Explained>,
}

impl<'a> Judge<'a> {
    pub fn of(question: Question<'a>, measured: &'a [f64]) -> Judge<'a> {
        Judge {
            question,
            measured,
            known: BTreeMap::new(),
        }
    }

    /// The chance of a structure at its numbers.
    pub fn whitening(&self, of: &Explained) -> Option<DMatrix<f64>> {
        match self.known.get(&key(&of.structure)) {
            Some(known) => Some(known.whitening.clone()),
            None => self.question.chance(&of.structure, &of.fitted.point),
        }
    }

    /// Structures that were fitted by one chance, in the order of their own likelihood.
    pub fn judge(&mut self, mut found: Vec<Explained>) -> Option<Vec<Explained>> {
        let best = found.first()?;
        let most = best.criterion + NEAR * best.excess();
        let excess = excess(best);
        let is_near = |one: &&Explained| one.criterion <= most;
        let near: Vec<Explained> = found.iter().filter(is_near).take(MOST).cloned().collect();
        self.fit_all(&near)?;
        for one in &mut found {
            if let Some(known) = self.known.get(&key(&one.structure)) {
                one.clone_from(known);
            }
            one.criterion = one.fitted.squares
                + self.question.price(&one.fitted)
                + excess * log_determinant(&one.whitening);
        }
        sort(&mut found);
        let of_best = excess * log_determinant(&found.first()?.whitening);
        for one in &mut found {
            one.criterion -= of_best;
        }
        Some(found)
    }

    /// Fits those by their own chance that are not known yet. One whose chance cannot be simulated keeps that of the others.
    fn fit_all(&mut self, near: &[Explained]) -> Option<()> {
        let mut own = Vec::new();
        for one in near {
            if self.known.contains_key(&key(&one.structure)) {
                continue;
            }
            let chance = self.question.chance(&one.structure, &one.fitted.point);
            if (self.question.stop)() {
                return None;
            }
            own.extend(chance.map(|whitening| (one, whitening)));
        }
        let question = self.question;
        let fitted = |nth: u64| {
            let (one, whitening) = &own[nth as usize];
            let task = question.task(&one.structure, self.measured, whitening);
            Some(Explained {
                fitted: fit(task, &one.fitted.point)?,
                whitening: whitening.clone(),
                ..(*one).clone()
            })
        };
        let all = question.each(own.len() as u64, |nth| Some(fitted(nth)))?;
        let found = all.into_iter().flatten();
        self.known
            .extend(found.map(|one| (key(&one.structure), one)));
        Some(())
    }
}
