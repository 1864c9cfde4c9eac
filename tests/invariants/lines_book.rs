//! What waiting lines and workers must do, kept as a book of its own.

use std::collections::{HashMap, VecDeque};

use blis_sim::event::VisitStep;
use blis_sim::measure::{Areas, Visits};
use blis_sim::model::{Dispatch, Model, OnTimeout, Service, ServiceId};
use blis_sim::time::{Span, Time};

use crate::record::{Kept, Run};

struct Line {
    service: usize,
    workers: u64,
    waiting: VecDeque<(u32, Time)>,
    running: HashMap<u32, Time>,
}

impl Line {
    fn present(&self) -> u64 {
        self.waiting.len() as u64 + self.running.len() as u64
    }

    fn idle(&self) -> bool {
        (self.running.len() as u64) < self.workers
    }
}

/// Sums over a service, kept apart from the lines.
#[derive(Default)]
struct Sums {
    visits: Visits,
    waited: u128,
    served: u128,
    areas: Areas,
}

pub struct LinesBook<'a> {
    model: &'a Model,
    lines: Vec<Line>,
    /// The lines of each service.
    of: Vec<std::ops::Range<usize>>,
    sums: Vec<Sums>,
    now: Time,
    /// A line whose worker has become free while a request waits: the next event takes it up.
    must_start: Option<usize>,
    /// A visitor that came too late and must leave at once.
    must_leave: Option<u32>,
    cut: bool,
}

impl<'a> LinesBook<'a> {
    pub fn new(model: &'a Model) -> LinesBook<'a> {
        let mut lines = Vec::new();
        let mut of = Vec::new();
        for (index, service) in model.services.iter().enumerate() {
            let first = lines.len();
            let line = |workers| Line {
                service: index,
                workers,
                waiting: VecDeque::new(),
                running: HashMap::new(),
            };
            lines.extend(service.workers_of_lines().map(line));
            of.push(first..lines.len());
        }
        let sums = model.services.iter().map(|_| Sums::default()).collect();
        LinesBook {
            model,
            lines,
            of,
            sums,
            now: Time::ZERO,
            must_start: None,
            must_leave: None,
            cut: false,
        }
    }

    /// Takes the next event of the run; `next` is the one after it.
    pub fn event(&mut self, at: Time, event: &Kept, next: Option<&(Time, Kept)>) {
        self.pass(at);
        let Kept::Visit {
            service,
            line,
            visitor,
            step,
        } = *event
        else {
            assert_eq!(
                (self.must_start, self.must_leave),
                (None, None),
                "before {event:?}"
            );
            return;
        };
        let line = line as usize;
        assert_eq!(
            self.lines[line].service,
            service.index(),
            "a line belongs to one service"
        );
        if let Some(expected) = self.must_leave.take() {
            assert_eq!(
                (visitor, step),
                (expected, VisitStep::Left { waited: Span::ZERO })
            );
        }
        if let Some(expected) = self.must_start.take() {
            assert_eq!(line, expected, "work conservation");
            assert!(
                matches!(step, VisitStep::Started { .. }),
                "work conservation: {step:?}"
            );
        }
        self.step(at, service, line, visitor, step, next);
        let line_now = &self.lines[line];
        if line_now.idle() && !line_now.waiting.is_empty() && !self.cut && self.must_leave.is_none()
        {
            self.must_start = Some(line);
        }
    }

    /// Adds the time up to `at` to the integrals.
    fn pass(&mut self, at: Time) {
        assert!(at >= self.now, "time goes on");
        let span = u128::from(at.since(self.now).as_nanos());
        self.now = at;
        if span == 0 {
            return;
        }
        for line in &self.lines {
            let areas = &mut self.sums[line.service].areas;
            areas.waiting += span * line.waiting.len() as u128;
            areas.serving += span * line.running.len() as u128;
            areas.busy += span * line.running.len() as u128;
        }
    }

    fn step(
        &mut self,
        at: Time,
        id: ServiceId,
        line: usize,
        visitor: u32,
        step: VisitStep,
        next: Option<&(Time, Kept)>,
    ) {
        let service = &self.model.services[id.index()];
        if matches!(
            step,
            VisitStep::TakenAtOnce | VisitStep::Joined | VisitStep::Rejected
        ) {
            self.dispatched(service, id, line);
        }
        match step {
            VisitStep::TakenAtOnce => self.taken_at_once(at, line, visitor),
            VisitStep::Joined => self.joined(at, service, line, visitor, next),
            VisitStep::Rejected => self.rejected(service, line),
            VisitStep::Started { waited } => self.started(at, line, visitor, waited),
            VisitStep::Completed { served, error } => {
                assert!(!error || service.errors > 0.0);
                assert!(error || service.errors < 1.0);
                let visits = &mut self.sums[id.index()].visits;
                visits.completed += 1;
                visits.errors += u64::from(error);
                self.stops(at, line, visitor, served);
            }
            VisitStep::Left { waited } => {
                assert_ne!(service.on_timeout, OnTimeout::Stay);
                self.sums[id.index()].visits.left += 1;
                self.leaves(at, line, visitor, waited);
            }
            VisitStep::Abandoned { served } => {
                assert_eq!(service.on_timeout, OnTimeout::Abandon);
                self.sums[id.index()].visits.abandoned += 1;
                self.stops(at, line, visitor, served);
            }
            VisitStep::CutWaiting { waited } => {
                self.cut = true;
                self.sums[id.index()].visits.cut_waiting += 1;
                self.leaves(at, line, visitor, waited);
            }
            VisitStep::CutRunning { served } => {
                self.cut = true;
                self.sums[id.index()].visits.cut_running += 1;
                self.stops(at, line, visitor, served);
            }
            VisitStep::Held { .. }
            | VisitStep::Preempted { .. }
            | VisitStep::LostWaiting { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::Unreachable
            | VisitStep::WorkerBusy
            | VisitStep::WorkerIdle => unreachable!("these services do not do that: {step:?}"),
        }
    }

    /// The least loaded member is the first of those with the fewest present.
    fn dispatched(&self, service: &Service, id: ServiceId, line: usize) {
        if service.dispatch == Dispatch::LeastLoaded {
            let fewest = self.of[id.index()]
                .clone()
                .min_by_key(|&line| self.lines[line].present());
            assert_eq!(fewest, Some(line), "dispatch to the least loaded member");
        }
    }

    fn taken_at_once(&mut self, at: Time, line: usize, visitor: u32) {
        let line = &mut self.lines[line];
        assert!(
            line.idle() && line.waiting.is_empty(),
            "nobody overtakes the line"
        );
        assert_eq!(line.running.insert(visitor, at), None);
        self.sums[line.service].visits.at_once += 1;
    }

    fn joined(
        &mut self,
        at: Time,
        service: &Service,
        line: usize,
        visitor: u32,
        next: Option<&(Time, Kept)>,
    ) {
        let line = &mut self.lines[line];
        self.sums[line.service].visits.joined += 1;
        // Work whose client had given up before it came: it joins and leaves at once.
        let gone = matches!(next, Some((_, Kept::Visit { visitor: other, step: VisitStep::Left { waited: Span::ZERO }, .. })) if *other == visitor);
        if gone {
            assert_ne!(service.on_timeout, OnTimeout::Stay);
            self.must_leave = Some(visitor);
        } else {
            assert!(
                !line.idle(),
                "work conservation: joined a line with an idle worker"
            );
            let limit = service
                .queue_limit
                .map_or(usize::MAX, |limit| limit as usize);
            assert!(line.waiting.len() < limit, "the queue limit is exceeded");
        }
        line.waiting.push_back((visitor, at));
    }

    fn rejected(&mut self, service: &Service, line: usize) {
        let line = &self.lines[line];
        assert!(!line.idle(), "rejected beside an idle worker");
        assert_eq!(
            Some(line.waiting.len()),
            service.queue_limit.map(|limit| limit as usize)
        );
        self.sums[line.service].visits.rejected += 1;
    }

    fn started(&mut self, at: Time, line: usize, visitor: u32, waited: Span) {
        let line = &mut self.lines[line];
        assert!(line.idle(), "more requests than workers");
        let (first, since) = line.waiting.pop_front().expect("somebody waits");
        assert_eq!(visitor, first, "first in, first out");
        assert_eq!(waited, at.since(since));
        assert_eq!(line.running.insert(visitor, at), None);
        let sums = &mut self.sums[line.service];
        sums.visits.started += 1;
        sums.waited += u128::from(waited.as_nanos());
    }

    fn stops(&mut self, at: Time, line: usize, visitor: u32, served: Span) {
        let line = &mut self.lines[line];
        let since = line.running.remove(&visitor).expect("it was running");
        assert_eq!(served, at.since(since));
        self.sums[line.service].served += u128::from(served.as_nanos());
    }

    fn leaves(&mut self, at: Time, line: usize, visitor: u32, waited: Span) {
        let line = &mut self.lines[line];
        let place = line
            .waiting
            .iter()
            .position(|(other, _)| *other == visitor)
            .expect("it was waiting");
        let (_, since) = line
            .waiting
            .remove(place)
            .expect("the place is in the line");
        assert_eq!(waited, at.since(since));
        self.sums[line.service].waited += u128::from(waited.as_nanos());
    }

    /// The run is over: Little's law from empty to empty, and the meters against these sums.
    pub fn close(mut self, run: &Run) {
        self.pass(run.end);
        assert_eq!((self.must_start, self.must_leave), (None, None));
        assert!(
            self.lines.iter().all(|line| line.present() == 0),
            "every visit came to an end"
        );
        let span = u128::from(run.end.as_nanos());
        for ((sums, meter), service) in self
            .sums
            .iter()
            .zip(run.measure.stations())
            .zip(&self.model.services)
        {
            assert_eq!(sums.areas.waiting, sums.waited, "Little's law of the line");
            assert_eq!(
                sums.areas.serving, sums.served,
                "Little's law of the workers"
            );
            assert!(
                sums.served <= u128::from(service.servers()) * span,
                "busy time"
            );
            assert_eq!(sums.areas, meter.areas(run.end), "the meter's integrals");
            assert_eq!(sums.visits, meter.visits(), "the meter's counts");
        }
    }
}
