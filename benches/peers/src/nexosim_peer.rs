//! The cases in nexosim, single-threaded, with one model that holds users and station.
//!
//! One actor per user would be the more usual decomposition; one model for all of them is several
//! times faster and therefore the form compared here. Times are whole nanoseconds. An event
//! cannot be scheduled at the current instant, so a delay is at least one nanosecond.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SchedulingError, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use rand::{Rng, SeedableRng};
use rand_distr::Exp1;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Source, first_instant};
use crate::run::{Job, RunError, Timed};
use crate::tally::Tally;

type Customer = (u32, MonotonicTime);

#[derive(Serialize, Deserialize)]
struct Shop {
    random: Pcg64,
    case: Case,
    idle: u32,
    waiting: VecDeque<Customer>,
    tally: Tally,
    refused: u64,
}

#[Model]
impl Shop {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        match self.case.source {
            Source::Closed { users, think_s } => {
                self.arrive(0, cx);
                for user in 1..users {
                    let delay = whole(first_instant(user, users, think_s));
                    let scheduled = cx.schedule_event(delay, schedulable!(Self::arrive), user);
                    self.note(scheduled);
                }
            }
            Source::Open { rate_rps } => {
                let gap = self.exponential(1.0 / rate_rps);
                let scheduled = cx.schedule_event(gap, schedulable!(Self::arrive), 0);
                self.note(scheduled);
            }
        }
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, user: u32, cx: &Context<Self>) {
        if let Source::Open { rate_rps } = self.case.source {
            let gap = self.exponential(1.0 / rate_rps);
            let scheduled = cx.schedule_event(gap, schedulable!(Self::arrive), user);
            self.note(scheduled);
        }
        let customer = (user, cx.time());
        if self.idle > 0 {
            self.idle -= 1;
            self.serve(customer, cx);
        } else {
            self.waiting.push_back(customer);
        }
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, customer: Customer, cx: &Context<Self>) {
        let (user, arrived) = customer;
        let age = arrived.duration_since(MonotonicTime::EPOCH).as_secs_f64();
        let response = cx.time().duration_since(arrived).as_secs_f64();
        self.tally.record(age, response);
        match self.waiting.pop_front() {
            Some(next) => self.serve(next, cx),
            None => self.idle += 1,
        }
        if let Source::Closed { think_s, .. } = self.case.source {
            let think = self.exponential(think_s);
            let scheduled = cx.schedule_event(think, schedulable!(Self::arrive), user);
            self.note(scheduled);
        }
    }

    fn serve(&mut self, customer: Customer, cx: &Context<Self>) {
        let service = self.exponential(self.case.service_s);
        let scheduled = cx.schedule_event(service, schedulable!(Self::depart), customer);
        self.note(scheduled);
    }

    fn exponential(&mut self, mean_s: f64) -> Duration {
        let unit: f64 = self.random.sample(Exp1);
        whole(unit * mean_s)
    }

    fn note(&mut self, scheduled: Result<(), SchedulingError>) {
        self.refused += u64::from(scheduled.is_err());
    }

    async fn report(&mut self) -> (Tally, u64) {
        (self.tally, self.refused)
    }
}

fn whole(seconds: f64) -> Duration {
    Duration::from_nanos(((seconds * 1e9).round() as u64).max(1))
}

/// Runs `job` for the simulated time in which `job.requests` requests are expected.
///
/// nexosim stops at a time rather than at a count, so the number done differs a little from the
/// number asked for.
pub fn run(job: &Job) -> Result<Timed, RunError> {
    let setup = Instant::now();
    let shop = Shop {
        random: Pcg64::seed_from_u64(job.seed),
        case: job.case,
        idle: job.case.servers,
        waiting: VecDeque::new(),
        tally: Tally::new(job.warmup_s),
        refused: 0,
    };
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let report = QuerySource::new()
        .connect(Shop::report, &mailbox)
        .register(&mut bench);
    let mut simulation: Simulation = bench
        .add_model(shop, mailbox, "shop")
        .init(MonotonicTime::EPOCH)
        .map_err(RunError::nexosim)?;
    let setup_seconds = setup.elapsed().as_secs_f64();

    let clock = Instant::now();
    simulation
        .step_until(job.horizon())
        .map_err(RunError::nexosim)?;
    let seconds = clock.elapsed().as_secs_f64();

    let (tally, refused) = simulation
        .process_query(&report, ())
        .map_err(RunError::nexosim)?;
    if refused > 0 {
        return Err(RunError::Refused(refused));
    }
    Ok(Timed {
        tally,
        simulated_s: job.horizon().as_secs_f64(),
        setup_seconds,
        seconds,
    })
}
