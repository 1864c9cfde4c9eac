//! Fan-outs: a message to many subscribers.
//!
//! Where deliveries do not queue, an emission costs one event, however many subscribers there are: the times of all
//! deliveries are draws of the request, made when the last of them is over. Where they queue, each is a job. Where somebody
//! waits for them, each is handed out besides: when it is emitted, with the time at which it comes, or when it has queued.

use super::output::Output;
use super::walk::{Ending, Frame, Job, NONE, State};
use super::{Backend, Moment};
use crate::engine::{Arena, Task, Timer};
use crate::event::{self, Event, FlightId, Sink};
use crate::model::{Deliverer, FanOut, FanOutId, Model};
use crate::random::{Draw, Key, Kind, Purpose};
use crate::time::{Span, Time};

/// All fan-outs and their emissions that are not over.
#[derive(Debug, Clone)]
pub(super) struct FanOuts {
    kinds: Vec<FanOutState>,
    emissions: Arena<EmissionState>,
    /// A buffer for the deliveries of an emission.
    arrivals: Vec<(Time, u64)>,
}

/// A fan-out, with the keys of its draws.
#[derive(Debug, Clone)]
struct FanOutState {
    model: FanOut,
    subscribers: Key,
    delivery: Key,
    loss: Key,
    copy: Key,
    /// Whether its deliveries are handed out.
    hands_out: bool,
}

impl FanOutState {
    fn new(model: &Model, id: FanOutId, fan_out: &FanOut) -> FanOutState {
        let key = |purpose| Key::new(model.seed, Kind::FanOut, &fan_out.name, purpose);
        FanOutState {
            model: fan_out.clone(),
            subscribers: key(Purpose::Subscribers),
            delivery: key(Purpose::Delivery),
            loss: key(Purpose::Loss),
            copy: key(Purpose::Request),
            hands_out: model.is_awaited(Deliverer::FanOut(id)),
        }
    }

    /// How many subscribers an emission has.
    fn subscribers(&self, identity: u64, ordinal: u64) -> u32 {
        let mut draw = self.subscribers.draw(identity, ordinal);
        // A float-to-integer cast saturates.
        (self.model.subscribers.sample(&mut draw) + 0.5) as u32
    }

    /// The draws of an emission's deliveries.
    fn deliveries(&self, identity: u64, ordinal: u64) -> Deliveries<'_> {
        Deliveries {
            fan_out: &self.model,
            delay: self.delivery.draw(identity, ordinal),
            loss: self.loss.draw(identity, ordinal),
            served: Span::ZERO,
        }
    }
}

/// The deliveries of an emission, one after another: the time since the emission, or `None` for one that is lost.
struct Deliveries<'a> {
    fan_out: &'a FanOut,
    delay: Draw,
    loss: Draw,
    served: Span,
}

impl Deliveries<'_> {
    fn next(&mut self) -> Option<Span> {
        self.served = self.served + self.fan_out.each;
        let after = self.served + self.fan_out.delay.sample_span(&mut self.delay);
        let lost = self.fan_out.loss > 0.0 && self.loss.unit() < self.fan_out.loss;
        (!lost).then_some(after)
    }
}

/// An emission that is not over.
#[derive(Debug, Clone, Copy)]
struct EmissionState {
    fan_out: FanOutId,
    identity: u64,
    ordinal: u64,
    /// Copies that are still on their way, where they queue.
    outstanding: u32,
    /// Whether copies queue.
    queues: bool,
    flight: FlightId,
    so_far: event::Emission,
}

impl FanOuts {
    pub(super) fn new(model: &Model) -> FanOuts {
        let kinds = (0u16..).map(FanOutId).zip(&model.fan_outs);
        FanOuts {
            kinds: kinds
                .map(|(id, fan_out)| FanOutState::new(model, id, fan_out))
                .collect(),
            emissions: Arena::new(),
            arrivals: Vec::new(),
        }
    }

    /// Every delivery is handed out from now on.
    pub(super) fn hand_out(&mut self) {
        for kind in &mut self.kinds {
            kind.hands_out = true;
        }
    }

    /// How many emissions are not over.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.emissions.len()
    }

    /// A message has reached a subscriber.
    fn reached<S: Sink>(&mut self, slot: u32, at: Time, m: &mut Moment<'_, S>) {
        let EmissionState {
            fan_out, so_far, ..
        } = &mut self.emissions[slot];
        let within = self.kinds[fan_out.index()].model.within;
        let emitted = so_far.emitted;
        so_far.delivered += 1;
        so_far.in_time += u32::from(within.is_none_or(|within| at.since(emitted) <= within));
        so_far.first = Some(so_far.first.map_or(at, |first| first.min(at)));
        so_far.last = Some(so_far.last.map_or(at, |last| last.max(at)));
        let event = Event::Delivery {
            fan_out: *fan_out,
            at,
            emitted,
            intended: so_far.intended,
        };
        m.sink.record(m.now, event);
    }

    /// The last delivery of an emission whose deliveries do not queue is over.
    pub(super) fn emitted<S: Sink>(&mut self, slot: u32, m: &mut Moment<'_, S>) {
        self.deliver_drawn(slot, m);
        self.emission_over(slot, false, m);
    }

    /// Reports the deliveries of an emission that have come by now.
    fn deliver_drawn<S: Sink>(&mut self, slot: u32, m: &mut Moment<'_, S>) {
        let EmissionState {
            fan_out,
            identity,
            ordinal,
            so_far,
            queues,
            ..
        } = self.emissions[slot];
        if queues {
            return;
        }
        let mut times = std::mem::take(&mut self.arrivals);
        let state = &self.kinds[fan_out.index()];
        let mut deliveries = state.deliveries(identity, ordinal);
        for _ in 0..so_far.subscribers {
            let at = deliveries.next().map(|after| so_far.emitted + after);
            times.extend(at.filter(|at| *at <= m.now).map(|at| (at, 0)));
        }
        for (at, _) in times.drain(..) {
            self.reached(slot, at, m);
        }
        self.arrivals = times;
    }

    fn emission_over<S: Sink>(&mut self, slot: u32, cut: bool, m: &mut Moment<'_, S>) {
        let EmissionState {
            fan_out, so_far, ..
        } = self.emissions[slot];
        self.emissions.remove(slot);
        let emission = event::Emission { cut, ..so_far };
        m.sink.record(m.now, Event::Emission { fan_out, emission });
    }

    /// Reports the emissions that are not over when the run ends.
    pub(super) fn cut_emissions<S: Sink>(&mut self, m: &mut Moment<'_, S>) {
        for slot in self.emissions.taken() {
            self.deliver_drawn(slot, m);
            self.emission_over(slot, true, m);
        }
    }
}

impl Backend {
    /// A job sends a message to all subscribers of a fan-out.
    pub(super) fn emit<S: Sink>(&mut self, id: u32, emission: u32, m: &mut Moment<'_, S>) {
        let job = self.jobs[id];
        let step = &self.paths.program.emissions[emission as usize];
        let fan_out = step.fan_out;
        // Emissions of an action and of a consumer draw apart, and so do those of every try.
        let path = self.paths[job.path].place;
        let place = path.identity(u64::from(step.ordinal), u64::from(job.attempt));
        let state = &self.fan_outs.kinds[fan_out.index()];
        let queues = state.model.service.is_some();
        let slot = self.fan_outs.emissions.insert(EmissionState {
            fan_out,
            identity: job.identity,
            ordinal: place,
            outstanding: 0,
            queues,
            flight: job.flight,
            so_far: event::Emission {
                intended: self.jobs.intended(id),
                emitted: m.now,
                subscribers: state.subscribers(job.identity, place),
                delivered: 0,
                in_time: 0,
                first: None,
                last: None,
                cut: false,
            },
        });
        match queues {
            true => self.send_copies(slot, job.flight, job.client, m),
            false => self.send_drawn(slot, m),
        }
    }

    /// The deliveries of an emission do not queue: the calendar calls when the last of them is over.
    fn send_drawn<S: Sink>(&mut self, slot: u32, m: &mut Moment<'_, S>) {
        let EmissionState {
            fan_out,
            identity,
            ordinal,
            flight,
            so_far,
            ..
        } = self.fan_outs.emissions[slot];
        let state = &self.fan_outs.kinds[fan_out.index()];
        let mut deliveries = state.deliveries(identity, ordinal);
        let mut last = Span::ZERO;
        for subscriber in 0..so_far.subscribers {
            let Some(after) = deliveries.next() else {
                continue;
            };
            last = last.max(after);
            if state.hands_out {
                self.outputs.push(Output::Delivery {
                    by: Deliverer::FanOut(fan_out),
                    subscriber,
                    message: None,
                    at: m.now + after,
                    flight,
                });
            }
        }
        let emitted = Task::Timer(Timer::Emitted(slot));
        m.calendar.push(m.now + last, emitted);
    }

    /// Every delivery that is not lost queues.
    fn send_copies<S: Sink>(
        &mut self,
        slot: u32,
        flight: FlightId,
        client: u16,
        m: &mut Moment<'_, S>,
    ) {
        let EmissionState {
            fan_out,
            identity,
            ordinal,
            so_far,
            ..
        } = self.fan_outs.emissions[slot];
        let mut outstanding = 0;
        // The draws end the borrow of the fan-out before jobs are added.
        let mut arrivals = std::mem::take(&mut self.fan_outs.arrivals);
        let state = &self.fan_outs.kinds[fan_out.index()];
        let mut deliveries = state.deliveries(identity, ordinal);
        for number in 0..so_far.subscribers {
            if let Some(after) = deliveries.next() {
                let key = state.copy.identity(identity ^ ordinal, u64::from(number));
                arrivals.push((m.now + after, key));
            }
        }
        for (at, identity) in arrivals.drain(..) {
            outstanding += 1;
            let frame = Frame::Copy { emission: slot };
            let copy = Job {
                flight,
                identity,
                deadline: Time::NEVER,
                since: m.now,
                step: self.paths.program.copies[fan_out.index()],
                line: NONE,
                previous: NONE,
                next: NONE,
                frame: NONE,
                path: 0,
                client,
                service: crate::model::ServiceId(0),
                attempt: 0,
                visit: 0,
                state: State::Moving,
                answered: true,
            };
            let copy = self.jobs.add_owing(frame, copy, so_far.intended);
            m.calendar.push(at, Task::Arrived(copy));
        }
        self.fan_outs.arrivals = arrivals;
        self.fan_outs.emissions[slot].outstanding = outstanding;
        if outstanding == 0 {
            m.calendar.push(m.now, Task::Timer(Timer::Emitted(slot)));
        }
    }

    /// Hands out a delivery that has queued, where that is asked for.
    fn hand_out_copy(&mut self, slot: u32, now: Time) {
        let EmissionState {
            fan_out,
            flight,
            so_far,
            ..
        } = self.fan_outs.emissions[slot];
        if self.fan_outs.kinds[fan_out.index()].hands_out {
            self.outputs.push(Output::Delivery {
                by: Deliverer::FanOut(fan_out),
                subscriber: so_far.delivered,
                message: None,
                at: now,
                flight,
            });
        }
    }

    /// A copy that queued has been taken in, or has failed.
    pub(super) fn copy_ended<S: Sink>(&mut self, slot: u32, ending: Ending, m: &mut Moment<'_, S>) {
        self.fan_outs.emissions[slot].outstanding -= 1;
        if ending == Ending::Well {
            self.hand_out_copy(slot, m.now);
            self.fan_outs.reached(slot, m.now, m);
        }
        if self.fan_outs.emissions[slot].outstanding == 0 {
            self.fan_outs.emission_over(slot, false, m);
        }
    }
}
