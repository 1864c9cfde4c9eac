//! Confidence intervals from batches or replications, one figure at a time, with the reasons of those that cannot be made.

use std::collections::BTreeMap;

use super::blocks::{IntervalMethod, Intervals};
use super::latency::{Latency, LatencyBlock};
use super::theory::NO_BACKEND;
use crate::analysis::{Analysis, Longest};
use crate::measure::{Latencies, Measure, Of, Sums, Times};
use crate::model::Model;
use crate::replication::{Length, QUANTILES, Spread, Tail};
use crate::statistics::{
    Interval, LEVEL, MIN_BEYOND, beyond, independent, share_interval, shares, spread_over,
    student_quantile,
};
use crate::time::Span;

/// The names of [`QUANTILES`] in a result.
pub(super) const NAMES: [&str; 5] = ["p50", "p90", "p95", "p99", "p999"];

/// Why a figure has no interval if no event of it happened.
const NOTHING: &str = "not measured: no such event in the window";

/// Why there is none without batches.
const TOO_SHORT: &str = "too short: the measured window is too short for batches; lengthen the run";

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
        caution: None,
        absent: BTreeMap::new(),
    }
}

/// Makes intervals and keeps the reasons of those that cannot be made.
pub(super) struct Maker<'a> {
    pub(super) measure: &'a Measure,
    pub(super) sums: Vec<Sums>,
    pub(super) each: Option<&'a [Spread]>,
    pub(super) length: Length,
    pub(super) block: Intervals,
}

impl<'a> Maker<'a> {
    pub(super) fn new<P>(
        model: &Model<P>,
        backend: Option<&Analysis<'_>>,
        source: &Source<'a>,
    ) -> Maker<'a> {
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
        let runs = each.map_or(1, |each| each.len() as u64);
        let length = match backend {
            Some(backend) => Length::of(backend.model, &backend.memory, measure, runs),
            None => Length::without_backend(model, measure, runs),
        };
        Maker {
            measure,
            block: Intervals {
                method,
                samples: sums.len() as u64,
                caution: match backend {
                    Some(_) => length.caution(),
                    None => Some(format!(
                        "the memory of the backend is not known: {NO_BACKEND}"
                    )),
                },
                ..none()
            },
            sums,
            each,
            length,
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

    /// The interval of a ratio that rests on this many observations of what remembers so long.
    pub(super) fn ratio(
        &self,
        longest: Longest,
        observations: u64,
        of: impl Fn(&Sums) -> (f64, f64),
    ) -> Answer {
        let pairs: Vec<(f64, f64)> = self.sums.iter().map(of).collect();
        let parts = match self.each {
            Some(_) if pairs.len() < 2 => {
                return Err("too few: one replication has no spread; use at least 2".to_owned());
            }
            Some(_) => "replications",
            None if pairs.is_empty() => return Err(TOO_SHORT.to_owned()),
            None => "batches",
        };
        let (number, needed) = (pairs.len(), MIN_BEYOND * pairs.len() as u64);
        if observations == 0 {
            return Err(NOTHING.to_owned());
        }
        self.length
            .mean(longest)
            .map_err(|short| short.to_string())?;
        if self.each.is_none() && observations < needed {
            return Err(format!(
                "too few: {observations} observations for {number} batches ({needed} needed)"
            ));
        }
        let spread = spread_over(pairs.iter().map(|(_, weight)| *weight));
        if 2.0 * spread < number as f64 {
            return Err(format!(
                "too few: nearly all observations lie in {} of {number} {parts}",
                libm::ceil(spread)
            ));
        }
        let interval = match self.each {
            Some(_) => Interval::of_ratio(&pairs),
            None => Interval::of_batches(&pairs),
        };
        let ends = interval.map(Interval::factor_ends);
        ends.ok_or_else(|| NOTHING.to_owned())
    }

    /// How long that remembers which these requests meet.
    fn longest(&self, of: Of) -> Longest {
        let parts = self.measure.parts().iter();
        let asked = parts.filter(move |(client, action)| match of {
            Of::Total => true,
            Of::Action(id) => *action == id,
            Of::Client(id) => *client == id,
        });
        let memory = self.length.memory();
        memory.of_actions(asked.map(|(_, action)| action.index()))
    }

    pub(super) fn throughput(&mut self, figure: &str, of: Of) -> Option<[f64; 2]> {
        let cells = self.measure.positions(of);
        let answered = self.sums.iter().map(|sums| sums.of(&cells).completed).sum();
        let answer = self.ratio(self.longest(of), answered, |sums| sums.throughput(&cells));
        self.note(figure, answer)
    }

    /// The interval of a figure of a service, which rests on its visits.
    pub(super) fn of_visits(
        &mut self,
        figure: &str,
        service: usize,
        of: impl Fn(&Sums) -> (f64, f64),
    ) -> Option<[f64; 2]> {
        let visits = |sums: &Sums| sums.stations[service].visits;
        let memory = self.length.memory();
        let longest = memory.of_services(std::iter::once(service));
        let answer = self.ratio(longest, self.sums.iter().map(visits).sum(), of);
        self.note(figure, answer)
    }

    /// The intervals of the three latencies. While nothing lagged, service is response and lag is exactly 0.
    pub(super) fn latency(
        &mut self,
        path: &str,
        of: Of,
        block: &mut Latency,
        latencies: &Latencies,
    ) {
        self.response(
            &format!("{path}latency_ms.response"),
            of,
            &mut block.response,
            latencies,
        );
        if latencies.lagged() {
            let why = "not kept: only response times have intervals when requests lagged";
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
        let longest = self.longest(of);
        let mean = self.ratio(longest, held, |sums| sums.response(&cells));
        block.mean_ci95 = self.note(&format!("{path}.mean"), mean);
        for (index, name) in NAMES.iter().enumerate() {
            let answer = match self.each {
                Some(each) => {
                    let tails = each.iter().map(|one| one.response(of)).collect();
                    self.over_replications(longest, latencies.response(), tails, index)
                }
                None => self.over_sections(longest, latencies.response(), &cells, QUANTILES[index]),
            };
            *slot(block, Some(index)) = self.note(&format!("{path}.{name}"), answer);
        }
    }

    pub(super) fn waits(&mut self, path: &str, service: usize, block: &mut LatencyBlock) {
        block.mean_ci95 =
            self.of_visits(&format!("{path}.mean"), service, |sums| sums.wait(service));
        let Some(each) = self.each else {
            self.without_quantiles(path);
            return;
        };
        let waits = self.measure.stations()[service].waits();
        for (index, name) in NAMES.iter().enumerate() {
            let tails = each.iter().map(|one| one.waits.get(service).copied());
            let memory = self.length.memory();
            let longest = memory.of_services(std::iter::once(service));
            let answer = self.over_replications(longest, &waits, tails.collect(), index);
            *slot(block, Some(index)) = self.note(&format!("{path}.{name}"), answer);
        }
    }

    /// Says why quantiles of these times have no intervals in a single run.
    pub(super) fn without_quantiles(&mut self, path: &str) {
        let why = "single run: only sums of these times are kept per batch; use --replications";
        self.block
            .absent
            .insert(format!("{path} quantiles"), why.to_owned());
    }

    /// The interval of a quantile by the sections of a single run.
    fn over_sections(
        &self,
        longest: Longest,
        times: &Times,
        cells: &[usize],
        quantile: f64,
    ) -> Answer {
        let Some(value) = times.quantile(quantile) else {
            return Err(NOTHING.to_owned());
        };
        let Some(sections) = self.measure.sections(cells, value) else {
            return Err(match self.sums.is_empty() {
                true => TOO_SHORT.to_owned(),
                false => {
                    "not kept: too many actions of clients to keep sections of each".to_owned()
                }
            });
        };
        let long_enough = self.length.quantile(longest, quantile);
        long_enough.map_err(|short| short.to_string())?;
        few_beyond(times.count(), quantile, sections.len())?;
        let spread = spread_over(sections.iter().map(|section| section.count as f64));
        if 2.0 * spread < sections.len() as f64 {
            return Err(format!(
                "too few: nearly all observations lie in {} of {} batches",
                libm::ceil(spread),
                sections.len()
            ));
        }
        let off = share_interval(&sections, quantile).ok_or(NOTHING)?;
        let [low, high] = shares(quantile, off);
        let (low, high) = times.band(low, high).ok_or(NOTHING)?;
        Ok([low, high].map(Span::as_millis_f64))
    }

    /// The interval of a quantile of all replications together, by sectioning with the replications as sections: the
    /// spread of their own quantiles about it (Asmussen and Glynn 2007, III.5), by factors. It is never narrower than that
    /// of as many independent observations, nor than what the distribution tells apart.
    pub(super) fn over_replications(
        &self,
        longest: Longest,
        together: &Times,
        tails: Vec<Option<Tail>>,
        index: usize,
    ) -> Answer {
        let (quantile, n) = (QUANTILES[index], tails.len());
        let Some(figure) = together.quantile(quantile).map(Span::as_millis_f64) else {
            return Err(NOTHING.to_owned());
        };
        if n < 2 {
            return Err("too few: one replication has no spread; use at least 2".to_owned());
        }
        let long_enough = self.length.quantile(longest, quantile);
        long_enough.map_err(|short| short.to_string())?;
        let mut squares = 0.0;
        for tail in tails {
            let tail = tail.ok_or(NOTHING)?;
            if beyond(tail.count, quantile) + 1e-9 < MIN_BEYOND as f64 {
                return Err(format!(
                    "too few: in a replication fewer than {MIN_BEYOND} of {} observations lie beyond it",
                    tail.count
                ));
            }
            squares += (tail.values[index] - figure) * (tail.values[index] - figure);
        }
        let n = n as f64;
        let interval = Interval {
            figure,
            half_width: student_quantile(n as u64 - 1, 0.5 + LEVEL / 2.0)
                * libm::sqrt(squares / (n - 1.0) / n),
        };
        let [low, high] = match figure > 0.0 {
            true => interval.factor_ends(),
            false => interval.ends(),
        };
        let (low, high) = together.told_apart(of_millis(low), of_millis(high));
        let [from, to] = shares(quantile, independent(together.count(), quantile));
        let (least, most) = together.band(from, to).ok_or(NOTHING)?;
        Ok([low.min(least), high.max(most)].map(Span::as_millis_f64))
    }
}

fn of_millis(millis: f64) -> Span {
    Span::from_nanos_f64((millis * 1e6).max(0.0))
}

/// Whether enough of `count` observations lie beyond a quantile in each of this many parts.
fn few_beyond(count: u64, quantile: f64, parts: usize) -> Result<(), String> {
    let needed = (MIN_BEYOND * parts as u64) as f64;
    if beyond(count, quantile) + 1e-9 >= needed {
        return Ok(());
    }
    Err(format!(
        "too few: fewer than {MIN_BEYOND} of {count} observations lie beyond it in each of {parts} parts"
    ))
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
