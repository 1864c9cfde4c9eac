//! What is wrong with a file that a spec refers to is named by file and line.

use blis_sim::dist::Family;
use blis_sim::model::{Arrival, Model, Source};
use blis_sim::spec::{self, Files, SpecError};

const SPEC: &str = "\
blis: 1
name: files
run: {horizon: 60s}
clients:
  replay: {arrival: {trace: data/trace.csv}}
actions:
  ask: {path: [{visit: api}, reply]}
  tell: {path: [reply]}
services:
  api: {workers: 1, time: {empirical: {file: times.csv}}}
";
const TRACE: &str = "time,action\n0,ask\n1.5,tell\n1.5,ask\n";
const TIMES: &str = "value\n2ms\n1ms\n";

fn lowered(text: &str, trace: &str, times: &str) -> Result<Model, Vec<SpecError>> {
    let mut files = Files::default();
    files.insert("data/trace.csv", trace);
    files.insert("times.csv", times);
    let spec = spec::read(text)?;
    spec::lower_with(&spec, &files).map(|lowered| lowered.model)
}

/// The spanned text, the message and the help of the only error.
fn refused(text: &str, trace: &str, times: &str) -> (String, String, String) {
    let errors = lowered(text, trace, times).expect_err("refused");
    let [error] = errors.as_slice() else {
        panic!("{errors:?}")
    };
    let span = error.span.clone().expect("a place");
    let help = error.help.clone().expect("what is accepted");
    (text[span].to_owned(), error.message.clone(), help)
}

#[test]
fn files_become_arrivals_actions_and_times() {
    let model = lowered(SPEC, TRACE, TIMES).expect("a model");
    let client = &model.clients[0];
    let Source::Open {
        arrival: Arrival::Recorded(recording),
        ..
    } = &client.source
    else {
        panic!("recorded")
    };
    let times: Vec<f64> = recording.times.iter().map(|t| t.as_secs_f64()).collect();
    assert_eq!(times, [0.0, 1.5, 1.5]);
    assert_eq!(recording.rate(None), 2.0);
    assert_eq!(recording.rate(model.limits.horizon), 0.05);
    let shares: Vec<(usize, f64)> = client
        .mix
        .shares
        .iter()
        .map(|(action, share)| (action.index(), *share))
        .collect();
    assert_eq!(shares, [(0, 2.0 / 3.0), (1, 1.0 / 3.0)]);
    let time = &model.services[0].time;
    assert_eq!((time.family(), time.mean()), (Family::Empirical, 1.5e6));
}

#[test]
fn a_flaw_of_a_recording_names_file_line_and_form() {
    let forms = "a time is a number of seconds, or has a unit: `12.5`, `12500ms`; none is negative";
    let row = "every line has 2, as the header `time,action` has";
    #[rustfmt::skip]
    let cases = [
        ("time,action\n0,ask\nlater,ask\n", 3, "`later` is not a time", forms),
        ("time,action\n-1,ask\n", 2, "`-1` is negative", forms),
        ("time,action\nnan,ask\n", 2, "`nan` is not a time", forms),
        ("time,action\n1e300,ask\n", 2, "`1e300` is not a time", forms),
        ("time,action\n,ask\n", 2, "`` is not a time", forms),
        ("time,action\n2,ask\n1s,ask\n", 3, "`1s` is before the row above it, at 2s", "times ascend; equal ones are accepted"),
        ("time,action\n2,asp\n", 2, "there is no action `asp`", "did you mean `ask`? the actions are `ask` or `tell`"),
        ("time,action\n2\n", 2, "`2` has one field", row),
        ("time,action\n2,ask,1\n", 2, "`2,ask,1` has 3 fields", row),
        ("time,action\n2,ask\n3,a", 3, "`3,a` has no line break, as if the file was cut short", "every line ends with a line break"),
        ("0,ask\n", 1, "`0,ask` is not a header", "the first line is `time` or `time,action`"),
        ("time,action\n", 1, "there are no rows below the header", "give at least one row"),
    ];
    for (trace, line, message, accepted) in cases {
        let (place, found, help) = refused(SPEC, trace, TIMES);
        assert_eq!(place, "data/trace.csv");
        assert_eq!(found, format!("data/trace.csv, line {line}: {message}"));
        assert_eq!(help, accepted);
    }
}

#[test]
fn a_flaw_of_measured_values_names_file_line_and_form() {
    for (times, line, message) in [
        ("value\n1ms\n2\n", 3, "the duration `2` has no unit"),
        ("value\n-1ms\n", 2, "`-1ms` is negative"),
        ("time\n1ms\n", 1, "`time` is not a header"),
        (
            "value\n1ms",
            2,
            "`1ms` has no line break, as if the file was cut short",
        ),
    ] {
        let (place, found, _) = refused(SPEC, TRACE, times);
        assert_eq!(place, "times.csv");
        assert_eq!(found, format!("times.csv, line {line}: {message}"));
    }
    let numbers = SPEC.replace(
        "data/trace.csv}",
        "data/trace.csv}, session: {rounds: {empirical: {file: times.csv}}}",
    );
    let numbers = numbers.replace("{empirical: {file: times.csv}}}\n", "1ms}\n");
    assert!(lowered(&numbers, TRACE, "value\n2\n3\n").is_ok());
    let (_, found, _) = refused(&numbers, TRACE, TIMES);
    assert_eq!(found, "times.csv, line 2: `2ms` is not a number");
}

#[test]
fn what_a_recording_says_is_not_said_twice() {
    let with_do = SPEC.replace("data/trace.csv}", "data/trace.csv}, do: ask");
    let (place, message, _) = refused(&with_do, TRACE, TIMES);
    assert_eq!(place, "ask");
    assert_eq!(
        message,
        "`do` has no effect on a client whose recording has the action of each arrival"
    );
    assert!(lowered(&with_do, "time\n1\n", TIMES).is_ok());
    let (place, message, _) = refused(SPEC, "time\n1\n", TIMES);
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("replay", "a client needs the key `do`")
    );
    let respawn = SPEC.replace(
        "data/trace.csv}",
        "data/trace.csv}, on_failure: {respawn: true}",
    );
    let (_, message, _) = refused(&respawn, TRACE, TIMES);
    assert_eq!(message, "`respawn` has no effect on an open client");
}

/// Every form of a shape and of the distributions with files reads back as it was written.
#[test]
fn shapes_are_written_back() {
    for shape in [
        "constant",
        "{ramp: {over: 5s}}",
        "{ramp: {from: 3, to: 0.5, at: 1s, over: 5s}}",
        "{stairs: {levels: [1, 0, 2.5], every: 10s}}",
        "{spike: {at: 5s, for: 1s, factor: 4}}",
        "{spike: [{at: 5s, for: 1s, factor: 4}, {at: 8s, for: 1s, factor: 0}]}",
        "{drain: {at: 1s, over: 2s}}",
        "{diurnal: {low: 0.25, peak_at: 14h}}",
        "{diurnal: {period: 30s, low: 0.25, high: 3, peak_at: 14s}}",
        "{diurnal: {period: 30s, levels: [1, 2, 3]}}",
        "{windows: [{at: 0s, for: 5s}, {at: 7s, for: 1s}]}",
    ] {
        let client = format!("population: 3, rate: 5/s, shape: {shape}, do: ask");
        let text = SPEC.replace("arrival: {trace: data/trace.csv}", &client);
        let model =
            lowered(&text, TRACE, TIMES).unwrap_or_else(|errors| panic!("{shape}: {errors:?}"));
        let spec = spec::read(&text).expect("a spec");
        let resolved = spec::resolved(&spec);
        let again = lowered(&resolved, TRACE, TIMES).expect("the resolved spec");
        assert_eq!(again, model, "{resolved}");
        let read = spec::read(&resolved).expect("the resolved spec");
        assert_eq!(spec::resolved(&read), resolved);
    }
}
