//! The figures of a system as its load grows.

use crate::compare::Compared;

/// A load that sends more than what is answered by this share is more than the system carries.
const SHORT: f64 = 0.97;
/// Where the throughput grows by less than this share of what the load does, both as logarithms, the system is full.
const GAIN: f64 = 0.3;
/// Below this many times the p95 of the smallest load, latency says little of the load.
const TOLD: f64 = 1.3;

/// A load, and the means of its runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub load: f64,
    /// Requests answered `ok` per second.
    pub throughput: f64,
    /// Requests intended per second.
    pub sent: f64,
    /// Requests answered per second, `ok` or with an error of the application: a system that answers is not full for that.
    pub answered: f64,
    /// Of the response times, in milliseconds; `None` where a run has none.
    pub p95: Option<f64>,
}

impl Point {
    pub(super) fn of(load: f64, runs: &[Compared]) -> Point {
        let number = runs.len().max(1) as f64;
        let mean = |of: fn(&Compared) -> f64| runs.iter().map(of).sum::<f64>() / number;
        let p95: Option<f64> = runs.iter().map(|run| run.run.latency_ms.response.p95).sum();
        Point {
            load,
            throughput: mean(|run| run.run.throughput_rps.unwrap_or(0.0)),
            sent: mean(|run| run.run.window.requests.intended as f64 / run.run.window.measured_s),
            answered: mean(|run| {
                let window = &run.run.window;
                let errors = window.requests.app_error as f64 / window.measured_s;
                run.run.throughput_rps.unwrap_or(0.0) + errors
            }),
            p95: p95.map(|sum| sum / number),
        }
    }
}

/// The loads in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub points: Vec<Point>,
    is_closed: bool,
}

impl Curve {
    /// Those of users who wait for answers, or of a load that waits for nothing.
    pub(super) fn of(points: Vec<Point>, is_closed: bool) -> Curve {
        Curve { points, is_closed }
    }

    /// The first load that is as much as the system carries, or more: less of what is sent is answered than at the smallest load, or
    /// more users send hardly more.
    pub(super) fn full(&self) -> Option<usize> {
        let share = |point: &Point| match point.sent > 0.0 {
            true => point.answered / point.sent,
            false => 0.0,
        };
        let usual = share(self.points.first()?).min(1.0);
        let is_full = |at: &usize| {
            let point = self.points[*at];
            let before = at.checked_sub(1).map(|before| self.points[before]);
            let gains = before.is_none_or(|before| {
                let grown = libm::log(point.load / before.load);
                libm::log(point.answered / before.answered) >= GAIN * grown
            });
            match self.is_closed {
                true => !gains,
                false => usual < SHORT || share(&point) < SHORT * usual,
            }
        };
        (0..self.points.len()).find(is_full)
    }

    /// Where the throughput is largest.
    pub(super) fn most(&self) -> Option<usize> {
        (0..self.points.len()).max_by(|one, other| {
            let [one, other] = [one, other].map(|at| self.points[*at].throughput);
            one.total_cmp(&other)
        })
    }

    /// The load at which the p95 is this, on the line between the loads beside it, with the latency as a logarithm. `None` where it is
    /// at none of them, or hardly longer than at the smallest. Where it is at several, the nearest to where it was measured.
    pub(super) fn load_of_latency(&self, measured: &Point) -> Option<f64> {
        let p95 = measured.p95?;
        let known: Vec<(f64, f64)> = self
            .points
            .iter()
            .filter_map(|point| Some((point.load, point.p95?)))
            .collect();
        if p95 < TOLD * known.first()?.1 {
            return None;
        }
        let pairs = known
            .windows(2)
            .filter(|pair| 0.0 < pair[0].1 && pair[0].1 <= p95 && p95 <= pair[1].1);
        let loads = pairs
            .filter(|pair| pair[0].1 < pair[1].1)
            .map(|pair| crossing([pair[0], pair[1]], p95));
        let away = |load: &f64| (load - measured.load).abs();
        loads.min_by(|one, other| away(one).total_cmp(&away(other)))
    }
}

/// The load between two at which a latency is this, on the line between theirs as logarithms.
pub(super) fn crossing([(from, low), (to, high)]: [(f64, f64); 2], latency: f64) -> f64 {
    from + libm::log(latency / low) / libm::log(high / low) * (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(points: &[(f64, f64, f64, f64)]) -> Vec<Point> {
        let point = |&(load, throughput, sent, p95): &(f64, f64, f64, f64)| Point {
            load,
            throughput,
            sent,
            answered: throughput,
            p95: Some(p95),
        };
        points.iter().map(point).collect()
    }

    fn open(of: &[(f64, f64, f64, f64)]) -> Curve {
        Curve::of(points(of), false)
    }

    #[test]
    fn a_system_is_full_where_less_is_answered_than_sent_or_more_users_send_no_more() {
        let loads = [
            (50.0, 50.0, 50.0, 1.0),
            (90.0, 89.0, 90.0, 4.0),
            (120.0, 100.0, 120.0, 500.0),
        ];
        assert_eq!(
            (open(&loads).full(), open(&loads[..2]).full()),
            (Some(2), None)
        );
        assert_eq!(open(&loads).most(), Some(2));
        // One client of several is varied: what the others send is no sign.
        let beside = [(10.0, 1010.0, 1010.0, 1.0), (20.0, 1020.0, 1020.0, 1.0)];
        assert_eq!(open(&beside).full(), None);
        // Nothing is answered at the smallest load already.
        let none = [(10.0, 0.0, 10.0, 1.0), (20.0, 0.0, 20.0, 1.0)];
        assert_eq!((open(&none).full(), open(&[]).full()), (Some(0), None));
        let users = [
            (4.0, 40.0, 40.0, 1.0),
            (8.0, 78.0, 78.0, 2.0),
            (16.0, 95.0, 95.0, 9.0),
            (32.0, 94.0, 94.0, 90.0),
        ];
        let closed = Curve::of(points(&users), true);
        assert_eq!((closed.full(), closed.most()), (Some(2), Some(2)));
    }

    #[test]
    fn a_latency_belongs_to_the_load_between_those_beside_it() {
        let at = |load: f64, p95: Option<f64>| Point {
            load,
            throughput: load,
            sent: load,
            answered: load,
            p95,
        };
        let of = open(&[(50.0, 50.0, 50.0, 1.0), (80.0, 80.0, 80.0, 4.0)]);
        // Half way from 1 to 4 as logarithms is 2.
        let load = of
            .load_of_latency(&at(70.0, Some(2.0)))
            .expect("it is between");
        assert!((load - 65.0).abs() < 1e-9);
        for p95 in [None, Some(0.5), Some(1.2), Some(4.1)] {
            assert_eq!(of.load_of_latency(&at(70.0, p95)), None, "{p95:?}");
        }
        // Where it is at two loads, the nearer is meant; of nothing there is no share.
        let twice = open(&[
            (50.0, 0.0, 0.0, 1.0),
            (60.0, 0.0, 0.0, 5.0),
            (70.0, 0.0, 0.0, 2.0),
            (80.0, 0.0, 0.0, 8.0),
        ]);
        let load = twice
            .load_of_latency(&at(70.0, Some(4.0)))
            .expect("it is between");
        assert!((load - 75.0).abs() < 1e-9, "{load}");
        let nothing = open(&[(50.0, 0.0, 0.0, 0.0), (60.0, 0.0, 0.0, 5.0)]);
        assert_eq!(nothing.load_of_latency(&at(55.0, Some(1.0))), None);
    }
}
