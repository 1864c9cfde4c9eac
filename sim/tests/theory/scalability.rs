//! The universal scalability law, fork-join, and approximations.

use blis_sim::theory::{
    ClosedStation, ForkJoin, GeneralService, MultiServer, Scalability, fan_out_mean,
    fan_out_quantile, general_servers, kingman_bound, split_merge,
};

use crate::chains::{mean, stationary};
use crate::numerics::{assert_near, balance, mean_of_tail};

/// The SPEC SDM91 measurements that Gunther (Guerrilla Capacity Planning, 2007, ch. 5) fits, with the parameters of a
/// least-squares fit: the curve is within 10 % of the measurements, and its peak is at 96.5 users and 1883.9.
#[test]
fn the_published_fit_has_its_published_peak() {
    let law = Scalability::new(89.9954, 0.027_728_5, 0.000_104_365).expect("valid");
    assert_near(law.peak_users(), 96.5, 3e-4);
    assert_near(law.peak_throughput(), 1883.9, 3e-5);
    for (users, measured) in [
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ] {
        assert_near(law.throughput(users), measured, 0.1);
    }
}

#[test]
fn the_peak_is_where_the_curve_is_highest() {
    for (contention, coherency) in [(0.0, 0.001), (0.05, 0.0001), (0.3, 0.02), (0.9, 0.5)] {
        let law = Scalability::new(10.0, contention, coherency).expect("valid");
        let (mut best, mut at) = (0.0, 0.0);
        for n in 0..100_000 {
            let users = 1.0 + f64::from(n) * 0.001;
            if law.throughput(users) > best {
                (best, at) = (law.throughput(users), users);
            }
        }
        assert!((law.peak_users() - at).abs() < 0.002, "{at}");
        assert_near(law.peak_throughput(), best, 1e-6);
        assert_near(law.throughput(7.0) * law.slowdown(7.0), 70.0, 1e-14);
    }
}

/// Without coherency it is Amdahl's law; users who all think and queue at the same moments (synchronous repairman), so
/// it bounds the asynchronous closed station from below (Gunther 2008).
#[test]
fn without_coherency_it_is_amdahls_law() {
    let (think, service) = (0.09, 0.01);
    let contention = service / (think + service);
    let law = Scalability::new(1.0 / (think + service), contention, 0.0).expect("valid");
    assert_eq!(law.peak_users(), f64::INFINITY);
    assert_near(law.peak_throughput(), 100.0, 1e-12);
    for users in [1_u32, 2, 5, 20, 200] {
        let n = f64::from(users);
        let amdahl = 1.0 / (contention + (1.0 - contention) / n);
        assert_near(law.throughput(n), 10.0 * amdahl, 1e-13);
        let station = ClosedStation::new(u64::from(users), think, 1, service).expect("valid");
        assert!(law.throughput(n) <= station.means.throughput * (1.0 + 1e-12));
    }
    let linear = Scalability::new(3.0, 0.0, 0.0).expect("valid");
    assert_eq!(
        (linear.throughput(8.0), linear.peak_throughput()),
        (24.0, f64::INFINITY)
    );
    assert!(Scalability::new(0.0, 0.1, 0.1).is_err());
    assert!(Scalability::new(1.0, 1.1, 0.1).is_err());
    assert!(Scalability::new(1.0, 0.1, -0.1).is_err());
    assert_eq!(
        Scalability::new(1.0, 1.0, 0.1).expect("valid").peak_users(),
        1.0
    );
}

/// The mean number of requests that are not joined: the longest of the lines, each first come first served.
fn fork_join_response<const N: usize>(rate: f64, service: f64, most: u32) -> f64 {
    let chain = stationary([0_u32; N], |lines| {
        let mut moves = Vec::new();
        if lines.iter().all(|line| *line < most) {
            moves.push((lines.map(|line| line + 1), rate));
        }
        for at in 0..N {
            if lines[at] > 0 {
                let mut next = *lines;
                next[at] -= 1;
                moves.push((next, 1.0 / service));
            }
        }
        moves
    });
    let joined = mean(&chain, |lines| {
        f64::from(lines.iter().copied().max().unwrap_or(0))
    });
    joined / rate
}

#[test]
fn two_tasks_are_exact() {
    for (rate, most) in [(20.0, 20), (50.0, 45), (70.0, 80)] {
        let found = ForkJoin::new(2, rate, 0.01).expect("stable");
        let expected = fork_join_response::<2>(rate, 0.01, most);
        assert_near(found.response().expect("two tasks"), expected, 1e-6);
        assert_near(found.varma_makowski().expect("few tasks"), expected, 1e-6);
        assert_near(found.nelson_tantawi(), expected, 1e-6);
    }
}

#[test]
fn three_tasks_are_within_the_stated_error() {
    for (rate, most) in [(20.0, 14), (50.0, 28)] {
        let found = ForkJoin::new(3, rate, 0.01).expect("stable");
        let expected = fork_join_response::<3>(rate, 0.01, most);
        assert_eq!(found.response(), None);
        assert_near(found.nelson_tantawi(), expected, 0.02);
        assert_near(found.varma_makowski().expect("few tasks"), expected, 0.02);
        let (least, most) = found.response_bounds();
        assert!(least < expected && expected < most);
    }
}

/// The limit in heavy traffic by the alternating sum in which it was published.
#[test]
fn the_interpolation_is_the_published_one() {
    let binomial =
        |n: u64, k: u64| -> f64 { (1..=k).map(|i| (n - k + i) as f64 / i as f64).product() };
    let factorial = |n: u64| -> f64 { (1..=n).map(|i| i as f64).product() };
    for tasks in 1..=12_u64 {
        let inner = |r: u64| -> f64 {
            (1..=r)
                .map(|m| binomial(r, m) * factorial(m - 1) / (r as f64).powi(m as i32 + 1))
                .sum()
        };
        let limit: f64 = (1..=tasks)
            .map(|r| {
                let sign = if r % 2 == 1 { 1.0 } else { -1.0 };
                sign * binomial(tasks, r) * inner(r)
            })
            .sum();
        let harmonic: f64 = (1..=tasks).map(|k| 1.0 / k as f64).sum();
        for load in [0.1, 0.5, 0.9] {
            let found = ForkJoin::new(tasks, load, 1.0).expect("stable");
            let expected = (harmonic + (limit - harmonic) * load) / (1.0 - load);
            assert_near(found.varma_makowski().expect("few tasks"), expected, 1e-9);
        }
    }
    let many = ForkJoin::new(1000, 0.8, 1.0).expect("stable");
    let (least, most) = many.response_bounds();
    for approximation in [
        many.nelson_tantawi(),
        many.varma_makowski().expect("few tasks"),
    ] {
        assert!(least < approximation && approximation < most);
    }
    let too_many = ForkJoin::new(100_001, 0.8, 1.0).expect("stable");
    assert_eq!(too_many.varma_makowski(), None);
}

#[test]
fn one_task_is_a_plain_queue() {
    let single = MultiServer::single(80.0, 0.01)
        .expect("stable")
        .means
        .response;
    let one = ForkJoin::new(1, 80.0, 0.01).expect("stable");
    assert_eq!(one.response(), Some(single));
    assert_near(one.nelson_tantawi(), single, 1e-14);
    assert_near(one.varma_makowski().expect("few tasks"), single, 1e-12);
    assert_near(split_merge(1, 80.0, 0.01).expect("stable"), single, 1e-13);
    assert!(ForkJoin::new(0, 1.0, 0.1).is_err() && ForkJoin::new(2, 10.0, 0.1).is_err());
}

/// The longest of n exponential times is a sum of n stages with rates n, n - 1, ..., 1; for two tasks the chain of
/// requests in line and tasks left is small.
#[test]
fn split_merge_is_that_of_the_chain() {
    for rate in [20.0, 45.0, 60.0] {
        let mu = 100.0;
        // (requests present, tasks left of the first).
        let chain = stationary((0_u32, 0_u32), |&(present, left)| {
            let mut moves = Vec::new();
            if present < 400 {
                moves.push((
                    (present + 1, left.max(if present == 0 { 2 } else { left })),
                    rate,
                ));
            }
            match left {
                2 => moves.push(((present, 1), 2.0 * mu)),
                1 => {
                    let next = if present > 1 { 2 } else { 0 };
                    moves.push(((present - 1, next), mu));
                }
                _ => {}
            }
            moves
        });
        let expected = mean(&chain, |state| f64::from(state.0)) / rate;
        assert_near(split_merge(2, rate, 0.01).expect("stable"), expected, 1e-6);
    }
    assert!(split_merge(2, 70.0, 0.01).is_err());
}

#[test]
fn a_fan_out_waits_for_its_slowest() {
    for tasks in [1_u64, 3, 10, 1000] {
        let tail = |t: f64| 1.0 - (1.0 - (-t / 0.01_f64).exp()).powi(tasks as i32);
        assert_near(
            mean_of_tail(0.4, tail),
            fan_out_mean(tasks, 0.01).expect("valid"),
            1e-6,
        );
        for p in [0.1, 0.5, 0.99] {
            let quantile = fan_out_quantile(tasks, 0.01, p).expect("valid");
            assert_near(1.0 - tail(quantile), p, 1e-9);
        }
    }
    // The asymptotic series meets the sum where it takes over.
    let step = fan_out_mean(1001, 1.0).expect("valid") - fan_out_mean(1000, 1.0).expect("valid");
    assert_near(step, 1.0 / 1001.0, 1e-9);
    assert!(fan_out_mean(0, 1.0).is_err() && fan_out_quantile(2, 1.0, 1.5).is_err());
}

/// Exact in the corners that have closed forms, near where the chain is known, and below Kingman's bound.
#[test]
fn general_service_is_approximated() {
    for (servers, rate) in [(1, 80.0), (4, 300.0), (16, 1500.0)] {
        let exact = MultiServer::new(servers, rate, 0.01).expect("stable").means;
        let found = general_servers(servers, rate, 1.0, 0.01, 1.0).expect("stable");
        assert_near(found.wait, exact.wait, 1e-13);
        assert_near(found.in_system, exact.in_system, 1e-13);
    }
    for scv in [0.0, 0.4, 3.0] {
        let exact = GeneralService::new(80.0, 0.01, scv).expect("stable").means;
        let found = general_servers(1, 80.0, 1.0, 0.01, scv).expect("stable");
        assert_near(found.wait, exact.wait, 1e-13);
        let bound = kingman_bound(80.0, 1.0, 0.01, scv).expect("stable");
        assert!(exact.wait < bound);
    }
    // E2/M/1: arrivals in two stages, of which the chain knows the current one.
    let (rate, service) = (80.0, 0.01);
    let p = {
        let chain = stationary((0_u32, false), |&(n, second)| {
            let mut moves = Vec::new();
            if n < 300 {
                let next = if second { (n + 1, false) } else { (n, true) };
                moves.push((next, 2.0 * rate));
            }
            if n > 0 {
                moves.push(((n - 1, second), 1.0 / service));
            }
            moves
        });
        mean(&chain, |state| f64::from(state.0.saturating_sub(1))) / rate
    };
    let found = general_servers(1, rate, 0.5, service, 1.0).expect("stable");
    assert_near(found.wait, p, 0.06);
    let bound = kingman_bound(rate, 0.5, service, 1.0).expect("stable");
    assert!(p < bound && bound < 1.5 * p, "{p} {bound}");
    // Near saturation the bound is met.
    let near = GeneralService::new(99.9, 0.01, 2.0)
        .expect("stable")
        .means
        .wait;
    assert_near(
        kingman_bound(99.9, 1.0, 0.01, 2.0).expect("stable"),
        near,
        2e-3,
    );
    assert!(general_servers(2, 200.0, 1.0, 0.01, 1.0).is_err());
    assert!(general_servers(2, 100.0, -1.0, 0.01, 1.0).is_err());
    assert!(kingman_bound(100.0, 1.0, 0.01, 1.0).is_err());
}

/// The two solvers of chains that the tests rest on agree.
#[test]
fn the_solvers_agree() {
    let dense = balance(30, |_| 0.7, |n| n.min(2) as f64 * 0.5);
    let sparse = stationary(0_usize, |&n| {
        let mut moves = Vec::new();
        if n < 29 {
            moves.push((n + 1, 0.7));
        }
        if n > 0 {
            moves.push((n - 1, n.min(2) as f64 * 0.5));
        }
        moves
    });
    for (dense, (_, sparse)) in dense.iter().zip(&sparse) {
        assert!((dense - sparse).abs() < 1e-12);
    }
}
