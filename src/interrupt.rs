//! Ctrl-C: remembered, and asked for where a run can stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Failure;

/// Whether the user wants to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. A second Ctrl-C ends the process at once.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the system does not let the signal be caught.
    pub fn listen() -> Result<Interrupt, Failure> {
        let interrupt = Interrupt::default();
        let asked = Arc::clone(&interrupt.0);
        let handler = move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(handler)
            .map_err(|error| Failure::Usage(format!("Ctrl-C cannot be caught: {error}")))?;
        Ok(interrupt)
    }

    /// Whether it was pressed.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
