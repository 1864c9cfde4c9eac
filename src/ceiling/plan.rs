//! What a search will do: the loads, and how long it takes at most.

use std::time::Duration as Wall;

use blis_live::trials::Pace;
use blis_sim::search::AfterTrip;
use blis_sim::spec::Spec;
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::Duration;
use blis_sim::time::Span;

use super::steps::Ramp;
use super::unit::{self, Unit};
use super::varied::Varied;
use crate::cli::TrialArgs;
use crate::exit::Failure;

/// The warm-up of trials where neither the spec nor a flag gives one.
const WARMUP: Duration = Duration(10e9);
/// The window of a step.
const HOLD: Duration = Duration(30e9);
/// The pause after a live trial.
const COOLDOWN: Duration = Duration(5e9);

/// What a search will do.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Try given loads.
    Steps(Ramp),
}

/// The plan that the flags ask for.
///
/// # Errors
/// [`Failure::Usage`] where they contradict one another, or a load is none.
pub fn plan<P: PartialEq>(
    args: &TrialArgs,
    varied: &Varied<P>,
    is_live: bool,
) -> Result<Plan, Failure> {
    if args.cooldown.is_some() && !is_live {
        return Err(Failure::Usage(
            "--cooldown is a pause after a live trial, and simulated ones need none: give --url too, or leave it out"
                .to_owned(),
        ));
    }
    for (flag, given) in [
        ("--hold", args.hold),
        ("--longest-trial", args.longest_trial),
    ] {
        if given.is_some_and(|time| span(time) == Span::ZERO) {
            return Err(Failure::Usage(format!(
                "{flag} of zero measures nothing; give a time such as 30s"
            )));
        }
    }
    let Some(steps) = &args.steps else {
        return Err(Failure::Usage(
            "a search without --steps is not built yet; give loads, such as --steps 500,1k,2k"
                .to_owned(),
        ));
    };
    let ramp = Ramp {
        loads: unit::ascending("--steps", steps, varied.unit())?,
        // Whether more of a key helps is seen at the ends of its steps.
        after_trip: match args.no_stop_on_trip || varied.is_key() {
            true => AfterTrip::GoOn,
            false => AfterTrip::Stop,
        },
        tolerance: args.rate_tolerance,
        pace: Pace {
            warmup: span(args.warmup.unwrap_or_else(|| warmup(varied.spec()))),
            hold: span(args.hold.unwrap_or(HOLD)),
            cooldown: match is_live {
                true => span(args.cooldown.unwrap_or(COOLDOWN)),
                false => Span::ZERO,
            },
        },
    };
    Ok(Plan::Steps(ramp))
}

/// The warm-up of a spec, where it is a time.
fn warmup(spec: &Spec) -> Duration {
    let run = spec.run.as_ref();
    match run.and_then(|run| run.value.warmup.as_ref()) {
        Some(warmup) => match warmup.value {
            Warmup::At(time) => time,
            Warmup::Auto => WARMUP,
        },
        None => WARMUP,
    }
}

fn span(time: Duration) -> Span {
    Span::from_nanos_f64(time.0)
}

/// How long a search may take, as a clock on a wall counts.
pub fn wall(limit: Option<Duration>) -> Option<Wall> {
    limit.map(|limit| Wall::from_nanos(span(limit).as_nanos()))
}

impl Plan {
    /// The loads that are known beforehand.
    pub fn loads(&self) -> &[f64] {
        match self {
            Plan::Steps(ramp) => &ramp.loads,
        }
    }

    /// The largest of them.
    pub fn largest(&self) -> Option<f64> {
        self.loads().iter().copied().reduce(f64::max)
    }

    /// How long the parts of a trial take.
    pub fn pace(&self) -> Pace {
        match self {
            Plan::Steps(ramp) => ramp.pace,
        }
    }

    /// What it does, in lines of a thing and what there is to say of it.
    pub fn lines(&self, varied: &str, unit: Unit, drain: Option<Span>) -> Vec<(String, String)> {
        let pace = self.pace();
        let loads: Vec<String> = self.loads().iter().map(|load| unit.shown(*load)).collect();
        let each = format!("{} of warm-up, {} measured", pace.warmup, pace.hold);
        let mut lines = vec![
            ("varied".to_owned(), varied.to_owned()),
            ("loads".to_owned(), loads.join(", ")),
            ("each trial".to_owned(), each),
        ];
        if let Some(drain) = drain {
            let number = self.loads().len() as u64;
            let each = pace.longest(drain).as_nanos();
            let all = Span::from_nanos(each.saturating_mul(number));
            lines.push((
                "at most".to_owned(),
                format!(
                    "{number} trials, {all}, where every drain takes as long as it may ({drain})"
                ),
            ));
        }
        lines
    }
}
