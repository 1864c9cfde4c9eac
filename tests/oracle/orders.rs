//! Orders other than that of arrival: the forms that `exact` finds, against simulation.

use blis_sim::analysis::exact;
use blis_sim::spec;

use crate::replicate::{Figures, WIDTH, interval, replicate};

/// Throughput, utilisation, mean response and queue of one service with this further text, against the form found for it.
fn holds(form: &str, service: &str) {
    let class = match service.contains("priority") {
        true => "class: urgent, ",
        false => "",
    };
    let text = format!(
        "
blis: 1
name: orders
run: {{horizon: 900s, warmup: 10s}}
clients:
  people: {{rate: 300/s, {class}do: ask}}
  machines: {{rate: 350/s, do: ask}}
actions:
  ask: {{path: [{{visit: api}}, reply]}}
services:
  api: {{{service}}}
"
    );
    let read = spec::read(&text).unwrap();
    let exact = exact(&spec::lower(&read).unwrap().model).unwrap();
    assert_eq!(exact.form, form);
    let figures = replicate(&text);
    let means = &exact.services[0].1;
    let check = |what: &str, figure: fn(&Figures) -> f64, expected: f64, width: f64| {
        interval(&figures, figure)
            .check(what, expected, width, 0.0)
            .unwrap();
    };
    check("throughput", |f| f.throughput, exact.throughput, WIDTH);
    check("utilisation", |f| f.utilisation, means.utilisation, WIDTH);
    check("response", |f| f.response, exact.response, 3.0 * WIDTH);
    check("queue", |f| f.queue, means.queue, 4.0 * WIDTH);
}

#[test]
fn processor_sharing_of_one_worker_and_of_three() {
    let order = "queue: {order: shared}";
    let time = "time: {lognormal: {mean: 1ms, cv: 2}}";
    holds(
        "M/G/1 with processor sharing",
        &format!("workers: 1, {time}, {order}"),
    );
    let time = "time: {exponential: {mean: 3.6ms}}";
    holds(
        "M/M/3 with processor sharing",
        &format!("workers: 3, {time}, {order}"),
    );
}

#[test]
fn priorities_of_general_and_exponential_service() {
    let order = |preempt: bool| {
        format!("queue: {{order: {{priority: {{classes: [urgent], preempt: {preempt}}}}}}}")
    };
    let time = "time: {uniform: {min: 500us, max: 1.5ms}}";
    let kinds = [(false, "non-preemptive"), (true, "preemptive-resume")];
    for (preempt, how) in kinds {
        let order = order(preempt);
        holds(
            &format!("M/G/1 with {how} priorities"),
            &format!("workers: 1, {time}, {order}"),
        );
        holds(
            &format!("M/M/3 with {how} priorities"),
            &format!("workers: 3, time: {{exponential: {{mean: 3.6ms}}}}, {order}"),
        );
    }
}

#[test]
fn a_loss_system_does_not_feel_the_distribution() {
    holds(
        "M/G/2/2",
        "workers: 2, queue: {limit: 0}, time: {lognormal: {mean: 2ms, cv: 2}}",
    );
}
