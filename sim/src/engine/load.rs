//! The load: users, their requests in flight and their limits, joined to a world.
//!
//! This is the part of a run that the simulated and the live world share. A [`World`] is handed what users
//! send and when they want to be woken; it gives back wake-ups and replies. The load sees to it that every
//! request ends exactly once, that its user hears of it, and that the sink sees it.

use crate::engine::given_up::GivenUp;
use crate::engine::in_flight::InFlight;
use crate::engine::lifecycle::{Ahead, Lifecycle, LoadEnd, Phase, Turn};
use crate::engine::room::{Admission, Released, Room};
use crate::event::{Details, Event, FlightId, Outcome, Reason, Request, Sink, UserId};
use crate::model::{ClientId, Model};
use crate::time::Time;
use crate::users::mailbox::{Delivery, Earlier, Key, Mailbox, Replied};
use crate::users::{ProcessId, Script, Users, Wake};

/// What is known of a request that is dropped instead of being sent.
static OVER_THE_LIMIT: Details = Details::failed(Reason::OverInFlightLimit);

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

    /// What names the request that was just sent in its deliveries; `None` where it was not sent after all. Asked of
    /// requests that await some.
    fn key(&mut self, flight: FlightId) -> Option<Key>;

    /// A request is dropped instead of being sent, because as many are in flight as may be.
    fn dropped(&mut self, request: &Request);
}

/// The result of a wake-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeUp {
    /// Who asked for it was woken.
    Done,
    /// It waits for room: as many requests are in flight as may be.
    Waits,
    /// The load has ended, and nothing comes of it.
    AfterTheEnd,
}

/// Users and their requests in flight.
#[derive(Debug, Clone)]
pub struct Load {
    users: Users,
    in_flight: InFlight,
    given_up: GivenUp,
    lifecycle: Lifecycle,
    /// How many requests may be in flight, where that is limited.
    room: Option<Box<Room>>,
    /// What requests await besides their replies, where they do.
    mailbox: Option<Box<Mailbox>>,
}

impl Load {
    /// The load of a model, not yet started.
    pub fn new<P>(model: &Model<P>) -> Load {
        Load {
            users: Users::new(model),
            in_flight: InFlight::new(model),
            given_up: GivenUp::default(),
            lifecycle: Lifecycle::new(&model.limits),
            room: Room::new(model),
            mailbox: Mailbox::new(model),
        }
    }

    /// The same, where users send what this script says in the place of what they would.
    pub fn replaying<P>(model: &Model<P>, script: Script) -> Load {
        Load {
            users: Users::replaying(model, script),
            ..Load::new(model)
        }
    }

    /// The same load after earlier ones, for whose requests something may still be delivered.
    pub fn after(mut self, earlier: Earlier) -> Load {
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.remember(earlier);
        }
        self
    }

    /// Asks the world for the first wake-ups.
    pub fn start<W: World>(&mut self, world: &mut W) {
        self.users.start(|at, wake| world.wake_at(at, wake));
    }

    /// Why the load ended, once it has.
    pub fn ended(&self) -> Option<LoadEnd> {
        self.lifecycle.ended()
    }

    /// When the load ended, once it has.
    #[inline]
    pub fn ended_at(&self) -> Option<Time> {
        self.lifecycle.ended_at()
    }

    /// When what is in flight is cut off; [`Time::NEVER`] while the load goes on.
    pub fn cut_off(&self) -> Time {
        self.lifecycle.cut_off()
    }

    /// The part of the run that an instant belongs to.
    pub fn phase(&self, at: Time) -> Phase {
        self.lifecycle.phase(at)
    }

    /// What follows at `now`, as [`Lifecycle::turn`] has it; `busy` is whether more than requests in flight is going on.
    pub fn turn(&self, now: Time, wake: Time, busy: bool) -> Turn {
        let ahead = Ahead {
            wake,
            held: self.is_held(),
            busy: busy || self.in_flight() > 0,
        };
        self.lifecycle.turn(now, ahead)
    }

    /// The next time at which time alone brings the run further.
    pub fn next_turn(&self) -> Time {
        self.lifecycle.next_turn()
    }

    /// The first instant before which a run whose events are all known only goes on.
    pub fn attention(&self) -> Time {
        self.lifecycle.attention()
    }

    /// Whether requests that are due wait until fewer are in flight.
    #[inline]
    pub fn is_held(&self) -> bool {
        self.room.as_ref().is_some_and(|room| room.is_held())
    }

    /// The request that would go first of those that waited for room, if one can.
    pub fn next_held(&self) -> Option<Released> {
        self.room.as_ref().filter(|_| self.still_sends())?.next()
    }

    /// How many requests were intended.
    pub fn intended(&self) -> u64 {
        self.users.intended()
    }

    /// How many sessions of open clients of more than a single request there are.
    pub fn open_sessions(&self) -> usize {
        self.users.open_sessions()
    }

    /// How many arrivals are recorded or come in bursts: this many may be at one instant.
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

    /// How many replies to requests that timed out may still come. Those that ended longest ago are forgotten.
    pub fn late_replies_awaited(&self) -> u64 {
        self.given_up.waited_for()
    }

    /// All requests in flight, by slot.
    pub fn flights(&self) -> Vec<FlightId> {
        self.in_flight.ids()
    }

    /// The earliest time at which a client gives up, or [`Time::NEVER`].
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
        if self.lifecycle.end(why, now) {
            sink.record(now, Event::LoadEnded);
        }
    }

    /// Wakes whoever asked to be woken at `due`, at `now` or as late as it is.
    ///
    /// Requests are intended, and the next arrival is scheduled, as of `due`: a world that is late lags, and does not
    /// shift its schedule. They are sent, and time out, as of `now`. Where as many are in flight as may be, they are
    /// dropped or wait, and who waits is sent by [`release`](Self::release).
    #[inline(always)]
    pub fn wake<W: World, S: Sink>(
        &mut self,
        now: Time,
        due: Time,
        wake: Wake,
        world: &mut W,
        sink: &mut S,
    ) -> WakeUp {
        if self.lifecycle.ended().is_some() {
            return WakeUp::AfterTheEnd;
        }
        if self.room.is_some() {
            return self.wake_if_room(now, due, wake, world, sink);
        }
        let woken = self.users.wake(due, wake, sink);
        if let Some((at, wake)) = woken.next {
            world.wake_at(at, wake);
        }
        if let Some(request) = woken.send {
            self.send(now, request, world, sink);
        }
        WakeUp::Done
    }

    #[inline(always)]
    fn send<W: World, S: Sink>(
        &mut self,
        now: Time,
        request: Request,
        world: &mut W,
        sink: &mut S,
    ) {
        let (flight, deadline) = self.in_flight.insert(now, request);
        let answer = world.send(now, flight, &request, deadline, sink);
        if self.mailbox.is_some() {
            self.await_deliveries(now, flight, &request, world);
        }
        if let Some(outcome) = answer {
            self.reply_at_once(now, flight, outcome, world, sink);
        }
        self.end_if_exhausted(now, sink);
    }

    /// The world answered at the instant of the request: seldom, so that it is kept out of the way of what happens all the time.
    #[cold]
    #[inline(never)]
    fn reply_at_once<W: World, S: Sink>(
        &mut self,
        now: Time,
        id: FlightId,
        outcome: Outcome,
        world: &mut W,
        sink: &mut S,
    ) {
        self.reply(now, id, outcome, world, sink);
    }

    #[inline(never)]
    fn await_deliveries<W: World>(
        &mut self,
        now: Time,
        flight: FlightId,
        request: &Request,
        world: &mut W,
    ) {
        let mailbox = self.mailbox.as_mut();
        if let Some(mailbox) = mailbox.filter(|mailbox| mailbox.awaits(request.action))
            && let Some(key) = world.key(flight)
        {
            mailbox.sent(now, flight, request, key);
        }
    }

    /// The request that uses up the budget, and what it sets off at once, still belong to the load.
    #[inline(always)]
    fn end_if_exhausted<S: Sink>(&mut self, now: Time, sink: &mut S) {
        if self.users.exhausted() {
            self.end(now, LoadEnd::Budget, sink);
        }
    }

    /// A wake-up where the number of requests in flight is limited.
    #[inline(never)]
    fn wake_if_room<W: World, S: Sink>(
        &mut self,
        now: Time,
        due: Time,
        wake: Wake,
        world: &mut W,
        sink: &mut S,
    ) -> WakeUp {
        let (Some(client), Some(room)) = (self.users.client_of_wake(wake), &mut self.room) else {
            return WakeUp::Done;
        };
        let admission = room.admission(client);
        if admission == Admission::Held {
            room.hold(client, due, wake);
            return WakeUp::Waits;
        }
        let woken = self.users.wake(due, wake, sink);
        if let Some((at, wake)) = woken.next {
            world.wake_at(at, wake);
        }
        if let Some(request) = woken.send {
            self.send_or_drop(now, request, admission, world, sink);
        }
        WakeUp::Done
    }

    fn send_or_drop<W: World, S: Sink>(
        &mut self,
        now: Time,
        request: Request,
        admission: Admission,
        world: &mut W,
        sink: &mut S,
    ) {
        if let Some(room) = &mut self.room {
            room.sent(request.client);
        }
        match admission {
            Admission::Goes => self.send(now, request, world, sink),
            Admission::Dropped | Admission::Held => {
                let (flight, _) = self.in_flight.insert(now, request);
                world.dropped(&request);
                let details = &OVER_THE_LIMIT;
                sink.record(now, Event::Details { flight, details });
                self.reply(now, flight, Outcome::Dropped, world, sink);
                self.end_if_exhausted(now, sink);
            }
        }
    }

    /// Sends the first of those that waited for room, if there is room for one now; whether it did.
    pub fn release<W: World, S: Sink>(&mut self, now: Time, world: &mut W, sink: &mut S) -> bool {
        if !self.still_sends() {
            return false;
        }
        let released = self.room.as_mut().and_then(|room| room.release());
        let Some((client, due, wake)) = released else {
            return false;
        };
        self.wake_held(now, (client, due, wake), Admission::Goes, world, sink);
        true
    }

    /// Whether what was due is sent: until the load ends, and what was due at a horizon that it reached also afterwards.
    fn still_sends(&self) -> bool {
        matches!(self.lifecycle.ended(), None | Some(LoadEnd::Horizon))
    }

    /// Drops what still waits for room, this many at most; whether nothing waits any more.
    pub fn drop_held<W: World, S: Sink>(
        &mut self,
        now: Time,
        most: usize,
        world: &mut W,
        sink: &mut S,
    ) -> bool {
        for _ in 0..most {
            let held = match self.still_sends() {
                true => self.room.as_mut().and_then(|room| room.give_up()),
                false => None,
            };
            let Some(held) = held else {
                return true;
            };
            self.wake_held(now, held, Admission::Dropped, world, sink);
        }
        !self.is_held()
    }

    fn wake_held<W: World, S: Sink>(
        &mut self,
        now: Time,
        (client, due, wake): (ClientId, Time, Wake),
        admission: Admission,
        world: &mut W,
        sink: &mut S,
    ) {
        let woken = self.users.wake(due, wake, sink);
        if let Some((at, wake)) = woken.next {
            match &mut self.room {
                // It was due while this one waited, and comes after it.
                Some(room) if at <= now || self.lifecycle.ended().is_some() => {
                    room.hold(client, at, wake);
                }
                _ => world.wake_at(at, wake),
            }
        }
        if let Some(request) = woken.send {
            self.send_or_drop(now, request, admission, world, sink);
        }
    }

    /// A reply came, or another end of a request. One that awaits deliveries besides is not done with a reply that is `ok`.
    #[inline(always)]
    pub fn reply<W: World, S: Sink>(
        &mut self,
        now: Time,
        id: FlightId,
        outcome: Outcome,
        world: &mut W,
        sink: &mut S,
    ) {
        match &mut self.mailbox {
            None => self.done(now, id, outcome, false, world, sink),
            Some(mailbox) => match mailbox.replied(id, outcome) {
                Replied::Ends { before } => self.done(now, id, outcome, before, world, sink),
                Replied::Waits => {}
                Replied::Again => sink.record(now, Event::DuplicateReply),
            },
        }
    }

    /// Something was delivered that requests may await; its instant is `now`.
    pub fn delivered<W: World, S: Sink>(
        &mut self,
        delivery: &Delivery,
        world: &mut W,
        sink: &mut S,
    ) {
        let now = delivery.at;
        let mailbox = self.mailbox.as_mut();
        let Some((received, ends)) = mailbox.and_then(|mailbox| mailbox.deliver(delivery)) else {
            return;
        };
        let action = delivery.action;
        sink.record(now, Event::Awaited { action, received });
        if let Some(flight) = ends {
            self.done(now, flight, Outcome::Ok, true, world, sink);
        }
    }

    /// Whether a request has its reply and waits for deliveries.
    pub fn has_reply(&self, id: FlightId) -> bool {
        let mailbox = self.mailbox.as_ref();
        mailbox.is_some_and(|mailbox| mailbox.has_reply(id))
    }

    /// Time goes on: deliveries that are long overdue are no longer waited for.
    pub fn forget_deliveries(&mut self, now: Time) {
        if let Some(mailbox) = &mut self.mailbox {
            mailbox.forget(now);
        }
    }

    /// Whether something is still to come that was awaited, although its request may be done.
    pub fn awaits_deliveries(&self) -> bool {
        self.mailbox
            .as_ref()
            .is_some_and(|mailbox| mailbox.is_waiting())
    }

    /// What requests await, where they do.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        self.mailbox.as_deref()
    }

    /// The requests for which something may still be delivered once the load is over.
    pub fn into_earlier(self) -> Earlier {
        self.mailbox
            .map_or_else(Earlier::default, |mailbox| mailbox.into_earlier())
    }

    /// A request ends; whether it had its reply before.
    #[inline(always)]
    fn done<W: World, S: Sink>(
        &mut self,
        now: Time,
        id: FlightId,
        outcome: Outcome,
        answered: bool,
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
        if let Some(room) = &mut self.room {
            room.ended(request.client, now);
        }
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
        if !outcome.is_reply() && !answered {
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
