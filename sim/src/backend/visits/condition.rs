//! The condition of a service: factors on its service times, and its share of errors.

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
    /// What the service times of each queue are divided by; empty where that is 1 for all.
    speeds: Vec<f64>,
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
            speeds: match service.members.have_no_speed() {
                true => Vec::new(),
                // Members that share a queue have one speed.
                false => {
                    let each = service.members.each().take(lines as usize);
                    each.map(|member| member.speed).collect()
                }
            },
        }
    }

    /// Whether a service has anything of this.
    pub(super) fn varies(service: &Service) -> bool {
        service.load.is_some()
            || service.cold_start.is_some()
            || !service.slow_downs.is_empty()
            || !service.error_bursts.is_empty()
            || !service.members.have_no_speed()
    }

    /// A member starts anew.
    pub(super) fn restart(&mut self, now: Time, member: u32) {
        if let Some(started) = self.started.get_mut(member as usize) {
            *started = now;
        }
    }

    /// The service time of work that is taken up now, with `busy` workers of its queue busy, its own included.
    pub(super) fn stretch(&self, now: Time, member: u32, busy: u32, time: Span) -> Span {
        let factor = self.load_factor(busy) * self.cold_factor(now, member);
        let factor = factor * self.slow_factor(now, member) / self.speed(member);
        if factor == 1.0 {
            return time;
        }
        Span::from_nanos_f64(time.as_nanos() as f64 * factor)
    }

    fn speed(&self, member: u32) -> f64 {
        self.speeds.get(member as usize).copied().unwrap_or(1.0)
    }

    fn load_factor(&self, busy: u32) -> f64 {
        self.load.as_ref().map_or(1.0, |load| load.factor(busy))
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
