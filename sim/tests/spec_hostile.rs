//! Texts that mean harm are refused: no panic, no exhausted stack or memory, a handful of errors, in bounded time.

#[path = "hostile/survives.rs"]
mod survives;

use blis_sim::spec::{self, SpecErrors, error::MAX_ERRORS};
use proptest::prelude::*;
use survives::survives;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

fn refused(text: &str) -> SpecErrors {
    let errors = spec::read(text).expect_err("the text is refused");
    assert!(
        !errors.is_empty() && errors.len() <= MAX_ERRORS,
        "{} errors",
        errors.len()
    );
    errors
}

fn message(text: &str) -> String {
    refused(text)[0].message.clone()
}

#[test]
fn a_huge_text_is_refused_unread() {
    let text = "#".repeat(100_000_000);
    assert_eq!(message(&text), "the spec has 100000000 bytes");
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "the spec is nested too deeply";
    assert_eq!(message(&"- ".repeat(100_000)), deep);
    assert_eq!(message(&"[".repeat(100_000)), deep);
    assert_eq!(message(&"{a: ".repeat(100_000)), deep);
    let steps: String = (0..1_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert_eq!(message(&steps), deep);
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert_eq!(message(&bomb), "the spec has too many values");
    // Few values, but long ones.
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(500_000),
        ["*a"; 900].join(", ")
    );
    assert_eq!(
        message(&long),
        "the values of the spec are too long in total"
    );
    let anchors: String = (0..2_000).map(|n| format!("- &a{n} x\n")).collect();
    assert_eq!(message(&anchors), "the spec has too many aliases");
}

#[test]
fn more_than_one_document_is_refused() {
    assert_eq!(
        message(&format!("{QUICKSTART}---\n{QUICKSTART}")),
        "a second document starts here"
    );
}

#[test]
fn what_is_not_text_is_refused() {
    let errors = spec::read_bytes(b"blis: 1\nname: \xff\xfe\n").expect_err("not UTF-8");
    assert_eq!(
        errors[0].message,
        "the spec is not UTF-8: byte 15 cannot be read"
    );
    assert!(message("name: a\0b\n").starts_with("this is not YAML"));
    assert_eq!(message(""), "expected a spec, found nothing");
    assert_eq!(message("# nothing\n"), "expected a spec, found nothing");
}

#[test]
fn a_hundred_thousand_mistakes_give_a_few_errors() {
    let unknown: String = (0..40_000).map(|n| format!("key{n}: 1\n")).collect();
    assert_eq!(refused(&unknown).len(), MAX_ERRORS);
    let duplicates = "a: 1\n".repeat(40_000);
    assert_eq!(refused(&duplicates).len(), MAX_ERRORS);
    let numbers: String = (0..40_000).map(|n| format!("  s{n}: {{}}\n")).collect();
    assert_eq!(refused(&format!("services:\n{numbers}")).len(), MAX_ERRORS);
}

#[test]
fn thousands_of_semantic_mistakes_give_a_few_errors() {
    let services: String = (0..10_000)
        .map(|n| format!("  s{n}: {{workers: 0, time: 1s}}\n"))
        .collect();
    let visits = "visit: nowhere, "
        .repeat(8_000)
        .replace("visit", "{visit")
        .replace(',', "},");
    let start = QUICKSTART.replace(
        "- visit: api",
        &format!("- branch: [{{weight: 1, path: [{visits}]}}]"),
    );
    let text = format!("{start}{services}");
    let spec = spec::read(&text).expect("the syntax is right");
    let errors = spec::lower(&spec).expect_err("the rest is not");
    assert_eq!(errors.len(), MAX_ERRORS);
}

#[test]
fn more_routes_than_can_be_walked_are_checked() {
    let branch =
        "{branch: [{weight: 1, path: []}, {weight: 1, path: [{delay: 0s}]}]}, ".repeat(2_000);
    let path = format!("path: [{branch}reply]");
    let text = QUICKSTART
        .replace("    path:                     # what happens to the request in the backend\n", &format!("    {path}\n"))
        .replace("      - visit: api            # wait for a worker, then be served\n", "")
        .replace("      - reply                 # the user has the answer\n", "")
        .replace("  requests: 5k                # the budget: so many requests in all\n", "")
        .replace("    think: {exponential: {mean: 500ms}}   # from an answer to the same user's next request\n", "");
    let spec = spec::read(&text).expect("the syntax is right");
    let errors = spec::lower(&spec).expect_err("a zero-time loop");
    assert!(
        errors[0].message.starts_with("zero-time loop"),
        "{}",
        errors[0]
    );
}

#[test]
fn long_words_do_not_make_long_messages() {
    let long = "x".repeat(500_000);
    for text in [
        format!("blis: {long}\n"),
        format!("? {long}\n: 1\n"),
        QUICKSTART.replace("do: ask", &format!("do: {long}")),
        QUICKSTART.replace("  api:", &format!("  ? {long}\n  :")),
    ] {
        let errors = spec::read(&text)
            .and_then(|spec| spec::lower(&spec))
            .expect_err("refused");
        for error in errors {
            assert!(error.message.len() < 300, "{}", error.message.len());
            assert!(error.help.is_none_or(|help| help.len() < 1_000));
        }
    }
}

/// Pieces of the language, for texts that come close to a spec.
const PIECES: &[&str] = &[
    "0",
    "1",
    "-1",
    "1e999",
    ".nan",
    "~",
    "",
    "500ms",
    "0s",
    "10k",
    "200/s",
    "1%",
    "ask",
    "api",
    "true",
    "[]",
    "{}",
    "{ask: 0}",
    "{exponential: {mean: 1ms}}",
    "{uniform: {min: 1ms, max: 1ms}}",
    "{empirical: {values: [1ms, 1s]}}",
    "[reply]",
    "- reply",
    "[{visit: api}, reply, {fail: rejected}]",
    "*a",
    "&a",
    "!!str",
    "\"",
    "'",
    ": ",
    "\n",
    "\n  ",
    "- ",
    "? ",
    "---\n",
    "#",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\t",
    "\u{0}",
    "\u{feff}",
    "ö",
    "<<: *a",
];

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(PIECES)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(errors) = spec::read_bytes(&bytes) {
            prop_assert!(!errors.is_empty());
        }
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn pieces_of_the_language_never_panic(pieces in proptest::collection::vec(piece(), 0..40)) {
        survives(&pieces.concat());
    }

    #[test]
    fn mutated_specs_never_panic(
        spec in proptest::sample::select(vec![
            QUICKSTART,
            include_str!("../../specs/mixed.yaml"),
            include_str!("../../specs/overload.yaml"),
            include_str!("../../specs/branches.yaml"),
        ]),
        mutations in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..12, piece()), 1..4),
    ) {
        let mut text: Vec<char> = spec.chars().collect();
        for (index, length, piece) in mutations {
            let at = index.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
            if text.is_empty() {
                return Ok(());
            }
        }
        survives(&text.into_iter().collect::<String>());
    }

    #[test]
    fn values_replaced_by_pieces_never_panic(
        spec in proptest::sample::select(vec![QUICKSTART, include_str!("../../specs/mixed.yaml")]),
        line in any::<prop::sample::Index>(),
        piece in piece(),
    ) {
        let mut lines: Vec<String> = spec.lines().filter(|line| !line.trim_start().starts_with('#')).map(String::from).collect();
        let at = line.index(lines.len());
        if let Some((key, _)) = lines[at].split_once(": ") {
            lines[at] = format!("{key}: {piece}");
        }
        survives(&lines.join("\n"));
    }
}
