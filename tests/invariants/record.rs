//! A sink that keeps every event, and runs that are recorded with it.

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Event, Outcome, Request, SessionEnd, Sink, VisitStep};
use blis_sim::measure::Measure;
use blis_sim::model::{ClientId, Model, ServiceId};
use blis_sim::simulation::{Progress, Simulation};
use blis_sim::spec;
use blis_sim::time::{Span, Time};

/// An event as it is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kept {
    Intended(Request),
    Done {
        request: Request,
        sent: Time,
        outcome: Outcome,
    },
    Settled {
        request: Request,
        first: Time,
        outcome: Outcome,
    },
    LateReply,
    DuplicateReply,
    SessionStarted(ClientId),
    SessionEnded(ClientId, SessionEnd),
    LoadEnded,
    Visit {
        service: ServiceId,
        line: u32,
        visitor: u32,
        step: VisitStep,
    },
}

/// All events of a run in their order.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    pub events: Vec<(Time, Kept)>,
    clock: Time,
}

impl Sink for Recorder {
    fn advance(&mut self, now: Time) {
        assert!(
            now >= self.clock,
            "the clock went back from {:?} to {now:?}",
            self.clock
        );
        self.clock = now;
    }

    fn record(&mut self, at: Time, event: Event<'_>) {
        assert_eq!(
            at, self.clock,
            "an event at another time than the clock's: {event:?}"
        );
        let kept = match event {
            Event::Intended { request } => Kept::Intended(*request),
            Event::Done {
                request,
                sent,
                outcome,
                ..
            } => Kept::Done {
                request: *request,
                sent,
                outcome,
            },
            Event::Settled {
                request,
                first,
                lag,
                outcome,
            } => {
                assert_eq!(lag, Span::ZERO, "nothing lags in a simulation");
                Kept::Settled {
                    request: *request,
                    first,
                    outcome,
                }
            }
            Event::LateReply => Kept::LateReply,
            Event::DuplicateReply => Kept::DuplicateReply,
            Event::SessionStarted { client } => Kept::SessionStarted(client),
            Event::SessionEnded { client, end } => Kept::SessionEnded(client, end),
            Event::LoadEnded => Kept::LoadEnded,
            Event::Visit {
                service,
                line,
                visitor,
                step,
                ..
            } => Kept::Visit {
                service,
                line,
                visitor,
                step,
            },
            Event::Awaited { .. }
            | Event::Details { .. }
            | Event::Publication { .. }
            | Event::Message { .. }
            | Event::Delivery { .. }
            | Event::Emission { .. } => {
                unreachable!("these specs have no streams and no limits: {event:?}")
            }
        };
        self.events.push((at, kept));
    }
}

/// A run that is over.
pub struct Run {
    pub model: Model,
    pub events: Vec<(Time, Kept)>,
    pub measure: Measure,
    /// When it ended.
    pub end: Time,
    pub load_end: Option<LoadEnd>,
    /// What the users counted.
    pub intended: u64,
    /// What the engine counted.
    pub steps: u64,
}

impl Run {
    /// Requests intended, by the events.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.events.iter().filter_map(|(_, event)| match event {
            Kept::Intended(request) => Some(request),
            _ => None,
        })
    }

    /// Ends of requests, by the events.
    pub fn ends(&self) -> impl Iterator<Item = (Time, &Request, Outcome)> {
        self.events.iter().filter_map(|(at, event)| match event {
            Kept::Done {
                request, outcome, ..
            } => Some((*at, request, *outcome)),
            _ => None,
        })
    }

    /// How many requests ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.ends()
            .filter(|(_, _, other)| *other == outcome)
            .count()
    }

    /// How many sessions ended so.
    pub fn sessions(&self, end: SessionEnd) -> usize {
        self.events
            .iter()
            .filter(|(_, event)| matches!(event, Kept::SessionEnded(_, other) if *other == end))
            .count()
    }
}

/// The model of a spec that must be right.
pub fn model(text: &str) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
        .model
}

/// Runs a spec in one piece.
pub fn run(text: &str) -> Run {
    run_model(model(text), u64::MAX)
}

/// Runs a model in pieces of so many events.
pub fn run_model(model: Model, piece: u64) -> Run {
    let sink = (Measure::new(&model), Recorder::default());
    let mut simulation = Simulation::new(&model, sink);
    while simulation.advance(piece).unwrap() == Progress::Running {}
    over(model, simulation)
}

/// Runs a model for so many events and stops it there.
pub fn interrupted(model: Model, events: u64) -> Run {
    let sink = (Measure::new(&model), Recorder::default());
    let mut simulation = Simulation::new(&model, sink);
    simulation.advance(events).unwrap();
    simulation.interrupt();
    over(model, simulation)
}

/// What is left of a simulation that is over. Its measurement must balance.
fn over(model: Model, simulation: Simulation<(Measure, Recorder)>) -> Run {
    let (end, load_end) = (simulation.now(), simulation.load_end());
    let (intended, steps) = (simulation.intended(), simulation.events());
    let (mut measure, recorder) = simulation.into_sink();
    measure.finish(intended).unwrap();
    Run {
        model,
        events: recorder.events,
        measure,
        end,
        load_end,
        intended,
        steps,
    }
}
