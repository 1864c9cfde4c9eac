//! The universal scalability law.

use super::TheoryError;
use super::error::{not_negative, positive, share};

/// The universal scalability law (Gunther 1993, 2007, eq. 4.31): the throughput of N concurrent users or processors,
/// X(N) = g N / (1 + s (N - 1) + k N (N - 1)).
///
/// A law that is fitted to measurements rather than the solution of a queueing model, except that without coherency it
/// is Amdahl's law and the bound of synchronous queueing (Gunther 2008).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scalability {
    /// Throughput of a single user, per second (g).
    pub single: f64,
    /// Contention: the share of the work that only one can do at a time (s), from 0 to 1.
    pub contention: f64,
    /// Coherency: what each pair costs, per pair and unit of work (k).
    pub coherency: f64,
}

impl Scalability {
    /// From its three parameters.
    pub fn new(single: f64, contention: f64, coherency: f64) -> Result<Scalability, TheoryError> {
        Ok(Scalability {
            single: positive("throughput of a single user", single)?,
            contention: share("contention", contention)?,
            coherency: not_negative("coherency", coherency)?,
        })
    }

    /// The throughput of `users` users, at least 1, per second.
    pub fn throughput(&self, users: f64) -> f64 {
        self.single * users / self.slowdown(users)
    }

    /// By how much the work of one user takes longer among `users` users: the factor on a service time.
    pub fn slowdown(&self, users: f64) -> f64 {
        let others = users - 1.0;
        1.0 + self.contention * others + self.coherency * users * others
    }

    /// The concurrency beyond which the throughput falls, N* = sqrt((1 - s) / k), at least 1; infinite without coherency.
    pub fn peak_users(&self) -> f64 {
        if self.coherency == 0.0 {
            return f64::INFINITY;
        }
        ((1.0 - self.contention) / self.coherency).sqrt().max(1.0)
    }

    /// The largest throughput, per second, over all concurrencies, also those between whole numbers; without coherency
    /// it is approached only, and infinite without contention.
    pub fn peak_throughput(&self) -> f64 {
        let users = self.peak_users();
        if users < f64::INFINITY {
            return self.throughput(users);
        }
        self.single / self.contention
    }
}
