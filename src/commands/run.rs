//! `blis run`: simulates a workload.

use blis_sim::engine::LoadEnd;
use blis_sim::measure::Measure;
use blis_sim::result::{self, Provenance, Run};
use blis_sim::simulation::{Progress as Reached, Simulation};
use blis_sim::spec;
use blis_sim::time::Time;

use crate::cli::RunArgs;
use crate::commands::print;
use crate::exit::{Done, Failure};
use crate::input_files;
use crate::interrupt::Interrupt;
use crate::memory;
use crate::progress::Progress;
use crate::report;
use crate::run_directory::RunDirectory;
use crate::workload::{self, Workload};

/// Events between two looks at the progress bar and Ctrl-C: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;

/// Runs the workload and reports it.
///
/// # Errors
/// Those of [`workload::load`]; [`Failure::Usage`] when the model makes no progress or the output is taken;
/// [`Failure::Output`] when the result cannot be written, which then was at least printed if it could be.
pub fn execute(args: &RunArgs) -> Result<Done, Failure> {
    let workload = workload::load(args.spec.as_deref(), &args.clients, &args.overrides)?;
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.force)?),
        None => None,
    };
    let run = simulate(&workload, &Interrupt::listen()?)?;
    let document = run.to_json()?;
    let printed = match args.json {
        true => print(&document),
        false => print(&report::run(&workload, &run)),
    };
    if let Some(directory) = directory {
        directory.write(&run_text(&workload), &document, &workload.files)?;
    }
    printed?;
    Ok(match &run.verdict {
        _ if run.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

/// Simulates to the end, or until it is interrupted.
fn simulate(workload: &Workload, interrupt: &Interrupt) -> Result<Run, Failure> {
    let model = &workload.model;
    let mut simulation = Simulation::new(model, Measure::new(model));
    let mut progress = Progress::new(model.limits);
    let most_requests = memory::most_requests();
    loop {
        let reached = simulation.advance(STRIDE);
        match reached.map_err(|stands_still| Failure::Usage(stands_still.to_string()))? {
            Reached::Finished => break,
            Reached::Running if interrupt.asked() => simulation.interrupt(),
            Reached::Running if simulation.present() as u64 > most_requests => {
                return Err(Failure::Overgrown(overgrown(&simulation)));
            }
            Reached::Running => progress.show(simulation.now(), simulation.intended()),
        }
    }
    progress.finish();
    let provenance = Provenance {
        sha256: workload.sha256.clone(),
        resolved_sha256: spec::sha256(&run_text(workload)),
        files: workload
            .files
            .iter()
            .map(|copy| (copy.path(), copy.sha256()))
            .collect(),
        configuration: workload.configuration.clone(),
        ended_by: simulation.load_end().unwrap_or(LoadEnd::Idle),
        events: simulation.events(),
        simulated: simulation.now().since(Time::ZERO),
    };
    let intended = simulation.intended();
    let mut measure = simulation.into_sink();
    measure.finish(intended)?;
    Ok(result::build(model, &measure, provenance))
}

/// The resolved spec as the directory of a run holds it, beside copies of its files.
fn run_text(workload: &Workload) -> String {
    input_files::with_copies(&workload.resolved, &workload.files)
}

/// What to say of a backlog that outgrows the memory.
fn overgrown(simulation: &Simulation<Measure>) -> String {
    format!(
        "after {:.3} s of simulated time {} requests are waiting, and more do not fit into memory: the load is more \
         than the services can carry; lower it, limit the lines (`queue: {{limit: ...}}`), or let work leave them \
         after a timeout (`on_timeout: leave`)",
        simulation.now().as_secs_f64(),
        simulation.present()
    )
}
