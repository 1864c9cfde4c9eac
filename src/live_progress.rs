//! How a live run goes, on stderr: a line that is written over on a terminal, and a line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};

use blis_live::driver::Progress;
use blis_live::recent::Recent;
use blis_sim::time::{Span, Time};

use crate::exit::tell;
use crate::report::number::{count, millis};

/// How often a line is written where stderr is no terminal.
const PLAIN: Span = Span::from_nanos(10_000_000_000);

/// Warns of something while the run goes on, in the place of the line that is written over.
pub fn warn(warning: &str) {
    let clear = match std::io::stderr().is_terminal() {
        true => "\r\x1b[K",
        false => "",
    };
    tell(&format!("{clear}blis: warning: {warning}\n"));
}

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

    /// Shows how far the run has come, with what ended since this was last shown.
    pub fn show(&mut self, reached: Progress, recent: &mut Recent) {
        let every = if self.terminal {
            Span::from_nanos(500_000_000)
        } else {
            PLAIN
        };
        if self.quiet || reached.now < self.last + every {
            return;
        }
        let recent = std::mem::take(recent);
        let before = self
            .before
            .map_or((Time::ZERO, 0), |before| (before.now, before.intended));
        let seconds = reached.now.since(before.0).as_secs_f64();
        let per_second = |number: u64| number as f64 / seconds;
        let quantile = |q| {
            let span = recent.response.quantile(q);
            span.map_or("-".to_owned(), |span| millis(span.as_millis_f64()))
        };
        let line = format!(
            "{:.1} s, {} requests, {:.0}/s offered, {:.0}/s answered, p50 {}, p99 {}, {} failed, {} in flight",
            reached.now.as_secs_f64(),
            count(reached.intended),
            per_second(reached.intended - before.1),
            per_second(recent.ok),
            quantile(0.5),
            quantile(0.99),
            count(recent.failed),
            count(reached.in_flight as u64),
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
