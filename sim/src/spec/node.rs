//! A document as a tree of nodes, each with its place in the text.
//!
//! The tree is what the YAML reader produces and all the rest of the spec's reading works on. Scalars keep the
//! characters they were written with, so that a number is read once, exactly, by whoever knows its unit.

use super::error::Place;

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
    /// The node in a few words, for messages.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar(Scalar {
                text,
                kind: Kind::Text,
            }) => format!("`{}`", super::error::shown(text)),
            Value::Scalar(Scalar {
                text,
                kind: Kind::Number,
            }) => {
                format!("the number {}", super::error::shown(text))
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
