//! One pair: a spec observed on its double, and what is predicted for it.
//!
//! The live run is recorded, and its requests are replayed with the members and service times that it had; where a reply does not say
//! them, the spec is simulated with the same seed. Either way requests arrive at the same instants and have the same service times. What
//! the live world has besides is the way through the server. It is measured in the same run by a second client, whose requests
//! are answered at once; half of their median response is the `network.one_way` of the prediction.

use serde_json::Value;

use crate::models::{CEILING, Figure, Modelled, Predicted};
use crate::programs::{Double, document, number};
use crate::server::Server;

/// What a pair is of.
#[derive(Clone, Copy)]
pub struct Setting<'m> {
    pub model: &'m Modelled,
    /// The share of the ceiling that the load is.
    pub load: f64,
    pub seconds: u64,
    pub seed: u64,
}

/// Throughput, p50, p95 and p99.
pub type Figures = [f64; 4];

/// Figures of both worlds.
pub struct Pair {
    /// As many as the model names.
    pub measured: Vec<Figures>,
    pub predicted: Vec<Figures>,
    /// The one-way delay of the network that the prediction was given, in milliseconds.
    pub one_way: f64,
    /// How late the double's timers were, and those of an idle thread beside it: p50 and p99 in microseconds.
    pub overrun: [f64; 2],
    pub control: [f64; 2],
}

fn figures(model: &Modelled, document: &Value) -> Result<Vec<Figures>, String> {
    if let Ok(missing) = number(document, "/deliveries/ask/missing")
        && missing > 0.0
    {
        return Err(format!("{missing} deliveries are missing"));
    }
    let of = |figure: &Figure| {
        let quantile = |which| number(document, &format!("{}/{which}", figure.quantiles));
        Ok([
            number(document, figure.throughput)?,
            quantile("p50")?,
            quantile("p95")?,
            quantile("p99")?,
        ])
    };
    model.figures.iter().map(of).collect()
}

/// Runs a pair.
pub fn run(server: &Server, setting: Setting<'_>) -> Result<Pair, String> {
    let Setting { model, load, .. } = setting;
    let folder = tempfile::tempdir_in(server.folder()).map_err(|why| why.to_string())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (spec, out, url) = (path("accuracy.yaml"), path("live"), server.url());
    let text = model.spec(load * CEILING, setting.seconds, setting.seed);
    std::fs::write(&spec, text).map_err(|why| why.to_string())?;
    let double = Double::start(&["serve", "--url", &url, "--spec", &spec, "--json", "--quiet"])?;
    let live = document(&[
        "observe", "--url", &url, "--spec", &spec, "--json", "--quiet", "--out", &out,
    ])?;
    let served = double.stop()?;
    let one_way = number(&live, "/actions/echo/latency_ms/response/p50")? / 2.0;
    let network = format!("network.one_way={one_way:.6}ms");
    let again: &[&str] = match model.predicted {
        Predicted::Replayed => &["replay", &out, "--recorded", "member,service"],
        Predicted::Simulated => &["run", "--spec", &spec],
    };
    let predicted = document(&[again, &["--set", &network, "--json"]].concat())?;
    let late = |whose: &str| -> Result<[f64; 2], String> {
        Ok([
            number(&served, &format!("/{whose}/p50_us"))?,
            number(&served, &format!("/{whose}/p99_us"))?,
        ])
    };
    Ok(Pair {
        measured: figures(model, &live)?,
        predicted: figures(model, &predicted)?,
        one_way,
        overrun: late("overrun")?,
        control: late("control")?,
    })
}
