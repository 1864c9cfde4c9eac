//! The modules of the three crates use one another without circles, so that each can be read after what it stands on.
//!
//! A module that uses one of its own children is natural and does not count; a child that uses its parent does. An item that a
//! module hands on with `pub use` counts as one of the module that it comes from. Tests within the crates are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The folders of the crates.
const CRATES: [&str; 3] = ["src", "sim/src", "live/src"];

/// Circles that are known and not yet opened: the crate, and the modules of the circle in the order of the alphabet. The list may
/// only become shorter.
const KNOWN: &[(&str, &[&str])] = &[
    ("src", &["calibration::errors", "calibration::start"]),
    ("src", &["calibration::recordings", "calibration::sources"]),
    (
        "sim/src",
        &[
            "backend::output",
            "backend::outside::handed_in",
            "backend::outside::handed_out",
        ],
    ),
    (
        "sim/src",
        &[
            "backend::walk::fork",
            "backend::walk::frame",
            "backend::walk::jobs",
        ],
    ),
    (
        "sim/src",
        &[
            "calibration::explain",
            "calibration::goodness",
            "calibration::knowledge",
            "calibration::likelihood",
            "calibration::neighbours",
            "calibration::search",
        ],
    ),
    (
        "sim/src",
        &["calibration::least_squares", "calibration::structure"],
    ),
    (
        "sim/src",
        &["measure::batches", "measure::consumer", "measure::station"],
    ),
];

#[test]
fn modules_use_one_another_without_circles() {
    let mut wrong = Vec::new();
    for root in CRATES {
        let crate_ = Crate::read(root);
        let mut known: BTreeSet<Vec<&str>> = KNOWN
            .iter()
            .filter(|(of, _)| *of == root)
            .map(|(_, modules)| modules.to_vec())
            .collect();
        let uses = crate_.uses();
        for circle in circles(&uses) {
            if !known.remove(&circle) {
                wrong.push(format!(
                    "{root} has a circle of modules:\n{}\n  Move what they share into a module of its own, named by what it is.",
                    written(&circle, &uses)
                ));
            }
        }
        for gone in known {
            wrong.push(format!(
                "{root} no longer has the circle of {}; take it from KNOWN in tests/module_graph.rs",
                gone.join(", ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_circle_is_found_and_written_out() {
    let crate_ = Crate::of(&[
        ("", "mod a; mod b; mod c; mod d; mod e;"),
        (
            "a",
            "use crate::b::{B, /* not `d` */ Other as One}; fn f() { \"crate::d::D\"; }",
        ),
        ("b", "pub use c::C; mod c;"),
        (
            "b::c",
            "// use crate::a::No;\npub struct C<'a>(&'a super::super::d::D);",
        ),
        (
            "c",
            "use crate::b::C;\n#[cfg(test)]\nmod tests { use crate::d::D; }",
        ),
        (
            "d",
            "use crate::{e, c::{self, X}}; const QUOTE: char = '\"';",
        ),
        ("e", "use crate::a::A as Of;"),
    ]);
    let uses = crate_.uses();
    let found = circles(&uses);
    assert_eq!(found, [vec!["b::c", "c", "d"]]);
    assert_eq!(
        written(&found[0], &uses),
        "  b::c uses D of d\n  d uses X, c of c\n  c uses C of b::c"
    );
    // What a module hands on is of where it comes from, so that `a` stands on `b` alone.
    assert_eq!(uses["a"].keys().collect::<Vec<_>>(), [&"b"]);
    assert_eq!(uses["d"].keys().collect::<Vec<_>>(), [&"c", &"e"]);
}

/// What modules use of which others, by their names.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<&'a str>>>;

/// A module as it is written.
#[derive(Default)]
struct Module {
    /// The paths that it uses.
    paths: Vec<Vec<String>>,
    /// Where the names come from that it hands on.
    handed_on: BTreeMap<String, Vec<String>>,
    /// Its children that are tests.
    tests: Vec<String>,
}

/// The modules of a crate, by their paths; that of the root is empty.
struct Crate(BTreeMap<String, Module>);

impl Crate {
    fn read(root: &str) -> Crate {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut files = Vec::new();
        collect(&root, "", &mut files);
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        Crate::of(&files)
    }

    fn of(files: &[(&str, &str)]) -> Crate {
        let modules = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Module::read(text)));
        let mut modules: BTreeMap<String, Module> = modules.collect();
        let tests: Vec<String> = modules
            .iter()
            .flat_map(|(name, module)| module.tests.iter().map(move |test| child(name, test)))
            .collect();
        modules.retain(|name, _| !tests.iter().any(|test| is_within(name, test)));
        Crate(modules)
    }

    /// The module that a path of `from` leads to, by way of what modules hand on.
    fn target(&self, from: &str, path: &[String], steps: usize) -> Option<&str> {
        let mut base: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" | "super" => {
                while let Some("self" | "super") = rest.first().map(String::as_str) {
                    if rest[0] == "super" {
                        base.pop();
                    }
                    rest = &rest[1..];
                }
            }
            first if self.0.contains_key(&child(from, first)) => {}
            _ => return None,
        }
        let full: Vec<&str> = base
            .into_iter()
            .chain(rest.iter().map(String::as_str))
            .collect();
        let known = |length: &usize| self.0.contains_key(&full[..*length].join("::"));
        let length = (0..=full.len()).rev().find(known)?;
        let (name, module) = self.0.get_key_value(&full[..length].join("::"))?;
        let handed_on = full
            .get(length)
            .and_then(|item| module.handed_on.get(*item))
            .filter(|_| steps < 8);
        handed_on
            .and_then(|path| self.target(name, path, steps + 1))
            .or(Some(name))
    }

    fn uses(&self) -> Uses<'_> {
        let mut uses: Uses<'_> = BTreeMap::new();
        for (name, module) in &self.0 {
            let mut of_module: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for path in &module.paths {
                if let Some(target) = self.target(name, path, 0)
                    && !is_within(target, name)
                {
                    let item = path.last().map_or("", String::as_str);
                    of_module.entry(target).or_default().insert(item);
                }
            }
            uses.insert(name, of_module);
        }
        uses
    }
}

/// The source files below a folder, by the paths of their modules.
fn collect(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).expect("a folder of sources");
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.expect("a name in UTF-8");
        if path.is_dir() {
            collect(&path, &child(name, stem), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = match stem {
                "mod" | "lib" | "main" => name.to_owned(),
                _ => child(name, stem),
            };
            files.push((module, fs::read_to_string(&path).expect("a source file")));
        }
    }
}

fn child(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        _ => format!("{parent}::{name}"),
    }
}

/// Whether a module is another one, or below it.
fn is_within(module: &str, other: &str) -> bool {
    let rest = module.strip_prefix(other);
    rest.is_some_and(|rest| other.is_empty() || rest.is_empty() || rest.starts_with("::"))
}

/// A word or a sign of a source text; `::` is one sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Sign(&'a str),
}

/// The tokens of a text, without comments, texts and characters.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = quoted(rest) {
            length
        } else if is_of_word(first) {
            // A raw name such as `r#use` is no keyword.
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let length = rest[raw..].find(|c| !is_of_word(c));
            let length = length.map_or(rest.len(), |length| raw + length);
            found.push(Token::Word(&rest[..length]));
            length
        } else {
            let length = if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token::Sign(&rest[..length]));
            length
        };
        rest = &rest[length..];
    }
    found
}

/// The length of the text or the character that begins here, if one does.
fn quoted(rest: &str) -> Option<usize> {
    if let Some(raw) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inside = raw[hashes..].strip_prefix('"');
        if let Some(inside) = inside {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
            return Some(rest.len() - inside.len() + length);
        }
        return None;
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut inside = rest.char_indices().skip(1);
    let (_, next) = inside.next()?;
    if quote == '\'' && next != '\\' && !rest[1 + next.len_utf8()..].starts_with('\'') {
        // A lifetime: its quote alone.
        return Some(1);
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some(at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    Some(rest.len())
}

impl Module {
    fn read(text: &str) -> Module {
        const TESTS: [Token<'_>; 8] = [
            Token::Sign("#"),
            Token::Sign("["),
            Token::Word("cfg"),
            Token::Sign("("),
            Token::Word("test"),
            Token::Sign(")"),
            Token::Sign("]"),
            Token::Word("mod"),
        ];
        let tokens = tokens(text);
        let mut module = Module::default();
        let mut at = 0;
        let mut is_public = false;
        while at < tokens.len() {
            if tokens[at..].starts_with(&TESTS) {
                at += TESTS.len();
                if let Some(Token::Word(name)) = tokens.get(at) {
                    module.tests.push((*name).to_owned());
                }
                at = after_block(&tokens, at + 1);
                continue;
            }
            match tokens[at] {
                Token::Word("use") => {
                    let mut names = Vec::new();
                    at = tree(&tokens, at + 1, Vec::new(), &mut names);
                    for (path, name) in names {
                        if is_public {
                            module.handed_on.insert(name, path.clone());
                        }
                        module.paths.push(path);
                    }
                    is_public = false;
                }
                Token::Word("crate" | "super")
                    if tokens.get(at + 1) == Some(&Token::Sign("::")) =>
                {
                    let mut path = Vec::new();
                    while let Some(Token::Word(word)) = tokens.get(at) {
                        path.push((*word).to_owned());
                        at += 1;
                        if tokens.get(at) != Some(&Token::Sign("::")) {
                            break;
                        }
                        at += 1;
                    }
                    module.paths.push(path);
                    continue;
                }
                Token::Word("pub") => is_public = true,
                // `pub(crate)` and `pub(super)` are followed by what they are about.
                Token::Sign("(" | ")") | Token::Word("crate" | "super") => {}
                _ => is_public = false,
            }
            at += 1;
        }
        module
    }
}

/// The place after a block in braces, or after the semicolon that stands in its place.
fn after_block(tokens: &[Token<'_>], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Sign("{") => depth += 1,
            Token::Sign("}") => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    at
}

/// Reads what stands behind `use`: every path with the name that it gets here. Gives the place behind it.
fn tree(
    tokens: &[Token<'_>],
    mut at: usize,
    mut path: Vec<String>,
    names: &mut Vec<(Vec<String>, String)>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Sign("{") => {
                at += 1;
                while tokens
                    .get(at)
                    .is_some_and(|token| *token != Token::Sign("}"))
                {
                    at = tree(tokens, at, path.clone(), names);
                    at += usize::from(tokens.get(at) == Some(&Token::Sign(",")));
                }
                return at + 1;
            }
            Token::Word("as") => {
                if let Some(Token::Word(name)) = tokens.get(at + 1) {
                    names.push((path, (*name).to_owned()));
                }
                return at + 2;
            }
            Token::Word("self") if !path.is_empty() => {}
            Token::Word(word) => path.push((*word).to_owned()),
            Token::Sign("::") => {}
            Token::Sign("*") => {}
            Token::Sign(_) => break,
        }
        at += 1;
    }
    let name = path.last().cloned().unwrap_or_default();
    names.push((path, name));
    at
}

/// The largest sets of modules that all lead to one another, each in the order of the alphabet.
fn circles<'a>(uses: &Uses<'a>) -> Vec<Vec<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses
        .keys()
        .map(|&module| (module, reachable(module, uses)))
        .collect();
    let circles = uses.keys().map(|&module| {
        let both = reached[module].iter().copied();
        both.filter(|other| reached.get(other).is_some_and(|back| back.contains(module)))
            .collect::<Vec<&str>>()
    });
    let circles: BTreeSet<Vec<&str>> = circles.filter(|circle| circle.len() > 1).collect();
    circles.into_iter().collect()
}

fn reachable<'a>(from: &'a str, uses: &Uses<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for &next in uses.get(module).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

/// A shortest circle within these modules, a line for each of its steps.
fn written(circle: &[&str], uses: &Uses<'_>) -> String {
    let start = circle[0];
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(module) = open.pop_front() {
        for &next in uses[module].keys().filter(|next| circle.contains(next)) {
            if !before.contains_key(next) {
                before.insert(next, module);
                open.push_back(next);
            }
        }
    }
    let mut lines = Vec::new();
    let mut module = start;
    while lines.is_empty() || module != start {
        let from = before[module];
        let items: Vec<&str> = uses[from][module].iter().copied().collect();
        lines.push(format!("  {from} uses {} of {module}", items.join(", ")));
        module = from;
    }
    lines.reverse();
    lines.join("\n")
}
