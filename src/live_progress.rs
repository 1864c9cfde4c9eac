//! How a live run goes, on stderr: a line that is written over on a terminal, and a line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};

use blis_live::driver::Progress;
use blis_live::recent::Recent;
use blis_sim::time::{Span, Time};

use crate::report::number::{count, millis};

/// How often a line is written where stderr is no terminal.
const PLAIN: Span = Span::from_nanos(10_000_000_000);

/// Shows how a live run goes.
#[derive(Debug)]
pub struct LiveProgress {
    quiet: bool,
    terminal: bool,
    before: Option<Progress>,
    /// Requests that failed up to there.
    failed: u64,
}

impl LiveProgress {
    /// Silent if `quiet`.
    pub fn new(quiet: bool) -> LiveProgress {
        LiveProgress {
            quiet,
            terminal: std::io::stderr().is_terminal(),
            before: None,
            failed: 0,
        }
    }

    /// Shows how far the run has come, with what ended since this was last shown.
    pub fn show(&mut self, reached: Progress, recent: &mut Recent) {
        let every = if self.terminal {
            Span::from_nanos(500_000_000)
        } else {
            PLAIN
        };
        let last = self.before.map_or(Time::ZERO, |before| before.now);
        if self.quiet || reached.now < last + every {
            return;
        }
        let recent = std::mem::take(recent);
        self.failed += recent.failed;
        let line = line(reached, self.before, self.failed, &recent);
        let mut stderr = std::io::stderr().lock();
        // Where stderr cannot be written there is nobody to show it to.
        let _ = match self.terminal {
            true => write!(stderr, "\r\x1b[K{line}"),
            false => writeln!(stderr, "blis: {line}"),
        };
        self.before = Some(reached);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if self.terminal && self.before.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// How far a run has come: first counts since its start, then rates and times since this was last shown.
fn line(reached: Progress, before: Option<Progress>, failed: u64, recent: &Recent) -> String {
    let (since, intended) = before.map_or((Time::ZERO, 0), |before| (before.now, before.intended));
    let seconds = reached.now.since(since).as_secs_f64();
    let per_second = |number: u64| number as f64 / seconds;
    let quantile = |q| {
        let span = recent.response.quantile(q);
        span.map_or("-".to_owned(), |span| millis(span.as_millis_f64()))
    };
    format!(
        "{:.1} s: {} requests, {} failed, {} in flight; last {seconds:.1} s: {:.0}/s offered, {:.0}/s answered, {:.0}/s \
         failed, p50 {}, p99 {}",
        reached.now.as_secs_f64(),
        count(reached.intended),
        count(failed),
        count(reached.in_flight as u64),
        per_second(reached.intended - intended),
        per_second(recent.ok),
        per_second(recent.failed),
        quantile(0.5),
        quantile(0.99),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_since_the_start_and_rates_since_the_last_line() {
        let at = |millis: u64, intended| Progress {
            now: Time::from_nanos(millis * 1_000_000),
            intended,
            in_flight: 3,
        };
        let mut recent = Recent {
            ok: 90,
            failed: 10,
            ..Recent::default()
        };
        recent.response.record(Span::from_nanos(5_000_000));
        assert_eq!(
            line(at(2500, 1300), Some(at(2000, 1200)), 47, &recent),
            "2.5 s: 1,300 requests, 47 failed, 3 in flight; last 0.5 s: 200/s offered, 180/s answered, 20/s failed, \
             p50 5.000 ms, p99 5.000 ms"
        );
        let first = line(at(500, 100), None, 10, &Recent::default());
        assert!(
            first.ends_with("last 0.5 s: 200/s offered, 0/s answered, 0/s failed, p50 -, p99 -"),
            "{first}"
        );
    }
}
