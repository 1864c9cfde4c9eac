//! The test of growth on the backlogs of consumers in whole models, and the objective that rests on it.

#![allow(clippy::unwrap_used)]

use std::thread;

use blis_sim::measure::FEWEST_ARRIVALS;
use blis_sim::model::{ConsumerId, Model};
use blis_sim::runner::{Ran, Runner, Simulated};
use blis_sim::spec;
use blis_sim::verdict::{Status, Verdict, evidence, judge};

/// 1,000 messages a second for a consumer whose workers are so busy with them, watched for so long from so late on.
fn model(consumer: &str, (warmup, watched): (f64, f64), seed: u64) -> Model {
    let text = format!(
        "{{blis: 1, name: growing, seed: {seed}, run: {{horizon: {}s, warmup: {warmup}s, drain: 0s}}, \
         clients: {{feed: {{rate: 1000/s, do: tell}}}}, actions: {{tell: {{path: [reply, {{publish: log}}]}}}}, \
         {consumer}}}",
        warmup + watched
    );
    let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{text}: {errors:#?}"));
    let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:#?}"));
    lowered.model
}

/// Consumers with one worker and four, with times that vary as an exponential one does and less, one at a time and in batches.
fn consumers(utilisation: f64) -> [String; 4] {
    let ms = |workers: f64| utilisation * workers;
    let log = |more: &str| {
        format!(
            "streams: {{log: {{consumers: {{writer: {{service: store, slo: {{no_growth: true}}{more}}}}}}}}}"
        )
    };
    let store = |workers: u32, time: String| {
        format!("services: {{store: {{workers: {workers}, time: {time}}}}}")
    };
    let exponential = |mean: f64| format!("{{exponential: {{mean: {mean}ms}}}}");
    [
        format!("{}, {}", log(""), store(1, exponential(ms(1.0)))),
        format!("{}, {}", log(""), store(1, format!("{}ms", ms(1.0)))),
        format!("{}, {}", log(""), store(4, exponential(ms(4.0)))),
        format!(
            "{}, {}",
            log(&format!(
                ", batch: {{size: 10, linger: 20ms, per_item: {}ms}}",
                ms(1.0)
            )),
            store(1, "0ms".to_owned())
        ),
    ]
}

fn run(model: &Model) -> Ran {
    Simulated::new(u64::MAX).run(model, &|| false).unwrap()
}

fn verdict(model: &Model) -> Verdict {
    let ran = run(model);
    judge(&evidence(model, &ran.measure, false, &Default::default()).unwrap())
}

/// How many of these models have a backlog that is said to grow.
fn growing(models: &[Model]) -> usize {
    let grows = |model: &Model| {
        let growth = run(model).measure.backlog_growth(ConsumerId(0)).unwrap();
        growth.grows == Some(true)
    };
    let half = models.len() / 2;
    thread::scope(|scope| {
        let other = scope.spawn(|| models[..half].iter().filter(|model| grows(model)).count());
        let own = models[half..].iter().filter(|model| grows(model)).count();
        own + other.join().unwrap()
    })
}

#[test]
fn backlogs_of_steady_consumers_are_not_called_growing() {
    // 200 runs: at each of four utilisations those of four consumers.
    let mut models = Vec::new();
    for utilisation in [0.3, 0.5, 0.7, 0.9] {
        for consumer in consumers(utilisation) {
            models.extend((0..13).map(|seed| model(&consumer, (4.0, 20.1), seed)));
        }
    }
    let alarms = growing(&models);
    assert!(alarms * 50 <= models.len(), "{alarms} of {}", models.len());
}

#[test]
fn backlogs_that_grow_by_5_percent_of_the_rate_are_caught() {
    let mut models = Vec::new();
    for consumer in consumers(1.05) {
        models.extend((0..50).map(|seed| model(&consumer, (0.0, 20.1), seed)));
    }
    let caught = growing(&models);
    assert!(
        caught * 20 >= models.len() * 19,
        "{caught} of {}",
        models.len()
    );
}

#[test]
fn an_objective_on_growth_takes_enough_messages_to_pass_and_none_to_trip() {
    let [calm, ..] = consumers(0.5);
    let passed = verdict(&model(&calm, (1.0, 20.5), 3));
    assert_eq!((passed.status, passed.reasons), (Status::Pass, Vec::new()));
    let short = verdict(&model(&calm, (1.0, 5.0), 3));
    assert_eq!(short.status, Status::Inconclusive);
    let more = short.more_needed.unwrap();
    assert!(
        (14_000..16_000).contains(&more) && more < FEWEST_ARRIVALS,
        "{more}"
    );
    assert!(
        short.reasons[0]
            .contains("messages are too few to judge the growth of its backlog (20,000 needed)"),
        "{:?}",
        short.reasons
    );
    let [overloaded, ..] = consumers(2.0);
    let tripped = verdict(&model(&overloaded, (1.0, 5.0), 3));
    assert_eq!(tripped.status, Status::Trip);
    assert!(
        tripped.reasons[0].starts_with("Consumer log/writer: its backlog grew by 4")
            && tripped.reasons[0].ends_with("more than chance explains."),
        "{:?}",
        tripped.reasons
    );
    // Hardly any time passes, so that there are no levels to compare.
    let moment = verdict(&model(&calm, (1.0, 0.000_001), 3));
    assert_eq!(moment.status, Status::Inconclusive);
}
