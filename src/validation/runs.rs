//! The runs of each load: simulated ones, and live ones in turn.

use blis_sim::compare::Compared;
use blis_sim::model::Path;
use blis_sim::replication::seed_of;
use blis_sim::validation::AtLoad;

use super::pace::Lengths;
use crate::ceiling::live::Through;
use crate::ceiling::{Tried, Varied, spec_of_trial};
use crate::cli::StatisticsArgs;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::simulate::{self, Beside};

/// Simulated runs of a load, and about how many requests are enough of them together.
const RUNS: u64 = 30;
const FEWEST: u64 = 3;
const ENOUGH: f64 = 5e6;
/// A window that is shorter than this share of what it was to be was cut short.
const WHOLE: f64 = 0.99;

/// Simulates each load several times, with the lengths of the live runs and seeds that none of these has, whose numbers are small.
/// Loads that an interruption left out are not there.
///
/// # Errors
/// Those of [`Varied::spec_at`] and of a run.
pub fn predicted(
    varied: &Varied<Path>,
    loads: &[f64],
    lengths: Lengths,
    (interrupt, quiet): (&Interrupt, bool),
) -> Result<Vec<AtLoad>, Failure> {
    let seed = varied.as_written()?.model.seed;
    let mut all = Vec::new();
    for load in loads {
        let mut predicted = Vec::new();
        let mut number = 1;
        while predicted.len() < number as usize && !interrupt.asked() {
            // What is predicted of a load is the same whatever the others are.
            let nth = load.to_bits().wrapping_add(predicted.len() as u64);
            let lengths = [lengths.warmup, lengths.hold];
            let spec = spec_of_trial(varied, *load, lengths, seed_of(seed, nth))?;
            let workload = varied.workload(&spec)?;
            let once = StatisticsArgs::default();
            let mut progress = RunProgress::new(quiet);
            let seen = (interrupt, &mut progress);
            let (run, _) = simulate::simulate(&workload, &once, seen, Beside::default())?;
            let requests = (run.requests.intended as f64).max(1.0);
            // A float-to-integer cast saturates.
            number = ((ENOUGH / requests) as u64).clamp(FEWEST, RUNS);
            let name = format!("simulated run {}", predicted.len() + 1);
            predicted.push(Compared {
                name,
                run,
                record: None,
            });
        }
        if interrupt.asked() {
            break;
        }
        all.push(AtLoad {
            load: *load,
            measured: Vec::new(),
            predicted,
            disturbed_by: Vec::new(),
        });
    }
    Ok(all)
}

/// Puts live runs beside the predictions of their loads. One that was cut short is none: a backlog that grows is another after another
/// time.
pub fn measured(loads: &mut [AtLoad], lengths: Lengths, through: &Through) {
    let runs = through.trials.iter().zip(&through.tried);
    let whole = WHOLE * lengths.hold.0 / 1e9;
    for (trial, tried) in runs.filter(|(_, tried)| tried.run.window.measured_s >= whole) {
        let Tried {
            run, disturbed_by, ..
        } = tried;
        let own = loads.iter_mut().find(|one| one.load == trial.load);
        if let Some(own) = own {
            own.disturbed_by.extend(disturbed_by.iter().cloned());
            let name = format!("live run {}", own.measured.len() + 1);
            own.measured.push(Compared {
                name,
                run: run.clone(),
                record: None,
            });
        }
    }
}
