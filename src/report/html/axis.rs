//! Axes as they are drawn: the unit that suits the values, where values are, and which of them are marked.

use blis_sim::number::count;

use crate::report::number;
use crate::report::plot::{Axis, Quantity, Scale};

/// How far beyond the values an axis of loads goes, as a share of their range.
const MARGIN: f64 = 0.05;
/// The quantiles that are marked, as one request in so many.
const ONE_IN: [f64; 9] = [2.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// An axis with its ends, its unit and its marks.
#[derive(Debug, Clone)]
pub struct Ruler {
    scale: Scale,
    /// The ends, in the unit shown.
    low: f64,
    high: f64,
    /// What a value is multiplied with to be in the unit shown.
    pub factor: f64,
    /// The unit shown; empty for plain numbers.
    pub unit: &'static str,
    /// The label with the unit.
    pub label: String,
    /// What is marked, in ascending order.
    pub ticks: Vec<Tick>,
}

/// A mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where along the axis, between 0 and 1.
    pub at: f64,
    /// What stands there.
    pub label: String,
}

/// Where an axis ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// At marks.
    Round,
    /// At the values.
    Exact,
}

impl Ruler {
    /// The axis for these values, with about so many marks.
    pub fn of(
        axis: &Axis,
        values: impl IntoIterator<Item = f64>,
        ends: Ends,
        marks: usize,
    ) -> Ruler {
        let usable = |value: &f64| {
            let is_logarithmic = matches!(axis.scale, Scale::Log | Scale::Quantile);
            value.is_finite() && (!is_logarithmic || *value > 0.0)
        };
        let values = values.into_iter().filter(usable);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = match low <= high {
            true => (low, high),
            // Nothing can be placed; the axis is drawn all the same.
            false => (1.0, 2.0),
        };
        let (factor, unit) = unit(axis.quantity, axis.scale, low.abs().max(high.abs()));
        let label = match unit {
            "" => axis.label.clone(),
            unit => format!("{} ({unit})", axis.label),
        };
        let (low, high) = (low * factor, high * factor);
        let laid = match axis.scale {
            Scale::Linear => {
                let margin = match ends {
                    Ends::Exact => MARGIN * (high - low),
                    Ends::Round => 0.0,
                };
                even(low - margin, high + margin, ends, marks)
            }
            Scale::FromZero => even(low.min(0.0), high.max(0.0), ends, marks),
            Scale::Log => logarithmic(low, high, marks),
            Scale::Quantile => quantiles(low, high),
        };
        let mut ruler = Ruler {
            scale: axis.scale,
            low: laid.low,
            high: laid.high,
            factor,
            unit,
            label,
            ticks: Vec::new(),
        };
        let ticks = laid.marks.into_iter();
        let placed = ticks.filter_map(|(value, label)| {
            let at = ruler.place_shown(value)?;
            // An end may miss by the rounding of its logarithm.
            let is_on = (-1e-9..=1.0 + 1e-9).contains(&at);
            is_on.then_some(Tick { at, label })
        });
        ruler.ticks = placed.collect();
        ruler
    }

    /// Where a value of the document is, 0 and 1 being the ends; `None` where it has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        self.place_shown(value * self.factor)
    }

    /// The ends, in the unit shown.
    pub fn ends(&self) -> [f64; 2] {
        [self.low, self.high]
    }

    fn place_shown(&self, value: f64) -> Option<f64> {
        let (low, high, value) = match self.scale {
            Scale::Linear | Scale::FromZero => (self.low, self.high, value),
            Scale::Log | Scale::Quantile if value <= 0.0 => return None,
            Scale::Log | Scale::Quantile => (self.low.log10(), self.high.log10(), value.log10()),
        };
        let at = (value - low) / (high - low);
        at.is_finite().then_some(at)
    }
}

/// The unit that suits values up to this one.
fn unit(quantity: Quantity, scale: Scale, most: f64) -> (f64, &'static str) {
    match quantity {
        // Places of quantiles are no shares.
        _ if scale == Scale::Quantile => (1.0, ""),
        Quantity::Number(unit) => (1.0, unit),
        Quantity::Share => (100.0, "%"),
        Quantity::Millis => number::unit(most),
        Quantity::Seconds => match most {
            short if short <= 0.5 => (1e3, "ms"),
            short if short <= 600.0 => (1.0, "s"),
            middle if middle <= 3.0 * 3600.0 => (1.0 / 60.0, "min"),
            long if long <= 72.0 * 3600.0 => (1.0 / 3600.0, "h"),
            _ => (1.0 / 86_400.0, "days"),
        },
    }
}

/// Ends and marks, in the unit shown.
struct Laid {
    low: f64,
    high: f64,
    marks: Vec<(f64, String)>,
}

/// Marks at multiples of 1, 2 or 5 and a power of ten.
fn even(low: f64, high: f64, ends: Ends, marks: usize) -> Laid {
    let (low, high) = match high - low > low.abs().max(high.abs()) * 1e-9 {
        true => (low, high),
        // A single value is in the middle, and zero at the lower end.
        false if high == 0.0 => (0.0, 1.0),
        false => (low - 0.1 * low.abs(), high + 0.1 * high.abs()),
    };
    let step = step((high - low) / marks.max(1) as f64);
    let (first, last) = match ends {
        Ends::Round => ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil()),
        Ends::Exact => ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor()),
    };
    let number = (last - first).clamp(0.0, 100.0) as usize;
    let values: Vec<f64> = (0..=number).map(|at| (first + at as f64) * step).collect();
    let most = values
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let labelled = values
        .iter()
        .map(|value| (*value, label(*value, step, most)));
    Laid {
        low: match ends {
            Ends::Round => first * step,
            Ends::Exact => low,
        },
        high: match ends {
            Ends::Round => (first + number as f64) * step,
            Ends::Exact => high,
        },
        marks: labelled.collect(),
    }
}

/// The least of 1, 2 and 5 times a power of ten that is no less than this.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter();
    let mut steps = steps.map(|times| times * power);
    let enough = steps.find(|step| *step >= least * (1.0 - 1e-9));
    enough
        .filter(|step| step.is_finite() && *step > 0.0)
        .unwrap_or(1.0)
}

/// A value at such a step, in thousands or millions where values are large.
fn label(value: f64, step: f64, most: f64) -> String {
    let (by, suffix) = match most {
        most if most >= 1e9 => (1e9, "G"),
        most if most >= 1e6 => (1e6, "M"),
        most if most >= 2e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / by).log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize;
    let sign = if value < 0.0 { "-" } else { "" };
    let size = (value / by).abs();
    match decimals {
        _ if value == 0.0 => "0".to_owned(),
        0 => format!("{sign}{}{suffix}", count(size.round() as u64)),
        decimals => format!("{sign}{size:.decimals$}{suffix}"),
    }
}

/// Marks at powers of ten, and at 2 and 5 times these where there is room. The ends are at such values.
fn logarithmic(low: f64, high: f64, marks: usize) -> Laid {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let steps = (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|times| times * ten_to(power)));
    let steps: Vec<f64> = steps.collect();
    let below = steps.iter().rev().find(|step| **step <= low * (1.0 + 1e-9));
    let above = steps.iter().find(|step| **step >= high * (1.0 - 1e-9));
    let low = below.copied().unwrap_or(low);
    let high = above
        .copied()
        .filter(|above| *above > low)
        .unwrap_or(low * 10.0);
    let inside = |value: &f64| *value >= low * (1.0 - 1e-9) && *value <= high * (1.0 + 1e-9);
    let mut shown: Vec<f64> = steps.into_iter().filter(inside).collect();
    if shown.len() > marks + 2 {
        let every = ((last - first) as usize).div_ceil(marks.max(1)).max(1) as i32;
        let powers = (first..=last).filter(|power| (power - first) % every == 0);
        shown = powers.map(ten_to).filter(inside).collect();
    }
    let labelled = shown
        .into_iter()
        .map(|value| (value, label(value, value, value)));
    Laid {
        low,
        high,
        marks: labelled.collect(),
    }
}

fn ten_to(power: i32) -> f64 {
    10_f64.powi(power)
}

/// Marks at 50 %, 90 %, 99 % and so on.
fn quantiles(low: f64, high: f64) -> Laid {
    let low = low.min(2.0);
    let high = high.max(10.0);
    let inside = ONE_IN.into_iter().filter(|one_in| *one_in <= high);
    Laid {
        low,
        high,
        marks: inside.map(|one_in| (one_in, percentile(one_in))).collect(),
    }
}

/// The quantile beyond which one request in so many lies, in percent.
pub fn percentile(one_in: f64) -> String {
    let power = one_in.log10();
    let is_round = (power - power.round()).abs() < 1e-6;
    // What is no power of ten has digits more, so that it is not taken for one.
    let more = if is_round || one_in <= 100.0 { 0 } else { 2 };
    let decimals = (power + 1e-6).floor().clamp(2.0, 9.0) as usize - 2 + more;
    let percent = 100.0 * (1.0 - 1.0 / one_in);
    format!("{percent:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruler(scale: Scale, quantity: Quantity, values: &[f64], ends: Ends) -> Ruler {
        let axis = Axis::new("x", quantity, scale);
        Ruler::of(&axis, values.iter().copied(), ends, 5)
    }

    fn labels(ruler: &Ruler) -> Vec<&str> {
        ruler.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn marks_are_multiples_of_one_two_or_five() {
        let number = Quantity::Number("");
        let cases: [(&[f64], &str); 6] = [
            (&[0.0, 98.4], "0 20 40 60 80 100"),
            (&[3.0, 0.7], "0 1 2 3"),
            (&[0.012], "0 0.005 0.010 0.015"),
            (&[12_000.0], "0 5,000 10,000 15,000"),
            (&[240_000.0], "0 50k 100k 150k 200k 250k"),
            (&[0.0], "0 0.2 0.4 0.6 0.8 1.0"),
        ];
        for (values, expected) in cases {
            let drawn = ruler(Scale::FromZero, number, values, Ends::Round);
            let shown = labels(&drawn).join(" ");
            assert_eq!(shown, expected, "{values:?}");
            assert_eq!(drawn.ticks[0].at, 0.0);
        }
        let signed = ruler(
            Scale::FromZero,
            Quantity::Share,
            &[-0.31, 0.12],
            Ends::Round,
        );
        assert_eq!(
            labels(&signed),
            ["-40", "-30", "-20", "-10", "0", "10", "20"]
        );
        assert_eq!(signed.label, "x (%)");
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        for (most, unit) in [(0.05, "us"), (30.0, "ms"), (30_000.0, "s")] {
            let drawn = ruler(Scale::FromZero, Quantity::Millis, &[most], Ends::Round);
            assert_eq!(drawn.label, format!("x ({unit})"));
        }
        for (most, unit) in [
            (0.1, "ms"),
            (60.0, "s"),
            (3600.0, "min"),
            (72_000.0, "h"),
            (1e6, "days"),
        ] {
            let drawn = ruler(Scale::FromZero, Quantity::Seconds, &[most], Ends::Exact);
            assert_eq!(drawn.label, format!("x ({unit})"), "{most}");
        }
    }

    #[test]
    fn logarithms_are_marked_at_powers_of_ten_or_between_them() {
        let near = ruler(Scale::Log, Quantity::Millis, &[7.0, 130.0], Ends::Round);
        assert_eq!(labels(&near), ["5", "10", "20", "50", "100", "200"]);
        let far = ruler(Scale::Log, Quantity::Number(""), &[0.01, 9e5], Ends::Round);
        let shown = labels(&far);
        assert!(shown.len() <= 6 && shown.contains(&"0.01"), "{shown:?}");
        let none = ruler(
            Scale::Log,
            Quantity::Millis,
            &[0.0, -1.0, f64::NAN],
            Ends::Round,
        );
        assert_eq!(none.place(0.0), None);
        assert!(none.place(1.5).is_some_and(f64::is_finite));
    }

    #[test]
    fn quantiles_are_as_far_apart_as_their_remainders() {
        let drawn = ruler(
            Scale::Quantile,
            Quantity::Share,
            &[2.0, 5_396.0],
            Ends::Exact,
        );
        assert_eq!(labels(&drawn), ["50 %", "90 %", "99 %", "99.9 %"]);
        let at: Vec<f64> = drawn.ticks.iter().map(|tick| tick.at).collect();
        assert!((at[2] - at[1] - (at[3] - at[2])).abs() < 1e-9, "{at:?}");
        let shown = [2.0, 20.0, 1e3, 1e5, 5_396.0].map(percentile);
        assert_eq!(shown, ["50 %", "95 %", "99.9 %", "99.999 %", "99.981 %"]);
    }

    #[test]
    fn a_single_value_and_none_have_an_axis() {
        for values in [&[5.0][..], &[], &[f64::INFINITY], &[-3.0]] {
            for scale in [Scale::Linear, Scale::FromZero, Scale::Log, Scale::Quantile] {
                let drawn = ruler(scale, Quantity::Number(""), values, Ends::Exact);
                let [low, high] = drawn.ends();
                assert!(low < high, "{values:?} on {scale:?}: {low} to {high}");
            }
        }
    }
}
