//! A run in its directory: the result of a completed run, or the record of an interrupted one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blis_live::journal::{
    Checksum, Damage, Disk, Entries, Entry, JOURNAL, MANIFEST, RECORD, RealDisk, Replayed, What,
    replay,
};
use blis_live::os_error::unnumbered;
use blis_live::wire::reason::Reasons;
use blis_sim::event::{Outcome, ReplyHeaders};
use blis_sim::measure::Measure;
use blis_sim::result::{self, Live, MANIFEST_SCHEMA, Manifest, Mode, Record, Recovered, Run};
use blis_sim::time::Time;
use blis_sim::trace::Row;
use blis_sim::verdict::LiveEvidence;
use serde_json::Value;

use crate::exit::Failure;
use crate::runs::directory::refuse_file;
use crate::runs::names::{RESULT, SPEC};
use crate::runs::observed::{Besides, conclude_seen};
use crate::workload::{self, LiveWorkload};

/// What a directory holds.
#[derive(Debug)]
pub enum Recorded {
    /// A run that was completed.
    Ended(Box<Finished>),
    /// A run without a result.
    Unfinished(Box<Unfinished>),
}

/// A run with its result.
#[derive(Debug)]
pub struct Finished {
    directory: PathBuf,
    /// The result document as it was written.
    pub document: String,
    /// The same, read.
    pub run: Run,
    /// What describes it, if it is a live one.
    manifest: Option<Manifest>,
}

/// A run of which there is a record and no result.
#[derive(Debug)]
pub struct Unfinished {
    folder: PathBuf,
    manifest: Manifest,
}

/// The entries of a record, with what is needed to understand them.
pub type Opened = (LiveWorkload, Entries<<RealDisk as Disk>::Reader>);

impl Recorded {
    /// What this directory holds, for a command.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it holds no run that can be read.
    pub fn read(directory: &Path, command: &str) -> Result<Recorded, Failure> {
        refuse_file(directory, command)?;
        let folder = directory.join(JOURNAL);
        let unfinished = match folder.is_dir() {
            true => Some(manifest_of(&folder)?),
            false => None,
        };
        let result = directory.join(RESULT);
        let finished = match (&unfinished, result.is_file()) {
            (Some(_), false) => None,
            _ => Some(Finished::read(directory)?),
        };
        Ok(match (unfinished, finished) {
            // The journal of the very run that has ended is a leftover.
            (Some(manifest), finished) => match finished {
                Some(finished) if finished.id() == Some(&manifest.run) => {
                    Recorded::Ended(Box::new(finished))
                }
                _ => Recorded::Unfinished(Box::new(Unfinished { folder, manifest })),
            },
            (None, Some(finished)) => Recorded::Ended(Box::new(finished)),
            (None, None) => return Err(no_run(&result, &"there is none")),
        })
    }

    /// Whether the run is a live one.
    pub fn is_live(&self) -> bool {
        match self {
            Recorded::Unfinished(unfinished) => unfinished.manifest.is_live(),
            Recorded::Ended(finished) => finished.run.mode == result::LIVE,
        }
    }

    /// Opens the rows of the run.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there are none, or when they cannot be read.
    pub fn rows(&self) -> Result<Opened, Failure> {
        match self {
            Recorded::Unfinished(unfinished) => unfinished.entries(),
            Recorded::Ended(finished) => finished.rows(),
        }
    }
}

impl Finished {
    /// Reads the record to its end, where there is one, and holds it against the result.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot be read, or does not have what the result says that it has.
    pub fn check(&self) -> Result<(), Failure> {
        if self.manifest.is_none() {
            return Ok(());
        }
        self.each_row(|_, _, _| ()).map(drop)
    }

    /// Shows every row of the record and the headers of its reply, in the order in which requests ended, with the workload that it is of, which is returned. The
    /// record is held against the result.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is none, when it cannot be read, or does not have what the result says that it has.
    pub fn each_row(
        &self,
        mut see: impl FnMut(&LiveWorkload, &Row, &ReplyHeaders),
    ) -> Result<LiveWorkload, Failure> {
        let (workload, mut entries) = self.rows()?;
        let mut counted = Counted::default();
        for entry in entries.by_ref() {
            let entry = entry?;
            counted.count(&entry);
            if let What::Done(row) = &entry.what {
                see(&workload, row, &entry.headers);
            }
        }
        self.hold_against(&counted, &entries)?;
        Ok(workload)
    }

    /// Holds the entries that were read, all of them, against the result.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the record does not have what the result says that it has.
    pub fn hold_against<R: std::io::Read>(
        &self,
        counted: &Counted,
        entries: &Entries<R>,
    ) -> Result<(), Failure> {
        let Some(record) = &self.run.record else {
            return Ok(());
        };
        match counted.lacks(&self.run, record, entries.damage()) {
            Some(what) => Err(entries.damaged(what).into()),
            None => Ok(()),
        }
    }

    fn read(directory: &Path) -> Result<Finished, Failure> {
        let path = directory.join(RESULT);
        let document = text_of(&path)?;
        let value = of_schema(&path, &document, result::SCHEMA)?;
        let run: Run = serde_json::from_value(value).map_err(|why| no_run(&path, &why))?;
        let manifest = match run.record {
            Some(_) => Some(manifest_of(directory)?),
            None => None,
        };
        Ok(Finished {
            directory: directory.to_owned(),
            document,
            run,
            manifest,
        })
    }

    /// The id of the run, where it has a record.
    fn id(&self) -> Option<&String> {
        Some(&self.run.record.as_ref()?.run)
    }

    /// The file of the spec as the command line named it; `None` for the embedded one.
    pub fn file(&self) -> Option<String> {
        match &self.manifest {
            Some(manifest) => manifest.file.clone(),
            None => Some(self.directory.join(SPEC).display().to_string()),
        }
    }

    fn rows(&self) -> Result<Opened, Failure> {
        let Some(manifest) = &self.manifest else {
            return Err(Failure::Usage(format!(
                "{} holds no rows of requests; run it again with `blis observe --out DIR` or `blis run --out DIR --record`",
                self.directory.display()
            )));
        };
        let workload = workload_of(&self.directory, manifest)?;
        let path = self.directory.join(RECORD);
        let entries = Entries::open(&RealDisk, &[path], id(manifest)?, &workload.model)?;
        Ok((workload, entries))
    }
}

/// A checksum as results have it.
pub fn checksum(of: Checksum) -> String {
    format!("{:08x}", of.value())
}

/// What the entries of a record add up to.
#[derive(Debug, Default)]
pub struct Counted {
    /// Rows of requests.
    pub rows: u64,
    by_outcome: [u64; Outcome::ALL.len()],
    sealed: bool,
    checksum: Checksum,
}

impl Counted {
    /// Counts an entry.
    pub fn count(&mut self, entry: &Entry) {
        match entry.what {
            What::Done(row) => {
                self.rows += 1;
                self.by_outcome[row.outcome as usize] += 1;
            }
            What::Ended(_) => self.sealed = true,
            _ => {}
        }
        self.checksum.keep(entry);
    }

    /// What a record that was read to its end lacks of what its result says.
    fn lacks(&self, run: &Run, record: &Record, damage: Damage) -> Option<String> {
        let unread = |before: &str| match damage.torn_bytes {
            0 => String::new(),
            bytes => format!("{before}{bytes} bytes cannot be read"),
        };
        // Where writing failed, more may be on disk than is known to be.
        let is_more = self.rows > record.rows && record.dropped == 0;
        if self.rows < record.rows || is_more {
            let what = match record.rows.checked_sub(self.rows) {
                Some(missing) => format!("{missing} of {} rows are missing", record.rows),
                None => format!(
                    "it has {} rows, but the result has {}",
                    self.rows, record.rows
                ),
            };
            return Some(what + &unread(", and "));
        }
        match damage.missing {
            0 if damage.torn_bytes == 0 => {}
            0 => return Some(unread("")),
            missing => return Some(format!("{missing} entries are missing{}", unread(", and "))),
        }
        let outcomes = match record.dropped {
            0 => self.other_outcome(run),
            // Where there was no room for an entry, or the disk was full, the rows are not all.
            _ => None,
        };
        outcomes.or_else(|| self.other_entries(record))
    }

    /// The first outcome that the result has more or less often.
    fn other_outcome(&self, run: &Run) -> Option<String> {
        let mut outcomes = Outcome::ALL.into_iter().map(|outcome| {
            let found = self.by_outcome[outcome as usize];
            (outcome.name(), found, run.requests.ended(outcome))
        });
        let (name, found, said) = outcomes.find(|(_, found, said)| found != said)?;
        Some(format!(
            "{found} of its rows are {name}, but the result has {said}"
        ))
    }

    /// Whether the end is missing, or some entry is another one.
    fn other_entries(&self, record: &Record) -> Option<String> {
        if !self.sealed && record.dropped == 0 {
            return Some("its end is missing".to_owned());
        }
        let said = record.checksum.as_ref()?;
        let found = checksum(self.checksum);
        (found != *said)
            .then(|| format!("its checksum is {found}, but the result has {said}: it was changed"))
    }
}

/// What a record that was read to its end has lost, in sentences.
pub fn losses<R: std::io::Read>(rows: u64, entries: &Entries<R>) -> Vec<String> {
    let torn = entries.torn().iter().map(|torn| {
        format!(
            "{} is incomplete from byte {} on; {} bytes are left out",
            torn.path.display(),
            torn.at,
            torn.bytes
        )
    });
    let missing = match entries.damage().missing {
        0 => None,
        missing => Some(format!(
            "{missing} entries are missing from the record: the buffer was full, or they were removed"
        )),
    };
    let mut losses: Vec<String> = torn.chain(missing).collect();
    if !losses.is_empty() {
        losses.push(format!("{rows} rows of the record are kept"));
    }
    losses
}

impl Unfinished {
    fn entries(&self) -> Result<Opened, Failure> {
        let workload = workload_of(&self.folder, &self.manifest)?;
        let run = id(&self.manifest)?;
        let entries = Entries::of_folder(&RealDisk, &self.folder, run, &workload.model)?;
        Ok((workload, entries))
    }

    /// The result as far as the record has it, with the workload and what was lost.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the record cannot be read.
    pub fn result(&self) -> Result<(LiveWorkload, Run, Vec<String>), Failure> {
        let (workload, mut entries) = self.entries()?;
        let mut measure = Measure::new(&workload.model);
        let replayed = replay(&mut entries, &mut measure)?;
        let end = replayed.end;
        measure
            .finish(end.intended)
            .map_err(|why| entries.damaged(format!("its entries contradict one another: {why}")))?;
        let damage = entries.damage();
        let record = Record {
            run: self.manifest.run.clone(),
            rows: replayed.rows,
            dropped: damage.missing,
            checksum: None,
            recovered: Some(Recovered {
                unknown: replayed.unknown,
                torn_bytes: damage.torn_bytes,
            }),
        };
        let (mode, not_measured) = match self.manifest.is_live() {
            true => (self.live(&replayed), &NOT_RECORDED[..]),
            false => (
                Mode::Recorded {
                    simulated: end.at.since(Time::ZERO),
                },
                &[][..],
            ),
        };
        let besides = Besides {
            record: Some(record),
            not_measured: not_measured.iter().copied().map(str::to_owned).collect(),
        };
        let run = conclude_seen(&workload, &measure, end.by, besides, mode);
        let losses = losses(replayed.rows, &entries);
        Ok((workload, run, losses))
    }
}

impl Unfinished {
    /// The live world of a run, as far as the record has it.
    fn live(&self, replayed: &Replayed) -> Mode {
        let manifest = &self.manifest;
        let live = Box::new(Live {
            target: manifest.target.clone(),
            server_version: manifest.server_version.clone().unwrap_or_default(),
            connections: manifest.connections.unwrap_or_default(),
            elapsed_s: replayed.end.at.since(Time::ZERO).as_secs_f64(),
            reasons: named(replayed.reasons),
            incidents: Default::default(),
            messages: Vec::new(),
            generator: None,
            observers: None,
        });
        let evidence = LiveEvidence {
            backlogs: Some(Vec::new()),
            generator_limits: vec![NO_GENERATOR.to_owned()],
            ..LiveEvidence::default()
        };
        Mode::Live { live, evidence }
    }
}

/// Why requests failed, by name.
pub fn named(reasons: Reasons) -> BTreeMap<String, u64> {
    let reasons = reasons.all();
    reasons
        .map(|(why, number)| (why.name().to_owned(), number))
        .collect()
}

/// The text about the generator.
const NO_GENERATOR: &str =
    "The record has no figures of the generator, so the run cannot pass; run it again.";
/// What of a live run is not in its record.
const NOT_RECORDED: [&str; 4] = ["incidents", "messages", "generator", "observers"];

/// The number of a run.
fn id(manifest: &Manifest) -> Result<u64, Failure> {
    u64::from_str_radix(&manifest.run, 16).map_err(|_| {
        Failure::Usage(format!(
            "the manifest has the run id `{}`, which is invalid; restore the manifest that the run wrote",
            manifest.run
        ))
    })
}

/// The workload of a folder, as it was called when it was run.
fn workload_of(folder: &Path, manifest: &Manifest) -> Result<LiveWorkload, Failure> {
    let path = folder.join(SPEC);
    let workload = workload::load_again(&path)?;
    if workload.sha256 != manifest.spec.resolved_sha256 {
        return Err(Failure::Usage(format!(
            "{} is not the spec of the run: its SHA-256 differs from the manifest; restore it",
            path.display()
        )));
    }
    let mut model = workload.model;
    if let Some(found) = manifest.warmup_found_ns {
        model.limits.warmup = Time::from_nanos(found);
    }
    Ok(LiveWorkload {
        model,
        file: manifest.file.clone(),
        sha256: manifest.spec.sha256.clone(),
        configuration: manifest.configuration.clone(),
        ..workload
    })
}

fn manifest_of(folder: &Path) -> Result<Manifest, Failure> {
    let path = folder.join(MANIFEST);
    let text = text_of(&path)?;
    let value = of_schema(&path, &text, MANIFEST_SCHEMA)?;
    serde_json::from_value(value).map_err(|why| no_run(&path, &why))
}

/// What a file says; what is none is not opened, because a pipe would wait for its writer.
fn text_of(path: &Path) -> Result<String, Failure> {
    let found = std::fs::metadata(path).map_err(|why| no_run(path, &why))?;
    if !found.is_file() {
        return Err(no_run(path, &"it is not a file"));
    }
    std::fs::read_to_string(path).map_err(|why| no_run(path, &why))
}

/// A document of a schema.
fn of_schema(path: &Path, text: &str, schema: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|why| no_run(path, &why))?;
    match value["schema"].as_str() {
        Some(found) if found == schema => Ok(value),
        found => {
            let found = found.unwrap_or("nothing");
            let why = format!("has {found} as its schema, where {schema} is expected");
            Err(no_run(path, &why))
        }
    }
}

fn no_run(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!(
        "no run can be read there: {}: {}; name a directory that `blis observe --out` or `blis run --out` wrote",
        path.display(),
        unnumbered(why)
    ))
}
