//! Specs with a few of their tokens or lines changed: near enough to the language to get deep into its reading.

use blis_sim::random::Draw;

/// Values at the edges of what the language accepts, and beyond.
const EDGES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "1e999",
    ".nan",
    ".inf",
    "~",
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "\"\"",
    "''",
    "0s",
    "1ns",
    "1ms",
    "100h",
    "876000h",
    "876001h",
    "0/s",
    "1/s",
    "1k/s",
    "100M/s",
    "1/h",
    "0%",
    "100%",
    "101%",
    "10k",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1e-15",
    "reply",
    "{fail: rejected}",
    "{fail: app_error}",
    "{delay: 0s}",
    "{visit: api}",
    "{exponential: {mean: 1ms}}",
    "{uniform: {min: 1ms, max: 2ms}}",
    "{empirical: {values: [1ms, 1s]}}",
    "{lognormal: {median: 1ms, p95: 1s}}",
    "{hyperexponential: {mean: 1ms, cv: 9}}",
    "{constant: 0s}",
    "shared",
    "random",
    "least_loaded",
    "leave",
    "abandon",
    "constant",
    "poisson",
    "{gamma: {cv: 3}}",
    "&a 1",
    "*a",
    "<<: 1",
    "!!str x",
    "---",
    "...",
    "#",
    "?",
    "\"a\\nb\"",
    "\"*\"",
    "\"a.>\"",
    "\"$JS.API.STREAM.PURGE.A\"",
    "\"a b\"",
    "\"{room}\"",
    "DEL",
    "STREAM.PURGE",
    "\u{0}",
    "\u{feff}",
    "ö",
    "\t",
];

/// What mutation takes its pieces from.
pub struct Pool {
    specs: Vec<Vec<String>>,
    /// Every token of every spec.
    tokens: Vec<String>,
    /// Every line of every spec.
    lines: Vec<String>,
}

impl Pool {
    /// The pieces of these specs.
    pub fn new(texts: Vec<String>) -> Pool {
        let texts: Vec<String> = texts.iter().map(|text| uncommented(text)).collect();
        let specs: Vec<Vec<String>> = texts.iter().map(|text| tokens(text)).collect();
        let mut distinct: Vec<String> = specs.concat();
        distinct.sort();
        distinct.dedup();
        distinct.retain(|token| !token.trim().is_empty());
        Pool {
            specs,
            tokens: distinct,
            lines: texts
                .iter()
                .flat_map(|text| text.lines().map(|line| format!("{line}\n")))
                .collect(),
        }
    }
}

/// Changes in comments change nothing.
fn uncommented(text: &str) -> String {
    let code = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        (!line.is_empty() && !line.starts_with('#')).then(|| format!("{line}\n"))
    };
    text.lines().filter_map(code).collect()
}

/// Words, single marks, and runs of blanks.
fn tokens(text: &str) -> Vec<String> {
    let kind = |c: char| match c {
        ' ' => 0,
        c if c.is_alphanumeric() || "_.%/-".contains(c) => 1,
        _ => 2,
    };
    let mut tokens: Vec<String> = Vec::new();
    let mut last = 2;
    for c in text.chars() {
        let this = kind(c);
        match tokens.last_mut() {
            Some(token) if this == last && this != 2 => token.push(c),
            _ => tokens.push(c.to_string()),
        }
        last = this;
    }
    tokens
}

fn pick<'a, T>(from: &'a [T], draw: &mut Draw) -> &'a T {
    &from[draw.below(from.len() as u64) as usize]
}

/// One of the specs with one to three changes.
pub fn mutated(pool: &Pool, draw: &mut Draw) -> String {
    let mut spec = pick(&pool.specs, draw).clone();
    for _ in 0..1 + draw.below(3) {
        change(&mut spec, pool, draw);
        if spec.is_empty() {
            break;
        }
    }
    spec.concat()
}

/// A `--set` that may well mean something in a spec: a way of words that stand in some spec, and a value.
pub fn assignment(pool: &Pool, draw: &mut Draw) -> String {
    let words: Vec<&str> = (0..1 + draw.below(4))
        .map(|_| match draw.below(8) {
            0 => "0",
            1 => "1",
            2 => *pick(&["run", "clients", "actions", "services"], draw),
            _ => pick::<String>(&pool.tokens, draw),
        })
        .collect();
    let value: &str = match draw.below(2) {
        0 => pick::<&str>(EDGES, draw),
        _ => pick::<String>(&pool.tokens, draw),
    };
    format!("{}={value}", words.join("."))
}

fn change(spec: &mut Vec<String>, pool: &Pool, draw: &mut Draw) {
    let at = draw.below(spec.len() as u64) as usize;
    match draw.below(20) {
        0 => {
            spec.remove(at);
        }
        1 => spec.insert(at, spec[at].clone()),
        2 => {
            let other = draw.below(spec.len() as u64) as usize;
            spec.swap(at, other);
        }
        3 => spec.insert(at, pick(&pool.tokens, draw).clone()),
        4 | 5 => replace_word(spec, at, |_| (*pick(EDGES, draw)).to_owned()),
        6 => replace_word(spec, at, |_| pick(&pool.tokens, draw).clone()),
        7 => {
            let (start, end) = line(spec, at);
            spec.drain(start..end);
        }
        8 => {
            let (start, _) = line(spec, at);
            spec.insert(start, pick(&pool.lines, draw).clone());
        }
        9 | 10 => replace_word(spec, at, |word| alike(word, pool, draw)),
        _ => {
            let is_quantity = |token: &String| token.starts_with(|c: char| c.is_ascii_digit());
            let at = spec[at..]
                .iter()
                .position(is_quantity)
                .map_or(0, |after| at + after);
            replace_word(spec, at, |word| alike(word, pool, draw));
        }
    }
}

/// Another word of the same sort, so that a spec may well stay one.
fn alike(word: &str, pool: &Pool, draw: &mut Draw) -> String {
    for _ in 0..50 {
        let other: &str = match draw.below(4) {
            0 => pick::<&str>(EDGES, draw),
            _ => pick::<String>(&pool.tokens, draw),
        };
        if other != word && sort(other) == sort(word) {
            return other.to_owned();
        }
    }
    word.to_owned()
}

/// What a word is by its looks.
#[derive(PartialEq)]
enum Sort {
    Rate,
    Share,
    Duration,
    Number,
    Word,
    Other,
}

fn sort(word: &str) -> Sort {
    let first = word.chars().next().unwrap_or(' ');
    match word.chars().next_back().unwrap_or(' ') {
        _ if first.is_ascii_alphabetic() => Sort::Word,
        _ if !first.is_ascii_digit() => Sort::Other,
        _ if word.contains('/') => Sort::Rate,
        '%' => Sort::Share,
        's' | 'm' | 'h' => Sort::Duration,
        _ => Sort::Number,
    }
}

/// Replaces the first word at or after a position: marks and blanks are what holds a spec together.
fn replace_word(spec: &mut [String], at: usize, mut by: impl FnMut(&str) -> String) {
    let is_word = |token: &&mut String| token.starts_with(|c: char| c.is_alphanumeric());
    if let Some(word) = spec[at..].iter_mut().find(is_word) {
        *word = by(word);
    }
}

/// The tokens of the line that holds a token.
fn line(spec: &[String], at: usize) -> (usize, usize) {
    let ends = |token: &String| token.ends_with('\n');
    let start = spec[..at].iter().rposition(ends).map_or(0, |end| end + 1);
    let end = spec[at..]
        .iter()
        .position(ends)
        .map_or(spec.len(), |end| at + end + 1);
    (start, end)
}
