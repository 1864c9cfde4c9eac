//! The times at which a trial is checked for a decision.

use blis_sim::measure::Measure;
use blis_sim::time::{Span, Time};

use crate::generator::driver::LoadProgress;

/// What is known of a trial while it goes on.
#[derive(Debug)]
pub struct SoFar<'a> {
    /// What is measured; its books are open.
    pub measure: &'a Measure,
    /// The number of the look at it, from 1.
    pub look: u32,
    /// How many requests may still end, those in flight included.
    pub to_come: u64,
}

/// How many requests may still end in a load that has come so far and ends then: at most twice as many as it intends at the
/// rate so far, because what varies by more than that over time is its own load.
pub fn to_come(reached: LoadProgress, end: Time) -> u64 {
    let (now, end) = (reached.now.as_nanos().max(1), end.as_nanos());
    let left = u128::from(end.saturating_sub(now));
    let intended = 2 * u128::from(reached.intended) * left / u128::from(now);
    u64::try_from(intended)
        .unwrap_or(u64::MAX)
        .saturating_add(reached.in_flight as u64)
}

/// Requests that have ended when it is looked at first.
const FIRST: u64 = 100;

/// Looks at doubling sizes, from a quarter of the window on. Every look makes the tests of all later ones stricter, so that
/// looking often decides nothing by chance: there are few.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    from: Time,
    next: u64,
    number: u32,
}

impl Looks {
    /// Looks at a trial whose window begins and ends then.
    pub fn new(warmup: Time, end: Time) -> Looks {
        let quarter = Span::from_nanos(end.since(warmup.min(end)).as_nanos() / 4);
        Looks {
            from: warmup + quarter,
            next: FIRST,
            number: 0,
        }
    }

    /// The number of the look that is due with what is measured now, from 1.
    pub fn due(&mut self, now: Time, measure: &Measure) -> Option<u32> {
        match now < self.from {
            true => None,
            false => self.due_at(measure.total().window.requests.ended_total()),
        }
    }

    /// How many there were.
    pub fn made(&self) -> u32 {
        self.number
    }

    fn due_at(&mut self, ended: u64) -> Option<u32> {
        if ended < self.next {
            return None;
        }
        self.number += 1;
        self.next = ended.saturating_mul(2);
        Some(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_come_goes_by_the_rate_so_far_and_what_is_in_flight() {
        let seconds = |number: u64| Time::from_nanos(number * 1_000_000_000);
        let reached = |now| LoadProgress {
            now: seconds(now),
            intended: 400,
            in_flight: 7,
        };
        assert_eq!(to_come(reached(4), seconds(10)), 2 * 600 + 7);
        assert_eq!(to_come(reached(10), seconds(10)), 7);
        assert_eq!(to_come(reached(12), seconds(10)), 7);
    }

    #[test]
    fn looks_are_at_doubling_sizes() {
        let mut looks = Looks::new(Time::ZERO, Time::ZERO);
        let due: Vec<(u64, u32)> = (0..=2_000)
            .filter_map(|ended| Some((ended, looks.due_at(ended)?)))
            .collect();
        assert_eq!(due, [(100, 1), (200, 2), (400, 3), (800, 4), (1_600, 5)]);
        // Nobody looks in the first quarter of the window.
        let window = [1_000_000_000, 5_000_000_000].map(Time::from_nanos);
        let mut early = Looks::new(window[0], window[1]);
        assert_eq!(early.from, Time::from_nanos(2_000_000_000));
        early.next = 0;
        let text = "{blis: 1, name: a, run: {requests: 9}, actions: {ask: {path: [reply]}}, clients: {c: {rate: 1/s, do: ask}}}";
        let read = blis_sim::spec::read(text).expect("it reads");
        let nothing = Measure::new(&blis_sim::spec::lower(&read).expect("it lowers").model);
        let due =
            [1_900_000_000, 2_000_000_000].map(|now| early.due(Time::from_nanos(now), &nothing));
        assert_eq!(due, [None, Some(1)]);
        // Whoever looks late looks again when there is twice as much.
        let mut looks = Looks::new(Time::ZERO, Time::ZERO);
        let due = [150, 299, 300].map(|ended| looks.due_at(ended));
        assert_eq!(due, [Some(1), None, Some(2)]);
    }
}
