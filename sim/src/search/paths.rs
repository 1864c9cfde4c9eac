//! Sample paths of a model, run on all cores, and trials made of them.
//!
//! A path is identified by its number: the same number gives the same random numbers at every load, and in every search with
//! the same seed.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::measure::Measure;
use crate::model::Model;
use crate::replication::{Finished, Flow, Halt, Outgrown, finished, in_order, seed_of};
use crate::runner::{Epoch, Ran};
use crate::search::eyes::{Counts, Eyes};
use crate::search::length::Length;
use crate::search::roots::Stage;
use crate::search::{Counted, Judged, Look, Trial, judged};
use crate::simulation::{Progress, Simulation};
use crate::verdict::{LiveEvidence, Parts, Signal, add_path, evidence};

/// Events between two looks at a path: a few milliseconds' worth.
const STRIDE: u64 = 1 << 16;

/// The numbers of sample paths begin here, by stage: those of one are never those of another.
fn first_path(stage: Stage) -> u64 {
    match stage {
        Stage::Main => 0,
        Stage::Pilot => 1 << 40,
        Stage::Answer => 1 << 41,
    }
}

/// A path that was run.
pub(super) struct Path {
    signals: Vec<Signal>,
    /// Whether it was ended because of what was over the limits that the search looks at.
    cut: bool,
    /// Where memory ended it.
    outgrown: Option<Outgrown>,
    finished: Finished,
}

/// Which paths are run.
pub(super) struct Wanted<'a> {
    pub(super) stage: Stage,
    pub(super) numbers: Range<u64>,
    pub(super) threads: NonZeroUsize,
    /// The objectives that the search looks at.
    pub(super) counts: Counts<'a>,
}

/// Runs paths; `None` when they are told to stop.
///
/// # Errors
/// The [`Halt`] of the first that has one.
pub(super) fn run(
    model: &Model,
    wanted: &Wanted<'_>,
    eyes: Eyes<'_>,
    see: &mut dyn FnMut(u64),
) -> Result<Option<Vec<Path>>, Halt> {
    let Range { start, end } = wanted.numbers;
    let first = first_path(wanted.stage) + start;
    let job = |number: u64, unwanted: &AtomicBool| {
        let mut path = model.clone();
        path.seed = seed_of(model.seed, first + number);
        let stop =
            || (eyes.watch.stop)() || (eyes.time_is_up)() || unwanted.load(Ordering::Relaxed);
        run_path(&path, wanted.counts, &stop, eyes.watch.most_present)
    };
    let mut paths = Vec::new();
    let mut halted = None;
    let mut stopped = false;
    in_order(
        end - start,
        wanted.threads,
        job,
        |number, path| match path {
            Ok(Some(path)) => {
                paths.push(path);
                see(number + 1);
                Flow::GoOn
            }
            Ok(None) => {
                stopped = true;
                Flow::Stop
            }
            Err(halt) => {
                halted = Some(halt);
                Flow::Stop
            }
        },
    );
    match halted {
        Some(halt) => Err(halt),
        None => Ok((!stopped).then_some(paths)),
    }
}

/// Runs one path, until its load is over or so many samples are over a limit that the rest does not matter.
fn run_path(
    model: &Model,
    counts: Counts<'_>,
    stop: &dyn Fn() -> bool,
    most_present: u64,
) -> Result<Option<Path>, Halt> {
    let mut simulation = Simulation::new(model, Measure::new(model));
    let (mut cut, mut outgrown) = (false, None);
    while simulation.advance(STRIDE)? == Progress::Running {
        let present = simulation.present() as u64;
        if stop() {
            return Ok(None);
        }
        let signals = signals(model, simulation.sink());
        let mut counted = signals.iter().filter(|signal| counts(signal));
        if present > most_present {
            outgrown = Some(Outgrown::of(&simulation));
            cut = true;
            simulation.interrupt();
        } else if counted.any(|signal| Counted::of(signal).is_hopeless()) {
            cut = true;
            simulation.interrupt();
        }
    }
    let finished = finished(simulation)?;
    Ok(Some(Path {
        signals: signals(model, &finished.measure),
        cut,
        outgrown,
        finished,
    }))
}

fn signals(model: &Model, measure: &Measure) -> Vec<Signal> {
    let evidence = evidence(model, measure, false, &LiveEvidence::default());
    evidence.map_or(Vec::new(), |evidence| evidence.signals)
}

/// What is the same for all paths of a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    pub(super) stage: Stage,
    pub(super) load: f64,
    pub(super) length: Length,
}

/// The trials of a search, each of which may still get more paths.
pub(super) struct Trials<'a> {
    /// The objectives that they are judged by.
    judged_by: Counts<'a>,
    kept: Vec<Kept>,
}

impl<'a> Trials<'a> {
    /// None yet, to be judged by these objectives.
    pub(super) fn new(judged_by: Counts<'a>) -> Trials<'a> {
        Trials {
            judged_by,
            kept: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.kept.len()
    }

    /// What the paths of these numbers counted in a trial of this kind against the objectives that are looked at, as far as
    /// they were run; nothing where one of them was cut.
    pub(super) fn counted(
        &self,
        kind: Kind,
        numbers: Range<u64>,
        counts: Counts<'_>,
    ) -> Vec<Vec<Counted>> {
        let position = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (start, end) = (position(numbers.start), position(numbers.end));
        let known = self.kept.iter().filter(|kept| kept.kind == kind);
        let known = known.filter_map(|kept| {
            let paths = kept.paths.get(start..end.min(kept.paths.len()))?;
            paths
                .iter()
                .map(Option::as_deref)
                .collect::<Option<Vec<&[Signal]>>>()
        });
        let most = known.max_by_key(Vec::len).unwrap_or_default();
        let counted = most.into_iter().map(|signals| against(signals, counts));
        counted.collect()
    }

    /// The loads of trials of the pilot whose paths were all run to their end, and what these counted.
    pub(super) fn pilots(&self, counts: Counts<'_>) -> Vec<(f64, Vec<Vec<Counted>>)> {
        let pilots = self
            .kept
            .iter()
            .filter(|kept| kept.kind.stage == Stage::Pilot);
        let whole = pilots.filter_map(|kept| {
            let signals: Option<Vec<&Vec<Signal>>> =
                kept.paths.iter().map(Option::as_ref).collect();
            let counted = signals?.into_iter().map(|signals| against(signals, counts));
            Some((kept.kind.load, counted.collect()))
        });
        whole.collect()
    }

    /// Adds paths, the first of which has this number, to a trial of their kind that has those before; or it is a new one.
    pub(super) fn add(&mut self, model: &Model, kind: Kind, first: u64, paths: Vec<Path>) {
        let epoch = Epoch::of(u32::try_from(self.kept.len()).unwrap_or(u32::MAX));
        let goes_on = |kept: &&mut Kept| kept.kind == kind && kept.paths.len() as u64 == first;
        match self.kept.iter_mut().find(goes_on) {
            Some(kept) => kept.add(model, paths, self.judged_by),
            None => {
                let new = Kept::new(model, kind, epoch, paths, self.judged_by);
                self.kept.extend(new);
            }
        }
    }

    /// All of them, in the order in which they began.
    pub(super) fn into_trials(self) -> Vec<Trial> {
        self.kept.into_iter().map(|kept| kept.trial).collect()
    }
}

/// What signals counted against the objectives that are looked at.
pub(super) fn against(signals: &[Signal], counts: Counts<'_>) -> Vec<Counted> {
    let looked_at = signals.iter().filter(|signal| counts(signal));
    looked_at.map(Counted::of).collect()
}

impl Path {
    /// What it counted against the objectives that are looked at.
    pub(super) fn counted(&self, counts: Counts<'_>) -> Vec<Counted> {
        match self.outgrown {
            None => against(&self.signals, counts),
            Some(_) => {
                let looked_at = self.signals.iter().filter(|signal| counts(signal));
                looked_at.map(Counted::outgrown).collect()
            }
        }
    }

    /// What it counted, for whoever looks at other objectives; nothing of one that was cut.
    fn whole(&self) -> Option<Vec<Signal>> {
        (!self.cut).then(|| self.signals.clone())
    }
}

/// A trial that may still get more paths.
struct Kept {
    kind: Kind,
    trial: Trial,
    parts: Vec<Parts>,
    /// By path: what it counted; `None` of one that was cut.
    paths: Vec<Option<Vec<Signal>>>,
    /// The first that memory ended.
    outgrown: Option<Outgrown>,
}

impl Kept {
    /// A trial of these paths; `None` without one.
    fn new(
        model: &Model,
        kind: Kind,
        epoch: Epoch,
        paths: Vec<Path>,
        counts: Counts<'_>,
    ) -> Option<Kept> {
        let mut paths = paths.into_iter();
        let first = paths.next()?;
        let of_first = vec![first.whole()];
        let outgrown = first.outgrown;
        let ran = Ran::simulated(epoch, first.finished);
        let mut parts = Vec::new();
        add_path(&mut parts, &ran.measure);
        let trial = Trial {
            load: kind.load,
            paths: 1,
            judged: judged_by(model, &ran.measure, &parts, counts),
            ran,
        };
        let mut kept = Kept {
            kind,
            trial,
            parts,
            paths: of_first,
            outgrown,
        };
        kept.add(model, paths.collect(), counts);
        Some(kept)
    }

    /// Adds paths.
    fn add(&mut self, model: &Model, paths: Vec<Path>, counts: Counts<'_>) {
        let Kept { trial, parts, .. } = self;
        for path in paths {
            self.paths.push(path.whole());
            self.outgrown = self.outgrown.or(path.outgrown);
            let finished = path.finished;
            add_path(parts, &finished.measure);
            trial.ran.measure.merge(&finished.measure);
            trial.ran.intended += finished.intended;
            trial.ran.ended_at += finished.simulated;
            trial.paths += 1;
        }
        let judged = judged_by(model, &trial.ran.measure, parts, counts);
        trial.judged = match self.outgrown {
            Some(outgrown) => judged.outgrown(outgrown),
            None => judged,
        };
    }
}

/// How a trial is judged by some of its objectives. The parts are in the order of all of them.
fn judged_by(model: &Model, measure: &Measure, parts: &[Parts], counts: Counts<'_>) -> Judged {
    let evidence = evidence(model, measure, false, &LiveEvidence::default());
    let mut evidence = evidence.unwrap_or_default();
    let pairs = evidence.signals.iter().zip(parts);
    let parts = pairs.filter(|(signal, _)| counts(signal));
    let parts: Vec<Parts> = parts.map(|(_, part)| part.clone()).collect();
    evidence.signals.retain(|signal| counts(signal));
    judged(&evidence, &parts, Look::FIRST)
}
