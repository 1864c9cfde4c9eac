//! The future-event list beside the heap of the standard library, in the hold model (Jones 1986): take the
//! earliest entry and push it back an exponential time later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Instant;

use blis_sim::dist::Dist;
use blis_sim::engine::Calendar;
use blis_sim::random::{Key, Kind, Purpose};
use blis_sim::time::{Span, Time};

/// Entries taken in one timed run.
const HOLDS: u64 = 4_000_000;
/// Increments drawn beforehand, so that the lists are timed and not the sampler.
const INCREMENTS: usize = 1 << 16;

/// Nanoseconds per hold of the calendar and of the heap with so many entries.
pub fn compare(entries: u32) -> (f64, f64) {
    let increments = increments();
    let start_at = |entry: u32| increments[entry as usize % INCREMENTS];
    let mut calendar = Calendar::new();
    let mut heap = BinaryHeap::new();
    for entry in 0..entries {
        let at = Time::ZERO + start_at(entry);
        calendar.push(at, entry);
        heap.push(Reverse((at, u64::from(entry), entry)));
    }

    let start = Instant::now();
    for hold in 0..HOLDS {
        let Some((now, entry)) = calendar.pop() else {
            break;
        };
        calendar.push(now + increments[hold as usize % INCREMENTS], entry);
    }
    let by_calendar = start.elapsed();

    let mut order = u64::from(entries);
    let start = Instant::now();
    for hold in 0..HOLDS {
        let Some(Reverse((now, _, entry))) = heap.pop() else {
            break;
        };
        order += 1;
        heap.push(Reverse((
            now + increments[hold as usize % INCREMENTS],
            order,
            entry,
        )));
    }
    let by_heap = start.elapsed();

    // Both have done the same: what comes next is the same.
    let next = heap.peek().map(|Reverse((at, _, entry))| (*at, *entry));
    assert_eq!(calendar.pop(), next);
    black_box(&heap);
    let per_hold = |elapsed: std::time::Duration| elapsed.as_nanos() as f64 / HOLDS as f64;
    (per_hold(by_calendar), per_hold(by_heap))
}

fn increments() -> Vec<Span> {
    let exponential = Dist::exponential(5e8).unwrap_or_else(|error| panic!("{error}"));
    let key = Key::new(1, Kind::Client, "hold", Purpose::Think);
    (0..INCREMENTS as u64)
        .map(|nth| exponential.sample_span(&mut key.draw(0, nth)))
        .collect()
}
