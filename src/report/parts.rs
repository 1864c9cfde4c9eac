//! The parts of a report, apart from their format.
//!
//! A command builds one [`Report`]; the modules `text` and `markdown` beside this one write it. Neither knows the subject of a
//! report, so the two have the same content.

use super::table::Table;

/// What sets the figures of one line apart.
pub const GAP: &str = "   ";

/// A report for people.
#[derive(Debug)]
pub struct Report {
    /// What it is about: the heading of a document. Text goes without it, because its lines say the same.
    pub title: String,
    /// Its parts, apart from one another by a blank line. Those without blocks are left out.
    pub sections: Vec<Section>,
}

/// Blocks that belong together.
#[derive(Debug, Default)]
pub struct Section {
    /// What stands above them.
    pub heading: Option<&'static str>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// One piece of a section.
#[derive(Debug)]
pub enum Block {
    /// Sentences, each on its own line.
    Lines(Vec<String>),
    /// Figures with their labels.
    Facts(Vec<Fact>),
    /// Rows and columns.
    Table(Table),
    /// Remarks on what stands before them.
    Notes(Vec<String>),
    /// A text to be shown as it is.
    Code {
        /// Its language, as editors call it.
        language: &'static str,
        /// The text.
        text: String,
    },
}

/// What is said under one label.
#[derive(Debug)]
pub struct Fact {
    /// The label.
    pub label: &'static str,
    /// The figure, and what there is to add to it.
    pub lines: Vec<String>,
}

impl Section {
    /// A section of these blocks; empty ones are left out.
    pub fn of(blocks: impl IntoIterator<Item = Block>) -> Section {
        Section {
            heading: None,
            blocks: blocks
                .into_iter()
                .filter(|block| !block.is_empty())
                .collect(),
        }
    }

    /// A section of one fact.
    pub fn fact(fact: Fact) -> Section {
        Section::of([Block::Facts(vec![fact])])
    }

    /// A section that is not shown.
    pub fn empty() -> Section {
        Section::default()
    }

    /// The section with a heading.
    pub fn headed(mut self, heading: &'static str) -> Section {
        self.heading = Some(heading);
        self
    }
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Block::Lines(lines) | Block::Notes(lines) => lines.is_empty(),
            Block::Facts(facts) => facts.is_empty(),
            Block::Table(table) => table.rows().is_empty(),
            Block::Code { text, .. } => text.is_empty(),
        }
    }
}

impl Fact {
    /// A fact of one line.
    pub fn new(label: &'static str, line: impl Into<String>) -> Fact {
        Fact {
            label,
            lines: vec![line.into()],
        }
    }

    /// Adds a line.
    pub fn add(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }
}
