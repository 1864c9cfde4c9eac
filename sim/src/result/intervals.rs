//! The confidence intervals of a result document: beside the figure where there are any, and a reason where not.

use std::collections::BTreeMap;

use super::blocks::{IntervalMethod, Intervals, Latency, LatencyBlock, Run};
use super::message_intervals;
use crate::measure::{Latencies, Measure, Of, Sums, Times};
use crate::model::{ActionId, ClientId, Model};
use crate::replication::{QUANTILES, Spread, Tail};
use crate::statistics::{Interval, LEVEL, MIN_BEYOND, beyond, share_interval, student_quantile};
use crate::time::Span;

/// The names of [`QUANTILES`] in a result.
pub(super) const NAMES: [&str; 5] = ["p50", "p90", "p95", "p99", "p999"];

/// Why there is no interval of what did not happen.
const NOTHING: &str = "not measured: nothing of it happened within the window";

/// Why there is none where there are no batches.
const TOO_SHORT: &str = "too short: the measured window does not make batches";

/// What stands for the figures that are no estimates, and what they have in place of an interval.
const COUNTS: (&str, &str) = (
    "counts and largest values",
    "exact: they are what happened within the window",
);

/// What intervals are made from.
pub enum Source<'a> {
    /// The batches of a single run.
    Batches(&'a Measure),
    /// Replications: all of them together, and each.
    Replications(&'a Measure, &'a [Spread]),
}

/// An interval, or why there is none.
type Answer = Result<[f64; 2], String>;

/// The block before intervals were added.
pub fn none() -> Intervals {
    Intervals {
        level: LEVEL,
        method: IntervalMethod::BatchMeans,
        samples: 0,
        absent: BTreeMap::new(),
    }
}

/// Adds intervals to the figures of a document, in the place of those that it may have.
pub fn add(run: &mut Run, model: &Model, source: &Source<'_>) {
    let mut maker = Maker::new(source);
    let total = maker.measure.total();
    run.throughput_rps_ci95 = maker.throughput("throughput_rps", Of::Total);
    maker.latency("", Of::Total, &mut run.latency_ms, &total.window.latencies);
    for (action, id) in model.actions.iter().zip(0u16..) {
        let (of, path) = (
            Of::Action(ActionId(id)),
            format!("actions.{}.", action.name),
        );
        if let Some(result) = run.actions.get_mut(&action.name) {
            let cell = maker.measure.action(ActionId(id));
            result.throughput_rps_ci95 = maker.throughput(&format!("{path}throughput_rps"), of);
            maker.latency(&path, of, &mut result.latency_ms, &cell.window.latencies);
        }
    }
    for (client, id) in model.clients.iter().zip(0u16..) {
        let (of, path) = (
            Of::Client(ClientId(id)),
            format!("clients.{}.", client.name),
        );
        if let Some(result) = run.clients.get_mut(&client.name) {
            let cell = maker.measure.client(ClientId(id));
            result.throughput_rps_ci95 = maker.throughput(&format!("{path}throughput_rps"), of);
            maker.latency(&path, of, &mut result.latency_ms, &cell.window.latencies);
        }
    }
    for (index, service) in model.services.iter().enumerate() {
        let path = format!("services.{}.", service.name);
        if let Some(result) = run.services.get_mut(&service.name) {
            let used = |sums: &Sums| sums.utilisation(index, service.servers());
            result.utilisation_ci95 = maker
                .of_visits(&format!("{path}utilisation"), index, used)
                .map(|[low, high]| [low, high.min(1.0)]);
            result.mean_queue_ci95 = maker.of_visits(&format!("{path}mean_queue"), index, |sums| {
                sums.mean_queue(index)
            });
            maker.waits(&format!("{path}wait_ms"), index, &mut result.wait_ms);
        }
    }
    message_intervals::add(run, model, &mut maker);
    let (counts, exact) = COUNTS;
    maker
        .block
        .absent
        .insert(counts.to_owned(), exact.to_owned());
    run.intervals = maker.block;
}

/// Makes intervals and keeps the reasons of those that cannot be made.
pub(super) struct Maker<'a> {
    pub(super) measure: &'a Measure,
    pub(super) sums: Vec<Sums>,
    pub(super) each: Option<&'a [Spread]>,
    block: Intervals,
}

impl<'a> Maker<'a> {
    fn new(source: &Source<'a>) -> Maker<'a> {
        let (measure, sums, each) = match source {
            Source::Batches(measure) => (*measure, measure.batches(), None),
            Source::Replications(measure, each) => {
                let sums = each.iter().map(|one| one.sums.clone()).collect();
                (*measure, sums, Some(*each))
            }
        };
        let method = match each {
            Some(_) => IntervalMethod::Replications,
            None => IntervalMethod::BatchMeans,
        };
        Maker {
            measure,
            block: Intervals {
                method,
                samples: sums.len() as u64,
                ..none()
            },
            sums,
            each,
        }
    }

    pub(super) fn note(&mut self, figure: &str, answer: Answer) -> Option<[f64; 2]> {
        match answer {
            Ok(ends) => Some(ends.map(|end| end.max(0.0))),
            Err(why) => {
                self.block.absent.insert(figure.to_owned(), why);
                None
            }
        }
    }

    /// The interval of a ratio, resting on so many observations.
    pub(super) fn ratio(&self, observations: u64, of: impl Fn(&Sums) -> (f64, f64)) -> Answer {
        let pairs: Vec<(f64, f64)> = self.sums.iter().map(of).collect();
        if self.each.is_some() {
            let interval = Interval::of_ratio(&pairs);
            return interval
                .map(Interval::ends)
                .ok_or_else(|| match pairs.len() {
                    0 | 1 => "too few: a single replication has no spread".to_owned(),
                    _ => NOTHING.to_owned(),
                });
        }
        let needed = MIN_BEYOND * pairs.len() as u64;
        if pairs.is_empty() {
            Err(TOO_SHORT.to_owned())
        } else if observations < needed {
            let batches = pairs.len();
            Err(format!(
                "too few: {observations} observations for {batches} batches, which take {needed}"
            ))
        } else {
            let interval = Interval::of_batches(&pairs);
            interval.map(Interval::ends).ok_or_else(correlated)
        }
    }

    fn throughput(&mut self, figure: &str, of: Of) -> Option<[f64; 2]> {
        let cells = self.measure.positions(of);
        let answered = self.sums.iter().map(|sums| sums.of(&cells).completed).sum();
        let answer = self.ratio(answered, |sums| sums.throughput(&cells));
        self.note(figure, answer)
    }

    /// The interval of a figure of a service, which rests on its visits.
    fn of_visits(
        &mut self,
        figure: &str,
        service: usize,
        of: impl Fn(&Sums) -> (f64, f64),
    ) -> Option<[f64; 2]> {
        let visits = |sums: &Sums| sums.stations[service].visits;
        let answer = self.ratio(self.sums.iter().map(visits).sum(), of);
        self.note(figure, answer)
    }

    /// The intervals of the three latencies. While nothing lagged, service is response and lag is exactly 0.
    fn latency(&mut self, path: &str, of: Of, block: &mut Latency, latencies: &Latencies) {
        self.response(
            &format!("{path}latency_ms.response"),
            of,
            &mut block.response,
            latencies,
        );
        if latencies.lagged() {
            let why = "not kept: intervals are of response times alone, and some requests lagged";
            for name in ["service", "lag"] {
                let figure = format!("{path}latency_ms.{name}");
                self.block.absent.insert(figure, why.to_owned());
            }
            return;
        }
        copy(&block.response, &mut block.service);
        if block.lag.count > 0 {
            *slot(&mut block.lag, None) = Some([0.0; 2]);
            for index in 0..NAMES.len() {
                *slot(&mut block.lag, Some(index)) = Some([0.0; 2]);
            }
        }
    }

    fn response(&mut self, path: &str, of: Of, block: &mut LatencyBlock, latencies: &Latencies) {
        let cells = self.measure.positions(of);
        let held = self.sums.iter().map(|sums| sums.of(&cells).held).sum();
        let mean = self.ratio(held, |sums| sums.response(&cells));
        block.mean_ci95 = self.note(&format!("{path}.mean"), mean);
        for (index, name) in NAMES.iter().enumerate() {
            let answer = match self.each {
                Some(each) => {
                    let tails = each.iter().map(|one| one.response(of)).collect();
                    over_replications(latencies.response(), tails, index)
                }
                None => self.over_sections(latencies.response(), &cells, QUANTILES[index]),
            };
            *slot(block, Some(index)) = self.note(&format!("{path}.{name}"), answer);
        }
    }

    fn waits(&mut self, path: &str, service: usize, block: &mut LatencyBlock) {
        block.mean_ci95 =
            self.of_visits(&format!("{path}.mean"), service, |sums| sums.wait(service));
        let Some(each) = self.each else {
            self.without_quantiles(path);
            return;
        };
        let waits = self.measure.stations()[service].waits();
        for (index, name) in NAMES.iter().enumerate() {
            let tails = each.iter().map(|one| one.waits.get(service).copied());
            let answer = over_replications(&waits, tails.collect(), index);
            *slot(block, Some(index)) = self.note(&format!("{path}.{name}"), answer);
        }
    }

    /// Says why quantiles of these times have no intervals in a single run.
    pub(super) fn without_quantiles(&mut self, path: &str) {
        let why = "not kept: a single run has these times by batch as sums alone; --replications gives the interval";
        self.block
            .absent
            .insert(format!("{path} quantiles"), why.to_owned());
    }

    /// The interval of a quantile by the sections of a single run.
    fn over_sections(&self, times: &Times, cells: &[usize], quantile: f64) -> Answer {
        let Some(value) = times.quantile(quantile) else {
            return Err(NOTHING.to_owned());
        };
        let Some(sections) = self.measure.sections(cells, value) else {
            return Err(match self.sums.is_empty() {
                true => TOO_SHORT.to_owned(),
                false => "not kept: there are too many actions of clients for sections of each"
                    .to_owned(),
            });
        };
        few_beyond(times.count(), quantile, sections.len())?;
        let off = share_interval(&sections).ok_or_else(correlated)?;
        let at = |share: f64| {
            let within = (0.0..1.0).contains(&share);
            let value = times.quantile(share).filter(|_| within);
            value.map(Span::as_millis_f64)
        };
        match (at(quantile - off), at(quantile + off)) {
            (Some(low), Some(high)) => Ok([low, high]),
            _ => Err("uneven: sections differ too much to tell; lengthen the run".to_owned()),
        }
    }
}

fn correlated() -> String {
    "correlated: neighbouring batches are so by more than a half; lengthen the run, or replicate it"
        .to_owned()
}

/// Whether enough of `count` observations lie beyond a quantile in each of so many parts.
fn few_beyond(count: u64, quantile: f64, parts: usize) -> Result<(), String> {
    let needed = (MIN_BEYOND * parts as u64) as f64;
    if beyond(count, quantile) + 1e-9 >= needed {
        return Ok(());
    }
    Err(format!(
        "too few: fewer than {MIN_BEYOND} of {count} observations lie beyond it in each of {parts} parts"
    ))
}

/// The interval of a quantile of all replications together, by sectioning with the replications as sections: the
/// spread of their own quantiles about it (Asmussen and Glynn 2007, III.5).
pub(super) fn over_replications(
    together: &Times,
    tails: Vec<Option<Tail>>,
    index: usize,
) -> Answer {
    let n = tails.len();
    let Some(figure) = together.quantile(QUANTILES[index]).map(Span::as_millis_f64) else {
        return Err(NOTHING.to_owned());
    };
    if n < 2 {
        return Err("too few: a single replication has no spread".to_owned());
    }
    let mut squares = 0.0;
    for tail in tails {
        let tail = tail.ok_or(NOTHING)?;
        if beyond(tail.count, QUANTILES[index]) + 1e-9 < MIN_BEYOND as f64 {
            return Err(format!(
                "too few: in a replication fewer than {MIN_BEYOND} of {} observations lie beyond it",
                tail.count
            ));
        }
        squares += (tail.values[index] - figure) * (tail.values[index] - figure);
    }
    let n = n as f64;
    let error = libm::sqrt(squares / (n - 1.0) / n);
    let off = student_quantile(n as u64 - 1, 0.5 + LEVEL / 2.0) * error;
    Ok([figure - off, figure + off])
}

/// Where the interval of a quantile of a block stands, or of its mean.
pub(super) fn slot(block: &mut LatencyBlock, quantile: Option<usize>) -> &mut Option<[f64; 2]> {
    match quantile {
        None => &mut block.mean_ci95,
        Some(0) => &mut block.p50_ci95,
        Some(1) => &mut block.p90_ci95,
        Some(2) => &mut block.p95_ci95,
        Some(3) => &mut block.p99_ci95,
        Some(_) => &mut block.p999_ci95,
    }
}

fn copy(from: &LatencyBlock, to: &mut LatencyBlock) {
    to.mean_ci95 = from.mean_ci95;
    to.p50_ci95 = from.p50_ci95;
    to.p90_ci95 = from.p90_ci95;
    to.p95_ci95 = from.p95_ci95;
    to.p99_ci95 = from.p99_ci95;
    to.p999_ci95 = from.p999_ci95;
}
