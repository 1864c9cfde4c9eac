//! The cases: one station of workers, closed users who think for 500 ms, or open arrivals.

use std::time::Instant;

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::simulation::Simulation;
use blis_sim::spec;

/// Who sends the requests of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    /// So many closed users with an exponential think time of 500 ms.
    Users(u32),
    /// Poisson arrivals, so many per second.
    PerSecond(u32),
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Who sends.
    pub senders: Senders,
    /// Workers of the station.
    pub workers: u32,
    /// Mean of the exponential service time.
    pub service_ns: u32,
    /// Timeout of the requests: long enough that none waits for it, which makes it pure overhead.
    pub timeout: &'static str,
    /// Requests of one timed run.
    pub requests: u64,
    /// The measured window starts then, in seconds, where a run checks its mean.
    pub warmup_s: u32,
}

/// All cases. B1 is saturated, with a response time of 24.5 s: a timeout of 5 s would end every request there.
pub const CASES: [Case; 5] = [
    Case {
        name: "A",
        senders: Senders::Users(50),
        workers: 4,
        service_ns: 10_000_000,
        timeout: "5s",
        requests: 3_000_000,
        warmup_s: 2,
    },
    Case {
        name: "B1",
        senders: Senders::Users(10_000),
        workers: 4,
        service_ns: 10_000_000,
        timeout: "60s",
        requests: 3_000_000,
        warmup_s: 50,
    },
    Case {
        name: "B2",
        senders: Senders::Users(10_000),
        workers: 4,
        service_ns: 160_000,
        timeout: "5s",
        requests: 4_000_000,
        warmup_s: 1,
    },
    Case {
        name: "C",
        senders: Senders::Users(1_000_000),
        workers: 4,
        service_ns: 1_600,
        timeout: "5s",
        requests: 6_000_000,
        warmup_s: 1,
    },
    Case {
        name: "D",
        senders: Senders::PerSecond(80),
        workers: 1,
        service_ns: 10_000_000,
        timeout: "5s",
        requests: 6_000_000,
        warmup_s: 10,
    },
];

/// The mean think time in nanoseconds.
pub const THINK_NS: u64 = 500_000_000;

/// The case of this name.
pub fn case(name: &str) -> Option<Case> {
    CASES.into_iter().find(|case| case.name == name)
}

/// What one run of the engine took and found.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    /// Wall seconds for reading the spec and creating the users.
    pub setup: f64,
    /// Wall seconds of the run.
    pub seconds: f64,
    /// Events simulated.
    pub events: u64,
    /// Mean response time in seconds of the requests intended after the warm-up.
    pub mean_response: f64,
    /// Requests answered per simulated second after the warm-up.
    pub throughput: f64,
}

impl Case {
    /// The case as a spec, with so many requests.
    pub fn spec(&self, requests: u64) -> String {
        let client = match self.senders {
            Senders::Users(users) => {
                format!("concurrency: {users}\n    think: {{exponential: {{mean: {THINK_NS}ns}}}}")
            }
            Senders::PerSecond(rate) => format!("rate: {rate}/s"),
        };
        format!(
            "blis: 1\nname: case-{}\nseed: 42\nrun:\n  requests: {requests}\n  warmup: {}s\nclients:\n  users:\n    \
             {client}\n    do: ask\n    timeout: {}\nactions:\n  ask: {{path: [{{visit: station}}, reply]}}\n\
             services:\n  station:\n    workers: {}\n    time: {{exponential: {{mean: {}ns}}}}\n",
            self.name.to_lowercase(),
            self.warmup_s,
            self.timeout,
            self.workers,
            self.service_ns
        )
    }

    /// The model of [`spec`](Self::spec), read and lowered like any other.
    pub fn model(&self, requests: u64) -> Model {
        let text = self.spec(requests);
        let read = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:?} in {text}"));
        spec::lower(&read)
            .unwrap_or_else(|errors| panic!("{errors:?} in {text}"))
            .model
    }

    /// Runs the engine on it, with everything measured that `blis run` measures.
    pub fn run(&self, requests: u64) -> Timed {
        let start = Instant::now();
        let model = self.model(requests);
        let mut simulation = Simulation::new(&model, Measure::new(&model));
        let setup = start.elapsed().as_secs_f64();
        let start = Instant::now();
        simulation.run().unwrap_or_else(|error| panic!("{error}"));
        let seconds = start.elapsed().as_secs_f64();
        let (events, intended) = (simulation.events(), simulation.intended());
        let mut measure = simulation.into_sink();
        measure
            .finish(intended)
            .unwrap_or_else(|error| panic!("{error}"));
        let total = measure.total();
        Timed {
            setup,
            seconds,
            events,
            mean_response: total
                .window
                .latencies
                .response()
                .mean_nanos()
                .unwrap_or(0.0)
                / 1e9,
            throughput: total.completed as f64 / measure.measured().as_secs_f64(),
        }
    }
}
