//! The calendar against a binary heap over (time, sequence number).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use blis_sim::engine::Calendar;
use blis_sim::time::Time;
use proptest::prelude::*;

use crate::cases;

/// Where a pushed entry lies. Everything is at or after the last entry taken, the earliest time a calendar allows.
#[derive(Debug, Clone, Copy)]
enum At {
    /// So many nanoseconds after the last entry taken.
    After(u64),
    /// Later by 2 to this power.
    Octave(u8),
    /// At this share, in 256ths, of the way from the last entry taken to the next one due, which is looked at first.
    BeforeNext(u8),
    /// So many nanoseconds before the end of the clock; 0 is the end itself, which never comes.
    BeforeNever(u64),
}

#[derive(Debug, Clone)]
enum Op {
    Push(At),
    /// Many entries, each so many nanoseconds after the one before.
    Burst {
        at: At,
        count: u16,
        apart: u64,
    },
    /// Many entries with times before the next one due, in no order.
    Scatter {
        count: u16,
        stride: u64,
    },
    Peek,
    Pop(u16),
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![
        3 => (0u64..3).prop_map(At::After),
        3 => (0u64..200).prop_map(At::After),
        3 => (0u64..20).prop_map(|millis| At::After(millis * 1_000_000)),
        3 => (0u8..63).prop_map(At::Octave),
        3 => any::<u8>().prop_map(At::BeforeNext),
        1 => (0u64..1000).prop_map(At::BeforeNever),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => at().prop_map(Op::Push),
        2 => (at(), 1u16..400, prop_oneof![Just(0u64), 0u64..1000, Just(1_000_000)])
            .prop_map(|(at, count, apart)| Op::Burst { at, count, apart }),
        2 => (1u16..400, any::<u64>()).prop_map(|(count, stride)| Op::Scatter { count, stride }),
        2 => Just(Op::Peek),
        4 => (1u16..300).prop_map(Op::Pop),
    ]
}

/// The calendar and its oracle, side by side.
#[derive(Default)]
struct Pair {
    calendar: Calendar<u32>,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    pushed: u32,
    taken: u64,
}

impl Pair {
    fn next(&self) -> u64 {
        self.heap
            .peek()
            .map_or(u64::MAX, |Reverse((time, _))| *time)
    }

    fn peek(&mut self) {
        assert_eq!(self.calendar.next_time().as_nanos(), self.next());
    }

    fn time(&mut self, at: At) -> u64 {
        match at {
            At::After(nanos) => self.taken.saturating_add(nanos),
            At::Octave(power) => self.taken.saturating_add(1 << power),
            At::BeforeNext(share) => {
                self.peek();
                let gap = u128::from(self.next() - self.taken);
                self.taken + (gap * u128::from(share) / 256) as u64
            }
            At::BeforeNever(nanos) => (u64::MAX - nanos).max(self.taken),
        }
    }

    fn push(&mut self, time: u64) {
        self.calendar.push(Time::from_nanos(time), self.pushed);
        if time != u64::MAX {
            self.heap.push(Reverse((time, self.pushed)));
        }
        self.pushed += 1;
    }

    fn pop(&mut self) -> bool {
        let expected = self.heap.pop().map(|Reverse(entry)| entry);
        let got = self
            .calendar
            .pop()
            .map(|(time, item)| (time.as_nanos(), item));
        assert_eq!(got, expected, "(time, sequence number) of the entry taken");
        self.taken = expected.map_or(self.taken, |(time, _)| time);
        expected.is_some()
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Push(at) => {
                let time = self.time(at);
                self.push(time);
            }
            Op::Burst { at, count, apart } => {
                let first = self.time(at);
                (0..u64::from(count)).for_each(|k| self.push(first.saturating_add(k * apart)));
            }
            Op::Scatter { count, stride } => {
                self.peek();
                let gap = (self.next() - self.taken).max(1);
                let from = self.taken;
                (0..u64::from(count)).for_each(|k| self.push(from + k.wrapping_mul(stride) % gap));
            }
            Op::Peek => self.peek(),
            Op::Pop(count) => {
                for _ in 0..count {
                    self.pop();
                }
            }
        }
        assert_eq!(self.calendar.len(), self.heap.len());
        assert_eq!(self.calendar.is_empty(), self.heap.is_empty());
    }
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn entries_come_by_time_and_then_in_the_order_of_pushing(ops in prop::collection::vec(op(), 1..60)) {
        let mut pair = Pair::default();
        ops.iter().for_each(|op| pair.apply(op));
        while pair.pop() {}
    }
}

/// A hundred thousand entries of one instant, some of them pushed while others are taken.
#[test]
fn a_massive_tie_keeps_the_order_of_pushing() {
    let mut pair = Pair::default();
    (0..100_000).for_each(|_| pair.push(1_000_000));
    for _ in 0..50_000 {
        pair.pop();
        pair.push(1_000_000);
    }
    while pair.pop() {}
}

/// Many entries before one that was already looked at: its place must not hide theirs.
#[test]
fn a_burst_before_a_peeked_entry_comes_first() {
    for count in [100, 300, 5_000] {
        let mut pair = Pair::default();
        pair.push(1_000_000_000_000);
        pair.peek();
        (0..count).for_each(|k| pair.push(5 + k * 7919 % 1_000_003));
        while pair.pop() {}
    }
}

/// The course of a simulation: a steady population, each entry taken pushes another one.
#[test]
fn a_steady_population_is_handed_out_in_order() {
    for spread in [1, 64, 1_000, 1_000_000, 500_000_000, 1 << 50] {
        let mut pair = Pair::default();
        let mut state = 7u64;
        let mut random = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % spread
        };
        (0..2_000).for_each(|_| pair.push(random()));
        for _ in 0..20_000 {
            pair.peek();
            pair.pop();
            pair.push(pair.taken + random());
        }
        while pair.pop() {}
    }
}
