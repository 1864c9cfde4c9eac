//! Given loads in ascending order: the steps of a ramp, as a state machine.
//!
//! A load that met its objectives passes and the ramp continues; the first that missed them ends it, unless it is to continue;
//! an undecided one neither passes nor stops; one at which the generator was the limit ends it, since every larger load would
//! find the same limit. Steps run in either world.

use super::{AtLeast, Ceiling, Ended, Judged, Share};
use crate::number::count;
use crate::replication::Outgrown;
use crate::verdict::{Evidence, Status, Weighed, judge_by};

/// What follows a step that missed its objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterTrip {
    /// The ramp ends.
    Stop,
    /// The next step.
    GoOn,
    /// The next step, and whether more helps is seen at the end: of workers it may, of requests it never does.
    SeeWhichWay,
}

/// Why loads cannot be the steps of a ramp.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoSteps {
    /// There is none.
    #[error("there are no steps")]
    Empty,
    /// One is no load.
    #[error("a step of {0} is not a load; give values above 0")]
    NoLoad(f64),
    /// One is not above the one before it.
    #[error("the step {then} does not come after {first}")]
    NotAscending {
        /// The one before.
        first: f64,
        /// The one that is not above it.
        then: f64,
    },
}

/// A ramp over given loads.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    loads: Vec<f64>,
    after_trip: AfterTrip,
    taken: Vec<Judged>,
}

impl Steps {
    /// A ramp over these loads.
    ///
    /// # Errors
    /// When there is none, or they are not above 0, finite and strictly ascending.
    pub fn new(loads: Vec<f64>, after_trip: AfterTrip) -> Result<Steps, NoSteps> {
        if loads.is_empty() {
            return Err(NoSteps::Empty);
        }
        if let Some(load) = loads.iter().find(|load| !load.is_finite() || **load <= 0.0) {
            return Err(NoSteps::NoLoad(*load));
        }
        if let Some(pair) = loads.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(NoSteps::NotAscending {
                first: pair[0],
                then: pair[1],
            });
        }
        Ok(Steps {
            loads,
            after_trip,
            taken: Vec::new(),
        })
    }

    /// The load of the next step; `None` when the ramp has ended.
    pub fn next_load(&self) -> Option<f64> {
        let ended = self.taken.last().is_some_and(|last| {
            let tripped = last.status == Status::Trip && self.after_trip == AfterTrip::Stop;
            tripped || is_generator_limited(last)
        });
        let next = self.loads.get(self.taken.len()).copied();
        next.filter(|_| !ended)
    }

    /// Takes how the step was judged that was to run next. Without one, nothing is taken.
    pub fn take(&mut self, judged: Judged) {
        if self.next_load().is_some() {
            self.taken.push(judged);
        }
    }

    /// All loads, those to come included.
    pub fn loads(&self) -> &[f64] {
        &self.loads
    }

    /// How many steps there are, those to come included.
    pub fn number(&self) -> usize {
        self.loads.len()
    }

    /// How many of them have run.
    pub fn taken(&self) -> usize {
        self.taken.len()
    }

    /// Whether more of what is varied helps: the smallest load that was decided missed its objectives and the largest kept
    /// them; where both passed or both missed, a smaller share was over the limits at the largest.
    pub fn more_helps(&self) -> bool {
        let Some((first, last)) = self.ends() else {
            return false;
        };
        if self.after_trip != AfterTrip::SeeWhichWay {
            return false;
        }
        match (first.status, last.status) {
            (Status::Trip, Status::Pass) => true,
            (Status::Pass, Status::Trip) => false,
            _ => first.strain() > last.strain(),
        }
    }

    /// The steps with the smallest and the largest load that passed or tripped, where there are two.
    fn ends(&self) -> Option<(&Judged, &Judged)> {
        let mut decided = self.taken.iter();
        let mut decided = decided
            .by_ref()
            .filter(|one| one.status != Status::Inconclusive);
        let first = decided.next()?;
        Some((first, decided.last()?))
    }

    /// The nearest load that missed its objectives: the smallest one, or where more helps the largest.
    pub fn upper(&self) -> Option<f64> {
        let tripped = self.of(Status::Trip);
        match self.more_helps() {
            false => tripped.reduce(f64::min),
            true => tripped.reduce(f64::max),
        }
    }

    /// The load that kept them and is the nearest to that, on the side of those that keep them: the largest below all that
    /// missed them, or where more helps the smallest above.
    pub fn lower(&self) -> Option<f64> {
        let (upper, passed) = (self.upper(), self.of(Status::Pass));
        match (self.more_helps(), upper) {
            (false, None) => passed.reduce(f64::max),
            (true, None) => passed.reduce(f64::min),
            (false, Some(upper)) => passed.filter(|load| *load < upper).reduce(f64::max),
            (true, Some(upper)) => passed.filter(|load| *load > upper).reduce(f64::min),
        }
    }

    fn of(&self, status: Status) -> impl Iterator<Item = f64> {
        let wanted = move |(_, found): &(f64, Status)| *found == status;
        self.decided().filter(wanted).map(|(load, _)| load)
    }

    /// The loads that passed or tripped.
    fn decided(&self) -> impl Iterator<Item = (f64, Status)> {
        let steps = self.loads.iter().zip(&self.taken);
        let statuses = steps.map(|(load, judged)| (*load, judged.status));
        statuses.filter(|(_, status)| *status != Status::Inconclusive)
    }

    /// How the ramp ended, as far as it has come.
    pub fn ended(&self) -> Ended {
        match (self.lower(), self.upper()) {
            (Some(load), Some(_)) => Ended::Ceiling(Ceiling {
                load,
                interval: None,
                cliff: None,
                precise: false,
            }),
            (Some(load), None) => Ended::AtLeast(load, self.why_no_further()),
            (None, Some(_)) => Ended::NonePassed,
            (None, None) => Ended::Undecided(self.doubts()),
        }
    }

    fn why_no_further(&self) -> AtLeast {
        match self.taken.last() {
            Some(last) if is_generator_limited(last) => {
                AtLeast::GeneratorLimited(last.generator_limits.clone())
            }
            _ => match self.doubts_at_the_end() {
                None => AtLeast::EndOfRange,
                Some(doubts) => AtLeast::Undecided(doubts),
            },
        }
    }

    /// Why it is not known that the hardest of all loads passes; `None` where it does.
    fn doubts_at_the_end(&self) -> Option<Vec<String>> {
        let hardest = match self.more_helps() {
            true => 0,
            false => self.loads.len() - 1,
        };
        match self.taken.get(hardest) {
            Some(judged) => (judged.status != Status::Pass).then(|| judged.reasons.clone()),
            None => Some(vec![
                "Not every step was tried; allow more time.".to_owned(),
            ]),
        }
    }

    fn doubts(&self) -> Vec<String> {
        match self.taken.last() {
            None => vec!["No step was completed.".to_owned()],
            Some(last) => last.reasons.clone(),
        }
    }
}

fn is_generator_limited(judged: &Judged) -> bool {
    judged.status == Status::Inconclusive && !judged.generator_limits.is_empty()
}

impl Judged {
    /// By how much the worst objective was missed, or kept: what is over its limit as a multiple of what may be.
    pub fn strain(&self) -> f64 {
        let over = self.shares.iter().map(|share| {
            let allowed = (share.samples as f64 * share.allowed).max(1.0);
            share.over as f64 / allowed
        });
        over.fold(0.0, f64::max)
    }

    /// The verdict of a plain run, as a trial has it.
    pub fn plainly(evidence: &Evidence) -> Judged {
        let lagged = evidence.generator_lagged;
        let judgement = judge_by(evidence, |_, signal| Weighed::by_figures(signal, lagged));
        let verdict = judgement.verdict;
        let mut limits = evidence.generator_limits.clone();
        for limit in judgement.generator {
            if !limits.contains(&limit) {
                limits.push(limit);
            }
        }
        let shares = evidence.signals.iter().filter_map(|signal| {
            let counted = signal.counted()?;
            Some(Share {
                of: signal.of.clone(),
                name: signal.name(),
                samples: counted.samples,
                over: counted.over(),
                allowed: counted.share,
                effective: None,
            })
        });
        Judged {
            status: verdict.status,
            reasons: verdict.reasons,
            more_needed: verdict.more_needed,
            generator_limits: limits,
            shares: shares.collect(),
        }
    }

    /// This, of a load at which more waits than memory has room for: whatever else is known of it, it is too much.
    pub fn outgrown(mut self, outgrown: Outgrown) -> Judged {
        self.status = Status::Trip;
        self.more_needed = None;
        self.reasons.insert(
            0,
            format!(
                "After {:.3} s of simulated time {} requests are waiting, and more do not fit into memory: this load \
                 exceeds the capacity of the services.",
                outgrown.at.as_secs_f64(),
                count(outgrown.present)
            ),
        );
        self
    }

    /// This, unless it passed at less than the load: fewer requests were sent than the tolerated share of those that the
    /// load is, and chance does not explain it. A system that is slow holds some generators back, so what missed its
    /// objectives stays missed.
    pub fn at_its_load(mut self, sent: u64, load: Expected, tolerance: f64) -> Judged {
        let least = load.requests * (1.0 - tolerance) - 4.0 * load.deviation;
        if self.status != Status::Pass || sent as f64 >= least {
            return self;
        }
        self.status = Status::Inconclusive;
        self.reasons.push(format!(
            "Only {:.1} % of the load was sent, less than the tolerated {:.1} %; lengthen the warm-up, or find what \
             holds the requests back.",
            100.0 * sent as f64 / load.requests,
            100.0 * (1.0 - tolerance),
        ));
        self
    }
}

/// How many requests a load is over the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The mean.
    pub requests: f64,
    /// The standard deviation.
    pub deviation: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(status: Status, generator_limits: &[&str]) -> Judged {
        Judged {
            status,
            reasons: vec![format!("It is {status:?}.")],
            more_needed: None,
            generator_limits: generator_limits.iter().map(|&text| text.into()).collect(),
            shares: Vec::new(),
        }
    }

    fn ramp(after_trip: AfterTrip, outcomes: &[Judged]) -> Steps {
        let loads = (1u32..).take(outcomes.len()).map(f64::from).collect();
        let mut steps = Steps::new(loads, after_trip).expect("steps");
        for outcome in outcomes {
            steps.take(outcome.clone());
        }
        steps
    }

    const PASS: Status = Status::Pass;
    const TRIP: Status = Status::Trip;
    const OPEN: Status = Status::Inconclusive;

    fn of(after_trip: AfterTrip, statuses: &[Status]) -> Steps {
        let outcomes: Vec<Judged> = statuses.iter().map(|one| judged(*one, &[])).collect();
        ramp(after_trip, &outcomes)
    }

    fn ceiling(load: f64) -> Ended {
        Ended::Ceiling(Ceiling {
            load,
            interval: None,
            cliff: None,
            precise: false,
        })
    }

    #[test]
    fn loads_that_are_no_steps_are_refused() {
        let new = |loads: &[f64]| Steps::new(loads.to_vec(), AfterTrip::Stop).err();
        assert_eq!(new(&[]), Some(NoSteps::Empty));
        for load in [0.0, -1.0, f64::INFINITY] {
            assert_eq!(new(&[load, 1.0]), Some(NoSteps::NoLoad(load)));
        }
        assert!(matches!(new(&[f64::NAN]), Some(NoSteps::NoLoad(_))));
        for then in [500.0, 499.0] {
            let first = 500.0;
            assert_eq!(
                new(&[first, then]),
                Some(NoSteps::NotAscending { first, then })
            );
        }
        assert_eq!(new(&[500.0, 500.5]), None);
    }

    #[test]
    fn a_ramp_ends_with_its_first_trip_unless_it_shall_go_on() {
        let stopped = of(AfterTrip::Stop, &[PASS, TRIP, PASS]);
        assert_eq!((stopped.taken(), stopped.next_load()), (2, None));
        assert_eq!(stopped.ended(), ceiling(1.0));
        let gone_on = of(AfterTrip::GoOn, &[PASS, TRIP, PASS]);
        assert_eq!(gone_on.taken(), 3);
        // What passes above a load that tripped is no answer.
        assert_eq!(gone_on.ended(), ceiling(1.0));
        assert_eq!(gone_on.upper(), Some(2.0));
    }

    #[test]
    fn where_more_helps_the_least_that_passes_is_the_answer() {
        let steps = of(AfterTrip::SeeWhichWay, &[TRIP, OPEN, TRIP, PASS, PASS]);
        assert!(steps.more_helps());
        assert_eq!((steps.upper(), steps.lower()), (Some(3.0), Some(4.0)));
        assert_eq!(steps.ended(), ceiling(4.0));
        // Of a load it never does.
        assert_eq!(
            of(AfterTrip::GoOn, &[TRIP, PASS]).ended(),
            Ended::NonePassed
        );
        // An inversion settles on the safe side.
        let inverted = of(AfterTrip::SeeWhichWay, &[TRIP, PASS, TRIP, PASS]);
        assert_eq!((inverted.upper(), inverted.lower()), (Some(3.0), Some(4.0)));
        assert!(!of(AfterTrip::SeeWhichWay, &[PASS, TRIP, PASS]).more_helps());
        assert!(!of(AfterTrip::SeeWhichWay, &[TRIP, TRIP]).more_helps());
        // Where all passed, by what was over the limits.
        let passed = |over| Judged {
            shares: vec![Share {
                of: "Action a".to_owned(),
                name: "p99".to_owned(),
                samples: 1000,
                over,
                allowed: 0.01,
                effective: None,
            }],
            ..judged(PASS, &[])
        };
        let relieved = ramp(AfterTrip::SeeWhichWay, &[passed(9), passed(3), passed(0)]);
        let least = Ended::AtLeast(1.0, AtLeast::EndOfRange);
        assert_eq!((relieved.more_helps(), relieved.ended()), (true, least));
        let strained = ramp(AfterTrip::SeeWhichWay, &[passed(0), passed(3), passed(9)]);
        let most = Ended::AtLeast(3.0, AtLeast::EndOfRange);
        assert_eq!((strained.more_helps(), strained.ended()), (false, most));
    }

    #[test]
    fn what_is_open_neither_passes_nor_stops() {
        let steps = of(AfterTrip::Stop, &[OPEN, PASS, OPEN, OPEN, TRIP]);
        assert_eq!(steps.taken(), 5);
        assert_eq!(steps.ended(), ceiling(2.0));
        assert_eq!(
            of(AfterTrip::Stop, &[OPEN, TRIP]).ended(),
            Ended::NonePassed
        );
        assert_eq!(
            of(AfterTrip::Stop, &[OPEN]).ended(),
            Ended::Undecided(vec!["It is Inconclusive.".to_owned()])
        );
        assert_eq!(
            of(AfterTrip::Stop, &[PASS, OPEN]).ended(),
            Ended::AtLeast(
                1.0,
                AtLeast::Undecided(vec!["It is Inconclusive.".to_owned()])
            )
        );
    }

    #[test]
    fn what_passed_is_all_there_is_only_where_the_hardest_load_did() {
        let steps = |taken: &[Status]| {
            let mut steps = Steps::new(vec![1.0, 2.0, 3.0], AfterTrip::Stop).expect("steps");
            for status in taken {
                steps.take(judged(*status, &[]));
            }
            steps.ended()
        };
        assert_eq!(
            steps(&[PASS, OPEN, PASS]),
            Ended::AtLeast(3.0, AtLeast::EndOfRange)
        );
        for taken in [&[PASS][..], &[PASS, PASS], &[PASS, PASS, OPEN]] {
            let ended = steps(taken);
            assert!(
                matches!(ended, Ended::AtLeast(_, AtLeast::Undecided(_))),
                "{ended:?}"
            );
        }
    }

    #[test]
    fn a_generator_that_is_the_limit_ends_the_ramp() {
        let limited = judged(OPEN, &["The generator was late."]);
        let steps = ramp(
            AfterTrip::GoOn,
            &[judged(PASS, &[]), limited.clone(), judged(PASS, &[])],
        );
        assert_eq!(steps.taken(), 2);
        let why = AtLeast::GeneratorLimited(limited.generator_limits);
        assert_eq!(steps.ended(), Ended::AtLeast(1.0, why));
        // A trip is one whatever else the generator was.
        let tripped = judged(TRIP, &["The generator was late."]);
        let steps = ramp(AfterTrip::GoOn, &[tripped, judged(PASS, &[])]);
        assert_eq!((steps.taken(), steps.ended()), (2, Ended::NonePassed));
    }

    #[test]
    fn a_shortfall_is_open_and_never_hides_a_trip() {
        let load = Expected {
            requests: 1000.0,
            deviation: 0.0,
        };
        let status = |status, sent| judged(status, &[]).at_its_load(sent, load, 0.05).status;
        assert_eq!(status(PASS, 950), PASS);
        assert_eq!(status(PASS, 949), OPEN);
        assert_eq!(status(TRIP, 10), TRIP);
        let chance = Expected {
            deviation: 10.0,
            ..load
        };
        let by_chance = judged(PASS, &[]).at_its_load(949, chance, 0.05);
        assert_eq!(by_chance.status, PASS);
    }

    fn outcomes() -> impl Strategy<Value = Vec<Judged>> {
        let one = prop_oneof![
            Just(judged(PASS, &[])),
            Just(judged(TRIP, &[])),
            Just(judged(TRIP, &["The generator was late."])),
            Just(judged(OPEN, &[])),
            Just(judged(OPEN, &["The generator was late."])),
        ];
        prop::collection::vec(one, 1..12)
    }

    proptest! {
        #[test]
        fn bounds_are_never_inverted_and_no_step_runs_twice(
            outcomes in outcomes(),
            after_trip in prop::sample::select(vec![
                AfterTrip::Stop,
                AfterTrip::GoOn,
                AfterTrip::SeeWhichWay,
            ]),
        ) {
            let loads: Vec<f64> = (1u32..).take(outcomes.len()).map(f64::from).collect();
            let mut steps = Steps::new(loads, after_trip).expect("steps");
            let mut asked = Vec::new();
            while let Some(load) = steps.next_load() {
                prop_assert!(asked.len() < outcomes.len());
                let outcome = &outcomes[asked.len()];
                asked.push((load, outcome.status));
                steps.take(outcome.clone());
                if let (Some(lower), Some(upper)) = (steps.lower(), steps.upper()) {
                    prop_assert_eq!(lower > upper, steps.more_helps());
                }
            }
            prop_assert!(asked.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let tripped: Vec<f64> = asked.iter().filter(|one| one.1 == TRIP).map(|one| one.0).collect();
            let nearest = if steps.more_helps() { tripped.last() } else { tripped.first() };
            prop_assert_eq!(steps.upper(), nearest.copied());
            if after_trip == AfterTrip::Stop {
                prop_assert!(tripped.len() <= 1);
            }
            match steps.ended() {
                Ended::Ceiling(found) => {
                    prop_assert_eq!(Some(found.load), steps.lower());
                    prop_assert!(asked.contains(&(found.load, PASS)));
                }
                Ended::AtLeast(load, _) => {
                    prop_assert!(tripped.is_empty());
                    let is_beyond = |other: f64| match steps.more_helps() {
                        false => other > load,
                        true => other < load,
                    };
                    prop_assert!(!asked.iter().any(|one| one.1 == PASS && is_beyond(one.0)));
                }
                Ended::NonePassed => prop_assert!(steps.lower().is_none() && !tripped.is_empty()),
                Ended::Undecided(_) => prop_assert!(asked.iter().all(|one| one.1 == OPEN)),
            }
            // Nothing is taken after the end.
            let before = steps.clone();
            steps.take(judged(PASS, &[]));
            prop_assert!(steps.next_load().is_some() || steps == before);
        }
    }
}
