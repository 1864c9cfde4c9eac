//! What came from outside as people may see it: a spec, a server, metadata of a stream, a manifest or a result may hold
//! characters that steer a terminal, turn the order of what stands beside them or cannot be seen.
//!
//! Whatever is printed goes through here, on stdout and on stderr, and so has to whatever else is shown. Such a
//! character is written as JSON and YAML write it (`\u001b`), so that a JSON document says the same as before.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character steers a terminal, turns the order of others or cannot be seen: control characters, the ends of
/// lines and paragraphs of Unicode, and what it has shown as nothing (`Default_Ignorable_Code_Point` of Unicode 16, and
/// the interlinear marks).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A piece of one line: nothing in it can end the line.
pub fn line(text: &str) -> Cow<'_, str> {
    filtered(text, |_, _| false)
}

/// Several lines: their ends and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    filtered(text, |c, next| match c {
        '\n' | '\t' => true,
        '\r' => next == Some('\n'),
        _ => false,
    })
}

fn filtered(text: &str, stays: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if !is_hidden(c) || stays(c, rest.peek().copied()) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind: C0, DEL, C1, a mark and an override of direction, isolates, nothing wide, a tag, the order of bytes.
    const HOSTILE: &str =
        "a\u{1b}[31m\u{7}\u{7f}\u{9b}2J\u{200f}\u{202e}\u{2066}\u{200b}\u{ad}\u{e0041}\u{feff}b";

    #[test]
    fn nothing_hidden_is_left() {
        let shown = line(HOSTILE);
        assert_eq!(
            shown,
            "a\\u001b[31m\\u0007\\u007f\\u009b2J\\u200f\\u202e\\u2066\\u200b\\u00ad\\udb40\\udc41\\ufeffb"
        );
        assert!(!shown.chars().any(is_hidden));
        assert_eq!(
            line("a\r\nPASS\t\u{2028}"),
            "a\\u000d\\u000aPASS\\u0009\\u2028"
        );
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\tb\r\nc\rd\n\u{1b}"), "a\tb\r\nc\\u000dd\n\\u001b");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "",
            "orders",
            "Größe 8 µs ± 0.2",
            "日本語 العربية हिन्दी",
            "e\u{301} \u{a0} 🚀",
        ] {
            assert!(
                matches!(line(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn a_json_document_says_the_same() {
        let value = serde_json::json!({"server_version": HOSTILE, "lines": ["a\nb\t", "\u{85}"]});
        let document = serde_json::to_string_pretty(&value).expect("it can be written");
        let shown = lines(&document);
        assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n'), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
        assert_eq!(read, value);
    }
}
