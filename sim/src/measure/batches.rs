//! The window in batches of equal length, for the intervals of a single run.
//!
//! What had been counted is written down at the end of each batch, so that a batch is the difference of two lines and
//! nothing is added where events are counted. There are at most [`MOST`] full batches: when there would be more,
//! neighbours are merged and the width doubles. All memory is taken at the start.

use crate::measure::sketch::Sketch;
use crate::measure::station::Areas;
use crate::statistics::Section;
use crate::time::{Span, Time};

/// The most full batches; even, because batches are merged in pairs.
const MOST: usize = 20;
/// The fewest full batches that intervals are made from.
pub(super) const LEAST: usize = MOST / 2;
/// From so many batches on two make a section.
const MANY: usize = 15;
/// About the width to begin with.
const FIRST_WIDTH: Span = Span::from_nanos(10_000);
/// Beyond so many cells only the total is kept in sections.
const MOST_SECTIONED: usize = 64;

/// Sums over requests of one cell of a window, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CellSums {
    /// Requests answered `ok` within it.
    pub completed: u64,
    /// Requests that ended, those dropped left out.
    pub judged: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Response times that distributions hold.
    pub held: u64,
    /// Their sum in nanoseconds.
    pub response: u128,
}

impl CellSums {
    fn minus(&self, before: &CellSums) -> CellSums {
        CellSums {
            completed: self.completed - before.completed,
            judged: self.judged - before.judged,
            failed: self.failed - before.failed,
            held: self.held - before.held,
            response: self.response - before.response,
        }
    }

    /// Adds the sums of another.
    pub fn add(&mut self, other: &CellSums) {
        self.completed += other.completed;
        self.judged += other.judged;
        self.failed += other.failed;
        self.held += other.held;
        self.response += other.response;
    }
}

/// Sums over one service in a window, or in a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StationSums {
    /// Time integrals.
    pub areas: Areas,
    /// Visits that came.
    pub visits: u64,
    /// The sum of their times in the line, in nanoseconds.
    pub waited: u128,
}

impl StationSums {
    fn minus(&self, before: &StationSums) -> StationSums {
        StationSums {
            areas: Areas {
                waiting: self.areas.waiting - before.areas.waiting,
                busy: self.areas.busy - before.areas.busy,
                workers: self.areas.workers - before.areas.workers,
            },
            visits: self.visits - before.visits,
            waited: self.waited - before.waited,
        }
    }
}

/// What was counted in a window, or in a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// How long it was.
    pub measured: Span,
    /// By cell, in the order of [`Measure::parts`](super::Measure::parts).
    pub cells: Vec<CellSums>,
    /// By service, in the order of the model.
    pub stations: Vec<StationSums>,
}

/// Lines written down at the ends of batches, and the distributions within them.
#[derive(Debug, Clone)]
pub(super) struct Batches {
    /// Cells and services of a line.
    shape: (usize, usize),
    start: Time,
    width: Span,
    /// Lines written: one for the start, and one for each full batch.
    lines: usize,
    cells: Vec<CellSums>,
    stations: Vec<StationSums>,
    /// Response times by batch, then by cell; a single cell where there are too many.
    sections: Vec<Vec<Sketch>>,
}

impl Batches {
    /// Batches of a window that starts at `start` and cannot last longer than to `latest`.
    pub(super) fn new(start: Time, latest: Option<Time>, cells: usize, stations: usize) -> Batches {
        let sectioned = if cells > MOST_SECTIONED { 1 } else { cells };
        let lines = MOST + 1;
        Batches {
            shape: (cells, stations),
            start,
            width: latest.map_or(FIRST_WIDTH, |latest| first_width(latest.since(start))),
            lines: 0,
            cells: Vec::with_capacity(lines * cells),
            stations: Vec::with_capacity(lines * stations),
            sections: (0..=MOST)
                .map(|_| (0..sectioned).map(|_| Sketch::new()).collect())
                .collect(),
        }
    }

    /// When the next line is due, once the first was written.
    pub(super) fn next_end(&self) -> Time {
        match self.lines {
            0 => Time::NEVER,
            lines => self.end(lines),
        }
    }

    fn end(&self, batches: usize) -> Time {
        let length = self.width.as_nanos().saturating_mul(batches as u64);
        self.start + Span::from_nanos(length)
    }

    /// Whether the next line would be one too many; then neighbours are merged instead.
    pub(super) fn merges(&mut self) -> bool {
        let full = self.lines > MOST;
        if full {
            self.halve();
        }
        full
    }

    /// Writes a line.
    pub(super) fn write(
        &mut self,
        cells: impl Iterator<Item = CellSums>,
        stations: impl Iterator<Item = StationSums>,
    ) {
        self.cells.extend(cells);
        self.stations.extend(stations);
        self.lines += 1;
    }

    /// Adds the response times of a cell that ended since the last time, to the current batch.
    pub(super) fn add(&mut self, cell: usize, recent: &Sketch) {
        let Some(current) = self.lines.checked_sub(1) else {
            return;
        };
        let section = &mut self.sections[current];
        let last = section.len() - 1;
        section[cell.min(last)].add(recent);
    }

    fn halve(&mut self) {
        let (cells, stations) = self.shape;
        keep_every_other(&mut self.cells, cells);
        keep_every_other(&mut self.stations, stations);
        for pair in 0..=MOST / 2 {
            let (left, right) = self.sections.split_at_mut(2 * pair + 1);
            if let Some(right) = right.first_mut() {
                for (mine, others) in left[2 * pair].iter_mut().zip(right) {
                    mine.take(others);
                }
            }
            self.sections.swap(pair, 2 * pair);
        }
        self.lines = MOST / 2 + 1;
        self.width = self.width + self.width;
    }

    fn full(&self) -> usize {
        self.lines.saturating_sub(1)
    }

    /// The batches that the window fell into, given its end and all that was counted by then: each by the lines that
    /// bound it. What is left after the last full batch is one of its own if it is at least half as long, and part of
    /// the last otherwise.
    fn bounds(&self, end: Time) -> Vec<usize> {
        let full = self.full();
        let rest = end.since(self.end(full).min(end));
        let mut bounds: Vec<usize> = (0..=full).collect();
        if rest.as_nanos() < self.width.as_nanos() / 2 {
            bounds.pop();
        }
        bounds
    }

    /// The window in batches, given its end and all that was counted in it; empty where it was too short for
    /// [`LEAST`] of them.
    pub(super) fn all(&self, end: Time, whole: &Sums) -> Vec<Sums> {
        let (cells, stations) = self.shape;
        if self.full() < LEAST {
            return Vec::new();
        }
        let bounds = self.bounds(end);
        let first = |of: &[StationSums]| of[..stations].to_vec();
        let origin = first(&self.stations);
        let line = |number: usize| -> (Vec<CellSums>, Vec<StationSums>) {
            let cells = &self.cells[number * cells..(number + 1) * cells];
            let stations = &self.stations[number * stations..(number + 1) * stations];
            let since = stations.iter().zip(&origin);
            (
                cells.to_vec(),
                since.map(|(now, start)| now.minus(start)).collect(),
            )
        };
        let mut sums = Vec::with_capacity(bounds.len());
        for (position, &from) in bounds.iter().enumerate() {
            let before = line(from);
            let (until, after) = match bounds.get(position + 1) {
                Some(&to) => (self.end(to), line(to)),
                None => (end, (whole.cells.clone(), whole.stations.clone())),
            };
            let cells = after.0.iter().zip(&before.0);
            let stations = after.1.iter().zip(&before.1);
            sums.push(Sums {
                measured: until.since(self.end(from)),
                cells: cells.map(|(now, then)| now.minus(then)).collect(),
                stations: stations.map(|(now, then)| now.minus(then)).collect(),
            });
        }
        sums
    }

    /// For each section, how many response times of these cells it holds and how many of them are above a value, to
    /// the resolution of the sketch. A section is a batch, or two where there are many: what lies far out comes in
    /// clusters, which short sections would cut in two. `None` where there are too few batches, or these cells are not
    /// kept apart.
    pub(super) fn sections(&self, end: Time, cells: &[usize], value: Span) -> Option<Vec<Section>> {
        let all = cells.len() == self.shape.0;
        let apart = self.sections[0].len() == self.shape.0;
        if self.full() < LEAST || !(all || apart) {
            return None;
        }
        let bounds = self.bounds(end);
        let kept: &[usize] = if apart { cells } else { &[0] };
        let size = if bounds.len() >= MANY { 2 } else { 1 };
        let firsts: Vec<usize> = bounds.iter().copied().step_by(size).collect();
        let section = |(position, &from): (usize, &usize)| {
            let next = firsts.get(position + 1).copied().unwrap_or(MOST + 1);
            let parts = self.sections[from..next]
                .iter()
                .flat_map(|section| kept.iter().map(move |&cell| &section[cell]));
            let mut sum = Section { count: 0, above: 0 };
            for part in parts {
                sum.count += part.count();
                sum.above += part.above(value);
            }
            sum
        };
        Some(firsts.iter().enumerate().map(section).collect())
    }
}

/// Keeps the lines 0, 2, 4 and so on of a table.
fn keep_every_other<T: Copy>(table: &mut Vec<T>, line: usize) {
    if line == 0 {
        return;
    }
    let lines = table.len() / line;
    for (to, from) in (0..lines).step_by(2).enumerate() {
        table.copy_within(from * line..(from + 1) * line, to * line);
    }
    table.truncate(lines.div_ceil(2) * line);
}

/// The width of the first batches of a window of this length at most: one that doubles to a [`MOST`]th of it.
fn first_width(longest: Span) -> Span {
    let mut width = longest.as_nanos().div_ceil(MOST as u64).max(1);
    while width > 2 * FIRST_WIDTH.as_nanos() {
        width = width.div_ceil(2);
    }
    Span::from_nanos(width)
}
