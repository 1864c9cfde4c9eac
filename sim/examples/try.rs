use blis_sim::{dist::Dist, engine::Simulation, measure::Measure, model::*, time::*};
use std::num::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let case = args[1].as_str();
    let requests: u64 = args[2].parse().unwrap();
    let (n, z, s, c) = match case {
        "A" => (50, 500e6, 10e6, 4),
        "B1" => (10_000, 500e6, 10e6, 4),
        "B2" => (10_000, 500e6, 0.16e6, 4),
        "C" => (1_000_000, 500e6, 1.6e3, 4),
        _ => (0, 12.5e6, 10e6, 1),
    };
    let source = if n > 0 {
        Source::Closed {
            concurrency: NonZeroU32::new(n).unwrap(),
            think: Dist::exponential(z).unwrap(),
        }
    } else {
        Source::Open {
            arrival: Arrival::Renewal {
                interarrival: Dist::exponential(z).unwrap(),
            },
            session: None,
        }
    };
    let model = Model {
        name: "x".into(),
        seed: 42,
        limits: Limits {
            requests: NonZeroU64::new(requests),
            horizon: None,
            warmup: Time::ZERO,
            drain: Span::from_secs(100),
        },
        clients: vec![Client {
            name: "users".into(),
            source,
            mix: Mix {
                shares: vec![(ActionId(0), 1.0)],
            },
            timeout: if case == "B1" {
                Some(Span::from_secs(50))
            } else {
                Some(Span::from_secs(5))
            },
            on_failure: OnFailure {
                retries: 0,
                backoff: Dist::ZERO,
                respawn: true,
            },
        }],
        actions: vec![Action {
            name: "ask".into(),
            entry: 0,
            slo: Slo::default(),
        }],
        services: vec![Service {
            name: "api".into(),
            members: NonZeroU32::new(1).unwrap(),
            workers: NonZeroU32::new(c).unwrap(),
            dispatch: Dispatch::Shared,
            time: Dist::exponential(s).unwrap(),
            queue_limit: None,
            errors: 0.0,
            on_timeout: OnTimeout::Stay,
        }],
        one_way: None,
        program: vec![Step::Visit(ServiceId(0)), Step::Reply, Step::End],
    };
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
    println!(
        "{case} setup {setup:.3} run {el:.3}s {:.1} ns/ev {:.2}M req/s events/req {:.4} meanR {:.6} ms X {:.3} now {:.3}s late {}",
        el * 1e9 / events as f64,
        requests as f64 / el / 1e6,
        events as f64 / intended as f64,
        tot.window.latencies.response().mean_nanos().unwrap() / 1e6,
        tot.completed as f64 / m.measured().as_secs_f64(),
        now.as_secs_f64(),
        m.late_replies()
    );
    if args.len() > 3 {
        return;
    }
    for _ in 0..2 {
        let k = if n > 0 {
            kernel::closed(n, z, s, c, requests)
        } else {
            kernel::open(z, s, requests)
        };
        println!(
            "  kernel {:.1} ns/ev  ratio {:.3}",
            k * 1e9 / (2.0 * requests as f64),
            k / el
        );
    }
}
mod kernel {
    use blis_sim::{dist::Dist, engine::Calendar, random::*, time::*};
    use hdrhistogram::Histogram;
    use std::collections::VecDeque;
    pub fn closed(n: u32, z: f64, s: f64, c: u32, requests: u64) -> f64 {
        let (think, service) = (Dist::exponential(z).unwrap(), Dist::exponential(s).unwrap());
        let tk = Key::new(42, Kind::Client, "users", Purpose::Think);
        let sk = Key::new(42, Kind::Service, "api", Purpose::Service);
        let mut cal: Calendar<(u32, bool)> = Calendar::new();
        let mut count = vec![0u64; n as usize];
        let mut sent = vec![Time::ZERO; n as usize];
        let mut line = VecDeque::new();
        let mut idle = c;
        let mut hist = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for u in 0..n {
            cal.push(
                Time::from_nanos((u as u64) * (z as u64) / n as u64),
                (u, false),
            );
        }
        let mut done = 0u64;
        let mut issued = 0u64;
        let t = std::time::Instant::now();
        while done < requests {
            let (now, (u, served)) = cal.pop().unwrap();
            if !served {
                if issued == requests {
                    continue;
                }
                issued += 1;
                sent[u as usize] = now;
                if idle > 0 {
                    idle -= 1;
                    let d = service.sample_span(&mut sk.draw(u64::from(u), count[u as usize]));
                    cal.push(now + d, (u, true));
                } else {
                    line.push_back(u);
                }
            } else {
                done += 1;
                hist.saturating_record(now.since(sent[u as usize]).as_nanos());
                let d = think.sample_span(&mut tk.draw(u64::from(u), count[u as usize]));
                count[u as usize] += 1;
                cal.push(now + d, (u, false));
                if let Some(v) = line.pop_front() {
                    let d = service.sample_span(&mut sk.draw(u64::from(v), count[v as usize]));
                    cal.push(now + d, (v, true));
                } else {
                    idle += 1;
                }
            }
        }
        let el = t.elapsed().as_secs_f64();
        std::hint::black_box(hist.mean());
        el
    }
    pub fn open(ia: f64, s: f64, requests: u64) -> f64 {
        let (think, service) = (
            Dist::exponential(ia).unwrap(),
            Dist::exponential(s).unwrap(),
        );
        let tk = Key::new(42, Kind::Client, "users", Purpose::Arrival);
        let sk = Key::new(42, Kind::Service, "api", Purpose::Service);
        let mut cal: Calendar<bool> = Calendar::new();
        let mut line: VecDeque<(Time, u64)> = VecDeque::new();
        let mut hist = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        cal.push(Time::ZERO + think.sample_span(&mut tk.draw(0, 1)), false);
        let mut done = 0u64;
        let mut issued = 0u64;
        let t = std::time::Instant::now();
        while done < requests {
            let (now, served) = cal.pop().unwrap();
            if !served {
                line.push_back((now, issued));
                if line.len() == 1 {
                    let d = service.sample_span(&mut sk.draw(issued, 0));
                    cal.push(now + d, true);
                }
                issued += 1;
                if issued < requests {
                    cal.push(now + think.sample_span(&mut tk.draw(0, issued + 1)), false);
                }
            } else {
                done += 1;
                let (at, _) = line.pop_front().unwrap();
                hist.saturating_record(now.since(at).as_nanos());
                if let Some(&(_, k)) = line.front() {
                    let d = service.sample_span(&mut sk.draw(k, 0));
                    cal.push(now + d, true);
                }
            }
        }
        let el = t.elapsed().as_secs_f64();
        std::hint::black_box(hist.mean());
        el
    }
}
