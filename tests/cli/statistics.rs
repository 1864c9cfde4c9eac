//! `--replications`, `--precision`, `--warmup auto` and `blis whatif` on the command line.

use serde_json::Value;

use crate::support::{at, blis, count, json, number, shipped, words};

#[test]
fn replications_print_the_same_bytes_on_any_number_of_threads() {
    let on = |threads: u32| {
        let ran = words(&format!(
            "run --json --rate 300 --horizon 5s --replications 6 --threads {threads}"
        ));
        assert_eq!(ran.stderr, "");
        ran.stdout
    };
    let one = on(1);
    assert!(one == on(2) && one == on(4));
}

#[test]
fn replications_are_reported_together() {
    let document = json("--rate 300 --horizon 5s --replications 4");
    assert_eq!(count(&document, "replications.count"), 4);
    assert_eq!(at(&document, "intervals.method"), "replications");
    let each = at(&document, "replications.each")
        .as_array()
        .expect("a list");
    assert_eq!(at(&each[0], "seed"), 42);
    let plain = json("--rate 300 --horizon 5s");
    assert_eq!(plain.get("replications"), None);
    assert_eq!(at(&plain, "intervals.method"), "batch_means");
    assert!(count(&document, "requests.intended") > 3 * count(&plain, "requests.intended"));
    let text = words("run --rate 300 --horizon 5s --replications 4").stdout;
    assert!(text.contains("4 replications, "), "{text}");
    assert!(
        text.contains("  intervals   95 %, over 4 replications\n"),
        "{text}"
    );
    // A single replication is the plain run.
    assert_eq!(json("--rate 300 --horizon 5s --replications 1"), plain);
}

#[test]
fn a_precision_adds_replications_until_it_is_reached() {
    let document = json("--rate 300 --horizon 15s --precision 5%");
    assert_eq!(at(&document, "replications.precision.reached"), true);
    assert!(number(&document, "replications.precision.achieved") <= 0.05);
    assert!((10..200).contains(&count(&document, "replications.count")));
}

#[test]
fn a_precision_that_is_not_reached_is_told() {
    let ran = words("run --json --rate 300 --horizon 15s --precision 0.1% --max-replications 12");
    let document = ran.json();
    assert_eq!(at(&document, "replications.precision.reached"), false);
    assert_eq!(count(&document, "replications.count"), 12);
    assert!(
        ran.stderr.contains("NOT REACHED: after 12 replications"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("raise --max-replications"),
        "{}",
        ran.stderr
    );
    let report = words("run --rate 300 --horizon 15s --precision 0.1% --max-replications 12");
    assert!(report.stdout.contains("NOT REACHED"), "{}", report.stdout);
}

/// Replications that are too short by themselves are no better for being many: the search for a precision ends at once.
#[test]
fn a_precision_of_replications_that_are_too_short_is_told() {
    let ran = words("run --json --rate 390 --horizon 5s --precision 5%");
    let document = ran.json();
    assert_eq!(at(&document, "replications.precision.reached"), false);
    assert_eq!(count(&document, "replications.count"), 10);
    assert!(
        ran.stderr.contains("too short for an interval"),
        "{}",
        ran.stderr
    );
    let why = at(&document, "intervals.absent")
        .get("latency_ms.response.mean")
        .and_then(Value::as_str)
        .expect("a reason");
    assert!(
        why.starts_with("too short: use replications of at least "),
        "{why}"
    );
}

#[test]
fn a_warmup_is_found() {
    let document = json("--rate 300 --horizon 20s --warmup auto");
    assert_eq!(at(&document, "window.found_by.rule"), "mser-5");
    assert_eq!(at(&document, "window.found_by.steady_state"), true);
    let setting = at(&document, "configuration")
        .get("run.warmup")
        .expect("it is recorded");
    assert_eq!(
        (at(setting, "value"), at(setting, "source")),
        (&"auto".into(), &"--warmup".into())
    );
    let warmup = number(&document, "window.warmup_s");
    assert!(warmup < 10.0);
    assert!((number(&document, "window.measured_s") + warmup - 20.0).abs() < 1e-9);
    assert_eq!(json("--rate 300 --horizon 20s --warmup auto"), document);
}

#[test]
fn a_load_without_a_steady_state_is_told() {
    let ran = words("run --json --rate 600 --horizon 20s --timeout 1h --warmup auto");
    assert_eq!(at(&ran.json(), "window.found_by.steady_state"), false);
    assert!(
        ran.stderr
            .contains("no steady state: response times do not settle"),
        "{}",
        ran.stderr
    );
    let report = words("run --rate 600 --horizon 20s --timeout 1h --warmup auto").stdout;
    assert!(report.contains("NO STEADY STATE"), "{report}");
}

#[test]
fn every_figure_has_an_interval_or_a_reason() {
    for flags in ["", "--replications 3", "--rate 300", "--num-requests 20"] {
        let document = json(flags);
        let absent = at(&document, "intervals.absent")
            .as_object()
            .expect("reasons");
        let mut figures = 0;
        let mut check = |path: &str, block: &Value, names: &[&str]| {
            for name in names {
                if block.get(*name).is_none() {
                    continue;
                }
                let beside = block.get(format!("{name}_ci95"));
                let key = if path.is_empty() {
                    (*name).to_owned()
                } else {
                    format!("{path}.{name}")
                };
                let told = absent.contains_key(&key);
                // While nothing lags, service is response, and has its reasons.
                let told = told || absent.contains_key(&key.replace("ms.service", "ms.response"));
                assert!(beside.is_some() != told, "{flags}: {key} {beside:?}");
                if let Some([low, high]) =
                    beside.and_then(|both| both.as_array()).map(Vec::as_slice)
                {
                    assert!(low.as_f64() <= high.as_f64(), "{flags}: {key}");
                }
                figures += 1;
            }
        };
        const LATENCY: [&str; 6] = ["mean", "p50", "p90", "p95", "p99", "p999"];
        check("", &document, &["throughput_rps"]);
        for name in ["response", "service", "lag"] {
            let path = format!("latency_ms.{name}");
            check(&path, at(&document, &path), &LATENCY);
        }
        for of in ["actions.ask", "clients.users"] {
            check(of, at(&document, of), &["throughput_rps"]);
            let path = format!("{of}.latency_ms.response");
            check(&path, at(&document, &path), &LATENCY);
        }
        check(
            "services.api",
            at(&document, "services.api"),
            &["utilisation", "mean_queue"],
        );
        let waits = at(&document, "services.api.wait_ms");
        check("services.api.wait_ms", waits, &["mean"]);
        let few = absent.contains_key("services.api.wait_ms quantiles");
        if !few {
            check("services.api.wait_ms", waits, &LATENCY);
        }
        assert_eq!(few, !flags.contains("replications"), "{flags}");
        for (figure, why) in absent {
            let why = why.as_str().expect("a reason");
            let (word, sentence) = why.split_once(": ").expect("a word and a sentence");
            assert!(
                word.split(' ').count() <= 2 && !sentence.is_empty(),
                "{figure}: {why}"
            );
        }
        let counts = &absent["counts and largest values"];
        assert!(
            counts
                .as_str()
                .is_some_and(|why| why.starts_with("exact: "))
        );
        assert!(figures >= 30, "{flags}: {figures}");
    }
}

/// In text and Markdown alike: below a table stand the columns that have none, and why.
#[test]
fn a_report_says_in_a_word_what_has_no_interval() {
    let spec = shipped("streams.yaml");
    for format in ["", "--format markdown"] {
        let run = |more: &str| {
            words(&format!(
                "run --spec {} --horizon 20s {format} {more}",
                spec.display()
            ))
            .stdout
        };
        let single = run("");
        for note in [
            "no interval for wait p99 in a single run; use --replications",
            "streams: no interval for age p99, wait p99 in a single run; use --replications; no interval for growth (fitted)",
            "fan-outs: no interval for delivery p50, delivery p99, last p99 in a single run; use --replications",
            "exact: counts and largest values",
        ] {
            assert!(single.contains(note), "{note}\n{single}");
        }
        let several = run("--replications 3");
        assert!(!several.contains("in a single run"), "{several}");
        assert!(
            several.contains("streams: no interval for growth (fitted)"),
            "{several}"
        );
    }
}

fn whatif(more: &str) -> crate::support::Ran {
    let spec = shipped("quickstart.yaml");
    words(&format!("whatif {} --horizon 20s {more}", spec.display()))
}

#[test]
fn a_variant_is_compared() {
    let ran = whatif("--set services.api.workers=2 --replications 4 --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let document = ran.json();
    assert_eq!(at(&document, "schema"), "blis.whatif/1");
    assert_eq!(count(&document, "replications"), 4);
    assert_eq!(
        at(&document, "changes").get("services.api.workers"),
        Some(&"2".into())
    );
    let figures = at(&document, "figures").as_array().expect("figures");
    let busy = figures
        .iter()
        .find(|figure| at(figure, "figure") == "services.api.utilisation")
        .expect("the utilisation");
    let close =
        |path: &str, value: f64| assert!((number(busy, path) - value).abs() < 0.02, "{busy}");
    close("base", 0.245);
    close("variant", 0.49);
    close("difference", 0.245);
    let again = whatif("--set services.api.workers=2 --replications 4 --json --threads 3");
    assert!(again.stdout == ran.stdout);
    let report = whatif("--set services.api.workers=2 --replications 4").stdout;
    assert!(
        report.starts_with("quickstart, seed 42: variant with services.api.workers=2\n"),
        "{report}"
    );
    assert!(report.contains("  verdict variant: PASS\n"), "{report}");
}

#[test]
fn the_exit_code_of_a_comparison_is_the_variants() {
    assert_eq!(
        whatif("--set services.api.workers=1 --replications 2").code,
        Some(99)
    );
    assert_eq!(
        whatif("--set run.horizon=5s5 --replications 2").code,
        Some(2)
    );
}

#[test]
fn a_comparison_needs_a_variant_on_the_same_seeds() {
    let nothing = whatif("");
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.stderr.contains("--set services.api.workers=5"),
        "{}",
        nothing.stderr
    );
    let seeds = whatif("--set seed=7");
    assert_eq!(seeds.code, Some(2));
    assert!(
        seeds.stderr.contains("both sides use the same seed"),
        "{}",
        seeds.stderr
    );
    assert_eq!(
        whatif("--seed 7 --set services.api.workers=3 --replications 1").code,
        Some(0)
    );
    let twice = whatif("--set run.horizon=5s");
    assert_eq!(twice.code, Some(2), "{}", twice.stderr);
}

#[test]
fn statistics_that_cannot_be_are_refused() {
    for (flags, told) in [
        ("--replications 0", "give at least 1"),
        ("--replications -1", "`-1`"),
        ("--replications some", "`some`"),
        ("--threads 0", "give at least 1"),
        ("--precision 0%", "not above 0 and below 100%"),
        ("--precision 100%", "not above 0 and below 100%"),
        ("--precision fine", "`fine`"),
        ("--max-replications 5", "--precision"),
        ("--warmup soon", "or auto"),
    ] {
        let ran = blis(["run"].into_iter().chain(flags.split(' ')));
        assert_eq!(ran.code, Some(2), "{flags}");
        assert!(ran.stderr.contains(told), "{flags}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{flags}");
    }
}
