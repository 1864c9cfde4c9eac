//! `blis serve`: runs doubles of the services of a spec on NATS.

use std::cell::Cell;

use blis_live::double::serve::{self, Served};
use blis_live::double::state::{DoubleWatch, Statement};

use crate::cli::{Format, ServeArgs};
use crate::commands::print;
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::report::{self, served};
use crate::target::nats_access;
use crate::workload::{self, LiveWorkload};

/// Plays the backend until it is interrupted, and says how well it kept up.
///
/// # Errors
/// Those of [`workload::load`] and [`nats_access::resolve`]; [`Failure::Connect`] when there is no connection;
/// [`Failure::Usage`] when there is nothing to play.
pub fn execute(args: &ServeArgs) -> Result<Done, Failure> {
    let workload = workload::load_backend(args.spec.file(), &args.overrides)?;
    let (target, access) = nats_access::resolve(&args.target)?;
    tell_of_unplayed(&workload);
    let interrupt = Interrupt::listen()?;
    let mut show = |statement: &Statement| {
        if !args.progress.quiet {
            tell(&format!("blis: {}\n", served::line(statement)));
        }
    };
    let told = Cell::new(false);
    let interrupted = || {
        let asked = interrupt.asked();
        if asked && !told.replace(true) {
            tell(&format!(
                "blis: interrupted: waiting up to {} s for the server; press Ctrl-C again to end at once, without a report\n",
                serve::LONGEST_END.as_secs()
            ));
        }
        asked
    };
    let watch = DoubleWatch {
        stop: &interrupted,
        show: &mut show,
    };
    let ready = |subjects: &[String]| {
        let part = match args.only.as_slice() {
            [] => "the backend".to_owned(),
            only => format!("the services {}", only.join(", ")),
        };
        let listening = match subjects {
            [] => String::new(),
            subjects => format!(", listening on {}", subjects.join(", ")),
        };
        tell(&format!(
            "blis: {} serves {part} at {}{listening}; press Ctrl-C to stop\n",
            workload.model.name,
            target.names.join(", "),
        ));
    };
    let Served { statement, removed } =
        serve::serve(&workload.model, &args.only, &target, &access, watch, ready)?;
    for warning in statement.health.warnings() {
        tell(&format!("blis: warning: {warning}\n"));
    }
    print(&match args.format.chosen() {
        Format::Json => served::json(&workload.model.name, &statement)?,
        Format::Text | Format::Markdown => served::text(&statement),
        Format::Html => report::html(&served::report(&workload.model.name, &statement))?,
        // Nothing is judged here, and the flag does not take these.
        Format::Junit | Format::Csv | Format::CsvSeries => served::text(&statement),
    })?;
    // What it did is told, whatever is left behind.
    removed?;
    Ok(Done::Well)
}

/// Says of which actions nothing is played, where the others are.
fn tell_of_unplayed(workload: &LiveWorkload) {
    let names: Vec<&str> = workload.model.without_path().collect();
    if names.is_empty() || names.len() == workload.model.actions.len() {
        return;
    }
    tell(&format!(
        "blis: no double for {}: actions without a `path` are not played\n",
        names.join(", ")
    ));
}
