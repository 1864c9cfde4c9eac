//! M/G/c/c: servers without a queue.

use super::error::{at_least, positive};
use super::{Means, TheoryError};

/// M/G/c/c, Erlang's loss system: Poisson arrivals, c servers, no queue; an arrival that finds all servers busy is lost.
///
/// The loss depends on the service time by its mean alone (Sevastyanov 1957).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErlangLoss {
    /// The means of the requests that were let in; none of them waits.
    pub means: Means,
    /// The share of the arrivals that is lost (Erlang B: Erlang 1917).
    pub loss_probability: f64,
}

impl ErlangLoss {
    /// `servers` servers of mean service time `service` seconds under `rate` arrivals per second, any rate.
    pub fn new(servers: u64, rate: f64, service: f64) -> Result<ErlangLoss, TheoryError> {
        at_least("servers", servers, 1, "of at least 1")?;
        positive("rate", rate)?;
        positive("service", service)?;
        let (count, load) = (servers as f64, rate * service);
        // The recursion's last step, which gives what is let in without the cancellation of 1 - loss.
        let offered = load * erlang_b(servers - 1, load);
        let accepted = count / (count + offered);
        Ok(ErlangLoss {
            means: Means::from_wait(rate * accepted, 0.0, service, count),
            loss_probability: offered / (count + offered),
        })
    }

    /// The smallest number of servers that loses at most the share `loss` of `rate` arrivals per second.
    pub fn servers_for(loss: f64, rate: f64, service: f64) -> Result<u64, TheoryError> {
        positive("loss", loss)?;
        positive("rate", rate)?;
        positive("service", service)?;
        let load = rate * service;
        if load > MOST_ERLANGS {
            return Err(TheoryError::OutOfRange {
                parameter: "offered load",
                found: load,
                accepted: "of at most a thousand million erlangs",
            });
        }
        let (mut blocking, mut servers) = (1.0, 0);
        while blocking > loss {
            servers += 1;
            blocking = next(blocking, servers, load);
        }
        Ok(servers)
    }
}

/// The largest offered load for which a number of servers is searched.
const MOST_ERLANGS: f64 = 1e9;

/// The probability that all of `servers` servers without a queue are busy under an offered load of `load` (Erlang B), by
/// its recursion in the number of servers, which is stable.
pub(super) fn erlang_b(servers: u64, load: f64) -> f64 {
    let mut blocking = 1.0;
    for n in 1..=servers {
        blocking = next(blocking, n, load);
        // More servers than any float can tell from enough.
        if blocking == 0.0 {
            break;
        }
    }
    blocking
}

/// Erlang B with `servers` servers from that with one server less.
fn next(blocking: f64, servers: u64, load: f64) -> f64 {
    load * blocking / (servers as f64 + load * blocking)
}
