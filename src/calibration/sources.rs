//! The sources of data of a fit, and whether they are used.

use blis_sim::calibration::SourceResult;
use blis_sim::model::{Model, Path};
use blis_sim::number::count;
use blis_sim::result::{LIVE, ObservedService, Run};

use super::recordings::Recording;
use crate::handler_times::Claim;
use crate::report::number::millis;

/// Whoever claims to be more instances is not believed.
const MOST_MEMBERS: u64 = 1_000;

/// What observers saw of the services of a live run.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Endpoints of services, by name.
    services: Vec<(String, OfEndpoint)>,
    /// Consumers that were looked at.
    consumers: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct OfEndpoint {
    instances: u64,
    handler_ms: Option<f64>,
    is_too_short: bool,
}

impl Said {
    /// Of a run; `None` of one that is not live.
    pub fn of(run: &Run) -> Option<Said> {
        if run.mode != LIVE {
            return None;
        }
        let observers = run.live.as_ref()?.observers.as_ref();
        let endpoint = |service: &ObservedService| {
            let claim = Claim::of(run, service);
            let way_ms = observers.and_then(|observers| observers.server_round_trip_ms);
            OfEndpoint {
                instances: service.instances,
                handler_ms: service.handler_mean_ms,
                is_too_short: claim.is_some_and(|claim| claim.is_too_short(way_ms)),
            }
        };
        let services = observers.into_iter().flat_map(|all| &all.services);
        Some(Said {
            services: services
                .map(|(name, service)| (name.clone(), endpoint(service)))
                .collect(),
            consumers: observers.map_or(0, |all| all.consumers.len()),
        })
    }
}

/// How many instances share the requests of every action that has no path, as one queue group: members of the service that nobody described.
/// `None` where they do not say so.
pub fn members(run: &Run, model: &Model<Option<Path>>) -> Option<u64> {
    let observers = run.live.as_ref()?.observers.as_ref()?;
    let unknown = model.actions.iter().filter(|action| action.path.is_none());
    let mut all = unknown.map(|action| {
        let mut services = observers.services.values();
        let service = services.find(|service| service.actions.contains(&action.name))?;
        let mut groups = service.by_instance.values().map(|one| &one.queue_group);
        let first = groups.next()?.as_ref()?;
        let is_one_group = groups.all(|group| group.as_ref() == Some(first));
        // Of very many only some are kept, and of the others nothing is known.
        let all_are_known = service.by_instance.len() as u64 == service.instances;
        (is_one_group && all_are_known && service.instances_lost == 0).then_some(service.instances)
    });
    let first = all.next()??;
    let is_known = all.all(|members| members == Some(first));
    ((2..=MOST_MEMBERS).contains(&first) && is_known).then_some(first)
}

/// What could have been learned from, whether it was, and what it says. `has_members` says that the number of members comes from
/// what instances said.
pub fn sources(runs: &[Recording], has_members: bool) -> Vec<SourceResult> {
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    let mut all = vec![SourceResult {
        name: "response times".to_owned(),
        used: true,
        says: format!(
            "{} requests of the windows, with users, arrivals and timeouts",
            count(requests)
        ),
    }];
    let lightest = runs
        .iter()
        .filter(|run| run.said.is_some())
        .min_by(|one, other| one.load().total_cmp(&other.load()));
    let Some(said) = lightest.and_then(|run| run.said.as_ref()) else {
        return all;
    };
    all.push(SourceResult {
        name: "$SRV.STATS".to_owned(),
        used: has_members,
        says: match said.services.is_empty() {
            true => "no service reports statistics".to_owned(),
            false => {
                let services = said.services.iter();
                let mut says: Vec<String> = services.map(|(name, one)| told(name, one)).collect();
                says.extend(differing(runs));
                says.join("; ")
            }
        },
    });
    all.push(SourceResult {
        name: "headers of replies".to_owned(),
        used: false,
        says: "not used".to_owned(),
    });
    if said.consumers > 0 {
        all.push(SourceResult {
            name: "consumers".to_owned(),
            used: false,
            says: format!("{} were observed, not used", said.consumers),
        });
    }
    all
}

fn told(name: &str, of: &OfEndpoint) -> String {
    let instances = match of.instances {
        1 => "one instance".to_owned(),
        several => format!("{several} instances"),
    };
    let handler = match (of.handler_ms, of.is_too_short) {
        (None, _) => String::new(),
        (Some(time), false) => {
            format!(", mean handler time {} at the smallest load", millis(time))
        }
        (Some(time), true) => format!(
            ", mean handler time {} at the smallest load, too short for the work: asynchronous handlers stop their \
             clock before it is done",
            millis(time)
        ),
    };
    format!("{name}: {instances}{handler}")
}

/// What to say where the runs had other instances.
fn differing(runs: &[Recording]) -> Option<String> {
    let instances = |run: &Recording| -> Option<Vec<(String, u64)>> {
        let said = run.said.as_ref()?;
        let services = said.services.iter();
        Some(
            services
                .map(|(name, one)| (name.clone(), one.instances))
                .collect(),
        )
    };
    let mut all = runs.iter().map(instances);
    let first = all.next()?;
    (!all.all(|one| one == first)).then(|| {
        "the runs did not all have the same instances: fit those with the same ones together"
            .to_owned()
    })
}
