//! A server that stops reading: what waits for it is bounded, and what never left is told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::hostile::info;
use crate::programs::{document, number, run};

/// What a message carries.
const BYTES: usize = 100_000;
/// The bytes that may wait for a connection.
const ROOM: u64 = 8 << 20;

/// A server that reads on until the load begins, and holds its connections from then on.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || greet(stream, port));
        }
    });
    port
}

fn greet(stream: TcpStream, port: u16) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    write!(out, "INFO {}\r\n", info(port, "x", "2.10.0"))?;
    for line in BufReader::new(stream).split(b'\n') {
        let line = line?;
        if line.starts_with(b"PING") {
            out.write_all(b"PONG\r\n")?;
        }
        if line.starts_with(b"HPUB") {
            loop {
                thread::park();
            }
        }
    }
    Ok(())
}

/// What is sent to it, 1,000 a second, from two clients with a connection each.
fn unread(payload: &str) -> crate::programs::Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("much.yaml").display().to_string();
    let text = format!(
        "blis: 1\nname: much\nrun: {{horizon: 1s, drain: 0s}}\nclients:\n  a: {{rate: 500/s, do: tell}}\n  b: {{rate: 500/s, \
         do: tell}}\nactions:\n  tell: {{path: [reply], live: {{publish: demo.tell}}, payload: {payload}, slo: {{errors: \
         99.9%}}}}\n"
    );
    std::fs::write(&path, text).expect("a spec");
    let url = format!("nats://127.0.0.1:{}", server());
    run(&[
        "observe", "--url", &url, "--spec", &path, "--quiet", "--json",
    ])
}

#[test]
fn what_waits_for_a_server_that_does_not_read_is_bounded_and_told() {
    let text = format!("{{text: \"{{n}}{}\"}}", "x".repeat(BYTES));
    for payload in [format!("{{size: {BYTES}B}}"), text] {
        let ran = unread(&payload);
        let result = document(&ran);
        let dropped = number(&result, "/requests/dropped");
        assert!(dropped > 0, "{result:#}");
        assert_eq!(number(&result, "/live/reasons/connection_full"), dropped);
        let never_left = number(&result, "/live/incidents/never_left");
        // Each of them has a header, too.
        let most = 2 * (ROOM / BYTES as u64);
        assert!((1..=most).contains(&never_left), "{never_left}");
        assert!(never_left <= number(&result, "/requests/ok"));
        let told = format!(
            "At least {never_left} messages were counted as sent and never left the generator"
        );
        assert!(
            ran.stderr.contains(&format!("blis: warning: {told}")),
            "{}",
            ran.stderr
        );
        assert_eq!(result["verdict"]["status"], "INCONCLUSIVE");
        let limits = result["live"]["generator"]["limited_by"].as_array();
        let mut limits = limits
            .expect("limits")
            .iter()
            .filter_map(|one| one.as_str());
        assert!(limits.any(|limit| limit.starts_with(&told)), "{result:#}");
        assert!(number(&result, "/requests/intended") > 500, "{result:#}");
    }
}
