//! The share of visits that a service answers with an error.
//!
//! It needs no simulation: where every request visits a service once, errors are counted. Which of several services makes them, round
//! trips do not tell.

use blis_sim::analysis::path_demand;
use blis_sim::calibration::NumberResult;
use blis_sim::calibration::goodness::goodness;
use blis_sim::model::{Failure, Model, Step};
use blis_sim::number::brief_percent;
use blis_sim::statistics::share_bounds;

use super::recordings::Recording;
use super::start::Fixed;

/// The key of a service that says how many of its visits end in an error.
pub const ERRORS: &str = "errors";
/// A visit to the nearest thousandth of a visit.
const ONCE: f64 = 1e-3;

/// What the runs say of errors.
pub struct ErrorShare {
    /// The service to which they are put down, and the others that could make them.
    service: String,
    others: Vec<String>,
    /// Errors and answers of each run, with its name.
    runs: Vec<(String, u64, u64)>,
}

/// The errors of the runs; `None` where neither they nor the spec have any, the key is kept, or the spec makes errors in another way.
pub fn error_share(model: &Model, runs: &[Recording], fixed: Fixed<'_>) -> Option<ErrorShare> {
    let fails = |step: &Step| matches!(step, Step::Fail(Failure::AppError));
    if model.program.iter().any(fails) {
        return None;
    }
    let mut without = model.clone();
    without.services.iter_mut().for_each(|one| one.errors = 0.0);
    let actions = without.actions.iter();
    let demands: Vec<_> = actions
        .map(|action| path_demand(&without, action))
        .collect();
    let is_visited_once = |nth: usize| {
        let mut demands = demands.iter();
        demands.all(|demand| (demand.visits[nth] - 1.0).abs() < ONCE)
    };
    let services = model.services.iter().enumerate();
    let mut could: Vec<String> = services
        .filter(|(nth, one)| one.error_bursts.is_empty() && is_visited_once(*nth))
        .map(|(_, one)| one.name.clone())
        .filter(|name| !fixed.has(&format!("services.{name}.{ERRORS}")))
        .collect();
    let service = could.pop()?;
    let runs: Vec<_> = runs
        .iter()
        .map(|run| (run.name.clone(), run.errors, run.errors + run.answered))
        .collect();
    let has_errors = runs.iter().any(|(_, errors, _)| *errors > 0);
    let says_so = model.services.iter().any(|one| one.errors > 0.0);
    (has_errors || says_so).then_some(ErrorShare {
        service,
        others: could,
        runs,
    })
}

impl ErrorShare {
    /// Errors and answers together, and the share.
    fn share(&self) -> (f64, f64, f64) {
        let errors: u64 = self.runs.iter().map(|(_, errors, _)| errors).sum();
        let all: u64 = self.runs.iter().map(|(_, _, all)| all).sum();
        (
            errors as f64,
            all as f64,
            errors as f64 / (all as f64).max(1.0),
        )
    }

    fn key(&self, service: &str) -> String {
        format!("services.{service}.{ERRORS}")
    }

    /// What `--set` takes.
    pub fn assignment(&self) -> String {
        let (_, _, share) = self.share();
        format!("{}={share:.6}", self.key(&self.service))
    }

    /// The number with its exact interval. It is told where one service alone can have made the errors.
    pub fn number(&self) -> NumberResult {
        let (errors, all, share) = self.share();
        NumberResult {
            name: self.key(&self.service),
            unit: String::new(),
            value: share,
            ci95: share_bounds(all, errors).unwrap_or([0.0, 1.0]),
            told: self.others.is_empty(),
            tied_to: self.others.iter().map(|one| self.key(one)).collect(),
        }
    }

    /// What to say where the runs differ by more than chance (Pearson's chi-square of homogeneity).
    pub fn note(&self) -> Option<String> {
        let (_, _, share) = self.share();
        let spread = share * (1.0 - share);
        if spread <= 0.0 {
            return None;
        }
        let off = |(_, errors, all): &(String, u64, u64)| {
            let expected = share * *all as f64;
            (*errors as f64 - expected).powi(2) / (spread * (*all as f64).max(1.0))
        };
        let chi_square: f64 = self.runs.iter().map(off).sum();
        if !goodness(chi_square, self.runs.len() - 1).is_wrong() {
            return None;
        }
        let of = |(_, errors, all): &&(String, u64, u64)| *errors as f64 / (*all as f64).max(1.0);
        let least = self
            .runs
            .iter()
            .min_by(|one, other| of(one).total_cmp(&of(other)))?;
        let most = self
            .runs
            .iter()
            .max_by(|one, other| of(one).total_cmp(&of(other)))?;
        Some(format!(
            "the share of errors is not the same in all runs: {} in {}, {} in {}; the fitted share is that of all runs together",
            brief_percent(of(&least)),
            least.0,
            brief_percent(of(&most)),
            most.0
        ))
    }
}
