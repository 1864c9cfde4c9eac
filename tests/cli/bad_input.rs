//! Input that is refused: exit 2, an error that names what, where and what would be accepted, and nothing else.

use std::fs;

use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::support::with_memory;
use crate::support::{Ran, binary, finished, shipped};

/// A spec without mistakes, for each case to break in one place.
const BASE: &str = "\
blis: 1
name: base
run: {horizon: 60s, warmup: 5s}
clients:
  users:
    concurrency: 50
    think: {exponential: {mean: 500ms}}
    do: ask
    timeout: 5s
  feed:
    rate: 200/s
    do: {ask: 3, tell: 1}
actions:
  ask:
    path:
      - visit: api
      - reply
    slo: {p95: 100ms, p99: 250ms}
  tell:
    path: [{visit: log}, reply]
services:
  api:
    workers: 4
    time: {exponential: {mean: 10ms}}
  log:
    workers: 1
    time: 1ms
";

/// A directory of its own for each case, so that whatever is written is seen.
struct Case {
    home: TempDir,
}

impl Case {
    fn new() -> Case {
        Case {
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    /// Runs in the directory and holds the refusal to what is common to all.
    fn refused(&self, args: &[&str], stdin: &[u8]) -> String {
        let before = self.entries();
        let ran: Ran = finished(
            binary()
                .args(args)
                .current_dir(self.home.path())
                .write_stdin(stdin),
        );
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert_eq!(ran.stdout, "", "{args:?}");
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert!(
            ran.stderr.len() < 20_000,
            "{} bytes of errors",
            ran.stderr.len()
        );
        assert_eq!(self.entries(), before, "{args:?} wrote something");
        ran.stderr
    }

    fn entries(&self) -> usize {
        fs::read_dir(self.home.path())
            .expect("the directory")
            .count()
    }

    /// What `run` says of a spec; `check` must say the same.
    fn spec(&self, text: &str) -> String {
        let told = self.refused(&["run", "--spec", "-", "--out", "run"], text.as_bytes());
        assert_eq!(self.refused(&["check", "-"], text.as_bytes()), told);
        told
    }
}

fn holds(told: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(told.contains(fragment), "no {fragment:?} in\n{told}");
    }
}

/// The base with one thing replaced, and the place of what is wrong as an error gives it.
fn broken(original: &str, replacement: &str, wrong: &str) -> (String, String) {
    let at = BASE
        .find(original)
        .unwrap_or_else(|| panic!("`{original}` is not in the base"));
    let text = BASE.replacen(original, replacement, 1);
    let offset = replacement
        .find(wrong)
        .unwrap_or_else(|| panic!("`{wrong}` is not in `{replacement}`"));
    let before = &text[..at + offset];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    (text, format!("[stdin:{line}:{column}]"))
}

#[test]
fn the_base_is_accepted() {
    let ran = finished(binary().args(["check", "-"]).write_stdin(BASE));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

type Mistake = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// What stands in the base, what replaces it, what of that is wrong, and what the error says.
#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    // Numbers that are none, or out of range.
    ("time: 1ms", "time: .nan", ".nan", &["`.nan` is not a duration: it must be finite", "services.log.time", "500ms"]),
    ("time: 1ms", "time: .inf", ".inf", &["`.inf` is not a duration: it must be finite", "500ms"]),
    ("time: 1ms", "time: 1e999", "1e999", &["`1e999` is not a duration", "500ms"]),
    ("mean: 10ms", "mean: nan", "nan", &["`nan` is not a duration: it must be finite", "services.api.time.exponential.mean"]),
    ("mean: 10ms", "mean: -10ms", "-10ms", &["`-10ms` is negative", "500ms"]),
    ("mean: 10ms", "mean: 0ms", "0ms", &["`mean` is 0s", "help: "]),
    ("timeout: 5s", "timeout: 0s", "0s", &["a timeout of 0s fails every request", "give at least 1ns"]),
    ("timeout: 5s", "timeout: 5", "5", &["the duration `5` has no unit", "clients.users.timeout", "`500ms`, `2.5s`, `1h`"]),
    ("horizon: 60s", "horizon: 0s", "0s", &["a horizon of zero runs nothing", "give a time above 0s"]),
    ("horizon: 60s", "horizon: 87660000h", "87660000h", &["`87660000h` is too long", "up to 100 years (876600h)"]),
    ("warmup: 5s", "warmup: 60s", "60s", &["is not before the horizon (60s)", "shorten the warm-up"]),
    ("horizon: 60s", "requests: 0", "0", &["a budget of 0 requests runs nothing", "give at least 1"]),
    ("rate: 200/s", "rate: inf/s", "inf/s", &["`inf/s` is not a rate: it must be finite", "`200/s`"]),
    ("rate: 200/s", "rate: 0/s", "0/s", &["a rate of 0/s sends nothing", "give a higher rate"]),
    ("rate: 200/s", "rate: 200", "200", &["the rate `200` has no unit", "`200/s`"]),
    ("workers: 4", "workers: 0", "0", &["there must be at least one worker", "services.api.workers", "from 1 to"]),
    ("workers: 4", "workers: 4.5", "4.5", &["`4.5` is not a whole number"]),
    ("concurrency: 50", "concurrency: 0", "0", &["there must be at least one user", "from 1 to"]),
    ("concurrency: 50", "concurrency: 1000M", "1000M", &["1000000000 users need about", "up to 100000000 closed-loop users"]),
    ("time: 1ms", "time: 1ms\n    errors: 200%", "200%", &["the share `200%` is above 100%", "`0.1%`"]),
    // What is not there.
    ("{ask: 3, tell: 1}", "{ask: 0, tell: 0}", "{", &["the weights of the mix add up to 0", "clients.feed.do", "give at least one action a weight above 0"]),
    ("{ask: 3, tell: 1}", "{}", "{}", &["the mix is empty"]),
    ("      - reply\n", "      - branch: [{weight: 1, path: [reply]}, {weight: 1, path: []}]\n", "", &["on some branch the path of `ask` never replies", "actions.ask.path"]),
    ("horizon: 60s, ", "", "", &["the load has no end: there is neither a budget nor a horizon", "set `run.requests` or `run.horizon`, or give --num-requests or --horizon"]),
    ("workers: 4\n", "\n", "", &["a service needs the key `workers`"]),
    // Names.
    ("workers: 4", "wrokers: 4", "wrokers", &["`wrokers` is not a key of a service", "did you mean `workers`?"]),
    ("do: ask", "do: aks", "aks", &["there is no action `aks`", "did you mean `ask`?"]),
    ("- visit: api", "- visit: apo", "apo", &["there is no service `apo`", "did you mean `api`?"]),
    ("- visit: api", "- vist: api", "vist", &["`vist` is not a path step", "did you mean `visit`?"]),
    ("workers: 4", "workers: 4\n    workers: 5", "workers: 5", &["the key `workers` is given twice", "first here", "keep one of the two"]),
    ("  log:", "  api:", "api", &["the key `api` is given twice"]),
    ("blis: 1", "blis: 2", "2", &["version 2 of the language is not known", "`blis: 1`"]),
    // Keys without effect.
    ("timeout: 5s", "timeout: 5s\n    arrival: poisson", "poisson", &["`arrival` has no effect on a closed client"]),
    ("timeout: 5s", "timeout: 5s\n    rate: 5/s", "5/s", &["has both `concurrency` and `rate`"]),
    ("time: 1ms", "time: 1ms\n    dispatch: shared", "shared", &["`dispatch` has no effect on a service with one member"]),
    // Types and syntax.
    ("concurrency: 50", "concurrency: [50]", "[50]", &["expected a count, found a list"]),
    ("name: base", "name: *nobody", "*", &["this alias has no anchor"]),
];

#[test]
fn every_mistake_is_named_with_its_place_and_what_is_accepted() {
    for (original, replacement, wrong, said) in MISTAKES {
        let (text, place) = broken(original, replacement, wrong);
        let told = Case::new().spec(&text);
        holds(&told, said);
        // Where the mistake is that something is missing, any place in the spec will do.
        let place = if wrong.is_empty() || *wrong == "{" {
            "[stdin:"
        } else {
            &place
        };
        holds(&told, &[place, " in stdin\n"]);
    }
}

/// What is reserved: what it replaces in the base, and how it is written there.
#[rustfmt::skip]
const RESERVED: &[(&str, &str, &str)] = &[
    ("name: base", "name: base\ngroups: {rooms: {}}", "groups"),
    ("name: base", "name: base\nsteps: 500,1k,2k", "steps"),
    ("name: base", "name: base\nsetup: []", "setup"),
    ("name: base", "name: base\nmeasure: []", "measure"),
    ("name: base", "name: base\ncleanup: []", "cleanup"),
    ("rate: 200/s", "rate: 200/s\n    script: []", "script"),
    ("- visit: api", "- visit: api\n        during: [{visit: log}]", "during"),
    ("workers: 4", "workers: 4\n    members: 4\n    prefetch: 2", "prefetch"),
];

#[test]
fn what_is_reserved_is_refused_as_not_built_yet() {
    for (original, replacement, word) in RESERVED {
        let (text, place) = broken(original, replacement, word);
        let said =
            format!("`{word}` is part of the language, but not yet supported in this version");
        holds(&Case::new().spec(&text), &[&said, &place]);
    }
}

#[test]
fn several_errors_are_told_in_one_go() {
    let text = BASE
        .replacen("workers: 4", "workers: 0", 1)
        .replacen("do: ask", "do: aks", 1)
        .replacen("timeout: 5s", "timeout: soon", 1)
        .replacen("name: base", "name: base\nnmae: base", 1);
    let told = Case::new().spec(&text);
    let errors = [
        "`nmae` is not a key of a spec",
        "there is no action `aks`",
        "`soon` is not a duration",
        "there must be at least one worker",
        "4 errors in stdin\n",
    ];
    let places: Vec<_> = errors.map(|error| told.find(error)).into_iter().collect();
    assert!(places.iter().all(Option::is_some), "{told}");
    assert!(places.is_sorted(), "in the order of the text:\n{told}");
}

#[test]
fn empty_sections_are_refused() {
    let start = BASE.find("clients:").expect("clients");
    let end = BASE.find("actions:").expect("actions");
    let without = |clients: &str| format!("{}{clients}{}", &BASE[..start], &BASE[end..]);
    for clients in ["clients: {}\n", "clients:\n", "clients: []\n", ""] {
        let told = Case::new().spec(&without(clients));
        holds(&told, &["clients"]);
    }
    holds(
        &Case::new().spec(""),
        &["expected a spec, found nothing", "`clients`"],
    );
}

#[test]
fn texts_that_mean_harm_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let case = Case::new();
    holds(
        &case.spec(&bomb),
        &["the spec has too many values", "up to 100000 values"],
    );
    for deep in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(100_000),
    ] {
        holds(
            &case.spec(&deep),
            &["the spec is nested too deeply", "at most 64 deep"],
        );
    }
    let anchors: String = (0..2_000)
        .map(|number| format!("- &a{number} x\n"))
        .collect();
    holds(
        &case.spec(&anchors),
        &["the spec has too many aliases", "up to 1000"],
    );
    holds(
        &case.spec("blis: [1\nname: x\n"),
        &["this is not YAML", "[stdin:"],
    );
    holds(
        &case.spec(&format!("{BASE}---\n{BASE}")),
        &["a second document starts here"],
    );
}

#[test]
fn files_that_are_no_specs_are_refused() {
    let case = Case::new();
    let write =
        |name: &str, bytes: &[u8]| fs::write(case.home.path().join(name), bytes).expect("a file");
    write("latin1.yaml", b"blis: 1\nname: caf\xe9\n");
    write("huge.yaml", "é".repeat(5_000_000).as_bytes());
    fs::create_dir(case.home.path().join("folder")).expect("a directory");
    let cases: [(&str, &[&str]); 4] = [
        (
            "latin1.yaml",
            &[
                "the spec is not UTF-8 at latin1.yaml:2:10",
                "save the file as UTF-8",
            ],
        ),
        (
            "huge.yaml",
            &[
                "the spec huge.yaml is too large",
                "use at most 1048576 bytes",
            ],
        ),
        (
            "folder",
            &[
                "folder is a directory",
                "give the file of a workload spec, or - for stdin",
            ],
        ),
        (
            "missing.yaml",
            &[
                "the spec missing.yaml cannot be read: ",
                "name a file, or - for stdin",
            ],
        ),
    ];
    for (name, said) in cases {
        holds(
            &case.refused(&["run", "--spec", name, "--out", "run"], b""),
            said,
        );
        holds(&case.refused(&["check", name], b""), said);
    }
}

/// Flags that are refused, and what is said.
#[rustfmt::skip]
const FLAGS: &[(&str, &[&str])] = &[
    ("--rate 5 --concurrency 5", &["--rate", "--concurrency", "are both given"]),
    ("--rate 5 --think-time-ms 5", &["--think-time-ms: a think time has no effect with --rate; use it with --concurrency"]),
    ("--concurrency 0", &["--concurrency: there must be at least one user", "whole number from 1"]),
    ("--concurrency -5", &["--concurrency", "`-5` is negative", "a count is a whole number"]),
    ("--concurrency many", &["--concurrency", "`many` is not a count", "a count is a whole number"]),
    ("--concurrency 1000000000", &["--concurrency: 1000000000 users need about", "up to 100000000 closed-loop users"]),
    ("--concurrency 99999999999999999999", &["--concurrency", "is too large"]),
    ("--think-time-ms nan", &["--think-time-ms", "`nan`", "such as 500 or 0.5"]),
    ("--think-time-ms inf", &["--think-time-ms", "`inf`", "such as 500 or 0.5"]),
    ("--think-time-ms -1", &["--think-time-ms", "`-1`", "not negative"]),
    ("--think-time-ms 5s", &["--think-time-ms", "`5s`", "such as 500 or 0.5"]),
    ("--think-time-ms 9999999999999999", &["--think-time-ms", "is too long", "up to 100 years"]),
    ("--rate 0", &["--rate: a rate of 0/s sends nothing", "give a higher rate"]),
    ("--rate -5", &["--rate", "is negative", "`200/s`"]),
    ("--rate nan", &["--rate", "must be finite", "`200/s`"]),
    ("--rate inf/s", &["--rate", "must be finite", "`200/s`"]),
    ("--rate 200rps", &["--rate", "`200rps` is not a rate", "did you mean `200/s`"]),
    ("--horizon 8msec", &["--horizon", "`8msec` is not a duration", "did you mean `8ms`"]),
    ("--timeout 0.1ns", &["--timeout", "`0.1ns` is shorter than a nanosecond", "at least `1ns`"]),
    ("--rate 5/d", &["--rate", "`5/d` is not a rate", "per s, m or h"]),
    ("--num-requests 0", &["--num-requests: a budget of 0 requests runs nothing", "give at least 1"]),
    ("--num-requests 1.5", &["--num-requests", "`1.5` is not a whole number"]),
    ("--horizon 60", &["--horizon", "the duration `60` has no unit", "`500ms`, `2.5s`, `1h`"]),
    ("--horizon -5s", &["--horizon", "`-5s` is negative", "`500ms`, `2.5s`, `1h`"]),
    ("--horizon nan", &["--horizon", "must be finite"]),
    ("--horizon 0s --warmup 0s", &["--horizon: a horizon of zero runs nothing", "give a time above 0s"]),
    ("--horizon 87660000h", &["--horizon", "is too long", "up to 100 years (876600h)"]),
    ("--warmup 60s", &["--warmup: the warm-up (60s) is not before the horizon (60s)"]),
    ("--horizon 2s --warmup 5s", &["--warmup: the warm-up (5s) is not before the horizon (2s)", "(`--warmup`)"]),
    ("--timeout 0s", &["--timeout: a timeout of 0s fails every request", "give at least 1ns"]),
    ("--seed -1", &["--seed", "`-1` is negative"]),
    ("--seed 18446744073709551616", &["--seed", "is too large", "18446744073709551615"]),
    ("--force", &["--out <DIR>"]),
    ("--jsn", &["--jsn", "a similar argument exists: '--json'"]),
    ("extra", &["the spec extra cannot be read", "name a file, or - for stdin"]),
    ("extra more", &["unexpected argument 'more'"]),
];

#[test]
fn every_flag_that_is_wrong_is_named_with_what_is_accepted() {
    for (flags, said) in FLAGS {
        let case = Case::new();
        let mut args = vec!["run"];
        args.extend(flags.split_whitespace());
        if *flags != "--force" {
            args.extend(["--out", "run"]);
        }
        holds(&case.refused(&args, b""), said);
    }
    holds(
        &Case::new().refused(&["rn"], b""),
        &["unrecognized subcommand 'rn'"],
    );
    holds(&Case::new().refused(&[], b""), &["Usage: blis <COMMAND>"]);
}

#[test]
fn client_flags_beside_a_spec_name_the_key_to_set() {
    let spec = shipped("mixed.yaml");
    let spec = spec.to_str().expect("a path");
    for (flag, value, key) in [
        ("--concurrency", "5", "clients.NAME.concurrency"),
        ("--think-time-ms", "5", "clients.NAME.think"),
        ("--rate", "5", "clients.NAME.rate"),
    ] {
        let told = Case::new().refused(&["run", "--spec", spec, flag, value], b"");
        holds(
            &told,
            &[
                flag,
                "is only for runs without a spec",
                &format!("set {key} in the spec instead"),
            ],
        );
    }
}

#[test]
fn a_model_that_stands_still_is_named_instead_of_run_for_ever() {
    let still = |path: &str| {
        format!(
            "blis: 1\nname: still\nrun: {{horizon: 1s}}\nclients: {{users: {{concurrency: 5, do: ask}}}}\n\
             actions: {{ask: {{path: {path}}}}}\n"
        )
    };
    // Seen before the run.
    let told = Case::new().spec(&still("[{delay: 0s}, reply]"));
    holds(
        &told,
        &[
            "zero-time loop: a user of `users` gets every reply in zero time",
            "[stdin:4:32]",
            "give `think` above 0s",
        ],
    );
    // Only seen when it runs: a way that takes time is there, and is as good as never taken.
    let never = "[{branch: [{weight: 1e15, path: []}, {weight: 1, path: [{delay: 1s}]}]}, reply]";
    let told = Case::new().refused(
        &["run", "--spec", "-", "--out", "run"],
        still(never).as_bytes(),
    );
    holds(
        &told,
        &["zero-time loop at 0s", "give the users a think time"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn more_than_memory_is_refused_before_it_is_taken() {
    let limited = |args: &str| with_memory(2_000_000, args);
    let users = limited("run --concurrency 50M");
    assert_eq!(
        (users.code, users.stdout.as_str()),
        (Some(2), ""),
        "{users:?}"
    );
    holds(
        &users.stderr,
        &[
            "this spec needs up to 19202 MB of memory, but only 2048 MB are free",
            "50000000 users: use fewer",
        ],
    );
    assert_eq!(limited("run --concurrency 10k").code, Some(99));

    let names = |prefix: &str, entry: &str| -> String {
        (0..120)
            .map(|number| format!("  {prefix}{number}: {entry}\n"))
            .collect()
    };
    let mix: Vec<String> = (0..120).map(|number| format!("a{number}: 1")).collect();
    let text = format!(
        "blis: 1\nname: wide\nrun: {{requests: 10}}\nclients:\n{}actions:\n{}",
        names("c", &format!("{{rate: 1/s, do: {{{}}}}}", mix.join(", "))),
        names("a", "{path: [{delay: 1ms}, reply]}")
    );
    let home = tempfile::tempdir().expect("a directory");
    let spec = home.path().join("wide.yaml");
    fs::write(&spec, text).expect("a file");
    let wide = limited(&format!("run --spec '{}'", spec.display()));
    assert_eq!((wide.code, wide.stdout.as_str()), (Some(2), ""), "{wide:?}");
    holds(&wide.stderr, &["14400 actions of clients"]);
}
