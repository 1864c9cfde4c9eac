//! What an interval rests on: counts that are spread over the run, and what a distribution tells apart.

use blis_sim::result::{LatencyBlock, Run};

use crate::support::{document, model, replications, run};

/// Requests that take so long, whatever else is going on.
fn delayed(delay: &str, run: &str) -> blis_sim::model::Model {
    model(&format!(
        "
blis: 1
name: rules
run: {{{run}}}
clients: {{feed: {{rate: 100/s, do: ask}}}}
actions: {{ask: {{path: [{{delay: {delay}}}, reply]}}}}
"
    ))
}

fn response(run: &Run) -> &LatencyBlock {
    &run.latency_ms.response
}

#[test]
fn a_mean_of_what_all_ended_at_once_has_no_interval() {
    let ended = run(&delayed("100s", "horizon: 10s, drain: 0s"));
    let block = response(&ended);
    assert!(block.count > 900 && block.censored == block.count);
    assert_eq!((block.mean_ci95, block.p50_ci95), (None, None));
    for figure in ["mean", "p50"] {
        let why = &ended.intervals.absent[&format!("latency_ms.response.{figure}")];
        assert_eq!(
            why, "too few: nearly all observations lie in 1 of 10 batches",
            "{figure}"
        );
    }
    // What is over before the run is has an interval of some width.
    let [low, high] = response(&run(&delayed(
        "{exponential: {mean: 10ms}}",
        "horizon: 10s",
    )))
    .mean_ci95
    .unwrap();
    assert!(low < 10.0 && 10.0 < high);
}

#[test]
fn what_a_distribution_cannot_tell_apart_has_an_interval_of_that_width() {
    // Within one step of a histogram of three digits, so that the quantiles of all replications are the same.
    let model = delayed("{uniform: {min: 8ms, max: 8.001ms}}", "horizon: 10s");
    let together = document(&model, &replications(&model, 4, 1));
    let [low, high] = response(&together).p50_ci95.unwrap();
    assert!(
        low <= 8.0005 && 8.0005 <= high && high - low > 5e-4,
        "{low} {high}"
    );
    assert!(high - low < 0.01, "{low} {high}");
    // A constant is known exactly.
    let model = delayed("8ms", "horizon: 10s");
    let together = document(&model, &replications(&model, 4, 1));
    assert_eq!(response(&together).p50_ci95, Some([8.0, 8.0]));
    assert_eq!(response(&run(&model)).p50_ci95, Some([8.0, 8.0]));
}

#[test]
fn intervals_of_what_grows_are_those_of_runs_of_this_length() {
    let model = crate::support::station_of("10ms", 1, 0.12, 20);
    let single = run(&model);
    assert_eq!(response(&single).mean_ci95, None);
    let why = &single.intervals.absent["latency_ms.response.mean"];
    assert!(
        why.starts_with("unsteady: api is offered 1.20 times"),
        "{why}"
    );
    assert_eq!(single.intervals.caution, None);
    let several = document(&model, &replications(&model, 3, 1));
    assert!(response(&several).mean_ci95.is_some());
    let caution = several.intervals.caution.as_deref();
    assert!(caution.is_some_and(|text| text.contains("runs of this length")));
}
