//! The warnings of `blis check` about load above the capacity of services.

use blis_sim::analysis::{Binds, Constraint, Constraints, constraints};
use blis_sim::dist::Family;
use blis_sim::model::{Arrival, Model, OnTimeout, Service, ServiceId, Source};

use super::number::{count, millis, percent, significant};

/// From here on a load does not fit, rounding aside.
const FULL: f64 = 1.0 + 1e-9;
/// From here on it barely fits, rounding aside.
const BARELY: f64 = 1.0 - 1e-9;
/// The most workers that a member is advised to have where each of them slows the others down.
const MOST_WORKERS: u32 = 10_000;

/// More than a service or a window can carry.
pub struct Overload {
    /// What is too much, and what would carry it.
    pub sentence: String,
    /// Whether a backlog grows as long as the load lasts, whatever is drawn: the load is the same throughout, comes from
    /// clients that wait for nobody, and nothing refuses or gives up what is too much.
    pub is_certain: bool,
    /// Whether what is too much could be refused.
    pub is_of_service: bool,
}

/// What each service and each window is offered beyond what it can carry by clients whose arrivals do not end. What was recorded or
/// comes in a burst is over at some time, and its backlog is what a run is there to show.
pub fn overloads(model: &Model) -> Vec<Overload> {
    let all = constraints(&only(model, |source| match source {
        Source::Open { arrival, .. } => arrival.has_rate(),
        Source::Closed { .. } => true,
    }));
    let relentless = only(model, |source| match source {
        Source::Open { arrival, .. } => arrival.has_rate(),
        Source::Closed { .. } => false,
    });
    let open = constraints(&relentless);
    let steady = only(model, |source| match source {
        Source::Open { arrival, shape, .. } => arrival.has_rate() && shape.is_none(),
        Source::Closed { .. } => false,
    });
    let always = constraints(&steady);
    // What an outage leaves behind is worked off after it.
    let lasts = |one: &Constraint| Constraint {
        available: 1.0,
        ..*one
    };
    let services = (0..).map(ServiceId).zip(&model.services);
    let over = services.filter_map(|(id, service)| {
        let too_much = |one: &Constraint, model: &Model| {
            let load = admitted(service, one).load();
            load > FULL || (load > BARELY && is_by_chance(model, service))
        };
        let open = workers(&open, id).filter(|open| too_much(open, &relentless));
        let all = workers(&all, id);
        let all = all.filter(|all| open.is_some() || admitted(service, all).load() > FULL)?;
        let always = workers(&always, id).map(lasts);
        Some(Overload {
            sentence: overload(model, service, all, open),
            is_certain: always.is_some_and(|always| too_much(&always, &steady))
                && is_unbounded(&steady, service),
            is_of_service: true,
        })
    });
    let narrow = open.all.iter().filter(|one| one.load() > FULL);
    let narrow = narrow.filter_map(|one| {
        let own = always.all.iter().find(|always| always.binds == one.binds);
        let grows = matches!(one.binds, Binds::AckPending(_));
        Some(Overload {
            sentence: narrow_window(&relentless, one)?,
            is_certain: grows && own.map(lasts).is_some_and(|own| own.load() > FULL),
            is_of_service: false,
        })
    });
    over.chain(narrow).collect()
}

/// Whether nothing takes from a line of a service but its workers.
fn is_unbounded(model: &Model, service: &Service) -> bool {
    let waits_for_ever = model.clients.iter().any(|client| client.timeout.is_none());
    let is_dropped = model.max_in_flight.is_some_and(|limit| !limit.delays());
    service.queue_limit.is_none()
        && service.admission.in_flight.is_none()
        && !is_dropped
        && (service.on_timeout == OnTimeout::Stay || waits_for_ever)
}

/// Whether it takes chance for requests to come as they are served, so that a line grows also where there is no room to
/// catch up.
fn is_by_chance(model: &Model, service: &Service) -> bool {
    let constant = |source: &Source| {
        let arrival = match source {
            Source::Open { arrival, .. } => Some(arrival),
            Source::Closed { .. } => None,
        };
        matches!(arrival, Some(Arrival::Constant { .. }))
    };
    service.time.scv() > 0.0 || !model.clients.iter().all(|client| constant(&client.source))
}

/// The load of a service's workers, with what its tokens let in.
fn admitted(service: &Service, load: &Constraint) -> Constraint {
    let tokens = service.admission.tokens;
    let most = tokens.map_or(f64::INFINITY, |bucket| 1.0 / bucket.period.as_secs_f64());
    Constraint {
        offered_per_second: load.offered_per_second.min(most),
        ..*load
    }
}

/// The workers of a service, where anything visits it.
fn workers(limits: &Constraints, service: ServiceId) -> Option<&Constraint> {
    let own = |one: &&Constraint| one.binds == Binds::Workers(service);
    limits.all.iter().find(own)
}

/// The model with those of its clients only.
fn only(model: &Model, which: impl Fn(&Source) -> bool) -> Model {
    let mut some = model.clone();
    some.clients.retain(|client| which(&client.source));
    some
}

fn overload(
    model: &Model,
    service: &Service,
    all: &Constraint,
    open: Option<&Constraint>,
) -> String {
    let is_dropped = model.max_in_flight.is_some_and(|limit| !limit.delays());
    let impatient = model.clients.iter().any(|client| client.timeout.is_some());
    // What an outage leaves behind is worked off after it.
    let for_a_time = all.available < 1.0 && all.load() * all.available <= FULL;
    let consequence = match (open.is_some(), service.queue_limit) {
        (true, _) if service.admission.in_flight.is_some() => "`admission` refuses the rest",
        (true, Some(_)) if for_a_time => "its queue fills during them and refuses the rest",
        (true, None) if for_a_time && !impatient => "its queue grows during them",
        (true, Some(_)) => "its queue fills and refuses what does not fit",
        (true, None) if is_dropped => "`max_in_flight` drops the rest",
        _ if impatient => "its queue grows until requests time out",
        (false, _) => "closed-loop users wait in its queue and offer no more than its capacity",
        (true, None) if model.limits.requests.is_some() => {
            "its queue grows until the request budget is used"
        }
        (true, None) => "its queue grows without bound",
    };
    if all.available <= 0.0 {
        return format!(
            "service {} is down during the whole window: {consequence}",
            service.name
        );
    }
    let left = match all.available < 1.0 {
        true => format!(
            " in the {} that outages and slow-downs leave",
            percent(all.available)
        ),
        false => String::new(),
    };
    let offered = significant(all.offered_per_second);
    let carries = significant(all.per_second());
    let whose = match all.usable < 1.0 - 1e-9 {
        true => "its capacity, which the slowest of its randomly drawn members sets",
        false => "the capacity of its workers",
    };
    let remedy = open.map_or(String::new(), |open| remedy(service, open));
    format!(
        "service {} is offered {offered} visits/s, {} of {whose}{left}: {consequence}; its capacity is {carries} visits/s{remedy}",
        service.name,
        percent(all.load()),
    )
}

/// What would carry the load, and why the service may be slower than was thought.
fn remedy(service: &Service, open: &Constraint) -> String {
    let each = match service.members.count() {
        1 => "",
        _ => " for each member",
    };
    let slower = slower_by(service, service.members.most_workers().get()) * service.slowness();
    let mean = 1e3 * open.seconds / slower;
    let enough =
        1e3 * open.places * open.available * open.usable / (open.offered_per_second * slower);
    let median = service.time.quantile(0.5) / 1e6;
    // What is given by its median is easily taken for its mean.
    let own = (service.time.mean() / 1e6 - mean).abs() < 1e-9 * mean;
    let by_median = own && service.time.family() == Family::Lognormal && median < 0.9 * mean;
    let skewed = match by_median {
        true => format!(", median {}", millis(median)),
        false => String::new(),
    };
    let more = enough_workers(service, open).map_or(String::new(), |workers| {
        format!("{} workers{each}, or ", count(workers))
    });
    format!(
        "; give it {more}a mean service time below {} (now {}{skewed})",
        millis(enough),
        millis(mean)
    )
}

/// How many workers each member needs, if any number is enough.
fn enough_workers(service: &Service, open: &Constraint) -> Option<u64> {
    if !service.members.are_plain() {
        return None;
    }
    let members = f64::from(service.members.count());
    let workers = service.members.most_workers();
    let one = open.seconds / slower_by(service, workers.get());
    let erlangs = open.offered_per_second * one / (open.available * members);
    if service.load.is_none() {
        return Some((erlangs.floor() as u64).saturating_add(1));
    }
    let carry = |each: &u32| f64::from(*each) / slower_by(service, *each) > erlangs;
    let more = workers.get().saturating_add(1)..=MOST_WORKERS;
    more.into_iter().find(carry).map(u64::from)
}

/// How many times as long a visit takes when all workers are busy, were they this many for each member.
fn slower_by(service: &Service, workers: u32) -> f64 {
    let busy = workers.saturating_mul(service.members.count() / service.lines());
    service
        .load
        .as_ref()
        .map_or(1.0, |curve| curve.factor(busy))
}

/// A sentence on a window that the offered load of open clients does not fit through.
fn narrow_window(model: &Model, one: &Constraint) -> Option<String> {
    let (what, of, unit, consequence) = match one.binds {
        Binds::Workers(_) | Binds::Asked(_) => return None,
        Binds::AckPending(id) => (
            "max_ack_pending",
            format!("consumer {}", model.consumer_name(id)),
            "messages",
            "its backlog grows without bound",
        ),
        Binds::Admitted(id) => (
            "admission.in_flight",
            format!("service {}", model.services[id.index()].name),
            "visits",
            "the rest is rejected",
        ),
        Binds::Tokens(id) => (
            "admission.rate",
            format!("service {}", model.services[id.index()].name),
            "visits",
            "the rest is rejected",
        ),
        Binds::InFlight(client) => (
            "max_in_flight",
            client.map_or("the run".to_owned(), |id| {
                format!("client {}", model.clients[id.index()].name)
            }),
            "requests",
            "the rest is dropped or sent late",
        ),
    };
    let next = match one.binds {
        Binds::Tokens(_) => format!("raise it above {}/s", significant(one.offered_per_second)),
        _ => {
            // One more than fits exactly, rounding aside.
            let needed = (one.places * one.load() * (1.0 + 1e-9)).floor() + 1.0;
            format!("raise it to {} or more", count(needed as u64))
        }
    };
    Some(format!(
        "{of} is offered {} of the capacity of {what}: {consequence}; {what} lets {} {unit}/s through; {next}",
        percent(one.load()),
        significant(one.per_second())
    ))
}
