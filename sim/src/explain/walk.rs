//! One request's time, followed backwards from its end to its sending.

use crate::model::ServiceId;
use crate::time::{Span, Time};

/// What a visit is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It waits in a line.
    Waiting,
    /// A worker is busy with it.
    Service,
    /// It holds a worker while it is elsewhere.
    Held,
}

/// A stretch of time in which a visit did one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) service: ServiceId,
    pub(super) doing: Doing,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// Deals the time from `sent` to `done` out to what the request was doing, `None` for time that is no visit. What is
/// dealt out adds up to it exactly.
pub(super) fn deal_out(
    segments: &[Segment],
    sent: Time,
    done: Time,
    mut to: impl FnMut(Option<(ServiceId, Doing)>, Span),
) {
    let mut at = done;
    while at > sent {
        let now = segments
            .iter()
            .filter(|segment| segment.from < at && at <= segment.to);
        // Of several, the one that leads to this instant; held time only where there is no other, the innermost first.
        let chosen = now.max_by_key(|segment| {
            let busy = segment.doing != Doing::Held;
            (busy, segment.to == at, segment.from)
        });
        let start = match chosen {
            Some(segment) if segment.doing != Doing::Held => segment.from,
            Some(segment) => segment.from.max(last_end(segments, at)),
            None => last_end(segments, at),
        };
        let start = start.max(sent);
        let what = chosen.map(|segment| (segment.service, segment.doing));
        to(what, at.since(start));
        at = start;
    }
}

/// The last end of a segment before an instant.
fn last_end(segments: &[Segment], at: Time) -> Time {
    let ends = segments.iter().map(|segment| segment.to);
    ends.filter(|end| *end < at).max().unwrap_or(Time::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ServiceId = ServiceId(0);
    const B: ServiceId = ServiceId(1);

    fn segment(service: ServiceId, doing: Doing, from: u64, to: u64) -> Segment {
        Segment {
            service,
            doing,
            from: Time::from_nanos(from),
            to: Time::from_nanos(to),
        }
    }

    /// What a request sent at 10 and done at `done` did, backwards.
    fn dealt(segments: &[Segment], done: u64) -> Vec<(Option<(ServiceId, Doing)>, u64)> {
        let mut dealt = Vec::new();
        let (sent, done) = (Time::from_nanos(10), Time::from_nanos(done));
        deal_out(segments, sent, done, |what, span| {
            dealt.push((what, span.as_nanos()));
        });
        let total: u64 = dealt.iter().map(|(_, nanos)| nanos).sum();
        assert_eq!(total, done.since(sent).as_nanos());
        dealt
    }

    use Doing::{Held, Service, Waiting};

    #[test]
    fn gaps_are_no_visit() {
        assert_eq!(dealt(&[], 10), []);
        assert_eq!(dealt(&[], 13), [(None, 3)]);
        let visits = [
            segment(A, Waiting, 12, 15),
            segment(A, Service, 15, 20),
            segment(B, Service, 24, 25),
        ];
        let expected = [
            (None, 5),
            (Some((B, Service)), 1),
            (None, 4),
            (Some((A, Service)), 5),
            (Some((A, Waiting)), 3),
            (None, 2),
        ];
        assert_eq!(dealt(&visits, 30), expected);
    }

    #[test]
    fn held_time_belongs_to_what_happens_meanwhile() {
        let visits = [
            segment(A, Service, 10, 12),
            segment(A, Held, 12, 30),
            segment(B, Waiting, 14, 15),
            segment(B, Service, 15, 18),
            segment(B, Held, 18, 22),
        ];
        let expected = [
            (Some((A, Held)), 8),
            (Some((B, Held)), 4),
            (Some((B, Service)), 3),
            (Some((B, Waiting)), 1),
            (Some((A, Held)), 2),
            (Some((A, Service)), 2),
        ];
        assert_eq!(dealt(&visits, 30), expected);
    }

    #[test]
    fn of_parallel_ways_the_last_counts() {
        let visits = [
            segment(A, Service, 10, 14),
            segment(A, Service, 14, 30),
            segment(B, Waiting, 10, 13),
            segment(B, Service, 13, 25),
        ];
        let expected = [(Some((A, Service)), 16), (Some((A, Service)), 4)];
        assert_eq!(dealt(&visits, 30), expected);
    }

    #[test]
    fn what_is_cut_off_counts_up_to_there() {
        let visits = [segment(A, Waiting, 10, 40)];
        assert_eq!(dealt(&visits, 30), [(Some((A, Waiting)), 20)]);
    }
}
