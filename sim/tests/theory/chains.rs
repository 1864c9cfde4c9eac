//! Markov chains solved by iteration over their listed states: independent of every closed form.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The states that can be reached from `start` and their stationary probabilities, by symmetric Gauss-Seidel sweeps
/// through the balance equations. `moves` lists the states that follow a state, with their rates.
pub fn stationary<S: Ord + Clone>(start: S, moves: impl Fn(&S) -> Vec<(S, f64)>) -> Vec<(S, f64)> {
    let (states, out) = explore(vec![start], |state| {
        let moves = moves(state).into_iter();
        moves.map(|(next, rate)| (Some(next), rate)).collect()
    });
    let mut into = vec![Vec::new(); states.len()];
    let mut leaving = vec![0.0; states.len()];
    for (from, moves) in out.iter().enumerate() {
        for &(to, rate) in moves {
            let to = to.expect("no state is absorbing");
            if to != from {
                into[to].push((from, rate));
                leaving[from] += rate;
            }
        }
    }
    let mut p = vec![1.0 / states.len() as f64; states.len()];
    for _ in 0..100_000 {
        let mut change: f64 = 0.0;
        for at in (0..states.len()).chain((0..states.len()).rev()) {
            let flow: f64 = into[at].iter().map(|&(from, rate)| p[from] * rate).sum();
            let new = flow / leaving[at];
            change = change.max((new - p[at]).abs());
            p[at] = new;
        }
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        if change < 1e-15 {
            let labelled = states.into_iter().zip(p);
            return labelled.collect();
        }
    }
    panic!("the sweeps do not converge");
}

/// The mean of `f` over a distribution.
pub fn mean<S>(distribution: &[(S, f64)], f: impl Fn(&S) -> f64) -> f64 {
    distribution.iter().map(|(state, p)| p * f(state)).sum()
}

/// The probability that a chain which starts in a state drawn from `start` is not absorbed within a time t, by
/// Runge-Kutta steps. `None` is absorption.
pub fn survival<S: Ord + Clone>(
    start: &[(S, f64)],
    moves: impl Fn(&S) -> Vec<(Option<S>, f64)>,
    t: f64,
) -> f64 {
    let (states, out) = explore(
        start.iter().map(|(state, _)| state.clone()).collect(),
        moves,
    );
    let position: BTreeMap<&S, usize> = states.iter().zip(0..).collect();
    let mut p = vec![0.0; states.len()];
    for (state, probability) in start {
        p[position[state]] += probability;
    }
    let slope = |p: &[f64]| {
        let mut slope = vec![0.0; p.len()];
        for (from, moves) in out.iter().enumerate() {
            for &(to, rate) in moves {
                slope[from] -= rate * p[from];
                if let Some(to) = to {
                    slope[to] += rate * p[from];
                }
            }
        }
        slope
    };
    let fastest = out
        .iter()
        .map(|moves| moves.iter().map(|(_, rate)| rate).sum::<f64>())
        .fold(0.0, f64::max);
    let steps = (t * fastest * 20.0).ceil().max(100.0);
    let h = t / steps;
    let moved = |p: &[f64], slope: &[f64], h: f64| -> Vec<f64> {
        p.iter()
            .zip(slope)
            .map(|(p, slope)| p + h * slope)
            .collect()
    };
    for _ in 0..steps as u64 {
        let k1 = slope(&p);
        let k2 = slope(&moved(&p, &k1, h / 2.0));
        let k3 = slope(&moved(&p, &k2, h / 2.0));
        let k4 = slope(&moved(&p, &k3, h));
        for (n, p) in p.iter_mut().enumerate() {
            *p += h / 6.0 * (k1[n] + 2.0 * k2[n] + 2.0 * k3[n] + k4[n]);
        }
    }
    p.iter().sum()
}

/// Where a state leads to, by positions, with the rates.
type Moves = Vec<(Option<usize>, f64)>;

/// All states that can be reached from `start`, in their order, and the moves from each.
fn explore<S: Ord + Clone>(
    start: Vec<S>,
    moves: impl Fn(&S) -> Vec<(Option<S>, f64)>,
) -> (Vec<S>, Vec<Moves>) {
    let mut found: BTreeMap<S, Vec<(Option<S>, f64)>> = BTreeMap::new();
    let mut open = start;
    while let Some(state) = open.pop() {
        if let Entry::Vacant(place) = found.entry(state) {
            let moves = moves(place.key());
            open.extend(moves.iter().filter_map(|(next, _)| next.clone()));
            place.insert(moves);
        }
    }
    let positions: BTreeMap<S, usize> = found.keys().cloned().zip(0..).collect();
    let located = |moves: &Vec<(Option<S>, f64)>| {
        let located = moves
            .iter()
            .filter(|(_, rate)| *rate > 0.0)
            .map(|(next, rate)| (next.as_ref().map(|next| positions[next]), *rate));
        located.collect()
    };
    let out = found.values().map(located).collect();
    (found.into_keys().collect(), out)
}
