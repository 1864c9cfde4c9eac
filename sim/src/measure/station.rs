//! Figures of a service.

use crate::event::VisitStep;
use crate::measure::batches::StationSums;
use crate::measure::latency::Times;
use crate::measure::ledger::{Imbalance, balance};
use crate::measure::level::Level;
use crate::measure::stays::{Stays, Wait};
use crate::measure::window::Window;
use crate::model::{Order, Service};
use crate::time::{Span, Time};

/// Time integrals up to an instant, in nanoseconds times requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// Integral of the number of requests waiting.
    pub waiting: u128,
    /// Integral of the number of requests in service.
    pub serving: u128,
    /// Integral of the number of busy workers: fewer than requests in service where these share them.
    pub busy: u128,
}

impl Areas {
    /// Adds those of another part, or of another run.
    pub(super) fn add(&mut self, other: &Areas) {
        self.waiting += other.waiting;
        self.serving += other.serving;
        self.busy += other.busy;
    }

    /// What has come since these: none is ever smaller later.
    pub(super) fn minus(&self, before: &Areas) -> Areas {
        Areas {
            waiting: self.waiting.saturating_sub(before.waiting),
            serving: self.serving.saturating_sub(before.serving),
            busy: self.busy.saturating_sub(before.busy),
        }
    }
}

/// Counts of what became of a service's visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// Found an idle worker.
    pub at_once: u64,
    /// Joined a queue.
    pub joined: u64,
    /// Taken up from the queue.
    pub started: u64,
    /// Served to the end, errors included.
    pub completed: u64,
    /// Ended in an error: an injected one, or one of what they held a worker for.
    pub errors: u64,
    /// Refused by a full queue.
    pub rejected: u64,
    /// Left the queue because the client had given up.
    pub left: u64,
    /// Stopped while running because the client had given up.
    pub abandoned: u64,
    /// Sent back to the queue by a more urgent visit.
    pub preempted: u64,
    /// Lost while waiting, because the service went down.
    pub lost_waiting: u64,
    /// Lost while running, because the service or one that waited for it went down.
    pub lost_running: u64,
    /// Found the service down.
    pub unreachable: u64,
    /// Still waiting at the end of the run.
    pub cut_waiting: u64,
    /// Still running at the end of the run.
    pub cut_running: u64,
}

impl Visits {
    /// Visits that the service took in.
    pub fn arrived(&self) -> u64 {
        self.at_once + self.joined
    }

    fn plus(&self, other: &Visits) -> Visits {
        Visits {
            at_once: self.at_once + other.at_once,
            joined: self.joined + other.joined,
            started: self.started + other.started,
            completed: self.completed + other.completed,
            errors: self.errors + other.errors,
            rejected: self.rejected + other.rejected,
            left: self.left + other.left,
            abandoned: self.abandoned + other.abandoned,
            preempted: self.preempted + other.preempted,
            lost_waiting: self.lost_waiting + other.lost_waiting,
            lost_running: self.lost_running + other.lost_running,
            unreachable: self.unreachable + other.unreachable,
            cut_waiting: self.cut_waiting + other.cut_waiting,
            cut_running: self.cut_running + other.cut_running,
        }
    }
}

/// The measurements of one service.
#[derive(Debug, Clone)]
pub struct StationMeter {
    waiting: Level,
    serving: Level,
    /// Busy workers, where those in service share them; otherwise each of these has one.
    shared: Option<Level>,
    /// What happened to visits outside the window.
    outside: Visits,
    /// What happened to visits within the window.
    window: Visits,
    /// Times in the queue of the visits that came within the window, once they are certain; where nobody is preempted,
    /// without those of the visits that were taken up at once.
    wait: Times,
    /// How many of these left the queue without being taken up.
    censored_waits: u64,
    /// Visits whose wait may still grow, where visits are preempted.
    stays: Option<Stays>,
    during: Window,
    max_waiting: u64,
    waited: u128,
    served: u128,
    at_start: Areas,
    /// Integrals and the longest queue at the end of the window.
    at_end: Option<(Areas, u64)>,
}

impl StationMeter {
    /// Nothing measured of this service yet; the window starts at `window_start`.
    pub(super) fn new(service: &Service, window_start: Time) -> StationMeter {
        let shares = matches!(service.order, Order::Shared { .. });
        let preempts = matches!(
            service.order,
            Order::Priority {
                preemptive: true,
                ..
            }
        );
        StationMeter {
            waiting: Level::default(),
            serving: Level::default(),
            shared: shares.then(Level::default),
            outside: Visits::default(),
            window: Visits::default(),
            wait: Times::new(),
            censored_waits: 0,
            stays: preempts.then(Stays::default),
            during: Window::starting(window_start),
            max_waiting: 0,
            waited: 0,
            served: 0,
            at_start: Areas::default(),
            at_end: None,
        }
    }

    #[inline(always)]
    pub(super) fn record(&mut self, now: Time, line: u32, visitor: u32, step: VisitStep) {
        if self.stays.is_some() {
            self.record_stay(now, line, visitor, step);
        }
        let visits = if self.during.contains(now) {
            &mut self.window
        } else {
            &mut self.outside
        };
        match step {
            VisitStep::TakenAtOnce => {
                visits.at_once += 1;
                self.serving.up(now);
            }
            VisitStep::Joined => {
                visits.joined += 1;
                self.waiting.up(now);
                self.max_waiting = self.max_waiting.max(self.waiting.number);
            }
            VisitStep::Started { waited } => {
                visits.started += 1;
                self.stop_waiting(now, waited);
                self.serving.up(now);
                self.record_wait(now, waited, false);
            }
            VisitStep::Completed { served, error } => {
                visits.completed += 1;
                visits.errors += u64::from(error);
                self.stop_serving(now, served);
            }
            other => self.record_rare(now, other),
        }
    }

    /// At a service that preempts a wait is held when no stay can follow.
    #[cold]
    fn record_stay(&mut self, now: Time, line: u32, visitor: u32, step: VisitStep) {
        let stays = self.stays.as_mut();
        if let Some(wait) = stays.and_then(|stays| stays.step(now, line, visitor, step)) {
            self.hold_wait(wait);
        }
    }

    #[cold]
    fn record_rare(&mut self, now: Time, step: VisitStep) {
        let visits = if self.during.contains(now) {
            &mut self.window
        } else {
            &mut self.outside
        };
        match step {
            VisitStep::Rejected => visits.rejected += 1,
            VisitStep::Left { waited } => {
                visits.left += 1;
                self.stop_waiting(now, waited);
                self.record_wait(now, waited, true);
            }
            VisitStep::Abandoned { served } => {
                visits.abandoned += 1;
                self.stop_serving(now, served);
            }
            VisitStep::CutWaiting { waited } => {
                visits.cut_waiting += 1;
                self.stop_waiting(now, waited);
                self.record_wait(now, waited, true);
            }
            VisitStep::CutRunning { served } => {
                visits.cut_running += 1;
                self.stop_serving(now, served);
            }
            VisitStep::Unreachable => visits.unreachable += 1,
            VisitStep::LostWaiting { waited } => {
                visits.lost_waiting += 1;
                self.stop_waiting(now, waited);
                self.record_wait(now, waited, true);
            }
            VisitStep::LostRunning { served } => {
                visits.lost_running += 1;
                self.stop_serving(now, served);
            }
            VisitStep::Preempted { served } => {
                visits.preempted += 1;
                self.stop_serving(now, served);
                self.waiting.up(now);
                self.max_waiting = self.max_waiting.max(self.waiting.number);
            }
            VisitStep::WorkerBusy => self.shared.iter_mut().for_each(|busy| busy.up(now)),
            VisitStep::WorkerIdle => self.shared.iter_mut().for_each(|busy| busy.down(now)),
            VisitStep::Held { .. }
            | VisitStep::TakenAtOnce
            | VisitStep::Joined
            | VisitStep::Started { .. }
            | VisitStep::Completed { .. } => {}
        }
    }

    /// A visit is out of the queue, for good where nobody is preempted.
    #[inline(always)]
    fn record_wait(&mut self, now: Time, waited: Span, censored: bool) {
        if self.stays.is_none() {
            self.hold_wait(Wait {
                came: Time::from_nanos(now.as_nanos() - waited.as_nanos()),
                waited,
                censored,
            });
        }
    }

    /// Holds a time in the queue if the visit came within the window.
    #[inline(always)]
    fn hold_wait(&mut self, wait: Wait) {
        if self.during.contains(wait.came) {
            self.wait.record(wait.waited);
            self.censored_waits += u64::from(wait.censored);
        }
    }

    #[inline(always)]
    fn stop_waiting(&mut self, now: Time, waited: Span) {
        self.waiting.down(now);
        self.waited += u128::from(waited.as_nanos());
    }

    #[inline(always)]
    fn stop_serving(&mut self, now: Time, served: Span) {
        self.serving.down(now);
        self.served += u128::from(served.as_nanos());
    }

    /// The measured window begins.
    pub(super) fn window_starts(&mut self, now: Time) {
        self.at_start = self.areas(now);
        self.max_waiting = self.waiting.number;
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.at_end = Some((self.areas(now), self.max_waiting));
        self.during.close(now);
    }

    /// The integrals up to `now`, which no event has passed.
    pub fn areas(&self, now: Time) -> Areas {
        Areas {
            waiting: self.waiting.integral(now),
            serving: self.serving.integral(now),
            busy: self.shared.as_ref().unwrap_or(&self.serving).integral(now),
        }
    }

    /// The integrals over the window, once it has ended.
    pub fn window_areas(&self) -> Areas {
        let (end, _) = self.at_end.unwrap_or((self.at_start, 0));
        end.minus(&self.at_start)
    }

    /// What happened to visits in the whole run.
    pub fn visits(&self) -> Visits {
        self.outside.plus(&self.window)
    }

    /// What happened to visits within the window.
    pub fn window_visits(&self) -> Visits {
        self.window
    }

    /// The longest the queue was within the window.
    pub fn max_waiting(&self) -> u64 {
        self.at_end.map_or(self.max_waiting, |(_, longest)| longest)
    }

    /// Waiting times of the visits that came within the window, those taken up at once included.
    pub fn waits(&self) -> Times {
        let mut waits = self.wait.clone();
        waits.record_n(Span::ZERO, self.never_waited());
        waits
    }

    /// Visits that came within the window and were taken up at once, and whose waits are not held for that.
    fn never_waited(&self) -> u64 {
        match self.stays {
            None => self.window.at_once,
            Some(_) => 0,
        }
    }

    /// Integrals up to `now`, and the visits that came within the window so far with their waits.
    pub(super) fn sums(&self, now: Time) -> StationSums {
        StationSums {
            areas: self.areas(now),
            visits: self.never_waited() + self.wait.count(),
            waited: self.wait.sum_nanos(),
        }
    }

    /// The same of the window, once the run has ended.
    pub(super) fn window_sums(&self) -> StationSums {
        StationSums {
            areas: self.window_areas(),
            visits: self.never_waited() + self.wait.count(),
            waited: self.wait.sum_nanos(),
        }
    }

    /// Adds what another run of the same model measured of the service.
    pub(super) fn merge(&mut self, other: &StationMeter) {
        self.outside = self.outside.plus(&other.outside);
        self.window = self.window.plus(&other.window);
        self.wait.merge(&other.wait);
        self.censored_waits += other.censored_waits;
        let (mine, others) = (self.window_areas(), other.window_areas());
        let longest = self.max_waiting().max(other.max_waiting());
        let mut areas = mine;
        areas.add(&others);
        self.at_start = Areas::default();
        self.at_end = Some((areas, longest));
        self.waited += other.waited;
        self.served += other.served;
    }

    /// How many of [`waits`](Self::waits) were still growing when the visit left or the run ended.
    pub fn censored_waits(&self) -> u64 {
        self.censored_waits
    }

    /// Checks that every visit is accounted for, and Little's law for queue and workers: the integral of
    /// the number present is the sum of the times spent (Little 1961), exactly.
    pub(super) fn check(&self, name: &str, now: Time) -> Result<(), Imbalance> {
        let visits = self.visits();
        let of = |what: &str| format!("{what} of service {name}");
        let left_line = visits.started + visits.left + visits.lost_waiting + visits.cut_waiting;
        balance(
            &of("visits that joined the queue"),
            visits.joined + visits.preempted,
            "those that left it",
            left_line,
        )?;
        let taken = visits.at_once + visits.started;
        let gone = visits.completed
            + visits.abandoned
            + visits.preempted
            + visits.lost_running
            + visits.cut_running;
        balance(
            &of("visits taken up"),
            taken,
            "those that workers were done with",
            gone,
        )?;
        balance(
            &of("visits in the window"),
            self.window.arrived(),
            "their waits",
            self.never_waited() + self.wait.count(),
        )?;
        let areas = self.areas(now);
        balance(
            &of("waiting integral"),
            areas.waiting,
            "the sum of waits",
            self.waited,
        )?;
        balance(
            &of("service integral"),
            areas.serving,
            "the sum of service times",
            self.served,
        )
    }
}
