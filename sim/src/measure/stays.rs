//! Waiting times of visits that may wait more than once.
//!
//! At a service that preempts, a visit can return to the queue. It has one waiting time: the sum of its stays in the queue, which
//! is final when no worker can be taken from it any more.

use crate::event::VisitStep;
use crate::time::{Span, Time};

/// Visits whose wait may still grow, by visitor.
#[derive(Debug, Clone, Default)]
pub(super) struct Stays {
    open: Vec<Stay>,
}

#[derive(Debug, Clone, Copy)]
struct Stay {
    /// When the visit came; [`Time::NEVER`] where there is none.
    came: Time,
    line: u32,
    /// Its stays that are over.
    waited: Span,
}

const NONE: Stay = Stay {
    came: Time::NEVER,
    line: 0,
    waited: Span::ZERO,
};

/// What a visit waited in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// When the visit came.
    pub(super) came: Time,
    pub(super) waited: Span,
    /// Whether it was cut off while it waited.
    pub(super) censored: bool,
}

impl Stays {
    /// What happens to a visit; returns its wait when that is certain.
    pub(super) fn step(
        &mut self,
        now: Time,
        line: u32,
        visitor: u32,
        step: VisitStep,
    ) -> Option<Wait> {
        match step {
            VisitStep::TakenAtOnce | VisitStep::Joined => {
                self.begin(now, line, visitor);
                None
            }
            VisitStep::Started { waited } => {
                let stay = self.open.get_mut(visitor as usize)?;
                stay.waited = stay.waited + waited;
                None
            }
            VisitStep::Held { .. }
            | VisitStep::Completed { .. }
            | VisitStep::Abandoned { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::CutRunning { .. } => self.end(line, visitor, None),
            VisitStep::Left { waited }
            | VisitStep::LostWaiting { waited }
            | VisitStep::CutWaiting { waited } => self.end(line, visitor, Some(waited)),
            VisitStep::Preempted { .. }
            | VisitStep::Rejected
            | VisitStep::Unreachable
            | VisitStep::WorkerBusy
            | VisitStep::WorkerIdle => None,
        }
    }

    fn begin(&mut self, now: Time, line: u32, visitor: u32) {
        let index = visitor as usize;
        if index >= self.open.len() {
            self.open.resize(index + 1, NONE);
        }
        self.open[index] = Stay {
            came: now,
            line,
            waited: Span::ZERO,
        };
    }

    /// A visit ends, in the middle of the stay `cut` if it does so in the queue. An earlier visit of the same visitor, whose
    /// worker is held until now, has told its wait before.
    fn end(&mut self, line: u32, visitor: u32, cut: Option<Span>) -> Option<Wait> {
        let stay = self.open.get_mut(visitor as usize)?;
        if stay.came == Time::NEVER || stay.line != line {
            return None;
        }
        let stay = std::mem::replace(stay, NONE);
        Some(Wait {
            came: stay.came,
            waited: stay.waited + cut.unwrap_or(Span::ZERO),
            censored: cut.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVED: Span = Span::ZERO;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn span(nanos: u64) -> Span {
        Span::from_nanos(nanos)
    }

    #[test]
    fn a_visit_that_is_preempted_twice_has_one_wait() {
        let mut stays = Stays::default();
        let error = false;
        let end = VisitStep::Completed {
            served: SERVED,
            error,
        };
        for (now, step) in [
            (5, VisitStep::Joined),
            (7, VisitStep::Started { waited: span(2) }),
            (8, VisitStep::Preempted { served: SERVED }),
            (12, VisitStep::Started { waited: span(4) }),
            (13, VisitStep::Preempted { served: SERVED }),
            (20, VisitStep::Started { waited: span(7) }),
        ] {
            assert_eq!(stays.step(at(now), 3, 9, step), None);
        }
        let wait = |came, waited, censored| {
            Some(Wait {
                came: at(came),
                waited: span(waited),
                censored,
            })
        };
        assert_eq!(stays.step(at(30), 3, 9, end), wait(5, 13, false));
        // The same visitor once more, which never waits, and holds its worker during a visit that is cut off.
        stays.step(at(31), 3, 9, VisitStep::TakenAtOnce);
        let held = VisitStep::Held { served: SERVED };
        assert_eq!(stays.step(at(32), 3, 9, held), wait(31, 0, false));
        stays.step(at(32), 4, 9, VisitStep::Joined);
        // The process of the first is gone; the second goes on waiting.
        let lost = VisitStep::LostRunning { served: SERVED };
        assert_eq!(stays.step(at(33), 3, 9, lost), None);
        let cut = VisitStep::CutWaiting { waited: span(8) };
        assert_eq!(stays.step(at(40), 4, 9, cut), wait(32, 8, true));
        assert_eq!(stays.step(at(41), 3, 9, end), None);
    }
}
