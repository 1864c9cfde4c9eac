//! Progress of a live run on stderr: one line that is overwritten on a terminal, and a line at intervals elsewhere.

use std::io::{IsTerminal as _, Write};

use blis_live::generator::driver::LoadProgress;
use blis_live::run::recent_ends::Recent;
use blis_sim::time::{Span, Time};

use crate::exit;
use crate::report::number::{count, millis};

/// How often a line is written where stderr is no terminal.
const PLAIN: Span = Span::from_nanos(10_000_000_000);

/// Takes the line that is written over away.
const CLEAR: &str = "\r\x1b[K";

/// Warns of something while the run goes on.
pub fn warn(warning: &str) {
    tell(&format!("blis: warning: {warning}\n"));
}

/// Tells something while the run goes on, in the place of the line that is written over.
pub fn tell(text: &str) {
    let stderr = std::io::stderr();
    let terminal = stderr.is_terminal();
    tell_over(&mut stderr.lock(), terminal, text);
}

fn tell_over(stderr: &mut impl Write, terminal: bool, text: &str) {
    let clear = if terminal { CLEAR } else { "" };
    // The text is a stranger's; what takes the line away is not, and passes no filter.
    let _ = write!(stderr, "{clear}{}", exit::line(text));
}

/// Shows how a live run goes.
#[derive(Debug)]
pub struct LiveProgress {
    quiet: bool,
    terminal: bool,
    before: Option<LoadProgress>,
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
    pub fn show(&mut self, reached: LoadProgress, recent: &mut Recent) {
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
            true => write!(stderr, "{CLEAR}{line}"),
            false => writeln!(stderr, "blis: {line}"),
        };
        self.before = Some(reached);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if self.terminal && self.before.is_some() {
            let _ = write!(std::io::stderr().lock(), "{CLEAR}");
        }
    }
}

/// How far a run has come: first counts since its start, then rates and times since this was last shown.
fn line(
    reached: LoadProgress,
    before: Option<LoadProgress>,
    failed: u64,
    recent: &Recent,
) -> String {
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

/// What is told after Ctrl-C: what is waited for, and for how long at most.
pub fn interruption(drain: Span, in_flight: usize) -> String {
    let requests = match in_flight {
        0 => {
            return "blis: interrupted: no more requests are sent, none is in flight; press Ctrl-C again to end at once, \
                    without a report\n"
                .to_owned();
        }
        1 => "1 request in flight".to_owned(),
        number => format!("{} requests in flight", count(number as u64)),
    };
    format!(
        "blis: interrupted: no more requests are sent; waiting up to {drain} (`run.drain`) for {requests}; press Ctrl-C \
         again to end at once, without a report\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_meanwhile_takes_the_place_of_the_line_and_cannot_steer_the_terminal() {
        let told = |terminal, text: &str| {
            let mut stderr = Vec::new();
            tell_over(&mut stderr, terminal, text);
            String::from_utf8(stderr).unwrap_or_default()
        };
        assert_eq!(told(true, "blis: late\n"), "\r\x1b[Kblis: late\n");
        assert_eq!(told(false, "blis: late\n"), "blis: late\n");
        let steering = "blis: says \r\x1b[K\nit";
        let shown = "blis: says \\u000d\\u001b[K\\u000ait\n";
        assert_eq!(told(false, steering), shown);
        assert_eq!(told(true, steering), format!("\r\x1b[K{shown}"));
    }

    #[test]
    fn counts_are_since_the_start_and_rates_since_the_last_line() {
        let at = |millis: u64, intended| LoadProgress {
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

    #[test]
    fn what_is_waited_for_after_an_interruption_is_in_flight() {
        let drain = Span::from_nanos(30_000_000_000);
        for (in_flight, said) in [
            (0, "no more requests are sent, none is in flight; press"),
            (
                1,
                "waiting up to 30s (`run.drain`) for 1 request in flight; press",
            ),
            (
                1_200,
                "waiting up to 30s (`run.drain`) for 1,200 requests in flight",
            ),
        ] {
            let told = interruption(drain, in_flight);
            assert!(told.contains(said), "{told}");
        }
    }
}
