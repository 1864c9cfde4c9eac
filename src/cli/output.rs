//! In which form results are printed.

use std::path::PathBuf;

use clap::Args;

/// What is printed on stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Print the report as text, as Markdown or as one HTML page with plots, or the JSON document instead of it.
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// The file of the rows, and whether what is there is replaced.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct KeepArgs {
    /// Write one row per request to this file; by its name as CSV (.csv) or JSON lines (.jsonl).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// The form of the trace, whatever its name.
    #[arg(long, value_name = "FORM", value_enum, requires = "trace")]
    pub trace_format: Option<TraceFormat>,

    /// Replace the results that the directory of --out holds, and the file of --trace.
    #[arg(long, requires = "kept")]
    pub force: bool,
}

/// A form of what a command prints: the report for a terminal, the document for programs, the report for documents and for browsers.
// The variants have no comments of their own, which would make the help of every command a page long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
    Html,
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
