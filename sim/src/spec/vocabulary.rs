//! What messages say of the types that read a spec, and the words that are reserved.
//!
//! A type says itself what people call it, with `#[serde(rename = "a client")]`; one that has forms beside words adds an
//! example: `#[serde(rename = "an offset; write ...")]`. Its name in the schema is
//! another one: `#[schemars(rename = "Client")]`.
//!
//! A reserved word belongs to the language as it is designed, and this version does not build it yet. It is refused
//! with exactly these words, so that nobody looks for a spelling mistake in a correct spec.

/// Prefix of the variants that stand for a form instead of a word; no key of a spec starts like this.
const FORM: char = '$';
/// What stands between the noun of a type and its example.
const EXAMPLE: &str = "; ";

/// The variant of an enum that takes any scalar, such as the bare duration that stands for a constant.
pub const BARE: &str = "$bare";
/// The variant of an enum that takes any mapping.
pub const MAPPING: &str = "$mapping";

/// The variant of an enum that takes any list.
pub const LIST: &str = "$list";

/// Whether a variant is a word of the language and not a form.
pub fn is_word(variant: &str) -> bool {
    !variant.starts_with(FORM)
}

/// What people call the thing that a type reads: the name of the type for `serde`, up to its example.
pub fn noun(name: &str) -> &str {
    name.split_once(EXAMPLE).map_or(name, |(noun, _)| noun)
}

/// How a type that has forms beside words is written, for messages.
pub fn example(name: &str) -> Option<&str> {
    name.split_once(EXAMPLE).map(|(_, example)| example)
}

/// Whether a type says what people call it, and not only what Rust does.
pub fn has_noun(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a word that takes parameters may also stand without any.
pub fn may_stand_alone(word: &str) -> bool {
    matches!(word, "fair" | "shared" | "priority")
}

/// The reserved words where the type with this noun reads its keys or variants.
pub fn reserved(noun: &str) -> &'static [&'static str] {
    match noun {
        "a spec" => &["groups", "steps", "setup", "measure", "cleanup", "live"],
        "a client" => &["script", "groups", "steps", "setup", "measure", "cleanup"],
        "`session`" => &["script"],
        "a path step" => &["during"],
        "a service" => &["prefetch", "during"],
        _ => &[],
    }
}

/// Where a key stands now that once stood where the type with this noun reads its keys.
pub fn moved(noun: &str, key: &str) -> Option<&'static str> {
    match (noun, key) {
        ("`live`", "await") => Some(
            "write `await: {deliveries: 20, until: all}` beside `live`, and below `live` where they come: `delivery: {subject: \
             ..., by: ..., equals: ...}`",
        ),
        _ => None,
    }
}
