//! What the live benches share: a server, an echo and the loads are processes of one machine, and talk over loopback only.
//!
//! Every process that is started here ends with its value.

// Each bench uses a part of it.
#![allow(dead_code)]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use blis_live::generator::driver::{LoadProgress, LoadWatch};
use blis_live::journal;
use blis_live::observers::Wanted;
use blis_live::run::observe::{Besides, observe};
use blis_live::run::observed::{Connected, Heard, Observed};
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_sim::event::Sink;
use blis_sim::measure::Times;
use blis_sim::model::Model;
use blis_sim::spec;
use futures_util::StreamExt as _;
use tokio::runtime::Builder;

pub type Failed = Box<dyn Error>;

/// Where requests are sent.
pub const SUBJECT: &str = "bench.echo";
/// The bytes of each request.
pub const BYTES: usize = 128;

/// A server, and an echo on it.
pub struct Bench {
    /// Where the server is.
    pub url: String,
    pub server: Process,
    pub echo: Process,
}

impl Bench {
    /// Starts both.
    pub fn start() -> Result<Bench, Failed> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program());
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
        let server = Process::start(&mut command, "Server is ready").map_err(|why| {
            format!("nats-server does not start ({why}): run tests/run, which installs one, or put one on PATH")
        })?;
        // What it says first may come before it accepts.
        std::thread::sleep(Duration::from_millis(100));
        let url = format!("nats://127.0.0.1:{port}");
        let mut command = Command::new(std::env::current_exe()?);
        let echo = Process::start(command.args(["echo", &url]), "ready")?;
        Ok(Bench { url, server, echo })
    }
}

/// Where this process is to be the echo: answers every request with nothing, until the process is ended.
pub fn is_echo() -> Result<bool, Failed> {
    let words: Vec<String> = std::env::args().collect();
    let Some(at) = words.iter().position(|word| word == "echo") else {
        return Ok(false);
    };
    let url = words.get(at + 1).ok_or("echo URL")?;
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
        Ok(true)
    })
}

/// The model of a load on the echo.
pub fn model(parts: &str) -> Result<Model, Failed> {
    let text = format!(
        "{{blis: 1, name: bench, run: {parts}, actions: {{ask: {{path: [reply], payload: {{size: {BYTES}B}}, live: {{request: {SUBJECT}}}}}}}}}"
    );
    let told = |errors: spec::SpecErrors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    };
    let spec = spec::read(&text).map_err(told)?;
    Ok(spec::lower(&spec).map_err(told)?.model)
}

/// What `blis observe` does for a model, with a sink besides.
pub fn run<S: Sink>(
    model: &Model,
    url: &str,
    also: impl FnOnce() -> Result<S, journal::JournalFailure>,
) -> Result<Observed<S>, Failed> {
    let target = check(url, false, &Permission::default())?;
    let mut show = |_: LoadProgress, _: &mut Heard| ();
    let watch = LoadWatch {
        stop: &|| false,
        enough: &|| false,
        show: &mut show,
    };
    let besides = Besides {
        wanted: Wanted::default(),
        warn: &|_| (),
        begin: |_: &Connected| also(),
    };
    let mut observed = observe(model, &target, &Access::default(), besides, watch)?;
    observed.measure.finish(observed.ended.intended)?;
    Ok(observed)
}

/// A quantile in microseconds.
pub fn micros(times: &Times, quantile: f64) -> f64 {
    let span = times.quantile(quantile);
    span.map_or(f64::NAN, |span| span.as_millis_f64() * 1e3)
}

/// A process that is ended with the value.
pub struct Process(Child);

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

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
