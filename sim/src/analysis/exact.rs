//! The closed form that applies to a model, or why none does.

use crate::analysis::assumptions::{Scope, broken};
use crate::analysis::network_forms::network;
use crate::analysis::station_forms::{single_station, station};
use crate::analysis::traffic::Traffic;
use crate::model::Model;
use crate::theory::{Means, TheoryError};

/// The exact steady state of a model, where a closed form gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// The form, in Kendall's notation for a single station.
    pub form: String,
    /// The services that are visited, in the order of the model, with their means; throughput, wait and response there
    /// are those of visits.
    pub services: Vec<(String, Means)>,
    /// Requests that end as `ok` per second.
    pub throughput: f64,
    /// Their mean response time in seconds, network included.
    pub response: f64,
    /// Quantiles of the response time in seconds, where the form has them: median, p95, p99.
    pub quantiles: Option<[f64; 3]>,
}

/// The quantiles of [`Exact::quantiles`].
pub(super) const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// The closed form that applies to this model.
///
/// It describes the steady state of requests that do not time out; a run that starts empty and is short will
/// differ from it.
///
/// # Errors
/// The first assumption that does not hold, as the end of "no closed form applies: ...".
pub fn exact(model: &Model) -> Result<Exact, String> {
    let traffic = Traffic::new(model);
    if let Some(why) = broken(&traffic, Scope::Any) {
        return Err(why);
    }
    let as_network = || match broken(&traffic, Scope::Network) {
        Some(why) => Err(Why::Assumption(why)),
        None => network(&traffic),
    };
    let mut found = match single_station(&traffic) {
        None => as_network(),
        // The line of a single service is also a network of one, or of its members.
        Some(service) => station(&traffic, service).or_else(|why| as_network().map_err(|_| why)),
    }
    .map_err(|why| why.to_string())?;
    let network = traffic.network();
    found.response += network;
    found.quantiles = match traffic.network_is_constant() {
        true => found.quantiles.map(|all| all.map(|q| q + network)),
        // The quantile of a sum is not one of quantiles.
        false => None,
    };
    Ok(found)
}

/// Why a form has no answer, or that it was not one to ask.
pub(super) enum Why {
    /// Its theory refuses.
    Theory(TheoryError),
    /// A service of a network has too much to do.
    Overload {
        /// The service's name.
        service: String,
        /// Offered load per worker.
        utilisation: f64,
    },
    /// An assumption does not hold.
    Assumption(String),
}

impl From<TheoryError> for Why {
    fn from(error: TheoryError) -> Why {
        Why::Theory(error)
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Theory(TheoryError::Unstable { utilisation }) => write!(
                f,
                "the offered load is {utilisation:.2} of what the workers can do, so that the line grows without end"
            ),
            Why::Overload {
                service,
                utilisation,
            } => write!(
                f,
                "the offered load of service {service} is {utilisation:.2} of what its workers can do, so that its line grows without end"
            ),
            Why::Theory(error) => error.fmt(f),
            Why::Assumption(assumption) => f.write_str(assumption),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    /// What is found for a spec of one open client at one service, each with these further keys.
    fn found_for(client: &str, service: &str) -> Result<Exact, String> {
        let text = format!(
            "{{blis: 1, name: t, run: {{horizon: 1s}},\n \
             clients: {{c: {{rate: 50/s, do: a{client}}}}},\n actions: {{a: {{path: [{{visit: s}}, reply]}}}},\n \
             services: {{s: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}{service}}}}}}}"
        );
        let read = spec::read(&text).expect("the spec is well-formed");
        exact(&spec::lower(&read).expect("the spec is sound").model)
    }

    #[test]
    fn a_form_is_only_given_where_its_assumptions_hold() {
        let form = |client, service| found_for(client, service).map(|exact| exact.form);
        assert_eq!(form("", ""), Ok("M/M/1".to_owned()));
        assert_eq!(form(", timeout: 5s", ""), Ok("M/M/1".to_owned()));
        assert_eq!(form("", ", queue: {limit: 3}"), Ok("M/M/1/4".to_owned()));
        let refused = |client, service| form(client, service).expect_err("no form applies");
        let retry = ", on_failure: {retry: {times: 1}}";
        assert_eq!(
            refused(retry, ", queue: {limit: 3}"),
            "failed requests are tried again"
        );
        for on_timeout in [", on_timeout: leave", ", on_timeout: abandon"] {
            let why = refused(", timeout: 5s", on_timeout);
            assert_eq!(why, "work leaves service s when its client gives up");
        }
        assert_eq!(refused("", ", errors: 1%"), "service s injects errors");
        assert!(refused(", arrival: constant", ", queue: {limit: 3}").contains("not Poisson"));
    }
}
