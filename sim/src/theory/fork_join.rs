//! Requests that are split into parallel tasks and joined again.

use super::error::{at_least, positive, share};
use super::{GeneralService, MultiServer, TheoryError};

/// Fork-join: Poisson requests of n tasks each, one for each of n single servers with exponential service and a line of
/// its own; a request is done with its last task.
///
/// Exact are n = 1 and n = 2 (Flatto and Hahn 1984); beyond, two approximations and two bounds on the mean are known.
/// No distribution is.
#[derive(Debug, Clone, PartialEq)]
pub struct ForkJoin {
    tasks: u64,
    /// One server by itself.
    single: MultiServer,
}

impl ForkJoin {
    /// `tasks` servers of mean service time `service` seconds under `rate` requests per second.
    pub fn new(tasks: u64, rate: f64, service: f64) -> Result<ForkJoin, TheoryError> {
        at_least("tasks", tasks, 1, "of at least 1")?;
        Ok(ForkJoin {
            tasks,
            single: MultiServer::single(rate, service)?,
        })
    }

    /// The mean response in seconds where it is known exactly: for one task, and for two tasks (12 - u) / 8 times that
    /// of one server, with u the utilisation.
    pub fn response(&self) -> Option<f64> {
        match self.tasks {
            1 => Some(self.single.means.response),
            2 => Some(self.of_two()),
            _ => None,
        }
    }

    /// Bounds on the mean response in seconds: that of one task, and that of as many independent tasks (Nelson and
    /// Tantawi 1988; Baccelli, Makowski and Shwartz 1989).
    pub fn response_bounds(&self) -> (f64, f64) {
        let one = self.single.means.response;
        (one, one * harmonic(self.tasks))
    }

    /// The approximation of Nelson and Tantawi (1988), eq. 14, which scales the mean for two tasks; within some 5 % of
    /// simulations for up to 32 tasks.
    pub fn nelson_tantawi(&self) -> f64 {
        if self.tasks == 1 {
            return self.single.means.response;
        }
        let growth = harmonic(self.tasks) / 1.5;
        let scale = growth + (1.0 - growth) * 4.0 * self.single.means.utilisation / 11.0;
        scale * self.of_two()
    }

    /// The approximation of Varma and Makowski (1994): linear in the utilisation between light traffic, where the tasks
    /// are independent, and the limit in heavy traffic. Exact for one and two tasks; `None` for more than 100,000.
    pub fn varma_makowski(&self) -> Option<f64> {
        if self.tasks > MOST_TASKS {
            return None;
        }
        let light = harmonic(self.tasks);
        let scale = light + (heavy_traffic(self.tasks) - light) * self.single.means.utilisation;
        Some(scale * self.single.means.response)
    }

    fn of_two(&self) -> f64 {
        (12.0 - self.single.means.utilisation) / 8.0 * self.single.means.response
    }
}

/// The mean response in seconds of split-merge, in which the next request starts only when all `tasks` tasks of the
/// one before are done: M/G/1 whose service is the longest of `tasks` exponential times of mean `service` seconds.
pub fn split_merge(tasks: u64, rate: f64, service: f64) -> Result<f64, TheoryError> {
    let mean = fan_out_mean(tasks, service)?;
    let variance = service * service * harmonic_squares(tasks);
    Ok(GeneralService::new(rate, mean, variance / (mean * mean))?
        .means
        .response)
}

/// The mean of the longest of `tasks` independent exponential times of mean `service` seconds that are started at once
/// and wait for nobody: H_n times the mean.
pub fn fan_out_mean(tasks: u64, service: f64) -> Result<f64, TheoryError> {
    at_least("tasks", tasks, 1, "of at least 1")?;
    positive("service", service)?;
    Ok(service * harmonic(tasks))
}

/// The time in seconds that the longest of `tasks` independent exponential times of mean `service` seconds does not
/// exceed with probability `p`: where the distribution function to the power of `tasks` is p.
pub fn fan_out_quantile(tasks: u64, service: f64, p: f64) -> Result<f64, TheoryError> {
    at_least("tasks", tasks, 1, "of at least 1")?;
    positive("service", service)?;
    share("p", p)?;
    // 1 - p^(1 / n), without the cancellation for many tasks.
    let beyond = -libm::expm1(libm::log(p) / tasks as f64);
    Ok(-service * libm::log(beyond))
}

/// The most tasks for which the limit in heavy traffic is computed, in time that grows with them.
const MOST_TASKS: u64 = 100_000;

/// The most terms of a harmonic number that are added one by one.
const MOST_TERMS: u64 = 1000;

/// 1 + 1/2 + ... + 1/n; its asymptotic series (Abramowitz and Stegun 1964, 6.3.18) from 1,000 terms on.
fn harmonic(n: u64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if n <= MOST_TERMS {
        return (1..=n).rev().map(|k| 1.0 / k as f64).sum();
    }
    let x = n as f64;
    libm::log(x) + EULER + 0.5 / x - 1.0 / (12.0 * x * x)
}

/// 1 + 1/4 + ... + 1/n^2; what is missing from pi^2 / 6 by its asymptotic series from 1,000 terms on.
fn harmonic_squares(n: u64) -> f64 {
    if n <= MOST_TERMS {
        return (1..=n).rev().map(|k| 1.0 / (k as f64 * k as f64)).sum();
    }
    let x = n as f64;
    std::f64::consts::PI * std::f64::consts::PI / 6.0 - 1.0 / x + 0.5 / (x * x)
}

/// The limit of the mean response over that of one server as the utilisation nears 1 (Varma and Makowski 1994).
///
/// They give an alternating sum, which has no digits left from some 30 tasks on. With (m - 1)! / r^m as an integral it
/// is the integral over t, weighted by 1 / t, of the sum over j up to n of (F1(t)^j - F2(t)^j) / j, where F1 and F2 are
/// the distribution functions of Erlang times with one and two stages: of positive terms.
fn heavy_traffic(tasks: u64) -> f64 {
    /// The step of the trapezoidal rule in the logarithm of t, which converges geometrically: the integrand is analytic
    /// around the real axis and vanishes at both ends.
    const STEP: f64 = 1.0 / 8.0;
    let last = libm::log(libm::log(tasks as f64) + 60.0);
    let steps = ((last + 40.0) / STEP) as u64;
    let points = (0..=steps).map(|n| libm::exp(last - STEP * n as f64));
    STEP * points.map(|t| power_differences(t, tasks)).sum::<f64>()
}

/// The sum over j up to `tasks` of (F1(t)^j - F2(t)^j) / j.
fn power_differences(t: f64, tasks: u64) -> f64 {
    let apart = t * libm::exp(-t);
    let one = -libm::expm1(-t);
    let two = (one - apart).max(0.0);
    let (mut difference, mut power, mut sum) = (0.0, 1.0, 0.0);
    for j in 1..=tasks {
        difference = one * difference + power * apart;
        power *= two;
        sum += difference / j as f64;
    }
    sum
}
