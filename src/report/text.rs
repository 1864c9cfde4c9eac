//! Reports as text for a terminal: labels and columns aligned by blanks.

use std::borrow::Cow;
use std::fmt::Write as _;

use blis_sim::visible;

use super::parts::{Block, Fact, Report};
use super::table::Table;

/// What facts, tables and notes start with.
const INDENT: &str = "  ";
/// The width of the labels of facts, the blanks behind them included.
const LABEL: usize = 12;

/// The report as text.
pub fn text(report: &Report) -> String {
    let sections = report.sections.iter().filter(|section| section.has_words());
    let written = sections.map(|section| {
        let heading = section.heading.map(|heading| format!("{heading}\n"));
        let blocks = section.blocks.iter().map(block);
        heading.into_iter().chain(blocks).collect::<String>()
    });
    written.collect::<Vec<_>>().join("\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Lines(lines) => lines
            .iter()
            .map(|line| format!("{}\n", visible::line(line)))
            .collect(),
        Block::Notes(notes) => notes
            .iter()
            .map(|note| format!("{INDENT}{}\n", visible::line(note)))
            .collect(),
        Block::Facts(facts) => facts.iter().map(fact).collect(),
        Block::Table(table) => aligned(table),
        Block::Code { text, .. } => format!("{}\n", visible::lines(text.trim_end())),
        Block::Verdict { said, .. } => self::block(said),
        Block::Answer { facts, .. } => facts.iter().map(fact).collect(),
        Block::OnPage(_) => String::new(),
    }
}

/// The label stands before the first line only.
fn fact(fact: &Fact) -> String {
    let labels = std::iter::once(fact.label).chain(std::iter::repeat(""));
    let lines = labels.zip(&fact.lines);
    lines
        .map(|(label, line)| format!("{INDENT}{label:<LABEL$}{}\n", visible::line(line)))
        .collect()
}

/// The first column is aligned to the left and the others to the right.
fn aligned(table: &Table) -> String {
    let rows = table.rows().iter();
    let rows: Vec<Vec<Cow<'_, str>>> = rows
        .map(|row| row.iter().map(|cell| visible::line(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = INDENT.to_owned();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
