//! The kernel: the least that can be done to simulate a case.
//!
//! Flat arrays, the engine's own event list, samplers and keyed draws, and one histogram; no timeouts, sessions,
//! ledger, services, series or anything else. What it takes is what the engine is held against.

use std::collections::VecDeque;
use std::time::Instant;

use blis_sim::dist::Dist;
use blis_sim::engine::Calendar;
use blis_sim::random::{Key, Kind, Purpose};
use blis_sim::time::Time;
use hdrhistogram::Histogram;

use crate::cases::{Case, Senders, THINK_NS};

/// Wall seconds that the kernel takes for so many requests of a case.
pub fn run(case: &Case, requests: u64) -> f64 {
    match case.senders {
        Senders::Users(users) => closed(case, users, requests),
        Senders::PerSecond(rate) => open(case, rate, requests),
    }
}

fn exponential(mean_ns: f64) -> Dist {
    Dist::exponential(mean_ns).unwrap_or_else(|error| panic!("{error}"))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1 << 62, 3).unwrap_or_else(|error| panic!("{error}"))
}

fn closed(case: &Case, users: u32, requests: u64) -> f64 {
    let think = exponential(THINK_NS as f64);
    let service = exponential(f64::from(case.service_ns));
    let think_key = Key::new(42, Kind::Client, "users", Purpose::Think);
    let service_key = Key::new(42, Kind::Service, "station", Purpose::Service);
    let mut calendar: Calendar<(u32, bool)> = Calendar::new();
    let mut counts = vec![0u64; users as usize];
    let mut sent = vec![Time::ZERO; users as usize];
    let mut line = VecDeque::new();
    let mut idle = case.workers;
    let mut response = histogram();
    for user in 0..users {
        let at = u64::from(user) * THINK_NS / u64::from(users);
        calendar.push(Time::from_nanos(at), (user, false));
    }
    let serve = |calendar: &mut Calendar<(u32, bool)>, now: Time, user: u32, count: u64| {
        let mut draw = service_key.draw(u64::from(user), count);
        calendar.push(now + service.sample_span(&mut draw), (user, true));
    };
    let (mut issued, mut done) = (0, 0);
    let start = Instant::now();
    while done < requests {
        let Some((now, (user, served))) = calendar.pop() else {
            break;
        };
        let at = user as usize;
        if !served {
            if issued == requests {
                continue;
            }
            issued += 1;
            sent[at] = now;
            if idle > 0 {
                idle -= 1;
                serve(&mut calendar, now, user, counts[at]);
            } else {
                line.push_back(user);
            }
            continue;
        }
        done += 1;
        response.saturating_record(now.since(sent[at]).as_nanos());
        let mut draw = think_key.draw(u64::from(user), counts[at]);
        counts[at] += 1;
        calendar.push(now + think.sample_span(&mut draw), (user, false));
        match line.pop_front() {
            Some(next) => serve(&mut calendar, now, next, counts[next as usize]),
            None => idle += 1,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(response.len(), requests);
    seconds
}

fn open(case: &Case, rate: u32, requests: u64) -> f64 {
    let interarrival = exponential(1e9 / f64::from(rate));
    let service = exponential(f64::from(case.service_ns));
    let arrival_key = Key::new(42, Kind::Client, "users", Purpose::Arrival);
    let service_key = Key::new(42, Kind::Service, "station", Purpose::Service);
    let mut calendar: Calendar<bool> = Calendar::new();
    let mut line: VecDeque<(Time, u64)> = VecDeque::new();
    let mut response = histogram();
    let serve = |calendar: &mut Calendar<bool>, now: Time, number: u64| {
        let mut draw = service_key.draw(number, 0);
        calendar.push(now + service.sample_span(&mut draw), true);
    };
    let arrive = |calendar: &mut Calendar<bool>, now: Time, nth: u64| {
        let mut draw = arrival_key.draw(0, nth);
        calendar.push(now + interarrival.sample_span(&mut draw), false);
    };
    arrive(&mut calendar, Time::ZERO, 1);
    let (mut issued, mut done) = (0, 0);
    let start = Instant::now();
    while done < requests {
        let Some((now, served)) = calendar.pop() else {
            break;
        };
        if !served {
            line.push_back((now, issued));
            if line.len() == 1 {
                serve(&mut calendar, now, issued);
            }
            issued += 1;
            if issued < requests {
                arrive(&mut calendar, now, issued + 1);
            }
            continue;
        }
        done += 1;
        if let Some((arrived, _)) = line.pop_front() {
            response.saturating_record(now.since(arrived).as_nanos());
        }
        if let Some((_, next)) = line.front() {
            serve(&mut calendar, now, *next);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(response.len(), requests);
    seconds
}
