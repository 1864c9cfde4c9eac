//! The report of `blis run`.

use blis_sim::result::{LatencyBlock, RequestCounts, Run, SessionCounts, Window};
use blis_sim::verdict::Status;

use super::messages;
use super::number::{count, millis, or_not_measured, percent, significant};
use super::parts::{Block, Fact, GAP, Report, Section};
use super::table::Table;
use crate::workload::Workload;

/// The report of a run.
pub fn run(workload: &Workload, run: &Run) -> Report {
    Report {
        title: run.spec.name.clone(),
        sections: vec![
            bounds(workload, run),
            header(run),
            headline(run),
            outcomes(run),
            breakdown(run),
            services(run),
            messages(run),
            limit(run),
            theory(run),
            verdict(run),
        ],
    }
}

/// What bounds the run, and how to change it.
fn bounds(workload: &Workload, run: &Run) -> Section {
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
    let line = format!("bounded by {}{whichever} ({of})", bounds.join(" and "));
    Section::of([Block::Lines(vec![line])])
}

fn header(run: &Run) -> Section {
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
    let whole = format!(
        "{}, seed {}: {} requests in {} s of simulated time, until {ended}",
        run.spec.name,
        run.seed,
        count(run.requests.intended),
        significant(run.simulated_s)
    );
    Section::of([Block::Lines(vec![whole, measured])])
}

fn headline(run: &Run) -> Section {
    let throughput = or_not_measured(run.throughput_rps, |rps| {
        format!("{} requests/s answered", significant(rps))
    });
    let response = &run.latency_ms.response;
    let mut response_time = Fact::new("response", latency(response));
    if response.censored > 0 {
        response_time.add(format!(
            "{} of these {} were not answered and count with the age they had reached",
            count(response.censored),
            count(response.count)
        ));
    }
    let facts = vec![Fact::new("throughput", throughput), response_time];
    Section::of([Block::Facts(facts)])
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
    figures.collect::<Vec<_>>().join(GAP)
}

fn outcomes(run: &Run) -> Section {
    let outcomes = Fact::new("outcomes", request_counts(&run.window.requests));
    let mut sessions = Fact::new("sessions", sessions(&run.sessions));
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
        sessions.add(also.join("; "));
    }
    Section::of([Block::Facts(vec![outcomes, sessions])])
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
fn breakdown(run: &Run) -> Section {
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
        Section::empty()
    } else {
        Section::of([Block::Table(table)])
    }
}

fn services(run: &Run) -> Section {
    if run.services.is_empty() {
        return Section::empty();
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
    let mut notes = Vec::new();
    for (name, service) in &run.services {
        let counts = [
            ("rejected by a full line", service.rejected),
            ("ended in an injected error", service.errors),
            ("left the line after a timeout", service.left),
            ("stopped after a timeout", service.abandoned),
        ];
        if counts.iter().any(|(_, number)| *number > 0) {
            notes.push(format!("{name}: {}", nonzero(&counts)));
        }
    }
    Section::of([Block::Table(table), Block::Notes(notes)])
}

/// Streams and fan-outs.
fn messages(run: &Run) -> Section {
    let messages = messages::messages(run);
    let tables = messages.tables.into_iter().map(Block::Table);
    Section::of(tables.chain([Block::Notes(messages.remarks)]))
}

fn limit(run: &Run) -> Section {
    let Some(bottleneck) = &run.bottleneck else {
        return Section::fact(Fact::new("limit", "no service takes any time"));
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
    let mut limit = Fact::new(
        "limit",
        format!(
            "{} limits the system: its workers {carry}{busy}",
            bottleneck.service
        ),
    );
    if !bottleneck.tied_with.is_empty() {
        limit.add(format!(
            "of the same capacity: {}",
            bottleneck.tied_with.join(", ")
        ));
    }
    if let Some(users) = bottleneck.saturation_users {
        limit.add(format!(
            "with more than {} users, some must always wait (N*)",
            count(users.floor() as u64)
        ));
    }
    Section::fact(limit)
}

fn theory(run: &Run) -> Section {
    let Some(exact) = &run.theory.exact else {
        let why = run.theory.not_applicable.as_deref().unwrap_or("unknown");
        let mut fact = Fact::new("theory", format!("no closed form applies: {why}"));
        fact.lines.extend(inexact(run));
        return Section::fact(fact);
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
        Section::of([Block::Table(table)])
    } else {
        Section::empty()
    }
}

/// Bounds and approximations, named as such, where there is no exact figure.
fn inexact(run: &Run) -> Vec<String> {
    let bounds = run.theory.bounds.as_ref().map(|bounds| {
        let response = bounds.response_at_least_ms.map_or(String::new(), |least| {
            format!(", mean response at least {}", millis(least))
        });
        format!(
            "bounds (asymptotic): at most {} requests/s{response}",
            significant(bounds.throughput_at_most_rps)
        )
    });
    let approximation = run.theory.approximation.as_ref().map(|near| {
        let most = near.response_at_most_ms.map_or(String::new(), |most| {
            format!(", at most {} (Kingman)", millis(most))
        });
        format!(
            "approximation ({}): mean response {}{most}",
            near.form,
            millis(near.response_ms)
        )
    });
    bounds.into_iter().chain(approximation).collect()
}

fn verdict(run: &Run) -> Section {
    let Some(verdict) = &run.verdict else {
        let why = "none, because no action promises anything (`slo`)";
        return Section::fact(Fact::new("verdict", why));
    };
    let status = match verdict.status {
        Status::Pass => "PASS",
        Status::Trip => "TRIP",
        Status::Inconclusive => "INCONCLUSIVE",
    };
    let mut fact = Fact::new("verdict", status);
    for reason in &verdict.reasons {
        fact.add(reason.clone());
    }
    Section::fact(fact)
}
