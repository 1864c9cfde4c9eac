//! Fan-outs, worked out on paper.

use blis_sim::event::Emission;
use blis_sim::measure::{EmissionCounts, FanOutMeter};

use crate::feed::{Feed, ROOMS, at, model};

const MILLI: u128 = 1_000_000;

/// An emission whose deliveries come at these instants, of so many subscribers; those up to `in_time` come in time.
fn emission(emitted: u64, deliveries: &[u64], subscribers: u32, in_time: u32) -> Emission {
    Emission {
        intended: at(emitted - 100),
        emitted: at(emitted),
        subscribers,
        delivered: u32::try_from(deliveries.len()).unwrap(),
        in_time,
        first: deliveries.iter().min().copied().map(at),
        last: deliveries.iter().max().copied().map(at),
        cut: false,
    }
}

/// Feeds an emission: its deliveries are reported when it is emitted, and its end at `end`.
fn emit(feed: &mut Feed, deliveries: &[u64], end: u64, emission: Emission) {
    let emitted = emission.emitted.as_nanos() / 1_000_000;
    for due in deliveries {
        feed.delivery(emitted, ROOMS, *due, emitted, emitted - 100);
    }
    feed.emission(end, ROOMS, emission);
}

/// The window is from 10 s to 20 s, the run ends at 26 s.
fn feed() -> Feed {
    let mut feed = Feed::new(model());
    // Before the window.
    emit(&mut feed, &[9_010], 9_010, emission(9_000, &[9_010], 1, 1));
    // All of three; one of them late.
    let all = [12_020, 12_010, 12_500];
    emit(&mut feed, &all, 12_500, emission(12_000, &all, 3, 2));
    // One of two is lost.
    emit(
        &mut feed,
        &[13_040],
        13_040,
        emission(13_000, &[13_040], 2, 1),
    );
    // All are lost.
    emit(&mut feed, &[], 14_000, emission(14_000, &[], 4, 0));
    // Nobody listens.
    emit(&mut feed, &[], 15_000, emission(15_000, &[], 0, 0));
    // Cut off after one of three, and before any of two.
    let one = emission(19_000, &[19_030], 3, 1);
    feed.delivery(19_000, ROOMS, 19_030, 19_000, 18_900);
    feed.load_ends(20_000);
    feed.emission(26_000, ROOMS, Emission { cut: true, ..one });
    let none = emission(19_500, &[], 2, 0);
    feed.emission(26_000, ROOMS, Emission { cut: true, ..none });
    feed
}

fn rooms(feed: &Feed) -> &FanOutMeter {
    &feed.measure.fan_outs()[ROOMS.index()]
}

#[test]
fn counts_are_those_of_the_run_and_of_the_window() {
    let mut feed = feed();
    feed.finish(26_000).unwrap();
    let window = EmissionCounts {
        emissions: 6,
        subscribers: 14,
        deliveries: 5,
        delivered: 5,
        in_time: 4,
        lost: 5,
        cut_emissions: 2,
        cut_deliveries: 4,
    };
    assert_eq!(rooms(&feed).window_emissions(), window);
    assert_eq!(window.completion_ratio(), Some(4.0 / 14.0));
    let run = EmissionCounts {
        emissions: 7,
        subscribers: 15,
        deliveries: 6,
        delivered: 6,
        in_time: 5,
        ..window
    };
    assert_eq!(rooms(&feed).emissions(), run);
    let feeds = &feed.measure.fan_outs()[1];
    assert_eq!(feeds.emissions(), EmissionCounts::default());
    assert_eq!(feeds.emissions().completion_ratio(), None);
}

#[test]
fn times_count_from_the_intended_instant() {
    let mut feed = feed();
    feed.finish(26_000).unwrap();
    let meter = rooms(&feed);
    let figures = |times: &blis_sim::measure::CensoredTimes| {
        let sum = times.times.sum_nanos() / MILLI;
        (times.times.count(), sum, times.censored)
    };
    // 120, 110, 600, 140 and 130 ms; two cut off at 7100 ms and two at 6600 ms.
    assert_eq!(figures(meter.deliveries()), (9, 1_100 + 27_400, 4));
    // 110, 140 and 130 ms; one cut off at 6600 ms.
    assert_eq!(figures(meter.firsts()), (4, 380 + 6_600, 1));
    // 600 and 140 ms; cut off at 7100 ms and 6600 ms.
    assert_eq!(figures(meter.lasts()), (4, 740 + 13_700, 2));
}

#[test]
fn the_window_takes_an_emission_with_all_its_deliveries() {
    let mut feed = Feed::new(model());
    // Emitted before the window, delivered within it; emitted at its end, delivered after it.
    emit(
        &mut feed,
        &[10_500],
        10_500,
        emission(9_999, &[10_500], 1, 1),
    );
    feed.delivery(20_000, ROOMS, 20_001, 20_000, 19_900);
    feed.load_ends(20_000);
    feed.emission(20_001, ROOMS, emission(20_000, &[20_001], 1, 1));
    // Emitted after it by work that goes on.
    emit(
        &mut feed,
        &[20_900],
        20_900,
        emission(20_500, &[20_900], 1, 1),
    );
    feed.finish(26_000).unwrap();
    let counts = rooms(&feed).window_emissions();
    assert_eq!((counts.emissions, counts.deliveries), (1, 1));
    assert_eq!(rooms(&feed).deliveries().times.sum_nanos(), 101 * MILLI);
    assert_eq!(rooms(&feed).lasts().times.count(), 1);
}

#[test]
fn every_broken_identity_is_found() {
    let with = |spoil: fn(&mut Emission)| {
        let mut feed = Feed::new(model());
        let due = [12_010, 12_500];
        let mut spoilt = emission(12_000, &due, 3, 2);
        spoil(&mut spoilt);
        emit(&mut feed, &due, 12_500, spoilt);
        feed.load_ends(20_000);
        match feed.finish(26_000) {
            Ok(()) => "nothing".to_owned(),
            Err(imbalance) => imbalance.to_string(),
        }
    };
    assert_eq!(with(|_| {}), "nothing");
    let cases = [
        ("deliveries", with(|emission| emission.delivered = 3)),
        ("deliveries", with(|emission| emission.delivered = 1)),
        ("subscribers", with(|emission| emission.subscribers = 1)),
        ("deliveries in time", with(|emission| emission.in_time = 3)),
        (
            "the shortest time to a delivery",
            with(|emission| emission.first = Some(at(12_011))),
        ),
        (
            "the longest time to a delivery",
            with(|emission| emission.last = Some(at(12_499))),
        ),
        (
            "the shortest time to a delivery",
            with(|emission| emission.first = None),
        ),
    ];
    for (what, said) in cases {
        let expected = format!("the ledger does not balance: {what} of fan-out rooms");
        assert!(said.starts_with(&expected), "{what}: {said}");
    }
}
