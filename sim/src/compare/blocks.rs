//! The distribution of response times by blocks of time, and how far two of them are apart.
//!
//! Response times of a queue resemble those before them, so that the textbook's chance of a distance, which counts every
//! request as its own witness, finds differences that are none. Here a run is cut into blocks of time, which are many
//! times as long as the queue remembers; whether the distance of two sides is chance is seen by dealing their blocks out anew to
//! both, [`SHUFFLES`] times. Blocks whose means still resemble their neighbours' are joined first.

use std::collections::BTreeMap;

use crate::random::{Draw, Key, Kind, Purpose};
use crate::statistics::correlation_of_neighbours;

/// The number of blocks, all of one length, that a run is cut into.
pub const BLOCKS: usize = 24;
/// How often the blocks are dealt out anew.
pub const SHUFFLES: usize = 1999;
/// Neighbours that correlate by more than this are joined.
const MOST_CORRELATED: f64 = 0.3;
/// The least number of blocks that a chance is found from.
const LEAST_BLOCKS: usize = 6;
/// A block of fewer times says nothing of its distribution.
const LEAST_IN_A_BLOCK: u64 = 20;
/// Blocks of one run are not dealt out with those of another that are this many times as long: short ones vary more.
const MOST_UNLIKE: f64 = 1.25;
/// Nor are those that hold this many times as many times.
const MOST_UNEVEN: f64 = 1.5;
/// The most places at which shuffled distributions are compared.
const MOST_CUTS: usize = 128;
/// Times are told apart by this many binary digits: to within 0.8 %.
const DIGITS: u32 = 7;

/// The response times of a run in blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    blocks: Vec<Block>,
    /// How long all of them are.
    seconds: f64,
}

/// How many there are of each time, and of each outcome.
#[derive(Debug, Clone, Default, PartialEq)]
struct Block {
    times: BTreeMap<u64, u64>,
    count: u64,
    sum: f64,
}

impl Block {
    fn add(&mut self, other: &Block) {
        for (time, number) in &other.times {
            *self.times.entry(*time).or_default() += number;
        }
        self.count += other.count;
        self.sum += other.sum;
    }
}

impl Blocks {
    /// Without a time, of a window of this many seconds.
    pub fn of(seconds: f64) -> Blocks {
        Blocks {
            blocks: vec![Block::default(); BLOCKS],
            seconds,
        }
    }

    /// Adds a response time in nanoseconds, of a request that was intended after this share of the window.
    pub fn add(&mut self, after: f64, nanos: u64) {
        // A float-to-integer cast saturates.
        let at = ((after * BLOCKS as f64) as usize).min(BLOCKS - 1);
        let block = &mut self.blocks[at];
        *block.times.entry(rounded(nanos)).or_default() += 1;
        block.count += 1;
        block.sum += nanos as f64;
    }

    /// How many times there are.
    pub fn count(&self) -> u64 {
        self.blocks.iter().map(|block| block.count).sum()
    }

    /// The same with this many neighbours joined, without those that are empty.
    fn joined(&self, neighbours: usize) -> Vec<Block> {
        let joined = self.blocks.chunks(neighbours).map(|some| {
            let mut joined = Block::default();
            some.iter().for_each(|block| joined.add(block));
            joined
        });
        joined.filter(|block| block.count > 0).collect()
    }
}

/// How many neighbours of every run have to be joined so that those of no run resemble one another.
fn neighbours(runs: &[&Blocks]) -> usize {
    let mut number = 1;
    while BLOCKS / (2 * number) >= LEAST_BLOCKS
        && runs
            .iter()
            .any(|run| correlation(&run.joined(number)) > MOST_CORRELATED)
    {
        number *= 2;
    }
    number
}

/// A time without the digits that are not told apart.
fn rounded(nanos: u64) -> u64 {
    let spare = (u64::BITS - nanos.leading_zeros()).saturating_sub(DIGITS + 1);
    nanos >> spare << spare
}

/// How much the means of neighbours correlate.
fn correlation(blocks: &[Block]) -> f64 {
    let means: Vec<f64> = blocks
        .iter()
        .map(|block| block.sum / block.count as f64)
        .collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let off: Vec<f64> = means.iter().map(|one| one - mean).collect();
    correlation_of_neighbours(&off)
}

/// How far two distributions are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The largest difference of their shares below a time (Kolmogorov and Smirnov).
    pub kolmogorov_smirnov: f64,
    /// By how many nanoseconds the times of one have to be moved on average to be those of the other (Wasserstein).
    pub wasserstein_ns: f64,
    /// How probable so large a largest difference is by chance alone; `None` where there are too few blocks.
    pub p: Option<f64>,
}

/// How far the response times of two sides, some runs each, are apart. `None` where a side has none.
pub fn distance(one: &[&Blocks], other: &[&Blocks]) -> Option<Distance> {
    let runs: Vec<&Blocks> = one.iter().chain(other).copied().collect();
    let (is_alike, number) = (are_alike(&runs), neighbours(&runs));
    let [one, other] = [one, other].map(|side| {
        let blocks = side.iter().flat_map(|run| run.joined(number));
        blocks.collect::<Vec<Block>>()
    });
    let [whole, others] = [&one, &other].map(|side| {
        let mut whole = Block::default();
        side.iter().for_each(|block| whole.add(block));
        whole
    });
    if whole.count == 0 || others.count == 0 {
        return None;
    }
    let (kolmogorov_smirnov, wasserstein_ns) = exactly(&whole, &others);
    let is_told = is_alike && one.len() >= LEAST_BLOCKS && other.len() >= LEAST_BLOCKS;
    let p = match kolmogorov_smirnov > 0.0 {
        false => Some(1.0),
        true => is_told.then(|| by_chance(&one, &other, &whole, &others)),
    };
    Some(Distance {
        kolmogorov_smirnov,
        wasserstein_ns,
        p,
    })
}

/// Whether the blocks of these runs may be exchanged for one another.
fn are_alike(runs: &[&Blocks]) -> bool {
    let spread = |of: &dyn Fn(&Blocks) -> f64| {
        let ends = runs
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(least, most), run| {
                (least.min(of(run)), most.max(of(run)))
            });
        ends.1 / ends.0
    };
    let is_filled = |run: &&Blocks| run.count() >= LEAST_IN_A_BLOCK * BLOCKS as u64;
    runs.iter().all(is_filled)
        && spread(&|run| run.seconds) <= MOST_UNLIKE
        && spread(&|run| run.count() as f64) <= MOST_UNEVEN
}

/// The largest difference of the shares below a time, and the area between them.
fn exactly(one: &Block, other: &Block) -> (f64, f64) {
    let mut times: Vec<u64> = one
        .times
        .keys()
        .chain(other.times.keys())
        .copied()
        .collect();
    times.sort_unstable();
    times.dedup();
    let (mut below, mut others_below) = (0, 0);
    let (mut largest, mut area, mut last) = (0.0f64, 0.0, None);
    for time in times {
        let share = |below: u64, of: &Block| below as f64 / of.count as f64;
        let apart = (share(below, one) - share(others_below, other)).abs();
        if let Some(last) = last {
            area += apart * (time - last) as f64;
        }
        below += one.times.get(&time).copied().unwrap_or(0);
        others_below += other.times.get(&time).copied().unwrap_or(0);
        largest = largest.max((share(below, one) - share(others_below, other)).abs());
        last = Some(time);
    }
    (largest, area)
}

/// How often blocks that are dealt out anew are at least as far apart as they are.
fn by_chance(one: &[Block], other: &[Block], whole: &Block, others: &Block) -> f64 {
    let cuts = cuts(whole, others);
    let blocks: Vec<(Vec<f64>, f64)> = one
        .iter()
        .chain(other)
        .map(|block| (below(block, &cuts), block.count as f64))
        .collect();
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    let found = largest(&blocks, &order, one.len());
    let mut draw = Key::new(0, Kind::Statistic, "distance", Purpose::Shuffle).draw(0, 0);
    let mut as_far = 1;
    for _ in 0..SHUFFLES {
        shuffle(&mut order, &mut draw);
        // What differs by rounding is as far.
        if largest(&blocks, &order, one.len()) >= found * (1.0 - 1e-9) {
            as_far += 1;
        }
    }
    f64::from(as_far) / (SHUFFLES + 1) as f64
}

/// Times at which shares are compared: of all that there are, or such as lie equally many between.
fn cuts(one: &Block, other: &Block) -> Vec<u64> {
    let mut all = one.clone();
    all.add(other);
    let each = (all.count / MOST_CUTS as u64).max(1);
    let (mut cuts, mut since) = (Vec::new(), 0);
    for (time, number) in all.times {
        since += number;
        if since >= each {
            cuts.push(time);
            since = 0;
        }
    }
    cuts
}

/// How many of a block are no longer than each of these times.
fn below(block: &Block, cuts: &[u64]) -> Vec<f64> {
    let mut times = block.times.iter().peekable();
    let mut below = 0;
    cuts.iter()
        .map(|cut| {
            while let Some((_, number)) = times.next_if(|(time, _)| *time <= cut) {
                below += number;
            }
            below as f64
        })
        .collect()
}

/// The largest difference of shares between the first this many blocks in this order and the others.
fn largest(blocks: &[(Vec<f64>, f64)], order: &[usize], first: usize) -> f64 {
    let sum = |of: &[usize]| {
        let cuts = blocks.first().map_or(0, |(below, _)| below.len());
        let mut sums = vec![0.0; cuts];
        let mut count = 0.0;
        for at in of {
            let (below, number) = &blocks[*at];
            sums.iter_mut()
                .zip(below)
                .for_each(|(sum, one)| *sum += one);
            count += number;
        }
        (sums, count)
    };
    let (one, other) = order.split_at(first);
    let ((one, of_one), (other, of_other)) = (sum(one), sum(other));
    let apart = one.iter().zip(&other);
    let apart = apart.map(|(one, other)| (one / of_one - other / of_other).abs());
    apart.fold(0.0, f64::max)
}

/// Every order is as probable as any other (Durstenfeld 1964).
fn shuffle(order: &mut [usize], draw: &mut Draw) {
    for at in (1..order.len()).rev() {
        // Of so few, what the remainder favours is beyond all digits.
        let other = (draw.bits() % (at as u64 + 1)) as usize;
        order.swap(at, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 2400 times, those of each block like this.
    fn run(time: impl Fn(usize, usize) -> u64) -> Blocks {
        let mut blocks = Blocks::of(24.0);
        for at in 0..2400 {
            blocks.add(at as f64 / 2400.0, time(at / 100, at % 100));
        }
        blocks
    }

    #[test]
    fn what_is_the_same_is_no_distance_apart() {
        let one = run(|block, at| 1000 * (1 + block as u64 + at as u64));
        let found = distance(&[&one], &[&one]);
        let found = found.expect("times");
        assert_eq!((found.kolmogorov_smirnov, found.wasserstein_ns), (0.0, 0.0));
        assert_eq!(found.p, Some(1.0));
        assert_eq!(distance(&[&one], &[&Blocks::of(24.0)]), None);
    }

    #[test]
    fn a_distance_is_that_of_the_textbook() {
        // 1024 for all, and 1024 for half and 2048 for the others: shares below 1024 differ by a half, over 1024.
        let one = run(|_, _| 1024);
        let other = run(|_, at| if at % 2 == 0 { 1024 } else { 2048 });
        let found = distance(&[&one], &[&other]).expect("times");
        assert_eq!(found.kolmogorov_smirnov, 0.5);
        assert_eq!(found.wasserstein_ns, 512.0);
        // No way to deal out blocks, each of which is like its side, is as far apart.
        assert_eq!(found.p, Some(1.0 / 2000.0));
    }

    #[test]
    fn what_varies_from_block_to_block_is_chance() {
        // Every other block is slow, on both sides; one side has one more of them.
        let waves =
            |slow: usize| run(move |block, _| if (block * 7) % 24 < slow { 2048 } else { 1024 });
        let found = distance(&[&waves(12)], &[&waves(13)]).expect("times");
        assert!(found.kolmogorov_smirnov > 0.04, "{found:?}");
        assert!(found.p.is_some_and(|p| p > 0.5), "{found:?}");
    }

    #[test]
    fn runs_of_other_lengths_and_few_times_are_not_told_from_chance() {
        let one = run(|_, at| 1024 + at as u64);
        let longer = Blocks {
            seconds: 40.0,
            ..run(|_, at| 2048 + at as u64)
        };
        let mut few = Blocks::of(24.0);
        (0..24).for_each(|at| few.add(f64::from(at) / 24.0, 5000));
        let mut many = run(|_, _| 5000);
        (0..2400).for_each(|at| many.add(f64::from(at) / 2400.0, 5000));
        for other in [longer, few, many] {
            let found = distance(&[&one], &[&other]).expect("times");
            assert_eq!((found.kolmogorov_smirnov, found.p), (1.0, None));
        }
    }

    #[test]
    fn blocks_that_resemble_their_neighbours_are_joined() {
        let slope = run(|block, _| 1024 * (1 + block as u64));
        let number = neighbours(&[&slope]);
        assert_eq!((number, slope.joined(number).len()), (4, 6));
        let all = slope.joined(number);
        assert_eq!(all.iter().map(|block| block.count).sum::<u64>(), 2400);
        let saw = run(|block, _| 1024 * (1 + block as u64 % 2));
        assert_eq!(neighbours(&[&saw]), 1);
        // All runs are cut alike.
        assert_eq!(neighbours(&[&saw, &slope]), 4);
    }

    #[test]
    fn times_are_told_apart_to_within_a_hundredth() {
        for nanos in [0, 1, 255, 256, 257, 1_000_000, 123_456_789, u64::MAX] {
            let off = nanos - rounded(nanos);
            assert!(off as f64 <= 0.008 * nanos as f64, "{nanos}");
        }
    }
}
