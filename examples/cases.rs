//! Runs one case of the engine's bench once and prints what it took as one line of JSON, for
//! `benches/peers/run`: `cargo run --release --example cases -- CASE REQUESTS`.

#[path = "../benches/engine/cases.rs"]
mod cases;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let case = words.next().and_then(|name| cases::case(&name));
    let requests = words.next().and_then(|count| count.parse().ok());
    let (Some(case), Some(requests)) = (case, requests) else {
        let known: Vec<&str> = cases::CASES.iter().map(|case| case.name).collect();
        eprintln!("usage: cases CASE REQUESTS; cases: {}", known.join(" "));
        return ExitCode::from(2);
    };
    let timed = case.run(requests);
    let line = serde_json::json!({
        "case": case.name,
        "requests": requests,
        "seconds": timed.seconds,
        "setup_seconds": timed.setup,
        "mean_response_s": timed.mean_response,
        "throughput_rps": timed.throughput,
        "warmup_s": case.warmup_s,
        "peak_mb": cases::peak_mb(),
    });
    println!("{line}");
    ExitCode::SUCCESS
}
