//! Open networks, stations in series, and service in phases.

use blis_sim::theory::{
    DeterministicService, GeneralService, MultiServer, OpenNetwork, OpenStation, PhaseService,
    Tandem, TheoryError, traffic,
};
use proptest::prelude::*;

use crate::chains::{mean, stationary, survival};
use crate::numerics::{assert_near, mean_of_tail};

fn station(servers: u64, service: f64) -> OpenStation {
    OpenStation { servers, service }
}

/// Means of the joint chain of a network of two stations, at most `most` requests at each.
fn two_stations(
    stations: [(u32, f64); 2],
    external: [f64; 2],
    routing: [[f64; 2]; 2],
    most: u32,
) -> Vec<([u32; 2], f64)> {
    stationary([0_u32; 2], |state| {
        let mut moves = Vec::new();
        let with = |at: usize, change: i64| {
            let mut next = *state;
            next[at] = u32::try_from(i64::from(next[at]) + change).expect("not negative");
            next
        };
        for at in 0..2 {
            if state[at] < most {
                moves.push((with(at, 1), external[at]));
            }
            if state[at] == 0 {
                continue;
            }
            let (servers, service) = stations[at];
            let rate = f64::from(servers.min(state[at])) / service;
            let other = 1 - at;
            let mut moved = with(at, -1);
            moves.push((moved, rate * (1.0 - routing[at][0] - routing[at][1])));
            if state[other] < most {
                moved[other] += 1;
                moves.push((moved, rate * routing[at][other]));
            }
        }
        moves
    })
}

#[test]
fn jackson_networks_are_those_of_the_joint_chain() {
    let cases = [
        // In series, with a return, both with entries of their own, and with a station that sends to itself.
        (
            [(1, 0.01), (1, 0.012)],
            [50.0, 0.0],
            [[0.0, 1.0], [0.0, 0.0]],
        ),
        (
            [(1, 0.01), (2, 0.015)],
            [30.0, 0.0],
            [[0.0, 0.6], [0.5, 0.0]],
        ),
        (
            [(2, 0.02), (1, 0.008)],
            [30.0, 20.0],
            [[0.0, 0.3], [0.2, 0.0]],
        ),
        (
            [(1, 0.005), (3, 0.02)],
            [40.0, 10.0],
            [[0.3, 0.5], [0.1, 0.2]],
        ),
    ];
    for (stations, external, routing) in cases {
        let chain = two_stations(stations, external, routing, 40);
        let network = OpenNetwork::new(
            &stations.map(|(servers, service)| station(u64::from(servers), service)),
            &external,
            &routing.map(|row| row.to_vec()),
        )
        .expect("stable");
        for at in 0..2 {
            let means = network.queues[at].as_ref().expect("visited").means;
            let (servers, service) = stations[at];
            let present = mean(&chain, |state| f64::from(state[at]));
            let busy = mean(&chain, |state| f64::from(state[at].min(servers)));
            assert_near(means.in_system, present, 1e-5);
            assert_near(means.throughput, busy / service, 1e-5);
            assert_near(means.utilisation, busy / f64::from(servers), 1e-5);
        }
        let total = mean(&chain, |state| f64::from(state[0] + state[1]));
        assert_near(network.in_system(), total, 1e-5);
        assert_near(
            network.response(),
            total / (external[0] + external[1]),
            1e-5,
        );
        let visits: f64 = network.visits().iter().sum();
        assert_near(
            visits * network.throughput,
            network.rates.iter().sum(),
            1e-13,
        );
    }
}

/// A computer with a processor and two disks (the central server of Buzen 1973, opened): the processor is visited 1/(1 - 0.9)
/// times.
#[test]
fn a_central_server_is_worked_out_by_hand() {
    let routing = vec![
        vec![0.0, 0.6, 0.3],
        vec![1.0, 0.0, 0.0],
        vec![1.0, 0.0, 0.0],
    ];
    let stations = [station(1, 0.005), station(1, 0.015), station(2, 0.03)];
    let network = OpenNetwork::new(&stations, &[10.0, 0.0, 0.0], &routing).expect("stable");
    for (rate, expected) in network.rates.iter().zip([100.0, 60.0, 30.0]) {
        assert_near(*rate, expected, 1e-13);
    }
    // 1 for a load of 0.5, 9 for 0.9, and 0.9 / (1 - 0.45^2) for 0.9 on two servers.
    let expected = 1.0 + 9.0 + 0.9 / (1.0 - 0.45 * 0.45);
    assert_near(network.in_system(), expected, 1e-11);
    assert_near(network.response(), expected / 10.0, 1e-11);
}

#[test]
fn traffic_without_a_solution_is_refused() {
    let stations = [station(1, 0.01), station(1, 0.01), station(1, 0.01)];
    // The second and third send to each other for ever.
    let trapped = vec![
        vec![0.0, 0.5, 0.0],
        vec![0.0, 0.0, 1.0],
        vec![0.0, 1.0, 0.0],
    ];
    let error = traffic(&[1.0, 0.0, 0.0], &trapped).expect_err("a trap");
    assert_eq!(error, TheoryError::NoWayOut { station: 1 });
    assert_eq!(
        error.to_string(),
        "what comes to station 1 can never leave the network"
    );
    // Nothing comes to the trap from here.
    let mut avoided = trapped.clone();
    avoided[0][1] = 0.0;
    assert_eq!(traffic(&[1.0, 0.0, 0.0], &avoided), Ok(vec![1.0, 0.0, 0.0]));
    let network = OpenNetwork::new(&stations, &[1.0, 0.0, 0.0], &avoided).expect("stable");
    assert_eq!(network.queues[1], None);
    // A way out that a request finds once in 10^18 visits: 1 minus the probability of staying would have no digits left.
    let rare = vec![
        vec![1.0 - 1e-6, 1e-6, 0.0],
        vec![1.0 - 1e-6, 0.0, 1e-6],
        vec![1.0 - 1e-6, 0.0, 0.0],
    ];
    let rates = traffic(&[1.0, 0.0, 0.0], &rare).expect("a way out");
    for (rate, expected) in rates.iter().zip([1e18, 1e12, 1e6]) {
        assert_near(*rate, expected, 1e-9);
    }
    let endless = vec![vec![1.0]];
    assert!(traffic(&[1.0], &endless).is_err());
    let series = vec![
        vec![0.0, 1.0, 0.0],
        vec![0.0, 0.0, 1.0],
        vec![0.0, 0.0, 0.0],
    ];
    let slow = [station(1, 0.01), station(1, 0.03), station(1, 0.01)];
    assert_eq!(
        OpenNetwork::new(&slow, &[40.0, 0.0, 0.0], &series),
        Err(TheoryError::UnstableStation {
            station: 1,
            utilisation: 1.2
        })
    );
    for routing in [
        vec![vec![0.5, 0.6], vec![0.0, 0.0]],
        vec![vec![-0.1, 0.6], vec![0.0, 0.0]],
        vec![vec![f64::NAN, 0.6], vec![0.0, 0.0]],
        vec![vec![0.0], vec![0.0]],
        vec![vec![0.0, 0.0]],
    ] {
        assert!(traffic(&[1.0, 1.0], &routing).is_err(), "{routing:?}");
    }
    assert!(traffic(&[-1.0], &[vec![0.0]]).is_err());
    assert!(OpenNetwork::new(&stations, &[0.0; 3], &series).is_err());
    assert!(OpenNetwork::new(&stations, &[1.0], &[vec![0.0]]).is_err());
}

proptest! {
    /// What comes to a station is what comes from outside and from the others, and what comes from outside leaves.
    #[test]
    fn flow_is_conserved(
        rows in prop::collection::vec(
            (prop::collection::vec(0.0..1.0_f64, 7), 0.01..1.0_f64, 0.0..5.0_f64), 1..7,
        ),
    ) {
        let count = rows.len();
        let routing: Vec<Vec<f64>> = rows
            .iter()
            .map(|(row, leave, _)| {
                let sum: f64 = row[..count].iter().sum::<f64>() + leave;
                row[..count].iter().map(|p| p / sum).collect()
            })
            .collect();
        let external: Vec<f64> = rows.iter().map(|(_, _, rate)| *rate).collect();
        let rates = traffic(&external, &routing).expect("everything leaves");
        for (to, rate) in rates.iter().enumerate() {
            let inflow: f64 = rates.iter().zip(&routing).map(|(rate, row)| rate * row[to]).sum();
            prop_assert!((rate - inflow - external[to]).abs() < 1e-9 * (1.0 + rate));
        }
        let leaving: f64 = rates
            .iter()
            .zip(&routing)
            .map(|(rate, row)| rate * (1.0 - row.iter().sum::<f64>()))
            .sum();
        prop_assert!((leaving - external.iter().sum::<f64>()).abs() < 1e-9);
    }

    /// More traffic means longer responses at every station and in sum.
    #[test]
    fn responses_grow_with_traffic(load in 0.01..0.9_f64, more in 0.001..0.09_f64, servers in 1..5_u64) {
        let network = |load: f64| {
            let stations = [station(1, 1.0), station(servers, servers as f64)];
            let routing = [vec![0.0, 1.0], vec![0.2, 0.0]];
            OpenNetwork::new(&stations, &[0.8 * load, 0.0], &routing).expect("stable")
        };
        let (less, more) = (network(load), network(load + more));
        prop_assert!(less.response() < more.response());
        prop_assert!(less.in_system() < more.in_system());
    }
}

#[test]
fn a_series_of_equal_stages_is_erlang() {
    // Two stations whose responses have the rate 20 each: P(R > t) = exp(-20 t) (1 + 20 t).
    let tandem = Tandem::new(80.0, &[(1, 0.01), (1, 0.01)]).expect("stable");
    assert_near(tandem.response, 0.1, 1e-13);
    for t in [0.001_f64, 0.05, 0.3, 1.0] {
        let x = 20.0 * t;
        assert_near(tandem.response_tail(t), (-x).exp() * (1.0 + x), 1e-11);
    }
    let median = tandem.response_quantile(0.5) * 20.0;
    // The median of an Erlang time of two stages (Abramowitz and Stegun 1964, table 26.7: half a chi-square median of
    // four degrees of freedom, 3.35669).
    assert_near(median, 3.356_69 / 2.0, 1e-5);
    assert_eq!(tandem.response_tail(-1.0), 1.0);
    assert_eq!(tandem.response_tail(1e12), 0.0);
    assert_eq!(tandem.response_tail(f64::INFINITY), 0.0);
    assert!(tandem.response_tail(f64::NAN).is_nan());
}

#[test]
fn a_series_of_distinct_stages_is_hypoexponential() {
    let rate = 60.0;
    let services = [0.01, 0.005, 0.014, 0.002];
    let stations = services.map(|service| (1, service));
    let tandem = Tandem::new(rate, &stations).expect("stable");
    let rates = services.map(|service| 1.0 / service - rate);
    for t in [0.01, 0.1, 0.4] {
        let expected: f64 = rates
            .iter()
            .map(|a| {
                let others = rates.iter().filter(|b| *b != a);
                others.map(|b| b / (b - a)).product::<f64>() * (-a * t).exp()
            })
            .sum();
        assert_near(tandem.response_tail(t), expected, 1e-9);
    }
    assert_near(
        mean_of_tail(4.0, |t| tandem.response_tail(t)),
        tandem.response,
        1e-6,
    );
    // Stages of a microsecond and of seconds.
    let stiff = Tandem::new(0.01, &[(1, 1e-6), (1, 50.0)]).expect("stable");
    for t in [10.0_f64, 500.0, 2000.0] {
        assert_near(stiff.response_tail(t), (-0.01 * (t - 1e-6)).exp(), 1e-5);
    }
}

/// The first and the last station may have several servers: the tail of the sum, by integration over the first response.
#[test]
fn the_ends_of_a_series_may_have_several_servers() {
    for (stations, rate) in [
        ([(4, 0.01), (1, 0.002)], 300.0),
        ([(1, 0.002), (4, 0.01)], 300.0),
        ([(2, 0.01), (3, 0.02)], 120.0),
    ] {
        let tandem = Tandem::new(rate, &stations).expect("stable");
        let [first, second] = stations
            .map(|(servers, service)| MultiServer::new(servers, rate, service).expect("stable"));
        for t in [0.005_f64, 0.02, 0.08] {
            let steps = 20_000;
            let h = t / f64::from(steps);
            let at = |n: i32| first.response_tail(h * f64::from(n));
            let within: f64 = (0..steps)
                .map(|n| {
                    let middle = h * (f64::from(n) + 0.5);
                    (at(n) - at(n + 1)) * second.response_tail(t - middle)
                })
                .sum();
            let expected = first.response_tail(t) + within;
            assert_near(tandem.response_tail(t), expected, 1e-7);
        }
        for p in [0.5, 0.99] {
            assert_near(
                tandem.response_tail(tandem.response_quantile(p)),
                1.0 - p,
                1e-9,
            );
        }
    }
    let one = Tandem::new(300.0, &[(4, 0.01)]).expect("stable");
    let alone = MultiServer::new(4, 300.0, 0.01).expect("stable");
    assert_near(
        one.response_quantile(0.95),
        alone.response_quantile(0.95),
        1e-11,
    );
    assert!(Tandem::new(50.0, &[(1, 0.01), (2, 0.01), (1, 0.01)]).is_err());
    assert!(Tandem::new(50.0, &[]).is_err());
    assert!(Tandem::new(50.0, &[(1, 0.01); 65]).is_err());
    assert_eq!(
        Tandem::new(150.0, &[(4, 0.01), (1, 0.01)]),
        Err(TheoryError::UnstableStation {
            station: 1,
            utilisation: 1.5
        })
    );
}

/// M/E/1: an arrival finds some stages of work and waits for them.
#[test]
fn service_in_stages_is_that_of_the_chain() {
    for (rate, stages, service) in [(60.0, 2_u32, 0.01), (80.0, 3, 0.01), (70.0, 8, 0.01)] {
        let pace = f64::from(stages) / service;
        let chain = stationary(0_u32, |&work| {
            let mut moves = Vec::new();
            if work < 100 * stages {
                moves.push((work + stages, rate));
            }
            if work > 0 {
                moves.push((work - 1, pace));
            }
            moves
        });
        let found = PhaseService::erlang(rate, stages, service).expect("stable");
        let waits: Vec<(u32, f64)> = chain
            .iter()
            .filter(|(work, _)| *work > 0)
            .copied()
            .collect();
        let own: Vec<(u32, f64)> = chain.iter().map(|(work, p)| (work + stages, *p)).collect();
        let done = |&work: &u32| vec![((work > 1).then(|| work - 1), pace)];
        for t in [0.003, 0.02, 0.08] {
            assert_near(found.wait_tail(t), survival(&waits, done, t), 1e-6);
            assert_near(found.response_tail(t), survival(&own, done, t), 1e-6);
        }
        assert_near(
            mean_of_tail(1.5, |t| found.response_tail(t)),
            found.means.response,
            1e-6,
        );
        for p in [0.5, 0.99] {
            assert_near(
                found.response_tail(found.response_quantile(p)),
                1.0 - p,
                1e-9,
            );
        }
    }
}

/// M/H/1: the transform of the wait has two poles, the roots of a quadratic.
#[test]
fn service_by_branches_has_two_poles() {
    for (rate, branches) in [
        (50.0_f64, [(0.9, 0.005_f64), (0.1, 0.055)]),
        (80.0, [(0.5, 0.002), (0.5, 0.018)]),
        (30.0, [(0.3, 0.02), (0.7, 0.01)]),
    ] {
        let [(p, a), (q, b)] = branches;
        let service = p * a + q * b;
        let busy = rate * service;
        // s - rate + rate B(s) = 0 with B(s) = p / (1 + a s) + q / (1 + b s), divided by s.
        let (square, linear, constant) = (a * b, a + b - rate * a * b, 1.0 - busy);
        let root = (linear * linear - 4.0 * square * constant).sqrt();
        let poles = [
            (linear + root) / (2.0 * square),
            (linear - root) / (2.0 * square),
        ];
        // The residues of (1 - busy) (1 + a s) (1 + b s) / (square (s + x) (s + y)).
        let tail = |t: f64| -> f64 {
            let weight =
                |x: f64, y: f64| (1.0 - busy) * (1.0 - a * x) * (1.0 - b * x) / (square * (y - x));
            let [x, y] = poles;
            weight(x, y) / x * (-x * t).exp() + weight(y, x) / y * (-y * t).exp()
        };
        let found = PhaseService::hyperexponential(rate, &branches).expect("stable");
        for t in [0.0, 0.004, 0.03, 0.2] {
            assert_near(found.wait_tail(t), tail(t), 1e-9);
        }
        let scv = 2.0 * (p * a * a + q * b * b) / (service * service) - 1.0;
        let general = GeneralService::new(rate, service, scv)
            .expect("stable")
            .means;
        assert_near(found.means.wait, general.wait, 1e-12);
        assert_near(
            mean_of_tail(3.0, |t| found.wait_tail(t)),
            general.wait,
            1e-6,
        );
        assert_near(
            mean_of_tail(3.0, |t| found.response_tail(t)),
            general.response,
            1e-6,
        );
        let p99 = found.wait_quantile(0.99);
        assert_near(tail(p99), 0.01, 1e-8);
    }
}

#[test]
fn one_phase_is_m_m_1_and_many_are_nearly_constant() {
    let single = MultiServer::single(80.0, 0.01).expect("stable");
    for found in [
        PhaseService::erlang(80.0, 1, 0.01),
        PhaseService::hyperexponential(80.0, &[(1.0, 0.01)]),
        PhaseService::hyperexponential(80.0, &[(0.25, 0.01), (0.75, 0.01)]),
    ] {
        let found = found.expect("stable");
        for p in [0.5, 0.95, 0.999] {
            assert_near(
                found.response_quantile(p),
                single.response_quantile(p),
                1e-10,
            );
            assert_near(found.wait_quantile(p), single.wait_quantile(p), 1e-10);
        }
    }
    let constant = DeterministicService::new(80.0, 0.01).expect("stable");
    let stages = PhaseService::erlang(80.0, 32, 0.01).expect("stable");
    assert_near(
        stages.response_quantile(0.95),
        constant.response_quantile(0.95),
        0.04,
    );
    assert!(stages.response_quantile(0.95) > constant.response_quantile(0.95));
    assert!(PhaseService::erlang(80.0, 33, 0.01).is_err());
    assert!(PhaseService::erlang(80.0, 0, 0.01).is_err());
    assert!(PhaseService::erlang(100.0, 2, 0.01).is_err());
    assert!(PhaseService::hyperexponential(80.0, &[]).is_err());
    assert!(PhaseService::hyperexponential(80.0, &[(0.5, 0.01)]).is_err());
    assert!(PhaseService::hyperexponential(80.0, &[(1.5, 0.001), (-0.5, 0.001)]).is_err());
    assert!(PhaseService::hyperexponential(1.0, &[(1.0, 0.0)]).is_err());
}
