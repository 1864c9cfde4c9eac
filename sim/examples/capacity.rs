//! How the p99 of a service grows with its load, and which load is too much.
//!
//! `cargo run --release -p blis-sim --example capacity`

use std::error::Error;

fn spec(rate: f64) -> String {
    format!(
        "
blis: 1
name: checkout
run: {{horizon: 120s, warmup: 10s}}
clients: {{shoppers: {{rate: {rate}/s, do: order}}}}
actions: {{order: {{path: [{{visit: api}}, reply], slo: {{p99: 80ms}}}}}}
services: {{api: {{workers: 4, time: {{lognormal: {{mean: 10ms, cv: 0.8}}}}}}}}
"
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("requests/s  utilisation  p99 ms  verdict");
    for rate in [100.0, 200.0, 300.0, 350.0, 380.0] {
        let run = blis_sim::simulate(&spec(rate))?;
        let p99 = run.latency_ms.response.p99.unwrap_or(f64::NAN);
        let busy = run.services["api"].utilisation.unwrap_or(f64::NAN);
        let verdict = run.verdict.as_ref().map(|verdict| verdict.status);
        println!("{rate:10}  {busy:11.2}  {p99:6.1}  {verdict:?}");
    }
    Ok(())
}
