//! Distributions by their quantiles.

use blis_sim::result::{LatencyBlock, SignalResult};

use crate::report::plot::{Axis, Mark, Plot, Point, Quantity, Scale, Series, readable};

/// From here on an objective far above the times would press them to the axis.
const FAR: f64 = 3.0;

/// The quantiles of these distributions, with the objectives on single quantiles.
pub fn quantiles(
    title: &str,
    description: &str,
    label: &str,
    distributions: Vec<Series>,
    objectives: Option<Series>,
) -> Plot {
    let points = distributions.iter().flat_map(|one| &one.points);
    let values: Vec<f64> = points.map(|point| point.y).collect();
    let most = values.iter().copied().fold(0.0, f64::max);
    let mut limits = objectives.iter().flat_map(|series| &series.points);
    let is_far = limits.any(|limit| limit.y > FAR * most);
    let scale = match is_far {
        true => Scale::Log,
        false => readable(values),
    };
    let axes = [Axis::quantiles(), Axis::new(label, Quantity::Millis, scale)];
    Plot::curves(
        title,
        description,
        axes,
        distributions.into_iter().chain(objectives),
    )
}

/// A distribution from its median to its largest value, which is the quantile that one of so many is.
pub fn distribution(name: impl Into<String>, colour: usize, block: &LatencyBlock) -> Series {
    let figures = [
        (0.5, block.p50, block.p50_ci95),
        (0.9, block.p90, block.p90_ci95),
        (0.95, block.p95, block.p95_ci95),
        (0.99, block.p99, block.p99_ci95),
        (0.999, block.p999, block.p999_ci95),
    ];
    let largest = block.count as f64;
    let points = figures.into_iter().filter_map(|(quantile, value, within)| {
        let x = Point::of_quantile(quantile)?;
        // Beyond the largest there is nothing.
        (x < largest).then_some(Point {
            x,
            y: value?,
            within,
        })
    });
    let max = block.max.filter(|_| largest >= 2.0);
    let max = max.map(|max| Point::at(largest, max));
    Series {
        name: name.into(),
        colour,
        mark: Mark::Marked,
        points: points.chain(max).collect(),
    }
}

/// The objectives on quantiles of response times.
pub fn objectives<'a>(signals: impl IntoIterator<Item = &'a SignalResult>) -> Option<Series> {
    let mut points: Vec<Point> = signals
        .into_iter()
        .filter_map(|signal| Some(Point::at(place(&signal.name)?, signal.limit)))
        .collect();
    points.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    points.dedup();
    (!points.is_empty()).then(|| Series {
        name: "objective".to_owned(),
        colour: 2,
        mark: Mark::Limits,
        points,
    })
}

/// Where the quantile of this name is: `p99`, `p99.9`.
fn place(name: &str) -> Option<f64> {
    let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
    Point::of_quantile(percent / 100.0).filter(|_| percent > 0.0)
}

/// The value of a quantile of a block of figures with this name: `p50`, `p95`, `p99`.
pub fn named(name: &str, value: Option<f64>, within: Option<[f64; 2]>) -> Option<Point> {
    Some(Point {
        x: place(name)?,
        y: value?,
        within,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_ends_with_its_largest_value() {
        let block = LatencyBlock {
            count: 50,
            p50: Some(1.0),
            p95: Some(2.0),
            p99: Some(3.0),
            max: Some(3.0),
            ..LatencyBlock::default()
        };
        let points = distribution("all", 1, &block).points;
        let places: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(places.len(), 3, "{places:?}");
        assert_eq!(places[2], (50.0, 3.0));
        assert!(
            distribution("none", 1, &LatencyBlock::default())
                .points
                .is_empty()
        );
    }

    #[test]
    fn quantiles_have_their_places_by_name() {
        assert_eq!(place("p50"), Some(2.0));
        assert!((place("p99.9").unwrap_or(0.0) / 1000.0 - 1.0).abs() < 1e-9);
        assert_eq!(
            (place("p100"), place("errors"), place("mean")),
            (None, None, None)
        );
    }
}
