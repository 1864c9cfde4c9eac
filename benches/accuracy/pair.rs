//! One pair: a spec observed on its double, and the same spec simulated.
//!
//! Both have the same seed, so that every request arrives at the same instant and has the same service time. What the live
//! world has besides is the way through the server. It is measured in the same run by a second client, whose requests
//! are answered at once; half of their median response is the simulation's `network.one_way`.

use serde_json::Value;

use crate::Pair;
use crate::programs::{Double, document, number};
use crate::server::Server;

/// The mean service time, in milliseconds.
const SERVICE_MS: f64 = 8.0;
/// Workers of the service.
const WORKERS: f64 = 4.0;
/// To how many every second request is broadcast.
const SUBSCRIBERS: u32 = 5;

/// What a pair is of.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub utilisation: f64,
    pub seconds: u64,
    pub seed: u64,
}

impl Setting {
    /// The load that takes this share of the workers' time.
    pub fn rate(self) -> f64 {
        self.utilisation * WORKERS * 1e3 / SERVICE_MS
    }

    fn spec(self) -> String {
        let Setting { seconds, seed, .. } = self;
        format!(
            "blis: 1\nname: accuracy\nseed: {seed}\nrun: {{horizon: {seconds}s, drain: 5s}}\nconnections: {{pool: 4}}\nclients:\n  \
             users: {{rate: {}/s, do: {{ask: 1, say: 1}}}}\n  echo: {{rate: 20/s, do: echo}}\nactions:\n  ask: {{path: [{{visit: \
             api}}, reply], live: {{request: accuracy.ask}}}}\n  say: {{path: [{{visit: api}}, {{emit: room}}, reply], await: \
             {{deliveries: {SUBSCRIBERS}}}, live: {{request: accuracy.say, delivery: {{subject: \
             \"blis.accuracy.fanout.room.*\"}}}}}}\n  echo: {{path: [reply], live: {{request: accuracy.echo}}}}\n\
             services:\n  api: {{workers: {WORKERS}, time: {{gamma: {{mean: {SERVICE_MS}ms, cv: 0.6}}}}}}\nfan_outs:\n  room: \
             {{subscribers: {SUBSCRIBERS}, delay: {{gamma: {{mean: 4ms, cv: 0.6}}}}}}\n",
            self.rate()
        )
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Requests that were answered.
    pub answered: u64,
    pub throughput: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    /// p50, p95 and p99 of the time to each delivery of a broadcast.
    pub each: [f64; 3],
    /// The same of the time to the last one.
    pub last: [f64; 3],
}

impl Figures {
    fn of(document: &Value) -> Result<Figures, String> {
        let figure = |pointer: &str| number(document, &format!("/actions/ask{pointer}"));
        let deliveries = |which: &str| -> Result<[f64; 3], String> {
            let quantile = |of: &str| number(document, &format!("/deliveries/say/{which}/{of}"));
            Ok([quantile("p50")?, quantile("p95")?, quantile("p99")?])
        };
        let missing = number(document, "/deliveries/say/missing")?;
        if missing > 0.0 {
            return Err(format!("{missing} deliveries are missing"));
        }
        Ok(Figures {
            each: deliveries("each_ms")?,
            last: deliveries("last_ms")?,
            answered: figure("/requests/ok")? as u64,
            throughput: figure("/throughput_rps")?,
            p50: figure("/latency_ms/response/p50")?,
            p95: figure("/latency_ms/response/p95")?,
            p99: figure("/latency_ms/response/p99")?,
        })
    }
}

/// Runs a pair.
pub fn run(server: &Server, setting: Setting) -> Result<Pair, String> {
    let path = server.folder().join("accuracy.yaml");
    std::fs::write(&path, setting.spec()).map_err(|why| why.to_string())?;
    let (path, url) = (path.display().to_string(), server.url());
    let double = Double::start(&["serve", "--url", &url, "--spec", &path, "--json", "--quiet"])?;
    let live = document(&[
        "observe", "--url", &url, "--spec", &path, "--json", "--quiet",
    ])?;
    let served = double.stop()?;
    let one_way = number(&live, "/actions/echo/latency_ms/response/p50")? / 2.0;
    let network = format!("network.one_way={one_way:.6}ms");
    let simulated = document(&["run", "--spec", &path, "--set", &network, "--json"])?;
    let late = |whose: &str| -> Result<[f64; 2], String> {
        Ok([
            number(&served, &format!("/{whose}/p50_us"))?,
            number(&served, &format!("/{whose}/p99_us"))?,
        ])
    };
    Ok(Pair {
        live: Figures::of(&live)?,
        simulated: Figures::of(&simulated)?,
        one_way,
        overrun: late("overrun")?,
        control: late("control")?,
    })
}
