//! The report of `blis check`.

use blis_sim::analysis::{Analysis, Binds, ClientLoad, Constraint, Estimate, Offered, scheduled};
use blis_sim::model::{Arrival, Client, LiveModel, Model, ServiceId, Source};
use blis_sim::result::offered_limits;

use super::limits;
use super::number::{count, millis, percent, significant};
use super::parts::{Block, Report, Section};
use super::table::Table;
use crate::workload::LiveWorkload;

/// The resolved spec, the load it offers, and the closed form that applies, as they were found out; or what cannot be said of
/// them.
pub fn check(workload: &LiveWorkload, analysis: Option<&Analysis<'_>>) -> Report {
    let model = &workload.model;
    let said = match analysis {
        Some(analysis) => {
            let [clients, services] = offered_load(analysis);
            vec![clients, services, limit(analysis), theory(analysis)]
        }
        None => vec![scheduled_load(model), unknown(model)],
    };
    Report {
        title: model.name.clone(),
        sections: [resolved(workload)].into_iter().chain(said).collect(),
    }
}

/// What clients offer whatever the backend is.
fn scheduled_load(model: &LiveModel) -> Section {
    let mut table = Table::new(&["client", "requests/s"]);
    for client in &model.clients {
        let rate = scheduled(client, model.limits.horizon);
        let rate = rate.map_or("closed loop".to_owned(), significant);
        table.row([client.name.clone(), rate]);
    }
    Section::of([Block::Table(table)]).headed("offered load")
}

/// What cannot be said where actions have no path.
fn unknown(model: &LiveModel) -> Section {
    let names: Vec<&str> = model.without_path().collect();
    let (what, have) = match names.as_slice() {
        [_] => ("action", "has"),
        _ => ("actions", "have"),
    };
    let lines = vec![
        format!(
            "live only: {what} {} {have} no path; this spec can be observed, but not simulated",
            names.join(", ")
        ),
        "not known: load of services, bottleneck, response times and closed forms; add `path` and `services` to compute \
         them"
            .to_owned(),
    ];
    Section::of([Block::Lines(lines)])
}

fn resolved(workload: &LiveWorkload) -> Section {
    Section::of([Block::Code {
        language: "yaml",
        text: workload.resolved.clone(),
    }])
}

/// What limits the system first, and all else that limits it.
fn limit(analysis: &Analysis<'_>) -> Section {
    let (bottleneck, all) = offered_limits(analysis);
    let fact = bottleneck.map(|first| Block::Facts(vec![limits::fact(&first, limits::is_offered)]));
    let table = limits::table(&all, "offered").map(Block::Table);
    Section::of(fact.into_iter().chain(table))
}

/// The load by client and by service.
fn offered_load(analysis: &Analysis<'_>) -> [Section; 2] {
    let (model, load) = (analysis.model, analysis.offered());
    let all = &analysis.constraints;
    let clients = match model.clients.iter().any(rate_changes) {
        true => changing_clients(model, load),
        false => steady_clients(model, load),
    };
    let mut services = Table::new(&[
        "service",
        "visits/s",
        "service time",
        "workers",
        "utilisation",
        "carries",
    ]);
    for (id, (service, offered)) in (0..).zip(model.services.iter().zip(&load.services)) {
        let workers = Binds::Workers(ServiceId(id));
        let carries = all.all.iter().find(|one| one.binds == workers);
        let carries = carries.map(Constraint::capacity);
        services.row([
            service.name.clone(),
            significant(offered.visits_per_second),
            millis(offered.service_time * 1e3),
            offered.servers.to_string(),
            percent(offered.utilisation()),
            carries.map_or("-".to_owned(), |most| {
                format!("{} requests/s", significant(most))
            }),
        ]);
    }
    [
        Section::of([
            Block::Table(clients),
            Block::Notes(awaited(model).into_iter().collect()),
        ])
        .headed("offered load"),
        Section::of([Block::Table(services)]),
    ]
}

/// Whether the rate of a client is not the same throughout.
fn rate_changes(client: &Client) -> bool {
    match &client.source {
        Source::Open { arrival, shape, .. } => shape.is_some() || !arrival.has_rate(),
        Source::Closed { .. } => false,
    }
}

fn mean_rate(offered: &ClientLoad) -> String {
    let bound = if offered.at_most { "at most " } else { "" };
    format!("{bound}{}", significant(offered.requests_per_second))
}

/// That the way of deliveries is not in what is said of a request that awaits some.
fn awaited(model: &Model) -> Option<String> {
    let actions = model
        .actions
        .iter()
        .filter(|action| action.awaited.is_some());
    let names: Vec<&str> = actions.map(|action| action.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "without the deliveries that requests of {} wait for; simulate to include them",
            names.join(", ")
        )
    })
}

fn steady_clients(model: &Model, load: &Offered) -> Table {
    let mut clients = Table::new(&["client", "requests/s", "unloaded response"]);
    for (client, offered) in model.clients.iter().zip(&load.clients) {
        clients.row([
            client.name.clone(),
            mean_rate(offered),
            millis(offered.unloaded_response * 1e3),
        ]);
    }
    clients
}

/// As [`steady_clients`], with the peak of the rate beside its mean.
fn changing_clients(model: &Model, load: &Offered) -> Table {
    let heading = [
        "client",
        "mean requests/s",
        "peak requests/s",
        "unloaded response",
    ];
    let mut clients = Table::new(&heading);
    for (client, offered) in model.clients.iter().zip(&load.clients) {
        let peak = match rate_changes(client) {
            true => offered.peak_requests_per_second.map(significant),
            false => Some(mean_rate(offered)),
        };
        clients.row([
            client.name.clone(),
            mean_rate(offered),
            peak.unwrap_or_else(|| instants(client)),
            millis(offered.unloaded_response * 1e3),
        ]);
    }
    clients
}

/// What stands for the peak of a client whose arrivals have no rate.
fn instants(client: &Client) -> String {
    match &client.source {
        Source::Open {
            arrival: Arrival::Burst { count: burst, .. },
            ..
        } => format!("{} at once", count(*burst)),
        _ => "recorded".to_owned(),
    }
}

fn theory(analysis: &Analysis<'_>) -> Section {
    let balanced = analysis.balanced.map(|bounds| {
        let response = bounds.response.map(|(low, high)| [low * 1e3, high * 1e3]);
        balanced_jobs(bounds.throughput.into(), response)
    });
    let exact = match &analysis.exact {
        Err(why) => {
            let lines = Block::Lines(vec![format!("no closed form applies: {why}")]);
            let notes = balanced.into_iter().chain(inexact(analysis));
            return Section::of([lines, Block::Notes(notes.collect())]);
        }
        Ok(exact) => exact,
    };
    let rate = significant(exact.throughput);
    let response = millis(exact.response * 1e3);
    let means = match exact.services.as_slice() {
        [(name, means)] => format!(
            "{} at service {name}: {rate} requests/s, mean response {response}, utilisation {}",
            exact.form,
            percent(means.utilisation)
        ),
        _ => format!(
            "{}: {rate} requests/s, mean response {response}",
            exact.form
        ),
    };
    let mut blocks = vec![Block::Lines(vec![means])];
    if let Some([p50, p95, p99]) = exact.quantiles.map(|all| all.map(|q| millis(q * 1e3))) {
        let quantiles = format!("response p50 {p50}, p95 {p95}, p99 {p99}");
        blocks.push(Block::Notes(vec![quantiles]));
    }
    if !exact.classes.is_empty() {
        let classes = exact.classes.iter();
        let classes = classes.map(|(name, response)| (name.as_str(), response * 1e3));
        blocks.push(Block::Notes(vec![by_class(classes)]));
    }
    if exact.services.len() > 1 {
        let mut table = Table::new(&["service", "utilisation", "mean queue", "wait mean"]);
        for (name, means) in &exact.services {
            table.row([
                name.clone(),
                percent(means.utilisation),
                significant(means.queue),
                millis(means.wait * 1e3),
            ]);
        }
        blocks.push(Block::Table(table));
    }
    blocks.push(Block::Notes(balanced.into_iter().collect()));
    Section::of(blocks)
}

/// The mean response time of each class of requests, in milliseconds, the most urgent first.
pub fn by_class<'a>(classes: impl Iterator<Item = (&'a str, f64)>) -> String {
    let classes = classes.map(|(name, response)| format!("{name} {}", millis(response)));
    let classes: Vec<String> = classes.collect();
    format!("mean response by class: {}", classes.join(", "))
}

/// Balanced job bounds: the least and the most requests per second, and the mean response time in milliseconds.
pub fn balanced_jobs([least, most]: [f64; 2], response: Option<[f64; 2]>) -> String {
    let response = response.map_or(String::new(), |[low, high]| {
        format!(", mean response {} to {}", millis(low), millis(high))
    });
    format!(
        "bounds (balanced jobs): {} to {} requests/s{response}",
        significant(least),
        significant(most)
    )
}

/// Bounds and approximations, named as such.
fn inexact(analysis: &Analysis<'_>) -> Option<String> {
    Some(match analysis.estimate.as_ref()? {
        Estimate::Bounds(bounds) => {
            let response = bounds.response_at_least.map_or(String::new(), |least| {
                format!(", mean response at least {}", millis(least * 1e3))
            });
            format!(
                "bounds (asymptotic): at most {} requests/s{response}; saturation at {} users (N*)",
                significant(bounds.throughput_at_most),
                count(bounds.saturation_users.floor() as u64)
            )
        }
        Estimate::Approximation(near) => {
            let most = near.response_at_most.map_or(String::new(), |most| {
                format!(", at most {} (Kingman)", millis(most * 1e3))
            });
            format!(
                "approximation ({}): mean response {}{most}",
                near.form,
                millis(near.response * 1e3)
            )
        }
    })
}
