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
    limits: Limits,
}

impl RunProgress {
    /// Of a run with these limits that starts now.
    pub fn new(limits: Limits) -> RunProgress {
        RunProgress {
            started: Instant::now(),
            bar: None,
            limits,
        }
    }

    /// Shows how far the run has come.
    pub fn show(&mut self, now: Time, requests: u64) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(new_bar);
        let by_time = self
            .limits
            .horizon
            .map(|end| now.as_secs_f64() / end.as_secs_f64().max(1e-9));
        let by_budget = self
            .limits
            .requests
            .map(|budget| requests as f64 / budget.get() as f64);
        let done = by_time
            .unwrap_or(0.0)
            .max(by_budget.unwrap_or(0.0))
            .clamp(0.0, 1.0);
        bar.set_position((done * STEPS as f64) as u64);
        bar.set_message(format!(
            "{requests} requests, {:.1} s simulated",
            now.as_secs_f64()
        ));
    }

    /// Shows how many of this many replications are done.
    pub fn show_replications(&mut self, done: u64, of: u64) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(new_bar);
        bar.set_position((done as f64 / of.max(1) as f64 * STEPS as f64) as u64);
        bar.set_message(format!("{done} replications"));
    }

    /// Shows how many of this many trials are done, and what is tried now.
    pub fn show_trials(&mut self, done: u64, of: u64, now: String) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(new_bar);
        bar.set_position((done as f64 / of.max(1) as f64 * STEPS as f64) as u64);
        bar.set_message(now);
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
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
