//! The course of a run: what happens next, what happens last, and how time goes on between.

use std::collections::BTreeMap;

use super::{Progress, StandsStill};
use crate::engine::{Calendar, LoadEnd, Task, Turn};
use crate::event::Sink;
use crate::model::Model;
use crate::time::Time;

/// How many further events are looked at to name who goes round.
const SAMPLE: u64 = 1000;
/// From this many users on their records, of 24 bytes each, are more than a core's own cache holds.
const MANY_USERS: usize = 50_000;

/// What came of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// An event.
    Event,
    /// An event that cannot bring a model back to where it was, however many of them there are at one instant.
    Delivery,
    /// Nothing: it was for a load that has ended.
    Nothing,
}

/// A way to simulate: what is due, and what comes of it.
pub(super) trait Way {
    /// What is due when.
    fn calendar(&mut self) -> &mut Calendar<Task>;

    /// The earliest time at which a client gives up, or [`Time::NEVER`].
    fn next_deadline(&self) -> Time;

    /// The first time at which it must be asked what follows: beyond the horizon, and any once the load has ended.
    fn attention(&self) -> Time;

    /// Has the users that will be woken next fetched from memory, all at once.
    fn look_ahead(&mut self);

    /// Whether anything comes of a task that is due; otherwise it is no event, and the clock does not move for it.
    fn takes_effect(&mut self, at: Time, task: Task) -> bool;

    /// What is due happens.
    fn happen<S: Sink>(&mut self, now: Time, task: Task, sink: &mut S) -> Came;

    /// The client of the earliest deadline gives up.
    fn time_out<S: Sink>(&mut self, now: Time, sink: &mut S);

    /// What follows before what is due at `at`.
    fn turn(&self, at: Time) -> Turn;

    /// Drops the requests that wait for room.
    fn drop_held<S: Sink>(&mut self, now: Time, sink: &mut S);

    /// Ends the load.
    fn end<S: Sink>(&mut self, now: Time, why: LoadEnd, sink: &mut S);

    /// Ends the run.
    fn finish<S: Sink>(&mut self, now: Time, sink: &mut S);

    /// Why the load ended, once it has.
    fn load_end(&self) -> Option<LoadEnd>;

    /// How many requests were intended so far.
    fn intended(&self) -> u64;

    /// How many arrivals are recorded or come in bursts: this many may be at one instant.
    fn given_arrivals(&self) -> u64;

    /// How much there is that takes memory beyond what the model itself says.
    fn present(&self) -> usize;

    /// Whose a task is.
    fn owner(&self, task: Task) -> Option<Owner>;
}

/// Whose an event is, by the position among all of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A client's.
    Client(usize),
    /// A path's: those of the actions, then those of the consumers.
    Path(usize),
}

impl Owner {
    pub(super) fn of_path(path: u16) -> Owner {
        Owner::Path(usize::from(path))
    }
}

/// What those are called whose events can go round.
#[derive(Debug, Clone)]
struct Names {
    clients: Vec<String>,
    /// Actions, then consumers.
    paths: Vec<String>,
}

impl Names {
    fn new(model: &Model) -> Names {
        let actions = model.actions.iter();
        let actions = actions.map(|action| format!("action {}", action.name));
        let consumers = model.consumer_names();
        let consumers = consumers.map(|name| format!("consumer {name}"));
        let clients = model.clients.iter();
        Names {
            clients: clients
                .map(|client| format!("client {}", client.name))
                .collect(),
            paths: actions.chain(consumers).collect(),
        }
    }

    fn of(&self, owner: Owner) -> Option<&String> {
        match owner {
            Owner::Client(client) => self.clients.get(client),
            Owner::Path(path) => self.paths.get(path),
        }
    }
}

/// A run, simulated in some way.
#[derive(Debug, Clone)]
pub(super) struct Course<W, S> {
    way: W,
    sink: S,
    now: Time,
    events: u64,
    /// How many events had happened when the clock last moved.
    events_before: u64,
    patience: u64,
    /// Whether the users do not fit into a processor's cache.
    many_users: bool,
    finished: bool,
    names: Names,
}

impl<W: Way, S: Sink> Course<W, S> {
    /// A run at its start.
    pub(super) fn new(model: &Model, mut way: W, sink: S) -> Course<W, S> {
        let woken = way.calendar().len();
        // A burst of every user at one instant is legitimate, with several steps each; a hundred are not.
        // So is a whole budget that is used up at once.
        let budget = model.limits.requests.map_or(0, std::num::NonZeroU64::get);
        let crowd = (woken as u64).saturating_add(way.given_arrivals());
        let patience = crowd
            .saturating_add(budget)
            .saturating_mul(100)
            .saturating_add(1_000_000);
        Course {
            way,
            sink,
            now: Time::ZERO,
            events: 0,
            events_before: 0,
            patience,
            many_users: woken > MANY_USERS,
            finished: false,
            names: Names::new(model),
        }
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn intended(&self) -> u64 {
        self.way.intended()
    }

    pub(super) fn present(&self) -> usize {
        self.way.present()
    }

    pub(super) fn load_end(&self) -> Option<LoadEnd> {
        self.way.load_end()
    }

    pub(super) fn sink(&self) -> &S {
        &self.sink
    }

    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    pub(super) fn advance(&mut self, events: u64) -> Result<Progress, StandsStill> {
        if self.finished {
            return Ok(Progress::Finished);
        }
        match self.go_on(events, false) {
            Ok(true) => Ok(Progress::Running),
            Ok(false) => {
                self.finish();
                Ok(Progress::Finished)
            }
            Err(still) => Err(self.blame(still)),
        }
    }

    /// This many further events, or no more than one step, which is no event where nothing comes of it; false when the run ends before. The
    /// only place in which events happen, since all that can happen is compiled into it. Never inlined, so that this crate
    /// compiles it, for speed, and a program that is compiled for size has no copy.
    #[inline(never)]
    fn go_on(&mut self, events: u64, one_step: bool) -> Result<bool, StandsStill> {
        let until = self.events.saturating_add(events);
        while self.events < until {
            if !self.step()? {
                return Ok(false);
            }
            if one_step {
                break;
            }
        }
        Ok(true)
    }

    /// Names who goes round: whose events most of the next ones are.
    #[cold]
    fn blame(&mut self, still: StandsStill) -> StandsStill {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..SAMPLE {
            if let Some(who) = self.next_in_turn() {
                *seen.entry(who).or_default() += 1;
            }
            self.events_before = self.events;
            if !self.go_on(1, true).unwrap_or(false) {
                break;
            }
        }
        let most = seen.into_iter().max_by_key(|(_, events)| *events);
        StandsStill {
            who: most.map_or(still.who, |(who, _)| who),
            ..still
        }
    }

    /// Whose the next event is.
    fn next_in_turn(&mut self) -> Option<String> {
        let task = self.way.calendar().upcoming().next()?;
        let owner = self.way.owner(task)?;
        self.names.of(owner).cloned()
    }

    /// Stops now.
    pub(super) fn interrupt(&mut self) {
        self.way.end(self.now, LoadEnd::Interrupted, &mut self.sink);
        self.finish();
    }

    /// The next event; false when there is none before the end of the run.
    #[inline(always)]
    fn step(&mut self) -> Result<bool, StandsStill> {
        if self.many_users && self.way.calendar().is_used_up() {
            self.way.look_ahead();
        }
        let due = self.way.calendar().next_time();
        let deadline = self.way.next_deadline();
        let at = due.min(deadline);
        if at >= self.way.attention() && !self.still_happens(at) {
            return Ok(false);
        }
        if at <= self.now && self.events - self.events_before > self.patience {
            return Err(self.stands_still());
        }
        if deadline < due {
            self.move_to(at);
            self.events += 1;
            self.way.time_out(self.now, &mut self.sink);
            return Ok(true);
        }
        let Some((_, task)) = self.way.calendar().take() else {
            return Ok(false);
        };
        if !self.way.takes_effect(at, task) {
            return Ok(true);
        }
        self.move_to(at);
        self.events += 1;
        match self.way.happen(self.now, task, &mut self.sink) {
            Came::Event => {}
            Came::Delivery => self.events_before += 1,
            Came::Nothing => self.events -= 1,
        }
        Ok(true)
    }

    #[inline(always)]
    fn move_to(&mut self, at: Time) {
        if at > self.now {
            self.now = at;
            self.events_before = self.events;
            self.sink.advance(at);
        }
    }

    #[cold]
    fn stands_still(&self) -> StandsStill {
        StandsStill {
            at: self.now.since(Time::ZERO),
            events: self.patience,
            who: "the model".to_owned(),
        }
    }

    /// Whether the event at `at` still happens, or something ends before it.
    #[cold]
    fn still_happens(&mut self, at: Time) -> bool {
        loop {
            match self.way.turn(at) {
                Turn::GoesOn => return true,
                Turn::DropHeld(at) => {
                    self.pass(at);
                    self.way.drop_held(at, &mut self.sink);
                }
                // Nobody has anything left to send since the last event, and nothing else is to come.
                Turn::LoadEnds(LoadEnd::Idle, _) => self.end_at(self.now, LoadEnd::Idle),
                Turn::LoadEnds(why, at) => self.end_at(at, why),
                Turn::Over => return false,
                Turn::CutOff(at) => {
                    self.pass(at);
                    return false;
                }
            }
        }
    }

    /// Time passes without an event.
    fn pass(&mut self, to: Time) {
        self.now = to;
        self.sink.advance(to);
    }

    fn end_at(&mut self, at: Time, why: LoadEnd) {
        self.pass(at);
        self.way.end(at, why, &mut self.sink);
    }

    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if self.way.load_end().is_none() {
            // What is left in flight never comes back, and nobody has anything left to send.
            self.end_at(self.now, LoadEnd::Idle);
        }
        self.way.finish(self.now, &mut self.sink);
    }
}
