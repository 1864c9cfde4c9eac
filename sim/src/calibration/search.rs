//! The search from structure to structure.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::DMatrix;

use super::explain::{Explained, sort};
use super::least_squares::{Settled, Start, Task, fit};
use super::neighbours::{Free, Seeds, carried, key, neighbours, workers_of};
use super::question::Question;
use super::structure::Structure;

/// From this many structures on, no more are looked at for their own sake.
const MOST_STRUCTURES: usize = 40;
/// The most rounds from structure to structure.
const ROUNDS: usize = 40;
/// Beside structures whose criterion is no further from the least one, others are looked at: the 99.9 % quantile of chi-square with one degree
/// of freedom. It is not the 95 % one because chance is that of one structure, and another one may have more of it.
pub(super) const BESIDE: f64 = 10.828;

/// What searches before this one have found.
#[derive(Default)]
pub(super) struct Before {
    /// Structures that are too far off to come back.
    pub dropped: BTreeSet<String>,
    /// Structures that were fitted once more from the numbers of another one.
    pub again: BTreeSet<[String; 2]>,
}

/// A search from structure to structure by one measure.
pub(super) struct Search<'a> {
    pub question: Question<'a>,
    pub measured: &'a [f64],
    pub whitening: &'a DMatrix<f64>,
    pub paths: u64,
    pub settled: Settled,
    pub widely: bool,
    /// A sum of squares that is of no interest beside a best structure.
    pub hopeless: fn(&Explained) -> f64,
}

impl Search<'_> {
    /// Fits the first one, the seeds, and the neighbours of the best one until none is better; with `widely` the structures beside those that
    /// explain the runs as well, too. What was dropped before is left out. All that were fitted, the best one first.
    pub fn descend(
        &self,
        first: (Structure, Start),
        mut later: Seeds,
        free: &[Free],
        before: &mut Before,
    ) -> Option<Vec<Explained>> {
        let mut known: BTreeMap<String, Option<Explained>> = BTreeMap::new();
        let mut seeds = Seeds::from([(key(&first.0), first)]);
        let mut hopeless = f64::INFINITY;
        for _ in 0..ROUNDS {
            seeds.retain(|key, _| !known.contains_key(key) && !before.dropped.contains(key));
            if seeds.is_empty() {
                break;
            }
            for (key, found) in self.fit_all(&seeds, hopeless)? {
                known.insert(key, found);
            }
            let best = known.values().flatten();
            let best = best.min_by(|one, other| one.criterion.total_cmp(&other.criterion))?;
            hopeless = (self.hopeless)(best);
            seeds = neighbours(best, free, hopeless);
            seeds.append(&mut later);
            if self.widely && known.len() < MOST_STRUCTURES {
                let most = best.criterion + BESIDE * best.excess();
                let others = known.values().flatten().filter(|one| one.criterion <= most);
                seeds.extend(others.flat_map(|one| workers_of(one, free, best)));
            }
        }
        let mut all: Vec<Explained> = known.into_values().flatten().collect();
        sort(&mut all);
        match self.widely {
            true => self.again(all, &mut before.again),
            false => Some(all),
        }
    }

    /// Fits those again that are near the best one, unless that was done before, from the numbers of their neighbour in the order of merit: a fit that stopped early
    /// would take a structure for worse than it is.
    fn again(
        &self,
        mut all: Vec<Explained>,
        before: &mut BTreeSet<[String; 2]>,
    ) -> Option<Vec<Explained>> {
        let best = all.first()?.clone();
        let most = best.criterion + BESIDE * best.excess();
        let own = key(&best.structure);
        let seeds: Seeds = all
            .iter()
            .filter(|one| one.criterion <= most && one.structure != best.structure)
            .filter(|one| before.insert([key(&one.structure), own.clone()]))
            .map(|one| {
                let start = carried(&best.structure, &best.fitted.point, &one.structure);
                (key(&one.structure), (one.structure.clone(), start.into()))
            })
            .collect();
        for (own, found) in self.fit_all(&seeds, (self.hopeless)(&best))? {
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

    fn fit_all(&self, seeds: &Seeds, hopeless: f64) -> Option<Vec<(String, Option<Explained>)>> {
        let jobs: Vec<(&String, &(Structure, Start))> = seeds.iter().collect();
        self.question.each(jobs.len() as u64, |nth| {
            let (own, (structure, start)) = jobs[nth as usize];
            Some((own.clone(), self.fit(structure, start, hopeless)))
        })
    }

    fn fit(&self, structure: &Structure, start: &Start, hopeless: f64) -> Option<Explained> {
        let task = Task {
            paths: self.paths,
            settled: self.settled,
            hopeless,
            ..self.question.task(structure, self.measured, self.whitening)
        };
        let fitted = fit(task, start)?;
        Some(Explained {
            criterion: fitted.squares + self.question.price(&fitted),
            structure: structure.clone(),
            whitening: self.whitening.clone(),
            few: None,
            fitted,
        })
    }
}
