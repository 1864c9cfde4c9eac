//! `blis max-rps`: the largest load that meets its objectives.

mod live;

use std::time::Instant;

use blis_sim::model::Path;
use blis_sim::result::{CeilingResult, RemedyResult};
use blis_sim::search::simulated::Reached;
use blis_sim::search::{Found, Steps};
use blis_sim::spec;

use crate::ceiling::{self, About, OfTiers, Places, Ramp, Sought, Tiers, Tried, Varied};
use crate::cli::{MaxRpsArgs, ObserverArgs, OverrideArgs, TargetArgs, TrialArgs};
use crate::commands::{Of, first_failure, present, print};
use crate::exit::{Done, Failure};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::report;
use crate::workload::{Basis, Variations};

/// What bounds trials.
const BOUNDS: &str = "--hold, --longest-trial and --time-limit";

/// Searches and reports what was found.
///
/// # Errors
/// Those of [`Variations`] and of [`Varied`]; [`Failure::Usage`] where flags contradict one another; [`Failure::Output`]
/// when the result cannot be written, which then was at least printed if it could be.
pub fn execute(args: &MaxRpsArgs) -> Result<Done, Failure> {
    ceiling::refuse_no_time(&args.trials)?;
    let overrides = OverrideArgs {
        values: args.values.clone(),
        slo: args.objectives.slo.clone(),
        ..OverrideArgs::default()
    };
    match live::is_meant(args) {
        true => live::execute(args, overrides),
        false => {
            refuse_target(&args.target, &args.observers)?;
            simulated(args, &overrides)
        }
    }
}

/// Searches in the simulated world.
fn simulated(args: &MaxRpsArgs, overrides: &OverrideArgs) -> Result<Done, Failure> {
    let basis = Basis::of(args.spec.file(), &args.clients, overrides)?;
    let variations = Variations::of(basis, spec::lower_with)?;
    let trials = &args.trials;
    let (over, at) = (trials.over.as_deref(), trials.at.as_deref());
    let varied = Varied::of(variations, over, at, ceiling::example(trials))?;
    let workload = varied.as_written()?;
    let tiers = trials.tiers.as_deref().map(Tiers::of).transpose()?;
    match &tiers {
        Some(tiers) => tiers.check(&workload.model)?,
        None => ceiling::refuse_no_objective(&workload.model)?,
    }
    let how = How::of(trials, &varied, tiers)?;
    ceiling::check_remedies(&varied, &trials.what_if)?;
    if args.dry_run {
        let lines = how.lines(&varied, trials);
        print(&format!("dry run: plan of the search\n\n{lines}"))?;
        return Ok(Done::Well);
    }
    let places = Places::claim(args)?;
    varied.tell_of_bounds(&workload, BOUNDS);
    let interrupt = Interrupt::listen()?;
    let (began, limit) = (Instant::now(), ceiling::wall(trials.time_limit));
    let time_is_up = || limit.is_some_and(|limit| began.elapsed() >= limit);
    let mut progress = RunProgress::new(args.progress.quiet);
    let mut see = |done: [u64; 2], load, bounds| {
        let [taken, of] = done;
        let each = began.elapsed().as_secs_f64() / taken.max(1) as f64;
        let left = (taken > 0).then_some(each * of.saturating_sub(taken) as f64);
        progress.show_trials(taken, of, so_far(&varied, load, bounds, left));
    };
    let (found, tried, besides) = match &how {
        How::Steps(ramp) => {
            let stop = || interrupt.asked() || time_is_up();
            let (found, tried) = ceiling::simulate_steps(
                &varied,
                ramp,
                &stop,
                &time_is_up,
                |steps: &Steps, load| {
                    let done = [steps.taken(), steps.number()].map(|number| number as u64);
                    see(done, load, [steps.lower(), steps.upper()]);
                },
            )?;
            (found, tried, Besides::default())
        }
        How::Tiers(sought, tiers) => {
            let stop = || interrupt.asked();
            let eyes = ceiling::eyes(&stop, &time_is_up);
            let mut search = |reached: Reached| see(reached.paths, reached.load, reached.bounds);
            let tiers = tiers.clone();
            let (found, tried, tiers) =
                ceiling::search_tiers(&varied, *sought, trials, tiers, eyes, &mut search)?;
            let besides = Besides {
                tiers: Some(tiers),
                ..Besides::default()
            };
            (found, tried, besides)
        }
        How::Search(sought) => {
            let stop = || interrupt.asked();
            let eyes = ceiling::eyes(&stop, &time_is_up);
            let mut search = |reached: Reached| see(reached.paths, reached.load, reached.bounds);
            let (found, tried, plan) =
                ceiling::search(&varied, *sought, trials, eyes, &mut search)?;
            let mut try_out = |_: &str, reached| search(reached);
            let asked = &trials.what_if;
            let remedies = ceiling::remedies(&varied, asked, &found, plan, eyes, &mut try_out);
            // What cannot be said of a change takes nothing from the answer.
            let (remedies, none) = match remedies {
                Ok(remedies) => (
                    remedies,
                    "no ceiling was found to compare a change with".to_owned(),
                ),
                Err(why) => (Vec::new(), ceiling::failed_remedies(&why)),
            };
            let besides = Besides {
                no_remedies: remedies.is_empty().then_some(none),
                remedies,
                ..Besides::default()
            };
            (found, tried, besides)
        }
    };
    let stop = || interrupt.asked();
    let slow = ceiling::slow(&varied, &found, ceiling::eyes(&stop, &time_is_up));
    progress.finish();
    let found = Found {
        interrupted: interrupt.asked(),
        ..found
    };
    let about = About {
        varied: &varied,
        workload: &workload,
        live: false,
        with_precision: trials.steps.is_none(),
        prediction: None,
        tiers: besides.tiers,
        slow: slow.ok().flatten(),
        remedies: besides.remedies,
        no_remedies: besides.no_remedies,
    };
    let document = searched(args, &about, &found, &tried, &places)?;
    Ok(match found.interrupted {
        true => Done::Interrupted,
        false => Done::Judged(ceiling::status(&document)),
    })
}

/// How loads are chosen.
enum How {
    /// They are given.
    Steps(Ramp),
    /// The search asks for them.
    Search(Sought),
    /// It asks for them, for one limit after the other.
    Tiers(Sought, Tiers),
}

/// What is found beside a ceiling.
#[derive(Default)]
struct Besides {
    tiers: Option<OfTiers>,
    remedies: Vec<RemedyResult>,
    no_remedies: Option<String>,
}

impl How {
    fn of(args: &TrialArgs, varied: &Varied<Path>, tiers: Option<Tiers>) -> Result<How, Failure> {
        ceiling::refuse_live_flags(args)?;
        match &args.steps {
            Some(steps) => {
                let ramp = ceiling::ramp(args, steps, varied)?;
                varied.check_simulated(&ramp.loads)?;
                Ok(How::Steps(ramp))
            }
            None => {
                let sought = ceiling::sought(args, varied)?;
                if let Some(ends) = sought.range {
                    varied.check_simulated(&ends)?;
                }
                Ok(match tiers {
                    Some(tiers) => How::Tiers(sought, tiers),
                    None => How::Search(sought),
                })
            }
        }
    }

    fn lines(&self, varied: &Varied<Path>, args: &TrialArgs) -> String {
        match self {
            How::Steps(ramp) => ceiling::lines(ramp, varied.name(), varied.unit(), args),
            How::Search(sought) | How::Tiers(sought, _) => {
                sought.lines(varied.name(), varied.unit(), args)
            }
        }
    }
}

/// Where a search is: the load, the bounds so far, and the time that is left.
fn so_far<P: PartialEq>(
    varied: &Varied<P>,
    load: f64,
    [lower, upper]: [Option<f64>; 2],
    left: Option<f64>,
) -> String {
    let unit = varied.unit();
    let lower = lower.map_or(String::new(), |load| {
        format!(", {} passed", unit.shown(load))
    });
    let upper = upper.map_or(String::new(), |load| {
        format!(", {} missed", unit.shown(load))
    });
    let left = left.map_or(String::new(), |left| format!(", about {left:.0} s left"));
    format!("trial at {}{lower}{upper}{left}", unit.shown(load))
}

/// Reports what was found, has it kept where it is to be, and gives the document of it.
fn searched<P: PartialEq>(
    args: &MaxRpsArgs,
    about: &About<'_, P>,
    found: &Found,
    tried: &[Tried],
    places: &Places,
) -> Result<CeilingResult, Failure> {
    let document = ceiling::document(about, found, tried)?;
    let [csv, out] = places.keep(about.workload, &document, tried);
    let printed = present(
        args.format.chosen(),
        Of::Ceiling(&document),
        || report::ceiling(&document),
        || document.to_json(),
    );
    first_failure([csv, out, printed])?;
    Ok(document)
}

/// Flags about a server have no effect on a simulation.
fn refuse_target(target: &TargetArgs, observers: &ObserverArgs) -> Result<(), Failure> {
    let flags = [
        ("--observe-stream", !observers.observe_stream.is_empty()),
        ("--monitor", observers.monitor.is_some()),
        ("--user", target.user.is_some()),
        ("--password", target.password.is_some()),
        ("--token", target.token.is_some()),
        ("--creds", target.creds.is_some()),
        ("--nkey", target.nkey.is_some()),
        ("--tlsca", target.tlsca.is_some()),
        ("--tlscert", target.tlscert.is_some()),
        ("--tlskey", target.tlskey.is_some()),
        ("--tlsfirst", target.tlsfirst),
        ("--inbox-prefix", target.inbox_prefix.is_some()),
        ("--js-domain", target.js_domain.is_some()),
        ("--js-api-prefix", target.js_api_prefix.is_some()),
        ("--allow-target", !target.allow_target.is_empty()),
        ("--allow-public", target.allow_public),
    ];
    match flags.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(Failure::Usage(format!(
            "{flag} applies only to a live search; give --url, or leave {flag} out"
        ))),
    }
}
