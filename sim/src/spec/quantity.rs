//! How quantities appear in the syntax: read from any scalar, written with their units, described in the JSON Schema.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::de::with_help;
use super::units::{Count, Duration, Number, Rate, Share, Size, UnitError};

/// Reads a quantity from the characters it was written with.
struct Written<Q> {
    noun: &'static str,
    quantity: PhantomData<Q>,
}

impl<Q: FromStr<Err = UnitError>> Visitor<'_> for Written<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Q, E> {
        text.parse()
            .map_err(|error: UnitError| E::custom(with_help(error.message, error.help)))
    }
}

/// Makes a quantity readable and writable by serde and known to the schema.
macro_rules! quantities {
    ($($name:ident, $noun:literal, $schema:tt;)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                deserializer.deserialize_str(Written { noun: $noun, quantity: PhantomData })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

quantities! {
    Duration, "a duration", {
        "description": "A number with its unit, `ns`, `us` (or `µs`), `ms`, `s`, `m` or `h`: `500ms`, `2.5s`, `1h`; or several such parts from large to small, of which only the last may have a fraction: `1m30s`. From 0 to 100 years.",
        "type": "string",
        "pattern": "^([0-9]+ *(ns|us|µs|μs|ms|s|m|h) *)*([0-9]+[.]?[0-9]*|[.][0-9]+) *(ns|us|µs|μs|ms|s|m|h)$",
    };
    Rate, "a rate", {
        "description": "A number, perhaps with `k` or `M` for thousands and millions, per `/s`, `/m` or `/h`: `200/s`, `1.5k/s`, `12/m`. Up to 100M/s.",
        "type": "string",
        "pattern": "^([0-9]+[.]?[0-9]*|[.][0-9]+)[kM]? */[smh] *$",
    };
    Count, "a count", {
        "description": "A whole number, perhaps with `k` or `M` for thousands and millions: `500`, `10k`, `1.5M`. From 0 to 2^64 - 1.",
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": "^[0-9]+([.][0-9]*)?[kM]?$"},
        ],
    };
    Share, "a share", {
        "description": "A percentage or a fraction from 0 to 1: `0.1%`, `0.001`.",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": "^([0-9]+[.]?[0-9]*|[.][0-9]+) *%?$"},
        ],
    };
    Size, "a size", {
        "description": "A number of bytes with its unit: `256B`, `4KiB`, `1MiB`, `64kB`.",
        "type": "string",
        "pattern": "^[0-9]+ *(B|kB|MB|KiB|MiB)$",
    };
    Number, "a number", {
        "description": "A finite number that is not negative: `2`, `0.8`, `1e3`.",
        "type": "number",
        "minimum": 0,
    };
}

impl From<Duration> for f64 {
    /// Nanoseconds.
    fn from(duration: Duration) -> f64 {
        duration.0
    }
}

impl From<Size> for f64 {
    /// Bytes.
    fn from(size: Size) -> f64 {
        size.0 as f64
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> f64 {
        number.0
    }
}
