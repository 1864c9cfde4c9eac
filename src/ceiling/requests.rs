//! The requests of a live trial, kept in memory for a command that looks at each of them.

use blis_sim::event::{Event, Sink};
use blis_sim::time::Time;
use blis_sim::trace::Row;

/// The most requests of a trial that are kept: about 200 MB.
pub const MOST: usize = 2_000_000;

/// Keeps a row for each request that ends.
#[derive(Debug, Clone)]
pub struct Requests {
    warmup: Time,
    rows: Vec<Row>,
    more: u64,
}

impl Requests {
    /// Nothing yet, of a trial whose window starts at this time.
    pub fn from(warmup: Time) -> Requests {
        Requests {
            warmup,
            rows: Vec::new(),
            more: 0,
        }
    }

    /// All rows; `None` where there were more than are kept.
    pub fn all(self) -> Option<Vec<Row>> {
        (self.more == 0).then_some(self.rows)
    }
}

impl Sink for Requests {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Some(row) = Row::ended(at, event, self.warmup) {
            match self.rows.len() < MOST {
                true => self.rows.push(row),
                false => self.more += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blis_sim::spec;

    #[test]
    fn every_request_has_a_row_that_says_whether_it_counts() {
        let text = "blis: 1\nname: t\nrun: {horizon: 2s, warmup: 1s}\nclients: {c: {rate: 50/s, do: ask}}\n\
                    actions: {ask: {path: [{visit: api}, reply]}}\nservices: {api: {workers: 1, time: 1ms}}\n";
        let spec = spec::read(text).expect("it is accepted");
        let model = spec::lower(&spec).expect("it is accepted").model;
        let heard = Requests::from(model.limits.warmup);
        let mut simulation = blis_sim::simulation::Simulation::new(&model, heard);
        while simulation.advance(1 << 20).expect("it runs")
            == blis_sim::simulation::Progress::Running
        {}
        let rows = simulation.into_sink().all().expect("there are few");
        let counted = rows.iter().filter(|row| row.in_window).count();
        assert!(rows.len() > 60 && (20..80).contains(&counted), "{counted}");
        let is_late = |row: &&Row| row.intended >= model.limits.warmup;
        assert_eq!(counted, rows.iter().filter(is_late).count());
    }
}
