//! How often the interval of a ceiling holds the exact one, and what it costs beside a plain bisection.
//!
//! ```sh
//! cargo bench --bench ceiling -- --seeds 400                     # every model
//! cargo bench --bench ceiling -- --seeds 40 --only M/M/1 --bisection
//! ```

mod bisection;
mod models;

use std::num::NonZeroUsize;

use blis_sim::model::Model;
use blis_sim::replication::{Flow, Watch, in_order};
use blis_sim::search::Eyes;
use blis_sim::search::length::Given;
use blis_sim::search::roots::Wanted;
use blis_sim::search::simulated::{Plan, Reached, search};
use blis_sim::search::{Ended, Found};
use models::{Case, Exact, cases};

/// What is asked for on the command line.
struct Args {
    seeds: u64,
    precision: f64,
    only: String,
    bisection: bool,
    verbose: bool,
}

impl Args {
    fn read() -> Args {
        let args: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1).cloned()
        };
        let number = |name: &str, usual: f64| {
            value(name).map_or(usual, |text| text.parse().expect("a number"))
        };
        let flag = |name: &str| args.iter().any(|arg| arg == name);
        Args {
            seeds: number("--seeds", 20.0) as u64,
            precision: number("--precision", 0.02),
            only: value("--only").unwrap_or_default(),
            bisection: flag("--bisection"),
            verbose: flag("--verbose"),
        }
    }
}

/// What came of one search.
struct Row {
    /// Whether the interval holds the exact ceiling.
    held: bool,
    /// Whether the answer is within the precision of it.
    near: bool,
    /// The answer over the exact ceiling, less 1.
    off: f64,
    /// Half the interval over the exact ceiling.
    half: f64,
    /// Requests simulated, and the most paths of a load.
    requests: u64,
    paths: u64,
}

/// The rows of a case.
struct Rows(Vec<Row>);

impl Rows {
    fn mean(&self, of: impl Fn(&Row) -> f64) -> f64 {
        self.0.iter().map(of).sum::<f64>() / self.0.len() as f64
    }

    fn percent(&self, of: impl Fn(&Row) -> bool) -> f64 {
        100.0 * self.mean(|row| f64::from(u8::from(of(row))))
    }

    fn rms(&self) -> f64 {
        self.mean(|row| row.off * row.off).sqrt()
    }
}

fn found(case: &Case, seed: u64, precision: f64) -> Found {
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
    search(&model, plan, eyes, &mut |_: Reached| {})
        .unwrap_or_else(|why| panic!("{}: {why}", case.name))
}

fn row(case: &Case, seed: u64, args: &Args) -> Row {
    let found = found(case, seed, args.precision);
    if args.verbose {
        for trial in &found.trials {
            let requests = trial.ran.intended;
            eprintln!("{:12.3} {:4} paths {requests:9}", trial.load, trial.paths);
        }
    }
    let requests = found.trials.iter().map(|trial| trial.ran.intended).sum();
    let paths = found.trials.iter().map(|trial| trial.paths).max();
    let exact = case.exact.load();
    let Ended::Ceiling(ceiling) = &found.ended else {
        panic!("{}: {:?}", case.name, found.ended);
    };
    let [low, high] = ceiling.interval.expect("an interval");
    let off = ceiling.load - exact;
    let (held, near) = match case.exact {
        Exact::Whole(_) => (
            low.floor() <= exact && exact <= high.floor(),
            off.abs() <= (args.precision * exact).max(1.0),
        ),
        Exact::Continuous(_) | Exact::Cliff(_) => (
            low <= exact && exact <= high,
            off.abs() <= args.precision * exact,
        ),
    };
    Row {
        held,
        near,
        off: off / exact,
        half: (high - low) / 2.0 / exact,
        requests,
        paths: paths.unwrap_or(0),
    }
}

fn main() {
    let args = Args::read();
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    println!(
        "| model | exact | held | within precision | bias | RMS | half interval | requests | paths |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut held, mut all) = (0.0, 0.0);
    for case in cases() {
        if !case.name.contains(&args.only) {
            continue;
        }
        let mut rows = Rows(Vec::new());
        in_order(
            args.seeds,
            threads,
            |seed, _| row(&case, seed + 1, &args),
            |_, row| {
                rows.0.push(row);
                Flow::GoOn
            },
        );
        let requests = rows.mean(|row| row.requests as f64);
        println!(
            "| {} | {:.3} | {:.1} % | {:.1} % | {:+.3} % | {:.3} % | {:.3} % | {:.2} M | {:.0} |",
            case.name,
            case.exact.load(),
            rows.percent(|row| row.held),
            rows.percent(|row| row.near),
            100.0 * rows.mean(|row| row.off),
            100.0 * rows.rms(),
            100.0 * rows.mean(|row| row.half),
            requests / 1e6,
            rows.mean(|row| row.paths as f64),
        );
        if matches!(case.exact, Exact::Continuous(_)) {
            held += rows.percent(|row| row.held);
            all += 1.0;
        }
        if args.bisection {
            bisection::beside(&case, args.seeds, args.precision, rows.rms(), requests);
        }
    }
    println!("\ncontinuous cases together: {:.1} % held", held / all);
}
