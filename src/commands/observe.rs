//! `blis observe`: sends a workload to a real NATS cluster and measures it as a simulation is measured.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use blis_live::driver::{Progress, Watch};
use blis_live::observe::{self, Connected, Observed, remarks};
use blis_live::plan;
use blis_live::target::Target;
use blis_sim::engine::LoadEnd;
use blis_sim::result::{self, Live, Record, Run};
use blis_sim::time::Time;

use crate::cli::ObserveArgs;
use crate::commands::{deliver, first_failure, print};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::live_progress::LiveProgress;
use crate::live_record::{Begun, Place, Sealed};
use crate::nats_access;
use crate::simulate::{Ended, conclude};
use crate::workload::{self, Workload};

/// Sends the workload and reports what came of it.
///
/// # Errors
/// Those of [`workload::load`] and [`nats_access::resolve`]; [`Failure::Connect`] when there is no connection;
/// [`Failure::Output`] when the result cannot be written.
pub fn execute(args: &ObserveArgs) -> Result<Done, Failure> {
    let workload = load(args)?;
    let (target, access) = nats_access::resolve(&args.target)?;
    plan::sendable(&workload.model).map_err(|why| Failure::Usage(why.to_string()))?;
    if args.dry_run {
        return dry_run(&workload, &target);
    }
    let place = Place::claim(args, &workload)?;
    let interrupt = Interrupt::listen()?;
    let mut progress = LiveProgress::new(args.quiet);
    let mut show = |reached: Progress| progress.show(reached);
    let begun = OnceCell::new();
    let record_failed = || begun.get().is_some_and(Begun::has_failed);
    let watch = Watch {
        stop: &|| interrupt.asked() || record_failed(),
        show: &mut show,
    };
    let begin = |connected: &Connected| {
        let Some(place) = &place else {
            return Ok(None);
        };
        let (recorder, record) = place.begin(&workload, &target, connected)?;
        // It is begun once.
        let _ = begun.set(record);
        Ok(Some(recorder))
    };
    let mut observed = observe::observe(&workload.model, &target, &access, begin, watch)?;
    progress.finish();
    let lost = observed.ended.lost;
    let parts = (place, begun.into_inner(), observed.also.take());
    let record = match parts {
        (Some(place), Some(begun), Some(recorder)) => {
            Some(begun.seal(place, recorder, &observed.ended, &workload))
        }
        _ => None,
    };
    let block = record.as_ref().map(Sealed::block);
    let run = run_of(&workload, &target, observed, block)?;
    let [kept, printed] = deliver(&workload, &run, args.format.chosen(), |contents| {
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

/// The workload, with the subject that a flag gives.
fn load(args: &ObserveArgs) -> Result<Workload, Failure> {
    let mut overrides = args.overrides.clone();
    if let Some(subject) = &args.subject {
        if args.spec.is_some() {
            return Err(Failure::Usage(
                "--subject is for the embedded quickstart; with --spec set actions.NAME.live instead".to_owned(),
            ));
        }
        let set = format!(
            "actions.ask.live.request={}",
            serde_json::Value::from(subject.as_str())
        );
        overrides.set.push(
            set.parse()
                .map_err(|why| Failure::Usage(format!("--subject: {why}")))?,
        );
    }
    workload::load(args.spec.as_deref(), &args.clients, &overrides)
}

fn dry_run(workload: &Workload, target: &Target) -> Result<Done, Failure> {
    let lines = plan::lines(&workload.model, &target.names);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::from("nothing is sent: this is what the run would do\n\n");
    for (name, what) in lines {
        text.push_str(&format!("  {name:width$}  {what}\n"));
    }
    print(&text)?;
    Ok(Done::Well)
}

/// The result document of what was observed.
fn run_of<S>(
    workload: &Workload,
    target: &Target,
    observed: Observed<S>,
    record: Option<Record>,
) -> Result<Run, Failure> {
    let Observed {
        mut measure,
        ended,
        told,
        connected,
        ..
    } = observed;
    measure.finish(ended.intended)?;
    let end = Ended::of_live(ended.by, ended.at, ended.intended);
    let live = Live {
        target: target.names.clone(),
        server_version: connected.server,
        connections: connected.connections,
        elapsed_s: ended.at.since(Time::ZERO).as_secs_f64(),
        reasons: remarks(&told)
            .into_iter()
            .map(|(reason, number)| (reason.to_owned(), number))
            .collect::<BTreeMap<_, _>>(),
        messages: told.messages(),
        not_measured: Vec::new(),
        record,
    };
    warn(&live);
    Ok(conclude(workload, &workload.model, &measure, end).into_live(live))
}

/// What makes the figures mean something else than they seem to.
fn warn(live: &Live) {
    if let Some(number) = live.reasons.get("captured_by_a_stream") {
        tell(&format!(
            "blis: warning: {number} requests were answered by a stream that has their subject, instead of a service; \
             choose another subject, or take it out of the stream\n"
        ));
    }
    for message in &live.messages {
        tell(&format!("blis: the server says: {message}\n"));
    }
}

impl Ended {
    /// Of a live run, which has no events.
    fn of_live(by: LoadEnd, at: Time, intended: u64) -> Ended {
        Ended::new(by, at, intended, 0)
    }
}
