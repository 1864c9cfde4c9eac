//! The report of `blis run`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use blis_sim::result::{
    IntervalMethod, LatencyBlock, PrecisionResult, RequestCounts, Run, SessionCounts, Window,
};
use blis_sim::verdict::Status;

use super::number::{
    count, millis, millis_off, millis_within, or_not_measured, percent, percent_within,
    significant, significant_within,
};
use super::table::Table;
use crate::workload::Workload;

/// The report of a run.
pub fn run(workload: &Workload, run: &Run) -> String {
    let sections = [
        bounds(workload, run),
        header(run),
        headline(run),
        intervals(run),
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
        _ if run.replications.is_some() && measured_s > 0.0 => format!(
            "measured: what was intended from {} s on in each, {} s in all",
            significant(warmup_s),
            significant(measured_s)
        ),
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
    let found = match &run.window.found_by {
        None => "",
        Some(found) if found.steady_state => {
            "; the steady state begins there (MSER-5 on a pilot run)"
        }
        Some(_) => {
            "; NO STEADY STATE was found (MSER-5 on a pilot run), so half of the load is left out"
        }
    };
    let replications = match &run.replications {
        None => String::new(),
        Some(replications) => format!("{} replications, ", count(replications.count)),
    };
    format!(
        "{}, seed {}: {replications}{} requests in {} s of simulated time, until {ended}\n{measured}{found}\n",
        run.spec.name,
        run.seed,
        count(run.requests.intended),
        significant(run.simulated_s)
    )
}

/// Where the intervals come from, why response times lack one, and what came of a wanted precision.
fn intervals(run: &Run) -> String {
    let intervals = &run.intervals;
    let samples = count(intervals.samples);
    let from = match intervals.method {
        _ if intervals.samples == 0 => "none".to_owned(),
        IntervalMethod::BatchMeans => format!("95 %, from {samples} batches of the run"),
        IntervalMethod::Replications => format!("95 %, over {samples} replications"),
    };
    let mut text = format!("  intervals   {from}\n");
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (figure, why) in &intervals.absent {
        let name = match figure.strip_prefix("latency_ms.response.") {
            Some("p999") => "p99.9",
            Some("p90") | None => continue,
            Some(name) => name,
        };
        by_reason.entry(why).or_default().push(name);
    }
    for (why, names) in by_reason {
        text.push_str(&format!(
            "              none for {}: {why}\n",
            names.join(", ")
        ));
    }
    if let Some((count, precision)) = run
        .replications
        .as_ref()
        .and_then(|all| Some((all.count, all.precision.as_ref()?)))
    {
        let told = match (precision.reached, precision.achieved) {
            (true, Some(achieved)) => format!(
                "mean response and throughput are within {} of the true ones, as wanted ({})",
                percent(achieved),
                percent(precision.target)
            ),
            _ => missed_precision(count, precision),
        };
        text.push_str(&format!("              {told}\n"));
    }
    text
}

/// What to say of a precision that so many replications did not reach.
pub fn missed_precision(replications: u64, precision: &PrecisionResult) -> String {
    let reached = match precision.achieved {
        Some(achieved) => format!("they are within {}", percent(achieved)),
        None => "their precision cannot be told".to_owned(),
    };
    format!(
        "the precision of {} was NOT REACHED: after {} replications {reached}; raise --max-replications or lengthen \
         the run",
        percent(precision.target),
        count(replications)
    )
}

fn headline(run: &Run) -> String {
    let throughput = or_not_measured(run.throughput_rps, |rps| {
        let rps = significant_within(rps, run.throughput_rps_ci95);
        format!("{rps} requests/s answered")
    });
    let response = &run.latency_ms.response;
    let mut text = format!(
        "  throughput  {throughput}\n{}",
        latency("response", response)
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

/// The figures in one line, and what they may be off by in a second one, each below its figure.
fn latency(name: &str, block: &LatencyBlock) -> String {
    let figures = [
        ("mean", block.mean, block.mean_ci95),
        ("p50", block.p50, block.p50_ci95),
        ("p95", block.p95, block.p95_ci95),
        ("p99", block.p99, block.p99_ci95),
        ("p99.9", block.p999, block.p999_ci95),
    ];
    if block.count == 0 {
        return format!("  {name:<10}  {}\n", super::number::NOT_MEASURED);
    }
    let (mut line, mut below) = (format!("  {name:<10}"), format!("  {:<10}", "± 95 %"));
    let mut first = true;
    for (name, value, interval) in figures {
        let Some(value) = value else { continue };
        let gap = if std::mem::take(&mut first) {
            "  "
        } else {
            "   "
        };
        let figure = format!("{gap}{name} {}", millis(value));
        let width = figure.chars().count();
        below.push_str(&format!("{:>width$}", millis_off(value, interval)));
        line.push_str(&figure);
    }
    if let Some(max) = block.max {
        line.push_str(&format!("   max {}", millis(max)));
    }
    format!("{line}\n{below}\n")
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
    let mut add = |name: String,
                   requests: &RequestCounts,
                   rps: (Option<f64>, Option<[f64; 2]>),
                   block: &LatencyBlock| {
        let (rps, rps_interval) = rps;
        let ms = |value, interval| or_not_measured(value, |value| millis_within(value, interval));
        let rps = or_not_measured(rps, |value| significant_within(value, rps_interval));
        let (intended, ok) = (count(requests.intended), count(requests.ok));
        table.row([
            name,
            intended,
            ok,
            rps,
            ms(block.mean, block.mean_ci95),
            ms(block.p50, block.p50_ci95),
            ms(block.p95, block.p95_ci95),
            ms(block.p99, block.p99_ci95),
        ]);
        rows += 1;
    };
    if run.actions.len() > 1 {
        for (name, action) in &run.actions {
            let block = &action.latency_ms.response;
            add(
                format!("action {name}"),
                &action.window_requests,
                (action.throughput_rps, action.throughput_rps_ci95),
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
                (client.throughput_rps, client.throughput_rps_ci95),
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
            or_not_measured(service.utilisation, |share| {
                percent_within(share, service.utilisation_ci95)
            }),
            or_not_measured(service.mean_queue, |queue| {
                significant_within(queue, service.mean_queue_ci95)
            }),
            service
                .max_queue
                .map_or(super::number::NOT_MEASURED.to_owned(), count),
            count(service.visits),
            or_not_measured(service.wait_ms.mean, |wait| {
                millis_within(wait, service.wait_ms.mean_ci95)
            }),
            or_not_measured(service.wait_ms.p99, |wait| {
                millis_within(wait, service.wait_ms.p99_ci95)
            }),
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
        return format!("  theory      no closed form applies: {why}\n");
    };
    let mut table = Table::new(&[
        &format!("theory: {}", exact.form),
        "exact",
        "simulated",
        "difference",
    ]);
    let response = &run.latency_ms.response;
    let service = run.services.get(&exact.service);
    let [p50, p95, p99] = match exact.response_p50_p95_p99_ms {
        Some([p50, p95, p99]) => [Some(p50), Some(p95), Some(p99)],
        None => [None; 3],
    };
    let mut row = |name: &str,
                   exact: Option<f64>,
                   (simulated, interval): (Option<f64>, Option<[f64; 2]>),
                   write: fn(f64, Option<[f64; 2]>) -> String| {
        if let (Some(exact), Some(simulated)) = (exact, simulated) {
            let difference = match exact {
                0.0 => "-".to_owned(),
                _ => format!("{:+.1} %", (simulated / exact - 1.0) * 100.0),
            };
            let figures = [write(exact, None), write(simulated, interval), difference];
            table.row([name.to_owned()].into_iter().chain(figures));
        }
    };
    let rps = (run.throughput_rps, run.throughput_rps_ci95);
    row(
        "  requests/s",
        Some(exact.throughput_rps),
        rps,
        significant_within,
    );
    let mean = (response.mean, response.mean_ci95);
    row(
        "  mean response",
        Some(exact.response_ms),
        mean,
        millis_within,
    );
    row(
        "  p50 response",
        p50,
        (response.p50, response.p50_ci95),
        millis_within,
    );
    row(
        "  p95 response",
        p95,
        (response.p95, response.p95_ci95),
        millis_within,
    );
    row(
        "  p99 response",
        p99,
        (response.p99, response.p99_ci95),
        millis_within,
    );
    let busy = service.map_or((None, None), |s| (s.utilisation, s.utilisation_ci95));
    row(
        "  utilisation",
        Some(exact.utilisation),
        busy,
        percent_within,
    );
    let queue = service.map_or((None, None), |s| (s.mean_queue, s.mean_queue_ci95));
    row(
        "  mean queue",
        Some(exact.mean_queue),
        queue,
        significant_within,
    );
    if run.throughput_rps.is_some() {
        table.render(2)
    } else {
        String::new()
    }
}

fn verdict(run: &Run) -> String {
    let Some(verdict) = &run.verdict else {
        return "  verdict     none, because no action promises anything (`slo`)\n".to_owned();
    };
    let mut text = format!("  verdict     {}\n", status_name(verdict.status));
    for reason in &verdict.reasons {
        text.push_str(&format!("              {reason}\n"));
    }
    text
}

/// A verdict as it is written.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Trip => "TRIP",
        Status::Inconclusive => "INCONCLUSIVE",
    }
}
