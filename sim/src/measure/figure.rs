//! Figures as ratios of sums, so that intervals can be made from parts of a window or from several windows.

use super::Measure;
use super::batches::{CellSums, Sums, TimeSums};
use crate::model::{ActionId, ClientId};

/// Whose requests a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All requests.
    Total,
    /// Those of one action.
    Action(ActionId),
    /// Those of one client.
    Client(ClientId),
}

impl Measure {
    /// The positions in [`parts`](Measure::parts) of these requests.
    pub fn positions(&self, of: Of) -> Vec<usize> {
        let wanted = |(client, action): &(ClientId, ActionId)| match of {
            Of::Total => true,
            Of::Action(id) => *action == id,
            Of::Client(id) => *client == id,
        };
        let parts = self.parts().iter().enumerate();
        parts
            .filter(|(_, part)| wanted(part))
            .map(|(position, _)| position)
            .collect()
    }
}

/// Numerator and denominator of each figure. A denominator of 0 means that nothing was measured.
impl Sums {
    /// The sums of these cells together.
    pub fn of(&self, cells: &[usize]) -> CellSums {
        let mut sum = CellSums::default();
        cells
            .iter()
            .filter_map(|&cell| self.cells.get(cell))
            .for_each(|cell| sum.add(cell));
        sum
    }

    /// Answered requests, over seconds.
    pub fn throughput(&self, cells: &[usize]) -> (f64, f64) {
        (self.of(cells).completed as f64, self.measured.as_secs_f64())
    }

    /// Sum of the response times in milliseconds, over their number.
    pub fn response(&self, cells: &[usize]) -> (f64, f64) {
        let sum = self.of(cells);
        (sum.response as f64 / 1e6, sum.held as f64)
    }

    /// Failed requests, over those not dropped.
    pub fn error_share(&self, cells: &[usize]) -> (f64, f64) {
        let sum = self.of(cells);
        (sum.failed as f64, sum.judged as f64)
    }

    /// Time of a service's busy workers, over that of all `servers`.
    pub fn utilisation(&self, service: usize, servers: u64) -> (f64, f64) {
        let time = self.measured.as_nanos() as f64 * servers as f64;
        (self.stations[service].areas.busy as f64, time)
    }

    /// Integral of the number waiting at a service, over time.
    pub fn mean_queue(&self, service: usize) -> (f64, f64) {
        let waiting = self.stations[service].areas.waiting as f64;
        (waiting, self.measured.as_nanos() as f64)
    }

    /// Sum of the waits at a service in milliseconds, over the visits.
    pub fn wait(&self, service: usize) -> (f64, f64) {
        let station = &self.stations[service];
        (station.waited as f64 / 1e6, station.visits as f64)
    }

    /// Messages that a consumer acknowledged, over seconds.
    pub fn acknowledged(&self, consumer: usize) -> (f64, f64) {
        let acknowledged = self.consumers[consumer].acknowledged;
        (acknowledged as f64, self.measured.as_secs_f64())
    }

    /// Integral of the number of messages pending, over time.
    pub fn pending(&self, consumer: usize) -> (f64, f64) {
        let pending = self.consumers[consumer].areas.pending as f64;
        (pending, self.measured.as_nanos() as f64)
    }

    /// Integral of the number of messages delivered and not acknowledged, over time.
    pub fn ack_pending(&self, consumer: usize) -> (f64, f64) {
        let ack_pending = self.consumers[consumer].areas.ack_pending as f64;
        (ack_pending, self.measured.as_nanos() as f64)
    }

    /// Subscribers of a fan-out reached in time, over those meant.
    pub fn completion(&self, fan_out: usize) -> (f64, f64) {
        let sums = &self.fan_outs[fan_out];
        (sums.in_time as f64, sums.subscribers as f64)
    }
}

impl TimeSums {
    /// Their sum in milliseconds, over their number.
    pub fn mean(&self) -> (f64, f64) {
        (self.sum as f64 / 1e6, self.count as f64)
    }
}
