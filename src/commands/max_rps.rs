//! `blis max-rps`: the largest load that keeps its objectives.

mod live;

use blis_sim::result::{CEILING_SCHEMA, CeilingResult};
use blis_sim::search::{AfterTrip, Found};
use blis_sim::spec;
use blis_sim::spec::units::Duration;

use crate::ceiling::{self, About, Ramp, Tried, Varied, ascending};
use crate::cli::{Format, MaxRpsArgs, OverrideArgs};
use crate::commands::print;
use crate::exit::{Done, Failure};
use crate::interrupt::Interrupt;
use crate::report;
use crate::workload::{Basis, Variations};

/// Searches and reports what was found.
///
/// # Errors
/// Those of [`Variations`] and of [`Varied`]; [`Failure::Usage`] where flags contradict one another.
pub fn execute(args: &MaxRpsArgs) -> Result<Done, Failure> {
    refuse_unbuilt(args)?;
    let overrides = OverrideArgs {
        values: args.values.clone(),
        slo: args.objectives.slo.clone(),
        ..OverrideArgs::default()
    };
    if live::is_meant(args) {
        return live::execute(args, overrides);
    }
    let basis = Basis::of(args.spec.file(), &args.clients, &overrides)?;
    let variations = Variations::of(basis, spec::lower_with)?;
    let trials = &args.trials;
    let example = trials
        .steps
        .as_deref()
        .and_then(|steps| steps.split(',').next());
    let varied = Varied::of(
        variations,
        trials.over.as_deref(),
        trials.at.as_deref(),
        example,
    )?;
    let Some(steps) = &trials.steps else {
        return Err(Failure::Usage("give --steps".to_owned()));
    };
    let ramp = Ramp {
        loads: ascending("--steps", steps, varied.unit())?,
        after_trip: after_trip(args, &varied),
        tolerance: trials.rate_tolerance,
        warmup: trials.warmup.unwrap_or(Duration(10e9)),
        hold: trials.hold.unwrap_or(Duration(30e9)),
    };
    varied.check(&ramp.loads)?;
    let workload = varied.as_written()?;
    let interrupt = Interrupt::listen()?;
    let (found, tried) = ceiling::run_steps(&varied, &ramp, &|| interrupt.asked(), |_, _| {})?;
    let about = About {
        varied: &varied,
        workload: &workload,
        live: false,
        with_precision: false,
    };
    let document = searched(args, &about, &found, &tried)?;
    Ok(match found.interrupted {
        true => Done::Interrupted,
        false => Done::Judged(ceiling::status(&document)),
    })
}

/// What follows a step that misses an objective. Whether more of a key helps is seen at the ends of its steps.
fn after_trip<P: PartialEq>(args: &MaxRpsArgs, varied: &Varied<P>) -> AfterTrip {
    match args.trials.no_stop_on_trip || varied.is_key() {
        true => AfterTrip::GoOn,
        false => AfterTrip::Stop,
    }
}

/// Reports what was found, and gives the document of it.
fn searched<P: PartialEq>(
    args: &MaxRpsArgs,
    about: &About<'_, P>,
    found: &Found,
    tried: &[Tried],
) -> Result<CeilingResult, Failure> {
    let document = ceiling::document(about, found, tried)?;
    debug_assert_eq!(document.schema, CEILING_SCHEMA);
    let report = report::ceiling(&document);
    print(&match args.format.chosen() {
        Format::Text => report::text(&report),
        Format::Markdown => report::markdown(&report),
        Format::Json => document.to_json()?,
    })?;
    Ok(document)
}

/// What is not built is refused as such.
fn refuse_unbuilt(args: &MaxRpsArgs) -> Result<(), Failure> {
    let (trials, live) = (&args.trials, live::is_meant(args));
    let flags = [
        ("--search", trials.search.is_some()),
        ("--cooldown", trials.cooldown.is_some() && !live),
        ("--longest-trial", trials.longest_trial.is_some() && !live),
        ("--time-limit", trials.time_limit.is_some() && !live),
        ("--precision", trials.precision.is_some()),
        ("--tiers", trials.tiers.is_some()),
        ("--what-if", !trials.what_if.is_empty()),
        ("--threads", trials.threads.is_some()),
        ("--csv", args.csv.is_some()),
        ("--out", args.out.is_some()),
        ("--force", args.force),
        ("--dry-run", args.dry_run && !live),
    ];
    match flags.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag} is not built yet; give --steps for simulated trials"
        ))),
    }
}
