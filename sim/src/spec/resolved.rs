//! A spec written back with defaults and overrides in place.
//!
//! What is written reads and lowers to the same model as the spec it came from. The types of the syntax write it, with
//! the keys in the order in which they stand there, so that no key can be forgotten. Only specs that can be lowered are
//! worth writing.

use super::error::{Origin, Place};
use super::filled::filled;
use super::layout::{quoted, sections};
use super::syntax::Spec;

/// What tells editors where the schema of a spec is: beside it.
const MODELINE: &str = "# yaml-language-server: $schema=spec.schema.json";

/// The text of a spec, with defaults and overrides in place. Its first line tells editors that its schema is in the
/// file `spec.schema.json` beside it.
pub fn resolved(spec: &Spec) -> String {
    format!("{MODELINE}\n{}", sections(&filled(spec)))
}

/// A resolved spec's text with other paths in place of those of the files it refers to.
///
/// `path` is asked for each of them; what it does not know stays as it is.
pub fn with_paths(resolved: &str, path: impl Fn(&str) -> Option<String>) -> String {
    let Ok(spec) = super::read(resolved) else {
        return resolved.to_owned();
    };
    let mut text = resolved.to_owned();
    let mut places: Vec<(Place, String)> = super::lower::wanted_files(&spec)
        .into_iter()
        .filter_map(|written| match written.origin {
            Origin::Text(place) => Some((place, quoted(&path(&written.value)?))),
            Origin::Flag(_) | Origin::Set(_) | Origin::Default => None,
        })
        .collect();
    // From the end, so that the places before stay where they are.
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    places.dedup_by_key(|(place, _)| *place);
    for (place, path) in places {
        text.replace_range(place.range(), &path);
    }
    text
}
