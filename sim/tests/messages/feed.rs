//! A model with streams and fan-outs, and a measurement of it that is fed by hand.

use blis_sim::dist::Dist;
use blis_sim::engine::InFlight;
use blis_sim::event::{Emission, Event, FlightId, MessageStep, Request, Sink};
use blis_sim::measure::{Imbalance, Measure};
use blis_sim::model::{
    Consumer, ConsumerId, Exhausted, FanOut, FanOutId, Model, ServiceId, Stream, StreamId,
};
use blis_sim::result::{self, Provenance, Run};
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::users::{Users, Wake};

/// The warm-up ends at 10 s, the horizon is 100 s: intervals of the series are 2 s wide.
const SPEC: &str = "{blis: 1, name: fed, run: {horizon: 100s, warmup: 10s, drain: 30s},
 clients: {users: {rate: 1/s, do: ask}}, actions: {ask: {path: [{visit: api}, reply]}},
 services: {api: {workers: 1, time: 1ms}}}";

/// The model of a spec without messages.
pub fn plain() -> Model {
    let spec = spec::read(SPEC).unwrap();
    spec::lower(&spec).unwrap().model
}

/// Two streams, of which the first has two consumers and the second one, and two fan-outs.
pub fn model() -> Model {
    let mut model = plain();
    let at_once = model.services[0].time.clone();
    model.streams = ["audit", "dead"].map(|name| stream(name, &at_once)).into();
    model.consumers = vec![
        consumer("indexer", 0),
        consumer("mailer", 0),
        consumer("indexer", 1),
    ];
    model.fan_outs = ["rooms", "feeds"]
        .map(|name| fan_out(name, &at_once))
        .into();
    model
}

fn stream(name: &str, append: &Dist) -> Stream {
    Stream {
        name: name.to_owned(),
        append: append.clone(),
        duplicate_window: None,
    }
}

fn consumer(name: &str, stream: u16) -> Consumer {
    Consumer {
        filter: Vec::new(),
        name: name.to_owned(),
        stream: StreamId(stream),
        entry: 0,
        service: ServiceId(0),
        class: None,
        max_ack_pending: 1000.try_into().unwrap(),
        prefetch: 0,
        ack_wait: Span::from_secs(30),
        max_deliver: None,
        exhausted: Exhausted::Drop,
        nak_delay: Vec::new(),
        batch: None,
        growth_limit: None,
        no_growth: false,
    }
}

fn fan_out(name: &str, time: &Dist) -> FanOut {
    FanOut {
        name: name.to_owned(),
        subscribers: time.clone(),
        delay: time.clone(),
        each: Span::ZERO,
        loss: 0.0,
        within: None,
        service: None,
    }
}

/// The first consumer of the first stream.
pub const INDEXER: ConsumerId = ConsumerId(0);
/// The other consumer of the first stream.
pub const MAILER: ConsumerId = ConsumerId(1);
/// The first stream.
pub const AUDIT: StreamId = StreamId(0);
/// The first fan-out.
pub const ROOMS: FanOutId = FanOutId(0);

/// An instant in milliseconds.
pub fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

/// A length of time in milliseconds.
pub fn ms(millis: u64) -> Span {
    Span::from_nanos(millis * 1_000_000)
}

struct Deaf;

impl Sink for Deaf {
    fn advance(&mut self, _: Time) {}
    fn record(&mut self, _: Time, _: Event<'_>) {}
}

/// Some request: what is measured of messages does not depend on who published them.
fn request(model: &Model) -> Request {
    let mut users = Users::new(model);
    let mut first: Option<Wake> = None;
    users.start(|_, wake| first = first.or(Some(wake)));
    let woken = users.wake(Time::ZERO, first.unwrap(), &mut Deaf);
    woken.send.unwrap()
}

/// A measurement that is fed by hand.
pub struct Feed {
    pub model: Model,
    pub measure: Measure,
    flight: FlightId,
    now: Time,
}

impl Feed {
    pub fn new(model: Model) -> Feed {
        let (flight, _) = InFlight::new(&model).insert(Time::ZERO, request(&model));
        Feed {
            measure: Measure::new(&model),
            model,
            flight,
            now: Time::ZERO,
        }
    }

    /// An event at so many milliseconds.
    fn event(&mut self, millis: u64, event: Event<'_>) {
        if at(millis) > self.now {
            self.now = at(millis);
            self.measure.advance(self.now);
        }
        assert_eq!(self.now, at(millis), "the clock goes on");
        self.measure.record(self.now, event);
    }

    pub fn published(&mut self, millis: u64, stream: StreamId, stored: bool) {
        self.event(millis, Event::Publication { stream, stored });
    }

    pub fn message(&mut self, millis: u64, consumer: ConsumerId, step: MessageStep) {
        let flight = self.flight;
        let event = Event::Message {
            consumer,
            flight,
            step,
        };
        self.event(millis, event);
    }

    /// A delivery at `due`, reported at `millis`.
    pub fn delivery(
        &mut self,
        millis: u64,
        fan_out: FanOutId,
        due: u64,
        emitted: u64,
        intended: u64,
    ) {
        let event = Event::Delivery {
            fan_out,
            at: at(due),
            emitted: at(emitted),
            intended: at(intended),
        };
        self.event(millis, event);
    }

    pub fn emission(&mut self, millis: u64, fan_out: FanOutId, emission: Emission) {
        self.event(millis, Event::Emission { fan_out, emission });
    }

    pub fn load_ends(&mut self, millis: u64) {
        self.event(millis, Event::LoadEnded);
    }

    /// The end of the run.
    pub fn finish(&mut self, millis: u64) -> Result<(), Imbalance> {
        if at(millis) > self.now {
            self.now = at(millis);
            self.measure.advance(self.now);
        }
        self.measure.finish(0)
    }

    /// The result document of the run.
    pub fn document(&self) -> Run {
        let provenance = Provenance {
            sha256: String::new(),
            resolved_sha256: String::new(),
            files: std::collections::BTreeMap::new(),
            configuration: Default::default(),
            ended_by: blis_sim::engine::LoadEnd::Horizon,
            record: None,
            not_measured: Vec::new(),
            mode: blis_sim::result::Mode::Simulated {
                events: 0,
                simulated: self.now.since(Time::ZERO),
            },
        };
        result::build(
            &self.model,
            Some(&blis_sim::analysis::Analysis::of(&self.model)),
            &self.measure,
            provenance,
        )
    }
}
