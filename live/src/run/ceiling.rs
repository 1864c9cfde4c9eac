//! The live side of a search for a ceiling: trials over one session.
//!
//! The caller knows no connections: it receives the judgement of a trial and gives the next load. Guarantees:
//! - Connections stay open from trial to trial. A load that needs more connections opens all of them anew between two trials.
//! - A trial that was interrupted, or lost its connections, is not judged; earlier results stand.
//! - No trial starts without enough time left.
//! - A first trial without subscribers on a subject of an action ends the search, because no load changes that.

use std::time::Instant;

use blis_sim::event::Sink;
use blis_sim::model::{Model, Path};
use blis_sim::search::{Judged, Trial};
use blis_sim::time::Span;

use crate::clock::time_of;
use crate::generator::driver::LoadProgress;
use crate::observers::Wanted;
use crate::run::failure::RunFailure;
use crate::run::recent_ends::Recent;
use crate::run::session::Session;
use crate::run::session::connections_of;
use crate::run::trials::{Beside, Pace, SoFar, Trials, Tried};
use crate::target::Target;
use crate::target::access::Access;

/// The least share of its window that a trial is begun for when time runs out.
const LEAST_HOLD: u64 = 4;

/// Where trials run, and for how long.
pub struct Field<'a> {
    /// The servers.
    pub target: &'a Target,
    /// How they let one in.
    pub access: &'a Access,
    /// What is observed beside the load.
    pub wanted: Wanted<'a>,
    /// How long the parts of a trial take.
    pub pace: Pace,
    /// How long all trials together may take, their drains aside.
    pub time_limit: Option<Span>,
    /// How many trials came before these, whose draws these do not repeat.
    pub before: u64,
}

/// Who asks for trials and judges them, and may see every event of a trial.
pub struct Asking<'a, S, P, E> {
    /// Gives the next trial, after how the one before was judged; `None` when there is enough.
    pub next: &'a mut dyn FnMut(Option<&Judged>) -> Option<Next>,
    /// Gives the model at a load.
    pub model: &'a dyn Fn(f64) -> Result<Model<P>, E>,
    /// Gives who sees the events of the next trial.
    pub also: &'a mut dyn FnMut() -> S,
    /// Judges a trial that was run at a load.
    pub judge: &'a dyn Fn(f64, &Tried<S, P>) -> Judged,
    /// Whether the rest of a trial can no longer change how it is judged, by what is known so far.
    pub decided: &'a dyn Fn(&Model<P>, &SoFar<'_>) -> bool,
    /// Is handed every trial that was judged, with all that a result document of it tells.
    pub keep: &'a mut dyn FnMut(&Trial, Tried<S, P>),
}

/// A trial that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Next {
    /// Its load.
    pub load: f64,
    /// How many times as long as usual it is measured.
    pub times_longer: u32,
}

/// Who watches a search.
pub struct Watching<'a> {
    /// Whether somebody wants it to end.
    pub stop: &'a dyn Fn() -> bool,
    /// Is told that a trial begins: its number from 1, its load, and how long the search has taken.
    pub begins: &'a mut dyn FnMut(u64, f64, Span),
    /// Is shown how far a trial has come.
    pub show: &'a mut dyn FnMut(LoadProgress, &mut Recent),
    /// Is handed what may make figures mean something else than they seem to.
    pub warn: &'a dyn Fn(&str),
}

/// How trials ended.
#[derive(Debug)]
pub enum End<E> {
    /// Nobody asked for another one.
    Enough,
    /// Somebody wanted the search to end.
    Interrupted,
    /// The time left was too short for another one.
    TimeIsUp,
    /// The connections were lost for good.
    Lost,
    /// A trial after the first could not be run.
    Failed(E),
}

/// Runs trials for as long as somebody asks for them. `largest` is the model with the largest load that is known to come: this many
/// connections are opened to begin with.
///
/// # Errors
/// Those of [`Session::open`], and what kept the first trial from running.
pub fn run<S, P, E>(
    largest: &Model<P>,
    field: &Field<'_>,
    asking: Asking<'_, S, P, E>,
    watching: Watching<'_>,
) -> Result<End<E>, E>
where
    S: Sink,
    P: Clone + Into<Option<Path>>,
    E: From<RunFailure>,
{
    let Watching {
        stop,
        begins,
        show,
        warn,
    } = watching;
    let open =
        |model: &Model<P>| Session::open(model, field.target, field.access, &field.wanted, warn);
    let (began, mut judged) = (Instant::now(), None);
    let taken = || time_of(began, Instant::now()).since(blis_sim::time::Time::ZERO);
    let mut trials: Option<Trials> = None;
    let end = loop {
        let Some(Next { load, times_longer }) = (asking.next)(judged.as_ref()) else {
            break End::Enough;
        };
        if stop() {
            break End::Interrupted;
        }
        let pace = field.pace.longer(times_longer);
        let Some(pace) = pace.within(field.time_limit, taken()) else {
            break End::TimeIsUp;
        };
        let run = trials
            .as_ref()
            .map_or(0, |trials| trials.number() - field.before);
        let number = run + 1;
        let model = match (asking.model)(load) {
            Ok(model) => model,
            Err(why) if number == 1 => return Err(why),
            Err(why) => break End::Failed(why),
        };
        begins(number, load, taken());
        if trials
            .as_mut()
            .is_some_and(|trials| !trials.is_connected(stop))
        {
            break End::Lost;
        }
        let beside = Beside {
            stop,
            show,
            decided: &mut |so_far| (asking.decided)(&model, so_far),
            warn,
        };
        let needed = (largest, &model);
        let tried = over(&mut trials, needed, field.before, &open)
            .and_then(|trials| trials.at(pace).run(&model, (asking.also)(), beside));
        let tried = match tried {
            Ok(tried) => tried,
            Err(why) if number == 1 => return Err(why.into()),
            Err(why) => break End::Failed(why.into()),
        };
        if tried.lost() {
            break End::Lost;
        }
        if tried.was_interrupted() {
            break End::Interrupted;
        }
        if number == 1
            && let Some(why) = tried.nobody_answers()
        {
            return Err(why.into());
        }
        let trial = tried.judged(load, (asking.judge)(load, &tried));
        judged = Some(trial.judged.clone());
        (asking.keep)(&trial, tried);
    };
    if let Some(trials) = trials {
        trials.close();
    }
    Ok(end)
}

/// The trials so far, with enough connections for a model.
fn over<'a, P: Clone + Into<Option<Path>>>(
    trials: &'a mut Option<Trials>,
    (largest, model): (&Model<P>, &Model<P>),
    before_these: u64,
    open: &dyn Fn(&Model<P>) -> Result<Session, RunFailure>,
) -> Result<&'a mut Trials, RunFailure> {
    let needed = connections_of(model);
    let before = match trials.take() {
        Some(before) if before.session().connected().connections >= needed => {
            return Ok(trials.insert(before));
        }
        before => before,
    };
    let session = match connections_of(largest) >= needed {
        true => open(largest)?,
        false => open(model)?,
    };
    Ok(trials.insert(match before {
        Some(before) => before.over(session),
        None => Trials::new(session, before_these),
    }))
}

impl Pace {
    /// With a window this many times as long.
    fn longer(self, times: u32) -> Pace {
        let hold = self.hold.as_nanos().saturating_mul(times.into());
        Pace {
            hold: Span::from_nanos(hold),
            ..self
        }
    }

    /// The pace of a trial that begins after so much of the time: with a shorter window where no more is left, and none where that
    /// would be much shorter.
    fn within(self, limit: Option<Span>, taken: Span) -> Option<Pace> {
        let Some(limit) = limit else {
            return Some(self);
        };
        let least = Span::from_nanos(self.hold.as_nanos() / LEAST_HOLD);
        let left = limit.as_nanos().checked_sub(taken.as_nanos())?;
        let hold = left.checked_sub(self.warmup.as_nanos())?;
        let hold = Span::from_nanos(hold).min(self.hold);
        (hold >= least).then_some(Pace { hold, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Span {
        Span::from_nanos(number * 1_000_000_000)
    }

    #[test]
    fn no_trial_begins_that_the_time_left_is_too_short_for() {
        let pace = Pace {
            warmup: seconds(2),
            hold: seconds(20),
            cooldown: seconds(1),
        };
        let hold = |limit: Option<u64>, taken: u64| {
            let within = pace.within(limit.map(seconds), seconds(taken));
            within.map(|pace| pace.hold)
        };
        assert_eq!(hold(None, 1_000_000), Some(seconds(20)));
        assert_eq!(hold(Some(60), 0), Some(seconds(20)));
        assert_eq!(hold(Some(60), 38), Some(seconds(20)));
        assert_eq!(hold(Some(60), 39), Some(seconds(19)));
        assert_eq!(hold(Some(60), 53), Some(seconds(5)));
        assert_eq!(hold(Some(60), 54), None);
        assert_eq!(hold(Some(60), 59), None);
        assert_eq!(hold(Some(60), 61), None);
    }
}
