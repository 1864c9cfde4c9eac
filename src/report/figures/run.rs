//! The plots of a run.

use blis_sim::result::{LatencyBlock, RequestCounts, Run};

use super::course::{backlogs, in_flight, lag, queues, rates, responses as over_time, utilisation};
use super::quantiles::{distribution, objectives, quantiles};
use crate::report::ends::ends;
use crate::report::number::{count, percent};
use crate::report::plot::{Axis, Form, Plot, PlotRow, Quantity, Scale, Series};

/// Most distributions in one plot.
const CURVES: usize = 4;

/// How response times are distributed, and what else took its time.
pub fn responses(run: &Run) -> Vec<Plot> {
    let mut plots = vec![response(run)];
    plots.extend(by_action(run));
    plots.extend(deliveries(run));
    plots.extend(ages(run));
    plots
}

fn response(run: &Run) -> Plot {
    let times = &run.latency_ms;
    let mut all = vec![distribution("response", 1, &times.response)];
    if times.lag.max.is_some_and(|lag| lag > 0.0) {
        all.push(distribution("from sending", 3, &times.service));
        all.push(distribution("lag", 5, &times.lag));
    }
    let signals = run.verdict.iter().flat_map(|verdict| &verdict.signals);
    // Where there are several actions each has objectives of its own.
    let only = run.actions.keys().next().filter(|_| run.actions.len() == 1);
    let only = only.map(|name| format!("Action {name}"));
    let own = signals.filter(|signal| only.as_ref() == Some(&signal.of));
    quantiles(
        "Response time by percentile",
        "The share of the requests that had a response time of at most this, from the median to the largest; bars are 95 % intervals.",
        "response time",
        all,
        objectives(own),
    )
}

fn by_action(run: &Run) -> Option<Plot> {
    let actions = run.actions.iter().take(CURVES).enumerate();
    let each =
        actions.map(|(at, (name, action))| distribution(name, at + 1, &action.latency_ms.response));
    (run.actions.len() > 1).then(|| {
        quantiles(
            "Response time by action",
            "Percentiles of the response times of each action.",
            "response time",
            each.collect(),
            None,
        )
    })
}

fn deliveries(run: &Run) -> Option<Plot> {
    let mut each: Vec<Series> = Vec::new();
    for (name, of) in run.deliveries.iter().take(CURVES / 2) {
        let at = each.len();
        each.push(distribution(format!("{name}: each"), at + 1, &of.each_ms));
        each.push(distribution(format!("{name}: last"), at + 2, &of.last_ms));
    }
    for (name, of) in run.fan_outs.iter().take(CURVES.saturating_sub(each.len())) {
        let at = each.len();
        each.push(distribution(format!("{name}: last"), at + 1, &of.last_ms));
    }
    (!each.is_empty()).then(|| {
        quantiles(
            "Deliveries by percentile",
            "Time from the intended instant of a request to the deliveries of its message.",
            "time",
            each,
            None,
        )
    })
}

/// How old messages were when they were acknowledged.
fn ages(run: &Run) -> Option<Plot> {
    let consumers = run.streams.iter().flat_map(|(stream, of)| {
        let all = of.consumers.iter();
        all.map(move |(name, consumer)| (format!("{stream}/{name}"), consumer))
    });
    let with_ages =
        consumers.filter_map(|(name, consumer)| Some((name, consumer.age_ms.as_ref()?)));
    let each: Vec<Series> = with_ages
        .filter(|(_, block): &(String, &LatencyBlock)| block.count > 0)
        .take(CURVES)
        .enumerate()
        .map(|(at, (name, block))| distribution(name, at + 1, block))
        .collect();
    (!each.is_empty()).then(|| {
        quantiles(
            "Message age by percentile",
            "Time from the storing of a message to its acknowledgement, by consumer.",
            "age",
            each,
            None,
        )
    })
}

/// The run over time.
pub fn course(run: &Run) -> Vec<Plot> {
    let mut plots = vec![
        rates(run),
        over_time(run),
        in_flight(run),
        utilisation(run),
        queues(run),
        backlogs(run),
    ];
    if run.replications.is_some() {
        for plot in &mut plots {
            plot.description.push_str(" Of the first replication.");
        }
    }
    plots.extend(lag(run));
    plots
}

/// How requests ended, and why those of a live run failed.
pub fn outcomes(run: &Run) -> Vec<Plot> {
    let mut plots = vec![outcome_shares(&run.window.requests)];
    let reasons = run.live.iter().flat_map(|live| &live.reasons);
    let reasons: Vec<(String, u64)> = reasons
        .map(|(reason, number)| (reason.replace('_', " "), *number))
        .collect();
    plots.push(bars(
        "Failures by reason",
        "Requests of the whole run that failed, by reason.",
        &reasons,
        run.requests.intended,
        |_| 2,
    ));
    plots
}

fn outcome_shares(requests: &RequestCounts) -> Plot {
    let some = ends(requests).into_iter().filter(|(_, number)| *number > 0);
    let some: Vec<(String, u64)> = some
        .map(|(name, number)| (name.to_owned(), number))
        .collect();
    bars(
        "Outcomes",
        "How the requests of the window ended, as shares of all of them.",
        &some,
        requests.intended,
        |name| match name {
            "ok" => 1,
            _ => 2,
        },
    )
}

fn bars(
    title: &str,
    description: &str,
    counts: &[(String, u64)],
    of: u64,
    colour: impl Fn(&str) -> usize,
) -> Plot {
    let rows = counts.iter().map(|(name, number)| {
        let share = *number as f64 / of.max(1) as f64;
        PlotRow {
            name: name.clone(),
            shown: format!("{} ({})", count(*number), percent(share)),
            colour: colour(name),
            form: Form::Bar([0.0, share]),
        }
    });
    let axis = Axis::new("of all requests", Quantity::Share, Scale::FromZero);
    Plot::rows(title, description, axis, rows.collect())
}
