//! The rows of a trace as text: a header that says of which run, then one line for each request.

use std::borrow::Cow;
use std::io::{self, Write};

use blis_sim::event::ReplyHeaders;
use blis_sim::model::Model;
use blis_sim::spec;
use blis_sim::trace::{Row, SCHEMA};
use blis_sim::visible;
use serde_json::Value;

use crate::cli::TraceFormat;
use crate::provenance::run_text;
use crate::workload::Workload;

/// Writes rows in one of the forms.
#[derive(Debug)]
pub struct Rows<W> {
    out: W,
    form: TraceFormat,
    clients: Vec<String>,
    actions: Vec<String>,
    columns: Vec<String>,
    /// Of a live run: where the headers that an action records stand among the columns behind [`OF_LIVE`].
    headers: Option<Vec<Vec<usize>>>,
}

/// What stands in one cell.
#[derive(Debug, Clone, Copy)]
enum Cell<'a> {
    /// Nothing is known.
    Nothing,
    /// A word without blanks, quotes or commas: a name of the spec or an outcome.
    Word(&'a str),
    Count(u64),
    Flag(bool),
    /// What a stranger wrote.
    Text(&'a str),
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
/// Those that a live run has besides, in the order of [`cells_of_live`]; the headers of replies follow.
const OF_LIVE: [&str; 3] = ["reason", "connection", "reply_bytes"];
/// How the columns of headers of replies begin.
const HEADER: &str = "reply_headers.";

impl<W: Write> Rows<W> {
    /// Rows of simulated runs of this model.
    pub fn new<P>(out: W, form: TraceFormat, model: &Model<P>) -> Rows<W> {
        let clients = model.clients.iter().map(|client| client.name.clone());
        let actions = model.actions.iter().map(|action| action.name.clone());
        Rows {
            out,
            form,
            clients: clients.collect(),
            actions: actions.collect(),
            columns: COLUMNS.map(str::to_owned).to_vec(),
            headers: None,
        }
    }

    /// Rows of live runs of this model.
    pub fn of_live<P>(out: W, form: TraceFormat, model: &Model<P>) -> Rows<W> {
        let mut names: Vec<&str> = Vec::new();
        let mut place = |name| {
            let known = names.iter().position(|known| *known == name);
            known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let headers = model.actions.iter().map(|action| {
            let recorded = action.sending.iter().flat_map(|sent| &sent.record_headers);
            recorded.map(|name| place(name)).collect()
        });
        let headers = headers.collect();
        let mut rows = Rows::new(out, form, model);
        rows.headers = Some(headers);
        rows.columns.extend(OF_LIVE.map(str::to_owned));
        let names = names.into_iter();
        rows.columns
            .extend(names.map(|name| format!("{HEADER}{name}")));
        rows
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
                writeln!(self.out, "{}", self.columns.join(","))
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
    pub fn row(&mut self, row: &Row, replied: &ReplyHeaders) -> io::Result<()> {
        let mut cells = cells(row, &self.clients, &self.actions).to_vec();
        if let Some(headers) = &self.headers {
            cells.extend(cells_of_live(row));
            cells.resize(self.columns.len(), Cell::Nothing);
            let places = &headers[row.action.index()];
            for (at, value) in replied.iter() {
                if let Some(place) = places.get(at) {
                    cells[COLUMNS.len() + OF_LIVE.len() + place] = Cell::Text(value);
                }
            }
        }
        match self.form {
            TraceFormat::Csv => csv(&mut self.out, &cells),
            TraceFormat::Jsonl => json(&mut self.out, &self.columns, &cells),
        }
    }
}

fn csv(out: &mut impl Write, cells: &[Cell<'_>]) -> io::Result<()> {
    for (number, cell) in cells.iter().enumerate() {
        let before = if number == 0 { "" } else { "," };
        match cell {
            Cell::Nothing => write!(out, "{before}"),
            Cell::Word(word) => write!(out, "{before}{word}"),
            Cell::Count(count) => write!(out, "{before}{count}"),
            Cell::Flag(flag) => write!(out, "{before}{flag}"),
            Cell::Text(text) => write!(out, "{before}{}", quoted(text)),
        }?;
    }
    writeln!(out)
}

/// What is not known is not there.
fn json(out: &mut impl Write, columns: &[String], cells: &[Cell<'_>]) -> io::Result<()> {
    for (number, (name, cell)) in columns.iter().zip(cells).enumerate() {
        let before = if number == 0 { "{" } else { "," };
        match cell {
            Cell::Nothing => Ok(()),
            Cell::Word(word) => write!(out, "{before}\"{name}\":\"{word}\""),
            Cell::Count(count) => write!(out, "{before}\"{name}\":{count}"),
            Cell::Flag(flag) => write!(out, "{before}\"{name}\":{flag}"),
            Cell::Text(text) => {
                let text = Value::from(visible::line(text));
                write!(out, "{before}\"{name}\":{text}")
            }
        }?;
    }
    writeln!(out, "}}")
}

/// A stranger's text in a cell, in quotes where it has to be (RFC 4180).
fn quoted(text: &str) -> Cow<'_, str> {
    let text = visible::line(text);
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text,
    }
}

/// The cells that a live run has besides.
fn cells_of_live(row: &Row) -> [Cell<'static>; OF_LIVE.len()] {
    let count = |value: Option<u32>| value.map_or(Cell::Nothing, |value| Cell::Count(value.into()));
    [
        row.reason
            .map_or(Cell::Nothing, |reason| Cell::Word(reason.name())),
        count(row.connection),
        count(row.reply_bytes),
    ]
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
