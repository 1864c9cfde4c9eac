//! Waiting until the backlogs that a load left are gone.

use std::collections::BTreeMap;

use blis_sim::time::{Span, Time};

use crate::clock::Clock;

/// How often it is looked.
const EVERY: Span = Span::from_nanos(100_000_000);

/// Messages pending and waiting for acknowledgement, by consumer. Those of which nobody says anything are not there.
pub type Backlogs = BTreeMap<String, u64>;

/// The result of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Every backlog is what it was, or was for a moment: nothing of the load is left.
    Back,
    /// Somebody asked for a stop before.
    Stopped,
    /// The wait is over, and these consumers have this many messages more than before.
    Left {
        /// Those on which somebody works: their backlogs fell to the end.
        working: Backlogs,
        /// Those on which nobody does.
        idle: Backlogs,
    },
}

/// A consumer that is waited for.
#[derive(Debug, Clone, Copy)]
struct Behind {
    above: u64,
    /// When it last fell.
    fell: Time,
}

/// Waits until each backlog has been down to what it was `before`, for so long at most.
///
/// A consumer takes messages in the order of its stream, so that one that has been down once has nothing left of the load,
/// whatever others send meanwhile. One that is not there any more is not waited for.
pub fn settle<T>(
    clock: &mut impl Clock<T>,
    longest: Span,
    before: &Backlogs,
    ask: &mut dyn FnMut() -> Backlogs,
    stop: &dyn Fn() -> bool,
) -> Settled {
    let began = clock.now();
    let end = began + longest;
    let mut open: BTreeMap<&String, Option<Behind>> =
        before.keys().map(|name| (name, None)).collect();
    while !open.is_empty() {
        if stop() {
            return Settled::Stopped;
        }
        let (now, levels) = (clock.now(), ask());
        open.retain(|name, behind| {
            let above = levels
                .get(*name)
                .map(|level| level.saturating_sub(before[*name]));
            let Some(above) = above.filter(|above| *above > 0) else {
                return false;
            };
            let fell = match behind {
                Some(behind) if above >= behind.above => behind.fell,
                Some(_) => now,
                None => began,
            };
            let lowest = behind.map_or(above, |behind| behind.above.min(above));
            *behind = Some(Behind {
                above: lowest,
                fell,
            });
            true
        });
        if clock.now() >= end {
            break;
        }
        if !open.is_empty() {
            wait_until(clock, EVERY, &|| false);
        }
    }
    parted(open, end, longest)
}

/// Those that are left, by whether they fell in the last tenth of the wait.
fn parted(open: BTreeMap<&String, Option<Behind>>, end: Time, longest: Span) -> Settled {
    let tenth = Span::from_nanos(longest.as_nanos() / 10);
    let (mut working, mut idle) = (Backlogs::new(), Backlogs::new());
    for (name, behind) in open {
        let Some(Behind { above, fell }) = behind else {
            continue;
        };
        let side = match fell + tenth >= end {
            true => &mut working,
            false => &mut idle,
        };
        side.insert(name.clone(), above);
    }
    match working.is_empty() && idle.is_empty() {
        true => Settled::Back,
        false => Settled::Left { working, idle },
    }
}

/// Waits until something is so, for so long at most.
pub fn wait_until<T>(clock: &mut impl Clock<T>, longest: Span, is_so: &dyn Fn() -> bool) {
    let end = clock.now() + longest;
    while clock.now() < end && !is_so() {
        let until = end.min(clock.now() + EVERY);
        clock.wait(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time that passes when it is waited for.
    struct Waiting(Time);

    impl Clock<()> for Waiting {
        fn now(&self) -> Time {
            self.0
        }

        fn wait(&mut self, until: Time) -> Option<()> {
            self.0 = self.0.max(until);
            None
        }

        fn poll(&mut self) -> Option<()> {
            None
        }
    }

    const DRAIN: Span = Span::from_nanos(2_000_000_000);

    fn backlogs(levels: &[(&str, u64)]) -> Backlogs {
        let levels = levels.iter();
        levels
            .map(|(name, level)| ((*name).to_owned(), *level))
            .collect()
    }

    /// The result of backlogs that were 5 and 0 and are these at each look, and how many milliseconds that takes.
    fn settled(at_look: impl Fn(u64) -> [u64; 2]) -> (Settled, u64) {
        let mut clock = Waiting(Time::from_nanos(7));
        let (before, mut look) = (backlogs(&[("S/a", 5), ("S/b", 0)]), 0);
        let mut ask = || {
            let [a, b] = at_look(look);
            look += 1;
            backlogs(&[("S/a", a), ("S/b", b)])
        };
        let settled = settle(&mut clock, DRAIN, &before, &mut ask, &|| false);
        (settled, (clock.0.as_nanos() - 7) / 1_000_000)
    }

    #[test]
    fn it_waits_for_backlogs_and_no_longer() {
        assert_eq!(settled(|_| [5, 0]), (Settled::Back, 0));
        assert_eq!(settled(|_| [2, 0]), (Settled::Back, 0));
        // Each has been down once, although never both.
        let fall = |look| [[9, 3], [5, 4], [7, 0]][look as usize];
        assert_eq!(settled(fall), (Settled::Back, 200));
        assert_eq!(
            settled(|look| [5, 15_u64.saturating_sub(look)]).1,
            1500,
            "until it is down"
        );
    }

    #[test]
    fn what_does_not_come_back_is_told_apart_by_who_works_on_it() {
        let left = settled(|look| [1000 - look, 40]);
        let expected = Settled::Left {
            working: backlogs(&[("S/a", 1000 - 20 - 5)]),
            idle: backlogs(&[("S/b", 40)]),
        };
        assert_eq!(left, (expected, 2000));
        // It fell at first, and then nobody went on.
        let (left, _) = settled(|look| [5, 100 - look.min(10)]);
        let idle = backlogs(&[("S/b", 90)]);
        let working = Backlogs::new();
        assert_eq!(left, Settled::Left { working, idle });
    }

    #[test]
    fn one_that_is_gone_is_not_waited_for_and_a_stop_ends_it() {
        let before = backlogs(&[("S/a", 0), ("S/b", 0)]);
        let mut clock = Waiting(Time::ZERO);
        let mut ask = || backlogs(&[("S/b", 0)]);
        let gone = settle(&mut clock, DRAIN, &before, &mut ask, &|| false);
        assert_eq!((gone, clock.0), (Settled::Back, Time::ZERO));
        let mut ask = || backlogs(&[("S/a", 9)]);
        let stopped = settle(&mut clock, DRAIN, &before, &mut ask, &|| true);
        assert_eq!(stopped, Settled::Stopped);
    }

    #[test]
    fn a_wait_ends_in_time_or_when_it_is_so() {
        let mut clock = Waiting(Time::ZERO);
        let span = Span::from_nanos(350_000_000);
        wait_until(&mut clock, span, &|| false);
        assert_eq!(clock.0, Time::ZERO + span);
        wait_until(&mut clock, span, &|| true);
        assert_eq!(clock.0, Time::ZERO + span);
    }
}
