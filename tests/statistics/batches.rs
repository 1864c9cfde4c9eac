//! Batches and sections are parts of the window: nothing is lost, and there are neither too many nor too few.

use blis_sim::measure::{CellSums, ConsumerSums, FanOutSums, Measure, Of, Sums, TimeSums};
use blis_sim::replication::simulate;
use blis_sim::time::Span;

use crate::support::{UNWATCHED, model};

fn measured(run: &str) -> Measure {
    let model = model(&format!(
        "
blis: 1
name: parts
run: {{{run}}}
clients:
  users: {{concurrency: 20, think: {{exponential: {{mean: 10ms}}}}, do: {{ask: 3, tell: 1}}, timeout: 8ms}}
  feed: {{rate: 500/s, do: tell}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
  tell: {{path: [{{visit: log}}, reply, {{publish: audit}}, {{emit: room}}]}}
streams:
  audit: {{append: 100us, consumers: {{indexer: {{service: index}}}}}}
fan_outs:
  room: {{subscribers: 3, delay: {{exponential: {{mean: 1ms}}}}, within: 2ms}}
services:
  index: {{workers: 4, time: {{exponential: {{mean: 400us}}}}}}
  api: {{workers: 2, time: {{exponential: {{mean: 1ms}}}}}}
  log: {{workers: 1, time: {{exponential: {{mean: 500us}}}}}}
"
    ));
    simulate(&model, UNWATCHED, |_| {}).unwrap().measure
}

/// Runs of all kinds of lengths, ended by horizon and by budget, with a warm-up and without.
const RUNS: [&str; 8] = [
    "horizon: 10s",
    "horizon: 10s, warmup: 1s, drain: 0s",
    "horizon: 7777777ns, warmup: 1234567ns",
    "horizon: 100h, requests: 5000, warmup: 300ms",
    "requests: 300",
    "requests: 50000, warmup: 999ms",
    "requests: 123456",
    "horizon: 1h, requests: 20001",
];

#[test]
fn batches_make_up_the_window() {
    for run in RUNS {
        let measure = measured(run);
        let (batches, whole) = (measure.batches(), measure.sums());
        assert!(
            (8..=15).contains(&batches.len()),
            "{run}: {}",
            batches.len()
        );
        let length = batches.iter().map(|batch| batch.measured.as_nanos()).sum();
        assert_eq!(Span::from_nanos(length), whole.measured, "{run}");
        for cell in 0..whole.cells.len() {
            let mut sum = CellSums::default();
            batches.iter().for_each(|batch| sum.add(&batch.cells[cell]));
            assert_eq!(sum, whole.cells[cell], "{run}");
            assert!(sum.held > 0, "{run}");
        }
        for station in 0..whole.stations.len() {
            let all = batches.iter().map(|batch| batch.stations[station]);
            let busy: u128 = all.clone().map(|sums| sums.areas.busy).sum();
            let waiting: u128 = all.clone().map(|sums| sums.areas.waiting).sum();
            let waited: u128 = all.clone().map(|sums| sums.waited).sum();
            let visits: u64 = all.map(|sums| sums.visits).sum();
            let expected = whole.stations[station];
            assert_eq!(
                (busy, waiting),
                (expected.areas.busy, expected.areas.waiting),
                "{run}"
            );
            assert_eq!(
                (visits, waited),
                (expected.visits, expected.waited),
                "{run}"
            );
        }
        messages_make_up_the_window(run, &batches, &whole);
    }
}

/// The same of the consumer and the fan-out.
fn messages_make_up_the_window(run: &str, batches: &[Sums], whole: &Sums) {
    let (mut consumer, mut fan_out) = (ConsumerSums::default(), FanOutSums::default());
    let add = |sum: &mut TimeSums, part: TimeSums| {
        sum.count += part.count;
        sum.sum += part.sum;
    };
    for batch in batches {
        let part = batch.consumers[0];
        consumer.areas.pending += part.areas.pending;
        consumer.areas.ack_pending += part.areas.ack_pending;
        consumer.acknowledged += part.acknowledged;
        add(&mut consumer.waits, part.waits);
        add(&mut consumer.ages, part.ages);
        let part = batch.fan_outs[0];
        fan_out.subscribers += part.subscribers;
        fan_out.in_time += part.in_time;
        for (sum, part) in fan_out.times.iter_mut().zip(part.times) {
            add(sum, part);
        }
    }
    assert_eq!(
        (consumer, fan_out),
        (whole.consumers[0], whole.fan_outs[0]),
        "{run}"
    );
    let spread = |of: fn(&Sums) -> u64| batches.iter().filter(|batch| of(batch) > 0).count();
    assert!(spread(|batch| batch.consumers[0].ages.count) > 1, "{run}");
    assert!(
        spread(|batch| batch.fan_outs[0].times[2].count) > 1,
        "{run}"
    );
}

#[test]
fn batches_are_of_about_equal_length() {
    for run in RUNS {
        let batches = measured(run).batches();
        let (last, others) = batches.split_last().unwrap();
        let width = others[0].measured.as_nanos();
        assert!(
            others
                .iter()
                .all(|batch| batch.measured.as_nanos() == width),
            "{run}"
        );
        let last = last.measured.as_nanos();
        assert!(
            2 * last >= width && 2 * last <= 3 * width + 2,
            "{run}: {last} {width}"
        );
    }
}

#[test]
fn sections_hold_every_response_time_once() {
    for run in RUNS {
        let measure = measured(run);
        let actions = [
            Of::Action(blis_sim::model::ActionId(0)),
            Of::Action(blis_sim::model::ActionId(1)),
        ];
        let mut counted = 0;
        for of in actions.into_iter().chain([Of::Total]) {
            let cells = measure.positions(of);
            let sections = measure
                .sections(&cells, Span::from_nanos(1_000_000))
                .unwrap();
            assert_eq!(sections.len(), measure.batches().len(), "{run}");
            let count: u64 = sections.iter().map(|section| section.count).sum();
            let above: u64 = sections.iter().map(|section| section.above).sum();
            // What was intended before the window ends within it now and then, and the other way round.
            let held: u64 = cells
                .iter()
                .map(|&cell| measure.sums().cells[cell].held)
                .sum();
            assert!(count.abs_diff(held) <= 45, "{run}: {count} {held}");
            assert!(above > 0 && above < count, "{run}");
            match of {
                Of::Total => assert_eq!(count, counted, "{run}"),
                _ => counted += count,
            }
        }
    }
}

#[test]
fn sections_are_the_batches() {
    // Without a warm-up what ended in a batch was intended in the window.
    for run in RUNS.into_iter().filter(|run| !run.contains("warmup")) {
        let measure = measured(run);
        let cells = measure.positions(Of::Total);
        let sections = measure.sections(&cells, Span::ZERO).unwrap();
        let batches = measure.batches();
        let held: Vec<u64> = batches.iter().map(|batch| batch.of(&cells).held).collect();
        let counted: Vec<u64> = sections.iter().map(|section| section.count).collect();
        assert_eq!(counted, held, "{run}");
    }
}

#[test]
fn a_window_too_short_for_batches_has_none() {
    let measure = measured("requests: 1");
    assert_eq!(measure.batches(), []);
    let cells = measure.positions(Of::Total);
    assert_eq!(measure.sections(&cells, Span::ZERO), None);
}
