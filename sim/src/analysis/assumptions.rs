//! The assumptions of the closed forms about a model, one line each.

use crate::analysis::route::steps_of;
use crate::analysis::traffic::{Traffic, has_one_line, is_exponential, is_poisson};
use crate::model::{
    Action, Admission, Client, Dispatch, MaxInFlight, OnTimeout, Order, Source, Step,
};

/// Which forms need an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every form, and bounds and approximations too.
    Any,
    /// Forms of lines in the order of arrival, and bounds and approximations too.
    Lines,
    /// Forms of networks, in which requests visit several services or come again.
    Network,
}

/// How an assumption fails for a model, to follow "no closed form applies: ", or `None` where it holds.
type Fails = fn(&Traffic<'_>) -> Option<String>;

/// All assumptions, in the order in which they are looked at. A feature of the model that a form does not know belongs
/// here as a line, and nowhere else.
const ASSUMPTIONS: &[(Scope, Fails)] = &[
    (Scope::Any, paths_do_more_than_visit),
    (Scope::Lines, visits_have_times_of_their_own),
    (Scope::Lines, order_is_not_by_arrival),
    (Scope::Any, service_times_vary),
    (Scope::Any, service_times_depend_on_sizes),
    (Scope::Any, some_are_not_admitted),
    (Scope::Any, requests_in_flight_are_limited),
    (Scope::Any, deliveries_are_awaited),
    (Scope::Any, rates_change),
    (Scope::Any, nothing_is_visited),
    (Scope::Any, nothing_succeeds),
    (Scope::Any, clients_are_mixed),
    (Scope::Any, failures_are_retried),
    (Scope::Any, work_leaves),
    (Scope::Any, users_are_lost),
    (Scope::Any, sessions_are_cut),
    (Scope::Network, members_differ),
    (Scope::Network, arrivals_are_not_poisson),
    (Scope::Network, least_loaded_is_preferred),
    (Scope::Network, service_is_not_exponential),
    (Scope::Network, lines_are_limited),
    (Scope::Network, work_goes_on_after_the_reply),
];

/// How the first assumption that does not hold within `scope` fails.
pub fn broken(traffic: &Traffic<'_>, scope: Scope) -> Option<String> {
    let needed = ASSUMPTIONS.iter().filter(|(of, _)| *of == scope);
    needed.into_iter().find_map(|(_, fails)| fails(traffic))
}

/// The steps that clients' requests can take.
fn steps<'a>(traffic: &Traffic<'a>) -> impl Iterator<Item = (&'a Action, &'a Step)> {
    let model = traffic.model;
    let clients = model.clients.iter().flat_map(|client| &client.mix.shares);
    clients.flat_map(move |(action, _)| {
        let action = &model.actions[action.index()];
        steps_of(model, action).map(move |step| (action, step))
    })
}

fn deliveries_are_awaited(traffic: &Traffic<'_>) -> Option<String> {
    let model = traffic.model;
    let clients = model.clients.iter().flat_map(|client| &client.mix.shares);
    let mut actions = clients.map(|(action, _)| &model.actions[action.index()]);
    let waits = actions.find(|action| action.awaited.is_some())?;
    Some(format!("requests of {} wait for deliveries", waits.name))
}

/// A limit that the closed users alone cannot reach changes nothing.
fn requests_in_flight_are_limited(traffic: &Traffic<'_>) -> Option<String> {
    let model = traffic.model;
    let clients = || model.clients.iter();
    let users = |client: &Client| match client.source {
        Source::Closed { .. } => client.closed_users(),
        Source::Open { .. } => u64::MAX,
    };
    let is_reached = |limit: Option<MaxInFlight>, users: u64| {
        limit.is_some_and(|limit| u64::from(limit.limit.get()) < users)
    };
    let all = clients().map(users).fold(0, u64::saturating_add);
    let own = clients().find(|client| is_reached(client.max_in_flight, users(client)));
    match own {
        Some(client) => Some(format!(
            "client {} has a limit of requests in flight",
            client.name
        )),
        None if is_reached(model.max_in_flight, all) => {
            Some("requests in flight are limited".to_owned())
        }
        None => None,
    }
}

fn paths_do_more_than_visit(traffic: &Traffic<'_>) -> Option<String> {
    let (action, step) = steps(traffic).find(|(action, step)| {
        let holds = matches!(step, Step::Visit(visit) if visit.holds);
        let more = matches!(
            step,
            Step::Publish { .. } | Step::Emit(_) | Step::Fork { .. }
        );
        holds || more || action.path.fire_and_forget
    })?;
    let what = match step {
        Step::Visit(visit) if visit.holds => "holds a worker during other steps",
        Step::Publish { .. } => "publishes to a stream",
        Step::Emit(_) => "emits to a fan-out",
        Step::Fork { .. } => "has parallel steps",
        _ => "sends no reply",
    };
    Some(format!("the path of action {} {what}", action.name))
}

/// Whether a visit takes another time than its service says.
pub fn visits_have_times_of_their_own(traffic: &Traffic<'_>) -> Option<String> {
    let own = |step: &Step| matches!(step, Step::Visit(visit) if visit.time.is_some());
    let (action, _) = steps(traffic).find(|(_, step)| own(step))?;
    Some(format!(
        "a visit of action {} has its own service time",
        action.name
    ))
}

fn order_is_not_by_arrival(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| service.order != Order::Fifo)?;
    Some(format!(
        "service {} does not serve first come, first served",
        service.name
    ))
}

fn service_times_vary(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| {
        service.load.is_some()
            || service.cold_start.is_some()
            || !service.slow_downs.is_empty()
            || !service.error_bursts.is_empty()
            || !service.outages.is_empty()
    })?;
    Some(format!("service {} changes over time", service.name))
}

fn service_times_depend_on_sizes(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| service.per_byte.is_some())?;
    Some(format!(
        "the service time of {} depends on the size of a request",
        service.name
    ))
}

fn some_are_not_admitted(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| service.admission != Admission::default())?;
    Some(format!("service {} has admission control", service.name))
}

fn rates_change(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.model.clients.iter();
    let client = clients.find(|client| match &client.source {
        Source::Open { arrival, shape, .. } => shape.is_some() || !arrival.has_rate(),
        Source::Closed { .. } => false,
    })?;
    Some(format!("the rate of client {} changes", client.name))
}

fn nothing_is_visited(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    visited
        .next()
        .is_none()
        .then(|| "no service is visited".to_owned())
}

fn nothing_succeeds(traffic: &Traffic<'_>) -> Option<String> {
    let mut routes = traffic.routes.iter();
    routes
        .all(|route| route.ok == 0.0)
        .then(|| "no request ends as ok".to_owned())
}

fn clients_are_mixed(traffic: &Traffic<'_>) -> Option<String> {
    let open = traffic.is_open();
    (!open && traffic.closed().is_none())
        .then(|| "closed clients share the services with others".to_owned())
}

fn failures_are_retried(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.model.clients.iter();
    clients
        .any(|client| client.on_failure.retries > 0)
        .then(|| "failed requests are retried".to_owned())
}

fn work_leaves(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.model.clients.iter();
    if clients.all(|client| client.timeout.is_none()) {
        return None;
    }
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| service.on_timeout != OnTimeout::Stay)?;
    Some(format!(
        "work leaves service {} when its client gives up, after a constant time that is not exponential",
        service.name
    ))
}

/// Whether requests of this route can fail, by an error, on purpose or at a full line.
fn can_fail(traffic: &Traffic<'_>, ok: f64) -> bool {
    let mut visited = traffic.visited();
    ok < 1.0 - 1e-12 || visited.any(|(_, service)| traffic.can_refuse(service))
}

fn users_are_lost(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.clients();
    let (client, _) = clients.find(|(client, route)| {
        let closed = matches!(client.source, Source::Closed { .. });
        closed && !client.on_failure.respawn && can_fail(traffic, route.ok)
    })?;
    Some(format!(
        "users of client {} do not return after a failure",
        client.name
    ))
}

fn sessions_are_cut(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.clients();
    let (client, _) = clients.find(|(client, route)| {
        let sessions = matches!(
            &client.source,
            Source::Open {
                session: Some(_),
                ..
            }
        );
        sessions && can_fail(traffic, route.ok)
    })?;
    Some(format!(
        "a failure ends a session of client {}",
        client.name
    ))
}

fn arrivals_are_not_poisson(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.model.clients.iter();
    let client = clients.find(|client| match &client.source {
        Source::Open { arrival, .. } => !is_poisson(arrival),
        Source::Closed { .. } => false,
    })?;
    Some(format!(
        "client {} does not arrive as a Poisson process",
        client.name
    ))
}

/// Whether members have speeds, or not as many workers as each other in lines of their own.
pub fn members_differ(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| !service.is_even())?;
    let what = match service.members.kinds() {
        [_] => "have another speed than 1",
        _ => "differ",
    };
    Some(format!("the members of service {} {what}", service.name))
}

fn least_loaded_is_preferred(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| {
        service.dispatch == Dispatch::LeastLoaded
            && !has_one_line(service)
            && !traffic.never_waits(service)
    })?;
    Some(format!(
        "service {} prefers its least loaded member",
        service.name
    ))
}

fn service_is_not_exponential(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) =
        visited.find(|(_, service)| !is_exponential(service) && !traffic.never_waits(service))?;
    Some(format!("service {} is not exponential", service.name))
}

fn lines_are_limited(traffic: &Traffic<'_>) -> Option<String> {
    let mut visited = traffic.visited();
    let (_, service) = visited.find(|(_, service)| traffic.can_refuse(service))?;
    Some(format!("the queue of service {} is limited", service.name))
}

/// A user who goes on while work is left behind makes two requests of one.
fn work_goes_on_after_the_reply(traffic: &Traffic<'_>) -> Option<String> {
    let mut clients = traffic.clients();
    clients.find_map(|(client, route)| {
        let single = matches!(&client.source, Source::Open { session: None, .. });
        let left = (0..route.visits.len())
            .find(|&at| route.visits[at] > route.before_reply[at] * (1.0 + 1e-12));
        let service = &traffic.model.services[left.filter(|_| !single)?];
        Some(format!(
            "work at service {} continues after the reply",
            service.name
        ))
    })
}
