//! Which structures explain what was measured.
//!
//! Numbers are fitted by least squares within a structure; from structure to structure the search goes by neighbours: another number of
//! workers, another family. First every figure counts alike, so that a structure that is far off is dropped quickly. Then the best one says how
//! far figures are off by chance, the sum of squares is one of chi-square, and structures are held against one another by it with
//! a price for each number that is fitted (Andrews 1999, "Consistent moment selection procedures", the criterion of Schwarz).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use nalgebra::DMatrix;

use super::least_squares::{FINE, Fitted, ROUGH, Task, World, fit};
use super::structure::{OfService, Structure, has_variation};
use super::weight::{rough, whitening};
use crate::dist::Family;
use crate::replication::{Flow, in_order};

/// The families that service times may be of.
const FAMILIES: [Family; 5] = [
    Family::Gamma,
    Family::Lognormal,
    Family::Exponential,
    Family::Constant,
    Family::Hyperexponential,
];
/// Sample paths by which chance is known.
const SAMPLES: u64 = 160;
/// At least so many times as many as a run has figures.
const SAMPLES_OF_FIGURES: usize = 12;
/// The number of the first of them.
const FIRST_SAMPLE: u64 = 1 << 20;
/// Sample paths while every figure counts alike.
const ROUGH_PATHS: u64 = 2;
/// A structure whose rough sum of squares is beyond so many times the least one and this besides is dropped.
const NEAR: [f64; 2] = [2.0, 25.0];
/// One that is beyond so many times that does not come back.
const FAR: f64 = 10.0;
/// The most structures that are fitted finely at first.
const MOST_FINE: usize = 16;
/// The most workers that are looked at, and the most beside those of the best structure, in times of them.
const MOST_WORKERS: u32 = 1 << 16;
const MOST_TIMES: u32 = 8;
/// From so many structures on, no more are looked at for their own sake.
const MOST_STRUCTURES: usize = 60;
/// The most rounds from structure to structure.
const ROUNDS: usize = 40;
/// Structures whose criterion is no further from the least one explain the runs as well: the 99.9 % quantile of chi-square with one degree of
/// freedom. It is not the 95 % one because chance is that of the best structure, and another one may have more of it.
pub const AS_WELL: f64 = 10.828;
/// Structures within so many times that are fitted once more.
const NEARLY: f64 = 2.0;
/// The coefficient of variation that a fit starts from.
const FIRST_VARIATION: f64 = 0.7;

/// What is to be explained, and how.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What was measured, run by run.
    pub measured: &'a [Vec<f64>],
    /// Gives what a model has.
    pub world: &'a World<'a>,
    /// Sample paths of a fine fit.
    pub paths: u64,
    /// How many fits go on at a time.
    pub threads: NonZeroUsize,
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// A structure with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The structure.
    pub structure: Structure,
    /// Its numbers.
    pub fitted: Fitted,
    /// The sum of squares with the price of the numbers.
    pub criterion: f64,
}

/// What explains the runs.
#[derive(Debug, Clone)]
pub struct Explanations {
    /// All that were fitted finely, the best one first.
    pub all: Vec<Explained>,
    /// What makes differences independent and of variance 1.
    pub whitening: DMatrix<f64>,
}

impl Explanations {
    /// What the squares of a right model are multiplied with, where the best structure is not right.
    pub fn excess(&self) -> f64 {
        let Some(best) = self.all.first() else {
            return 1.0;
        };
        excess(best, self.freedom(best))
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

    /// The degrees of freedom of the sum of squares of a structure.
    pub fn freedom(&self, of: &Explained) -> usize {
        freedom(of, self.whitening.nrows())
    }

    /// Those that explain the runs as well as the best one, itself included.
    pub fn as_good(&self) -> impl Iterator<Item = &Explained> {
        let best = self.all.first();
        let most = best.map_or(0.0, |best| most_as_good(best, self.whitening.nrows()));
        self.all.iter().filter(move |one| one.criterion <= most)
    }
}

/// The degrees of freedom of the sum of squares of a structure, of so many figures.
fn freedom(of: &Explained, figures: usize) -> usize {
    figures.saturating_sub(of.fitted.point.len())
}

/// What the sum of squares of a structure has more than chance gives, and 1 at least.
fn excess(of: &Explained, freedom: usize) -> f64 {
    match freedom > 0 {
        true => (of.fitted.squares / freedom as f64).max(1.0),
        false => 1.0,
    }
}

/// The largest criterion of what explains so many figures as well as the best structure.
fn most_as_good(best: &Explained, figures: usize) -> f64 {
    best.criterion + AS_WELL * excess(best, freedom(best, figures))
}

/// Which parts of a service are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// How many workers it has.
    pub workers: bool,
    /// The family of its times.
    pub family: bool,
}

/// Explains what was measured, from a structure and numbers to start from; `free` says what of each service is searched. `None`
/// where nothing can be fitted, or it was stopped.
pub fn explain(
    question: Question<'_>,
    first: (Structure, Vec<f64>),
    free: &[Free],
) -> Option<Explanations> {
    let measured: Vec<f64> = question.measured.concat();
    let lengths: Vec<usize> = question.measured.iter().map(Vec::len).collect();
    let rough = rough(measured.len());
    let roughly = Search {
        question,
        measured: &measured,
        whitening: &rough,
        paths: ROUGH_PATHS.min(question.paths),
        settled: ROUGH,
        widely: false,
    };
    let seeds = BTreeMap::from([(key(&first.0), first.clone())]);
    let mut found = roughly.descend(seeds, free, &BTreeSet::new())?;
    let [times, besides] = NEAR;
    let most = times * found.first()?.fitted.squares + besides;
    // What is far off does not come back; what is near and one too many may, as a neighbour.
    let is_far = |one: &&Explained| one.fitted.squares > FAR * most;
    let dropped: BTreeSet<String> = found
        .iter()
        .filter(is_far)
        .map(|one| key(&one.structure))
        .collect();
    found.retain(|one| one.fitted.squares <= most);
    found.truncate(MOST_FINE);
    // How far figures are off by chance is that of the best one, which may be another one then.
    let mut whole = None;
    for _ in 0..2 {
        let best = found.first()?;
        let samples = question.samples(&best.structure, &best.fitted.point)?;
        let fine = whitening(&samples, &lengths, question.paths)?;
        let finely = Search {
            question,
            measured: &measured,
            whitening: &fine,
            paths: question.paths,
            settled: FINE,
            widely: true,
        };
        let before = best.structure.clone();
        let seeds = found.iter().map(|one| {
            (
                key(&one.structure),
                (one.structure.clone(), one.fitted.point.clone()),
            )
        });
        found = finely.descend(seeds.collect(), free, &dropped)?;
        let is_same = found.first()?.structure == before;
        whole = Some(fine);
        if is_same {
            break;
        }
    }
    Some(Explanations {
        all: found,
        whitening: whole?,
    })
}

impl Question<'_> {
    /// The shortest response time among what was measured, in nanoseconds.
    pub fn shortest(&self) -> f64 {
        let logs = self.measured.iter().flatten();
        libm::exp(logs.copied().fold(f64::INFINITY, f64::min))
    }

    /// The most figures of a run.
    fn longest(&self) -> usize {
        self.measured.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// How many sample paths tell how figures are off by chance.
    fn samples_needed(&self) -> u64 {
        SAMPLES.max((SAMPLES_OF_FIGURES * self.longest()) as u64)
    }

    /// A fine fit of a structure to these figures.
    pub(super) fn task<'a>(
        &'a self,
        structure: &'a Structure,
        measured: &'a [f64],
        whitening: &'a DMatrix<f64>,
    ) -> Task<'a> {
        Task {
            measured,
            whitening,
            structure,
            ranges: structure.ranges(self.shortest()),
            world: self.world,
            paths: self.paths,
            settled: FINE,
        }
    }

    /// The figures of many sample paths of a model.
    pub fn samples(&self, structure: &Structure, point: &[f64]) -> Option<Vec<Vec<f64>>> {
        let samples = self.samples_needed();
        let mut all = Vec::new();
        in_order(
            samples,
            self.threads,
            |nth, _| match (self.stop)() {
                true => None,
                false => (self.world)(structure, point, FIRST_SAMPLE + nth),
            },
            |_, figures| match figures {
                Some(figures) => {
                    all.push(figures);
                    Flow::GoOn
                }
                None => Flow::Stop,
            },
        );
        (all.len() as u64 == samples).then_some(all)
    }
}

/// A search from structure to structure by one measure.
struct Search<'a> {
    question: Question<'a>,
    measured: &'a [f64],
    whitening: &'a DMatrix<f64>,
    paths: u64,
    settled: f64,
    widely: bool,
}

/// Structures in an order, with numbers to start from.
type Seeds = BTreeMap<String, (Structure, Vec<f64>)>;

impl Search<'_> {
    /// Fits the seeds, and the neighbours of the best one, until none is better; with `widely` the structures beside those that explain the runs
    /// as well, too. What was dropped is left out. All that were fitted, the best one first.
    fn descend(
        &self,
        mut seeds: Seeds,
        free: &[Free],
        dropped: &BTreeSet<String>,
    ) -> Option<Vec<Explained>> {
        let mut known: BTreeMap<String, Option<Explained>> = BTreeMap::new();
        for _ in 0..ROUNDS {
            seeds.retain(|key, _| !known.contains_key(key) && !dropped.contains(key));
            if seeds.is_empty() {
                break;
            }
            for (key, found) in self.fit_all(&seeds)? {
                known.insert(key, found);
            }
            let best = known.values().flatten();
            let best = best.min_by(|one, other| one.criterion.total_cmp(&other.criterion))?;
            seeds = neighbours(best, free);
            if self.widely && known.len() < MOST_STRUCTURES {
                let most = most_as_good(best, self.measured.len());
                let others = known.values().flatten().filter(|one| one.criterion <= most);
                seeds.extend(others.flat_map(|one| workers_of(one, free, best)));
            }
        }
        let mut all: Vec<Explained> = known.into_values().flatten().collect();
        sort(&mut all);
        match self.widely {
            true => self.again(all),
            false => Some(all),
        }
    }

    /// Fits those again that are near the best one, from the numbers of their neighbour in the order of merit: a fit that stopped early
    /// would take a structure for worse than it is.
    fn again(&self, mut all: Vec<Explained>) -> Option<Vec<Explained>> {
        let best = all.first()?.clone();
        let most = best.criterion + NEARLY * AS_WELL;
        let seeds: Seeds = all
            .iter()
            .filter(|one| one.criterion <= most && one.structure != best.structure)
            .map(|one| {
                let start = carried(&best.structure, &best.fitted.point, &one.structure);
                (key(&one.structure), (one.structure.clone(), start))
            })
            .collect();
        for (own, found) in self.fit_all(&seeds)? {
            let known = all.iter_mut().find(|one| key(&one.structure) == own);
            if let (Some(known), Some(found)) = (known, found)
                && found.criterion < known.criterion
            {
                *known = found;
            }
        }
        sort(&mut all);
        Some(all)
    }

    fn fit_all(&self, seeds: &Seeds) -> Option<Vec<(String, Option<Explained>)>> {
        let jobs: Vec<(&String, &(Structure, Vec<f64>))> = seeds.iter().collect();
        let mut all = Vec::with_capacity(jobs.len());
        in_order(
            jobs.len() as u64,
            self.question.threads,
            |nth, _| {
                let (_, (structure, start)) = jobs[nth as usize];
                match (self.question.stop)() {
                    true => None,
                    false => Some(self.fit(structure, start)),
                }
            },
            |nth, found| match found {
                Some(found) => {
                    all.push((jobs[nth as usize].0.clone(), found));
                    Flow::GoOn
                }
                None => Flow::Stop,
            },
        );
        (all.len() == jobs.len()).then_some(all)
    }

    fn fit(&self, structure: &Structure, start: &[f64]) -> Option<Explained> {
        let task = Task {
            paths: self.paths,
            settled: self.settled,
            ..self.question.task(structure, self.measured, self.whitening)
        };
        let fitted = fit(task, start)?;
        let price = libm::log(self.measured.len() as f64);
        let criterion = fitted.squares + price * fitted.point.len() as f64;
        Some(Explained {
            structure: structure.clone(),
            fitted,
            criterion,
        })
    }
}

/// The best one first.
fn sort(all: &mut [Explained]) {
    all.sort_by(|one, other| one.criterion.total_cmp(&other.criterion));
}

/// A structure as a key.
fn key(structure: &Structure) -> String {
    format!("{structure:?}")
}

/// The structures beside one, with its numbers as a start.
fn neighbours(of: &Explained, free: &[Free]) -> Seeds {
    let mut all = Seeds::new();
    let Explained {
        structure, fitted, ..
    } = of;
    for (nth, free) in free.iter().enumerate() {
        let Some(service) = structure.services.get(nth) else {
            continue;
        };
        let workers = workers_beside(service, *free);
        // A worker more and a shorter tail may explain together what neither does alone.
        let both = workers
            .iter()
            .flat_map(|beside| families_beside(beside, *free))
            .filter(|beside| {
                let next = |workers: u32| Some(workers.abs_diff(service.workers?) == 1);
                beside.workers.and_then(next) == Some(true)
                    && matches!(beside.family, Some(Family::Gamma | Family::Lognormal))
            });
        let families = families_beside(service, *free);
        let others: Vec<OfService> = both
            .chain(families)
            .chain(workers.iter().cloned())
            .collect();
        for other in others {
            let mut beside = structure.clone();
            beside.services[nth] = other;
            let start = carried(structure, &fitted.point, &beside);
            all.insert(key(&beside), (beside, start));
        }
    }
    all
}

/// The structures beside one that differ in their workers, no more than so many times those of the best one.
fn workers_of(of: &Explained, free: &[Free], best: &Explained) -> Seeds {
    let mut all = Seeds::new();
    let services = of.structure.services.iter().zip(free).enumerate();
    for (nth, (service, free)) in services {
        let most = best.structure.services.get(nth).and_then(|one| one.workers);
        let most = most.map_or(MOST_WORKERS, |workers| workers.saturating_mul(MOST_TIMES));
        for other in workers_beside(service, *free) {
            if other.workers.is_some_and(|workers| workers <= most) {
                let mut beside = of.structure.clone();
                beside.services[nth] = other;
                let start = carried(&of.structure, &of.fitted.point, &beside);
                all.insert(key(&beside), (beside, start));
            }
        }
    }
    all
}

fn workers_beside(service: &OfService, free: Free) -> Vec<OfService> {
    let Some(workers) = service.workers.filter(|_| free.workers) else {
        return Vec::new();
    };
    let mut beside = vec![workers - 1, workers + 1, workers / 2, workers * 2];
    beside.retain(|beside| (1..=MOST_WORKERS).contains(beside) && *beside != workers);
    let with = |workers| OfService {
        workers: Some(workers),
        ..service.clone()
    };
    beside.into_iter().map(with).collect()
}

fn families_beside(service: &OfService, free: Free) -> Vec<OfService> {
    let Some(own) = service.family.filter(|_| free.family) else {
        return Vec::new();
    };
    let with = |family| OfService {
        family: Some(family),
        ..service.clone()
    };
    let others = FAMILIES.into_iter().filter(|family| *family != own);
    others.map(with).collect()
}

/// The numbers of a structure in another one that differs in a service.
fn carried(from: &Structure, point: &[f64], to: &Structure) -> Vec<f64> {
    let mut values = point.iter().copied();
    let mut all = Vec::with_capacity(point.len() + 1);
    if from.network {
        all.extend(values.next());
    }
    for (before, after) in from.services.iter().zip(&to.services) {
        let mean = before.family.and_then(|_| values.next());
        let own = before.family.filter(|family| has_variation(*family));
        let variation = own.and_then(|_| values.next());
        // Fewer workers carry as much where each is as much faster, unless all the time is needed to explain an idle system.
        let share = match (before.workers, after.workers) {
            (Some(before), Some(after)) if after < before => f64::from(after) / f64::from(before),
            _ => 1.0,
        };
        all.extend(mean.map(|mean| mean * share));
        if after.family.is_some_and(has_variation) {
            let wide = after.family == Some(Family::Hyperexponential);
            let start = variation.unwrap_or(match before.family {
                Some(Family::Constant) => 0.1,
                Some(Family::Exponential) => 1.0,
                _ => FIRST_VARIATION,
            });
            all.push(if wide { start.max(1.05) } else { start });
        }
    }
    all
}
