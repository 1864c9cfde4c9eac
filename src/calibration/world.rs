//! Simulations of the runs of a fit: their users and arrivals, with other draws.

use std::num::{NonZeroU32, NonZeroU64};

use blis_sim::calibration::structure::Structure;
use blis_sim::calibration::summary::Observed;
use blis_sim::event::Sink;
use blis_sim::model::{Arrival, Client, Model, Path, Recording as Arrivals, Source};
use blis_sim::replication::seed_of;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec::{Assignment, Spec};
use blis_sim::time::Time;
use blis_sim::trace::{Row, Trace};

use super::recordings::Recording;
use crate::exit::Failure;
use crate::workload::Variations;

/// Events between two looks at Ctrl-C.
const STRIDE: u64 = 1 << 16;

/// A spec in which numbers are put, and the runs that it is to explain.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The spec.
    pub variations: &'a Variations<Path>,
    /// The runs.
    pub runs: &'a [Recording],
    /// Where the draws come from.
    pub seed: u64,
    /// How many requests a simulation may have present.
    pub most_present: u64,
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl World<'_> {
    /// The model of a structure with these numbers; `None` where the spec does not take them.
    pub fn model(&self, structure: &Structure, point: &[f64]) -> Option<Model> {
        let spec = spec_with(self.variations, &structure.assignments(point)).ok()?;
        self.variations.model(&spec).ok()
    }

    /// The figures of all runs along a sample path.
    pub fn figures(&self, structure: &Structure, point: &[f64], path: u64) -> Option<Vec<f64>> {
        let model = self.model(structure, point)?;
        let mut all = Vec::new();
        for (nth, run) in (0u64..).zip(self.runs) {
            self.simulate(model.clone(), run, (path, nth), &mut all)?;
        }
        Some(all)
    }

    fn simulate(
        &self,
        mut model: Model,
        run: &Recording,
        (path, nth): (u64, u64),
        into: &mut Vec<f64>,
    ) -> Option<()> {
        model.clients.clone_from(&run.clients);
        model.max_in_flight = run.max_in_flight;
        model.limits = run.limits;
        // No replication has the number of the run's own draws.
        model.seed = seed_of(seed_of(self.seed, nth + 1), path + 1);
        let mut observed = vec![Observed::default(); model.actions.len()];
        let mut trace = Trace::new(&model, |row: &Row| {
            if row.in_window
                && let Some(own) = observed.get_mut(row.action.index())
            {
                own.add(row.outcome, row.response());
            }
        });
        // Lent, so that this is the simulation of the library: one of its own would be compiled here, for size.
        let sink: &mut dyn Sink = &mut trace;
        let mut simulation = Simulation::new(&model, sink);
        while simulation.advance(STRIDE).ok()? == Progress::Running {
            if (self.stop)() || simulation.present() as u64 > self.most_present {
                return None;
            }
        }
        drop(simulation);
        for (observed, looks) in observed.iter_mut().zip(&run.looks) {
            if let Some(looks) = looks {
                observed.summary(looks, into);
            }
        }
        Some(())
    }
}

/// Takes what `--set` would be given.
///
/// # Errors
/// [`Failure::Usage`] where one of them is no assignment.
pub fn assignments(set: &[String]) -> Result<Vec<Assignment>, Failure> {
    let all = set.iter().map(|one| {
        one.parse()
            .map_err(|why| Failure::Usage(format!("--set {one}: {why}")))
    });
    all.collect()
}

/// The spec with these values set in it.
///
/// # Errors
/// Those of [`assignments`] and of [`Variations::spec`].
pub fn spec_with(variations: &Variations<Path>, set: &[String]) -> Result<Spec, Failure> {
    variations.spec(&assignments(set)?)
}

/// The same, of values that were fitted: what they make is one that is accepted.
///
/// # Errors
/// Those of [`spec_with`] and of [`Variations::model`].
pub fn spec_set_to(variations: &Variations<Path>, set: &[String]) -> Result<Spec, Failure> {
    let spec = spec_with(variations, set)?;
    variations.model(&spec)?;
    Ok(spec)
}

/// A run as it would have been at another load: its arrivals closer together or further apart, in as much less or more time, or with other
/// users in its place.
pub fn at_load(run: &Recording, factor: f64) -> Recording {
    let mut other = run.clone();
    let scaled = |time: Time| Time::from_nanos((time.as_nanos() as f64 / factor) as u64);
    let mut is_open = false;
    for client in &mut other.clients {
        match &mut client.source {
            Source::Open { arrival, .. } => {
                is_open = true;
                if let Arrival::Recorded(arrivals) = arrival {
                    *arrivals = Arrivals {
                        times: arrivals.times.iter().map(|time| scaled(*time)).collect(),
                        actions: arrivals.actions.clone(),
                    };
                }
            }
            Source::Closed { concurrency, .. } => {
                let users = (f64::from(concurrency.get()) * factor).round().max(1.0);
                // A float-to-integer cast saturates.
                *concurrency = NonZeroU32::new(users as u32).unwrap_or(*concurrency);
            }
        }
    }
    if is_open {
        other.limits.warmup = scaled(run.limits.warmup);
        other.limits.horizon = run.limits.horizon.map(scaled);
    } else if let Some(requests) = run.limits.requests {
        let requests = (requests.get() as f64 * factor.max(1.0)).round();
        other.limits.requests = NonZeroU64::new(requests as u64);
    }
    other.users = other.clients.iter().map(Client::closed_users).sum();
    other.offered_rps = run.offered_rps * factor;
    other
}
