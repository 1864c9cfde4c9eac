//! Trials: loads of a search, one after another over the connections of one session.
//!
//! A trial has a warm-up, a window, the drain, a wait until the backlogs of its load are gone, and a pause.
//! Guarantees:
//! - Trial n, from 0, has the seed [`seed_of`]`(seed, n)`, with its own arrivals, choices and keys.
//! - Nothing of an earlier trial counts in a later one: each is a load with its own [`Epoch`](blis_sim::runner::Epoch).
//! - A trial that starts while work of an earlier one is left, or that loses connections, reports it. It may pass; it cannot
//!   trip.
//! - The drain and the wait for backlogs take at most `run.drain` each.

mod limits;
mod looks;
mod settle;

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Event, Sink};
use blis_sim::model::{Limits, Model, Path};
use blis_sim::replication::seed_of;
use blis_sim::runner::Ran;
use blis_sim::search::{Judged, Trial};
use blis_sim::time::{Span, Time};
use blis_sim::verdict::Status;

use crate::clock::RealClock;
use crate::generator::driver::{LoadProgress, LoadWatch, PATIENCE};
use crate::run::failure::RunFailure;
use crate::run::observed::{Heard, Observed, evidence};
use crate::run::recent_ends::Recent;
use crate::run::session::Session;
use crate::wire::responders::Silence;
pub use looks::SoFar;
use looks::{Looks, to_come};
use settle::{Backlogs, Settled, settle, wait_until};

/// How long the parts of a trial take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Load that is not measured.
    pub warmup: Span,
    /// Load that is measured, unless the trial is decided before its end.
    pub hold: Span,
    /// Nothing, once everything of the load is gone.
    pub cooldown: Span,
}

impl Pace {
    /// A model as it is sent in a trial: its length is that of the pace, whatever bounds the spec has.
    pub fn of_trial<P: Clone>(self, model: &Model<P>, number: u64) -> Model<P> {
        let mut model = model.clone();
        model.seed = seed_of(model.seed, number);
        model.limits = Limits {
            requests: None,
            horizon: Some(Time::ZERO + self.warmup + self.hold),
            warmup: Time::ZERO + self.warmup,
            find_warmup: false,
            drain: model.limits.drain,
        };
        model
    }

    /// The longest that a trial takes: with a drain and a wait for backlogs of this length.
    pub fn longest(self, drain: Span) -> Span {
        self.warmup + self.hold + drain + drain + self.cooldown
    }
}

/// What a trial is accompanied by.
pub struct Beside<'a> {
    /// Whether somebody wants it to end.
    pub stop: &'a dyn Fn() -> bool,
    /// Is shown how far it has come.
    pub show: &'a mut dyn FnMut(LoadProgress, &mut Recent),
    /// Is shown what is measured so far, each time that twice as many requests have ended as before. Whether the rest of the
    /// trial can no longer change how it is judged.
    pub decided: &'a mut dyn FnMut(&SoFar<'_>) -> bool,
    /// Is handed what may make its figures mean something else than they seem to.
    pub warn: &'a dyn Fn(&str),
}

/// A trial that has run, and is not judged yet.
#[derive(Debug)]
pub struct Tried<S, P> {
    /// The model as it was sent.
    pub model: Model<P>,
    /// How often it was looked whether it is decided.
    pub looks: u32,
    /// What was measured, as a search takes it.
    pub ran: Ran,
    /// The same with all that a result document of it tells.
    pub observed: Observed<S>,
    /// What else may have made its load heavier than it is, in sentences: what was left of an earlier trial when it began, and
    /// connections that were lost meanwhile.
    pub disturbed_by: Vec<String>,
}

impl<S, P> Tried<S, P> {
    /// Whether the connections were lost for good.
    pub fn lost(&self) -> bool {
        self.observed.ended.lost
    }

    /// Of which actions nobody was there to answer, as what keeps a search from going on.
    pub fn nobody_answers(&self) -> Option<RunFailure> {
        let silent = Silence::new(&self.model).look(&self.observed.told.responders);
        (!silent.is_empty()).then(|| RunFailure::Unanswered(silent.join("; ")))
    }

    /// Whether somebody wanted it to end before it did.
    pub fn was_interrupted(&self) -> bool {
        self.ran.ended_by == LoadEnd::Interrupted
    }

    /// The trial, judged. What disturbs it makes its load heavier and never lighter: it does not stand in the way of a pass, and a
    /// trip may be its doing.
    pub fn judged(&self, load: f64, mut judged: Judged) -> Trial {
        if judged.status == Status::Trip && !self.disturbed_by.is_empty() {
            judged.status = Status::Inconclusive;
            judged.reasons.extend(self.disturbed_by.iter().cloned());
        }
        Trial {
            load,
            paths: 1,
            ran: self.ran.clone(),
            judged,
        }
    }
}

/// Trials over a session.
pub struct Trials {
    session: Session,
    pace: Pace,
    /// How many there were.
    number: u64,
    /// The backlogs before the first trial.
    before: Option<Backlogs>,
    /// What is left of the trials so far, in sentences.
    left: Vec<String>,
    clock: RealClock<Receiver<()>>,
    /// Nothing comes in while a trial is waited for; the channel stays open for as long.
    _open: Sender<()>,
}

impl Trials {
    /// No trial yet, over a session that has run no load; this many came before, over sessions of others.
    pub fn new(mut session: Session, before: u64) -> Trials {
        session.come_after(before);
        let (open, nothing) = channel();
        Trials {
            session,
            pace: Pace::default(),
            number: before,
            before: None,
            left: Vec::new(),
            clock: RealClock::new(Instant::now(), nothing),
            _open: open,
        }
    }

    /// The trials after these are over another session. It has the consumers of this one, and none of its connections.
    pub fn over(mut self, mut session: Session) -> Trials {
        session.come_after(self.number);
        std::mem::replace(&mut self.session, session).close();
        self
    }

    /// The trials after these have this pace.
    pub fn at(&mut self, pace: Pace) -> &mut Trials {
        self.pace = pace;
        self
    }

    /// How many there were, those over other sessions and before these included.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether all connections are up, or are so before long: as long as a run that has lost them waits.
    pub fn is_connected(&mut self, stop: &dyn Fn() -> bool) -> bool {
        let session = &self.session;
        wait_until(&mut self.clock, PATIENCE, &|| session.is_up() || stop());
        session.is_up()
    }

    /// Lets go of the session.
    pub fn close(self) {
        self.session.close();
    }

    /// Runs a trial of this model, of which `also` sees every event, and waits until nothing is left of it.
    ///
    /// # Errors
    /// Those of [`Session::run_load`], and books that do not balance.
    pub fn run<S: Sink, P: Clone + Into<Option<Path>>>(
        &mut self,
        model: &Model<P>,
        also: S,
        beside: Beside<'_>,
    ) -> Result<Tried<S, P>, RunFailure> {
        let model = self.pace.of_trial(model, self.number);
        let before = match &self.before {
            Some(before) => before.clone(),
            None => self.session.backlogs(),
        };
        self.number += 1;
        let Beside {
            stop,
            show,
            decided,
            warn,
        } = beside;
        let end = Time::ZERO + self.pace.warmup + self.pace.hold;
        let mut looks = Looks::new(Time::ZERO + self.pace.warmup, end);
        let enough = Cell::new(false);
        let mut show = |reached: LoadProgress, (measure, recent): &mut Heard| {
            show(reached, recent);
            if let Some(look) = looks.due(reached.now, measure) {
                let to_come = to_come(reached, end);
                let so_far = SoFar {
                    measure,
                    look,
                    to_come,
                };
                enough.set(decided(&so_far));
            }
        };
        let watch = LoadWatch {
            stop,
            enough: &|| enough.get(),
            show: &mut show,
        };
        let heard = (also, Latest::default());
        let observed = self.session.run_load(&model, heard, warn, watch)?;
        let (observed, latest) = parted(observed);
        let mut tried = tried(model, observed, std::mem::take(&mut self.left))?;
        tried.looks = looks.made();
        self.wait_for(&tried, before, latest, stop, warn);
        Ok(tried)
    }

    /// Waits until nothing is left of a trial, and then for the cooldown.
    fn wait_for<S, P>(
        &mut self,
        tried: &Tried<S, P>,
        mut before: Backlogs,
        latest: Latest,
        stop: &dyn Fn() -> bool,
        warn: &dyn Fn(&str),
    ) {
        let drain = tried.model.limits.drain;
        if tried.lost() || stop() {
            return;
        }
        let ended = &tried.observed.ended;
        self.left
            .extend(latest.still_at_work(ended.at, drain, ended.owed));
        let session = &self.session;
        let settled = settle(
            &mut self.clock,
            drain,
            &before,
            &mut || session.backlogs(),
            stop,
        );
        match settled {
            Settled::Back | Settled::Stopped => {}
            Settled::Left { working, idle } => {
                for (name, number) in idle {
                    warn(&format!(
                        "the backlog of consumer {name} is {number} messages above its level before the trial and does \
                         not shrink; trials no longer wait for it"
                    ));
                    before.remove(&name);
                }
                let left = working.iter().map(|(name, number)| {
                    format!(
                        "The trial began while the backlog of consumer {name} was {number} messages above its level \
                         before the search; raise `run.drain`."
                    )
                });
                self.left.extend(left);
            }
        }
        for sentence in &self.left {
            warn(&format!("the next trial: {sentence}"));
        }
        self.before = Some(before);
        wait_until(&mut self.clock, self.pace.cooldown, stop);
    }
}

/// What a search and a document take of a load that has run.
fn tried<S, P>(
    model: Model<P>,
    mut observed: Observed<S>,
    mut disturbed_by: Vec<String>,
) -> Result<Tried<S, P>, RunFailure> {
    let ended = &observed.ended;
    observed.measure.finish(ended.intended)?;
    let mut evidence = evidence(&model, &observed);
    evidence
        .generator_limits
        .extend(limits::of(&model, &observed));
    if observed.told.lost.load(Ordering::Relaxed) > 0 {
        disturbed_by.push(
            "Connections to the server were lost during the trial; check the log of the server, and search again.".to_owned(),
        );
    }
    let ended = &observed.ended;
    let ran = Ran {
        epoch: observed.epoch,
        measure: observed.measure.clone(),
        ended_by: ended.by,
        ended_at: ended.at,
        intended: ended.intended,
        late_of_earlier: observed.late_of_earlier,
        evidence,
    };
    Ok(Tried {
        model,
        looks: 0,
        ran,
        observed,
        disturbed_by,
    })
}

/// When something last came of the requests of a load.
#[derive(Debug, Clone, Copy, Default)]
struct Latest(Time);

impl Latest {
    /// That work was left when a run ended in which this many replies are owed, if so. What nobody answers is lost; but an answer in the
    /// last tenth of the drain says that there would have been more.
    fn still_at_work(self, end: Time, drain: Span, owed: u64) -> Option<String> {
        let tenth = Span::from_nanos(drain.as_nanos() / 10);
        (owed > 0 && self.0 + tenth >= end).then(|| {
            format!(
                "The trial began while {owed} replies of the trial before were outstanding; raise `run.drain`."
            )
        })
    }
}

impl Sink for Latest {
    fn advance(&mut self, _now: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        match event {
            Event::Done { outcome, .. } if outcome.is_reply() => self.0 = at,
            Event::LateReply => self.0 = at,
            _ => {}
        }
    }
}

/// What was heard, without what only trials want to know.
fn parted<S>(observed: Observed<(S, Latest)>) -> (Observed<S>, Latest) {
    let Observed {
        epoch,
        late_of_earlier,
        measure,
        also: (also, latest),
        ended,
        told,
        connected,
        never_left,
        seen,
        observers,
    } = observed;
    let observed = Observed {
        epoch,
        late_of_earlier,
        measure,
        also,
        ended,
        told,
        connected,
        never_left,
        seen,
        observers,
    };
    (observed, latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_to_the_end_of_the_drain_is_work_and_the_rest_is_lost() {
        let seconds = |number: u64| Span::from_nanos(number * 1_000_000_000);
        let (end, drain) = (Time::ZERO + seconds(40), seconds(30));
        let left = |last, owed| Latest(Time::ZERO + seconds(last)).still_at_work(end, drain, owed);
        assert!(left(37, 5).is_some_and(|why| {
            why.contains("5 replies of the trial before were outstanding; raise `run.drain`")
        }));
        assert_eq!(left(36, 5), None);
        assert_eq!(left(40, 0), None);
    }
}
