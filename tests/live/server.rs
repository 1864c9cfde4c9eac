//! A `nats-server` of the test's own: on a free loopback port, with a folder of its own, ended with the value.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use tempfile::TempDir;

/// A server that listens.
pub struct Server {
    child: Child,
    pub port: u16,
    folder: TempDir,
}

/// The program: of the environment, beside the build where `tests/run` puts it, or on PATH.
fn program() -> PathBuf {
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
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("server.conf");
        let data = folder.path().join("data");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{store_dir: {:?}}}\n{configuration}\n",
            data.display().to_string()
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
        // The log is read to its end, so that the server never waits for its reader.
        std::thread::spawn(move || {
            let mut listening = None;
            for line in log.lines().map_while(Result::ok) {
                if let Some((_, port)) = line.split_once("client connections on 127.0.0.1:") {
                    listening = port.trim().parse().ok();
                }
                if line.contains("Server is ready") {
                    let _ = sender.send(listening);
                }
            }
        });
        let port = ready.recv().ok().flatten().expect("the server is ready");
        Server {
            child,
            port,
            folder,
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
