//! The member of a queue group with the fewest requests present, found without a look at every member.
//!
//! The numbers are the leaves of a binary tree, and every node above holds the smaller of its two. An arrival or departure
//! changes the nodes above its member; the least loaded member is found on one way down, to the left if both sides are equal:
//! the first of equals.

/// The number of a member that is gone: larger than any.
const GONE: u32 = u32::MAX;

/// Requests present, by member.
#[derive(Debug, Clone)]
pub(super) struct Loads {
    /// The root at 1, the children of node `n` at `2n` and `2n + 1`, the members at `leaves` and after.
    least: Vec<u32>,
    leaves: usize,
    /// Nodes that were looked at.
    #[cfg(test)]
    looks: std::cell::Cell<u64>,
}

impl Loads {
    /// This many members with nobody present.
    pub(super) fn new(members: u32) -> Loads {
        let leaves = (members as usize).next_power_of_two();
        let mut least = vec![0; 2 * leaves];
        // Places that no member has are gone for good, and so are all of whose leaves that is true.
        least[leaves + members as usize..].fill(GONE);
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Loads {
            least,
            leaves,
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        }
    }

    fn look(&self) {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
    }

    /// A request comes to a member.
    pub(super) fn enter(&mut self, member: u32) {
        let now = self.least[self.leaves + member as usize];
        if now != GONE {
            self.set(member, now + 1);
        }
    }

    /// A request goes from a member.
    pub(super) fn leave(&mut self, member: u32) {
        let now = self.least[self.leaves + member as usize];
        if now != GONE {
            self.set(member, now - 1);
        }
    }

    /// A member is gone: nobody is sent to it.
    pub(super) fn lose(&mut self, member: u32) {
        self.set(member, GONE);
    }

    /// A member is there again, with this many requests.
    pub(super) fn come_back(&mut self, member: u32, present: u64) {
        let present = u32::try_from(present).unwrap_or(GONE);
        self.set(member, present.min(GONE - 1));
    }

    fn set(&mut self, member: u32, present: u32) {
        let mut node = self.leaves + member as usize;
        let mut least = present;
        while self.least[node] != least {
            self.least[node] = least;
            self.look();
            if node == 1 {
                return;
            }
            least = least.min(self.least[node ^ 1]);
            node /= 2;
        }
    }

    /// The member with the fewest requests, the first of equals; `None` when all are gone.
    pub(super) fn least(&self) -> Option<u32> {
        let fewest = self.least[1];
        if fewest == GONE {
            return None;
        }
        let mut node = 1;
        while node < self.leaves {
            self.look();
            node *= 2;
            node += usize::from(self.least[node] != fewest);
        }
        Some((node - self.leaves) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::Loads;
    use crate::random::{Key, Kind, Purpose};

    /// The same by looking at every member.
    fn scanned(loads: &[Option<u32>]) -> Option<u32> {
        let there = (0u32..)
            .zip(loads)
            .filter_map(|(n, load)| Some((n, (*load)?)));
        there.min_by_key(|(_, load)| *load).map(|(n, _)| n)
    }

    #[test]
    fn it_finds_what_a_look_at_every_member_finds() {
        let key = Key::new(3, Kind::Service, "group", Purpose::Member);
        for members in [1u32, 2, 3, 4, 5, 7, 8, 9, 31, 33] {
            let mut loads = Loads::new(members);
            let mut plain = vec![Some(0u32); members as usize];
            for step in 0..3000 {
                let mut draw = key.draw(u64::from(members), step);
                let member = draw.below(u64::from(members)) as u32;
                let here = &mut plain[member as usize];
                match (draw.below(20), *here) {
                    (0, Some(_)) => {
                        loads.lose(member);
                        *here = None;
                    }
                    (_, None) => {
                        // Whoever is there when the member comes back.
                        let present = draw.below(4) as u32;
                        loads.come_back(member, u64::from(present));
                        *here = Some(present);
                    }
                    (1..=9, Some(load)) if load > 0 => {
                        loads.leave(member);
                        *here = Some(load - 1);
                    }
                    (_, Some(_)) => {
                        let least = loads.least();
                        assert_eq!(least, scanned(&plain), "{members} members: {plain:?}");
                        if let Some(least) = least {
                            loads.enter(least);
                            plain[least as usize] = plain[least as usize].map(|load| load + 1);
                        }
                    }
                }
            }
            (0..members).for_each(|member| loads.lose(member));
            assert_eq!(loads.least(), None);
        }
    }
    #[test]
    fn a_visit_looks_at_few_of_a_million_members() {
        const MEMBERS: u32 = 1_000_000;
        const VISITS: u64 = 20_000;
        let mut loads = Loads::new(MEMBERS);
        for visit in 0..VISITS {
            let least = loads.least().expect("a member is there");
            // All are idle: the first is taken, and the one before it comes free.
            assert_eq!(least, (visit % 2) as u32);
            loads.enter(least);
            if visit > 0 {
                loads.leave(1 - least);
            }
        }
        // On the way down, up from who comes and up from who goes: 20 levels each.
        assert!(
            loads.looks.get() <= VISITS * 3 * 21,
            "{}",
            loads.looks.get()
        );
    }
}
