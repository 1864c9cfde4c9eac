//! The page docs/reference/keys.md: the schema's words with the examples that run.

use std::fmt::Write as _;

use super::schema::{self, Definition, Key};
use super::{BASE, Example};

const HEAD: &str = "\
# Keys of a spec

Every key of a spec and every word that a key accepts. This page is made from the JSON Schema `specs/spec.schema.json`
and from the examples of the tests by `BLIS_BLESS=1 cargo test -p blis-sim --test keys`; [the spec
language](spec-language.md) says what belongs together and why.

Each example is a value for `--set`, or several joined by `&`, and runs in the tests on the spec below: the result of
the simulation with it differs from that without it, or with another value. Scalars are durations (`500ms`), rates
(`200/s`), counts (`10k`), shares (`0.1%`) and numbers (`0.8`); a Distribution stands for times where a duration is
meant, and for numbers elsewhere. Keys with a star are required.

";

/// The whole page.
pub fn page(examples: &[Example]) -> String {
    let mut page = String::from(HEAD);
    let _ = write!(page, "```yaml\n{BASE}```\n");
    let definitions = schema::definitions();
    for definition in &definitions {
        section(&mut page, definition, &definitions, examples);
    }
    page
}

fn section(page: &mut String, of: &Definition, all: &[Definition], examples: &[Example]) {
    let _ = write!(page, "\n## {}\n\n{}\n\n", of.name, of.describes);
    page.push_str("| key or word | value | meaning | example |\n|---|---|---|---|\n");
    for key in &of.keys {
        let example = examples.iter().find(|example| example.key == key.name());
        let shown = example.map_or_else(String::new, |example| shown(key, example));
        let star = if key.required { " *" } else { "" };
        let _ = writeln!(
            page,
            "| `{}`{star} | {} | {} | {shown} |",
            key.word,
            linked(&key.value, all),
            key.describes.replace('\n', " "),
        );
    }
}

/// The values of an example, the ones that are about the key last, so that they are found at the end of the line.
fn shown(key: &Key, example: &Example) -> String {
    let (about, other): (Vec<&String>, Vec<&String>) =
        example.with.iter().partition(|set| set.contains(&key.word));
    let sets = other.into_iter().chain(about);
    let sets: Vec<String> = sets.map(|set| format!("`{set}`")).collect();
    sets.join(" & ")
}

/// A value's name, as a link where it has a section.
fn linked(value: &str, all: &[Definition]) -> String {
    let words: Vec<String> = value
        .split(' ')
        .map(
            |word| match all.iter().any(|definition| definition.name == word) {
                true => format!("[{word}](#{})", word.to_lowercase()),
                false => word.to_owned(),
            },
        )
        .collect();
    words.join(" ")
}
