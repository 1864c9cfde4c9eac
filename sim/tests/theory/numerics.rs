//! Independent computations, written for plainness: they share no method with the crate.

/// Fails unless the two agree to a relative error.
#[track_caller]
pub fn assert_near(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{found} is not {expected}"
    );
}

/// The stationary distribution of a birth-death process by elimination in the full system of balance equations.
pub fn balance(
    states: usize,
    birth: impl Fn(usize) -> f64,
    death: impl Fn(usize) -> f64,
) -> Vec<f64> {
    // Row n: flow into state n minus flow out of it. The last row says that the probabilities add up to 1.
    let mut matrix = vec![vec![0.0; states + 1]; states];
    for n in 0..states {
        if n + 1 < states {
            matrix[n + 1][n] += birth(n);
            matrix[n][n] -= birth(n);
        }
        if n > 0 {
            matrix[n - 1][n] += death(n);
            matrix[n][n] -= death(n);
        }
    }
    matrix[states - 1] = vec![1.0; states + 1];
    for pivot in 0..states {
        let best = (pivot..states)
            .max_by(|&a, &b| matrix[a][pivot].abs().total_cmp(&matrix[b][pivot].abs()));
        matrix.swap(pivot, best.expect("a row"));
        let lead = matrix[pivot].clone();
        for (row, line) in matrix.iter_mut().enumerate() {
            if row != pivot {
                let factor = line[pivot] / lead[pivot];
                for (value, lead) in line.iter_mut().zip(&lead).skip(pivot) {
                    *value -= factor * lead;
                }
            }
        }
    }
    matrix
        .iter()
        .enumerate()
        .map(|(n, row)| row[states] / row[n])
        .collect()
}

/// P(response > t) of a request that meets `met[j]` others with j as index, by Runge-Kutta steps through the chain in
/// which it first waits for its turn and is then served.
pub fn response_tail(met: &[f64], servers: usize, service: f64, t: f64) -> f64 {
    // stage[0]: in service. stage[k]: k completions to wait for.
    let mut stage = vec![0.0; met.len() + 1];
    for (others, p) in met.iter().enumerate() {
        stage[(others + 1).saturating_sub(servers)] += p;
    }
    let all = servers as f64 / service;
    let derivative = |stage: &[f64]| -> Vec<f64> {
        let flow = |k: usize| match stage.get(k) {
            Some(p) if k > 0 => all * p,
            Some(p) => p / service,
            None => 0.0,
        };
        (0..stage.len()).map(|k| flow(k + 1) - flow(k)).collect()
    };
    let steps = 20_000;
    let h = t / f64::from(steps);
    let moved = |stage: &[f64], slope: &[f64], h: f64| -> Vec<f64> {
        stage
            .iter()
            .zip(slope)
            .map(|(p, slope)| p + h * slope)
            .collect()
    };
    for _ in 0..steps {
        let k1 = derivative(&stage);
        let k2 = derivative(&moved(&stage, &k1, h / 2.0));
        let k3 = derivative(&moved(&stage, &k2, h / 2.0));
        let k4 = derivative(&moved(&stage, &k3, h));
        for (n, p) in stage.iter_mut().enumerate() {
            *p += h / 6.0 * (k1[n] + 2.0 * k2[n] + 2.0 * k3[n] + k4[n]);
        }
    }
    stage.iter().sum()
}

/// The integral of `tail` from 0 to `end` by Simpson's rule: the mean of what has this tail, if nothing is beyond.
pub fn mean_of_tail(end: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let steps = 4000;
    let h = end / f64::from(steps);
    let weight = |n: i32| match n {
        0 => 1.0,
        n if n == steps => 1.0,
        n if n % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=steps)
        .map(|n| weight(n) * tail(f64::from(n) * h))
        .sum::<f64>()
        * h
        / 3.0
}
