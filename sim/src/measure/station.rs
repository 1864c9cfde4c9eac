//! What is measured of a service.

use crate::measure::event::VisitStep;
use crate::measure::latency::Times;
use crate::measure::ledger::{Imbalance, balance};
use crate::time::{Span, Time};

/// Time integrals up to an instant, in nanoseconds times requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// Integral of the number of requests waiting.
    pub waiting: u128,
    /// Integral of the number of busy workers.
    pub busy: u128,
}

/// Counts of what became of a service's visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// Joined a line, or were taken up at once.
    pub arrived: u64,
    /// Taken up by a worker.
    pub started: u64,
    /// Served to the end, errors included.
    pub completed: u64,
    /// Ended in an injected error.
    pub errors: u64,
    /// Refused by a full line.
    pub rejected: u64,
    /// Left the line because the client had given up.
    pub left: u64,
    /// Stopped while running because the client had given up.
    pub abandoned: u64,
    /// Still waiting at the end of the run.
    pub cut_waiting: u64,
    /// Still running at the end of the run.
    pub cut_running: u64,
}

/// The measurements of one service.
#[derive(Debug, Clone)]
pub struct StationMeter {
    waiting: u64,
    busy: u64,
    last: Time,
    areas: Areas,
    /// Visits of the whole run.
    pub visits: Visits,
    /// Visits that arrived within the window, and refusals within it.
    pub window_visits: Visits,
    /// Waiting times of visits taken up within the window.
    pub wait: Times,
    max_waiting: u64,
    max_at_end: Option<u64>,
    waited: u128,
    served: u128,
    at_start: Areas,
    at_end: Option<Areas>,
}

impl StationMeter {
    pub(super) fn new() -> StationMeter {
        StationMeter {
            waiting: 0,
            busy: 0,
            last: Time::ZERO,
            areas: Areas::default(),
            visits: Visits::default(),
            window_visits: Visits::default(),
            wait: Times::new(),
            max_waiting: 0,
            max_at_end: None,
            waited: 0,
            served: 0,
            at_start: Areas::default(),
            at_end: None,
        }
    }

    /// Brings the integrals up to `now`.
    #[inline]
    pub(super) fn advance(&mut self, now: Time) {
        if now == self.last {
            return;
        }
        let elapsed = u128::from(now.since(self.last).as_nanos());
        self.last = now;
        // Who is taken up at the instant of arrival was never in the line.
        self.max_waiting = self.max_waiting.max(self.waiting);
        self.areas.waiting += u128::from(self.waiting) * elapsed;
        self.areas.busy += u128::from(self.busy) * elapsed;
    }

    #[inline]
    pub(super) fn record(&mut self, now: Time, step: VisitStep, in_window: bool) {
        self.advance(now);
        match step {
            VisitStep::Arrived => {
                self.waiting += 1;
                self.visits.arrived += 1;
                self.window_visits.arrived += u64::from(in_window);
            }
            VisitStep::Started { waited } => {
                self.stop_waiting(waited);
                self.busy += 1;
                self.visits.started += 1;
                if in_window {
                    self.wait.record(waited);
                }
            }
            VisitStep::Completed { served, error } => {
                self.stop_serving(served);
                self.visits.completed += 1;
                self.visits.errors += u64::from(error);
                self.window_visits.errors += u64::from(error && in_window);
            }
            other => self.record_rare(other, in_window),
        }
    }

    #[cold]
    fn record_rare(&mut self, step: VisitStep, in_window: bool) {
        match step {
            VisitStep::Rejected => {
                self.visits.rejected += 1;
                self.window_visits.rejected += u64::from(in_window);
            }
            VisitStep::Left { waited } => {
                self.stop_waiting(waited);
                self.visits.left += 1;
                self.window_visits.left += u64::from(in_window);
            }
            VisitStep::Abandoned { served } => {
                self.stop_serving(served);
                self.visits.abandoned += 1;
                self.window_visits.abandoned += u64::from(in_window);
            }
            VisitStep::CutWaiting { waited } => {
                self.stop_waiting(waited);
                self.visits.cut_waiting += 1;
            }
            VisitStep::CutRunning { served } => {
                self.stop_serving(served);
                self.visits.cut_running += 1;
            }
            VisitStep::Arrived | VisitStep::Started { .. } | VisitStep::Completed { .. } => {}
        }
    }

    #[inline]
    fn stop_waiting(&mut self, waited: Span) {
        self.waiting -= 1;
        self.waited += u128::from(waited.as_nanos());
    }

    #[inline]
    fn stop_serving(&mut self, served: Span) {
        self.busy -= 1;
        self.served += u128::from(served.as_nanos());
    }

    /// The measured window begins.
    pub(super) fn window_starts(&mut self, now: Time) {
        self.advance(now);
        self.at_start = self.areas;
        self.max_waiting = self.waiting;
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.advance(now);
        self.at_end = Some(self.areas);
        self.max_at_end = Some(self.max_waiting);
    }

    /// The integrals up to the last event.
    pub fn areas(&self) -> Areas {
        self.areas
    }

    /// The integrals over the window.
    pub fn window_areas(&self) -> Areas {
        let end = self.at_end.unwrap_or(self.areas);
        Areas {
            waiting: end.waiting.saturating_sub(self.at_start.waiting),
            busy: end.busy.saturating_sub(self.at_start.busy),
        }
    }

    /// The longest the line was within the window.
    pub fn max_waiting(&self) -> u64 {
        self.max_at_end.unwrap_or(self.max_waiting)
    }

    /// Checks that every visit is accounted for, and Little's law for line and workers: the integral of
    /// the number present is the sum of the times spent (Little 1961), exactly.
    pub(super) fn check(&self, name: &str) -> Result<(), Imbalance> {
        let Visits { arrived, started, completed, left, abandoned, cut_waiting, cut_running, .. } =
            self.visits;
        let of = |what: &str| format!("{what} of service {name}");
        balance(&of("visits"), arrived, "those started, left or cut off", started + left + cut_waiting)?;
        balance(
            &of("visits started"),
            started,
            "those completed, abandoned or cut off",
            completed + abandoned + cut_running,
        )?;
        balance(&of("waiting integral"), self.areas.waiting, "the sum of waits", self.waited)?;
        balance(&of("busy integral"), self.areas.busy, "the sum of service times", self.served)
    }
}
