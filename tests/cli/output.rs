//! Where results go: run directories, and places that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, at, binary, blis, count, finished, json, words};

const FLAGS: &str = "--concurrency 20 --think-time-ms 100 --horizon 15s --seed 3";

/// What a run directory holds.
const FILES: [&str; 4] = ["report.md", "result.json", "spec.schema.json", "spec.yaml"];

/// Runs into a directory.
fn run_into(directory: &Path, more: &[&str]) -> Ran {
    let out = ["run", "--out"].map(Path::new);
    let args = out.into_iter().chain([directory]);
    let more = FLAGS.split_whitespace().chain(more.iter().copied());
    blis(args.chain(more.map(Path::new)))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// A document without what tells a spec from the flags that changed it.
fn without_provenance(text: &str) -> Value {
    let mut document: Value = serde_json::from_str(text).expect("a document");
    document["spec"]["sha256"] = Value::Null;
    let settings = document["configuration"].as_object_mut().expect("settings");
    settings
        .values_mut()
        .for_each(|setting| setting["source"] = Value::Null);
    document
}

#[test]
fn a_run_directory_holds_the_resolved_spec_and_the_result() {
    let home = temporary();
    let directory = home.path().join("new/run");
    let ran = run_into(&directory, &["--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(names(&directory), FILES);
    assert_eq!(names(&home.path().join("new")), ["run"]);
    assert_eq!(read(directory.join("result.json")), ran.stdout);
    let spec = read(directory.join("spec.yaml"));
    for line in [
        "seed: 3",
        "  horizon: 15s",
        "    concurrency: 20",
        "    think: 100ms",
    ] {
        assert!(
            spec.lines().any(|found| found == line),
            "no {line:?} in\n{spec}"
        );
    }
    assert!(
        !spec.contains("requests:"),
        "client flags replace the budget:\n{spec}"
    );
}

#[test]
fn the_report_on_stdout_does_not_change_what_is_written() {
    let home = temporary();
    let report = run_into(&home.path().join("a"), &[]);
    assert!(
        report.stdout.starts_with("  verdict     "),
        "{}",
        report.stdout
    );
    run_into(&home.path().join("b"), &["--json"]);
    let result = |run: &str| read(home.path().join(run).join("result.json"));
    assert_eq!(result("a"), result("b"));
}

#[test]
fn a_resolved_spec_gives_the_same_result_again() {
    let home = temporary();
    let run = |name: &str| home.path().join(name);
    run_into(&run("first"), &[]);
    let again = |from: &str, to: &str| {
        let spec = run(from).join("spec.yaml");
        let args = ["run", "--spec"].map(PathBuf::from);
        let ran = blis(args.into_iter().chain([spec, "--out".into(), run(to)]));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    again("first", "second");
    again("second", "third");
    let file = |name: &str, file: &str| read(run(name).join(file));
    assert_eq!(file("second", "spec.yaml"), file("first", "spec.yaml"));
    let [first, second] = ["first", "second"].map(|name| file(name, "result.json"));
    assert_eq!(without_provenance(&second), without_provenance(&first));
    assert_eq!(file("third", "result.json"), second);
}

#[test]
fn existing_results_stay_unless_force_replaces_them() {
    let home = temporary();
    let directory = home.path().join("run");
    let out = directory.display();
    assert_eq!(words(&format!("run --seed 3 --out {out}")).code, Some(0));
    let before = read(directory.join("result.json"));
    let refused = words(&format!("run --seed 4 --out {out}"));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    assert_eq!(
        refused.stderr,
        format!(
            "blis: --out {out} holds the results of a run of quickstart; overwrite them with --force\n"
        )
    );
    assert_eq!(read(directory.join("result.json")), before);
    assert_eq!(
        words(&format!("run --seed 4 --out {out} --force")).code,
        Some(0)
    );
    assert_eq!(names(&directory), FILES);
    let after: Value =
        serde_json::from_str(&read(directory.join("result.json"))).expect("a result");
    assert_eq!(count(&after, "seed"), 4);
    assert!(read(directory.join("spec.yaml")).contains("seed: 4\n"));
}

#[test]
fn foreign_files_are_never_touched() {
    let home = temporary();
    let foreign = home.path().join("thesis.tex");
    fs::write(&foreign, "years of work").expect("a file");
    let directory = home.path().display();
    for force in ["", "--force"] {
        let ran = words(&format!("run --out {directory} {force}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(
            ran.stderr.contains(&format!(
                "--out {directory} holds thesis.tex, which is not from a run"
            )),
            "{}",
            ran.stderr
        );
        assert_eq!(names(home.path()), ["thesis.tex"]);
        assert_eq!(read(foreign.clone()), "years of work");
    }
}

/// All files below a folder with what they hold.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(tree(&path)),
            false => found.push((path.clone(), fs::read(&path).expect("a file"))),
        }
    }
    found.sort();
    found
}

#[test]
fn names_of_a_run_are_not_a_run() {
    let foreign: [(&[(&str, &str)], &str); 9] = [
        (&[("journal/2026.md", "dear diary")], "journal/2026.md"),
        (&[("journal/0.segment", "dear diary")], "journal/0.segment"),
        (&[("files/tax.pdf", "forms")], "files"),
        (
            &[("spec.yaml", "blis: 1\n"), ("files/a.csv", "time\n0\n")],
            "files",
        ),
        (&[("spec.yaml", "blis: 1\n")], "spec.yaml"),
        (&[("report.md", "my report")], "report.md"),
        (
            &[("result.json", "{\"schema\": \"mine/1\"}")],
            "result.json",
        ),
        (&[("manifest.json", "{}")], "manifest.json"),
        (&[("record.blis", "not a record")], "record.blis"),
    ];
    for (files, named) in foreign {
        let home = temporary();
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let before = tree(home.path());
        for force in ["", "--force"] {
            let ran = words(&format!("run --out {} {force}", home.path().display()));
            assert_eq!(ran.code, Some(2), "{named}: {ran:?}");
            let said = format!("holds {named}, ");
            assert!(ran.stderr.contains(&said), "{named}: {}", ran.stderr);
            assert_eq!(tree(home.path()), before, "{named}");
        }
    }
}

#[test]
fn what_was_added_to_a_run_or_changed_in_it_is_not_replaced() {
    let kept = temporary();
    let spec = kept.path().join("s.yaml");
    fs::write(
        &spec,
        "blis: 1\nname: s\nrun: {horizon: 1s}\nclients: {c: {arrival: {trace: a.csv}, do: a}}\n\
         actions: {a: {path: [reply]}}\n",
    )
    .expect("a spec");
    fs::write(kept.path().join("a.csv"), "time\n0\n0.5\n").expect("a file");
    let mine: [(&str, &str); 5] = [
        ("files/mine.csv", "mine"),
        ("files/a.csv", "time\n0\n0.1\n"),
        ("spec.yaml", "blis: 1\nname: my own\n"),
        ("notes.md", "what I found"),
        ("journal/day.md", "dear diary"),
    ];
    for (name, text) in mine {
        let home = temporary();
        let out = home.path().join("run");
        let line = format!("run --spec {} --out {}", spec.display(), out.display());
        assert_eq!(words(&line).code, Some(0));
        assert_eq!(
            words(&format!("{line} --force")).code,
            Some(0),
            "a run is replaced"
        );
        let path = out.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        let before = tree(&out);
        let ran = words(&format!("{line} --force"));
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(
            ran.stderr.contains(&format!("holds {name}, ")),
            "{}",
            ran.stderr
        );
        assert_eq!(tree(&out), before, "{name}");
    }
}

#[test]
fn an_existing_directory_keeps_its_identity() {
    let home = temporary();
    let here = finished(
        binary()
            .args(["run", "--out", "."])
            .current_dir(home.path()),
    );
    assert_eq!((here.code, here.stderr.as_str()), (Some(0), ""));
    assert_eq!(names(home.path()), FILES);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_directory_stays_a_link() {
    let home = temporary();
    let [real, link] = ["real", "link"].map(|name| home.path().join(name));
    fs::create_dir(&real).expect("a directory");
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    assert_eq!(run_into(&link, &[]).code, Some(0));
    assert!(link.is_symlink());
    assert_eq!(names(&real), FILES);
    let nowhere = home.path().join("nowhere");
    std::os::unix::fs::symlink(home.path().join("gone"), &nowhere).expect("a link");
    assert_eq!(run_into(&nowhere, &[]).code, Some(2));
}

/// A place in which not even the superuser can create anything, or one that is closed to everybody else.
#[cfg(target_os = "linux")]
fn closed_place(home: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let closed = home.join("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("permissions");
    match fs::create_dir(closed.join("trial")) {
        Ok(()) => {
            fs::remove_dir(closed.join("trial")).expect("the trial");
            PathBuf::from("/proc")
        }
        Err(_) => closed,
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_run() {
    let home = temporary();
    let file = home.path().join("file");
    fs::write(&file, "mine").expect("a file");
    let places = [
        file.clone(),
        file.join("run"),
        closed_place(home.path()).join("run/of/today"),
    ];
    let before = names(home.path());
    for place in places {
        let ran = run_into(&place, &[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{}",
            place.display()
        );
        assert!(
            ran.stderr
                .starts_with(&format!("blis: --out {} cannot be used: ", place.display()))
                && ran.stderr.contains("name a new directory"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(names(home.path()), before);
    assert_eq!(read(file), "mine");
}

#[test]
fn results_that_disappoint_are_written_too() {
    let home = temporary();
    for (name, flags, code, status) in [
        ("tripped", "--rate 800", 99, "TRIP"),
        (
            "few",
            "--concurrency 50 --num-requests 600",
            5,
            "INCONCLUSIVE",
        ),
    ] {
        let directory = home.path().join(name);
        let ran = words(&format!("run {flags} --out {}", directory.display()));
        assert_eq!(ran.code, Some(code));
        let result: Value =
            serde_json::from_str(&read(directory.join("result.json"))).expect("a result");
        assert_eq!(at(&result, "verdict.status"), status);
    }
}

#[test]
fn nothing_is_written_for_input_that_is_refused() {
    let home = temporary();
    let directory = home.path().join("deep/run");
    let ran = words(&format!(
        "run --concurrency 0 --out {}",
        directory.display()
    ));
    assert_eq!(ran.code, Some(2));
    assert!(names(home.path()).is_empty());
}

#[test]
fn the_schema_of_the_document_is_the_contract_s() {
    let result = json(FLAGS);
    assert_eq!(at(&result, "schema"), "blis.result/1");
    assert_eq!(at(&result, "mode"), "simulated");
    assert_eq!(at(&result, "spec.name"), "quickstart");
    let sha = blis_sim::spec::sha256(include_str!("../../specs/quickstart.yaml"));
    assert_eq!(at(&result, "spec.sha256"), &Value::from(sha));
    let keys = |path: &str| -> Vec<String> {
        let object = at(&result, path).as_object().expect("an object");
        let figures = object.keys().filter(|key| !key.ends_with("_ci95"));
        figures.cloned().collect()
    };
    let mut outcomes = [
        "intended",
        "ok",
        "app_error",
        "rejected",
        "timed_out",
        "transport_error",
        "dropped",
        "unresolved",
    ];
    outcomes.sort_unstable();
    for path in [
        "requests",
        "window.requests",
        "clients.users.requests",
        "actions.ask.requests",
    ] {
        assert_eq!(keys(path), outcomes, "{path}");
    }
    let sessions = [
        "budget_exhausted",
        "cancelled",
        "completed",
        "horizon_interrupted",
        "started",
    ];
    assert_eq!(keys("sessions"), sessions);
    let latency = [
        "censored", "count", "max", "mean", "min", "p50", "p90", "p95", "p99", "p999",
    ];
    for block in ["", "clients.users.", "actions.ask."] {
        for of in ["response", "service", "lag"] {
            assert_eq!(keys(&format!("{block}latency_ms.{of}")), latency);
        }
    }
    for key in [
        "utilisation",
        "visits",
        "rejected",
        "wait_ms",
        "mean_queue",
        "max_queue",
    ] {
        at(&result, &format!("services.api.{key}"));
    }
    assert!(count(&result, "events") > count(&result, "requests.intended"));
}
