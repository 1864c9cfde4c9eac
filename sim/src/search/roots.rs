//! Which sample paths to simulate next, until the ceiling is known well enough: a pure state machine.
//!
//! A few short paths find about where the ceiling is (the pilot). Then R longer ones, with random numbers of their own,
//! are run at that load and at one or two more, until the root of their [`Curve`] lies close to loads that were run; and
//! more paths at those loads until its interval is narrow enough. Few loads and many paths: that is where the precision
//! of a root comes from, while a bisection spends all its runs but the last on loads whose answer is plain. It ends
//! after [`MOST_TRIALS`] asks at most.

use std::ops::Range;

use crate::search::Direction;
use crate::search::axis::Axis;
use crate::search::counted::Counted;
use crate::search::curve::{Curve, Estimate, Root};

/// The most that is asked for.
pub const MOST_TRIALS: usize = 100;
/// Paths of the pilot.
const PILOT_PATHS: u64 = 4;
/// Paths to begin with. Student's interval takes 10 at least.
const FIRST_PATHS: u64 = 24;
/// Paths of the answer, where none of the main stage was run there: what is measured beside it takes no more.
const ANSWER_PATHS: u64 = 10;
/// The pilot ends when its bounds are so close.
const PILOT_WIDTH: f64 = 0.08;
/// Or in margins, of loads that are further apart than the precision.
const PILOT_APART: f64 = 3.0;
/// The first step of the pilot, where there are no bounds, and the largest.
const STEPS: [f64; 2] = [0.4, 1.4];
/// How far beyond the first load is looked where no range is given: a factor of a million to either side.
const REACH: f64 = 13.8;
/// Margins so far apart are not joined by a line unless the loads are close.
const STEEP: f64 = 1.5;
/// A margin that is close to the root.
const NEAR: f64 = 0.5;
/// The most that half an interval may be in units of margins: beyond, so few samples were over a limit that their spread
/// says little.
const TELLING: f64 = 0.5;
/// A jump of margins between loads whose distance is this part of the precision is a cliff.
const CLIFF: f64 = 2.0;
/// Loads whose distance is this part of the precision are as close as it helps.
const CLOSE: f64 = 8.0;
/// How often the main stage is begun again.
const MOST_BEGUN: usize = 2;
/// How many more paths than were found to be needed.
const SPARE: f64 = 1.15;

/// What is wanted of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// The load to begin with.
    pub start: f64,
    /// The loads to look between.
    pub range: Option<[f64; 2]>,
    /// Half the width of the interval as a share of the answer.
    pub precision: f64,
    /// The most paths.
    pub most_paths: u64,
}

impl Wanted {
    /// Paths to begin with: an interval takes two.
    fn first_paths(&self) -> u64 {
        FIRST_PATHS.min(self.most_paths.max(2))
    }
}

/// Which part of the search a trial belongs to. Each has sample paths of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// About where the ceiling is.
    Pilot,
    /// Where exactly.
    Main,
    /// What is measured at the answer.
    Answer,
}

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The load.
    pub load: f64,
    /// On whose behalf.
    pub stage: Stage,
    /// Along these paths.
    pub paths: Range<u64>,
    /// Whether loads on both sides of it were run by this stage.
    pub between: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A root.
    Root {
        /// The largest load that exists and is no harder than the root.
        answer: f64,
        /// The root and its interval.
        estimate: Estimate,
        /// The positions that it lies between, where objectives are kept at one and missed by far at the other.
        cliff: Option<[f64; 2]>,
        /// Whether the interval is narrow enough.
        precise: bool,
    },
    /// This load, the end of the range, keeps the objectives.
    AtLeast(f64),
    /// This load, the other end, misses them.
    NonePassed(f64),
    /// No root was told within the trials there are.
    Unclear,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// This is to be simulated.
    Run(Ask),
    /// That was all.
    Done(Outcome),
}

/// The search.
#[derive(Debug, Clone)]
pub struct Roots {
    axis: Axis,
    wanted: Wanted,
    /// The ends of the range, as positions.
    ends: [f64; 2],
    pilot: Curve,
    main: Curve,
    stage: Stage,
    /// How many paths the main stage takes.
    paths: u64,
    /// Where they are run.
    active: Vec<f64>,
    asked: usize,
    /// How often the main stage was begun again.
    begun: usize,
    outcome: Option<Outcome>,
}

impl Roots {
    /// A search that has not begun.
    pub fn new(axis: Axis, wanted: Wanted) -> Roots {
        let start = axis.position(wanted.start);
        let ends = match wanted.range {
            Some(range) => {
                let [one, other] = range.map(|load| axis.position(load));
                [one.min(other), one.max(other)]
            }
            None => [start - REACH, start + REACH],
        };
        // There is no whole load below 1.
        let ends = match (axis.whole, axis.direction) {
            (true, Direction::Rising) => [ends[0].max(0.0), ends[1]],
            (true, Direction::Falling) => [ends[0], ends[1].min(0.0)],
            (false, _) => ends,
        };
        // Only loads that exist are run, and the ends are among them.
        let ends = ends.map(|end| axis.position(axis.load(end)));
        Roots {
            axis,
            wanted,
            ends,
            pilot: Curve::new(axis),
            main: Curve::new(axis),
            stage: Stage::Pilot,
            paths: wanted.first_paths(),
            active: Vec::new(),
            asked: 0,
            begun: 0,
            outcome: None,
        }
    }

    /// What follows from what is known.
    pub fn follows(&mut self) -> Next {
        if self.asked >= MOST_TRIALS {
            return Next::Done(self.outcome.clone().unwrap_or(Outcome::Unclear));
        }
        let next = match self.stage {
            Stage::Pilot => self.pilot(),
            Stage::Main => self.main(),
            Stage::Answer => Next::Done(self.outcome.clone().unwrap_or(Outcome::Unclear)),
        };
        if let Next::Run(_) = next {
            self.asked += 1;
        }
        next
    }

    /// Begins the main stage again at a load, because its paths had the wrong length; false where that was done too often.
    pub fn begin_again(&mut self, load: f64) -> bool {
        if self.begun >= MOST_BEGUN {
            return false;
        }
        self.begun += 1;
        self.main = Curve::new(self.axis);
        self.paths = self.wanted.first_paths();
        self.active = vec![self.axis.position(load)];
        true
    }

    /// What the paths of an ask counted, in their order.
    pub fn take(&mut self, ask: &Ask, counted: Vec<Vec<Counted>>) {
        let position = self.axis.position(ask.load);
        match ask.stage {
            Stage::Pilot => self.pilot.add(position, counted),
            Stage::Main => self.main.add(position, counted),
            Stage::Answer => {}
        }
    }

    /// The loads so far that kept the objectives and that missed them, closest to one another: of the main paths where
    /// there are any.
    pub fn bounds(&self) -> [Option<f64>; 2] {
        let main = bounds(&self.main);
        let found = match main {
            [None, None] => bounds(&self.pilot),
            some => some,
        };
        found.map(|position| position.map(|position| self.axis.load(position)))
    }

    fn pilot(&mut self) -> Next {
        let [lower, upper] = bounds(&self.pilot);
        let tried = self.pilot.positions().count() as i32 - 1;
        let [first, most] = STEPS;
        let step = (first * f64::from(1 << tried.clamp(0, 8))).min(most);
        let at = match (lower, upper) {
            (None, None) => Some(self.axis.position(self.wanted.start)),
            (Some(lower), None) if lower < self.ends[1] => Some(lower + step),
            (None, Some(upper)) if upper > self.ends[0] => Some(upper - step),
            (Some(lower), Some(upper)) if self.is_wide(lower, upper) => {
                Some(self.between(&self.pilot, lower, upper))
            }
            _ => None,
        };
        let within = at.map(|at| self.axis.load(at.clamp(self.ends[0], self.ends[1])));
        let new = within.filter(|load| self.pilot.paths_at(self.axis.position(*load)) == 0);
        match new {
            Some(load) => self.ask(load, Stage::Pilot, 0..PILOT_PATHS),
            None => {
                self.stage = Stage::Main;
                let first = match (self.pilot.root(), lower, upper) {
                    (Root::At(root), Some(lower), Some(upper)) => root.clamp(lower, upper),
                    (_, Some(lower), Some(upper)) => (lower + upper) / 2.0,
                    (_, one, other) => one.or(other).unwrap_or(self.ends[0]),
                };
                self.active = vec![self.axis.position(self.axis.load(first))];
                self.main()
            }
        }
    }

    /// Whether the bounds of the pilot are so far apart, in loads or in margins, that paths of one length do not suit both.
    fn is_wide(&self, lower: f64, upper: f64) -> bool {
        let width = upper - lower;
        let apart = match (self.pilot.margin(lower), self.pilot.margin(upper)) {
            (Some(low), Some(high)) => high - low,
            _ => f64::INFINITY,
        };
        width > PILOT_WIDTH || (apart > PILOT_APART && width > self.wanted.precision)
    }

    /// A position between two bounds: where the curve says that the root is, but well within them.
    fn between(&self, curve: &Curve, lower: f64, upper: f64) -> f64 {
        let width = upper - lower;
        let steep = match (curve.margin(lower), curve.margin(upper)) {
            (Some(low), Some(high)) => high - low > 2.0 * STEEP,
            _ => true,
        };
        let inner = if steep { 0.3 } else { 0.1 };
        match curve.root() {
            Root::At(root) => root.clamp(lower + inner * width, upper - inner * width),
            Root::Before | Root::Beyond => lower + width / 2.0,
        }
    }

    fn main(&mut self) -> Next {
        if let Some(missing) = self.missing() {
            return missing;
        }
        if let Some(further) = self.main.wants().filter(|further| *further <= self.ends[1]) {
            return self.look(further);
        }
        let (first, last) = {
            let mut positions = self.main.positions();
            let first = positions.next().unwrap_or(self.ends[0]);
            (first, positions.next_back().unwrap_or(first))
        };
        match self.main.root() {
            Root::Before if first <= self.ends[0] => {
                self.done(Outcome::NonePassed(self.axis.load(first)))
            }
            Root::Before => self.look(first - self.widened(first, last)),
            Root::Beyond if last >= self.ends[1] => {
                self.done(Outcome::AtLeast(self.axis.load(last)))
            }
            Root::Beyond => self.look(last + self.widened(first, last)),
            Root::At(root) if root < self.ends[0] => match first <= self.ends[0] {
                true => self.done(Outcome::NonePassed(self.axis.load(first))),
                false => self.look(self.ends[0]),
            },
            Root::At(root) if root > self.ends[1] => match last >= self.ends[1] {
                true => self.done(Outcome::AtLeast(self.axis.load(last))),
                false => self.look(self.ends[1]),
            },
            Root::At(root) => match self.unsettled(root) {
                Some(at) => self.look(at),
                None => self.settled(root),
            },
        }
    }

    /// How far to look beyond all that was tried: from a single load by how steep the pilot was.
    fn widened(&self, first: f64, last: f64) -> f64 {
        let precision = self.wanted.precision;
        let steepness = steepness(&self.pilot, first);
        if first == last && steepness > 0.0 {
            let margin = self.main.margin(first).unwrap_or(0.0).abs();
            return (STEEP * margin / steepness).clamp(precision / 2.0, STEPS[0]);
        }
        (2.0 * (last - first)).clamp(2.0 * precision, STEPS[1])
    }

    /// Paths that are still to be run where all are to be.
    fn missing(&mut self) -> Option<Next> {
        let paths = self.paths;
        let mut active = self.active.iter().copied();
        let at = active.find(|at| (self.main.paths_at(*at) as u64) < paths)?;
        let have = self.main.paths_at(at) as u64;
        Some(self.ask(self.axis.load(at), Stage::Main, have..paths))
    }

    /// Runs all paths at a load that they were not at. Where there is no such load the curve has no more to say.
    fn look(&mut self, at: f64) -> Next {
        let load = self.further(at);
        let at = self.axis.position(load);
        if self.main.paths_at(at) as u64 >= self.paths {
            return match self.main.root() {
                Root::At(root) => self.settled(root),
                Root::Before if at <= self.ends[0] => self.done(Outcome::NonePassed(load)),
                Root::Beyond if at >= self.ends[1] => self.done(Outcome::AtLeast(load)),
                Root::Before | Root::Beyond => self.done(Outcome::Unclear),
            };
        }
        self.active.push(at);
        let have = self.main.paths_at(at) as u64;
        self.ask(load, Stage::Main, have..self.paths)
    }

    /// The load at a position. Where only whole ones exist, a small step comes back to where it was made: then the next one.
    fn further(&self, at: f64) -> f64 {
        let load = self.axis.load(at.clamp(self.ends[0], self.ends[1]));
        let again = self.main.paths_at(self.axis.position(load)) as u64 >= self.paths;
        if !(self.axis.whole && again) {
            return load;
        }
        let next = match self.main.root() {
            Root::Before => self.axis.next_easier(load),
            Root::Beyond => self.axis.next_harder(load),
            Root::At(_) => return load,
        };
        let within =
            next >= 1.0 && (self.ends[0]..=self.ends[1]).contains(&self.axis.position(next));
        if within { next } else { load }
    }

    /// Where to look before the root is told exactly enough; `None` when it is.
    fn unsettled(&self, root: f64) -> Option<f64> {
        let positions: Vec<f64> = self.main.positions().collect();
        let lower = positions.iter().rev().find(|at| **at <= root).copied();
        let upper = positions.iter().find(|at| **at > root).copied();
        if self.is_coarse(root) {
            let below = self.axis.easier(root);
            let loads = [below, self.axis.next_harder(below)];
            let mut at = loads.into_iter().map(|load| self.axis.position(load));
            return at
                .find(|at| !positions.contains(at) && (self.ends[0]..=self.ends[1]).contains(at));
        }
        if self.main.is_growth() {
            return None;
        }
        let margin = |at: Option<f64>| at.and_then(|at| self.main.margin(at));
        let precision = self.wanted.precision;
        let near = |at: f64| {
            (at - root).abs() <= precision / 4.0
                && margin(Some(at)).is_some_and(|value| value.abs() <= NEAR)
        };
        if positions.len() > 1 && positions.iter().any(|at| near(*at)) {
            return None;
        }
        if self.cliff(root).is_some() {
            return None;
        }
        let (Some(low), Some(high)) = (lower, upper) else {
            return Some(root);
        };
        let apart = margin(upper).unwrap_or(0.0) - margin(lower).unwrap_or(0.0);
        let close = high - low <= precision / CLOSE;
        let straight = high - low <= 2.0 * precision && apart <= STEEP;
        match close || straight {
            true => None,
            false => Some(self.between(&self.main, low, high)),
        }
    }

    /// The positions around a root where objectives are kept by far at one and missed by far at the next, chance is no reason, and
    /// half the precision lies between. Of a curve that is so steep nothing is gained by finding out where exactly.
    fn cliff(&self, root: f64) -> Option<[f64; 2]> {
        if self.is_coarse(root) || self.main.is_growth() {
            return None;
        }
        let low = self.main.positions().rev().find(|at| *at <= root)?;
        let high = self.main.positions().find(|at| *at > root)?;
        let (below, above) = (self.main.margin(low)?, self.main.margin(high)?);
        let jumps = above - below > STEEP && below < -NEAR && above > NEAR;
        if !jumps || high - low > self.wanted.precision / CLIFF {
            return None;
        }
        let by_chance = self.main.estimate()?.half_width() >= (high - low) / 2.0;
        (!by_chance).then_some([low, high])
    }

    /// Whether one whole load more or less is more than the precision.
    fn is_coarse(&self, position: f64) -> bool {
        self.axis.whole && 1.0 > self.axis.exact(position) * self.wanted.precision / 2.0
    }

    /// The root lies close to loads that were run: its interval is narrow enough, or more paths are run at these loads.
    fn settled(&mut self, root: f64) -> Next {
        let Some(estimate) = self.main.estimate() else {
            return match self.more_paths(2 * self.paths, root) {
                Some(next) => next,
                None => self.done(Outcome::Unclear),
            };
        };
        let steepness = match self.main.is_growth() {
            true => 0.0,
            false => steepness(&self.main, root),
        };
        let half = estimate.half_width();
        // In units of the precision, and of what the spread can be believed in.
        let wide = (half / self.wanted.precision).max(half * steepness / TELLING);
        let units = estimate.interval.map(|end| self.axis.easier(end));
        let decided = self.is_coarse(root) && (units[1] - units[0]).abs() <= 1.0;
        let precise = half <= self.wanted.precision || decided;
        let cliff = self.cliff(root);
        if wide > 1.0 && !decided && cliff.is_none() {
            let needed = self.paths as f64 * SPARE * wide * wide;
            let most = 4 * self.paths;
            // A float-to-integer cast saturates.
            let wanted = (needed.ceil() as u64).clamp(self.paths + self.paths / 4 + 1, most);
            if let Some(next) = self.more_paths(wanted, root) {
                return next;
            }
        }
        let answer = self.axis.easier(estimate.position);
        let outcome = Outcome::Root {
            answer,
            estimate: match cliff {
                Some([low, high]) => Estimate {
                    interval: [
                        estimate.interval[0].min(low),
                        estimate.interval[1].max(high),
                    ],
                    ..estimate
                },
                None => estimate,
            },
            cliff,
            precise,
        };
        self.outcome = Some(outcome.clone());
        self.stage = Stage::Answer;
        match self.main.paths_at(self.axis.position(answer)) {
            0 => self.ask(answer, Stage::Answer, 0..ANSWER_PATHS),
            _ => Next::Done(outcome),
        }
    }

    /// More paths at the loads next to the root; `None` when there may be no more.
    fn more_paths(&mut self, paths: u64, root: f64) -> Option<Next> {
        let paths = paths.min(self.wanted.most_paths);
        if paths <= self.paths {
            return None;
        }
        let positions = nearest_first(&self.main, root);
        let beyond = self.main.is_growth();
        let nearest = positions.iter().filter(|at| !beyond || **at >= root);
        let mut active: Vec<f64> = nearest.take(2).copied().collect();
        // Loads on both sides say more of the root than two on one.
        let sides =
            |all: &[f64]| all.iter().any(|at| *at <= root) && all.iter().any(|at| *at > root);
        if !beyond
            && !sides(&active)
            && let Some(other) = positions.iter().find(|at| sides(&[active[0], **at]))
        {
            active[1] = *other;
        }
        self.paths = paths;
        self.active = active;
        self.missing()
    }

    fn ask(&self, load: f64, stage: Stage, paths: Range<u64>) -> Next {
        let at = self.axis.position(load);
        let curve = match stage {
            Stage::Pilot => &self.pilot,
            Stage::Main | Stage::Answer => &self.main,
        };
        let between =
            curve.positions().any(|one| one < at) && curve.positions().any(|one| one > at);
        Next::Run(Ask {
            load,
            stage,
            paths,
            between,
        })
    }

    fn done(&mut self, outcome: Outcome) -> Next {
        self.outcome = Some(outcome.clone());
        self.stage = Stage::Answer;
        Next::Done(outcome)
    }
}

/// The largest position that kept the objectives below the smallest that missed them, and that one.
fn bounds(curve: &Curve) -> [Option<f64>; 2] {
    let misses = |at: &f64| curve.margin(*at).is_some_and(|margin| margin > 0.0);
    let upper = curve.positions().find(misses);
    let below = |at: &f64| upper.is_none_or(|upper| *at < upper);
    [curve.positions().rev().find(below), upper]
}

/// The positions of a curve, those nearest to a root first.
fn nearest_first(curve: &Curve, root: f64) -> Vec<f64> {
    let mut positions: Vec<f64> = curve.positions().collect();
    positions.sort_by(|one, other| (one - root).abs().total_cmp(&(other - root).abs()));
    positions
}

/// How fast margins rise with the position around a root; 0 where there are no two loads.
fn steepness(curve: &Curve, root: f64) -> f64 {
    let [near, far, ..] = nearest_first(curve, root)[..] else {
        return 0.0;
    };
    match (curve.margin(near), curve.margin(far)) {
        (Some(one), Some(other)) => ((one - other) / (near - far)).max(0.0),
        _ => 0.0,
    }
}
