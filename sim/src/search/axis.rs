//! Loads on a scale on which further means harder.
//!
//! A search thinks in positions: the logarithm of a load, so that equal steps are equal factors, and turned around where
//! less is harder, as with workers. Loads come back rounded: whole where only whole ones exist, and otherwise to five
//! digits, so that a load in a report is the load that ran.

use crate::search::Direction;

/// The scale of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// What more of it does.
    pub direction: Direction,
    /// Whether only whole loads exist.
    pub whole: bool,
}

/// How many loads that are not whole there are from one power of ten to the next, about.
const DIGITS: i32 = 5;

impl Axis {
    /// Where a load above 0 lies.
    pub fn position(self, load: f64) -> f64 {
        let position = libm::log(load);
        match self.direction {
            Direction::Rising => position,
            Direction::Falling => -position,
        }
    }

    /// The load nearest to a position, of those that exist.
    pub fn load(self, position: f64) -> f64 {
        self.rounded(position, libm::round)
    }

    /// The hardest load that exists and is no harder than a position.
    pub fn easier(self, position: f64) -> f64 {
        match self.direction {
            Direction::Rising => self.rounded(position, libm::floor),
            Direction::Falling => self.rounded(position, libm::ceil),
        }
    }

    /// The next whole load on the easier side.
    pub fn next_easier(self, load: f64) -> f64 {
        match self.direction {
            Direction::Rising => load - 1.0,
            Direction::Falling => load + 1.0,
        }
    }

    /// The next whole load on the harder side.
    pub fn next_harder(self, load: f64) -> f64 {
        match self.direction {
            Direction::Rising => load + 1.0,
            Direction::Falling => load - 1.0,
        }
    }

    /// Both ends of an interval of positions as loads, the smaller first. Of whole loads, those between which the largest is
    /// that is no harder than a position of the interval.
    pub fn loads(self, ends: [f64; 2]) -> [f64; 2] {
        let [one, other] = ends.map(|end| match self.whole {
            true => self.easier(end),
            false => self.exact(end),
        });
        [one.min(other), one.max(other)]
    }

    /// The load at a position, whether or not it exists.
    pub fn exact(self, position: f64) -> f64 {
        match self.direction {
            Direction::Rising => libm::exp(position),
            Direction::Falling => libm::exp(-position),
        }
    }

    fn rounded(self, position: f64, round: fn(f64) -> f64) -> f64 {
        let exact = self.exact(position);
        if self.whole {
            // A logarithm of a whole number comes back a little off.
            let near = libm::round(exact);
            let load = match (exact / near - 1.0).abs() < 1e-9 {
                true => near,
                false => round(exact),
            };
            return load.max(1.0);
        }
        let unit = power_of_ten(libm::floor(libm::log10(exact)) as i32 + 1 - DIGITS);
        let steps = exact / unit;
        let near = libm::round(steps);
        let steps = match (steps / near - 1.0).abs() < 1e-9 {
            true => near,
            false => round(steps),
        };
        // Multiplying by a negative power of ten is not exact, dividing by its inverse is.
        match unit < 1.0 {
            true => steps / libm::round(1.0 / unit),
            false => steps * unit,
        }
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Axis = Axis {
        direction: Direction::Rising,
        whole: false,
    };
    const USERS: Axis = Axis {
        direction: Direction::Rising,
        whole: true,
    };
    const WORKERS: Axis = Axis {
        direction: Direction::Falling,
        whole: true,
    };

    #[test]
    fn a_load_that_exists_comes_back() {
        for load in [1.0, 7.0, 204.0, 65_537.0] {
            for axis in [RATE, USERS, WORKERS] {
                let position = axis.position(load);
                assert_eq!((axis.load(position), axis.easier(position)), (load, load));
            }
        }
        for load in [0.01, 0.333_33, 97.531, 2010.0, 123_450.0] {
            assert_eq!(RATE.load(RATE.position(load)), load);
        }
    }

    #[test]
    fn further_is_harder_and_rounding_never_makes_it_so() {
        assert!(RATE.position(2.0) > RATE.position(1.0));
        assert!(WORKERS.position(2.0) < WORKERS.position(1.0));
        assert_eq!(USERS.easier(libm::log(212.9)), 212.0);
        assert_eq!(WORKERS.easier(-libm::log(4.1)), 5.0);
        assert_eq!(RATE.easier(libm::log(2010.77)), 2010.7);
        assert_eq!(
            (USERS.next_harder(4.0), WORKERS.next_harder(4.0)),
            (5.0, 3.0)
        );
    }

    #[test]
    fn the_ends_of_an_interval_of_whole_loads_are_whole() {
        let ends = |axis: Axis, low: f64, high: f64| {
            let ends = [low, high].map(|load| axis.position(load));
            axis.loads(ends)
        };
        assert_eq!(ends(USERS, 211.5, 213.4), [211.0, 213.0]);
        assert_eq!(ends(WORKERS, 5.9, 5.03), [6.0, 6.0]);
        let [low, high] = ends(RATE, 98.25, 101.5);
        assert!((low - 98.25).abs() < 1e-9 && (high - 101.5).abs() < 1e-9);
    }

    #[test]
    fn there_is_no_whole_load_below_one() {
        assert_eq!(USERS.easier(libm::log(0.2)), 1.0);
        assert_eq!(WORKERS.load(5.0), 1.0);
    }
}
