//! Numbers that go up and down over time, and their integrals.

use crate::time::Time;

/// The integral over time of a number that goes up and down by one.
///
/// It is kept as the sum of the instants of the steps, downwards ones positive: up to `t` the integral is
/// that sum plus `t` times the number. A step costs one addition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Level {
    /// The number now.
    pub(super) number: u64,
    instants: i128,
}

impl Level {
    #[inline]
    pub(super) fn up(&mut self, now: Time) {
        self.number += 1;
        self.instants -= i128::from(now.as_nanos());
    }

    #[inline]
    pub(super) fn down(&mut self, now: Time) {
        self.number -= 1;
        self.instants += i128::from(now.as_nanos());
    }

    /// The integral up to `now`, in nanoseconds times the unit of the number.
    pub(super) fn integral(&self, now: Time) -> u128 {
        let area = self.instants + i128::from(now.as_nanos()) * i128::from(self.number);
        // Never negative: every step down comes after its step up.
        area.unsigned_abs()
    }
}
