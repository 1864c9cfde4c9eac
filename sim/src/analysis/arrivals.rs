//! How the requests of an open model arrive, as far as closed forms tell it apart.

use crate::analysis::closed_form::Why;
use crate::analysis::traffic::{Traffic, is_poisson};
use crate::dist::Dist;
use crate::model::{Arrival, Source};

/// How an open model's requests arrive.
pub enum Arrivals<'a> {
    /// As one Poisson process, requests per second.
    Poisson { rate: f64 },
    /// With independent inter-arrival times in nanoseconds.
    General { interarrival: &'a Dist },
    /// At equal distances, requests per second.
    Constant { rate: f64 },
}

/// The arrivals of open clients without sessions.
pub fn arrivals<'a>(traffic: &Traffic<'a>) -> Result<Arrivals<'a>, Why> {
    let clients = &traffic.model.clients;
    let mut poisson = 0.0;
    for client in clients {
        let Source::Open { arrival, .. } = &client.source else {
            return Err(Why::Assumption("clients are mixed".to_owned()));
        };
        let alone = clients.len() == 1 && client.population.get() == 1;
        match arrival {
            arrival if is_poisson(arrival) => {
                poisson += arrival.rate() * f64::from(client.population.get());
            }
            Arrival::Renewal { interarrival } if alone => {
                return Ok(Arrivals::General { interarrival });
            }
            Arrival::Constant { rate } if alone => {
                return Ok(Arrivals::Constant { rate: *rate });
            }
            _ => {
                return Err(Why::Assumption(
                    "several clients arrive, and not all as Poisson processes".to_owned(),
                ));
            }
        }
    }
    // Superposed Poisson processes are a Poisson process.
    Ok(Arrivals::Poisson { rate: poisson })
}
