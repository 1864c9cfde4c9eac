//! The consumers of streams, sampled at equal distances.
//!
//! However long a run is, there is a bounded number of samples: when there are too many, every second one is forgotten
//! and the distance doubles.

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::measure::growth;
use blis_sim::result::{ConsumerSample, ObservedConsumer};
use serde_json::{Value, json};

use super::asking::{Asker, Unanswered};

/// The most samples that are kept beside the last one; even, because every second one is forgotten.
const MOST_SAMPLES: usize = 240;
/// The most consumers that are looked at.
const MOST_CONSUMERS: usize = 256;

/// What the consumers of a stream have to do, by name.
pub type Levels = BTreeMap<String, ConsumerSample>;

/// Samples of consumers over a run.
#[derive(Debug)]
pub struct Samples {
    rounds: Vec<Levels>,
    /// How many rounds there were.
    seen: u64,
    /// Of how many rounds one is kept.
    stride: u64,
}

impl Default for Samples {
    fn default() -> Samples {
        Samples {
            rounds: Vec::new(),
            seen: 0,
            stride: 1,
        }
    }
}

impl Samples {
    /// Whether the next round would be kept.
    pub fn wants(&self) -> bool {
        self.seen.is_multiple_of(self.stride)
    }

    /// A round that is left out.
    pub fn skip(&mut self) {
        self.seen += 1;
    }

    /// A round, at the distance that all of them have.
    pub fn add(&mut self, levels: Levels) {
        if self.rounds.len() == MOST_SAMPLES {
            let mut number = 0;
            self.rounds.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.stride *= 2;
        }
        self.seen += 1;
        self.rounds.push(levels);
    }

    /// A round at any distance.
    pub fn append(&mut self, levels: Levels) {
        self.rounds.push(levels);
    }

    /// What became of each consumer from an instant on, with the last round, which may come at any distance; there is none
    /// where not every stream answered.
    pub fn finish(
        mut self,
        last: Option<Levels>,
        warmup_s: f64,
    ) -> BTreeMap<String, ObservedConsumer> {
        let names: Option<BTreeSet<String>> =
            last.as_ref().map(|last| last.keys().cloned().collect());
        self.rounds.extend(last);
        let mut by_name: BTreeMap<String, Vec<ConsumerSample>> = BTreeMap::new();
        for (name, sample) in self.rounds.into_iter().flatten() {
            by_name.entry(name).or_default().push(sample);
        }
        let observed = by_name.into_iter();
        observed
            .map(|(name, samples)| {
                let vanished = names.as_ref().is_some_and(|names| !names.contains(&name));
                (name, observed_consumer(samples, vanished, warmup_s))
            })
            .collect()
    }
}

fn observed_consumer(
    samples: Vec<ConsumerSample>,
    vanished: bool,
    warmup_s: f64,
) -> ObservedConsumer {
    let backlog = |sample: &ConsumerSample| sample.pending + sample.ack_pending;
    let levels: Vec<(f64, f64)> = samples
        .iter()
        .filter(|sample| sample.at_s >= warmup_s)
        .map(|sample| (sample.at_s, backlog(sample) as f64))
        .collect();
    let growth = growth(&levels);
    ObservedConsumer {
        backlog_max: samples.iter().map(backlog).max().unwrap_or(0),
        backlog_slope_per_s: growth.map(|growth| growth.slope_per_second),
        backlog_grows: growth.and_then(|growth| growth.grows),
        vanished,
        samples,
    }
}

/// The consumers of a stream as they are now, which is so long after the start.
///
/// # Errors
/// Why they are not known.
pub async fn levels(asker: &Asker, stream: &str, at_s: f64) -> Result<Levels, Unanswered> {
    let mut levels = Levels::new();
    loop {
        let asked = json!({ "offset": levels.len() }).to_string();
        let answer = asker
            .ask_api(&format!("CONSUMER.LIST.{stream}"), &asked)
            .await?;
        if let Some(why) = answer.pointer("/error/description") {
            let why = why.as_str().unwrap_or_default().to_owned();
            return Err(Unanswered::Error(why));
        }
        let before = levels.len();
        let listed = answer.get("consumers").and_then(Value::as_array);
        let listed = listed.ok_or(Unanswered::Unclear)?;
        levels.extend(listed.iter().filter_map(|info| {
            let number = |field: &str| info.get(field)?.as_u64();
            let sample = ConsumerSample {
                at_s,
                pending: number("num_pending")?,
                ack_pending: number("num_ack_pending")?,
                redelivered: number("num_redelivered")?,
            };
            Some((format!("{stream}/{}", info.get("name")?.as_str()?), sample))
        }));
        let total = answer.get("total").and_then(Value::as_u64).unwrap_or(0);
        let all = levels.len() as u64 >= total || levels.len() == before;
        if all || levels.len() >= MOST_CONSUMERS {
            return Ok(levels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: f64, pending: u64, ack_pending: u64) -> ConsumerSample {
        ConsumerSample {
            at_s,
            pending,
            ack_pending,
            redelivered: 0,
        }
    }

    fn round(at: u64, pending: u64) -> Levels {
        Levels::from([("S/c".to_owned(), sample(at as f64, pending, 2))])
    }

    #[test]
    fn a_long_run_keeps_fewer_samples_at_equal_distances() {
        let mut samples = Samples::default();
        for at in 0..2_000 {
            match samples.wants() {
                true => samples.add(round(at, 3 * at)),
                false => samples.skip(),
            }
        }
        let consumers = samples.finish(Some(round(2_001, 6_003)), 0.0);
        let observed = &consumers["S/c"];
        assert!((MOST_SAMPLES / 2..=MOST_SAMPLES + 1).contains(&observed.samples.len()));
        let last = observed.samples.len() - 1;
        let distances = observed.samples[..last]
            .windows(2)
            .map(|pair| pair[1].at_s - pair[0].at_s);
        assert!(distances.clone().all(|distance| distance == 16.0));
        assert_eq!(observed.samples[0].at_s, 0.0);
        assert_eq!(observed.samples[last].at_s, 2_001.0);
        assert_eq!(observed.backlog_max, 6_005);
        let slope = observed.backlog_slope_per_s.expect("a slope");
        assert!((slope - 3.0).abs() < 1e-9, "{slope}");
        assert_eq!(observed.backlog_grows, Some(true));
    }

    #[test]
    fn a_consumer_that_is_gone_at_the_end_has_vanished() {
        let rounds = || {
            let mut samples = Samples::default();
            samples.add(round(0, 5));
            samples
        };
        assert!(rounds().finish(Some(Levels::new()), 0.0)["S/c"].vanished);
        assert!(!rounds().finish(Some(round(1, 5)), 0.0)["S/c"].vanished);
        // Where nobody looked, nobody knows.
        assert!(!rounds().finish(None, 0.0)["S/c"].vanished);
    }

    #[test]
    fn the_warm_up_has_no_part_in_the_slope() {
        let mut samples = Samples::default();
        for (at, pending) in [(0, 0), (1, 100), (2, 200), (3, 200), (4, 200)] {
            samples.add(round(at, pending));
        }
        let observed = &samples.finish(None, 2.0)["S/c"];
        assert_eq!(observed.backlog_slope_per_s, Some(0.0));
        assert_eq!(observed.samples.len(), 5);
        assert_eq!(
            Samples::default().finish(Some(round(0, 1)), 0.0)["S/c"].backlog_slope_per_s,
            None
        );
    }
}
