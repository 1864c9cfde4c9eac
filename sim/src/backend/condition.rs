//! In what condition a service is: what makes its service times longer, and its errors more.

use crate::model::{ColdStart, ErrorBurst, LoadCurve, Service, SlowDown};
use crate::time::{Span, Time};

/// What changes the service times and errors of a station.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    load: Option<LoadCurve>,
    cold_start: Option<ColdStart>,
    slow_downs: Vec<SlowDown>,
    error_bursts: Vec<ErrorBurst>,
    /// When each member started.
    started: Vec<Time>,
}

impl Condition {
    pub(super) fn new(service: &Service, lines: u32) -> Condition {
        let started = match service.cold_start {
            Some(_) => vec![Time::ZERO; lines as usize],
            None => Vec::new(),
        };
        Condition {
            load: service.load.clone(),
            cold_start: service.cold_start,
            slow_downs: service.slow_downs.clone(),
            error_bursts: service.error_bursts.clone(),
            started,
        }
    }

    /// Whether a service has anything of this.
    pub(super) fn varies(service: &Service) -> bool {
        service.load.is_some()
            || service.cold_start.is_some()
            || !service.slow_downs.is_empty()
            || !service.error_bursts.is_empty()
    }

    /// A member starts anew.
    pub(super) fn restart(&mut self, now: Time, member: u32) {
        if let Some(started) = self.started.get_mut(member as usize) {
            *started = now;
        }
    }

    /// The service time of work that is taken up now, with `busy` workers of its line busy, its own included.
    pub(super) fn stretch(&self, now: Time, member: u32, busy: u32, time: Span) -> Span {
        let factor = self.load_factor(busy) * self.cold_factor(now, member);
        let factor = factor * self.slow_factor(now, member);
        if factor == 1.0 {
            return time;
        }
        Span::from_nanos_f64(time.as_nanos() as f64 * factor)
    }

    fn load_factor(&self, busy: u32) -> f64 {
        let busy = f64::from(busy.max(1));
        match &self.load {
            None => 1.0,
            Some(LoadCurve::Scalability {
                contention,
                coherency,
            }) => 1.0 + contention * (busy - 1.0) + coherency * busy * (busy - 1.0),
            Some(LoadCurve::Table(table)) => interpolate(table, busy),
        }
    }

    fn cold_factor(&self, now: Time, member: u32) -> f64 {
        let (Some(cold), Some(started)) = (self.cold_start, self.started.get(member as usize))
        else {
            return 1.0;
        };
        let (warm, lasts) = (now.since(*started), cold.lasts);
        if warm >= lasts {
            return 1.0;
        }
        let left = 1.0 - warm.as_nanos() as f64 / lasts.as_nanos() as f64;
        1.0 + (cold.factor - 1.0) * left
    }

    fn slow_factor(&self, now: Time, member: u32) -> f64 {
        let slow = self.slow_downs.iter().find(|slow| {
            slow.from <= now && now < slow.to && slow.member.is_none_or(|one| one == member)
        });
        slow.map_or(1.0, |slow| slow.factor)
    }

    /// The share of errors now, where a burst decides it.
    pub(super) fn error_share(&self, now: Time) -> Option<f64> {
        let burst = self
            .error_bursts
            .iter()
            .find(|burst| burst.from <= now && now < burst.to);
        burst.map(|burst| burst.share)
    }
}

/// Linear between the points of a table, constant outside.
fn interpolate(table: &[(f64, f64)], x: f64) -> f64 {
    let after = table.partition_point(|(at, _)| *at < x);
    match (
        after.checked_sub(1).map(|before| table[before]),
        table.get(after),
    ) {
        (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (None, Some(&(_, y))) | (Some((_, y)), None) => y,
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    #[test]
    fn a_table_is_linear_between_its_points_and_constant_outside() {
        let table = [(1.0, 1.0), (3.0, 2.0), (5.0, 6.0)];
        let at = |x| interpolate(&table, x);
        assert_eq!([at(0.5), at(1.0), at(2.0), at(3.0)], [1.0, 1.0, 1.5, 2.0]);
        assert_eq!([at(4.0), at(5.0), at(9.0)], [4.0, 6.0, 6.0]);
    }
}
