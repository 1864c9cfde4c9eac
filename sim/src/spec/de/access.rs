//! The parts of a node as `serde` walks them: entries of a mapping, items of a list, the variant of an enum, and the
//! place of a value.

use serde::de::value::{StrDeserializer, UsizeDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{De, DeError};
use crate::spec::error::Place;
use crate::spec::node::{Entry, Node, Value};
use crate::spec::spanned::SPANNED;
use crate::spec::vocabulary::may_stand_alone;

/// The entries of a mapping that are not pruned.
pub struct Entries<'a> {
    rest: std::slice::Iter<'a, Entry>,
    current: Option<&'a Entry>,
    outer: De<'a>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [Entry], outer: De<'a>) -> Entries<'a> {
        Entries {
            rest: entries.iter(),
            current: None,
            outer,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeError> {
        let context = self.outer.context;
        self.current = self.rest.find(|entry| !context.is_pruned(&entry.value));
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let key = seed.deserialize(Key {
            text: &entry.key,
            place: entry.place,
        });
        key.map(Some)
            .map_err(|error| error.or_at(entry.place, &entry.value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let Some(entry) = self.current else {
            return Err(DeError::new("a value without a key"));
        };
        if entry.value.value == Value::Null {
            let error = DeError::new(format!(
                "the key `{}` has no value",
                crate::spec::error::shown(&entry.key)
            ));
            return Err(error
                .help("give it a value or remove the key")
                .or_at(entry.place, &entry.value));
        }
        let value = De {
            node: &entry.value,
            key: Some(entry.place),
            context: self.outer.context,
        };
        seed.deserialize(value)
            .map_err(|error| error.or_at(entry.value.place, &entry.value))
    }
}

/// A key of a mapping.
#[derive(Clone, Copy)]
struct Key<'a> {
    text: &'a str,
    place: Place,
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_str(self.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if name == SPANNED {
            visitor.visit_seq(SpannedParts {
                place: self.place,
                value: self,
                step: 0,
            })
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The items of a list that are not pruned.
pub struct Items<'a> {
    rest: std::slice::Iter<'a, Node>,
    outer: De<'a>,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Node], outer: De<'a>) -> Items<'a> {
        Items {
            rest: items.iter(),
            outer,
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeError> {
        let context = self.outer.context;
        let Some(node) = self.rest.find(|node| !context.is_pruned(node)) else {
            return Ok(None);
        };
        let item = De {
            node,
            key: None,
            context,
        };
        seed.deserialize(item)
            .map(Some)
            .map_err(|error| error.or_at(node.place, node))
    }
}

/// Start, end and value: what [`Spanned`](crate::spec::spanned::Spanned) reads.
pub struct SpannedParts<D> {
    place: Place,
    value: D,
    step: u8,
}

impl<'a> SpannedParts<De<'a>> {
    pub(super) fn new(value: De<'a>) -> SpannedParts<De<'a>> {
        SpannedParts {
            place: value.node.place,
            value,
            step: 0,
        }
    }
}

impl<'de, D: Deserializer<'de, Error = DeError> + Copy> SeqAccess<'de> for SpannedParts<D> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeError> {
        self.step += 1;
        let number = |value: usize| -> UsizeDeserializer<DeError> { value.into_deserializer() };
        match self.step {
            1 => seed.deserialize(number(self.place.start)).map(Some),
            2 => seed.deserialize(number(self.place.end)).map(Some),
            3 => seed.deserialize(self.value).map(Some),
            _ => Ok(None),
        }
    }
}

/// What a word without its parameters stands for.
static NO_PARAMETERS: Node = Node {
    id: u32::MAX,
    place: Place { start: 0, end: 0 },
    value: Value::Mapping(Vec::new()),
};

/// The variant of an enum, with what was written for it.
pub struct Variant<'a> {
    /// The variant's name.
    pub(super) name: &'static str,
    /// Its value, when one was written.
    pub(super) content: Option<De<'a>>,
    /// The enum.
    pub(super) outer: De<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = DeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DeError> {
        let name: StrDeserializer<'_, DeError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        match self.content {
            None => Ok(()),
            Some(content) => {
                let error = DeError::new(format!("`{}` takes no value", self.name));
                Err(error
                    .help(format!("write `{}` alone", self.name))
                    .or_at(content.node.place, self.outer.node))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DeError> {
        let missing = || {
            DeError::new(format!("`{0}` needs a value", self.name))
                .help(format!("write `{0}: ...`", self.name))
        };
        match self.content {
            Some(content) if content.node.value != Value::Null => seed.deserialize(content),
            Some(content) => {
                Err(missing().or_at(content.key.unwrap_or(content.node.place), self.outer.node))
            }
            None if may_stand_alone(self.name) => seed.deserialize(De {
                node: &NO_PARAMETERS,
                key: None,
                context: self.outer.context,
            }),
            None => Err(missing().or_at(self.outer.node.place, self.outer.node)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DeError> {
        self.newtype_variant_seed(Whole(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.newtype_variant_seed(Whole(visitor))
    }
}

/// Hands a visitor all of a node.
struct Whole<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Whole<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_any(self.0)
    }
}
