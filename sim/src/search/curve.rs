//! How far objectives are missed over load, and where they are just kept.
//!
//! Along R sample paths, each with random numbers of its own and the same ones at every load, the shares over a limit are
//! pooled, their logarithms joined by straight lines over the logarithm of the load (made monotone by pooling neighbours
//! that are not; Ayer et al. 1955), and the ceiling is where the first of them reaches what is allowed. Its interval is
//! Student's over R pseudo-values of the jackknife (Quenouille 1956; Miller 1974, eq. 1.2): each path's share in where the root
//! is. A mean of the roots of single paths would be off by half their variance times the curvature, which near saturation
//! is as large as the interval; the jackknife takes that out.

use crate::search::axis::Axis;
use crate::search::counted::Counted;
use crate::statistics::student_quantile;

/// How many standard deviations of a path the growth of a backlog must be over its limit to be told from chance.
const TELLING: f64 = 4.0;
/// A margin that stands for "over" or "not over" where there is nothing between.
const CLEAR: f64 = 1.0;
/// How far beyond the loads that were tried a root is believed to lie, in distances between the last two.
const REACH: f64 = 3.0;

/// What all paths counted at one load.
#[derive(Debug, Clone)]
struct Point {
    position: f64,
    /// By path, by objective.
    paths: Vec<Vec<Counted>>,
}

/// Points of the same paths at several loads.
#[derive(Debug, Clone)]
pub struct Curve {
    axis: Axis,
    /// Ascending.
    points: Vec<Point>,
}

/// Where all objectives are just kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Root {
    /// At this position.
    At(f64),
    /// Beyond all that was tried, no telling where.
    Beyond,
    /// Before all that was tried, no telling where.
    Before,
}

/// A root and its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The position.
    pub position: f64,
    /// The 95 % interval.
    pub interval: [f64; 2],
    /// What each path contributes: the pseudo-values of the jackknife, of which the position is the mean.
    pub contributions: Vec<f64>,
}

impl Estimate {
    /// Half the width of the interval.
    pub fn half_width(&self) -> f64 {
        (self.interval[1] - self.interval[0]) / 2.0
    }
}

/// The margin of one objective at one load: above 0 it is missed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Margin {
    position: f64,
    value: f64,
    /// Whether values on either side of this one can be joined by a line.
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The logarithm of a share over what is allowed.
    Share,
    /// Growth over what is allowed, told from chance.
    Growth,
    /// Growth that is not told from chance.
    Steady,
}

impl Curve {
    /// Without a point.
    pub fn new(axis: Axis) -> Curve {
        Curve {
            axis,
            points: Vec::new(),
        }
    }

    /// Adds what paths counted at a position: of a new one all, of a known one the paths after those that are there.
    pub fn add(&mut self, position: f64, paths: Vec<Vec<Counted>>) {
        match self
            .points
            .iter_mut()
            .find(|point| point.position == position)
        {
            Some(point) => point.paths.extend(paths),
            None => {
                let at = self
                    .points
                    .partition_point(|point| point.position < position);
                self.points.insert(at, Point { position, paths });
            }
        }
    }

    /// How many paths there are at the position that has the most.
    pub fn paths(&self) -> usize {
        let paths = self.points.iter().map(|point| point.paths.len());
        paths.max().unwrap_or(0)
    }

    /// How many paths there are at a position.
    pub fn paths_at(&self, position: f64) -> usize {
        let mut points = self.points.iter();
        let point = points.find(|point| point.position == position);
        point.map_or(0, |point| point.paths.len())
    }

    /// The positions that all paths have been at.
    pub fn positions(&self) -> impl DoubleEndedIterator<Item = f64> {
        self.complete().map(|point| point.position)
    }

    fn complete(&self) -> impl DoubleEndedIterator<Item = &Point> {
        let paths = self.paths();
        let points = self.points.iter();
        points.filter(move |point| point.paths.len() == paths)
    }

    fn objectives(&self) -> usize {
        let mut paths = self.points.iter().flat_map(|point| &point.paths);
        paths.next().map_or(0, Vec::len)
    }

    /// The largest margin of an objective at a position: above 0 one is missed, below -0.7 all are kept by half. `None`
    /// where nothing was counted.
    pub fn margin(&self, position: f64) -> Option<f64> {
        let margins = (0..self.objectives()).filter_map(|objective| {
            let all = self.margins(objective, None);
            let mut at = all.into_iter();
            at.find(|margin| margin.position == position)
        });
        let values = margins.map(|margin| margin.value);
        values.max_by(f64::total_cmp)
    }

    /// Where all objectives are just kept.
    pub fn root(&self) -> Root {
        self.root_without(None)
    }

    /// The root, bias taken out, and its interval; `None` where there is no root or there are fewer than two paths.
    pub fn estimate(&self) -> Option<Estimate> {
        let Root::At(whole) = self.root() else {
            return None;
        };
        let paths = self.paths();
        if paths < 2 {
            return None;
        }
        let number = paths as f64;
        let mut values = Vec::with_capacity(paths);
        for path in 0..paths {
            let Root::At(without) = self.root_without(Some(path)) else {
                return None;
            };
            values.push(number * whole - (number - 1.0) * without);
        }
        let mean = values.iter().sum::<f64>() / number;
        let squares: f64 = values.iter().map(|one| (one - mean) * (one - mean)).sum();
        let error = libm::sqrt(squares / (number - 1.0) / number);
        let half = student_quantile(paths as u64 - 1, 0.975) * error;
        Some(Estimate {
            position: mean,
            interval: [mean - half, mean + half],
            contributions: values,
        })
    }

    /// Whether the root is where a backlog begins to grow, told from loads beyond it.
    pub fn is_growth(&self) -> bool {
        let Root::At(root) = self.root() else {
            return false;
        };
        (0..self.objectives()).any(|objective| {
            let own = self.root_of(objective, None);
            let margins = self.margins(objective, None);
            own == Root::At(root) && margins.iter().any(|margin| margin.kind == Kind::Growth)
        })
    }

    /// Where to look next so that a root can be told at all: beyond a backlog that is seen to grow at one load only.
    pub fn wants(&self) -> Option<f64> {
        let root = self.root();
        (0..self.objectives()).find_map(|objective| {
            let margins = self.margins(objective, None);
            let growing: Vec<&Margin> = margins
                .iter()
                .filter(|margin| margin.kind == Kind::Growth)
                .collect();
            let binds = match (growing.first(), root) {
                (Some(first), Root::At(root)) => root <= first.position,
                (Some(_), _) => true,
                (None, _) => false,
            };
            (binds && growing.len() == 1).then(|| growing[0].position + WIDER)
        })
    }

    fn root_without(&self, path: Option<usize>) -> Root {
        let roots = (0..self.objectives()).map(|objective| self.root_of(objective, path));
        roots.fold(Root::Beyond, |first, root| match (first, root) {
            (Root::Before, _) | (_, Root::Before) => Root::Before,
            (Root::At(one), Root::At(other)) => Root::At(one.min(other)),
            (Root::At(one), _) | (_, Root::At(one)) => Root::At(one),
            (Root::Beyond, Root::Beyond) => Root::Beyond,
        })
    }

    fn root_of(&self, objective: usize, without: Option<usize>) -> Root {
        let margins = self.margins(objective, without);
        if margins.iter().any(|margin| margin.kind != Kind::Share) {
            return growth_root(self.axis, &margins);
        }
        let margins = monotone(margins);
        match margins.iter().position(|margin| margin.value > 0.0) {
            Some(0) => match margins.get(1) {
                Some(second) => line(margins[0], *second, -1.0),
                None => Root::Before,
            },
            Some(at) => line(margins[at - 1], margins[at], 0.0),
            None => match margins.len() {
                0 | 1 => Root::Beyond,
                many => line(margins[many - 2], margins[many - 1], 1.0),
            },
        }
    }

    /// The margins of an objective, ascending by position, of all paths but one.
    fn margins(&self, objective: usize, without: Option<usize>) -> Vec<Margin> {
        let margins = self.complete().filter_map(|point| {
            let (value, kind) = pooled(&point.paths, objective, without)?;
            Some(Margin {
                position: point.position,
                value,
                kind,
            })
        });
        margins.collect()
    }
}

/// How much further to look for a second load at which a backlog grows.
const WIDER: f64 = 0.05;

/// The margin of one objective over all paths but one.
fn pooled(paths: &[Vec<Counted>], objective: usize, without: Option<usize>) -> Option<(f64, Kind)> {
    let (mut over, mut samples, mut allowed) = (0.0, 0.0, 0.0);
    let (mut growths, mut limit) = (Vec::new(), 0.0);
    for (path, counted) in paths.iter().enumerate() {
        match counted.get(objective)? {
            _ if Some(path) == without => {}
            Counted::Share {
                over: more,
                samples: of,
                allowed: share,
            } => {
                over += more;
                samples += of;
                allowed = *share;
            }
            Counted::Growth {
                per_second,
                limit: most,
            } => {
                growths.push(*per_second);
                limit = *most;
            }
            Counted::Nothing => {}
        }
    }
    if !growths.is_empty() {
        // Whether it grows is decided with all paths, so that leaving one out does not.
        let tells = match without {
            None => telling(&growths, limit),
            Some(_) => return pooled_growth(paths, objective, &growths, limit),
        };
        return Some(growth(&growths, limit, tells));
    }
    if samples <= 0.0 {
        return None;
    }
    if allowed <= 0.0 {
        return Some((if over > 0.0 { CLEAR } else { -CLEAR }, Kind::Share));
    }
    // Half a sample where there is none over the limit: the logarithm of nothing has no value.
    let share = if over > 0.0 { over } else { 0.5 } / samples;
    Some((libm::log(share / allowed), Kind::Share))
}

fn pooled_growth(
    paths: &[Vec<Counted>],
    objective: usize,
    growths: &[f64],
    limit: f64,
) -> Option<(f64, Kind)> {
    let (_, kind) = pooled(paths, objective, None)?;
    Some(growth(growths, limit, kind == Kind::Growth))
}

fn growth(growths: &[f64], limit: f64, tells: bool) -> (f64, Kind) {
    let mean = growths.iter().sum::<f64>() / growths.len() as f64;
    match tells {
        true => (mean - limit, Kind::Growth),
        false => (-CLEAR, Kind::Steady),
    }
}

/// Whether the growth of single paths is over the limit by more than chance.
fn telling(growths: &[f64], limit: f64) -> bool {
    let number = growths.len() as f64;
    let mean = growths.iter().sum::<f64>() / number;
    let squares: f64 = growths.iter().map(|one| (one - mean) * (one - mean)).sum();
    let deviation = libm::sqrt(squares / (number - 1.0).max(1.0));
    mean - limit > TELLING * deviation
}

/// Where a backlog begins to grow. Beyond what a consumer carries, growth is the load less that, a straight line over the
/// load, which is followed back to the limit from two loads at which it is told from chance. Near it neither growth nor
/// its absence can be seen.
fn growth_root(axis: Axis, margins: &[Margin]) -> Root {
    let Some(first) = margins
        .iter()
        .position(|margin| margin.kind == Kind::Growth)
    else {
        return Root::Beyond;
    };
    let near = margins[first];
    let before = first.checked_sub(1).map(|at| margins[at].position);
    let Some(far) = margins.get(first + 1).filter(|far| far.value > near.value) else {
        return match before {
            Some(before) => Root::At((before + near.position) / 2.0),
            None => Root::Before,
        };
    };
    let [close, distant] = [near, *far].map(|margin| axis.exact(margin.position));
    let slope = (far.value - near.value) / (distant - close);
    let root = close - near.value / slope;
    if root.is_nan() || root <= 0.0 {
        return Root::Before;
    }
    Root::At(axis.position(root).min(near.position))
}

/// Where the line through two margins is 0: between them, or on the side that `side` names, but not too far.
fn line(one: Margin, other: Margin, side: f64) -> Root {
    let slope = (other.value - one.value) / (other.position - one.position);
    let nowhere = if side < 0.0 {
        Root::Before
    } else {
        Root::Beyond
    };
    if slope.is_nan() || slope <= 0.0 {
        return nowhere;
    }
    let root = one.position - one.value / slope;
    let reach = REACH * (other.position - one.position);
    if side < 0.0 && root < one.position - reach {
        return Root::Before;
    }
    if side > 0.0 && root > other.position + reach {
        return Root::Beyond;
    }
    Root::At(root)
}

/// Pools neighbours until values do not fall (pool adjacent violators). What was pooled stays at its positions.
fn monotone(margins: Vec<Margin>) -> Vec<Margin> {
    let mut blocks: Vec<(f64, usize)> = Vec::with_capacity(margins.len());
    for margin in &margins {
        blocks.push((margin.value, 1));
        while let [.., before, last] = blocks[..]
            && before.0 > last.0
        {
            let (sum, number) = (
                before.0 * before.1 as f64 + last.0 * last.1 as f64,
                before.1 + last.1,
            );
            blocks.truncate(blocks.len() - 2);
            blocks.push((sum / number as f64, number));
        }
    }
    let values = blocks
        .into_iter()
        .flat_map(|(value, number)| std::iter::repeat_n(value, number));
    let pairs = margins.into_iter().zip(values);
    pairs
        .map(|(margin, value)| Margin { value, ..margin })
        .collect()
}
