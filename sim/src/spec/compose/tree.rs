//! Trees for composing: searched, compared, with names rewritten, and written as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::sections::{Form, REFERENCES};
use crate::spec::node::{Entry, Kind, Node, Scalar, Value};
use crate::spec::units::Rate;

/// New names by section and old name.
pub type Renames = BTreeMap<(&'static str, String), String>;

/// The entries of a mapping; none of anything else.
pub fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Mapping(entries) => entries,
        Value::Null | Value::Scalar(_) | Value::Sequence(_) => &[],
    }
}

/// The entry of a key.
pub fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    entries(node).iter().find(|entry| entry.key == key)
}

/// A node of this value; its place is nowhere.
pub fn node(value: Value) -> Node {
    Node {
        id: 0,
        place: Default::default(),
        value,
    }
}

/// A text as a node.
pub fn text(text: impl Into<String>) -> Node {
    node(Value::Scalar(Scalar {
        text: text.into(),
        kind: Kind::Text,
    }))
}

/// A key with its value.
pub fn keyed(key: impl Into<String>, value: Node) -> Entry {
    Entry {
        key: key.into(),
        place: Default::default(),
        value,
    }
}

/// A thing of a section with every name in it that has a new one rewritten.
pub fn renamed(thing: &Node, section: &str, name: &str, renames: &Renames) -> Node {
    let mut thing = thing.clone();
    rewrite(
        &mut thing,
        &mut vec![section.to_owned(), name.to_owned()],
        renames,
    );
    thing
}

fn rewrite(node: &mut Node, way: &mut Vec<String>, renames: &Renames) {
    for reference in REFERENCES.iter().filter(|reference| reference.is_at(way)) {
        let renew = |name: &mut String| {
            if let Some(new) = renames.get(&(reference.to, name.clone())) {
                name.clone_from(new);
            }
        };
        match (&mut node.value, reference.form) {
            (Value::Scalar(scalar), Form::Value) => renew(&mut scalar.text),
            (Value::Sequence(items), Form::Value) => {
                for item in items {
                    if let Value::Scalar(scalar) = &mut item.value {
                        renew(&mut scalar.text);
                    }
                }
            }
            (Value::Scalar(scalar), Form::BeforeSlash) => {
                if let Some((name, rest)) = scalar.text.split_once('/') {
                    let mut name = name.to_owned();
                    renew(&mut name);
                    scalar.text = format!("{name}/{rest}");
                }
            }
            (Value::Mapping(entries), Form::Keys) => {
                entries.iter_mut().for_each(|entry| renew(&mut entry.key));
            }
            _ => {}
        }
    }
    match &mut node.value {
        Value::Null | Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for item in items {
                rewrite(item, way, renames);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                way.push(entry.key.clone());
                rewrite(&mut entry.value, way, renames);
                way.pop();
            }
        }
    }
}

/// Whether a rate stands anywhere in a tree.
pub fn holds_rate(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar(scalar) => scalar.text.contains('/') && scalar.text.parse::<Rate>().is_ok(),
        Value::Sequence(items) => items.iter().any(holds_rate),
        Value::Mapping(entries) => entries.iter().any(|entry| holds_rate(&entry.value)),
    }
}

/// A tree as YAML in one line. Trees that say the same, keys in whatever order, have the same text when `sorted`.
pub fn written(node: &Node, sorted: bool) -> String {
    let mut text = String::new();
    write(&mut text, node, sorted);
    text
}

fn write(text: &mut String, node: &Node, sorted: bool) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Scalar(scalar) => match scalar.kind {
            Kind::Text => quote(text, &scalar.text),
            Kind::Bool(_) | Kind::Number => text.push_str(&scalar.text),
        },
        Value::Sequence(items) => {
            text.push('[');
            for (nth, item) in items.iter().enumerate() {
                text.push_str(if nth > 0 { ", " } else { "" });
                write(text, item, sorted);
            }
            text.push(']');
        }
        Value::Mapping(entries) => {
            let mut entries: Vec<&Entry> = entries.iter().collect();
            if sorted {
                entries.sort_by(|one, other| one.key.cmp(&other.key));
            }
            text.push('{');
            for (nth, entry) in entries.into_iter().enumerate() {
                text.push_str(if nth > 0 { ", " } else { "" });
                quote(text, &entry.key);
                text.push_str(": ");
                write(text, &entry.value, sorted);
            }
            text.push('}');
        }
    }
}

/// The escapes of JSON are escapes of YAML.
fn quote(text: &mut String, content: &str) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", serde_json::Value::from(content));
}
