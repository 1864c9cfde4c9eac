//! The parts of a report, apart from their format.
//!
//! A command builds one [`Report`]; the modules `text`, `markdown` and `html` beside this one write it. None of them knows
//! what a report is about, so they cannot differ in what they say. A page has more room: what only a page shows is
//! part of the report too, as [`Block::OnPage`], and the other two leave it out.

use blis_sim::verdict::Status;

use super::plot::Plot;
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
    /// Where it stands on a page.
    pub place: Place,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// Where a section stands on a page. Text and Markdown have all sections in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// In its order.
    #[default]
    InOrder,
    /// Before all that are in order.
    First,
    /// After them, folded under this heading.
    Folded(&'static str),
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
    /// How it went: a banner on a page.
    Verdict {
        /// Its colour and its sign.
        mood: Mood,
        /// What it says in a word, with which the words below begin.
        word: &'static str,
        /// The words: lines or facts.
        said: Box<Block>,
    },
    /// The figures that matter most: facts in text, large numbers on a page.
    Answer {
        /// As text.
        facts: Vec<Fact>,
        /// As numbers.
        keys: Vec<Key>,
    },
    /// What only a page shows.
    OnPage(OnPage),
}

/// What there is no room for in text.
#[derive(Debug)]
pub enum OnPage {
    /// Plots side by side.
    Plots(Vec<Plot>),
    /// Large numbers.
    Keys(Vec<Key>),
    /// Rows and columns.
    Table(Table),
}

/// How something went, for its colour and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Good,
    /// Not as it should.
    Bad,
    /// The evidence does not say.
    Open,
}

/// A number that is shown large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What it is.
    pub label: String,
    /// The number with its unit.
    pub value: String,
    /// What there is to add, such as how far it may be off.
    pub beside: String,
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
            place: Place::InOrder,
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

    /// The section at this place of a page.
    pub fn placed(mut self, place: Place) -> Section {
        self.place = place;
        self
    }

    /// A section of plots.
    pub fn plots(plots: impl IntoIterator<Item = Plot>) -> Section {
        let drawn = plots.into_iter().filter(Plot::shows_something);
        Section::of([Block::OnPage(OnPage::Plots(drawn.collect()))])
    }

    /// Whether there is anything in it that text shows.
    pub fn has_words(&self) -> bool {
        let mut blocks = self.blocks.iter();
        blocks.any(|block| !matches!(block, Block::OnPage(_)))
    }
}

impl Mood {
    /// Of a verdict.
    pub fn of(status: Status) -> Mood {
        match status {
            Status::Pass => Mood::Good,
            Status::Trip => Mood::Bad,
            Status::Inconclusive => Mood::Open,
        }
    }
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Block::Lines(lines) | Block::Notes(lines) => lines.is_empty(),
            Block::Facts(facts) => facts.is_empty(),
            Block::Table(table) => table.rows().is_empty(),
            Block::Code { text, .. } => text.is_empty(),
            Block::Verdict { said, .. } => said.is_empty(),
            Block::Answer { facts, .. } => facts.is_empty(),
            Block::OnPage(OnPage::Plots(plots)) => plots.is_empty(),
            Block::OnPage(OnPage::Keys(keys)) => keys.is_empty(),
            Block::OnPage(OnPage::Table(table)) => table.rows().is_empty(),
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
