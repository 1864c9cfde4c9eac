//! `blis validate`: how far a model is from what is measured.

use blis_live::ceiling::End;
use blis_live::connection::Access;
use blis_live::observers::Wanted;
use blis_live::target::Target;
use blis_live::trials::Pace;
use blis_live::{observe, plan};
use blis_sim::compare::Tolerances;
use blis_sim::model::{Model, Path};
use blis_sim::result::SpecIdentity;
use blis_sim::spec;
use blis_sim::spec::error::shown;
use blis_sim::spec::units::Duration;
use blis_sim::time::{Span, Time};
use blis_sim::validation::{About, AtLoad, ValidationResult, validate};
use blis_sim::verdict::Status;

use crate::ceiling::live::{self, Given, Live, Loads, Through};
use crate::ceiling::{Varied, ascending, refuse_model_key};
use crate::cli::{OverrideArgs, ValidateArgs, ValidationArgs};
use crate::commands::{first_failure, present, print};
use crate::exit::{Done, Failure, tell};
use crate::interrupt::Interrupt;
use crate::local::Local;
use crate::nats_access;
use crate::report;
use crate::simulate::{files, run_text};
use crate::trials_directory::{Kept, TrialsDirectory, VALIDATION};
use crate::validation::{Lengths, measured, predicted, usual_loads};
use crate::workload::{Basis, LiveWorkload, Variations};

/// Load before the window where nothing says how much.
const WARMUP: Duration = Duration(2e9);
/// The window.
const HOLD: Duration = Duration(20e9);
/// The pause after a run.
const COOLDOWN: Duration = Duration(1e9);
/// Beside its parts a live run takes about so long: until the last replies are there.
const BESIDE: Duration = Duration(1e9);
/// What is left of a time limit is taken to a tenth of a second.
const TENTH: f64 = 1e8;
/// More live runs of a load than anybody waits for.
const MOST_REPEATS: u64 = 1_000;
/// The shortest window that a time limit leaves.
const SHORTEST: Duration = Duration(2e9);

/// Predicts, measures, and says how far they are apart.
///
/// # Errors
/// Those of [`Variations`], [`Varied`] and [`nats_access::resolve`]; [`Failure::Usage`] where the spec has no model, or a key is none of
/// the load; what keeps the first run from running.
pub fn execute(args: &ValidateArgs) -> Result<Done, Failure> {
    let overrides = OverrideArgs {
        values: args.values.clone(),
        ..OverrideArgs::default()
    };
    let basis = Basis::of(args.spec.file(), &args.clients, &overrides)?;
    let variations = Variations::of(basis, spec::lower_live)?;
    let runs = &args.runs;
    refuse_model_key(
        runs.over.as_deref(),
        "or compare variants of the model with `blis whatif`",
    )?;
    let example = runs
        .predict_at
        .as_deref()
        .and_then(|loads| loads.split(',').next());
    let varied = Varied::of(variations, runs.over.as_deref(), None, example)?;
    let workload = varied.as_written()?;
    plan::sendable(&workload.model).map_err(|why| Failure::Usage(why.to_string()))?;
    let simulated = simulated(&varied, &workload.model)?;
    let named = match args.local {
        true => None,
        false => Some(nats_access::resolve(&args.target)?),
    };
    if runs.repeats > MOST_REPEATS {
        return Err(Failure::Usage(format!(
            "--repeats {} is too many; give at most {MOST_REPEATS}",
            runs.repeats
        )));
    }
    let interrupt = Interrupt::listen()?;
    let loads = match &runs.predict_at {
        Some(loads) => ascending("--predict-at", loads, varied.unit()),
        None => usual_loads(&simulated, &|| interrupt.asked()),
    };
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    let loads = loads?;
    varied.check(&loads)?;
    let largest = loads.iter().copied().fold(0.0, f64::max);
    live::check(&varied, largest)?;
    let lengths = lengths(runs, &workload.model, loads.len())?;
    let given = Loads::Given(Given::in_turns(&loads, runs.repeats));
    if args.dry_run {
        print(&format!(
            "nothing is sent: this is what the validation would do\n\n{}",
            lines(&varied, &loads, lengths, runs)
        ))?;
        return Ok(Done::Well);
    }
    if args.local {
        Local::check(args.spec.file())?;
    }
    let place = args.out.as_ref();
    let place = place.map(|path| TrialsDirectory::claim(path, VALIDATION, args.force));
    let place = place.transpose()?;
    if !args.quiet {
        varied.tell_of_bounds(&workload, "--hold and --time-limit");
    }
    let say = |line: &str| {
        if !args.quiet {
            tell(&format!("blis: {line}\n"));
        }
    };
    say("the plan:");
    lines(&varied, &loads, lengths, runs).lines().for_each(say);
    if let Some((target, access)) = &named {
        // Nothing is simulated in vain.
        observe::reach(target, access)?;
    }
    let mut all = predicted(&simulated, &loads, lengths, &interrupt)?;
    for one in &all {
        say(&predicted_line(&varied, one));
    }
    if interrupt.asked() {
        return Ok(Done::Interrupted);
    }
    let pace = Pace {
        warmup: span(lengths.warmup),
        hold: span(lengths.hold),
        cooldown: span(runs.cooldown.unwrap_or(COOLDOWN)),
    };
    let Observed {
        through,
        said,
        is_gone,
    } = match &named {
        Some(target) => observed(args, &varied, (given, largest), (target, pace), &interrupt)?,
        None => observed_locally(args, &varied, (given, largest), pace, &interrupt)?,
    };
    let about = Context {
        varied: &varied,
        workload: &workload,
        lengths,
        repeats: runs.repeats,
    };
    let none = Tolerances::default();
    let tolerances = runs.tolerance.as_ref().unwrap_or(&none);
    measured(&mut all, lengths, &through);
    let mut found = about.conclude(all, &through, tolerances)?;
    found.notes.extend(said);
    if is_gone {
        found.distrust("The server and the double of --local ended before the live runs did: what failed is not the system's doing.");
    }
    let kept = match place {
        Some(place) => place.write(&Kept {
            document: &found.to_json()?,
            rows: None,
            spec: &run_text(&workload),
            files: &workload.files,
            report: &report::markdown(&report::validation(&found)),
            tried: &through.tried,
            file: workload.file.as_deref(),
        }),
        None => Ok(()),
    };
    let form = args.format.chosen();
    let printed = present(form, || report::validation(&found), || found.to_json());
    first_failure([kept, printed])?;
    done(through.end, found.verdict)
}

/// What came of the live runs.
struct Observed {
    through: Through,
    /// What the double says of itself, where it is one of `--local`.
    said: Vec<String>,
    /// Whether that ended before they did.
    is_gone: bool,
}

/// Runs the loads, of which `largest` is one, at a target.
fn observed(
    args: &ValidateArgs,
    varied: &Varied<Option<Path>>,
    (given, largest): (Loads, f64),
    ((target, access), pace): (&(Target, Access), Pace),
    interrupt: &Interrupt,
) -> Result<Observed, Failure> {
    let live = Live {
        target,
        access,
        wanted: Wanted {
            streams: &[],
            monitor: None,
        },
        pace,
        time_limit: args.runs.time_limit.map(span),
        beside: Span::ZERO,
        quiet: args.quiet,
        says: &|_| None,
    };
    Ok(Observed {
        through: live::run(varied, given, largest, &live, interrupt)?,
        said: Vec::new(),
        is_gone: false,
    })
}

/// The same on a server of its own, which ends with them.
fn observed_locally(
    args: &ValidateArgs,
    varied: &Varied<Option<Path>>,
    loads: (Loads, f64),
    pace: Pace,
    interrupt: &Interrupt,
) -> Result<Observed, Failure> {
    let mut local = Local::start(args.spec.file(), &args.values)?;
    if !args.quiet {
        tell(&format!(
            "blis: a server of its own, with a double, is at {}\n",
            local.at.0.names.join(", ")
        ));
    }
    let observed = observed(args, varied, loads, (&local.at, pace), interrupt)?;
    Ok(Observed {
        is_gone: local.is_gone(),
        said: local.end(),
        ..observed
    })
}

/// How the command ends whose live runs ended so.
fn done(end: End<Failure>, verdict: Option<Status>) -> Result<Done, Failure> {
    match end {
        End::Failed(why) => Err(why),
        End::Lost => {
            tell(
                "blis: the connection to the server was lost and did not come back within 10 s: the validation was ended there, and \
                 these are the runs by then\n",
            );
            Ok(Done::Disconnected)
        }
        End::Interrupted => Ok(Done::Interrupted),
        End::Enough | End::TimeIsUp => Ok(verdict.map_or(Done::Well, Done::Judged)),
    }
}

/// The model to be simulated: a spec that does not say what its backend does predicts nothing.
fn simulated(
    varied: &Varied<Option<Path>>,
    written: &Model<Option<Path>>,
) -> Result<Varied<Path>, Failure> {
    varied.simulated(written).map_err(|missing| {
        let name = shown(&missing.0);
        Failure::Usage(format!(
            "nothing is predicted of action {name}, which has no path: give a spec that says what it does (actions.{name}.path)"
        ))
    })
}

/// How long runs are: as they are given, or what a time limit leaves for each.
fn lengths(
    args: &ValidationArgs,
    model: &Model<Option<Path>>,
    loads: usize,
) -> Result<Lengths, Failure> {
    let of_spec = model.limits.warmup.since(Time::ZERO);
    let warmup = args.warmup.unwrap_or(match of_spec {
        Span::ZERO => WARMUP,
        of_spec => Duration(of_spec.as_nanos() as f64),
    });
    let hold = match (args.hold, args.time_limit) {
        (Some(hold), _) if hold.0 <= 0.0 => {
            return Err(Failure::Usage(
                "--hold of zero leaves nothing to measure; give a time such as 20s".to_owned(),
            ));
        }
        (Some(hold), _) => hold,
        (None, None) => HOLD,
        (None, Some(limit)) => {
            let cooldown = args.cooldown.unwrap_or(COOLDOWN);
            let each = limit.0 / (loads as f64 * args.repeats as f64);
            let besides = warmup.0 + cooldown.0 + BESIDE.0;
            let hold = Duration(((each - besides) / TENTH).floor() * TENTH);
            if hold.0 < SHORTEST.0 {
                let needed = (SHORTEST.0 + besides) * loads as f64 * args.repeats as f64;
                return Err(Failure::Usage(format!(
                    "--time-limit {limit} is too short for {} live runs, of which each takes {} beside its window: give at least {}, fewer \
                     loads (--predict-at) or fewer --repeats",
                    loads as u64 * args.repeats,
                    Duration(besides),
                    Duration((needed / 1e9).ceil() * 1e9),
                )));
            }
            hold
        }
    };
    Ok(Lengths { warmup, hold })
}

/// What is going to be done, in lines.
fn lines(
    varied: &Varied<Option<Path>>,
    loads: &[f64],
    lengths: Lengths,
    args: &ValidationArgs,
) -> String {
    let shown: Vec<String> = loads
        .iter()
        .map(|load| varied.unit().shown(*load))
        .collect();
    let cooldown = args.cooldown.unwrap_or(COOLDOWN);
    let each = lengths.warmup.0 + lengths.hold.0 + cooldown.0 + BESIDE.0;
    let seconds = each / 1e9 * (loads.len() as u64 * args.repeats) as f64;
    format!(
        "  varied      {}\n  loads       {}\n  live        {} turns of all loads; each run {} of warm-up, {} measured, {cooldown} of \
         pause\n  in all      about {}\n",
        varied.name(),
        shown.join(", "),
        args.repeats,
        lengths.warmup,
        lengths.hold,
        Duration(seconds.ceil() * 1e9),
    )
}

fn predicted_line(varied: &Varied<Option<Path>>, one: &AtLoad) -> String {
    let runs = one.predicted.iter();
    let throughput: f64 = runs.map(|run| run.run.throughput_rps.unwrap_or(0.0)).sum();
    format!(
        "predicted at {}: {:.1} ok/s, in {} simulated runs",
        varied.unit().shown(one.load),
        throughput / one.predicted.len().max(1) as f64,
        one.predicted.len()
    )
}

fn span(time: Duration) -> Span {
    Span::from_nanos_f64(time.0)
}

/// What runs are put together by.
struct Context<'a> {
    varied: &'a Varied<Option<Path>>,
    workload: &'a LiveWorkload,
    lengths: Lengths,
    repeats: u64,
}

impl Context<'_> {
    fn conclude(
        &self,
        all: Vec<AtLoad>,
        through: &Through,
        tolerances: &Tolerances,
    ) -> Result<ValidationResult, Failure> {
        let workload = self.workload;
        let unit = self.varied.unit();
        let about = About {
            spec: SpecIdentity {
                name: workload.model.name.clone(),
                sha256: workload.sha256.clone(),
                resolved_sha256: spec::sha256(run_text(workload)),
                files: files(workload),
            },
            parameter: self.varied.name(),
            unit: unit.name(),
            shown: &|load| unit.shown(load),
            is_closed: self.varied.name() == "concurrency",
            lengths_s: [self.lengths.warmup, self.lengths.hold].map(|length| length.0 / 1e9),
            repeats: self.repeats,
            interrupted: !matches!(through.end, End::Enough),
        };
        validate(&about, all, tolerances).map_err(|why| Failure::Usage(why.to_string()))
    }
}
