//! How a written spec is laid out as YAML: what takes lines, and what stands on one.

use serde::Serialize;

use super::written::{Written, written};

/// The places that take a line for each of their entries or items; whatever is not here, or is within something that
/// is not, stands on one line. A way of keys: `*` is any one key, `**` any number, and `[]` an item of a list.
const LINES: &[&str] = &[
    "run",
    "clients",
    "clients.*",
    "clients.*.on_failure",
    "actions",
    "actions.*",
    "actions.*.path",
    "actions.*.path.**.[]",
    "actions.*.path.**.branch",
    "actions.*.path.**.path",
    "actions.*.live",
    "actions.*.live.headers",
    "actions.*.live.error_when",
    "actions.*.live.rejected_when",
    "actions.*.live.delivery",
    "actions.*.live.delivery.when",
    "actions.*.slo",
    "actions.*.slo.**",
    "services",
    "services.*",
    "services.*.members",
    "streams",
    "streams.*",
    "streams.*.consumers",
    "streams.*.consumers.*",
    "fan_outs",
    "fan_outs.*",
    "network",
    "variables",
    "provenance",
];

/// A value on one line.
pub fn one_line(value: &impl Serialize) -> String {
    let mut text = String::new();
    flow(&mut text, &written(value));
    text
}

/// A text in double quotes. The escapes of JSON are escapes of YAML.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A spec, with a blank line before each of its sections.
pub fn sections(spec: &impl Serialize) -> String {
    let mut lines = Lines::default();
    let mut after_scalar = true;
    let spec = written(spec);
    let entries = match &spec {
        Written::Mapping(entries) => entries.as_slice(),
        _ => &[],
    };
    for (key, value) in entries {
        let is_scalar = matches!(value, Written::Plain(_) | Written::Text(_));
        if !(is_scalar && after_scalar) {
            lines.text.push('\n');
        }
        lines.entry(key, value, 0);
        after_scalar = is_scalar;
    }
    lines.text
}

/// A text that grows by lines.
#[derive(Default)]
struct Lines<'w> {
    text: String,
    /// The keys to what is being written.
    way: Vec<&'w str>,
}

impl<'w> Lines<'w> {
    fn entry(&mut self, key: &'w str, value: &'w Written, indent: usize) {
        self.text.push_str(key);
        self.text.push(':');
        self.way.push(key);
        match value {
            Written::Mapping(entries) if self.takes_lines(entries) => {
                self.text.push('\n');
                for (key, value) in entries {
                    self.indent(indent + 2);
                    self.entry(key, value, indent + 2);
                }
            }
            Written::List(items) if self.takes_lines(items) => {
                self.text.push('\n');
                for item in items {
                    self.indent(indent + 2);
                    self.item(item, indent + 2);
                }
            }
            _ => {
                self.text.push(' ');
                self.last(value);
            }
        }
        self.way.pop();
    }

    fn item(&mut self, item: &'w Written, indent: usize) {
        self.text.push_str("- ");
        self.way.push("[]");
        match item {
            Written::Mapping(entries) if self.takes_lines(entries) => {
                for (nth, (key, value)) in entries.iter().enumerate() {
                    if nth > 0 {
                        self.indent(indent + 2);
                    }
                    self.entry(key, value, indent + 2);
                }
            }
            _ => self.last(item),
        }
        self.way.pop();
    }

    /// What ends a line.
    fn last(&mut self, value: &Written) {
        flow(&mut self.text, value);
        self.text.push('\n');
    }

    fn indent(&mut self, by: usize) {
        self.text.extend(std::iter::repeat_n(' ', by));
    }

    /// Whether a collection here takes lines. Without anything in it, it could not be told from no value.
    fn takes_lines<T>(&self, collection: &[T]) -> bool {
        !collection.is_empty() && LINES.iter().any(|pattern| leads_to(pattern, &self.way))
    }
}

fn leads_to(pattern: &str, way: &[&str]) -> bool {
    let (first, rest) = match pattern.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pattern, None),
    };
    let further = |way: &[&str]| rest.map_or(way.is_empty(), |rest| leads_to(rest, way));
    match (first, way) {
        ("**", _) => (0..=way.len()).any(|skipped| further(&way[skipped..])),
        (_, [key, way @ ..]) => (first == "*" || first == *key) && further(way),
        (_, []) => false,
    }
}

fn flow(text: &mut String, value: &Written) {
    match value {
        Written::Plain(scalar) => text.push_str(scalar),
        Written::Text(content) => text.push_str(&quoted(content)),
        Written::List(items) => {
            text.push('[');
            for (nth, item) in items.iter().enumerate() {
                text.push_str(if nth > 0 { ", " } else { "" });
                flow(text, item);
            }
            text.push(']');
        }
        Written::Mapping(entries) => {
            text.push('{');
            for (nth, (key, value)) in entries.iter().enumerate() {
                text.push_str(if nth > 0 { ", " } else { "" });
                text.push_str(key);
                text.push_str(": ");
                flow(text, value);
            }
            text.push('}');
        }
    }
}
