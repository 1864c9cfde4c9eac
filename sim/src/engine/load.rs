//! The load: users, their requests in flight and their limits, joined to a world.
//!
//! This is the part of a run that the simulated and the live world share. A [`World`] is handed what users
//! send and when they want to be woken; it gives back wake-ups and replies. The load sees to it that every
//! request ends exactly once, that its user hears of it, and that the sink sees it.

use crate::engine::given_up::GivenUp;
use crate::engine::in_flight::{FlightId, InFlight};
use crate::event::{Event, Outcome, Request, Sink, UserId};
use crate::model::{ClientId, Model};
use crate::time::Time;
use crate::users::{ProcessId, Users, Wake};

/// What users' requests are handed to: the simulated backend, a live cluster, or a script in a test.
pub trait World {
    /// Takes a request. A world that can answer at once does so; otherwise the reply comes later, to
    /// [`Load::reply`] under the same id.
    fn send<S: Sink>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        deadline: Time,
        sink: &mut S,
    ) -> Option<Outcome>;

    /// Sees to it that [`Load::wake`] is called at `at`; wake-ups of one instant in the order of these calls.
    fn wake_at(&mut self, at: Time, wake: Wake);

    /// The client has given up waiting for this request.
    fn gave_up<S: Sink>(&mut self, now: Time, flight: FlightId, sink: &mut S);
}

/// Why the load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadEnd {
    /// The horizon was reached.
    Horizon,
    /// The budget was used up.
    Budget,
    /// No user had anything left to send.
    Idle,
    /// The run was interrupted from outside.
    Interrupted,
}

/// Users and their requests in flight.
#[derive(Debug, Clone)]
pub struct Load {
    users: Users,
    in_flight: InFlight,
    given_up: GivenUp,
    ended: Option<(LoadEnd, Time)>,
}

impl Load {
    /// The load of a model, not yet started.
    pub fn new<P>(model: &Model<P>) -> Load {
        Load {
            users: Users::new(model),
            in_flight: InFlight::new(model),
            given_up: GivenUp::default(),
            ended: None,
        }
    }

    /// Asks the world for the first wake-ups.
    pub fn start<W: World>(&mut self, world: &mut W) {
        self.users.start(|at, wake| world.wake_at(at, wake));
    }

    /// Why the load ended, once it has.
    pub fn ended(&self) -> Option<LoadEnd> {
        self.ended.map(|(why, _)| why)
    }

    /// When the load ended, once it has.
    #[inline]
    pub fn ended_at(&self) -> Option<Time> {
        self.ended.map(|(_, at)| at)
    }

    /// How many requests were intended.
    pub fn intended(&self) -> u64 {
        self.users.intended()
    }

    /// How many sessions of open clients of more than a single request there are.
    pub fn open_sessions(&self) -> usize {
        self.users.open_sessions()
    }

    /// How many arrivals are recorded or come in bursts: so many may be at one instant.
    pub fn given_arrivals(&self) -> u64 {
        self.users.given_arrivals()
    }

    /// How many requests are in flight.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether a request is in flight.
    pub fn holds(&self, id: FlightId) -> bool {
        self.in_flight.holds(id)
    }

    /// Whether the reply to a request that timed out may still come. Those that ended longest ago are forgotten.
    pub fn awaits_late_replies(&self) -> bool {
        self.given_up.is_waiting()
    }

    /// All requests in flight, by slot.
    pub fn flights(&self) -> Vec<FlightId> {
        self.in_flight.ids()
    }

    /// The earliest instant at which a client gives up, or [`Time::NEVER`].
    #[inline]
    pub fn next_deadline(&self) -> Time {
        self.in_flight.next_deadline()
    }

    /// The client of a user.
    pub fn client_of(&self, user: UserId) -> ClientId {
        self.users.client_of(user)
    }

    /// The client of an arrival process.
    pub fn client_of_process(&self, process: ProcessId) -> Option<ClientId> {
        self.users.client_of_process(process)
    }

    /// Has a user that will soon be woken fetched from memory; nothing else comes of it.
    #[inline]
    pub fn touch(&self, user: UserId) {
        self.users.touch(user);
    }

    /// Ends the load: nothing is intended after `now`. It ends once; an interruption that comes while requests are still
    /// in flight becomes the reason, and leaves the instant.
    pub fn end<S: Sink>(&mut self, now: Time, why: LoadEnd, sink: &mut S) {
        match &mut self.ended {
            None => {
                self.ended = Some((why, now));
                sink.record(now, Event::LoadEnded);
            }
            // The load is over, but what it left in flight is cut off.
            Some((before, _)) if why == LoadEnd::Interrupted => *before = why,
            Some(_) => {}
        }
    }

    /// Wakes whoever asked to be woken at `due`, at `now` or as late as it is; false once the load has ended, when
    /// nothing comes of it.
    ///
    /// Requests are intended, and the next arrival is scheduled, as of `due`: a world that is late lags, and does not
    /// shift its schedule. They are sent, and time out, as of `now`.
    #[inline(always)]
    pub fn wake<W: World, S: Sink>(
        &mut self,
        now: Time,
        due: Time,
        wake: Wake,
        world: &mut W,
        sink: &mut S,
    ) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let woken = self.users.wake(due, wake, sink);
        if let Some((at, wake)) = woken.next {
            world.wake_at(at, wake);
        }
        if let Some(request) = woken.send {
            let (flight, deadline) = self.in_flight.insert(now, request);
            if let Some(outcome) = world.send(now, flight, &request, deadline, sink) {
                self.reply(now, flight, outcome, world, sink);
            }
            // The request that uses up the budget, and what it sets off at once, still belong to the load.
            if self.users.exhausted() {
                self.end(now, LoadEnd::Budget, sink);
            }
        }
        true
    }

    /// A reply came, or another end of a request.
    #[inline(always)]
    pub fn reply<W: World, S: Sink>(
        &mut self,
        now: Time,
        id: FlightId,
        outcome: Outcome,
        world: &mut W,
        sink: &mut S,
    ) {
        let Some(flight) = self.in_flight.remove(id) else {
            let event = match self.given_up.is_first_reply(id) {
                true => Event::LateReply,
                false => Event::DuplicateReply,
            };
            sink.record(now, event);
            return;
        };
        let request = &flight.request;
        sink.record(
            now,
            Event::Done {
                request,
                flight: id,
                sent: flight.sent,
                outcome,
            },
        );
        if let Some((at, wake)) = self.users.done(now, request, flight.sent, outcome, sink) {
            world.wake_at(at, wake);
        }
        if !outcome.is_reply() {
            self.given_up.add(id, outcome == Outcome::TimedOut);
        }
    }

    /// The client of the earliest deadline gives up.
    pub fn time_out<W: World, S: Sink>(&mut self, now: Time, world: &mut W, sink: &mut S) {
        if let Some(flight) = self.in_flight.first_due() {
            world.gave_up(now, flight, sink);
            self.reply(now, flight, Outcome::TimedOut, world, sink);
        }
    }

    /// Ends the run: what is in flight is unresolved, and every open session ends.
    pub fn finish<W: World, S: Sink>(&mut self, now: Time, world: &mut W, sink: &mut S) {
        self.end(now, LoadEnd::Idle, sink);
        for flight in self.in_flight.ids() {
            self.reply(now, flight, Outcome::Unresolved, world, sink);
        }
        self.users.finish(now, sink);
    }
}
