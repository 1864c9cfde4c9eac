//! Figures over time, by interval.
//!
//! A series has a bounded number of rows of equal width, allocated beforehand. When a run outlasts them, pairs of neighbours
//! are merged and the width doubles, so that only resolution is lost.

use crate::measure::consumer::Backlog;
use crate::measure::ledger::{Imbalance, Requests, balance};
use crate::measure::sketch::Sketch;
use crate::measure::station::Areas;
use crate::time::{Span, Time};

/// The most rows a series has; even, because rows are merged in pairs.
const ROWS: usize = 120;
/// The width to begin with when no horizon says how long the run will be.
const FIRST_WIDTH: Span = Span::from_nanos(10_000_000);

/// A last row shorter than the width by more than this factor is no row of its own.
const SLIVER: u64 = 10;

/// What had happened in a run up to an instant.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) requests: Requests,
    /// Sum of the response times that are held in distributions, in nanoseconds.
    pub(super) response_sum: u128,
    pub(super) stations: Vec<Areas>,
    /// By consumer: the backlog, and the redeliveries so far.
    pub(super) consumers: Vec<ConsumerRow>,
}

impl Totals {
    pub(super) fn new(stations: usize, consumers: usize) -> Totals {
        Totals {
            stations: vec![Areas::default(); stations],
            consumers: vec![ConsumerRow::default(); consumers],
            ..Totals::default()
        }
    }
}

/// One interval of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerRow {
    /// The backlog at the end of the interval; in the last one, what the end of the run cut off counts as left.
    pub backlog: Backlog,
    /// Redeliveries within the interval.
    pub redelivered: u64,
}

/// One interval.
#[derive(Debug, Clone)]
pub struct SeriesRow {
    /// Requests intended in it, and ends that fell in it.
    pub requests: Requests,
    /// Integrals over the interval, by service.
    pub stations: Vec<Areas>,
    /// By consumer.
    pub consumers: Vec<ConsumerRow>,
    response_sum: u128,
    /// Response times of the ends that fell in it, to two significant digits.
    response: Sketch,
}

impl SeriesRow {
    fn new(stations: usize, consumers: usize) -> SeriesRow {
        SeriesRow {
            requests: Requests::default(),
            stations: vec![Areas::default(); stations],
            consumers: vec![ConsumerRow::default(); consumers],
            response_sum: 0,
            response: Sketch::new(),
        }
    }

    /// Adds what happened between two instants.
    fn fill(&mut self, from: &Totals, to: &Totals) {
        self.requests.add_difference(&from.requests, &to.requests);
        self.response_sum += to.response_sum - from.response_sum;
        for ((mine, from), to) in self
            .stations
            .iter_mut()
            .zip(&from.stations)
            .zip(&to.stations)
        {
            mine.add(&to.minus(from));
        }
        for ((mine, from), to) in self
            .consumers
            .iter_mut()
            .zip(&from.consumers)
            .zip(&to.consumers)
        {
            mine.backlog = to.backlog;
            mine.redelivered += to.redelivered - from.redelivered;
        }
    }

    /// Takes over what the row after it holds, and leaves that one empty.
    fn take(&mut self, other: &mut SeriesRow) {
        self.requests.add(&other.requests);
        self.response_sum += other.response_sum;
        for (mine, others) in self.stations.iter_mut().zip(&other.stations) {
            mine.add(others);
        }
        for (mine, others) in self.consumers.iter_mut().zip(&other.consumers) {
            mine.backlog = others.backlog;
            mine.redelivered += others.redelivered;
        }
        self.response.take(&mut other.response);
        other.requests = Requests::default();
        other.response_sum = 0;
        other.stations.fill(Areas::default());
        other.consumers.fill(ConsumerRow::default());
    }

    /// How many response times were recorded.
    pub fn responses(&self) -> u64 {
        self.response.count()
    }

    /// The exact mean response time in nanoseconds, `None` without any.
    pub fn mean_nanos(&self) -> Option<f64> {
        (self.responses() > 0).then(|| self.response_sum as f64 / self.responses() as f64)
    }

    /// A quantile of the response time to two significant digits, `None` without any.
    pub fn quantile(&self, quantile: f64) -> Option<Span> {
        self.response.quantile(quantile)
    }
}

/// The rows of a run.
#[derive(Debug, Clone)]
pub struct Series {
    width: Span,
    rows: Vec<SeriesRow>,
    current: usize,
    /// The first instant of the current row.
    start: Time,
    /// What had happened before the current row.
    before: Totals,
    /// The end of the run, once it is known.
    end: Option<Time>,
}

impl Series {
    /// A series over the time up to the horizon if there is one, at a width that people count in.
    pub(super) fn new(horizon: Option<Time>, stations: usize, consumers: usize) -> Series {
        Series {
            width: horizon.map_or(FIRST_WIDTH, width_for),
            rows: (0..ROWS)
                .map(|_| SeriesRow::new(stations, consumers))
                .collect(),
            current: 0,
            start: Time::ZERO,
            before: Totals::new(stations, consumers),
            end: None,
        }
    }

    /// The width of every row but the last, which ends with the run.
    pub fn width(&self) -> Span {
        self.width
    }

    /// When a row starts and ends, by its position among [`rows`](Self::rows).
    pub fn bounds(&self, row: usize) -> (Time, Time) {
        let end = match self.end {
            Some(end) if row >= self.current => end,
            _ => self.start_of(row + 1),
        };
        (self.start_of(row), end)
    }

    fn start_of(&self, row: usize) -> Time {
        Time::from_nanos(self.width.as_nanos().saturating_mul(row as u64))
    }

    /// The rows up to the last in which something can have happened.
    pub fn rows(&self) -> &[SeriesRow] {
        &self.rows[..=self.current]
    }

    /// Whether an instant lies in an earlier row than the current one.
    #[inline]
    pub(super) fn is_past(&self, at: Time) -> bool {
        at < self.start
    }

    /// Counts a request that was intended in an earlier row than the current one, although it is told of only now: a
    /// generator that was held up, or that a limit held back, sends late. Until then it is in flight like any other,
    /// since its user waits for it.
    #[cold]
    pub(super) fn intended_before(&mut self, at: Time) {
        let row = at.since(Time::ZERO).as_nanos() / self.width.as_nanos();
        if let Some(row) = self.rows.get_mut(row as usize) {
            row.requests.intended += 1;
            // It is in the totals at the end of the current row too, where it does not count again.
            self.before.requests.intended += 1;
        }
    }

    /// Adds response times that ended in the current row.
    pub(super) fn add(&mut self, responses: &Sketch) {
        self.rows[self.current].response.add(responses);
    }

    /// The first instant after the current row.
    pub(super) fn row_end(&self) -> Time {
        self.start + self.width
    }

    /// Closes the current row at its end, given all that has happened up to there; gives back the totals
    /// before it.
    pub(super) fn next_row(&mut self, totals: Totals) -> Totals {
        let before = self.close(totals);
        self.current += 1;
        if self.current == ROWS {
            self.halve();
        }
        self.start = self.start_of(self.current);
        before
    }

    /// Closes the current row, given all that has happened; gives back the totals before it.
    fn close(&mut self, totals: Totals) -> Totals {
        self.rows[self.current].fill(&self.before, &totals);
        std::mem::replace(&mut self.before, totals)
    }

    /// Closes the last row at the end of the run, given all that has happened. A row of less than a tenth of the width is
    /// folded into the one before, which is longer for it: the rates of a sliver would say nothing.
    pub(super) fn finish(&mut self, end: Time, totals: Totals) {
        self.close(totals);
        self.end = Some(end);
        let length = end.as_nanos().saturating_sub(self.start.as_nanos());
        if self.current > 0 && length < self.width.as_nanos() / SLIVER {
            let (before, last) = self.rows.split_at_mut(self.current);
            before[self.current - 1].take(&mut last[0]);
            self.current -= 1;
        }
    }

    fn halve(&mut self) {
        for pair in 0..ROWS / 2 {
            let (before, after) = self.rows.split_at_mut(2 * pair + 1);
            before[2 * pair].take(&mut after[0]);
            self.rows.swap(pair, 2 * pair);
        }
        self.width = self.width + self.width;
        self.current = ROWS / 2;
    }

    /// Checks, row by row, that what was in flight before and what was intended is what ended and what
    /// is in flight after; nothing is in flight after the last row.
    pub(super) fn check(&self) -> Result<(), Imbalance> {
        let mut in_flight = 0u64;
        for (number, row) in self.rows().iter().enumerate() {
            let supply = in_flight + row.requests.intended;
            let ended = row.requests.ended_total();
            if ended > supply {
                return balance(
                    &format!("requests ended in interval {number}"),
                    ended,
                    "at most",
                    supply,
                );
            }
            in_flight = supply - ended;
        }
        balance(
            "requests in flight after the last interval",
            in_flight,
            "what is left",
            0u64,
        )
    }
}

/// The smallest width among 1, 2 and 5 times a power of ten that covers a horizon with at most half the rows.
fn width_for(horizon: Time) -> Span {
    let wanted = horizon.as_nanos().div_ceil(ROWS as u64 / 2).max(1);
    let mut power = 1u64;
    loop {
        for factor in [1, 2, 5] {
            let width = power.saturating_mul(factor);
            if width >= wanted {
                return Span::from_nanos(width);
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_round_and_leave_room_for_the_drain() {
        let width = |secs| width_for(Time::ZERO + Span::from_secs(secs));
        assert_eq!(width(60), Span::from_secs(1));
        assert_eq!(width(61), Span::from_secs(2));
        assert_eq!(width(3600), Span::from_secs(100));
        assert_eq!(width_for(Time::NEVER).as_nanos() % 10, 0);
    }

    #[test]
    fn merging_rows_loses_nothing() {
        let mut series = Series::new(None, 1, 1);
        let mut totals = Totals::new(1, 1);
        let mut recent = Sketch::new();
        for number in 0..1000u64 {
            recent.clear();
            recent.record(Span::from_nanos(number));
            series.add(&recent);
            totals.requests.intended += number;
            totals.response_sum += u128::from(number);
            totals.stations[0].busy += 7;
            totals.consumers[0].backlog.pending = number;
            totals.consumers[0].redelivered += number;
            if series.row_end() == Time::from_nanos((number + 1) * FIRST_WIDTH.as_nanos()) {
                series.next_row(totals.clone());
            }
        }
        series.finish(series.row_end(), totals);
        assert!(series.rows().len() <= ROWS);
        assert_eq!(
            series.width(),
            Span::from_nanos(16 * FIRST_WIDTH.as_nanos())
        );
        let intended: u64 = series.rows().iter().map(|row| row.requests.intended).sum();
        assert_eq!(intended, (0..1000).sum::<u64>());
        let busy: u128 = series.rows().iter().map(|row| row.stations[0].busy).sum();
        assert_eq!(busy, 7000);
        let responses: u64 = series.rows().iter().map(SeriesRow::responses).sum();
        assert_eq!(responses, 1000);
        // Row k holds the sixteen intervals from 16k on.
        assert_eq!(series.rows()[3].requests.intended, (48..64).sum::<u64>());
        assert_eq!(series.rows()[3].mean_nanos(), Some(55.5));
        assert_eq!(series.rows()[3].quantile(1.0), Some(Span::from_nanos(63)));
        // Its backlog is the one at the end of the last of them.
        let consumer = series.rows()[3].consumers[0];
        assert_eq!(consumer.backlog.pending, 63);
        assert_eq!(consumer.redelivered, (48..64).sum::<u64>());
    }

    /// A series of rows of 10 ms that has come to the third row, with a request intended in each.
    fn in_the_third_row() -> (Series, Totals) {
        let mut series = Series::new(None, 0, 0);
        let mut totals = Totals::new(0, 0);
        for _ in 0..2 {
            totals.requests.intended += 1;
            series.next_row(totals.clone());
        }
        totals.requests.intended += 1;
        (series, totals)
    }

    fn intended(series: &Series) -> Vec<u64> {
        let rows = series.rows().iter();
        rows.map(|row| row.requests.intended).collect()
    }

    fn at_millis(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn what_is_told_late_counts_where_it_was_intended() {
        let (mut series, mut totals) = in_the_third_row();
        for (at, past) in [
            (0, true),
            (9, true),
            (10, true),
            (19, true),
            (20, false),
            (25, false),
        ] {
            let at = at_millis(at);
            assert_eq!(series.is_past(at), past, "{at:?}");
            totals.requests.intended += 1;
            if past {
                series.intended_before(at);
            }
        }
        series.finish(at_millis(30), totals);
        assert_eq!(intended(&series), [3, 3, 3]);
    }

    #[test]
    fn a_row_that_is_told_of_after_a_merge_is_the_one_of_its_instant() {
        let mut series = Series::new(None, 0, 0);
        let mut totals = Totals::new(0, 0);
        for _ in 0..ROWS {
            totals.requests.intended += 1;
            series.next_row(totals.clone());
        }
        assert_eq!(series.width(), Span::from_nanos(20_000_000));
        totals.requests.intended += 1;
        series.intended_before(at_millis(35));
        series.finish(at_millis(1220), totals);
        let rows = intended(&series);
        assert_eq!((rows[0], rows[1], rows[2], rows[ROWS / 2]), (2, 3, 2, 0));
        assert_eq!(rows.len(), ROWS / 2 + 1);
    }

    #[test]
    fn a_last_row_that_is_a_sliver_belongs_to_the_one_before() {
        for (end, rows, last) in [
            (20_000_000, 2, 10_000_000),
            (20_000_001, 2, 10_000_001),
            (20_999_999, 2, 10_999_999),
            (21_000_000, 3, 1_000_000),
            (30_000_000, 3, 10_000_000),
        ] {
            let (mut series, totals) = in_the_third_row();
            series.finish(Time::from_nanos(end), totals);
            let (from, to) = series.bounds(series.rows().len() - 1);
            assert_eq!(
                (series.rows().len(), to.since(from).as_nanos()),
                (rows, last)
            );
            assert_eq!(intended(&series).iter().sum::<u64>(), 3, "{end}");
            assert_eq!(series.bounds(0), (Time::ZERO, at_millis(10)), "{end}");
        }
        // The only row of a run is never too short.
        let mut series = Series::new(None, 0, 0);
        series.finish(Time::from_nanos(1), Totals::new(0, 0));
        assert_eq!(series.bounds(0), (Time::ZERO, Time::from_nanos(1)));
    }
}
