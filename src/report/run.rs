//! The report of `blis run`.

use std::collections::BTreeMap;

use blis_sim::result::{
    IntervalMethod, LatencyBlock, PrecisionResult, RequestCounts, Run, SessionCounts, Window,
};

use super::absence::sentence;
use super::breakdown::{breakdown, overall, services};
use super::course::course;
use super::ends::ends;
use super::number::{
    count, millis, millis_off, nonzero, or_not_measured, percent, runs_in_words, significant,
    significant_within,
};
use super::parts::{Block, Fact, GAP, Key, Mood, Place, Report, Section};
use super::theory::theory;
use super::verdict::{status_name, verdict};
use super::{deliveries, figures, limits, live, messages, observers, provenance};

/// The report of a run of a spec from this file, or of the embedded one: the answer first, then what it is of and what it
/// is made of.
pub fn run(file: Option<&str>, run: &Run) -> Report {
    let mut report = Report {
        title: run.spec.name.clone(),
        sections: vec![
            overload(run),
            answer(run),
            bounds(file, run),
            header(run),
            plots(run),
            Section::plots(figures::course(run)).headed("Over time"),
            intervals(run),
            outcomes(run),
            breakdown(run),
            overall(run),
            services(run),
            messages(run),
            live::configuration(run),
            live::live(run),
            deliveries::deliveries(run),
            course(run),
            observers::observers(run),
            limit(run),
            fitted(run),
            theory(run),
            live::generator(run),
        ],
    };
    report.sections.extend(provenance::of_run(run));
    report
}

/// The fit that the model comes from.
fn fitted(run: &Run) -> Section {
    let Some(fitted) = &run.spec.fitted else {
        return Section::empty();
    };
    let loads = fitted.loads.iter().map(|loads| format!("loads: {loads}"));
    let fit = fitted.fit.iter().cloned();
    let mut fact = Fact::new(
        "model",
        format!(
            "fitted by {} to {}",
            fitted.by,
            runs_in_words(fitted.runs.len())
        ),
    );
    loads.chain(fit).for_each(|line| fact.add(line));
    Section::fact(fact)
}

/// How long requests took, and how they ended.
fn plots(run: &Run) -> Section {
    let responses = figures::responses(run).into_iter();
    Section::plots(responses.chain(figures::outcomes(run))).headed("Response time and outcomes")
}

/// That more is offered than is answered, where it is so; or that many requests timed out or were refused, which may be for other
/// reasons.
fn overload(run: &Run) -> Section {
    let (Some(offered), Some(answered)) = (run.offered_rps, run.throughput_rps) else {
        return Section::empty();
    };
    let rates = format!(
        "offered {} requests/s, answered {}/s",
        significant(offered),
        significant(answered)
    );
    let requests = &run.window.requests;
    let line = match run.falling_behind_rps {
        Some(behind) => {
            // Who gave up waits no longer: nothing grows by them.
            let gave_up = 2.0 * requests.timed_out as f64 > behind * run.window.measured_s;
            let behind = significant(behind);
            let line = match gave_up {
                false => format!("OVERLOAD: {rates}, falling behind by {behind}/s"),
                true => format!("OVERLOAD: {rates}; {behind}/s were not answered in time"),
            };
            let overload = Block::Verdict {
                mood: Mood::Bad,
                word: "OVERLOAD",
                said: Box::new(Block::Lines(vec![line])),
            };
            return Section::of([overload]).placed(Place::First);
        }
        None => {
            let ends = [
                (requests.timed_out, "timed out"),
                (requests.rejected, "were refused"),
            ];
            let many = ends
                .iter()
                .filter(|(number, _)| number.saturating_mul(20) >= requests.intended.max(1));
            let said: Vec<String> = many
                .map(|(number, end)| {
                    format!(
                        "{} of {} requests {end}",
                        count(*number),
                        count(requests.intended)
                    )
                })
                .collect();
            if said.is_empty() {
                return Section::empty();
            }
            format!("{rates}: {}", said.join(", "))
        }
    };
    Section::of([Block::Lines(vec![line])]).placed(Place::First)
}

/// What bounds the run, and how to change it.
fn bounds(file: Option<&str>, run: &Run) -> Section {
    let value = |key: &str| {
        run.configuration
            .get(key)
            .map(|setting| setting.value.as_str())
    };
    let horizon = value("run.horizon").map(|horizon| format!("horizon {horizon}"));
    let requests = value("run.requests").map(|budget| format!("a budget of {budget} requests"));
    let bounds: Vec<String> = [horizon, requests].into_iter().flatten().collect();
    let whichever = if bounds.len() > 1 {
        ", whichever comes first"
    } else {
        ""
    };
    let of = match file {
        None if of_a_service(run) => {
            "no spec, --subject; change it with --horizon or --num-requests".to_owned()
        }
        None => "embedded quickstart; change it with --horizon or --num-requests".to_owned(),
        Some(file) => sources(file, run),
    };
    let line = format!("bounded by {}{whichever} ({of})", bounds.join(" and "));
    Section::of([Block::Lines(vec![line])])
}

/// Where what bounds a run of a spec came from: the file, or flags.
fn sources(file: &str, run: &Run) -> String {
    let bounds = ["run.horizon", "run.requests"].into_iter();
    let settings = bounds.filter_map(|key| run.configuration.get(key));
    let mut from: Vec<&str> = settings
        .map(|setting| match setting.source.as_str() {
            "spec" | "default" => file,
            flag => flag,
        })
        .collect();
    from.dedup();
    match from.is_empty() {
        true => file.to_owned(),
        false => from.join(" and "),
    }
}

/// Whether the run was of a service without a spec.
fn of_a_service(run: &Run) -> bool {
    let mut settings = run.configuration.values();
    settings.any(|setting| setting.source == "--subject")
}

fn header(run: &Run) -> Section {
    let ended = match run.ended_by.as_str() {
        "budget" => "the budget was used up",
        "idle" => "no user had a request left to send",
        "interrupted" => "the run was INTERRUPTED",
        "decided" => "the verdict was decided",
        _ => "the horizon was reached",
    };
    let Window {
        warmup_s,
        measured_s,
        ..
    } = run.window;
    let measured = match measured_s {
        _ if run.replications.is_some() && measured_s > 0.0 => format!(
            "window: requests intended from {} s on in each replication, {} s in total",
            significant(warmup_s),
            significant(measured_s)
        ),
        0.0 if warmup_s == 0.0 => {
            "window: empty, because all requests were intended at the same time".to_owned()
        }
        0.0 => format!(
            "window: empty, because the load ended within the warm-up of {} s; shorten it with --warmup",
            significant(warmup_s)
        ),
        _ => format!(
            "window: requests intended from {} s to {} s",
            significant(warmup_s),
            significant(warmup_s + measured_s)
        ),
    };
    let found = match &run.window.found_by {
        None => String::new(),
        Some(found) if found.steady_state => {
            "; start of the steady state found by a pilot run (MSER-5)".to_owned()
        }
        Some(found) => format!(
            "; NO STEADY STATE: {}; the first half of the load is the warm-up",
            found.unsteady.as_deref().unwrap_or("none was found")
        ),
    };
    let replications = match &run.replications {
        None => String::new(),
        Some(replications) => format!("{} replications, ", count(replications.count)),
    };
    let time = match (&run.live, run.simulated_s) {
        (Some(live), _) => format!(
            "{} s at {}",
            significant(live.elapsed_s),
            live.target.join(", ")
        ),
        (None, simulated) => format!(
            "{} s of simulated time",
            significant(simulated.unwrap_or(0.0))
        ),
    };
    let whole = format!(
        "{}, seed {}: {replications}{} requests in {time}, until {ended}",
        run.spec.name,
        run.seed,
        count(run.requests.intended),
    );
    let measured = format!("{measured}{found}");
    Section::of([Block::Lines(vec![whole, measured])])
}

/// Where the intervals come from, why response times lack one, and what came of a wanted precision.
fn intervals(run: &Run) -> Section {
    let intervals = &run.intervals;
    let samples = count(intervals.samples);
    let from = match intervals.method {
        _ if intervals.samples == 0 => "none".to_owned(),
        IntervalMethod::BatchMeans => format!("95 %, from {samples} batches of the run"),
        IntervalMethod::Replications => format!("95 %, over {samples} replications"),
    };
    let mut fact = Fact::new("intervals", from);
    if let Some(caution) = &intervals.caution {
        fact.add(format!("caution: {caution}"));
    }
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (figure, why) in &intervals.absent {
        let name = match figure.strip_prefix("latency_ms.response.") {
            Some("p999") => "p99.9",
            Some("p90") => continue,
            Some(name) => name,
            None if figure == "throughput_rps" => "throughput",
            None => {
                if intervals.absence(figure) == Some("exact") {
                    fact.add(format!("exact: {figure}"));
                }
                continue;
            }
        };
        by_reason.entry(why).or_default().push(name);
    }
    for (why, names) in by_reason {
        fact.add(format!(
            "no interval for {}: {}",
            names.join(", "),
            sentence(why)
        ));
    }
    if let Some((count, precision)) = run
        .replications
        .as_ref()
        .and_then(|all| Some((all.count, all.precision.as_ref()?)))
    {
        fact.add(match (precision.reached, precision.achieved) {
            (true, Some(achieved)) => format!(
                "precision reached: mean response and throughput are within {} of the true values (target {})",
                percent(achieved),
                percent(precision.target)
            ),
            _ => missed_precision(count, precision),
        });
    }
    Section::fact(fact)
}

/// The text about a precision that this many replications did not reach.
pub fn missed_precision(replications: u64, precision: &PrecisionResult) -> String {
    let reached = match precision.achieved {
        Some(achieved) => format!(
            "mean response and throughput are within {} of the true values; raise --max-replications or lengthen the run",
            percent(achieved)
        ),
        None => "runs are too short for an interval; lengthen the run".to_owned(),
    };
    format!(
        "precision of {} NOT REACHED: after {} replications {reached}",
        percent(precision.target),
        count(replications)
    )
}

/// The verdict, the throughput and the response times.
fn answer(run: &Run) -> Section {
    let figures = Block::Answer {
        facts: facts(run),
        keys: keys(run),
    };
    let said = Block::Facts(vec![verdict(run)]);
    let blocks = match &run.verdict {
        Some(verdict) => {
            let verdict = Block::Verdict {
                mood: Mood::of(verdict.status),
                word: status_name(verdict.status),
                said: Box::new(said),
            };
            [verdict, figures]
        }
        // Where nothing is judged, what was measured is the answer.
        None => [figures, said],
    };
    Section::of(blocks).placed(Place::First)
}

fn facts(run: &Run) -> Vec<Fact> {
    let throughput = or_not_measured(run.throughput_rps, |rps| {
        let rps = significant_within(rps, run.throughput_rps_ci95);
        format!("{rps} requests/s answered")
    });
    let response = &run.latency_ms.response;
    let (figures, off) = latency(response);
    let mut facts = vec![Fact::new("throughput", throughput)];
    facts.push(Fact::new("response", figures));
    facts.extend(off.map(|off| Fact::new("± 95 %", off)));
    if response.censored > 0
        && let Some(last) = facts.last_mut()
    {
        last.add(format!(
            "{} of these {} timed out or were cut off; they count with their age at that time",
            count(response.censored),
            count(response.count)
        ));
    }
    facts
}

/// The same as large numbers, with how many requests failed.
fn keys(run: &Run) -> Vec<Key> {
    let rps = or_not_measured(run.throughput_rps, |rps| {
        significant_within(rps, run.throughput_rps_ci95)
    });
    let (value, half) = match rps.split_once(" ± ") {
        Some((value, half)) => (value, format!("± {half} ")),
        None => (rps.as_str(), String::new()),
    };
    let mut keys = vec![Key {
        label: "throughput".to_owned(),
        value: value.to_owned(),
        beside: format!("{half}requests/s answered"),
    }];
    let requests = &run.window.requests;
    let failed = requests.intended.saturating_sub(requests.ok);
    if requests.intended > 0 {
        keys.push(Key {
            label: "not ok".to_owned(),
            value: percent(failed as f64 / requests.intended as f64),
            beside: format!("{} of {}", count(failed), count(requests.intended)),
        });
    }
    let block = &run.latency_ms.response;
    let times = [
        ("mean response", block.mean, block.mean_ci95),
        ("p50", block.p50, block.p50_ci95),
        ("p95", block.p95, block.p95_ci95),
        ("p99", block.p99, block.p99_ci95),
        ("p99.9", block.p999, block.p999_ci95),
        ("max", block.max, None),
    ];
    let times = times.into_iter().filter_map(|(label, value, within)| {
        let value = value?;
        Some(Key {
            label: label.to_owned(),
            value: millis(value),
            beside: match within {
                Some(_) => format!("± {}", millis_off(value, within)),
                None => String::new(),
            },
        })
    });
    keys.extend(times);
    keys
}

/// The figures in one line, and what they may be off by in another, each below its figure.
fn latency(block: &LatencyBlock) -> (String, Option<String>) {
    let figures = [
        ("mean", block.mean, block.mean_ci95),
        ("p50", block.p50, block.p50_ci95),
        ("p95", block.p95, block.p95_ci95),
        ("p99", block.p99, block.p99_ci95),
        ("p99.9", block.p999, block.p999_ci95),
    ];
    if block.count == 0 {
        return (super::number::NOT_MEASURED.to_owned(), None);
    }
    let (mut line, mut below) = (String::new(), String::new());
    for (name, value, interval) in figures {
        let Some(value) = value else { continue };
        let gap = if line.is_empty() { "" } else { GAP };
        let figure = format!("{gap}{name} {}", millis(value));
        let width = figure.chars().count();
        below.push_str(&format!("{:>width$}", millis_off(value, interval)));
        line.push_str(&figure);
    }
    if let Some(max) = block.max {
        line.push_str(&format!("{GAP}max {}", millis(max)));
    }
    (line, Some(below))
}

fn outcomes(run: &Run) -> Section {
    let outcomes = Fact::new("outcomes", request_counts(&run.window.requests));
    let mut sessions = Fact::new("sessions", sessions(&run.sessions));
    let mut also = Vec::new();
    if run.retries > 0 {
        also.push(format!("{} requests were retries", count(run.retries)));
    }
    if run.late_replies > 0 {
        also.push(format!(
            "{} replies arrived after the client had given up",
            count(run.late_replies)
        ));
    }
    if run.duplicate_replies > 0 {
        also.push(format!(
            "{} replies were duplicates",
            count(run.duplicate_replies)
        ));
    }
    if !also.is_empty() {
        sessions.add(also.join("; "));
    }
    Section::of([Block::Facts(vec![outcomes, sessions])])
}

fn request_counts(requests: &RequestCounts) -> String {
    let ends = ends(requests);
    format!("{} intended: {}", count(requests.intended), nonzero(&ends))
}

fn sessions(sessions: &SessionCounts) -> String {
    let ends = [
        ("completed", sessions.completed),
        ("cancelled", sessions.cancelled),
        ("horizon_interrupted", sessions.horizon_interrupted),
        ("budget_exhausted", sessions.budget_exhausted),
    ];
    format!("{} started: {}", count(sessions.started), nonzero(&ends))
}

/// Streams and fan-outs.
fn messages(run: &Run) -> Section {
    let messages = messages::messages(run);
    let tables = messages.tables.into_iter().map(Block::Table);
    Section::of(tables.chain([Block::Notes(messages.remarks)]))
}

fn limit(run: &Run) -> Section {
    // Of what was not measured from within nothing is known.
    let is_unknown = run.not_measured.iter().any(|part| part == "services");
    if run.live.is_some() || is_unknown {
        return Section::empty();
    }
    let Some(bottleneck) = &run.bottleneck else {
        return Section::fact(Fact::new("limit", "nothing takes any time"));
    };
    let fact = limits::fact(bottleneck, limits::was_used);
    let table = limits::table(&run.constraints, "in use");
    let blocks = [Block::Facts(vec![fact])].into_iter();
    Section::of(blocks.chain(table.map(Block::Table)))
}
