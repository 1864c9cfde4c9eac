//! An idle thread with a timer, which measures the scheduler jitter of the machine.
//!
//! Timer lateness depends on the machine as much as on the program. The control thread waits as the driver waits and does
//! nothing else; lateness that both have is the machine's.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use blis_sim::measure::Times;
use blis_sim::time::Span;

use crate::clock::{Clock, RealClock};

/// How often the control thread wakes.
const TICK: Span = Span::from_nanos(5_000_000);

/// A thread that keeps time and does nothing else, until the value is dropped.
#[derive(Debug)]
pub struct Control {
    kept: Arc<Kept>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Kept {
    times: Mutex<Times>,
    largest: AtomicU64,
    stop: AtomicBool,
}

impl Control {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Control> {
        let kept = Arc::new(Kept::default());
        let keeps = Arc::clone(&kept);
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || keep(&keeps))?;
        Ok(Control {
            kept,
            thread: Some(thread),
        })
    }

    /// How late it was, each time.
    pub fn times(&self) -> Times {
        let times = self.kept.times.lock();
        times.map(|times| times.clone()).unwrap_or_default()
    }

    /// The latest that it was since this was last asked.
    pub fn take_largest(&self) -> Span {
        Span::from_nanos(self.kept.largest.swap(0, Ordering::Relaxed))
    }
}

fn keep(kept: &Kept) {
    // The sender is kept, so that waiting is for a message that never comes: as the driver waits.
    let (_sender, nothing) = channel::<()>();
    let mut clock = RealClock::new(Instant::now(), nothing);
    while !kept.stop.load(Ordering::Relaxed) {
        let until = clock.now() + TICK;
        clock.wait(until);
        let late = clock.now().since(until);
        kept.largest.fetch_max(late.as_nanos(), Ordering::Relaxed);
        if let Ok(mut times) = kept.times.lock() {
            times.record(late);
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.kept.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
