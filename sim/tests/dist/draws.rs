//! Independence and uniformity of keyed draws.

use blis_sim::random::{Draw, Key, Kind, Purpose};

use crate::statistics::{
    chi_square, chi_square_threshold, correlation, kolmogorov_smirnov, kolmogorov_threshold,
};

const N: u64 = 250_000;

fn key(entity: &str, purpose: Purpose) -> Key {
    Key::new(77, Kind::Client, entity, purpose)
}

/// Two draws of each of [`N`] pairs, from generators that are keyed closely to one another.
fn neighbours() -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let think = key("users", Purpose::Think);
    let choice = key("users", Purpose::Choice);
    let other = key("user", Purpose::Think);
    let service = Key::new(77, Kind::Service, "users", Purpose::Think);
    let next_seed = Key::new(78, Kind::Client, "users", Purpose::Think);
    let unit = |mut draw: Draw| draw.unit();
    let pairs = |pair: &dyn Fn(u64) -> (Draw, Draw)| {
        (0..N)
            .map(pair)
            .map(|(a, b)| (unit(a), unit(b)))
            .collect::<Vec<_>>()
    };
    let second_word = |n| {
        let mut draw = think.draw(n, 0);
        (draw.unit(), draw.unit())
    };
    vec![
        (
            "consecutive ordinals",
            pairs(&|n| (think.draw(3, n), think.draw(3, n + 1))),
        ),
        (
            "ordinals two apart",
            pairs(&|n| (think.draw(3, n), think.draw(3, n + 2))),
        ),
        (
            "ordinals 1024 apart",
            pairs(&|n| (think.draw(3, n), think.draw(3, n + 1024))),
        ),
        (
            "consecutive indices",
            pairs(&|n| (think.draw(n, 3), think.draw(n + 1, 3))),
        ),
        (
            "index and ordinal exchanged",
            pairs(&|n| (think.draw(n, 0), think.draw(0, n + 1))),
        ),
        (
            "two ordinals of each index",
            pairs(&|n| (think.draw(n, 0), think.draw(n, 1))),
        ),
        (
            "two purposes",
            pairs(&|n| (think.draw(n, 0), choice.draw(n, 0))),
        ),
        (
            "two entities",
            pairs(&|n| (think.draw(n, 0), other.draw(n, 0))),
        ),
        (
            "two kinds",
            pairs(&|n| (think.draw(n, 0), service.draw(n, 0))),
        ),
        (
            "two seeds",
            pairs(&|n| (think.draw(n, 0), next_seed.draw(n, 0))),
        ),
        ("two words of one draw", (0..N).map(second_word).collect()),
    ]
}

#[test]
fn neighbouring_draws_do_not_correlate() {
    // The standard error of the correlation of independent pairs is 1 / sqrt(n).
    for (name, pairs) in neighbours() {
        let found = correlation(&pairs) * (N as f64).sqrt();
        assert!(found.abs() < 4.5, "{name}: {found} standard errors");
    }
}

#[test]
fn neighbouring_draws_fill_the_square_evenly() {
    const SIDE: usize = 50;
    let cell = |unit: f64| (unit * SIDE as f64) as usize;
    for (name, pairs) in neighbours() {
        let mut counts = vec![0; SIDE * SIDE];
        for (a, b) in pairs {
            counts[cell(a) * SIDE + cell(b)] += 1;
        }
        let statistic = chi_square(&counts, |_| N as f64 / counts.len() as f64);
        assert!(
            statistic < chi_square_threshold(counts.len() - 1),
            "{name}: {statistic}"
        );
    }
}

#[test]
fn unit_draws_are_uniform_in_both_directions() {
    let key = key("unit", Purpose::Error);
    let directions: [(&str, &dyn Fn(u64) -> Draw); 2] = [
        ("ordinals", &|n| key.draw(8, n)),
        ("indices", &|n| key.draw(n, 8)),
    ];
    for (direction, draw) in directions {
        for sampler in [Draw::unit, Draw::open_unit] {
            let mut samples: Vec<f64> = (0..N).map(|n| sampler(&mut draw(n))).collect();
            let distance = kolmogorov_smirnov(&mut samples, |x| x);
            assert!(distance < kolmogorov_threshold(), "{direction}: {distance}");
        }
    }
}

#[test]
fn every_bit_of_a_draw_is_one_half_of_the_time() {
    let key = key("bits", Purpose::Member);
    let mut ones = [0_u64; 64];
    for n in 0..N {
        let bits = key.draw(n, n).bits();
        for (bit, count) in ones.iter_mut().enumerate() {
            *count += bits >> bit & 1;
        }
    }
    let half = N as f64 / 2.0;
    for (bit, count) in ones.into_iter().enumerate() {
        let off = (count as f64 - half) / (N as f64 / 4.0).sqrt();
        assert!(off.abs() < 4.5, "bit {bit}: {off} standard errors");
    }
}

#[test]
fn whole_numbers_below_a_bound_are_uniform() {
    let key = key("below", Purpose::Branch);
    for bound in [2_u64, 3, 10, 97] {
        let mut counts = vec![0; bound as usize];
        for n in 0..N {
            counts[key.draw(n, 0).below(bound) as usize] += 1;
        }
        let statistic = chi_square(&counts, |_| N as f64 / bound as f64);
        assert!(
            statistic < chi_square_threshold(counts.len() - 1),
            "{bound}: {statistic}"
        );
    }
    assert_eq!(key.draw(0, 0).below(1), 0);
}

/// Without rejection, three quarters of 2^64 as a bound would hit the first of each three numbers twice as often.
#[test]
fn a_bound_that_does_not_divide_the_words_is_uniform_too() {
    let key = key("large", Purpose::Branch);
    let bound = 3 << 62;
    let mut counts = [0; 3];
    for n in 0..N {
        counts[(key.draw(n, 0).below(bound) % 3) as usize] += 1;
    }
    let statistic = chi_square(&counts, |_| N as f64 / 3.0);
    assert!(
        statistic < chi_square_threshold(2),
        "{counts:?}: {statistic}"
    );
}

#[test]
fn a_draw_depends_on_its_key_alone() {
    let think = key("users", Purpose::Think);
    let first: Vec<u64> = (0..100).map(|n| think.draw(n, 7).bits()).collect();
    let backwards: Vec<u64> = (0..100).rev().map(|n| think.draw(n, 7).bits()).collect();
    assert!(first.iter().eq(backwards.iter().rev()));
    // Names are kept apart from what stands beside them in the key.
    let joined = Key::new(1, Kind::Client, "ab", Purpose::Think);
    assert_ne!(joined, Key::new(1, Kind::Client, "a", Purpose::Think));
    assert_ne!(joined, Key::new(2, Kind::Client, "ab", Purpose::Think));
    assert_ne!(joined, Key::new(1, Kind::Action, "ab", Purpose::Think));
    assert_ne!(joined, Key::new(1, Kind::Client, "ab", Purpose::Choice));
}
