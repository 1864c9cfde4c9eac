//! Structures that may explain the runs: the families of service times, and the numbers of workers.

use super::least_squares::{Range, Scale};
use crate::dist::Family;
use crate::spec::units::Duration;

/// One explanation: what is fitted, and what each service is taken to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Whether the way through the network is fitted.
    pub network: bool,
    /// The services of which something is fitted.
    pub services: Vec<OfService>,
}

/// What a service is taken to be.
#[derive(Debug, Clone, PartialEq)]
pub struct OfService {
    /// Its name.
    pub name: String,
    /// Workers of each of its members; `None` where they are as the spec says.
    pub workers: Option<u32>,
    /// The family of its service times, with its mean and what else it has fitted; `None` where they are as the spec says.
    pub family: Option<Family>,
}

/// A number that is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its key in the spec: `services.api.time.mean`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A time in nanoseconds that is added to every response, and may be nothing.
    Delay,
    /// A time in nanoseconds.
    Time,
    /// A coefficient of variation, of times of this family.
    Variation(Family),
}

impl Kind {
    /// Which values it may have, where the shortest response that was measured is so long.
    fn range(self, shortest: f64) -> Range {
        let [least, largest] = match self {
            Kind::Delay => {
                return Range {
                    least: 0.0,
                    // There and back.
                    largest: shortest / 2.0,
                    scale: Scale::Lengths(shortest / LENGTHS),
                };
            }
            Kind::Time => [100.0, 3.6e12],
            Kind::Variation(Family::Hyperexponential) => [1.0, 20.0],
            Kind::Variation(_) => [0.02, 20.0],
        };
        Range {
            least,
            largest,
            scale: Scale::Shares,
        }
    }
}

/// A delay is measured in this part of the shortest response.
pub const LENGTHS: f64 = 10.0;
/// The key of the way through the network.
pub const ONE_WAY: &str = "network.one_way";

impl Structure {
    /// The numbers that are fitted, in the order of a point.
    pub fn parameters(&self) -> Vec<Parameter> {
        let network = self.network.then(|| Parameter {
            name: ONE_WAY.to_owned(),
            kind: Kind::Delay,
        });
        let of_service = |service: &OfService| {
            let parameter = |what: &str, kind: Kind| Parameter {
                name: format!("services.{}.time.{what}", service.name),
                kind,
            };
            let mean = service.family.map(|_| parameter("mean", Kind::Time));
            let family = service.family.filter(|family| has_variation(*family));
            let cv = family.map(|family| parameter("cv", Kind::Variation(family)));
            [mean, cv].into_iter().flatten()
        };
        network
            .into_iter()
            .chain(self.services.iter().flat_map(of_service))
            .collect()
    }

    /// Which values each number may have, where the shortest response that was measured took this many nanoseconds.
    pub fn ranges(&self, shortest: f64) -> Vec<Range> {
        let parameters = self.parameters().into_iter();
        parameters.map(|one| one.kind.range(shortest)).collect()
    }

    /// The same with numbers of four digits, for people.
    pub fn rounded(&self, point: &[f64]) -> Vec<String> {
        let round = |value: &f64| {
            if *value <= 0.0 {
                return 0.0;
            }
            let digit = libm::pow(10.0, libm::floor(libm::log10(*value)) - 3.0);
            (value / digit).round() * digit
        };
        self.assignments(&point.iter().map(round).collect::<Vec<f64>>())
    }

    /// What `--set` would be given to make a spec that of a point.
    pub fn assignments(&self, point: &[f64]) -> Vec<String> {
        let mut values = point.iter().copied();
        let mut next = || values.next().unwrap_or_default();
        let mut all = Vec::new();
        if self.network {
            all.push(format!("{ONE_WAY}={}", time(next())));
        }
        for service in &self.services {
            let of = |key: &str, value: String| format!("services.{}.{key}={value}", service.name);
            if let Some(family) = service.family {
                let mean = time(next());
                let name = family.name();
                all.push(of(
                    "time",
                    match (family, has_variation(family)) {
                        (_, true) => {
                            format!("{{{name}: {{mean: {mean}, cv: {}}}}}", number(next()))
                        }
                        (Family::Constant, false) => mean,
                        (_, false) => format!("{{{name}: {{mean: {mean}}}}}"),
                    },
                ));
            }
            if let Some(workers) = service.workers {
                all.push(of("workers", workers.to_string()));
            }
        }
        all
    }
}

/// Whether a family that is fitted has a coefficient of variation of its own.
pub fn has_variation(family: Family) -> bool {
    !matches!(family, Family::Constant | Family::Exponential)
}

/// A time to the thousandth of a nanosecond.
fn time(nanos: f64) -> String {
    Duration((nanos * 1e3).round() / 1e3).to_string()
}

/// A number to its ninth digit behind the point.
fn number(value: f64) -> String {
    ((value * 1e9).round() / 1e9).to_string()
}
