//! From measurements to the result document.

use std::collections::BTreeMap;

use super::blocks::{
    ActionResult, ClientResult, Interval, OverallResult, PrecisionResult, Replication,
    Replications, RequestCounts, Run, ServiceInterval, ServiceResult, SessionCounts, SignalResult,
    VerdictResult, Window,
};
use super::identity::SpecIdentity;
use super::interval_maker::{self, Source};
use super::latency::{block, latency};
use super::live::Live;
use super::manifest::Record;
use super::overload::falling_behind;
use super::rates::{mean_over, per_second, utilisation};
use super::theory::{NO_BACKEND, no_theory, theory};
use super::{
    INTERRUPTED, LIVE, REPLAYED, SCHEMA, SIMULATED, constraints, deliveries, intervals, messages,
    observed_streams,
};
use crate::analysis::Analysis;
use crate::engine::LoadEnd;
use crate::event::{Outcome, SessionEnd};
use crate::measure::{Measure, Of, Overall, Requests, SeriesRow, Sessions, StationMeter};
use crate::model::{ActionId, ClientId, Model, Service};
use crate::replication::Replicated;
use crate::spec::Setting;
use crate::time::Span;
use crate::verdict::{
    Evidence, Limit, LiveEvidence, Measured, Parts, Signal, Standing, evidence, judge,
    parts_of_replications, parts_of_run, sentence,
};

/// Where a result came from, as far as the measurements do not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// SHA-256 of the spec's text.
    pub sha256: String,
    /// SHA-256 of the resolved spec's text.
    pub resolved_sha256: String,
    /// SHA-256 of each file that the resolved spec refers to, by its path there.
    pub files: BTreeMap<String, String>,
    /// The values that decided the run, by key.
    pub configuration: BTreeMap<String, Setting>,
    /// What ended the load.
    pub ended_by: LoadEnd,
    /// What is on disk of it, request by request.
    pub record: Option<Record>,
    /// Parts of a result that were not measured, besides those that its world does not measure.
    pub not_measured: Vec<String>,
    /// The world that it ran in, and what is known in that one alone.
    pub mode: Mode,
}

/// The world of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// The simulated one: the backend is measured from within.
    Simulated {
        /// Events simulated.
        events: u64,
        /// The simulated time at the end, the drain included.
        simulated: Span,
    },
    /// The simulated one, with requests as they were recorded.
    Replayed {
        /// Events simulated.
        events: u64,
        /// The simulated time at the end, the drain included.
        simulated: Span,
    },
    /// The simulated one, as the record of a run has it that did not come to write its result: the backend is not in it.
    Recorded {
        /// The simulated time at the end, as far as the record knows it.
        simulated: Span,
    },
    /// A real cluster, whose inside is not measured.
    Live {
        /// What was seen there.
        live: Box<Live>,
        /// What a verdict needs to know of it.
        evidence: LiveEvidence,
    },
}

impl Mode {
    fn is_simulated(&self) -> bool {
        matches!(self, Mode::Simulated { .. } | Mode::Replayed { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            Mode::Simulated { .. } | Mode::Recorded { .. } => SIMULATED,
            Mode::Replayed { .. } => REPLAYED,
            Mode::Live { .. } => LIVE,
        }
    }
}

/// The document of a run. `backend` is what can be said of the same model where it knows what the backend does: what is derived
/// from that is absent without it.
pub fn build<P>(
    model: &Model<P>,
    backend: Option<&Analysis<'_>>,
    measure: &Measure,
    provenance: Provenance,
) -> Run {
    let parts = parts_of_run(measure);
    built(model, backend, (measure, &parts), provenance)
}

/// The same of what was measured in these parts.
fn built<P>(
    model: &Model<P>,
    backend: Option<&Analysis<'_>>,
    (measure, parts): (&Measure, &[Parts]),
    provenance: Provenance,
) -> Run {
    let total = measure.total();
    let measured = measure.measured();
    let mut sessions = Sessions::default();
    measure
        .sessions()
        .iter()
        .for_each(|of_client| sessions.add(of_client));
    let interrupted = provenance.ended_by == LoadEnd::Interrupted;
    let limits = backend.map(|backend| constraints::measured(backend, measure));
    let mut run = Run {
        schema: SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: provenance.mode.name().to_owned(),
        spec: SpecIdentity {
            name: model.name.clone(),
            sha256: provenance.sha256,
            resolved_sha256: provenance.resolved_sha256,
            files: provenance.files,
            fitted: model.fitted.clone(),
        },
        seed: model.seed,
        configuration: provenance.configuration,
        ended_by: end_name(provenance.ended_by).to_owned(),
        window: Window {
            warmup_s: measure.warmup().as_secs_f64(),
            measured_s: measured.as_secs_f64(),
            requests: request_counts(&total.window.requests),
            found_by: None,
        },
        requests: request_counts(&total.requests()),
        retries: measure.retries(),
        late_replies: measure.late_replies(),
        duplicate_replies: measure.duplicate_replies(),
        sessions: session_counts(&sessions),
        offered_rps: per_second(total.window.requests.intended, measured),
        falling_behind_rps: falling_behind(
            measure,
            backend
                .map(|backend| &backend.constraints)
                .zip(limits.as_ref()),
        ),
        throughput_rps: per_second(total.completed, measured),
        throughput_rps_ci95: None,
        latency_ms: latency(&total.window.latencies),
        intervals: interval_maker::none(),
        replications: None,
        actions: actions(model, measure),
        clients: clients(model, measure),
        services: BTreeMap::new(),
        streams: BTreeMap::new(),
        fan_outs: BTreeMap::new(),
        deliveries: deliveries::deliveries(model, measure),
        theory: no_theory("the run is live"),
        series: series(model, measure, provenance.mode.is_simulated()),
        verdict: None,
        events: None,
        simulated_s: None,
        bottleneck: None,
        constraints: Vec::new(),
        live: None,
        record: provenance.record,
        not_measured: provenance.not_measured,
    };
    let seen = match provenance.mode {
        Mode::Simulated { events, simulated } | Mode::Replayed { events, simulated } => {
            (run.events, run.simulated_s) = (Some(events), Some(simulated.as_secs_f64()));
            run.services = services(model, measure);
            run.streams = messages::streams(model, measure);
            run.fan_outs = messages::fan_outs(model, measure);
            run.theory = match backend {
                _ if run.mode == REPLAYED => no_theory(AS_RECORDED),
                Some(backend) => theory(backend, total.requests().ended(Outcome::TimedOut)),
                None => no_theory(NO_BACKEND),
            };
            if let Some(limits) = limits {
                (run.bottleneck, run.constraints) = (limits.bottleneck, limits.all);
            }
            LiveEvidence::default()
        }
        Mode::Recorded { simulated } => {
            run.simulated_s = Some(simulated.as_secs_f64());
            run.not_measured
                .extend(of_the_backend(model).map(str::to_owned));
            run.theory = no_theory("the record has no data of the backend");
            LiveEvidence {
                backlogs: Some(Vec::new()),
                ..LiveEvidence::default()
            }
        }
        Mode::Live { live, evidence } => {
            let window = observed_streams::Bounds {
                warmup: run.window.warmup_s,
                end: run.window.warmup_s + run.window.measured_s,
            };
            let observers = live.observers.as_ref();
            let seen = observed_streams::streams(model, observers, window);
            run.streams = seen.streams;
            let unseen = of_the_backend(model).filter(|part| *part != STREAMS);
            run.not_measured.extend(unseen.map(str::to_owned));
            run.not_measured.extend(seen.not_measured);
            run.live = Some(*live);
            evidence
        }
    };
    let evidence = evidence(model, measure, interrupted, &seen);
    run.verdict = evidence.map(|evidence| verdict(&evidence.in_parts(parts)));
    intervals::add(&mut run, model, backend, &Source::Batches(measure));
    if run.live.is_some() {
        let backend = "a live backend may have a longer memory than the model";
        let caution = &mut run.intervals.caution;
        caution.get_or_insert_with(|| backend.to_owned());
    }
    run
}

/// Why there is no closed form of a replay.
const AS_RECORDED: &str = "the arrivals are recorded";
/// The part of a document on streams.
const STREAMS: &str = "streams";

/// The parts of a document that tell of the backend from within.
fn of_the_backend<P>(model: &Model<P>) -> impl Iterator<Item = &'static str> {
    let parts = [
        ("services", model.services.is_empty()),
        (STREAMS, model.streams.is_empty()),
        ("fan_outs", model.fan_outs.is_empty()),
    ];
    let there = parts.into_iter().filter(|(_, empty)| !empty);
    there.map(|(part, _)| part)
}

/// The document of a trial along several sample paths, of which only the sums are kept: without intervals.
pub fn build_of_paths(analysis: &Analysis<'_>, measure: &Measure, provenance: Provenance) -> Run {
    let mut run = built(analysis.model, Some(analysis), (measure, &[]), provenance);
    let paths = Source::Replications(measure, &[]);
    intervals::add(&mut run, analysis.model, Some(analysis), &paths);
    run
}

/// The document of several replications, of which `provenance` says the sums.
pub fn build_replicated(
    analysis: &Analysis<'_>,
    replicated: &Replicated,
    provenance: Provenance,
) -> Run {
    let measure = &replicated.together.measure;
    let parts = parts_of(replicated);
    let mut run = built(
        analysis.model,
        Some(analysis),
        (measure, &parts),
        provenance,
    );
    intervals::add(
        &mut run,
        analysis.model,
        Some(analysis),
        &Source::Replications(measure, &replicated.each),
    );
    run.replications = Some(replications(replicated));
    run
}

/// The batches of all replications.
pub(super) fn parts_of(replicated: &Replicated) -> Vec<Parts> {
    let each = replicated.each.iter();
    parts_of_replications(each.map(|one| one.objectives.as_slice()))
}

fn replications(replicated: &Replicated) -> Replications {
    let all = replicated.together.measure.positions(Of::Total);
    let ratio = |(upper, lower): (f64, f64)| (lower > 0.0).then(|| upper / lower);
    Replications {
        count: replicated.each.len() as u64,
        precision: replicated.precision.map(|precision| PrecisionResult {
            target: precision.target,
            achieved: precision.achieved.is_finite().then_some(precision.achieved),
            reached: precision.is_reached(),
        }),
        each: replicated
            .each
            .iter()
            .map(|one| Replication {
                seed: one.seed,
                throughput_rps: ratio(one.sums.throughput(&all)),
                response_mean_ms: ratio(one.sums.response(&all)),
            })
            .collect(),
    }
}

pub(super) fn end_name(end: LoadEnd) -> &'static str {
    match end {
        LoadEnd::Horizon => "horizon",
        LoadEnd::Budget => "budget",
        LoadEnd::Idle => "idle",
        LoadEnd::Interrupted => INTERRUPTED,
        LoadEnd::Decided => "decided",
    }
}

fn request_counts(requests: &Requests) -> RequestCounts {
    RequestCounts {
        intended: requests.intended,
        ok: requests.ended(Outcome::Ok),
        app_error: requests.ended(Outcome::AppError),
        rejected: requests.ended(Outcome::Rejected),
        timed_out: requests.ended(Outcome::TimedOut),
        transport_error: requests.ended(Outcome::TransportError),
        dropped: requests.ended(Outcome::Dropped),
        unresolved: requests.ended(Outcome::Unresolved),
    }
}

fn session_counts(sessions: &Sessions) -> SessionCounts {
    SessionCounts {
        started: sessions.started,
        completed: sessions.ended(SessionEnd::Completed),
        cancelled: sessions.ended(SessionEnd::Cancelled),
        horizon_interrupted: sessions.ended(SessionEnd::HorizonInterrupted),
        budget_exhausted: sessions.ended(SessionEnd::BudgetExhausted),
    }
}

fn actions<P>(model: &Model<P>, measure: &Measure) -> BTreeMap<String, ActionResult> {
    let entry = |(action, id): (&crate::model::Action<P>, u16)| {
        let cell = measure.action(ActionId(id));
        let result = ActionResult {
            requests: request_counts(&cell.requests()),
            window_requests: request_counts(&cell.window.requests),
            throughput_rps: per_second(cell.completed, measure.measured()),
            throughput_rps_ci95: None,
            latency_ms: latency(&cell.window.latencies),
            overall: measure.overall(ActionId(id)).as_ref().map(overall),
        };
        (action.name.clone(), result)
    };
    model.actions.iter().zip(0u16..).map(entry).collect()
}

fn overall(overall: &Overall) -> OverallResult {
    let window = &overall.cell.window;
    let ended = window.requests.ended_total();
    OverallResult {
        requests: request_counts(&overall.cell.requests()),
        window_requests: request_counts(&window.requests),
        tries_mean: (ended > 0).then(|| overall.tries as f64 / ended as f64),
        response_ms: block(window.latencies.response(), window.latencies.censored()),
    }
}

fn clients<P>(model: &Model<P>, measure: &Measure) -> BTreeMap<String, ClientResult> {
    let entry = |(client, id): (&crate::model::Client, u16)| {
        let cell = measure.client(ClientId(id));
        let result = ClientResult {
            requests: request_counts(&cell.requests()),
            window_requests: request_counts(&cell.window.requests),
            sessions: session_counts(&measure.sessions()[usize::from(id)]),
            throughput_rps: per_second(cell.completed, measure.measured()),
            throughput_rps_ci95: None,
            latency_ms: latency(&cell.window.latencies),
        };
        (client.name.clone(), result)
    };
    model.clients.iter().zip(0u16..).map(entry).collect()
}

fn services<P>(model: &Model<P>, measure: &Measure) -> BTreeMap<String, ServiceResult> {
    let measured = measure.measured();
    let entry = |(service, meter): (&Service, &StationMeter)| {
        let visits = meter.window_visits();
        let areas = meter.window_areas();
        let result = ServiceResult {
            workers: service.servers(),
            visits: visits.arrived(),
            rejected: visits.rejected,
            errors: visits.errors,
            left: visits.left,
            abandoned: visits.abandoned,
            utilisation: utilisation(service, areas, measured),
            utilisation_ci95: None,
            mean_queue: mean_over(areas.waiting, measured),
            mean_queue_ci95: None,
            max_queue: (measured > Span::ZERO).then(|| meter.max_waiting()),
            wait_ms: block(&meter.waits(), meter.censored_waits()),
        };
        (service.name.clone(), result)
    };
    model
        .services
        .iter()
        .zip(measure.stations())
        .map(entry)
        .collect()
}

/// The series, with what services and streams did where they were simulated.
fn series<P>(model: &Model<P>, measure: &Measure, simulated: bool) -> Vec<Interval> {
    let mut in_flight = 0;
    let interval = |(number, row): (usize, &SeriesRow)| {
        let (start, end) = measure.series().bounds(number);
        let width = end.since(start);
        in_flight += row.requests.intended;
        in_flight -= row.requests.ended_total();
        let services = model
            .services
            .iter()
            .zip(&row.stations)
            .map(|(service, areas)| {
                let figures = ServiceInterval {
                    utilisation: utilisation(service, *areas, width).unwrap_or(0.0),
                    mean_queue: mean_over(areas.waiting, width).unwrap_or(0.0),
                };
                (service.name.clone(), figures)
            });
        Interval {
            start_s: start.as_secs_f64(),
            width_s: width.as_secs_f64(),
            requests: request_counts(&row.requests),
            in_flight,
            response_mean_ms: row.mean_nanos().map(|nanos| nanos / 1e6),
            response_p50_ms: row.quantile(0.5).map(Span::as_millis_f64),
            response_p99_ms: row.quantile(0.99).map(Span::as_millis_f64),
            services: services.filter(|_| simulated).collect(),
            streams: match simulated {
                true => messages::intervals(model, row),
                false => BTreeMap::new(),
            },
        }
    };
    let rows = measure.series().rows().iter().enumerate();
    rows.map(interval).collect()
}

pub(super) fn verdict(evidence: &Evidence) -> VerdictResult {
    let verdict = judge(evidence);
    let signals = evidence.signals.iter();
    let signals = signals.map(|signal| signal_result(signal, evidence.generator_lagged));
    VerdictResult {
        status: verdict.status,
        reasons: verdict.reasons,
        more_needed: verdict.more_needed,
        signals: signals.collect(),
    }
}

fn signal_result(signal: &Signal, generator_lagged: bool) -> SignalResult {
    let (limit, measured, samples) = figures(signal);
    let standing = signal.standing(generator_lagged);
    let counted = signal.counted();
    let is_open = !matches!(standing, Standing::Within | Standing::Over);
    SignalResult {
        of: signal.of.clone(),
        name: signal.name(),
        standing,
        limit,
        measured,
        samples,
        needed: signal.needed(),
        failed: counted.and_then(|counted| counted.failed),
        slow: counted.and_then(|counted| counted.slow),
        allowed: counted.map(|counted| counted.allowed),
        share_over: counted.and_then(|counted| counted.share_over()),
        share_over_ci95: counted.and_then(|counted| counted.share_bounds()),
        more_needed: signal.more_needed().filter(|_| is_open),
        summary: sentence(signal, standing),
    }
}

fn figures(signal: &Signal) -> (f64, Option<f64>, u64) {
    let limit = match signal.limit {
        Limit::Quantile { limit, .. } => limit.as_millis_f64(),
        Limit::Errors { share } | Limit::Missing { share } => share,
        Limit::BacklogGrowth { per_second } => per_second,
        Limit::NoGrowth => 0.0,
    };
    let (measured, samples) = match signal.measured {
        Measured::Missing | Measured::Vanished => (None, 0),
        Measured::Quantile(requests) => {
            let samples = signal.counted().map_or(0, |counted| counted.samples);
            (requests.response.map(Span::as_millis_f64), samples)
        }
        Measured::Errors { samples, failed } => (Some(failed as f64 / samples as f64), samples),
        Measured::BacklogGrowth {
            per_second,
            arrivals,
            ..
        } => match signal.limit {
            Limit::NoGrowth => (Some(per_second), arrivals.unwrap_or(0)),
            _ => (Some(per_second), 0),
        },
    };
    (limit, measured, samples)
}
