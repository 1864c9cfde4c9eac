//! Explanations add up, for any model, and to what the visits themselves report.

use std::collections::HashMap;

use blis_sim::event::{Event, FlightId, Outcome, Sink, VisitStep};
use blis_sim::explain::{Band, Explain, StationSums, Sums};
use blis_sim::measure::Measure;
use blis_sim::model::{Model, Step};
use blis_sim::simulation::Simulation;
use blis_sim::time::{Span, Time};
use proptest::prelude::*;

use crate::cases;
use crate::record::model;
use crate::specs::{Scope, plan};

const ALL: Band = Band {
    from: Span::ZERO,
    to: Span::MAX,
};

/// What visits say themselves of their waits and service times, for requests that are answered within the window.
#[derive(Debug, Default)]
struct Reported {
    warmup: Time,
    /// By request in flight: waiting and service by service.
    open: HashMap<FlightId, HashMap<usize, (u128, u128)>>,
    ended: HashMap<usize, (u128, u128)>,
    others: u64,
}

impl Sink for Reported {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, _: Time, event: Event<'_>) {
        match event {
            Event::Visit {
                service,
                flight,
                step,
                ..
            } => {
                let stations = self.open.entry(flight).or_default();
                let (waiting, served) = stations.entry(service.index()).or_default();
                match step {
                    VisitStep::Started { waited } => *waiting += u128::from(waited.as_nanos()),
                    VisitStep::Completed { served: time, .. } => {
                        *served += u128::from(time.as_nanos());
                    }
                    _ => {}
                }
            }
            Event::Done {
                request,
                flight,
                outcome,
                ..
            } => {
                let stations = self.open.remove(&flight).unwrap_or_default();
                if request.intended < self.warmup {
                    return;
                }
                match outcome {
                    Outcome::Ok => {
                        for (service, (waiting, served)) in stations {
                            let sums = self.ended.entry(service).or_default();
                            sums.0 += waiting;
                            sums.1 += served;
                        }
                    }
                    Outcome::TimedOut | Outcome::Unresolved => self.others += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Runs a model; what was measured, explained and reported.
fn run(model: &Model) -> (Measure, Sums, Reported) {
    let reported = Reported {
        warmup: model.limits.warmup,
        ..Reported::default()
    };
    let sink = (Measure::new(model), (Explain::new(model, &[ALL]), reported));
    let mut simulation = Simulation::new(model, sink);
    simulation.run().unwrap();
    let (measure, (explain, reported)) = simulation.into_sink();
    (measure, explain.bands()[0].1.clone(), reported)
}

/// Whether time can pass on a path that is no visit.
fn has_gaps(model: &Model) -> bool {
    let delays = |step: &Step| matches!(step, Step::Delay(_));
    model.one_way.is_some() || model.program.iter().any(delays)
}

fn total(sums: &Sums) -> u128 {
    let stations: u128 = sums.stations.iter().map(StationSums::total).sum();
    sums.lag + stations + sums.elsewhere
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn parts_add_up(plan in plan(Scope::Whole)) {
        let model = model(&plan.text());
        let (measure, sums, reported) = run(&model);
        let cell = measure.total();
        let latencies = &cell.window.latencies;
        prop_assert_eq!(sums.requests, latencies.response().count());
        prop_assert_eq!(sums.requests, sums.by_action.iter().sum::<u64>());
        prop_assert_eq!(sums.censored, latencies.censored());
        prop_assert_eq!(sums.response, latencies.response().sum_nanos());
        prop_assert_eq!(sums.lag, latencies.lag().sum_nanos());
        prop_assert_eq!(sums.response, total(&sums));
        if !has_gaps(&model) {
            prop_assert_eq!(sums.elsewhere, 0);
        }
        // Without a way back, all that a request did was before its answer.
        if model.one_way.is_none() && reported.others == 0 {
            for (index, station) in sums.stations.iter().enumerate() {
                let (waiting, served) = reported.ended.get(&index).copied().unwrap_or_default();
                prop_assert_eq!((station.waiting, station.service), (waiting, served));
                prop_assert_eq!(station.held, 0);
            }
        }
    }
}

#[test]
fn every_part_is_where_it_belongs() {
    // Two users at once: the second waits for the first. There and back take 1 ms each, the delay 5 ms.
    let text = "
blis: 1
name: exact
run: {requests: 2}
clients: {users: {concurrency: 2, do: ask}}
actions: {ask: {path: [{visit: api}, {delay: 5ms}, {visit: store}, reply, {visit: audit}]}}
services:
  api: {workers: 1, time: 10ms}
  store: {workers: 2, time: 3ms}
  audit: {workers: 1, time: 1s}
network: {one_way: 1ms}
";
    let (_, sums, _) = run(&model(text));
    const MS: u128 = 1_000_000;
    let station = |waiting: u128, service: u128| StationSums {
        waiting: waiting * MS,
        service: service * MS,
        held: 0,
    };
    assert_eq!(
        sums.stations,
        // By name: api, audit, store.
        [station(10, 20), StationSums::default(), station(0, 6)]
    );
    assert_eq!(sums.elsewhere, 2 * (1 + 5 + 1) * MS);
    assert_eq!((sums.requests, sums.response), (2, (20 + 30) * MS));
}

#[test]
fn the_oracle_is_not_idle() {
    let text = "
blis: 1
name: busy
run: {requests: 500}
clients: {users: {concurrency: 9, do: ask, think: 2ms}}
actions: {ask: {path: [{visit: api}, {visit: store}, reply]}}
services: {api: {workers: 1, time: 3ms}, store: {workers: 2, time: {exponential: {mean: 5ms}}}}
";
    let (_, sums, reported) = run(&model(text));
    assert_eq!(reported.others, 0);
    assert!(
        reported
            .ended
            .values()
            .all(|(waiting, served)| *waiting > 0 && *served > 0)
    );
    assert_eq!(sums.stations[1].waiting, reported.ended[&1].0);
}
