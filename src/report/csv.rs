//! A result as comma-separated values, for a spreadsheet: the figures one below the other, or the series.
//!
//! Figures are not rounded, and their names are those of the document.

use blis_sim::result::{ActionResult, Interval, LatencyBlock, RequestCounts, Run, ServiceResult};
use blis_sim::visible;

use super::ends::ends;
use crate::cli::TimeUnit;

/// A figure with its interval.
type Known = (Option<f64>, Option<[f64; 2]>);

/// One row for each figure: what it is of, its name, its unit, its value and its interval.
///
/// # Errors
/// Where a row cannot be written.
pub fn summary(run: &Run, times: TimeUnit) -> Result<String, ::csv::Error> {
    let mut rows = Rows {
        rows: vec![
            [
                "part",
                "name",
                "figure",
                "unit",
                "value",
                "ci95_low",
                "ci95_high",
            ]
            .map(str::to_owned)
            .to_vec(),
        ],
        times,
    };
    let mut of = rows.of("run", &run.spec.name);
    of.figure("offered", "1/s", (run.offered_rps, None));
    of.figure(
        "throughput",
        "1/s",
        (run.throughput_rps, run.throughput_rps_ci95),
    );
    of.counts(&run.window.requests);
    of.latencies(&[
        ("response", &run.latency_ms.response),
        ("service", &run.latency_ms.service),
        ("lag", &run.latency_ms.lag),
    ]);
    for (name, action) in &run.actions {
        rows.of("action", name).action(action);
    }
    for (name, client) in &run.clients {
        let mut of = rows.of("client", name);
        of.figure(
            "throughput",
            "1/s",
            (client.throughput_rps, client.throughput_rps_ci95),
        );
        of.counts(&client.window_requests);
        of.latencies(&[("response", &client.latency_ms.response)]);
    }
    for (name, service) in &run.services {
        rows.of("service", name).service(service);
    }
    text(&rows.rows)
}

/// One row for each interval of the series.
///
/// # Errors
/// Where a row cannot be written.
pub fn series(run: &Run, times: TimeUnit) -> Result<String, ::csv::Error> {
    let mut rows = vec![headings(run, times)];
    rows.extend(run.series.iter().map(|one| interval(run, one, times)));
    text(&rows)
}

/// Rows of a summary.
struct Rows {
    rows: Vec<Vec<String>>,
    times: TimeUnit,
}

/// Rows of one part.
struct Of<'a> {
    rows: &'a mut Rows,
    part: &'static str,
    name: String,
}

impl Rows {
    fn of(&mut self, part: &'static str, name: &str) -> Of<'_> {
        Of {
            name: cell(name),
            part,
            rows: self,
        }
    }
}

impl Of<'_> {
    /// What was not measured has no row.
    fn figure(&mut self, figure: &str, unit: &str, (value, interval): Known) {
        let Some(value) = value else { return };
        let [low, high] = match interval {
            Some(ends) => ends.map(|end| end.to_string()),
            None => [const { String::new() }; 2],
        };
        let name = self.name.clone();
        let start = [
            self.part.to_owned(),
            name,
            figure.to_owned(),
            unit.to_owned(),
        ];
        let end = [value.to_string(), low, high];
        self.rows.rows.push(start.into_iter().chain(end).collect());
    }

    fn counts(&mut self, counts: &RequestCounts) {
        for (name, number) in of_counts(counts) {
            self.figure(name, "requests", (Some(number as f64), None));
        }
    }

    fn latencies(&mut self, blocks: &[(&str, &LatencyBlock)]) {
        let times = self.rows.times;
        for (what, block) in blocks {
            for (name, (value, interval)) in of_block(block) {
                let known = (
                    value.map(|ms| times.of_ms(ms)),
                    interval.map(|ends| ends.map(|ms| times.of_ms(ms))),
                );
                self.figure(&format!("{what} {name}"), times.name(), known);
            }
        }
    }

    fn action(&mut self, action: &ActionResult) {
        self.figure(
            "throughput",
            "1/s",
            (action.throughput_rps, action.throughput_rps_ci95),
        );
        self.counts(&action.window_requests);
        self.latencies(&[
            ("response", &action.latency_ms.response),
            ("service", &action.latency_ms.service),
        ]);
    }

    fn service(&mut self, service: &ServiceResult) {
        self.figure("workers", "", (Some(service.workers as f64), None));
        self.figure("visits", "", (Some(service.visits as f64), None));
        self.figure(
            "utilisation",
            "",
            (service.utilisation, service.utilisation_ci95),
        );
        self.figure(
            "mean queue",
            "requests",
            (service.mean_queue, service.mean_queue_ci95),
        );
        self.latencies(&[("wait", &service.wait_ms)]);
    }
}

fn of_counts(counts: &RequestCounts) -> impl Iterator<Item = (&'static str, u64)> + use<> {
    let intended = [("intended", counts.intended)];
    intended.into_iter().chain(ends(counts))
}

fn of_block(block: &LatencyBlock) -> [(&'static str, Known); 8] {
    [
        ("mean", (block.mean, block.mean_ci95)),
        ("min", (block.min, None)),
        ("p50", (block.p50, block.p50_ci95)),
        ("p90", (block.p90, block.p90_ci95)),
        ("p95", (block.p95, block.p95_ci95)),
        ("p99", (block.p99, block.p99_ci95)),
        ("p99.9", (block.p999, block.p999_ci95)),
        ("max", (block.max, None)),
    ]
}

/// The columns of the series. Services and consumers are those of the whole run.
fn headings(run: &Run, times: TimeUnit) -> Vec<String> {
    let start = ["start_s", "width_s"].into_iter();
    let counts = of_counts(&run.requests).map(|(name, _)| name);
    let mut all: Vec<String> = start
        .chain(counts)
        .chain(["in_flight"])
        .map(str::to_owned)
        .collect();
    all.extend(["mean", "p50", "p99"].map(|one| format!("response_{one}_{}", times.name())));
    for name in run.services.keys() {
        all.extend(["utilisation", "mean_queue"].map(|one| format!("{}.{one}", cell(name))));
    }
    for (stream, consumer) in consumers(run) {
        let of = format!("{}/{}", cell(stream), cell(consumer));
        all.extend(["backlog", "ack_pending", "redelivered"].map(|one| format!("{of}.{one}")));
    }
    all
}

fn interval(run: &Run, one: &Interval, times: TimeUnit) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut all = vec![one.start_s.to_string(), one.width_s.to_string()];
    all.extend(of_counts(&one.requests).map(|(_, number)| number.to_string()));
    all.push(one.in_flight.to_string());
    let responses = [
        one.response_mean_ms,
        one.response_p50_ms,
        one.response_p99_ms,
    ];
    all.extend(responses.map(|ms| shown(ms.map(|ms| times.of_ms(ms)))));
    for name in run.services.keys() {
        let service = one.services.get(name);
        all.push(shown(service.map(|service| service.utilisation)));
        all.push(shown(service.map(|service| service.mean_queue)));
    }
    for (stream, consumer) in consumers(run) {
        let consumer = one
            .streams
            .get(stream)
            .and_then(|stream| stream.consumers.get(consumer));
        let counts = consumer.map(|one| [one.backlog, one.ack_pending, one.redelivered]);
        match counts {
            Some(counts) => all.extend(counts.map(|number| number.to_string())),
            None => all.extend([const { String::new() }; 3]),
        }
    }
    all
}

fn consumers(run: &Run) -> impl Iterator<Item = (&String, &String)> {
    let streams = run.streams.iter();
    streams.flat_map(|(stream, of)| of.consumers.keys().map(move |consumer| (stream, consumer)))
}

/// A text of a stranger: what is hidden in it is made visible, and a spreadsheet takes it for no formula.
fn cell(text: &str) -> String {
    let shown = visible::line(text);
    match shown.starts_with(['=', '+', '-', '@']) {
        true => format!("'{shown}"),
        false => shown.into_owned(),
    }
}

fn text(rows: &[Vec<String>]) -> Result<String, ::csv::Error> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_formulas_and_are_quoted() {
        let rows = [vec![cell("=1+1"), cell("a, b"), cell("plain")]];
        assert_eq!(text(&rows).expect("rows"), "'=1+1,\"a, b\",plain\n");
    }
}
