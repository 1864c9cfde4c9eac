//! Services that preempt and services that serve clients in turn, against books of their own.

use std::collections::HashMap;

use blis_sim::event::VisitStep;
use blis_sim::explain::{Band, Explain};
use blis_sim::measure::Measure;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::time::{Span, Time};

use crate::record::{Kept, Run, model, run};

/// Each visit's stays in the line, by visit in the order of their coming; every path is one visit.
fn waits(run: &Run) -> Vec<Span> {
    let mut here: HashMap<u32, usize> = HashMap::new();
    let mut waits: Vec<Span> = Vec::new();
    for (_, event) in &run.events {
        let Kept::Visit { visitor, step, .. } = *event else {
            continue;
        };
        match step {
            VisitStep::TakenAtOnce | VisitStep::Joined => {
                here.insert(visitor, waits.len());
                waits.push(Span::ZERO);
            }
            VisitStep::Started { waited }
            | VisitStep::Left { waited }
            | VisitStep::LostWaiting { waited }
            | VisitStep::CutWaiting { waited } => {
                let visit = here[&visitor];
                waits[visit] = waits[visit] + waited;
            }
            _ => {}
        }
    }
    waits
}

/// A visit has one wait, and the waits are the integral of the line: Little's law as printed. Returns them in milliseconds.
fn one_wait_each(text: &str) -> Vec<f64> {
    let run = run(text);
    let station = &run.measure.stations()[0];
    let expected = waits(&run);
    let measured = station.waits();
    assert_eq!(measured.count(), station.window_visits().arrived());
    assert_eq!(measured.count(), expected.len() as u64);
    let sum: u128 = expected.iter().map(|w| u128::from(w.as_nanos())).sum();
    assert_eq!(measured.sum_nanos(), sum);
    assert_eq!(measured.max(), expected.iter().max().copied());
    assert_eq!(station.areas(run.end).waiting, sum, "Little's law");
    expected.iter().map(|wait| wait.as_millis_f64()).collect()
}

#[test]
fn a_preempted_visit_has_one_wait() {
    // Two requests of no class at 0, one that is urgent at 1 s, which takes the worker of the later one until 10 s.
    let waits = one_wait_each(
        "
blis: 1
name: preempt
run: {horizon: 1500ms, drain: 60s}
clients:
  low: {concurrency: 2, do: low}
  high: {rate: 1/s, arrival: constant, do: high}
actions:
  low: {path: [{visit: s}, reply]}
  high: {path: [{visit: s}, reply], class: high}
services:
  s: {workers: 2, time: 10s, queue: {order: {priority: {classes: [high], preempt: true}}}}
",
    );
    assert_eq!(waits, [0.0, 9000.0, 0.0]);
}

/// Three classes that preempt, with work that leaves, is abandoned, is lost and is cut off.
fn busy(more: &str, drain: &str) -> String {
    format!(
        "
blis: 1
name: urgent
run: {{horizon: 20s, drain: {drain}}}
clients:
  a: {{rate: 60/s, class: a, timeout: 400ms, do: ask}}
  b: {{rate: 60/s, class: b, timeout: 400ms, do: ask}}
  c: {{rate: 60/s, timeout: 400ms, do: ask}}
actions:
  ask: {{path: [{{visit: s}}, reply]}}
services:
  s:
    workers: 2
    time: {{exponential: {{mean: 10ms}}}}
    errors: 5%
    queue: {{limit: 20, order: {{priority: {{classes: [a, b], preempt: true}}}}}}
{more}
"
    )
}

#[test]
fn whatever_becomes_of_a_visit_it_has_one_wait() {
    for more in [
        "",
        "    on_timeout: leave",
        "    on_timeout: abandon",
        "    outages: [{from: 3s, to: 4s}, {from: 19s, to: 21s}]",
        "    members: 3\n    on_timeout: leave\n    outages: [{from: 3s, to: 6s, member: 1}]",
    ] {
        for drain in ["0s", "1h"] {
            let text = busy(more, drain);
            let waits = one_wait_each(&text);
            let waited = waits.iter().filter(|wait| **wait > 0.0).count();
            assert!(waited > 100, "{more}: {waited}");
            let run = run(&text);
            let visits = run.measure.stations()[0].visits();
            assert!(visits.preempted > 100, "{more}: {visits:?}");
        }
    }
}

/// A worker that is held can no longer be taken away, so that the wait of its visit is certain.
#[test]
fn a_held_worker_has_one_wait_and_so_has_the_next_visit() {
    let run = run("
blis: 1
name: nested
run: {horizon: 20s, drain: 1h}
clients:
  a: {rate: 40/s, class: a, do: ask}
  c: {rate: 40/s, do: nest}
actions:
  ask: {path: [{visit: s}, reply]}
  nest: {path: [{visit: {service: s, during: [{visit: t}]}}, {visit: s}, reply]}
services:
  s: {workers: 6, time: {exponential: {mean: 30ms}}, queue: {order: {priority: {classes: [a], preempt: true}}}}
  t: {workers: 1, time: {exponential: {mean: 5ms}}}
");
    let station = &run.measure.stations()[0];
    assert!(station.visits().preempted > 50);
    assert_eq!(station.waits().count(), station.window_visits().arrived());
    // But for the visits that came after the load, outside the window.
    let waits = waits(&run);
    let sum: u128 = waits.iter().map(|w| u128::from(w.as_nanos())).sum();
    assert!(station.waits().sum_nanos() <= sum && station.waits().sum_nanos() > sum / 2);
}

#[test]
fn what_is_preempted_goes_back_into_a_full_line() {
    // One worker and nobody may wait: what is preempted waits all the same, and the next is refused.
    let run = run("
blis: 1
name: full
run: {horizon: 2500ms, drain: 60s}
clients:
  low: {concurrency: 1, think: 100s, do: low}
  high: {rate: 1/s, arrival: constant, do: high}
actions:
  low: {path: [{visit: s}, reply]}
  high: {path: [{visit: s}, reply], class: high}
services:
  s: {workers: 1, time: 10s, queue: {limit: 0, order: {priority: {classes: [high], preempt: true}}}}
");
    let station = &run.measure.stations()[0];
    let visits = station.visits();
    assert_eq!((visits.arrived(), visits.rejected), (2, 1));
    assert_eq!((visits.preempted, visits.completed), (1, 2));
    assert_eq!(station.max_waiting(), 1);
}

#[test]
fn explanations_know_the_same_wait() {
    let all = Band {
        from: Span::ZERO,
        to: Span::MAX,
    };
    let text = busy("", "1h")
        .replace(", timeout: 400ms", "")
        .replace("errors: 5%", "");
    let model = model(&text);
    let sink = (Measure::new(&model), Explain::new(&model, &[all]));
    let mut simulation = Simulation::new(&model, sink);
    while simulation.advance(u64::MAX).unwrap() == Progress::Running {}
    let (measure, explain) = simulation.into_sink();
    let station = &measure.stations()[0];
    assert!(station.visits().preempted > 100);
    assert_eq!(
        explain.bands()[0].1.stations[0].waiting,
        station.waits().sum_nanos()
    );
}

/// A visit of a service that serves clients in turn.
#[derive(Debug, Clone, Copy)]
struct Job {
    came: Time,
    client: usize,
    served: Span,
    /// When a worker took it up; `None` where it was refused.
    started: Option<Time>,
}

/// The visits of a run in the order of their coming; every path is one visit.
fn jobs(run: &Run) -> Vec<Job> {
    let (mut jobs, mut here, mut client) = (Vec::new(), HashMap::new(), 0);
    for (at, event) in &run.events {
        match *event {
            Kept::Intended(request) => client = request.client.index(),
            Kept::Visit { visitor, step, .. } => match step {
                VisitStep::TakenAtOnce | VisitStep::Joined | VisitStep::Rejected => {
                    let at_once = step == VisitStep::TakenAtOnce;
                    here.insert(visitor, jobs.len());
                    jobs.push(Job {
                        came: *at,
                        client,
                        served: Span::ZERO,
                        started: at_once.then_some(*at),
                    });
                }
                VisitStep::Started { .. } => jobs[here[&visitor]].started = Some(*at),
                VisitStep::Completed { served, .. } => jobs[here[&visitor]].served = served,
                other => panic!("{other:?}"),
            },
            _ => {}
        }
    }
    jobs
}

/// Start-time fair queueing as Goyal, Vin and Cheng state it (1996, section 2), by looking at everybody each time: when
/// each job is taken up, given its service time. `weights` and `costs` are by client.
struct Turns<'a> {
    workers: usize,
    limit: usize,
    weights: &'a [f64],
    costs: &'a [f64],
    /// Whether the virtual time moves to the largest finish tag of those served when a busy period ends.
    ends_busy_periods: bool,
}

impl Turns<'_> {
    fn starts(&self, jobs: &[Job]) -> Vec<Option<Time>> {
        let mut starts = vec![None; jobs.len()];
        let mut finish = vec![0.0_f64; self.weights.len()];
        let mut finish_of = vec![0.0; jobs.len()];
        let (mut virtual_time, mut served_finish) = (0.0, 0.0_f64);
        let mut waiting: Vec<(f64, usize)> = Vec::new();
        let mut running: Vec<(Time, usize)> = Vec::new();
        let mut next = 0;
        loop {
            let end = running.iter().map(|(end, _)| *end).min();
            let come = jobs.get(next).map(|job| job.came);
            let Some(now) = [end, come].into_iter().flatten().min() else {
                return starts;
            };
            if end == Some(now) {
                let place = running.iter().position(|(end, _)| *end == now).unwrap();
                let (_, job) = running.remove(place);
                served_finish = served_finish.max(finish_of[job]);
                if running.is_empty() && waiting.is_empty() && self.ends_busy_periods {
                    virtual_time = served_finish;
                }
            } else {
                let client = jobs[next].client;
                if running.len() < self.workers || waiting.len() < self.limit {
                    let start = finish[client].max(virtual_time);
                    finish[client] = start + self.costs[client] / self.weights[client];
                    finish_of[next] = finish[client];
                    waiting.push((start, next));
                }
                next += 1;
            }
            while running.len() < self.workers && !waiting.is_empty() {
                waiting.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let (start, job) = waiting.remove(0);
                virtual_time = start;
                starts[job] = Some(now);
                running.push((now + jobs[job].served, job));
            }
        }
    }
}

#[test]
fn clients_are_served_in_turn_as_the_paper_says() {
    let limits = [("", usize::MAX), ("limit: 4, ", 4)];
    for (workers, (limit, places)) in [1, 3].into_iter().flat_map(|w| limits.map(|l| (w, l))) {
        let rate = 280 * workers;
        let run = run(&format!(
            "
blis: 1
name: fair
run: {{horizon: 60s, drain: 1h}}
clients:
  a: {{rate: {rate}/s, do: a}}
  b: {{rate: {workers}/s, do: b}}
  c: {{rate: {rate}/s, do: c}}
actions:
  a: {{path: [{{visit: {{service: s, time: {{exponential: {{mean: 1ms}}}}}}}}, reply]}}
  b: {{path: [{{visit: {{service: s, time: {{exponential: {{mean: 200ms}}}}}}}}, reply]}}
  c: {{path: [{{visit: s}}, reply]}}
services:
  s: {{workers: {workers}, time: {{exponential: {{mean: 800us}}}}, queue: {{{limit}order: {{fair: {{weights: {{c: 3}}}}}}}}}}
"
        ));
        let jobs = jobs(&run);
        let mut turns = Turns {
            workers,
            limit: places,
            weights: &[1.0, 1.0, 3.0],
            costs: &[1e6, 2e8, 8e5],
            ends_busy_periods: true,
        };
        let measured: Vec<Option<Time>> = jobs.iter().map(|job| job.started).collect();
        let expected = turns.starts(&jobs);
        let refused = expected.iter().filter(|start| start.is_none()).count();
        assert_eq!(refused > 0, places < usize::MAX, "{refused}");
        let first = (0..jobs.len()).find(|&job| measured[job] != expected[job]);
        assert_eq!(first, None, "{workers} workers, limit {places}");
        // The rule that a busy period ends is what this is about.
        turns.ends_busy_periods = false;
        assert_ne!(turns.starts(&jobs), measured);
    }
}
