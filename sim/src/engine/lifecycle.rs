//! The life of a run: load with warm-up and window, drain, and the end.
//!
//! ```text
//!   load ──horizon, budget, idle, interrupt──► drain ──nothing left, or cut off──► over
//! ```
//!
//! [`Lifecycle`] is a pure state machine that simulated and live runs are driven by. It knows neither clock nor events:
//! it is asked what follows at an instant from what is still [`Ahead`], and answers with a [`Turn`]. Guarantees:
//! - The load ends once, for one reason, and nothing is intended afterwards. What happens at the very instant of the
//!   horizon still belongs to it.
//! - An interruption while requests are in flight becomes the reason, and leaves the instant.
//! - No run goes on for longer than the drain after its load has ended.

use crate::model::Limits;
use crate::time::{Span, Time};

/// The resolution of the clock: what comes after an instant comes this much later, or more.
const TICK: Span = Span::from_nanos(1);

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
    /// What it was to find out was decided before its horizon.
    Decided,
}

/// What is still to come, as far as it is known at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// When the next user wants to be woken: [`Time::NEVER`] when none does. Whoever waits for room is not among them.
    pub wake: Time,
    /// Whether requests that are due wait until fewer are in flight.
    pub held: bool,
    /// Whether requests are in flight, or anything else that belongs to the run is still going on.
    pub busy: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The run goes on.
    GoesOn,
    /// The requests that wait for room have waited through the drain: they are dropped as of this instant.
    DropHeld(Time),
    /// The load ends for this reason, as of this instant.
    LoadEnds(LoadEnd, Time),
    /// The run is over: nothing is left.
    Over,
    /// The run is over: what is left is cut off as of this instant.
    CutOff(Time),
}

/// Which part of a run an instant belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The system settles; what is intended now is not measured.
    WarmUp,
    /// What is intended now is measured.
    Window,
    /// Nothing is intended any more.
    Drain,
}

/// How far a run has come in its life.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    warmup: Time,
    horizon: Option<Time>,
    drain: Span,
    ended: Option<(LoadEnd, Time)>,
}

impl Lifecycle {
    /// Of a run within these limits that has not started.
    pub fn new(limits: &Limits) -> Lifecycle {
        Lifecycle {
            warmup: limits.warmup,
            horizon: limits.horizon,
            drain: limits.drain,
            ended: None,
        }
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

    /// When what is left in flight is cut off; [`Time::NEVER`] while the load goes on.
    pub fn cut_off(&self) -> Time {
        self.ended
            .map_or(Time::NEVER, |(_, ended)| ended + self.drain)
    }

    /// The part of the run that an instant belongs to, as far as is known.
    pub fn phase(&self, at: Time) -> Phase {
        match self.ended {
            Some((_, ended)) if at > ended => Phase::Drain,
            _ if at < self.warmup => Phase::WarmUp,
            _ => Phase::Window,
        }
    }

    /// The load ends; whether it had not before.
    pub fn end(&mut self, why: LoadEnd, at: Time) -> bool {
        match &mut self.ended {
            None => {
                self.ended = Some((why, at));
                true
            }
            // The load is over, but what it left in flight is cut off.
            Some((before, _)) => {
                if why == LoadEnd::Interrupted {
                    *before = why;
                }
                false
            }
        }
    }

    /// What follows at `now`, where everything before it has happened. A simulation asks with the instant of its next
    /// event, before that happens, as of the instant that it stands at.
    pub fn turn(&self, now: Time, ahead: Ahead) -> Turn {
        if let Some((why, _)) = self.ended {
            let cut_off = self.cut_off();
            let held = ahead.held && why == LoadEnd::Horizon;
            return match (held, ahead.busy) {
                (false, false) => Turn::Over,
                _ if now <= cut_off => Turn::GoesOn,
                (true, _) => Turn::DropHeld(cut_off),
                (false, true) => Turn::CutOff(cut_off),
            };
        }
        let Some(horizon) = self.horizon else {
            let idle = ahead.wake == Time::NEVER && !ahead.busy && !ahead.held;
            return match idle {
                true => Turn::LoadEnds(LoadEnd::Idle, now),
                false => Turn::GoesOn,
            };
        };
        match now < horizon || ahead.wake <= horizon {
            true => Turn::GoesOn,
            false => Turn::LoadEnds(LoadEnd::Horizon, horizon),
        }
    }

    /// The next time at which the passing of time alone changes what [`turn`](Self::turn) answers.
    pub fn next_turn(&self) -> Time {
        match (self.ended, self.horizon) {
            (Some(_), _) => self.cut_off() + TICK,
            (None, Some(horizon)) => horizon,
            (None, None) => Time::NEVER,
        }
    }

    /// The first instant before which no turn but [`Turn::GoesOn`] can come, of a run whose events are all known: a
    /// simulation need not ask before it.
    pub fn attention(&self) -> Time {
        match (self.ended, self.horizon) {
            (Some(_), _) => Time::ZERO,
            (None, Some(horizon)) => horizon + TICK,
            (None, None) => Time::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn life(horizon: Option<u64>, ended: Option<(LoadEnd, u64)>) -> Lifecycle {
        let mut life = Lifecycle::new(&Limits {
            requests: None,
            horizon: horizon.map(at),
            warmup: at(20),
            find_warmup: false,
            drain: Span::from_nanos(50),
        });
        if let Some((why, ended)) = ended {
            assert!(life.end(why, at(ended)));
        }
        life
    }

    fn ahead(wake: Time, held: bool, busy: bool) -> Ahead {
        Ahead { wake, held, busy }
    }

    const NEVER: Time = Time::NEVER;

    #[test]
    fn every_state_has_its_turn() {
        use LoadEnd::{Budget, Horizon, Idle};
        use Turn::{CutOff, DropHeld, GoesOn, LoadEnds, Over};
        // Horizon, how the load ended, now, what is ahead (wake, held, busy), what follows.
        let table = [
            // The load goes on to its horizon, whatever is ahead, and what is due there belongs to it.
            (Some(100), None, 0, ahead(NEVER, false, false), GoesOn),
            (Some(100), None, 99, ahead(at(120), false, true), GoesOn),
            (Some(100), None, 100, ahead(at(100), false, false), GoesOn),
            (
                Some(100),
                None,
                100,
                ahead(at(101), false, true),
                LoadEnds(Horizon, at(100)),
            ),
            (
                Some(100),
                None,
                130,
                ahead(NEVER, false, false),
                LoadEnds(Horizon, at(100)),
            ),
            (
                Some(100),
                None,
                130,
                ahead(NEVER, true, true),
                LoadEnds(Horizon, at(100)),
            ),
            // What waits for room at the horizon may wait through the drain, and only there.
            (
                Some(100),
                Some((Horizon, 100)),
                150,
                ahead(NEVER, true, false),
                GoesOn,
            ),
            (
                Some(100),
                Some((Horizon, 100)),
                151,
                ahead(NEVER, true, true),
                DropHeld(at(150)),
            ),
            (
                Some(100),
                Some((LoadEnd::Interrupted, 90)),
                91,
                ahead(NEVER, true, false),
                Over,
            ),
            // Without a horizon the load ends when nobody has anything left to send.
            (None, None, 70, ahead(at(90), false, false), GoesOn),
            (None, None, 70, ahead(NEVER, false, true), GoesOn),
            (None, None, 70, ahead(NEVER, true, false), GoesOn),
            (
                None,
                None,
                70,
                ahead(NEVER, false, false),
                LoadEnds(Idle, at(70)),
            ),
            // What the load left has the drain, to its last instant.
            (
                None,
                Some((Budget, 70)),
                70,
                ahead(at(80), false, false),
                Over,
            ),
            (
                None,
                Some((Budget, 70)),
                120,
                ahead(NEVER, false, true),
                GoesOn,
            ),
            (
                None,
                Some((Budget, 70)),
                121,
                ahead(NEVER, false, true),
                CutOff(at(120)),
            ),
            (
                Some(100),
                Some((Horizon, 100)),
                500,
                ahead(NEVER, false, false),
                Over,
            ),
        ];
        for (horizon, ended, now, ahead, follows) in table {
            let life = life(horizon, ended);
            let turn = life.turn(at(now), ahead);
            assert_eq!(turn, follows, "{horizon:?} {ended:?} {now} {ahead:?}");
            // Nothing but going on before the instant that a simulation looks at.
            if turn != GoesOn && ahead.wake > at(now) {
                let due =
                    life.attention() <= at(now) + TICK || ended.is_none() && horizon.is_none();
                assert!(due, "{horizon:?} {ended:?} {now}");
            }
        }
    }

    #[test]
    fn the_load_ends_once_and_an_interruption_becomes_the_reason() {
        let mut life = life(Some(100), Some((LoadEnd::Budget, 60)));
        assert!(!life.end(LoadEnd::Horizon, at(100)));
        assert_eq!(
            (life.ended(), life.ended_at()),
            (Some(LoadEnd::Budget), Some(at(60)))
        );
        assert!(!life.end(LoadEnd::Interrupted, at(80)));
        let interrupted = (Some(LoadEnd::Interrupted), Some(at(60)));
        assert_eq!((life.ended(), life.ended_at()), interrupted);
    }

    #[test]
    fn instants_belong_to_warm_up_window_and_drain() {
        let mut life = life(Some(100), None);
        assert_eq!(life.phase(at(19)), Phase::WarmUp);
        assert_eq!(life.phase(at(20)), Phase::Window);
        assert_eq!(life.phase(at(500)), Phase::Window);
        assert!(life.end(LoadEnd::Horizon, at(100)));
        assert_eq!(life.phase(at(100)), Phase::Window);
        assert_eq!(life.phase(at(101)), Phase::Drain);
    }

    #[test]
    fn a_run_that_looks_when_it_is_told_to_misses_nothing() {
        // Whatever is ahead, no turn but the last one asked for comes between two instants that are looked at.
        for horizon in [None, Some(100)] {
            for ended in [None, Some((LoadEnd::Interrupted, 90))] {
                for held in [false, true] {
                    let life = life(horizon, ended);
                    let mut turn = life.turn(at(0), ahead(NEVER, held, true));
                    let mut next = life.next_turn();
                    for now in (1..200).map(at) {
                        let follows = life.turn(now, ahead(NEVER, held, true));
                        if now < next {
                            assert_eq!(follows, turn, "{horizon:?} {ended:?} {held} {now:?}");
                        } else {
                            next = life.next_turn();
                        }
                        turn = follows;
                    }
                }
            }
        }
    }
}
