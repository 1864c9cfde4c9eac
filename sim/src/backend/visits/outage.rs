//! Outages: members and services that go down and come up again.

use crate::backend::walk::{Ending, State};
use crate::backend::{Backend, Moment};
use crate::engine::{Calendar, Task, Timer};
use crate::event::{Sink, VisitStep};
use crate::model::{Down, Model, Outage, ServiceId};
use crate::time::Time;

/// The beginning or the end of an outage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) at: Time,
    service: ServiceId,
    outage: Outage,
    begins: bool,
}

/// All beginnings and ends of a model's outages. Of one instant ends come first, so that outages may follow one another.
pub(super) fn turns(model: &Model) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (service, id) in model.services.iter().zip(0u16..) {
        for &outage in &service.outages {
            for (at, begins) in [(outage.from, true), (outage.to, false)] {
                turns.push(Turn {
                    at,
                    service: ServiceId(id),
                    outage,
                    begins,
                });
            }
        }
    }
    turns.sort_by_key(|turn| (turn.at, turn.begins));
    turns
}

impl Backend {
    /// Has the calendar call for every turn of an outage.
    pub fn schedule_outages(&self, calendar: &mut Calendar<Task>) {
        for (turn, number) in self.visits.turns.iter().zip(0u32..) {
            calendar.push(turn.at, Task::Timer(Timer::Outage(number)));
        }
    }

    /// The queues that a turn concerns.
    fn concerned(&self, turn: Turn) -> std::ops::Range<u32> {
        let all = self.visits.stations[turn.service.index()].all_lines();
        match turn.outage.member {
            Some(member) => all.start + member..all.start + member + 1,
            None => all,
        }
    }

    /// Whether nobody is there to notice a turn: no visit, and no consumer with a message that waits for its workers.
    pub(crate) fn is_unnoticed(&self, turn: u32) -> bool {
        let service = self.visits.turns[turn as usize].service;
        let mut consumers = self.streams.at(service).iter();
        self.visits.stations[service.index()].rare.present == 0
            && consumers.all(|consumer| self.streams.has_nothing_for(*consumer))
    }

    /// An outage begins or ends.
    pub(crate) fn turn<S: Sink>(&mut self, turn: u32, m: &mut Moment<'_, S>) {
        let turn = self.visits.turns[turn as usize];
        for line in self.concerned(turn) {
            match (turn.outage.down, turn.begins) {
                (Down::Hung, begins) => self.visits.lines[line as usize].hung = begins,
                (Down::Gone, begins) => self.member_gone(turn.service, line, begins),
            }
            if !turn.begins {
                let station = &mut self.visits.stations[turn.service.index()];
                let member = line - station.first_line;
                if turn.outage.down == Down::Gone {
                    station.rare.condition.restart(m.now, member);
                }
                self.take_up(turn.service, line, m);
            }
        }
        if turn.begins && turn.outage.down == Down::Gone {
            self.lose_all(turn, m);
        }
        if !turn.begins {
            for consumer in self.streams.at(turn.service).to_vec() {
                self.member_is_back(consumer, m);
            }
        }
    }

    /// A member is gone from now on, or is there again.
    fn member_gone(&mut self, service: ServiceId, line: u32, gone: bool) {
        let station = &mut self.visits.stations[service.index()];
        let member = line - station.first_line;
        let here = &mut self.visits.lines[line as usize];
        here.gone = gone;
        match gone {
            true => station.rare.gone.insert(member),
            false => station.rare.gone.remove(&member),
        };
        if let Some(loads) = self.visits.loads.get_mut(station.loads as usize) {
            match gone {
                true => loads.lose(member),
                false => loads.come_back(member, here.present()),
            }
        }
    }

    /// What waits, runs or holds a worker at the members that are gone is lost.
    fn lose_all<S: Sink>(&mut self, turn: Turn, m: &mut Moment<'_, S>) {
        let lines = self.concerned(turn);
        for id in self.jobs.taken() {
            // The loss of one may end the job whose arm it was, and free its slot for a new delivery. Neither the one, which
            // no longer owes anything, nor the other, which is on its way, is taken for one that is here.
            let job = self.jobs[id];
            let spent = m.now.since(job.since);
            let here = job.service == turn.service && lines.contains(&job.line);
            match job.state {
                State::Waiting if here => {
                    let step = VisitStep::LostWaiting { waited: spent };
                    m.record(id, job.flight, job.service, job.line, step);
                    self.leave_line(id);
                    self.fail_later(id, Ending::Lost, m);
                }
                State::Running if here => {
                    self.stop_service(id, m);
                    let step = VisitStep::LostRunning { served: spent };
                    m.record(id, job.flight, job.service, job.line, step);
                    self.worker_free(job.service, job.line, m);
                    self.fail_later(id, Ending::Lost, m);
                }
                _ if self.jobs.holds_at(id, &lines) => self.orphan(id, m),
                _ => {}
            }
        }
    }

    /// The process that a job holds a worker of is gone while it is elsewhere: whoever waits hears of it, and what it is
    /// doing elsewhere is done for nobody.
    fn orphan<S: Sink>(&mut self, id: u32, m: &mut Moment<'_, S>) {
        self.answer_failure_later(id, Ending::Lost, m);
        self.settle(id, Ending::Lost, m);
        let job = &mut self.jobs[id];
        job.answered = true;
        job.step = self.paths.program.end;
        if job.state == State::Joining {
            let join = job.line;
            self.forget_parent(join);
            self.jobs.remove(id);
        }
    }
}
