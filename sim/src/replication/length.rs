//! Whether runs are long enough for intervals: by their length, their number and the model, never by their results.
//!
//! A rule that looks at the sample, such as at the correlation of its batches, would drop the runs that show their own
//! uncertainty and print those that do not.

use crate::analysis::{Line, Longest, Memory};
use crate::measure::Measure;
use crate::model::Model;
use crate::time::Time;

/// How many times of the model's memory an interval takes at least.
const MEMORIES: f64 = 400.0;
/// How many times of the model's memory must lie beyond a quantile: this many stretches of long lines are to be expected.
const BEYOND: f64 = 50.0;
/// The share of [`MEMORIES`] that each replication lasts at least.
const EACH: f64 = 0.5;
/// What the start from empty may shift a mean over replications, in its standard errors.
const SHIFT: f64 = 0.25;

/// The lengths of runs of a model: a single one or several replications.
#[derive(Debug, Clone, PartialEq)]
pub struct Length {
    memory: Memory,
    services: Vec<String>,
    /// As stream/consumer.
    consumers: Vec<String>,
    /// What their limits of requests in flight are called.
    clients: Vec<String>,
    runs: u64,
    /// Seconds that each was measured for, and those before.
    window: f64,
    warmup: f64,
}

/// Why runs are too short.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Short {
    /// The single run is.
    #[error(
        "too short: run at least {horizon} for an interval; at this load {of} takes {memory} to forget its past"
    )]
    Run {
        /// The horizon that is needed.
        horizon: String,
        /// The service or consumer with the longest memory.
        of: String,
        /// For how long.
        memory: String,
    },
    /// All replications together are.
    #[error(
        "too short: use at least {runs} replications of this length; at this load {of} takes {memory} to forget its past"
    )]
    Together {
        /// The number of replications needed.
        runs: u64,
        /// The service or consumer with the longest memory.
        of: String,
        /// For how long.
        memory: String,
    },
    /// Each replication is.
    #[error(
        "too short: use replications of at least {horizon}; at this load {of} takes {memory} to forget its past"
    )]
    Each {
        /// The horizon that each needs.
        horizon: String,
        /// The service or consumer with the longest memory.
        of: String,
        /// For how long.
        memory: String,
    },
    /// The interval is so narrow that the common empty start of the replications would show.
    #[error(
        "too short: replications start empty; use a warm-up of at least {warmup}; at this load {of} takes {memory} to forget its past"
    )]
    Warmup {
        /// The warm-up that is needed.
        warmup: String,
        /// The service or consumer with the longest memory.
        of: String,
        /// For how long.
        memory: String,
    },
    /// There is no steady state, and a single run cannot approach one.
    #[error(
        "unsteady: {of} is offered {load:.2} times its capacity, so figures depend on the length of the run; use --replications for runs of this length"
    )]
    Grows {
        /// The service or consumer whose queue grows.
        of: String,
        /// The offered load, as a multiple of its capacity.
        load: f64,
    },
}

impl Short {
    /// Whether more replications of the same length would be enough.
    pub fn helped_by_more(&self) -> bool {
        matches!(self, Short::Together { .. })
    }
}

impl Length {
    /// The length of runs of a model with this memory that have ended, this many of them.
    pub fn of(model: &Model, memory: &Memory, measure: &Measure, runs: u64) -> Length {
        Length::measured(model, memory.clone(), measure, runs)
    }

    /// The same of a model whose backend is not known.
    pub fn without_backend<P>(model: &Model<P>, measure: &Measure, runs: u64) -> Length {
        Length::measured(model, Memory::unknown(model), measure, runs)
    }

    fn measured<P>(model: &Model<P>, memory: Memory, measure: &Measure, runs: u64) -> Length {
        let runs = runs.max(1);
        let window = measure.measured().as_secs_f64() / runs as f64;
        Length::new(model, memory, measure.warmup(), window, runs)
    }

    fn new<P>(model: &Model<P>, memory: Memory, warmup: Time, window: f64, runs: u64) -> Length {
        Length {
            memory,
            services: model
                .services
                .iter()
                .map(|service| service.name.clone())
                .collect(),
            consumers: model.consumer_names().collect(),
            clients: model
                .clients
                .iter()
                .map(|client| format!("max_in_flight of client {}", client.name))
                .collect(),
            runs,
            window,
            warmup: warmup.as_secs_f64(),
        }
    }

    /// The name of the owner of a queue.
    fn name(&self, line: Line) -> &str {
        match line {
            Line::Service(at) => &self.services[at],
            Line::Consumer(at) => &self.consumers[at],
            Line::Room(None) => "max_in_flight",
            Line::Room(Some(client)) => &self.clients[client],
        }
    }

    /// How long the model remembers.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// A caution for every interval: the memory of the model is not known, or there is no steady state.
    pub fn caution(&self) -> Option<String> {
        let all = self.memory.of_all();
        match (all, self.memory.changes()) {
            (Longest::Grows(load, line), _) if self.runs > 1 => Some(format!(
                "{} is offered {load:.2} times its capacity: intervals describe runs of this length, not a steady state",
                self.name(line)
            )),
            (_, Some(what)) => Some(format!(
                "the model has {what}: intervals do not separate chance from the change over time"
            )),
            _ => None,
        }
    }

    /// Whether they are long enough for a mean over what remembers so long.
    ///
    /// # Errors
    /// Why not, and what would be.
    pub fn mean(&self, longest: Longest) -> Result<(), Short> {
        self.enough(longest, MEMORIES)
    }

    /// Whether they are long enough for a quantile of what remembers so long.
    ///
    /// # Errors
    /// Why not, and what would be.
    pub fn quantile(&self, longest: Longest, quantile: f64) -> Result<(), Short> {
        let rarer = quantile.min(1.0 - quantile);
        self.enough(longest, (BEYOND / rarer).max(MEMORIES))
    }

    fn enough(&self, longest: Longest, memories: f64) -> Result<(), Short> {
        let (memory, line) = match longest {
            Longest::Seconds(memory, Some(line)) => (memory, line),
            Longest::Seconds(_, None) => return Ok(()),
            Longest::Grows(..) if self.runs > 1 => return Ok(()),
            Longest::Grows(load, line) => {
                return Err(Short::Grows {
                    of: self.name(line).to_owned(),
                    load,
                });
            }
        };
        let of = self.name(line).to_owned();
        let needed = memories * memory;
        let horizon = |needed: f64| generous(self.warmup + needed);
        let brief = generous(memory);
        let runs = self.runs as f64;
        if self.runs == 1 {
            return match self.window >= needed {
                true => Ok(()),
                false => Err(Short::Run {
                    horizon: horizon(needed),
                    of,
                    memory: brief,
                }),
            };
        }
        let each = EACH * MEMORIES * memory;
        if self.window < each {
            return Err(Short::Each {
                horizon: horizon(each),
                of,
                memory: brief,
            });
        }
        if self.window * runs < needed {
            let runs = libm::ceil(needed / self.window) as u64;
            return Err(Short::Together {
                runs,
                of,
                memory: brief,
            });
        }
        // A line that starts empty makes a mean over a window W smaller by about m C / W of it, where C is its memory and
        // m what the warm-up leaves, e^(−w / 4C); its standard error is about 2 √(C / W n) of it.
        let shift = 0.5 * libm::sqrt(runs * memory / self.window);
        let left = libm::exp(-self.warmup / (4.0 * memory));
        if shift * left > SHIFT {
            let warmup = generous(4.0 * memory * libm::log(shift / SHIFT));
            return Err(Short::Warmup {
                warmup,
                of,
                memory: brief,
            });
        }
        Ok(())
    }
}

/// A time that is not shorter, in two digits, as people write one: `2.1s`, `54s`, `7.2m`, `84m`, `2h`.
fn generous(seconds: f64) -> String {
    let (scaled, unit) = match seconds {
        hours if hours >= 7200.0 => (hours / 3600.0, "h"),
        minutes if minutes >= 120.0 => (minutes / 60.0, "m"),
        above if above >= 1.0 => (above, "s"),
        below => (below * 1e3, "ms"),
    };
    let step = libm::pow(10.0, libm::floor(libm::log10(scaled)) - 1.0).max(0.1);
    let rounded = libm::ceil(scaled / step - 1e-9) * step;
    let digits = usize::from(scaled < 10.0 && libm::round(rounded * 10.0) % 10.0 != 0.0);
    format!("{rounded:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::memory_of;
    use crate::spec;
    use crate::time::Span;

    /// Runs of an M/M/1 with 10 ms, whose memory is 1 s at 90/s.
    fn runs(rate: u32, warmup_s: u64, window_s: f64, number: u64) -> Length {
        let text = format!(
            "
blis: 1
name: length
run: {{horizon: 60s}}
clients: {{feed: {{rate: {rate}/s, do: ask}}}}
actions: {{ask: {{path: [{{visit: api}}, reply]}}}}
services: {{api: {{workers: 1, time: {{exponential: {{mean: 10ms}}}}}}}}
"
        );
        let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let lowered = spec::lower(&spec).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let warmup = Time::ZERO + Span::from_secs(warmup_s);
        Length::new(
            &lowered.model,
            memory_of(&lowered.model),
            warmup,
            window_s,
            number,
        )
    }

    fn mean(length: &Length) -> Result<(), Short> {
        length.mean(length.memory().of_all())
    }

    fn quantile(length: &Length, quantile: f64) -> Result<(), Short> {
        length.quantile(length.memory().of_all(), quantile)
    }

    #[test]
    fn a_single_run_says_how_long_it_would_have_to_be() {
        assert_eq!(mean(&runs(90, 30, 400.1, 1)), Ok(()));
        let short = mean(&runs(90, 30, 399.0, 1)).expect_err("too short");
        assert_eq!(
            short.to_string(),
            "too short: run at least 7.2m for an interval; at this load api takes 1s to forget its past"
        );
        assert!(!short.helped_by_more());
        assert_eq!(quantile(&runs(90, 30, 1000.1, 1), 0.95), Ok(()));
        let short = quantile(&runs(90, 0, 1000.0, 1), 0.99).expect_err("too short");
        assert!(short.to_string().contains("at least 84m "), "{short}");
        assert_eq!(quantile(&runs(90, 0, 400.1, 1), 0.5), Ok(()));
        assert!(quantile(&runs(90, 0, 399.0, 1), 0.5).is_err());
    }

    #[test]
    fn replications_are_long_enough_each_and_together() {
        assert_eq!(mean(&runs(90, 10, 200.1, 2)), Ok(()));
        let each = mean(&runs(90, 10, 199.0, 50)).expect_err("too short");
        assert!(
            matches!(&each, Short::Each { horizon, .. } if horizon == "3.5m"),
            "{each}"
        );
        let together = quantile(&runs(90, 10, 200.1, 10), 0.99).expect_err("too few");
        assert!(
            matches!(together, Short::Together { runs: 25, .. }),
            "{together}"
        );
        assert!(together.helped_by_more() && !each.helped_by_more());
        // A thousand that start from empty would all be off to the same side.
        let start = mean(&runs(90, 0, 200.1, 1000)).expect_err("a common start");
        assert!(
            matches!(&start, Short::Warmup { warmup, .. } if warmup == "6s"),
            "{start}"
        );
        assert_eq!(mean(&runs(90, 7, 200.1, 1000)), Ok(()));
    }

    #[test]
    fn what_grows_has_no_interval_in_a_single_run_and_a_caution_in_several() {
        let single = runs(120, 0, 1e6, 1);
        let why = mean(&single)
            .expect_err("nothing to come closer to")
            .to_string();
        assert!(
            why.starts_with("unsteady: api is offered 1.20 times"),
            "{why}"
        );
        assert_eq!(single.caution(), None);
        let several = runs(120, 0, 1.0, 2);
        assert_eq!(mean(&several), Ok(()));
        assert!(
            several
                .caution()
                .is_some_and(|text| text.contains("runs of this length"))
        );
    }

    #[test]
    fn times_are_rounded_up() {
        for (seconds, text) in [
            (2.01, "2.1s"),
            (53.2, "54s"),
            (119.5, "120s"),
            (430.0, "7.2m"),
            (5000.0, "84m"),
            (7200.0, "2h"),
            (0.0123, "13ms"),
        ] {
            assert_eq!(generous(seconds), text);
        }
    }
}
