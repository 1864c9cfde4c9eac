//! A run of a model in simulated time.
//!
//! A [`Simulation`] joins the [`Load`] (users and their requests in flight) to the simulated backend. Guarantees:
//! - Events happen in the order of their times, and those of one instant in the order in which they were
//!   scheduled. A timeout at `t` fires only when nothing else is left at `t`.
//! - The same model gives the same events, whatever machine it runs on and however the run is cut into pieces.
//! - In steady state an event allocates nothing.

use std::collections::BTreeMap;

use crate::backend::{Backend, Output, RecordedVisits, Reply};
use crate::engine::{Arena, Calendar, Load, LoadEnd, Task, Timer, Turn, WakeUp, World};
use crate::event::{FlightId, Outcome, Request, Sink};
use crate::model::Model;
use crate::time::{Span, Time};
use crate::users::mailbox::{Delivery, Key};
use crate::users::{Script, Wake};

/// The simulated world: a backend and a calendar.
#[derive(Debug, Clone)]
struct Simulated {
    backend: Backend,
    calendar: Calendar<Task>,
}

impl World for Simulated {
    #[inline(always)]
    fn send<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        deadline: Time,
        sink: &mut S,
    ) -> Option<Outcome> {
        let Simulated { backend, calendar } = self;
        let reply = backend.submit(now, flight, request, deadline, calendar, sink)?;
        Some(reply.outcome)
    }

    #[inline(always)]
    fn wake_at(&mut self, at: Time, wake: Wake) {
        let task = match wake {
            Wake::Arrival(process) => Task::Arrival(process),
            Wake::User(user) => Task::User(user),
        };
        self.calendar.push(at, task);
    }

    #[inline]
    fn gave_up<S: Sink>(&mut self, now: Time, flight: FlightId, sink: &mut S) {
        self.backend.gave_up(now, flight, &mut self.calendar, sink);
    }

    fn key(&mut self, flight: FlightId) -> Option<Key> {
        Some(Key::of_flight(flight))
    }

    fn dropped(&mut self, _request: &Request) {}
}

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to come.
    Running,
    /// The run is over.
    Finished,
}

/// A model that goes round without the clock moving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "zero-time loop at {at}: more than {events} events without time advancing, mostly of {who}; give the users a think \
     time, the retries and naks a delay, or the path a service time"
)]
pub struct StandsStill {
    /// The instant, as time since the start.
    pub at: Span,
    /// How many events were counted there.
    pub events: u64,
    /// Whose events most of them are.
    pub who: String,
}

/// How many further events are looked at to name who goes round.
const SAMPLE: u64 = 1000;

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
}

/// From this many users on their records, of 24 bytes each, are more than a core's own cache holds.
const MANY_USERS: usize = 50_000;

/// A run of a model in simulated time.
#[derive(Debug, Clone)]
pub struct Simulation<S> {
    load: Load,
    world: Simulated,
    sink: S,
    now: Time,
    /// The first time at which the loop must ask what follows: beyond the horizon, and any once the load has ended.
    attention: Time,
    events: u64,
    /// How many events had happened when the clock last moved.
    events_before: u64,
    patience: u64,
    names: Box<Names>,
    /// Whether the users do not fit into a processor's cache.
    many_users: bool,
    finished: bool,
    /// Deliveries that are on their way to somebody who awaits them.
    deliveries: Arena<Delivery>,
}

impl<S: Sink> Simulation<S> {
    /// A run of this model that reports to this sink, at its start.
    pub fn new(model: &Model, sink: S) -> Simulation<S> {
        Simulation::of(model, Load::new(model), sink)
    }

    /// A run in which users send what this script says in the place of what they would.
    pub fn replaying(model: &Model, script: Script, sink: S) -> Simulation<S> {
        Simulation::of(model, Load::replaying(model, script), sink)
    }

    /// The same run with these visits in the place of what the model draws for them.
    pub fn following(mut self, recorded: RecordedVisits) -> Simulation<S> {
        self.world.backend.follow(recorded);
        self
    }

    fn of(model: &Model, mut load: Load, sink: S) -> Simulation<S> {
        let mut world = Simulated {
            backend: Backend::new(model),
            calendar: Calendar::new(),
        };
        load.start(&mut world);
        let woken = world.calendar.len();
        world.backend.schedule_outages(&mut world.calendar);
        // A burst of every user at one instant is legitimate, with several steps each; a hundred are not.
        // So is a whole budget that is used up at once.
        let budget = model.limits.requests.map_or(0, std::num::NonZeroU64::get);
        let crowd = (woken as u64).saturating_add(load.given_arrivals());
        let patience = crowd
            .saturating_add(budget)
            .saturating_mul(100)
            .saturating_add(1_000_000);
        let many_users = woken > MANY_USERS;
        let attention = load.attention();
        Simulation {
            load,
            world,
            sink,
            now: Time::ZERO,
            attention,
            events: 0,
            events_before: 0,
            patience,
            names: Box::new(Names::new(model)),
            many_users,
            finished: false,
            deliveries: Arena::new(),
        }
    }

    /// The simulated time reached.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The events that have happened: arrivals, wake-ups, completions, hops and timeouts.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many requests were intended so far.
    pub fn intended(&self) -> u64 {
        self.load.intended()
    }

    /// How many sessions of open clients, and requests in flight or still being worked on without a client, there
    /// are: what takes memory beyond what the model itself says.
    pub fn present(&self) -> usize {
        let work = self.load.in_flight().max(self.world.backend.len());
        self.load.open_sessions() + work + self.deliveries.len()
    }

    /// Why the load ended, once it has.
    pub fn load_end(&self) -> Option<LoadEnd> {
        self.load.ended()
    }

    /// What the run was reported to.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Gives back the sink.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Runs for about this many further events, or to the end.
    ///
    /// # Errors
    /// [`StandsStill`] when the model goes round at one instant without end.
    pub fn advance(&mut self, events: u64) -> Result<Progress, StandsStill> {
        let until = self.events.saturating_add(events);
        if self.finished {
            return Ok(Progress::Finished);
        }
        while self.events < until {
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.finish();
                    return Ok(Progress::Finished);
                }
                Err(still) => return Err(self.blame(still)),
            }
        }
        Ok(Progress::Running)
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
            if !self.step().unwrap_or(false) {
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
        let task = self.world.calendar.upcoming().next()?;
        let Names { clients, paths } = &*self.names;
        let path = |path: Option<u16>| paths.get(usize::from(path?)).cloned();
        match task {
            Task::User(user) => clients.get(self.load.client_of(user).index()).cloned(),
            Task::Arrival(process) => {
                let client = self.load.client_of_process(process)?;
                clients.get(client.index()).cloned()
            }
            Task::Served(job) | Task::Arrived(job) => path(self.world.backend.path_of(job)),
            Task::Timer(timer) => path(self.world.backend.path_of_timer(timer)),
            Task::Delivered(_) | Task::Delivery(_) => None,
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// [`StandsStill`] when the model goes round at one instant without end.
    pub fn run(&mut self) -> Result<(), StandsStill> {
        while self.advance(u64::MAX)? == Progress::Running {}
        Ok(())
    }

    /// Stops now: what is in flight is unresolved, what was measured stays.
    pub fn interrupt(&mut self) {
        self.load
            .end(self.now, LoadEnd::Interrupted, &mut self.sink);
        self.finish();
    }

    /// The next event; false when there is none before the end of the run.
    #[inline(always)]
    fn step(&mut self) -> Result<bool, StandsStill> {
        if self.many_users && self.world.calendar.is_used_up() {
            self.look_ahead();
        }
        let due = self.world.calendar.next_time();
        let deadline = self.load.next_deadline();
        let at = due.min(deadline);
        if at >= self.attention && !self.still_happens(at) {
            return Ok(false);
        }
        if at <= self.now && self.events - self.events_before > self.patience {
            return Err(self.stands_still());
        }
        if deadline < due {
            self.move_to(at);
            self.events += 1;
            self.load
                .time_out(self.now, &mut self.world, &mut self.sink);
            self.release();
            self.take_output();
            return Ok(true);
        }
        let Some((_, task)) = self.world.calendar.take() else {
            return Ok(false);
        };
        if let Task::Timer(timer) = task
            && !self.takes_effect(at, timer)
        {
            return Ok(true);
        }
        self.move_to(at);
        self.events += 1;
        let Simulation {
            load,
            world,
            sink,
            now,
            ..
        } = self;
        let reply = match task {
            Task::User(user) => return Ok(self.wake(Wake::User(user))),
            Task::Arrival(process) => return Ok(self.wake(Wake::Arrival(process))),
            Task::Delivery(slot) => {
                self.deliver(slot);
                return Ok(true);
            }
            Task::Served(job) => world.backend.served(*now, job, &mut world.calendar, sink),
            Task::Arrived(job) => world.backend.arrived(*now, job, &mut world.calendar, sink),
            Task::Delivered(reply) => Some(world.backend.delivered(reply)),
            Task::Timer(timer) => world.backend.timer(*now, timer, &mut world.calendar, sink),
        };
        if let Some(Reply { flight, outcome }) = reply {
            load.reply(*now, flight, outcome, world, sink);
            self.release();
        }
        self.take_output();
        Ok(true)
    }

    /// Takes the deliveries that the backend has handed out, if there are any.
    #[inline(always)]
    fn take_output(&mut self) {
        if self.world.backend.has_output() {
            self.take_deliveries();
        }
    }

    /// Has the calendar call for every delivery that somebody awaits.
    #[inline(never)]
    fn take_deliveries(&mut self) {
        let Simulated { backend, calendar } = &mut self.world;
        while let Some(output) = backend.take_output() {
            match output {
                Output::Delivery {
                    by,
                    subscriber,
                    message,
                    at,
                    flight,
                } => {
                    let key = Key::of_flight(flight);
                    let mailbox = self.load.mailbox();
                    if let Some(of) = mailbox.and_then(|mailbox| mailbox.awaiting(by, key)) {
                        let slot = self.deliveries.insert(Delivery {
                            action: of.action,
                            subscriber: subscriber % of.subscribers,
                            key,
                            message,
                            fits: true,
                            at,
                        });
                        calendar.push(at, Task::Delivery(slot));
                    }
                }
                // What is played here is not handed on.
                Output::Visit { .. } | Output::Publish { .. } | Output::Settled { .. } => {}
            }
        }
    }

    /// A delivery reaches its subscriber.
    #[inline(never)]
    fn deliver(&mut self, slot: u32) {
        let delivery = self.deliveries[slot];
        self.deliveries.remove(slot);
        // However many come at one instant, none of them brings the model back to where it was.
        self.events_before += 1;
        let Simulation {
            load, world, sink, ..
        } = self;
        load.delivered(&delivery, world, sink);
        self.release();
        self.take_output();
    }

    /// Sends those that have waited for room, as far as there is some.
    #[inline(always)]
    fn release(&mut self) {
        if self.load.is_held() {
            self.release_held();
        }
    }

    #[inline(never)]
    fn release_held(&mut self) {
        let Simulation {
            load,
            world,
            sink,
            now,
            ..
        } = self;
        while load.release(*now, world, sink) {}
        self.attention = load.attention();
        self.take_output();
    }

    /// Whether anything comes of a timer; otherwise it is no event, and the clock does not move for it.
    #[inline(never)]
    fn takes_effect(&mut self, at: Time, timer: Timer) -> bool {
        let Simulated { backend, calendar } = &mut self.world;
        backend.takes_effect(at, timer, calendar)
    }

    /// Brings the users that will be woken next into the cache, all at once: one after another, each of a
    /// large population would be waited for when its turn comes.
    #[inline(never)]
    fn look_ahead(&mut self) {
        for task in self.world.calendar.upcoming() {
            if let Task::User(user) = task {
                self.load.touch(user);
            }
        }
    }

    #[inline(always)]
    fn wake(&mut self, wake: Wake) -> bool {
        let Simulation {
            load,
            world,
            sink,
            now,
            ..
        } = self;
        if load.wake(*now, *now, wake, world, sink) == WakeUp::AfterTheEnd {
            self.events -= 1;
        } else if load.ended_at().is_some() {
            self.attention = load.attention();
        }
        self.take_output();
        true
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
            let busy = !self.world.backend.is_empty() || !self.deliveries.is_empty();
            match self.load.turn(at, at, busy) {
                Turn::GoesOn => return true,
                Turn::DropHeld(at) => {
                    self.pass(at);
                    let Simulation {
                        load, world, sink, ..
                    } = self;
                    load.drop_held(at, usize::MAX, world, sink);
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
        self.load.end(at, why, &mut self.sink);
        self.attention = self.load.attention();
    }

    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if self.load.ended().is_none() {
            // What is left in flight never comes back, and nobody has anything left to send.
            self.end_at(self.now, LoadEnd::Idle);
        }
        let Simulated { backend, calendar } = &mut self.world;
        backend.finish(self.now, calendar, &mut self.sink);
        self.load.finish(self.now, &mut self.world, &mut self.sink);
    }
}
