//! M/G/c/c and M/M/c+M.

use blis_sim::theory::{ErlangLoss, FiniteQueue, ImpatientQueue, MultiServer};

use crate::chains::{mean, stationary, survival};
use crate::numerics::{assert_near, balance, mean_of_tail};

/// The published Erlang B table (for instance in Cooper, Introduction to Queueing Theory, 1981): the load in erlangs that
/// so many servers carry at a loss of 1, 2 and 5 %, to the digits printed there.
#[test]
fn the_loss_is_that_of_the_published_table() {
    let table = [
        (5, [1.36, 1.66, 2.22], 0.005),
        (10, [4.46, 5.08, 6.22], 0.005),
        (20, [12.0, 13.2, 15.2], 0.05),
        (30, [20.3, 21.9, 24.8], 0.05),
        (50, [37.9, 40.3, 44.5], 0.05),
        (100, [84.1, 88.0, 95.2], 0.05),
    ];
    for (servers, loads, digit) in table {
        for (loss, load) in [0.01, 0.02, 0.05].into_iter().zip(loads) {
            let at = |load: f64| {
                ErlangLoss::new(servers, load, 1.0)
                    .expect("valid")
                    .loss_probability
            };
            assert!(
                at(load - digit) < loss && loss < at(load + digit),
                "{servers} servers at {load}: {}",
                at(load)
            );
            let needed = ErlangLoss::servers_for(loss, load - digit, 1.0).expect("valid");
            assert_eq!(needed, servers);
            let more = ErlangLoss::servers_for(loss, load + digit, 1.0).expect("valid");
            assert_eq!(more, servers + 1);
        }
    }
}

#[test]
fn the_loss_system_solves_its_balance_equations() {
    for (servers, rate) in [(1, 50.0), (2, 400.0), (5, 250.0), (12, 2000.0)] {
        let found = ErlangLoss::new(servers as u64, rate, 0.01).expect("valid");
        let p = balance(servers + 1, |_| rate, |n| n as f64 / 0.01);
        let busy: f64 = p.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
        assert_near(found.loss_probability, p[servers], 1e-11);
        assert_near(found.means.throughput, rate * (1.0 - p[servers]), 1e-11);
        assert_near(found.means.in_system, busy, 1e-11);
        assert_near(found.means.utilisation, busy / servers as f64, 1e-11);
        let finite = FiniteQueue::new(servers as u64, servers as u64, rate, 0.01).expect("valid");
        assert_near(found.means.throughput, finite.means.throughput, 1e-12);
    }
}

/// Service in two stages: the loss depends on the mean of the service time only.
#[test]
fn the_loss_is_insensitive_to_the_service_time() {
    let (servers, rate, service) = (4_u32, 5.0, 0.6);
    let pace = 2.0 / service;
    let chain = stationary((0_u32, 0_u32), |&(first, second)| {
        let mut moves = Vec::new();
        if first + second < servers {
            moves.push(((first + 1, second), rate));
        }
        if first > 0 {
            moves.push(((first - 1, second + 1), pace * f64::from(first)));
        }
        if second > 0 {
            moves.push(((first, second - 1), pace * f64::from(second)));
        }
        moves
    });
    let full = mean(&chain, |(first, second)| {
        f64::from(u8::from(first + second == servers))
    });
    let found = ErlangLoss::new(u64::from(servers), rate, service).expect("valid");
    assert_near(found.loss_probability, full, 1e-10);
}

#[test]
fn overload_lets_in_what_the_servers_can_do() {
    let found = ErlangLoss::new(3, 1e12, 0.01).expect("valid");
    assert_near(found.means.throughput, 300.0, 1e-9);
    assert_near(found.loss_probability, 1.0 - 300.0 / 1e12, 1e-15);
    assert!(ErlangLoss::new(0, 1.0, 1.0).is_err() && ErlangLoss::new(1, f64::NAN, 1.0).is_err());
    assert!(ErlangLoss::servers_for(0.0, 1.0, 1.0).is_err());
    assert!(ErlangLoss::servers_for(0.1, 1e12, 1.0).is_err());
}

/// (servers, rate, service, patience): below, at and above what the servers can do, and few to many servers.
const IMPATIENT: [(usize, f64, f64, f64); 8] = [
    (1, 80.0, 0.01, 0.02),
    (1, 150.0, 0.01, 0.005),
    (2, 200.0, 0.01, 0.01),
    (4, 380.0, 0.01, 0.05),
    (4, 600.0, 0.01, 0.03),
    (3, 310.0, 0.01, 0.2),
    (10, 1200.0, 0.01, 0.02),
    (6, 200.0, 0.01, 0.001),
];

#[test]
fn impatient_queues_solve_their_balance_equations() {
    for (servers, rate, service, patience) in IMPATIENT {
        let found = ImpatientQueue::new(servers as u64, rate, service, patience).expect("valid");
        let busy = |n: usize| n.min(servers) as f64;
        let waiting = |n: usize| n.saturating_sub(servers) as f64;
        let p = balance(160, |_| rate, |n| busy(n) / service + waiting(n) / patience);
        let over =
            |f: &dyn Fn(usize) -> f64| -> f64 { p.iter().enumerate().map(|(n, p)| p * f(n)).sum() };
        assert_near(found.throughput, over(&busy) / service, 1e-9);
        assert_near(found.queue, over(&waiting), 1e-9);
        assert_near(found.in_system, over(&|n| n as f64), 1e-9);
        assert_near(found.utilisation, over(&busy) / servers as f64, 1e-9);
        assert_near(
            found.abandonment_probability,
            1.0 - found.throughput / rate,
            1e-8,
        );
        let wait = over(&|n| f64::from(u8::from(n >= servers)));
        assert_near(found.waiting_probability, wait, 1e-9);
        assert_near(found.wait, found.queue / rate, 1e-14);
    }
}

/// The distributions of the time in line, from the chain in which a request moves up, gives up or starts.
#[test]
fn waits_of_the_impatient_are_those_of_the_chain() {
    for (servers, rate, service, patience) in IMPATIENT {
        let found = ImpatientQueue::new(servers as u64, rate, service, patience).expect("valid");
        let leaving = |n: usize| {
            n.min(servers) as f64 / service + n.saturating_sub(servers) as f64 / patience
        };
        let p = balance(160, |_| rate, leaving);
        // Others ahead in line.
        let start: Vec<(usize, f64)> = (servers..160).map(|n| (n - servers, p[n])).collect();
        let ahead_leave = |ahead: usize| servers as f64 / service + ahead as f64 / patience;
        let line = |&ahead: &usize| {
            vec![
                (ahead.checked_sub(1), ahead_leave(ahead)),
                (None, 1.0 / patience),
            ]
        };
        // Served is what starts: the probability of that by now is what a state with the memory of it holds.
        let to_service = |&(ahead, done): &(usize, bool)| {
            if done {
                return Vec::new();
            }
            let next = match ahead {
                0 => (0, true),
                _ => (ahead - 1, false),
            };
            vec![(Some(next), ahead_leave(ahead)), (None, 1.0 / patience)]
        };
        let waits: Vec<((usize, bool), f64)> =
            start.iter().map(|&(n, p)| ((n, false), p)).collect();
        let served = found.throughput / rate;
        let ever_started = survival(&waits, to_service, 40.0 * patience);
        for t in [0.0005, 0.004, 0.02] {
            assert_near(found.wait_tail(t), survival(&start, line, t), 1e-6);
            let started = survival(&waits, to_service, t) - survival(&start, line, t);
            let later = (ever_started - started) / served;
            assert!(
                (found.served_wait_tail(t) - later).abs() < 1e-7,
                "{} {later}",
                found.served_wait_tail(t)
            );
        }
        assert_near(found.served_wait_tail(0.0) * served, ever_started, 1e-6);
        let integral = mean_of_tail(1.0, |t| found.served_wait_tail(t));
        assert!((integral - found.served_wait).abs() < 1e-6 * service.max(found.served_wait));
        let integral = mean_of_tail(1.0, |t| found.wait_tail(t));
        assert!((integral - found.wait).abs() < 1e-6 * service.max(found.wait));
        for p in [0.9, 0.999] {
            let (wait, served) = (found.wait_quantile(p), found.served_wait_quantile(p));
            if wait > 0.0 {
                assert_near(found.wait_tail(wait), 1.0 - p, 1e-9);
            }
            if served > 0.0 {
                assert_near(found.served_wait_tail(served), 1.0 - p, 1e-9);
            }
        }
    }
}

#[test]
fn endless_patience_makes_it_m_m_c() {
    for (servers, rate) in [(1, 80.0), (4, 320.0), (20, 1900.0)] {
        let found = ImpatientQueue::new(servers, rate, 0.01, 1e8).expect("valid");
        let patient = MultiServer::new(servers, rate, 0.01).expect("stable");
        assert_near(found.waiting_probability, patient.waiting_probability, 1e-5);
        assert_near(found.served_wait, patient.means.wait, 1e-5);
        assert_near(found.served_response, patient.means.response, 1e-5);
        assert_near(
            found.served_wait_quantile(0.99),
            patient.wait_quantile(0.99),
            1e-5,
        );
        assert_near(found.wait_tail(0.01), patient.wait_tail(0.01), 1e-5);
    }
}

#[test]
fn no_patience_makes_it_a_loss_system() {
    for (servers, rate) in [(1, 80.0), (5, 800.0)] {
        let found = ImpatientQueue::new(servers, rate, 0.01, 1e-12).expect("valid");
        let loss = ErlangLoss::new(servers, rate, 0.01).expect("valid");
        assert_near(found.abandonment_probability, loss.loss_probability, 1e-8);
        assert_near(found.throughput, loss.means.throughput, 1e-8);
    }
}

/// With a patience as long as a service everybody leaves at the same rate: the number present is a Poisson variable.
#[test]
fn patience_as_long_as_service_makes_it_infinite_servers() {
    let found = ImpatientQueue::new(3, 700.0, 0.01, 0.01).expect("valid");
    assert_near(found.in_system, 7.0, 1e-12);
    let below: f64 = [1.0, 7.0, 24.5].iter().sum::<f64>() * (-7.0_f64).exp();
    assert_near(found.waiting_probability, 1.0 - below, 1e-12);
}

/// Ten times what the servers can do, and a hundred thousand in line on average.
#[test]
fn heavy_overload_is_what_the_patience_makes_of_it() {
    let found = ImpatientQueue::new(100, 100_000.0, 0.01, 1.0 / 0.9).expect("valid");
    assert_near(found.throughput, 10_000.0, 1e-12);
    assert_near(found.queue, 90_000.0 / 0.9, 1e-12);
    assert_near(found.abandonment_probability, 0.9, 1e-12);
    // Those who are served wait until a share of 0.1 of all has the patience: ln 10 patiences.
    assert_near(found.served_wait_quantile(0.5), 10.0_f64.ln() / 0.9, 1e-3);
    assert_near(found.served_wait_tail(1.0), 1.0, 1e-12);
    assert_near(found.wait_tail(1.0), (-0.9_f64).exp(), 1e-12);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(ImpatientQueue::new(1, 1.0, 1.0, bad).is_err());
        assert!(ImpatientQueue::new(1, 1.0, bad, 1.0).is_err());
        assert!(ImpatientQueue::new(1, bad, 1.0, 1.0).is_err());
    }
    assert!(ImpatientQueue::new(0, 1.0, 1.0, 1.0).is_err());
}
