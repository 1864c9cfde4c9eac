//! The timers of a backend in the calendar, besides its jobs.

use super::{Backend, Moment, Reply};
use crate::engine::{Calendar, Task, Timer};
use crate::event::Sink;
use crate::time::Time;

impl Backend {
    /// Whether anything comes of a timer that is due at `now`. What does not happen is nobody's last event.
    ///
    /// A timer that comes to nothing is dealt with here.
    pub fn takes_effect(&mut self, now: Time, timer: Timer, calendar: &mut Calendar<Task>) -> bool {
        let takes_effect = match timer {
            Timer::Completion(slot) => !self.visits.is_called_off(slot),
            Timer::Share(sharing) => self.visits.is_called(sharing, now),
            Timer::AckWait(consumer) => self.streams.is_expiring(consumer, now),
            Timer::Redeliver(message) => !self.streams.is_settled(message),
            Timer::Linger(consumer) => self.streams.is_lingering(consumer, now),
            Timer::Outage(turn) => !self.is_unnoticed(turn),
            Timer::Stored(_) | Timer::Emitted(_) => true,
        };
        if !takes_effect {
            let mut nobody = Nobody;
            let mut m = Moment {
                now,
                calendar,
                sink: &mut nobody,
            };
            match timer {
                Timer::Redeliver(message) => self.streams.forget_settled(message),
                Timer::Share(_) | Timer::Linger(_) => {}
                _ => {
                    self.due(timer, &mut m);
                }
            }
        }
        takes_effect
    }

    /// A timer is due and takes effect.
    pub fn timer<S: Sink>(
        &mut self,
        now: Time,
        timer: Timer,
        calendar: &mut Calendar<Task>,
        sink: &mut S,
    ) -> Option<Reply> {
        let mut m = Moment {
            now,
            calendar,
            sink,
        };
        self.due(timer, &mut m)
    }

    /// Whose path a job walks, by position: those of the actions, then those of the consumers.
    pub fn path_of(&self, job: u32) -> Option<u16> {
        self.jobs.get(job).map(|job| job.path)
    }

    /// On whose path's account a timer is due, as far as it is one path's.
    pub fn path_of_timer(&self, timer: Timer) -> Option<u16> {
        match timer {
            Timer::AckWait(consumer) | Timer::Linger(consumer) => {
                self.streams.path_of_consumer(consumer)
            }
            Timer::Redeliver(message) => self.streams.path_of_message(message),
            Timer::Completion(slot) => self.path_of(self.visits.job_of_completion(slot)),
            Timer::Share(_) | Timer::Stored(_) | Timer::Emitted(_) | Timer::Outage(_) => None,
        }
    }

    fn due<S: Sink>(&mut self, timer: Timer, m: &mut Moment<'_, S>) -> Option<Reply> {
        match timer {
            Timer::Completion(slot) => return self.completion_due(slot, m),
            Timer::Share(sharing) => return self.shares_done(sharing, m),
            Timer::AckWait(consumer) => self.ack_wait_due(consumer, m),
            Timer::Redeliver(message) => self.redeliver_due(message, m),
            Timer::Linger(consumer) => self.linger_due(consumer, m),
            Timer::Stored(slot) => self.stored(slot, m),
            Timer::Emitted(slot) => self.fan_outs.emitted(slot, m),
            Timer::Outage(turn) => self.turn(turn, m),
        }
        None
    }
}

/// A sink for what has no effect.
struct Nobody;

impl Sink for Nobody {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, _: Time, _: crate::event::Event<'_>) {}
}
