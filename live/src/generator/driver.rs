//! A live run: users are woken at their times, and told of replies and timeouts as they arrive.
//!
//! Guarantees:
//! - The intended time of every request is that of the schedule: the arrival process for open clients, reply and think time
//!   for closed ones. A late driver lags, which is measured; it never shifts the schedule.
//! - Sending never waits for a reply, unless the spec limits the requests in flight and delays the others; their lag shows
//!   it, and the schedule stays the same.
//! - A reply that arrived before its deadline counts, whenever the driver sees it; a timeout is at the deadline.
//! - The events are those of a simulation, so that measurement, verdict and report are the same.

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use blis_sim::engine::{Calendar, Load, LoadEnd, Phase, Released, Turn, WakeUp};
use blis_sim::event::{Details, Event, FlightId, Reply, Sink};
use blis_sim::measure::Times;
use blis_sim::model::Model;
use blis_sim::runner::Epoch;
use blis_sim::time::{Span, Time};
use blis_sim::users::Wake;
use blis_sim::users::mailbox::{Earlier, Mailbox};

use crate::clock::Clock;
use crate::generator::health::Gauges;
use crate::wire::publications::{Aside, Publications};
use crate::wire::reason::{Ending, Reason, Reasons, outcome_of};
use crate::wire::transport::{Incoming, Transport};
use world::{Live, Timer};

/// How a live run ended.
#[derive(Debug)]
pub struct Ended {
    /// Why no more was sent.
    pub by: LoadEnd,
    /// The end of the run, the drain included.
    pub at: Time,
    /// How many requests were intended.
    pub intended: u64,
    /// How many replies, acknowledgements and deliveries to requests of earlier loads came meanwhile.
    pub late_of_earlier: u64,
    /// The requests for which something may still be delivered.
    pub earlier: Earlier,
    /// How many requests have no reply, because the run ended before it or they timed out, and may still be worked on.
    pub owed: u64,
    /// Whether connections were lost for good.
    pub lost: bool,
    /// Why requests failed.
    pub reasons: Reasons,
    /// How late requests were sent on the driver's own account: without the time for which the limit of requests in
    /// flight held them back.
    pub own_lag: Times,
}

/// What is looked at while a run goes on.
pub struct LoadWatch<'a, S> {
    /// Whether to stop sending, because somebody wants the run to end.
    pub stop: &'a dyn Fn() -> bool,
    /// Whether to stop sending, because what the run is to find out is decided.
    pub enough: &'a dyn Fn() -> bool,
    /// Is shown how far the run has come, a few times a second, with what has heard of it all.
    pub show: &'a mut dyn FnMut(LoadProgress, &mut S),
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Now.
    pub now: Time,
    /// Requests intended.
    pub intended: u64,
    /// Requests in flight.
    pub in_flight: usize,
}

/// How long a run that nobody has answered waits for replies that come late.
const SILENCE: Span = Span::from_nanos(5_000_000_000);
/// How often the driver looks around while nothing is due.
const LOOK: Span = Span::from_nanos(100_000_000);
/// How often it is found out what connections have written.
const LOOK_AT_WRITTEN: Span = Span::from_nanos(5_000_000);
/// How many connections are asked at a time.
const ASKED: usize = 16;
/// How many requests are sent at most before replies are looked at again.
const BURST: usize = 64;
/// How many requests that waited for room to the end are dropped at a time: each is told to the record, which has room for
/// this many.
const DROPPED: usize = 1024;
/// How long connections may be down before the run is given up.
pub(crate) const PATIENCE: Span = Span::from_nanos(10_000_000_000);

/// A live run.
pub struct Driver<T, C, S> {
    epoch: Epoch,
    /// The result of requests of earlier loads.
    late_of_earlier: u64,
    load: Load,
    world: Live<T>,
    clock: C,
    sink: S,
    /// The latest instant that the sink was told of.
    latest: Time,
    /// Whether anybody has answered or received anything.
    is_heard: bool,
    /// Connections that are down, and since when.
    down: BTreeMap<u32, Time>,
    lost: bool,
    /// Whether somebody asked for a stop, before the load was at its end or after.
    is_asked_to_stop: bool,
    own_lag: Times,
    /// Those of which is not known yet whether they were written.
    publications: Publications,
    /// When they are looked at again.
    look_at_written: Time,
    gauges: Arc<Gauges>,
}

impl<T: Transport, C: Clock<Incoming>, S: Sink> Driver<T, C, S> {
    /// A run of a model that has not started, as the load of this epoch.
    pub fn new<P>(
        epoch: Epoch,
        model: &Model<P>,
        transport: T,
        clock: C,
        sink: S,
        gauges: Arc<Gauges>,
    ) -> Driver<T, C, S> {
        let mut world = Live {
            transport,
            timers: Calendar::new(),
            taken: Time::ZERO,
            reasons: Reasons::default(),
            granted: None,
        };
        let mut load = Load::new(model);
        load.start(&mut world);
        Driver {
            epoch,
            late_of_earlier: 0,
            load,
            world,
            clock,
            sink,
            latest: Time::ZERO,
            is_heard: false,
            down: BTreeMap::new(),
            lost: false,
            is_asked_to_stop: false,
            own_lag: Times::new(),
            publications: Publications::default(),
            look_at_written: Time::ZERO,
            gauges,
        }
    }

    /// The same run after earlier loads, for whose requests something may still be delivered.
    pub fn after(mut self, earlier: Earlier) -> Driver<T, C, S> {
        self.load = self.load.after(earlier);
        self
    }

    /// These connections are down from the start.
    pub fn without(mut self, connections: impl IntoIterator<Item = u32>) -> Driver<T, C, S> {
        let down = connections.into_iter();
        self.down
            .extend(down.map(|connection| (connection, Time::ZERO)));
        self
    }

    /// Runs to the end, and gives back transport and sink.
    pub fn run(mut self, mut watch: LoadWatch<'_, S>) -> (T, S, Ended) {
        let mut looked = Time::ZERO;
        loop {
            while let Some(incoming) = self.clock.poll() {
                self.take(incoming);
            }
            self.time_out();
            self.send_what_is_due();
            let now = self.clock.now();
            self.look_at_written(now);
            if now >= looked + LOOK {
                looked = now;
                self.look(now, &mut watch);
            }
            if self.is_over(now) {
                break;
            }
            self.world.transport.hand_over();
            let until = self.next().min(looked + LOOK);
            if let Some(incoming) = self.clock.wait(until) {
                self.take(incoming);
            }
        }
        self.finish()
    }

    /// Tells the sink that time goes on. What is told of an earlier instant does not turn it back.
    fn advance(&mut self, at: Time) {
        if at > self.latest {
            self.latest = at;
            self.sink.advance(at);
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Done { epoch, .. } if epoch != self.epoch => self.late_of_earlier += 1,
            Incoming::Done {
                flight,
                ending,
                reply,
                at,
                ..
            } => {
                self.is_heard = true;
                self.time_out_before(at);
                self.advance(at);
                // Whatever comes after the reply changes nothing for a request that waits for deliveries.
                if self.load.has_reply(flight) {
                    self.sink.record(at, Event::DuplicateReply);
                    return;
                }
                self.heard(at, flight, reply);
                self.end(at, flight, ending);
            }
            Incoming::Delivered(delivery) => {
                self.is_heard = true;
                self.time_out_before(delivery.at);
                self.advance(delivery.at);
                let Driver {
                    load, world, sink, ..
                } = self;
                load.delivered(&delivery, world, sink);
            }
            Incoming::Lost { connection, at } => {
                self.down.entry(connection).or_insert(at);
                self.fail(at, Reason::LostWithConnection, |transport, flight| {
                    transport.had(connection, flight)
                });
                let at = at.max(self.latest);
                self.fail_publications(Some(connection), at, Reason::LostWithConnection);
            }
            Incoming::Denied {
                connection,
                subject,
                at,
            } => self.fail(at, Reason::PermissionDenied, |transport, flight| {
                transport.had_sent(connection, flight, subject)
            }),
            Incoming::Restored { connection } => {
                self.down.remove(&connection);
            }
        }
    }

    /// Ends the requests in flight that these are, for one reason. What was sent since then ends with the rest, and
    /// not before it was sent.
    fn fail(&mut self, at: Time, why: Reason, which: impl Fn(&T, FlightId) -> bool) {
        let at = at.max(self.latest);
        self.advance(at);
        for flight in self.load.flights() {
            if which(&self.world.transport, flight) {
                self.end(at, flight, Err(why));
            }
        }
    }

    /// Tells what the reply to a request is like, unless the request has ended.
    fn heard(&mut self, at: Time, flight: FlightId, reply: Reply) {
        if self.load.holds(flight) {
            let details = &Details {
                reply: Some(reply),
                ..Details::default()
            };
            self.sink.record(at, Event::Details { flight, details });
        }
    }

    /// Ends a request, unless it has ended.
    fn end(&mut self, at: Time, flight: FlightId, ending: Ending) {
        let Driver {
            load, world, sink, ..
        } = self;
        if load.holds(flight) {
            world.count(at, flight, ending, sink);
        }
        load.reply(at, flight, outcome_of(ending), world, sink);
    }

    /// Ends the requests whose deadlines were before a time at which something came, each at its deadline.
    fn time_out_before(&mut self, at: Time) {
        while self.load.next_deadline() < at {
            self.time_out_next();
        }
    }

    fn time_out_next(&mut self) {
        let deadline = self.load.next_deadline();
        self.advance(deadline);
        let Driver {
            load, world, sink, ..
        } = self;
        load.time_out(deadline, world, sink);
    }

    /// Ends the requests whose deadlines are past, each at its deadline.
    fn time_out(&mut self) {
        loop {
            let deadline = self.load.next_deadline();
            if deadline > self.clock.now() {
                return;
            }
            // A reply from before the deadline may just have come.
            while let Some(incoming) = self.clock.poll() {
                self.take(incoming);
            }
            if self.load.next_deadline() > self.clock.now() {
                return;
            }
            self.time_out_next();
        }
    }

    /// Sends what there is room for now, wakes the users that are due, and ends the requests that found no connection.
    fn send_what_is_due(&mut self) {
        let began = self.clock.now();
        for _ in 0..BURST {
            let now = self.clock.now();
            // What came while the driver stood still came before what it sends now.
            if now > began + LOOK {
                return;
            }
            if let Some(Released { due, room_since }) = self.next_held(now) {
                self.advance(now);
                // The limit held it back until there was room.
                self.lagged(due, now.since(due.max(room_since).min(now)));
                if self.send(|load, world, sink| load.release(now, world, sink)) {
                    continue;
                }
            }
            match self.world.take_due(now) {
                Some((_, Timer::Wake { due, wake })) => self.wake(now, due, wake),
                Some((at, Timer::Unsent(flight))) => self.give_up_unsent(at, flight),
                None => return,
            }
        }
    }

    /// The request that is sent next of those that waited for room. Nothing is sent once what is in flight is cut off.
    fn next_held(&self, now: Time) -> Option<Released> {
        match now <= self.load.cut_off() {
            true => self.load.next_held(),
            false => None,
        }
    }

    fn wake(&mut self, now: Time, due: Time, wake: Wake) {
        if self.load.ended().is_some() {
            return;
        }
        self.advance(now);
        let woken = self.send(|load, world, sink| load.wake(now, due, wake, world, sink));
        if woken == WakeUp::Done {
            self.lagged(due, now.since(due.min(now)));
        }
    }

    /// Does what may send a request. Where it is a publication that its connection has taken, its end is not told yet.
    fn send<R>(&mut self, act: impl FnOnce(&mut Load, &mut Live<T>, &mut Aside<'_, S>) -> R) -> R {
        let Driver {
            load, world, sink, ..
        } = self;
        let mut aside = Aside::before(sink);
        let done = act(load, world, &mut aside);
        let granted = world.granted.take();
        let publication = aside.publication(granted.is_none());
        if let (Some(place), Some(publication)) = (granted, publication) {
            self.publications.add(place, publication);
        }
        done
    }

    /// Tells of the publications that were written meanwhile.
    fn look_at_written(&mut self, now: Time) {
        if now < self.look_at_written || self.publications.is_empty() {
            return;
        }
        self.look_at_written = now + LOOK_AT_WRITTEN;
        let transport = &mut self.world.transport;
        let written = |connection| transport.written(connection);
        self.publications.look(ASKED, written, &mut self.sink);
    }

    /// Publications of a connection, or of all, are not known to have been written, and never will be.
    fn fail_publications(&mut self, connection: Option<u32>, at: Time, why: Reason) {
        let reasons = &mut self.world.reasons;
        self.publications
            .fail(connection, at, why, reasons, &mut self.sink);
    }

    /// What was due at an instant was late on the driver's own account.
    fn lagged(&mut self, due: Time, by: Span) {
        if self.load.phase(due) != Phase::WarmUp {
            self.own_lag.record(by);
        }
        self.gauges.lagged(by);
    }

    /// Ends a request that found no connection, a moment after that.
    fn give_up_unsent(&mut self, at: Time, flight: FlightId) {
        self.time_out_before(at);
        if self.load.holds(flight) {
            self.advance(at);
            let down = Err(Reason::ConnectionDown);
            self.end(at.max(self.latest), flight, down);
        }
    }

    fn look(&mut self, now: Time, watch: &mut LoadWatch<'_, S>) {
        let reached = LoadProgress {
            now,
            intended: self.load.intended(),
            in_flight: self.load.in_flight(),
        };
        (watch.show)(reached, &mut self.sink);
        self.load.forget_deliveries(now);
        let mut down = self.down.values();
        let patience_is_over = down.any(|since| now >= *since + PATIENCE);
        if patience_is_over {
            self.lost = true;
        }
        self.is_asked_to_stop |= (watch.stop)();
        // What waits for room would still be sent in the drain.
        let still_sends = self.load.ended().is_none() || self.load.is_held();
        if (patience_is_over || self.is_asked_to_stop) && still_sends {
            self.advance(now);
            let Driver { load, sink, .. } = self;
            load.end(now, LoadEnd::Interrupted, sink);
        }
        if self.load.ended().is_none() && (watch.enough)() {
            self.advance(now);
            let Driver { load, sink, .. } = self;
            load.end(now, LoadEnd::Decided, sink);
        }
    }

    /// Ends the load where it is at its end; whether the run is.
    fn is_over(&mut self, now: Time) -> bool {
        loop {
            let wake = self.world.timers.next_time();
            let turn = self.load.turn(now, wake, self.is_waiting(now));
            match turn {
                Turn::GoesOn => return self.lost,
                Turn::DropHeld(at) => {
                    self.advance(at);
                    let Driver {
                        load, world, sink, ..
                    } = self;
                    if !load.drop_held(at.max(self.latest), DROPPED, world, sink) {
                        return self.lost;
                    }
                }
                Turn::LoadEnds(why, at) => {
                    self.advance(at);
                    self.load.end(at, why, &mut self.sink);
                }
                Turn::Over | Turn::CutOff(_) => return true,
            }
        }
    }

    /// Whether anything may still come after the load although no request is in flight. The reply to a request that timed
    /// out may, and is late then; who asks for a stop does not wait for it.
    fn is_waiting(&self, now: Time) -> bool {
        let late = self.load.late_replies_awaited() > 0 && !self.is_asked_to_stop;
        let late = late && now < self.silence_ends();
        let deliveries = self.load.awaits_deliveries() && !self.is_asked_to_stop;
        self.load.ended().is_some() && (deliveries || late)
    }

    /// Until when late replies are waited for: where nobody has answered anything, hardly anybody will.
    fn silence_ends(&self) -> Time {
        match self.is_heard {
            true => Time::NEVER,
            false => self.latest + SILENCE,
        }
    }

    /// The next time at which something is to be done.
    fn next(&mut self) -> Time {
        if self.load.next_held().is_some() {
            return Time::ZERO;
        }
        let due = self.world.timers.next_time();
        let written = match self.publications.is_empty() {
            true => Time::NEVER,
            false => self.look_at_written,
        };
        let idle = self.load.in_flight() == 0 && !self.load.awaits_deliveries();
        let silence = match self.load.ended().is_some() && idle {
            true => self.silence_ends(),
            false => Time::NEVER,
        };
        let turn = self.load.next_turn().min(silence);
        self.load.next_deadline().min(due).min(written).min(turn)
    }

    fn finish(mut self) -> (T, S, Ended) {
        // What was cut off by the end of the drain is cut off there, also when the driver is late.
        let at = self.clock.now().min(self.load.cut_off()).max(self.latest);
        self.advance(at);
        let owed = self.load.in_flight() as u64 + self.load.late_replies_awaited();
        let Driver {
            load, world, sink, ..
        } = &mut self;
        load.finish(at, world, sink);
        let transport = &mut self.world.transport;
        transport.flush();
        let written = |connection| transport.written(connection);
        self.publications.look(usize::MAX, written, &mut self.sink);
        self.fail_publications(None, at, Reason::NotWritten);
        let late_deliveries = self.load.mailbox().map_or(0, Mailbox::late_of_earlier);
        let ended = Ended {
            by: self.load.ended().unwrap_or(LoadEnd::Idle),
            at,
            intended: self.load.intended(),
            late_of_earlier: self.late_of_earlier + late_deliveries,
            earlier: self.load.into_earlier(),
            owed,
            lost: self.lost,
            reasons: self.world.reasons,
            own_lag: self.own_lag,
        };
        (self.world.transport, self.sink, ended)
    }
}

#[cfg(test)]
mod tests;
