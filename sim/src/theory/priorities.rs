//! Priority classes.

use super::error::{at_least, not_negative, positive, stable};
use super::{Means, MultiServer, TheoryError};

/// A class of requests at a station with priorities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorityClass {
    /// Arrivals per second (a Poisson process).
    pub rate: f64,
    /// Mean service time in seconds.
    pub service: f64,
    /// Squared coefficient of variation of the service time.
    pub scv: f64,
}

/// A station that serves its classes by priority, first come first served within each: the first class first.
///
/// `wait` is the time in which a request is not served, interruptions included, and `queue` the number of those who
/// are not; `utilisation` is the class's share of the servers. Quantiles are known as transforms only and not given.
#[derive(Debug, Clone, PartialEq)]
pub struct Priorities {
    /// The means of each class, in the order in which they were given.
    pub classes: Vec<Means>,
}

impl Priorities {
    /// M/G/1 without preemption (Cobham 1954): W0 / ((1 - s') (1 - s)) with W0 the mean remaining service that an
    /// arrival finds, s the utilisation by this and higher classes and s' by higher ones.
    pub fn non_preemptive(classes: &[PriorityClass]) -> Result<Priorities, TheoryError> {
        let above = cumulated(classes)?;
        let remaining: f64 = classes.iter().map(remaining).sum();
        Ok(Priorities::from(classes, |at, _| {
            remaining / ((1.0 - above[at]) * (1.0 - above[at + 1]))
        }))
    }

    /// M/G/1 with preemption, interrupted service resumed where it stopped (Kleinrock 1976, 3.4): a class does not
    /// feel those below it.
    pub fn preemptive_resume(classes: &[PriorityClass]) -> Result<Priorities, TheoryError> {
        let above = cumulated(classes)?;
        let mut found = 0.0;
        Ok(Priorities::from(classes, |at, class| {
            found += remaining(class);
            let interrupted = class.service * above[at] / (1.0 - above[at]);
            interrupted + found / ((1.0 - above[at]) * (1.0 - above[at + 1]))
        }))
    }

    /// M/M/c without preemption, all classes with exponential service of mean `service` seconds (Cobham 1954): the
    /// probability that an arrival finds all servers busy takes the place of the utilisation in W0.
    pub fn non_preemptive_servers(
        servers: u64,
        service: f64,
        rates: &[f64],
    ) -> Result<Priorities, TheoryError> {
        let (classes, count) = equal_classes(servers, service, rates)?;
        let above = cumulated_over(&classes, count)?;
        let all = MultiServer::new(servers, rates.iter().sum(), service)?;
        let found = all.waiting_probability * service / count;
        let mut means = Priorities::from(&classes, |at, _| {
            found / ((1.0 - above[at]) * (1.0 - above[at + 1]))
        });
        means.share_among(count);
        Ok(means)
    }

    /// M/M/c with preemption, all classes with exponential service of mean `service` seconds: a class and those above it
    /// are an M/M/c by themselves, since it makes no difference to their number which of them is served (Buzen and
    /// Bondi 1983).
    pub fn preemptive_resume_servers(
        servers: u64,
        service: f64,
        rates: &[f64],
    ) -> Result<Priorities, TheoryError> {
        let (classes, count) = equal_classes(servers, service, rates)?;
        cumulated_over(&classes, count)?;
        let mut rate = 0.0;
        let mut queues = vec![0.0];
        for class in &classes {
            rate += class.rate;
            queues.push(MultiServer::new(servers, rate, service)?.means.queue);
        }
        let mut means = Priorities::from(&classes, |at, class| {
            (queues[at + 1] - queues[at]) / class.rate
        });
        means.share_among(count);
        Ok(means)
    }

    /// From the time that a request of each class is not served.
    fn from(
        classes: &[PriorityClass],
        mut wait: impl FnMut(usize, &PriorityClass) -> f64,
    ) -> Priorities {
        let classes = classes
            .iter()
            .enumerate()
            .map(|(at, class)| Means::from_wait(class.rate, wait(at, class), class.service, 1.0));
        Priorities {
            classes: classes.collect(),
        }
    }

    /// Spreads the load over this many servers.
    fn share_among(&mut self, servers: f64) {
        for class in &mut self.classes {
            class.utilisation /= servers;
        }
    }
}

/// What a class adds to the mean remaining service time that an arrival finds.
fn remaining(class: &PriorityClass) -> f64 {
    class.rate * class.service * class.service * (1.0 + class.scv) / 2.0
}

/// The utilisation of a single server by the classes before each, and by all.
fn cumulated(classes: &[PriorityClass]) -> Result<Vec<f64>, TheoryError> {
    cumulated_over(classes, 1.0)
}

fn cumulated_over(classes: &[PriorityClass], servers: f64) -> Result<Vec<f64>, TheoryError> {
    at_least("classes", classes.len() as u64, 1, "of at least 1")?;
    let mut above = vec![0.0];
    let mut sum = 0.0;
    for class in classes {
        positive("rate", class.rate)?;
        positive("service", class.service)?;
        not_negative("scv", class.scv)?;
        sum += class.rate * class.service / servers;
        above.push(sum);
    }
    stable(sum)?;
    Ok(above)
}

fn equal_classes(
    servers: u64,
    service: f64,
    rates: &[f64],
) -> Result<(Vec<PriorityClass>, f64), TheoryError> {
    at_least("servers", servers, 1, "of at least 1")?;
    let class = |&rate: &f64| PriorityClass {
        rate,
        service,
        scv: 1.0,
    };
    Ok((rates.iter().map(class).collect(), servers as f64))
}
