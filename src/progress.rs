//! Progress on stderr, for long runs.

use std::time::{Duration, Instant};

use blis_sim::model::Limits;
use blis_sim::time::Time;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a run is silent.
const PATIENCE: Duration = Duration::from_secs(1);
/// Steps of the bar.
const STEPS: u64 = 1000;

/// A progress bar that shows itself once a run has taken a second, and only on a terminal.
#[derive(Debug)]
pub struct RunProgress {
    started: Instant,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl RunProgress {
    /// Of what starts now; never seen if `quiet`.
    pub fn new(quiet: bool) -> RunProgress {
        RunProgress {
            started: Instant::now(),
            bar: None,
            quiet,
        }
    }

    /// Shows how far a run with these limits has come.
    pub fn show(&mut self, limits: &Limits, now: Time, requests: u64) {
        let by_time = limits
            .horizon
            .map(|end| now.as_secs_f64() / end.as_secs_f64().max(1e-9));
        let by_budget = limits
            .requests
            .map(|budget| requests as f64 / budget.get() as f64);
        let done = by_time.unwrap_or(0.0).max(by_budget.unwrap_or(0.0));
        self.show_share(done, || {
            format!("{requests} requests, {:.1} s simulated", now.as_secs_f64())
        });
    }

    /// Shows how many of this many replications are done.
    pub fn show_replications(&mut self, done: u64, of: u64) {
        self.show_share(done as f64 / of.max(1) as f64, || {
            format!("{done} replications")
        });
    }

    /// Shows how many of this many trials are done, and what is tried now.
    pub fn show_trials(&mut self, done: u64, of: u64, now: String) {
        self.show_share(done as f64 / of.max(1) as f64, || now);
    }

    fn show_share(&mut self, done: f64, what: impl FnOnce() -> String) {
        if self.quiet || self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(new_bar);
        bar.set_position((done.clamp(0.0, 1.0) * STEPS as f64) as u64);
        bar.set_message(what());
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Draws nothing where stderr is no terminal.
    ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr()).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Progress of what has gone on for longer than one is patient.
    fn late(quiet: bool) -> RunProgress {
        RunProgress {
            started: Instant::now() - 2 * PATIENCE,
            ..RunProgress::new(quiet)
        }
    }

    #[test]
    fn a_bar_comes_after_a_while_and_never_of_one_that_is_quiet() {
        let [mut early, mut shown, mut quiet] = [RunProgress::new(false), late(false), late(true)];
        for progress in [&mut early, &mut shown, &mut quiet] {
            progress.show_replications(1, 2);
        }
        let bars = [&early, &shown, &quiet].map(|progress| progress.bar.is_some());
        assert_eq!(bars, [false, true, false]);
        assert_eq!(
            shown.bar.as_ref().map(ProgressBar::position),
            Some(STEPS / 2)
        );
        shown.finish();
        assert!(shown.bar.is_none());
    }
}
