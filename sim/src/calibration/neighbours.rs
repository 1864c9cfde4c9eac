//! The structures beside one: another number of workers, another family.

use std::collections::BTreeMap;

use super::explain::Explained;
use super::least_squares::Start;
use super::structure::{OfService, Structure, has_variation};
use crate::dist::Family;

/// The families that service times may be of.
const FAMILIES: [Family; 5] = [
    Family::Gamma,
    Family::Lognormal,
    Family::Exponential,
    Family::Constant,
    Family::Hyperexponential,
];
/// The most workers that are looked at, and the most beside those of the best structure, in times of them.
const MOST_WORKERS: u32 = 1 << 16;
const MOST_TIMES: u32 = 8;
/// The coefficient of variation that a fit starts from.
const FIRST_VARIATION: f64 = 0.7;
/// One that is none.
const LEAST_VARIATION: f64 = 0.02;

/// Which parts of a service are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// How many workers it has.
    pub workers: bool,
    /// The family of its times.
    pub family: bool,
}

/// Structures in an order, with numbers to start from.
pub(super) type Seeds = BTreeMap<String, (Structure, Start)>;

/// A structure as a key.
pub(super) fn key(structure: &Structure) -> String {
    format!("{structure:?}")
}

/// The structures beside one, with its numbers as a start; without families whose sum of squares would be beyond `hopeless`.
pub(super) fn neighbours(of: &Explained, free: &[Free], hopeless: f64) -> Seeds {
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
        let families = families_beside(service, *free)
            .into_iter()
            .filter(|beside| !is_far(of, nth, beside.family, hopeless));
        let others: Vec<OfService> = both
            .chain(families)
            .chain(workers.iter().cloned())
            .collect();
        for other in others {
            let mut beside = structure.clone();
            beside.services[nth] = other;
            let start = carried(structure, &fitted.point, &beside);
            all.insert(key(&beside), (beside, start.into()));
        }
    }
    all
}

/// The structures beside one that differ in their workers, no more than this many times those of the best one.
pub(super) fn workers_of(of: &Explained, free: &[Free], best: &Explained) -> Seeds {
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
                all.insert(key(&beside), (beside, start.into()));
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

/// Whether a family has another coefficient of variation than what was measured lets a service have: what it would add to the sum of squares is
/// the square of how many standard deviations that is off (Wald 1943), of which half is enough to tell.
fn is_far(of: &Explained, nth: usize, family: Option<Family>, hopeless: f64) -> bool {
    let service = &of.structure.services[nth];
    let own = format!("services.{}.time.cv", service.name);
    let parameters = of.structure.parameters();
    let Some(at) = parameters.iter().position(|one| one.name == own) else {
        return false;
    };
    let cv = of.fitted.point[at];
    let other = match family {
        Some(Family::Constant) => LEAST_VARIATION,
        Some(Family::Exponential) => 1.0,
        Some(Family::Hyperexponential) if cv < 1.0 => 1.0,
        _ => return false,
    };
    let Some(variance) = of.variance(at) else {
        return false;
    };
    let off = libm::log(other / cv);
    of.fitted.squares + off * off / variance / 2.0 > hopeless
}

/// The numbers of a structure in another one that differs in a service.
pub(super) fn carried(from: &Structure, point: &[f64], to: &Structure) -> Vec<f64> {
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
