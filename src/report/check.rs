//! The report of `blis check`.

use std::fmt::Write as _;

use blis_sim::analysis::{ClientLoad, Offered, ServiceLoad, exact, offered};
use blis_sim::model::{Arrival, Client, Model, Service, Source};

use super::number::{millis, percent, significant};
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
    let clients = match model.clients.iter().any(rate_changes) {
        true => changing_clients(model, &load),
        false => steady_clients(model, &load),
    };
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

/// Whether the rate of a client is not the same throughout.
fn rate_changes(client: &Client) -> bool {
    match &client.source {
        Source::Open { arrival, shape, .. } => {
            shape.is_some() || matches!(arrival, Arrival::Recorded(_))
        }
        Source::Closed { .. } => false,
    }
}

fn mean_rate(offered: &ClientLoad) -> String {
    let bound = if offered.at_most { "at most " } else { "" };
    format!("{bound}{}", significant(offered.requests_per_second))
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
            peak.unwrap_or_else(|| "recorded".to_owned()),
            millis(offered.unloaded_response * 1e3),
        ]);
    }
    clients
}

fn theory(model: &Model) -> String {
    match exact(model) {
        Err(why) => format!("\nno closed form applies: {why}\n"),
        Ok(exact) => {
            let mut text = format!(
                "\n{} at service {}: {} requests/s, mean response {}, utilisation {}\n",
                exact.form,
                exact.service,
                significant(exact.means.throughput),
                millis(exact.response * 1e3),
                percent(exact.means.utilisation)
            );
            if let Some([p50, p95, p99]) = exact.quantiles.map(|all| all.map(|q| millis(q * 1e3))) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  response p50 {p50}, p95 {p95}, p99 {p99}");
            }
            text
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
