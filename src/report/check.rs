//! The report of `blis check`.

use std::fmt::Write as _;

use blis_sim::analysis::{exact, offered};
use blis_sim::model::{Model, Source};

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
    let load = offered(model);
    let closed = model
        .clients
        .iter()
        .any(|client| matches!(client.source, Source::Closed { .. }));
    let over = model
        .services
        .iter()
        .zip(&load.services)
        .filter(|(_, offered)| offered.utilisation() > 1.0);
    let warning = |(service, offered): (
        &blis_sim::model::Service,
        &blis_sim::analysis::ServiceLoad,
    )| {
        let consequence = if closed {
            "closed users will wait in its line until they offer no more than it can carry"
        } else {
            "its line grows without end"
        };
        format!(
            "service {} is offered {} of what its workers can do: {consequence}; it carries {} visits/s",
            service.name,
            percent(offered.utilisation()),
            significant(offered.servers as f64 / offered.service_time)
        )
    };
    over.map(warning).collect()
}
