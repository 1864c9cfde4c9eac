//! The finest unit of request figures: one action of one client. All totals are sums of cells.

use crate::event::Outcome;
use crate::measure::batches::CellSums;
use crate::measure::latency::Latencies;
use crate::measure::ledger::Requests;
use crate::model::{QuantileLimit, Slo};
use crate::time::Span;

/// How many response and service times lay over a limit of a service-level objective, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exceedances {
    /// Of requests that ended `ok`.
    pub answered: Over,
    /// Of requests that timed out or were unresolved, at the age they had reached.
    pub unanswered: Over,
}

/// Times over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Over {
    /// Response times.
    pub response: u64,
    /// Service times.
    pub service: u64,
}

impl Exceedances {
    /// Of all requests that the distributions hold.
    pub fn held(&self) -> Over {
        let mut held = self.answered;
        held.add(self.unanswered);
        held
    }

    pub(super) fn add(&mut self, other: &Exceedances) {
        self.answered.add(other.answered);
        self.unanswered.add(other.unanswered);
    }
}

impl Over {
    pub(super) fn add(&mut self, other: Over) {
        self.response += other.response;
        self.service += other.service;
    }
}

/// Requests of one part of a run: how they ended and how long they took.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Counts.
    pub requests: Requests,
    /// Latencies of those that distributions hold.
    pub latencies: Latencies,
}

/// The measurements of one action of one client: the finest grain, of which all totals are sums.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Requests intended before the window.
    pub warmup: Tally,
    /// Requests intended within the window.
    pub window: Tally,
    /// Requests answered `ok` within the window, whenever they were intended.
    pub completed: u64,
    /// How many requests of the window lay over each quantile limit of the action.
    pub exceedances: Vec<Exceedances>,
}

impl Cell {
    /// Nothing yet, with a place for each quantile limit.
    pub(super) fn judged_by(slo: Option<&Slo>) -> Cell {
        let limits = slo.map_or(0, |slo| slo.quantiles.len());
        Cell {
            exceedances: vec![Exceedances::default(); limits],
            ..Cell::default()
        }
    }

    /// Counts a time of the window against each limit.
    pub(super) fn exceed(
        &mut self,
        limits: &[QuantileLimit],
        service: Span,
        response: Span,
        censored: bool,
    ) {
        for (limit, over) in limits.iter().zip(&mut self.exceedances) {
            let over = if censored {
                &mut over.unanswered
            } else {
                &mut over.answered
            };
            over.response += u64::from(exceeds(response, limit.limit, censored));
            over.service += u64::from(exceeds(service, limit.limit, censored));
        }
    }

    #[inline(always)]
    pub(super) fn tally(&mut self, in_window: bool) -> &mut Tally {
        if in_window {
            &mut self.window
        } else {
            &mut self.warmup
        }
    }

    /// Requests of the whole run.
    pub fn requests(&self) -> Requests {
        let mut whole = self.warmup.requests;
        whole.add(&self.window.requests);
        whole
    }

    /// Sums over the window.
    pub fn sums(&self) -> CellSums {
        let requests = &self.window.requests;
        let response = self.window.latencies.response();
        CellSums {
            completed: self.completed,
            judged: requests.ended_total() - requests.ended(Outcome::Dropped),
            failed: requests.failed(),
            held: response.count(),
            response: response.sum_nanos(),
        }
    }

    pub(super) fn add(&mut self, other: &Cell) {
        for (mine, others) in [
            (&mut self.warmup, &other.warmup),
            (&mut self.window, &other.window),
        ] {
            mine.requests.add(&others.requests);
            mine.latencies.merge(&others.latencies);
        }
        self.completed += other.completed;
        if self.exceedances.len() < other.exceedances.len() {
            self.exceedances
                .resize(other.exceedances.len(), Exceedances::default());
        }
        for (mine, others) in self.exceedances.iter_mut().zip(&other.exceedances) {
            mine.add(others);
        }
    }
}

/// What users wait over all tries of a request, from the first intention to the last end.
#[derive(Debug, Clone, Default)]
pub struct Overall {
    /// Requests by how their last try ended, and the times over all tries. Nothing counts as completed.
    pub cell: Cell,
    /// Tries of those that were first intended within the window and have ended.
    pub tries: u64,
}

impl Overall {
    /// Of requests that are tried once.
    pub(super) fn of_single(cell: &Cell) -> Overall {
        Overall {
            tries: cell.window.requests.ended_total(),
            cell: Cell {
                warmup: cell.warmup.clone(),
                window: cell.window.clone(),
                ..Cell::default()
            },
        }
    }

    pub(super) fn add(&mut self, other: &Overall) {
        self.cell.add(&other.cell);
        self.tries += other.tries;
    }
}

/// Whether a time lies over a limit. A censored one was still growing at the age it is held at, so it
/// is over the limit from the limit itself on.
#[inline]
fn exceeds(time: Span, limit: Span, censored: bool) -> bool {
    time > limit || (censored && time == limit)
}
