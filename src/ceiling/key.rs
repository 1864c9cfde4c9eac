//! A numeric key of a spec as the varied quantity.

use blis_sim::spec::error::shown;
use blis_sim::spec::{Assignment, Fields, Under, resolved};

use super::unit::Unit;
use crate::exit::Failure;
use crate::workload::Variations;

/// A numeric key of a spec.
#[derive(Debug, Clone)]
pub struct Key {
    path: String,
    unit: Unit,
    /// The value that the spec has; `None` where it has none.
    written: Option<f64>,
}

/// Keys that a search sets itself.
const OF_THE_SEARCH: [&[&str]; 3] = [&["run"], &["seed"], &["blis"]];

/// Values of which every numeric key takes one.
const EXAMPLES: [&str; 4] = ["1", "1s", "1/s", "1%"];

/// Holds where the language has this key.
fn exists<P: PartialEq>(path: &str, variations: &Variations<P>) -> Result<(), Failure> {
    let mut refused = None;
    for example in EXAMPLES {
        let Ok(assignment) = format!("{path}={example}").parse() else {
            continue;
        };
        match variations.spec(&[assignment]) {
            Ok(_) => return Ok(()),
            Err(why) => refused = refused.or(Some((why, example))),
        }
    }
    refused.map_or(Ok(()), |(why, example)| {
        Err(match why.of_flag("--over", path) {
            // Nobody gave it this value.
            Failure::Spec(text) => {
                let (given, key) = (format!("--over {path}={example}"), format!("--over {path}"));
                Failure::Spec(text.replace(&given, &key))
            }
            other => other,
        })
    })
}

impl Key {
    /// The key of this path. `example` is a value as the user writes it, for a key that the spec does not have.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it is not a numeric one, or it is set by other flags.
    pub fn of<P: PartialEq>(
        path: &str,
        example: Option<&str>,
        variations: &Variations<P>,
    ) -> Result<Key, Failure> {
        let usage = |why: String| Failure::Usage(format!("--over {}: {why}", shown(path)));
        let probe: Assignment = format!("{path}=1").parse().map_err(|error| {
            usage(format!(
                "{error}; give rate, concurrency, or a numeric key of the spec, such as services.api.workers"
            ))
        })?;
        if OF_THE_SEARCH.iter().any(|key| probe.is_within(key)) {
            return Err(usage(
                "the search sets it; use --warmup, --hold, --longest-trial or --seed".to_owned(),
            ));
        }
        if let Some(set) = variations.set().iter().find(|set| set.path() == path) {
            return Err(usage(format!(
                "it is also set by --set {}={}; leave one of them out",
                shown(path),
                shown(set.value())
            )));
        }
        let (own, with_defaults) = (
            Fields::new(variations.text()),
            Fields::new(&resolved(&variations.spec(&[])?)),
        );
        let found = match own.under(&probe) {
            Under::Nothing => with_defaults.under(&probe),
            found => found,
        };
        let (text, is_written) = match (found, example) {
            (Under::Scalar(text), _) => (text, true),
            (Under::Several, _) => {
                return Err(usage(
                    "it has several values; name one of them, such as KEY.NAME".to_owned(),
                ));
            }
            (Under::Nothing, Some(example)) => (example, false),
            (Under::Nothing, None) => {
                exists(path, variations)?;
                return Err(usage(
                    "the spec gives it no value; give a range in its unit, such as --search 1..64, or name a key of the spec"
                        .to_owned(),
                ));
            }
        };
        let not_numeric = || {
            usage(format!(
                "its value `{}` is not numeric; name a numeric key, such as services.NAME.workers",
                shown(text)
            ))
        };
        let unit = Unit::of(text).ok_or_else(not_numeric)?;
        let value = unit.read(text).map_err(usage)?;
        let key = Key {
            path: path.to_owned(),
            unit,
            written: is_written.then_some(value),
        };
        let of_flag = |why: Failure| why.of_flag("--over", path);
        key.checked(value, variations).map_err(of_flag)
    }

    /// The key with the unit it turns out to have: a number is a whole one where the language takes nothing between.
    fn checked<P: PartialEq>(self, value: f64, variations: &Variations<P>) -> Result<Key, Failure> {
        // What is wrong with the key itself is an error of the spec.
        variations.spec(&[self.at(value)?])?;
        if self.unit != Unit::Whole {
            return Ok(self);
        }
        let between = [value + 0.5, value * 0.5 + 0.25];
        let takes = |value: f64| {
            let assignment = Key {
                unit: Unit::Number,
                ..self.clone()
            };
            let model = |spec| variations.model(&spec);
            assignment
                .at(value)
                .and_then(|set| variations.spec(&[set]))
                .and_then(model)
                .is_ok()
        };
        let unit = match between.into_iter().any(takes) {
            true => Unit::Number,
            false => Unit::Whole,
        };
        Ok(Key { unit, ..self })
    }

    /// Its path in the spec.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The unit of its values.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The value that the spec gives it.
    pub fn written(&self) -> Option<f64> {
        self.written
    }

    /// What gives it a value.
    ///
    /// # Errors
    /// [`Failure::Usage`] when that is no assignment.
    pub fn at(&self, value: f64) -> Result<Assignment, Failure> {
        let text = format!("{}={}", self.path, self.unit.written(value));
        text.parse()
            .map_err(|error| Failure::Usage(format!("--over {}: {error}", shown(&self.path))))
    }
}
