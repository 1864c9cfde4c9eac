//! The report of `blis run`.

use std::fmt::Write as _;

use blis_sim::result::{LatencyBlock, RequestCounts, Run, SessionCounts, Window};
use blis_sim::verdict::Status;

use super::number::{count, millis, or_not_measured, percent, significant};
use super::table::Table;
use crate::workload::Workload;

/// The report of a run.
pub fn run(workload: &Workload, run: &Run) -> String {
    let sections = [
        bounds(workload, run),
        header(run),
        headline(run),
        outcomes(run),
        breakdown(run),
        services(run),
        limit(run),
        theory(run),
        verdict(run),
    ];
    let sections: Vec<String> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    sections.join("\n")
}

/// What bounds the run, and how to change it.
fn bounds(workload: &Workload, run: &Run) -> String {
    let value = |key: &str| {
        run.configuration
            .get(key)
            .map(|setting| setting.value.as_str())
    };
    let horizon = value("run.horizon").map(|horizon| format!("horizon {horizon}"));
    let requests = value("run.requests").map(|budget| format!("a budget of {budget} requests"));
    let bounds: Vec<String> = [horizon, requests].into_iter().flatten().collect();
    let whichever = if bounds.len() > 1 {
        ", whichever comes first"
    } else {
        ""
    };
    let of = match &workload.file {
        None => "embedded quickstart; --horizon or --num-requests changes it".to_owned(),
        Some(file) => file.clone(),
    };
    format!("bounded by {}{whichever} ({of})\n", bounds.join(" and "))
}

fn header(run: &Run) -> String {
    let ended = match run.ended_by.as_str() {
        "budget" => "the budget was used up",
        "idle" => "nobody had anything left to send",
        "interrupted" => "the run was INTERRUPTED",
        _ => "the horizon was reached",
    };
    let Window {
        warmup_s,
        measured_s,
        ..
    } = run.window;
    let measured = match measured_s {
        0.0 if warmup_s == 0.0 => {
            "measured: nothing over time, because all requests were intended at one instant"
                .to_owned()
        }
        0.0 => format!(
            "measured: nothing, because the load ended within the warm-up of {} s; --warmup shortens it",
            significant(warmup_s)
        ),
        _ => format!(
            "measured: what was intended from {} s to {} s",
            significant(warmup_s),
            significant(warmup_s + measured_s)
        ),
    };
    format!(
        "{}, seed {}: {} requests in {} s of simulated time, until {ended}\n{measured}\n",
        run.spec.name,
        run.seed,
        count(run.requests.intended),
        significant(run.simulated_s)
    )
}

fn headline(run: &Run) -> String {
    let throughput = or_not_measured(run.throughput_rps, |rps| {
        format!("{} requests/s answered", significant(rps))
    });
    let response = &run.latency_ms.response;
    let mut text = format!(
        "  throughput  {throughput}\n  response    {}\n",
        latency(response)
    );
    if response.censored > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "              {} of these {} were not answered and count with the age they had reached",
            count(response.censored),
            count(response.count)
        );
    }
    text
}

fn latency(block: &LatencyBlock) -> String {
    let figures = [
        ("mean", block.mean),
        ("p50", block.p50),
        ("p95", block.p95),
        ("p99", block.p99),
        ("p99.9", block.p999),
        ("max", block.max),
    ];
    if block.count == 0 {
        return super::number::NOT_MEASURED.to_owned();
    }
    let figures = figures
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", millis(value?))));
    figures.collect::<Vec<_>>().join("   ")
}

fn outcomes(run: &Run) -> String {
    let mut text = format!(
        "  outcomes    {}\n  sessions    {}\n",
        request_counts(&run.window.requests),
        sessions(&run.sessions)
    );
    let mut also = Vec::new();
    if run.retries > 0 {
        also.push(format!(
            "{} of all requests were retries",
            count(run.retries)
        ));
    }
    if run.late_replies > 0 {
        also.push(format!(
            "{} replies came after their clients had given up",
            count(run.late_replies)
        ));
    }
    if !also.is_empty() {
        text.push_str(&format!("              {}\n", also.join("; ")));
    }
    text
}

fn request_counts(requests: &RequestCounts) -> String {
    let ends = [
        ("ok", requests.ok),
        ("app_error", requests.app_error),
        ("rejected", requests.rejected),
        ("timed_out", requests.timed_out),
        ("transport_error", requests.transport_error),
        ("dropped", requests.dropped),
        ("unresolved", requests.unresolved),
    ];
    format!("{} intended: {}", count(requests.intended), nonzero(&ends))
}

fn sessions(sessions: &SessionCounts) -> String {
    let ends = [
        ("completed", sessions.completed),
        ("cancelled", sessions.cancelled),
        ("horizon_interrupted", sessions.horizon_interrupted),
        ("budget_exhausted", sessions.budget_exhausted),
    ];
    format!("{} started: {}", count(sessions.started), nonzero(&ends))
}

/// The counts that are not zero, or that there are none.
fn nonzero(counts: &[(&str, u64)]) -> String {
    let some = counts.iter().filter(|(_, number)| *number > 0);
    let some: Vec<String> = some
        .map(|(name, number)| format!("{} {name}", count(*number)))
        .collect();
    if some.is_empty() {
        "none ended".to_owned()
    } else {
        some.join(", ")
    }
}

/// By action and by client, where there are several.
fn breakdown(run: &Run) -> String {
    let mut table = Table::new(&[
        "",
        "intended",
        "ok",
        "requests/s",
        "mean",
        "p50",
        "p95",
        "p99",
    ]);
    let mut rows = 0;
    let mut add =
        |name: String, requests: &RequestCounts, rps: Option<f64>, block: &LatencyBlock| {
            let ms = |value| or_not_measured(value, millis);
            let rps = or_not_measured(rps, significant);
            let (intended, ok) = (count(requests.intended), count(requests.ok));
            table.row([
                name,
                intended,
                ok,
                rps,
                ms(block.mean),
                ms(block.p50),
                ms(block.p95),
                ms(block.p99),
            ]);
            rows += 1;
        };
    if run.actions.len() > 1 {
        for (name, action) in &run.actions {
            let block = &action.latency_ms.response;
            add(
                format!("action {name}"),
                &action.window_requests,
                action.throughput_rps,
                block,
            );
        }
    }
    if run.clients.len() > 1 {
        for (name, client) in &run.clients {
            let block = &client.latency_ms.response;
            add(
                format!("client {name}"),
                &client.window_requests,
                client.throughput_rps,
                block,
            );
        }
    }
    if rows == 0 {
        String::new()
    } else {
        table.render(2)
    }
}

fn services(run: &Run) -> String {
    if run.services.is_empty() {
        return String::new();
    }
    let headings = [
        "service",
        "workers",
        "utilisation",
        "mean queue",
        "max queue",
        "visits",
        "wait mean",
        "wait p99",
    ];
    let mut table = Table::new(&headings);
    for (name, service) in &run.services {
        table.row([
            name.clone(),
            count(service.workers),
            or_not_measured(service.utilisation, percent),
            or_not_measured(service.mean_queue, significant),
            service
                .max_queue
                .map_or(super::number::NOT_MEASURED.to_owned(), count),
            count(service.visits),
            or_not_measured(service.wait_ms.mean, millis),
            or_not_measured(service.wait_ms.p99, millis),
        ]);
    }
    let mut text = table.render(2);
    for (name, service) in &run.services {
        let counts = [
            ("rejected by a full line", service.rejected),
            ("ended in an injected error", service.errors),
            ("left the line after a timeout", service.left),
            ("stopped after a timeout", service.abandoned),
        ];
        if counts.iter().any(|(_, number)| *number > 0) {
            text.push_str(&format!("  {name}: {}\n", nonzero(&counts)));
        }
    }
    text
}

fn limit(run: &Run) -> String {
    let Some(bottleneck) = &run.bottleneck else {
        return "  limit       no service takes any time\n".to_owned();
    };
    let busy = bottleneck.utilisation.map_or(String::new(), |busy| {
        format!(", and were {} busy", percent(busy))
    });
    let visits = significant(bottleneck.capacity_visits_per_s);
    // Where not every request makes one visit, the two capacities differ and want explaining.
    let carry = match bottleneck.capacity_rps.map(significant) {
        Some(requests) if requests == visits => format!("carry {requests} requests/s"),
        Some(requests) => format!("serve {visits} visits/s, at this mix {requests} requests/s"),
        None => format!("serve {visits} visits/s"),
    };
    let mut text = format!(
        "  limit       {} limits the system: its workers {carry}{busy}\n",
        bottleneck.service
    );
    if !bottleneck.tied_with.is_empty() {
        text.push_str(&format!(
            "              of the same capacity: {}\n",
            bottleneck.tied_with.join(", ")
        ));
    }
    if let Some(users) = bottleneck.saturation_users {
        text.push_str(&format!(
            "              with more than {} users, some must always wait (N*)\n",
            count(users.floor() as u64)
        ));
    }
    text
}

fn theory(run: &Run) -> String {
    let Some(exact) = &run.theory.exact else {
        let why = run.theory.not_applicable.as_deref().unwrap_or("unknown");
        return format!(
            "  theory      no closed form applies: {why}\n{}",
            inexact(run)
        );
    };
    let mut table = Table::new(&[
        &format!("theory: {}", exact.form),
        "exact",
        "simulated",
        "difference",
    ]);
    let response = &run.latency_ms.response;
    let service = exact.service.as_ref();
    let service = service.and_then(|service| run.services.get(service));
    let [p50, p95, p99] = match exact.response_p50_p95_p99_ms {
        Some([p50, p95, p99]) => [Some(p50), Some(p95), Some(p99)],
        None => [None; 3],
    };
    let mut row =
        |name: &str, exact: Option<f64>, simulated: Option<f64>, write: fn(f64) -> String| {
            if let (Some(exact), Some(simulated)) = (exact, simulated) {
                let difference = match exact {
                    0.0 => "-".to_owned(),
                    _ => format!("{:+.1} %", (simulated / exact - 1.0) * 100.0),
                };
                table.row([name.to_owned(), write(exact), write(simulated), difference]);
            }
        };
    row(
        "  requests/s",
        Some(exact.throughput_rps),
        run.throughput_rps,
        significant,
    );
    row(
        "  mean response",
        Some(exact.response_ms),
        response.mean,
        millis,
    );
    row("  p50 response", p50, response.p50, millis);
    row("  p95 response", p95, response.p95, millis);
    row("  p99 response", p99, response.p99, millis);
    row(
        "  utilisation",
        exact.utilisation,
        service.and_then(|s| s.utilisation),
        percent,
    );
    row(
        "  mean queue",
        exact.mean_queue,
        service.and_then(|s| s.mean_queue),
        significant,
    );
    for (name, figures) in &exact.services {
        let simulated = run.services.get(name);
        row(
            &format!("  {name} utilisation"),
            Some(figures.utilisation),
            simulated.and_then(|s| s.utilisation),
            percent,
        );
        row(
            &format!("  {name} mean queue"),
            Some(figures.mean_queue),
            simulated.and_then(|s| s.mean_queue),
            significant,
        );
    }
    if run.throughput_rps.is_some() {
        table.render(2)
    } else {
        String::new()
    }
}

/// Bounds and approximations, named as such, where there is no exact figure.
fn inexact(run: &Run) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(bounds) = &run.theory.bounds {
        let response = bounds.response_at_least_ms.map_or(String::new(), |least| {
            format!(", mean response at least {}", millis(least))
        });
        let _ = writeln!(
            text,
            "              bounds (asymptotic): at most {} requests/s{response}",
            significant(bounds.throughput_at_most_rps)
        );
    }
    if let Some(near) = &run.theory.approximation {
        let most = near.response_at_most_ms.map_or(String::new(), |most| {
            format!(", at most {} (Kingman)", millis(most))
        });
        let _ = writeln!(
            text,
            "              approximation ({}): mean response {}{most}",
            near.form,
            millis(near.response_ms)
        );
    }
    text
}

fn verdict(run: &Run) -> String {
    let Some(verdict) = &run.verdict else {
        return "  verdict     none, because no action promises anything (`slo`)\n".to_owned();
    };
    let status = match verdict.status {
        Status::Pass => "PASS",
        Status::Trip => "TRIP",
        Status::Inconclusive => "INCONCLUSIVE",
    };
    let mut text = format!("  verdict     {status}\n");
    for reason in &verdict.reasons {
        text.push_str(&format!("              {reason}\n"));
    }
    text
}
