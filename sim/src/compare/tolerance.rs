//! Tolerances: `p99=10%,throughput=-2%,errors=0.5%`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::Difference;
use super::names::{ERRORS, FIGURES};
use crate::spec::error::shown;

/// The largest tolerance: a hundred times.
const MOST: f64 = 100.0;

/// The tolerance of one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// Its name: one of those of a comparison, or `errors`.
    pub figure: String,
    /// Largest fall, as a share; `None` if not limited.
    pub below: Option<f64>,
    /// Largest rise, as a share.
    pub above: Option<f64>,
}

/// The tolerances of several figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tolerances(pub Vec<Tolerance>);

/// The standing of a figure to its tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All of its interval is within.
    Within,
    /// All of its interval is beyond.
    Beyond,
    /// The runs do not decide.
    Undecided,
}

impl FromStr for Tolerances {
    type Err = String;

    fn from_str(text: &str) -> Result<Tolerances, String> {
        let mut all: Vec<Tolerance> = Vec::new();
        for one in text.split(',') {
            let tolerance = one.trim().parse::<Tolerance>()?;
            if all.iter().any(|known| known.figure == tolerance.figure) {
                return Err(format!("{} is given twice; give it once", tolerance.figure));
            }
            all.push(tolerance);
        }
        Ok(Tolerances(all))
    }
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Tolerance, String> {
        let Some((figure, value)) = text.split_once('=') else {
            return Err(format!(
                "`{}` is not a tolerance; give FIGURE=SHARE, such as p99=10%",
                shown(text)
            ));
        };
        let (figure, value) = (figure.trim(), value.trim());
        if figure != ERRORS && !FIGURES.contains(&figure) {
            return Err(format!(
                "there is no figure `{}`; give one of {} and {ERRORS}",
                shown(figure),
                FIGURES.join(", ")
            ));
        }
        let (sign, share) = match value.as_bytes().first() {
            Some(b'+') => (Some(true), &value[1..]),
            Some(b'-') => (Some(false), &value[1..]),
            _ => (None, value),
        };
        let not_a_share = || {
            format!(
                "`{}` is not a share of {figure}; give one such as 10%, +10% (only a rise) or -2% (only a fall)",
                shown(value)
            )
        };
        let share = share.strip_suffix('%').ok_or_else(not_a_share)?;
        let share: f64 = share.trim().parse().map_err(|_| not_a_share())?;
        let share = share / 100.0;
        if !(share.is_finite() && (0.0..=MOST).contains(&share)) {
            return Err(not_a_share());
        }
        if figure == ERRORS && sign == Some(false) {
            return Err(format!(
                "{ERRORS} takes no minus sign, because fewer errors are always tolerated; give the largest rise as a \
                 share of all requests, such as {ERRORS}=0.5%"
            ));
        }
        let is_above_alone = sign == Some(true) || figure == ERRORS;
        Ok(Tolerance {
            figure: figure.to_owned(),
            below: (!is_above_alone).then_some(share),
            above: (sign != Some(false)).then_some(share),
        })
    }
}

impl Tolerance {
    /// How a difference stands to it, and where that is undecided, how many times as long the runs would have to be for the very
    /// same difference to be decided: `None` where no length would do, or nothing says so.
    pub fn standing(&self, difference: &Difference) -> (Standing, Option<f64>) {
        // Nothing is further below than all of it.
        let below = self.below.filter(|share| *share < 1.0);
        if below.is_none() && self.above.is_none() {
            return (Standing::Within, None);
        }
        // All of it is gone, whatever else is not known.
        if difference.relative <= -1.0 {
            return match below {
                Some(_) => (Standing::Beyond, None),
                None => (Standing::Within, None),
            };
        }
        let Some([low, high]) = difference.interval else {
            return (Standing::Undecided, None);
        };
        let [below, above] = [below.map(|share| -share), self.above];
        let is_under = below.is_some_and(|below| high < below);
        let is_over = above.is_some_and(|above| low > above);
        if is_under || is_over {
            return (Standing::Beyond, None);
        }
        let log = |share: f64| libm::log((1.0 + share).max(f64::MIN_POSITIVE));
        let at = log(difference.relative);
        // How far a limit is, and how far the interval reaches towards it.
        let reach = |limit: f64| {
            let limit = log(limit);
            let end = if limit > at { high } else { low };
            ((limit - at).abs(), (log(end) - at).abs())
        };
        let open = [
            below.filter(|below| low < *below),
            above.filter(|above| high > *above),
        ];
        let mut times = open.into_iter().flatten().map(|limit| {
            let (away, reach) = reach(limit);
            (reach / away).powi(2)
        });
        let Some(first) = times.next() else {
            return (Standing::Within, None);
        };
        // Where both limits are open, the farther takes longer.
        let needed = times.fold(first, f64::max);
        (
            Standing::Undecided,
            Some(needed).filter(|needed| needed.is_finite()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Tolerance {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_sign_says_to_which_side() {
        let of = |text| {
            let tolerance = one(text);
            (tolerance.below, tolerance.above)
        };
        assert_eq!(of("p99=10%"), (Some(0.1), Some(0.1)));
        assert_eq!(of("p99=+10%"), (None, Some(0.1)));
        assert_eq!(of("throughput=-2%"), (Some(0.02), None));
        assert_eq!(of("errors=0.5%"), (None, Some(0.005)));
        let both: Tolerances = "p99=10%, throughput=2%".parse().expect("two");
        assert_eq!(both.0.len(), 2);
    }

    #[test]
    fn what_is_none_is_refused_with_what_would_be_one() {
        for (text, said) in [
            ("p99", "such as p99=10%"),
            (
                "p98=10%",
                "there is no figure `p98`; give one of throughput",
            ),
            ("p99=10", "not a share of p99"),
            ("p99=-", "not a share of p99"),
            ("p99=nan%", "not a share of p99"),
            ("p99=--1%", "not a share of p99"),
            ("p99=1e9%", "not a share of p99"),
            ("p99=1%,p99=2%", "given twice"),
            ("errors=-1%", "errors takes no minus sign"),
            ("", "is not a tolerance"),
        ] {
            let why = text.parse::<Tolerances>().expect_err(text);
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn an_interval_is_within_beyond_or_tells_nothing() {
        let difference = |relative: f64, low: f64, high: f64| Difference {
            relative,
            interval: Some([low, high]),
            p: None,
        };
        let standing = |text, [relative, low, high]: [f64; 3]| {
            one(text).standing(&difference(relative, low, high)).0
        };
        for (text, figures, expected) in [
            ("p99=10%", [0.02, -0.05, 0.09], Standing::Within),
            ("p99=10%", [0.08, 0.02, 0.14], Standing::Undecided),
            ("p99=10%", [0.2, 0.11, 0.3], Standing::Beyond),
            ("p99=10%", [-0.2, -0.3, -0.11], Standing::Beyond),
            ("p99=+10%", [-0.2, -0.3, -0.11], Standing::Within),
            ("p99=+10%", [-0.2, -0.5, 0.2], Standing::Undecided),
            ("throughput=-2%", [0.5, 0.4, 0.6], Standing::Within),
            ("throughput=-2%", [-1.0, -1.0, -1.0], Standing::Beyond),
        ] {
            assert_eq!(standing(text, figures), expected, "{text} {figures:?}");
        }
        let unknown = Difference {
            relative: 0.0,
            interval: None,
            p: None,
        };
        assert_eq!(
            one("p99=10%").standing(&unknown),
            (Standing::Undecided, None)
        );
        assert_eq!(
            one("p99=-100%").standing(&unknown),
            (Standing::Within, None)
        );
    }

    #[test]
    fn how_much_longer_decides_follows_from_how_far_the_limit_is() {
        // The interval reaches twice as far as the limit is away: four times as long.
        let factor = |x: f64| libm::exp(x) - 1.0;
        let difference = Difference {
            relative: 0.0,
            interval: Some([factor(-0.2), factor(0.2)]),
            p: None,
        };
        let tolerance = Tolerance {
            figure: "p99".to_owned(),
            below: None,
            above: Some(factor(0.1)),
        };
        let (standing, times) = tolerance.standing(&difference);
        assert_eq!(standing, Standing::Undecided);
        assert!(
            times.is_some_and(|times| (times - 4.0).abs() < 1e-9),
            "{times:?}"
        );
        let at_the_limit = Tolerance {
            above: Some(0.0),
            ..tolerance
        };
        assert_eq!(
            at_the_limit.standing(&difference),
            (Standing::Undecided, None)
        );
    }
}
