//! Lowers the features of services beyond workers and service time: order, admission, outages and varying service times.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::numbers::at_least_one;
use super::run::span;
use super::{Findings, Names, refer};
use crate::model::{
    self, Admission, ColdStart, Dispatch, Down, ErrorBurst, LoadCurve, Order, Outage, Service,
    SlowDown, TokenBucket,
};
use crate::spec::backend::{self, Fair, Priority, SlowerWhenBusy};
use crate::spec::error::shown;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};
use crate::spec::units::{Count, Duration, Number};
use crate::time::{Span, Time};

/// Most members or workers that a limit counts.
const MAX_LIMIT: u64 = u32::MAX as u64;
/// The largest factor of a service time.
const MAX_FACTOR: f64 = 1e6;

/// Fills in the conditions of a service.
pub fn lower(
    written: &syntax::Service,
    service: &mut Service,
    spec: &Spec,
    names: &Names<'_>,
    findings: &mut Findings,
) {
    service.order = order(written, service, spec, names, findings);
    service.load = written
        .slower_when_busy
        .as_ref()
        .map(|load| load_curve(load, service, findings));
    service.cold_start = written.cold_start.as_ref().map(|cold| {
        let lasts = span(cold.value.lasts.value);
        if lasts == Span::ZERO {
            let error = cold
                .value
                .lasts
                .error("a cold start of zero length has no effect");
            findings.error(error.help("give a time above 0s"));
        }
        ColdStart {
            factor: factor(&cold.value.factor, 1.0, findings),
            lasts,
        }
    });
    if let Some(admission) = &written.admission {
        service.admission = self::admission(admission, findings);
    }
    if let Some(outages) = &written.outages {
        service.outages = self::outages(outages, service, findings);
    }
    if let Some(slow_downs) = &written.slow_downs {
        service.slow_downs = self::slow_downs(slow_downs, service, findings);
    }
    if let Some(bursts) = &written.error_bursts {
        service.error_bursts = error_bursts(bursts, findings);
    }
}

fn order(
    written: &syntax::Service,
    service: &Service,
    spec: &Spec,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Order {
    let Some(queue) = &written.queue else {
        return Order::Fifo;
    };
    let Some(order) = &queue.value.order else {
        return Order::Fifo;
    };
    match &order.value {
        syntax::Order::Fifo => Order::Fifo,
        syntax::Order::Priority(priority) => self::priority(order, priority, names, findings),
        syntax::Order::Deadline => {
            let due = spec
                .clients
                .value
                .0
                .iter()
                .any(|(_, client)| client.timeout.is_some())
                || spec
                    .actions
                    .value
                    .0
                    .iter()
                    .any(|(_, action)| action.deadline.is_some());
            if !due {
                let error = order.error("no request has a deadline, so the order has no effect");
                let help = "give actions a `deadline` or clients a `timeout`";
                findings.error(error.help(help).absence());
            }
            Order::Deadline
        }
        syntax::Order::Fair(fair) => self::fair(order, fair, spec, findings),
        syntax::Order::Shared(shared) => {
            let limit = shared.limit.as_ref().map(|limit| {
                let lowered = at_least_one(limit, "request", "requests", MAX_LIMIT, findings);
                let workers = service.most_workers_of_a_line();
                if u64::from(lowered.get()) < workers {
                    let error = limit.error(format!(
                        "a limit of {lowered} requests leaves some of the {workers} workers always idle"
                    ));
                    findings.error(error.help("give a limit of at least the workers"));
                }
                lowered
            });
            if let (None, Some(queue_limit)) = (limit, &queue.value.limit) {
                let error = queue_limit
                    .error("`limit` has no effect: all requests share the workers and none waits");
                let help = "write `order: {shared: {limit: 100}}`, or remove `limit`";
                findings.error(error.help(help));
            }
            Order::Shared { limit }
        }
    }
}

fn priority(
    order: &Spanned<syntax::Order>,
    priority: &Priority,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Order {
    let none = Vec::new();
    let classes = priority
        .classes
        .as_ref()
        .map_or(&none, |classes| &classes.value);
    if classes.is_empty() {
        let error = order.error("a priority order without classes");
        let help = "write `order: {priority: {classes: [urgent, normal]}}`, and give actions or clients a `class`";
        findings.error(error.help(help).absence());
    }
    let last = u16::try_from(classes.len()).unwrap_or(u16::MAX);
    let mut ranks = vec![last; names.classes.len()];
    let mut named = BTreeSet::new();
    for (rank, class) in (0u16..).zip(classes) {
        if !named.insert(&class.value) {
            let error = class.error(format!(
                "the class `{}` is given twice",
                shown(&class.value)
            ));
            findings.error(error.help("give every class once"));
            continue;
        }
        // What is no class has no rank, and is not taken for one that has.
        let id = refer("class", class, &names.classes, findings);
        let is_class = names.classes.contains_key(class.value.as_str());
        if let Some(ranked) = ranks.get_mut(usize::from(id)).filter(|_| is_class) {
            *ranked = rank;
        }
    }
    if let Some(ageing) = &priority.ageing
        && span(ageing.value) == Span::ZERO
    {
        let error = ageing.error("an `ageing` of zero makes all classes equal");
        findings.error(error.help("give a time above 0s, or use the order `fifo`"));
    }
    Order::Priority {
        ranks,
        ageing: priority.ageing.as_ref().map(|ageing| span(ageing.value)),
        preemptive: priority
            .preempt
            .as_ref()
            .is_some_and(|preempt| preempt.value),
    }
}

fn fair(
    order: &Spanned<syntax::Order>,
    fair: &Fair,
    spec: &Spec,
    findings: &mut Findings,
) -> Order {
    let clients = &spec.clients.value;
    if clients.0.len() < 2 {
        let error = order.error("the order `fair` has no effect with one client");
        findings.error(error.help("use the order `fifo`").absence());
    }
    let mut weights = vec![1.0; clients.0.len()];
    for (name, weight) in fair.weights.iter().flat_map(|named| &named.0) {
        match (
            clients.position(&name.value),
            super::numbers::weight(weight, "a client"),
        ) {
            (Some(client), Ok(weight)) => weights[client] = weight,
            (Some(_), Err(error)) => findings.error(error),
            (None, _) => {
                let names: Vec<&str> = clients.names().collect();
                let error = name.error(format!("there is no client `{}`", name.value));
                findings.error(error.help(format!("the clients are {}", names.join(", "))));
            }
        }
    }
    Order::Fair { weights }
}

fn load_curve(
    written: &Spanned<SlowerWhenBusy>,
    service: &Service,
    findings: &mut Findings,
) -> LoadCurve {
    if matches!(service.order, Order::Shared { .. }) {
        let error = written.error("`slower_when_busy` cannot be combined with the order `shared`");
        let help = "remove it; shared workers already slow each other down";
        findings.error(error.help(help));
    }
    match &written.value {
        SlowerWhenBusy::Usl(law) => LoadCurve::Scalability {
            contention: law.contention.value.0,
            coherency: law.coherency.as_ref().map_or(0.0, |share| share.value.0),
        },
        SlowerWhenBusy::Table(table) => {
            let points = &table.value;
            let ascending = points
                .windows(2)
                .all(|pair| pair[0].busy.value.0 < pair[1].busy.value.0);
            if points.is_empty() || !ascending {
                let error = table.error("a table of factors by busy workers, which ascend");
                let help = "write `table: [{busy: 1, factor: 1}, {busy: 8, factor: 1.7}]`";
                findings.error(error.help(help).absence());
            }
            let points = points.iter().map(|point| {
                let factor = factor(&point.factor, 0.0, findings);
                (point.busy.value.0, factor)
            });
            LoadCurve::Table(points.collect())
        }
    }
}

fn factor(written: &Spanned<Number>, above: f64, findings: &mut Findings) -> f64 {
    let factor = written.value.0;
    if factor <= above || factor > MAX_FACTOR {
        let error = written.error(format!("a factor of {} is out of range", written.value));
        findings.error(error.help(format!("give a number above {above}, up to {MAX_FACTOR}")));
    }
    factor
}

fn admission(written: &Spanned<backend::Admission>, findings: &mut Findings) -> Admission {
    let backend::Admission {
        rate,
        burst,
        in_flight,
    } = &written.value;
    if rate.is_none() && in_flight.is_none() {
        let error = written.error("an `admission` without `rate` and `in_flight` has no effect");
        findings.error(error.help("give one of them, or remove it").absence());
    }
    if let (None, Some(burst)) = (rate, burst) {
        let error = burst.error("`burst` has no effect without `rate`");
        findings.error(error.help("give `rate`, or remove it"));
    }
    let tokens = rate.as_ref().map(|rate| {
        let nanos = 1e9 / rate.value.0;
        if !(1.0..=1e18).contains(&nanos) {
            let error = rate.error(format!("tokens cannot come at {}", rate.value));
            findings.error(error.help("give a rate above 0, such as `100/s`"));
        }
        TokenBucket {
            period: Span::from_nanos_f64(nanos),
            burst: burst.as_ref().map_or(NonZeroU32::MIN, |burst| {
                at_least_one(burst, "token", "tokens", MAX_LIMIT, findings)
            }),
        }
    });
    Admission {
        tokens,
        in_flight: in_flight
            .as_ref()
            .map(|in_flight| at_least_one(in_flight, "request", "requests", MAX_LIMIT, findings)),
    }
}

fn instants(
    from: &Spanned<Duration>,
    to: &Spanned<Duration>,
    findings: &mut Findings,
) -> (Time, Time) {
    let (begin, end) = (span(from.value), span(to.value));
    if end <= begin {
        let error = to.error(format!(
            "`to` ({}) is not after `from` ({})",
            to.value, from.value
        ));
        findings.error(error.help("give a `to` after `from`"));
    }
    (Time::ZERO + begin, Time::ZERO + end)
}

/// A member by its number from 1 on, as a position.
fn member(
    written: &Option<Spanned<Count>>,
    service: &Service,
    findings: &mut Findings,
) -> Option<u32> {
    let written = written.as_ref()?;
    let members = u64::from(service.members.count());
    if service.dispatch == Dispatch::Shared {
        let error = written.error("members that share one queue cannot be addressed one by one");
        findings.error(error.help("remove `member`, or give the service another `dispatch`"));
    } else if written.value.0 == 0 || written.value.0 > members {
        let error = written.error(format!("there is no member {}", written.value));
        findings.error(error.help(format!("members are numbered from 1 to {members}")));
    }
    // Out of range has been said; any position will do.
    let position = written.value.0.clamp(1, members) - 1;
    u32::try_from(position).ok()
}

/// A time that concerns a member, or all.
struct During {
    from: Time,
    to: Time,
    member: Option<u32>,
}

/// Says of the later one that it overlaps with an earlier one.
fn check_overlaps<T>(
    what: &str,
    written: &[Spanned<T>],
    times: &[During],
    findings: &mut Findings,
) {
    for (number, (this, during)) in written.iter().zip(times).enumerate() {
        let overlaps = |other: &&During| {
            let same = match (other.member, during.member) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            same && during.from < other.to && other.from < during.to
        };
        if let Some(other) = times[..number].iter().find(overlaps) {
            let error = this.error(format!(
                "{what} overlap: this one ({} to {}) with that from {} to {}",
                during.from.since(Time::ZERO),
                during.to.since(Time::ZERO),
                other.from.since(Time::ZERO),
                other.to.since(Time::ZERO)
            ));
            let help =
                "merge them, or move one: for each member, one must end before the next begins";
            findings.error(error.help(help));
        }
    }
}

fn outages(
    written: &Spanned<Vec<Spanned<backend::Outage>>>,
    service: &Service,
    findings: &mut Findings,
) -> Vec<Outage> {
    let mut outages = Vec::new();
    let mut times = Vec::new();
    for outage in &written.value {
        let backend::Outage {
            from,
            to,
            member: who,
            down,
        } = &outage.value;
        let (from, to) = instants(from, to, findings);
        let member = member(who, service, findings);
        times.push(During { from, to, member });
        outages.push(Outage {
            from,
            to,
            member,
            down: match down.as_ref().map(|down| down.value) {
                None | Some(backend::Down::Gone) => Down::Gone,
                Some(backend::Down::Hung) => Down::Hung,
            },
        });
    }
    check_empty(written, "outages", findings);
    check_overlaps("outages", &written.value, &times, findings);
    outages.sort_by_key(|outage| outage.from);
    outages
}

fn check_empty<T>(written: &Spanned<Vec<T>>, key: &str, findings: &mut Findings) {
    if written.value.is_empty() {
        let error = written.error(format!("an empty `{key}` has no effect"));
        findings.error(error.help("give it entries, or remove it").absence());
    }
}

fn slow_downs(
    written: &Spanned<Vec<Spanned<backend::SlowDown>>>,
    service: &Service,
    findings: &mut Findings,
) -> Vec<SlowDown> {
    let mut slow_downs = Vec::new();
    let mut times = Vec::new();
    for slow_down in &written.value {
        let slow = &slow_down.value;
        let (from, to) = instants(&slow.from, &slow.to, findings);
        let member = member(&slow.member, service, findings);
        times.push(During { from, to, member });
        slow_downs.push(SlowDown {
            from,
            to,
            member,
            factor: factor(&slow.factor, 0.0, findings),
        });
    }
    check_empty(written, "slow_downs", findings);
    check_overlaps("slow-downs", &written.value, &times, findings);
    slow_downs.sort_by_key(|slow| slow.from);
    slow_downs
}

fn error_bursts(
    written: &Spanned<Vec<Spanned<backend::ErrorBurst>>>,
    findings: &mut Findings,
) -> Vec<ErrorBurst> {
    let mut bursts = Vec::new();
    let mut times = Vec::new();
    for burst in &written.value {
        let (from, to) = instants(&burst.value.from, &burst.value.to, findings);
        let member = None;
        times.push(During { from, to, member });
        let share = burst.value.errors.value.0;
        bursts.push(ErrorBurst { from, to, share });
    }
    check_empty(written, "error_bursts", findings);
    check_overlaps("error bursts", &written.value, &times, findings);
    bursts.sort_by_key(|burst| burst.from);
    bursts
}

/// Classes that no service tells apart, and disturbances that no run lives to see.
pub fn warn(spec: &Spec, model: &model::LiveModel, findings: &mut Findings) {
    let ranked = model
        .services
        .iter()
        .any(|service| matches!(service.order, Order::Priority { .. }));
    let actions = spec.actions.value.0.iter().map(|(_, action)| &action.class);
    let clients = spec.clients.value.0.iter().map(|(_, client)| &client.class);
    for class in actions.chain(clients).flatten().filter(|_| !ranked) {
        let error = class.error("`class` has no effect: no service serves by priority");
        findings.error(
            error.help(
                "give a service `queue: {order: {priority: {classes: [...]}}}`, or remove it",
            ),
        );
    }
    let due = model
        .services
        .iter()
        .any(|service| service.order == Order::Deadline);
    let deadlines = spec
        .actions
        .value
        .0
        .iter()
        .map(|(_, action)| &action.deadline);
    for deadline in deadlines.flatten().filter(|_| !due) {
        let error = deadline.error("`deadline` has no effect: no service serves by deadline");
        findings.error(error.help("give a service `queue: {order: deadline}`, or remove it"));
    }
    let Some(horizon) = model.limits.horizon else {
        return;
    };
    let services = spec.services.iter().flat_map(|services| &services.value.0);
    for ((_, written), service) in services.zip(&model.services) {
        let outages = written.outages.iter().flat_map(|outages| &outages.value);
        for outage in outages {
            if Time::ZERO + span(outage.value.from.value) >= horizon {
                let message = format!("this outage of `{}` starts after the horizon", service.name);
                findings.warn(
                    outage
                        .error(message)
                        .help("only requests that are drained can meet it"),
                );
            }
        }
    }
}
