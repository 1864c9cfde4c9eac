//! Ctrl-C: remembered, and asked for where a run can stop.
//!
//! One press can reach a process as several signals: `timeout`, shells and supervisors send theirs to the process and to its
//! group. What comes within [`ONE_PRESS`] of the first signal is the same press; a later one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blis_live::os_error::unnumbered;

use crate::exit::Failure;

/// How far apart the signals of one press may be.
const ONE_PRESS: Duration = Duration::from_secs(1);

/// Whether the user wants to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Presses>);

/// The first signal that came, in nanoseconds since the process began to listen and one more; 0 before it.
#[derive(Debug, Default)]
struct Presses(AtomicU64);

impl Presses {
    /// Takes a signal that came so long after the process began to listen. Whether the process is to end at once.
    fn take(&self, at: Duration) -> bool {
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX - 1);
        let first = self
            .0
            .compare_exchange(0, at + 1, Ordering::Relaxed, Ordering::Relaxed);
        first.is_err_and(|first| u128::from(at + 1 - first.min(at + 1)) > ONE_PRESS.as_nanos())
    }
}

impl Interrupt {
    /// Starts to listen. A second Ctrl-C ends the process at once.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the system does not let the signal be caught.
    pub fn listen() -> Result<Interrupt, Failure> {
        let interrupt = Interrupt::default();
        let presses = Arc::clone(&interrupt.0);
        let start = Instant::now();
        let handler = move || {
            if presses.take(start.elapsed()) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(handler).map_err(|error| {
            Failure::Usage(format!("Ctrl-C cannot be caught: {}", unnumbered(&error)))
        })?;
        Ok(interrupt)
    }

    /// Whether it was pressed.
    pub fn asked(&self) -> bool {
        self.0.0.load(Ordering::Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_of_one_press_count_once_and_a_second_press_ends_the_process() {
        let millis = Duration::from_millis;
        let interrupt = Interrupt::default();
        assert!(!interrupt.asked());
        assert!(!interrupt.0.take(millis(0)), "the first at the very start");
        assert!(interrupt.asked());
        assert!(!interrupt.0.take(millis(3)), "the same press");
        assert!(!interrupt.0.take(millis(1000)), "still the same");
        assert!(interrupt.0.take(millis(1001)), "a second one");
        let late = Presses::default();
        assert!(!late.take(millis(90_000)));
        assert!(!late.take(millis(90_004)));
        assert!(late.take(millis(92_000)));
    }
}
