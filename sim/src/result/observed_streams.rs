//! Figures of consumers from the samples of observers, under the names of a simulation.
//!
//! Samples are a second or more apart. Maxima and counts are from the first sample after the end of the warm-up to the last one,
//! which is after the load; means and rates are of the samples within the window.

use std::collections::{BTreeMap, BTreeSet};

use super::live_observers::{ConsumerKind, ConsumerSample, ObservedConsumer, Observers};
use super::messages::{ConsumerResult, StreamResult};
use crate::measure::{Growth, growth};
use crate::model::Model;

/// What nobody can see of a stream from outside.
const OF_STREAMS: &str = "streams.*.{published,duplicates}: observers do not see publications";
/// What nobody can see of a consumer from outside.
const OF_CONSUMERS: &str = "streams.*.consumers.*.{stored,expired,naks,repeated,exhausted,wait_ms,age_ms}: servers do \
                            not report these";
const NO_LOOK: &str = "no sample after the warm-up";
const FEW_LOOKS: &str = "fewer than two samples after the warm-up";
const FEW_WITHIN: &str = "fewer than two samples in the window";

/// The streams of a live run, and what of them was not measured.
#[derive(Default)]
pub(super) struct Seen {
    pub streams: BTreeMap<String, StreamResult>,
    pub not_measured: Vec<String>,
}

/// The window, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub warmup: f64,
    pub end: f64,
}

pub(super) fn streams<P>(model: &Model<P>, observers: Option<&Observers>, of: Bounds) -> Seen {
    let mut seen = Seen::default();
    let consumers = observers.map(|observers| &observers.consumers);
    for (name, consumer) in consumers.into_iter().flatten() {
        // Neither name can have a slash.
        let Some((stream, name)) = name.split_once('/') else {
            continue;
        };
        let (result, absent) = consumer_over(consumer, of);
        let stream_result = seen.streams.entry(stream.to_owned()).or_default();
        stream_result.consumers.insert(name.to_owned(), result);
        for (why, figures) in absent {
            let figures = match figures.as_slice() {
                [only] => (*only).to_owned(),
                several => format!("{{{}}}", several.join(",")),
            };
            let entry = format!("streams.{stream}.consumers.{name}.{figures}: {why}");
            seen.not_measured.push(entry);
        }
    }
    if seen.streams.is_empty() {
        let why = observers.and_then(|observers| observers.absent.get("consumers"));
        let entry = why.map_or("streams".to_owned(), |why| format!("streams: {why}"));
        let is_expected = !model.streams.is_empty();
        seen.not_measured.extend(is_expected.then_some(entry));
        return seen;
    }
    seen.not_measured
        .splice(0..0, [OF_STREAMS.to_owned(), OF_CONSUMERS.to_owned()]);
    let unseen = unseen(model, &seen.streams);
    seen.not_measured.extend(unseen);
    seen
}

/// The streams and consumers of the model that nobody saw.
fn unseen<P>(model: &Model<P>, streams: &BTreeMap<String, StreamResult>) -> BTreeSet<String> {
    let whole = model.streams.iter();
    let whole = whole.filter(|stream| !streams.contains_key(&stream.name));
    let whole = whole.map(|stream| format!("streams.{}: no consumer was observed", stream.name));
    let consumers = model.consumers.iter().filter_map(|consumer| {
        let stream = &model.streams[consumer.stream.index()].name;
        let there = streams.get(stream)?.consumers.contains_key(&consumer.name);
        let place = format!("streams.{stream}.consumers.{}", consumer.name);
        (!there).then(|| format!("{place}: no consumer of this name was observed"))
    });
    whole.chain(consumers).collect()
}

impl ObservedConsumer {
    /// How its backlog grew from the end of the warm-up to the last look; `None` with fewer than two looks.
    pub fn growth(&self, warmup_s: f64) -> Option<Growth> {
        let levels = self.from(warmup_s);
        let levels: Vec<(f64, f64)> = levels
            .map(|sample| (sample.at_s, sample.backlog() as f64))
            .collect();
        growth(&levels)
    }

    /// How many messages came meanwhile: those that were delivered, and those by which more are pending. `None` where the
    /// consumer takes some messages of its stream only, or its counters do not say it.
    pub fn arrivals(&self, warmup_s: f64) -> Option<u64> {
        let looks: Vec<&ConsumerSample> = self.from(warmup_s).collect();
        let delivered = counts(self.kind, &looks, FEW_LOOKS).ok()?.delivered;
        let pending = delivered.checked_add(looks.last()?.pending)?;
        pending.checked_sub(looks.first()?.pending)
    }

    fn from(&self, at_s: f64) -> impl Iterator<Item = &ConsumerSample> {
        self.samples.iter().filter(move |look| look.at_s >= at_s)
    }
}

impl ConsumerSample {
    /// Messages pending and unacknowledged, together.
    fn backlog(&self) -> u64 {
        self.pending.saturating_add(self.ack_pending)
    }
}

/// Figures that are not there, by the reason.
#[derive(Default)]
struct Absent(BTreeMap<&'static str, Vec<&'static str>>);

impl Absent {
    /// The figure, or a note of why it is not there.
    fn or<T>(&mut self, figure: &'static str, value: Result<T, &'static str>) -> Option<T> {
        let noted = value.map_err(|why| self.0.entry(why).or_default().push(figure));
        noted.ok()
    }
}

fn consumer_over(
    consumer: &ObservedConsumer,
    of: Bounds,
) -> (ConsumerResult, BTreeMap<&'static str, Vec<&'static str>>) {
    let looks: Vec<&ConsumerSample> = consumer.from(of.warmup).collect();
    let mut within = looks.clone();
    within.retain(|look| look.at_s <= of.end);
    let most = |figure: fn(&ConsumerSample) -> u64| {
        let all = looks.iter().map(|look| figure(look));
        all.max().ok_or(NO_LOOK)
    };
    let growth = consumer.growth(of.warmup);
    let mut absent = Absent::default();
    let counted = counts(consumer.kind, &looks, FEW_LOOKS);
    let rate = counts(consumer.kind, &within, FEW_WITHIN).and_then(|counts| {
        let span = span(&within).ok_or(FEW_WITHIN)?;
        Ok(counts.acknowledged? as f64 / span)
    });
    let peak = looks
        .iter()
        .position(|look| Ok(look.backlog()) == most(ConsumerSample::backlog));
    let peak = peak.filter(|&at| looks[at].backlog() > 0);
    let gone = peak.and_then(|at| looks[at..].iter().find(|look| look.backlog() == 0));
    let at_end = match looks.last() {
        _ if consumer.vanished => Err("it had vanished by the end of the run"),
        Some(last) if consumer.seen_at_end => Ok(*last),
        _ => Err("no sample after the load"),
    };
    let mean = |figure: fn(&ConsumerSample) -> u64| mean(&within, figure).ok_or(FEW_WITHIN);
    let result = ConsumerResult {
        delivered: absent.or("delivered", counted.map(|counts| counts.delivered)),
        redelivered: absent.or("redelivered", counted.map(|counts| counts.redelivered)),
        acknowledged: absent.or(
            "acknowledged",
            counted.and_then(|counts| counts.acknowledged),
        ),
        acknowledged_per_s: absent.or("acknowledged_per_s", rate),
        unfinished_pending: absent.or("unfinished_pending", at_end.map(|last| last.pending)),
        unfinished_delivered: absent
            .or("unfinished_delivered", at_end.map(|last| last.ack_pending)),
        backlog_max: absent.or("backlog_max", most(ConsumerSample::backlog)),
        backlog_max_at_s: peak.map(|at| looks[at].at_s),
        backlog_gone_at_s: gone.map(|look| look.at_s),
        backlog_slope_per_s: absent.or(
            "backlog_slope_per_s",
            growth
                .map(|growth| growth.slope_per_second)
                .ok_or(FEW_LOOKS),
        ),
        backlog_grows: growth.and_then(|growth| growth.grows),
        pending_mean: absent.or("pending_mean", mean(|look| look.pending)),
        pending_max: absent.or("pending_max", most(|look| look.pending)),
        ack_pending_mean: absent.or("ack_pending_mean", mean(|look| look.ack_pending)),
        ack_pending_max: absent.or("ack_pending_max", most(|look| look.ack_pending)),
        ..ConsumerResult::default()
    };
    (result, absent.0)
}

/// The time between the first look and the last.
fn span(looks: &[&ConsumerSample]) -> Option<f64> {
    let span = looks.last()?.at_s - looks.first()?.at_s;
    (span > 0.0).then_some(span)
}

/// A mean over time, which goes straight from look to look.
fn mean(looks: &[&ConsumerSample], figure: fn(&ConsumerSample) -> u64) -> Option<f64> {
    let from = figure(looks.first()?) as f64;
    let above = looks.windows(2).map(|pair| {
        let level = (figure(pair[0]) as f64 + figure(pair[1]) as f64) / 2.0 - from;
        level * (pair[1].at_s - pair[0].at_s)
    });
    Some(from + above.sum::<f64>() / span(looks)?)
}

/// What happened between two looks, by the server's own counters.
#[derive(Clone, Copy)]
struct Counts {
    delivered: u64,
    redelivered: u64,
    acknowledged: Result<u64, &'static str>,
}

/// The messages that a consumer got between the first look and the last. The server numbers deliveries, and says up to which
/// message of the stream it has delivered: that counts messages where the consumer takes all of them.
fn counts(
    kind: ConsumerKind,
    looks: &[&ConsumerSample],
    too_few: &'static str,
) -> Result<Counts, &'static str> {
    let [first, .., last] = looks else {
        return Err(too_few);
    };
    if kind.is_filtered {
        return Err("it has a filter, and with one sequence numbers need not count its messages");
    }
    let over = |figure: fn(&ConsumerSample) -> Option<u64>| {
        let (before, after) = figure(first)
            .zip(figure(last))
            .ok_or("the server did not report it")?;
        let went = after.checked_sub(before);
        went.ok_or("its counters went back: it was recreated during the run")
    };
    let (deliveries, delivered) = (
        over(|look| look.deliveries)?,
        over(|look| look.delivered_to)?,
    );
    let redelivered = deliveries.checked_sub(delivered);
    let redelivered =
        redelivered.ok_or("it skipped messages that were removed before their delivery")?;
    let settled = delivered.checked_add(first.ack_pending);
    let settled = settled.and_then(|all| all.checked_sub(last.ack_pending));
    let acknowledged = match settled {
        _ if kind.is_unacknowledged => Err("its messages are not acknowledged"),
        _ if kind.gives_up => {
            Err("with max_deliver, messages that were given up look acknowledged")
        }
        settled => settled.ok_or("its counters are inconsistent"),
    };
    Ok(Counts {
        delivered,
        redelivered,
        acknowledged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At a time: pending, unacknowledged, deliveries, and up to which message.
    fn look(at_s: f64, [pending, ack_pending, deliveries, to]: [u64; 4]) -> ConsumerSample {
        ConsumerSample {
            at_s,
            pending,
            ack_pending,
            redelivered: 0,
            deliveries: Some(deliveries),
            delivered_to: Some(to),
        }
    }

    fn consumer(samples: Vec<ConsumerSample>) -> ObservedConsumer {
        ObservedConsumer {
            vanished: false,
            seen_at_end: true,
            kind: ConsumerKind::default(),
            samples,
        }
    }

    /// A consumer that is behind before the load, has its peak at 3 s, and is done in the drain.
    fn busy() -> ObservedConsumer {
        consumer(vec![
            look(0.0, [900, 9, 50, 150]),
            look(1.0, [10, 2, 100, 200]),
            look(2.0, [20, 4, 160, 250]),
            look(3.0, [40, 6, 230, 310]),
            look(4.5, [0, 0, 300, 370]),
        ])
    }

    const WINDOW: Bounds = Bounds {
        warmup: 1.0,
        end: 3.2,
    };

    fn reason(absent: &BTreeMap<&'static str, Vec<&'static str>>, figure: &str) -> &'static str {
        let of = absent.iter().find(|(_, figures)| figures.contains(&figure));
        of.map_or("none", |(why, _)| why)
    }

    #[test]
    fn figures_are_those_of_looks_from_the_end_of_the_warm_up_on() {
        let (result, absent) = consumer_over(&busy(), WINDOW);
        assert!(absent.is_empty(), "{absent:?}");
        // 200 deliveries of 170 messages, of which two were out before.
        assert_eq!(result.delivered, Some(170));
        assert_eq!(result.redelivered, Some(30));
        assert_eq!(result.acknowledged, Some(172));
        // 110 messages in the two seconds of the window, four more out than before.
        assert_eq!(result.acknowledged_per_s, Some(53.0));
        assert_eq!(result.backlog_max, Some(46));
        assert_eq!(result.backlog_max_at_s, Some(3.0));
        assert_eq!(result.backlog_gone_at_s, Some(4.5));
        assert_eq!(result.pending_max, Some(40));
        assert_eq!(result.ack_pending_max, Some(6));
        assert_eq!(result.pending_mean, Some(22.5));
        assert_eq!(result.ack_pending_mean, Some(4.0));
        assert_eq!(result.unfinished_pending, Some(0));
        assert_eq!(result.unfinished_delivered, Some(0));
        let slope = busy().growth(1.0).map(|growth| growth.slope_per_second);
        assert_eq!(result.backlog_slope_per_s, slope);
        assert_eq!(
            (result.stored, result.naks, result.wait_ms),
            (None, None, None)
        );
    }

    #[test]
    fn the_warm_up_has_no_part_in_the_slope() {
        let looks = [(0.0, 0), (1.0, 100), (2.0, 200), (3.0, 200), (4.0, 200)];
        let looks = looks.map(|(at_s, pending)| look(at_s, [pending, 0, 0, 0]));
        let seen = consumer(looks.to_vec());
        let slope = |warmup: f64| Some(seen.growth(warmup)?.slope_per_second);
        assert_eq!(slope(2.0), Some(0.0));
        assert!(slope(0.0).is_some_and(|slope| slope > 0.0));
        assert_eq!(slope(4.0), None);
    }

    #[test]
    fn what_cannot_be_counted_is_absent_with_its_reason() {
        let with = |change: fn(&mut ObservedConsumer)| {
            let mut consumer = busy();
            change(&mut consumer);
            consumer_over(&consumer, WINDOW)
        };
        type Case = (fn(&mut ObservedConsumer), [bool; 3], &'static str);
        let cases: [Case; 6] = [
            (
                |seen| seen.kind.is_filtered = true,
                [false; 3],
                "it has a filter",
            ),
            (
                |seen| seen.kind.is_unacknowledged = true,
                [true, true, false],
                "are not acknowledged",
            ),
            (
                |seen| seen.kind.gives_up = true,
                [true, true, false],
                "max_deliver",
            ),
            (
                |seen| seen.samples[4].deliveries = Some(7),
                [false; 3],
                "recreated",
            ),
            (
                |seen| seen.samples[4].delivered_to = Some(900),
                [false; 3],
                "were removed",
            ),
            (
                |seen| seen.samples[4].deliveries = None,
                [false; 3],
                "did not report",
            ),
        ];
        for (change, there, why) in cases {
            let (result, absent) = with(change);
            let counted = [result.delivered, result.redelivered, result.acknowledged];
            assert_eq!(counted.map(|count| count.is_some()), there, "{why}");
            assert!(reason(&absent, "acknowledged").contains(why), "{absent:?}");
        }
        let (result, absent) = with(|seen| (seen.vanished, seen.seen_at_end) = (true, false));
        assert_eq!(result.unfinished_pending, None);
        assert!(reason(&absent, "unfinished_delivered").contains("vanished"));
        let (result, absent) = with(|seen| {
            seen.seen_at_end = false;
            seen.samples.truncate(4);
        });
        assert_eq!(result.unfinished_pending, None);
        assert!(reason(&absent, "unfinished_pending").contains("after the load"));
        assert_eq!(result.backlog_gone_at_s, None);
    }

    #[test]
    fn too_few_looks_give_no_means_and_no_counts() {
        let (result, absent) = consumer_over(&consumer(vec![look(1.5, [3, 1, 9, 9])]), WINDOW);
        assert_eq!(result.backlog_max, Some(4));
        assert_eq!(
            (
                result.pending_mean,
                result.acknowledged,
                result.backlog_slope_per_s
            ),
            (None, None, None)
        );
        assert_eq!(reason(&absent, "pending_mean"), FEW_WITHIN);
        assert_eq!(reason(&absent, "acknowledged"), FEW_LOOKS);
        assert_eq!(reason(&absent, "acknowledged_per_s"), FEW_WITHIN);
        let (result, absent) = consumer_over(&consumer(vec![look(0.5, [3, 1, 9, 9])]), WINDOW);
        assert_eq!((result.backlog_max, result.backlog_max_at_s), (None, None));
        assert_eq!(reason(&absent, "backlog_max"), NO_LOOK);
    }
}
