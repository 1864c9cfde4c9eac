//! The record of `blis observe` and `blis run --record`: started before the first request, sealed after the last, and folded
//! with the result.
//!
//! With `--out` it is in the directory of the run; with `--trace` alone in a directory beside the file, which is removed at the
//! end.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blis_live::journal::{
    self, End, Entries, Full, Journal, Kept, MANIFEST, NamedText, Readers, RealDisk, Recorder,
    What, folder,
};
use blis_live::os_error::unnumbered;
use blis_live::run::observed::Connected;
use blis_live::target::Target;
use blis_sim::model::Model;
use blis_sim::result::{self, MANIFEST_SCHEMA, Manifest, Record};
use blis_sim::spec;
use tempfile::TempDir;

use crate::arguments;
use crate::cli::ObserveArgs;
use crate::exit::Failure;
use crate::input_files::Copy;
use crate::provenance::{identity, run_text};
use crate::runs::directory::{Contents, RunDirectory, UNFINISHED, former};
use crate::runs::names::SPEC;
use crate::runs::recorded::checksum;
use crate::runs::trace_file::TraceFile;
use crate::runs::trace_rows::Rows;
use crate::workload::{LiveWorkload, Workload};

/// Where a record will lie, and the file of the rows.
#[derive(Debug)]
pub struct Place {
    directory: PathBuf,
    /// The folder that vanishes, where there is no directory.
    passing: Option<TempDir>,
    trace: Option<TraceFile>,
}

/// A record that is being written.
#[derive(Debug)]
pub struct Begun {
    journal: Journal,
    manifest: Manifest,
    run: u64,
}

/// A record of a run that has ended.
#[derive(Debug)]
pub struct Sealed<'a, P> {
    place: Place,
    workload: &'a Workload<P>,
    manifest: Manifest,
    run: u64,
    kept: Kept,
}

/// What a record is of.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// A simulation of this model, which waits until there is room for its rows.
    Simulation(&'a Model),
    /// A live run on this target, which never waits.
    Live(&'a Target, &'a Connected),
}

impl Of<'_> {
    fn full(self) -> Full {
        match self {
            Of::Simulation(_) => Full::Waits,
            Of::Live(..) => Full::LeavesOut,
        }
    }
}

impl Place {
    /// A directory that was claimed.
    pub fn of(directory: &RunDirectory) -> Place {
        Place {
            directory: directory.path().to_owned(),
            passing: None,
            trace: None,
        }
    }

    /// The place that the arguments name, if anything is to be kept.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it is taken or cannot be written.
    pub fn claim(args: &ObserveArgs, workload: &LiveWorkload) -> Result<Option<Place>, Failure> {
        let directory = match &args.out {
            Some(path) => Some(RunDirectory::claim(path, args.keep.force)?),
            None => None,
        };
        let trace = TraceFile::asked(&args.keep, workload, Rows::of_live)?;
        let passing = match (&directory, &trace) {
            (None, Some(trace)) => Some(passing(trace.path())?),
            _ => None,
        };
        let path = match (&directory, &passing) {
            (Some(directory), _) => directory.path(),
            (None, Some(passing)) => passing.path(),
            (None, None) => return Ok(None),
        };
        Ok(Some(Place {
            directory: path.to_owned(),
            passing,
            trace,
        }))
    }

    /// Begins the record of a run.
    ///
    /// # Errors
    /// Those of [`folder::start`].
    pub fn begin<P>(
        &self,
        workload: &Workload<P>,
        of: Of<'_>,
    ) -> Result<(Recorder, Begun), journal::JournalFailure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let run = match of {
            // The same spec gives the same rows, and so the same result.
            Of::Simulation(_) => id(&run_text(workload)),
            Of::Live(..) => id(&format!("{} {}", now.as_nanos(), std::process::id())),
        };
        let manifest = manifest(workload, of, run, now.as_secs());
        let files = at_start(workload, &manifest);
        let former: Vec<&str> = former().collect();
        let segment = folder::start(RealDisk, &self.directory, run, &files, &former)?;
        let warmup = match of {
            Of::Simulation(model) => model.limits.warmup,
            Of::Live(..) => workload.model.limits.warmup,
        };
        let (recorder, journal) = Journal::start(segment, warmup, of.full());
        let begun = Begun {
            journal,
            manifest,
            run,
        };
        Ok((recorder, begun))
    }
}

/// A folder for a record that nobody asked for, beside the file that is made of it.
fn passing(beside: &Path) -> Result<TempDir, Failure> {
    let folder = match beside.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Beside a device nothing can be made.
    let folder = match beside.is_file() || !beside.exists() {
        true => folder.to_owned(),
        false => std::env::temp_dir(),
    };
    let made = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(&folder);
    made.map_err(|why| {
        Failure::Usage(format!(
            "the rows of --trace cannot be buffered in {}: {}; name a file in a directory that can be written",
            folder.display(),
            unnumbered(&why)
        ))
    })
}

/// What sets this run apart from any other, made of what does.
fn id(of: &str) -> u64 {
    let sha = spec::sha256(format!("{} {of}", env!("CARGO_PKG_VERSION")));
    u64::from_str_radix(&sha[..16], 16).unwrap_or_default()
}

fn manifest<P>(workload: &Workload<P>, of: Of<'_>, run: u64, started: u64) -> Manifest {
    let live = match of {
        Of::Live(target, connected) => Some((target, connected)),
        Of::Simulation(_) => None,
    };
    let found = match of {
        Of::Simulation(model) if model.limits.find_warmup => Some(model.limits.warmup.as_nanos()),
        _ => None,
    };
    let mode = live.map_or(result::SIMULATED, |_| result::LIVE);
    Manifest {
        schema: MANIFEST_SCHEMA.to_owned(),
        blis_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: mode.to_owned(),
        run: format!("{run:016x}"),
        started_unix_s: started,
        arguments: arguments::shown(
            std::env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned()),
        ),
        spec: identity(workload),
        file: workload.file.clone(),
        seed: workload.model.seed,
        configuration: workload.configuration.clone(),
        target: live.map_or(Vec::new(), |(target, _)| target.names.clone()),
        server_version: live.map(|(_, connected)| connected.server.clone()),
        connections: live.map(|(_, connected)| connected.connections),
        warmup_found_ns: found,
    }
}

/// What is needed to read a record.
fn at_start<P>(workload: &Workload<P>, manifest: &Manifest) -> Vec<NamedText> {
    let copies = workload.files.iter().map(Copy::named_text);
    let spec = NamedText {
        name: SPEC.to_owned(),
        text: run_text(workload),
        readers: Readers::Anyone,
    };
    let manifest = of_manifest(manifest);
    copies.chain([spec, manifest]).collect()
}

fn of_manifest(manifest: &Manifest) -> NamedText {
    NamedText {
        name: MANIFEST.to_owned(),
        // The types allow no failure.
        text: manifest.to_json().unwrap_or_default(),
        readers: Readers::Anyone,
    }
}

impl Begun {
    /// Whether nothing more will be kept.
    pub fn has_failed(&self) -> bool {
        self.journal.has_failed()
    }

    /// Seals the record of a run that has ended.
    pub fn seal<P>(
        self,
        place: Place,
        recorder: Recorder,
        end: End,
        workload: &Workload<P>,
    ) -> Sealed<'_, P> {
        Sealed {
            kept: self.journal.finish(recorder, end),
            place,
            workload,
            manifest: self.manifest,
            run: self.run,
        }
    }
}

impl<P> Sealed<'_, P> {
    /// What the result says of it.
    pub fn block(&self) -> Record {
        Record {
            run: self.manifest.run.clone(),
            rows: self.kept.written.rows,
            dropped: self.kept.dropped,
            // Of what was written when writing failed, more may be on disk than is known to be.
            checksum: match &self.kept.failed {
                None => Some(checksum(self.kept.written.checksum)),
                Some(_) => None,
            },
            recovered: None,
        }
    }

    /// Writes the rows to their file and the result with all else into the directory: what became of the record, the
    /// trace and the directory.
    pub fn keep(self, contents: &Contents<'_>) -> [Result<(), Failure>; 3] {
        let Sealed {
            mut place,
            workload,
            manifest,
            run,
            kept,
        } = self;
        let recorded = kept.failed.map_or(Ok(()), |why| Err(Failure::Record(why)));
        let trace = place.trace.take();
        let traced = trace.map_or(Ok(()), |trace| export(trace, &place, run, workload));
        if place.passing.is_some() {
            return [recorded, traced, Ok(())];
        }
        let mut files = contents.texts();
        files.insert(0, of_manifest(&manifest));
        let model = &workload.model;
        let placed = folder::end(&mut RealDisk, &place.directory, run, model, &files);
        [recorded, traced, placed.map_err(Failure::Record)]
    }
}

/// Writes the rows of a record to a file.
fn export<P>(
    mut trace: TraceFile,
    place: &Place,
    run: u64,
    workload: &Workload<P>,
) -> Result<(), Failure> {
    let folder = place.directory.join(journal::JOURNAL);
    let model = &workload.model;
    let opened = Entries::of_folder(&RealDisk, &folder, run, model);
    for entry in opened.map_err(Failure::Record)? {
        let entry = entry.map_err(Failure::Record)?;
        if let What::Done(row) = entry.what {
            trace.write(&row, &entry.headers);
        }
    }
    trace.close().map(drop)
}

#[cfg(test)]
mod tests {
    use blis_live::journal::Syncs;

    use super::*;
    use crate::input_files::Copy;

    fn texts(names: &[&str]) -> Vec<NamedText> {
        let named = |name: &&str| NamedText {
            name: (*name).to_owned(),
            text: String::new(),
            readers: Readers::Anyone,
        };
        names.iter().map(named).collect()
    }

    #[test]
    fn syncs_are_those_of_the_document() {
        for (f, groups) in [(0, 7), (3, 1200)] {
            let copies: Vec<Copy> = (0..f)
                .map(|number| Copy {
                    written: String::new(),
                    name: format!("{number}.csv"),
                    text: String::new(),
                })
                .collect();
            let contents = Contents {
                spec: "",
                result: "",
                report: "",
                files: &copies,
            };
            let paths: Vec<String> = copies.iter().map(Copy::path).collect();
            let mut start: Vec<&str> = paths.iter().map(String::as_str).collect();
            start.extend([SPEC, MANIFEST]);
            let mut end = texts(&[MANIFEST]);
            end.extend(contents.texts());
            let syncs = Syncs::of(2, &texts(&start), &end, groups);
            assert_eq!(syncs.files, 9 + 2 * f + groups);
            assert_eq!(syncs.folders, 4 + 2 + if f > 0 { 2 } else { 0 });
        }
    }
}
