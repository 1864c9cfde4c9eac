//! The plain search over live trials: each is judged strictly, and ends when the rest of it cannot change the judgement.

use blis_live::run::ceiling::Next;
use blis_live::run::trials::{SoFar, Tried};
use blis_sim::model::Model;
use blis_sim::search::{Ask, Bracket, Ended, Judged, Pool};
use blis_sim::verdict::LiveEvidence;

use super::unit::Unit;

/// A search, and the trial that runs.
#[derive(Debug, Clone)]
pub struct Bracketed {
    bracket: Bracket,
    longest: u32,
    asked: Option<Ask>,
    pool: Pool,
}

impl Bracketed {
    /// A search that has not tried anything, some of whose trials are this many times as long as the first of their loads.
    pub fn new(bracket: Bracket, longest: u32) -> Bracketed {
        Bracketed {
            bracket,
            longest,
            asked: None,
            pool: Pool::default(),
        }
    }

    /// The next trial, after how the one before was judged.
    pub fn next(&mut self, before: Option<&Judged>) -> Option<Next> {
        if let (Some(asked), Some(judged)) = (self.asked.take(), before) {
            self.bracket.tried(asked.load, judged);
        }
        self.asked = self.bracket.next_trial();
        self.asked.map(|asked| Next {
            load: asked.load,
            times_longer: asked.times_longer,
        })
    }

    /// Judges the trial that ran, together with those before at its load that did not decide it. Where it does not either, it is
    /// one of those for the next one, unless the generator or something else disturbed it.
    pub fn judged<S, P>(&mut self, tried: &Tried<S, P>) -> Judged {
        let (ran, load, looks) = (&tried.ran, self.load(), tried.looks + 1);
        let judged = self
            .pool
            .judged(&tried.model, load, &ran.measure, &ran.evidence, looks);
        if tried.disturbed_by.is_empty() {
            self.pool.take(load, &ran.measure, &judged, looks);
        }
        judged
    }

    /// Whether the rest of the trial that runs cannot change its class.
    pub fn is_decided<P>(&self, model: &Model<P>, so_far: &SoFar<'_>) -> bool {
        let live = LiveEvidence {
            // What observers see of backlogs comes at the end.
            backlogs: Some(Vec::new()),
            ..LiveEvidence::default()
        };
        let (load, measure) = (self.load(), so_far.measure);
        self.pool
            .settled(model, load, measure, &live, (so_far.look, so_far.to_come))
            .is_some()
    }

    /// The load of the trial that runs.
    fn load(&self) -> f64 {
        self.asked.map_or(0.0, |asked| asked.load)
    }

    /// How it ended, as far as it has come.
    pub fn ended(&self) -> Ended {
        self.bracket.ended()
    }

    /// The bounds so far.
    pub fn bounds(&self) -> [Option<f64>; 2] {
        let (lower, upper) = self.bracket.bounds();
        [lower, upper]
    }

    /// How many times as long as a first trial the longest one is.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// How many trials there are at most.
    pub fn most(&self) -> u64 {
        self.bracket.most_trials()
    }

    /// Which loads these are, in words.
    pub fn what(&self, unit: Unit) -> String {
        let shown = |load: &f64| unit.shown(*load);
        let first = self.bracket.first_loads();
        let some: Vec<String> = first.iter().take(3).map(shown).collect();
        let and_on = match (first.len() > 3, first.last()) {
            (true, Some(last)) => {
                format!(" and on up to {} while they pass", shown(last))
            }
            _ => String::new(),
        };
        format!(
            "up to {} trials: at {}{and_on}, then between the loads that passed and tripped",
            self.most(),
            some.join(", ")
        )
    }
}
