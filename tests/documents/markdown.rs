//! What the documents are made of, as far as it is checked: code blocks, headings, links and inline code.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A code block.
pub struct Block {
    /// The line that it starts on, from 1.
    pub line: usize,
    /// What follows the fence; `None` when the block is indented instead of fenced.
    pub info: Option<String>,
    /// Where its text stands in the document.
    pub body: Range<usize>,
}

fn events(source: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(source, Options::ENABLE_TABLES).into_offset_iter()
}

/// The code blocks of a document.
pub fn blocks(source: &str) -> Vec<Block> {
    let mut found = Vec::new();
    for (event, range) in events(source) {
        let Event::Start(Tag::CodeBlock(kind)) = event else {
            continue;
        };
        let line = source[..range.start].matches('\n').count() + 1;
        let text = &source[range.clone()];
        let start = range.start + text.find('\n').map_or(text.len(), |end| end + 1);
        let end = range.start
            + text
                .trim_end()
                .rfind('\n')
                .map_or(text.len(), |end| end + 1);
        // A block in a list would have its indentation in its text.
        let at_margin = range.start == 0 || source.as_bytes()[range.start - 1] == b'\n';
        let info = match kind {
            CodeBlockKind::Fenced(info) if at_margin => Some(info.trim().to_owned()),
            _ => None,
        };
        found.push(Block {
            line,
            info,
            body: start.min(end)..end,
        });
    }
    found
}

/// The targets of links and images.
pub fn links(source: &str) -> Vec<String> {
    let links = events(source).filter_map(|(event, _)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    });
    links.collect()
}

/// The texts in inline code.
pub fn inline_code(source: &str) -> Vec<String> {
    let code = events(source).filter_map(|(event, _)| match event {
        Event::Code(text) => Some(text.into_string()),
        _ => None,
    });
    code.collect()
}

/// The words in inline code.
pub fn code_words(source: &str) -> BTreeSet<String> {
    let split = |text: String| -> Vec<String> {
        text.split(|c: char| !(c.is_alphanumeric() || "_-/.".contains(c)))
            .flat_map(|word| [word, word.trim_matches('.')])
            .chain(text.split(|c: char| !(c.is_alphanumeric() || c == '_')))
            .map(str::to_owned)
            .collect()
    };
    inline_code(source).into_iter().flat_map(split).collect()
}

/// The anchors of the headings, made as GitHub makes them.
pub fn anchors(source: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for (event, _) in events(source) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => {
                anchors.extend(heading.take().map(|text| anchor(&text)));
            }
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
            _ => {}
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
