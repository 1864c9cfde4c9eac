//! The rows of a trace as text: a header that says of which run, then one line for each request.

use std::io::{self, Write};

use blis_sim::model::Model;
use blis_sim::spec;
use blis_sim::trace::{Row, SCHEMA};

use crate::cli::TraceFormat;
use crate::simulate::run_text;
use crate::workload::Workload;

/// Writes rows in one of the forms.
#[derive(Debug)]
pub struct Rows<W> {
    out: W,
    form: TraceFormat,
    clients: Vec<String>,
    actions: Vec<String>,
}

/// What stands in one cell.
#[derive(Debug, Clone, Copy)]
enum Cell<'a> {
    /// A word without blanks, quotes or commas: a name of the spec or an outcome.
    Word(&'a str),
    Count(u64),
    Flag(bool),
}

/// The names of the columns, in the order of [`cells`].
const COLUMNS: [&str; 13] = [
    "client",
    "user",
    "number",
    "attempt",
    "action",
    "intended_ns",
    "sent_ns",
    "done_ns",
    "outcome",
    "response_ns",
    "service_ns",
    "lag_ns",
    "in_window",
];

impl<W: Write> Rows<W> {
    /// Rows of runs of this model.
    pub fn new<P>(out: W, form: TraceFormat, model: &Model<P>) -> Rows<W> {
        let clients = model.clients.iter().map(|client| client.name.clone());
        let actions = model.actions.iter().map(|action| action.name.clone());
        Rows {
            out,
            form,
            clients: clients.collect(),
            actions: actions.collect(),
        }
    }

    /// Where they go.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Writes the header.
    ///
    /// # Errors
    /// Those of writing.
    pub fn header<P>(&mut self, workload: &Workload<P>) -> io::Result<()> {
        let (version, seed) = (env!("CARGO_PKG_VERSION"), workload.model.seed);
        let sha = spec::sha256(run_text(workload));
        match self.form {
            TraceFormat::Csv => {
                writeln!(
                    self.out,
                    "# {SCHEMA} blis {version}, seed {seed}, resolved spec {sha}"
                )?;
                writeln!(self.out, "{}", COLUMNS.join(","))
            }
            TraceFormat::Jsonl => writeln!(
                self.out,
                "{{\"schema\":\"{SCHEMA}\",\"blis_version\":\"{version}\",\"seed\":{seed},\
                 \"resolved_sha256\":\"{sha}\"}}"
            ),
        }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Those of writing.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        let cells = cells(row, &self.clients, &self.actions);
        let out = &mut self.out;
        match self.form {
            TraceFormat::Csv => {
                for (number, cell) in cells.into_iter().enumerate() {
                    let before = if number == 0 { "" } else { "," };
                    match cell {
                        Cell::Word(word) => write!(out, "{before}{word}"),
                        Cell::Count(count) => write!(out, "{before}{count}"),
                        Cell::Flag(flag) => write!(out, "{before}{flag}"),
                    }?;
                }
                writeln!(out)
            }
            TraceFormat::Jsonl => {
                for (name, cell) in COLUMNS.into_iter().zip(cells) {
                    let before = if name == COLUMNS[0] { "{" } else { "," };
                    match cell {
                        Cell::Word(word) => write!(out, "{before}\"{name}\":\"{word}\""),
                        Cell::Count(count) => write!(out, "{before}\"{name}\":{count}"),
                        Cell::Flag(flag) => write!(out, "{before}\"{name}\":{flag}"),
                    }?;
                }
                writeln!(out, "}}")
            }
        }
    }
}

/// The cells of a row. Times are whole nanoseconds on the clock of the run, which starts at 0.
fn cells<'a>(row: &Row, clients: &'a [String], actions: &'a [String]) -> [Cell<'a>; COLUMNS.len()] {
    [
        Cell::Word(&clients[row.client.index()]),
        Cell::Count(row.user),
        Cell::Count(row.number),
        Cell::Count(u64::from(row.attempt)),
        Cell::Word(&actions[row.action.index()]),
        Cell::Count(row.intended.as_nanos()),
        Cell::Count(row.sent.as_nanos()),
        Cell::Count(row.done.as_nanos()),
        Cell::Word(row.outcome.name()),
        Cell::Count(row.response().as_nanos()),
        Cell::Count(row.service().as_nanos()),
        Cell::Count(row.lag().as_nanos()),
        Cell::Flag(row.in_window),
    ]
}
