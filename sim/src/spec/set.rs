//! `--set PATH=VALUE`: keys put into the tree of a spec before it is read, so that they are read and checked like
//! those of the text.
//!
//! A path is the way of keys and list positions to a value, as messages write it: `services.api.workers`,
//! `actions.ask.path[0].visit` (or `actions.ask.path.0.visit`). A key that is not there is created, with the
//! mappings on the way to it, and a position one past the end of a list appends. `null` removes what is there, since
//! no key of the language may be null. Whatever is wrong with a value afterwards names the assignment, because its
//! nodes have places that tell which one they are from. An assignment that cannot have an effect is an error.

use std::str::FromStr;

use super::error::{MAX_BYTES, Place, SpecError, nearest, shown};
use super::node::{Entry, Node, Value};
use super::yaml;

/// Most assignments that one spec takes.
pub const MAX_ASSIGNMENTS: usize = 1_000;

/// One `--set PATH=VALUE`, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Path and value as they were written.
    written: String,
    /// How much of that is the path, in bytes.
    path_bytes: usize,
    /// Keys and positions from the top of the spec.
    path: Vec<String>,
    /// The value; nothing removes what is there.
    value: Option<Node>,
}

impl Assignment {
    /// The path as it was written.
    pub fn path(&self) -> &str {
        &self.written[..self.path_bytes]
    }

    /// The value as it was written.
    pub fn value(&self) -> &str {
        &self.written[self.path_bytes + 1..]
    }

    /// Whether this sets a key or something within it. The key is given as the way to it; `*` in it stands for any
    /// name.
    pub fn is_within(&self, key: &[&str]) -> bool {
        self.path.len() >= key.len() && self.agrees(key)
    }

    /// Whether this replaces or removes a key as a whole, or what it stands in; `*` in the key stands for any name.
    pub fn replaces(&self, key: &[&str]) -> bool {
        self.path.len() <= key.len() && self.agrees(key)
    }

    fn agrees(&self, key: &[&str]) -> bool {
        let mut pairs = self.path.iter().zip(key);
        pairs.all(|(mine, other)| *other == "*" || mine == other)
    }

    /// What stands at its path.
    pub(super) fn find<'n>(&self, root: &'n Node) -> Option<&'n Node> {
        self.path
            .iter()
            .try_fold(root, |node, key| match &node.value {
                Value::Mapping(entries) => {
                    let entry = entries.iter().find(|entry| entry.key == *key)?;
                    Some(&entry.value)
                }
                Value::Sequence(items) => items.get(key.parse::<usize>().ok()?),
                Value::Null | Value::Scalar(_) => None,
            })
    }

    /// How errors name it.
    fn flag(&self) -> String {
        format!("--set {}={}", shown(self.path()), shown(self.value()))
    }

    fn error(&self, message: impl Into<String>) -> SpecError {
        SpecError {
            flag: Some(self.flag().into()),
            ..SpecError::new(message)
        }
    }
}

impl FromStr for Assignment {
    type Err = SpecError;

    /// Takes `PATH=VALUE` apart; the value is YAML, as a spec writes it.
    fn from_str(text: &str) -> Result<Assignment, SpecError> {
        const EXAMPLE: &str = "write PATH=VALUE, such as services.api.workers=5";
        let Some((path, value)) = text.split_once('=') else {
            return Err(SpecError::new("there is no `=`").help(EXAMPLE));
        };
        let keys = keys(path).ok_or_else(|| {
            SpecError::new(format!("`{}` is not the path of a key", shown(path))).help(EXAMPLE)
        })?;
        let node = match value.trim() {
            "null" | "~" => None,
            _ => Some(read_value(path, value)?),
        };
        if keys.len() + node.as_ref().map_or(0, depth) > yaml::MAX_DEPTH {
            let help = format!("nest lists and mappings at most {} deep", yaml::MAX_DEPTH);
            return Err(SpecError::new("the value would be nested too deeply").help(help));
        }
        Ok(Assignment {
            written: text.to_owned(),
            path_bytes: path.len(),
            path: keys,
            value: node,
        })
    }
}

fn read_value(path: &str, value: &str) -> Result<Node, SpecError> {
    // A place in the value would be read as one in the spec.
    let unplaced = |error: SpecError| SpecError {
        span: None,
        related: None,
        ..error
    };
    let (node, duplicates) = yaml::parse(value).map_err(unplaced)?;
    if let Some(duplicate) = duplicates.into_iter().next() {
        return Err(unplaced(duplicate));
    }
    if node.value == Value::Null {
        let message = format!("`{}` has no value", shown(path));
        return Err(SpecError::new(message).help("write `null` to remove the key"));
    }
    Ok(node)
}

/// The keys and positions of a path; `None` when it is not one.
fn keys(path: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    for part in path.split('.') {
        let (key, mut positions) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.trim().is_empty() {
            return None;
        }
        keys.push(key.to_owned());
        while !positions.is_empty() {
            let (position, rest) = positions.strip_prefix('[')?.split_once(']')?;
            position.parse::<usize>().ok()?;
            keys.push(position.to_owned());
            positions = rest;
        }
    }
    Some(keys)
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Mapping(entries) => {
            1 + entries
                .iter()
                .map(|entry| depth(&entry.value))
                .max()
                .unwrap_or(0)
        }
    }
}

/// What was set in a spec, for messages and for the record of where values came from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assigned(Vec<Made>);

/// An assignment that was made.
#[derive(Debug, Clone, PartialEq)]
struct Made {
    assignment: Assignment,
    /// The path that was probably meant, where this one leads through a key that was not there.
    near: Option<String>,
}

impl Assigned {
    /// The assignments in their order.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.0.iter().map(|made| &made.assignment)
    }

    /// Lets errors about set values name the assignment.
    pub(super) fn name(&self, errors: &mut [SpecError]) {
        for error in errors {
            if let Some(made) = error
                .set
                .take()
                .and_then(|nth| self.0.get(usize::from(nth)))
            {
                error.flag = Some(made.assignment.flag().into());
                if let Some(near) = &made.near {
                    let help = error.help.as_deref().unwrap_or_default();
                    error.help = Some(format!("did you mean `{near}`? {help}").trim().to_owned());
                }
            }
            let also = error.related.as_ref().and_then(|related| related.set);
            if let Some(made) = also.and_then(|nth| self.0.get(usize::from(nth)))
                && let Some(related) = error.related.take()
            {
                let flag = made.assignment.flag();
                error.message = format!("{} ({}: {flag})", error.message, related.label);
            }
        }
    }
}

/// Makes assignments in a tree, in their order.
///
/// # Errors
/// One for each assignment that cannot be made, or that a later one would undo.
pub(super) fn apply(
    root: &mut Node,
    assignments: &[Assignment],
) -> Result<Assigned, Vec<SpecError>> {
    let bytes: usize = assignments.iter().map(|one| one.written.len()).sum();
    if assignments.len() > MAX_ASSIGNMENTS || bytes > MAX_BYTES {
        let message = format!("{} values are set, in {bytes} bytes", assignments.len());
        return Err(vec![SpecError::new(message).help(format!(
            "set up to {MAX_ASSIGNMENTS} values, in up to {} bytes",
            MAX_BYTES
        ))]);
    }
    let mut errors = undone(assignments);
    let mut made = Vec::with_capacity(assignments.len());
    let mut next_id = largest_id(root).saturating_add(1);
    for (nth, assignment) in (0u16..).zip(assignments) {
        let mut maker = Maker {
            nth,
            assignment,
            next_id,
            near: None,
        };
        if let Err(error) = maker.make(root) {
            errors.push(error);
        }
        next_id = maker.next_id;
        made.push(Made {
            assignment: assignment.clone(),
            near: maker.near,
        });
    }
    match errors.is_empty() {
        true => Ok(Assigned(made)),
        false => Err(errors),
    }
}

/// Errors about assignments that a later one replaces as a whole.
fn undone(assignments: &[Assignment]) -> Vec<SpecError> {
    let mut errors = Vec::new();
    for (nth, earlier) in assignments.iter().enumerate() {
        let mut rest = assignments[nth + 1..].iter();
        if let Some(later) = rest.find(|later| earlier.path.starts_with(&later.path)) {
            let message = format!("has no effect beside {} after it", later.flag());
            errors.push(earlier.error(message).help("keep one of the two"));
        }
    }
    errors
}

fn largest_id(node: &Node) -> u32 {
    let within = match &node.value {
        Value::Null | Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().map(largest_id).max(),
        Value::Mapping(entries) => entries.iter().map(|entry| largest_id(&entry.value)).max(),
    };
    within.map_or(node.id, |within| within.max(node.id))
}

/// Makes one assignment.
struct Maker<'a> {
    nth: u16,
    assignment: &'a Assignment,
    next_id: u32,
    near: Option<String>,
}

impl Maker<'_> {
    fn make(&mut self, root: &mut Node) -> Result<(), SpecError> {
        if !matches!(root.value, Value::Mapping(_)) {
            // The text is no spec at all, which its reading will say.
            return Ok(());
        }
        let assignment = self.assignment;
        let Some((last, way)) = assignment.path.split_last() else {
            return Ok(());
        };
        let mut node = root;
        for depth in 0..way.len() {
            node = self.step(node, depth)?;
        }
        match &assignment.value {
            Some(value) => {
                let mut value = value.clone();
                self.adopt(&mut value);
                self.put(node, last, value)
            }
            None => self.remove(node, last),
        }
    }

    /// The node that a key of the way leads to, created where it is not there.
    fn step<'n>(&mut self, node: &'n mut Node, depth: usize) -> Result<&'n mut Node, SpecError> {
        let key = &self.assignment.path[depth];
        self.open(node, depth)?;
        match &mut node.value {
            Value::Mapping(entries) => {
                let position = entries.iter().position(|entry| entry.key == *key);
                let position = match position {
                    Some(position) => position,
                    None if self.assignment.value.is_none() => return Err(self.nothing(depth)),
                    None => {
                        self.suggest(entries, depth);
                        let value = self.node(Value::Mapping(Vec::new()));
                        entries.push(self.entry(key, value));
                        entries.len() - 1
                    }
                };
                Ok(&mut entries[position].value)
            }
            Value::Sequence(items) => {
                let count = items.len();
                let item = key
                    .parse()
                    .ok()
                    .and_then(|position: usize| items.get_mut(position));
                item.ok_or_else(|| self.no_item(depth, count))
            }
            Value::Null | Value::Scalar(_) => Err(self.nothing(depth)),
        }
    }

    /// Lets a node take keys: nothing at all becomes an empty mapping.
    fn open(&self, node: &mut Node, depth: usize) -> Result<(), SpecError> {
        match node.value {
            Value::Null => node.value = Value::Mapping(Vec::new()),
            Value::Scalar(_) => return Err(self.no_keys(node, depth)),
            Value::Sequence(_) | Value::Mapping(_) => {}
        }
        Ok(())
    }

    fn put(&mut self, node: &mut Node, key: &str, value: Node) -> Result<(), SpecError> {
        let depth = self.assignment.path.len() - 1;
        self.open(node, depth)?;
        match &mut node.value {
            Value::Mapping(entries) => {
                let entry = self.entry(key, value);
                match entries.iter_mut().find(|entry| entry.key == key) {
                    Some(there) => *there = entry,
                    None => entries.push(entry),
                }
                Ok(())
            }
            Value::Sequence(items) => {
                match key.parse::<usize>() {
                    Ok(position) if position < items.len() => items[position] = value,
                    Ok(position) if position == items.len() => items.push(value),
                    _ => return Err(self.no_item(depth, items.len())),
                }
                Ok(())
            }
            Value::Null | Value::Scalar(_) => Err(self.nothing(depth)),
        }
    }

    fn remove(&mut self, node: &mut Node, key: &str) -> Result<(), SpecError> {
        let depth = self.assignment.path.len() - 1;
        self.open(node, depth)?;
        match &mut node.value {
            Value::Mapping(entries) => match entries.iter().position(|entry| entry.key == key) {
                Some(position) => {
                    entries.remove(position);
                    Ok(())
                }
                None => Err(self.nothing(depth)),
            },
            Value::Sequence(items) => match key.parse::<usize>() {
                Ok(position) if position < items.len() => {
                    items.remove(position);
                    Ok(())
                }
                _ => Err(self.no_item(depth, items.len())),
            },
            Value::Null | Value::Scalar(_) => Err(self.nothing(depth)),
        }
    }

    fn node(&mut self, value: Value) -> Node {
        let id = self.next_id;
        self.next_id += 1;
        Node {
            id,
            place: self.path_place(),
            value,
        }
    }

    fn entry(&self, key: &str, value: Node) -> Entry {
        Entry {
            key: key.to_owned(),
            place: self.path_place(),
            value,
        }
    }

    /// Where the path stands.
    fn path_place(&self) -> Place {
        let end = self.assignment.path_bytes;
        Place { start: 0, end }.in_set(self.nth, 0)
    }

    /// Makes the nodes of a value part of the tree: with numbers and places of their own.
    fn adopt(&mut self, node: &mut Node) {
        let offset = self.assignment.path_bytes + 1;
        node.id = self.next_id;
        self.next_id += 1;
        node.place = node.place.in_set(self.nth, offset);
        match &mut node.value {
            Value::Null | Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.adopt(item)),
            Value::Mapping(entries) => {
                for entry in entries {
                    entry.place = entry.place.in_set(self.nth, offset);
                    self.adopt(&mut entry.value);
                }
            }
        }
    }

    /// Remembers which path may have been meant when a key of the way is not there.
    fn suggest(&mut self, entries: &[Entry], depth: usize) {
        let path = &self.assignment.path;
        let there = entries.iter().map(|entry| entry.key.as_str());
        if self.near.is_none()
            && let Some(near) = nearest(&path[depth], there)
        {
            let (before, after) = (&path[..depth], &path[depth + 1..]);
            let keys = before.iter().map(String::as_str);
            let keys = keys
                .chain([near])
                .chain(after.iter().map(String::as_str))
                .map(shown);
            self.near = Some(keys.collect::<Vec<_>>().join("."));
        }
    }

    /// The way to a key of the path, for messages.
    fn way(&self, depth: usize) -> String {
        shown(&self.assignment.path[..depth].join("."))
    }

    fn nothing(&self, depth: usize) -> SpecError {
        let message = format!("there is no `{}` to remove", self.way(depth + 1));
        self.assignment.error(message)
    }

    fn no_keys(&self, node: &Node, depth: usize) -> SpecError {
        let way = self.way(depth);
        let message = format!("`{way}` is {}, which has no keys", node.describe());
        let help = format!("set it as a whole: --set {way}=...");
        self.assignment.error(message).help(help)
    }

    fn no_item(&self, depth: usize, count: usize) -> SpecError {
        let key = shown(&self.assignment.path[depth]);
        let message = format!("there is no item `{key}` in `{}`", self.way(depth));
        let help = match count {
            0 => "the list is empty; 0 appends".to_owned(),
            _ => format!("give an item from 0 to {}; {count} appends", count - 1),
        };
        self.assignment.error(message).help(help)
    }
}
