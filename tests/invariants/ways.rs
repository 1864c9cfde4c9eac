//! The plain way to simulate against the general one: the same events of the same model, or a figure would depend on how it was
//! come by.

use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::time::Time;
use proptest::prelude::*;

use crate::cases;
use crate::record::{Kept, Recorder, model};
use crate::specs::{Scope, plan};

type Sinks = (Measure, Recorder);

/// What came of a run, with what names visitors left out: their numbers are used again in another order.
#[derive(Debug, PartialEq)]
struct Course {
    events: Vec<(Time, Kept)>,
    /// What is cut off when the run ends, and how its requests and sessions end: in no order.
    last: Vec<String>,
    end: Time,
    load_end: String,
    intended: u64,
    steps: u64,
    sums: String,
    series: String,
}

fn course(mut simulation: Simulation<Sinks>, piece: u64, stop: u64) -> Course {
    while simulation.events() < stop {
        let left = stop - simulation.events();
        if simulation
            .advance(piece.min(left))
            .expect("no endless loop")
            == Progress::Finished
        {
            break;
        }
    }
    simulation.interrupt();
    let (end, steps, intended) = (simulation.now(), simulation.events(), simulation.intended());
    let load_end = format!("{:?}", simulation.load_end());
    let (mut measure, recorder) = simulation.into_sink();
    measure.finish(intended).expect("the books balance");
    let nameless = recorder.events.into_iter().map(|(at, event)| {
        let event = match event {
            Kept::Visit {
                service,
                line,
                step,
                ..
            } => Kept::Visit {
                service,
                line,
                visitor: 0,
                step,
            },
            other => other,
        };
        (at, event)
    });
    let mut events: Vec<_> = nameless.collect();
    let before = events.iter().position(|(at, _)| *at == end);
    let last = events.split_off(before.unwrap_or(events.len()));
    let mut last: Vec<String> = last.iter().map(|event| format!("{event:?}")).collect();
    last.sort();
    Course {
        events,
        last,
        end,
        load_end,
        intended,
        steps,
        sums: format!("{:?} {:?}", measure.sums(), measure.batches()),
        series: format!("{:?}", measure.series().rows()),
    }
}

fn both(model: &Model) -> [Simulation<Sinks>; 2] {
    let sinks = || (Measure::new(model), Recorder::default());
    [
        Simulation::new(model, sinks()),
        Simulation::in_the_general_way(model, sinks()),
    ]
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn a_model_has_the_same_course_in_either_way(
        plan in plan(Scope::Plain),
        piece in 1u64..1000,
        stop in prop_oneof![1 => 0u64..3000, 3 => Just(u64::MAX)],
    ) {
        let model = model(&plan.text());
        let [plain, general] = both(&model);
        prop_assert!(plain.is_plain() && !general.is_plain());
        let (plain, general) = (course(plain, piece, stop), course(general, u64::MAX, stop));
        prop_assert!(plain == general, "{plain:#?}\n{general:#?}");
    }
}

/// A model of one service, with more of its own.
fn of(users: &str, path: &str, api: &str, more: &str) -> Model {
    model(&format!(
        "blis: 1\nname: ways\nseed: 3\nrun: {{horizon: 20s, warmup: 2s}}\nclients: {{users: {{{users}, do: ask}}}}\n\
         actions: {{ask: {{path: [{path}]}}}}\nservices: {{api: {{{api}}}}}\n{more}"
    ))
}

#[test]
fn plain_models_go_the_plain_way_and_others_do_not() {
    let (users, path, api) = (
        "rate: 80/s, timeout: 50ms",
        "{visit: api}, reply",
        "workers: 1, time: {exponential: {mean: 10ms}}",
    );
    let plain = [
        of(users, path, api, ""),
        of("concurrency: 50, think: 100ms", path, api, ""),
        of(users, "{visit: api}, {visit: api}, reply", api, ""),
        of(
            users,
            path,
            "workers: 1, time: 10ms, errors: 10%, queue: {limit: 3}",
            "",
        ),
        of(
            users,
            path,
            "workers: 1, members: 3, dispatch: random, time: 10ms",
            "",
        ),
        of(
            users,
            path,
            api,
            "network: {one_way: {exponential: {mean: 3ms}}}",
        ),
        of(
            "rate: 80/s, session: {rounds: 3, think: 10ms}",
            path,
            api,
            "",
        ),
    ];
    let general = [
        of(
            "rate: 80/s, timeout: 50ms, on_failure: {retry: {times: 2, backoff: 5ms}}",
            path,
            api,
            "",
        ),
        of("rate: 80/s, max_in_flight: {limit: 3}", path, api, ""),
        of(users, path, "workers: 1, time: 10ms, on_timeout: leave", ""),
        of(
            users,
            path,
            "workers: 1, members: 3, dispatch: least_loaded, time: 10ms",
            "",
        ),
        of(
            users,
            path,
            "workers: 1, time: 10ms, queue: {order: shared}",
            "",
        ),
        of(users, "reply, {visit: api}", api, ""),
        of(users, "{delay: 1ms}, {visit: api}, reply", api, ""),
    ];
    for model in &plain {
        let [simulation, other] = both(model);
        assert!(simulation.is_plain() && !other.is_plain(), "{model:#?}");
        let one = course(simulation, 777, u64::MAX);
        assert!(one.events.len() > 3000, "{}", one.events.len());
        assert!(one == course(other, u64::MAX, u64::MAX), "{model:#?}");
    }
    for model in &general {
        let [simulation, _] = both(model);
        assert!(!simulation.is_plain(), "{model:#?}");
    }
}
