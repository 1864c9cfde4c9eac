//! Figures of a stream.

use crate::measure::window::Window;
use crate::time::Time;

/// Counts of publications to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Publications {
    /// Stored.
    pub stored: u64,
    /// Acknowledged and not stored, because a message of the same id had been.
    pub duplicates: u64,
}

impl Publications {
    /// Publications, however they went.
    pub fn published(&self) -> u64 {
        self.stored + self.duplicates
    }

    fn add(&mut self, other: Publications) {
        self.stored += other.stored;
        self.duplicates += other.duplicates;
    }

    #[inline]
    fn count(&mut self, stored: bool) {
        self.stored += u64::from(stored);
        self.duplicates += u64::from(!stored);
    }
}

/// The measurements of one stream.
#[derive(Debug, Clone)]
pub struct StreamMeter {
    run: Publications,
    window: Publications,
    during: Window,
}

impl StreamMeter {
    /// Nothing measured yet; the window starts at `window_start`.
    pub(super) fn new(window_start: Time) -> StreamMeter {
        StreamMeter {
            run: Publications::default(),
            window: Publications::default(),
            during: Window::starting(window_start),
        }
    }

    #[inline]
    pub(super) fn record(&mut self, now: Time, stored: bool) {
        self.run.count(stored);
        if self.during.contains(now) {
            self.window.count(stored);
        }
    }

    /// Adds what another run of the same model measured of the stream.
    pub(super) fn merge(&mut self, other: &StreamMeter) {
        self.run.add(other.run);
        self.window.add(other.window);
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.during.close(now);
    }

    /// Publications of the whole run.
    pub fn publications(&self) -> Publications {
        self.run
    }

    /// Publications within the window.
    pub fn window_publications(&self) -> Publications {
        self.window
    }
}
