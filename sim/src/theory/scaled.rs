//! Non-negative numbers of any size.

use std::ops::Mul;

/// The powers of two by which a mantissa may be off from 1 before it is brought back.
const WIDE: f64 = 1.157_920_892_373_162e77;
/// The value of one step of the exponent: the square of [`WIDE`].
const STEP: f64 = WIDE * WIDE;

/// A non-negative number with a float's digits and its own exponent: mantissa times 2^(512 exponent).
///
/// Normalising constants of queueing networks range over thousands of orders of magnitude. Their logarithms would
/// fit a float, but lose as many digits of the number as the logarithm has before its point; here every addition and
/// multiplication of non-negative numbers keeps a relative error of one rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled {
    mantissa: f64,
    exponent: i64,
}

impl Scaled {
    /// Zero.
    pub const ZERO: Scaled = Scaled {
        mantissa: 0.0,
        exponent: 0,
    };
    /// One.
    pub const ONE: Scaled = Scaled {
        mantissa: 1.0,
        exponent: 0,
    };

    /// A finite number that is not negative.
    pub fn new(value: f64) -> Scaled {
        Scaled {
            mantissa: value,
            exponent: 0,
        }
        .normal()
    }

    /// The sum.
    pub fn plus(self, other: Scaled) -> Scaled {
        let (large, small) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        if large.mantissa == 0.0 {
            return small;
        }
        let mantissa = match large.exponent - small.exponent {
            0 => large.mantissa + small.mantissa,
            1 => large.mantissa + small.mantissa / STEP,
            // Less than 2^-512 of the other.
            _ => large.mantissa,
        };
        Scaled { mantissa, ..large }.normal()
    }

    /// This number divided by `other`, which is not zero, as a float: 0 or infinite where it is beyond a float.
    pub fn over(self, other: Scaled) -> f64 {
        let ratio = self.mantissa / other.mantissa;
        match self.exponent - other.exponent {
            0 => ratio,
            1 => ratio * STEP,
            -1 => ratio / STEP,
            2.. if self.mantissa > 0.0 => f64::INFINITY,
            _ => 0.0,
        }
    }

    fn normal(mut self) -> Scaled {
        while self.mantissa >= WIDE && self.mantissa.is_finite() {
            self.mantissa /= STEP;
            self.exponent += 1;
        }
        while self.mantissa < 1.0 / WIDE && self.mantissa > 0.0 {
            self.mantissa *= STEP;
            self.exponent -= 1;
        }
        self
    }
}

impl Mul<f64> for Scaled {
    type Output = Scaled;

    /// The product with a finite number that is not negative.
    fn mul(self, factor: f64) -> Scaled {
        self * Scaled::new(factor)
    }
}

impl Mul for Scaled {
    type Output = Scaled;

    fn mul(self, other: Scaled) -> Scaled {
        if self.mantissa == 0.0 || other.mantissa == 0.0 {
            return Scaled::ZERO;
        }
        Scaled {
            mantissa: self.mantissa * other.mantissa,
            exponent: self.exponent + other.exponent,
        }
        .normal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_power_of_two() {
        assert_eq!(WIDE, libm::ldexp(1.0, 256));
        assert_eq!(STEP, libm::ldexp(1.0, 512));
    }

    #[test]
    fn products_beyond_any_float_come_back() {
        let mut product = Scaled::ONE;
        for n in 1..=5000 {
            product = product * f64::from(n);
        }
        let factorial = product;
        for n in (1..=5000).rev() {
            product = product * (1.0 / f64::from(n));
        }
        assert!((product.over(Scaled::ONE) - 1.0).abs() < 1e-12);
        assert_eq!(factorial.over(Scaled::ONE), f64::INFINITY);
        assert_eq!(Scaled::ONE.over(factorial), 0.0);
    }

    #[test]
    fn sums_keep_what_a_float_would() {
        let (large, small) = (Scaled::new(WIDE * 0.75), Scaled::new(WIDE * 1.5));
        assert_ne!(large.exponent, small.exponent);
        assert_eq!(large.plus(small).over(Scaled::new(WIDE)), 2.25);
        assert_eq!(small.plus(large).over(Scaled::new(WIDE)), 2.25);
        assert_eq!(Scaled::ZERO.plus(small), small);
        assert_eq!(small.plus(Scaled::ZERO), small);
        let tiny = Scaled::new(1e-300) * 1e-300;
        assert_eq!(tiny.plus(Scaled::ZERO), tiny);
        assert_eq!(tiny.plus(Scaled::ONE), Scaled::ONE);
        assert_eq!((tiny * 0.0), Scaled::ZERO);
        assert_eq!(Scaled::ZERO.over(tiny), 0.0);
    }
}
