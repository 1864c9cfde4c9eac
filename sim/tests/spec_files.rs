//! What is wrong with a file that a spec refers to is named by file and line.

use blis_sim::dist::Family;
use blis_sim::model::{Arrival, Model, Source};
use blis_sim::spec::{self, Files, SpecErrors};

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

fn lowered(text: &str, trace: &str, times: &str) -> Result<Model, SpecErrors> {
    let mut files = Files::default();
    files.insert("data/trace.csv", trace);
    files.insert("times.csv", times);
    let spec = spec::read(text)?;
    spec::lower_with(&spec, &files).map(|lowered| lowered.model)
}

/// The spanned text, the message and the help of the only error.
fn refused(text: &str, trace: &str, times: &str) -> (String, String, String) {
    let errors = lowered(text, trace, times).expect_err("refused");
    let [error] = &errors[..] else {
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
    let forms = "give a number of seconds, or a time with a unit, not negative: `12.5`, `12500ms`";
    let row = "every line has 2, as the header `time,action` has";
    #[rustfmt::skip]
    let cases = [
        ("time,action\n0,ask\nlater,ask\n", 3, "`later` is not a time", forms),
        ("time,action\n-1,ask\n", 2, "`-1` is negative", forms),
        ("time,action\nnan,ask\n", 2, "`nan` is not a time", forms),
        ("time,action\n1e300,ask\n", 2, "`1e300` is not a time", forms),
        ("time,action\n,ask\n", 2, "`` is not a time", forms),
        ("time,action\n2,ask\n1s,ask\n", 3, "`1s` is before the row above it, at 2s", "sort the times in ascending order; equal ones are accepted"),
        ("time,action\n2,asp\n", 2, "there is no action `asp`", "did you mean `ask`? the actions are `ask` or `tell`"),
        ("time,action\n2\n", 2, "`2` has one field", row),
        ("time,action\n2,ask,1\n", 2, "`2,ask,1` has 3 fields", row),
        ("time,action\n2,ask\n3,a", 3, "`3,a` has no line break; the file may be cut", "end every line with a line break"),
        ("0,ask\n", 1, "this is not the header of such a table", "the first line is `time` or `time,action`"),
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
        ("time\n1ms\n", 1, "this is not the header of such a table"),
        (
            "value\n1ms",
            2,
            "`1ms` has no line break; the file may be cut",
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

/// The times of the recording of the first client, in nanoseconds.
fn times(model: &Model) -> Vec<u64> {
    let Source::Open {
        arrival: Arrival::Recorded(recording),
        ..
    } = &model.clients[0].source
    else {
        panic!("recorded")
    };
    recording.times.iter().map(|time| time.as_nanos()).collect()
}

fn with_trace(trace: &str) -> String {
    SPEC.replace("trace: data/trace.csv", &format!("trace: {trace}"))
}

#[test]
fn absolute_times_are_recognised_in_every_unit_and_what_to_write_is_said() {
    #[rustfmt::skip]
    let cases = [
        ("1718900000", "`1718900000` looks like seconds since 1970", "{file: …, offset: first}"),
        ("1718900000.25", "`1718900000.25` looks like seconds since 1970", "{file: …, offset: first}"),
        ("1718900000000", "`1718900000000` looks like milliseconds since 1970", "{file: …, offset: first, unit: ms}"),
        ("1718900000000000", "looks like microseconds since 1970", "{file: …, offset: first, unit: us}"),
        ("1718900000000000000", "looks like nanoseconds since 1970", "{file: …, offset: first, unit: ns}"),
        ("1718900000s", "`1718900000s` looks like a time since 1970", "{file: …, offset: first}"),
        ("2026-11-29T02:24:00Z", "`2026-11-29T02:24:00Z` is a date", "seconds since 1970"),
    ];
    for (time, said, advice) in cases {
        let (place, found, help) = refused(SPEC, &format!("time,action\n{time},ask\n"), TIMES);
        assert_eq!(place, "data/trace.csv", "{time}");
        assert!(found.contains(said), "{found}");
        assert!(help.contains(advice), "{help}");
    }
    // Three years after its start is where a recording still may begin.
    let late = SPEC.replace("horizon: 60s", "horizon: 40000h");
    assert!(lowered(&late, "time,action\n99999999,ask\n", TIMES).is_ok());
}

#[test]
fn an_offset_makes_absolute_times_relative_to_the_nanosecond() {
    let rows = |times: [&str; 3]| {
        let rows: Vec<String> = times.iter().map(|time| format!("{time},ask\n")).collect();
        format!("time,action\n{}", rows.concat())
    };
    let seconds = rows(["1718900000.000000001", "1718900000.5", "1718900001"]);
    let millis = rows(["1718900000000.000001", "1718900000500", "1718900001000"]);
    let own = rows(["1718900000000000001ns", "1718900000500ms", "1718900001s"]);
    let first = [0, 499_999_999, 999_999_999];
    let given = [1, 500_000_000, 1_000_000_000];
    #[rustfmt::skip]
    let cases = [
        ("{file: data/trace.csv, offset: first}", &seconds, first),
        ("{file: data/trace.csv, offset: first, unit: ms}", &millis, first),
        ("{file: data/trace.csv, offset: first, unit: ms}", &own, first),
        ("{file: data/trace.csv, offset: 1718900000}", &seconds, given),
        ("{file: data/trace.csv, offset: 1718900000s, unit: ms}", &millis, given),
        ("{file: data/trace.csv, offset: 1718900000000, unit: ms}", &millis, given),
    ];
    for (trace, file, expected) in cases {
        let text = with_trace(trace);
        let model =
            lowered(&text, file, TIMES).unwrap_or_else(|errors| panic!("{trace}: {errors:?}"));
        assert_eq!(times(&model), expected, "{trace}");
        let resolved = spec::resolved(&spec::read(&text).expect("a spec"));
        assert_eq!(
            lowered(&resolved, file, TIMES).as_ref(),
            Ok(&model),
            "{resolved}"
        );
    }
    let relative = "time,action\n250,ask\n1500,ask\n";
    let model = lowered(
        &with_trace("{file: data/trace.csv, unit: ms}"),
        relative,
        TIMES,
    );
    assert_eq!(
        times(&model.expect("a model")),
        [250_000_000, 1_500_000_000]
    );
}

#[test]
fn what_is_wrong_with_an_offset_is_said() {
    let trace = "time,action\n10,ask\n20,ask\n";
    let (place, message, _) = refused(
        &with_trace("{file: data/trace.csv, offset: 15}"),
        trace,
        TIMES,
    );
    assert_eq!(place, "data/trace.csv");
    assert_eq!(message, "data/trace.csv, line 2: `10` is before the offset");
    let (place, message, help) = refused(
        &with_trace("{file: data/trace.csv, offset: frist}"),
        trace,
        TIMES,
    );
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("frist", "`frist` is not an offset")
    );
    assert!(help.contains("`first`"), "{help}");
    let (_, message, _) = refused(
        &with_trace("{file: data/trace.csv, offset: first}"),
        "time,action\n1,ask\n3200000000,ask\n",
        TIMES,
    );
    assert!(
        message.ends_with("line 3: `3200000000` is later than the clock allows"),
        "{message}"
    );
}

#[test]
fn a_load_that_is_empty_for_certain_is_an_error_and_a_silent_client_a_warning() {
    let text = |client: &str, other: &str| {
        format!(
            "blis: 1\nname: empty\nrun: {{horizon: 10s}}\nclients: {{a: {{{client}, do: ask}}{other}}}\n\
             actions: {{ask: {{path: [reply]}}}}\n"
        )
    };
    let busy = ", b: {concurrency: 1, think: 1s, do: ask}";
    #[rustfmt::skip]
    let empty = [
        ("rate: 1/h, arrival: constant", "1/h", "one period of its rate"),
        ("rate: 0.15/s, arrival: constant, shape: {ramp: {over: 10s}}", "0.15/s", "`shape`"),
        ("arrival: {burst: {count: 5, at: 11s}}", "{burst: {count: 5, at: 11s}}", "earlier `at`"),
    ];
    for (client, at, advice) in empty {
        let alone = text(client, "");
        let errors = spec::lower(&spec::read(&alone).expect("a spec")).expect_err(client);
        let [error] = &errors[..] else {
            panic!("{errors:?}")
        };
        assert_eq!(
            error.message,
            "the client `a` sends nothing before the horizon (10s)"
        );
        assert_eq!(&alone[error.span.clone().expect("a place")], at);
        assert!(
            error
                .help
                .as_deref()
                .is_some_and(|help| help.contains(advice)),
            "{error:?}"
        );
        let beside = text(client, busy);
        let lowered = spec::lower(&spec::read(&beside).expect("a spec")).expect(client);
        assert_eq!(lowered.warnings.len(), 1, "{:?}", lowered.warnings);
    }
    #[rustfmt::skip]
    let possible = [
        "rate: 0.1/s, arrival: constant",
        "arrival: {burst: {count: 5, at: 10s}}",
        "rate: 1/h",
        "rate: 100/s, shape: {ramp: {at: 9s, over: 5s}}",
        "rate: 1/h, arrival: {gamma: {cv: 0.1}}",
    ];
    for client in possible {
        let text = text(client, "");
        let lowered = spec::lower(&spec::read(&text).expect("a spec")).expect(client);
        assert!(
            lowered.warnings.is_empty(),
            "{client}: {:?}",
            lowered.warnings
        );
    }
    let late = "time,action\n61,ask\n";
    let (place, message, help) = refused(SPEC, late, TIMES);
    assert_eq!(place, "{trace: data/trace.csv}");
    assert_eq!(
        message,
        "the client `replay` sends nothing before the horizon (60s)"
    );
    assert!(
        help.contains("its first arrival is at 61s") && help.contains("offset: first"),
        "{help}"
    );
    assert!(
        lowered(
            &with_trace("{file: data/trace.csv, offset: first}"),
            late,
            TIMES
        )
        .is_ok()
    );
}
