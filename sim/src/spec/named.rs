//! Things by name, in the order of the text.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::de::with_help;
use super::error::shown;
use super::spanned::Spanned;

/// Longest name in bytes.
pub const MAX_NAME: usize = 64;

/// What a name may be.
pub(super) const RULE: &str =
    "start with a letter or `_`, and use up to 64 letters, digits, `_` and `-`";

/// A mapping from names to things that keeps the order of the text. Names are distinct.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Named<T> {
    /// The position of a name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known.value == name)
    }

    /// Puts them in the order of their names.
    pub(super) fn sort(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| a.value.cmp(&b.value));
    }

    /// Whether they are in the order of their names.
    pub(super) fn is_sorted(&self) -> bool {
        self.0.is_sorted_by(|(a, _), (b, _)| a.value <= b.value)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }
}

/// Why a text cannot be a name, if it cannot.
pub(super) fn flaw(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > MAX_NAME {
        Some("is too long for a name")
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || !name.chars().all(allowed)
    {
        Some("cannot be a name")
    } else {
        None
    }
}

/// Writes the name of a thing where the language refers to it: as it is, unless YAML would take it for something else.
pub fn as_name<T: AsRef<str>, S: Serializer>(name: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let name = name.as_ref();
    let words = ["null", "true", "false"];
    match flaw(name).is_some() || words.iter().any(|word| word.eq_ignore_ascii_case(name)) {
        true => serializer.serialize_str(name),
        false => serializer.collect_str(name),
    }
}

/// The same of a name that may be absent.
pub fn optional_name<T: AsRef<str>, S: Serializer>(
    name: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match name {
        Some(name) => as_name(name, serializer),
        None => serializer.serialize_none(),
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<T>, D::Error> {
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Named<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Spanned {
            value: Name(name),
            origin,
        }) = access.next_key()?
        {
            entries.push((
                Spanned {
                    value: name,
                    origin,
                },
                access.next_value()?,
            ));
        }
        Ok(Named(entries))
    }
}

/// A checked name.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        let name = String::deserialize(deserializer)?;
        match flaw(&name) {
            None => Ok(Name(name)),
            Some(flaw) => Err(D::Error::custom(with_help(
                format!("`{}` {flaw}", shown(&name)),
                RULE,
            ))),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$", "maxLength": MAX_NAME},
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}
