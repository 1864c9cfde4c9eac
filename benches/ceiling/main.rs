//! How often the interval of a ceiling holds the exact one.

mod models;

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Instant;

use blis_sim::model::Model;
use blis_sim::replication::{Flow, Watch, in_order};
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Eyes, Plan, search};
use blis_sim::search::{Ended, Found};
use models::{Case, Exact, cases};

fn one(case: &Case, seed: u64, precision: f64) -> Found {
    let plan = Plan {
        axis: case.axis,
        wanted: Wanted {
            start: case.start,
            range: None,
            precision,
            most_paths: 4096,
        },
        length: Given::default(),
        is_load: true,
        is_rate: case.is_rate,
        threads: NonZeroUsize::MIN,
    };
    let eyes = Eyes {
        watch: Watch {
            stop: &|| false,
            most_present: 10_000_000,
        },
        time_is_up: &|| false,
    };
    let model =
        |load: f64| -> Result<Model, std::convert::Infallible> { Ok(case.model(load, seed)) };
    let verbose = std::env::args().any(|arg| arg == "--progress");
    let mut see = |reached: blis_sim::search::simulated::Reached| {
        if verbose {
            eprintln!("{reached:?}");
        }
    };
    search(&model, plan, eyes, &mut see).unwrap_or_else(|why| panic!("{}: {why}", case.name))
}

pub fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str, usual: f64| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args[at + 1].parse().ok()).unwrap_or(usual)
    };
    let (seeds, precision) = (value("--seeds", 20.0) as u64, value("--precision", 0.01));
    let only = args
        .iter()
        .position(|arg| arg == "--only")
        .map(|at| args[at + 1].clone());
    for case in cases() {
        if only
            .as_ref()
            .is_some_and(|only| !case.name.contains(only.as_str()))
        {
            continue;
        }
        let start = Instant::now();
        let exact = case.exact.load();
        let rows = Mutex::new(Vec::new());
        let threads = NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN);
        in_order(
            seeds,
            threads,
            |seed, _| one(&case, seed + 1, precision),
            |_, found| {
                let requests: u64 = found.trials.iter().map(|trial| trial.ran.intended).sum();
                let paths = found
                    .trials
                    .iter()
                    .map(|trial| trial.paths)
                    .max()
                    .unwrap_or(0);
                let row = match &found.ended {
                    Ended::Ceiling(ceiling) => {
                        let [low, high] = ceiling.interval.unwrap_or([ceiling.load; 2]);
                        let held = match case.exact {
                            Exact::Whole(_) => low.floor() <= exact && exact <= high.floor(),
                            _ => low <= exact && exact <= high,
                        };
                        let near = match case.exact {
                            Exact::Whole(_) => {
                                (ceiling.load - exact).abs() <= (precision * exact).max(1.0)
                            }
                            _ => (ceiling.load / exact - 1.0).abs() <= precision,
                        };
                        (
                            held,
                            near,
                            ceiling.load / exact - 1.0,
                            (high - low) / 2.0 / exact,
                            ceiling.precise,
                            ceiling.cliff.is_some(),
                        )
                    }
                    other => {
                        eprintln!("{}: {other:?}", case.name);
                        (false, false, f64::NAN, f64::NAN, false, false)
                    }
                };
                if args.iter().any(|arg| arg == "--verbose") {
                    eprintln!("{row:?}");
                    for trial in &found.trials {
                        eprintln!(
                            "   {:10.3} paths {:4} requests {:9} {:?} {:?}",
                            trial.load,
                            trial.paths,
                            trial.ran.intended,
                            trial.judged.status,
                            trial
                                .judged
                                .shares
                                .first()
                                .map(|s| s.over as f64 / s.samples as f64 / s.allowed)
                        );
                    }
                }
                rows.lock()
                    .expect("no panic")
                    .push((row, requests, paths, found.trials.len()));
                Flow::GoOn
            },
        );
        let rows = rows.into_inner().expect("no panic");
        let number = rows.len() as f64;
        let share = |of: &dyn Fn(&(bool, bool, f64, f64, bool, bool)) -> bool| {
            rows.iter().filter(|row| of(&row.0)).count() as f64 / number * 100.0
        };
        let mean = |of: &dyn Fn(&(bool, bool, f64, f64, bool, bool)) -> f64| {
            rows.iter().map(|row| of(&row.0)).sum::<f64>() / number
        };
        let bias = mean(&|row| row.2);
        println!(
            "{:28} exact {exact:9.3} held {:5.1} near {:5.1} precise {:5.1} cliff {:5.1} bias {:+.3} % rms {:.3} % half {:.3} % requests {:.2} M paths {:.0} trials {:.1}  {:.1} s",
            case.name,
            share(&|row| row.0),
            share(&|row| row.1),
            share(&|row| row.4),
            share(&|row| row.5),
            bias * 100.0,
            mean(&|row| row.2 * row.2).sqrt() * 100.0,
            mean(&|row| row.3) * 100.0,
            rows.iter().map(|row| row.1 as f64).sum::<f64>() / number / 1e6,
            rows.iter().map(|row| row.2 as f64).sum::<f64>() / number,
            rows.iter().map(|row| row.3 as f64).sum::<f64>() / number,
            start.elapsed().as_secs_f64(),
        );
    }
}
