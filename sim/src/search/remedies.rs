//! Changes that may raise a ceiling, with their gains: each is searched for its own ceiling, on the sample paths of the search
//! of the unchanged model.
//!
//! The gain is that of the ceilings, its interval Student's over the differences of the contributions of each path
//! ([`Estimate::contributions`](crate::search::Estimate)), so that chance that affects both is not in it.

use std::collections::BTreeMap;

use crate::analysis::{Binds, Constraint, constraints};
use crate::model::Model;
use crate::search::eyes::Eyes;
use crate::search::simulated::{Failed, Plan, Reached, search};
use crate::search::{Ended, Found};
use crate::statistics::Interval;

/// Something that could be changed.
pub struct Candidate<'a, E> {
    /// What, in words.
    pub what: String,
    /// The keys of the spec that make it, with their values.
    pub keys: BTreeMap<String, String>,
    /// Whether the user asked for it.
    pub asked: bool,
    /// The changed model at a load.
    pub model_at: Box<dyn Fn(f64) -> Result<Model, E> + Sync + 'a>,
}

/// What a change brings, as simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// What is changed, in words.
    pub what: String,
    /// The keys of the spec that make it, with their values.
    pub keys: BTreeMap<String, String>,
    /// Whether the user asked for it.
    pub asked: bool,
    /// The result of it; `None` where there was no time to simulate it, or no ceiling was found.
    pub measured: Option<Measured>,
}

/// A measured change.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The new ceiling.
    pub ceiling: f64,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// The share by which it is above the old one.
    pub gain: f64,
    /// The 95 % interval of that.
    pub gain_interval: Option<[f64; 2]>,
    /// What limits next, as far as the model says.
    pub next: Option<String>,
}

impl Measured {
    /// Whether it brings anything: more than chance explains.
    pub fn brings(&self) -> bool {
        match self.gain_interval {
            Some([low, _]) => low > 0.0,
            None => false,
        }
    }
}

/// Simulates candidates one after another, until time is up; those that were not come last, unmeasured. The largest gain
/// first. `base` is what was found of the model as it is.
///
/// # Errors
/// Whatever keeps a trial from running.
pub fn remedies<E>(
    candidates: Vec<Candidate<'_, E>>,
    base: &Found,
    plan: Plan,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(&str, Reached),
) -> Result<Vec<Remedy>, Failed<E>> {
    let Ended::Ceiling(ceiling) = &base.ended else {
        return Ok(Vec::new());
    };
    let mut all = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let mut measured = None;
        if !(eyes.watch.stop)() && !(eyes.time_is_up)() {
            let mut plan = plan;
            plan.wanted.start = ceiling.load;
            let found = search(&candidate.model_at, plan, eyes, &mut |reached| {
                see(&candidate.what, reached);
            })?;
            measured = gain(base, ceiling.load, &found, plan);
            if let (Some(measured), Ended::Ceiling(ceiling)) = (&mut measured, &found.ended) {
                let model = (candidate.model_at)(ceiling.load).map_err(Failed::Model)?;
                measured.next = next(&model);
            }
        }
        all.push(Remedy {
            what: candidate.what,
            keys: candidate.keys,
            asked: candidate.asked,
            measured,
        });
    }
    all.sort_by(|one, other| {
        let gain = |remedy: &Remedy| {
            remedy
                .measured
                .as_ref()
                .map_or(f64::NEG_INFINITY, |m| m.gain)
        };
        gain(other).total_cmp(&gain(one))
    });
    Ok(all)
}

/// By how much a ceiling is above the old one.
fn gain(base: &Found, load: f64, found: &Found, plan: Plan) -> Option<Measured> {
    let Ended::Ceiling(ceiling) = &found.ended else {
        return None;
    };
    let harder = |position: f64| libm::expm1(position);
    let pairs = base.contributions.iter().zip(&found.contributions);
    let differences: Vec<f64> = pairs.map(|(old, new)| new - old).collect();
    let interval = Interval::of_mean(&differences).map(Interval::ends);
    let positions = [ceiling.load, load].map(|load| plan.axis.position(load));
    Some(Measured {
        ceiling: ceiling.load,
        interval: ceiling.interval,
        gain: harder(positions[0] - positions[1]),
        gain_interval: interval.map(|ends| ends.map(harder)),
        next: None,
    })
}

/// What limits a model at its load, in words.
fn next(model: &Model) -> Option<String> {
    let constraints = constraints(model);
    let busiest = constraints
        .all
        .iter()
        .filter(|one| one.is_of_all())
        .max_by(|one, other| one.load().total_cmp(&other.load()))?;
    Some(words(model, busiest))
}

fn words(model: &Model, constraint: &Constraint) -> String {
    let share = 100.0 * constraint.load().min(1.0);
    let service = |at: usize| &model.services[at].name;
    match constraint.binds {
        Binds::Workers(id) => format!("service {} {share:.1} % busy", service(id.index())),
        Binds::Admitted(id) => {
            format!(
                "admission to service {}, {share:.1} % used",
                service(id.index())
            )
        }
        Binds::Tokens(id) => format!(
            "the token bucket of service {}, {share:.1} % used",
            service(id.index())
        ),
        Binds::AckPending(id) => format!(
            "max_ack_pending of consumer {}, {share:.1} % used",
            model.consumer_name(id)
        ),
        Binds::Asked(id) => format!(
            "the prefetch of consumer {}, {share:.1} % used",
            model.consumer_name(id)
        ),
        Binds::InFlight(_) => format!("the limit of requests in flight, {share:.1} % used"),
    }
}
