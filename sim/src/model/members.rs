//! The members of a queue group.

use std::num::NonZeroU32;

/// Members that are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberKind {
    /// How many they are.
    pub count: NonZeroU32,
    /// Workers of each: how many requests it serves at a time.
    pub workers: NonZeroU32,
    /// What service times are divided by; positive.
    pub speed: f64,
}

/// All members of a queue group, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Members {
    /// Never empty; neighbours differ.
    kinds: Vec<MemberKind>,
    count: u32,
    workers: u64,
    pace: f64,
    inverse: f64,
}

impl Members {
    /// This many members with this many workers each, at the speed of 1.
    pub fn alike(count: NonZeroU32, workers: NonZeroU32) -> Members {
        let speed = 1.0;
        let kind = MemberKind {
            count,
            workers,
            speed,
        };
        Members::new(kind, [])
    }

    /// Members of several kinds, the first of which is given apart since there is one at least.
    pub fn new(first: MemberKind, rest: impl IntoIterator<Item = MemberKind>) -> Members {
        let mut kinds = vec![first];
        let mut last = 0;
        for kind in rest {
            let before: &mut MemberKind = &mut kinds[last];
            if (before.workers, before.speed) == (kind.workers, kind.speed) {
                before.count = before.count.saturating_add(kind.count.get());
            } else {
                kinds.push(kind);
                last += 1;
            }
        }
        let sum = |of: fn(&MemberKind) -> f64| kinds.iter().map(of).sum::<f64>();
        let workers =
            |kind: &MemberKind| u64::from(kind.count.get()) * u64::from(kind.workers.get());
        Members {
            count: kinds
                .iter()
                .fold(0, |all: u32, kind| all.saturating_add(kind.count.get())),
            workers: kinds
                .iter()
                .fold(0, |all: u64, kind| all.saturating_add(workers(kind))),
            pace: sum(|kind| f64::from(kind.count.get()) * kind.pace()),
            inverse: sum(|kind| f64::from(kind.count.get()) / kind.speed),
            kinds,
        }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Workers of all of them.
    pub fn workers(&self) -> u64 {
        self.workers
    }

    /// Runs of members that are alike.
    pub fn kinds(&self) -> &[MemberKind] {
        &self.kinds
    }

    /// Every member, one after another, as its kind.
    pub fn each(&self) -> impl Iterator<Item = MemberKind> {
        self.kinds
            .iter()
            .flat_map(|kind| std::iter::repeat_n(*kind, kind.count.get() as usize))
    }

    /// Workers of the member that has the fewest.
    pub fn fewest_workers(&self) -> NonZeroU32 {
        self.kinds
            .iter()
            .map(|kind| kind.workers)
            .min()
            .unwrap_or(NonZeroU32::MIN)
    }

    /// Workers of the member that has the most.
    pub fn most_workers(&self) -> NonZeroU32 {
        self.kinds
            .iter()
            .map(|kind| kind.workers)
            .max()
            .unwrap_or(NonZeroU32::MIN)
    }

    /// Whether all have the speed of 1.
    pub fn have_no_speed(&self) -> bool {
        self.kinds.iter().all(|kind| kind.speed == 1.0)
    }

    /// Whether all have the same speed.
    pub fn have_one_speed(&self) -> bool {
        self.kinds
            .iter()
            .all(|kind| kind.speed == self.kinds[0].speed)
    }

    /// Whether all have as many workers, at the speed of 1.
    pub fn are_plain(&self) -> bool {
        self.kinds.len() == 1 && self.have_no_speed()
    }

    /// What a member does of the work of all when all workers are busy.
    pub fn share(&self, member: u32) -> f64 {
        let mut first = 0;
        for kind in &self.kinds {
            first += kind.count.get();
            if member < first {
                return kind.pace() / self.pace;
            }
        }
        0.0
    }

    /// The largest of what service times are multiplied by.
    pub fn slowest(&self) -> f64 {
        let speeds = self.kinds.iter().map(|kind| kind.speed);
        1.0 / speeds.fold(f64::INFINITY, f64::min)
    }

    /// The mean of what service times are multiplied by, where each member has as many visits as any other.
    pub fn slowness_of_equal_shares(&self) -> f64 {
        match self.have_no_speed() {
            true => 1.0,
            false => self.inverse / f64::from(self.count),
        }
    }

    /// The mean of what service times are multiplied by, where each member has the visits that it can do.
    pub fn slowness_of_fair_shares(&self) -> f64 {
        match self.have_no_speed() {
            true => 1.0,
            false => self.workers as f64 / self.pace,
        }
    }
}

impl MemberKind {
    /// Seconds of work, as the spec says it, that one member does in a second.
    fn pace(&self) -> f64 {
        f64::from(self.workers.get()) * self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(count: u32, workers: u32, speed: f64) -> MemberKind {
        let whole = |number| NonZeroU32::new(number).expect("not 0");
        MemberKind {
            count: whole(count),
            workers: whole(workers),
            speed,
        }
    }

    #[test]
    fn neighbours_that_are_alike_are_one_kind() {
        let listed = Members::new(kind(1, 2, 1.0), [kind(3, 2, 1.0)]);
        let (count, workers) = (listed.kinds()[0].count, listed.kinds()[0].workers);
        assert_eq!(listed, Members::alike(count, workers));
        assert_eq!((listed.count(), listed.workers()), (4, 8));
        assert!(listed.are_plain());
        let apart = Members::new(kind(1, 2, 1.0), [kind(1, 2, 0.5), kind(1, 2, 1.0)]);
        assert_eq!(apart.kinds().len(), 3);
        assert!(!apart.are_plain() && !apart.have_one_speed());
    }

    #[test]
    fn shares_are_by_workers_and_speed() {
        let members = Members::new(kind(1, 1, 0.5), [kind(2, 2, 1.0)]);
        assert_eq!((members.count(), members.workers()), (3, 5));
        assert_eq!(members.share(0), 0.5 / 4.5);
        assert_eq!(members.share(2), 2.0 / 4.5);
        assert_eq!(members.slowness_of_equal_shares(), 4.0 / 3.0);
        assert_eq!(members.slowness_of_fair_shares(), 5.0 / 4.5);
        assert_eq!(members.each().count(), 3);
        assert_eq!(members.slowest(), 2.0);
        assert_eq!(
            (members.fewest_workers().get(), members.most_workers().get()),
            (1, 2)
        );
    }
}
