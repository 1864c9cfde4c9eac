//! Measurement: events folded into counts, distributions and integrals as they happen.
//!
//! Users and worlds report events to a [`Sink`]; [`Measure`] is the one that is always there. It keeps
//! nothing per request: its memory depends on the numbers of clients, actions and services alone. Both
//! worlds use it, so a figure means the same in either.
//!
//! The window runs from the end of the warm-up to the end of the load. A request belongs to it by its
//! intended time, throughput by the instant of completion.

mod batches;
mod cell;
mod consumer;
mod counters;
mod deliveries;
mod fan_out;
mod figure;
mod growth;
mod latency;
mod ledger;
mod level;
mod messages;
mod objectives;
mod series;
mod sketch;
mod station;
mod stays;
mod stream;
mod window;

pub use batches::{CellSums, ConsumerSums, FanOutSums, StationSums, Sums, TimeSums};
pub use cell::{Cell, Exceedances, Over, Overall, Tally};
pub use consumer::{Backlog, BacklogAreas, BacklogPeaks, ConsumerMeter, MessageCounts};
pub use deliveries::{DeliveryCounts, DeliveryMeter, DeliveryTimes};
pub use fan_out::{CensoredTimes, EmissionCounts, FanOutMeter};
pub use figure::Of;
pub use growth::{FEWEST_ARRIVALS, Growth, growth};
pub use latency::{Latencies, Times};
pub use ledger::{Imbalance, Requests, Sessions};
pub use objectives::{Against, Objective, Which, objectives};
pub use series::{ConsumerRow, Series, SeriesRow};
pub use station::{Areas, StationMeter, Visits};
pub use stream::{Publications, StreamMeter};

use crate::event::{Event, Outcome, Request, Sink};
use crate::model::{ActionId, ClientId, ConsumerId, Model, Slo};
use crate::statistics::Section;
use crate::time::{Span, Time};

use batches::{Batches, LineLayout};
use ledger::balance;
use messages::Messages;
use series::Totals;
use sketch::Sketch;
use window::Window;

/// A request as its user sees it: what there is to know when its last try has ended.
struct Wanted<'a> {
    last: &'a Request,
    first: Time,
    lag: Span,
    outcome: Outcome,
}

/// A cell, and the response times that ended in it since the last mark.
#[derive(Debug, Clone)]
struct CellMeter {
    cell: Cell,
    recent: Sketch,
    /// Over all tries; absent with a single try and without objectives on it.
    overall: Option<Box<Overall>>,
    /// Whether there may be several tries.
    retries: bool,
}

/// The measurements of a run, or of several replications of it together.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Cells by client, then action; those that no request can reach stay empty.
    cells: Vec<Option<Box<CellMeter>>>,
    /// Client and action of each cell that is there.
    parts: Vec<(ClientId, ActionId)>,
    slos: Vec<Slo>,
    /// What of these is judged by counts.
    objectives: Vec<(ActionId, Objective)>,
    sessions: Vec<Sessions>,
    stations: Vec<StationMeter>,
    station_names: Vec<String>,
    messages: Messages,
    /// By action.
    deliveries: Vec<Option<Box<DeliveryMeter>>>,
    /// Whether there is one at all.
    awaits: bool,
    series: Series,
    batches: Batches,
    /// Former totals, whose buffer the next ones take: a row allocates nothing.
    spare: Totals,
    retries: u64,
    late_replies: u64,
    duplicate_replies: u64,
    /// The integral of the number of requests in flight, and the sum of the times they were, both modulo 2^64: they are
    /// only held against one another.
    in_flight_area: u64,
    time_in_flight: u64,
    warmup: Time,
    window: Window,
    load_end: Option<Time>,
    /// The windows of other replications.
    others: Span,
    /// The next time at which a row or a batch ends or the window starts.
    mark: Time,
    now: Time,
}

impl Measure {
    /// Nothing measured yet.
    pub fn new<P>(model: &Model<P>) -> Measure {
        let mut parts = Vec::new();
        let mut cells = Vec::with_capacity(model.clients.len() * model.actions.len());
        for (client, of) in model.clients.iter().zip(0u16..) {
            for (action, id) in model.actions.iter().zip(0u16..) {
                let shares = &client.mix.shares;
                let used = shares.iter().any(|(chosen, _)| *chosen == ActionId(id));
                if used {
                    parts.push((ClientId(of), ActionId(id)));
                }
                let retries = client.on_failure.retries > 0;
                cells.push(used.then(|| Box::new(CellMeter::new(&action.slo, retries))));
            }
        }
        let consumers = model.consumers.len();
        let series = Series::new(model.limits.horizon, model.services.len(), consumers);
        let warmup = model.limits.warmup;
        let latest = model.limits.horizon;
        let judged = model.actions.iter().zip(0u16..).flat_map(|(action, id)| {
            let of_action = objectives(&action.slo).into_iter();
            of_action.map(move |one| (ActionId(id), one))
        });
        let judged: Vec<_> = judged.collect();
        let shape = LineLayout {
            objectives: judged.len(),
            cells: parts.len(),
            stations: model.services.len(),
            consumers,
            fan_outs: model.fan_outs.len(),
        };
        let batches = Batches::new(warmup, latest, shape);
        let deliveries = model.actions.iter().map(|action| {
            let limits = action.slo.deliveries.as_deref();
            let meter = DeliveryMeter::new(action.awaited?, limits, warmup);
            Some(Box::new(meter))
        });
        let deliveries: Vec<_> = deliveries.collect();
        let mut measure = Measure {
            cells,
            parts,
            slos: model
                .actions
                .iter()
                .map(|action| action.slo.clone())
                .collect(),
            objectives: judged,
            sessions: vec![Sessions::default(); model.clients.len()],
            stations: model
                .services
                .iter()
                .map(|service| StationMeter::new(service, warmup))
                .collect(),
            station_names: model
                .services
                .iter()
                .map(|service| service.name.clone())
                .collect(),
            messages: Messages::new(model),
            awaits: deliveries.iter().any(Option::is_some),
            deliveries,
            mark: Time::ZERO,
            series,
            batches,
            spare: Totals::new(model.services.len(), consumers),
            retries: 0,
            late_replies: 0,
            duplicate_replies: 0,
            in_flight_area: 0,
            time_in_flight: 0,
            warmup,
            window: Window::starting(warmup),
            load_end: None,
            others: Span::ZERO,
            now: Time::ZERO,
        };
        if warmup == Time::ZERO {
            measure.write_batch(warmup);
        }
        measure.mark = measure.next_mark(Time::ZERO);
        measure
    }

    /// Passes all marks up to `now`.
    #[cold]
    fn pass_marks(&mut self, now: Time) {
        while self.mark <= now {
            let at = self.mark;
            self.hand_out();
            if self.load_end.is_none() {
                self.pass_window_mark(at);
            }
            if at == self.series.row_end() {
                let totals = self.totals(at);
                self.spare = self.series.next_row(totals);
            }
            self.mark = self.next_mark(at);
        }
    }

    /// The window starts, or a batch of it ends.
    fn pass_window_mark(&mut self, at: Time) {
        if at == self.warmup {
            self.stations
                .iter_mut()
                .for_each(|station| station.window_starts(at));
            self.messages.window_starts(at);
            self.write_batch(at);
        } else if at == self.batches.next_end() && !self.batches.merges() {
            self.write_batch(at);
        }
    }

    /// The first mark after `at`. The window's batches end with the load.
    fn next_mark(&self, at: Time) -> Time {
        let row = self.series.row_end();
        match self.load_end {
            None if self.warmup > at => row.min(self.warmup),
            None => row.min(self.batches.next_end()),
            Some(_) => row,
        }
    }

    /// Hands the response times since the last mark to the row and the batch that they ended in.
    fn hand_out(&mut self) {
        for (cell, part) in self.cells.iter_mut().flatten().enumerate() {
            if part.recent.count() > 0 {
                self.series.add(&part.recent);
                self.batches.add(cell, &part.recent);
                part.recent.clear();
            }
        }
    }

    fn write_batch(&mut self, at: Time) {
        self.batches.write(
            self.cells.iter().flatten().map(|part| part.cell.sums()),
            self.stations.iter().map(|station| station.sums(at)),
            self.messages
                .consumers
                .iter()
                .map(|consumer| consumer.sums(at)),
            self.messages.fan_outs.iter().map(FanOutMeter::sums),
        );
        for at in 0..self.objectives.len() {
            let counted = self.against(self.objectives[at]);
            self.batches.write_objective(counted);
        }
    }

    /// All that has happened up to `now`, in the buffer of former totals.
    fn totals(&mut self, now: Time) -> Totals {
        let mut requests = Requests::default();
        let mut response_sum = 0;
        for tally in self
            .cells
            .iter()
            .flatten()
            .flat_map(|part| [&part.cell.warmup, &part.cell.window])
        {
            requests.add(&tally.requests);
            response_sum += tally.latencies.response().sum_nanos();
        }
        let mut stations = std::mem::take(&mut self.spare.stations);
        stations.clear();
        stations.extend(self.stations.iter().map(|station| station.areas(now)));
        let mut consumers = std::mem::take(&mut self.spare.consumers);
        self.messages.rows(&mut consumers);
        Totals {
            requests,
            response_sum,
            stations,
            consumers,
        }
    }

    /// The cell of a request, and its part of the run.
    #[inline(always)]
    fn part(&mut self, request: &Request) -> Option<(&mut CellMeter, bool)> {
        let index = request.client.index() * self.slos.len() + request.action.index();
        let part = self.cells[index].as_deref_mut()?;
        Some((part, request.intended >= self.warmup))
    }

    #[inline(always)]
    fn intended(&mut self, request: &Request) {
        let intended = request.intended.as_nanos();
        self.in_flight_area = self.in_flight_area.wrapping_sub(intended);
        self.retries += u64::from(request.attempt > 0);
        if let Some((CellMeter { cell, overall, .. }, in_window)) = self.part(request) {
            cell.tally(in_window).requests.intended += 1;
            if let Some(overall) = overall
                && request.attempt == 0
            {
                overall.cell.tally(in_window).requests.intended += 1;
            }
        }
        if self.series.is_past(request.intended) {
            self.series.intended_before(request.intended);
        }
    }

    #[inline(always)]
    fn done(&mut self, now: Time, request: &Request, sent: Time, outcome: Outcome) {
        let (lag, service) = (sent.since(request.intended), now.since(sent));
        let response = lag + service;
        self.in_flight_area = self.in_flight_area.wrapping_add(now.as_nanos());
        self.time_in_flight = self.time_in_flight.wrapping_add(response.as_nanos());
        if self.awaits {
            self.ended_awaiting(request, outcome);
        }
        let (held, censored) = held(outcome);
        let completed = u64::from(outcome == Outcome::Ok && self.window.contains(now));
        let Some((part, in_window)) = self.part(request) else {
            return;
        };
        let CellMeter { cell, recent, .. } = part;
        if held {
            recent.record(response);
        }
        cell.completed += completed;
        let tally = cell.tally(in_window);
        tally.requests.end(outcome);
        if held {
            tally.latencies.record(lag, service, censored);
        }
        let is_single = part.overall.is_some() && !part.retries;
        if held && in_window && !part.cell.exceedances.is_empty() {
            self.exceedances(request, service, response, censored);
        }
        if is_single {
            self.settled(
                now,
                &Wanted {
                    last: request,
                    first: request.intended,
                    lag,
                    outcome,
                },
            );
        }
    }

    #[inline(never)]
    fn ended_awaiting(&mut self, request: &Request, outcome: Outcome) {
        let meter = self.deliveries[request.action.index()].as_mut();
        if let Some(meter) = meter.filter(|_| outcome != Outcome::Dropped) {
            meter.ended(request.intended);
        }
    }

    /// The last try of a request ended.
    #[inline(never)]
    fn settled(&mut self, now: Time, wanted: &Wanted<'_>) {
        let Wanted {
            last,
            first,
            lag,
            outcome,
        } = *wanted;
        let response = now.since(first);
        let service = response - lag;
        let in_window = first >= self.warmup;
        let (held, censored) = held(outcome);
        let index = last.client.index() * self.slos.len() + last.action.index();
        let limits = self.slos[last.action.index()].overall.as_deref();
        let part = self.cells[index].as_deref_mut();
        let Some(overall) = part.and_then(|part| part.overall.as_deref_mut()) else {
            return;
        };
        let tally = overall.cell.tally(in_window);
        tally.requests.end(outcome);
        if held {
            tally.latencies.record(lag, service, censored);
        }
        if in_window {
            overall.tries += u64::from(last.attempt) + 1;
        }
        let limits = limits.map_or(&[][..], |limits| &limits.quantiles);
        if held && in_window {
            overall.cell.exceed(limits, service, response, censored);
        }
    }

    fn exceedances(&mut self, request: &Request, service: Span, response: Span, censored: bool) {
        let index = request.client.index() * self.slos.len() + request.action.index();
        let limits = &self.slos[request.action.index()].quantiles;
        let Some(part) = self.cells[index].as_deref_mut() else {
            return;
        };
        part.cell.exceed(limits, service, response, censored);
    }

    /// The end of the run: checks every identity between counts that were kept apart.
    ///
    /// `intended` is the users' own count.
    ///
    /// # Errors
    /// The first identity that does not hold.
    pub fn finish(&mut self, intended: u64) -> Result<(), Imbalance> {
        let totals = self.totals(self.now);
        balance(
            "requests intended by users",
            intended,
            "those in the ledger",
            totals.requests.intended,
        )?;
        self.hand_out();
        self.series.finish(self.now, totals);
        for part in self.cells.iter().flatten() {
            part.check()?;
        }
        for sessions in &self.sessions {
            balance(
                "sessions started",
                sessions.started,
                "sessions ended",
                sessions.ended_total(),
            )?;
        }
        // Nothing is in flight any more, so the sum of the instants is the integral.
        balance(
            "the integral of requests in flight",
            self.in_flight_area,
            "the sum of times",
            self.time_in_flight,
        )?;
        for (station, name) in self.stations.iter().zip(&self.station_names) {
            station.check(name, self.now)?;
        }
        for meter in self.deliveries.iter().flatten() {
            meter.check("an action")?;
        }
        self.messages.check(self.now)?;
        self.series.check()
    }

    /// All cells together.
    pub fn total(&self) -> Cell {
        Measure::sum(self.cells.iter().flatten())
    }

    /// The cells of one client together.
    pub fn client(&self, client: ClientId) -> Cell {
        let actions = self.slos.len();
        let first = client.index() * actions;
        Measure::sum(self.cells[first..first + actions].iter().flatten())
    }

    /// The cells of one action together; without any, nothing, by each of its limits.
    pub fn action(&self, action: ActionId) -> Cell {
        let mut sum = Cell::judged_by(Some(&self.slos[action.index()]));
        let parts = self.parts_of(action);
        parts.for_each(|part| sum.add(&part.cell));
        sum
    }

    /// Times of an action over all tries; `None` without retries and without objectives on them.
    pub fn overall(&self, action: ActionId) -> Option<Overall> {
        let slo = self.slos[action.index()].overall.as_deref();
        if slo.is_none() && self.parts_of(action).all(|part| part.overall.is_none()) {
            return None;
        }
        let mut sum = Overall {
            cell: Cell::judged_by(slo),
            tries: 0,
        };
        for part in self.parts_of(action) {
            match &part.overall {
                Some(overall) => sum.add(overall),
                None => sum.add(&Overall::of_single(&part.cell)),
            }
        }
        Some(sum)
    }

    fn parts_of(&self, action: ActionId) -> impl Iterator<Item = &CellMeter> {
        let of = self.cells.iter().skip(action.index());
        of.step_by(self.slos.len()).flatten().map(|part| &**part)
    }

    fn sum<'a>(parts: impl Iterator<Item = &'a Box<CellMeter>>) -> Cell {
        let mut sum = Cell::default();
        parts.for_each(|part| sum.add(&part.cell));
        sum
    }

    /// Client and action of every cell, in the order of [`Sums::cells`].
    pub fn parts(&self) -> &[(ClientId, ActionId)] {
        &self.parts
    }

    /// What was counted in the window, once the run has ended.
    pub fn sums(&self) -> Sums {
        Sums {
            measured: self.measured(),
            cells: self
                .cells
                .iter()
                .flatten()
                .map(|part| part.cell.sums())
                .collect(),
            stations: self
                .stations
                .iter()
                .map(StationMeter::window_sums)
                .collect(),
            consumers: self
                .messages
                .consumers
                .iter()
                .map(ConsumerMeter::window_sums)
                .collect(),
            fan_outs: self
                .messages
                .fan_outs
                .iter()
                .map(FanOutMeter::sums)
                .collect(),
        }
    }

    /// The window of a single run that has ended in 8 to 15 batches of about equal length, which together are
    /// [`sums`](Self::sums). Times belong to the batch in which they ended, those of the drain to the last. Empty
    /// where a window without a horizon was shorter than about 0.1 ms.
    pub fn batches(&self) -> Vec<Sums> {
        self.batches
            .all(self.load_end.unwrap_or(self.now), &self.sums())
    }

    /// For each of these batches, how many response times of these positions of [`parts`](Self::parts) ended in it,
    /// and how many of them were above a value to two significant digits. `None` where there are no batches, or more cells than
    /// are kept apart and these are not all.
    pub fn sections(&self, parts: &[usize], value: Span) -> Option<Vec<Section>> {
        self.batches
            .sections(self.load_end.unwrap_or(self.now), parts, value)
    }

    /// Adds what another replication of the same model measured, both having ended. The series, the batches and the
    /// end of the load stay those of this one; all else is of both together.
    pub fn merge(&mut self, other: &Measure) {
        for (mine, others) in self.cells.iter_mut().zip(&other.cells) {
            if let (Some(mine), Some(others)) = (mine, others) {
                mine.cell.add(&others.cell);
                if let (Some(mine), Some(others)) = (&mut mine.overall, &others.overall) {
                    mine.add(others);
                }
            }
        }
        for (mine, others) in self.sessions.iter_mut().zip(&other.sessions) {
            mine.add(others);
        }
        for (mine, others) in self.stations.iter_mut().zip(&other.stations) {
            mine.merge(others);
        }
        self.messages.merge(&other.messages);
        for (mine, others) in self.deliveries.iter_mut().zip(&other.deliveries) {
            if let (Some(mine), Some(others)) = (mine, others) {
                mine.merge(others);
            }
        }
        self.retries += other.retries;
        self.late_replies += other.late_replies;
        self.duplicate_replies += other.duplicate_replies;
        self.others = Span::from_nanos(
            self.others
                .as_nanos()
                .saturating_add(other.measured().as_nanos()),
        );
    }

    /// Sessions by client.
    pub fn sessions(&self) -> &[Sessions] {
        &self.sessions
    }

    /// Services in the order of the model.
    pub fn stations(&self) -> &[StationMeter] {
        &self.stations
    }

    /// Streams in the order of the model.
    pub fn streams(&self) -> &[StreamMeter] {
        &self.messages.streams
    }

    /// Consumers in the order of the model.
    pub fn consumers(&self) -> &[ConsumerMeter] {
        &self.messages.consumers
    }

    /// Fan-outs in the order of the model.
    pub fn fan_outs(&self) -> &[FanOutMeter] {
        &self.messages.fan_outs
    }

    /// The deliveries that requests of an action await, where they do.
    pub fn deliveries(&self, action: ActionId) -> Option<&DeliveryMeter> {
        self.deliveries[action.index()].as_deref()
    }

    /// How a consumer's backlog grew over the window, from its levels at both ends of the window and at the ends of
    /// the intervals of the series between them; `None` when the window has no length.
    pub fn backlog_growth(&self, consumer: ConsumerId) -> Option<Growth> {
        let (start, end) = self.messages.consumers[consumer.index()].window_backlogs()?;
        let (from, to) = (self.warmup, self.load_end?);
        let mut levels = vec![(from.as_secs_f64(), start.total() as f64)];
        for (number, row) in self.series.rows().iter().enumerate() {
            let (_, at) = self.series.bounds(number);
            if at > from && at < to {
                let backlog = row.consumers[consumer.index()].backlog;
                levels.push((at.as_secs_f64(), backlog.total() as f64));
            }
        }
        levels.push((to.as_secs_f64(), end.total() as f64));
        (to > from).then(|| growth::growth(&levels)).flatten()
    }

    /// The course of the run.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// Requests that were tries after the first.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// First replies that came after their requests had ended without one.
    pub fn late_replies(&self) -> u64 {
        self.late_replies
    }

    /// Replies to requests that had one before.
    pub fn duplicate_replies(&self) -> u64 {
        self.duplicate_replies
    }

    /// When the window starts.
    pub fn warmup(&self) -> Time {
        self.warmup
    }

    /// How long the window was, or the windows of all replications together: zero when the load ended within the
    /// warm-up.
    pub fn measured(&self) -> Span {
        let own = self.load_end.unwrap_or(self.now).since(self.warmup);
        Span::from_nanos(own.as_nanos().saturating_add(self.others.as_nanos()))
    }

    /// The instant up to which events were seen: the end of the run once it has ended.
    pub fn now(&self) -> Time {
        self.now
    }

    /// When the load ended, and with it the window.
    pub fn load_end(&self) -> Option<Time> {
        self.load_end
    }
}

impl CellMeter {
    fn new(slo: &Slo, retries: bool) -> CellMeter {
        let overall = slo.overall.as_deref();
        let is_kept = retries || overall.is_some();
        CellMeter {
            cell: Cell::judged_by(Some(slo)),
            recent: Sketch::new(),
            overall: is_kept.then(|| {
                Box::new(Overall {
                    cell: Cell::judged_by(overall),
                    tries: 0,
                })
            }),
            retries,
        }
    }

    /// Everything that was intended has ended.
    fn check(&self) -> Result<(), Imbalance> {
        let overall = self.overall.as_ref().map(|overall| &overall.cell);
        let cells = [
            (Some(&self.cell), "requests of a client's action"),
            (overall, "requests of a client's action, over all tries"),
        ];
        for (cell, what) in cells {
            let tallies = cell.map(|cell| [&cell.warmup, &cell.window]);
            for tally in tallies.into_iter().flatten() {
                let requests = tally.requests;
                balance(what, requests.intended, "its ends", requests.ended_total())?;
            }
        }
        Ok(())
    }
}

/// Whether distributions hold the time of a request that ended so, and whether it is censored.
#[inline(always)]
fn held(outcome: Outcome) -> (bool, bool) {
    match outcome {
        Outcome::Ok => (true, false),
        Outcome::TimedOut | Outcome::Unresolved => (true, true),
        _ => (false, false),
    }
}

impl Sink for Measure {
    #[inline(always)]
    fn advance(&mut self, now: Time) {
        if now >= self.mark {
            self.pass_marks(now);
        }
        self.now = now;
    }

    #[inline(always)]
    fn record(&mut self, at: Time, event: Event<'_>) {
        match event {
            Event::Intended { request } => self.intended(request),
            Event::Done {
                request,
                sent,
                outcome,
                ..
            } => self.done(at, request, sent, outcome),
            Event::Settled {
                request,
                first,
                lag,
                outcome,
            } => self.settled(
                at,
                &Wanted {
                    last: request,
                    first,
                    lag,
                    outcome,
                },
            ),
            Event::SessionStarted { client } => self.sessions[client.index()].started += 1,
            Event::SessionEnded { client, end } => self.sessions[client.index()].end(end),
            Event::Visit {
                service,
                line,
                visitor,
                step,
                ..
            } => self.stations[service.index()].record(at, line, visitor, step),
            Event::Publication { stream, stored } => self.messages.publication(at, stream, stored),
            Event::Message { consumer, step, .. } => self.messages.message(at, consumer, step),
            Event::Delivery {
                fan_out,
                at,
                emitted,
                intended,
            } => self.messages.delivery(fan_out, at, emitted, intended),
            Event::Awaited { action, received } => {
                if let Some(meter) = &mut self.deliveries[action.index()] {
                    meter.received(at, received);
                }
            }
            Event::Emission { fan_out, emission } => self.messages.emission(at, fan_out, &emission),
            Event::LateReply => self.late_replies += 1,
            Event::DuplicateReply => self.duplicate_replies += 1,
            Event::Details { .. } => {}
            Event::LoadEnded => {
                self.load_end = Some(at);
                self.window.close(at);
                self.stations
                    .iter_mut()
                    .for_each(|station| station.window_ends(at));
                self.messages.window_ends(at);
                let deliveries = self.deliveries.iter_mut().flatten();
                deliveries.for_each(|meter| meter.window_ends(at));
            }
        }
    }
}
