//! How exactly, and how fast, requests are sent to a real server: `cargo bench -p blis-live --bench pacing`.
//!
//! Open arrivals at several rates against an echo: lag and response, beside the lateness of an idle thread that keeps time
//! in the same run. Then closed users without think time beside two loops on the same client library, in turns: the plain
//! one of `client.request()`, and the bare one, which is the least that can be done for the same requests. Server, echo and
//! load are processes of this machine; all of it is loopback and bounded in count and time. `-- open` and `-- closed` run
//! one of the two.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use blis_live::generator::driver::{Progress, Watch};
use blis_live::observers::Wanted;
use blis_live::run::observe::{Besides, observe};
use blis_live::run::observed::{Connected, Heard, Observed};
use blis_live::run::recent_ends::Recent;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_sim::event::Outcome;
use blis_sim::measure::Times;
use blis_sim::model::{Model, REQUEST_ID};
use blis_sim::spec;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::runtime::Builder;

type Failed = Box<dyn Error>;

/// Open arrivals per second.
const RATES: [u32; 3] = [1_000, 10_000, 50_000];
/// How long each rate is offered.
const SECONDS: u32 = 5;
/// Requests in flight of closed users.
const IN_FLIGHT: [u32; 2] = [50, 200];
/// Requests of each turn.
const REQUESTS: u64 = 100_000;
/// Turns of each kind.
const TURNS: usize = 5;
const SUBJECT: &str = "bench.echo";
/// The bytes of each request.
const BYTES: usize = 128;

fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "echo") {
        return echo(words.get(at + 1).ok_or("echo URL")?);
    }
    let server = Server::start()?;
    let _echo = Process::start(
        Command::new(std::env::current_exe()?).args(["echo", &server.url]),
        "ready",
    )?;
    let only = |part: &str| {
        let other = ["open", "closed"].into_iter().find(|other| *other != part);
        !words.iter().any(|word| Some(word.as_str()) == other)
    };
    if only("open") {
        open_arrivals(&server.url)?;
    }
    if only("closed") {
        closed_users(&server.url)?;
    }
    Ok(())
}

fn open_arrivals(url: &str) -> Result<(), Failed> {
    println!(
        "| offered/s | answered/s | lag p50 | lag p99 | jitter p50 | jitter p99 | response p50 | response p99 | CPUs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for rate in RATES {
        let model = model(&format!(
            "{{horizon: {SECONDS}s, warmup: 1s, drain: 5s}}, clients: {{load: {{rate: {rate}/s, do: ask, timeout: 5s}}}}"
        ))?;
        let observed = run(&model, url)?;
        let total = observed.measure.total();
        let window = observed.measure.measured().as_secs_f64();
        let own = &observed.ended.own_lag;
        let cpus = observed
            .seen
            .rows
            .iter()
            .filter_map(|row| row.process_cpus());
        println!(
            "| {rate} | {:.0} | {} | {} | {} | {} | {} | {} | {:.2} |",
            total.completed as f64 / window,
            micros(own, 0.5),
            micros(own, 0.99),
            micros(&observed.seen.control, 0.5),
            micros(&observed.seen.control, 0.99),
            micros(total.window.latencies.response(), 0.5),
            micros(total.window.latencies.response(), 0.99),
            cpus.fold(0.0, f64::max),
        );
    }
    println!();
    Ok(())
}

fn closed_users(url: &str) -> Result<(), Failed> {
    println!(
        "Requests/s: medians of {TURNS} turns; ratios turn by turn with the least and the largest.\n"
    );
    println!("| in flight | of what | requests/s | blis / it |");
    println!("|---:|---|---:|---:|");
    for users in IN_FLIGHT {
        let model = model(&format!(
            "{{requests: {REQUESTS}, drain: 5s}}, connections: shared, clients: {{load: {{concurrency: {users}, do: ask}}}}"
        ))?;
        let mut ours = Vec::new();
        let (mut plain, mut with_id) = (Vec::new(), Vec::new());
        let (mut bare, mut bare_unlike) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            plain.push(plain_loop(url, users, false)?);
            bare.push(bare_loop(url, users, false)?);
            bare_unlike.push(bare_loop(url, users, true)?);
            let observed = run(&model, url)?;
            let answered = observed.measure.total().requests().ended(Outcome::Ok);
            if answered != REQUESTS {
                return Err(format!("{answered} of {REQUESTS} requests were answered").into());
            }
            ours.push(REQUESTS as f64 / observed.ended.at.as_secs_f64());
            with_id.push(plain_loop(url, users, true)?);
        }
        println!("| {users} | `blis observe` | {:.0} | |", median(&ours));
        for (name, theirs) in [
            ("plain loop", &plain),
            ("plain loop with the id in a header", &with_id),
            ("bare loop", &bare),
            ("bare loop, no two replies with one subject", &bare_unlike),
        ] {
            let (requests, ratio) = (median(theirs), ratio(&ours, theirs));
            println!("| {users} | {name} | {requests:.0} | {ratio} |");
        }
    }
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The ratios turn by turn: median, least and largest.
fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .map(|(one, other)| one / other)
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = ratios.iter().copied().fold(0.0, f64::max);
    format!("{:.2} ({least:.2} to {largest:.2})", median(&ratios))
}

fn micros(times: &Times, quantile: f64) -> String {
    let span = times.quantile(quantile);
    span.map_or("-".to_owned(), |span| {
        format!("{:.0} us", span.as_millis_f64() * 1e3)
    })
}

fn model(parts: &str) -> Result<Model, Failed> {
    let text = format!(
        "{{blis: 1, name: pacing, run: {parts}, actions: {{ask: {{path: [reply], payload: {{size: {BYTES}B}}, live: {{request: {SUBJECT}}}}}}}}}"
    );
    let told = |errors: spec::SpecErrors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    };
    let spec = spec::read(&text).map_err(told)?;
    Ok(spec::lower(&spec).map_err(told)?.model)
}

fn run(model: &Model, url: &str) -> Result<Observed<Option<Recent>>, Failed> {
    let target = check(url, false, &Permission::default())?;
    let mut show = |_: Progress, _: &mut Heard| ();
    let watch = Watch {
        stop: &|| false,
        enough: &|| false,
        show: &mut show,
    };
    let besides = Besides {
        wanted: Wanted::default(),
        warn: &|_| (),
        begin: |_: &Connected| Ok(None),
    };
    let mut observed = observe(model, &target, &Access::default(), besides, watch)?;
    observed.measure.finish(observed.ended.intended)?;
    Ok(observed)
}

/// The rate of as many tasks as there are to be requests in flight, each of which asks again when it is answered.
fn plain_loop(url: &str, tasks: u32, with_id: bool) -> Result<f64, Failed> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = async_nats::connect(url).await?;
        let asked = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let mut running = Vec::new();
        for user in 0..tasks {
            let asked = Arc::clone(&asked);
            running.push(tokio::spawn(ask(client.clone(), asked, user, with_id)));
        }
        for task in running {
            task.await?.map_err(|why| why.to_string())?;
        }
        Ok(REQUESTS as f64 / began.elapsed().as_secs_f64())
    })
}

async fn ask(
    client: Client,
    asked: Arc<AtomicU64>,
    user: u32,
    with_id: bool,
) -> Result<(), async_nats::RequestError> {
    let mut number = 0;
    let payload = Bytes::from(vec![b'x'; BYTES]);
    while asked.fetch_add(1, Ordering::Relaxed) < REQUESTS {
        let mut request = async_nats::Request::new().payload(payload.clone());
        if with_id {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(REQUEST_ID, format!("load/{user}/{number}/0"));
            request = request.headers(headers);
            number += 1;
        }
        client.send_request(SUBJECT, request).await?;
    }
    Ok(())
}

/// The rate of one task on one thread with one inbox, which asks again for every answer that is there: as many requests in
/// flight, none of them measured, without headers. The subject of a reply says the slot of its request, and where they are to
/// be unlike which request of the slot it is, without which nobody knows a late reply.
fn bare_loop(url: &str, in_flight: u32, unlike: bool) -> Result<f64, Failed> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = ConnectOptions::new().subscription_capacity(1 << 20);
        let client = options.connect(url).await?;
        let inbox = client.new_inbox();
        let mut replies = client.subscribe(format!("{inbox}.*")).await?;
        client.flush().await?;
        let reply = |slot: u32, number: u64| match unlike {
            true => format!("{inbox}.{slot}-{number}"),
            false => format!("{inbox}.{slot}"),
        };
        let payload = Bytes::from(vec![b'x'; BYTES]);
        let began = Instant::now();
        let mut asked = 0;
        for slot in 0..in_flight {
            let (reply, payload) = (reply(slot, asked), payload.clone());
            client.publish_with_reply(SUBJECT, reply, payload).await?;
            asked += 1;
        }
        let mut answered = 0;
        while answered < REQUESTS {
            let mut next = replies.next().await;
            while let Some(message) = next {
                answered += 1;
                let slot = message.subject.get(inbox.len() + 1..).ok_or("no slot")?;
                let slot = slot.split('-').next().unwrap_or_default().parse()?;
                if asked < REQUESTS {
                    let (reply, payload) = (reply(slot, asked), payload.clone());
                    client.publish_with_reply(SUBJECT, reply, payload).await?;
                    asked += 1;
                }
                next = replies.next().now_or_never().flatten();
            }
        }
        Ok(REQUESTS as f64 / began.elapsed().as_secs_f64())
    })
}

/// Answers every request with nothing, until the process is ended.
fn echo(url: &str) -> Result<(), Failed> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = async_nats::connect(url).await?;
        let mut requests = client.subscribe(SUBJECT).await?;
        client.flush().await?;
        eprintln!("ready");
        while let Some(message) = requests.next().await {
            if let Some(reply) = message.reply {
                client.publish(reply, "".into()).await?;
            }
        }
        Ok(())
    })
}

/// A process that is ended with the value.
struct Process(Child);

impl Process {
    /// Starts it, and waits until it says that it is ready.
    fn start(command: &mut Command, ready: &str) -> Result<Process, Failed> {
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let log = child.stderr.take().ok_or("no log")?;
        let process = Process(child);
        let mut lines = BufReader::new(log).lines();
        loop {
            let line = lines
                .next()
                .ok_or("the process ended before it was ready")??;
            if line.contains(ready) {
                break;
            }
        }
        // Whatever else it says is read, so that it never waits.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a free port of loopback.
struct Server {
    _process: Process,
    url: String,
}

impl Server {
    fn start() -> Result<Server, Failed> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program());
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
        let process = Process::start(&mut command, "Server is ready").map_err(|why| {
            format!("nats-server does not start ({why}): run tests/run, which installs one, or put one on PATH")
        })?;
        // What it says first may come before it accepts.
        std::thread::sleep(Duration::from_millis(100));
        Ok(Server {
            _process: process,
            url: format!("nats://127.0.0.1:{port}"),
        })
    }
}

/// The program: of the environment, where `tests/run` puts it, or on PATH.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("BLIS_NATS_SERVER") {
        return PathBuf::from(path);
    }
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats-server/bin/nats-server");
    match installed.exists() {
        true => installed,
        false => PathBuf::from("nats-server"),
    }
}
