//! The measured window.

use crate::time::Time;

/// The window from the end of the warm-up to the end of the load, both instants included. It is open at its end until
/// it is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    start: u64,
    width: u64,
}

impl Window {
    /// The window that starts at this instant.
    pub(super) fn starting(start: Time) -> Window {
        let start = start.as_nanos();
        Window {
            start,
            width: u64::MAX - start,
        }
    }

    /// Ends the window; one that ends before its start contains nothing.
    pub(super) fn close(&mut self, end: Time) {
        match end.as_nanos().checked_sub(self.start) {
            Some(width) => self.width = width,
            None => *self = Window::starting(Time::NEVER),
        }
    }

    /// Whether an instant lies in it. An instant before the start wraps to more than any width.
    #[inline(always)]
    pub(super) fn contains(self, at: Time) -> bool {
        at.as_nanos().wrapping_sub(self.start) <= self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_the_window() {
        let at = Time::from_nanos;
        let mut window = Window::starting(at(10));
        for (instant, inside) in [(0, false), (9, false), (10, true), (u64::MAX - 1, true)] {
            assert_eq!(window.contains(at(instant)), inside, "{instant}");
        }
        window.close(at(20));
        for (instant, inside) in [(0, false), (9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(window.contains(at(instant)), inside, "{instant}");
        }
        let mut never = Window::starting(at(10));
        never.close(at(9));
        assert!((0..30).all(|instant| !never.contains(at(instant))));
    }
}
