//! Figures of a fan-out.
//!
//! Times count from the intended time of the request that emitted the message. The time of emission decides whether an emission
//! and all its deliveries belong to the window.

use crate::event::Emission;
use crate::measure::batches::{FanOutSums, TimeSums};
use crate::measure::latency::Times;
use crate::measure::ledger::{Imbalance, balance};
use crate::measure::window::Window;
use crate::time::{Span, Time};

/// Counts of a fan-out's emissions and deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmissionCounts {
    /// Messages emitted.
    pub emissions: u64,
    /// Subscribers that they were meant for, together.
    pub subscribers: u64,
    /// Subscribers reached, as each was reached.
    pub deliveries: u64,
    /// Subscribers reached, as the emissions say.
    pub delivered: u64,
    /// Subscribers reached in time.
    pub in_time: u64,
    /// Deliveries lost.
    pub lost: u64,
    /// Emissions that were not complete when the run ended.
    pub cut_emissions: u64,
    /// Subscribers that these had not reached.
    pub cut_deliveries: u64,
}

impl EmissionCounts {
    fn add(&mut self, other: &EmissionCounts) {
        self.emissions += other.emissions;
        self.subscribers += other.subscribers;
        self.deliveries += other.deliveries;
        self.delivered += other.delivered;
        self.in_time += other.in_time;
        self.lost += other.lost;
        self.cut_emissions += other.cut_emissions;
        self.cut_deliveries += other.cut_deliveries;
    }

    /// The share of the subscribers reached in time; `None` when there were none.
    pub fn completion_ratio(&self) -> Option<f64> {
        (self.subscribers > 0).then(|| self.in_time as f64 / self.subscribers as f64)
    }

    fn count(&mut self, emission: &Emission) {
        let missing = missing(emission);
        self.emissions += 1;
        self.subscribers += u64::from(emission.subscribers);
        self.delivered += u64::from(emission.delivered);
        self.in_time += u64::from(emission.in_time);
        if emission.cut {
            self.cut_emissions += 1;
            self.cut_deliveries += missing;
        } else {
            self.lost += missing;
        }
    }

    fn plus(&self, other: &EmissionCounts) -> EmissionCounts {
        EmissionCounts {
            emissions: self.emissions + other.emissions,
            subscribers: self.subscribers + other.subscribers,
            deliveries: self.deliveries + other.deliveries,
            delivered: self.delivered + other.delivered,
            in_time: self.in_time + other.in_time,
            lost: self.lost + other.lost,
            cut_emissions: self.cut_emissions + other.cut_emissions,
            cut_deliveries: self.cut_deliveries + other.cut_deliveries,
        }
    }
}

/// Subscribers that an emission did not reach.
fn missing(emission: &Emission) -> u64 {
    u64::from(emission.subscribers.saturating_sub(emission.delivered))
}

/// The shortest and the longest of some times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extremes {
    shortest: Span,
    longest: Span,
}

impl Extremes {
    const NONE: Extremes = Extremes {
        shortest: Span::MAX,
        longest: Span::ZERO,
    };

    #[inline]
    fn add(&mut self, shortest: Span, longest: Span) {
        self.shortest = self.shortest.min(shortest);
        self.longest = self.longest.max(longest);
    }
}

/// Times with the number of those among them that were still growing when the run ended.
#[derive(Debug, Clone, Default)]
pub struct CensoredTimes {
    /// The times.
    pub times: Times,
    /// How many of them are censored.
    pub censored: u64,
}

impl CensoredTimes {
    fn merge(&mut self, other: &CensoredTimes) {
        self.times.merge(&other.times);
        self.censored += other.censored;
    }

    fn censor(&mut self, age: Span, number: u64) {
        self.times.record_n(age, number);
        self.censored += number;
    }
}

/// The measurements of one fan-out.
#[derive(Debug, Clone)]
pub struct FanOutMeter {
    outside: EmissionCounts,
    window: EmissionCounts,
    delivery: CensoredTimes,
    first: CensoredTimes,
    last: CensoredTimes,
    /// Of all deliveries of the run, as each is reported.
    of_deliveries: Extremes,
    /// Of the same, as the emissions say.
    of_emissions: Extremes,
    during: Window,
}

impl FanOutMeter {
    /// Nothing measured yet; the window starts at `window_start`.
    pub(super) fn new(window_start: Time) -> FanOutMeter {
        FanOutMeter {
            outside: EmissionCounts::default(),
            window: EmissionCounts::default(),
            delivery: CensoredTimes::default(),
            first: CensoredTimes::default(),
            last: CensoredTimes::default(),
            of_deliveries: Extremes::NONE,
            of_emissions: Extremes::NONE,
            during: Window::starting(window_start),
        }
    }

    /// Adds what another run of the same model measured of the fan-out.
    pub(super) fn merge(&mut self, other: &FanOutMeter) {
        self.outside.add(&other.outside);
        self.window.add(&other.window);
        self.delivery.merge(&other.delivery);
        self.first.merge(&other.first);
        self.last.merge(&other.last);
    }

    /// A subscriber is reached at `at`.
    #[inline]
    pub(super) fn delivery(&mut self, at: Time, emitted: Time, intended: Time) {
        let span = at.since(intended);
        self.of_deliveries.add(span, span);
        if self.during.contains(emitted) {
            self.window.deliveries += 1;
            self.delivery.times.record(span);
        } else {
            self.outside.deliveries += 1;
        }
    }

    /// All has come of an emission that will, or the run ends at `now`.
    pub(super) fn emission(&mut self, now: Time, emission: &Emission) {
        let since = |at: Time| at.since(emission.intended);
        if let (Some(first), Some(last)) = (emission.first, emission.last) {
            self.of_emissions.add(since(first), since(last));
        }
        if !self.during.contains(emission.emitted) {
            self.outside.count(emission);
            return;
        }
        self.window.count(emission);
        let age = since(now);
        match emission.first {
            Some(first) => self.first.times.record(since(first)),
            None if emission.cut => self.first.censor(age, 1),
            None => {}
        }
        match emission.last {
            _ if emission.cut => self.last.censor(age, 1),
            Some(last) => self.last.times.record(since(last)),
            None => {}
        }
        if emission.cut {
            self.delivery.censor(age, missing(emission));
        }
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.during.close(now);
    }

    /// Counts of the whole run.
    pub fn emissions(&self) -> EmissionCounts {
        self.outside.plus(&self.window)
    }

    /// Counts of what was emitted within the window.
    pub fn window_emissions(&self) -> EmissionCounts {
        self.window
    }

    /// Times to each delivery; censored are those that had not come when the run ended, lost ones of the same
    /// What the window holds so far.
    pub(super) fn sums(&self) -> FanOutSums {
        let times = [&self.first, &self.last, &self.delivery];
        FanOutSums {
            subscribers: self.window.subscribers,
            in_time: self.window.in_time,
            times: times.map(|of| TimeSums::of(&of.times)),
        }
    }

    /// emissions among them.
    pub fn deliveries(&self) -> &CensoredTimes {
        &self.delivery
    }

    /// Times to the first delivery of each emission.
    pub fn firsts(&self) -> &CensoredTimes {
        &self.first
    }

    /// Times to the last delivery of each emission; censored are those of emissions that were not complete when the
    /// run ended.
    pub fn lasts(&self) -> &CensoredTimes {
        &self.last
    }

    /// Checks that deliveries and emissions tell the same story.
    pub(super) fn check(&self, name: &str) -> Result<(), Imbalance> {
        let run = self.emissions();
        let of = |what: &str| format!("{what} of fan-out {name}");
        balance(
            &of("deliveries"),
            run.deliveries,
            "those that its emissions tell of",
            run.delivered,
        )?;
        balance(
            &of("subscribers"),
            run.subscribers,
            "those reached, lost or cut off",
            run.delivered + run.lost + run.cut_deliveries,
        )?;
        balance(
            &of("deliveries in time"),
            run.in_time,
            "those of them that came",
            run.in_time.min(run.delivered),
        )?;
        balance(
            &of("the shortest time to a delivery"),
            self.of_deliveries.shortest.as_nanos(),
            "that to a first delivery",
            self.of_emissions.shortest.as_nanos(),
        )?;
        balance(
            &of("the longest time to a delivery"),
            self.of_deliveries.longest.as_nanos(),
            "that to a last delivery",
            self.of_emissions.longest.as_nanos(),
        )
    }
}
