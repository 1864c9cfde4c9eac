//! The file of a trace: rows written as they come, through a buffer of fixed size.
//!
//! A new file appears whole: rows go to an unfinished file beside it, which takes its name at the end, also when the
//! run was interrupted. What is no regular file, such as a pipe, is written to directly. A row that cannot be written
//! ends the trace and not the run: the error comes when the trace is closed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use blis_sim::spec;
use blis_sim::trace::{Row, SCHEMA};
use tempfile::TempPath;

use crate::cli::TraceFormat;
use crate::exit::Failure;
use crate::workload::Workload;

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 16;

/// A trace that is being written.
#[derive(Debug)]
pub struct TraceFile {
    path: PathBuf,
    /// The unfinished file; none where the rows go to their place directly.
    unfinished: Option<TempPath>,
    replace: bool,
    out: BufWriter<File>,
    form: TraceFormat,
    clients: Vec<String>,
    actions: Vec<String>,
    rows: u64,
    failed: Option<io::Error>,
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

impl TraceFile {
    /// Opens the place of a trace and writes its header.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the form is not known, when the file is there and not to be replaced, or when the
    /// place cannot be written.
    pub fn open(
        path: &Path,
        form: Option<TraceFormat>,
        replace: bool,
        workload: &Workload,
    ) -> Result<TraceFile, Failure> {
        let form = form
            .or_else(|| form_of(path))
            .ok_or_else(|| Failure::Usage(formless(path)))?;
        let (unfinished, file, path) = place(path, replace)?;
        let model = &workload.model;
        let clients = model.clients.iter().map(|client| client.name.clone());
        let actions = model.actions.iter().map(|action| action.name.clone());
        let mut trace = TraceFile {
            path,
            unfinished,
            replace,
            out: BufWriter::with_capacity(BUFFER, file),
            form,
            clients: clients.collect(),
            actions: actions.collect(),
            rows: 0,
            failed: None,
        };
        trace.failed = trace.header(workload).err();
        Ok(trace)
    }

    /// Where the trace will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a row, unless one before could not be written.
    pub fn write(&mut self, row: &Row) {
        if self.failed.is_some() {
            return;
        }
        match self.row(row) {
            Ok(()) => self.rows += 1,
            Err(why) => self.failed = Some(why),
        }
    }

    /// Gives the file its name; the number of its rows is returned.
    ///
    /// # Errors
    /// [`Failure::Trace`] when something could not be written; nothing of the trace is left then. A reader of a pipe
    /// that has seen enough is not an error.
    pub fn close(mut self) -> Result<u64, Failure> {
        match self.settle() {
            Err(why) if self.unfinished.is_some() || why.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::Trace {
                    to: self.path.display().to_string(),
                    why,
                })
            }
            _ => Ok(self.rows),
        }
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Some(why) = self.failed.take() {
            return Err(why);
        }
        self.out.flush()?;
        let Some(unfinished) = self.unfinished.take() else {
            return Ok(());
        };
        self.out.get_ref().sync_all()?;
        let named = match self.replace {
            true => unfinished.persist(&self.path),
            false => unfinished.persist_noclobber(&self.path),
        };
        named.map_err(|refused| refused.error)
    }

    fn header(&mut self, workload: &Workload) -> io::Result<()> {
        let (version, seed) = (env!("CARGO_PKG_VERSION"), workload.model.seed);
        let sha = spec::sha256(&workload.resolved);
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

    fn row(&mut self, row: &Row) -> io::Result<()> {
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

/// The form that a file's name asks for.
fn form_of(path: &Path) -> Option<TraceFormat> {
    let extension = path.extension()?;
    match () {
        () if extension.eq_ignore_ascii_case("csv") => Some(TraceFormat::Csv),
        () if extension.eq_ignore_ascii_case("jsonl") => Some(TraceFormat::Jsonl),
        () if extension.eq_ignore_ascii_case("ndjson") => Some(TraceFormat::Jsonl),
        () => None,
    }
}

fn formless(path: &Path) -> String {
    format!(
        "--trace {} does not say its form; end its name with .csv or .jsonl, or add --trace-format csv or jsonl",
        path.display()
    )
}

/// Opens the place: the unfinished file, if there is to be one, what to write to, and the path at the end.
fn place(path: &Path, replace: bool) -> Result<(Option<TempPath>, File, PathBuf), Failure> {
    let shown = path.display();
    let unusable = |why: io::Error| {
        Failure::Usage(format!(
            "--trace {shown} cannot be used: {why}; name a file in a directory that exists and can be written"
        ))
    };
    let path = match std::fs::metadata(path) {
        Ok(there) if there.is_file() && !replace => {
            return Err(Failure::Usage(format!(
                "--trace {shown} is there already; --force replaces it"
            )));
        }
        // A link stays: what it leads to is replaced.
        Ok(there) if there.is_file() => std::fs::canonicalize(path).map_err(unusable)?,
        Ok(there) if there.is_dir() => return Err(unusable(io::ErrorKind::IsADirectory.into())),
        Ok(_) => {
            let file = File::options().write(true).open(path).map_err(unusable)?;
            return Ok((None, file, path.to_owned()));
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound && !path.is_symlink() => path.to_owned(),
        Err(why) => return Err(unusable(why)),
    };
    let beside = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (file, unfinished) = unfinished()
        .tempfile_in(beside)
        .map_err(unusable)?
        .into_parts();
    Ok((Some(unfinished), file, path))
}

/// How unfinished files are made: with the permissions of any new file.
fn unfinished() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(crate::run_directory::UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}
