//! The outputs of a search: a file of rows, and a directory.

use std::path::PathBuf;

use blis_sim::result::CeilingResult;

use super::csv::{self, CsvFile};
use super::document::Tried;
use crate::cli::MaxRpsArgs;
use crate::exit::Failure;
use crate::provenance::run_text;
use crate::report;
use crate::runs::trials_directory::{Kept, SEARCH, TrialsDirectory};
use crate::workload::Workload;

/// Where results are kept.
#[derive(Debug)]
pub struct Places {
    csv: Option<CsvFile>,
    out: Option<TrialsDirectory>,
}

impl Places {
    /// The places that the flags name.
    ///
    /// # Errors
    /// [`Failure::Usage`] where one is taken or cannot be written.
    pub fn claim(args: &MaxRpsArgs) -> Result<Places, Failure> {
        let csv = |path: &PathBuf| CsvFile::claim(path, args.force);
        let out = |path: &PathBuf| TrialsDirectory::claim(path, SEARCH, args.force);
        Ok(Places {
            csv: args.csv.as_ref().map(csv).transpose()?,
            out: args.out.as_ref().map(out).transpose()?,
        })
    }

    /// Keeps what was found; what could not be kept.
    pub fn keep<P>(
        &self,
        workload: &Workload<P>,
        found: &CeilingResult,
        tried: &[Tried],
    ) -> [Result<(), Failure>; 2] {
        let csv = self.csv.as_ref().map_or(Ok(()), |csv| csv.write(found));
        let out = self.out.as_ref().map_or(Ok(()), |out| {
            out.write(&Kept {
                document: &found.to_json()?,
                rows: Some(csv::rows(found)),
                spec: &run_text(workload),
                files: &workload.files,
                report: &report::markdown(&report::ceiling(found)),
                tried,
                file: workload.file.as_deref(),
            })
        });
        [csv, out]
    }
}
