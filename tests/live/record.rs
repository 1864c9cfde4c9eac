//! The record of a run: what is left of one that is killed, that runs out of disk, and that comes to its end.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::exchange::{number_of, serve};
use crate::programs::{Double, Ran, document, end, number, observe, run, start};
use crate::server::Server;
use crate::wire::Wire;
use crate::{FAST, saved, spec};

/// A load that goes on until it is ended from outside.
const ENDLESS: &[&str] = &[
    "--rate",
    "2000/s",
    "--horizon",
    "10m",
    "--warmup",
    "50ms",
    "--set",
    "run.requests=null",
];

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

/// The rows that `blis trace` prints, each by the names of its columns.
fn rows(directory: &str) -> (Vec<Value>, Ran) {
    let ran = run(&["trace", directory, "--format", "jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut lines = ran.stdout.lines();
    let header: Value = serde_json::from_str(lines.next().expect("a header")).expect("JSON");
    assert_eq!(header["schema"], "blis.trace/1");
    let rows = lines.map(|line| serde_json::from_str(line).expect("a row"));
    (rows.collect(), ran)
}

/// Holds the rows against the counts of a result, of which so many are only known to be unknown.
fn add_up(rows: &[Value], result: &Value, unknown: u64) {
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let name = ["client", "user", "number", "attempt"].map(|column| row[column].to_string());
        assert!(seen.insert(name), "twice: {row}");
    }
    for (part, window) in [("/requests", false), ("/window/requests", true)] {
        for outcome in [
            "ok",
            "app_error",
            "rejected",
            "timed_out",
            "transport_error",
        ] {
            let ended = rows
                .iter()
                .filter(|row| row["outcome"] == outcome && (!window || row["in_window"] == true));
            let counted = number(result, &format!("{part}/{outcome}"));
            assert_eq!(ended.count() as u64, counted, "{part}/{outcome}");
        }
    }
    assert_eq!(
        rows.len() as u64 + unknown,
        number(result, "/requests/intended")
    );
}

fn keeps_to(schema: &str, document: &Value) {
    let text = run(&["schema", schema]).stdout;
    let schema = serde_json::from_str(&text).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let complaints: Vec<String> = validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn a_run_that_ends_leaves_its_rows_beside_its_result() {
    let server = Server::start("");
    let _double = Double::start(&server.url(), &[]);
    let directory = server.folder().join("run");
    let out = directory.display().to_string();
    let trace = server.folder().join("rows.csv");
    let words = [
        "--concurrency",
        "10",
        "--think-time-ms",
        "5",
        "--num-requests",
        "400",
        "--set",
        "run.warmup=20ms",
        "--out",
        &out,
        "--trace",
        &trace.display().to_string(),
    ];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let result = observe(&server.url(), &words);
    assert_eq!(number(&result, "/record/rows"), 400);
    assert_eq!(number(&result, "/record/dropped"), 0);
    assert!(result["record"].get("recovered").is_none());
    assert_eq!(
        names(&directory),
        [
            "manifest.json",
            "record.blis",
            "report.md",
            "result.json",
            "spec.schema.json",
            "spec.yaml"
        ]
    );
    let (rows, _) = rows(&out);
    add_up(&rows, &result, 0);
    // The warm-up stays, with its flag.
    assert!(rows.iter().any(|row| row["in_window"] == false));
    for row in &rows {
        // What the double says, which has one connection for each user.
        assert!(
            row["connection"].as_u64().expect("a connection") < 10,
            "{row}"
        );
        assert_eq!((&row["reply_bytes"], row.get("reason")), (&0.into(), None));
        let took = row["reply_headers.Blis-Service-Time-Ns"].as_str();
        let took: u64 = took.expect("a time").parse().expect("a number");
        assert!(
            took > 0 && took < row["service_ns"].as_u64().expect("a time"),
            "{row}"
        );
        assert!(row["reply_headers.Blis-Member"].is_string(), "{row}");
    }
    let printed = run(&["trace", &out]).stdout;
    assert_eq!(std::fs::read_to_string(trace).expect("a trace"), printed);
    let kept = std::fs::read_to_string(directory.join("result.json")).expect("a result");
    assert_eq!(run(&["report", &out, "--json"]).stdout, kept);
    let report = std::fs::read_to_string(directory.join("report.md")).expect("a report");
    assert_eq!(
        run(&["report", &out, "--format", "markdown"]).stdout,
        report
    );
    let manifest = std::fs::read_to_string(directory.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    keeps_to("manifest", &manifest);
    assert_eq!(manifest["run"], result["record"]["run"]);
    assert_eq!(manifest["spec"], result["spec"]);
    assert_eq!(manifest["configuration"], result["configuration"]);
    // A crash before the journal is taken away leaves both, and the result counts.
    let journal = directory.join("journal");
    std::fs::create_dir(&journal).expect("a folder");
    for (name, place) in [
        ("manifest.json", "manifest.json"),
        ("spec.yaml", "spec.yaml"),
        ("record.blis", "0.segment"),
    ] {
        std::fs::copy(directory.join(name), journal.join(place)).expect("a copy");
    }
    let both = run(&["report", &out, "--json"]);
    assert_eq!((both.stdout, both.stderr.as_str()), (kept, ""));
    // One before the result has taken its place loses none of a run that had come to its end.
    std::fs::remove_file(directory.join("result.json")).expect("the result");
    let sealed = document(&run(&["report", &out, "--json"]));
    assert_eq!(sealed["ended_by"], "budget");
    assert_eq!(sealed["requests"], result["requests"]);
    // Intervals need the instants of intentions, which folded rows have no more.
    for figure in ["count", "mean", "p50", "p99", "max"] {
        let pointer = format!("/latency_ms/response/{figure}");
        assert_eq!(
            sealed.pointer(&pointer),
            result.pointer(&pointer),
            "{figure}"
        );
    }
    assert_eq!(number(&sealed, "/record/recovered/unknown"), 0);
    // A directory holds one run.
    let refused = run(&["observe", "--url", &server.url(), "--out", &out]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let again = observe(&server.url(), &[&words[..], &["--force"]].concat());
    assert_ne!(again["record"]["run"], manifest["run"]);
    let kept = std::fs::read_to_string(directory.join("result.json")).expect("a result");
    assert_eq!(run(&["report", &out, "--json"]).stdout, kept);
}

/// What a row has besides times and outcome, of answers of every kind and of none.
#[test]
fn rows_say_why_over_which_connection_and_what_the_reply_was_like() {
    let server = Server::start("");
    let long = "l".repeat(300);
    serve(&server, "demo.ask", move |message| {
        let user = message.header("Blis-Request").expect("an id").to_owned();
        let says = |line: &str| vec![line.to_owned()];
        let (headers, body) = match number_of(message) {
            0 => (says("Server-Id: a, \"b\""), "twelve bytes"),
            1 => (says("Nats-Service-Error: no"), "no"),
            2 => (says("Nats-Service-Error-Code: 429"), ""),
            // Nobody asked for this one, and the name of a header is not that of another.
            3 => (vec!["Other: x".to_owned(), "server-id: y".to_owned()], "é"),
            4 => (
                vec![format!("Server-Id: {long}"), format!("Round: {user}")],
                "",
            ),
            5 => (says("Server-Id: \u{1b}[31m\u{202e}red"), ""),
            _ => return vec![],
        };
        vec![(message.reply.clone(), headers, body.as_bytes().to_vec())]
    });
    let text = spec(
        "{requests: 14, drain: 10s}",
        "concurrency: 2, do: ask, timeout: 4s, on_failure: {respawn: true}",
        "live: {request: demo.ask, request_id: Blis-Request, record_headers: [Round, Server-Id]}",
        FAST,
    );
    let path = saved(&server, "rows.yaml", &text);
    let out = server.folder().join("rows").display().to_string();
    let result = observe(&server.url(), &["--spec", &path, "--out", &out]);
    let (rows, _) = rows(&out);
    add_up(&rows, &result, 0);
    let keys = [
        "outcome",
        "reason",
        "reply_bytes",
        "reply_headers.Round",
        "reply_headers.Server-Id",
    ];
    let long = format!("{}…", "l".repeat(125));
    for user in 0..2 {
        let of_user = rows.iter().filter(|row| row["user"] == user);
        let found: Vec<Vec<Value>> = of_user
            .map(|row| {
                assert_eq!(row["connection"], user, "{row}");
                keys.map(|key| row[key].clone()).to_vec()
            })
            .collect();
        let round = format!("users/{user}/4/0");
        let expected = [
            json!(["ok", null, 12, null, "a, \"b\""]),
            json!(["app_error", "service_errors", 2, null, null]),
            json!(["rejected", "rejected", 0, null, null]),
            json!(["ok", null, 2, null, null]),
            json!(["ok", null, 0, round, long]),
            json!(["ok", null, 0, null, "\\u001b[31m\\u202ered"]),
            json!(["timed_out", null, null, null, null]),
        ];
        assert_eq!(json!(found), json!(expected));
    }
    // The same as a table: one column for each header, in quotes where it has to be.
    let table = run(&["trace", &out]).stdout;
    let mut lines = table.lines().skip(1);
    let columns = lines.next().expect("columns");
    let behind =
        ",in_window,reason,connection,reply_bytes,reply_headers.Round,reply_headers.Server-Id";
    assert!(columns.ends_with(behind), "{columns}");
    let cells = |end: &str| lines.clone().filter(|line| line.ends_with(end)).count();
    assert_eq!(cells(",ok,"), 0);
    assert_eq!(cells(",12,,\"a, \"\"b\"\"\""), 2, "{table}");
    assert_eq!(cells(",service_errors,0,2,,"), 1, "{table}");
    assert_eq!(cells(",true,,1,,,"), 1, "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
}

#[test]
fn what_does_not_come_about_leaves_nothing() {
    let mut server = Server::start("");
    let url = server.url();
    server.kill();
    let out = server.folder().join("run");
    let ran = run(&[
        "observe",
        "--url",
        &url,
        "--out",
        &out.display().to_string(),
    ]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(!out.exists());
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_is_told_of_by_its_record() {
    let server = Server::start("");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    let _double = Double::start(&server.url(), &[]);
    let directory = server.folder().join("run");
    let out = directory.display().to_string();
    let base = ["observe", "--url", &server.url(), "--quiet", "--out", &out];
    let child = start(&[&base[..], ENDLESS].concat());
    let segment = directory.join("journal/0.segment");
    // A few groups are on disk, and the load goes on.
    while std::fs::metadata(&segment).map_or(0, |file| file.len()) < 200_000 {
        wire.next().expect("a message");
    }
    // A run that goes on is not thrown away, neither by a live run nor by a simulation.
    for words in [&base[..], &["run", "--out", &out]] {
        let refused = run(&[words, &["--force"]].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let why = "holds the record of a run that is still going on; end that run first";
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    let killed = Command::new("kill")
        .args(["-KILL", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(end(child).code, None);
    assert_eq!(names(&directory), ["journal"]);

    let ran = run(&["report", &out, "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("has no result: the run was interrupted"),
        "{}",
        ran.stderr
    );
    let result = document(&ran);
    assert_eq!(result["ended_by"], "interrupted");
    assert_eq!(result["not_measured"][0], "incidents");
    let unknown = number(&result, "/record/recovered/unknown");
    let (rows, told) = rows(&out);
    assert!(rows.len() > 100, "{}", rows.len());
    assert!(unknown > 0, "the double cannot answer that many");
    assert_eq!(rows.len() as u64, number(&result, "/record/rows"));
    add_up(&rows, &result, unknown);
    assert_eq!(unknown, number(&result, "/requests/unresolved"));
    assert!(
        told.stderr.contains("known to have ended"),
        "{}",
        told.stderr
    );
    let text = run(&["report", &out]).stdout;
    assert!(text.contains("until the run was INTERRUPTED"), "{text}");
    assert!(text.contains("RECOVERED: "), "{text}");
    assert!(
        text.contains("requests in flight have no known outcome"),
        "{text}"
    );

    // Nothing was changed by reading, and a second copy of a segment counts for nothing.
    std::fs::copy(&segment, directory.join("journal/0-again.segment")).expect("a copy");
    assert_eq!(run(&["report", &out, "--json"]).stdout, ran.stdout);
    // A torn end is left out, and said.
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes.extend_from_slice(b"half a frame");
    std::fs::write(&segment, bytes).expect("a segment");
    std::fs::remove_file(directory.join("journal/0-again.segment")).expect("the copy");
    let torn = document(&run(&["report", &out, "--json"]));
    let before = number(&result, "/record/recovered/torn_bytes");
    assert_eq!(number(&torn, "/record/recovered/torn_bytes"), before + 12);
    assert_eq!(torn["requests"], result["requests"]);

    let taken = run(&["observe", "--url", &server.url(), "--out", &out]);
    assert_eq!(taken.code, Some(2));
    assert!(
        taken
            .stderr
            .contains("of an interrupted run of quickstart; read it with `blis report`"),
        "{}",
        taken.stderr
    );
    // Also a simulation throws the record away when it is told to.
    let copy = server.folder().join("copy");
    std::fs::create_dir_all(copy.join("journal")).expect("a folder");
    for name in names(&directory.join("journal")) {
        let from = directory.join("journal").join(&name);
        std::fs::copy(from, copy.join("journal").join(name)).expect("a copy");
    }
    let out_of_copy = copy.display().to_string();
    let words = ["run", "--num-requests", "20", "--out", &out_of_copy];
    assert_eq!(run(&words).code, Some(2));
    assert_eq!(run(&[&words[..], &["--force"]].concat()).code, Some(5));
    assert_eq!(
        names(&copy),
        ["report.md", "result.json", "spec.schema.json", "spec.yaml"]
    );
    let few = ["--num-requests", "20", "--force", "--out", &out];
    let result = observe(&server.url(), &few);
    assert_eq!(result["ended_by"], "budget");
    assert_eq!(run(&["report", &out, "--json"]).stderr, "");
}

#[test]
fn a_spec_with_files_is_understood_after_a_crash() {
    let server = Server::start("");
    std::fs::write(server.folder().join("at.csv"), "time\n0s\n10ms\n20ms\n").expect("a file");
    let text = "blis: 1\nname: files\nrun: {horizon: 1s}\nclients: {a: {arrival: {trace: at.csv}, do: ask}}\nactions: {ask: \
                {path: [{visit: s}, reply], live: {publish: files.ask}}}\nservices: {s: {workers: 1, time: 1ms}}\n";
    let path = saved(&server, "files.yaml", text);
    let directory = server.folder().join("run");
    let out = directory.display().to_string();
    let result = observe(&server.url(), &["--spec", &path, "--out", &out]);
    assert_eq!(number(&result, "/requests/ok"), 3);
    let (rows, _) = rows(&out);
    add_up(&rows, &result, 0);
    assert_eq!(rows[2]["intended_ns"], 20_000_000);
    assert!(directory.join("files/at.csv").exists());
    // What is not the spec of the run is not taken for it.
    let spec = directory.join("spec.yaml");
    let changed = std::fs::read_to_string(&spec).expect("the spec") + "\n";
    std::fs::write(&spec, changed).expect("the spec");
    let ran = run(&["trace", &out]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("is not the spec of the run"),
        "{}",
        ran.stderr
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_ends_the_run_with_what_there_is() {
    let server = Server::start("");
    let _double = Double::start(&server.url(), &[]);
    let directory = server.folder().join("run");
    let out = directory.display().to_string();
    let url = server.url();
    let words = [
        &["observe", "--url", &url, "--quiet", "--json", "--out", &out],
        ENDLESS,
    ]
    .concat();
    // No file may grow beyond 400 blocks of 1024 bytes: the journal fails as on a disk that is full.
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!(
        "trap '' XFSZ; ulimit -f 400; exec '{}' {}",
        env!("CARGO_BIN_EXE_blis"),
        quoted.join(" ")
    );
    let output = Command::new("bash")
        .args(["-c", &line])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("bash can be run");
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    };
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the record could not be written to"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("0.segment: File too large"),
        "{}",
        ran.stderr
    );
    let result = document(&ran);
    assert_eq!(result["ended_by"], "interrupted");
    assert!(number(&result, "/requests/ok") > 100);
    assert!(number(&result, "/record/dropped") > 0);
    // What was brought to disk before is there, with the result.
    let kept = std::fs::read_to_string(directory.join("result.json")).expect("a result");
    assert_eq!(kept, ran.stdout);
    let (rows, _) = rows(&out);
    assert_eq!(rows.len() as u64, number(&result, "/record/rows"));
}

#[test]
fn rows_alone_need_no_directory() {
    let server = Server::start("");
    let _double = Double::start(&server.url(), &[]);
    let folder = server.folder().join("traces");
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join("rows.jsonl").display().to_string();
    let words = [
        "--num-requests",
        "50",
        "--concurrency",
        "5",
        "--trace",
        &file,
    ];
    let result = observe(&server.url(), &words);
    assert_eq!(names(&folder), ["rows.jsonl"]);
    let text = std::fs::read_to_string(&file).expect("a trace");
    assert_eq!(text.lines().count(), 51);
    assert_eq!(number(&result, "/record/rows"), 50);
    let taken = run(&["observe", "--url", &server.url(), "--trace", &file]);
    assert_eq!(taken.code, Some(2), "{}", taken.stderr);
}

#[test]
fn what_holds_no_record_is_refused() {
    let server = Server::start("");
    let directory = server.folder().join("simulated");
    let out = directory.display().to_string();
    let ran = run(&["run", "--num-requests", "20", "--out", &out]);
    let shown = run(&["report", &out, "--json"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let kept = std::fs::read_to_string(directory.join("result.json")).expect("a result");
    assert_eq!(shown.stdout, kept);
    assert!(ran.stdout.lines().count() > 3);
    let none = run(&["trace", &out]);
    assert_eq!(none.code, Some(2));
    assert!(
        none.stderr.contains("holds no rows of requests"),
        "{}",
        none.stderr
    );
    for command in ["report", "trace"] {
        let ran = run(&[
            command,
            &server.folder().join("nowhere").display().to_string(),
        ]);
        assert_eq!(ran.code, Some(2));
        assert!(
            ran.stderr.contains("no run can be read there"),
            "{}",
            ran.stderr
        );
    }
    // A result of another version is named as such.
    let later = kept.replace("blis.result/1", "blis.result/2");
    std::fs::write(directory.join("result.json"), later).expect("a result");
    let ran = run(&["report", &out]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("has blis.result/2 as its schema"),
        "{}",
        ran.stderr
    );
}
