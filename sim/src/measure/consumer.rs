//! Figures of a consumer of a stream.
//!
//! A message is *pending* from storing to its first delivery, and *ack-pending* from then until it is acknowledged or given up,
//! whatever happens to its deliveries. Both numbers together are the *backlog*.

use crate::event::MessageStep;
use crate::measure::batches::{ConsumerSums, TimeSums};
use crate::measure::latency::Times;
use crate::measure::ledger::{Imbalance, balance};
use crate::measure::level::Level;
use crate::measure::window::Window;
use crate::time::{Span, Time};

/// Counts of what happened to a consumer's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageCounts {
    /// Stored.
    pub stored: u64,
    /// Delivered for the first time.
    pub delivered: u64,
    /// Further deliveries.
    pub redelivered: u64,
    /// Deliveries whose `ack_wait` ran out.
    pub expired: u64,
    /// Deliveries whose work failed.
    pub naks: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Deliveries that were worked on in vain: another one had been acknowledged, or the message had been given up.
    pub repeated: u64,
    /// Given up after as many deliveries as may be.
    pub exhausted: u64,
    /// Still pending at the end of the run.
    pub cut_pending: u64,
    /// Delivered and still not acknowledged at the end of the run.
    pub cut_delivered: u64,
}

impl MessageCounts {
    fn add(&mut self, other: &MessageCounts) {
        self.stored += other.stored;
        self.delivered += other.delivered;
        self.redelivered += other.redelivered;
        self.expired += other.expired;
        self.naks += other.naks;
        self.acknowledged += other.acknowledged;
        self.repeated += other.repeated;
        self.exhausted += other.exhausted;
        self.cut_pending += other.cut_pending;
        self.cut_delivered += other.cut_delivered;
    }

    #[inline]
    fn count(&mut self, step: MessageStep) {
        let counter = match step {
            MessageStep::Stored => &mut self.stored,
            MessageStep::Delivered { .. } => &mut self.delivered,
            MessageStep::Redelivered => &mut self.redelivered,
            MessageStep::Expired => &mut self.expired,
            MessageStep::Naked => &mut self.naks,
            MessageStep::Acknowledged { .. } => &mut self.acknowledged,
            MessageStep::Repeated => &mut self.repeated,
            MessageStep::Exhausted { .. } => &mut self.exhausted,
            MessageStep::CutPending { .. } => &mut self.cut_pending,
            MessageStep::CutDelivered { .. } => &mut self.cut_delivered,
        };
        *counter += 1;
    }
}

/// A consumer's backlog at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Messages stored and not yet delivered.
    pub pending: u64,
    /// Messages delivered and not yet acknowledged.
    pub ack_pending: u64,
}

impl Backlog {
    /// Both together.
    pub fn total(&self) -> u64 {
        self.pending + self.ack_pending
    }

    fn most(&self, other: Backlog) -> Backlog {
        Backlog {
            pending: self.pending.max(other.pending),
            ack_pending: self.ack_pending.max(other.ack_pending),
        }
    }
}

/// Time integrals of a consumer's backlog up to an instant, in nanoseconds times messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BacklogAreas {
    /// Of the number pending.
    pub pending: u128,
    /// Of the number ack-pending.
    pub ack_pending: u128,
}

/// The largest numbers seen since the window began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BacklogPeaks {
    /// The most pending, and the most ack-pending, each at its own time.
    pub each: Backlog,
    /// The most of both together.
    pub total: u64,
    /// When that was first reached.
    pub at: Time,
}

/// A state of the meter at an end of the window.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    stored: u64,
    areas: BacklogAreas,
    backlog: Backlog,
    peaks: BacklogPeaks,
}

impl BacklogPeaks {
    fn max(self, other: BacklogPeaks) -> BacklogPeaks {
        BacklogPeaks {
            each: Backlog {
                pending: self.each.pending.max(other.each.pending),
                ack_pending: self.each.ack_pending.max(other.each.ack_pending),
            },
            total: self.total.max(other.total),
            at: match other.total > self.total {
                true => other.at,
                false => self.at,
            },
        }
    }
}

/// The measurements of one consumer.
#[derive(Debug, Clone)]
pub struct ConsumerMeter {
    pending: Level,
    ack_pending: Level,
    /// What happened in the whole run.
    run: MessageCounts,
    /// What happened within the window.
    window: MessageCounts,
    /// Times pending of the messages stored within the window.
    wait: Times,
    /// Ages of the messages stored within the window when they were acknowledged, given up or cut off.
    age: Times,
    /// How many of the ages are of messages that were never acknowledged.
    censored_ages: u64,
    /// How many of the waits are of messages that were never delivered.
    censored_waits: u64,
    during: Window,
    peaks: BacklogPeaks,
    /// When the backlog was first gone after the peak of the window.
    gone: Option<Time>,
    /// Sums of the times of all messages: pending, ack-pending, and both.
    waited: u128,
    held: u128,
    aged: u128,
    at_start: Mark,
    at_end: Option<Mark>,
}

impl ConsumerMeter {
    /// Nothing measured yet; the window starts at `window_start`.
    pub(super) fn new(window_start: Time) -> ConsumerMeter {
        ConsumerMeter {
            pending: Level::default(),
            ack_pending: Level::default(),
            run: MessageCounts::default(),
            window: MessageCounts::default(),
            wait: Times::new(),
            age: Times::new(),
            censored_ages: 0,
            censored_waits: 0,
            during: Window::starting(window_start),
            peaks: BacklogPeaks::default(),
            gone: None,
            waited: 0,
            held: 0,
            aged: 0,
            at_start: Mark::default(),
            at_end: None,
        }
    }

    pub(super) fn record(&mut self, now: Time, step: MessageStep) {
        self.run.count(step);
        if self.during.contains(now) {
            self.window.count(step);
        }
        match step {
            MessageStep::Stored => {
                self.pending.up(now);
                self.rise(now);
            }
            MessageStep::Delivered { waited } => {
                self.stop_pending(now, waited, false);
                self.ack_pending.up(now);
                self.rise(now);
            }
            MessageStep::Acknowledged { age, held } => {
                self.end(now, age, held, false);
                self.fall(now);
            }
            MessageStep::Exhausted { age, held } => {
                self.end(now, age, held, true);
                self.fall(now);
            }
            MessageStep::CutDelivered { age, held } => self.end(now, age, held, true),
            MessageStep::CutPending { waited } => {
                self.stop_pending(now, waited, true);
                self.record_age(now, waited, true);
            }
            MessageStep::Redelivered
            | MessageStep::Expired
            | MessageStep::Naked
            | MessageStep::Repeated => {}
        }
    }

    fn rise(&mut self, now: Time) {
        let backlog = self.backlog();
        self.peaks.each = self.peaks.each.most(backlog);
        if backlog.total() > self.peaks.total {
            self.peaks.total = backlog.total();
            self.peaks.at = now;
            // After the window another peak is none of it.
            if self.at_end.is_none() {
                self.gone = None;
            }
        }
    }

    fn fall(&mut self, now: Time) {
        if self.gone.is_none() && self.backlog().total() == 0 {
            self.gone = Some(now);
        }
    }

    /// A message is pending no longer.
    fn stop_pending(&mut self, now: Time, waited: Span, censored: bool) {
        self.pending.down(now);
        self.waited += u128::from(waited.as_nanos());
        if self.during.contains(before(now, waited)) {
            self.wait.record(waited);
            self.censored_waits += u64::from(censored);
        }
    }

    /// A delivered message is acknowledged, given up or cut off.
    fn end(&mut self, now: Time, age: Span, held: Span, censored: bool) {
        self.ack_pending.down(now);
        self.held += u128::from(held.as_nanos());
        self.record_age(now, age, censored);
    }

    fn record_age(&mut self, now: Time, age: Span, censored: bool) {
        self.aged += u128::from(age.as_nanos());
        if self.during.contains(before(now, age)) {
            self.age.record(age);
            self.censored_ages += u64::from(censored);
        }
    }

    fn mark(&self, now: Time) -> Mark {
        Mark {
            stored: self.run.stored,
            areas: self.areas(now),
            backlog: self.backlog(),
            peaks: self.peaks,
        }
    }

    /// The measured window begins.
    pub(super) fn window_starts(&mut self, now: Time) {
        self.peaks = BacklogPeaks {
            each: self.backlog(),
            total: self.backlog().total(),
            at: now,
        };
        self.gone = (self.peaks.total == 0).then_some(now);
        self.at_start = self.mark(now);
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.at_end = Some(self.mark(now));
        self.during.close(now);
    }

    /// Adds what another run of the same model measured of the consumer; both are over. Its course stays that of this run.
    pub(super) fn merge(&mut self, other: &ConsumerMeter) {
        let (mine, others) = (self.window_areas(), other.window_areas());
        let peaks = self.peaks().max(other.peaks());
        if other.peaks().total > self.peaks().total {
            self.gone = other.gone;
        }
        self.run.add(&other.run);
        self.window.add(&other.window);
        self.wait.merge(&other.wait);
        self.age.merge(&other.age);
        self.censored_ages += other.censored_ages;
        self.censored_waits += other.censored_waits;
        let start = self.at_start.areas;
        if let Some(end) = &mut self.at_end {
            end.areas = BacklogAreas {
                pending: start.pending + mine.pending + others.pending,
                ack_pending: start.ack_pending + mine.ack_pending + others.ack_pending,
            };
            end.peaks = peaks;
        }
    }

    /// The integrals up to `now`, which no event has passed.
    pub fn areas(&self, now: Time) -> BacklogAreas {
        BacklogAreas {
            pending: self.pending.integral(now),
            ack_pending: self.ack_pending.integral(now),
        }
    }

    /// Integrals up to `now`, and what the window holds so far.
    pub(super) fn sums(&self, now: Time) -> ConsumerSums {
        self.sums_with(self.areas(now))
    }

    /// The same of the window, once the run has ended.
    pub(super) fn window_sums(&self) -> ConsumerSums {
        self.sums_with(self.window_areas())
    }

    fn sums_with(&self, areas: BacklogAreas) -> ConsumerSums {
        ConsumerSums {
            areas,
            acknowledged: self.window.acknowledged,
            waits: TimeSums::of(self.waits()),
            ages: TimeSums::of(self.ages()),
        }
    }

    /// The integrals over the window, once it has ended.
    pub fn window_areas(&self) -> BacklogAreas {
        let end = self.at_end.map_or(self.at_start.areas, |mark| mark.areas);
        let start = self.at_start.areas;
        BacklogAreas {
            pending: end.pending.saturating_sub(start.pending),
            ack_pending: end.ack_pending.saturating_sub(start.ack_pending),
        }
    }

    /// The backlog now.
    pub fn backlog(&self) -> Backlog {
        Backlog {
            pending: self.pending.number,
            ack_pending: self.ack_pending.number,
        }
    }

    /// The backlog now, or what it was when the run cut off what was left of it.
    pub(super) fn backlog_left(&self) -> Backlog {
        Backlog {
            pending: self.pending.number + self.run.cut_pending,
            ack_pending: self.ack_pending.number + self.run.cut_delivered,
        }
    }

    /// The backlogs at the start and at the end of the window, once it has ended.
    pub fn window_backlogs(&self) -> Option<(Backlog, Backlog)> {
        self.at_end.map(|end| (self.at_start.backlog, end.backlog))
    }

    /// How many messages were stored between these, in this run alone; `None` before the window has ended.
    pub fn window_arrivals(&self) -> Option<u64> {
        let stored = self.at_end?.stored;
        Some(stored - self.at_start.stored)
    }

    /// The largest numbers within the window.
    pub fn peaks(&self) -> BacklogPeaks {
        self.at_end.map_or(self.peaks, |mark| mark.peaks)
    }

    /// When the backlog was first gone after its peak in the window, be it in the drain; `None` where it was not by the
    /// end of the run.
    pub fn gone(&self) -> Option<Time> {
        self.gone
    }

    /// What happened in the whole run.
    pub fn messages(&self) -> MessageCounts {
        self.run
    }

    /// What happened within the window.
    pub fn window_messages(&self) -> MessageCounts {
        self.window
    }

    /// How long messages stored within the window were pending.
    pub fn waits(&self) -> &Times {
        &self.wait
    }

    /// How many of [`waits`](Self::waits) were still growing when the run ended.
    pub fn censored_waits(&self) -> u64 {
        self.censored_waits
    }

    /// How long it took from storing to acknowledgement, of messages stored within the window.
    pub fn ages(&self) -> &Times {
        &self.age
    }

    /// How many of [`ages`](Self::ages) are of messages that were given up, or not acknowledged when the run ended.
    pub fn censored_ages(&self) -> u64 {
        self.censored_ages
    }

    /// Checks that every message is accounted for, and Little's law for pending and ack-pending messages: the
    /// integral of the number present is the sum of the times spent (Little 1961), exactly. `stored` is how many
    /// messages the stream stored.
    pub(super) fn check(&self, name: &str, stored: u64, now: Time) -> Result<(), Imbalance> {
        let run = &self.run;
        let of = |what: &str| format!("{what} of consumer {name}");
        balance(
            &of("messages"),
            run.stored,
            "those of them that the stream stored",
            run.stored.min(stored),
        )?;
        balance(
            &of("messages stored"),
            run.stored,
            "those delivered or cut off",
            run.delivered + run.cut_pending,
        )?;
        balance(
            &of("messages delivered"),
            run.delivered,
            "those acknowledged, given up or cut off",
            run.acknowledged + run.exhausted + run.cut_delivered,
        )?;
        let areas = self.areas(now);
        balance(
            &of("pending integral"),
            areas.pending,
            "the sum of times pending",
            self.waited,
        )?;
        balance(
            &of("ack-pending integral"),
            areas.ack_pending,
            "the sum of times from delivery to acknowledgement",
            self.held,
        )?;
        balance(
            &of("backlog integral"),
            areas.pending + areas.ack_pending,
            "the sum of ages",
            self.aged,
        )
    }
}

/// The instant so long before another.
fn before(now: Time, span: Span) -> Time {
    Time::from_nanos(now.as_nanos().saturating_sub(span.as_nanos()))
}
