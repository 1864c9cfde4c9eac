//! `blis observe`: sends a workload to a real NATS cluster and measures it like a simulation.

use std::cell::{Cell, OnceCell};

use blis_live::generator::driver::{LoadProgress, LoadWatch};
use blis_live::journal::End;
use blis_live::observers::Wanted;
use blis_live::run::observe::{self, Besides};
use blis_live::run::observed::{Connected, Heard, Observed, check, evidence};
use blis_live::run::{plan, session};
use blis_live::target::Target;
use blis_sim::result::{self, Live, Record, Run};
use blis_sim::visible;

use crate::cli::ObserveArgs;
use crate::commands::{deliver, first_failure, print, service};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::live_progress::{self, LiveProgress};
use crate::runs::observed;
use crate::runs::record::{Begun, Of, Place, Sealed};
use crate::target::nats_access;
use crate::workload::{self, LiveWorkload};

/// Sends the workload and reports what came of it.
///
/// # Errors
/// Those of [`workload::load`] and [`nats_access::resolve`]; [`Failure::Connect`] when there is no connection;
/// [`Failure::Output`] when the result cannot be written.
pub fn execute(args: &ObserveArgs) -> Result<Done, Failure> {
    let workload = load(args)?;
    let (target, access) = nats_access::resolve(&args.target)?;
    plan::sendable(&workload.model).map_err(|why| Failure::Usage(why.to_string()))?;
    let monitor = nats_access::monitor(args.observers.monitor.as_deref(), &args.target, &access)?;
    // Before a place is claimed, and without a connection.
    session::fits(&workload.model)?;
    if args.dry_run {
        return dry_run(&workload, &target);
    }
    let place = Place::claim(args, &workload)?;
    let interrupt = Interrupt::listen()?;
    let mut progress = LiveProgress::new(args.progress.quiet);
    let in_flight = Cell::new(0);
    let mut show = |reached: LoadProgress, (_, recent): &mut Heard| {
        in_flight.set(reached.in_flight);
        progress.show(reached, recent);
    };
    let begun = OnceCell::new();
    let record_failed = || begun.get().is_some_and(Begun::has_failed);
    let told = Cell::new(false);
    let interrupted = || {
        let asked = interrupt.asked();
        if asked && !told.replace(true) {
            let drain = workload.model.limits.drain;
            live_progress::tell(&live_progress::interruption(drain, in_flight.get()));
        }
        asked
    };
    let watch = LoadWatch {
        stop: &|| interrupted() || record_failed(),
        enough: &|| false,
        show: &mut show,
    };
    let begin = |connected: &Connected| {
        let Some(place) = &place else {
            return Ok(None);
        };
        let (recorder, record) = place.begin(&workload, Of::Live(&target, connected))?;
        // It is begun once.
        let _ = begun.set(record);
        Ok(Some(recorder))
    };
    let besides = Besides {
        wanted: Wanted {
            streams: &args.observers.observe_stream,
            monitor: monitor.as_ref(),
        },
        warn: &live_progress::warn,
        begin,
    };
    let mut observed = observe::observe(&workload.model, &target, &access, besides, watch)?;
    progress.finish();
    let lost = observed.ended.lost;
    if lost {
        tell(
            "blis: a connection to the server was lost for more than 10 s; the run ended early with this result\n",
        );
    }
    let parts = (place, begun.into_inner(), observed.also.take());
    let record = match parts {
        (Some(place), Some(begun), Some(recorder)) => {
            let end = End {
                by: observed.ended.by,
                at: observed.ended.at,
                intended: observed.ended.intended,
            };
            Some(begun.seal(place, recorder, end, &workload))
        }
        _ => None,
    };
    let block = record.as_ref().map(Sealed::block);
    let run = run_of(&workload, &target, observed, block)?;
    let [kept, printed] = deliver(&workload, &run, &args.format, |contents| {
        first_failure(record.map_or([Ok(()), Ok(()), Ok(())], |record| record.keep(contents)))
    })?;
    first_failure([kept, printed])?;
    Ok(match &run.verdict {
        _ if lost => Done::Disconnected,
        _ if run.ended_by == result::INTERRUPTED => Done::Interrupted,
        Some(verdict) => Done::Judged(verdict.status),
        None => Done::Well,
    })
}

/// The workload, with what the flags of this command set.
fn load(args: &ObserveArgs) -> Result<LiveWorkload, Failure> {
    let mut overrides = args.overrides.judged_by(&args.objectives);
    match service::flags(&args.service, args.spec.file(), &mut overrides)? {
        Some(flags) => workload::load_service(&flags, &args.clients, &overrides),
        None => workload::load_live(args.spec.file(), &args.clients, &overrides),
    }
}

fn dry_run(workload: &LiveWorkload, target: &Target) -> Result<Done, Failure> {
    let lines = plan::lines(&workload.model, &target.names);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::from("dry run: plan of the run\n\n");
    for (name, what) in lines {
        let what = visible::line(&what);
        text.push_str(&format!("  {name:width$}  {what}\n"));
    }
    print(&text)?;
    Ok(Done::Well)
}

/// The result document of what was observed.
fn run_of<S>(
    workload: &LiveWorkload,
    target: &Target,
    mut observed: Observed<S>,
    record: Option<Record>,
) -> Result<Run, Failure> {
    observed.measure.finish(observed.ended.intended)?;
    check(&observed)?;
    let evidence = evidence(&workload.model, &observed);
    let run = observed::conclude(workload, target, observed, evidence, record);
    run.live.iter().for_each(warn);
    Ok(run)
}

/// What makes the figures mean something else than they seem to.
fn warn(live: &Live) {
    if let Some(number) = live.reasons.get("captured_by_a_stream") {
        tell(&format!(
            "blis: warning: a stream that captures the subject answered {number} requests instead of a service; use \
             another subject, or remove it from the stream\n"
        ));
    }
    let generator = live.generator.iter();
    for limit in generator.flat_map(|generator| &generator.limited_by) {
        tell(&format!("blis: warning: {limit}\n"));
    }
    for message in &live.messages {
        tell(&format!("blis: message from the server: {message}\n"));
    }
}
