//! A `serde` deserializer over nodes that reports every error with its place, and several in one go.
//!
//! Serde stops at the first error. Here a reading that fails leaves its error behind, the offending node is pruned
//! from the tree, and the document is read again: what is missing only because it was pruned is not reported but
//! prunes its parent. Unknown keys need no second reading, since a type's keys are known before its fields are
//! read. The types this reads are externally tagged; a variant named in `vocabulary` may stand for a form (any
//! scalar, any mapping) instead of a word.

mod access;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeOwned, Expected, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use crate::spec::error::{MAX_ERRORS, Place, SpecError, nearest, one_of, shown};
use crate::spec::node::{Entry, Kind, Node, Scalar, Value};
use crate::spec::spanned::SPANNED;
use crate::spec::vocabulary::{
    BARE, LIST, MAPPING, example, has_noun, is_word, moved, noun, reserved,
};
use access::{Entries, Items, SpannedParts, Variant};

/// Separates a message from its help where serde lets only one text through.
const HELP: char = '\u{1f}';

/// Reads a `T` from a tree. Errors go to `errors`, up to [`MAX_ERRORS`]; `None` when nothing could be read.
pub fn read<T: DeserializeOwned>(root: &Node, errors: &mut Vec<SpecError>) -> Option<T> {
    let context = Context {
        errors: RefCell::new(std::mem::take(errors)),
        pruned: RefCell::default(),
    };
    let mut value = None;
    // Every turn prunes a node that the next one does not meet again, so there are fewer turns than nodes.
    while !context.full() {
        match T::deserialize(De {
            node: root,
            key: None,
            context: &context,
        }) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(error) => {
                let node = error.node.unwrap_or(root.id);
                context.prune(node);
                if !error.consequence {
                    context.report(error.into_spec_error());
                }
                if node == root.id {
                    break;
                }
            }
        }
    }
    *errors = context.errors.into_inner();
    value
}

/// A text with its help, as [`DeError`] takes them apart again.
pub fn with_help(message: impl fmt::Display, help: impl fmt::Display) -> String {
    format!("{message}{HELP}{help}")
}

/// What one reading shares between all its deserializers.
pub struct Context {
    errors: RefCell<Vec<SpecError>>,
    pruned: RefCell<BTreeSet<u32>>,
}

impl Context {
    fn full(&self) -> bool {
        self.errors.borrow().len() >= MAX_ERRORS
    }

    fn report(&self, error: SpecError) {
        self.errors.borrow_mut().push(error);
    }

    fn prune(&self, node: u32) {
        self.pruned.borrow_mut().insert(node);
    }

    /// Whether a node is out of the tree.
    pub fn is_pruned(&self, node: &Node) -> bool {
        self.pruned.borrow().contains(&node.id)
    }
}

/// Why a node could not be read.
#[derive(Debug)]
pub struct DeError {
    message: String,
    help: Option<String>,
    place: Option<Place>,
    node: Option<u32>,
    /// The required key that is not there.
    missing: Option<&'static str>,
    /// Follows from an error that was reported before.
    consequence: bool,
}

impl DeError {
    pub(super) fn new(message: impl Into<String>) -> DeError {
        let message = message.into();
        let (message, help) = match message.split_once(HELP) {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (message, None),
        };
        DeError {
            message,
            help,
            place: None,
            node: None,
            missing: None,
            consequence: false,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> DeError {
        self.help = Some(help.into());
        self
    }

    /// Fills in the place and the node to prune where nobody nearer to the error has.
    pub(super) fn or_at(mut self, place: Place, node: &Node) -> DeError {
        self.place.get_or_insert(place);
        self.node.get_or_insert(node.id);
        self
    }

    fn into_spec_error(self) -> SpecError {
        let mut error = match self.place {
            Some(place) => SpecError::at(place, self.message),
            None => SpecError::new(self.message),
        };
        error.help = self.help;
        error
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> DeError {
        DeError::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> DeError {
        match found {
            Unexpected::Other(found) => DeError::new(format!("expected {expected}, found {found}")),
            found => DeError::new(format!("expected {expected}, found {found}")),
        }
    }

    fn missing_field(field: &'static str) -> DeError {
        DeError {
            missing: Some(field),
            ..DeError::new(format!("the key `{field}` is missing"))
        }
    }
}

/// A node to be read, with the place of the key that leads to it.
#[derive(Clone, Copy)]
pub struct De<'a> {
    pub(super) node: &'a Node,
    pub(super) key: Option<Place>,
    pub(super) context: &'a Context,
}

impl<'a> De<'a> {
    fn attach(&self, error: DeError) -> DeError {
        error.or_at(self.node.place, self.node)
    }

    fn mismatch(&self, expected: impl fmt::Display) -> DeError {
        self.attach(DeError::new(format!(
            "expected {expected}, found {}",
            self.node.describe()
        )))
    }

    fn scalar(&self, expected: &dyn Expected) -> Result<&'a Scalar, DeError> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            _ => Err(self.mismatch(expected)),
        }
    }

    /// Where an error about the absence of something belongs: the key, or the start of the node.
    fn heading(&self) -> Place {
        let start = self.node.place.start;
        self.key.unwrap_or(Place { start, end: start })
    }

    fn has_pruned(&self, entries: &[Entry]) -> bool {
        entries
            .iter()
            .any(|entry| self.context.is_pruned(&entry.value))
    }

    /// An error that only follows from what was pruned here before.
    fn consequence(&self) -> DeError {
        let error = DeError {
            consequence: true,
            ..DeError::new("incomplete")
        };
        self.attach(error)
    }

    /// Reports and prunes the keys that a type does not have.
    fn refuse_unknown(
        &self,
        name: &str,
        fields: &[&'static str],
        entries: &[Entry],
    ) -> Result<(), DeError> {
        for entry in entries {
            if fields.contains(&entry.key.as_str()) || self.context.is_pruned(&entry.value) {
                continue;
            }
            self.context.prune(entry.value.id);
            let (message, help) = unknown(&entry.key, name, Role::Key, fields);
            self.context
                .report(SpecError::at(entry.place, message).help(help));
            if self.context.full() {
                return Err(self.consequence());
            }
        }
        Ok(())
    }

    /// The variant that a scalar stands for.
    fn scalar_variant(
        &self,
        scalar: &Scalar,
        name: &str,
        variants: &'static [&'static str],
    ) -> Result<Variant<'a>, DeError> {
        let text = scalar.text.as_str();
        if let Some(&word) = variants.iter().find(|&&word| word == text && is_word(word)) {
            return Ok(Variant {
                name: word,
                content: None,
                outer: *self,
            });
        }
        if variants.contains(&BARE) && !reserved(noun(name)).contains(&text) {
            return Ok(Variant {
                name: BARE,
                content: Some(*self),
                outer: *self,
            });
        }
        let (message, help) = unknown(text, name, Role::Variant, variants);
        Err(self.attach(DeError::new(message).help(help)))
    }

    /// The variant that a mapping stands for: its only key, or the mapping itself.
    fn mapping_variant(
        &self,
        entries: &'a [Entry],
        name: &str,
        variants: &'static [&'static str],
    ) -> Result<Variant<'a>, DeError> {
        if variants.contains(&MAPPING) {
            return Ok(Variant {
                name: MAPPING,
                content: Some(*self),
                outer: *self,
            });
        }
        let entry = match entries {
            [entry] => entry,
            [] => {
                let message = format!("an empty mapping is not {}", noun(name));
                return Err(self.attach(DeError::new(message).help(accepted_forms(name, variants))));
            }
            [_, second, ..] => {
                // A step that is written as it will be one day is not one step too many.
                let reserved = |entry: &&Entry| reserved(name).contains(&entry.key.as_str());
                if let Some(entry) = entries.iter().find(reserved) {
                    let (message, help) = unknown(&entry.key, name, Role::Variant, variants);
                    return Err(DeError::new(message)
                        .help(help)
                        .or_at(entry.place, self.node));
                }
                let message = format!(
                    "{} takes one key, and `{}` is a second one",
                    noun(name),
                    shown(&second.key)
                );
                return Err(DeError::new(message)
                    .help(accepted_forms(name, variants))
                    .or_at(second.place, self.node));
            }
        };
        if self.context.is_pruned(&entry.value) {
            return Err(self.consequence());
        }
        let Some(&word) = variants
            .iter()
            .find(|&&word| word == entry.key && is_word(word))
        else {
            let (message, help) = unknown(&entry.key, name, Role::Variant, variants);
            return Err(DeError::new(message)
                .help(help)
                .or_at(entry.place, self.node));
        };
        let content = De {
            node: &entry.value,
            key: Some(entry.place),
            context: self.context,
        };
        Ok(Variant {
            name: word,
            content: Some(content),
            outer: *self,
        })
    }
}

/// Message and help for a word that a type does not have.
fn unknown(found: &str, name: &str, role: Role, accepted: &[&'static str]) -> (String, String) {
    let words = || accepted.iter().copied().filter(|word| is_word(word));
    let list = accepted_forms(name, accepted);
    if reserved(noun(name)).contains(&found) {
        let message =
            format!("`{found}` is part of the language, but not yet supported in this version");
        return (message, list);
    }
    if let Some(to) = moved(noun(name), found) {
        let message = format!("`{found}` is no longer a key of {}", noun(name));
        return (message, to.to_owned());
    }
    let message = match role {
        Role::Key => format!("`{}` is not a key of {}", shown(found), noun(name)),
        Role::Variant => format!("`{}` is not {}", shown(found), noun(name)),
    };
    match nearest(found, words()) {
        Some(near) => (message, format!("did you mean `{near}`? {list}")),
        None => (message, list),
    }
}

/// What a type accepts: its words, and an example where it has other forms.
fn accepted_forms(name: &str, accepted: &[&'static str]) -> String {
    let words: Vec<&str> = accepted
        .iter()
        .copied()
        .filter(|word| is_word(word))
        .collect();
    match (words.as_slice(), example(name)) {
        ([], Some(example)) => example.to_owned(),
        (_, Some(example)) => format!("accepted: {}; {example}", one_of(words)),
        (_, None) => format!("accepted: {}", one_of(words)),
    }
}

/// What an unknown word should have been.
#[derive(Clone, Copy)]
enum Role {
    Key,
    Variant,
}

impl<'de> de::Deserializer<'de> for De<'_> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(_) => self.deserialize_str(visitor),
            Value::Sequence(_) => self.deserialize_seq(visitor),
            Value::Mapping(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Scalar(Scalar {
                kind: Kind::Bool(value),
                ..
            }) => visitor.visit_bool(*value),
            _ => Err(self.mismatch("`true` or `false`")),
        }
    }

    /// Any scalar as it was written: quantities read their own numbers.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let scalar = self.scalar(&visitor)?;
        visitor
            .visit_str(&scalar.text)
            .map_err(|error| self.attach(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        if name == SPANNED {
            visitor.visit_seq(SpannedParts::new(self))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let Value::Sequence(items) = &self.node.value else {
            return Err(self.mismatch("a list"));
        };
        visitor
            .visit_seq(Items::new(items, self))
            .map_err(|error| self.attach(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let Value::Mapping(entries) = &self.node.value else {
            return Err(self.mismatch(&visitor as &dyn Expected));
        };
        visitor
            .visit_map(Entries::new(entries, self))
            .map_err(|error| self.attach(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        debug_assert!(has_noun(name), "{name} has no noun");
        let Value::Mapping(entries) = &self.node.value else {
            return Err(self.mismatch(noun(name)).help(accepted_forms(name, fields)));
        };
        self.refuse_unknown(name, fields, entries)?;
        visitor
            .visit_map(Entries::new(entries, self))
            .map_err(|mut error| {
                if let Some(field) = error.missing
                    && error.node.is_none()
                {
                    error.consequence = self.has_pruned(entries);
                    error.place = Some(self.heading());
                    error.message = format!("{} needs the key `{field}`", noun(name));
                    error.help = Some(accepted_forms(name, fields));
                }
                self.attach(error)
            })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        debug_assert!(has_noun(name), "{name} has no noun");
        let variant = match &self.node.value {
            Value::Scalar(scalar) => self.scalar_variant(scalar, name, variants)?,
            Value::Mapping(entries) => self.mapping_variant(entries, name, variants)?,
            Value::Sequence(_) if variants.contains(&LIST) => Variant {
                name: LIST,
                content: Some(self),
                outer: self,
            },
            Value::Null | Value::Sequence(_) => {
                return Err(self
                    .mismatch(noun(name))
                    .help(accepted_forms(name, variants)));
            }
        };
        visitor
            .visit_enum(variant)
            .map_err(|error| self.attach(error))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}
