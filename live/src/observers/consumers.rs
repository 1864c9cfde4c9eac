//! Samples of the consumers of streams, at equal intervals.
//!
//! The number of samples is bounded: when there are too many, every second one is dropped and the interval doubles.

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::result::{ConsumerKind, ConsumerSample, ObservedConsumer};
use serde_json::{Value, json};

use super::asking::{Asker, Unanswered};

/// The most samples that are kept beside the last one; even, because every second one is forgotten.
const MOST_SAMPLES: usize = 240;
/// The most consumers that are looked at.
const MOST_CONSUMERS: usize = 256;

/// What the consumers of a stream have to do, by name.
pub type Levels = BTreeMap<String, (ConsumerKind, ConsumerSample)>;

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

    /// What was seen of each consumer, with a last round after the load, which may come at any distance, and whether every
    /// stream answered in it.
    pub fn finish(mut self, last: Option<(Levels, bool)>) -> BTreeMap<String, ObservedConsumer> {
        let (last, is_whole) = last.unwrap_or_default();
        let names: BTreeSet<String> = last.keys().cloned().collect();
        self.rounds.push(last);
        let mut by_name: BTreeMap<String, ObservedConsumer> = BTreeMap::new();
        for (name, (kind, sample)) in self.rounds.into_iter().flatten() {
            let seen_at_end = names.contains(&name);
            let consumer = by_name.entry(name).or_insert(ObservedConsumer {
                vanished: is_whole && !seen_at_end,
                seen_at_end,
                kind,
                samples: Vec::new(),
            });
            consumer.kind = kind;
            consumer.samples.push(sample);
        }
        by_name
    }
}

/// What decides what can be counted of a consumer.
fn kind(config: &Value) -> ConsumerKind {
    let filter = |field: &str| config.get(field).is_some_and(|filter| !is_open(filter));
    ConsumerKind {
        is_filtered: filter("filter_subject") || filter("filter_subjects"),
        is_unacknowledged: config.get("ack_policy").and_then(Value::as_str) == Some("none"),
        gives_up: config.get("max_deliver").and_then(Value::as_i64) > Some(0),
    }
}

/// Whether a filter, or every filter, lets all messages through.
fn is_open(filter: &Value) -> bool {
    match filter {
        Value::String(filter) => filter.is_empty() || filter == ">",
        Value::Array(filters) => filters.iter().all(is_open),
        _ => true,
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
            let config = info.get("config").unwrap_or(&Value::Null);
            let delivered = |of: &str| info.get("delivered")?.get(of)?.as_u64();
            let sample = ConsumerSample {
                at_s,
                pending: number("num_pending")?,
                ack_pending: number("num_ack_pending")?,
                redelivered: number("num_redelivered")?,
                deliveries: delivered("consumer_seq"),
                delivered_to: delivered("stream_seq"),
            };
            let name = format!("{stream}/{}", info.get("name")?.as_str()?);
            Some((name, (kind(config), sample)))
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

    fn round(at: u64, pending: u64) -> Levels {
        let sample = ConsumerSample {
            at_s: at as f64,
            pending,
            ack_pending: 2,
            redelivered: 0,
            deliveries: None,
            delivered_to: None,
        };
        Levels::from([("S/c".to_owned(), (ConsumerKind::default(), sample))])
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
        let consumers = samples.finish(Some((round(2_001, 6_003), true)));
        let observed = &consumers["S/c"];
        assert!((MOST_SAMPLES / 2..=MOST_SAMPLES + 1).contains(&observed.samples.len()));
        let last = observed.samples.len() - 1;
        let distances = observed.samples[..last]
            .windows(2)
            .map(|pair| pair[1].at_s - pair[0].at_s);
        assert!(distances.clone().all(|distance| distance == 16.0));
        assert_eq!(observed.samples[0].at_s, 0.0);
        assert_eq!(observed.samples[last].at_s, 2_001.0);
        let growth = observed.growth(0.0).expect("a slope");
        let slope = growth.slope_per_second;
        assert!((slope - 3.0).abs() < 1e-9, "{slope}");
        assert_eq!(growth.grows, Some(true));
    }

    #[test]
    fn a_consumer_that_is_gone_at_the_end_has_vanished() {
        let rounds = || {
            let mut samples = Samples::default();
            samples.add(round(0, 5));
            samples
        };
        for (last, vanished, seen_at_end) in [
            (Some((Levels::new(), true)), true, false),
            (Some((round(1, 5), true)), false, true),
            // Where nobody looked at its stream, nobody knows.
            (Some((Levels::new(), false)), false, false),
            (Some((round(1, 5), false)), false, true),
            (None, false, false),
        ] {
            let observed = &rounds().finish(last)["S/c"];
            assert_eq!(observed.vanished, vanished);
            assert_eq!(observed.seen_at_end, seen_at_end);
        }
    }

    #[test]
    fn settings_say_what_can_be_counted() {
        for (config, expected) in [
            (json!({}), [false; 3]),
            (
                json!({"ack_policy": "explicit", "max_deliver": -1}),
                [false; 3],
            ),
            (json!({"filter_subject": "a.*"}), [true, false, false]),
            (json!({"filter_subject": ">"}), [false; 3]),
            (
                json!({"filter_subjects": ["a.*", "b"]}),
                [true, false, false],
            ),
            (json!({"ack_policy": "none"}), [false, true, false]),
            (json!({"max_deliver": 3}), [false, false, true]),
        ] {
            let kind = kind(&config);
            let said = [kind.is_filtered, kind.is_unacknowledged, kind.gives_up];
            assert_eq!(said, expected, "{config}");
        }
    }
}
