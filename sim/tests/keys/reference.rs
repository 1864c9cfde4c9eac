//! The tables of keys in the reference: the schema's words with the examples that run.
//!
//! The page says with `<!-- keys: Client, Do -->` where the table of these types stands; it ends with `<!-- end -->`.
//! What is between is made here. Every type of the schema stands once.

use std::ops::Range;

use super::schema::{Definition, Key};
use super::{BASE, Example};

const KEYS: &str = "<!-- keys: ";
/// Where the spec stands that examples are set in.
const BASE_SPEC: &str = "<!-- base spec -->";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";
const FENCE: &str = "```";

/// A part of the page that is made.
struct Place<'a> {
    /// The number of its first marker's line, from 1.
    line: usize,
    /// The types whose table stands here; none for the base spec.
    types: Vec<&'a str>,
    /// The heading that it stands below, as links name it.
    anchor: String,
    /// The lines between its markers.
    lines: Range<usize>,
}

/// The page as it should be.
///
/// # Errors
/// Types that stand nowhere or twice, and markers that are wrong.
pub fn written(
    page: &str,
    definitions: &[Definition],
    examples: &[Example],
) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let places = places(page, &mut problems);
    check(&places, definitions, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let lines: Vec<&str> = page.split_inclusive('\n').collect();
    let mut written = String::new();
    let mut copied = 0;
    for place in &places {
        written.extend(lines[copied..place.lines.start].iter().copied());
        match place.types.is_empty() {
            true => written.push_str(&format!("{FENCE}yaml\n{BASE}{FENCE}\n")),
            false => written.push_str(&table(place, &places, definitions, examples)),
        }
        copied = place.lines.end;
    }
    written.extend(lines[copied..].iter().copied());
    Ok(written)
}

/// The places of the page, with what is wrong about their markers.
fn places<'a>(page: &'a str, problems: &mut Vec<String>) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    let mut open: Option<Place> = None;
    let mut anchor = String::new();
    let mut in_fence = false;
    for (at, line) in page.lines().enumerate() {
        let opens = match line.strip_prefix(KEYS) {
            Some(types) => Some(types.trim_end_matches(CLOSE).split(", ").collect()),
            None => (line == BASE_SPEC).then(Vec::new),
        };
        if opens.is_some() || line == END {
            match (open.take(), line == END) {
                (Some(place), true) => places.push(Place {
                    lines: place.line..at,
                    ..place
                }),
                (None, true) => problems.push(format!("line {}: {END} ends nothing", at + 1)),
                (Some(place), false) => problems.push(without_end(&place)),
                (None, false) => {}
            }
        }
        if let Some(types) = opens {
            open = Some(Place {
                line: at + 1,
                types,
                anchor: anchor.clone(),
                lines: 0..0,
            });
        } else if line.starts_with(FENCE) {
            in_fence = !in_fence;
        } else if line.starts_with('#') && !in_fence {
            anchor = anchor_of(line);
        }
    }
    problems.extend(open.iter().map(without_end));
    places
}

fn without_end(place: &Place) -> String {
    format!("line {}: {END} is missing", place.line)
}

/// The anchor of a heading, made as GitHub makes it.
fn anchor_of(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Every type stands once, and every marker is one of types.
fn check(places: &[Place], definitions: &[Definition], problems: &mut Vec<String>) {
    for place in places {
        for name in &place.types {
            if !definitions.iter().any(|known| known.name == *name) {
                problems.push(format!("line {}: there is no type {name}", place.line));
            }
        }
    }
    for Definition { name, .. } in definitions {
        let names = places.iter().flat_map(|place| &place.types);
        match names.filter(|known| *known == name).count() {
            1 => {}
            0 => problems.push(format!(
                "{name} has no table: write `{KEYS}{name}{CLOSE}` and `{END}` where it belongs"
            )),
            times => problems.push(format!("{name} stands {times} times")),
        }
    }
    let base = places.iter().filter(|place| place.types.is_empty());
    match base.count() {
        1 => {}
        times => problems.push(format!("{BASE_SPEC} stands {times} times")),
    }
}

/// The table of a place: for each type a row that says what it is, and rows of its keys and words in the order of
/// their examples.
fn table(
    place: &Place,
    places: &[Place],
    definitions: &[Definition],
    examples: &[Example],
) -> String {
    let linked = |value: &str| linked(value, places, definitions);
    let mut table =
        String::from("| key or word | value | meaning | example |\n|---|---|---|---|\n");
    let named = |name: &&str| definitions.iter().find(|known| known.name == *name);
    for definition in place.types.iter().filter_map(named) {
        table.push_str(&row([
            &format!("**{}**", definition.name),
            &linked(&definition.forms.join(" or ")),
            &definition.describes,
            "",
        ]));
        let example_of = |key: &Key| {
            let name = key.name();
            examples.iter().position(|example| example.key == name)
        };
        let mut keys: Vec<&Key> = definition.keys.iter().collect();
        keys.sort_by_key(|key| example_of(key));
        for key in keys {
            let example = example_of(key).map(|at| shown(key, &examples[at]));
            let star = if key.required { " *" } else { "" };
            table.push_str(&row([
                &format!("`{}`{star}", key.word),
                &linked(&key.value),
                &key.describes,
                &example.unwrap_or_default(),
            ]));
        }
    }
    table
}

fn row(cells: [&str; 4]) -> String {
    let cells = cells.map(|cell| match cell {
        "" => " |".to_owned(),
        cell => format!(" {} |", cell.replace('\n', " ")),
    });
    format!("|{}\n", cells.concat())
}

/// The values of an example, the ones that are about the key last, so that they are found at the end of the line.
fn shown(key: &Key, example: &Example) -> String {
    let (about, other): (Vec<&String>, Vec<&String>) =
        example.with.iter().partition(|set| set.contains(&key.word));
    let sets = other.into_iter().chain(about);
    let sets: Vec<String> = sets.map(|set| format!("`{set}`")).collect();
    sets.join(" & ")
}

/// A value's name, as a link to the section with its table where it is more than a scalar.
fn linked(value: &str, places: &[Place], definitions: &[Definition]) -> String {
    let link = |word: &str| {
        let mut known = definitions.iter().filter(|known| !known.is_scalar());
        let definition = known.find(|known| known.name == word)?;
        let place = places
            .iter()
            .find(|place| place.types.contains(&definition.name.as_str()))?;
        Some(format!("[{word}](#{})", place.anchor))
    };
    let words = value.split(' ');
    let words = words.map(|word| link(word).unwrap_or_else(|| word.to_owned()));
    words.collect::<Vec<_>>().join(" ")
}

mod tests {
    use std::fmt::Write as _;

    use super::super::schema;
    use super::*;

    /// A page with the base spec and tables of these types, each below a heading.
    fn page(tables: &[&[&str]]) -> String {
        let mut page = format!("# All\n\n{BASE_SPEC}\n{END}\n");
        for (number, types) in tables.iter().enumerate() {
            let types = types.join(", ");
            let _ = write!(
                page,
                "\n## Part {number}\n\n{KEYS}{types}{CLOSE}\nold\n{END}\n"
            );
        }
        page
    }

    fn refused(page: &str) -> String {
        match written(page, &schema::definitions(), &[]) {
            Ok(page) => panic!("accepted:\n{page}"),
            Err(problems) => problems.join("\n"),
        }
    }

    #[test]
    fn every_type_stands_once() {
        let definitions = schema::definitions();
        let names: Vec<&str> = definitions.iter().map(|of| of.name.as_str()).collect();
        let client = ["Client"];
        let mut others = names.clone();
        others.retain(|name| *name != "Client");

        let made = written(&page(&[&client, &others]), &definitions, &[]);
        let made = made.unwrap_or_else(|problems| panic!("{problems:?}"));
        for row in [
            "| `clients` * | [Client](#part-0) by name |",
            "| **Visit** | text or [VisitAs](#part-1) |",
            "| **Duration** | | A number with its unit,",
        ] {
            assert!(made.contains(row), "{row} is not in\n{made}");
        }
        assert!(!made.contains("\nold\n"), "{made}");

        assert_eq!(
            refused(&page(&[&others])),
            "Client has no table: write `<!-- keys: Client -->` and `<!-- end -->` where it belongs"
        );
        assert_eq!(refused(&page(&[&names, &client])), "Client stands 2 times");
        assert_eq!(
            refused(&page(&[&names, &["Cleint"]])),
            "line 14: there is no type Cleint"
        );
    }

    #[test]
    fn markers_come_in_pairs() {
        let definitions = schema::definitions();
        let names: Vec<&str> = definitions.iter().map(|of| of.name.as_str()).collect();
        let page = page(&[&names]);
        let without = |nth: usize| {
            let mut ends = 0;
            let lines = page.lines().filter(|line| {
                ends += usize::from(*line == END);
                *line != END || ends != nth
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        for (nth, line) in [(1, 3), (2, 8)] {
            let problems = refused(&without(nth));
            let missing = format!("line {line}: <!-- end --> is missing\n");
            assert!(problems.starts_with(&missing), "{problems}");
        }
        let twice = page.replace(END, &format!("{END}\n{END}"));
        let problems = refused(&twice);
        assert!(
            problems.starts_with("line 5: <!-- end --> ends nothing"),
            "{problems}"
        );
    }
}
