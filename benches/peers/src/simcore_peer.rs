//! The cases in simcore, in its callback form: one component that holds users and station and
//! sends events to itself.
//!
//! Two events per request, as in every tool here: the arrival (the end of a think time) and the
//! end of a service. Random numbers come from simcore's own generator.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use rand_distr::Exp1;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};

use crate::case::{Case, Source, first_instant};
use crate::run::{Job, Timed};
use crate::tally::Tally;

#[derive(Clone, Serialize)]
struct Arrive {
    user: u32,
}

#[derive(Clone, Serialize)]
struct Depart {
    user: u32,
    arrived_s: f64,
}

struct Shop {
    ctx: SimulationContext,
    case: Case,
    idle: u32,
    waiting: VecDeque<(u32, f64)>,
    tally: Tally,
}

impl Shop {
    fn exponential(&self, mean_s: f64) -> f64 {
        let unit: f64 = self.ctx.sample_from_distribution(&Exp1);
        unit * mean_s
    }

    fn serve(&self, user: u32, arrived_s: f64) {
        let service = self.exponential(self.case.service_s);
        self.ctx.emit_self(Depart { user, arrived_s }, service);
    }

    fn on_arrive(&mut self, user: u32) {
        if let Source::Open { rate_rps } = self.case.source {
            let gap = self.exponential(1.0 / rate_rps);
            self.ctx.emit_self(Arrive { user }, gap);
        }
        let now = self.ctx.time();
        if self.idle > 0 {
            self.idle -= 1;
            self.serve(user, now);
        } else {
            self.waiting.push_back((user, now));
        }
    }

    fn on_depart(&mut self, user: u32, arrived_s: f64) {
        self.tally.record(arrived_s, self.ctx.time() - arrived_s);
        match self.waiting.pop_front() {
            Some((next, since)) => self.serve(next, since),
            None => self.idle += 1,
        }
        if let Source::Closed { think_s, .. } = self.case.source {
            let think = self.exponential(think_s);
            self.ctx.emit_self(Arrive { user }, think);
        }
    }
}

impl EventHandler for Shop {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrive { user } => {
                self.on_arrive(user)
            }
            Depart { user, arrived_s } => {
                self.on_depart(user, arrived_s)
            }
        })
    }
}

/// Runs `job` until exactly `job.requests` requests are done.
pub fn run(job: &Job) -> Timed {
    let setup = Instant::now();
    let mut simulation = Simulation::new(job.seed);
    let shop = Rc::new(RefCell::new(Shop {
        ctx: simulation.create_context("shop"),
        case: job.case,
        idle: job.case.servers,
        waiting: VecDeque::new(),
        tally: Tally::new(job.warmup_s),
    }));
    simulation.add_handler("shop", shop.clone());
    start(&shop.borrow());
    let setup_seconds = setup.elapsed().as_secs_f64();

    let clock = Instant::now();
    while shop.borrow().tally.completed < job.requests && simulation.step() {}
    let seconds = clock.elapsed().as_secs_f64();
    let tally = shop.borrow().tally;
    Timed {
        tally,
        simulated_s: simulation.time(),
        setup_seconds,
        seconds,
    }
}

fn start(shop: &Shop) {
    match shop.case.source {
        Source::Closed { users, think_s } => {
            for user in 0..users {
                let at = first_instant(user, users, think_s);
                shop.ctx.emit_self(Arrive { user }, at);
            }
        }
        Source::Open { rate_rps } => {
            let gap = shop.exponential(1.0 / rate_rps);
            shop.ctx.emit_self(Arrive { user: 0 }, gap);
        }
    }
}
