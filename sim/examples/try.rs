use blis_sim::{dist::Dist, engine::Simulation, measure::Measure, model::*, time::*};
use std::num::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let case = args[1].as_str();
    let requests: u64 = args[2].parse().unwrap();
    let (n, z, s, c) = match case { "A" => (50, 500e6, 10e6, 4), "B1" => (10_000, 500e6, 10e6, 4), "B2" => (10_000, 500e6, 0.16e6, 4), "C" => (1_000_000, 500e6, 1.6e3, 4), _ => (0, 12.5e6, 10e6, 1) };
    let source = if n > 0 { Source::Closed { concurrency: NonZeroU32::new(n).unwrap(), think: Dist::Exponential(z) } } else { Source::Open { arrival: Arrival::Renewal { interarrival: Dist::Exponential(z) }, session: None } };
    let model = Model { name: "x".into(), seed: 42, limits: Limits { requests: NonZeroU64::new(requests), horizon: None, warmup: Time::ZERO, drain: Span::from_secs(100) },
        clients: vec![Client { name: "users".into(), source, mix: Mix { shares: vec![(ActionId(0), 1.0)] }, timeout: if case=="B1" {Some(Span::from_secs(50))} else {Some(Span::from_secs(5))}, on_failure: OnFailure { retries: 0, backoff: Dist::Constant(0.0), respawn: true } }],
        actions: vec![Action { name: "ask".into(), entry: 0, slo: Slo::default() }],
        services: vec![Service { name: "api".into(), members: NonZeroU32::new(1).unwrap(), workers: NonZeroU32::new(c).unwrap(), dispatch: Dispatch::Shared, time: Dist::Exponential(s), queue_limit: None, errors: 0.0, on_timeout: OnTimeout::Stay }],
        one_way: None, program: vec![Step::Visit(ServiceId(0)), Step::Reply, Step::End] };
    let t = std::time::Instant::now();
    let mut sim = Simulation::new(&model, Measure::new(&model));
    let setup = t.elapsed().as_secs_f64();
    let t = std::time::Instant::now();
    sim.run().unwrap();
    let el = t.elapsed().as_secs_f64();
    let (events, intended, now) = (sim.events(), sim.intended(), sim.now());
    let mut m = sim.into_sink();
    m.finish(intended).unwrap();
    let tot = m.total();
    println!("{case} setup {setup:.3} run {el:.3}s {:.1} ns/ev {:.2}M req/s events/req {:.4} meanR {:.6} ms X {:.3} now {:.3}s late {}", el * 1e9 / events as f64, requests as f64 / el / 1e6, events as f64 / intended as f64, tot.latencies.response().mean_nanos().unwrap() / 1e6, tot.completed as f64 / m.measured().as_secs_f64(), now.as_secs_f64(), m.late_replies());
}
