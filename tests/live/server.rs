//! A `nats-server` of the test's own: on a free loopback port, with a folder of its own, ended with the value.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

/// A server that listens.
pub struct Server {
    child: Child,
    pub port: u16,
    /// The port of its monitoring, where it has one.
    pub monitor: Option<u16>,
    log: Receiver<String>,
    folder: TempDir,
}

/// The program: of the environment, beside the build where `tests/run` puts it, or on PATH.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("BLIS_NATS_SERVER") {
        return PathBuf::from(path);
    }
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats-server/bin/nats-server");
    if installed.exists() {
        return installed;
    }
    PathBuf::from("nats-server")
}

impl Server {
    /// A server with streams and these lines of configuration.
    pub fn start(configuration: &str) -> Server {
        Server::start_at(-1, configuration)
    }

    /// The same on a port that was free before.
    pub fn start_at(port: i32, configuration: &str) -> Server {
        Server::launch(port, Some(""), configuration)
    }

    /// A server without streams.
    pub fn without_streams(configuration: &str) -> Server {
        Server::launch(-1, None, configuration)
    }

    /// A server whose streams are of a domain.
    pub fn in_domain(domain: &str) -> Server {
        Server::launch(-1, Some(&format!("domain: {domain}")), "")
    }

    /// A server on a port, with what is said of its streams where it has them, and these lines.
    fn launch(port: i32, streams: Option<&str>, configuration: &str) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("server.conf");
        let data = folder.path().join("data").display().to_string();
        let streams = streams.map(|more| format!("jetstream {{store_dir: {data:?}\n{more}}}"));
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\n{}\n{configuration}\n",
            streams.unwrap_or_default()
        );
        std::fs::write(&file, text).expect("the configuration can be written");
        let mut child = Command::new(program())
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("nats-server starts: run tests/run, which installs one, or put one of 2.11 or newer on PATH");
        let log = BufReader::new(child.stderr.take().expect("its log"));
        let (sender, ready) = channel();
        let (lines, log_of_it) = channel();
        // The log is read to its end, so that the server never waits for its reader.
        std::thread::spawn(move || {
            let (mut listening, mut monitor) = (None, None);
            for line in log.lines().map_while(Result::ok) {
                if let Some((_, port)) = line.split_once("client connections on 127.0.0.1:") {
                    listening = port.trim().parse().ok();
                }
                if let Some((_, port)) = line.split_once(" monitor on 127.0.0.1:") {
                    monitor = port.trim().parse().ok();
                }
                if line.contains("Server is ready") {
                    let _ = sender.send((listening, monitor));
                }
                let _ = lines.send(line);
            }
        });
        let (port, monitor) = ready.recv().expect("the server is ready");
        let port: u16 = port.expect("the server listens");
        Server {
            child,
            port,
            monitor,
            log: log_of_it,
            folder,
        }
    }

    /// Waits until its log has said this since the last time.
    pub fn says(&self, what: &str) {
        let said = self.log.iter().any(|line| line.contains(what));
        assert!(said, "the server ended without {what}");
    }

    /// Waits until one of several has said this.
    pub fn one_says(servers: &[&Server], what: &str) {
        loop {
            for server in servers {
                let mut lines = server.log.try_iter();
                if lines.any(|line| line.contains(what)) {
                    return;
                }
            }
            std::thread::yield_now();
        }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A folder that lasts as long as the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
