//! What `blis observe` costs beside the client library alone: `cargo bench -p blis-live --bench bare`.
//!
//! As many requests in flight as there are users without think time, over one connection to an echo, in turns:
//! - *plain*: as many tasks, each of which calls `client.request()` again and again;
//! - *bare*: one thread, one inbox, no header, which asks again for every reply that is there, and knows of each its slot;
//! - *bare, unlike*: the same, but no two replies have one subject, without which nobody tells a late reply from the next;
//! - *observe*: the path of `blis observe --out`, with everything measured and the journal written and synced.
//!
//! All of it is loopback, and bounded in count. A number after `--` is that of the turns; `plain`, `bare`, `unlike` and
//! `observe` run some of the four.

mod loopback;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use blis_live::journal::{End, Full, Journal, RealDisk, folder};
use blis_sim::event::Outcome;
use blis_sim::time::Time;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use loopback::{BYTES, Bench, Failed, SUBJECT, is_echo, micros, model, run};
use tokio::runtime::Builder;

/// Requests in flight.
const IN_FLIGHT: [u32; 2] = [50, 200];
/// Requests of each turn.
const REQUESTS: u64 = 100_000;
/// Turns of each kind.
const TURNS: usize = 7;
/// The kinds, in the order of their turns.
const KINDS: [&str; 4] = ["plain", "bare", "unlike", "observe"];

/// What came out of a turn.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_second: f64,
    p99_us: f64,
    /// Processor time for each request, of the load, the server and the echo.
    cpu_us: [f64; 3],
}

fn main() -> Result<(), Failed> {
    if is_echo()? {
        return Ok(());
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let turns = words.iter().find_map(|word| word.parse().ok());
    let turns: usize = turns.unwrap_or(TURNS);
    let asked = |kind: &&str| words.iter().any(|word| word == kind);
    let any = KINDS.iter().any(asked);
    let bench = Bench::start()?;
    println!(
        "Medians of {turns} turns; ratios to the turn of the same number, with the least and the largest.\n"
    );
    println!(
        "| in flight | of what | requests/s | p99 | observe / it | load, server, echo: CPU per request |"
    );
    println!("|---:|---|---:|---:|---:|---:|");
    for in_flight in IN_FLIGHT {
        let mut all: Vec<Vec<Turn>> = KINDS.iter().map(|_| Vec::new()).collect();
        for _ in 0..turns {
            for (kind, turns) in KINDS.iter().zip(&mut all) {
                if !any || asked(kind) {
                    turns.push(turn(&bench, kind, in_flight)?);
                }
            }
        }
        show(in_flight, &all);
    }
    Ok(())
}

fn show(in_flight: u32, all: &[Vec<Turn>]) {
    let observe = &all[KINDS.len() - 1];
    for (kind, turns) in KINDS.iter().zip(all).filter(|(_, turns)| !turns.is_empty()) {
        let median = |of: &dyn Fn(&Turn) -> f64| median(turns.iter().map(of).collect());
        let ratios = observe.iter().zip(turns);
        let ratios: Vec<f64> = ratios
            .map(|(one, other)| one.per_second / other.per_second)
            .collect();
        let ratio = match ratios.is_empty() || *kind == "observe" {
            true => String::new(),
            false => {
                let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
                let largest = ratios.iter().copied().fold(0.0, f64::max);
                format!("{:.2} ({least:.2} to {largest:.2})", self::median(ratios))
            }
        };
        let cpu = [0, 1, 2].map(|at| median(&|turn| turn.cpu_us[at]));
        println!(
            "| {in_flight} | {kind} | {:.0} | {:.0} us | {ratio} | {:.1} + {:.1} + {:.1} = {:.1} us |",
            median(&|turn| turn.per_second),
            median(&|turn| turn.p99_us),
            cpu[0],
            cpu[1],
            cpu[2],
            cpu.iter().sum::<f64>(),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn turn(bench: &Bench, kind: &str, in_flight: u32) -> Result<Turn, Failed> {
    let ids = [std::process::id(), bench.server.id(), bench.echo.id()];
    let before = ids.map(processor_time);
    let (per_second, p99_us) = match kind {
        "plain" => plain(&bench.url, in_flight)?,
        "bare" => bare(&bench.url, in_flight, false)?,
        "unlike" => bare(&bench.url, in_flight, true)?,
        _ => observed(&bench.url, in_flight)?,
    };
    let mut cpu_us = ids.map(processor_time);
    for (spent, before) in cpu_us.iter_mut().zip(before) {
        *spent = (*spent - before) * 1e6 / REQUESTS as f64;
    }
    Ok(Turn {
        per_second,
        p99_us,
        cpu_us,
    })
}

/// The seconds that a process has used, in the hundredths that the system counts in; 0 where it does not say.
fn processor_time(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let times = fields.split_whitespace().skip(11).take(2);
    times
        .filter_map(|time| time.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// Rate and p99 of a run that took this long.
fn rate_and_p99(took: Duration, mut spans: Vec<Duration>) -> (f64, f64) {
    spans.sort_unstable();
    let p99 = spans.get(spans.len() * 99 / 100).copied();
    (
        spans.len() as f64 / took.as_secs_f64(),
        p99.unwrap_or_default().as_secs_f64() * 1e6,
    )
}

fn plain(url: &str, tasks: u32) -> Result<(f64, f64), Failed> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = async_nats::connect(url).await?;
        let asked = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let mut running = Vec::new();
        for _ in 0..tasks {
            running.push(tokio::spawn(ask(client.clone(), Arc::clone(&asked))));
        }
        let mut spans = Vec::with_capacity(REQUESTS as usize);
        for task in running {
            spans.extend(task.await?.map_err(|why| why.to_string())?);
        }
        Ok(rate_and_p99(began.elapsed(), spans))
    })
}

async fn ask(
    client: Client,
    asked: Arc<AtomicU64>,
) -> Result<Vec<Duration>, async_nats::RequestError> {
    let payload = Bytes::from(vec![b'x'; BYTES]);
    let mut spans = Vec::new();
    let mut sent = Instant::now();
    while asked.fetch_add(1, Ordering::Relaxed) < REQUESTS {
        client.request(SUBJECT, payload.clone()).await?;
        let now = Instant::now();
        spans.push(now - sent);
        sent = now;
    }
    Ok(spans)
}

/// The subject of a reply says the slot of its request, and where they are to be unlike which request of the slot it is.
fn bare(url: &str, in_flight: u32, unlike: bool) -> Result<(f64, f64), Failed> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = ConnectOptions::new().subscription_capacity(1 << 20);
        let client = options.connect(url).await?;
        let inbox = client.new_inbox();
        let mut replies = client.subscribe(format!("{inbox}.*")).await?;
        client.flush().await?;
        let payload = Bytes::from(vec![b'x'; BYTES]);
        let publish = |slot: u32, number: u64| {
            let reply = match unlike {
                true => format!("{inbox}.{slot}-{number}"),
                false => format!("{inbox}.{slot}"),
            };
            client.publish_with_reply(SUBJECT, reply, payload.clone())
        };
        let mut spans = Vec::with_capacity(REQUESTS as usize);
        let began = Instant::now();
        let mut sent = vec![began; in_flight as usize];
        let mut asked = 0;
        for slot in 0..in_flight {
            publish(slot, asked).await?;
            asked += 1;
        }
        while (spans.len() as u64) < REQUESTS {
            let mut next = replies.next().await;
            while let Some(message) = next {
                let now = Instant::now();
                let slot = message.subject.get(inbox.len() + 1..).ok_or("no slot")?;
                let slot: u32 = slot.split('-').next().unwrap_or_default().parse()?;
                let sent = sent.get_mut(slot as usize).ok_or("no such slot")?;
                spans.push(now - *sent);
                *sent = now;
                if asked < REQUESTS {
                    publish(slot, asked).await?;
                    asked += 1;
                }
                next = replies.next().now_or_never().flatten();
            }
        }
        Ok(rate_and_p99(began.elapsed(), spans))
    })
}

/// Everything that `blis observe --out` measures and records.
fn observed(url: &str, in_flight: u32) -> Result<(f64, f64), Failed> {
    let model = model(&format!(
        "{{requests: {REQUESTS}, drain: 5s}}, connections: shared, clients: {{load: {{concurrency: {in_flight}, do: ask}}}}"
    ))?;
    let place = Place::new();
    let written = RefCell::new(None);
    let observed = run(&model, url, || {
        let segment = folder::start(RealDisk, &place.0, 1, &[], &[])?;
        let (recorder, journal) = Journal::start(segment, Time::ZERO, Full::LeavesOut);
        *written.borrow_mut() = Some(journal);
        Ok(recorder)
    })?;
    let answered = observed.measure.total().requests().ended(Outcome::Ok);
    if answered != REQUESTS {
        return Err(format!("{answered} of {REQUESTS} requests were answered").into());
    }
    let ended = &observed.ended;
    let journal = written.take().ok_or("no journal")?;
    let kept = journal.finish(
        observed.also,
        End {
            by: ended.by,
            at: ended.at,
            intended: ended.intended,
        },
    );
    // Where the machine gives the thread of the journal no time, a live run leaves entries out instead of waiting.
    if kept.dropped > 0 {
        eprintln!("the journal left {} entries out", kept.dropped);
    }
    let total = observed.measure.total();
    let rate = REQUESTS as f64 / ended.at.as_secs_f64();
    Ok((rate, micros(total.window.latencies.response(), 0.99)))
}

/// A directory of a record that goes away with the value.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("blis-bare-{}-{number}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
