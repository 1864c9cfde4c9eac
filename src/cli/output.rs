//! Flags for the format of results.

use std::path::PathBuf;

use clap::Args;

/// What is printed on stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Output format: the report as text, Markdown or an HTML page with plots, or the JSON document.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// The trace file, and whether results are overwritten.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct KeepArgs {
    /// Write one row per request to this file, as CSV (.csv) or JSON lines (.jsonl).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Trace format [default: from the file extension].
    #[arg(long, value_name = "FORMAT", value_enum, requires = "trace")]
    pub trace_format: Option<TraceFormat>,

    /// Overwrite the results in the directory of --out and the file of --trace.
    #[arg(long, requires = "kept")]
    pub force: bool,
}

/// The output format of a command: the report for a terminal, the document for programs, the report for documents and browsers.
// The variants have no comments of their own, which would make the help of every command a page long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
    Html,
}

/// The format of a trace: comma-separated values, or one JSON object on each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceFormat {
    Csv,
    Jsonl,
}

impl FormatArgs {
    /// The requested format.
    pub fn chosen(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}
