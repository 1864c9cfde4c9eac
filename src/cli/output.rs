//! In which form results are printed.

use clap::Args;

/// What is printed on stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Print the report as text or Markdown, or the JSON document instead of it.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// A form of what a command prints: the report for a terminal, the document for programs, the report for documents.
// The variants have no comments of their own, which would make the help of every command a page long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

/// A form of a trace: comma-separated values, or one JSON object on each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceFormat {
    Csv,
    Jsonl,
}

impl FormatArgs {
    /// The form that is asked for.
    pub fn chosen(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}
