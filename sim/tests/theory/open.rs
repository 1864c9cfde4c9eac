//! M/M/1, M/M/c, M/M/c/K and split queues.

use blis_sim::theory::{FiniteQueue, MultiServer, SplitQueues, TheoryError};

use crate::numerics::{assert_near, balance, mean_of_tail, response_tail};

#[test]
fn one_server_is_the_textbook_case() {
    // Case D: 80 arrivals per second, 10 ms.
    let queue = MultiServer::single(80.0, 0.01).expect("stable");
    assert_near(queue.means.response, 0.05, 1e-14);
    assert_near(queue.means.wait, 0.04, 1e-14);
    assert_near(queue.means.utilisation, 0.8, 1e-15);
    assert_near(queue.means.in_system, 4.0, 1e-14);
    assert_near(queue.means.queue, 3.2, 1e-14);
    assert_eq!(queue.means.throughput, 80.0);
    assert_near(queue.waiting_probability, 0.8, 1e-14);
    for t in [0.0, 0.003, 0.05, 0.4] {
        assert_near(queue.response_tail(t), (-20.0 * t).exp(), 1e-13);
        assert_near(queue.wait_tail(t), 0.8 * (-20.0 * t).exp(), 1e-13);
    }
    assert_near(queue.response_quantile(0.99), 100.0_f64.ln() / 20.0, 1e-12);
    assert_near(queue.wait_quantile(0.99), 80.0_f64.ln() / 20.0, 1e-12);
    assert_eq!(queue.wait_quantile(0.15), 0.0);
}

/// Erlang C from a computation with 40 digits.
#[test]
fn several_servers_wait_by_erlang_c() {
    let queue = MultiServer::new(4, 320.0, 0.01).expect("stable");
    assert_near(queue.waiting_probability, 0.596_432_471_787_404, 1e-14);
    assert_near(queue.means.wait, 0.596_432_471_787_404 / 80.0, 1e-13);
    let queue = MultiServer::new(100, 9000.0, 0.01).expect("stable");
    assert_near(queue.waiting_probability, 0.216_940_480_906_366, 1e-13);
}

#[test]
fn means_are_the_integrals_of_the_distributions() {
    // The spare rate is below, at and above the service rate of one server.
    for (servers, rate) in [
        (1, 80.0),
        (4, 320.0),
        (4, 300.0),
        (4, 299.999_999_99),
        (4, 120.0),
        (30, 100.0),
    ] {
        let queue = MultiServer::new(servers, rate, 0.01).expect("stable");
        assert_near(
            mean_of_tail(1.5, |t| queue.response_tail(t)),
            queue.means.response,
            1e-7,
        );
        let wait = mean_of_tail(1.5, |t| queue.wait_tail(t));
        assert!((wait - queue.means.wait).abs() < 1e-9, "{wait}");
        for p in [0.5, 0.99, 0.9999] {
            assert_near(
                queue.response_tail(queue.response_quantile(p)),
                1.0 - p,
                1e-9,
            );
        }
    }
}

#[test]
fn a_finite_queue_solves_its_balance_equations() {
    for (servers, capacity, rate) in [
        (1, 1, 50.0),
        (1, 10, 250.0),
        (3, 12, 280.0),
        (4, 30, 700.0),
        (5, 5, 400.0),
    ] {
        let service = 0.01;
        let queue =
            FiniteQueue::new(servers as u64, capacity as u64, rate, service).expect("valid");
        let busy = |n: usize| n.min(servers) as f64;
        let p = balance(capacity + 1, |_| rate, |n| busy(n) / service);
        let throughput = rate * (1.0 - p[capacity]);
        let in_system: f64 = p.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
        let at_work: f64 = p.iter().enumerate().map(|(n, p)| busy(n) * p).sum();
        assert_near(queue.loss_probability, p[capacity], 1e-9);
        assert_near(queue.means.throughput, throughput, 1e-10);
        assert_near(queue.means.in_system, in_system, 1e-9);
        assert_near(queue.means.response, in_system / throughput, 1e-9);
        assert_near(queue.means.utilisation, at_work / servers as f64, 1e-10);
        assert!((queue.means.queue - (in_system - at_work)).abs() < 1e-9);
        assert!((queue.means.wait - (in_system - at_work) / throughput).abs() < 1e-9);
    }
}

/// With as many places as servers nothing waits: the loss is Erlang B, from a computation with 40 digits.
#[test]
fn without_places_to_wait_the_loss_is_erlang_b() {
    for (servers, load, loss) in [
        (10, 5.0, 0.018_384_570_336_648_1),
        (100, 90.0, 0.026_957_380_464_359_2),
    ] {
        let queue = FiniteQueue::new(servers, servers, load / 0.01, 0.01).expect("valid");
        assert_near(queue.loss_probability, loss, 1e-13);
        assert_eq!((queue.means.wait, queue.means.queue), (0.0, 0.0));
        assert_near(queue.means.response, 0.01, 1e-14);
        assert_eq!(queue.wait_quantile(0.9999), 0.0);
        assert_near(queue.response_quantile(0.95), 0.01 * 20.0_f64.ln(), 1e-12);
    }
}

#[test]
fn a_large_finite_queue_is_an_unlimited_one() {
    let (finite, unlimited) = (
        FiniteQueue::new(4, 100_000, 380.0, 0.01),
        MultiServer::new(4, 380.0, 0.01),
    );
    let (finite, unlimited) = (finite.expect("valid"), unlimited.expect("stable"));
    assert_near(finite.means.response, unlimited.means.response, 1e-11);
    assert_near(finite.means.queue, unlimited.means.queue, 1e-11);
    assert!(finite.loss_probability < 1e-200);
    for t in [0.0, 0.001, 0.02, 0.1, 1.0] {
        assert_near(finite.response_tail(t), unlimited.response_tail(t), 1e-9);
        assert_near(finite.wait_tail(t), unlimited.wait_tail(t), 1e-9);
    }
    for p in [0.5, 0.99, 0.999_99] {
        assert_near(
            finite.response_quantile(p),
            unlimited.response_quantile(p),
            1e-9,
        );
    }
}

#[test]
fn overload_fills_a_finite_queue() {
    let queue = FiniteQueue::new(2, 50, 1e6, 0.01).expect("valid");
    assert_near(queue.means.throughput, 200.0, 1e-12);
    assert_near(queue.means.in_system, 50.0, 1e-3);
    assert_near(queue.loss_probability, 1.0 - 200.0 / 1e6, 1e-9);
    assert!(queue.response_tail(1e9) == 0.0 && queue.wait_tail(1e9) == 0.0);
}

#[test]
fn the_response_of_a_finite_queue_is_that_of_the_chain() {
    for (servers, capacity, rate) in [(1_usize, 8_usize, 120.0), (3, 12, 280.0), (5, 9, 900.0)] {
        let queue = FiniteQueue::new(servers as u64, capacity as u64, rate, 0.01).expect("valid");
        let p = balance(capacity + 1, |_| rate, |n| n.min(servers) as f64 / 0.01);
        let accepted: f64 = p[..capacity].iter().sum();
        let met: Vec<f64> = p[..capacity].iter().map(|p| p / accepted).collect();
        for t in [0.002, 0.01, 0.05] {
            assert_near(
                queue.response_tail(t),
                response_tail(&met, servers, 0.01, t),
                1e-8,
            );
        }
        assert_near(
            mean_of_tail(1.0, |t| queue.response_tail(t)),
            queue.means.response,
            1e-7,
        );
        assert_near(
            mean_of_tail(1.0, |t| queue.wait_tail(t)),
            queue.means.wait,
            1e-6,
        );
    }
}

/// A queue limit may be any number: only the states that matter are kept, and where all of them do, that is said.
#[test]
fn huge_capacities_are_answered_or_refused() {
    let capacity = u64::from(u32::MAX);
    let light = FiniteQueue::new(4, capacity, 380.0, 0.01).expect("few states matter");
    assert_near(
        light.means.response,
        MultiServer::new(4, 380.0, 0.01)
            .expect("stable")
            .means
            .response,
        1e-11,
    );
    let heavy = FiniteQueue::new(4, capacity, 420.0, 0.01).expect("few states matter");
    assert_near(heavy.means.throughput, 400.0, 1e-12);
    assert_near(heavy.loss_probability, 1.0 - 1.0 / 1.05, 1e-9);
    let error =
        FiniteQueue::new(4, capacity, 400.0, 0.01).expect_err("all states are equally likely");
    assert!(
        matches!(error, TheoryError::TooManyStates { .. }),
        "{error}"
    );
    let many = MultiServer::new(u64::MAX, 1000.0, 0.01).expect("stable");
    assert_eq!((many.waiting_probability, many.means.response), (0.0, 0.01));
}

/// `members: 4` with one worker each waits longer than one queue with four workers.
#[test]
fn split_queues_are_independent_queues() {
    let split = SplitQueues::new(4, 1, 320.0, 0.01).expect("stable");
    assert_near(split.means.response, 0.05, 1e-14);
    assert_near(split.means.in_system, 16.0, 1e-13);
    assert_near(split.means.queue, 12.8, 1e-13);
    assert_near(split.means.utilisation, 0.8, 1e-14);
    assert_eq!(split.means.throughput, 320.0);
    assert_near(
        split.member.response_quantile(0.95),
        20.0_f64.ln() / 20.0,
        1e-12,
    );
    let shared = MultiServer::new(4, 320.0, 0.01).expect("stable");
    assert!(split.means.response > 2.0 * shared.means.response);
    let one = SplitQueues::new(1, 4, 320.0, 0.01).expect("stable");
    assert_eq!((one.means, one.member), (shared.means, shared));
}

#[test]
fn what_has_no_steady_state_is_refused() {
    let unstable = |utilisation| Err(TheoryError::Unstable { utilisation });
    assert_eq!(MultiServer::single(200.0, 0.01), unstable(2.0));
    assert_eq!(MultiServer::new(4, 400.0, 0.01), unstable(1.0));
    assert!(SplitQueues::new(2, 2, 400.0, 0.01).is_err());
    assert!(MultiServer::new(4, 399.9, 0.01).is_ok());
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            MultiServer::single(bad, 0.01).is_err() && MultiServer::single(1.0, bad).is_err(),
            "{bad}"
        );
        assert!(
            FiniteQueue::new(1, 1, bad, 0.01).is_err() && FiniteQueue::new(1, 1, 1.0, bad).is_err(),
            "{bad}"
        );
    }
    assert!(MultiServer::new(0, 1.0, 0.01).is_err());
    assert!(SplitQueues::new(0, 1, 1.0, 0.01).is_err());
    let error = FiniteQueue::new(4, 3, 1.0, 0.01).expect_err("no room for the servers");
    assert_eq!(
        error.to_string(),
        "capacity is 3; give a number not below the number of servers"
    );
    let queue = MultiServer::single(80.0, 0.01).expect("stable");
    assert!(queue.response_quantile(-0.1).is_nan() && queue.response_quantile(f64::NAN).is_nan());
    assert_eq!(queue.response_quantile(1.0), f64::INFINITY);
}
