//! A figure of one side, and the difference of two of them.

use crate::statistics::{LEVEL, student_quantile, student_two_sided};

/// From this many runs on, a figure is as exact as its spread between runs says.
pub const SPREAD_RUNS: usize = 3;

/// A figure that cannot be negative, with what is known of its error. Errors are those of its logarithm, to either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub figure: f64,
    /// Standard errors of its logarithm, downwards and upwards; `None` where nothing is known of them.
    errors: Option<[f64; 2]>,
    /// Degrees of freedom of these.
    freedom: u64,
}

impl Estimate {
    /// A figure with its interval at the level [`LEVEL`], which was made of this many samples.
    pub fn of(figure: f64, interval: Option<[f64; 2]>, samples: u64) -> Estimate {
        let freedom = samples.saturating_sub(1).max(1);
        let errors = interval.and_then(|[low, high]| {
            if low == figure && high == figure {
                return Some([0.0, 0.0]);
            }
            let quantile = student_quantile(freedom, 0.5 + LEVEL / 2.0);
            let [below, above] =
                [figure / low, high / figure].map(|factor| libm::log(factor) / quantile);
            let is_known = below.is_finite() && above.is_finite() && below >= 0.0 && above >= 0.0;
            is_known.then_some([below, above])
        });
        Estimate {
            figure,
            errors,
            freedom,
        }
    }

    /// The mean of a figure over several runs. From [`SPREAD_RUNS`] runs on its error is how much they differ; below, what each
    /// says of its own, so that what changes from run to run is not in it. `None` where there is no run.
    pub fn of_runs(runs: &[Estimate]) -> Option<Estimate> {
        let number = runs.len() as f64;
        let figure = runs.iter().map(|run| run.figure).sum::<f64>() / number;
        if runs.len() < 2 {
            return runs.first().copied();
        }
        if runs.len() >= SPREAD_RUNS {
            let squares: f64 = runs.iter().map(|run| (run.figure - figure).powi(2)).sum();
            let error = libm::sqrt(squares / (number - 1.0) / number) / figure;
            return Some(Estimate {
                figure,
                errors: error.is_finite().then_some([error, error]),
                freedom: runs.len() as u64 - 1,
            });
        }
        let all: Option<Vec<[f64; 2]>> = runs.iter().map(|run| run.errors).collect();
        let errors = all.map(|all| {
            [0, 1].map(|side| {
                let squares: f64 = all.iter().map(|errors| errors[side].powi(2)).sum();
                libm::sqrt(squares) / number
            })
        });
        Some(Estimate {
            figure,
            errors,
            freedom: runs
                .iter()
                .fold(0, |sum: u64, run| sum.saturating_add(run.freedom)),
        })
    }

    /// Its interval at the level [`LEVEL`].
    pub fn interval(&self) -> Option<[f64; 2]> {
        let [below, above] = factors(self.errors?, self.freedom);
        Some([self.figure / below, self.figure * above])
    }

    /// How `other` differs from this; `None` where no share of it can be told.
    pub fn difference(&self, other: &Estimate) -> Option<Difference> {
        let is_same = self.figure == other.figure;
        if !is_same && (self.figure <= 0.0 || other.figure < 0.0) {
            return None;
        }
        let ratio = match is_same {
            true => 1.0,
            false => other.figure / self.figure,
        };
        let relative = ratio - 1.0;
        let spread = self.spread(other);
        let interval = spread.map(|(errors, freedom)| {
            let [below, above] = factors(errors, freedom);
            [ratio / below - 1.0, ratio * above - 1.0]
        });
        let p = spread.map(|(errors, freedom)| {
            // Towards no difference.
            let error = errors[usize::from(relative < 0.0)];
            match error > 0.0 {
                true => student_two_sided(freedom, libm::log(ratio).abs() / error),
                false => 0.0,
            }
        });
        Some(Difference {
            relative,
            interval,
            p: if is_same { Some(1.0) } else { p },
        })
    }

    /// Standard errors of the logarithm of the ratio, downwards and upwards, and their degrees of freedom (Welch 1947).
    fn spread(&self, other: &Estimate) -> Option<([f64; 2], u64)> {
        let (own, others) = (self.errors?, other.errors?);
        // The ratio is lower where this is higher.
        let pairs = [[others[0], own[1]], [others[1], own[0]]];
        let errors = pairs.map(|[one, other]| libm::hypot(one, other));
        let larger = |pair: [f64; 2]| pair[0].max(pair[1]).powi(2);
        let (own, others) = (larger(own), larger(others));
        let of_each = own * own / self.freedom as f64 + others * others / other.freedom as f64;
        let freedom = match of_each > 0.0 {
            true => (own + others).powi(2) / of_each,
            false => self.freedom.min(other.freedom) as f64,
        };
        // A float-to-integer cast saturates; fewer degrees claim less.
        Some((errors, (freedom as u64).max(1)))
    }
}

/// How a figure of one side differs from that of the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// As a share of the first side's.
    pub relative: f64,
    /// Its interval at the level [`LEVEL`], for itself alone.
    pub interval: Option<[f64; 2]>,
    /// How probable so large a difference is by chance alone.
    pub p: Option<f64>,
}

/// How far a figure with such errors of its logarithm may be off, as factors downwards and upwards.
fn factors(errors: [f64; 2], freedom: u64) -> [f64; 2] {
    let quantile = student_quantile(freedom, 0.5 + LEVEL / 2.0);
    errors.map(|error| libm::exp(quantile * error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!(
            (left - right).abs() < 1e-9 * right.abs().max(1.0),
            "{left} is not {right}"
        );
    }

    #[test]
    fn an_interval_survives_the_way_through_its_errors() {
        let estimate = Estimate::of(10.0, Some([8.0, 12.0]), 20);
        let [low, high] = estimate.interval().expect("an interval");
        close(low, 8.0);
        close(high, 12.0);
        assert_eq!(Estimate::of(10.0, None, 20).interval(), None);
        assert_eq!(Estimate::of(10.0, Some([0.0, 12.0]), 20).interval(), None);
    }

    #[test]
    fn the_interval_of_a_difference_is_that_of_both_together() {
        let factor = libm::exp(0.1);
        let side = |figure: f64| Estimate::of(figure, Some([figure / factor, figure * factor]), 31);
        let found = side(10.0).difference(&side(12.0)).expect("a difference");
        close(found.relative, 0.2);
        let [low, high] = found.interval.expect("an interval");
        // Each has an error of 0.1 / t(30); together there are 60 degrees of freedom.
        let half = 0.1 / 2.042_272_456_301_24 * libm::sqrt(2.0) * student_quantile(60, 0.975);
        close(low, 1.2 / libm::exp(half) - 1.0);
        close(high, 1.2 * libm::exp(half) - 1.0);
        assert!(
            found.p.is_some_and(|p| (0.009..0.012).contains(&p)),
            "{found:?}"
        );
        // The other way round it is the inverse.
        let back = side(12.0).difference(&side(10.0)).expect("a difference");
        close((1.0 + back.relative) * (1.0 + found.relative), 1.0);
        assert!((back.p.expect("a p") - found.p.expect("a p")).abs() < 1e-12);
    }

    #[test]
    fn the_same_differs_by_nothing() {
        let side = Estimate::of(10.0, Some([9.0, 11.0]), 20);
        let found = side.difference(&side).expect("a difference");
        assert_eq!((found.relative, found.p), (0.0, Some(1.0)));
        // Whatever is certain and differs is no chance.
        let certain = |figure: f64| Estimate::of(figure, Some([figure, figure]), 20);
        let found = certain(1.0)
            .difference(&certain(2.0))
            .expect("a difference");
        assert_eq!(found.p, Some(0.0));
        // No share of nothing can be told, but all of something can be gone.
        let nothing = Estimate::of(0.0, None, 20);
        assert_eq!(nothing.difference(&side), None);
        let gone = side.difference(&nothing).expect("a difference");
        assert_eq!((gone.relative, gone.p), (-1.0, None));
    }

    #[test]
    fn from_three_runs_on_it_is_their_spread_that_counts() {
        let narrow = |figure: f64| Estimate::of(figure, Some([figure, figure]), 20);
        let two = Estimate::of_runs(&[narrow(9.0), narrow(11.0)]).expect("runs");
        assert_eq!((two.figure, two.interval()), (10.0, Some([10.0, 10.0])));
        let three = Estimate::of_runs(&[9.0, 10.0, 11.0].map(narrow)).expect("runs");
        let [low, high] = three.interval().expect("an interval");
        // s = 1, t(2) = 4.30265: 10 ± 2.484 by factors.
        let factor = libm::exp(4.302_652_729_749_46 / libm::sqrt(3.0) / 10.0);
        close(low, 10.0 / factor);
        close(high, 10.0 * factor);
        assert_eq!(Estimate::of_runs(&[]), None);
        let one = narrow(4.0);
        assert_eq!(Estimate::of_runs(&[one]), Some(one));
    }
}
