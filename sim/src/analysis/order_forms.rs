//! Closed forms of a single open station that does not serve first come, first served: priorities and processor sharing.

use crate::analysis::arrivals::{Arrivals, arrivals};
use crate::analysis::assumptions::visits_have_times_of_their_own;
use crate::analysis::closed_form::{Exact, Why};
use crate::analysis::traffic::{Traffic, has_one_line, is_exponential};
use crate::model::{Action, ClassId, Client, Dispatch, Model, Order, Service, Step};
use crate::theory::{Means, Priorities, PriorityClass, ProcessorSharing};

/// What the requests without a class are called; no class can have this name.
const NO_CLASS: &str = "no class";

/// The closed form of a model with a single station of another order than that of arrival, without the network.
pub fn ordered(traffic: &Traffic<'_>, service: &Service) -> Result<Exact, Why> {
    if traffic.closed().is_some() {
        return not(
            service,
            "does not serve first come, first served in a closed model",
        );
    }
    if !matches!(arrivals(traffic)?, Arrivals::Poisson { .. }) {
        return not(
            service,
            "does not serve first come, first served, and arrivals are not Poisson",
        );
    }
    if service.queue_limit.is_some() {
        return not(
            service,
            "does not serve first come, first served, and its queue is limited",
        );
    }
    let (lines, servers) = lines(service)?;
    let share = 1.0 / f64::from(lines);
    let found = match &service.order {
        Order::Shared { limit: None } => {
            sharing(&lengths(traffic, service, share), servers, service)?
        }
        Order::Shared { limit: Some(_) } => return not(service, "is shared by a limited number"),
        Order::Priority {
            ageing: Some(_), ..
        } => return not(service, "lets requests age"),
        Order::Priority {
            ranks, preemptive, ..
        } => {
            if let Some(why) = visits_have_times_of_their_own(traffic) {
                return Err(Why::Assumption(why));
            }
            let classes = classes(traffic.model, ranks, share);
            priorities(&classes, servers, *preemptive, service)?
        }
        Order::Fifo | Order::Deadline | Order::Fair { .. } => {
            return not(service, "does not serve first come, first served");
        }
    };
    let mut found = if lines == 1 {
        found
    } else {
        times(lines, found)
    };
    if service.errors > 0.0 {
        found.throughput *= 1.0 - service.errors;
    }
    Ok(found)
}

fn not(service: &Service, what: &str) -> Result<Exact, Why> {
    Err(Why::Assumption(format!("service {} {what}", service.name)))
}

/// How many equal queues there are, and the workers of each.
fn lines(service: &Service) -> Result<(u32, u64), Why> {
    match service.dispatch {
        _ if has_one_line(service) => Ok((1, service.servers())),
        Dispatch::Random => Ok((service.lines(), service.fewest_workers_of_a_line())),
        Dispatch::Shared | Dispatch::LeastLoaded => Err(Why::Assumption(format!(
            "service {} prefers its least loaded member",
            service.name
        ))),
    }
}

/// The visits of an action that share a service.
struct Length {
    action: String,
    /// Per second, at one queue.
    rate: f64,
    /// Mean service time in seconds.
    seconds: f64,
    exponential: bool,
}

/// The visits by action, in the order of the model, of those that are asked for.
fn lengths(traffic: &Traffic<'_>, service: &Service, share: f64) -> Vec<Length> {
    let model = traffic.model;
    let mut lengths: Vec<Length> = Vec::new();
    for action in &model.actions {
        let own = match model.program.get(action.path.entry as usize) {
            Some(Step::Visit(visit)) => visit.time.as_ref(),
            _ => None,
        };
        let time = own.unwrap_or(&service.time);
        lengths.push(Length {
            action: format!("action {}", action.name),
            rate: 0.0,
            seconds: time.mean() / 1e9,
            // A mixture of exponential times of several means is none.
            exponential: own.is_none() && is_exponential(service),
        });
    }
    for client in &model.clients {
        let rate = Traffic::open_rate(client).unwrap_or(0.0) * share;
        for (action, part) in &client.mix.shares {
            lengths[action.index()].rate += rate * part;
        }
    }
    lengths.retain(|length| length.rate > 0.0);
    lengths
}

/// M/G/c with processor sharing. Nobody waits in a queue: whoever is there is served. Only the mean of all service times
/// matters, and each request takes the same multiple of its own (Kleinrock 1976, 4.4; Cohen 1979).
fn sharing(lengths: &[Length], servers: u64, service: &Service) -> Result<Exact, Why> {
    let rate: f64 = lengths.iter().map(|length| length.rate).sum();
    let work: f64 = lengths
        .iter()
        .map(|length| length.rate * length.seconds)
        .sum();
    let shared = ProcessorSharing::new(servers, rate, work / rate)?;
    let means = Means {
        queue: 0.0,
        wait: 0.0,
        ..shared.means
    };
    let exponential = lengths.iter().all(|length| length.exponential);
    let kind = if exponential { "M" } else { "G" };
    let differ = lengths
        .windows(2)
        .any(|pair| pair[0].seconds != pair[1].seconds);
    let classes = lengths.iter().filter(|_| differ);
    let classes = classes.map(|length| (length.action.clone(), length.seconds * shared.slowdown));
    Ok(Exact {
        form: format!("M/{kind}/{servers} with processor sharing"),
        services: vec![(service.name.clone(), means)],
        throughput: means.throughput,
        response: means.response,
        quantiles: None,
        classes: classes.collect(),
    })
}

/// A class of requests that arrive: its name and their rate per second at one queue.
struct Class {
    name: String,
    rate: f64,
}

/// The classes that arrive, the most urgent first; those of one rank are one.
fn classes(model: &Model, ranks: &[u16], share: f64) -> Vec<Class> {
    let last = ranks.iter().copied().max().map_or(0, |rank| rank + 1);
    let mut by_rank: Vec<Class> = Vec::new();
    by_rank.resize_with(usize::from(last) + 1, || Class {
        name: NO_CLASS.to_owned(),
        rate: 0.0,
    });
    for client in &model.clients {
        let rate = Traffic::open_rate(client).unwrap_or(0.0) * share;
        for (action, part) in &client.mix.shares {
            let class = class_of(client, &model.actions[action.index()]);
            let ranked = class.and_then(|class| Some((class, *ranks.get(class.index())?)));
            let rank = ranked.map_or(last, |(_, rank)| rank);
            let slot = &mut by_rank[usize::from(rank)];
            slot.rate += rate * part;
            if let Some((class, _)) = ranked.filter(|(_, rank)| *rank != last) {
                slot.name.clone_from(&model.classes[class.index()]);
            }
        }
    }
    by_rank.retain(|class| class.rate > 0.0);
    by_rank
}

/// The class of a request: its action's own comes first.
fn class_of(client: &Client, action: &Action) -> Option<ClassId> {
    action.class.or(client.class)
}

fn priorities(
    classes: &[Class],
    servers: u64,
    preemptive: bool,
    service: &Service,
) -> Result<Exact, Why> {
    let seconds = service.time.mean() / 1e9;
    let exponential = is_exponential(service);
    let found = match servers {
        1 => {
            let each = classes.iter().map(|class| PriorityClass {
                rate: class.rate,
                service: seconds,
                scv: service.time.scv(),
            });
            let each: Vec<PriorityClass> = each.collect();
            match preemptive {
                true => Priorities::preemptive_resume(&each)?,
                false => Priorities::non_preemptive(&each)?,
            }
        }
        _ if !exponential => {
            return not(
                service,
                "has priorities and several workers, and is not exponential",
            );
        }
        _ => {
            let rates: Vec<f64> = classes.iter().map(|class| class.rate).collect();
            match preemptive {
                true => Priorities::preemptive_resume_servers(servers, seconds, &rates)?,
                false => Priorities::non_preemptive_servers(servers, seconds, &rates)?,
            }
        }
    };
    let kind = if exponential { "M" } else { "G" };
    let how = if preemptive {
        "preemptive-resume"
    } else {
        "non-preemptive"
    };
    let means = together(&found.classes);
    let each = classes.iter().zip(&found.classes);
    Ok(Exact {
        form: format!("M/{kind}/{servers} with {how} priorities"),
        throughput: means.throughput,
        response: means.response,
        quantiles: None,
        classes: each
            .map(|(class, means)| (class.name.clone(), means.response))
            .collect(),
        services: vec![(service.name.clone(), means)],
    })
}

/// All classes as one: sums, and means over their requests.
fn together(classes: &[Means]) -> Means {
    let sum = |of: fn(&Means) -> f64| classes.iter().map(of).sum::<f64>();
    let throughput = sum(|class| class.throughput);
    let (queue, in_system) = (sum(|class| class.queue), sum(|class| class.in_system));
    Means {
        throughput,
        utilisation: sum(|class| class.utilisation),
        queue,
        in_system,
        // Little's law (Little 1961).
        wait: queue / throughput,
        response: in_system / throughput,
    }
}

/// This many equal members.
pub fn times(members: u32, mut member: Exact) -> Exact {
    member.form = format!("{members} × {}", member.form);
    member.throughput *= f64::from(members);
    for (_, means) in &mut member.services {
        means.throughput *= f64::from(members);
        means.queue *= f64::from(members);
        means.in_system *= f64::from(members);
    }
    member
}
