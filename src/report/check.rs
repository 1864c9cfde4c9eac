//! The report of `blis check`.

use std::fmt::Write as _;

use blis_sim::analysis::{Estimate, ServiceLoad, estimate, exact, offered};
use blis_sim::model::{Model, Service, Source};

use super::number::{count, millis, percent, significant};
use super::table::Table;
use crate::workload::Workload;

/// The resolved spec, the load it offers, and the closed form that applies.
pub fn check(workload: &Workload) -> String {
    let mut text = format!("{}\n", workload.resolved.trim_end());
    text.push_str(&offered_load(&workload.model));
    text.push_str(&theory(&workload.model));
    text
}

fn offered_load(model: &Model) -> String {
    let load = offered(model);
    let mut clients = Table::new(&["client", "requests/s", "unloaded response"]);
    for (client, offered) in model.clients.iter().zip(&load.clients) {
        let bound = if offered.at_most { "at most " } else { "" };
        let rate = format!("{bound}{}", significant(offered.requests_per_second));
        clients.row([
            client.name.clone(),
            rate,
            millis(offered.unloaded_response * 1e3),
        ]);
    }
    let mut services = Table::new(&[
        "service",
        "visits/s",
        "service time",
        "workers",
        "utilisation",
        "carries",
    ]);
    for (service, offered) in model.services.iter().zip(&load.services) {
        let carries = offered.capacity();
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
    format!(
        "\noffered load\n{}\n{}",
        clients.render(2),
        services.render(2)
    )
}

fn theory(model: &Model) -> String {
    let exact = match exact(model) {
        Err(why) => return format!("\nno closed form applies: {why}\n{}", inexact(model)),
        Ok(exact) => exact,
    };
    // Writing to a string cannot fail.
    let mut text = format!("\n{}", exact.form);
    if let [(name, means)] = exact.services.as_slice() {
        let _ = write!(
            text,
            " at service {name}: {} requests/s, mean response {}, utilisation {}",
            significant(exact.throughput),
            millis(exact.response * 1e3),
            percent(means.utilisation)
        );
    } else {
        let _ = write!(
            text,
            ": {} requests/s, mean response {}",
            significant(exact.throughput),
            millis(exact.response * 1e3)
        );
    }
    text.push('\n');
    if let Some([p50, p95, p99]) = exact.quantiles.map(|all| all.map(|q| millis(q * 1e3))) {
        let _ = writeln!(text, "  response p50 {p50}, p95 {p95}, p99 {p99}");
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
        text.push_str(&table.render(2));
    }
    text
}

/// Bounds and approximations, named as such.
fn inexact(model: &Model) -> String {
    match estimate(model) {
        None => String::new(),
        Some(Estimate::Bounds(bounds)) => {
            let response = bounds.response_at_least.map_or(String::new(), |least| {
                format!(", mean response at least {}", millis(least * 1e3))
            });
            format!(
                "  bounds (asymptotic): at most {} requests/s{response}; with more than {} users, some must always wait (N*)\n",
                significant(bounds.throughput_at_most),
                count(bounds.saturation_users.floor() as u64)
            )
        }
        Some(Estimate::Approximation(near)) => {
            let most = near.response_at_most.map_or(String::new(), |most| {
                format!(", at most {} (Kingman)", millis(most * 1e3))
            });
            format!(
                "  approximation ({}): mean response {}{most}\n",
                near.form,
                millis(near.response * 1e3)
            )
        }
    }
}

/// One sentence for each service that is offered more than it can carry.
pub fn overload_warnings(model: &Model) -> Vec<String> {
    let all = offered(model);
    let mut unrelenting = model.clone();
    unrelenting
        .clients
        .retain(|client| matches!(client.source, Source::Open { .. }));
    let open = offered(&unrelenting);
    let impatient = model.clients.iter().any(|client| client.timeout.is_some());
    let services = model.services.iter().zip(all.services).zip(open.services);
    let over = services.filter(|((_, all), _)| all.utilisation() > 1.0);
    let warning = |((service, all), open): ((&Service, ServiceLoad), ServiceLoad)| {
        let consequence = match (open.utilisation() > 1.0, service.queue_limit) {
            (true, Some(_)) => "its line stays full and refuses the rest",
            _ if impatient => "its line grows until requests time out",
            (false, _) => {
                "closed users will wait in its line until they offer no more than it can carry"
            }
            (true, None) => "its line grows without end",
        };
        format!(
            "service {} is offered {} of what its workers can do: {consequence}; it carries {} visits/s",
            service.name,
            percent(all.utilisation()),
            significant(all.capacity_visits())
        )
    };
    over.map(warning).collect()
}
