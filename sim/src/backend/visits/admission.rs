//! Admission to a service: a token bucket and a limit on the number present.

use crate::model::{Admission, TokenBucket};
use crate::time::Time;

/// The gate of a service.
///
/// The bucket is kept as the time at which it would be full again (the theoretical arrival time of the generic
/// cell rate algorithm, ITU-T I.371): exact in whole nanoseconds, with no refill to schedule.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    tokens: Option<TokenBucket>,
    in_flight: u32,
    full_at: u64,
}

impl Gate {
    pub(super) fn new(admission: &Admission) -> Gate {
        Gate {
            tokens: admission.tokens,
            in_flight: admission
                .in_flight
                .map_or(u32::MAX, std::num::NonZeroU32::get),
            full_at: 0,
        }
    }

    /// Whether a visit is let in now that `present` are there; it takes its token.
    pub(super) fn admits(&mut self, now: Time, present: u32) -> bool {
        if present >= self.in_flight {
            return false;
        }
        let Some(TokenBucket { period, burst }) = self.tokens else {
            return true;
        };
        let (now, period) = (now.as_nanos(), period.as_nanos());
        let full_at = self.full_at.max(now).saturating_add(period);
        // With `burst` tokens taken the bucket is empty, and full again after as many periods.
        if full_at - now > period.saturating_mul(u64::from(burst.get())) {
            return false;
        }
        self.full_at = full_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::Gate;
    use crate::model::{Admission, TokenBucket};
    use crate::time::{Span, Time};

    fn gate(period: u64, burst: u32, in_flight: Option<u32>) -> Gate {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Gate::new(&Admission {
            tokens: Some(TokenBucket {
                period: Span::from_nanos(period),
                burst,
            }),
            in_flight: in_flight.and_then(NonZeroU32::new),
        })
    }

    #[test]
    fn a_full_bucket_admits_its_burst_and_then_one_per_period() {
        let mut gate = gate(10, 3, None);
        let admitted: Vec<u64> = (0..40)
            .filter(|&at| gate.admits(Time::from_nanos(at), 0))
            .collect();
        assert_eq!(admitted, [0, 1, 2, 10, 20, 30]);
    }

    #[test]
    fn an_idle_bucket_fills_up_to_its_burst_and_not_beyond() {
        let mut gate = gate(10, 2, None);
        let at = Time::from_nanos(1_000_000);
        assert_eq!((0..5).filter(|_| gate.admits(at, 0)).count(), 2);
    }

    #[test]
    fn who_is_refused_for_the_number_present_takes_no_token() {
        let mut gate = gate(10, 1, Some(4));
        assert!(!gate.admits(Time::ZERO, 4));
        assert!(gate.admits(Time::ZERO, 3));
        assert!(!gate.admits(Time::ZERO, 3));
    }
}
