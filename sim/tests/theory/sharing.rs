//! Priorities and processor sharing.

use blis_sim::theory::{
    GeneralService, Means, MultiServer, Priorities, PriorityClass, ProcessorSharing, shared_classes,
};
use proptest::prelude::*;

use crate::chains::{mean, stationary};
use crate::numerics::assert_near;

fn class(rate: f64, service: f64, scv: f64) -> PriorityClass {
    PriorityClass { rate, service, scv }
}

/// Two classes in the chain of how many of each are present, at most `most` of each, and which one is in service.
/// Returns their mean numbers.
fn two_classes(rates: [f64; 2], services: [f64; 2], preempts: bool, most: u32) -> [f64; 2] {
    // (first class, second class, whether the second is in service)
    let next = |[first, second]: [u32; 2], running: bool| {
        let second_runs = second > 0 && (first == 0 || (running && !preempts));
        (first, second, second_runs)
    };
    let chain = stationary((0, 0, false), |&(first, second, second_runs)| {
        let mut moves = Vec::new();
        if first < most {
            moves.push((next([first + 1, second], second_runs), rates[0]));
        }
        if second < most {
            moves.push((next([first, second + 1], second_runs), rates[1]));
        }
        if second_runs {
            moves.push((next([first, second - 1], false), 1.0 / services[1]));
        } else if first > 0 {
            moves.push((next([first - 1, second], false), 1.0 / services[0]));
        }
        moves
    });
    [
        mean(&chain, |state| f64::from(state.0)),
        mean(&chain, |state| f64::from(state.1)),
    ]
}

#[test]
fn two_classes_are_those_of_the_chain() {
    let cases = [
        ([20.0, 30.0], [0.01, 0.01]),
        ([10.0, 20.0], [0.03, 0.01]),
        ([40.0, 5.0], [0.005, 0.05]),
        ([25.0, 10.0], [0.01, 0.02]),
    ];
    for (rates, services) in cases {
        let classes = [
            class(rates[0], services[0], 1.0),
            class(rates[1], services[1], 1.0),
        ];
        for preempts in [false, true] {
            let found = if preempts {
                Priorities::preemptive_resume(&classes)
            } else {
                Priorities::non_preemptive(&classes)
            };
            let expected = two_classes(rates, services, preempts, 45);
            for (means, expected) in found.expect("stable").classes.iter().zip(expected) {
                assert_near(means.in_system, expected, 1e-6);
            }
        }
    }
}

/// Three classes on two and three servers: how many of each wait, and of each are served.
#[test]
fn several_servers_are_those_of_the_chain() {
    type State = ([u32; 2], [u32; 2]);
    for (servers, rates, service) in [
        (2_u32, [40.0, 70.0], 0.01),
        (3, [60.0, 90.0], 0.012),
        (2, [90.0, 20.0], 0.01),
    ] {
        for preempts in [false, true] {
            // Fills free servers in the order of the classes; under preemption the first class takes them over.
            let settle = |(mut waits, mut runs): State| {
                if preempts {
                    let all = [waits[0] + runs[0], waits[1] + runs[1]];
                    runs[0] = all[0].min(servers);
                    runs[1] = all[1].min(servers - runs[0]);
                    waits = [all[0] - runs[0], all[1] - runs[1]];
                } else {
                    for class in 0..2 {
                        let free = servers - runs[0] - runs[1];
                        let starts = free.min(waits[class]);
                        runs[class] += starts;
                        waits[class] -= starts;
                    }
                }
                (waits, runs)
            };
            let chain = stationary(([0, 0], [0, 0]), |&(waits, runs): &State| {
                let mut moves = Vec::new();
                for class in 0..2 {
                    if waits[class] < 40 {
                        let mut more = waits;
                        more[class] += 1;
                        moves.push((settle((more, runs)), rates[class]));
                    }
                    if runs[class] > 0 {
                        let mut fewer = runs;
                        fewer[class] -= 1;
                        let rate = f64::from(runs[class]) / service;
                        moves.push((settle((waits, fewer)), rate));
                    }
                }
                moves
            });
            let found = if preempts {
                Priorities::preemptive_resume_servers(u64::from(servers), service, &rates)
            } else {
                Priorities::non_preemptive_servers(u64::from(servers), service, &rates)
            };
            for (at, means) in found.expect("stable").classes.iter().enumerate() {
                let waiting = mean(&chain, |(waits, _)| f64::from(waits[at]));
                let running = mean(&chain, |(_, runs)| f64::from(runs[at]));
                assert_near(means.queue, waiting, 1e-6);
                assert_near(means.in_system, waiting + running, 1e-6);
                assert_near(means.utilisation, running / f64::from(servers), 1e-6);
            }
        }
    }
}

/// Constant service: one class is M/D/1, and two equal classes wait as that on average, the first less.
#[test]
fn one_class_is_a_plain_queue() {
    for scv in [0.0, 0.5, 4.0] {
        let plain = GeneralService::new(70.0, 0.01, scv).expect("stable").means;
        let one = [class(70.0, 0.01, scv)];
        let without = Priorities::non_preemptive(&one).expect("stable").classes[0];
        let with = Priorities::preemptive_resume(&one).expect("stable").classes[0];
        for found in [without, with] {
            assert_near(found.wait, plain.wait, 1e-13);
            assert_near(found.response, plain.response, 1e-13);
        }
        let halves = [class(35.0, 0.01, scv), class(35.0, 0.01, scv)];
        let [first, second] = Priorities::non_preemptive(&halves).expect("stable").classes[..]
        else {
            panic!("two classes");
        };
        assert_near((first.wait + second.wait) / 2.0, plain.wait, 1e-13);
        // (1 - 0.7) of the second, by the formula's denominators.
        assert_near(first.wait / second.wait, 0.3, 1e-12);
    }
    let plain = MultiServer::new(5, 420.0, 0.01).expect("stable").means;
    let found = Priorities::non_preemptive_servers(5, 0.01, &[420.0]).expect("stable");
    assert_near(found.classes[0].wait, plain.wait, 1e-12);
    let found = Priorities::preemptive_resume_servers(5, 0.01, &[420.0]).expect("stable");
    assert_near(found.classes[0].wait, plain.wait, 1e-12);
}

proptest! {
    /// The conservation law (Kleinrock 1965): the order of the classes moves waits about and leaves their sum, weighted by
    /// the utilisation of each, as it is.
    #[test]
    fn work_is_conserved(
        classes in prop::collection::vec((0.1..10.0_f64, 0.01..2.0_f64, 0.0..5.0_f64), 1..6),
        load in 0.05..0.97_f64,
    ) {
        let offered: f64 = classes.iter().map(|(rate, service, _)| rate * service).sum();
        let classes: Vec<PriorityClass> = classes
            .into_iter()
            .map(|(rate, service, scv)| class(rate * load / offered, service, scv))
            .collect();
        let found = Priorities::non_preemptive(&classes).expect("stable").classes;
        let weighted: f64 = found.iter().map(|means| means.utilisation * means.wait).sum();
        let remaining: f64 = classes
            .iter()
            .map(|c| c.rate * c.service * c.service * (1.0 + c.scv) / 2.0)
            .sum();
        prop_assert!((weighted / (load * remaining / (1.0 - load)) - 1.0).abs() < 1e-10);
        prop_assert!(found.windows(2).all(|pair| pair[0].wait <= pair[1].wait));
        // The last class waits longer when it is interrupted, the first no longer.
        let interrupted = Priorities::preemptive_resume(&classes).expect("stable").classes;
        let last = classes.len() - 1;
        prop_assert!(interrupted[last].wait >= found[last].wait * (1.0 - 1e-12));
        prop_assert!(interrupted[0].wait <= found[0].wait * (1.0 + 1e-12));
        for means in found.iter().chain(&interrupted) {
            prop_assert!((means.queue / (means.throughput * means.wait) - 1.0).abs() < 1e-12);
        }
    }

    /// With equal exponential service it makes no difference to the number present who is served.
    #[test]
    fn equal_classes_add_up_to_one_queue(
        rates in prop::collection::vec(0.1..10.0_f64, 1..6),
        servers in 1..30_u64,
        load in 0.05..0.97_f64,
    ) {
        let sum: f64 = rates.iter().sum();
        let service = load * servers as f64 / sum;
        let all = MultiServer::new(servers, sum, service).expect("stable").means;
        for found in [
            Priorities::non_preemptive_servers(servers, service, &rates),
            Priorities::preemptive_resume_servers(servers, service, &rates),
        ] {
            let total = |f: fn(&Means) -> f64| -> f64 {
                found.as_ref().expect("stable").classes.iter().map(f).sum()
            };
            prop_assert!((total(|m| m.in_system) / all.in_system - 1.0).abs() < 1e-9);
            prop_assert!((total(|m| m.utilisation) / all.utilisation - 1.0).abs() < 1e-9);
            prop_assert!((total(|m| m.throughput) / sum - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn impossible_priorities_are_refused() {
    assert!(Priorities::non_preemptive(&[]).is_err());
    assert!(Priorities::preemptive_resume_servers(2, 1.0, &[]).is_err());
    let full = [class(50.0, 0.01, 1.0), class(60.0, 0.01, 1.0)];
    assert!(Priorities::non_preemptive(&full).is_err());
    assert!(Priorities::preemptive_resume(&full).is_err());
    assert!(Priorities::non_preemptive_servers(1, 0.01, &[50.0, 50.0]).is_err());
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(Priorities::non_preemptive(&[class(bad, 0.01, 1.0)]).is_err());
        assert!(Priorities::non_preemptive(&[class(1.0, bad, 1.0)]).is_err());
        assert!(Priorities::preemptive_resume(&[class(1.0, 0.01, bad)]).is_err());
        assert!(Priorities::preemptive_resume_servers(1, 0.01, &[bad]).is_err());
    }
}

/// Two classes that share one server: a leaves at (number of a) / (number present) of its rate.
#[test]
fn sharing_is_that_of_the_chain() {
    for (rates, services) in [
        ([20.0, 30.0], [0.01, 0.01]),
        ([10.0, 20.0], [0.03, 0.01]),
        ([30.0, 2.0], [0.01, 0.1]),
    ] {
        let chain = stationary((0_u32, 0_u32), |&(a, b)| {
            let mut moves = Vec::new();
            let present = f64::from(a + b);
            if a < 50 {
                moves.push(((a + 1, b), rates[0]));
            }
            if b < 50 {
                moves.push(((a, b + 1), rates[1]));
            }
            if a > 0 {
                moves.push(((a - 1, b), f64::from(a) / present / services[0]));
            }
            if b > 0 {
                moves.push(((a, b - 1), f64::from(b) / present / services[1]));
            }
            moves
        });
        let classes = [(rates[0], services[0]), (rates[1], services[1])];
        let found = shared_classes(&classes).expect("stable");
        assert_near(found[0].in_system, mean(&chain, |s| f64::from(s.0)), 1e-6);
        assert_near(found[1].in_system, mean(&chain, |s| f64::from(s.1)), 1e-6);
        // All of them together are one class of the mixture.
        let rate = rates[0] + rates[1];
        let mixture = (rates[0] * services[0] + rates[1] * services[1]) / rate;
        let all = ProcessorSharing::new(1, rate, mixture).expect("stable");
        assert_near(
            all.means.in_system,
            found[0].in_system + found[1].in_system,
            1e-12,
        );
        for (means, service) in found.iter().zip(services) {
            let conditional = all.conditional_response(service).expect("a length");
            assert_near(means.response, conditional, 1e-12);
        }
    }
}

/// Two kinds of service times on several servers that are shared: the number present is that of M/M/c with their mean, and
/// the response of each kind is in proportion to its length.
#[test]
fn shared_servers_are_insensitive() {
    for (servers, rates, services) in [
        (2_u32, [60.0, 60.0], [0.015, 0.005]),
        (4, [150.0, 50.0], [0.008, 0.03]),
    ] {
        let chain = stationary((0_u32, 0_u32), |&(a, b)| {
            let pace = f64::from(servers.min(a + b)) / f64::from((a + b).max(1));
            let mut moves = Vec::new();
            if a < 60 {
                moves.push(((a + 1, b), rates[0]));
            }
            if b < 60 {
                moves.push(((a, b + 1), rates[1]));
            }
            if a > 0 {
                moves.push(((a - 1, b), f64::from(a) * pace / services[0]));
            }
            if b > 0 {
                moves.push(((a, b - 1), f64::from(b) * pace / services[1]));
            }
            moves
        });
        let rate = rates[0] + rates[1];
        let service = (rates[0] * services[0] + rates[1] * services[1]) / rate;
        let found = ProcessorSharing::new(u64::from(servers), rate, service).expect("stable");
        let numbers = [
            mean(&chain, |s| f64::from(s.0)),
            mean(&chain, |s| f64::from(s.1)),
        ];
        assert_near(found.means.in_system, numbers[0] + numbers[1], 1e-6);
        for at in 0..2 {
            let response = found.conditional_response(services[at]).expect("a length");
            assert_near(response, numbers[at] / rates[at], 1e-6);
        }
    }
}

#[test]
fn one_shared_server_is_the_textbook_case() {
    let shared = ProcessorSharing::new(1, 80.0, 0.01).expect("stable");
    assert_near(shared.means.response, 0.05, 1e-13);
    assert_near(shared.slowdown, 5.0, 1e-13);
    assert_near(
        shared.conditional_response(0.002).expect("a length"),
        0.01,
        1e-13,
    );
    assert!(ProcessorSharing::new(1, 100.0, 0.01).is_err());
    assert!(shared.conditional_response(-1.0).is_err());
    assert!(shared_classes(&[(50.0, 0.01), (50.0, 0.01)]).is_err());
    assert!(shared_classes(&[(f64::NAN, 0.01)]).is_err());
}
