//! `blis explain`: where a median and a slow request of a run spent their time.
//!
//! The run is simulated again from its directory, once to find the bands of response times and to check that it is the same
//! run, and once to follow the requests of these bands.

use std::path::{Path, PathBuf};

use blis_live::journal::JOURNAL;
use blis_live::os_error::unnumbered;
use blis_sim::explain::{self, Explain, Explanation, QuantileExplained};
use blis_sim::measure::Measure;
use blis_sim::result::{self, Run};
use blis_sim::spec;
use serde_json::Value;

use crate::cli::{ClientArgs, ExplainArgs, OverrideArgs};
use crate::commands::{Of, present};
use crate::exit::{Done, Failure};
use crate::interrupt::Interrupt;
use crate::progress::RunProgress;
use crate::report;
use crate::runs::directory::refuse_file;
use crate::runs::names::{RESULT, SPEC};
use crate::simulate::{conclude, drive, warm_up};
use crate::workload::{self, Workload};

/// Explains the run and prints where the time went.
///
/// # Errors
/// [`Failure::Usage`] when the directory holds no simulated run, or another spec than the one that was run; those of
/// [`workload::load`]; [`Failure::Output`] when stdout cannot be written.
pub fn execute(args: &ExplainArgs) -> Result<Done, Failure> {
    refuse_file(&args.run, "explain")?;
    let spec = args.run.join(SPEC);
    let load = || {
        let (clients, overrides) = (ClientArgs::default(), OverrideArgs::default());
        workload::load(Some(&spec), &clients, &overrides)
    };
    // Of a run that no simulation could make, that is to be said first.
    let early = spec.is_file().then(load).transpose()?;
    let recorded = Recorded::read(&args.run)?;
    let workload = early.map_or_else(load, Ok)?;
    if recorded.text("/spec/resolved_sha256") != Some(&workload.sha256) {
        return Err(Failure::Usage(format!(
            "{} does not belong to the result beside it: its SHA-256 differs; run the spec again",
            spec.display()
        )));
    }
    let interrupt = Interrupt::listen()?;
    let Some(explanation) = explain(&workload, &recorded, &interrupt, args.progress.quiet)? else {
        return Ok(Done::Interrupted);
    };
    present(
        args.format.chosen(),
        Of::Other,
        || report::explain(&args.run, &explanation),
        || explanation.to_json(),
    )?;
    Ok(Done::Well)
}

/// The explanation; `None` when it is interrupted.
fn explain(
    workload: &Workload,
    recorded: &Recorded,
    interrupt: &Interrupt,
    quiet: bool,
) -> Result<Option<Explanation>, Failure> {
    let mut model = workload.model.clone();
    warm_up(&mut model, &|| interrupt.asked())?;
    let model = &model;
    let stop = || interrupt.asked();
    let cut = recorded.cut()?;
    let mut measure = Measure::new(model);
    let mut progress = RunProgress::new(quiet);
    let ended = drive(model, (&stop, &mut progress), &mut measure, cut)?;
    if interrupt.asked() {
        return Ok(None);
    }
    measure.finish(ended.intended())?;
    let cell = measure.total();
    let targets = explain::targets(cell.window.latencies.response()).ok_or_else(|| {
        Failure::Usage(format!(
            "{} measured no response times; lengthen the run or shorten the warm-up",
            recorded.directory.display()
        ))
    })?;
    let bands = targets.map(|(_, band)| band);
    let mut sink = Explain::new(model, &bands);
    drive(model, (&stop, &mut progress), &mut sink, cut)?;
    if interrupt.asked() {
        return Ok(None);
    }
    let quantiles: Vec<QuantileExplained> = targets
        .iter()
        .zip(sink.bands())
        .map(|((target, _), (band, sums))| explain::quantile(model, *target, *band, sums))
        .collect();
    let again = conclude(workload, model, &measure, ended, None);
    let (reproduced, notes) = recorded.compare(&again)?;
    let sha = spec::sha256(&workload.resolved);
    Ok(Some(explain::document(
        model, sha, reproduced, notes, quantiles,
    )))
}

/// The result of a run directory.
#[derive(Debug)]
struct Recorded {
    directory: PathBuf,
    result: Value,
}

impl Recorded {
    fn read(directory: &Path) -> Result<Recorded, Failure> {
        let path = directory.join(RESULT);
        if !path.exists() && directory.join(JOURNAL).is_dir() {
            return Err(Failure::Usage(format!(
                "{} holds a record, but no result to explain; run the spec again, or read the record with `blis report` \
                 and `blis trace`",
                directory.display()
            )));
        }
        let refuse = |why: &dyn std::fmt::Display| {
            Failure::Usage(format!(
                "{} holds no run to explain: {RESULT} {why}; name a directory that `blis run --out` wrote",
                directory.display()
            ))
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|why| refuse(&format!("cannot be read: {}", unnumbered(&why))))?;
        let result =
            serde_json::from_str(&text).map_err(|why| refuse(&format!("is not JSON: {why}")))?;
        let recorded = Recorded {
            directory: directory.to_owned(),
            result,
        };
        for (pointer, expected) in [("/schema", result::SCHEMA), ("/mode", result::SIMULATED)] {
            let found = recorded.text(pointer);
            if found != Some(expected) {
                if found == Some(result::LIVE) {
                    return Err(Failure::Usage(format!(
                        "{} holds a live run, which shows no times inside the backend; simulate its spec (`blis run \
                         SPEC --out DIR`) and explain that run",
                        directory.display()
                    )));
                }
                let found = found.unwrap_or("nothing");
                let name = &pointer[1..];
                return Err(refuse(&format!(
                    "has {found} as its {name}, where {expected} is expected"
                )));
            }
        }
        let is_counted = recorded
            .result
            .pointer("/events")
            .is_some_and(Value::is_u64);
        if !is_counted && recorded.replications().is_none() {
            return Err(Failure::Usage(format!(
                "{0} holds a trial of a search, which cannot be run again; run its load (`blis run {0}/{SPEC} --out \
                 DIR`) and explain that run. The report of the search shows where the time goes at its answer",
                directory.display()
            )));
        }
        Ok(recorded)
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.result.pointer(pointer)?.as_str()
    }

    /// After how many events the run was interrupted, if it was.
    fn cut(&self) -> Result<Option<u64>, Failure> {
        if self.text("/ended_by") != Some(result::INTERRUPTED) {
            return Ok(None);
        }
        let events = self.result.pointer("/events").and_then(Value::as_u64);
        events.map(Some).ok_or_else(|| {
            Failure::Usage(format!(
                "{} was interrupted, and {RESULT} has no number of events",
                self.directory.display()
            ))
        })
    }

    /// Whether the run came out the same again, and what is to be said of it.
    fn compare(&self, again: &Run) -> Result<(bool, Vec<String>), Failure> {
        // Read as the recorded one was, so that both figures are rounded alike.
        let again: Value = serde_json::from_str(&again.to_json()?)?;
        let (reproduced, mut notes) = match self.replications() {
            Some(count) => self.compare_first(count, &again),
            None => self.compare_all(&again),
        };
        let (then, now) = (self.text("/blis_version"), env!("CARGO_PKG_VERSION"));
        if then != Some(now) {
            let then = then.unwrap_or("an unknown version");
            notes.push(format!("the run was made by blis {then}, this is {now}"));
        }
        Ok((reproduced, notes))
    }

    /// How many replications the run had, if it had several.
    fn replications(&self) -> Option<u64> {
        self.result.pointer("/replications/count")?.as_u64()
    }

    /// Compares the first of several replications, which is the plain run: the document has its means alone.
    fn compare_first(&self, count: u64, again: &Value) -> (bool, Vec<String>) {
        let mut notes = vec![format!(
            "explains the first of {count} replications, which is the run without `--replications`"
        )];
        let told = notes.len();
        let figures = [
            ("throughput_rps", "/throughput_rps"),
            ("response_mean_ms", "/latency_ms/response/mean"),
        ];
        for (figure, pointer) in figures {
            let there = format!("/replications/each/0/{figure}");
            notes.extend(difference(
                &there[1..].replace('/', "."),
                self.result.pointer(&there),
                again.pointer(pointer),
            ));
        }
        (notes.len() == told, notes)
    }

    fn compare_all(&self, again: &Value) -> (bool, Vec<String>) {
        let mut notes = Vec::new();
        for part in ["/requests", "/sessions"] {
            let counts = again.pointer(part).and_then(Value::as_object);
            for name in counts.into_iter().flatten().map(|(name, _)| name) {
                notes.extend(self.difference(&format!("{part}/{name}"), again));
            }
        }
        for figure in ["events", "simulated_s"] {
            notes.extend(self.difference(&format!("/{figure}"), again));
        }
        for figure in ["count", "censored", "mean", "p50", "p99", "max"] {
            notes.extend(self.difference(&format!("/latency_ms/response/{figure}"), again));
        }
        (notes.is_empty(), notes)
    }

    fn difference(&self, pointer: &str, again: &Value) -> Option<String> {
        let name = pointer[1..].replace('/', ".");
        difference(&name, self.result.pointer(pointer), again.pointer(pointer))
    }
}

fn difference(name: &str, then: Option<&Value>, now: Option<&Value>) -> Option<String> {
    let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
    (then != now).then(|| format!("{name} was {} and is now {}", shown(then), shown(now)))
}
