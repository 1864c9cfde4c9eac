//! How many independent observations those of a run are worth that depend on one another.
//!
//! Response times of a queue come in bursts, so a share of them is known less well than the same share of independent
//! ones. n observations are worth n_eff = p (1 − p) / Var(p), with the variance of the share p between parts of the run.
//! A share over a limit that is seldom crossed has met few bursts, and where chance held them back both the share and its
//! variance come out too small. The same run is therefore also asked at lower thresholds, where it has met many, and the
//! least that any of these tells counts.

use super::interval::Interval;
use super::student::{SUREST, student_quantile};
use super::tails::Section;
use crate::dist::special_functions::normal_quantile;

/// Parts that must have observations over a threshold before their variance says anything.
const TELLING: usize = 10;

/// What each observation of a run is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effective {
    /// In independent ones; above 0, at most 1.
    each: f64,
    /// Degrees of freedom of the variance that this was found from; `None` where it was not.
    freedom: Option<u64>,
}

impl Effective {
    /// What observations are worth whose parts are these, at the limit and at lower thresholds, in any order. Parts are
    /// independent, or `chained` where they are successive ones of one run. Where neither the limit nor a threshold was
    /// crossed in enough parts, all observations of a part are worth one. `None` without observations.
    pub fn of(at_limit: &[Section], lower: &[Vec<Section>], chained: bool) -> Option<Effective> {
        let observations: u64 = at_limit.iter().map(|part| part.count).sum();
        if observations == 0 {
            return None;
        }
        let lower = lower.iter().map(Vec::as_slice);
        let told = [at_limit]
            .into_iter()
            .chain(lower)
            .filter_map(|parts| told(parts, chained));
        let least = told.min_by(|one, other| one.each.total_cmp(&other.each));
        let with_some = at_limit.iter().filter(|part| part.count > 0).count();
        Some(least.unwrap_or(Effective {
            each: with_some as f64 / observations as f64,
            freedom: None,
        }))
    }

    /// Whether that was found from how unlike the parts are, and is not what is left to assume without it.
    pub fn is_told(self) -> bool {
        self.freedom.is_some()
    }

    /// How many independent ones this many observations are worth.
    pub fn number(self, observations: u64) -> f64 {
        self.each * observations as f64
    }

    /// The same to be used at a level above 0.5: fewer where the variance is itself an estimate, by the square of
    /// z / t (Korn and Graubard 1998), and never less than 1.
    pub fn number_at(self, observations: u64, level: f64) -> f64 {
        let level = level.min(SUREST);
        let estimated = self.freedom.map_or(1.0, |freedom| {
            let ratio = normal_quantile(level) / student_quantile(freedom, level);
            ratio * ratio
        });
        (self.number(observations) * estimated).max(1.0)
    }
}

/// What these parts tell; `None` where too few of them have any above the threshold, or all observations are.
fn told(parts: &[Section], chained: bool) -> Option<Effective> {
    let crossed = parts.iter().filter(|part| part.above > 0).count();
    let pairs: Vec<(f64, f64)> = parts
        .iter()
        .map(|part| (part.above as f64, part.count as f64))
        .collect();
    let (above, count) = pairs
        .iter()
        .fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
    if crossed < TELLING || above >= count {
        return None;
    }
    let share = above / count;
    let variance = Interval::variance_of_ratio(&pairs, chained)?;
    let each = share * (1.0 - share) / variance / count;
    Some(Effective {
        // Parts that agree better than independent ones would are not worth more.
        each: each.min(1.0),
        freedom: Some(parts.len() as u64 - 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(of: &[(u64, u64)]) -> Vec<Section> {
        let section = |&(count, above): &(u64, u64)| Section { count, above };
        of.iter().map(section).collect()
    }

    #[test]
    fn bursts_are_worth_less_than_single_ones() {
        // By hand: shares 0 and 0.2 in turns, in 20 parts of 100: residuals ±10, the sum of squares 2000, times 20/19,
        // over 2000² is the variance; p (1 − p) = 0.09.
        let halves: Vec<(u64, u64)> = (0..20).map(|at| (100, 1 + 18 * (at % 2))).collect();
        let parts = sections(&halves);
        let effective = Effective::of(&parts, &[], false).expect("observations");
        let variance = 20.0 * 81.0 * 20.0 / 19.0 / 4_000_000.0;
        let exact = 0.09 / variance;
        assert!((effective.number(2000) - exact).abs() < 1e-9 * exact);
        // The level of one half is the median of both: there is nothing to correct.
        assert!(effective.number_at(2000, 0.95) < effective.number(2000));
        let few = sections(&halves[..12]);
        let few = Effective::of(&few, &[], false).expect("observations");
        let lost = |of: Effective| of.number(1000) / of.number_at(1000, 0.99);
        assert!(lost(few) > lost(effective));
    }

    #[test]
    fn parts_that_agree_are_worth_all_their_observations_and_no_more() {
        let parts = sections(&[(100, 3); 20]);
        let effective = Effective::of(&parts, &[], true).expect("observations");
        assert_eq!(effective.number(2000), 2000.0);
    }

    #[test]
    fn a_limit_that_is_seldom_crossed_is_told_from_lower_thresholds() {
        let mut seldom = vec![(100, 0); 20];
        seldom[3].1 = 5;
        let seldom = sections(&seldom);
        let alone = Effective::of(&seldom, &[], true).expect("observations");
        assert_eq!((alone.number(2000), alone.freedom), (20.0, None));
        let often: Vec<(u64, u64)> = (0..20).map(|at| (100, 20 + 10 * (at % 2))).collect();
        let often = sections(&often);
        let told = Effective::of(&seldom, &[seldom.clone(), often.clone()], true);
        let own = Effective::of(&often, &[], true);
        assert_eq!((told, told.is_some()), (own, true));
        // The least counts, whatever the order.
        let bursts: Vec<(u64, u64)> = (0..20).map(|at| (100, 1 + 18 * (at % 2))).collect();
        let bursts = sections(&bursts);
        let least = Effective::of(&bursts, &[], true);
        for lower in [[often.clone(), bursts.clone()], [bursts.clone(), often]] {
            assert_eq!(Effective::of(&seldom, &lower, true), least);
        }
    }

    #[test]
    fn what_never_varies_is_worth_as_many_as_there_are_parts() {
        let all = sections(&[(50, 50); 12]);
        let effective = Effective::of(&all, &[], true).expect("observations");
        assert_eq!(effective.number(600), 12.0);
        assert_eq!(Effective::of(&sections(&[(0, 0); 12]), &[], true), None);
        assert_eq!(Effective::of(&[], &[], true), None);
    }

    #[test]
    fn neighbours_that_are_alike_are_worth_less_where_parts_are_chained() {
        let waves: Vec<(u64, u64)> = (0..20).map(|at| (100, 5 + 10 * (at / 5 % 2))).collect();
        let waves = sections(&waves);
        let worth = |chained| {
            Effective::of(&waves, &[], chained)
                .expect("observations")
                .number(2000)
        };
        assert!(worth(true) < 0.5 * worth(false));
    }
}
