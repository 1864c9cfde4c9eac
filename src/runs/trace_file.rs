//! The file of a trace: rows written as they come, through a buffer of fixed size.
//!
//! A new file appears whole: rows go to an unfinished file beside it, which takes its name at the end, also when the
//! run was interrupted. What is no regular file, such as a pipe, is written to directly. A row that cannot be written
//! ends the trace and not the run: the error comes when the trace is closed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use blis_live::os_error::unnumbered;
use blis_sim::event::ReplyHeaders;
use blis_sim::model::Model;
use blis_sim::trace::Row;
use tempfile::TempPath;

use crate::cli::{KeepArgs, TraceFormat};
use crate::exit::Failure;
use crate::runs::trace_rows::Rows;
use crate::workload::Workload;

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 16;

/// What rows are written to.
pub type Out = BufWriter<File>;

/// A trace that is being written.
#[derive(Debug)]
pub struct TraceFile {
    path: PathBuf,
    /// The unfinished file; none where the rows go to their place directly.
    unfinished: Option<TempPath>,
    replace: bool,
    rows: Rows<Out>,
    written: u64,
    failed: Option<io::Error>,
}

impl TraceFile {
    /// The trace that the arguments ask for, if they ask for one.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn asked<P>(
        args: &KeepArgs,
        workload: &Workload<P>,
        rows: impl FnOnce(Out, TraceFormat, &Model<P>) -> Rows<Out>,
    ) -> Result<Option<TraceFile>, Failure> {
        let path = args.trace.as_ref();
        let open =
            |path: &PathBuf| TraceFile::open(path, args.trace_format, args.force, workload, rows);
        path.map(open).transpose()
    }

    /// Opens the place of a trace and writes the header of its rows.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the form is not known, when the file is there and not to be replaced, or when the
    /// place cannot be written.
    fn open<P>(
        path: &Path,
        form: Option<TraceFormat>,
        replace: bool,
        workload: &Workload<P>,
        rows: impl FnOnce(Out, TraceFormat, &Model<P>) -> Rows<Out>,
    ) -> Result<TraceFile, Failure> {
        let form = form
            .or_else(|| form_of(path))
            .ok_or_else(|| Failure::Usage(formless(path)))?;
        let (unfinished, file, path) = place(path, replace)?;
        let out = BufWriter::with_capacity(BUFFER, file);
        let mut rows = rows(out, form, &workload.model);
        let failed = rows.header(workload).err();
        Ok(TraceFile {
            path,
            unfinished,
            replace,
            rows,
            written: 0,
            failed,
        })
    }

    /// Where the trace will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a row, unless one before could not be written.
    pub fn write(&mut self, row: &Row, replied: &ReplyHeaders) {
        if self.failed.is_some() {
            return;
        }
        match self.rows.row(row, replied) {
            Ok(()) => self.written += 1,
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
            _ => Ok(self.written),
        }
    }

    fn settle(&mut self) -> io::Result<()> {
        if let Some(why) = self.failed.take() {
            return Err(why);
        }
        let out = self.rows.out();
        out.flush()?;
        let Some(unfinished) = self.unfinished.take() else {
            return Ok(());
        };
        out.get_ref().sync_all()?;
        let named = match self.replace {
            true => unfinished.persist(&self.path),
            false => unfinished.persist_noclobber(&self.path),
        };
        named.map_err(|refused| refused.error)
    }
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
        "--trace {} has no known extension; use .csv or .jsonl, or add --trace-format csv or jsonl",
        path.display()
    )
}

/// Opens the place: the unfinished file, if there is to be one, what to write to, and the path at the end.
fn place(path: &Path, replace: bool) -> Result<(Option<TempPath>, File, PathBuf), Failure> {
    let shown = path.display();
    let unusable = |why: io::Error| {
        Failure::Usage(format!(
            "--trace {shown} cannot be used: {}; name a file in a directory that exists and can be written",
            unnumbered(&why)
        ))
    };
    let path = match std::fs::metadata(path) {
        Ok(there) if there.is_file() && !replace => {
            return Err(Failure::Usage(format!(
                "--trace {shown} exists; overwrite it with --force"
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
    builder.prefix(crate::runs::directory::UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}
