//! How exactly open arrivals are sent to a real server: `cargo bench -p blis-live --bench pacing`.
//!
//! Open arrivals at several rates against an echo: lag and response, beside the lateness of an idle thread that keeps time
//! in the same run. Server, echo and load are processes of this machine; all of it is loopback and bounded in count and
//! time. Numbers after `--` are rates to be offered instead.

mod loopback;

use blis_live::run::recent_ends::Recent;
use loopback::{Bench, Failed, is_echo, micros, model, run};

/// Open arrivals per second.
const RATES: [u32; 4] = [1_000, 10_000, 50_000, 100_000];
/// How long each rate is offered.
const SECONDS: u32 = 5;

fn main() -> Result<(), Failed> {
    if is_echo()? {
        return Ok(());
    }
    let asked = std::env::args().filter_map(|word| word.parse().ok());
    let mut rates: Vec<u32> = asked.collect();
    if rates.is_empty() {
        rates.extend(RATES);
    }
    let bench = Bench::start()?;
    println!(
        "| offered/s | answered/s | lag p50 | lag p99 | jitter p50 | jitter p99 | response p50 | response p99 | CPUs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for rate in rates {
        offer(&bench.url, rate)?;
    }
    Ok(())
}

fn offer(url: &str, rate: u32) -> Result<(), Failed> {
    let model = model(&format!(
        "{{horizon: {SECONDS}s, warmup: 1s, drain: 5s}}, clients: {{load: {{rate: {rate}/s, do: ask, timeout: 5s}}}}"
    ))?;
    let observed = run(&model, url, || Ok(None::<Recent>))?;
    let total = observed.measure.total();
    let window = observed.measure.measured().as_secs_f64();
    let own = &observed.ended.own_lag;
    let control = &observed.seen.control;
    let response = total.window.latencies.response();
    let rows = observed.seen.rows.iter();
    let cpus = rows.filter_map(|row| row.process_cpus());
    println!(
        "| {rate} | {:.0} | {:.0} us | {:.0} us | {:.0} us | {:.0} us | {:.0} us | {:.0} us | {:.2} |",
        total.completed as f64 / window,
        micros(own, 0.5),
        micros(own, 0.99),
        micros(control, 0.5),
        micros(control, 0.99),
        micros(response, 0.5),
        micros(response, 0.99),
        cpus.fold(0.0, f64::max),
    );
    Ok(())
}
