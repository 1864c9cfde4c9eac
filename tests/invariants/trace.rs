//! The rows of a trace add up to what was measured, for any model.

use std::collections::HashMap;

use blis_sim::event::Outcome;
use blis_sim::measure::{Measure, Requests};
use blis_sim::model::{ActionId, ClientId};
use blis_sim::simulation::Simulation;
use blis_sim::trace::{Row, Trace};
use proptest::prelude::*;

use crate::cases;
use crate::record::model;
use crate::specs::{Scope, plan};

/// What rows add up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    requests: Requests,
    window: Requests,
    /// Times of the window that distributions hold: how many, and the sums of response, service and lag.
    times: (u64, u128, u128, u128),
    censored: u64,
}

impl Sums {
    fn add(&mut self, row: &Row) {
        self.requests.intended += 1;
        self.requests.end(row.outcome);
        if !row.in_window {
            return;
        }
        self.window.intended += 1;
        self.window.end(row.outcome);
        let censored = matches!(row.outcome, Outcome::TimedOut | Outcome::Unresolved);
        if censored || row.outcome == Outcome::Ok {
            self.times.0 += 1;
            self.times.1 += u128::from(row.response().as_nanos());
            self.times.2 += u128::from(row.service().as_nanos());
            self.times.3 += u128::from(row.lag().as_nanos());
        }
        self.censored += u64::from(censored);
    }

    fn measured(cell: &blis_sim::measure::Cell) -> Sums {
        let latencies = &cell.window.latencies;
        Sums {
            requests: cell.requests(),
            window: cell.window.requests,
            times: (
                latencies.response().count(),
                latencies.response().sum_nanos(),
                latencies.service().sum_nanos(),
                latencies.lag().sum_nanos(),
            ),
            censored: latencies.censored(),
        }
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn rows_add_up_to_the_measurements(plan in plan(Scope::Whole), cut in prop::option::of(0u64..3000)) {
        let model = model(&plan.text());
        let mut rows = Vec::new();
        let sink = (Measure::new(&model), Trace::new(&model, |row: &Row| rows.push(*row)));
        let mut simulation = Simulation::new(&model, sink);
        match cut {
            None => simulation.run().unwrap(),
            Some(events) => {
                simulation.advance(events).unwrap();
                simulation.interrupt();
            }
        }
        let (measure, _) = simulation.into_sink();
        let mut sums: HashMap<(ClientId, ActionId), Sums> = HashMap::new();
        let mut whole = Sums::default();
        for row in &rows {
            whole.add(row);
            sums.entry((row.client, row.action)).or_default().add(row);
        }
        prop_assert!(rows.is_sorted_by_key(|row| row.done));
        prop_assert_eq!(&whole, &Sums::measured(&measure.total()));
        for client in (0..model.clients.len() as u16).map(ClientId) {
            let mut requests = Requests::default();
            let of_client = sums.iter().filter(|((id, _), _)| *id == client);
            of_client.for_each(|(_, sums)| requests.add(&sums.requests));
            prop_assert_eq!(requests, measure.client(client).requests());
        }
        for action in (0..model.actions.len() as u16).map(ActionId) {
            let mut requests = Requests::default();
            let of_action = sums.iter().filter(|((_, id), _)| *id == action);
            of_action.for_each(|(_, sums)| requests.add(&sums.requests));
            prop_assert_eq!(requests, measure.action(action).requests());
        }
    }
}
