//! Flags for the format of results.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// What is printed on stdout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Output format: the report as text, Markdown or an HTML page with plots, or the JSON document.
    #[arg(long, value_name = "FORMAT", value_parser = one_of(&PLAIN), default_value = "text")]
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

/// Output of a command that judges.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct GateFormatArgs {
    /// Output format: the report as text, Markdown or an HTML page with plots, the JSON document, or the verdict as JUnit XML.
    #[arg(long, value_name = "FORMAT", value_parser = one_of(&JUDGED), default_value = "text")]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// Output of a command that shows a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct RunFormatArgs {
    /// Output format: the report as text, Markdown or an HTML page with plots, the JSON document, the verdict as JUnit XML, the
    /// figures as CSV, or the run over time as CSV.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Unit of times in CSV.
    #[arg(long, value_name = "UNIT", value_enum, default_value_t = TimeUnit::Ms)]
    pub time_unit: TimeUnit,
}

/// The output format of a command: the report for a terminal, the document for programs, the report for documents and browsers, the
/// verdict for build servers, figures for spreadsheets.
// The variants have no comments of their own, which would make the help of every command a page long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
    Html,
    Junit,
    Csv,
    CsvSeries,
}

/// Formats of every report.
const PLAIN: [Format; 4] = [Format::Text, Format::Json, Format::Markdown, Format::Html];
/// Formats of what is judged.
const JUDGED: [Format; 5] = [
    Format::Text,
    Format::Json,
    Format::Markdown,
    Format::Html,
    Format::Junit,
];

/// The unit of times in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TimeUnit {
    Ms,
    S,
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
        requested(self.format, self.json)
    }
}

impl GateFormatArgs {
    /// The requested format.
    pub fn chosen(&self) -> Format {
        requested(self.format, self.json)
    }
}

impl RunFormatArgs {
    /// The requested format.
    pub fn chosen(&self) -> Format {
        requested(self.format, self.json)
    }
}

fn requested(format: Format, json: bool) -> Format {
    if json { Format::Json } else { format }
}

impl TimeUnit {
    /// A time of milliseconds in this unit.
    pub fn of_ms(self, ms: f64) -> f64 {
        match self {
            TimeUnit::Ms => ms,
            TimeUnit::S => ms / 1e3,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Ms => "ms",
            TimeUnit::S => "s",
        }
    }
}

fn one_of(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let words: Vec<_> = formats
        .iter()
        .filter_map(Format::to_possible_value)
        .collect();
    PossibleValuesParser::new(words).try_map(|word| Format::from_str(&word, false))
}

/// The flag of every command that can take a while.
#[derive(Debug, Clone, Copy, Args)]
pub struct ProgressArgs {
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}
