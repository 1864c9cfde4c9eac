//! How a live run goes, on stderr: a line that is written over on a terminal, and a line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};

use blis_live::driver::Progress;
use blis_sim::time::{Span, Time};

/// How often a line is written where stderr is no terminal.
const PLAIN: Span = Span::from_nanos(10_000_000_000);

/// Shows how a live run goes.
#[derive(Debug)]
pub struct LiveProgress {
    quiet: bool,
    terminal: bool,
    last: Time,
    before: Option<Progress>,
}

impl LiveProgress {
    /// Silent if `quiet`.
    pub fn new(quiet: bool) -> LiveProgress {
        LiveProgress {
            quiet,
            terminal: std::io::stderr().is_terminal(),
            last: Time::ZERO,
            before: None,
        }
    }

    /// Shows how far the run has come.
    pub fn show(&mut self, reached: Progress) {
        let every = if self.terminal {
            Span::from_nanos(500_000_000)
        } else {
            PLAIN
        };
        if self.quiet || reached.now < self.last + every {
            return;
        }
        let rate = self.before.map_or(0.0, |before| {
            let seconds = reached.now.since(before.now).as_secs_f64();
            (reached.intended - before.intended) as f64 / seconds
        });
        let line = format!(
            "{:.1} s, {} requests, {rate:.0}/s offered, {} in flight",
            reached.now.as_secs_f64(),
            reached.intended,
            reached.in_flight
        );
        let mut stderr = std::io::stderr().lock();
        // Where stderr cannot be written there is nobody to show it to.
        let _ = match self.terminal {
            true => write!(stderr, "\r\x1b[K{line}"),
            false => writeln!(stderr, "blis: {line}"),
        };
        self.last = reached.now;
        self.before = Some(reached);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        if self.terminal && self.before.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
