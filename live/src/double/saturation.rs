//! Whether a double was the bottleneck: its timing error, and its use of the machine.
//!
//! Timer lateness depends on the machine as much as on the program. So an idle thread in the same process has the same timers
//! ([`jitter`](crate::generator::jitter)); its lateness is reported beside that of the double, and what both have is the machine's.

use blis_sim::measure::Times;
use blis_sim::time::{Span, Time};

use crate::generator::machine::process_time;

/// Shares from which on the processor is the bottleneck.
const BUSY: f64 = 0.8;
/// The share of the mean service time from which on lateness distorts it.
const LATE: f64 = 0.1;
/// The share of its time that the thread of the model has to be at work, and the work that has to be done, before it can be
/// told what it carries.
const TELLING: (f64, u64) = (0.05, 1_000);

/// How much of the machine was taken since a beginning.
#[derive(Debug)]
pub struct Usage {
    began: Time,
    used: Option<Span>,
    cores: usize,
}

impl Usage {
    /// From now on.
    pub fn begin(now: Time) -> Usage {
        Usage {
            began: now,
            used: process_time(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Since when.
    pub fn began(&self) -> Time {
        self.began
    }

    /// The share of the machine's processors that was used.
    pub fn cpu(&self, now: Time) -> Option<f64> {
        let used = process_time()?.as_secs_f64() - self.used?.as_secs_f64();
        share(
            used,
            now.since(self.began).as_secs_f64() * self.cores as f64,
        )
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).max(0.0))
}

/// Quantiles of how late something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// Half of it at most this.
    pub p50: Span,
    /// 99 % of it at most this.
    pub p99: Span,
}

impl Lateness {
    /// Of these times; `None` when there are none.
    pub fn of(times: &Times) -> Option<Lateness> {
        Some(Lateness {
            p50: times.quantile(0.5)?,
            p99: times.quantile(0.99)?,
        })
    }
}

/// How a double kept up.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// How late what the model did was.
    pub overrun: Option<Lateness>,
    /// How late the idle thread was.
    pub control: Option<Lateness>,
    /// The share of the machine's processors that the process used.
    pub cpu: Option<f64>,
    /// The share of its time that the thread of the model was at work.
    pub busy: Option<f64>,
    /// The mean pure service time of a visit.
    pub service: Option<Span>,
    /// Messages that the connection did not take.
    pub not_sent: u64,
    /// What the double would carry, in requests, visits and messages a second; `None` where too little was done to tell.
    pub ceiling_per_s: Option<f64>,
}

impl Health {
    /// Of a thread that has been at work for `worked` since `began`.
    pub fn new(overrun: &Times, control: &Times, usage: &Usage, now: Time, worked: Span) -> Health {
        Health {
            overrun: Lateness::of(overrun),
            control: Lateness::of(control),
            cpu: usage.cpu(now),
            busy: share(worked.as_secs_f64(), now.since(usage.began).as_secs_f64()),
            service: None,
            not_sent: 0,
            ceiling_per_s: None,
        }
    }

    /// The same with what it would carry, after this much work within so long a time.
    ///
    /// By the utilisation law, X = U / D: what a piece of work costs is the share of the time at work over the rate, and the
    /// ceiling is where that share is 1. Under more load a look at the connection finds more to do at once, and what a piece
    /// costs falls. It is the double's own: a server and a generator on the same machine leave it less.
    #[must_use]
    pub fn with_work(mut self, done: u64, within: Span) -> Health {
        let used = self.busy.unwrap_or(0.0).max(self.cpu.unwrap_or(0.0));
        let (least, fewest) = TELLING;
        let tells = used >= least && done >= fewest;
        self.ceiling_per_s = share(done as f64, within.as_secs_f64())
            .filter(|_| tells)
            .map(|rate| rate / used);
        self
    }

    /// The same with the mean of this many visits.
    #[must_use]
    pub fn with_service(mut self, visits: u64, together: Span) -> Health {
        self.service = together
            .as_nanos()
            .checked_div(visits)
            .map(Span::from_nanos);
        self
    }

    /// In what respects the double was the bottleneck, each a sentence that says what to do.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(cpu) = self.cpu.filter(|cpu| *cpu >= BUSY) {
            warnings.push(format!(
                "the double used {:.0} % of the CPUs of this machine; run it on a separate machine, or lower the load",
                cpu * 100.0
            ));
        }
        if let Some(busy) = self.busy.filter(|busy| *busy >= BUSY) {
            warnings.push(format!(
                "the model thread was busy {:.0} % of the time; split the services among several processes with --only, \
                 or lower the load",
                busy * 100.0
            ));
        }
        if let (Some(overrun), Some(service)) = (self.overrun, self.service)
            && overrun.p99.as_secs_f64() > LATE * service.as_secs_f64()
        {
            warnings.push(format!(
                "the p99 timing error was {:.0} us, above a tenth of the mean service time of {:.0} us; use a quieter \
                 machine, or longer service times",
                micros(overrun.p99),
                micros(service)
            ));
        }
        if self.not_sent > 0 {
            warnings.push(format!(
                "{} messages, including replies, were not sent because the connection was full; lower the load, or \
                 bring the server nearer",
                self.not_sent
            ));
        }
        warnings
    }
}

/// A span in microseconds.
pub fn micros(span: Span) -> f64 {
    span.as_nanos() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(micros: u64) -> Span {
        Span::from_nanos(micros * 1000)
    }

    fn health(cpu: f64, busy: f64, p99: u64) -> Health {
        let late = |p99| {
            Some(Lateness {
                p50: us(10),
                p99: us(p99),
            })
        };
        Health {
            overrun: late(p99),
            control: late(50),
            cpu: Some(cpu),
            busy: Some(busy),
            service: None,
            not_sent: 0,
            ceiling_per_s: None,
        }
        .with_service(4, us(4_000))
    }

    #[test]
    fn a_double_that_keeps_up_is_not_warned_of() {
        assert_eq!(health(0.79, 0.79, 100).warnings(), Vec::<String>::new());
        let nothing = Health {
            overrun: None,
            service: None,
            ..health(0.1, 0.1, 9_000)
        };
        assert_eq!(nothing.with_service(0, Span::ZERO).warnings().len(), 0);
    }

    #[test]
    fn what_a_double_carries_follows_from_the_busier_of_its_thread_and_the_machine() {
        let ten = Span::from_nanos(10_000_000_000);
        let carries = |cpu, busy, done| health(cpu, busy, 100).with_work(done, ten).ceiling_per_s;
        assert_eq!(carries(0.1, 0.25, 50_000), Some(20_000.0));
        assert_eq!(carries(0.5, 0.25, 50_000), Some(10_000.0));
        // Too idle, or too few.
        assert_eq!(carries(0.01, 0.04, 50_000), None);
        assert_eq!(carries(0.1, 0.25, 999), None);
        let at_once = health(0.1, 0.25, 100).with_work(50_000, Span::ZERO);
        assert_eq!(at_once.ceiling_per_s, None);
    }

    #[test]
    fn each_limit_has_its_warning() {
        for (one, word) in [
            (health(0.8, 0.1, 100), "80 % of the CPUs of this machine"),
            (health(0.1, 0.95, 100), "busy 95 % of the time"),
            (health(0.1, 0.1, 101), "timing error was 101 us"),
            (
                Health {
                    not_sent: 7,
                    ..health(0.1, 0.1, 100)
                },
                "7 messages",
            ),
        ] {
            let warnings = one.warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains(word), "{warnings:?}");
        }
    }
}
