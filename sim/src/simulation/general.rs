//! The general way to simulate: all that a model can have.
//!
//! It joins the [`Load`] (users and their requests in flight), which the live world shares, to the simulated backend.

use super::course::{Came, Owner, Way};
use crate::backend::{Backend, Output, RecordedVisits, Reply};
use crate::engine::{Arena, Calendar, Load, LoadEnd, Task, Turn, WakeUp, World};
use crate::event::{FlightId, Outcome, Request, Sink};
use crate::model::Model;
use crate::time::Time;
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
        self.calendar.push(at, Task::of(wake));
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

/// A model that can have anything.
#[derive(Debug, Clone)]
pub(super) struct General {
    load: Load,
    world: Simulated,
    /// Deliveries that are on their way to somebody who awaits them.
    deliveries: Arena<Delivery>,
    /// The first time at which it must be asked what follows.
    attention: Time,
}

impl General {
    pub(super) fn new(model: &Model) -> General {
        General::of(model, Load::new(model))
    }

    /// Users send what this script says in the place of what they would.
    pub(super) fn replaying(model: &Model, script: Script) -> General {
        General::of(model, Load::replaying(model, script))
    }

    /// The same with these visits in the place of what the model draws for them.
    pub(super) fn following(mut self, recorded: RecordedVisits) -> General {
        self.world.backend.follow(recorded);
        self
    }

    fn of(model: &Model, mut load: Load) -> General {
        let mut world = Simulated {
            backend: Backend::new(model),
            calendar: Calendar::new(),
        };
        load.start(&mut world);
        world.backend.schedule_outages(&mut world.calendar);
        General {
            attention: load.attention(),
            load,
            world,
            deliveries: Arena::new(),
        }
    }

    #[inline(always)]
    fn wake<S: Sink>(&mut self, now: Time, wake: Wake, sink: &mut S) -> Came {
        let General { load, world, .. } = self;
        let came = match load.wake(now, now, wake, world, sink) {
            WakeUp::AfterTheEnd => Came::Nothing,
            WakeUp::Done | WakeUp::Waits => {
                if load.ended_at().is_some() {
                    self.attention = load.attention();
                }
                Came::Event
            }
        };
        self.take_output();
        came
    }

    #[inline(always)]
    fn reply<S: Sink>(&mut self, now: Time, reply: Reply, sink: &mut S) {
        let General { load, world, .. } = self;
        load.reply(now, reply.flight, reply.outcome, world, sink);
        self.release(now, sink);
    }

    /// A delivery reaches its subscriber.
    #[inline(never)]
    fn deliver<S: Sink>(&mut self, now: Time, slot: u32, sink: &mut S) {
        let delivery = self.deliveries[slot];
        self.deliveries.remove(slot);
        self.load.delivered(&delivery, &mut self.world, sink);
        self.release(now, sink);
        self.take_output();
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

    /// Sends those that have waited for room, as far as there is some.
    #[inline(always)]
    fn release<S: Sink>(&mut self, now: Time, sink: &mut S) {
        if self.load.is_held() {
            self.release_held(now, sink);
        }
    }

    #[inline(never)]
    fn release_held<S: Sink>(&mut self, now: Time, sink: &mut S) {
        let General { load, world, .. } = self;
        while load.release(now, world, sink) {}
        self.attention = load.attention();
        self.take_output();
    }
}

impl Way for General {
    #[inline(always)]
    fn calendar(&mut self) -> &mut Calendar<Task> {
        &mut self.world.calendar
    }

    #[inline(always)]
    fn next_deadline(&self) -> Time {
        self.load.next_deadline()
    }

    #[inline(always)]
    fn attention(&self) -> Time {
        self.attention
    }

    #[inline(never)]
    fn look_ahead(&mut self) {
        for task in self.world.calendar.upcoming() {
            if let Task::User(user) = task {
                self.load.touch(user);
            }
        }
    }

    #[inline(always)]
    fn takes_effect(&mut self, at: Time, task: Task) -> bool {
        let Simulated { backend, calendar } = &mut self.world;
        match task {
            Task::Timer(timer) => backend.takes_effect(at, timer, calendar),
            _ => true,
        }
    }

    #[inline(always)]
    fn happen<S: Sink>(&mut self, now: Time, task: Task, sink: &mut S) -> Came {
        let Simulated { backend, calendar } = &mut self.world;
        let reply = match task {
            Task::User(user) => return self.wake(now, Wake::User(user), sink),
            Task::Arrival(process) => return self.wake(now, Wake::Arrival(process), sink),
            Task::Delivery(slot) => {
                self.deliver(now, slot, sink);
                return Came::Delivery;
            }
            Task::Served(job) => backend.served(now, job, calendar, sink),
            Task::Arrived(job) => backend.arrived(now, job, calendar, sink),
            Task::Delivered(reply) => Some(backend.delivered(reply)),
            Task::Timer(timer) => backend.timer(now, timer, calendar, sink),
        };
        if let Some(reply) = reply {
            self.reply(now, reply, sink);
        }
        self.take_output();
        Came::Event
    }

    #[inline(never)]
    fn time_out<S: Sink>(&mut self, now: Time, sink: &mut S) {
        self.load.time_out(now, &mut self.world, sink);
        self.release(now, sink);
        self.take_output();
    }

    fn turn(&self, at: Time) -> Turn {
        let busy = !self.world.backend.is_empty() || !self.deliveries.is_empty();
        self.load.turn(at, at, busy)
    }

    fn drop_held<S: Sink>(&mut self, now: Time, sink: &mut S) {
        self.load.drop_held(now, usize::MAX, &mut self.world, sink);
    }

    fn end<S: Sink>(&mut self, now: Time, why: LoadEnd, sink: &mut S) {
        self.load.end(now, why, sink);
        self.attention = self.load.attention();
    }

    fn finish<S: Sink>(&mut self, now: Time, sink: &mut S) {
        let Simulated { backend, calendar } = &mut self.world;
        backend.finish(now, calendar, sink);
        self.load.finish(now, &mut self.world, sink);
    }

    fn load_end(&self) -> Option<LoadEnd> {
        self.load.ended()
    }

    fn intended(&self) -> u64 {
        self.load.intended()
    }

    fn given_arrivals(&self) -> u64 {
        self.load.given_arrivals()
    }

    fn present(&self) -> usize {
        let work = self.load.in_flight().max(self.world.backend.len());
        self.load.open_sessions() + work + self.deliveries.len()
    }

    fn owner(&self, task: Task) -> Option<Owner> {
        let backend = &self.world.backend;
        match task {
            Task::User(user) => Some(Owner::Client(self.load.client_of(user).index())),
            Task::Arrival(process) => {
                let client = self.load.client_of_process(process)?;
                Some(Owner::Client(client.index()))
            }
            Task::Served(job) | Task::Arrived(job) => backend.path_of(job).map(Owner::of_path),
            Task::Timer(timer) => backend.path_of_timer(timer).map(Owner::of_path),
            Task::Delivered(_) | Task::Delivery(_) => None,
        }
    }
}
