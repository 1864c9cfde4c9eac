//! Special functions: what the distribution functions need and `libm` does not have.

/// The smallest float between `low` and `high` (both >= 0) at which `reached` holds, for a condition that goes on
/// holding once it does; `high` when it holds nowhere before.
///
/// Bisection over the floats' bit patterns, which are ordered as the numbers are: 64 steps at any scale.
pub fn bisect(low: f64, high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low.to_bits(), high.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if reached(f64::from_bits(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    f64::from_bits(low)
}

/// The standard normal distribution function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The standard normal quantile of `p`, for 0 <= p <= 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p < 0.5 {
        // The upper quantile, found in the lower tail, where the distribution function has all its digits.
        return -bisect_tail(p);
    }
    bisect_tail(1.0 - p)
}

/// The z >= 0 with P(Z > z) = `tail`, for `tail` up to 0.5.
fn bisect_tail(tail: f64) -> f64 {
    bisect(0.0, f64::MAX, |z| normal_cdf(-z) <= tail)
}

/// The regularised lower incomplete gamma function P(shape, x): the distribution function of a gamma variable with
/// scale 1. For shape > 0; relative error below 1e-12 for shapes up to 100, 1e-9 up to 1,000,000.
///
/// The power series below shape + 1 and the continued fraction above (Abramowitz and Stegun 1964, 6.5.29 and
/// 6.5.31; the fraction by the method of Lentz 1976).
pub fn gamma_p(shape: f64, x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return if x.is_nan() { x } else { 0.0 };
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    let weight = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        weight * lower_series(shape, x)
    } else {
        1.0 - weight * upper_fraction(shape, x)
    }
}

/// The sum of x^n / (shape (shape + 1) ... (shape + n)).
fn lower_series(shape: f64, x: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    let mut divisor = shape;
    // The ratio of the terms is below 1 from the start and falls: the loop ends.
    while term > sum * f64::EPSILON * 0.25 {
        divisor += 1.0;
        term *= x / divisor;
        sum += term;
    }
    sum
}

/// The continued fraction 1 / (x + 1 - s - 1 (1 - s) / (x + 3 - s - 2 (2 - s) / ...)).
fn upper_fraction(shape: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - shape;
    let mut fraction = ContinuedFraction::new(b, 1.0 / TINY);
    // Convergence takes some multiple of the root of the shape where x is close to it, and less elsewhere.
    let most = 200 + (40.0 * shape.sqrt()) as u64;
    for n in 1..most {
        let n = n as f64;
        b += 2.0;
        if fraction.settles(n * (shape - n), b) {
            break;
        }
    }
    fraction.value
}

/// What stands in for a zero denominator of a continued fraction.
const TINY: f64 = 1e-300;

/// A continued fraction 1 / (b0 + a1 / (b1 + a2 / (b2 + ...))), term by term, by the method of Lentz (1976).
pub struct ContinuedFraction {
    /// The fraction up to the last term.
    pub value: f64,
    c: f64,
    d: f64,
}

impl ContinuedFraction {
    /// The fraction 1 / b0. `before` is the ratio of numerators before the first term: 1 where the fraction is the
    /// denominator of another, and otherwise as large as there are.
    pub fn new(b: f64, before: f64) -> ContinuedFraction {
        let d = 1.0 / nonzero(b);
        ContinuedFraction {
            value: d,
            c: before,
            d,
        }
    }

    /// Adds the term a / (b + ...), and says whether that has changed nothing.
    pub fn settles(&mut self, a: f64, b: f64) -> bool {
        self.d = 1.0 / nonzero(b + a * self.d);
        self.c = nonzero(b + a / self.c);
        let factor = self.c * self.d;
        self.value *= factor;
        (factor - 1.0).abs() < f64::EPSILON
    }
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisection_finds_the_first_float() {
        assert_eq!(bisect(0.0, f64::MAX, |x| x >= 3.25), 3.25);
        assert_eq!(bisect(1.0, 2.0, |_| false), 2.0);
        assert_eq!(bisect(0.0, 5.0, |_| true), 0.0);
    }
}
