//! The length of live runs: from the flags, or from what a time limit leaves for each.

use std::time::Instant;

use blis_live::run::trials::Pace;
use blis_sim::model::{Model, Path};
use blis_sim::spec::units::Duration;
use blis_sim::time::{Span, Time};

use crate::cli::ValidationArgs;
use crate::exit::Failure;

/// Load before the window where nothing says how much.
const WARMUP: Duration = Duration(2e9);
/// The window.
const HOLD: Duration = Duration(20e9);
/// The pause after a run.
const COOLDOWN: Duration = Duration(1e9);
/// Beside its parts a live run takes about this long: until the last replies are there.
const BESIDE: Duration = Duration(1e9);
/// What is left of a time limit is taken to a tenth of a second.
const TENTH: f64 = 1e8;
/// The shortest window that a time limit leaves.
const SHORTEST: Duration = Duration(2e9);
/// Of a time limit a fit and its simulations get this share.
const FOR_A_FIT: f64 = 0.25;
/// Of what is left after a fit, predictions get this share.
const FOR_PREDICTIONS: f64 = 0.1;

/// How long a run is not measured, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    /// Before the window.
    pub warmup: Duration,
    /// The window.
    pub hold: Duration,
}

/// How many live runs there are, and how long each is.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    warmup: Duration,
    hold: Option<Duration>,
    cooldown: Duration,
    limit: Option<Duration>,
    began: Instant,
    /// How many runs of one load each a model is fitted to, before any is predicted.
    pub to_fit: usize,
    /// How many live runs each predicted load gets.
    pub repeats: u64,
}

impl Plan {
    /// What the flags say, with a model and this many runs to fit to.
    ///
    /// # Errors
    /// [`Failure::Usage`] where nothing is to be measured.
    pub fn of(
        args: &ValidationArgs,
        model: &Model<Option<Path>>,
        to_fit: usize,
    ) -> Result<Plan, Failure> {
        let of_spec = model.limits.warmup.since(Time::ZERO);
        let of_spec = match of_spec {
            Span::ZERO => WARMUP,
            of_spec => Duration(of_spec.as_nanos() as f64),
        };
        if args.hold.is_some_and(|hold| hold.0 <= 0.0) {
            return Err(Failure::Usage(
                "--hold is zero; give a time such as 20s".to_owned(),
            ));
        }
        Ok(Plan {
            warmup: args.warmup.unwrap_or(of_spec),
            hold: args.hold,
            cooldown: args.cooldown.unwrap_or(COOLDOWN),
            limit: args.time_limit,
            began: Instant::now(),
            to_fit,
            repeats: args.repeats,
        })
    }

    /// The lengths of runs, of which this many loads are measured besides those to fit to.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the time limit is too short for them.
    pub fn lengths(&self, loads: usize) -> Result<Lengths, Failure> {
        let runs = self.to_fit as u64 + loads as u64 * self.repeats;
        let hold = match (self.hold, self.limit) {
            (Some(hold), _) => hold,
            (None, None) => HOLD,
            (None, Some(limit)) => {
                let of_runs = limit.0 * self.share();
                let hold = self.window(of_runs, runs);
                if hold.0 < SHORTEST.0 {
                    let needed = (SHORTEST.0 + self.besides()) * runs as f64 / self.share();
                    return Err(Failure::Usage(format!(
                        "--time-limit {limit} is too short for {runs} live runs, each with {} besides its window; give \
                         at least {}, fewer loads ({}) or fewer --repeats",
                        Duration(self.besides()),
                        Duration((needed / 1e9).ceil() * 1e9),
                        match self.to_fit {
                            0 => "--predict-at",
                            _ => "--predict-at, --calibrate-at",
                        }
                    )));
                }
                hold
            }
        };
        Ok(Lengths {
            warmup: self.warmup,
            hold,
        })
    }

    /// The share of a time limit that live runs get.
    fn share(&self) -> f64 {
        match self.to_fit {
            0 => 1.0,
            _ => 1.0 - FOR_A_FIT,
        }
    }

    /// The plan of what is left after a fit: with fewer runs of each load where the time limit leaves no more.
    pub fn after_fit(mut self, loads: usize) -> (Plan, Lengths) {
        self.to_fit = 0;
        let hold = match self.left() {
            None => self.hold.unwrap_or(HOLD),
            Some(left) => {
                // Predictions are simulated before.
                let of_runs = left.as_nanos() as f64 * (1.0 - FOR_PREDICTIONS);
                let window = |repeats: u64| self.window(of_runs, loads as u64 * repeats);
                let mut repeats = self.repeats;
                while repeats > 1 && window(repeats).0 < SHORTEST.0 {
                    repeats -= 1;
                }
                self.repeats = repeats;
                Duration(
                    self.window(of_runs, loads as u64 * repeats)
                        .0
                        .max(SHORTEST.0),
                )
            }
        };
        let lengths = Lengths {
            warmup: self.warmup,
            hold,
        };
        (self, lengths)
    }

    /// When a fit has to be done, so that this many loads can still be measured once.
    pub fn end_of_fit(&self, loads: usize) -> Option<Instant> {
        let limit = self.limit?;
        let others = loads as f64 * (SHORTEST.0 + self.besides());
        let nanos = (limit.0 - others).max(limit.0 * (1.0 - FOR_A_FIT));
        // A float-to-integer cast saturates.
        self.began
            .checked_add(std::time::Duration::from_nanos(nanos as u64))
    }

    /// The same plan, whose time limit is one for what comes from now on.
    pub fn begun_now(self) -> Plan {
        Plan {
            began: Instant::now(),
            ..self
        }
    }

    /// Whether there is time for one more run of this length to fit to, beside this many loads.
    pub fn has_room(&self, lengths: Lengths, loads: usize) -> bool {
        let Some(left) = self.left() else {
            return true;
        };
        let others = loads as f64 * (SHORTEST.0 + self.besides());
        let fit = self.limit.map_or(0.0, |limit| limit.0 * FOR_A_FIT);
        left.as_nanos() as f64 > lengths.hold.0 + self.besides() + others + fit
    }

    /// How much of the time limit is left.
    pub fn left(&self) -> Option<Span> {
        let taken = self.began.elapsed().as_nanos() as f64;
        self.limit
            .map(|limit| Span::from_nanos_f64((limit.0 - taken).max(0.0)))
    }

    /// The window of each of so many runs that take this long together.
    fn window(&self, nanos: f64, runs: u64) -> Duration {
        let each = nanos / runs.max(1) as f64;
        Duration(((each - self.besides()) / TENTH).floor() * TENTH)
    }

    /// How long a run takes beside its window.
    fn besides(&self) -> f64 {
        self.warmup.0 + self.cooldown.0 + BESIDE.0
    }

    /// The pace of runs.
    pub fn pace(&self, lengths: Lengths) -> Pace {
        Pace {
            warmup: span(lengths.warmup),
            hold: span(lengths.hold),
            cooldown: span(self.cooldown),
        }
    }

    /// What is going to be done, in lines: over what, at which loads to fit to, and at which ones that are predicted; those are found
    /// by the fitted model where they are not known.
    ///
    /// # Errors
    /// Those of [`Plan::lengths`].
    pub fn lines(
        &self,
        over: &str,
        fit: &[String],
        predict: Option<&[String]>,
        usual: usize,
    ) -> Result<String, Failure> {
        let loads = predict.map_or(usual, <[String]>::len);
        let lengths = self.lengths(loads)?;
        let each = lengths.hold.0 + self.besides();
        let seconds = each / 1e9 * (self.to_fit as u64 + loads as u64 * self.repeats) as f64;
        let fitted = match fit {
            [] => String::new(),
            fit => format!("  fitted at   {}; one run each\n", fit.join(", ")),
        };
        let loads = match predict {
            Some(loads) => loads.join(", "),
            None => format!("{usual}, chosen from the fitted model"),
        };
        let cooldown = self.cooldown;
        let besides = match (self.to_fit, self.limit) {
            (0, _) => String::new(),
            (_, None) => ", and the fit".to_owned(),
            (_, Some(limit)) => format!(", and the fit: within {limit}"),
        };
        Ok(format!(
            "  varied      {over}\n{fitted}  loads       {loads}\n  live        {} turns of all loads; each run {} \
             warm-up, {} window, {cooldown} pause\n  total       about {}{besides}\n",
            self.repeats,
            lengths.warmup,
            lengths.hold,
            Duration(seconds.ceil() * 1e9),
        ))
    }
}

/// A time of a flag as a span.
fn span(time: Duration) -> Span {
    Span::from_nanos_f64(time.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: f64 = 1e9;

    /// Runs of one second of warm-up and one until the last replies.
    fn plan(limit: Option<f64>, to_fit: usize, repeats: u64) -> Plan {
        Plan {
            warmup: Duration(SECOND),
            hold: None,
            cooldown: Duration(0.0),
            limit: limit.map(|limit| Duration(limit * SECOND)),
            began: Instant::now(),
            to_fit,
            repeats,
        }
    }

    #[test]
    fn a_time_limit_is_shared_by_all_runs_and_the_fit() {
        let hold = |plan: Plan, loads: usize| plan.lengths(loads).map(|lengths| lengths.hold.0);
        // 90 s for twelve runs.
        let shared = hold(plan(Some(120.0), 4, 2), 4).expect("there is time");
        assert_eq!(shared, 5.5 * SECOND);
        let alone = hold(plan(Some(96.0), 0, 2), 6).expect("there is time");
        assert_eq!(alone, 6.0 * SECOND);
        let why = hold(plan(Some(40.0), 4, 2), 4).expect_err("there is none");
        // Twelve runs of four seconds, and the fit.
        assert!(why.to_string().contains("give at least 64s"), "{why}");
        assert_eq!(hold(plan(None, 4, 2), 4).expect("no limit"), HOLD.0);
    }

    #[test]
    fn what_is_left_after_a_fit_decides_how_often_loads_are_measured() {
        let (left, lengths) = plan(Some(20.0), 4, 3).after_fit(4);
        assert_eq!((left.repeats, left.to_fit), (1, 0));
        assert!((2.0 * SECOND..=2.5 * SECOND).contains(&lengths.hold.0));
        let (left, lengths) = plan(Some(200.0), 4, 3).after_fit(4);
        assert_eq!(left.repeats, 3);
        assert!((12.0 * SECOND..=13.0 * SECOND).contains(&lengths.hold.0));
        // However little is left, nothing that was measured is lost for it.
        let (left, lengths) = plan(Some(1.0), 4, 3).after_fit(4);
        assert_eq!((left.repeats, lengths.hold.0), (1, SHORTEST.0));
        let (left, lengths) = plan(None, 4, 3).after_fit(4);
        assert_eq!((left.repeats, lengths.hold.0), (3, HOLD.0));
    }

    #[test]
    fn a_further_load_is_measured_where_the_others_still_can_be() {
        let lengths = Lengths {
            warmup: Duration(SECOND),
            hold: Duration(5.0 * SECOND),
        };
        // 7 s for it, 16 s for four others, and a quarter for the fit.
        for (limit, has_room) in [(None, true), (Some(40.0), true), (Some(30.0), false)] {
            assert_eq!(
                plan(limit, 4, 3).has_room(lengths, 4),
                has_room,
                "{limit:?}"
            );
        }
    }

    #[test]
    fn a_fit_ends_in_time_for_the_others() {
        let timed = plan(Some(100.0), 4, 3);
        let end = timed.end_of_fit(4).expect("there is a limit");
        assert_eq!(end.duration_since(timed.began).as_secs(), 84);
        assert_eq!(plan(None, 4, 3).end_of_fit(4), None);
    }
}
