//! Reasons of failed requests, counted where requests end, so that the reasons of an outcome add up to its count.
//!
//! Timeouts and requests in flight at the end of the run have no reason besides their outcome. A reply to a request that has
//! already ended ends none, and counts for no reason.

use blis_sim::event::Outcome;
pub use blis_sim::event::Reason;

/// How a request ended: answered, or for this reason.
pub type Ending = Result<(), Reason>;

/// The outcome of an ending.
pub fn outcome_of(ending: Ending) -> Outcome {
    ending.map_or_else(Reason::outcome, |()| Outcome::Ok)
}

/// How many requests ended for each reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons([u64; Reason::ALL.len()]);

impl Reasons {
    /// Counts a request that ended.
    pub fn count(&mut self, ending: Ending) {
        if let Err(reason) = ending {
            self.0[reason as usize] += 1;
        }
    }

    /// How many ended for this reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// How many ended for a reason of this outcome.
    pub fn of_outcome(&self, outcome: Outcome) -> u64 {
        let reasons = Reason::ALL.into_iter();
        let of = reasons.filter(|reason| reason.outcome() == outcome);
        of.map(|reason| self.of(reason)).sum()
    }

    /// Those that are not zero.
    pub fn all(&self) -> impl Iterator<Item = (Reason, u64)> {
        let all = Reason::ALL
            .into_iter()
            .map(|reason| (reason, self.of(reason)));
        all.filter(|(_, number)| *number > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_place_and_a_name_of_its_own() {
        let mut names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place, "{reason:?}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn the_documents_list_every_reason() {
        let text = include_str!("../../../docs/reference/outcomes.md");
        let (_, section) = text.split_once("## Reasons").expect("a section");
        let row = |line: &'static str| line.strip_prefix("| `")?.strip_suffix(" |");
        let listed: Vec<(&str, &str)> = section
            .lines()
            .filter_map(row)
            .filter_map(|row| row.split_once("` | `"))
            .map(|(name, rest)| (name, rest.split('`').next().unwrap_or_default()))
            .collect();
        let all = Reason::ALL.map(|reason| (reason.name(), reason.outcome().name()));
        assert_eq!(listed, all);
    }
}
