//! Live trials over one session, judged as they run, each with the result document of its load.

use std::cell::{Cell, RefCell};

use blis_live::generator::driver::LoadProgress;
use blis_live::observers::Wanted;
use blis_live::run::ceiling::{self, Asking, End, Field, Next, Watching};
use blis_live::run::observed::check as check_reasons;
use blis_live::run::recent_ends::Recent;
use blis_live::run::session;
use blis_live::run::trials::{Pace, SoFar, Tried as OfTrial};
use blis_live::target::Target;
use blis_live::target::access::Access;
use blis_sim::model::{Model, Path};
use blis_sim::result::{PredictedResult, Run};
use blis_sim::search::{Ended, Found, Judged, Steps, Trial};
use blis_sim::spec::units::Duration;
use blis_sim::time::{Span, Time};
use blis_sim::trace::Row;

use super::bracketed::Bracketed;
use super::document::Tried;
use super::requests::Requests;
use super::steps::{judged as judged_by_figures, spec_of_trial};
use super::varied::Varied;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::live_progress::{self, LiveProgress};
use crate::provenance::run_text;
use crate::runs::observed;
use crate::workload::{LiveWorkload, Workload};

/// Where and how live trials run.
pub struct Live<'a> {
    /// The servers.
    pub target: &'a Target,
    /// How they let one in.
    pub access: &'a Access,
    /// What is observed beside every trial.
    pub wanted: Wanted<'a>,
    /// How long the parts of a trial take.
    pub pace: Pace,
    /// How long all of them may take.
    pub time_limit: Option<Span>,
    /// How many trials came before these, whose draws these do not repeat.
    pub before: u64,
    /// How long the model may take after each trial.
    pub beside: Span,
    /// Whether no progress is shown.
    pub quiet: bool,
    /// What the model says of a trial that has run.
    pub says: &'a dyn Fn(&Trial) -> Option<PredictedResult>,
    /// Is handed every trial with its requests, where somebody looks at each of them.
    pub recorded: Option<&'a dyn Fn(Recorded)>,
}

/// A trial with its requests.
pub struct Recorded {
    /// Its load.
    pub load: f64,
    /// The spec at its load, as it was sent.
    pub workload: LiveWorkload,
    /// Its result.
    pub run: Run,
    /// Its requests, in the order in which they ended; `None` where there were more than are kept.
    pub rows: Option<Vec<Row>>,
    /// What else may have made its load heavier than it is, in sentences.
    pub disturbed_by: Vec<String>,
}

/// Which loads are tried.
pub enum Loads {
    /// These, by the verdict of a plain run.
    Steps {
        /// The ramp.
        steps: Steps,
        /// By how much less than the load may be sent.
        tolerance: f64,
    },
    /// Those that a search asks for.
    Search(Bracketed),
    /// These, whatever becomes of them.
    Given(Given),
}

/// Loads in the order in which they are tried, the same ones several times.
#[derive(Debug, Clone)]
pub struct Given {
    loads: Vec<f64>,
    begun: usize,
}

impl Given {
    /// This many turns, each of all these loads: upwards and downwards by turns, so that what a load leaves behind does not always meet the
    /// same one.
    pub fn in_turns(loads: &[f64], turns: u64) -> Given {
        let turn = |turn: u64| -> Vec<f64> {
            match turn % 2 {
                0 => loads.to_vec(),
                _ => loads.iter().rev().copied().collect(),
            }
        };
        Given {
            loads: (0..turns).flat_map(turn).collect(),
            begun: 0,
        }
    }

    /// The largest of them.
    pub fn largest(&self) -> f64 {
        self.loads.iter().copied().fold(0.0, f64::max)
    }

    fn next(&mut self) -> Option<f64> {
        let load = self.loads.get(self.begun).copied();
        self.begun += 1;
        load
    }
}

/// What live trials left behind.
pub struct Through {
    /// The loads, as far as they were tried.
    pub loads: Loads,
    /// The trials, in their order.
    pub trials: Vec<Trial>,
    /// The result of each.
    pub tried: Vec<Tried>,
    /// How they ended.
    pub end: End<Failure>,
}

/// What a search with live trials came to.
pub struct Searched {
    /// What was found.
    pub found: Found,
    /// What was tried, in the order of the trials.
    pub tried: Vec<Tried>,
    /// Whether the connections were lost for good.
    pub lost: bool,
    /// Why a trial after the first could not be run.
    pub failed: Option<Failure>,
}

type Varying = Varied<Option<Path>>;

/// Holds where the connections of this load can be opened.
///
/// # Errors
/// Those of [`Varied::model_at`] and of [`session::fits`].
pub fn check(varied: &Varying, largest: f64) -> Result<(), Failure> {
    session::fits(&varied.model_at(largest)?)?;
    Ok(())
}

/// Tries loads; `largest` is the largest that is known to come.
///
/// # Errors
/// Those of [`Varied::model_at`], and what kept the first trial from running.
pub fn run(
    varied: &Varying,
    loads: Loads,
    largest: f64,
    live: &Live<'_>,
    interrupt: &Interrupt,
) -> Result<Through, Failure> {
    let largest = varied.model_at(largest)?;
    session::fits(&largest)?;
    let loads = RefCell::new(loads);
    let kept = RefCell::new((Vec::new(), Vec::new()));
    let failed = RefCell::new(None);
    let field = Field {
        target: live.target,
        access: live.access,
        wanted: live.wanted,
        pace: live.pace,
        time_limit: live.time_limit,
        before: live.before,
    };
    let asking = Asking {
        next: &mut |before| match failed.borrow().is_some() {
            true => None,
            false => loads.borrow_mut().next(before),
        },
        model: &|load| varied.model_at(load),
        also: &mut || {
            let warmup = Time::ZERO + live.pace.warmup;
            live.recorded.map(|_| Requests::from(warmup))
        },
        judge: &|_, tried| loads.borrow_mut().judged(varied, tried),
        decided: &|model, so_far| loads.borrow().is_decided(model, so_far),
        keep: &mut |trial, tried| match document_of(varied, live, trial.load, tried) {
            Ok(mut tried) => {
                tried.predicted = (live.says)(trial);
                let mut kept = kept.borrow_mut();
                kept.0.push(trial.clone());
                kept.1.push(tried);
            }
            Err(why) => {
                failed.replace(Some(why));
            }
        },
    };
    let progress = RefCell::new(LiveProgress::new(live.quiet));
    let (in_flight, told) = (Cell::new(0), Cell::new(false));
    let interrupted = || {
        let asked = interrupt.asked();
        if asked && !told.replace(true) {
            live_progress::tell(&live_progress::interruption(
                largest.limits.drain,
                in_flight.get(),
            ));
        }
        asked
    };
    let watching = Watching {
        stop: &interrupted,
        begins: &mut |number, load, taken| {
            progress.replace(LiveProgress::new(live.quiet));
            if !live.quiet {
                let line = begins(varied, &loads.borrow(), number, load, taken, live);
                live_progress::tell(&line);
            }
        },
        show: &mut |reached: LoadProgress, recent: &mut Recent| {
            in_flight.set(reached.in_flight);
            progress.borrow_mut().show(reached, recent);
        },
        warn: &live_progress::warn,
    };
    let end = ceiling::run(&largest, &field, asking, watching)?;
    progress.borrow().finish();
    let (trials, tried) = kept.into_inner();
    let end = match failed.into_inner() {
        Some(why) if trials.is_empty() => return Err(why),
        Some(why) => End::Failed(why),
        None => end,
    };
    Ok(Through {
        loads: loads.into_inner(),
        trials,
        tried,
        end,
    })
}

impl Searched {
    /// What trials of a search, or steps, came to.
    pub fn of(through: Through) -> Searched {
        let Through {
            loads,
            trials,
            tried,
            end,
        } = through;
        let [lower, upper] = loads.bounds();
        let found = Found {
            ended: loads.ended(),
            lower,
            upper,
            trials,
            contributions: Vec::new(),
            interrupted: matches!(end, End::Interrupted),
        };
        Searched {
            found,
            tried,
            lost: matches!(end, End::Lost),
            failed: match end {
                End::Failed(why) => Some(why),
                End::Enough | End::Interrupted | End::TimeIsUp | End::Lost => None,
            },
        }
    }
}

impl Loads {
    fn next(&mut self, before: Option<&Judged>) -> Option<Next> {
        match self {
            Loads::Steps { steps, .. } => {
                if let Some(judged) = before {
                    steps.take(judged.clone());
                }
                steps.next_load().map(|load| Next {
                    load,
                    times_longer: 1,
                })
            }
            Loads::Search(search) => search.next(before),
            Loads::Given(given) => given.next().map(|load| Next {
                load,
                times_longer: 1,
            }),
        }
    }

    fn judged<S>(&mut self, varied: &Varying, tried: &OfTrial<S, Option<Path>>) -> Judged {
        match self {
            Loads::Steps { tolerance, .. } => {
                judged_by_figures(&tried.model, &tried.ran, varied, *tolerance)
            }
            Loads::Search(search) => search.judged(tried),
            // Nobody asks whether they could send all of the load: what was sent is told.
            Loads::Given(_) => judged_by_figures(&tried.model, &tried.ran, varied, 1.0),
        }
    }

    fn is_decided(&self, model: &Model<Option<Path>>, so_far: &SoFar<'_>) -> bool {
        match self {
            Loads::Steps { .. } | Loads::Given(_) => false,
            Loads::Search(search) => search.is_decided(model, so_far),
        }
    }

    fn ended(&self) -> Ended {
        match self {
            Loads::Steps { steps, .. } => steps.ended(),
            Loads::Search(search) => search.ended(),
            Loads::Given(_) => Ended::Undecided(Vec::new()),
        }
    }

    fn bounds(&self) -> [Option<f64>; 2] {
        match self {
            Loads::Steps { steps, .. } => [steps.lower(), steps.upper()],
            Loads::Search(search) => search.bounds(),
            Loads::Given(_) => [None, None],
        }
    }

    /// Which loads these are, in words.
    fn what(&self, varied: &Varying) -> String {
        let listed = |loads: &[f64]| {
            let loads = loads.iter().map(|load| varied.unit().shown(*load));
            format!("trials at {}", loads.collect::<Vec<String>>().join(", "))
        };
        match self {
            Loads::Steps { steps, .. } => listed(steps.loads()),
            Loads::Search(search) => search.what(varied.unit()),
            Loads::Given(given) => listed(&given.loads),
        }
    }

    /// How many times as long as usual the longest trial is measured.
    fn longest(&self) -> u32 {
        match self {
            Loads::Steps { .. } | Loads::Given(_) => 1,
            Loads::Search(search) => search.longest(),
        }
    }

    /// How many trials there are at most.
    fn most(&self) -> u64 {
        match self {
            Loads::Steps { steps, .. } => steps.number() as u64,
            Loads::Search(search) => search.most(),
            Loads::Given(given) => given.loads.len() as u64,
        }
    }
}

/// The result document of a trial: of the spec at its load, with the limits and the seed that the trial had.
fn document_of(
    varied: &Varying,
    live: &Live<'_>,
    load: f64,
    mut tried: OfTrial<Option<Requests>, Option<Path>>,
) -> Result<Tried, Failure> {
    check_reasons(&tried.observed)?;
    let requests = tried.observed.also.take();
    let limits = &tried.model.limits;
    let nanos = |span: Span| Duration(span.as_nanos() as f64);
    let horizon = limits.horizon.unwrap_or(limits.warmup);
    let hold = horizon.since(limits.warmup);
    let warmup = limits.warmup.since(Time::ZERO);
    let lengths = [warmup, hold].map(nanos);
    let spec = spec_of_trial(varied, load, lengths, tried.model.seed)?;
    let workload: LiveWorkload = Workload {
        model: tried.model,
        ..varied.workload(&spec)?
    };
    let evidence = tried.ran.evidence;
    let spec = run_text(&workload);
    let disturbed_by = tried.disturbed_by;
    let run = observed::conclude(&workload, live.target, tried.observed, evidence, None);
    if let (Some(recorded), Some(requests)) = (live.recorded, requests) {
        recorded(Recorded {
            load,
            workload,
            run: run.clone(),
            rows: requests.all(),
            disturbed_by: disturbed_by.clone(),
        });
    }
    Ok(Tried {
        run,
        spec,
        predicted: None,
        disturbed_by,
    })
}

/// What is said when a trial begins.
fn begins(
    varied: &Varying,
    loads: &Loads,
    number: u64,
    load: f64,
    taken: Span,
    live: &Live<'_>,
) -> String {
    let unit = varied.unit();
    let bounds = match loads.bounds() {
        [None, None] => String::new(),
        [Some(lower), None] => format!("; {} passed", unit.shown(lower)),
        [None, Some(upper)] => format!("; {} tripped", unit.shown(upper)),
        [Some(lower), Some(upper)] => {
            format!("; bounds {} to {}", unit.shown(lower), unit.shown(upper))
        }
    };
    let left = live.time_limit.map_or(String::new(), |limit| {
        let left = limit.as_nanos().saturating_sub(taken.as_nanos());
        format!("; {} left", seconds(left))
    });
    let most = loads.most();
    let shown = unit.shown(load);
    let of = match loads {
        Loads::Given(_) => "of",
        Loads::Steps { .. } | Loads::Search(_) => "of at most",
    };
    format!("blis: trial {number} {of} {most}: {shown}{bounds}{left}\n")
}

/// What is going to be done, in lines.
pub fn plan(varied: &Varying, loads: &Loads, live: &Live<'_>, drain: Span) -> String {
    let (pace, most) = (live.pace, loads.most());
    let times = loads.longest();
    let hold = Span::from_nanos(pace.hold.as_nanos().saturating_mul(times.into()));
    let longest = Pace { hold, ..pace }.longest(drain) + live.beside;
    let longest = longest.as_nanos().saturating_mul(most);
    let simulated = match live.beside {
        Span::ZERO => String::new(),
        beside => format!("; simulation of it at most {}", seconds(beside.as_nanos())),
    };
    let measured = match times {
        1 => format!("{} window", seconds(pace.hold.as_nanos())),
        _ => format!(
            "{} window, up to {} if undecided",
            seconds(pace.hold.as_nanos()),
            seconds(hold.as_nanos())
        ),
    };
    let limit = live.time_limit.map(Span::as_nanos);
    let longest = limit.map_or(longest, |limit| longest.min(limit));
    format!(
        "  varied      {}\n  loads       {}\n  each trial  {} warm-up, {measured}\n  after each  wait until nothing is \
         in flight and backlogs have recovered, at most {} each; {} pause{simulated}\n  total       at most {}\n",
        varied.name(),
        loads.what(varied),
        seconds(pace.warmup.as_nanos()),
        seconds(drain.as_nanos()),
        seconds(pace.cooldown.as_nanos()),
        seconds(longest)
    )
}

/// A time in whole minutes, seconds or less, as it is long.
fn seconds(nanos: u64) -> String {
    let second = 1_000_000_000;
    let unit = match nanos / second {
        600.. => 60 * second,
        10.. => second,
        _ => second / 1000,
    };
    let rounded = nanos / unit * unit;
    Span::from_nanos(rounded).to_string()
}
