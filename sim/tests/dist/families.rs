//! The distributions that the tests go through.

use blis_sim::dist::Dist;

/// A mean of 10 ms, in nanoseconds.
pub const MEAN: f64 = 1e7;

/// Distributions with a density, by name: every family, and every branch of every sampler.
pub fn continuous() -> Vec<(&'static str, Dist)> {
    let built = [
        ("exponential", Dist::exponential(MEAN)),
        ("uniform", Dist::uniform(2e6, 9e6)),
        ("erlang 1", Dist::erlang(1, MEAN)),
        ("erlang 3", Dist::erlang(3, MEAN)),
        ("erlang 4", Dist::erlang(4, MEAN)),
        ("erlang 5", Dist::erlang(5, MEAN)),
        ("erlang 50", Dist::erlang(50, MEAN)),
        ("gamma, shape 0.2", Dist::gamma(0.2, MEAN)),
        ("gamma, shape 0.9", Dist::gamma(0.9, MEAN)),
        ("gamma, shape 1", Dist::gamma(1.0, MEAN)),
        ("gamma, shape 2.5", Dist::gamma(2.5, MEAN)),
        ("gamma, cv 0.05", Dist::gamma_mean_cv(MEAN, 0.05)),
        ("gamma, cv 2", Dist::gamma_mean_cv(MEAN, 2.0)),
        ("weibull, shape 0.5", Dist::weibull(0.5, MEAN)),
        ("weibull, cv 0.3", Dist::weibull_mean_cv(MEAN, 0.3)),
        ("weibull, cv 2", Dist::weibull_mean_cv(MEAN, 2.0)),
        ("lognormal, cv 0.8", Dist::lognormal_mean_cv(MEAN, 0.8)),
        (
            "lognormal, median and p95",
            Dist::lognormal_median_p95(3e9, 12e9),
        ),
        (
            "lognormal, median and sigma",
            Dist::lognormal_median_sigma(MEAN, 0.25),
        ),
        (
            "hyperexponential, cv 1",
            Dist::hyperexponential_mean_cv(MEAN, 1.0),
        ),
        (
            "hyperexponential, cv 3",
            Dist::hyperexponential_mean_cv(MEAN, 3.0),
        ),
        (
            "hyperexponential, three branches",
            Dist::hyperexponential(&[(2.0, 1e6), (1.0, 5e6), (0.0, 1e12), (1.0, 4e7)]),
        ),
        ("pareto, shape 1.5", Dist::pareto(2e6, 1e9, 1.5)),
        ("pareto, shape 1", Dist::pareto(1e6, 5e7, 1.0)),
        ("pareto, shape 0.4", Dist::pareto(1e6, 3e8, 0.4)),
        ("pareto, mean", Dist::pareto_mean(MEAN, 1e9, 2.2)),
        ("normal", Dist::normal(MEAN, 4e6, 0.0, None)),
        ("normal, wide", Dist::normal(MEAN, 3e7, 0.0, None)),
        (
            "normal, above its mean",
            Dist::normal(MEAN, 5e6, 1.5e7, Some(4e7)),
        ),
        ("normal, narrow", Dist::normal(MEAN, 5e6, 8e6, Some(1.3e7))),
    ];
    built
        .into_iter()
        .map(|(name, dist)| (name, dist.expect(name)))
        .collect()
}

/// A discrete distribution with its values and their probabilities.
pub type Discrete = (&'static str, Dist, Vec<(f64, f64)>);

/// Distributions over given values.
pub fn discrete() -> Vec<Discrete> {
    // Five of the seven values differ; the input is not sorted.
    let values = [3e6, 1e6, 4e6, 1e6, 5e6, 9e6, 1e6];
    let equally = Dist::empirical(&values).expect("values");
    let seventh = 1.0 / 7.0;
    let shares = vec![
        (1e6, 3.0 * seventh),
        (3e6, seventh),
        (4e6, seventh),
        (5e6, seventh),
        (9e6, seventh),
    ];
    let points = [
        (7e6, 1.0),
        (2e6, 6.0),
        (0.0, 2.0),
        (7e6, 0.5),
        (8e6, 0.0),
        (3e6, 0.5),
    ];
    let weighted = Dist::empirical_weighted(&points).expect("points");
    let weights = vec![(0.0, 0.2), (2e6, 0.6), (3e6, 0.05), (7e6, 0.15)];
    vec![
        ("equally likely", equally, shares),
        ("weighted", weighted, weights),
    ]
}
