//! The counts for the objectives of actions.
//!
//! All are read from existing counters, at the end of a batch and of a run: nothing is added where events are counted.

use crate::event::Outcome;
use crate::measure::{Cell, DeliveryCounts, DeliveryMeter, DeliveryTimes, Measure, Over};
use crate::model::{ActionId, DeliveryLimits, QuantileLimit, Slo};
use crate::statistics::Section;
use crate::time::Span;

/// One objective of an action. Positions are those of its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// A quantile of the response time of each try.
    Quantile(usize),
    /// The share of tries that fail.
    Errors,
    /// A quantile of the time to deliveries.
    Delivery(Which, usize),
    /// The share of deliveries that are missing.
    Missing,
    /// A quantile of the response time over all tries.
    OverallQuantile(usize),
    /// The share of requests whose last try fails.
    OverallErrors,
}

/// Which of the deliveries of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    First,
    /// Each of them.
    Each,
    /// The last, of a request of which all came.
    Last,
}

impl Which {
    /// All of them, in the order in which they are judged.
    pub const ALL: [Which; 3] = [Which::First, Which::Each, Which::Last];

    /// The limits on it.
    pub fn limits(self, of: &DeliveryLimits) -> &[QuantileLimit] {
        match self {
            Which::First => &of.first,
            Which::Each => &of.each,
            Which::Last => &of.last,
        }
    }

    /// The times of it.
    pub fn times(self, of: &DeliveryMeter) -> &DeliveryTimes {
        match self {
            Which::First => of.first(),
            Which::Each => of.each(),
            Which::Last => of.last(),
        }
    }

    /// How many of it were to come.
    pub fn expected(self, counts: &DeliveryCounts) -> u64 {
        match self {
            Which::Each => counts.expected,
            Which::First | Which::Last => counts.requests,
        }
    }
}

/// The counts against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Against {
    /// How many failed, or are missing, and for that are over the limit; `None` where its own objective judges those.
    pub failed: Option<u64>,
    /// How many others are judged.
    pub held: u64,
    /// How many of these had times over the limit.
    pub over: Over,
}

impl Against {
    fn section(self) -> Section {
        let failed = self.failed.unwrap_or(0);
        Section {
            count: failed + self.held,
            above: failed + self.over.response,
        }
    }
}

impl Cell {
    /// The counts against the quantile limit of this position: all requests that were sent, of which those that failed
    /// were not within the limit; where an objective of their own judges failures, those that the distributions hold.
    pub fn against(&self, slo: &Slo, nth: usize) -> Against {
        let requests = &self.window.requests;
        let over = self.exceedances.get(nth).copied().unwrap_or_default();
        match slo.errors {
            None => Against {
                failed: Some(requests.failed()),
                held: requests.ended(Outcome::Ok),
                over: over.answered,
            },
            Some(_) => Against {
                failed: None,
                held: self.window.latencies.response().count(),
                over: over.held(),
            },
        }
    }

    /// The counts against a limit on failures.
    fn failures(&self) -> Section {
        let requests = &self.window.requests;
        Section {
            count: requests.ended_total() - requests.ended(Outcome::Dropped),
            above: requests.failed(),
        }
    }
}

impl DeliveryMeter {
    /// The counts against the limit of this position. Every delivery that is missing was not within the limit of a
    /// time; where its own limit judges those, only what came is judged by its time.
    pub fn against(&self, limits: &DeliveryLimits, which: Which, nth: usize) -> Against {
        let times = which.times(self);
        let came = times.from_intended.count();
        let expected = which.expected(&self.window());
        Against {
            failed: match limits.missing {
                None => Some(expected.saturating_sub(came)),
                Some(_) => None,
            },
            held: came,
            over: times.over.get(nth).copied().unwrap_or_default(),
        }
    }
}

/// The objectives of an action that are judged by counts, in the order in which a verdict has them.
pub fn objectives(slo: &Slo) -> Vec<Objective> {
    let mut all = Vec::new();
    all.extend((0..slo.quantiles.len()).map(Objective::Quantile));
    all.extend(slo.errors.map(|_| Objective::Errors));
    if let Some(limits) = &slo.deliveries {
        for which in Which::ALL {
            let nths = 0..which.limits(limits).len();
            all.extend(nths.map(|nth| Objective::Delivery(which, nth)));
        }
        all.extend(limits.missing.map(|_| Objective::Missing));
    }
    if let Some(overall) = &slo.overall {
        all.extend((0..overall.quantiles.len()).map(Objective::OverallQuantile));
        all.extend(overall.errors.map(|_| Objective::OverallErrors));
    }
    all
}

impl Measure {
    /// The objectives of all actions that are judged by counts, in the order in which a verdict has them.
    pub fn objectives(&self) -> &[(ActionId, Objective)] {
        &self.objectives
    }

    /// What was counted in the window against one of them, and how much of that is over its limit.
    pub fn against(&self, (action, objective): (ActionId, Objective)) -> Section {
        let slo = &self.slos[action.index()];
        let cells = self.parts_of(action).map(|part| &part.cell);
        let parts = self.parts_of(action);
        let overalls = parts.map(|part| part.overall.as_ref().map_or(&part.cell, |of| &of.cell));
        let meter = self.deliveries(action);
        match objective {
            Objective::Quantile(nth) => sum(cells.map(|cell| cell.against(slo, nth).section())),
            Objective::Errors => sum(cells.map(Cell::failures)),
            Objective::OverallQuantile(nth) => {
                let slo = slo.overall.as_deref().unwrap_or(slo);
                sum(overalls.map(|cell| cell.against(slo, nth).section()))
            }
            Objective::OverallErrors => sum(overalls.map(Cell::failures)),
            Objective::Delivery(which, nth) => {
                let limits = slo.deliveries.as_deref();
                let pair = meter.zip(limits).into_iter();
                sum(pair.map(|(meter, limits)| meter.against(limits, which, nth).section()))
            }
            Objective::Missing => sum(meter.into_iter().map(|meter| Section {
                count: meter.window().expected,
                above: meter.window().missing(),
            })),
        }
    }

    /// The limit on the response times of tries that an objective is; `None` where it is none.
    pub fn response_limit(
        &self,
        (action, objective): (ActionId, Objective),
    ) -> Option<QuantileLimit> {
        match objective {
            Objective::Quantile(nth) => self.slos[action.index()].quantiles.get(nth).copied(),
            _ => None,
        }
    }

    /// For each of [`objectives`](Self::objectives), what was counted against it in 10 to 21 successive batches of the
    /// window of a single run, so far; empty where a window without a horizon was shorter than about 0.1 ms. Together they
    /// are [`against`](Self::against).
    pub fn objective_batches(&self) -> Vec<Vec<Section>> {
        let whole: Vec<Section> = self.objectives.iter().map(|of| self.against(*of)).collect();
        self.batches
            .objectives(self.load_end.unwrap_or(self.now), &whole)
    }

    /// For each of these batches, how many response times of an action ended in it, and how many of them were above a
    /// value to two significant digits. Of all actions where there are too many to be kept apart; `None` where there are
    /// no batches.
    pub fn action_batches(&self, action: ActionId, value: Span) -> Option<Vec<Section>> {
        let end = self.load_end.unwrap_or(self.now);
        let all: Vec<usize> = (0..self.parts.len()).collect();
        let own = self
            .batches
            .fine_sections(end, &self.cells_of(action), value);
        own.or_else(|| self.batches.fine_sections(end, &all, value))
    }

    /// For each of these batches, how many response times of an action ended in it, and a quantile of them to two significant
    /// digits. `None` where a batch has none, there are no batches, or there are too many actions to be kept apart.
    pub fn action_batch_quantiles(
        &self,
        action: ActionId,
        quantile: f64,
    ) -> Option<Vec<(u64, Span)>> {
        let end = self.load_end.unwrap_or(self.now);
        let own = self.cells_of(action);
        self.batches.fine_quantiles(end, &own, quantile)
    }

    /// Where the cells of an action are among all.
    fn cells_of(&self, action: ActionId) -> Vec<usize> {
        let parts = self.parts.iter().enumerate();
        let own = parts.filter(|(_, (_, of))| *of == action);
        own.map(|(at, _)| at).collect()
    }

    /// How many response times of the window of an action there are, and how many are above a value to three significant
    /// digits.
    pub fn responses_over(&self, action: ActionId, value: Span) -> Section {
        sum(self.parts_of(action).map(|part| {
            let response = part.cell.window.latencies.response();
            Section {
                count: response.count(),
                above: response.above(value),
            }
        }))
    }
}

fn sum(sections: impl Iterator<Item = Section>) -> Section {
    sections.fold(Section { count: 0, above: 0 }, |sum, one| Section {
        count: sum.count + one.count,
        above: sum.above + one.above,
    })
}
