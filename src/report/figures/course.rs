//! A run over time.

use blis_sim::result::{GeneratorInterval, Interval, RequestCounts, Run, ServiceInterval};

use crate::report::plot::{Axis, Plot, Quantity, Scale, Series, readable};

/// Most services or consumers with a line of their own.
const LINES: usize = 6;

/// What was offered and answered.
pub fn rates(run: &Run) -> Plot {
    let rate = |of: fn(&RequestCounts) -> u64| {
        let rows = run.series.iter();
        rows.map(move |row| (middle(row), per_second(of(&row.requests), row)))
    };
    let failed = |counts: &RequestCounts| {
        counts.app_error
            + counts.rejected
            + counts.timed_out
            + counts.transport_error
            + counts.dropped
    };
    let mut series = vec![
        Series::line("offered", 2, rate(|counts| counts.intended)),
        Series::line("answered", 1, rate(|counts| counts.ok)),
    ];
    if run.series.iter().any(|row| failed(&row.requests) > 0) {
        series.push(Series::line("failed", 4, rate(failed)));
    }
    let axes = [
        Axis::time(),
        Axis::new("requests/s", Quantity::Number(""), Scale::FromZero),
    ];
    Plot::curves(
        "Offered and answered",
        "Requests per second over time: offered by their intended instants, answered and failed by the instants of their replies.",
        axes,
        series,
    )
}

/// Response times of what ended in each interval.
pub fn responses(run: &Run) -> Plot {
    let time = |of: fn(&Interval) -> Option<f64>| {
        let rows = run.series.iter();
        rows.map(move |row| (middle(row), of(row)))
    };
    let series = [
        Series::line("p99", 2, time(|row| row.response_p99_ms)),
        Series::line("mean", 3, time(|row| row.response_mean_ms)),
        Series::line("p50", 1, time(|row| row.response_p50_ms)),
    ];
    let points = series.iter().flat_map(|one| &one.points);
    let scale = readable(points.map(|point| point.y));
    Plot::curves(
        "Response time over time",
        "Median, mean and 99th percentile of the response times of the requests that ended in each interval.",
        [
            Axis::time(),
            Axis::new("response time", Quantity::Millis, scale),
        ],
        series,
    )
}

/// Requests in flight.
pub fn in_flight(run: &Run) -> Plot {
    let rows = run.series.iter();
    let points = rows.map(|row| (row.start_s + row.width_s, Some(row.in_flight as f64)));
    Plot::curves(
        "In flight",
        "Requests that were intended and had not ended, at the end of each interval.",
        [
            Axis::time(),
            Axis::new("requests", Quantity::Number(""), Scale::FromZero),
        ],
        [Series::line("in flight", 1, points)],
    )
}

/// How busy the workers of services were.
pub fn utilisation(run: &Run) -> Plot {
    Plot::curves(
        "Utilisation",
        "Share of the time that the workers of each service were busy, in each interval.",
        [
            Axis::time(),
            Axis::new("busy", Quantity::Share, Scale::FromZero),
        ],
        by_service(run, |one| one.utilisation),
    )
}

/// How long the queues of services were.
pub fn queues(run: &Run) -> Plot {
    Plot::curves(
        "Queues",
        "Mean number of requests that waited for a worker of each service, in each interval.",
        [
            Axis::time(),
            Axis::new("waiting", Quantity::Number(""), Scale::FromZero),
        ],
        by_service(run, |one| one.mean_queue),
    )
}

/// A line for each service, of a figure of it.
fn by_service(run: &Run, of: fn(&ServiceInterval) -> f64) -> impl Iterator<Item = Series> {
    services(run).enumerate().map(move |(at, name)| {
        let rows = run.series.iter();
        let points = rows.map(|row| (middle(row), row.services.get(name).map(of)));
        Series::line(name, at + 1, points)
    })
}

/// The services with a line, the busiest first.
fn services(run: &Run) -> impl Iterator<Item = &str> {
    let mut all: Vec<(&str, f64)> = run
        .services
        .iter()
        .map(|(name, service)| (name.as_str(), service.utilisation.unwrap_or(0.0)))
        .collect();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    all.into_iter().take(LINES).map(|(name, _)| name)
}

/// Messages that consumers had before them.
pub fn backlogs(run: &Run) -> Plot {
    let last = run.series.last().into_iter().flat_map(|row| &row.streams);
    let consumers = last.flat_map(|(stream, of)| {
        let names = of.consumers.keys();
        names.map(move |name| (stream.as_str(), name.as_str()))
    });
    let mut series: Vec<Series> = consumers
        .take(LINES)
        .enumerate()
        .map(|(at, (stream, name))| {
            let rows = run.series.iter();
            let points = rows.map(|row| {
                let consumer = row.streams.get(stream);
                let consumer = consumer.and_then(|of| of.consumers.get(name));
                (
                    row.start_s + row.width_s,
                    consumer.map(|of| of.backlog as f64),
                )
            });
            Series::line(format!("{stream}/{name}"), at + 1, points)
        })
        .collect();
    if series.is_empty() {
        series = sampled_backlogs(run);
    }
    Plot::curves(
        "Backlogs",
        "Messages that each consumer had not acknowledged, pending ones included, over time.",
        [
            Axis::time(),
            Axis::new("messages", Quantity::Number(""), Scale::FromZero),
        ],
        series,
    )
}

/// The same as observers of a live run saw it.
fn sampled_backlogs(run: &Run) -> Vec<Series> {
    let live = run.live.as_ref();
    let observers = live.and_then(|live| live.observers.as_ref());
    let consumers = observers.into_iter().flat_map(|seen| &seen.consumers);
    let lines = consumers.take(LINES).enumerate().map(|(at, (name, seen))| {
        let samples = seen.samples.iter().filter(|sample| sample.at_s >= 0.0);
        let points = samples.map(|sample| {
            let backlog = sample.pending + sample.ack_pending;
            (sample.at_s, Some(backlog as f64))
        });
        Series::line(name, at + 1, points)
    });
    lines.collect()
}

/// How late the generator of a live run was.
pub fn lag(run: &Run) -> Option<Plot> {
    let generator = run.live.as_ref()?.generator.as_ref()?;
    let late = |of: fn(&GeneratorInterval) -> f64| {
        let rows = generator.series.iter();
        rows.map(move |row| (row.start_s + row.width_s / 2.0, Some(of(row))))
    };
    let series = [
        Series::line("generator", 1, late(|row| row.own_lag_max_ms)),
        Series::line("jitter", 2, late(|row| row.control_max_ms)),
        Series::line("scheduling", 3, late(|row| row.scheduling_max_ms)),
    ];
    let points = series.iter().flat_map(|one| &one.points);
    let scale = readable(points.map(|point| point.y));
    Some(Plot::curves(
        "Lag",
        "Largest lag of the generator in each interval, beside the scheduler jitter of the machine and how long the runtime took \
         to begin with something.",
        [Axis::time(), Axis::new("lag", Quantity::Millis, scale)],
        series,
    ))
}

fn middle(row: &Interval) -> f64 {
    row.start_s + row.width_s / 2.0
}

fn per_second(number: u64, row: &Interval) -> Option<f64> {
    (row.width_s > 0.0).then(|| number as f64 / row.width_s)
}
