//! The models that are played and predicted: small ones, each with one thing that a backend can do.
//!
//! Each serves four requests at a time and is busy with each of them for 8 ms on average, so that all have the same ceiling.

/// The mean service time, in milliseconds.
const SERVICE_MS: f64 = 8.0;
/// How many requests are served at a time.
const WORKERS: f64 = 4.0;
/// What each model can answer at most, a second.
pub const CEILING: f64 = WORKERS * 1e3 / SERVICE_MS;

/// A model.
pub struct Modelled {
    pub name: &'static str,
    /// What its users choose from.
    mix: &'static str,
    actions: &'static str,
    /// Services, streams and fan-outs.
    parts: &'static str,
    pub predicted: Predicted,
    pub figures: &'static [Figure],
}

/// Where predictions come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Predicted {
    /// The live run is replayed with its members and service times.
    Replayed,
    /// The spec is simulated with the same seed: a reply does not say where a consumer worked on a message.
    Simulated,
}

impl Predicted {
    pub fn name(self) -> &'static str {
        match self {
            Predicted::Replayed => "replayed",
            Predicted::Simulated => "simulated",
        }
    }
}

/// Figures that stand together in a document.
pub struct Figure {
    /// Of what they are, where there are others.
    pub of: &'static str,
    pub throughput: &'static str,
    pub quantiles: &'static str,
}

const ASK: Figure = Figure {
    of: "",
    throughput: "/actions/ask/throughput_rps",
    quantiles: "/actions/ask/latency_ms/response",
};
const ASKING: &str = "ask: {path: [{visit: api}, reply], live: {request: accuracy.ask}}";
const PUBLISHING: &str =
    "ask: {path: [{publish: {stream: jobs, subject: jobs.new}}], live: {request: accuracy.ask}}";

pub const MODELS: [Modelled; 8] = [
    Modelled {
        name: "one service: one member with four workers",
        mix: "ask",
        actions: ASKING,
        parts: "services: {api: {workers: 4, time: {gamma: {mean: 8ms, cv: 0.6}}}}",
        predicted: Predicted::Replayed,
        figures: &[ASK],
    },
    Modelled {
        name: "four members with one worker each",
        mix: "ask",
        actions: ASKING,
        parts: "services: {api: {members: 4, workers: 1, time: {gamma: {mean: 8ms, cv: 0.6}}}}",
        predicted: Predicted::Replayed,
        figures: &[ASK],
    },
    Modelled {
        name: "three services in a row",
        mix: "ask",
        actions: "ask: {path: [{visit: api}, {visit: cache}, {visit: db}, reply], live: {request: accuracy.ask}}",
        parts: "services: {api: {workers: 4, time: {gamma: {mean: 4ms, cv: 0.6}}}, cache: {workers: 2, time: {gamma: {mean: 2ms, \
                cv: 0.6}}}, db: {workers: 4, time: {gamma: {mean: 8ms, cv: 0.6}}}}",
        predicted: Predicted::Replayed,
        figures: &[ASK],
    },
    Modelled {
        name: "a worker held during another visit",
        mix: "ask",
        actions: "ask: {path: [{visit: {service: api, during: [{visit: db}]}}, reply], live: {request: accuracy.ask}}",
        parts: "services: {api: {workers: 4, time: {gamma: {mean: 4ms, cv: 0.6}}}, db: {workers: 8, time: {gamma: {mean: 4ms, cv: \
                0.6}}}}",
        predicted: Predicted::Replayed,
        figures: &[ASK],
    },
    Modelled {
        name: "a stream with a pull consumer",
        mix: "ask",
        actions: PUBLISHING,
        parts: "streams: {jobs: {consumers: {worker: {service: api, during: [reply]}}}}\nservices: {api: {workers: 4, time: {gamma: \
                {mean: 8ms, cv: 0.6}}}}",
        predicted: Predicted::Simulated,
        figures: &[ASK],
    },
    Modelled {
        name: "a stream with a window of four messages",
        mix: "ask",
        actions: PUBLISHING,
        parts: "streams: {jobs: {consumers: {worker: {service: api, max_ack_pending: 4, prefetch: 8, during: [reply]}}}}\nservices: \
                {api: {workers: 8, time: {gamma: {mean: 8ms, cv: 0.6}}}}",
        predicted: Predicted::Simulated,
        figures: &[ASK],
    },
    Modelled {
        name: "a fan-out to 20",
        mix: "ask",
        actions: "ask: {path: [{visit: api}, {emit: room}, reply], await: {deliveries: 20}, live: {request: accuracy.ask, delivery: \
                  {subject: \"blis.accuracy.fanout.room.*\"}}}",
        parts: "services: {api: {workers: 4, time: {gamma: {mean: 8ms, cv: 0.6}}}}\nfan_outs: {room: {subscribers: 20, delay: {gamma: \
                {mean: 4ms, cv: 0.6}}}}",
        predicted: Predicted::Replayed,
        figures: &[
            Figure {
                of: "each delivery",
                quantiles: "/deliveries/ask/each_ms",
                ..ASK
            },
            Figure {
                of: "last delivery",
                quantiles: "/deliveries/ask/last_ms",
                ..ASK
            },
        ],
    },
    Modelled {
        name: "a queue with priorities",
        mix: "{urgent: 1, bulk: 2}",
        actions: "urgent: {class: soon, path: [{visit: api}, reply], live: {request: accuracy.urgent}}\n  \
                  bulk: {class: later, path: [{visit: api}, reply], live: {request: accuracy.bulk}}",
        parts: "services: {api: {workers: 4, time: {gamma: {mean: 8ms, cv: 0.6}}, queue: {order: {priority: {classes: [soon, \
                later]}}}}}",
        predicted: Predicted::Replayed,
        figures: &[
            Figure {
                of: "urgent",
                throughput: "/actions/urgent/throughput_rps",
                quantiles: "/actions/urgent/latency_ms/response",
            },
            Figure {
                of: "bulk",
                throughput: "/actions/bulk/throughput_rps",
                quantiles: "/actions/bulk/latency_ms/response",
            },
        ],
    },
];

impl Modelled {
    /// The spec of a run of so many seconds at so many requests a second. A second client asks for what is answered at once, which
    /// measures the way through the server.
    pub fn spec(&self, rate: f64, seconds: u64, seed: u64) -> String {
        let Modelled {
            mix,
            actions,
            parts,
            ..
        } = self;
        format!(
            "blis: 1\nname: accuracy\nseed: {seed}\nrun: {{horizon: {seconds}s, drain: 5s}}\nconnections: {{pool: 4}}\nclients:\n  \
             users: {{rate: {rate}/s, do: {mix}}}\n  echo: {{rate: 20/s, do: echo}}\nactions:\n  {actions}\n  echo: {{path: [reply], \
             live: {{request: accuracy.echo}}}}\n{parts}\n"
        )
    }
}
