//! Load that services cannot carry, as `blis check` tells it.

use blis_sim::analysis::{ServiceLoad, offered};
use blis_sim::dist::Family;
use blis_sim::model::{Model, Service, Source};

use super::number::{count, millis, percent, significant};

/// One sentence for each service that is offered more than it can carry by clients whose arrivals do not end. What was
/// recorded or comes in a burst is over at some time, and its backlog is what a run is there to show.
pub fn overload_warnings(model: &Model) -> Vec<String> {
    let all = offered(&only(model, |source| match source {
        Source::Open { arrival, .. } => arrival.has_rate(),
        Source::Closed { .. } => true,
    }));
    let open = offered(&only(model, |source| match source {
        Source::Open { arrival, .. } => arrival.has_rate(),
        Source::Closed { .. } => false,
    }));
    let services = model.services.iter().zip(all.services).zip(open.services);
    let over = services.filter(|((_, all), _)| all.utilisation() > 1.0);
    over.map(|((service, all), open)| overload(model, service, &all, &open))
        .collect()
}

/// The model with those of its clients only.
fn only(model: &Model, which: impl Fn(&Source) -> bool) -> Model {
    let mut some = model.clone();
    some.clients.retain(|client| which(&client.source));
    some
}

fn overload(model: &Model, service: &Service, all: &ServiceLoad, open: &ServiceLoad) -> String {
    let impatient = model.clients.iter().any(|client| client.timeout.is_some());
    let relentless = open.utilisation() > 1.0;
    let consequence = match (relentless, service.queue_limit) {
        (true, Some(_)) => "its line stays full and refuses the rest",
        _ if impatient => "its line grows until requests time out",
        (false, _) => {
            "closed users will wait in its line until they offer no more than it can carry"
        }
        (true, None) if model.limits.requests.is_some() => {
            "its line grows until the budget is spent"
        }
        (true, None) => "its line grows without end",
    };
    let remedy = match relentless {
        true => format!("; {}", remedy(service, open)),
        false => String::new(),
    };
    format!(
        "service {} is offered {} of what its workers can do: {consequence}; it carries {} visits/s{remedy}",
        service.name,
        percent(all.utilisation()),
        significant(all.capacity_visits())
    )
}

/// What would carry the load, and why the service may be slower than was thought.
fn remedy(service: &Service, open: &ServiceLoad) -> String {
    let members = f64::from(service.members.get());
    let workers = (open.erlangs() / members).floor() + 1.0;
    let each = match service.members.get() {
        1 => "",
        _ => " for each member",
    };
    let enough = 1e3 * open.servers as f64 / open.visits_per_second;
    let mean = 1e3 * open.service_time;
    let median = service.time.quantile(0.5) / 1e6;
    // What is given by its median is easily taken for its mean.
    let own = (service.time.mean() / 1e6 - mean).abs() < 1e-9 * mean;
    let by_median = own && service.time.family() == Family::Lognormal && median < 0.9 * mean;
    let skewed = match by_median {
        true => format!(
            ", although half of the visits take at most {}",
            millis(median)
        ),
        false => String::new(),
    };
    format!(
        "give it {} workers{each}, or a mean service time below {} where it has {}{skewed}",
        count(workers as u64),
        millis(enough),
        millis(mean)
    )
}
