//! Reports as Markdown: CommonMark with the tables of GitHub.
//!
//! Whatever a report says, a name with punctuation in it included, is shown as it is and never read as markup.

use blis_sim::visible;

use super::parts::{Block, Fact, GAP, Report, Section};
use super::table::Table;

/// The report as a Markdown document.
pub fn markdown(report: &Report) -> String {
    let mut document = format!("# {}\n", literal(&report.title));
    let sections = report.sections.iter();
    for section in sections.filter(|section| section.has_words()) {
        add(&mut document, section);
    }
    document
}

/// Adds a section. Blocks are apart by a blank line, except lists, which go on.
fn add(document: &mut String, section: &Section) {
    if let Some(heading) = section.heading {
        document.push_str(&format!("\n## {}\n", literal(heading)));
    }
    for part in &section.blocks {
        let written = block(part);
        if written.is_empty() {
            continue;
        }
        let last = document.lines().next_back().unwrap_or_default();
        let goes_on = written.starts_with("- ") && last.trim_start().starts_with("- ");
        if !goes_on {
            document.push('\n');
        }
        document.push_str(&written);
    }
}

fn block(block: &Block) -> String {
    match block {
        Block::Lines(lines) => {
            let paragraphs: Vec<String> = lines.iter().map(|line| literal(line) + "\n").collect();
            paragraphs.join("\n")
        }
        Block::Notes(notes) => notes
            .iter()
            .map(|note| format!("- {}\n", literal(note)))
            .collect(),
        Block::Facts(facts) => facts.iter().map(fact).collect(),
        Block::Table(table) => pipes(table),
        Block::Code { language, text } => {
            let text = &visible::lines(text);
            let fence = fence(text);
            format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
        }
        Block::Verdict { said, .. } => self::block(said),
        Block::Answer { facts, .. } => facts.iter().map(fact).collect(),
        Block::OnPage(_) => String::new(),
    }
}

fn fact(fact: &Fact) -> String {
    let mut lines = fact.lines.iter();
    let first = lines.next().map_or(String::new(), |line| literal(line));
    let mut item = format!("- **{}**: {first}\n", literal(fact.label));
    for line in lines {
        item.push_str(&format!("  - {}\n", literal(line)));
    }
    item
}

/// The first column is aligned to the left and the others to the right.
fn pipes(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| literal(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let Some((headings, rows)) = table.rows().split_first() else {
        return String::new();
    };
    let rule: Vec<&str> = (0..headings.len())
        .map(|column| if column == 0 { "---" } else { "---:" })
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}| {} |\n{rows}", line(headings), rule.join(" | "))
}

/// A fence longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

/// The text with whatever could be read as markup escaped, and figures apart by commas.
fn literal(text: &str) -> String {
    let text = visible::line(text.trim());
    let figures = text.split(GAP).map(str::trim);
    let figures: Vec<&str> = figures.filter(|figure| !figure.is_empty()).collect();
    let text = &figures.join(", ");
    let mut literal = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' => true,
            // Within a word it is none.
            '_' => !(before.is_alphanumeric() && rest.peek().is_some_and(|c| c.is_alphanumeric())),
            // At the start of a line these make a list or a rule, a number with a dot or bracket too.
            '-' | '+' | '=' => literal.is_empty(),
            '.' | ')' => {
                let number = literal.bytes().all(|byte| byte.is_ascii_digit());
                !literal.is_empty() && number && rest.peek().is_none_or(|c| c.is_whitespace())
            }
            _ => false,
        };
        if markup {
            literal.push('\\');
        }
        literal.push(c);
        before = c;
    }
    literal
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    /// Texts that would be read as markup, were they not escaped.
    const HOSTILE: &[&str] = &[
        "plain",
        "timed_out",
        "_a_ __b__ *c* **d** ~~e~~",
        "a|b||c\\|d",
        "`code` ``` [x](y) ![z](y) <b> &amp; http://x.test",
        "# heading",
        "## h #",
        "- item",
        "+ item",
        "1. item",
        "313.8 requests/s",
        "7.",
        "12) item",
        "> quote",
        "---",
        "===",
        "\\",
        "N* of 3*4",
        "a_b _c d_ e__f",
    ];

    /// What a reader sees of a document: the texts of its headings, paragraphs, items and cells.
    fn seen(document: &str) -> Vec<String> {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let mut seen = vec![String::new()];
        for event in Parser::new_ext(document, options) {
            match event {
                Event::Text(text) => seen.last_mut().expect("one").push_str(&text),
                Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => {}
                Event::Start(Tag::CodeBlock(_)) | Event::Start(_) | Event::End(_) => {
                    seen.push(String::new());
                }
                other => panic!("{other:?} in\n{document}"),
            }
        }
        seen.retain(|text| !text.is_empty());
        seen
    }

    #[test]
    fn figures_that_stand_in_columns_are_apart_by_one_comma() {
        assert_eq!(
            literal("       0.32 ms       0.58 ms         -"),
            "0.32 ms, 0.58 ms, -"
        );
    }

    #[test]
    fn nothing_that_a_report_says_is_read_as_markup() {
        for &hostile in HOSTILE {
            let mut table = Table::new(&[hostile, "figure"]);
            table.row([hostile.to_owned(), hostile.to_owned()]);
            let mut fact = Fact::new("label", hostile);
            fact.add(hostile);
            let report = Report {
                title: hostile.to_owned(),
                sections: vec![
                    Section::of([Block::Lines(vec![hostile.to_owned(); 2])]).headed("heading"),
                    Section::of([Block::Table(table), Block::Notes(vec![hostile.to_owned()])]),
                    Section::fact(fact),
                    Section::of([Block::Code {
                        language: "yaml",
                        text: format!("{hostile}\n```\nend\n"),
                    }]),
                ],
            };
            let label = format!("label: {hostile}");
            let code = format!("{hostile}\n```\nend\n");
            let expected = [
                hostile, "heading", hostile, hostile, hostile, "figure", hostile, hostile, hostile,
                &label, hostile, &code,
            ];
            assert_eq!(seen(&markdown(&report)), expected, "{}", markdown(&report));
        }
    }

    #[test]
    fn figures_are_not_escaped() {
        for plain in [
            "313.8 requests/s",
            "timed_out",
            "24.4 %",
            "M/M/4//50 (N = 50)",
        ] {
            assert_eq!(literal(plain), plain);
        }
        assert_eq!(literal("mean 1 ms   p50 2 ms"), "mean 1 ms, p50 2 ms");
    }

    #[test]
    fn sections_without_blocks_leave_nothing() {
        let report = Report {
            title: "t".to_owned(),
            sections: vec![
                Section::empty().headed("none"),
                Section::of([Block::Notes(Vec::new())]),
                Section::fact(Fact::new("a", "b")),
                Section::fact(Fact::new("c", "d")),
            ],
        };
        assert_eq!(markdown(&report), "# t\n\n- **a**: b\n- **c**: d\n");
    }
}
