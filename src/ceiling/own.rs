//! The load parameters of a spec: the rate of its open clients, or the number of its closed-loop users.

use blis_sim::spec::Spanned;
use blis_sim::spec::Spec;
use blis_sim::spec::error::shown;
use blis_sim::spec::syntax::{Arrival, Client};
use blis_sim::spec::units::{Count, Rate};

use super::unit::Unit;
use crate::exit::Failure;

/// A load parameter of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// One factor on the rates of all open clients; the load is the sum of their rates.
    Rate,
    /// The number of closed users.
    Concurrency,
}

impl Own {
    /// The one of a spec: users where a client is closed, since an open schedule beside them does not wait for anything.
    pub fn of(spec: &Spec) -> Own {
        let mut clients = clients(spec);
        match clients.any(|(_, client)| client.concurrency.is_some()) {
            true => Own::Concurrency,
            false => Own::Rate,
        }
    }

    /// How the flag names it.
    pub fn name(self) -> &'static str {
        match self {
            Own::Rate => "rate",
            Own::Concurrency => "concurrency",
        }
    }

    /// The unit of a load.
    pub fn unit(self) -> Unit {
        match self {
            Own::Rate => Unit::PerSecond,
            Own::Concurrency => Unit::Whole,
        }
    }

    /// The load of a spec as it is written.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the spec has none that could be varied.
    pub fn load(self, spec: &Spec) -> Result<f64, Failure> {
        let load = match self {
            Own::Rate => {
                refuse_instants(spec)?;
                clients(spec).filter_map(|(_, client)| rate(client)).sum()
            }
            Own::Concurrency => total_users(spec),
        };
        match (load > 0.0, self) {
            (true, _) => Ok(load),
            (false, Own::Rate) => Err(Failure::Usage(
                "--over rate varies the rate of open clients, but the spec has none; use --over concurrency"
                    .to_owned(),
            )),
            (false, Own::Concurrency) => Err(Failure::Usage(
                "--over concurrency varies the number of closed-loop users, but no client has `concurrency`; use --over rate"
                    .to_owned(),
            )),
        }
    }

    /// Gives a spec this load, of which `written` is the one it has: each client keeps its share.
    pub fn set(self, spec: &mut Spec, load: f64, written: f64) {
        let factor = load / written;
        for (_, client) in &mut spec.clients.value.0 {
            match self {
                Own::Rate => {
                    if let Some(rate) = &mut client.rate {
                        *rate = Spanned::flag("--over rate", Rate(rate.value.0 * factor));
                    }
                }
                Own::Concurrency => scale_users(client, factor),
            }
        }
    }

    /// How many users each closed client has, by name, where that is the load.
    pub fn users(self, spec: &Spec) -> Vec<(String, u64)> {
        let closed = clients(spec).filter(|(_, client)| client.concurrency.is_some());
        let users = closed.map(|(name, client)| (name.value.clone(), users(client)));
        match self {
            Own::Rate => Vec::new(),
            Own::Concurrency => users.collect(),
        }
    }
}

fn clients(spec: &Spec) -> impl Iterator<Item = &(Spanned<String>, Client)> {
    spec.clients.value.0.iter()
}

fn members(client: &Client) -> u64 {
    client.population.as_ref().map_or(1, |count| count.value.0)
}

fn rate(client: &Client) -> Option<f64> {
    let rate = client.rate.as_ref()?;
    Some(rate.value.0 * members(client) as f64)
}

fn users(client: &Client) -> u64 {
    let each = client.concurrency.as_ref().map_or(0, |count| count.value.0);
    each.saturating_mul(members(client))
}

fn total_users(spec: &Spec) -> f64 {
    clients(spec).map(|(_, client)| users(client) as f64).sum()
}

/// Gives a client its share of the users: by its own number, or where it is a cohort by the number of its copies.
fn scale_users(client: &mut Client, factor: f64) {
    const FLAG: &str = "--over concurrency";
    let wanted = users(client) as f64 * factor;
    let whole = |number: f64| Count(number.round().max(1.0) as u64);
    let Some(each) = &mut client.concurrency else {
        return;
    };
    match &mut client.population {
        Some(copies) if copies.value.0 > 1 => {
            *copies = Spanned::flag(FLAG, whole(wanted / each.value.0 as f64));
        }
        _ => *each = Spanned::flag(FLAG, whole(wanted)),
    }
}

/// Arrivals at given instants have no rate.
fn refuse_instants(spec: &Spec) -> Result<(), Failure> {
    for (name, client) in clients(spec) {
        let what = match client.arrival.as_ref().map(|arrival| &arrival.value) {
            Some(Arrival::Trace(_)) => "were recorded",
            Some(Arrival::Burst(_)) => "come in a burst",
            _ => continue,
        };
        return Err(Failure::Usage(format!(
            "--over rate: the arrivals of client `{}` {what}, so it has no rate to vary; give the client a `rate`, or \
             in a simulation vary a key, such as --over services.NAME.workers",
            shown(&name.value)
        )));
    }
    Ok(())
}
