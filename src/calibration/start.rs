//! The fitted numbers of a model, and the starting point of a fit: from the asymptotes, the response time of an idle system and
//! the largest measured throughput.

use blis_sim::analysis::{constraints, path_demand};
use blis_sim::calibration::explain::Free;
use blis_sim::calibration::structure::{ONE_WAY, OfService, Structure, has_variation};
use blis_sim::dist::Family;
use blis_sim::model::{Model, Service};
use blis_sim::spec::Assignment;
use blis_sim::spec::error::shown;

use super::errors::ERRORS;
use super::recordings::Recording;
use crate::exit::Failure;

/// The share of an unloaded response that starts as the way through the network, and what is left of the services.
const NETWORK: f64 = 0.05;
const SERVICES: f64 = 0.9;
/// What is carried starts as this many times the largest throughput.
const ABOVE: f64 = 1.05;
/// The coefficient of variation that a fit starts from where the spec has none.
const VARIATION: f64 = 0.7;
/// More numbers are not fitted at once.
const MOST_NUMBERS: usize = 12;
/// A start has no more workers than this, unless the spec has.
const MOST_WORKERS: u32 = 1024;

/// Keys that are not fitted: those that are named, and those that are set.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<'a> {
    /// By `--fix`.
    pub named: &'a [String],
    /// By `--set`.
    pub set: &'a [Assignment],
}

/// Where a fit starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The structure.
    pub structure: Structure,
    /// Its numbers.
    pub point: Vec<f64>,
    /// What of each service is searched.
    pub free: Vec<Free>,
}

impl Fixed<'_> {
    /// Whether a key stays as it is.
    pub(super) fn has(&self, key: &str) -> bool {
        let parts: Vec<&str> = key.split('.').collect();
        self.named.iter().any(|one| one == key) || self.set.iter().any(|set| set.is_within(&parts))
    }

    /// Holds where all keys are ones that are fitted otherwise. Asked before anything is read or measured, so that a misspelt key
    /// costs nothing.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the first key that is none, and those that are.
    pub fn check(&self, model: &Model) -> Result<(), Failure> {
        let services = model.services.iter();
        let of_services = services.flat_map(|service| {
            ["time", "workers", ERRORS].map(|key| format!("services.{}.{key}", service.name))
        });
        let known: Vec<String> = std::iter::once(ONE_WAY.to_owned())
            .chain(of_services)
            .collect();
        match self.named.iter().find(|key| !known.contains(key)) {
            None => Ok(()),
            Some(key) => Err(Failure::Usage(format!(
                "--fix {}: no such number is fitted; name one of {}",
                shown(key),
                known.join(", ")
            ))),
        }
    }
}

/// What is fitted of a model, and from where. `takes` says whether the spec takes an assignment.
///
/// # Errors
/// [`Failure::Usage`] where nothing is left to fit.
pub fn start(
    model: &Model,
    runs: &[Recording],
    fixed: Fixed<'_>,
    takes: &dyn Fn(&str) -> bool,
) -> Result<Start, Failure> {
    let visited: Vec<&Service> = visited(model);
    let network = !fixed.has(ONE_WAY);
    let mut services = Vec::new();
    let mut free = Vec::new();
    for service in &visited {
        let key = |key: &str| format!("services.{}.{key}", service.name);
        let kinds = service.members.kinds();
        let alike = kinds.first().filter(|_| kinds.len() == 1);
        let workers = alike.map(|kind| kind.workers.get()).filter(|workers| {
            !fixed.has(&key("workers")) && takes(&format!("{}={workers}", key("workers")))
        });
        let family = (!fixed.has(&key("time"))).then(|| start_family(service.time.family()));
        if workers.is_none() && family.is_none() {
            continue;
        }
        services.push(OfService {
            name: service.name.clone(),
            workers,
            family,
        });
        free.push(Free {
            workers: workers.is_some(),
            family: family.is_some(),
        });
    }
    let structure = Structure { network, services };
    let numbers = structure.parameters().len();
    if numbers == 0 {
        return Err(Failure::Usage(
            "no number is left to fit: no request visits a service, or --fix keeps all numbers; leave network.one_way \
             or a services.NAME.time free"
                .to_owned(),
        ));
    }
    if numbers > MOST_NUMBERS {
        return Err(Failure::Usage(format!(
            "{numbers} numbers are too many to fit together; keep all but {MOST_NUMBERS} of them with --fix"
        )));
    }
    Ok(placed(model, runs, structure, free))
}

/// The services that requests visit.
fn visited(model: &Model) -> Vec<&Service> {
    let demands: Vec<_> = model
        .actions
        .iter()
        .map(|action| path_demand(model, action))
        .collect();
    let is_visited = |nth: usize| demands.iter().any(|demand| demand.visits[nth] > 0.0);
    let services = model.services.iter().enumerate();
    services
        .filter(|(nth, _)| is_visited(*nth))
        .map(|(_, service)| service)
        .collect()
}

/// A family that is fitted, for one that a spec has.
fn start_family(of_spec: Family) -> Family {
    match of_spec {
        Family::Constant | Family::Exponential | Family::Lognormal | Family::Hyperexponential => {
            of_spec
        }
        Family::Uniform
        | Family::Erlang
        | Family::Gamma
        | Family::Weibull
        | Family::Pareto
        | Family::Normal
        | Family::Empirical => Family::Gamma,
    }
}

/// The start with its numbers: times as those of the spec to one another, and as many workers as what was measured takes.
fn placed(model: &Model, runs: &[Recording], mut structure: Structure, free: Vec<Free>) -> Start {
    let least = runs
        .iter()
        .min_by(|one, other| one.load().total_cmp(&other.load()));
    let unloaded = least.map_or(1e6, |run| run.mean_nanos);
    let own = model
        .actions
        .iter()
        .map(|action| path_demand(model, action).unloaded_response * 1e9)
        .fold(0.0, f64::max);
    let scale = match own > 0.0 {
        true => SERVICES * unloaded / own,
        false => 1.0,
    };
    let answered = |run: &Recording| run.offered_rps * (1.0 - run.failed);
    let most = runs.iter().map(answered).fold(0.0, f64::max);
    // Without the times of the spec: what it carries changes as these do.
    let capacity = constraints(model)
        .binding()
        .map_or(f64::INFINITY, |binding| binding.capacity() / scale);
    let short = (ABOVE * most / capacity).max(1.0);
    let mut point: Vec<f64> = structure
        .network
        .then_some(NETWORK * unloaded)
        .into_iter()
        .collect();
    for service in &mut structure.services {
        let of_spec = model.services.iter().find(|one| one.name == service.name);
        let (mean, cv) = of_spec.map_or((unloaded, VARIATION), |one| {
            (one.time.mean() * scale, variation(one))
        });
        let mut faster = short;
        if let Some(workers) = &mut service.workers {
            let more = (f64::from(*workers) * short).ceil();
            // A float-to-integer cast saturates.
            *workers = (more as u32).clamp(1, MOST_WORKERS.max(*workers));
            faster = 1.0;
        }
        if let Some(family) = service.family {
            point.push((mean / faster).max(1e3));
            point.extend(has_variation(family).then_some(cv));
        }
    }
    Start {
        structure,
        point,
        free,
    }
}

/// The coefficient of variation of a service's times in the spec, where a fit may start from it.
fn variation(service: &Service) -> f64 {
    let variation = service.time.scv().sqrt();
    match variation.is_finite() && variation >= 0.05 {
        true => variation.min(5.0),
        false => VARIATION,
    }
}
