//! The parts of a report that only a live run has, and the generator.

use blis_sim::result::{GeneratorInterval, GeneratorResult, LatencyBlock, Live, Run};
use blis_sim::verdict::{Standing, Status};

use super::course::grouped;
use super::number::{NOT_MEASURED, count, millis, percent, rough};
use super::parts::{Block, Fact, Place, Section};
use super::record::record;
use super::table::Table;

/// The values that decided the run, with where each came from.
pub fn configuration(run: &Run) -> Section {
    if run.live.is_none() {
        return Section::empty();
    }
    let mut table = Table::new(&["setting", "value", "from"]);
    for (key, setting) in &run.configuration {
        table.row([key.clone(), setting.value.clone(), setting.source.clone()]);
    }
    Section::of([Block::Table(table)]).placed(Place::Folded("Configuration"))
}

/// Connections, lag and reasons.
pub fn live(run: &Run) -> Section {
    let live = run.live.as_ref().map(|live| connections(run, live));
    let record = run.record.as_ref().map(record);
    let mut facts: Vec<Fact> = live.into_iter().chain(record).collect();
    if let Some(first) = facts.first_mut() {
        not_measured(run)
            .into_iter()
            .for_each(|line| first.add(line));
    }
    match facts.is_empty() {
        true => Section::empty(),
        false => Section::of([Block::Facts(facts)]),
    }
}

/// The parts that were not measured: in one line, or one line each with its reason.
fn not_measured(run: &Run) -> Vec<String> {
    let all = run.not_measured.iter().map(String::as_str);
    let (reasoned, parts): (Vec<&str>, Vec<&str>) = all.partition(|part| part.contains(": "));
    let parts = (!parts.is_empty()).then(|| parts.join(", "));
    let parts = parts.as_deref().into_iter();
    parts
        .chain(reasoned)
        .map(|what| format!("not measured: {what}"))
        .collect()
}

fn connections(run: &Run, live: &Live) -> Fact {
    let connections = match live.connections {
        1 => "1 connection".to_owned(),
        several => format!("{} connections", count(u64::from(several))),
    };
    let mut fact = Fact::new(
        "live",
        format!(
            "{connections} to a server of version {}",
            live.server_version
        ),
    );
    if let Some(lag) = quantiles(&run.latency_ms.lag) {
        fact.add(format!(
            "lag from intended to sent: {lag}; response times count from the intended time"
        ));
    }
    for (reason, number) in &live.reasons {
        fact.add(format!("{}: {}", reason.replace('_', " "), count(*number)));
    }
    for (incident, number) in &live.incidents {
        fact.add(format!(
            "{}: {}",
            incident.replace('_', " "),
            count(*number)
        ));
    }
    fact
}

fn quantiles(times: &LatencyBlock) -> Option<String> {
    let (p50, p99) = (times.p50?, times.p99?);
    Some(format!("p50 {}, p99 {}", millis(p50), millis(p99)))
}

/// The generator: one line if it was not the limit, with its course if it was the limit or lagged.
pub fn generator(run: &Run) -> Section {
    let generator = run.live.as_ref().and_then(|live| live.generator.as_ref());
    let Some(generator) = generator else {
        return Section::empty();
    };
    let lag = quantiles(&generator.own_lag_ms);
    let lag = lag.map(|lag| format!("own lag: {lag}"));
    let [first, others @ ..] = generator.limited_by.as_slice() else {
        let lag = lag.map_or(String::new(), |lag| format!("; {lag}"));
        let mut fact = Fact::new("generator", format!("was not the limit{lag}"));
        if !lagged(run) {
            return Section::fact(fact);
        }
        fact.add("an objective was missed only because of its lag");
        return Section::of([Block::Facts(vec![fact]), Block::Table(resources(generator))]);
    };
    let mut fact = Fact::new("generator", first.clone());
    others.iter().for_each(|limit| fact.add(limit.clone()));
    let tripped = run.verdict.as_ref();
    if tripped.is_some_and(|verdict| verdict.status == Status::Trip) {
        fact.add(
            "the verdict is still TRIP: an objective was missed even without the lag of the generator",
        );
    }
    if let Some(lag) = lag {
        let idle = quantiles(&generator.control_ms);
        let idle = idle.map_or(String::new(), |idle| {
            format!("; scheduler jitter on this machine: {idle}")
        });
        fact.add(format!("{lag}{idle}"));
    }
    Section::of([Block::Facts(vec![fact]), Block::Table(resources(generator))])
}

/// Whether an objective was missed only because of the generator's lag.
fn lagged(run: &Run) -> bool {
    let signals = run.verdict.iter().flat_map(|verdict| &verdict.signals);
    signals
        .into_iter()
        .any(|signal| signal.standing == Standing::GeneratorLimited)
}

fn resources(generator: &GeneratorResult) -> Table {
    let mut table = Table::new(&[
        "generator from",
        "own lag",
        "jitter",
        "scheduling",
        "CPUs",
        "machine",
        "memory",
        "dropped deliveries",
    ]);
    let absent = || NOT_MEASURED.to_owned();
    for rows in grouped(&generator.series) {
        let Some(first) = rows.first() else {
            continue;
        };
        let largest =
            |of: fn(&GeneratorInterval) -> f64| millis(rows.iter().map(of).fold(0.0, f64::max));
        let highest =
            |of: fn(&GeneratorInterval) -> Option<f64>| rows.iter().filter_map(of).reduce(f64::max);
        let memory = rows.iter().filter_map(|row| row.memory_bytes).max();
        table.row([
            format!("{:.2} s", first.start_s),
            largest(|row| row.own_lag_max_ms),
            largest(|row| row.control_max_ms),
            largest(|row| row.scheduling_max_ms),
            highest(|row| row.process_cpus).map_or_else(absent, rough),
            highest(|row| row.machine_cpu_share).map_or_else(absent, percent),
            memory.map_or_else(absent, |bytes| format!("{} MB", bytes / 1_000_000)),
            count(rows.iter().map(|row| row.dropped_deliveries).sum()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use blis_sim::measure::Measure;
    use blis_sim::result::{self, Live, Provenance};
    use blis_sim::spec;

    use super::*;
    use crate::report::{run as report, text};

    /// A run of nothing, in which the generator did so.
    fn observed(limited_by: &[&str], verdict: Option<(Status, Standing)>) -> String {
        let written = "blis: 1\nname: x\nrun: {requests: 1}\nclients: {users: {concurrency: 1, do: ask}}\nactions: {ask: \
                       {live: {request: a}, slo: {p50: 1ms}}}\n";
        let read = spec::read(written).expect("a spec");
        let model = spec::lower_live(&read, &Default::default())
            .expect("a model")
            .model;
        let block = |p50| LatencyBlock {
            p50: Some(p50),
            p99: Some(2.0 * p50),
            ..LatencyBlock::default()
        };
        let interval = GeneratorInterval {
            start_s: 0.0,
            width_s: 1.0,
            own_lag_max_ms: 4.0,
            control_max_ms: 3.0,
            scheduling_max_ms: 2.0,
            process_cpus: None,
            machine_cpu_share: None,
            memory_bytes: None,
            dropped_deliveries: 0,
        };
        let live = Live {
            target: Vec::new(),
            server_version: String::new(),
            connections: 1,
            elapsed_s: 1.0,
            reasons: Default::default(),
            incidents: Default::default(),
            messages: Vec::new(),
            generator: Some(GeneratorResult {
                own_lag_ms: block(1.0),
                control_ms: block(0.5),
                limited_by: limited_by.iter().map(|&why| why.to_owned()).collect(),
                series: vec![interval],
            }),
            observers: None,
        };
        let provenance = Provenance {
            sha256: String::new(),
            resolved_sha256: String::new(),
            files: Default::default(),
            configuration: Default::default(),
            ended_by: blis_sim::engine::LoadEnd::Budget,
            record: None,
            not_measured: Vec::new(),
            mode: result::Mode::Live {
                live: Box::new(live),
                evidence: Default::default(),
            },
        };
        let mut run = result::build(&model, None, &Measure::new(&model), provenance);
        let judged = run.verdict.as_mut().zip(verdict);
        if let Some((of, (status, standing))) = judged {
            of.status = status;
            of.signals
                .iter_mut()
                .for_each(|signal| signal.standing = standing);
        }
        text(&report(None, &run))
    }

    #[test]
    fn the_generator_has_one_line_at_the_end_where_it_was_no_matter() {
        let well = observed(&[], Some((Status::Pass, Standing::Within)));
        let last = "\n\n  generator   was not the limit; own lag: p50 1.000 ms, p99 2.000 ms\n";
        assert!(well.ends_with(last), "{well}");
        assert!(well.starts_with("  verdict     PASS\n"), "{well}");
    }

    #[test]
    fn its_course_is_shown_where_it_was_the_limit_or_lagged() {
        let course = "  generator from   own lag    jitter  scheduling";
        let limited = observed(
            &["It was late.", "It dropped."],
            Some((Status::Trip, Standing::Over)),
        );
        for part in [
            course,
            "  generator   It was late.\n              It dropped.\n",
            "the verdict is still TRIP",
            "scheduler jitter on this machine: p50 0.5000 ms",
        ] {
            assert!(limited.contains(part), "no {part} in {limited}");
        }
        let lagged = observed(
            &[],
            Some((Status::Inconclusive, Standing::GeneratorLimited)),
        );
        for part in [
            course,
            "was not the limit; own lag",
            "an objective was missed only because of its lag",
        ] {
            assert!(lagged.contains(part), "no {part} in {lagged}");
        }
    }
}
