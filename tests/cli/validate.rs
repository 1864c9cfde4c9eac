//! `blis validate` as far as it goes without a server.

use tempfile::TempDir;

use crate::support::{Ran, binary, finished};

const SPEC: &str = "blis: 1\nname: shop\nrun: {horizon: 9s}\nclients: {users: {rate: 100/s, do: ask}}\nactions: {ask: {path: [{visit: api}, \
                    reply], live: {request: shop.ask}}}\nservices: {api: {workers: 4, time: 8ms}}\n";

fn validate(spec: &str, line: &str) -> Ran {
    let home: TempDir = tempfile::tempdir().expect("a folder");
    let path = home.path().join("shop.yaml");
    std::fs::write(&path, spec).expect("a spec");
    let mut command = binary();
    command.arg("validate").args(line.split_whitespace());
    command
        .arg(&path)
        .env("BLIS_NATS_SERVER", home.path().join("nowhere"));
    command.env_remove("NATS_URL").env_remove("NATS_CONTEXT");
    finished(&mut command)
}

#[test]
fn a_dry_run_says_which_loads_and_how_long() {
    let ran = validate(SPEC, "--local --dry-run");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.starts_with("dry run: "), "{ran:?}");
    // Four workers of 8 ms carry 500/s.
    let line = ran
        .stdout
        .lines()
        .find(|line| line.contains("loads"))
        .expect("loads");
    let loads: Vec<f64> = line
        .replace("loads", "")
        .split(',')
        .map(|load| load.trim().trim_end_matches("/s").parse().expect("a rate"))
        .collect();
    let shares = [0.3, 0.5, 0.7, 0.8, 0.9, 1.1];
    assert_eq!(loads.len(), shares.len(), "{line}");
    for (load, share) in loads.iter().zip(shares) {
        assert!((load / (share * 500.0) - 1.0).abs() < 0.1, "{load} {share}");
    }
    let closed = SPEC.replace("rate: 100/s", "concurrency: 3");
    let ran = validate(&closed, "--local --dry-run --time-limit 3m --repeats 2");
    assert!(ran.stdout.contains("varied      concurrency"), "{ran:?}");
    // Of four workers that are asked again at once.
    assert!(
        ran.stdout.contains("loads       1, 2, 3, 4, 6, 8\n"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("2 turns of all loads; each run 2s warm-up, 11s window"),
        "{ran:?}"
    );
    let given = validate(
        SPEC,
        "--local --dry-run --predict-at 50,1k --hold 3s --warmup 1s --cooldown 0s",
    );
    assert!(
        given.stdout.contains("loads       50/s, 1,000/s\n"),
        "{given:?}"
    );
    assert!(given.stdout.contains("total       about 30s"), "{given:?}");
}

/// Of a service without a spec.
fn service(line: &str) -> Ran {
    let mut command = binary();
    command.args([
        "validate",
        "--subject",
        "shop.ask",
        "--url",
        "nats://127.0.0.1:9",
    ]);
    command.args(line.split_whitespace());
    finished(&mut command)
}

#[test]
fn a_service_without_a_spec_is_fitted_first() {
    let ran = service("--dry-run --repeats 2 --hold 5s");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let says = [
        "varied      concurrency",
        "fitted at   1, 2, 3, 4, 6, 8; one run each",
        "loads       6, chosen from the fitted model",
        "total       about 162s, and the fit",
    ];
    for says in says {
        assert!(ran.stdout.contains(says), "{says}: {ran:?}");
    }
    // A quarter of the limit is for the fit: 18 runs share the rest.
    let ran = service("--dry-run --repeats 2 --time-limit 5m");
    let says = "2s warm-up, 8500ms window";
    assert!(ran.stdout.contains(says), "{ran:?}");
    assert!(ran.stdout.contains("the fit: within 5m"), "{ran:?}");
    let ran = service("--dry-run --calibrate-at 2,5 --predict-at 20");
    assert!(
        ran.stdout.contains("fitted at   2, 5;") && ran.stdout.contains("loads       20\n"),
        "{ran:?}"
    );
}

#[test]
fn what_cannot_be_validated_is_told_before_anything_runs() {
    let pathless = SPEC.replace("path: [{visit: api}, reply], ", "");
    for (spec, line, says) in [
        (SPEC, "", "no target is given"),
        (
            SPEC,
            "--local",
            "needs nats-server 2.11 or newer, and none is on PATH",
        ),
        (
            SPEC,
            "--local --url nats://127.0.0.1:4222",
            "cannot be used with",
        ),
        (SPEC, "--local --predict-at 20,10", "not strictly ascending"),
        (SPEC, "--local --predict-at 10,,20", "has an empty entry"),
        (SPEC, "--local --predict-at fast", "--predict-at"),
        (
            SPEC,
            "--local --over services.api.workers --predict-at 1,2",
            "it exists only in the model",
        ),
        (SPEC, "--local --over concurrency", "concurrency"),
        (SPEC, "--local --hold 0s", "--hold is zero"),
        (
            SPEC,
            "--local --time-limit 20s",
            "is too short for 18 live runs",
        ),
        (SPEC, "--local --repeats 0", "--repeats"),
        (
            SPEC,
            "--local --tolerance p98=1%",
            "there is no figure `p98`",
        ),
        (
            &pathless,
            "--local",
            "action ask has no path to predict from",
        ),
        (
            SPEC,
            "--local --fix network.one_way",
            "give loads to fit with --calibrate-at",
        ),
        (SPEC, "--local --calibrate-at 5,5", "not strictly ascending"),
        (
            SPEC,
            "--local --over clients.users.rate --calibrate-at 50,100",
            "--over clients.users.rate needs loads",
        ),
        (
            SPEC,
            "--local --calibrate-at 5,10 --time-limit 20s",
            "--predict-at, --calibrate-at",
        ),
        (SPEC, "--local --subject shop.ask", "cannot be used with"),
    ] {
        let ran = validate(spec, line);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{line}: {ran:?}"
        );
        assert!(ran.stderr.contains(says), "{line}: {ran:?}");
    }
    let ran = service("--rate 5/s --dry-run");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.stderr.contains("such as --calibrate-at 50,100,200"),
        "{ran:?}"
    );
    // Nobody listens, which is found out before anything is simulated.
    let ran = validate(SPEC, "--url nats://127.0.0.1:9 --quiet");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{ran:?}");
}
