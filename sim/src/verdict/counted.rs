//! Counts of requests against a limit on their share.

use crate::statistics::share_bounds;

/// What samples say that depend on one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// As many independent ones say as much.
    pub independent: f64,
    /// Whether the quantile of each part of the run is so far below its limit that the number over it does not matter.
    pub is_far: bool,
}

#[cfg(test)]
impl Worth {
    /// That of samples which are independent of one another.
    pub(crate) const EACH_ALONE: Option<Worth> = Some(Worth {
        independent: f64::INFINITY,
        is_far: false,
    });
}

/// How many requests were over a limit, and how many may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// Requests that are judged.
    pub samples: u64,
    /// How many of them failed; `None` where that is not counted against this limit.
    pub failed: Option<u64>,
    /// How many others were over the limit; `None` where it is not one of time.
    pub slow: Option<u64>,
    /// How many may be over the limit, or fail.
    pub allowed: u64,
    /// The share that may.
    pub share: f64,
    /// What these are worth; `None` where that is not known.
    pub worth: Option<Worth>,
}

impl Counted {
    /// How many were over the limit, for whatever reason.
    pub fn over(&self) -> u64 {
        self.failed.unwrap_or(0) + self.slow.unwrap_or(0)
    }

    /// The share over the limit; `None` without samples.
    pub fn share_over(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.over() as f64 / self.samples as f64)
    }

    /// The 95 % interval of the share over the limit (Clopper and Pearson 1934) of as many independent samples as these are
    /// worth (Korn and Graubard 1998); `None` without samples, and where it is not known what they are worth.
    pub fn share_bounds(&self) -> Option<[f64; 2]> {
        let worth = self.worth?.independent.min(self.samples as f64);
        share_bounds(worth, self.share_over()? * worth)
    }

    /// How many independent samples these are worth, where that is less than half of them.
    pub fn in_bursts(&self) -> Option<u64> {
        let worth = self.worth?.independent;
        (worth < self.samples as f64 / 2.0).then(|| libm::round(worth) as u64)
    }

    /// Whether the interval of the share holds the limit, so that another run may come out on its other side.
    pub fn is_near(&self) -> bool {
        let is_far = self.worth.is_some_and(|worth| worth.is_far);
        let bounds = self.share_bounds().filter(|_| !is_far);
        bounds
            .is_some_and(|[low, high]| self.share > 0.0 && low <= self.share && self.share <= high)
    }
}
