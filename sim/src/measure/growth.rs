//! Whether a backlog grows, and how fast.
//!
//! How fast is the slope of the least-squares line through the backlog's levels. Whether it is growth at all cannot be
//! read from the residuals of that line: the backlog of a busy consumer wanders like a random walk, so neighbouring
//! residuals are all but the same and a line fits any stretch of it. The steps of the walk, by contrast, are all but
//! independent, so the question is put to them: is their mean above zero (one-sample t statistic, Student 1908)? Where
//! the backlog is steady, its steps call each other back and the test errs on the side of saying no.

use crate::statistics::student_quantile;

/// Steps that it takes to tell growth from wandering.
const FEWEST_STEPS: usize = 10;
/// How sure it is that the mean step is above zero where there is growth. A backlog that wanders at the very limit of what its
/// workers can do, and never falls below zero, is called growing about twice as often as 2 in 1000; one that is steady is not:
/// its steps call each other back.
const SURE: f64 = 0.998;
/// The fewest messages that growth of a few percent of the rate can be told from. Growth that shows in fewer is growth too.
pub const FEWEST_ARRIVALS: u64 = 20_000;

/// How a backlog grew over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Slope of the least-squares line through its levels, in messages per second.
    pub slope_per_second: f64,
    /// Whether it grew by more than chance would have it; `None` when there were too few levels to tell.
    pub grows: Option<bool>,
}

/// The growth of a backlog from its levels: (seconds, messages), ascending, the first and the last at the ends of the
/// window and those between them at equal distances. `None` when they span no time.
pub fn growth(levels: &[(f64, f64)]) -> Option<Growth> {
    let inner = levels.get(1..levels.len().saturating_sub(1))?;
    Some(Growth {
        slope_per_second: slope(levels)?,
        grows: grows(inner),
    })
}

/// The slope of the least-squares line; `None` when the points span no time.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let number = points.len() as f64;
    let mean_of = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / number;
    let (middle, level) = (mean_of(|point| point.0), mean_of(|point| point.1));
    let (mut together, mut spread) = (0.0, 0.0);
    for (at, value) in points {
        together += (at - middle) * (value - level);
        spread += (at - middle) * (at - middle);
    }
    (spread > 0.0).then(|| together / spread)
}

/// Whether the mean step between levels at equal distances is significantly above zero.
fn grows(levels: &[(f64, f64)]) -> Option<bool> {
    let steps: Vec<f64> = levels
        .windows(2)
        .map(|pair| pair[1].1 - pair[0].1)
        .collect();
    if steps.len() < FEWEST_STEPS {
        return None;
    }
    let number = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / number;
    let squares: f64 = steps.iter().map(|step| (step - mean) * (step - mean)).sum();
    let error = libm::sqrt(squares / (number - 1.0) / number);
    let telling = student_quantile(steps.len() as u64 - 1, SURE);
    Some(mean > telling * error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Kind, Purpose};

    /// Levels of the backlog of one worker of rate 1 under Poisson arrivals, one per `width`, from empty.
    fn wandering(utilisation: f64, number: usize, width: f64, seed: u64) -> Vec<(f64, f64)> {
        let key = Key::new(seed, Kind::Service, "worker", Purpose::Service);
        let (mut now, mut present, mut ordinal) = (0.0, 0u64, 0);
        let mut levels = vec![(0.0, 0.0)];
        while levels.len() <= number {
            let rate = utilisation + f64::from(u8::from(present > 0));
            let mut draw = key.draw(ordinal, 0);
            ordinal += 1;
            now -= libm::log(draw.open_unit()) / rate;
            while levels.len() <= number && now >= levels.len() as f64 * width {
                levels.push((levels.len() as f64 * width, present as f64));
            }
            match draw.unit() * rate < utilisation {
                true => present += 1,
                false => present -= 1,
            }
        }
        levels
    }

    /// How many of 400 such backlogs are said to grow.
    fn said_to_grow(utilisation: f64, number: usize, width: f64) -> usize {
        let grows = |seed: &u64| {
            let levels = wandering(utilisation, number, width, *seed);
            growth(&levels).and_then(|growth| growth.grows) == Some(true)
        };
        (0..400).filter(grows).count()
    }

    #[test]
    fn the_slope_is_that_of_the_least_squares_line() {
        // By hand: times 0, 1, 2, 4 around 1.75, levels 1, 3, 2, 6 around 3; the products add up to 10, the squares
        // to 8.75.
        let growth = growth(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (4.0, 6.0)]);
        let growth = growth.expect("time passes");
        assert!((growth.slope_per_second - 10.0 / 8.75).abs() < 1e-12);
        assert_eq!(growth.grows, None);
    }

    #[test]
    fn two_levels_have_a_slope_and_one_has_none() {
        let slope = |levels| growth(levels).map(|growth| growth.slope_per_second);
        assert_eq!(slope(&[(5.0, 2.0), (7.0, 8.0)]), Some(3.0));
        assert_eq!(slope(&[(5.0, 2.0), (5.0, 8.0)]), None);
        assert_eq!(slope(&[(5.0, 2.0)]), None);
        assert_eq!(slope(&[]), None);
    }

    #[test]
    fn ten_steps_between_inner_levels_tell() {
        let levels = |number: u32| -> Vec<(f64, f64)> {
            let level = |k| (f64::from(k), 3.0 * f64::from(k));
            (0..number).map(level).collect()
        };
        let grows = |number| growth(&levels(number)).and_then(|growth| growth.grows);
        assert_eq!((grows(12), grows(13)), (None, Some(true)));
        let falling: Vec<_> = levels(20).iter().map(|(at, level)| (*at, -level)).collect();
        assert_eq!(
            growth(&falling).and_then(|growth| growth.grows),
            Some(false)
        );
        let steady: Vec<_> = levels(20).iter().map(|(at, _)| (*at, 7.0)).collect();
        assert_eq!(growth(&steady).and_then(|growth| growth.grows), Some(false));
    }

    /// The utilisation of the backlog, its first level and how long it is watched.
    fn watched(utilisation: f64, seed: u64) -> Option<bool> {
        // 20,000 arrivals in 60 steps. A steady backlog is watched from where it has forgotten its start.
        let forgotten = if utilisation < 1.0 { 10 } else { 0 };
        let width = 20_000.0 / utilisation / 60.0;
        let levels = wandering(utilisation, 62 + forgotten, width, seed);
        growth(&levels[forgotten..]).and_then(|growth| growth.grows)
    }

    #[test]
    fn over_20_000_arrivals_steady_backlogs_do_not_grow_and_those_5_percent_over_do() {
        let runs = 200;
        for utilisation in [0.3, 0.5, 0.7, 0.9] {
            let alarms = (0..runs / 4).filter(|seed| watched(utilisation, *seed) == Some(true));
            let alarms = alarms.count();
            assert!(alarms <= 1, "{alarms} of {} at {utilisation}", runs / 4);
        }
        let caught = (0..runs)
            .filter(|seed| watched(1.05, *seed) == Some(true))
            .count();
        assert!(caught >= 190, "{caught} of {runs}");
    }

    #[test]
    fn steady_and_critical_backlogs_are_not_said_to_grow_and_overloaded_ones_are() {
        for utilisation in [0.5, 0.8, 0.95, 1.0] {
            let alarms = said_to_grow(utilisation, 60, 50.0);
            assert!(alarms <= 1, "{alarms} of 400 at {utilisation}");
        }
        for utilisation in [1.2, 1.5] {
            let alarms = said_to_grow(utilisation, 60, 50.0);
            assert!(alarms >= 390, "{alarms} of 400 at {utilisation}");
        }
    }
}
