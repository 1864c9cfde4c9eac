//! When a trial is looked at whether it is decided.

use blis_sim::measure::Measure;

/// Requests that have ended when it is looked at first.
const FIRST: u64 = 100;

/// Looks at doubling sizes: as few as the logarithm of the requests, so that looking often decides nothing by chance.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    next: u64,
    number: u32,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks {
            next: FIRST,
            number: 0,
        }
    }
}

impl Looks {
    /// The number of the look that is due with what is measured now, from 1.
    pub fn due(&mut self, measure: &Measure) -> Option<u32> {
        self.due_at(measure.total().window.requests.ended_total())
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
    fn looks_are_at_doubling_sizes() {
        let mut looks = Looks::default();
        let due: Vec<(u64, u32)> = (0..=2_000)
            .filter_map(|ended| Some((ended, looks.due_at(ended)?)))
            .collect();
        assert_eq!(due, [(100, 1), (200, 2), (400, 3), (800, 4), (1_600, 5)]);
        // Whoever looks late looks again when there is twice as much.
        let mut looks = Looks::default();
        let due = [150, 299, 300].map(|ended| looks.due_at(ended));
        assert_eq!(due, [Some(1), None, Some(2)]);
    }
}
