//! Results as tables for spreadsheets and as JUnit XML for build servers.

use crate::support::{json, words};

const LINE: &str = "--concurrency 50 --think-time-ms 500 --horizon 20s";

/// The cells of a table in which nothing is quoted.
fn rows(table: &str) -> Vec<Vec<&str>> {
    assert!(!table.contains('"'), "{table}");
    table
        .lines()
        .map(|line| line.split(',').collect())
        .collect()
}

#[test]
fn figures_are_those_of_the_document() {
    let ran = words(&format!("run {LINE} --format csv"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let rows = rows(&ran.stdout);
    assert_eq!(
        rows[0],
        [
            "part",
            "name",
            "figure",
            "unit",
            "value",
            "ci95_low",
            "ci95_high"
        ]
    );
    assert!(
        rows.iter().all(|row| row.len() == rows[0].len()),
        "{rows:?}"
    );
    let value = |part: &str, figure: &str| -> f64 {
        let mut all = rows.iter();
        let row = all.find(|row| row[0] == part && row[2] == figure);
        row.expect(figure)[4].parse().expect("a number")
    };
    let document = json(LINE);
    let of = |place: &str| {
        document
            .pointer(place)
            .expect("it is there")
            .as_f64()
            .expect("it is there")
    };
    assert_eq!(value("run", "throughput"), of("/throughput_rps"));
    assert_eq!(value("run", "response p99"), of("/latency_ms/response/p99"));
    assert_eq!(value("run", "ok"), of("/window/requests/ok"));
    assert_eq!(
        value("action", "response mean"),
        of("/actions/ask/latency_ms/response/mean")
    );
    assert_eq!(
        value("service", "utilisation"),
        of("/services/api/utilisation")
    );
}

#[test]
fn the_series_has_a_row_for_each_interval_in_the_unit_that_is_wanted() {
    let document = json(LINE);
    let series = document["series"].as_array().expect("it is there");
    let [of_ms, of_s] = ["ms", "s"].map(|unit| {
        let ran = words(&format!(
            "run {LINE} --format csv-series --time-unit {unit}"
        ));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    });
    let (of_ms, of_s) = (rows(&of_ms), rows(&of_s));
    assert_eq!(of_ms.len(), series.len() + 1);
    let at = |rows: &[Vec<&str>], name: &str, row: usize| -> f64 {
        let column = rows[0].iter().position(|heading| *heading == name);
        rows[row][column.expect(name)].parse().expect("a number")
    };
    for (nth, interval) in series.iter().enumerate() {
        let p99 = interval["response_p99_ms"].as_f64().expect("it is there");
        assert_eq!(at(&of_ms, "response_p99_ms", nth + 1), p99);
        assert_eq!(at(&of_s, "response_p99_s", nth + 1), p99 / 1e3);
        let busy = interval
            .pointer("/services/api/utilisation")
            .expect("it is there");
        assert_eq!(
            at(&of_ms, "api.utilisation", nth + 1),
            busy.as_f64().expect("it is there")
        );
    }
}

#[test]
fn a_missed_objective_is_a_failure_of_a_build() {
    let kept = words(&format!("run {LINE} --format junit"));
    assert_eq!(kept.code, Some(0));
    assert!(
        kept.stdout
            .contains(r#"tests="3" skipped="0" errors="0" failures="0""#),
        "{kept:?}"
    );
    let missed = words(&format!("run {LINE} --slo p95=1ms --format junit"));
    assert_eq!(missed.code, Some(99));
    assert!(
        missed.stdout.contains(r#"errors="0" failures="1""#),
        "{missed:?}"
    );
    assert!(
        missed
            .stdout
            .contains(r#"<failure message="Action ask: p95 "#),
        "{missed:?}"
    );
    let open = words("run --num-requests 10 --warmup 0s --slo p99=100ms --format junit");
    assert_eq!(open.code, Some(5));
    assert!(!open.stdout.contains(r#"errors="0""#), "{open:?}");
}

#[test]
fn what_has_no_figures_of_a_run_has_no_such_format() {
    for line in ["check quickstart.yaml --format csv", "max-rps --format csv"] {
        let ran = words(line);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr
                .contains("possible values: text, json, markdown, html"),
            "{ran:?}"
        );
    }
}
