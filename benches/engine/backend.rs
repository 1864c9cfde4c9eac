//! The parts of the backend that could cost more the more there is: each at two sizes, one a hundred times the other.
//!
//! The time of an event may grow with the logarithm of what waits, and with the cache that it misses; a walk over all
//! that wait would multiply it by a hundred.

use std::time::Instant;

use blis_sim::measure::Measure;
use blis_sim::simulation::Simulation;
use blis_sim::spec;

/// A case: its name, and its spec by how much there is.
struct Case {
    name: &'static str,
    sizes: [u32; 2],
    spec: fn(u32) -> String,
}

const CASES: [Case; 4] = [
    Case {
        name: "priority line, waiting",
        sizes: [100, 10_000],
        spec: |users| closed(users, "{priority: {classes: [urgent]}}"),
    },
    Case {
        name: "processor sharing, present",
        sizes: [10, 1_000],
        spec: |users| closed(users, "shared"),
    },
    Case {
        name: "batching consumer, batch of",
        sizes: [1, 100],
        spec: batches,
    },
    Case {
        name: "fan-out, subscribers",
        sizes: [10, 1_000],
        spec: fan_out,
    },
];

/// Users who do not think, at one worker: all of them but one wait.
fn closed(users: u32, order: &str) -> String {
    let class = if order.contains("classes") {
        "class: urgent, "
    } else {
        ""
    };
    format!(
        "{{blis: 1, name: b, run: {{requests: 1M}},\n \
         clients: {{a: {{concurrency: {users}, do: {{x: 1, y: 1}}}}}},\n \
         actions: {{x: {{{class}path: [{{visit: s}}, reply]}}, y: {{path: [{{visit: s}}, reply]}}}},\n \
         services: {{s: {{workers: 1, time: {{exponential: {{mean: 1ms}}}}, queue: {{order: {order}}}}}}}}}"
    )
}

fn batches(size: u32) -> String {
    format!(
        "{{blis: 1, name: b, run: {{requests: 300k}}, clients: {{a: {{rate: 1k/s, do: x}}}},\n \
         actions: {{x: {{path: [{{publish: log}}, reply]}}}}, services: {{s: {{workers: 1, time: 1ms}}}},\n \
         streams: {{log: {{consumers: {{c: {{service: s, batch: {{size: {size}, linger: 1s, per_item: 500us}}}}}}}}}}}}"
    )
}

fn fan_out(subscribers: u32) -> String {
    format!(
        "{{blis: 1, name: b, run: {{requests: 20k}}, clients: {{a: {{rate: 1k/s, do: x}}}},\n \
         actions: {{x: {{path: [{{emit: room}}, reply]}}}},\n \
         fan_outs: {{room: {{subscribers: {subscribers}, delay: {{exponential: {{mean: 1ms}}}}, each: 1us}}}}}}"
    )
}

/// Events and seconds of one run.
fn run(text: &str) -> Result<(u64, f64), String> {
    let read = spec::read(text).map_err(|errors| format!("{errors:?}"))?;
    let model = spec::lower(&read)
        .map_err(|errors| format!("{errors:?}"))?
        .model;
    let started = Instant::now();
    let mut simulation = Simulation::new(&model, Measure::new(&model));
    simulation.run().map_err(|error| error.to_string())?;
    let seconds = started.elapsed().as_secs_f64();
    let (events, intended) = (simulation.events(), simulation.intended());
    let mut measure = simulation.into_sink();
    measure
        .finish(intended)
        .map_err(|error| error.to_string())?;
    Ok((events, seconds))
}

/// Runs all cases at both sizes, in turns, and prints the best of three of each.
pub fn compare() -> Result<(), String> {
    println!("| case | size | events | ns/event | size | events | ns/event | ratio |");
    println!("|---|---|---|---|---|---|---|---|");
    for case in &CASES {
        let mut best = [(0, f64::INFINITY); 2];
        for _ in 0..3 {
            for (best, size) in best.iter_mut().zip(case.sizes) {
                let (events, seconds) = run(&(case.spec)(size))?;
                let nanos = seconds * 1e9 / events as f64;
                *best = (events, best.1.min(nanos));
            }
        }
        let [(few, small), (many, large)] = best;
        println!(
            "| {} | {} | {few} | {small:.0} | {} | {many} | {large:.0} | {:.2} |",
            case.name,
            case.sizes[0],
            case.sizes[1],
            large / small
        );
    }
    Ok(())
}
