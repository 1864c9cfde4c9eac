//! Errors of a spec, in a form that any front end can show.
//!
//! A [`SpecError`] says what was found, where, and what would be accepted. Its place is a range of bytes in the text of the spec,
//! or the command-line flag with the value; it never holds the text itself, so that it can outlive it.

use std::fmt;
use std::ops::Range;

use crate::visible;

/// Longest text of a spec in bytes: places lie within it.
pub const MAX_BYTES: usize = 1 << 20;

/// How many errors one reading reports; what follows is mostly a consequence of these.
pub const MAX_ERRORS: usize = 20;

/// From here on, and again after as many bytes, places lie in what a `--set` says instead of the text: more than a text
/// or a `--set` can have.
const SET_STRIDE: usize = 2 * MAX_BYTES;

/// A range of bytes in a spec's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Place {
    /// The place as a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The place in what a `--set` says instead, this many bytes further on.
    pub(super) fn in_set(self, nth: u16, offset: usize) -> Place {
        let base = (usize::from(nth) + 1) * SET_STRIDE + offset;
        Place {
            start: base + self.start,
            end: base + self.end,
        }
    }

    /// Which `--set` the place lies in, from 0; `None` when it is in the spec's text.
    pub(super) fn set(self) -> Option<u16> {
        let nth = (self.start / SET_STRIDE).checked_sub(1)?;
        u16::try_from(nth).ok()
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The spec's text.
    Text(Place),
    /// A command-line flag, by its name with the dashes.
    Flag(&'static str),
    /// The `--set` of this number, from 0, of those that the spec was read with.
    Set(u16),
    /// The language, where a spec says nothing.
    Default,
}

impl From<Place> for Origin {
    fn from(place: Place) -> Origin {
        match place.set() {
            None => Origin::Text(place),
            Some(nth) => Origin::Set(nth),
        }
    }
}

/// One thing that is wrong with a spec, or a warning about one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SpecError {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The offending bytes of the text, if the error has a place in it.
    pub span: Option<Range<usize>>,
    /// A few words to stand at the place; empty when there is nothing to add to the message.
    pub label: &'static str,
    /// What would be accepted, or how to put it right.
    pub help: Option<String>,
    /// Another place that matters.
    pub related: Option<Box<Related>>,
    /// The command-line flag that gave the offending value: its name, and for `--set` what it says.
    pub flag: Option<Box<str>>,
    /// The `--set` that gave it, as long as it is not named by `flag`.
    pub(super) set: Option<u16>,
    /// Whether the error is about what is not there, and so may follow from another one.
    pub(super) absence: bool,
}

/// A second place of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The bytes of the text.
    pub span: Range<usize>,
    /// A few words to stand there.
    pub label: String,
    /// The `--set` that it lies in, as long as the message does not name it.
    pub(super) set: Option<u16>,
}

impl SpecError {
    /// An error about the spec as a whole.
    pub fn new(message: impl Into<String>) -> SpecError {
        SpecError {
            message: message.into(),
            span: None,
            label: "",
            help: None,
            related: None,
            flag: None,
            set: None,
            absence: false,
        }
    }

    /// An error at a place of the text, or of a `--set`.
    pub fn at(place: Place, message: impl Into<String>) -> SpecError {
        SpecError::about(place.into(), message)
    }

    /// An error about a value, wherever it came from.
    pub fn about(origin: Origin, message: impl Into<String>) -> SpecError {
        match origin {
            Origin::Default => SpecError::new(message),
            Origin::Text(place) => SpecError {
                span: Some(place.range()),
                ..SpecError::new(message)
            },
            Origin::Flag(flag) => SpecError {
                flag: Some(flag.into()),
                ..SpecError::new(message)
            },
            Origin::Set(nth) => SpecError {
                set: Some(nth),
                ..SpecError::new(message)
            },
        }
    }

    /// The same with a few words at its place.
    pub fn labelled(mut self, label: &'static str) -> SpecError {
        self.label = label;
        self
    }

    /// The same, marked as being about what is not there.
    pub(super) fn absence(mut self) -> SpecError {
        self.absence = true;
        self
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> SpecError {
        self.help = Some(help.into());
        self
    }

    /// The same with a second place.
    pub fn related(mut self, place: Place, label: impl Into<String>) -> SpecError {
        self.related = Some(Box::new(Related {
            span: place.range(),
            label: label.into(),
            set: place.set(),
        }));
        self
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.flag {
            Some(flag) => write!(f, "{flag}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// All that is wrong with a spec, in the order of its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecErrors(Vec<SpecError>);

impl From<Vec<SpecError>> for SpecErrors {
    fn from(errors: Vec<SpecError>) -> SpecErrors {
        SpecErrors(errors)
    }
}

impl From<SpecError> for SpecErrors {
    fn from(error: SpecError) -> SpecErrors {
        SpecErrors(vec![error])
    }
}

impl IntoIterator for SpecErrors {
    type Item = SpecError;
    type IntoIter = std::vec::IntoIter<SpecError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a SpecErrors {
    type Item = &'a SpecError;
    type IntoIter = std::slice::Iter<'a, SpecError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl std::ops::Deref for SpecErrors {
    type Target = [SpecError];

    fn deref(&self) -> &[SpecError] {
        &self.0
    }
}

/// One line for each, without places: those are shown by whoever has the text.
impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, error) in self.0.iter().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
            if let Some(help) = &error.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}

/// Puts errors in the order of their places; those without one come last.
pub fn sort(errors: &mut Vec<SpecError>) {
    errors.sort_by_key(|error| {
        error
            .span
            .as_ref()
            .map_or((usize::MAX, usize::MAX), |span| (span.start, span.end))
    });
    errors.dedup();
}

/// Line and column, both from 1 and the column in characters, of a byte of a text.
pub fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let end = (0..=byte.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// The nearest of `known` to `found`, when it is near enough to be what was meant.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths, and nothing near a name is several times its length.
    if found.len() > 64 {
        return None;
    }
    let allowed = 1 + found.chars().count() / 4;
    known
        .into_iter()
        .filter(|name| name.len() <= 64)
        .map(|name| (strsim::damerau_levenshtein(found, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A list of names as prose: `` `a`, `b` or `c` ``, cut when it is long.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 24;
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    match names.as_slice() {
        [] => "none".into(),
        [only] => only.clone(),
        many if many.len() > SHOWN => {
            format!(
                "{} and {} more",
                many[..SHOWN].join(", "),
                many.len() - SHOWN
            )
        }
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A piece of the user's text as a message can hold it: escaped, and cut when it is long.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let cut: String = text.chars().take(LONGEST).collect();
    let escaped = visible::line(&cut);
    if cut.len() < text.len() {
        format!("{escaped}...")
    } else {
        escaped.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_must_be_near() {
        assert_eq!(nearest("worker", ["workers", "time"]), Some("workers"));
        assert_eq!(nearest("wrokers", ["workers", "time"]), Some("workers"));
        assert_eq!(nearest("frobnicate", ["workers", "time"]), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), ["workers"]), None);
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "a: 1\nö: x\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 5), (2, 1));
        assert_eq!(line_and_column(text, 7), (2, 2));
        assert_eq!(line_and_column(text, 6), (2, 1));
        assert_eq!(line_and_column(text, 999), (3, 1));
    }

    #[test]
    fn what_is_shown_of_a_text_is_short_and_harmless() {
        assert_eq!(shown("a\u{1b}[31m"), "a\\u001b[31m");
        assert!(shown(&"ö".repeat(100_000)).len() < 200);
    }
}
