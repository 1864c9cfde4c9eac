//! Intervals of the figures of consumers and fan-outs. Counts and largest values are exact, of this run.

use super::blocks::Run;
use super::interval_maker::{Maker, NAMES, slot};
use super::latency::LatencyBlock;
use crate::analysis::{Line, Longest};
use crate::measure::{Sums, TimeSums, Times};
use crate::model::Model;
use crate::replication::{QUANTILES, Spread, Tail};

const FITTED: &str =
    "fitted: the slope is of this run alone; backlog_grows tests it against chance";

/// What observers saw has none.
fn of_looks(run: &Run, maker: &mut Maker<'_>) {
    for (stream, of) in &run.streams {
        for (name, consumer) in &of.consumers {
            let looks =
                "observed: sampled at intervals of a second or more; values in between are unknown";
            let figures = [
                ("acknowledged_per_s", consumer.acknowledged_per_s, looks),
                ("backlog_slope_per_s", consumer.backlog_slope_per_s, FITTED),
                ("pending_mean", consumer.pending_mean, looks),
                ("ack_pending_mean", consumer.ack_pending_mean, looks),
            ];
            for (figure, _, why) in figures.into_iter().filter(|(_, value, _)| value.is_some()) {
                let place = format!("streams.{stream}.consumers.{name}.{figure}");
                maker.note(&place, Err(why.to_owned()));
            }
        }
    }
}

/// Adds them, in the place of those that the document may have.
pub(super) fn add<P>(run: &mut Run, model: &Model<P>, maker: &mut Maker<'_>) {
    if run.live.is_some() {
        return of_looks(run, maker);
    }
    for (at, consumer) in model.consumers.iter().enumerate() {
        let stream = &model.streams[consumer.stream.index()].name;
        let result = run.streams.get_mut(stream);
        if let Some(result) = result.and_then(|of| of.consumers.get_mut(&consumer.name)) {
            let path = format!("streams.{stream}.consumers.{}.", consumer.name);
            let memory = maker.length.memory();
            let service = consumer.service.index();
            let longest = memory.of_lines([Line::Consumer(at), Line::Service(service)].into_iter());
            let mut ratio = |figure: &str, of: fn(&Sums, usize) -> (f64, f64)| {
                let messages = |sums: &Sums| sums.consumers[at].acknowledged;
                maker.figure(longest, &format!("{path}{figure}"), messages, |sums| {
                    of(sums, at)
                })
            };
            result.acknowledged_per_s_ci95 = ratio("acknowledged_per_s", Sums::acknowledged);
            result.pending_mean_ci95 = ratio("pending_mean", Sums::pending);
            result.ack_pending_mean_ci95 = ratio("ack_pending_mean", Sums::ack_pending);
            if result.backlog_slope_per_s.is_some() {
                maker.note(
                    &format!("{path}backlog_slope_per_s"),
                    Err(FITTED.to_owned()),
                );
            }
            let meter = &maker.measure.consumers()[at];
            let blocks = [
                ("wait_ms", &mut result.wait_ms, meter.waits()),
                ("age_ms", &mut result.age_ms, meter.ages()),
            ];
            for (which, (name, block, times)) in blocks.into_iter().enumerate() {
                let Some(block) = block else { continue };
                let sums = move |sums: &Sums| {
                    let consumer = &sums.consumers[at];
                    [consumer.waits, consumer.ages][which]
                };
                let tail = move |one: &Spread| Some(one.consumers.get(at)?[which]);
                maker.times(longest, &format!("{path}{name}"), block, times, sums, tail);
            }
        }
    }
    for (at, fan_out) in model.fan_outs.iter().enumerate() {
        if let Some(result) = run.fan_outs.get_mut(&fan_out.name) {
            let path = format!("fan_outs.{}.", fan_out.name);
            let memory = maker.length.memory();
            let longest = memory.of_services(fan_out.service.iter().map(|id| id.index()));
            result.completion_ratio_ci95 = maker
                .figure(
                    longest,
                    &format!("{path}completion_ratio"),
                    |sums| sums.fan_outs[at].subscribers,
                    |sums| sums.completion(at),
                )
                .map(|[low, high]| [low, high.min(1.0)]);
            let meter = &maker.measure.fan_outs()[at];
            let blocks = [
                ("first_ms", &mut result.first_ms, meter.firsts()),
                ("last_ms", &mut result.last_ms, meter.lasts()),
                ("delivery_ms", &mut result.delivery_ms, meter.deliveries()),
            ];
            for (which, (name, block, times)) in blocks.into_iter().enumerate() {
                let sums = move |sums: &Sums| sums.fan_outs[at].times[which];
                let tail = move |one: &Spread| Some(one.fan_outs.get(at)?[which]);
                maker.times(
                    longest,
                    &format!("{path}{name}"),
                    block,
                    &times.times,
                    sums,
                    tail,
                );
            }
        }
    }
}

impl Maker<'_> {
    /// The interval of a figure that rests on this many observations of what remembers so long.
    fn figure(
        &mut self,
        longest: Longest,
        figure: &str,
        observations: impl Fn(&Sums) -> u64,
        of: impl Fn(&Sums) -> (f64, f64),
    ) -> Option<[f64; 2]> {
        let answer = self.ratio(longest, self.sums.iter().map(observations).sum(), of);
        self.note(figure, answer)
    }

    /// The intervals of a block of times: of the mean by batches or replications, of quantiles by replications.
    fn times(
        &mut self,
        longest: Longest,
        path: &str,
        block: &mut LatencyBlock,
        times: &Times,
        sums: impl Fn(&Sums) -> TimeSums,
        tail: impl Fn(&Spread) -> Option<Tail>,
    ) {
        block.mean_ci95 = self.figure(
            longest,
            &format!("{path}.mean"),
            |of| sums(of).count,
            |of| sums(of).mean(),
        );
        let Some(each) = self.each else {
            self.without_quantiles(path);
            return;
        };
        for (index, name) in NAMES.iter().enumerate().take(QUANTILES.len()) {
            let tails = each.iter().map(&tail).collect();
            let answer = self.over_replications(longest, times, tails, index);
            *slot(block, Some(index)) = self.note(&format!("{path}.{name}"), answer);
        }
    }
}
