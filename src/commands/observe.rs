//! `blis observe`: sends a workload to a real NATS cluster and measures it as a simulation is measured.

use std::collections::BTreeMap;

use blis_live::driver::{Progress, Watch};
use blis_live::observe::{self, Observed, remarks};
use blis_live::observers::Wanted;
use blis_live::plan;
use blis_live::target::Target;
use blis_sim::engine::LoadEnd;
use blis_sim::result::{self, Live, Run};
use blis_sim::time::Time;

use crate::cli::ObserveArgs;
use crate::commands::{deliver, first_failure, print};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::live_progress::LiveProgress;
use crate::nats_access;
use crate::run_directory::RunDirectory;
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
    let monitor = nats_access::monitor(args.monitor.as_deref(), &args.target)?;
    if args.dry_run {
        return dry_run(&workload, &target);
    }
    let directory = match &args.out {
        Some(path) => Some(RunDirectory::claim(path, args.force)?),
        None => None,
    };
    let interrupt = Interrupt::listen()?;
    let mut progress = LiveProgress::new(args.quiet);
    let mut show = |reached: Progress| progress.show(reached);
    let watch = Watch {
        stop: &|| interrupt.asked(),
        show: &mut show,
    };
    let wanted = Wanted {
        streams: &args.observe_stream,
        monitor: monitor.as_ref(),
    };
    let warn = |warning: &str| tell(&format!("blis: warning: {warning}\n"));
    let model = &workload.model;
    let observed = observe::observe(model, &target, &access, &wanted, &warn, watch)?;
    progress.finish();
    let lost = observed.ended.lost;
    let run = run_of(&workload, &target, observed)?;
    let outcomes = deliver(&workload, &run, args.format.chosen(), directory)?;
    first_failure(outcomes)?;
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
fn run_of(workload: &Workload, target: &Target, observed: Observed) -> Result<Run, Failure> {
    let Observed {
        mut measure,
        ended,
        told,
        connections,
        server,
        observers,
    } = observed;
    measure.finish(ended.intended)?;
    let end = Ended::of_live(ended.by, ended.at, ended.intended);
    let live = Live {
        target: target.names.clone(),
        server_version: server,
        connections,
        elapsed_s: ended.at.since(Time::ZERO).as_secs_f64(),
        reasons: remarks(&told)
            .into_iter()
            .map(|(reason, number)| (reason.to_owned(), number))
            .collect::<BTreeMap<_, _>>(),
        messages: told.messages(),
        not_measured: Vec::new(),
        observers,
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
