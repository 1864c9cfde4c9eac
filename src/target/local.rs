//! A server and doubles on this machine, for the duration of a command.
//!
//! Both belong to a child process, which ends them when its stdin closes, or when it is asked to end. So they end with the
//! command however that ends. Only killing the child itself leaves the server behind. The child and its server are a separate
//! process group, which Ctrl-C does not reach: the command may still wait for replies.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use blis_live::double::serve;
use blis_live::double::state::DoubleWatch;
use blis_live::os_error::unnumbered;
use blis_live::target::access::Access;
use blis_live::target::{Permission, Target, check};
use tempfile::TempDir;

use crate::cli::{LOCAL_BACKEND, ValueArgs};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::workload::LiveWorkload;

/// The program of the server, and the variable that names another.
const SERVER: &str = "nats-server";
const OTHER_SERVER: &str = "BLIS_NATS_SERVER";
/// How long a server may take until it is ready.
const READY: Duration = Duration::from_secs(20);

/// A server with a double, which end with this.
#[derive(Debug)]
pub struct Local {
    child: Child,
    /// Open for as long as they are wanted.
    open: Option<ChildStdin>,
    /// What the child says.
    said: Option<BufReader<ChildStdout>>,
    /// Where the server is, and how it lets one in.
    pub at: (Target, Access),
}

impl Local {
    /// Starts a server and a double that plays the backend of a spec, and waits until it listens.
    ///
    /// # Errors
    /// [`Failure::Usage`] where there is no server, or the spec is read from stdin; what else keeps them from starting.
    pub fn start(file: Option<&Path>, values: &ValueArgs) -> Result<Local, Failure> {
        Local::check(file)?;
        let program = std::env::current_exe().map_err(|why| does_not_start(&unnumbered(&why)))?;
        let mut command = Command::new(program);
        command.arg(LOCAL_BACKEND);
        if let Some(file) = file {
            command.arg("--spec").arg(file);
        }
        command.args(words(values));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|why| does_not_start(&unnumbered(&why)))?;
        let open = child.stdin.take();
        let mut url = String::new();
        let mut said = child.stdout.take().map(BufReader::new);
        let read = said.as_mut().map_or(Ok(0), |said| said.read_line(&mut url));
        if read.unwrap_or(0) == 0 {
            // It has said why by itself.
            let _ = child.wait();
            return Err(does_not_start("it ended before it was ready"));
        }
        Ok(Local {
            at: (target(url.trim())?, Access::default()),
            child,
            open,
            said,
        })
    }
}

impl Local {
    /// Holds where a server can be started, and the spec read once more.
    ///
    /// # Errors
    /// [`Failure::Usage`] otherwise.
    pub fn check(file: Option<&Path>) -> Result<(), Failure> {
        refuse_no_server()?;
        match file == Some(Path::new("-")) {
            true => Err(Failure::Usage(
                "--local reads the spec twice, but stdin can be read only once; give the spec as a file"
                    .to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Ends them, and gives what the double says of itself, in sentences.
    pub fn end(mut self) -> Vec<String> {
        drop(self.open.take());
        let said = self.said.take();
        let lines = said.into_iter().flat_map(BufRead::lines);
        lines.map_while(Result::ok).collect()
    }

    /// Whether they have ended although nobody wanted them to.
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.open.take());
        // It ends by itself now; waiting keeps the shell's prompt from coming before its last words.
        let _ = self.child.wait();
    }
}

/// The values that matter to a backend, as they are typed.
fn words(values: &ValueArgs) -> Vec<String> {
    let set = values
        .set
        .iter()
        .map(|set| format!("--set={}={}", set.path(), set.value()));
    let seed = values.seed.iter().map(|seed| format!("--seed={}", seed.0));
    let folders = values
        .allow_files
        .iter()
        .map(|folder| format!("--allow-files={}", folder.display()));
    set.chain(seed).chain(folders).collect()
}

fn program() -> OsString {
    std::env::var_os(OTHER_SERVER).unwrap_or_else(|| SERVER.into())
}

/// A server that there is not is told with where one is to be had.
fn refuse_no_server() -> Result<(), Failure> {
    let found = Command::new(program())
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(Failure::Usage(format!(
            "--local needs {SERVER} 2.11 or newer, and none is on PATH; install it from \
             https://github.com/nats-io/nats-server/releases, give its path in {OTHER_SERVER}, or give the URL of a \
             running server with --url"
        ))),
    }
}

fn does_not_start(why: &str) -> Failure {
    Failure::Connect(format!(
        "the server and the double of --local did not start: {why}; start `{SERVER}` and `blis serve` by hand to see \
         more, and give the URL with --url"
    ))
}

fn target(url: &str) -> Result<Target, Failure> {
    Ok(check(url, false, &Permission::default())?)
}

/// Plays the child: a server, and the backend of this workload on it, until stdin closes.
///
/// # Errors
/// What keeps the server from starting and the double from listening.
pub fn play(
    workload: &LiveWorkload,
    say: impl Fn(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let server = Server::start()?;
    let url = format!("nats://{}", server.at);
    let target = target(&url)?;
    let closed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&closed);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut heard = [0; 64];
        // Whatever is said is of no interest; nothing more is what counts.
        while stdin.read(&mut heard).is_ok_and(|read| read > 0) {}
        seen.store(true, Ordering::Relaxed);
    });
    // Asked to end, it ends the server too.
    let interrupt = Interrupt::listen()?;
    let watch = DoubleWatch {
        stop: &|| closed.load(Ordering::Relaxed) || interrupt.asked(),
        show: &mut |_| (),
    };
    let mut said = Ok(());
    let served = serve::serve(
        &workload.model,
        &[],
        &target,
        &Access::default(),
        watch,
        |_| said = say(&format!("{url}\n")),
    )?;
    said?;
    // Nobody may be there to hear it any more.
    for warning in served.statement.health.warnings() {
        say(&format!("The measured double: {warning}\n"))?;
    }
    Ok(served.removed?)
}

/// A server on a free loopback port, with streams in its own folder; ended with the value.
#[derive(Debug)]
struct Server {
    child: Child,
    at: SocketAddrV4,
    _folder: TempDir,
}

impl Server {
    fn start() -> Result<Server, Failure> {
        let why = |why: std::io::Error| does_not_start(&unnumbered(&why));
        let folder = tempfile::tempdir().map_err(why)?;
        let file = folder.path().join("server.conf");
        let data = folder.path().join("data").display().to_string();
        let text = format!("listen: \"127.0.0.1:-1\"\njetstream {{store_dir: {data:?}}}\n");
        std::fs::write(&file, text).map_err(why)?;
        let mut child = Command::new(program())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(why)?;
        let log = child.stderr.take().map(BufReader::new);
        let (sender, ready) = channel();
        // The log is read to its end, so that the server never waits for its reader.
        std::thread::spawn(move || {
            let mut port: Option<u16> = None;
            let mut last = String::new();
            for line in log
                .into_iter()
                .flat_map(BufRead::lines)
                .map_while(Result::ok)
            {
                if let Some((_, of)) = line.split_once("client connections on 127.0.0.1:") {
                    port = of.trim().parse().ok();
                }
                if line.contains("Server is ready") {
                    // Nobody may want to know any more.
                    let _ = sender.send(port.ok_or_else(String::new));
                }
                last = line;
            }
            let _ = sender.send(Err(last));
        });
        let mut server = Server {
            child,
            at: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
            _folder: folder,
        };
        match ready.recv_timeout(READY) {
            Ok(Ok(port)) => server.at.set_port(port),
            Ok(Err(last)) => {
                return Err(does_not_start(&format!(
                    "{SERVER} ended with `{}`",
                    blis_sim::spec::error::shown(&last)
                )));
            }
            Err(_) => return Err(does_not_start(&format!("{SERVER} was not ready in time"))),
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
