//! Random histories of messages and emissions, against a book that keeps every one of them and looks everything up.

use blis_sim::event::{Emission, MessageStep};
use blis_sim::measure::{Backlog, BacklogAreas, ConsumerMeter, ConsumerRow, Times};
use blis_sim::model::Model;
use blis_sim::time::{Span, Time};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::feed::{AUDIT, Feed, INDEXER, ROOMS, at, model, ms};

/// The window starts here, in milliseconds.
const WARMUP: u64 = 10_000;

/// So many cases from a fixed seed. Nothing is written beside the tests.
fn config() -> Config {
    Config {
        cases: 400,
        rng_seed: RngSeed::Fixed(0x5EED),
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    }
}

/// A message; all times in milliseconds.
#[derive(Debug, Clone)]
struct Message {
    stored: u64,
    waits: u64,
    held: u64,
    given_up: bool,
    /// When it is delivered again, after the first delivery.
    redelivered: Vec<u64>,
}

/// A message as far as the run let it come: its end is an acknowledgement, or it was given up or cut off.
#[derive(Debug, Clone, Copy)]
struct Fate {
    stored: u64,
    delivered: Option<u64>,
    end: u64,
    acknowledged: bool,
    cut: bool,
}

impl Message {
    fn fate(&self, run_end: u64) -> Fate {
        let delivered = Some(self.stored + self.waits).filter(|at| *at <= run_end);
        let end = delivered
            .map(|at| at + self.held)
            .filter(|at| *at <= run_end);
        Fate {
            stored: self.stored,
            delivered,
            end: end.unwrap_or(run_end),
            acknowledged: end.is_some() && !self.given_up,
            cut: end.is_none(),
        }
    }

    /// What happens to it until the end of the run, by time.
    fn steps(&self, run_end: u64) -> Vec<(u64, MessageStep)> {
        let fate = self.fate(run_end);
        let mut steps = vec![(self.stored, MessageStep::Stored)];
        let age = ms(fate.end - self.stored);
        let Some(delivered) = fate.delivered else {
            steps.push((run_end, MessageStep::CutPending { waited: age }));
            return steps;
        };
        let waited = ms(self.waits);
        steps.push((delivered, MessageStep::Delivered { waited }));
        let again = self.redelivered.iter().map(|after| delivered + after);
        let again = again.filter(|at| *at <= fate.end);
        steps.extend(again.map(|at| (at, MessageStep::Redelivered)));
        let held = ms(fate.end - delivered);
        let end = match (fate.cut, self.given_up) {
            (true, _) => MessageStep::CutDelivered { age, held },
            (false, true) => MessageStep::Exhausted { age, held },
            (false, false) => MessageStep::Acknowledged { age, held },
        };
        steps.push((fate.end, end));
        steps
    }
}

/// A history: messages, the end of the load and of the run, and whether the run has a horizon.
#[derive(Debug, Clone)]
struct History {
    messages: Vec<Message>,
    load_end: u64,
    run_end: u64,
    horizon: bool,
}

impl History {
    fn model(&self) -> Model {
        let mut model = model();
        if !self.horizon {
            model.limits.horizon = None;
        }
        model
    }

    /// All events in their order: what is cut off comes last.
    fn steps(&self) -> Vec<(u64, MessageStep)> {
        let stored = self
            .messages
            .iter()
            .filter(|one| one.stored <= self.run_end);
        let mut steps: Vec<_> = stored.flat_map(|one| one.steps(self.run_end)).collect();
        steps.sort_by_key(|(at, step)| (*at, is_cut(step)));
        steps
    }

    fn fates(&self) -> Vec<Fate> {
        let stored = self
            .messages
            .iter()
            .filter(|one| one.stored <= self.run_end);
        stored.map(|one| one.fate(self.run_end)).collect()
    }

    fn contains(&self, at: u64) -> bool {
        (WARMUP..=self.load_end).contains(&at)
    }
}

fn is_cut(step: &MessageStep) -> bool {
    matches!(
        step,
        MessageStep::CutPending { .. } | MessageStep::CutDelivered { .. }
    )
}

/// Times that often fall together, and on the ends of the window and of intervals.
fn time(upto: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        0..=upto,
        (0..=upto / 1_000).prop_map(|second| second * 1_000)
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let again = prop::collection::vec(time(8_000), 0..4);
    (
        time(50_000),
        time(9_000),
        time(12_000),
        any::<bool>(),
        again,
    )
        .prop_map(|(stored, waits, held, given_up, redelivered)| Message {
            stored,
            waits,
            held,
            given_up,
            redelivered,
        })
}

fn history() -> impl Strategy<Value = History> {
    let messages = prop::collection::vec(message(), 0..40);
    (messages, time(50_000), time(20_000), any::<bool>()).prop_map(
        |(messages, load_end, drain, horizon)| History {
            messages,
            load_end,
            run_end: load_end + drain,
            horizon,
        },
    )
}

fn measured(history: &History) -> Feed {
    let mut feed = Feed::new(history.model());
    let mut ended = false;
    for (millis, step) in history.steps() {
        if !ended && (millis > history.load_end || is_cut(&step)) {
            feed.load_ends(history.load_end);
            ended = true;
        }
        if step == MessageStep::Stored {
            feed.published(millis, AUDIT, true);
        }
        feed.message(millis, INDEXER, step);
    }
    if !ended {
        feed.load_ends(history.load_end);
    }
    feed.finish(history.run_end).unwrap();
    feed
}

/// How long two stretches of time lie over one another, in nanoseconds.
fn overlap(a: (u64, u64), b: (u64, u64)) -> u128 {
    let both = a.1.min(b.1).saturating_sub(a.0.max(b.0));
    u128::from(both) * 1_000_000
}

fn check_areas(history: &History, fates: &[Fate], meter: &ConsumerMeter) {
    let window = (WARMUP, history.load_end);
    let mut areas = BacklogAreas::default();
    for fate in fates {
        let delivered = fate.delivered.unwrap_or(fate.end);
        areas.pending += overlap((fate.stored, delivered), window);
        areas.ack_pending += overlap((delivered, fate.end), window);
    }
    assert_eq!(meter.window_areas(), areas);
}

/// The backlog just before an instant.
fn before(fates: &[Fate], at: u64) -> Backlog {
    let there = fates.iter().filter(|fate| fate.stored < at);
    let mut backlog = Backlog::default();
    for fate in there.filter(|fate| fate.end >= at || fate.cut) {
        match fate.delivered {
            Some(delivered) if delivered < at => backlog.ack_pending += 1,
            _ => backlog.pending += 1,
        }
    }
    backlog
}

/// The largest numbers: everything is counted anew after each event.
fn check_peaks(history: &History, fates: &[Fate], meter: &ConsumerMeter) {
    let steps = history.steps();
    let start = before(fates, WARMUP);
    let mut most = (start.pending, start.ack_pending, start.total());
    for (number, (at, step)) in steps.iter().enumerate() {
        if !history.contains(*at) || is_cut(step) {
            continue;
        }
        let count = |wanted: fn(&MessageStep) -> bool| {
            let past = steps[..=number].iter();
            past.filter(|(_, step)| wanted(step)).count() as u64
        };
        let stored = count(|step| *step == MessageStep::Stored);
        let delivered = count(|step| matches!(step, MessageStep::Delivered { .. }));
        let ended = count(|step| {
            matches!(
                step,
                MessageStep::Acknowledged { .. } | MessageStep::Exhausted { .. }
            )
        });
        most.0 = most.0.max(stored - delivered);
        most.1 = most.1.max(delivered - ended);
        most.2 = most.2.max(stored - ended);
    }
    let peaks = meter.peaks();
    let measured = (peaks.each.pending, peaks.each.ack_pending, peaks.total);
    assert_eq!(measured, most);
}

fn check_counts(history: &History, meter: &ConsumerMeter) {
    let steps = history.steps();
    let count = |wanted: fn(&MessageStep) -> bool| {
        let of_run = steps.iter().filter(|(_, step)| wanted(step));
        let of_window = of_run
            .clone()
            .filter(|(at, step)| history.contains(*at) && !is_cut(step));
        (of_run.count() as u64, of_window.count() as u64)
    };
    let (run, window) = (meter.messages(), meter.window_messages());
    let stored = count(|step| *step == MessageStep::Stored);
    assert_eq!((run.stored, window.stored), stored);
    let delivered = count(|step| matches!(step, MessageStep::Delivered { .. }));
    assert_eq!((run.delivered, window.delivered), delivered);
    let redelivered = count(|step| *step == MessageStep::Redelivered);
    assert_eq!((run.redelivered, window.redelivered), redelivered);
    let acknowledged = count(|step| matches!(step, MessageStep::Acknowledged { .. }));
    assert_eq!((run.acknowledged, window.acknowledged), acknowledged);
    let exhausted = count(|step| matches!(step, MessageStep::Exhausted { .. }));
    assert_eq!((run.exhausted, window.exhausted), exhausted);
    let (cut, _) = count(is_cut);
    assert_eq!(run.cut_pending + run.cut_delivered, cut);
}

/// Count, sum and censored ones of some times in milliseconds.
fn figures(times: impl Iterator<Item = (u64, bool)> + Clone) -> (u64, u128, u64) {
    let sum: u128 = times
        .clone()
        .map(|(span, _)| u128::from(span) * 1_000_000)
        .sum();
    let censored = times.clone().filter(|(_, censored)| *censored).count();
    (times.count() as u64, sum, censored as u64)
}

fn check_times(history: &History, fates: &[Fate], meter: &ConsumerMeter) {
    let stored = fates.iter().filter(|fate| history.contains(fate.stored));
    let waits = stored.clone().map(|fate| {
        let delivered = fate.delivered.unwrap_or(fate.end);
        (delivered - fate.stored, fate.delivered.is_none())
    });
    let ages = stored.map(|fate| (fate.end - fate.stored, !fate.acknowledged));
    let of = |times: &Times, censored| (times.count(), times.sum_nanos(), censored);
    assert_eq!(of(meter.waits(), meter.censored_waits()), figures(waits));
    assert_eq!(of(meter.ages(), meter.censored_ages()), figures(ages));
}

fn check_rows(history: &History, fates: &[Fate], feed: &Feed) {
    let series = feed.measure.series();
    let width = series.width().as_nanos() / 1_000_000;
    let rows: Vec<ConsumerRow> = series.rows().iter().map(|row| row.consumers[0]).collect();
    let last = rows.len() as u64 - 1;
    let steps = history.steps();
    for (number, row) in (0u64..).zip(&rows) {
        let (from, to) = (number * width, (number + 1) * width);
        // The last interval ends with the run, and holds what happens at that instant.
        let to = if number == last { u64::MAX } else { to };
        assert_eq!(row.backlog, before(fates, to), "interval {number}");
        let within = |(at, step): &&(u64, MessageStep)| {
            *step == MessageStep::Redelivered && (from..to).contains(at)
        };
        let redelivered = steps.iter().filter(within).count() as u64;
        assert_eq!(row.redelivered, redelivered, "interval {number}");
    }
}

/// The slope by the textbook's other form, over the levels of the book.
fn check_slope(history: &History, fates: &[Fate], feed: &Feed) {
    let growth = feed.measure.backlog_growth(INDEXER);
    if history.load_end <= WARMUP {
        assert_eq!(growth, None);
        return;
    }
    let series = feed.measure.series();
    let width = series.width().as_nanos() / 1_000_000;
    // A last interval that was too short for one is part of the one before, and its start is no level.
    let mut times: Vec<u64> = (1..series.rows().len() as u64)
        .map(|number| number * width)
        .take_while(|at| *at < history.load_end)
        .collect();
    times.retain(|at| *at > WARMUP);
    let mut points: Vec<(f64, f64)> = vec![(0.0, before(fates, WARMUP).total() as f64)];
    let seconds = |at: u64| (at - WARMUP) as f64 / 1e3;
    points.extend(
        times
            .iter()
            .map(|at| (seconds(*at), before(fates, *at).total() as f64)),
    );
    // What happens at the last instant of the window belongs to it, but for what is cut off there.
    let left =
        |fate: &&Fate| fate.stored <= history.load_end && (fate.end > history.load_end || fate.cut);
    let at_end = fates.iter().filter(left).count() as f64;
    points.push((seconds(history.load_end), at_end));
    let sum = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let (n, x, y) = (points.len() as f64, sum(|p| p.0), sum(|p| p.1));
    let (xx, xy) = (sum(|p| p.0 * p.0), sum(|p| p.0 * p.1));
    let slope = (n * xy - x * y) / (n * xx - x * x);
    let measured = growth.unwrap().slope_per_second;
    assert!(
        (measured - slope).abs() <= 1e-6 * (1.0 + slope.abs()),
        "{measured} {slope}"
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_consumer_is_measured_as_the_book_says(history in history()) {
        let feed = measured(&history);
        let fates = history.fates();
        let meter = &feed.measure.consumers()[INDEXER.index()];
        check_counts(&history, meter);
        check_times(&history, &fates, meter);
        check_rows(&history, &fates, &feed);
        check_slope(&history, &fates, &feed);
        if history.load_end > WARMUP {
            check_areas(&history, &fates, meter);
            check_peaks(&history, &fates, meter);
        }
    }
}

/// An emission: all times in milliseconds after the one before.
#[derive(Debug, Clone)]
struct Sent {
    intended: u64,
    emitted: u64,
    deliveries: Vec<u64>,
    lost: u32,
}

fn sent() -> impl Strategy<Value = Sent> {
    let deliveries = prop::collection::vec(time(5_000), 0..8);
    (time(40_000), time(2_000), deliveries, 0u32..3).prop_map(
        |(intended, path, deliveries, lost)| Sent {
            intended,
            emitted: intended + path,
            deliveries,
            lost,
        },
    )
}

/// How long after the emission a delivery is in time.
const WITHIN: u64 = 2_000;

impl Sent {
    fn emission(&self) -> Emission {
        let due = |after: &u64| at(self.emitted + after);
        let in_time = self.deliveries.iter().filter(|after| **after <= WITHIN);
        Emission {
            intended: at(self.intended),
            emitted: at(self.emitted),
            subscribers: self.deliveries.len() as u32 + self.lost,
            delivered: self.deliveries.len() as u32,
            in_time: in_time.count() as u32,
            first: self.deliveries.iter().min().map(due),
            last: self.deliveries.iter().max().map(due),
            cut: false,
        }
    }
}

/// Count, sum and extremes of some times.
fn summary(times: &Times) -> (u64, u128, Option<Span>, Option<Span>) {
    (times.count(), times.sum_nanos(), times.min(), times.max())
}

/// The same of instants in milliseconds since the instants at which their requests were intended.
fn expected(spans: &[u64]) -> (u64, u128, Option<Span>, Option<Span>) {
    let sum = spans.iter().map(|span| u128::from(*span) * 1_000_000).sum();
    let (min, max) = (spans.iter().min(), spans.iter().max());
    (
        spans.len() as u64,
        sum,
        min.map(|span| ms(*span)),
        max.map(|span| ms(*span)),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_fan_out_is_measured_as_the_book_says(
        mut all in prop::collection::vec(sent(), 0..20),
        load_end in time(45_000),
    ) {
        let mut feed = Feed::new(model());
        all.sort_by_key(|sent| sent.emitted);
        let before_end = all.partition_point(|sent| sent.emitted <= load_end);
        for (number, sent) in all.iter().enumerate() {
            if number == before_end {
                feed.load_ends(load_end);
            }
            for after in &sent.deliveries {
                let due = sent.emitted + after;
                feed.delivery(sent.emitted, ROOMS, due, sent.emitted, sent.intended);
            }
            feed.emission(sent.emitted, ROOMS, sent.emission());
        }
        if before_end == all.len() {
            feed.load_ends(load_end);
        }
        feed.finish(90_000).unwrap();
        let window: Vec<&Sent> = all
            .iter()
            .filter(|sent| (WARMUP..=load_end).contains(&sent.emitted))
            .collect();
        let meter = &feed.measure.fan_outs()[ROOMS.index()];
        let spans = |of: fn(&Sent) -> Vec<u64>| -> Vec<u64> {
            let due = |sent: &&Sent| {
                let path = sent.emitted - sent.intended;
                of(sent).into_iter().map(move |after| path + after).collect::<Vec<_>>()
            };
            window.iter().flat_map(due).collect()
        };
        let deliveries = spans(|sent| sent.deliveries.clone());
        prop_assert_eq!(summary(&meter.deliveries().times), expected(&deliveries));
        let firsts = spans(|sent| sent.deliveries.iter().min().copied().into_iter().collect());
        prop_assert_eq!(summary(&meter.firsts().times), expected(&firsts));
        let lasts = spans(|sent| sent.deliveries.iter().max().copied().into_iter().collect());
        prop_assert_eq!(summary(&meter.lasts().times), expected(&lasts));
        let counts = meter.window_emissions();
        prop_assert_eq!(counts.emissions, window.len() as u64);
        let lost: u64 = window.iter().map(|sent| u64::from(sent.lost)).sum();
        prop_assert_eq!((counts.lost, counts.cut_deliveries), (lost, 0));
        let in_time = spans(|sent| sent.deliveries.iter().copied().filter(|after| *after <= WITHIN).collect());
        prop_assert_eq!(counts.in_time, in_time.len() as u64);
        prop_assert_eq!(counts.subscribers, deliveries.len() as u64 + lost);
        let whole = meter.emissions();
        prop_assert_eq!(whole.emissions, all.len() as u64);
    }
}

#[test]
fn the_window_of_the_model_is_the_one_of_the_book() {
    assert_eq!(model().limits.warmup, Time::ZERO + ms(WARMUP));
}
