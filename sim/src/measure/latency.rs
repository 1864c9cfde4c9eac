//! Distributions of times in bounded memory.

use crate::measure::counters;
use crate::time::Span;

/// Binary digits of a time that are told apart below its highest one: three significant decimal digits.
const BITS: u32 = 10;

/// A distribution of times: counters that tell three significant digits apart, laid out as in an HdrHistogram, beside an
/// exact sum, minimum and maximum.
///
/// Its memory is fixed, and taken at the first record; recording takes constant time and two distributions can be
/// merged.
#[derive(Debug, Clone)]
pub struct Times {
    /// Empty until the first record.
    counters: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Times {
    /// An empty distribution.
    pub fn new() -> Times {
        Times {
            counters: Vec::new(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }

    /// Adds a time.
    #[inline(always)]
    pub fn record(&mut self, span: Span) {
        self.record_n(span, 1);
    }

    /// Adds a time `n` times.
    #[inline(always)]
    pub fn record_n(&mut self, span: Span, n: u64) {
        if n == 0 {
            return;
        }
        let nanos = span.as_nanos();
        let at = counters::position::<BITS>(nanos);
        match self.counters.get_mut(at) {
            Some(counter) => *counter += n,
            None => self.first(at, n),
        }
        self.count += n;
        self.sum += u128::from(nanos) * u128::from(n);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// The first time that is counted.
    #[cold]
    fn first(&mut self, at: usize, n: u64) {
        self.counters = vec![0; counters::number::<BITS>()];
        self.counters[at] = n;
    }

    /// Adds all times of another distribution.
    pub fn merge(&mut self, other: &Times) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        let used = position(other.min)..=position(other.max);
        let others = &other.counters[used.clone()];
        for (mine, others) in self.counters[used].iter_mut().zip(others) {
            *mine += others;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The exact sum in nanoseconds.
    pub fn sum_nanos(&self) -> u128 {
        self.sum
    }

    /// The exact mean in nanoseconds, `None` when empty.
    pub fn mean_nanos(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum as f64 / self.count as f64)
    }

    /// The exact minimum, `None` when empty.
    pub fn min(&self) -> Option<Span> {
        (!self.is_empty()).then_some(Span::from_nanos(self.min))
    }

    /// The exact maximum, `None` when empty.
    pub fn max(&self) -> Option<Span> {
        (!self.is_empty()).then_some(Span::from_nanos(self.max))
    }

    /// How many times are longer than all that cannot be told from this one.
    pub fn above(&self, value: Span) -> u64 {
        let beyond = position(value.as_nanos()) + 1;
        let counters = self.counters.get(beyond..).unwrap_or_default();
        counters.iter().sum()
    }

    /// The counter of the quantile by nearest rank; `None` when empty.
    fn reached(&self, quantile: f64) -> Option<usize> {
        let rank = (libm::ceil(quantile * self.count as f64) as u64).clamp(1, self.count.max(1));
        let first = position(self.min);
        let mut below = 0;
        let from_the_first = self.counters.get(first..)?.iter();
        let steps = from_the_first.take_while(|counter| {
            below += **counter;
            below < rank
        });
        Some(first + steps.count())
    }

    /// The quantile by nearest rank, to three significant digits and within the exact extremes: the minimum where it
    /// cannot be told apart from that. `None` when empty.
    pub fn quantile(&self, quantile: f64) -> Option<Span> {
        let reached = self.reached(quantile)?;
        Some(Span::from_nanos(match reached == position(self.min) {
            true => self.min,
            false => counters::longest::<BITS>(reached).min(self.max),
        }))
    }

    /// The times that cannot be told from the quantiles `from` and `to` or lie between them: the shortest and the
    /// longest. `None` when empty.
    pub fn band(&self, from: f64, to: f64) -> Option<(Span, Span)> {
        let shortest = counters::shortest::<BITS>(self.reached(from)?);
        let longest = counters::longest::<BITS>(self.reached(to)?);
        Some((
            Span::from_nanos(shortest.max(self.min)),
            Span::from_nanos(longest.min(self.max)),
        ))
    }

    /// The bounds `from` and `to` moved apart to where times can be told from them, as far as there were such times.
    pub fn told_apart(&self, from: Span, to: Span) -> (Span, Span) {
        if self.is_empty() {
            return (from, to);
        }
        let shortest = counters::shortest::<BITS>(position(from.as_nanos()));
        let longest = counters::longest::<BITS>(position(to.as_nanos()));
        (
            Span::from_nanos(shortest.max(self.min.min(from.as_nanos()))),
            Span::from_nanos(longest.min(self.max.max(to.as_nanos()))),
        )
    }
}

/// The counter of a time in nanoseconds.
fn position(nanos: u64) -> usize {
    counters::position::<BITS>(nanos)
}

impl Default for Times {
    fn default() -> Self {
        Times::new()
    }
}

/// The three latencies of requests: response (intended to done), service (sent to done) and lag (intended to
/// sent), kept together so that one is never shown without the others.
///
/// While no request has lagged, response and service are the same distribution and are kept once.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    response: Times,
    lagged: Option<Box<Lagged>>,
    censored: u64,
}

#[derive(Debug, Clone)]
struct Lagged {
    service: Times,
    lag: Times,
}

impl Latencies {
    /// Adds a request: how long after it was intended it was sent, and how long after that it was done.
    ///
    /// A censored one was not done but given up at that age.
    #[inline]
    pub fn record(&mut self, lag: Span, service: Span, censored: bool) {
        if lag != Span::ZERO || self.lagged.is_some() {
            self.record_lagged(lag, service);
        }
        self.response.record(lag + service);
        self.censored += u64::from(censored);
    }

    #[cold]
    fn record_lagged(&mut self, lag: Span, service: Span) {
        if self.lagged.is_none() {
            self.tell_apart();
        }
        if let Some(lagged) = &mut self.lagged {
            lagged.service.record(service);
            lagged.lag.record(lag);
        }
    }

    #[cold]
    fn tell_apart(&mut self) {
        let mut lag = Times::new();
        if !self.response.is_empty() {
            lag.record_n(Span::ZERO, self.response.count());
        }
        self.lagged = Some(Box::new(Lagged {
            service: self.response.clone(),
            lag,
        }));
    }

    /// Adds all requests of another.
    pub fn merge(&mut self, other: &Latencies) {
        if other.lagged.is_some() && self.lagged.is_none() {
            self.tell_apart();
        }
        if let Some(lagged) = &mut self.lagged {
            lagged.service.merge(other.service());
            lagged.lag.merge(&other.lag());
        }
        self.response.merge(&other.response);
        self.censored += other.censored;
    }

    /// From intended to done.
    pub fn response(&self) -> &Times {
        &self.response
    }

    /// From sent to done.
    pub fn service(&self) -> &Times {
        self.lagged
            .as_ref()
            .map_or(&self.response, |lagged| &lagged.service)
    }

    /// From intended to sent.
    pub fn lag(&self) -> Times {
        match &self.lagged {
            Some(lagged) => lagged.lag.clone(),
            None => {
                let mut lag = Times::new();
                if !self.response.is_empty() {
                    lag.record_n(Span::ZERO, self.response.count());
                }
                lag
            }
        }
    }

    /// Whether some request was sent later than it was intended.
    pub fn lagged(&self) -> bool {
        self.lagged.is_some()
    }

    /// How many requests were given up or unresolved, and are held at the age they had reached.
    pub fn censored(&self) -> u64 {
        self.censored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Span {
        Span::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_first_lag_tells_response_and_service_apart() {
        let mut latencies = Latencies::default();
        latencies.record(Span::ZERO, ms(10), false);
        latencies.record(Span::ZERO, ms(20), false);
        assert_eq!(latencies.service().max(), Some(ms(20)));
        latencies.record(ms(5), ms(30), true);
        assert_eq!(latencies.response().max(), Some(ms(35)));
        assert_eq!(latencies.service().max(), Some(ms(30)));
        assert_eq!(latencies.service().count(), 3);
        assert_eq!(latencies.lag().count(), 3);
        assert_eq!(latencies.lag().min(), Some(Span::ZERO));
        assert_eq!(latencies.lag().max(), Some(ms(5)));
        assert_eq!(latencies.censored(), 1);
    }

    #[test]
    fn merging_keeps_lags_of_either_side() {
        let mut lagged = Latencies::default();
        lagged.record(ms(5), ms(30), false);
        let mut plain = Latencies::default();
        plain.record(Span::ZERO, ms(10), false);
        for (mut into, from) in [(lagged.clone(), &plain), (plain.clone(), &lagged)] {
            into.merge(from);
            assert_eq!(into.lag().count(), 2);
            assert_eq!(into.lag().sum_nanos(), 5_000_000);
            assert_eq!(into.service().sum_nanos(), 40_000_000);
            assert_eq!(into.response().sum_nanos(), 45_000_000);
        }
    }

    #[test]
    fn a_band_holds_the_times_of_its_quantiles() {
        let mut times = Times::new();
        assert_eq!(times.band(0.4, 0.6), None);
        // Times that HdrHistogram cannot tell from their neighbours.
        let odd = |millis: u64| Span::from_nanos(millis * 1_000_000 + 123);
        for millis in 1..=100 {
            times.record(odd(millis));
        }
        let Some((from, to)) = times.band(0.495, 0.505) else {
            panic!("there are times");
        };
        assert!(odd(49) < from && from <= odd(50), "{from}");
        assert!(odd(51) <= to && to < odd(52), "{to}");
        assert_eq!(times.band(0.0, 1.0), Some((odd(1), odd(100))));
    }

    #[test]
    fn bounds_are_told_apart_up_to_the_extremes() {
        let mut times = Times::new();
        assert_eq!(times.told_apart(ms(3), ms(5)), (ms(3), ms(5)));
        times.record(ms(8));
        assert_eq!(times.told_apart(ms(8), ms(8)), (ms(8), ms(8)));
        assert_eq!(times.told_apart(ms(7), ms(9)), (ms(7), ms(9)));
        times.record(ms(7));
        times.record(ms(9));
        let (from, to) = times.told_apart(ms(8), ms(8));
        assert!(from < ms(8) && ms(8) < to, "{from} {to}");
        assert!(times.told_apart(ms(6), ms(10)).1 >= ms(10));
    }

    #[test]
    fn quantiles_are_by_nearest_rank_and_within_the_extremes() {
        let mut times = Times::new();
        assert_eq!(times.quantile(0.5), None);
        for millis in 1..=100 {
            times.record(ms(millis));
        }
        let at = |quantile| {
            times
                .quantile(quantile)
                .map(|q| (q.as_millis_f64() + 0.5) as u64)
        };
        assert_eq!(at(0.5), Some(50));
        assert_eq!(at(0.99), Some(99));
        assert_eq!(times.quantile(1.0), Some(ms(100)));
        assert_eq!(times.quantile(0.0).map(|q| q >= ms(1)), Some(true));
    }

    #[test]
    fn counts_and_quantiles_are_those_of_an_hdr_histogram() {
        use crate::random::{Key, Kind, Purpose};
        let key = Key::new(11, Kind::Statistic, "times", Purpose::Value);
        for run in 0..40 {
            let mut times = Times::new();
            let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 1 << 63, 3)
                .expect("bounds that it accepts");
            for number in 0..(1 << (run % 12)) {
                let mut draw = key.draw(run, number);
                let nanos = draw.bits() >> (1 + draw.below(63));
                times.record(Span::from_nanos(nanos));
                histogram.record(nanos).expect("within its bounds");
            }
            assert_eq!(times.count(), histogram.len());
            for quantile in [0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0] {
                let (min, max) = (times.min, times.max);
                let expected = histogram.value_at_quantile(quantile);
                let expected = match histogram.lowest_equivalent(expected) <= min {
                    true => min,
                    false => expected.min(max),
                };
                let own = times.quantile(quantile).expect("times");
                assert_eq!(own.as_nanos(), expected, "{quantile} of run {run}");
                let longest = histogram.highest_equivalent(expected);
                let above = histogram.count_between(longest + 1, 1 << 63);
                assert_eq!(times.above(own), above, "{quantile} of run {run}");
            }
        }
    }

    #[test]
    fn a_quantile_that_cannot_be_told_from_the_minimum_is_the_minimum() {
        let mut times = Times::new();
        times.record_n(ms(8), 99);
        assert_eq!(times.quantile(0.99), Some(ms(8)));
        times.record(ms(20));
        assert_eq!(times.quantile(0.5), Some(ms(8)));
        assert_eq!(times.quantile(0.99), Some(ms(8)));
        assert_eq!(times.quantile(0.995), Some(ms(20)));
    }
}
