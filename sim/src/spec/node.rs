//! A document as a tree of nodes, each with its place in the text.
//!
//! The tree is what the YAML reader produces and all the rest of the spec's reading works on. Scalars keep the
//! characters they were written with, so that a number is read once, exactly, by whoever knows its unit.

use std::ops::Range;

use super::error::{Place, shown};

/// A value of the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Tells this node from every other of the tree; several nodes may share a place when an alias put
    /// them there.
    pub id: u32,
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing at all, or `null`, or `~`.
    Null,
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with their values, in the order of the text and each key once.
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

/// A single value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Its characters, without quotes and with escapes resolved.
    pub text: String,
    /// What YAML takes it for.
    pub kind: Kind,
}

/// What YAML takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number,
    /// Anything else, and whatever is quoted.
    Text,
}

impl Node {
    /// The keys of the mapping that a key of this mapping holds.
    pub fn keys_under(&self, key: &str) -> Vec<&str> {
        let under = self.entries().iter().find(|entry| entry.key == key);
        let entries = under.map_or(&[][..], |entry| entry.value.entries());
        entries.iter().map(|entry| entry.key.as_str()).collect()
    }

    fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::Null | Value::Scalar(_) | Value::Sequence(_) => &[],
        }
    }

    /// The path of keys and positions to the smallest value that holds a place, or to the key that is the place.
    pub fn path_to(&self, place: &Range<usize>) -> Option<String> {
        let holds = |outer: Place| outer.start <= place.start && place.end <= outer.end;
        let mut path = String::new();
        let mut node = self;
        loop {
            let next = match &node.value {
                Value::Mapping(entries) => entries
                    .iter()
                    .find(|entry| holds(entry.value.place) || holds(entry.place))
                    .map(|entry| (key_path(&path, &entry.key), &entry.value)),
                Value::Sequence(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| holds(item.place))
                    .map(|(position, item)| (format!("{path}[{position}]"), item)),
                Value::Null | Value::Scalar(_) => None,
            };
            let Some((longer, inner)) = next else { break };
            path = longer;
            node = inner;
        }
        (!path.is_empty()).then_some(path)
    }

    /// The node in a few words, for messages.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar(Scalar {
                text,
                kind: Kind::Text,
            }) => format!("`{}`", shown(text)),
            Value::Scalar(Scalar {
                text,
                kind: Kind::Number,
            }) => {
                format!("the number {}", shown(text))
            }
            Value::Scalar(Scalar {
                text,
                kind: Kind::Bool(_),
            }) => format!("`{text}`"),
            Value::Sequence(_) => "a list".into(),
            Value::Mapping(_) => "a mapping".into(),
        }
    }
}

fn key_path(path: &str, key: &str) -> String {
    match path {
        "" => shown(key),
        _ => format!("{path}.{}", shown(key)),
    }
}
