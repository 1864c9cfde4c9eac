//! Queueing theory beside the figures of a run.

use blis_sim::result::Run;

use super::check::{balanced_jobs, by_class};
use super::number::{millis, millis_within, percent_within, significant, significant_within};
use super::parts::{Block, Fact, Section};
use super::table::Table;

/// The closed form beside what was simulated, or what is known instead.
pub fn theory(run: &Run) -> Section {
    if run.live.is_some() {
        return Section::empty();
    }
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
    row("  utilisation", exact.utilisation, busy, percent_within);
    let queue = service.map_or((None, None), |s| (s.mean_queue, s.mean_queue_ci95));
    row("  mean queue", exact.mean_queue, queue, significant_within);
    for (name, figures) in &exact.services {
        let simulated = run.services.get(name);
        row(
            &format!("  {name} utilisation"),
            Some(figures.utilisation),
            simulated.map_or((None, None), |s| (s.utilisation, s.utilisation_ci95)),
            percent_within,
        );
        row(
            &format!("  {name} mean queue"),
            Some(figures.mean_queue),
            simulated.map_or((None, None), |s| (s.mean_queue, s.mean_queue_ci95)),
            significant_within,
        );
    }
    if run.throughput_rps.is_none() {
        return Section::empty();
    }
    let classes = &exact.class_response_ms;
    let classes = classes
        .iter()
        .map(|one| (one.class.as_str(), one.response_ms));
    let mut notes = Vec::new();
    if !exact.class_response_ms.is_empty() {
        notes.push(by_class(classes));
    }
    notes.extend(balanced(run));
    Section::of([Block::Table(table), Block::Notes(notes)])
}

fn balanced(run: &Run) -> Option<String> {
    let bounds = run.theory.balanced_bounds.as_ref()?;
    Some(balanced_jobs(bounds.throughput_rps, bounds.response_ms))
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
    let balanced = balanced(run);
    let all = balanced.into_iter().chain(bounds).chain(approximation);
    all.collect()
}
