//! Quantiles of Student's t distribution.

use crate::dist::special_functions::{bisect, normal_quantile};

/// Up to this level quantiles are known.
pub(super) const SUREST: f64 = 0.9995;
/// From this many degrees of freedom on, the expansion is as exact as the sum.
const MANY: u64 = 200;

/// The quantile of Student's t with `freedom` degrees of freedom (at least 1) at `p`, for 0.5 <= p <= 0.9995; the
/// relative error is below 1e-9.
///
/// Up to 200 degrees of freedom the inverse, by bisection, of the finite sums of Abramowitz and Stegun (1964), 26.7.3
/// and 26.7.4; above, their expansion 26.7.5 about the normal quantile.
pub fn student_quantile(freedom: u64, p: f64) -> f64 {
    if freedom > MANY {
        return expansion(freedom as f64, normal_quantile(p));
    }
    let within = 2.0 * p - 1.0;
    bisect(0.0, f64::MAX, |t| central(freedom, t) >= within)
}

/// The most degrees of freedom that a p-value is summed over: beyond, the distribution is the normal one to four digits.
const MOST: u64 = 10_000;

/// How probable it is that Student's t with `freedom` degrees of freedom (at least 1) is so far from 0, to either side. Absolute
/// error below 1e-12; what is less probable than that may be 0.
pub fn student_two_sided(freedom: u64, t: f64) -> f64 {
    (1.0 - central(freedom.clamp(1, MOST), t.abs())).clamp(0.0, 1.0)
}

/// P(|T| <= t), A(t|v) of 26.7.3 (odd) and 26.7.4 (even).
fn central(freedom: u64, t: f64) -> f64 {
    let root = libm::sqrt(freedom as f64);
    let angle = libm::atan2(t, root);
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2 == 1;
    if freedom == 1 {
        return angle * std::f64::consts::FRAC_2_PI;
    }
    // Each term is the one before times cos^2 and the next ratio of even and odd numbers.
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = term;
    let mut upper = if odd { 2 } else { 1 };
    while upper + 1 < freedom {
        term *= cosine * cosine * upper as f64 / (upper + 1) as f64;
        sum += term;
        upper += 2;
    }
    if odd {
        (angle + sine * sum) * std::f64::consts::FRAC_2_PI
    } else {
        sine * sum
    }
}

/// 26.7.5, with four terms.
fn expansion(freedom: f64, x: f64) -> f64 {
    let y = x * x;
    let terms = [
        (y + 1.0) * x / 4.0,
        ((5.0 * y + 16.0) * y + 3.0) * x / 96.0,
        (((3.0 * y + 19.0) * y + 17.0) * y - 15.0) * x / 384.0,
        ((((79.0 * y + 776.0) * y + 1482.0) * y - 1920.0) * y - 945.0) * x / 92_160.0,
    ];
    // From the smallest term up.
    let tail = terms
        .iter()
        .rev()
        .fold(0.0, |sum, term| (sum + term) / freedom);
    x + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (degrees of freedom, p, quantile), from a numerical integral of the density with 25 digits.
    const TABLE: &[(u64, f64, f64)] = &[
        (1, 0.75, 1.0),
        (1, 0.975, 12.7062047361747),
        (1, 0.9995, 636.61924876872),
        (2, 0.75, 0.816496580927726),
        (2, 0.975, 4.30265272974946),
        (2, 0.9995, 31.5990545764436),
        (3, 0.975, 3.18244630528371),
        (4, 0.975, 2.77644510519779),
        (5, 0.75, 0.726686843800423),
        (5, 0.975, 2.57058183563632),
        (5, 0.9995, 6.86882662588111),
        (9, 0.975, 2.26215716279821),
        (10, 0.75, 0.699812061312432),
        (10, 0.975, 2.22813885198627),
        (10, 0.9995, 4.58689385870264),
        (19, 0.75, 0.68762146020396),
        (19, 0.975, 2.09302405440831),
        (19, 0.9995, 3.88340585259208),
        (29, 0.975, 2.0452296421327),
        (30, 0.975, 2.04227245630124),
        (99, 0.975, 1.98421695158642),
        (100, 0.975, 1.98397151852355),
        (199, 0.975, 1.97195654425175),
        (200, 0.75, 0.67571841140422),
        (200, 0.975, 1.97189622363391),
        (200, 0.9995, 3.33983540627568),
        (201, 0.75, 0.675712288830956),
        (201, 0.975, 1.97183650677986),
        (201, 0.9995, 3.33958678890527),
        (500, 0.975, 1.96471983746737),
        (999, 0.75, 0.674735410346719),
        (999, 0.975, 1.96234146113345),
        (999, 0.9995, 3.30029244039874),
        (100000, 0.975, 1.95998770753461),
    ];

    #[test]
    fn quantiles_are_those_of_the_density() {
        for &(freedom, p, exact) in TABLE {
            let found = student_quantile(freedom, p);
            assert!(
                (found / exact - 1.0).abs() < 1e-9,
                "{freedom} {p}: {found} is not {exact}"
            );
        }
    }

    #[test]
    fn a_quantile_is_as_improbable_as_it_says() {
        for &(freedom, p, t) in TABLE {
            let tails = student_two_sided(freedom, t);
            assert!((tails - 2.0 * (1.0 - p)).abs() < 1e-4, "{freedom} {p}");
            assert_eq!(tails, student_two_sided(freedom, -t));
        }
        assert_eq!(student_two_sided(5, 0.0), 1.0);
        assert!(student_two_sided(5, f64::INFINITY) < 1e-12);
    }

    #[test]
    fn sum_and_expansion_meet() {
        for p in [0.9, 0.975, 0.995, 0.9995] {
            let summed = bisect(0.0, f64::MAX, |t| central(MANY, t) >= 2.0 * p - 1.0);
            let expanded = expansion(MANY as f64, normal_quantile(p));
            assert!(
                (summed / expanded - 1.0).abs() < 1e-9,
                "{p}: {summed} {expanded}"
            );
        }
    }
}
