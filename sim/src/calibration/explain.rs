//! Which structures explain what was measured.
//!
//! Numbers are fitted by least squares within a structure; from structure to structure the search goes by neighbours: another number of
//! workers, another family (`search`). First every figure counts alike, so that a structure that is far off is dropped quickly. Then
//! the best one says how far figures are off by chance, and the sum of squares is one of chi-square. At last every structure near the best one is
//! judged by its own chance (`likelihood`). A number that is fitted has a price (Andrews 1999, "Consistent moment selection
//! procedures", the criterion of Schwarz).

use nalgebra::{DMatrix, DVector};

use super::knowledge::inverse;
use super::least_squares::{FINE, Fitted, ROUGH, Seen, Start};
use super::likelihood::Judge;
pub use super::neighbours::Free;
use super::neighbours::{Seeds, carried, key};
pub use super::question::Question;
use super::search::{BESIDE, Before, Search};
use super::structure::Structure;
use super::weight::rough;
use crate::dist::Family;

/// Sample paths while every figure counts alike.
const ROUGH_PATHS: u64 = 1;
/// Sample paths of a search by chance: what is near the best one is judged by more.
const FINE_PATHS: u64 = 2;
/// A structure whose rough sum of squares is beyond this many times the least one and this besides is dropped.
const NEAR: [f64; 2] = [2.0, 25.0];
/// One that is beyond so many times that does not come back.
const FAR: f64 = 10.0;
/// The most structures that are fitted finely at first.
const MOST_FINE: usize = 16;
/// Structures that are no further from the best one, by one chance for all, are judged by their own: four times the 99.9 % quantile of
/// chi-square with one degree of freedom.
pub(super) const SPREAD: f64 = 43.3;
/// The most structures that say in turn how far figures are off by chance.
const MOST_CHANCES: usize = 4;
/// Structures whose criterion is no further from the least one explain the runs as well: the 99 % quantile of chi-square with one degree of
/// freedom. Where figures are normal, the criteria of a right structure and a wrong one that are d standard deviations apart differ by a normal
/// number with the mean -d^2 and the standard deviation 2 d (Cox 1961), so that the right one is beyond c with a probability of at most
/// 1 - Phi(sqrt(c)), whatever d is. Covariances of k figures from n samples add up to 4 k (k + 2) / n to the variance for each run: 0.5 %
/// become about 3 % with six runs, which the 95 % quantile would have without them.
pub const AS_WELL: f64 = 6.635;

/// A structure with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The structure.
    pub structure: Structure,
    /// Its numbers.
    pub fitted: Fitted,
    /// What makes differences independent and of variance 1: by the chance of this structure where it is near the best one, by that of
    /// one that was best before where it is not.
    pub whitening: DMatrix<f64>,
    /// What the mean of many sample paths has more than that of those by which it was fitted, where it is near the best one.
    pub few: Option<DVector<f64>>,
    /// The sum of squares with the price of the numbers, and how much more chance it has than the best one.
    pub criterion: f64,
}

impl Explained {
    /// The degrees of freedom of the sum of squares.
    pub fn freedom(&self) -> usize {
        let figures = self.whitening.nrows();
        figures.saturating_sub(self.fitted.point.len())
    }

    /// How uncertain a number is, as it is measured, by the slopes of the fit.
    pub(super) fn variance(&self, nth: usize) -> Option<f64> {
        let slopes = &self.whitening * self.fitted.slopes()?;
        Some(inverse(slopes.transpose() * slopes)[(nth, nth)])
    }

    /// The same, of which nothing was simulated.
    pub(super) fn afresh(&self) -> Explained {
        let mut fresh = self.clone();
        fresh.fitted.seen = Seen::default();
        fresh
    }

    /// What the sum of squares has more than chance gives, as a factor that is 1 at least.
    pub fn excess(&self) -> f64 {
        match self.freedom() {
            0 => 1.0,
            freedom => (self.fitted.squares / freedom as f64).max(1.0),
        }
    }
}

/// What explains the runs.
#[derive(Debug, Clone)]
pub struct Explanations {
    /// All that were fitted finely, the best one first.
    pub all: Vec<Explained>,
}

impl Explanations {
    /// What the squares of a right model are multiplied with, where the best structure is not right.
    pub fn excess(&self) -> f64 {
        self.all.first().map_or(1.0, Explained::excess)
    }

    /// What variances of numbers are multiplied with because covariances are estimated: 1 + B (k - p) for k figures of a run and p
    /// numbers (Dodelson and Schneider 2013, equation 28).
    pub fn estimated(&self, question: Question<'_>) -> f64 {
        let (samples, figures) = (question.samples_needed() as f64, question.longest() as f64);
        let numbers = self.all.first().map_or(0, |best| best.fitted.point.len()) as f64
            / question.measured.len().max(1) as f64;
        let b = (samples - figures - 2.0) / ((samples - figures - 1.0) * (samples - figures - 4.0));
        1.0 + b * (figures - numbers).max(0.0)
    }

    /// Those that explain the runs as well as the best one, itself included.
    pub fn as_good(&self) -> impl Iterator<Item = &Explained> {
        let best = self.all.first();
        let most = best.map_or(0.0, |best| best.criterion + AS_WELL * best.excess());
        self.all.iter().filter(move |one| one.criterion <= most)
    }
}

/// Explains what was measured, from a structure and numbers to start from; `free` says what of each service is searched. `None`
/// where nothing can be fitted, or it was stopped.
pub fn explain(
    question: Question<'_>,
    first: (Structure, Vec<f64>),
    free: &[Free],
) -> Option<Explanations> {
    let measured: Vec<f64> = question.measured.concat();
    let (mut found, mut before) = roughly(question, &measured, first, free)?;
    let mut judge = Judge::of(question, &measured);
    let paths = FINE_PATHS.min(question.paths);
    for nth in 0..MOST_CHANCES {
        let best = found.first()?;
        let (structure, start) = (best.structure.clone(), Start::from(&best.fitted));
        let whitening = judge.whitening(best, paths)?;
        let finely = Search {
            question,
            measured: &measured,
            whitening: &whitening,
            paths,
            settled: FINE,
            widely: true,
            hopeless: |best| best.criterion + SPREAD * best.excess(),
        };
        let others = found.into_iter().skip(1).map(|one| {
            let start = Start::from(&one.fitted);
            let seed = (one.structure, start);
            (key(&seed.0), seed)
        });
        let first = (structure.clone(), start);
        found = finely.descend(first, others.collect(), free, &mut before)?;
        // By the chance of a structure that is not near the best one, which are near is not known yet.
        if nth == 0 && !is_within(&found, &structure, BESIDE) {
            continue;
        }
        found = judge.judge(found)?;
        if is_within(&found, &structure, AS_WELL) {
            break;
        }
    }
    Some(Explanations { all: found })
}

/// The structures that are near while every figure counts alike, the best one first, and the keys of those that are too far off to come back.
fn roughly(
    question: Question<'_>,
    measured: &[f64],
    first: (Structure, Vec<f64>),
    free: &[Free],
) -> Option<(Vec<Explained>, Before)> {
    let search = Search {
        question,
        measured,
        whitening: &rough(measured.len()),
        paths: ROUGH_PATHS.min(question.paths),
        settled: ROUGH,
        widely: false,
        hopeless: |best| FAR * most_near(best),
    };
    let plain = without_variation(&first, free);
    let first = (first.0, Start::from(first.1));
    let mut found = search.descend(first, Seeds::new(), free, &mut Before::default())?;
    if let Some((plain, workers)) = plain {
        let others = search.descend(plain, Seeds::new(), &workers, &mut Before::default())?;
        let is_new = |one: &Explained| !found.iter().any(|known| known.structure == one.structure);
        let others: Vec<Explained> = others.into_iter().filter(is_new).collect();
        found.extend(others);
        sort(&mut found);
    }
    let most = most_near(found.first()?);
    // What is far off does not come back; what is near and one too many may, as a neighbour.
    let far = found.iter().filter(|one| one.fitted.squares > FAR * most);
    let before = Before {
        dropped: far.map(|one| key(&one.structure)).collect(),
        ..Before::default()
    };
    found.retain(|one| one.fitted.squares <= most);
    found.truncate(MOST_FINE);
    Some((found, before))
}

/// A second start, from which workers alone are searched: all times exponential, where there are several services. What one service varies too
/// much and another one too little is hardly seen in response times. Numbers of workers that were found with such times are wrong ones, and no single
/// step leads away from them.
fn without_variation(
    (structure, point): &(Structure, Vec<f64>),
    free: &[Free],
) -> Option<((Structure, Start), Vec<Free>)> {
    if free.iter().filter(|free| free.family).count() < 2 {
        return None;
    }
    let mut plain = structure.clone();
    for service in &mut plain.services {
        service.family = service.family.and(Some(Family::Exponential));
    }
    let workers = free.iter().map(|free| Free {
        family: false,
        ..*free
    });
    let start = Start::from(carried(structure, point, &plain));
    Some(((plain, start), workers.collect()))
}

/// Whether a structure is this near the best one.
fn is_within(found: &[Explained], structure: &Structure, within: f64) -> bool {
    let most = found
        .first()
        .map(|best| best.criterion + within * best.excess());
    let own = found.iter().find(|one| one.structure == *structure);
    own.zip(most)
        .is_some_and(|(own, most)| own.criterion <= most)
}

/// The largest rough sum of squares that is near the least one.
fn most_near(best: &Explained) -> f64 {
    let [times, besides] = NEAR;
    times * best.fitted.squares + besides
}

/// The best one first.
pub(super) fn sort(all: &mut [Explained]) {
    all.sort_by(|one, other| one.criterion.total_cmp(&other.criterion));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::structure::OfService;

    #[test]
    fn a_second_start_has_exponential_times_and_searches_workers_alone() {
        let service = |name: &str, family| OfService {
            name: name.to_owned(),
            workers: Some(2),
            family,
        };
        let gamma = Some(Family::Gamma);
        let of = |families: &[Option<Family>]| Structure {
            network: true,
            services: families
                .iter()
                .map(|family| service("s", *family))
                .collect(),
        };
        let free = |families: &[Option<Family>]| -> Vec<Free> {
            let families = families.iter();
            let free = families.map(|family| Free {
                workers: true,
                family: family.is_some(),
            });
            free.collect()
        };
        let two = [gamma, None, gamma];
        let ((plain, start), kept) =
            without_variation(&(of(&two), vec![1e6, 2e6, 0.7, 3e6, 0.7]), &free(&two))
                .expect("there are two");
        let exponential = Some(Family::Exponential);
        assert_eq!(plain, of(&[exponential, None, exponential]));
        assert_eq!(start.point, [1e6, 2e6, 3e6]);
        assert!(kept.iter().all(|free| free.workers && !free.family));
        let one = [gamma, None];
        assert!(without_variation(&(of(&one), vec![1e6, 2e6, 0.7]), &free(&one)).is_none());
    }
}
