//! YAML text to a tree of nodes: the only file that knows the YAML reader.
//!
//! Whatever the text holds, the answer is a tree or a list of errors with their places: size, nesting, aliases and
//! the number of nodes are bounded before memory or stack could suffer, and there is exactly one document. Every
//! duplicate key is an error that names both places. Aliases are followed, within the bounds; their nodes stand at
//! the place of the alias. Merge keys and tags of one's own are not part of the language.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Spanned};

use super::error::{MAX_BYTES, Place, SpecError, shown};
use super::node::{Entry, Kind, Node, Scalar, Value};

/// Deepest nesting of lists and mappings. Reading that takes less than 384 KiB of stack at `opt-level` 1, the lowest of the
/// profiles in `Cargo.toml`, and between 3 and 4 MiB where nothing is optimised.
pub const MAX_DEPTH: usize = 64;
/// Most values, keys included and aliases followed.
pub const MAX_NODES: usize = 100_000;
/// Most bytes of all values together, aliases followed.
pub const MAX_VALUE_BYTES: usize = 4 * MAX_BYTES;
/// Most anchors, and most aliases.
pub const MAX_ALIASES: usize = 1_000;

/// The tree of a text, or what is wrong with it. Duplicate keys are reported beside a tree that holds the first of
/// each, so that the rest of the document can still be checked.
pub fn parse(text: &str) -> Result<(Node, Vec<SpecError>), SpecError> {
    if text.len() > MAX_BYTES {
        return Err(SpecError::new(format!("the spec has {} bytes", text.len()))
            .help(format!("use up to {MAX_BYTES} bytes")));
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| explain(text, &error))?;
    let mut tree = Tree {
        text,
        next: 0,
        duplicates: Vec::new(),
    };
    let node = tree.node(raw);
    Ok((node, tree.duplicates))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_total_scalar_bytes: MAX_VALUE_BYTES,
            max_events: 4 * MAX_NODES,
            max_anchors: MAX_ALIASES,
            max_aliases: MAX_ALIASES,
        },
        // The reader hands over every pair of a mapping under this policy, and the tree finds the duplicates itself
        // because it can name both places. Keys that are numbers are the exception: the reader keeps the last of
        // them, which does not matter since no name in the language is a number.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// A value as the reader hands it over.
enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}

/// Builds nodes from what the reader hands over.
struct Tree<'t> {
    text: &'t str,
    next: u32,
    duplicates: Vec<SpecError>,
}

impl Tree<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let id = self.next;
        self.next += 1;
        let place = self.place(&raw.referenced);
        let written = self.place(&raw.defined);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => self.scalar(written, Kind::Bool(value)),
            Raw::Number => self.scalar(written, Kind::Number),
            Raw::Text(text) => Value::Scalar(Scalar {
                text: self.as_written(text, written),
                kind: Kind::Text,
            }),
            Raw::Sequence(items) => {
                Value::Sequence(items.into_iter().map(|item| self.node(item)).collect())
            }
            Raw::Mapping(pairs) => self.mapping(pairs),
        };
        let place = self.extent(place, &value);
        Node { id, place, value }
    }

    /// The reader spells numbers that are not finite its own way: `.inf` for `1e999`.
    fn as_written(&self, text: String, written: Place) -> String {
        match (text.as_str(), self.text.get(written.range())) {
            (".nan" | ".inf" | "-.inf", Some(slice)) if !slice.starts_with(['"', '\'']) => {
                slice.to_owned()
            }
            _ => text,
        }
    }

    fn scalar(&self, written: Place, kind: Kind) -> Value {
        let text = self
            .text
            .get(written.range())
            .unwrap_or_default()
            .to_owned();
        Value::Scalar(Scalar { text, kind })
    }

    fn mapping(&mut self, pairs: Vec<(Spanned<Raw>, Spanned<Raw>)>) -> Value {
        let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        for (key, value) in pairs {
            let place = self.place(&key.referenced);
            let written = self.place(&key.defined);
            let Some(key) = self.key(key.value, written) else {
                self.duplicates.push(
                    SpecError::at(place, "a key must be a plain name").help("write `name: value`"),
                );
                continue;
            };
            if let Some(&first) = seen.get(&key) {
                self.duplicates.push(
                    SpecError::at(place, format!("the key `{}` is given twice", shown(&key)))
                        .labelled("again here")
                        .related(first, "first here")
                        .help("keep one of the two"),
                );
                continue;
            }
            seen.insert(key.clone(), place);
            let value = self.node(value);
            entries.push(Entry { key, place, value });
        }
        Value::Mapping(entries)
    }

    /// A key as it was written, unless it is a list or a mapping.
    fn key(&self, raw: Raw, written: Place) -> Option<String> {
        match raw {
            Raw::Text(text) => Some(text),
            Raw::Null | Raw::Bool(_) | Raw::Number => Some(
                self.text
                    .get(written.range())
                    .unwrap_or_default()
                    .to_owned(),
            ),
            Raw::Sequence(_) | Raw::Mapping(_) => None,
        }
    }

    /// The reader gives a collection the place of its first character; people want to see all of it.
    fn extent(&self, place: Place, value: &Value) -> Place {
        let last = match value {
            Value::Sequence(items) => items.last().map(|item| item.place.end),
            Value::Mapping(entries) => entries
                .last()
                .map(|entry| entry.value.place.end.max(entry.place.end)),
            Value::Null | Value::Scalar(_) => return place,
        };
        let end = last.unwrap_or(place.end).max(place.end);
        let bracket = match self.text.as_bytes().get(place.start) {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => {
                return Place {
                    start: place.start,
                    end,
                };
            }
        };
        // Only blanks, commas and line breaks stand between the last value and the bracket that closes a list; when
        // something else does (a comment), the place ends with the value.
        let rest = self.text.as_bytes().get(end..).unwrap_or_default();
        let skipped = rest
            .iter()
            .take_while(|byte| b" \t\r\n,".contains(byte))
            .count();
        let closed = rest.get(skipped) == Some(&bracket);
        Place {
            start: place.start,
            end: if closed { end + skipped + 1 } else { end },
        }
    }

    fn place(&self, location: &Location) -> Place {
        place(self.text, location)
    }
}

/// The bytes of a location. The scanner's own errors count characters only.
fn place(text: &str, location: &Location) -> Place {
    let span = location.span();
    let (start, end) = match (span.byte_offset(), span.byte_len()) {
        (Some(start), Some(length)) => (start as usize, start.saturating_add(length) as usize),
        _ => {
            let start = byte_of_character(text, span.offset());
            (
                start,
                byte_of_character(text, span.offset().saturating_add(span.len())),
            )
        }
    };
    let start = start.min(text.len());
    Place {
        start,
        end: end.clamp(start, text.len()),
    }
}

fn byte_of_character(text: &str, index: u64) -> usize {
    usize::try_from(index)
        .ok()
        .and_then(|index| text.char_indices().nth(index))
        .map_or(text.len(), |(at, _)| at)
}

/// What the reader found wrong, with its place.
fn explain(text: &str, error: &Error) -> SpecError {
    let location = error.location();
    let (message, help) = match error {
        Error::MultipleDocuments { .. } => (
            "a second document starts here".into(),
            Some("write one document per file".into()),
        ),
        Error::MergeKeyNotAllowed { .. } => (
            "merge keys (`<<`) are not part of the language".into(),
            Some("write the keys out, or use an alias for a whole value".into()),
        ),
        Error::UnsupportedTag { tag, .. } => (
            format!("the tag `{}` is not part of the language", shown(tag)),
            Some("write the value without a tag".into()),
        ),
        Error::Budget { breach, .. } => budget(breach),
        Error::AliasError {
            error, locations, ..
        } => {
            let mut inner = explain(text, error);
            inner.span = Some(place(text, &locations.reference_location).range());
            return inner;
        }
        Error::UnknownAnchor { .. } => ("this alias has no anchor".into(), None),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("this alias contains itself".into(), None)
        }
        other => syntax(other, location.is_some()),
    };
    let mut explained = SpecError::new(message);
    explained.help = help;
    explained.span = location.map(|location| place(text, &location).range());
    explained
}

fn budget(breach: &BudgetBreach) -> (String, Option<String>) {
    match breach {
        BudgetBreach::Depth { .. } => too_deep(),
        BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. } => (
            "the spec has too many aliases".into(),
            Some(format!("use up to {MAX_ALIASES}")),
        ),
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => (
            "the spec has too many values".into(),
            Some(format!(
                "use up to {MAX_NODES} values; an alias counts as all values of its anchor"
            )),
        ),
        BudgetBreach::ScalarBytes { .. } | BudgetBreach::RecordedAnchorBytes { .. } => (
            "the values of the spec are too long in total".into(),
            Some(format!(
                "use up to {MAX_VALUE_BYTES} bytes; an alias counts as all values of its anchor"
            )),
        ),
        other => (format!("the spec is too large: {other:?}"), None),
    }
}

/// A syntax error in the reader's words, without the place it appends.
fn syntax(error: &Error, placed: bool) -> (String, Option<String>) {
    let whole = error.to_string();
    let message = match whole.rfind(" at line ") {
        Some(cut) if placed => &whole[..cut],
        _ => &whole,
    };
    // The scanner has its own limit for brackets, and an error without a kind for it.
    if message.contains("recursion limit") {
        return too_deep();
    }
    (format!("this is not YAML: {message}"), None)
}

fn too_deep() -> (String, Option<String>) {
    (
        "the spec is nested too deeply".into(),
        Some(format!("nest lists and mappings at most {MAX_DEPTH} deep")),
    )
}
