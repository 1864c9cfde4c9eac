//! Figures of the awaited deliveries of an action.
//!
//! A delivery belongs to its request, and the request to the window by its intended time. Every request that was not dropped has
//! the number of expected deliveries of the spec, however it ended. A delivery that names no request belongs to the window by
//! its arrival time.

use crate::event::Received;
use crate::measure::Over;
use crate::measure::latency::Times;
use crate::measure::ledger::{Imbalance, balance};
use crate::measure::window::Window;
use crate::model::{Await, DeliveryLimits, QuantileLimit};
use crate::time::{Span, Time};

/// Counts of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// Requests that have deliveries to come.
    pub requests: u64,
    /// Deliveries that were to come.
    pub expected: u64,
    /// How many of them came.
    pub delivered: u64,
    /// Deliveries beyond those that were to come.
    pub duplicates: u64,
    /// Deliveries for requests that had been given up, whose deliveries are missing.
    pub late: u64,
    /// Deliveries that are for no request that is known.
    pub unmatched: u64,
}

impl DeliveryCounts {
    /// How many were to come and did not, or only late.
    pub fn missing(&self) -> u64 {
        self.expected.saturating_sub(self.delivered)
    }

    fn add(&mut self, other: &DeliveryCounts) {
        self.requests += other.requests;
        self.expected += other.expected;
        self.delivered += other.delivered;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.unmatched += other.unmatched;
    }
}

/// Times to deliveries, and how many of them lay over each limit of an objective, exactly.
#[derive(Debug, Clone, Default)]
pub struct DeliveryTimes {
    /// From the intended time of the request.
    pub from_intended: Times,
    /// From its sending.
    pub from_sent: Times,
    /// By limit.
    pub over: Vec<Over>,
}

impl DeliveryTimes {
    fn record(&mut self, from_intended: Span, from_sent: Span, limits: &[QuantileLimit]) {
        self.from_intended.record(from_intended);
        self.from_sent.record(from_sent);
        for (limit, over) in limits.iter().zip(&mut self.over) {
            over.response += u64::from(from_intended > limit.limit);
            over.service += u64::from(from_sent > limit.limit);
        }
    }

    fn merge(&mut self, other: &DeliveryTimes) {
        self.from_intended.merge(&other.from_intended);
        self.from_sent.merge(&other.from_sent);
        for (mine, others) in self.over.iter_mut().zip(&other.over) {
            mine.add(*others);
        }
    }
}

/// The measurements of the deliveries of one action.
#[derive(Debug, Clone)]
pub struct DeliveryMeter {
    of_each: u64,
    limits: DeliveryLimits,
    during: Window,
    warmup: Time,
    outside: DeliveryCounts,
    window: DeliveryCounts,
    first: DeliveryTimes,
    each: DeliveryTimes,
    last: DeliveryTimes,
}

impl DeliveryMeter {
    /// Nothing measured yet; the window starts at `warmup`.
    pub(super) fn new(
        awaited: Await,
        limits: Option<&DeliveryLimits>,
        warmup: Time,
    ) -> DeliveryMeter {
        let limits = limits.cloned().unwrap_or_default();
        let times = |limits: &[QuantileLimit]| DeliveryTimes {
            over: vec![Over::default(); limits.len()],
            ..DeliveryTimes::default()
        };
        DeliveryMeter {
            of_each: u64::from(awaited.deliveries.get()),
            during: Window::starting(warmup),
            warmup,
            outside: DeliveryCounts::default(),
            window: DeliveryCounts::default(),
            first: times(&limits.first),
            each: times(&limits.each),
            last: times(&limits.last),
            limits,
        }
    }

    /// A request ended that was not dropped.
    pub(super) fn ended(&mut self, intended: Time) {
        let of_each = self.of_each;
        let counts = self.counts_of(intended);
        counts.requests += 1;
        counts.expected += of_each;
    }

    /// Something was delivered at `at`.
    pub(super) fn received(&mut self, at: Time, received: Received) {
        match received {
            Received::Delivered {
                intended,
                sent,
                is_first,
                is_last,
            } => {
                self.counts_of(intended).delivered += 1;
                if intended < self.warmup {
                    return;
                }
                let (from_intended, from_sent) = (at.since(intended), at.since(sent));
                let DeliveryLimits {
                    first, each, last, ..
                } = &self.limits;
                self.each.record(from_intended, from_sent, each);
                if is_first {
                    self.first.record(from_intended, from_sent, first);
                }
                if is_last {
                    self.last.record(from_intended, from_sent, last);
                }
            }
            Received::Duplicate { intended } => self.counts_of(intended).duplicates += 1,
            Received::Late { intended } => self.counts_of(intended).late += 1,
            Received::Unmatched if self.during.contains(at) => self.window.unmatched += 1,
            Received::Unmatched => self.outside.unmatched += 1,
        }
    }

    fn counts_of(&mut self, intended: Time) -> &mut DeliveryCounts {
        match intended >= self.warmup {
            true => &mut self.window,
            false => &mut self.outside,
        }
    }

    pub(super) fn window_ends(&mut self, now: Time) {
        self.during.close(now);
    }

    pub(super) fn merge(&mut self, other: &DeliveryMeter) {
        self.outside.add(&other.outside);
        self.window.add(&other.window);
        self.first.merge(&other.first);
        self.each.merge(&other.each);
        self.last.merge(&other.last);
    }

    /// Counts of the requests of the window.
    pub fn window(&self) -> DeliveryCounts {
        self.window
    }

    /// Counts of all requests.
    pub fn whole(&self) -> DeliveryCounts {
        let mut whole = self.outside;
        whole.add(&self.window);
        whole
    }

    /// Times to the first delivery of each request of the window.
    pub fn first(&self) -> &DeliveryTimes {
        &self.first
    }

    /// Times to each delivery.
    pub fn each(&self) -> &DeliveryTimes {
        &self.each
    }

    /// Times to the last delivery of each request of which all came.
    pub fn last(&self) -> &DeliveryTimes {
        &self.last
    }

    /// Checks that times and counts tell the same story.
    pub(super) fn check(&self, name: &str) -> Result<(), Imbalance> {
        let of = |what: &str| format!("{what} of {name}");
        balance(
            &of("deliveries within the window"),
            self.window.delivered,
            "their times",
            self.each.from_intended.count(),
        )
    }
}
