//! What a server or a stream says is a stranger's text: it is shown, and does nothing to the terminal.

use std::io::Write;

use crate::programs::{Ran, number, run};
use crate::server::Server;
use crate::wire::Wire;
use crate::{saved, stranger};

/// Colours, a title, the C1 introducer, an override of direction, and nothing wide.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{200b}";
const SHOWN: &str = "\\u001b[31m\\u001b]0;x\\u0007\\u009b2J\\u202e\\u200b";

/// A server that says such things of itself and of the first message, and answers nothing.
fn hostile_server() -> u16 {
    let says = |port| stranger::info(port, HOSTILE, &format!("2.10.0{HOSTILE}\nPASS"));
    let mut told = false;
    stranger::start(says, move |line, out| {
        if told || !line.starts_with(b"PUB demo.ask") {
            return Ok(());
        }
        told = true;
        write!(out, "-ERR 'Slow Consumer {HOSTILE}'\r\n")
    })
}

fn harmless(ran: &Ran) {
    let all = [&ran.stdout, &ran.stderr];
    for text in all {
        let hidden: Vec<char> = text
            .chars()
            .filter(|&c| blis_sim::visible::is_hidden(c) && c != '\n')
            .collect();
        assert!(hidden.is_empty(), "{hidden:?} in {text:?}");
    }
}

#[test]
fn what_a_server_says_does_nothing_to_the_terminal() {
    let url = format!("nats://127.0.0.1:{}", hostile_server());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("few.yaml").display().to_string();
    let text = crate::spec(
        "{horizon: 300ms, drain: 200ms}",
        "rate: 50/s, do: ask, timeout: 100ms",
        "live: {request: demo.ask}",
        crate::FAST,
    );
    std::fs::write(&path, text).expect("a spec");
    for format in ["text", "markdown", "json"] {
        let ran = run(&[
            "observe", "--url", &url, "--spec", &path, "--quiet", "--format", format,
        ]);
        harmless(&ran);
        assert!(ran.stderr.contains(SHOWN), "{ran:?}");
        let silent = "the server accepts connections but answered no preflight check";
        assert!(ran.stderr.contains(silent), "{ran:?}");
        assert!(!ran.stdout.contains("\nPASS"), "{ran:?}");
        match format {
            "json" => {
                let result: serde_json::Value =
                    serde_json::from_str(&ran.stdout).expect("a result");
                let version = result["live"]["server_version"].as_str().expect("one");
                assert_eq!(version, format!("2.10.0{HOSTILE}\nPASS"));
                assert!(number(&result, "/requests/timed_out") > 0, "{result:#}");
            }
            _ => {
                let shown = match format {
                    "markdown" => SHOWN
                        .replace('\\', "\\\\")
                        .replace('[', "\\[")
                        .replace("]0", "\\]0"),
                    _ => SHOWN.to_owned(),
                };
                assert!(ran.stdout.contains(&shown), "{ran:?}");
            }
        }
    }
}

#[test]
fn what_stands_in_the_metadata_of_a_stream_does_nothing_to_the_terminal() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    let config = serde_json::json!({
        "name": "forged", "subjects": ["forged.*"], "storage": "memory", "description": HOSTILE,
        "metadata": {"blis.run": HOSTILE, "blis.spec": format!("shop{HOSTILE}\nblis:"), "blis.peers": HOSTILE},
    });
    let made = wire.ask("$JS.API.STREAM.CREATE.forged", &config.to_string());
    assert!(!made.contains("\"error\""), "{made}");
    let listed = run(&["cleanup", "--url", &server.url()]);
    harmless(&listed);
    assert!(listed.stdout.contains(SHOWN), "{listed:?}");
    assert_eq!(listed.stdout.lines().count(), 1, "{listed:?}");
    let refused = run(&["cleanup", "--url", &server.url(), HOSTILE]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    harmless(&refused);
    let path = saved(
        &server,
        "forged.yaml",
        "blis: 1\nname: forged\nrun: {requests: 1}\nclients:\n  users: {concurrency: 1, do: ask}\nactions:\n  ask: {path: \
         [{publish: forged}, reply], live: {request: ask}}\nstreams:\n  forged: {consumers: {worker: {service: \
         work}}}\nservices:\n  work: {workers: 1, time: 1ms}\n",
    );
    let served = run(&["serve", "--url", &server.url(), "--spec", &path]);
    assert_eq!(served.code, Some(2), "{served:?}");
    harmless(&served);
}
