//! Values as a spec writes them, each in one line.

use std::fmt::{self, Display, Formatter};

use super::distribution::{
    Distribution, Empirical, Hyperexponential, Lognormal, Normal, Pareto, Phase, Shaped,
};
use super::spanned::Spanned;

/// A text in double quotes. The escapes of JSON are escapes of YAML.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", serde_json::Value::from(self.0))
    }
}

/// A distribution in one line.
pub(super) struct Law<'a, Q>(pub(super) &'a Distribution<Q>);

impl<Q: Display + Copy> Display for Law<'_, Q> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            Distribution::Bare(value) | Distribution::Constant(value) => {
                return write!(f, "{}", value.value);
            }
            Distribution::Uniform(_) => "uniform",
            Distribution::Exponential(_) => "exponential",
            Distribution::Erlang(_) => "erlang",
            Distribution::Gamma(_) => "gamma",
            Distribution::Weibull(_) => "weibull",
            Distribution::Lognormal(_) => "lognormal",
            Distribution::Hyperexponential(_) => "hyperexponential",
            Distribution::Pareto(_) => "pareto",
            Distribution::Normal(_) => "normal",
            Distribution::Empirical(_) => "empirical",
        };
        write!(f, "{{{name}: ")?;
        self.parameters(f)?;
        write!(f, "}}")
    }
}

impl<Q: Display + Copy> Law<'_, Q> {
    fn parameters(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Distribution::Bare(_) | Distribution::Constant(_) => Ok(()),
            Distribution::Uniform(uniform) => parameters(
                f,
                [
                    ("min", Some(uniform.min.value)),
                    ("max", Some(uniform.max.value)),
                ],
            ),
            Distribution::Exponential(exponential) => {
                parameters(f, [("mean", Some(exponential.mean.value))])
            }
            Distribution::Erlang(erlang) => {
                write!(f, "{{k: {}, mean: {}}}", erlang.k.value, erlang.mean.value)
            }
            Distribution::Gamma(shaped) | Distribution::Weibull(shaped) => {
                let Shaped {
                    mean,
                    cv,
                    shape,
                    scale,
                } = shaped;
                parameters(
                    f,
                    [
                        ("mean", text(mean)),
                        ("cv", text(cv)),
                        ("shape", text(shape)),
                        ("scale", text(scale)),
                    ],
                )
            }
            Distribution::Lognormal(lognormal) => {
                let Lognormal {
                    mean,
                    cv,
                    median,
                    p95,
                    sigma,
                } = lognormal;
                let median_and = [
                    ("median", text(median)),
                    ("p95", text(p95)),
                    ("sigma", text(sigma)),
                ];
                parameters(
                    f,
                    [("mean", text(mean)), ("cv", text(cv))]
                        .into_iter()
                        .chain(median_and),
                )
            }
            Distribution::Hyperexponential(Hyperexponential { mean, cv, branches }) => {
                let branches = branches.as_ref().map(|branches| {
                    let phase = |phase: &Phase<Q>| {
                        format!(
                            "{{weight: {}, mean: {}}}",
                            phase.weight.value, phase.mean.value
                        )
                    };
                    list(branches.value.iter().map(phase))
                });
                parameters(
                    f,
                    [
                        ("mean", text(mean)),
                        ("cv", text(cv)),
                        ("branches", branches),
                    ],
                )
            }
            Distribution::Pareto(Pareto {
                min,
                mean,
                max,
                shape,
            }) => parameters(
                f,
                [
                    ("min", text(min)),
                    ("mean", text(mean)),
                    ("max", Some(max.value.to_string())),
                    ("shape", Some(shape.value.to_string())),
                ],
            ),
            Distribution::Normal(Normal { mean, sd, min, max }) => parameters(
                f,
                [
                    ("mean", Some(mean.value.to_string())),
                    ("sd", Some(sd.value.to_string())),
                    ("min", text(min)),
                    ("max", text(max)),
                ],
            ),
            Distribution::Empirical(Empirical {
                values,
                weights,
                file,
            }) => {
                let values = values.as_ref().map(|values| items(&values.value));
                let weights = weights.as_ref().map(|weights| items(&weights.value));
                let file = file.as_ref().map(|file| Quoted(&file.value).to_string());
                let entries = [("values", values), ("weights", weights), ("file", file)];
                parameters(f, entries)
            }
        }
    }
}

pub(super) fn text<T: Display>(value: &Option<Spanned<T>>) -> Option<String> {
    value.as_ref().map(|value| value.value.to_string())
}

/// Values as a list in one line.
pub(super) fn items<T: Display>(values: &[Spanned<T>]) -> String {
    list(values.iter().map(|value| value.value.to_string()))
}

pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A mapping in one line of those parameters that are there.
pub(super) fn parameters<'a, T: Display>(
    f: &mut Formatter<'_>,
    entries: impl IntoIterator<Item = (&'a str, Option<T>)>,
) -> fmt::Result {
    let there = entries
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}: {value}")));
    write!(f, "{{{}}}", there.collect::<Vec<_>>().join(", "))
}
