//! Consumers and streams, worked out on paper.

use blis_sim::event::MessageStep;
use blis_sim::measure::{Backlog, BacklogAreas, ConsumerMeter, MessageCounts, Publications};
use blis_sim::time::{Span, Time};

use crate::feed::{AUDIT, Feed, INDEXER, MAILER, model, ms};

const SECOND: u128 = 1_000_000_000;

fn delivered(waited: u64) -> MessageStep {
    MessageStep::Delivered { waited: ms(waited) }
}

fn acknowledged(age: u64, held: u64) -> MessageStep {
    let (age, held) = (ms(age), ms(held));
    MessageStep::Acknowledged { age, held }
}

fn exhausted(age: u64, held: u64) -> MessageStep {
    let (age, held) = (ms(age), ms(held));
    MessageStep::Exhausted { age, held }
}

fn cut_pending(waited: u64) -> MessageStep {
    MessageStep::CutPending { waited: ms(waited) }
}

fn cut_delivered(age: u64, held: u64) -> MessageStep {
    let (age, held) = (ms(age), ms(held));
    MessageStep::CutDelivered { age, held }
}

/// Five messages; the window is from 10 s to 20 s, the run ends at 26 s.
///
/// | message | stored | delivered | end |
/// |---|---|---|---|
/// | a | 6 s | 8 s | acknowledged at 12 s, after an expiry and a redelivery |
/// | b | 9 s | 11 s | exhausted at 15 s, after a nak and a redelivery |
/// | c | 13 s | 14 s | acknowledged at 14 s |
/// | d | 16 s | 18 s | cut off |
/// | e | 19 s | never | cut off |
fn steps() -> Vec<(u64, MessageStep)> {
    vec![
        (6_000, MessageStep::Stored),
        (8_000, delivered(2_000)),
        (9_000, MessageStep::Stored),
        (10_000, MessageStep::Expired),
        (10_000, MessageStep::Redelivered),
        (11_000, delivered(2_000)),
        (12_000, acknowledged(6_000, 4_000)),
        (13_000, MessageStep::Stored),
        (13_000, MessageStep::Repeated),
        (13_500, MessageStep::Naked),
        (13_500, MessageStep::Redelivered),
        (14_000, delivered(1_000)),
        (14_000, acknowledged(1_000, 0)),
        (15_000, exhausted(6_000, 4_000)),
        (16_000, MessageStep::Stored),
        (18_000, delivered(2_000)),
        (19_000, MessageStep::Stored),
    ]
}

/// What the end of the run makes of the last two.
fn ends() -> [MessageStep; 2] {
    [cut_delivered(10_000, 8_000), cut_pending(7_000)]
}

fn feed(steps: &[(u64, MessageStep)], ends: &[MessageStep]) -> Feed {
    let mut feed = Feed::new(model());
    for (millis, step) in steps {
        if *step == MessageStep::Stored {
            feed.published(*millis, AUDIT, true);
        }
        feed.message(*millis, INDEXER, *step);
    }
    feed.load_ends(20_000);
    for step in ends {
        feed.message(26_000, INDEXER, *step);
    }
    feed
}

fn indexer(feed: &Feed) -> &ConsumerMeter {
    &feed.measure.consumers()[INDEXER.index()]
}

#[test]
fn counts_are_those_of_the_run_and_of_the_window() {
    let mut feed = feed(&steps(), &ends());
    feed.finish(26_000).unwrap();
    let run = MessageCounts {
        stored: 5,
        delivered: 4,
        redelivered: 2,
        expired: 1,
        naks: 1,
        acknowledged: 2,
        repeated: 1,
        exhausted: 1,
        cut_pending: 1,
        cut_delivered: 1,
    };
    assert_eq!(indexer(&feed).messages(), run);
    let window = MessageCounts {
        stored: 3,
        delivered: 3,
        cut_pending: 0,
        cut_delivered: 0,
        ..run
    };
    assert_eq!(indexer(&feed).window_messages(), window);
    let mailer = &feed.measure.consumers()[MAILER.index()];
    assert_eq!(mailer.messages(), MessageCounts::default());
}

#[test]
fn integrals_and_peaks_are_those_of_the_window() {
    let mut feed = feed(&steps(), &ends());
    feed.finish(26_000).unwrap();
    // Pending: b 10-11, c 13-14, d 16-18, e 19-20. Ack-pending: a 10-12, b 11-15, d 18-20.
    let areas = BacklogAreas {
        pending: 5 * SECOND,
        ack_pending: 8 * SECOND,
    };
    assert_eq!(indexer(&feed).window_areas(), areas);
    let peaks = indexer(&feed).peaks();
    assert_eq!(peaks.total, 2);
    let most = Backlog {
        pending: 1,
        ack_pending: 2,
    };
    assert_eq!(peaks.each, most);
    let one_each = Backlog {
        pending: 1,
        ack_pending: 1,
    };
    assert_eq!(indexer(&feed).window_backlogs(), Some((one_each, one_each)));
}

#[test]
fn peaks_forget_what_was_before_and_after_the_window() {
    let mut feed = Feed::new(model());
    for millis in 0..7 {
        feed.published(millis, AUDIT, true);
        feed.message(millis, INDEXER, MessageStep::Stored);
    }
    for millis in 10..16 {
        feed.message(millis, INDEXER, delivered(10));
    }
    for millis in 20..26 {
        feed.message(millis, INDEXER, acknowledged(20, 10));
    }
    feed.load_ends(20_000);
    for millis in [21_000, 22_000] {
        feed.published(millis, AUDIT, true);
        feed.message(millis, INDEXER, MessageStep::Stored);
    }
    let peaks = indexer(&feed).peaks();
    assert_eq!((peaks.total, peaks.each.pending), (1, 1));
    assert_eq!(peaks.each.ack_pending, 0);
}

#[test]
fn times_are_of_the_messages_stored_within_the_window() {
    let mut feed = feed(&steps(), &ends());
    feed.finish(26_000).unwrap();
    let meter = indexer(&feed);
    // c, d and e: 1 s, 2 s, and 7 s that were cut off.
    assert_eq!((meter.waits().count(), meter.censored_waits()), (3, 1));
    assert_eq!(meter.waits().sum_nanos(), 10 * SECOND);
    // c was acknowledged after 1 s, d was cut off at 10 s and e at 7 s.
    assert_eq!((meter.ages().count(), meter.censored_ages()), (3, 2));
    assert_eq!(meter.ages().sum_nanos(), 18 * SECOND);
    assert_eq!(meter.ages().min(), Some(Span::from_secs(1)));
}

#[test]
fn an_exhausted_message_has_a_censored_age() {
    let mut feed = Feed::new(model());
    feed.published(11_000, AUDIT, true);
    feed.message(11_000, INDEXER, MessageStep::Stored);
    feed.message(12_000, INDEXER, delivered(1_000));
    feed.message(15_000, INDEXER, exhausted(4_000, 3_000));
    feed.load_ends(20_000);
    feed.finish(20_000).unwrap();
    let meter = indexer(&feed);
    assert_eq!((meter.ages().count(), meter.censored_ages()), (1, 1));
    assert_eq!((meter.waits().count(), meter.censored_waits()), (1, 0));
}

#[test]
fn publications_are_counted_with_their_duplicates() {
    let mut feed = Feed::new(model());
    for (millis, stored) in [
        (9_999, true),
        (10_000, true),
        (15_000, false),
        (20_000, true),
    ] {
        feed.published(millis, AUDIT, stored);
    }
    feed.load_ends(20_000);
    feed.published(20_001, AUDIT, false);
    feed.finish(30_000).unwrap();
    let [audit, dead] = feed.measure.streams() else {
        panic!("two streams");
    };
    let counts = |stored, duplicates| Publications { stored, duplicates };
    assert_eq!(audit.publications(), counts(3, 2));
    assert_eq!(audit.window_publications(), counts(2, 1));
    assert_eq!(audit.window_publications().published(), 3);
    assert_eq!(dead.publications(), Publications::default());
}

/// What `finish` says of a run.
fn complaint(mut feed: Feed) -> String {
    match feed.finish(26_000) {
        Ok(()) => "nothing".to_owned(),
        Err(imbalance) => imbalance.to_string(),
    }
}

#[test]
fn every_broken_identity_is_found() {
    let spoilt = |spoil: fn(&mut Vec<(u64, MessageStep)>, &mut Vec<MessageStep>)| {
        let (mut steps, mut ends) = (steps(), ends().to_vec());
        spoil(&mut steps, &mut ends);
        complaint(feed(&steps, &ends))
    };
    assert_eq!(spoilt(|_, _| {}), "nothing");
    let cases = [
        ("messages stored", spoilt(|_, ends| _ = ends.pop())),
        ("messages delivered", spoilt(|_, ends| _ = ends.remove(0))),
        (
            "pending integral",
            spoilt(|_, ends| ends[1] = cut_pending(6_999)),
        ),
        (
            "ack-pending integral",
            spoilt(|_, ends| ends[0] = cut_delivered(10_000, 7_999)),
        ),
        (
            "backlog integral",
            spoilt(|_, ends| ends[0] = cut_delivered(10_001, 8_000)),
        ),
        (
            "backlog integral",
            spoilt(|steps, _| steps[6].1 = acknowledged(5_999, 4_000)),
        ),
    ];
    for (what, said) in cases {
        let expected = format!("the ledger does not balance: {what} of consumer audit/indexer");
        assert!(said.starts_with(&expected), "{what}: {said}");
    }
}

#[test]
fn a_message_that_its_stream_did_not_store_is_found() {
    let mut feed = Feed::new(model());
    feed.published(1_000, AUDIT, false);
    feed.message(1_000, INDEXER, MessageStep::Stored);
    feed.load_ends(20_000);
    feed.message(26_000, INDEXER, cut_pending(25_000));
    assert_eq!(
        complaint(feed),
        "the ledger does not balance: messages of consumer audit/indexer is 1, but those of them that the stream \
         stored is 0"
    );
}

/// What the peak was, and when it was reached and gone, in milliseconds.
fn peak(steps: &[(u64, MessageStep)], ends: &[MessageStep]) -> (u64, u64, Option<u64>) {
    let feed = feed(steps, ends);
    let meter = &feed.measure.consumers()[INDEXER.index()];
    let millis = |at: Time| at.as_nanos() / 1_000_000;
    let peaks = meter.peaks();
    (peaks.total, millis(peaks.at), meter.gone().map(millis))
}

#[test]
fn a_backlog_is_gone_when_it_is_first_empty_after_its_peak() {
    // The two that were there when the window began are gone at 15 s; the two after them are no larger a peak.
    assert_eq!(peak(&steps(), &ends()), (2, 10_000, Some(15_000)));
    let burst = |acknowledged_at: [u64; 3]| {
        let mut steps: Vec<_> = [11_000; 3].map(|at| (at, MessageStep::Stored)).to_vec();
        for at in acknowledged_at {
            steps.push((at, delivered(at - 11_000)));
            steps.push((at, acknowledged(at - 11_000, 0)));
        }
        steps
    };
    let drained = burst([12_000, 13_000, 14_000]);
    assert_eq!(peak(&drained, &[]), (3, 11_000, Some(14_000)));
    // Cut off by the end of the run, it is not gone.
    let short = &burst([12_000, 13_000, 14_000])[..7];
    assert_eq!(peak(short, &[cut_pending(15_000)]), (3, 11_000, None));
}
