//! Confidence intervals over replications.

/// The quantile of Student's t for a two-sided 99.9 % interval over 16 replications, 15 degrees of freedom
/// (Abramowitz and Stegun 1964, table 26.10).
const STUDENT: f64 = 4.073;

/// How many replications an interval is over.
pub const REPLICATIONS: u64 = 16;

/// A mean over replications, plus and minus.
#[derive(Debug, Clone, Copy)]
pub struct Interval {
    pub mean: f64,
    pub half_width: f64,
}

impl Interval {
    /// The 99.9 % interval of the mean of independent, roughly normal samples.
    pub fn new(samples: &[f64]) -> Interval {
        assert_eq!(samples.len() as u64, REPLICATIONS);
        let n = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / n;
        let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Interval {
            mean,
            half_width: STUDENT * (variance / n).sqrt(),
        }
    }

    /// Whether the interval contains the exact figure and is at most a share `width` of it to either side.
    /// `resolution` is the relative error of what was measured, which the interval cannot know of.
    pub fn check(self, what: &str, exact: f64, width: f64, resolution: f64) -> Result<(), String> {
        let Interval { mean, half_width } = self;
        let off = (mean - exact).abs();
        if half_width > width * exact {
            return Err(format!(
                "{what}: {mean} ± {half_width} is wider than {width} of {exact}"
            ));
        }
        // A figure without spread is exact but for rounding.
        if off > half_width + resolution * exact + 1e-12 * exact {
            return Err(format!(
                "{what}: {mean} ± {half_width} does not contain {exact}"
            ));
        }
        Ok(())
    }
}

#[test]
fn an_interval_is_that_of_students_t() {
    let samples: Vec<f64> = (1..=16).map(f64::from).collect();
    let interval = Interval::new(&samples);
    // Mean 8.5, variance 68/3, standard error sqrt(68/48).
    assert!((interval.mean - 8.5).abs() < 1e-12);
    assert!((interval.half_width - 4.073 * (68.0f64 / 48.0).sqrt()).abs() < 1e-12);
    assert!(interval.check("", 8.5, 0.6, 0.0).is_ok());
    assert!(interval.check("", 8.5, 0.5, 0.0).is_err());
    assert!(interval.check("", 13.4, 9.0, 0.0).is_err());
}
