//! The shape of an arrival rate over time: a factor of the rate for every instant.
//!
//! A shape stretches time. The stationary process runs on *operational* time, which passes at the speed of the factor,
//! and arrivals happen at the times at which operational time reaches its epochs (the time-change construction of
//! a non-stationary process, Çinlar 1975, 4.7; Gerhardt and Nelson 2009 for renewal processes). A Poisson process
//! becomes the Poisson process with that rate function, and any other keeps the variability of its inter-arrival
//! times at every level. While the factor is 0 operational time stands still, so that a silent stretch costs nothing.
//!
//! The factor is piecewise linear, in pieces whose ends are whole nanoseconds of either time. Arithmetic is integer at
//! the ends and correctly rounded within a piece: the same on every platform, and exact where the factor is 1.

use crate::time::{Span, Time};

/// A factor of a rate for every instant. It is above 0 somewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// One after the other from the start of the run, or of each period.
    pieces: Vec<Piece>,
    /// The operational time of all pieces.
    operational: u64,
    /// Their length.
    length: u64,
    /// What follows the last piece.
    then: Then,
}

/// What follows the last piece of a shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Then {
    /// This factor for ever.
    Level(f64),
    /// The pieces again, without end.
    Repeat,
}

/// A stretch of time over which the factor changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start: u64,
    length: u64,
    /// The operational time at the start of the piece.
    operational: u64,
    from: f64,
    to: f64,
}

impl Shape {
    /// From the pieces (length, factor at the start, factor at the end), in order, and what follows them. Factors are
    /// finite and not negative. `None` when no time of a factor above 0 is left, or when there is no length to repeat.
    pub fn new(pieces: &[(Span, f64, f64)], then: Then) -> Option<Shape> {
        let mut shape = Shape {
            pieces: Vec::with_capacity(pieces.len()),
            operational: 0,
            length: 0,
            then,
        };
        for &(length, from, to) in pieces {
            let length = length.as_nanos();
            if length == 0 {
                continue;
            }
            let piece = Piece {
                start: shape.length,
                length,
                operational: shape.operational,
                from,
                to,
            };
            shape.pieces.push(piece);
            shape.length = shape.length.saturating_add(length);
            shape.operational = shape.operational.saturating_add(piece.gain(length));
        }
        let goes_on = match then {
            Then::Level(level) => level > 0.0,
            Then::Repeat => false,
        };
        (shape.operational > 0 || goes_on).then_some(shape)
    }

    /// The time at which so much operational time has passed, the later one when it stands still there;
    /// [`Time::NEVER`] when that much never passes.
    pub fn instant(&self, operational: u64) -> Time {
        if operational >= self.operational {
            return self.instant_after_pieces(operational);
        }
        Time::from_nanos(self.instant_within(operational))
    }

    fn instant_after_pieces(&self, operational: u64) -> Time {
        match self.then {
            Then::Level(0.0) => Time::NEVER,
            Then::Level(level) => {
                let offset = stretched(operational - self.operational, level);
                Time::from_nanos(self.length.saturating_add(offset))
            }
            Then::Repeat => {
                let (round, rest) = (
                    operational / self.operational,
                    operational % self.operational,
                );
                let start = round.saturating_mul(self.length);
                Time::from_nanos(start.saturating_add(self.instant_within(rest)))
            }
        }
    }

    /// As [`Shape::instant`] for less operational time than the pieces have.
    fn instant_within(&self, operational: u64) -> u64 {
        let after = self
            .pieces
            .partition_point(|piece| piece.operational <= operational);
        // The first piece starts at operational time 0.
        let piece = &self.pieces[after.saturating_sub(1)];
        piece
            .start
            .saturating_add(piece.offset(operational - piece.operational))
    }

    /// The operational time that passes until an instant, in nanoseconds: the integral of the factor.
    pub fn operational(&self, until: Time) -> f64 {
        let until = until.as_nanos();
        let (rounds, rest) = match self.then {
            Then::Repeat => (until / self.length, until % self.length),
            Then::Level(_) => (0, until.min(self.length)),
        };
        let within: u64 = self
            .pieces
            .iter()
            .take_while(|piece| piece.start < rest)
            .map(|piece| piece.gain(piece.length.min(rest - piece.start)))
            .fold(0, u64::saturating_add);
        let after = match self.then {
            Then::Level(level) => until.saturating_sub(self.length) as f64 * level,
            Then::Repeat => rounds as f64 * self.operational as f64,
        };
        within as f64 + after
    }

    /// The mean factor from the start to the horizon; without one over a period, or the level that stays, or the
    /// pieces when nothing stays.
    pub fn mean(&self, horizon: Option<Time>) -> f64 {
        match (horizon, self.then) {
            (Some(horizon), _) => self.operational(horizon) / horizon.as_nanos().max(1) as f64,
            (None, Then::Level(level)) if level > 0.0 => level,
            (None, _) => self.operational as f64 / self.length as f64,
        }
    }

    /// The instant from which on the factor is the same for ever; `None` when there is none.
    pub fn settles(&self) -> Option<Time> {
        let stays = match self.then {
            Then::Level(level) => level,
            Then::Repeat => self.pieces.first()?.from,
        };
        let changes = |piece: &&Piece| piece.from != stays || piece.to != stays;
        let last = self.pieces.iter().rev().find(changes);
        match (last, self.then) {
            (None, _) => Some(Time::ZERO),
            (Some(piece), Then::Level(_)) => {
                Some(Time::from_nanos(piece.start.saturating_add(piece.length)))
            }
            (Some(_), Then::Repeat) => None,
        }
    }

    /// The largest factor from the start to the horizon.
    pub fn peak(&self, horizon: Option<Time>) -> f64 {
        let end = horizon.map_or(u64::MAX, Time::as_nanos);
        let reached = self.pieces.iter().take_while(|piece| piece.start < end);
        let pieces = reached.map(|piece| piece.from.max(piece.factor(end - piece.start)));
        let stays = match self.then {
            Then::Level(level) if end > self.length || self.pieces.is_empty() => level,
            _ => 0.0,
        };
        pieces.fold(stays, f64::max)
    }
}

impl Piece {
    /// The factor at an offset, which is cut to the piece.
    fn factor(&self, offset: u64) -> f64 {
        let share = offset.min(self.length) as f64 / self.length as f64;
        self.from + (self.to - self.from) * share
    }

    /// The operational time that passes up to an offset.
    fn gain(&self, offset: u64) -> u64 {
        if self.from == self.to && self.from == 1.0 {
            return offset;
        }
        let mean = 0.5 * (self.from + self.factor(offset));
        rounded(mean * offset as f64)
    }

    /// The offset at which so much operational time has passed.
    fn offset(&self, operational: u64) -> u64 {
        if self.from == self.to {
            return stretched(operational, self.from).min(self.length);
        }
        if operational == 0 {
            return 0;
        }
        // The root of from x + slope x² / 2 = operational, in the form without cancellation.
        let operational = operational as f64;
        let slope = (self.to - self.from) / self.length as f64;
        let root = (self.from * self.from + 2.0 * slope * operational)
            .max(0.0)
            .sqrt();
        rounded(2.0 * operational / (self.from + root)).min(self.length)
    }
}

/// The time in which so much operational time passes at a constant factor.
fn stretched(operational: u64, factor: f64) -> u64 {
    match factor {
        1.0 => operational,
        _ => rounded(operational as f64 / factor),
    }
}

/// To the nearest whole number; what is larger than any is the largest, and what is none is 0.
fn rounded(nanos: f64) -> u64 {
    (nanos + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Span {
        Span::from_nanos_f64(seconds * 1e9)
    }

    fn at(shape: &Shape, operational: f64) -> f64 {
        shape.instant((operational * 1e9) as u64).as_secs_f64()
    }

    fn shape(pieces: &[(f64, f64, f64)], then: Then) -> Shape {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|&(length, from, to)| (seconds(length), from, to))
            .collect();
        Shape::new(&pieces, then).expect("a shape that is not silent")
    }

    #[test]
    fn a_factor_of_one_is_the_identity_to_the_last_bit() {
        let one = shape(&[(3.0, 1.0, 1.0), (7.0, 1.0, 1.0)], Then::Level(1.0));
        let again = shape(&[(3.0, 1.0, 1.0)], Then::Repeat);
        for operational in [
            0,
            1,
            2_999_999_999,
            3_000_000_000,
            12_345_678_901,
            u64::MAX - 1,
        ] {
            assert_eq!(one.instant(operational).as_nanos(), operational);
            assert_eq!(again.instant(operational).as_nanos(), operational);
        }
    }

    #[test]
    fn a_ramp_is_a_parabola_in_operational_time() {
        // From 0 to 2 within 10 s: x²/10 until then, twice as fast as the clock afterwards.
        let ramp = shape(&[(10.0, 0.0, 2.0)], Then::Level(2.0));
        assert_eq!(at(&ramp, 0.0), 0.0);
        assert_eq!(at(&ramp, 2.5), 5.0);
        assert_eq!(at(&ramp, 10.0), 10.0);
        assert_eq!(at(&ramp, 14.0), 12.0);
        assert_eq!(ramp.operational(Time::from_nanos(5_000_000_000)), 2.5e9);
        assert_eq!(ramp.operational(Time::from_nanos(12_000_000_000)), 14e9);
        let horizon = Some(Time::from_nanos(5_000_000_000));
        assert_eq!((ramp.mean(horizon), ramp.peak(horizon)), (0.5, 1.0));
        assert_eq!((ramp.mean(None), ramp.peak(None)), (2.0, 2.0));
    }

    #[test]
    fn a_shape_settles_where_its_last_change_ends() {
        let settles = |pieces: &[(f64, f64, f64)], then| {
            let settles = shape(pieces, then).settles();
            settles.map(|at| at.as_secs_f64())
        };
        let ramp = [(300.0, 0.0, 1.0)];
        assert_eq!(settles(&ramp, Then::Level(1.0)), Some(300.0));
        assert_eq!(settles(&ramp, Then::Repeat), None);
        let burst = [(10.0, 1.0, 1.0), (2.0, 9.0, 9.0), (5.0, 1.0, 1.0)];
        assert_eq!(settles(&burst, Then::Level(1.0)), Some(12.0));
        assert_eq!(settles(&burst, Then::Level(2.0)), Some(17.0));
        assert_eq!(settles(&[(10.0, 2.0, 2.0)], Then::Level(2.0)), Some(0.0));
        assert_eq!(settles(&[(10.0, 2.0, 2.0)], Then::Repeat), Some(0.0));
        assert_eq!(settles(&[], Then::Level(2.0)), Some(0.0));
    }

    #[test]
    fn silence_is_skipped_and_the_end_is_never() {
        let windows = shape(
            &[
                (1.0, 0.0, 0.0),
                (2.0, 1.0, 1.0),
                (3600.0, 0.0, 0.0),
                (4.0, 1.0, 1.0),
            ],
            Then::Level(0.0),
        );
        assert_eq!(at(&windows, 0.0), 1.0);
        assert_eq!(at(&windows, 1.5), 2.5);
        assert_eq!(at(&windows, 2.0), 3603.0, "a window is open at its end");
        assert_eq!(at(&windows, 5.0), 3606.0);
        assert_eq!(windows.instant(6_000_000_000), Time::NEVER);
        assert_eq!(windows.instant(u64::MAX), Time::NEVER);
        assert_eq!(windows.mean(None), 6.0 / 3607.0);
        assert_eq!(
            Shape::new(&[(seconds(5.0), 0.0, 0.0)], Then::Level(0.0)),
            None
        );
        assert_eq!(Shape::new(&[], Then::Repeat), None);
    }

    #[test]
    fn a_period_goes_round() {
        let day = shape(&[(10.0, 0.0, 1.0), (10.0, 1.0, 0.0)], Then::Repeat);
        assert_eq!(at(&day, 5.0), 10.0);
        assert_eq!(at(&day, 105.0), 210.0);
        assert_eq!(day.operational(Time::from_nanos(210_000_000_000)), 105e9);
        assert_eq!((day.mean(None), day.peak(None)), (0.5, 1.0));
        // Nearly 584 years of operational time are nearly twice that.
        assert_eq!(day.instant(u64::MAX), Time::NEVER);
    }

    #[test]
    fn instants_never_go_back_and_invert_the_integral() {
        let bumpy = shape(
            &[
                (0.3, 0.0, 4.0),
                (1.7, 4.0, 0.1),
                (0.9, 0.0, 0.0),
                (2.0, 0.1, 0.0),
                (1.0, 7.0, 7.0),
            ],
            Then::Repeat,
        );
        let mut before = Time::ZERO;
        for step in 0..200_000_u64 {
            let operational = step * 517_003;
            let found = bumpy.instant(operational);
            assert!(found >= before, "{step}");
            before = found;
            let back = bumpy.operational(found);
            assert!((back - operational as f64).abs() < 30.0, "{step}: {back}");
        }
    }
}
