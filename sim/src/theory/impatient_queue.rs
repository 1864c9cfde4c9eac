//! M/M/c+M: waiting with abandonment.

use super::birth_death::Stationary;
use super::error::{at_least, positive};
use super::{TheoryError, quantile, tail_outside};

/// M/M/c+M, the Erlang A model (Palm 1957): Poisson arrivals, exponential service, c servers, one unlimited line, first
/// come first served; whoever waits gives up after an exponential patience. There is a steady state at any load.
///
/// The wait that a patient request would have behind k others in line is a sum of exponential times with the rates
/// c mu + j theta, j from 0 to k, since those ahead leave by service and by giving up. That is -ln(B) / theta with B a
/// beta variable of parameters c mu / theta and k + 1, from which the distributions follow. The response time of those
/// who are served has no such form and is given by its mean alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ImpatientQueue {
    /// The share of the arrivals that gives up.
    pub abandonment_probability: f64,
    /// The probability that an arrival does not find an idle server.
    pub waiting_probability: f64,
    /// Served requests per second.
    pub throughput: f64,
    /// Share of the servers that is busy.
    pub utilisation: f64,
    /// Seconds in line, averaged over all arrivals, served or not.
    pub wait: f64,
    /// Seconds in line of those who are served.
    pub served_wait: f64,
    /// Seconds between arrival and completion of those who are served.
    pub served_response: f64,
    /// Number of requests that wait.
    pub queue: f64,
    /// Number of requests that wait or are served.
    pub in_system: f64,
    states: Stationary,
    /// Arrivals per second.
    rate: f64,
    servers: u64,
    /// Mean service time in seconds.
    service: f64,
    /// Mean patience in seconds.
    patience: f64,
}

impl ImpatientQueue {
    /// `servers` servers of mean service time `service` seconds under `rate` arrivals per second, whose patience lasts
    /// for `patience` seconds on average.
    pub fn new(
        servers: u64,
        rate: f64,
        service: f64,
        patience: f64,
    ) -> Result<ImpatientQueue, TheoryError> {
        at_least("servers", servers, 1, "of at least 1")?;
        positive("rate", rate)?;
        positive("service", service)?;
        positive("patience", patience)?;
        let leaving =
            |n: u64| n.min(servers) as f64 / service + n.saturating_sub(servers) as f64 / patience;
        let states = Stationary::new(u64::MAX >> 1, |n| rate / leaving(n))?;
        let busy = states.mean(|n| n.min(servers) as f64);
        let queue = states.mean(|n| n.saturating_sub(servers) as f64);
        let throughput = busy / service;
        let mut impatient = ImpatientQueue {
            abandonment_probability: queue / patience / rate,
            waiting_probability: states.mean(|n| f64::from(u8::from(n >= servers))),
            throughput,
            utilisation: busy / servers as f64,
            wait: queue / rate,
            served_wait: 0.0,
            served_response: service,
            queue,
            in_system: queue + busy,
            states,
            rate,
            servers,
            service,
            patience,
        };
        impatient.served_wait = impatient.mean_served_wait();
        impatient.served_response += impatient.served_wait;
        Ok(impatient)
    }

    /// The mean wait of those who are served: the wait of a patient request with density
    /// weighted by exp(-theta t), which makes the beta variable's first parameter one larger.
    fn mean_served_wait(&self) -> f64 {
        let completions = self.completions_per_patience();
        let mut stages = 0.0;
        let mut total = 0.0;
        let mut counted = 0;
        for (n, p) in self.states.iter() {
            let Some(ahead) = n.checked_sub(self.servers) else {
                continue;
            };
            // The first state that is kept may be far above the servers.
            for stage in counted..=ahead {
                stages += self.patience / (completions + 1.0 + stage as f64);
            }
            counted = ahead + 1;
            total += p * completions / (completions + ahead as f64 + 1.0) * stages;
        }
        total / self.served()
    }

    /// The share of the arrivals that is served.
    fn served(&self) -> f64 {
        self.throughput / self.rate
    }

    /// P(time in line > t) over all arrivals, served or not, t in seconds.
    pub fn wait_tail(&self, t: f64) -> f64 {
        tail_outside(t).unwrap_or_else(|| {
            let patient = self.weighted(self.completions_per_patience(), t, |_| 1.0);
            libm::exp(-t / self.patience) * patient
        })
    }

    /// P(wait > t) of those who are served, t in seconds.
    pub fn served_wait_tail(&self, t: f64) -> f64 {
        tail_outside(t).unwrap_or_else(|| {
            let completions = self.completions_per_patience();
            let stays = |ahead: u64| completions / (completions + ahead as f64 + 1.0);
            self.weighted(completions + 1.0, t, stays) / self.served()
        })
    }

    /// The time in line that a share `p` of all arrivals does not exceed, in seconds.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        quantile(p, self.service, |t| self.wait_tail(t))
    }

    /// The wait that a share `p` of those who are served does not exceed, in seconds.
    pub fn served_wait_quantile(&self, p: f64) -> f64 {
        quantile(p, self.service, |t| self.served_wait_tail(t))
    }

    /// c mu / theta: completions during a mean patience while all servers are busy.
    fn completions_per_patience(&self) -> f64 {
        self.servers as f64 * self.patience / self.service
    }

    /// The sum over the states with k others in line of their probability, `weight(k)`, and the probability that a beta
    /// variable with parameters `first` and k + 1 is below exp(-theta t).
    ///
    /// That is the probability of at most k failures before the `first`-th success in trials of success probability
    /// exp(-theta t), a sum of positive terms, each made from the one before.
    fn weighted(&self, first: f64, t: f64, weight: impl Fn(u64) -> f64) -> f64 {
        let failure = -libm::expm1(-t / self.patience);
        let mut log_term = -first * t / self.patience;
        let mut below = libm::exp(log_term);
        let mut counted = 0;
        let mut total = 0.0;
        for (n, p) in self.states.iter() {
            let Some(ahead) = n.checked_sub(self.servers) else {
                continue;
            };
            for k in counted + 1..=ahead {
                let k = k as f64;
                log_term += libm::log((first + k - 1.0) / k * failure);
                below += libm::exp(log_term);
            }
            counted = counted.max(ahead);
            total += p * weight(ahead) * below.min(1.0);
        }
        total
    }
}
