//! How well models that nobody knows are found again from round trips alone.
//!
//! `cargo bench --bench blind_fits` draws specs of one to three services with fixed seeds, records each at six open loads of which the highest is
//! 87 % of what it carries, fits a spec to the records that has the same services and no right number, and prints by how much
//! capacity, unloaded response and the p95 at 70 % of the capacity are off. `-- --specs 60` is all of them, `--services 1` those
//! of one service. A fit that takes more than 180 s of processor time (`--limit`) is stopped and counts as not fitted.

#![allow(missing_docs, reason = "a bench has no public items to document")]

#[path = "../accuracy/programs.rs"]
#[allow(dead_code, reason = "another bench needs more of it")]
mod programs;

use std::process::{Command, ExitCode};
use std::time::Instant;

use programs::{any_document, document, number};
use serde_json::Value;

/// The loads that are recorded, as shares of the capacity.
const LOADS: [f64; 6] = [0.15, 0.35, 0.5, 0.65, 0.78, 0.87];
/// Requests of each.
const REQUESTS: f64 = 8000.0;
/// The share of the capacity at which the p95 is held against that of the hidden spec.
const JUDGED_AT: f64 = 0.7;
/// How long that is simulated, in requests.
const JUDGED_REQUESTS: f64 = 200_000.0;
/// A capacity that is further off is a miss.
const MISS: f64 = 0.05;

struct Options {
    specs: u64,
    services: Option<u64>,
    first: u64,
    /// Seconds of processor time that a fit may take.
    limit: u64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.parse().ok()
    };
    let options = Options {
        specs: value("--specs").unwrap_or(6),
        services: value("--services"),
        first: value("--first").unwrap_or(0),
        limit: value("--limit").unwrap_or(180),
    };
    match fit_all(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Numbers that are the same everywhere (Steele, Lea and Flood 2014, "SplitMix64").
struct Draws(u64);

impl Draws {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[((self.unit() * all.len() as f64) as usize).min(all.len() - 1)]
    }
}

/// A hidden spec.
struct Hidden {
    network_us: f64,
    services: Vec<(u64, f64, String)>,
}

impl Hidden {
    fn draw(seed: u64) -> Hidden {
        let mut draws = Draws(seed.wrapping_mul(7919));
        let services = (0..1 + seed % 3).map(|_| {
            let workers = draws.one_of(&[1, 2, 3, 4, 6, 8, 12]);
            let mean = draws.between(1.0, 20.0);
            let cv = draws.between(0.3, 1.4);
            let time = match draws.one_of(&[0, 1, 2, 3]) {
                0 => format!("{{gamma: {{mean: {mean:.3}ms, cv: {cv:.2}}}}}"),
                1 => format!("{{lognormal: {{mean: {mean:.3}ms, cv: {cv:.2}}}}}"),
                2 => format!("{{exponential: {{mean: {mean:.3}ms}}}}"),
                _ => format!("{mean:.3}ms"),
            };
            (workers, mean, time)
        });
        let services = services.collect();
        Hidden {
            services,
            network_us: draws.between(50.0, 2000.0),
        }
    }

    /// Requests per second.
    fn capacity(&self) -> f64 {
        let all = self.services.iter();
        all.map(|(workers, mean, _)| *workers as f64 * 1e3 / mean)
            .fold(f64::INFINITY, f64::min)
    }

    fn unloaded_ms(&self) -> f64 {
        let services: f64 = self.services.iter().map(|(_, mean, _)| mean).sum();
        2.0 * self.network_us / 1e3 + services
    }

    fn spec(&self) -> String {
        let service = |(nth, (workers, _, time)): (usize, &(u64, f64, String))| {
            format!("  s{nth}: {{workers: {workers}, time: {time}}}\n")
        };
        let services: String = self.services.iter().enumerate().map(service).collect();
        format!(
            "{}network: {{one_way: {:.1}us}}\nservices:\n{services}",
            head(self.services.len()),
            self.network_us
        )
    }

    /// A spec with the same services, of which nothing is known.
    fn guess(&self) -> String {
        let service = |nth: usize| {
            format!("  s{nth}: {{workers: 2, time: {{gamma: {{mean: 1ms, cv: 0.7}}}}}}\n")
        };
        let services: String = (0..self.services.len()).map(service).collect();
        format!("{}services:\n{services}", head(self.services.len()))
    }
}

fn head(services: usize) -> String {
    let visits: String = (0..services)
        .map(|nth| format!("{{visit: s{nth}}}, "))
        .collect();
    format!(
        "blis: 1\nname: hidden\nrun: {{horizon: 60s, drain: 60s}}\nclients: {{users: {{rate: 100/s, do: ask}}}}\nactions: {{ask: {{path: \
         [{visits}reply]}}}}\n"
    )
}

/// What is found of a hidden spec.
struct Found {
    name: String,
    errors: [f64; 3],
    is_inside: bool,
    is_told: bool,
    seconds: f64,
}

impl Found {
    fn is_missed(&self) -> bool {
        self.errors[0].abs() > MISS
    }
}

fn fit_all(options: &Options) -> Result<(), String> {
    println!("| spec | hidden | capacity | unloaded | p95 at 70 % | inside | told | time |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut all = Vec::new();
    let mut stopped = Vec::new();
    let seeds = (options.first..).filter(|seed| {
        options
            .services
            .is_none_or(|services| 1 + seed % 3 == services)
    });
    for seed in seeds.take(options.specs as usize) {
        let hidden = Hidden::draw(seed);
        let services = hidden.services.iter();
        let services: Vec<String> = services
            .map(|(workers, _, time)| format!("{workers} of {time}"))
            .collect();
        let services = services.join(", ");
        let Some(found) = fit(seed, &hidden, options.limit)? else {
            println!("| {seed} | {services} | not fitted | | | | | |");
            stopped.push(seed);
            continue;
        };
        let shown = |error: f64| format!("{:+.1} %", error * 100.0);
        let said = |is: bool| if is { "yes" } else { "no" };
        println!(
            "| {seed} | {services} | {} | {} | {} | {} | {} | {:.0} s |",
            shown(found.errors[0]),
            shown(found.errors[1]),
            shown(found.errors[2]),
            said(found.is_inside),
            said(found.is_told),
            found.seconds
        );
        all.push(found);
    }
    if !all.is_empty() {
        summary(&all);
    }
    let limit = options.limit;
    println!("\nnot fitted within {limit} s of processor time: {stopped:?}");
    Ok(())
}

fn summary(all: &[Found]) {
    for (nth, what) in ["capacity", "unloaded response", "p95 at 70 %"]
        .into_iter()
        .enumerate()
    {
        let mut errors: Vec<f64> = all.iter().map(|one| one.errors[nth].abs()).collect();
        errors.sort_by(f64::total_cmp);
        let at =
            |share: f64| errors[((errors.len() as f64 * share) as usize).min(errors.len() - 1)];
        let within = errors.iter().filter(|error| **error <= MISS).count();
        println!(
            "\n{what}: median error {:.1} %, 90 % within {:.1} %, {within} of {} within 5 %",
            at(0.5) * 100.0,
            at(0.9) * 100.0,
            errors.len()
        );
    }
    for (what, is) in [
        ("capacities missed", Found::is_missed as fn(&Found) -> bool),
        ("of these inside their interval", |one| {
            one.is_missed() && one.is_inside
        }),
        ("of these outside it, and declared not to be told", |one| {
            one.is_missed() && !one.is_inside && !one.is_told
        }),
        ("of these outside it, and said to be told", |one| {
            one.is_missed() && !one.is_inside && one.is_told
        }),
        ("all capacities outside their interval", |one| {
            !one.is_inside
        }),
    ] {
        let names = all.iter().filter(|one| is(one));
        let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
        println!("\n{what}: {} ({})", names.len(), names.join(", "));
    }
}

/// The document of a fit; `None` where it took more than this many seconds of processor time.
fn calibrated(words: &[&str], limit: u64) -> Result<Option<Value>, String> {
    let limit = limit.to_string();
    let shell = ["-c", "ulimit -S -t \"$0\" && exec \"$@\"", &limit];
    let mut command = Command::new("sh");
    command.args(shell).arg(env!("CARGO_BIN_EXE_blis"));
    let output = command
        .args(words)
        .output()
        .map_err(|why| why.to_string())?;
    match output.status.code() {
        // Ended by the signal of the limit.
        None => Ok(None),
        Some(0) => {
            let document = serde_json::from_slice(&output.stdout);
            document.map(Some).map_err(|why| why.to_string())
        }
        Some(_) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Records the hidden spec, fits to it, and holds the fit against it; `None` where the fit took too long.
fn fit(seed: u64, hidden: &Hidden, limit: u64) -> Result<Option<Found>, String> {
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let write = |name: &str, text: &str| -> Result<String, String> {
        let path = folder.path().join(name);
        std::fs::write(&path, text).map_err(|why| why.to_string())?;
        Ok(path.display().to_string())
    };
    let (spec, guess) = (
        write("hidden.yaml", &hidden.spec())?,
        write("guess.yaml", &hidden.guess())?,
    );
    let capacity = hidden.capacity();
    let mut runs = Vec::new();
    for (nth, share) in LOADS.iter().enumerate() {
        let out = folder.path().join(nth.to_string()).display().to_string();
        let rate = share * capacity;
        let seconds = REQUESTS / rate;
        document(&[
            "run",
            "--spec",
            &spec,
            "--set",
            &format!("clients.users.rate={rate:.3}/s"),
            "--seed",
            &(1000 * (seed + 1) + nth as u64).to_string(),
            "--horizon",
            &format!("{seconds:.3}s"),
            "--warmup",
            &format!("{:.3}s", 0.05 * seconds),
            "--out",
            &out,
            "--record",
            "--json",
        ])?;
        runs.push(out);
    }
    let fitted = folder.path().join("fitted.yaml").display().to_string();
    let mut words = vec!["calibrate"];
    words.extend(runs.iter().map(String::as_str));
    words.extend(["--spec", &guess, "--output", &fitted, "--json", "--quiet"]);
    let begun = Instant::now();
    let Some(found) = calibrated(&words, limit)? else {
        return Ok(None);
    };
    let seconds = begun.elapsed().as_secs_f64();
    let [measured, predicted] = [spec.as_str(), fitted.as_str()].map(|spec| p95(spec, capacity));
    let follows = |name: &str| -> Result<&Value, String> {
        let all = found["follows"].as_array().ok_or("follows is no list")?;
        let one = all.iter().find(|one| one["name"] == name);
        one.ok_or_else(|| format!("no {name}"))
    };
    let known = follows("capacity")?;
    let off = |name: &str, truth: f64| -> Result<f64, String> {
        Ok(number(follows(name)?, "/value")? / truth - 1.0)
    };
    Ok(Some(Found {
        name: seed.to_string(),
        errors: [
            off("capacity", capacity)?,
            off("unloaded_response", hidden.unloaded_ms())?,
            predicted? / measured? - 1.0,
        ],
        is_inside: number(known, "/ci95/0")? <= capacity && capacity <= number(known, "/ci95/1")?,
        is_told: known["told"] == true,
        seconds,
    }))
}

/// The p95 of a spec where it is judged, in milliseconds.
fn p95(spec: &str, capacity: f64) -> Result<f64, String> {
    let rate = JUDGED_AT * capacity;
    let seconds = JUDGED_REQUESTS / rate;
    let words = [
        "run",
        "--spec",
        spec,
        "--set",
        &format!("clients.users.rate={rate:.3}/s"),
        "--horizon",
        &format!("{seconds:.3}s"),
        "--warmup",
        &format!("{:.3}s", 0.05 * seconds),
        "--seed",
        "4242",
        "--json",
    ];
    number(&any_document(&words)?, "/latency_ms/response/p95")
}
