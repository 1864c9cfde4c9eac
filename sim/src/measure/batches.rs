//! The window in batches of equal length, for the intervals of a single run.
//!
//! What had been counted is written down at the end of each batch, so that a batch is the difference of two lines and
//! nothing is added where events are counted. There are at most [`MOST`] full batches: when there would be more,
//! neighbours are merged and the width doubles. All memory is taken at the start.

use crate::measure::consumer::BacklogAreas;
use crate::measure::latency::Times;
use crate::measure::sketch::Sketch;
use crate::measure::station::Areas;
use crate::statistics::Section;
use crate::time::{Span, Time};

/// The most full batches; even, because batches are merged in pairs.
const MOST: usize = 20;
/// The fewest full batches that intervals are made from.
pub(super) const LEAST: usize = MOST / 2;
/// From this many full batches on two make one.
const MANY: usize = 15;
/// About the width to begin with.
const FIRST_WIDTH: Span = Span::from_nanos(10_000);
/// Beyond this many cells only the total is kept in sections.
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
            areas: self.areas.minus(&before.areas),
            visits: self.visits - before.visits,
            waited: self.waited - before.waited,
        }
    }
}

/// Times by their number and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeSums {
    /// How many.
    pub count: u64,
    /// Their sum in nanoseconds.
    pub sum: u128,
}

impl TimeSums {
    pub(super) fn of(times: &Times) -> TimeSums {
        TimeSums {
            count: times.count(),
            sum: times.sum_nanos(),
        }
    }

    fn minus(&self, before: &TimeSums) -> TimeSums {
        TimeSums {
            count: self.count - before.count,
            sum: self.sum - before.sum,
        }
    }
}

/// Sums over one consumer in a window, or in a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerSums {
    /// Time integrals.
    pub areas: BacklogAreas,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Times to the first delivery.
    pub waits: TimeSums,
    /// Times to the acknowledgement.
    pub ages: TimeSums,
}

impl ConsumerSums {
    fn minus(&self, before: &ConsumerSums) -> ConsumerSums {
        ConsumerSums {
            areas: BacklogAreas {
                pending: self.areas.pending - before.areas.pending,
                ack_pending: self.areas.ack_pending - before.areas.ack_pending,
            },
            acknowledged: self.acknowledged - before.acknowledged,
            waits: self.waits.minus(&before.waits),
            ages: self.ages.minus(&before.ages),
        }
    }
}

/// Sums over one fan-out in a window, or in a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FanOutSums {
    /// Subscribers that messages were meant for.
    pub subscribers: u64,
    /// Subscribers reached in time.
    pub in_time: u64,
    /// Times to the first, the last and all deliveries.
    pub times: [TimeSums; 3],
}

impl FanOutSums {
    fn minus(&self, before: &FanOutSums) -> FanOutSums {
        FanOutSums {
            subscribers: self.subscribers - before.subscribers,
            in_time: self.in_time - before.in_time,
            times: [0, 1, 2].map(|at| self.times[at].minus(&before.times[at])),
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
    /// By consumer, in the order of the model.
    pub consumers: Vec<ConsumerSums>,
    /// By fan-out, in the order of the model.
    pub fan_outs: Vec<FanOutSums>,
}

/// How many of each there are in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineLayout {
    pub(super) objectives: usize,
    pub(super) cells: usize,
    pub(super) stations: usize,
    pub(super) consumers: usize,
    pub(super) fan_outs: usize,
}

/// Lines written down at the ends of batches, and the distributions within them.
#[derive(Debug, Clone)]
pub(super) struct Batches {
    shape: LineLayout,
    start: Time,
    width: Span,
    /// Lines written: one for the start, and one for each full batch.
    lines: usize,
    cells: Vec<CellSums>,
    stations: Vec<StationSums>,
    consumers: Vec<ConsumerSums>,
    fan_outs: Vec<FanOutSums>,
    /// The counts against each objective.
    objectives: Vec<Section>,
    /// Response times by batch, then by cell; a single cell where there are too many.
    sections: Vec<Vec<Sketch>>,
}

impl Batches {
    /// Batches of a window that starts at `start` and cannot last longer than to `latest`.
    pub(super) fn new(start: Time, latest: Option<Time>, shape: LineLayout) -> Batches {
        let sectioned = if shape.cells > MOST_SECTIONED {
            1
        } else {
            shape.cells
        };
        let lines = MOST + 1;
        Batches {
            shape,
            start,
            width: latest.map_or(FIRST_WIDTH, |latest| first_width(latest.since(start))),
            lines: 0,
            cells: Vec::with_capacity(lines * shape.cells),
            stations: Vec::with_capacity(lines * shape.stations),
            consumers: Vec::with_capacity(lines * shape.consumers),
            fan_outs: Vec::with_capacity(lines * shape.fan_outs),
            objectives: Vec::with_capacity(lines * shape.objectives),
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
        consumers: impl Iterator<Item = ConsumerSums>,
        fan_outs: impl Iterator<Item = FanOutSums>,
    ) {
        self.cells.extend(cells);
        self.stations.extend(stations);
        self.consumers.extend(consumers);
        self.fan_outs.extend(fan_outs);
        self.lines += 1;
    }

    /// Adds what was counted against the next objective to the line that was just written.
    pub(super) fn write_objective(&mut self, counted: Section) {
        self.objectives.push(counted);
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
        let shape = self.shape;
        keep_every_other(&mut self.cells, shape.cells);
        keep_every_other(&mut self.stations, shape.stations);
        keep_every_other(&mut self.consumers, shape.consumers);
        keep_every_other(&mut self.fan_outs, shape.fan_outs);
        keep_every_other(&mut self.objectives, shape.objectives);
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

    /// The batches that the window fell into, given its end: each by the line that it starts with. Two make one where
    /// there are many: what is out of the ordinary comes in clusters, which short batches would cut in two. What is left
    /// after the last of them is one of its own if it is at least half as long, and part of the last otherwise.
    fn bounds(&self, end: Time) -> Vec<usize> {
        let size = if self.full() >= MANY { 2 } else { 1 };
        self.bounds_of(end, size)
    }

    /// The same, where this many batches make one.
    fn bounds_of(&self, end: Time, size: usize) -> Vec<usize> {
        let full = self.full();
        let mut bounds: Vec<usize> = (0..=full).step_by(size).collect();
        let last = bounds.last().copied().unwrap_or(0);
        let rest = end.since(self.end(last).min(end));
        if rest.as_nanos() < size as u64 * self.width.as_nanos() / 2 {
            bounds.pop();
        }
        bounds
    }

    /// The window in batches, given its end and all that was counted in it; empty where it was too short for
    /// [`LEAST`] of them.
    pub(super) fn all(&self, end: Time, whole: &Sums) -> Vec<Sums> {
        if self.full() < LEAST {
            return Vec::new();
        }
        let bounds = self.bounds(end);
        let origin = self.line(0);
        let since_start = |number: usize| since(self.line(number), &origin, Span::ZERO);
        let mut sums = Vec::with_capacity(bounds.len());
        for (position, &from) in bounds.iter().enumerate() {
            let (until, after) = match bounds.get(position + 1) {
                Some(&to) => (self.end(to), since_start(to)),
                None => (end, whole.clone()),
            };
            let measured = until.since(self.end(from));
            sums.push(since(after, &since_start(from), measured));
        }
        sums
    }

    /// A line as it was written: integrals of services and consumers from the start of the run.
    fn line(&self, number: usize) -> Sums {
        Sums {
            measured: Span::ZERO,
            cells: of_line(&self.cells, self.shape.cells, number),
            stations: of_line(&self.stations, self.shape.stations, number),
            consumers: of_line(&self.consumers, self.shape.consumers, number),
            fan_outs: of_line(&self.fan_outs, self.shape.fan_outs, number),
        }
    }

    /// For each batch, how many response times of these cells ended in it and how many of them are above a value, to
    /// the resolution of the sketch. `None` where there are too few batches, or these cells are not kept apart.
    pub(super) fn sections(&self, end: Time, cells: &[usize], value: Span) -> Option<Vec<Section>> {
        self.sections_of(cells, value, &self.bounds(end))
    }

    /// The same of the finest batches.
    pub(super) fn fine_sections(
        &self,
        end: Time,
        cells: &[usize],
        value: Span,
    ) -> Option<Vec<Section>> {
        self.sections_of(cells, value, &self.bounds_of(end, 1))
    }

    /// For each of the finest batches, how many response times of these cells ended in it, and their quantile to the
    /// resolution of the sketch; `None` where one of them has none, there are too few batches, or these cells are not kept
    /// apart.
    pub(super) fn fine_quantiles(
        &self,
        end: Time,
        cells: &[usize],
        quantile: f64,
    ) -> Option<Vec<(u64, Span)>> {
        let of_each = self.sketches(cells, &self.bounds_of(end, 1))?;
        let merged = of_each.into_iter().map(|sketches| {
            let mut sum = Sketch::new();
            sketches.into_iter().for_each(|sketch| sum.add(sketch));
            Some((sum.count(), sum.quantile(quantile)?))
        });
        merged.collect()
    }

    fn sections_of(&self, cells: &[usize], value: Span, bounds: &[usize]) -> Option<Vec<Section>> {
        let of_each = self.sketches(cells, bounds)?;
        let section = |sketches: Vec<&Sketch>| Section {
            count: sketches.iter().map(|sketch| sketch.count()).sum(),
            above: sketches.iter().map(|sketch| sketch.above(value)).sum(),
        };
        Some(of_each.into_iter().map(section).collect())
    }

    /// The sketches of these cells by batch. `None` where there are too few batches, or these cells are not kept apart.
    fn sketches(&self, cells: &[usize], bounds: &[usize]) -> Option<Vec<Vec<&Sketch>>> {
        let all = cells.len() == self.shape.cells;
        let apart = self.sections[0].len() == self.shape.cells;
        if self.full() < LEAST || !(all || apart) {
            return None;
        }
        let kept: &[usize] = if apart { cells } else { &[0] };
        let of_batch = |(position, &from): (usize, &usize)| {
            let next = bounds.get(position + 1).copied().unwrap_or(MOST + 1);
            let sections = self.sections[from..next].iter();
            let sketches = sections.flat_map(|section| kept.iter().map(|&cell| &section[cell]));
            sketches.collect()
        };
        Some(bounds.iter().enumerate().map(of_batch).collect())
    }
}

impl Batches {
    /// The counts against each objective in the finest batches, given the end of the window and all that was counted
    /// in it; empty where it was too short for [`LEAST`] of them.
    pub(super) fn objectives(&self, end: Time, whole: &[Section]) -> Vec<Vec<Section>> {
        if self.full() < LEAST {
            return Vec::new();
        }
        let bounds = self.bounds_of(end, 1);
        let number = self.shape.objectives;
        let of_each = whole.iter().enumerate().map(|(of, whole)| {
            let lines = bounds
                .iter()
                .map(|line| self.objectives[line * number + of]);
            let mut lines: Vec<Section> = lines.chain([*whole]).collect();
            // Deliveries of requests that have not ended yet came before they were to come: what is missing for a while is
            // not what is missing in the end.
            for at in (1..lines.len()).rev() {
                lines[at - 1].above = lines[at - 1].above.min(lines[at].above);
            }
            let batch = |pair: &[Section]| Section {
                count: pair[1].count - pair[0].count,
                above: pair[1].above - pair[0].above,
            };
            lines.windows(2).map(batch).collect()
        });
        of_each.collect()
    }
}

fn of_line<T: Copy>(table: &[T], width: usize, number: usize) -> Vec<T> {
    table[number * width..(number + 1) * width].to_vec()
}

/// What was counted between two lines, which are so far apart.
fn since(after: Sums, before: &Sums, measured: Span) -> Sums {
    fn each<T>(after: &[T], before: &[T], minus: impl Fn(&T, &T) -> T) -> Vec<T> {
        let pairs = after.iter().zip(before);
        pairs.map(|(now, then)| minus(now, then)).collect()
    }
    Sums {
        measured,
        cells: each(&after.cells, &before.cells, CellSums::minus),
        stations: each(&after.stations, &before.stations, StationSums::minus),
        consumers: each(&after.consumers, &before.consumers, ConsumerSums::minus),
        fan_outs: each(&after.fan_outs, &before.fan_outs, FanOutSums::minus),
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
