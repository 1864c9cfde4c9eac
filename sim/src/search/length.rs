//! How long a simulated trial is: long enough to forget its start and to see what its objectives are about.
//!
//! The measure is how long the model remembers ([`crate::analysis::Memory`]). The relaxation time of a line, after which
//! its start is forgotten by a factor e, is four times that in heavy traffic (Brownian motion with the drift and the
//! variance of the line; Abate and Whitt 1987), so that ten of them are forty memories. Near saturation a trial from
//! empty would flatter.

use crate::analysis::{Longest, constraints, memory_of};
use crate::model::{Arrival, Model, Slo, Source};
use crate::search::Trial;
use crate::time::{Span, Time};

/// Memories in ten relaxation times.
const WARM_UP: f64 = 40.0;
/// Memories that a path of the main stage is measured for.
const MEASURED: f64 = 120.0;
/// The same of the pilot, which only has to find about where to look.
const PILOT: [f64; 2] = [10.0, 30.0];
/// Samples that are to lie beyond each limit along a path.
const BEYOND: f64 = 20.0;
/// A share beyond which there is always enough to see.
const LARGE_SHARE: f64 = 0.05;
/// Stands for an objective that lets nothing lie beyond its limit.
const NO_SHARE: f64 = 1e-3;
/// The most requests of a path, and those of a path of the pilot.
const MOST: [f64; 2] = [1e6, 2e5];
/// Lengths of which one is this many times the other are not alike.
const UNLIKE: f64 = 2.5;
/// Requests of a path of a model of which no memory is known.
const UNKNOWN: f64 = 20_000.0;
/// Requests of a path where nothing is judged but how backlogs grow, which is seen at loads that are more than is carried:
/// those before the window, and those of it.
const GROWING: [f64; 2] = [1_000.0, 40_000.0];

/// What is given of the length of trials.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Given {
    /// How long a trial is measured.
    pub hold: Option<Span>,
    /// How long at most.
    pub longest: Option<Span>,
    /// How long it is not measured before.
    pub warmup: Option<Span>,
}

/// The length of a trial, in seconds of simulated time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Before the window.
    pub warmup: f64,
    /// The window.
    pub measured: f64,
}

impl Length {
    /// That of paths of the main stage, at about the load at which they are run.
    pub fn of_main(model: &Model, given: Given) -> Length {
        let seen = Seen::of(model);
        if smallest_share(model).is_none() {
            let [warmup, measured] = GROWING.map(|requests| requests / seen.rate);
            return Length { warmup, measured }.given(model, given);
        }
        let memory = seen.memory.unwrap_or(UNKNOWN / MEASURED / seen.rate);
        let least = seen.needed / seen.rate;
        Length {
            warmup: WARM_UP * memory,
            measured: (MEASURED * memory).max(least).min(MOST[0] / seen.rate),
        }
        .given(model, given)
    }

    /// That of each path of a trial that has run.
    pub fn of_trial(trial: &Trial) -> Length {
        let measure = &trial.ran.measure;
        Length {
            warmup: measure.warmup().since(Time::ZERO).as_secs_f64(),
            measured: measure.measured().as_secs_f64() / trial.paths.max(1) as f64,
        }
    }

    /// That of paths of the pilot.
    pub fn of_pilot(model: &Model, given: Given) -> Length {
        let seen = Seen::of(model);
        let memory = seen.memory.unwrap_or(UNKNOWN / PILOT[1] / seen.rate);
        let least = seen.needed / seen.rate;
        let most = MOST[1] / seen.rate;
        Length {
            warmup: (PILOT[0] * memory).min(most / 4.0),
            measured: (PILOT[1] * memory).max(least).min(most),
        }
        .given(model, given)
    }

    /// With what is given in its place, and that of the spec where the load follows a schedule.
    fn given(self, model: &Model, given: Given) -> Length {
        let spec = model.limits.warmup.as_secs_f64();
        let schedule = schedule(model);
        let own = |length: f64| schedule.map_or(length, |end| (end - spec).max(length.min(end)));
        let warmup = match (given.warmup, schedule) {
            (Some(warmup), _) => warmup.as_secs_f64(),
            (None, Some(_)) => spec,
            (None, None) => self.warmup.max(spec).max(warming(model)),
        };
        let hold = given.hold.map(Span::as_secs_f64);
        let measured = hold.unwrap_or(own(self.measured));
        let longest = given.longest.map_or(f64::INFINITY, Span::as_secs_f64);
        Length {
            warmup,
            measured: measured.min(longest),
        }
    }

    /// The same for this many times the load, where all that happens follows the load: as many requests.
    pub fn for_load(self, factor: f64) -> Length {
        Length {
            warmup: self.warmup / factor,
            measured: self.measured / factor,
        }
    }

    /// Whether another length is so different that paths of one say little of what paths of the other would.
    pub fn is_unlike(self, other: Length) -> bool {
        let [one, other] = [self, other].map(|length| length.warmup + length.measured);
        one > UNLIKE * other || other > UNLIKE * one
    }

    /// Bounds a run of a model by it.
    pub fn bound(self, model: &mut Model) {
        let time = |seconds: f64| Time::ZERO + Span::from_nanos_f64(seconds * 1e9);
        model.limits.requests = None;
        model.limits.find_warmup = false;
        model.limits.warmup = time(self.warmup);
        model.limits.horizon = Some(time(self.warmup + self.measured));
    }
}

/// What a length is made from.
struct Seen {
    /// Seconds that the model remembers; `None` where its lines grow, or nothing is known.
    memory: Option<f64>,
    /// Requests per second.
    rate: f64,
    /// Requests that it takes to see what the objectives are about.
    needed: f64,
}

impl Seen {
    fn of(model: &Model) -> Seen {
        let limits = constraints(model);
        let memory = match memory_of(model).of_all() {
            Longest::Seconds(seconds, _) if seconds > 0.0 => Some(seconds),
            Longest::Seconds(..) | Longest::Grows(..) => None,
        };
        let clients = limits.offered.clients.iter();
        let offered: f64 = clients.map(|client| client.requests_per_second).sum();
        let carried = limits.binding().map(|one| one.capacity());
        let rate = offered.min(carried.unwrap_or(f64::INFINITY));
        Seen {
            memory,
            rate: if rate.is_finite() && rate > 0.0 {
                rate
            } else {
                1e3
            },
            needed: BEYOND
                / smallest_share(model)
                    .unwrap_or(LARGE_SHARE)
                    .min(LARGE_SHARE),
        }
    }
}

/// The smallest share above 0 that an objective lets lie beyond its limit; `None` where none is about a share.
fn smallest_share(model: &Model) -> Option<f64> {
    let slos = model.actions.iter().map(|action| &action.slo);
    let shares = slos.flat_map(|slo| {
        let deliveries = slo.deliveries.iter().flat_map(|limits| {
            let all = limits.first.iter().chain(&limits.each).chain(&limits.last);
            let missing = limits.missing;
            all.map(|limit| 1.0 - limit.quantile).chain(missing)
        });
        let of = |slo: &Slo| -> Vec<f64> {
            let quantiles = slo.quantiles.iter().map(|limit| 1.0 - limit.quantile);
            quantiles.chain(slo.errors).collect()
        };
        let overall = slo.overall.as_deref().map_or_else(Vec::new, of);
        let own = of(slo).into_iter().chain(overall);
        own.chain(deliveries).collect::<Vec<_>>()
    });
    let positive = shares.map(|share| if share > 0.0 { share } else { NO_SHARE });
    positive.min_by(f64::total_cmp)
}

/// How long services take to be warm.
fn warming(model: &Model) -> f64 {
    let services = model.services.iter();
    let lasts = services.filter_map(|service| Some(service.cold_start?.lasts.as_secs_f64()));
    lasts.fold(0.0, f64::max)
}

/// When the schedule of a model ends, in seconds, where things happen at instants of their own: such a trial has the horizon
/// of the spec.
fn schedule(model: &Model) -> Option<f64> {
    let recorded = model
        .clients
        .iter()
        .filter_map(|client| match &client.source {
            Source::Open { arrival, shape, .. } => match arrival {
                Arrival::Recorded(recording) => Some(recording.end()),
                Arrival::Burst { at, .. } => Some(*at),
                _ if shape.is_some() => Some(Time::ZERO),
                _ => None,
            },
            Source::Closed { .. } => None,
        });
    let services = model.services.iter().flat_map(|service| {
        let outages = service.outages.iter().map(|one| one.to);
        let slower = service.slow_downs.iter().map(|one| one.to);
        let errors = service.error_bursts.iter().map(|one| one.to);
        outages.chain(slower).chain(errors)
    });
    let last = recorded.chain(services).max()?;
    let horizon = model.limits.horizon.unwrap_or(last);
    Some(horizon.as_secs_f64())
}
