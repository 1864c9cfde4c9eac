//! Requests that are in both of two runs: of the same client, with the same numbers, intended at the same instant.
//!
//! A replay, a variant with the same seed, and a live run beside the simulation of its spec meet the same requests. Then what differs is
//! told request by request, and what made both of them slow is in no difference. Elsewhere numbers alone are a coincidence: without
//! the instant nothing is paired.

use crate::statistics::{Interval, LEVEL, student_quantile, student_two_sided};

/// The stretches of the window that differences are averaged over, for their error.
const STRETCHES: usize = 20;
/// The fewest stretches that an error is found from, and the fewest pairs of each.
const LEAST: usize = 10;
const LEAST_PAIRS: f64 = 10.0;
/// Less of the requests in both than this share is a coincidence.
const MOST_OF_THEM: f64 = 0.9;

/// What makes a request the same in another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Which client, in the order of the spec.
    pub client: u16,
    /// Which of its users or sessions.
    pub user: u64,
    /// Which of its requests.
    pub number: u64,
    /// Which try.
    pub attempt: u16,
    /// When it was intended, in nanoseconds after the start of the run.
    pub intended: u64,
}

/// The requests of an action that were intended within the window of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requests {
    sent: Vec<(Id, Option<u64>)>,
}

impl Requests {
    /// Adds a request, with its response time in nanoseconds where it was answered `ok`.
    pub fn add(&mut self, id: Id, response: Option<u64>) {
        self.sent.push((id, response));
    }

    /// Puts them in order, which has to be done when all are added.
    pub fn sort(&mut self) {
        self.sent.sort_unstable();
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sent.len()
    }
}

/// How requests that are in both runs differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// How many were answered in both.
    pub pairs: u64,
    /// How many were answered in the baseline alone, and in the other alone.
    pub only: [u64; 2],
    /// The mean of the other response time less that of the baseline, in nanoseconds.
    pub mean: f64,
    /// Its interval.
    pub interval: Option<[f64; 2]>,
    /// How probable so large a mean is by chance.
    pub p: Option<f64>,
}

/// Pairs the requests of two runs; `None` where most of them are in one alone, or none was answered in both.
pub fn pair(baseline: &Requests, other: &Requests) -> Option<Paired> {
    let both = both(&baseline.sent, &other.sent);
    let most = baseline.count().max(other.count());
    if (both.len() as f64) < MOST_OF_THEM * most as f64 {
        return None;
    }
    let mut only = [0, 0];
    let mut pairs: Vec<(u64, f64)> = Vec::new();
    for (intended, responses) in both {
        match responses {
            [Some(one), Some(other)] => pairs.push((intended, other as f64 - one as f64)),
            [Some(_), None] => only[0] += 1,
            [None, Some(_)] => only[1] += 1,
            [None, None] => {}
        }
    }
    let number = pairs.len() as f64;
    let mean = pairs.iter().map(|(_, difference)| difference).sum::<f64>() / number;
    if pairs.is_empty() {
        return None;
    }
    let stretches = stretches(&pairs);
    let interval = (stretches.len() >= LEAST)
        .then(|| Interval::of_batches(&stretches))
        .flatten();
    let p = interval.and_then(|interval| chance(interval, stretches.len()));
    Some(Paired {
        pairs: pairs.len() as u64,
        only,
        mean,
        interval: interval.map(Interval::ends),
        p,
    })
}

/// When the requests of both were intended, and their response times.
fn both(
    baseline: &[(Id, Option<u64>)],
    other: &[(Id, Option<u64>)],
) -> Vec<(u64, [Option<u64>; 2])> {
    let (mut at, mut found) = (0, Vec::new());
    for (id, response) in baseline {
        while other.get(at).is_some_and(|(next, _)| next < id) {
            at += 1;
        }
        if let Some((_, others)) = other.get(at).filter(|(next, _)| next == id) {
            found.push((id.intended, [*response, *others]));
            at += 1;
        }
    }
    found
}

/// Sums and numbers of differences in stretches of equal time, those with enough of them.
fn stretches(pairs: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let times = pairs.iter().map(|(intended, _)| *intended);
    let (from, to) = times.fold((u64::MAX, 0), |(from, to), at| (from.min(at), to.max(at)));
    let width = ((to - from) as f64 / STRETCHES as f64).max(1.0);
    let mut sums = vec![(0.0, 0.0); STRETCHES];
    for (intended, difference) in pairs {
        let at = ((intended - from) as f64 / width) as usize;
        let sum = &mut sums[at.min(STRETCHES - 1)];
        sum.0 += difference;
        sum.1 += 1.0;
    }
    sums.retain(|(_, number)| *number >= LEAST_PAIRS);
    sums
}

/// How probable it is that the mean of this many stretches is so far from nothing.
fn chance(interval: Interval, stretches: usize) -> Option<f64> {
    let freedom = stretches as u64 - 1;
    if interval.half_width == 0.0 {
        return Some(if interval.figure == 0.0 { 1.0 } else { 0.0 });
    }
    let error = interval.half_width / student_quantile(freedom, 0.5 + LEVEL / 2.0);
    Some(student_two_sided(freedom, interval.figure / error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> Id {
        Id {
            client: 0,
            user: number,
            number: 0,
            attempt: 0,
            intended: 1_000_000 * number,
        }
    }

    fn requests(responses: impl Iterator<Item = (u64, Option<u64>)>) -> Requests {
        let mut requests = Requests::default();
        responses.for_each(|(number, response)| requests.add(id(number), response));
        requests.sort();
        requests
    }

    #[test]
    fn what_both_have_is_compared_request_by_request() {
        // Response times that differ a thousandfold, and by 7 ns from run to run.
        let time = |number: u64| 1_000 * (1 + number % 1000);
        let one = requests((0..1000).map(|number| (number, Some(time(number)))));
        let other = requests(
            (0..1000)
                .rev()
                .map(|number| (number, Some(time(number) + 7))),
        );
        let paired = pair(&one, &other).expect("the same requests");
        assert_eq!(
            (paired.pairs, paired.only, paired.mean),
            (1000, [0, 0], 7.0)
        );
        assert_eq!((paired.interval, paired.p), (Some([7.0, 7.0]), Some(0.0)));
        let same = pair(&one, &one).expect("the same requests");
        assert_eq!((same.mean, same.p), (0.0, Some(1.0)));
    }

    #[test]
    fn differences_by_chance_are_told_as_such() {
        // Up and down by turns of a length that no stretch is a multiple of.
        let one = requests((0..2000).map(|number| (number, Some(1000))));
        let other = requests(
            (0..2000).map(|number| (number, Some(if number % 7 < 3 { 1040 } else { 970 }))),
        );
        let paired = pair(&one, &other).expect("the same requests");
        assert!(
            paired.mean.abs() < 1.0 && paired.p > Some(0.05),
            "{paired:?}"
        );
        let [low, high] = paired.interval.expect("twenty stretches");
        assert!(low < 0.0 && 0.0 < high, "{low} {high}");
    }

    #[test]
    fn the_same_numbers_at_other_instants_are_other_requests() {
        let one = requests((0..1000).map(|number| (number, Some(5))));
        let mut other = Requests::default();
        for number in 0..1000 {
            let id = Id {
                intended: 1_000_000 * number + u64::from(number % 5 == 0),
                ..id(number)
            };
            other.add(id, Some(5));
        }
        other.sort();
        assert_eq!(pair(&one, &other), None);
        assert_eq!(pair(&one, &Requests::default()), None);
        assert_eq!(pair(&Requests::default(), &Requests::default()), None);
    }

    #[test]
    fn who_is_answered_in_one_alone_is_counted_and_in_no_mean() {
        let one = requests((0..100).map(|number| (number, (number != 3).then_some(10))));
        let other = requests((0..100).map(|number| (number, (number > 1).then_some(20))));
        let paired = pair(&one, &other).expect("the same requests");
        assert_eq!((paired.pairs, paired.only, paired.mean), (97, [2, 1], 10.0));
        // Stretches of five requests say nothing.
        assert_eq!((paired.interval, paired.p), (None, None));
    }
}
