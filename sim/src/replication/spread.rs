//! The part of each replication that is kept after merging: sums and quantiles for intervals over replications.

use crate::measure::{Measure, Of, Sums, Times};
use crate::model::{ActionId, ClientId};
use crate::statistics::Section;
use crate::time::Span;

/// The quantiles that results hold.
pub const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// Quantiles of one distribution of one replication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// How many times the distribution holds.
    pub count: u64,
    /// Its [`QUANTILES`] in milliseconds; 0 when it is empty.
    pub values: [f64; 5],
}

impl Tail {
    fn of(times: &Times) -> Tail {
        let value = |quantile| times.quantile(quantile).map_or(0.0, Span::as_millis_f64);
        Tail {
            count: times.count(),
            values: QUANTILES.map(value),
        }
    }
}

/// One replication: its seed, sums and quantiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Its seed.
    pub seed: u64,
    /// Sums over its window.
    pub sums: Sums,
    /// By objective, how many were judged in each batch of the window, and how many of them were over it.
    pub objectives: Vec<Vec<Section>>,
    /// Response times of all requests.
    pub total: Tail,
    /// Response times by action.
    pub actions: Vec<Tail>,
    /// Response times by client.
    pub clients: Vec<Tail>,
    /// Waits by service.
    pub waits: Vec<Tail>,
    /// Waits and ages of messages by consumer.
    pub consumers: Vec<[Tail; 2]>,
    /// Times to the first, the last and all deliveries by fan-out.
    pub fan_outs: Vec<[Tail; 3]>,
}

impl Spread {
    /// What is kept of a replication that has ended.
    pub fn of(seed: u64, measure: &Measure) -> Spread {
        let parts = measure.parts();
        let response = |cell: crate::measure::Cell| Tail::of(cell.window.latencies.response());
        let last = |ids: &mut dyn Iterator<Item = u16>| ids.max().map_or(0..0, |last| 0..last + 1);
        let actions = last(&mut parts.iter().map(|(_, action)| action.0));
        let clients = last(&mut parts.iter().map(|(client, _)| client.0));
        Spread {
            seed,
            sums: measure.sums(),
            objectives: measure.objective_batches(),
            total: response(measure.total()),
            actions: actions
                .map(|id| response(measure.action(ActionId(id))))
                .collect(),
            clients: clients
                .map(|id| response(measure.client(ClientId(id))))
                .collect(),
            waits: measure
                .stations()
                .iter()
                .map(|station| Tail::of(&station.waits()))
                .collect(),
            consumers: measure
                .consumers()
                .iter()
                .map(|consumer| [consumer.waits(), consumer.ages()].map(Tail::of))
                .collect(),
            fan_outs: measure
                .fan_outs()
                .iter()
                .map(|fan_out| {
                    let times = [fan_out.firsts(), fan_out.lasts(), fan_out.deliveries()];
                    times.map(|of| Tail::of(&of.times))
                })
                .collect(),
        }
    }

    /// The quantiles of the response times of these requests; `None` where there can be none.
    pub fn response(&self, of: Of) -> Option<Tail> {
        match of {
            Of::Total => Some(self.total),
            Of::Action(id) => self.actions.get(id.index()).copied(),
            Of::Client(id) => self.clients.get(id.index()).copied(),
        }
    }
}
