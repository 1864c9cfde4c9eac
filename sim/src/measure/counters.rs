//! Log-linear counters: where a time is counted, to a given number of binary digits.
//!
//! Times below `2^BITS` have a counter each; from there on every power of two is cut into `2^BITS` steps, so that times of one
//! counter differ by less than one part in `2^BITS`. This is the layout of an HdrHistogram (Tene 2012). The position of a time
//! is computed in a handful of instructions, without a look at the counters.

/// How many counters there are for all times.
pub(super) const fn number<const BITS: u32>() -> usize {
    ((u64::BITS - BITS + 1) as usize) << BITS
}

/// The counter of a time in nanoseconds.
#[inline(always)]
pub(super) fn position<const BITS: u32>(nanos: u64) -> usize {
    let shift = (nanos | 1 << BITS).ilog2() - BITS;
    ((shift as usize) << BITS) + (nanos >> shift) as usize
}

/// The shortest time of a counter.
pub(super) fn shortest<const BITS: u32>(position: usize) -> u64 {
    let (steps, shift) = steps::<BITS>(position);
    steps << shift
}

/// The longest time of a counter.
pub(super) fn longest<const BITS: u32>(position: usize) -> u64 {
    let (steps, shift) = steps::<BITS>(position);
    // The last counter ends with the largest number of all, one below 2^64.
    ((u128::from(steps + 1) << shift) - 1) as u64
}

/// A counter's first time as a number of steps, and the length of a step as a power of two.
fn steps<const BITS: u32>(position: usize) -> (u64, usize) {
    let shift = (position >> BITS).saturating_sub(1);
    ((position - (shift << BITS)) as u64, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell_times_apart<const BITS: u32>() {
        let powers = (0..64).flat_map(|power| {
            let nanos = 1u64 << power;
            [nanos - 1, nanos, nanos + 1, nanos + nanos / 3]
        });
        let mut last = None;
        for nanos in powers.chain([u64::MAX]) {
            let at = position::<BITS>(nanos);
            let (shortest, longest) = (shortest::<BITS>(at), longest::<BITS>(at));
            assert!(shortest <= nanos && nanos <= longest, "{nanos}");
            assert!(longest - shortest <= nanos >> BITS, "{nanos}");
            assert_eq!(position::<BITS>(shortest), at, "{nanos}");
            assert_eq!(position::<BITS>(longest), at, "{nanos}");
            if longest < u64::MAX {
                assert_eq!(position::<BITS>(longest + 1), at + 1, "{nanos}");
            }
            last = Some(at);
        }
        assert_eq!(last, Some(number::<BITS>() - 1));
    }

    #[test]
    fn counters_follow_one_another_and_tell_times_apart() {
        tell_times_apart::<7>();
        tell_times_apart::<10>();
    }
}
