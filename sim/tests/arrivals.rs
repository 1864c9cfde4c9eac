//! When open clients send: shapes of the rate, recorded arrivals and cohorts, as a run shows them.

use blis_sim::analysis::{exact, offered};
use blis_sim::event::{Event, Sink};
use blis_sim::model::{ActionId, Model, Source};
use blis_sim::simulation::Simulation;
use blis_sim::spec::{self, Files};
use blis_sim::time::Time;

/// One intended request: instant, user number, number within the user, action.
type Sent = (u64, u64, u64, ActionId);

/// Keeps what was intended.
#[derive(Debug, Default)]
struct Requests(Vec<Sent>);

impl Sink for Requests {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, at: Time, event: Event<'_>) {
        if let Event::Intended { request } = event {
            let sent = (
                at.as_nanos(),
                request.user_number,
                request.number,
                request.action,
            );
            self.0.push(sent);
        }
    }
}

fn text(run: &str, client: &str) -> String {
    format!(
        "blis: 1\nname: arrivals\nseed: 11\nrun: {{{run}}}\nclients:\n  users: {{{client}}}\n\
         actions:\n  ask: {{path: [{{visit: api}}, reply]}}\n  tell: {{path: [reply]}}\n\
         services:\n  api: {{workers: 1000, time: 1us}}\n"
    )
}

fn model_of(text: &str, files: &Files) -> Model {
    let spec = spec::read(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let lowered = spec::lower_with(&spec, files);
    let lowered = lowered.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    assert_eq!(lowered.warnings.len(), 1, "an action is not done");
    lowered.model
}

fn simulated(model: &Model) -> Simulation<Requests> {
    let mut simulation = Simulation::new(model, Requests::default());
    simulation.run().expect("time goes by");
    simulation
}

fn sent(run: &str, client: &str) -> Vec<Sent> {
    let model = model_of(&text(run, client), &Files::default());
    simulated(&model).into_sink().0
}

/// The instants of the requests in seconds.
fn instants(run: &str, client: &str) -> Vec<f64> {
    sent(run, client)
        .iter()
        .map(|(at, ..)| *at as f64 / 1e9)
        .collect()
}

const SECOND: f64 = 1.0;
const HORIZON: f64 = 120.0;

type Factor = fn(f64) -> f64;

/// Shapes with their factors, written down anew.
const SHAPES: [(&str, Factor); 9] = [
    ("{ramp: {from: 0.1, over: 60s}}", |t| {
        if t < 60.0 { 0.1 + 0.9 * t / 60.0 } else { 1.0 }
    }),
    (
        "{ramp: {from: 2, to: 0.5, at: 20s, over: 40s}}",
        |t| match t {
            t if t < 20.0 => 2.0,
            t if t < 60.0 => 2.0 - 1.5 * (t - 20.0) / 40.0,
            _ => 0.5,
        },
    ),
    (
        "{stages: [{over: 30s, to: 1.5}, {over: 20s, to: 1.5}, {over: 10s, from: 0.5, to: 0}, {over: 20s, to: 1}]}",
        |t| match t {
            t if t < 30.0 => 1.5 * t / 30.0,
            t if t < 50.0 => 1.5,
            t if t < 60.0 => 0.5 - 0.5 * (t - 50.0) / 10.0,
            t if t < 80.0 => (t - 60.0) / 20.0,
            _ => 1.0,
        },
    ),
    ("{stairs: {levels: [0.5, 0, 1.5], every: 30s}}", |t| {
        [0.5, 0.0, 1.5, 1.5][(t / 30.0) as usize]
    }),
    (
        "{spike: [{at: 10s, for: 5s, factor: 6}, {at: 60s, for: 30s, factor: 0}]}",
        |t| match t {
            t if (10.0..15.0).contains(&t) => 6.0,
            t if (60.0..90.0).contains(&t) => 0.0,
            _ => 1.0,
        },
    ),
    ("{drain: {at: 30s, over: 60s}}", |t| {
        (1.0 - (t - 30.0) / 60.0).clamp(0.0, 1.0)
    }),
    (
        "{diurnal: {period: 40s, low: 0.2, high: 1.4, peak_at: 15s}}",
        |t| 0.8 + 0.6 * (2.0 * std::f64::consts::PI * (t - 15.0) / 40.0).cos(),
    ),
    ("{diurnal: {period: 40s, levels: [0, 1, 2, 0.5]}}", |t| {
        [0.0, 1.0, 2.0, 0.5][(t % 40.0 / 10.0) as usize]
    }),
    (
        "{windows: [{at: 5s, for: 20s}, {at: 100s, for: 10s}]}",
        |t| {
            if (5.0..25.0).contains(&t) || (100.0..110.0).contains(&t) {
                1.0
            } else {
                0.0
            }
        },
    ),
];

/// The integral of a factor, by the midpoint rule in steps that meet every corner.
fn integral(factor: Factor, from: f64, to: f64) -> f64 {
    const STEP: f64 = 0.001;
    let steps = ((to - from) / STEP).round() as u64;
    (0..steps)
        .map(|n| STEP * factor(from + STEP * (n as f64 + 0.5)))
        .sum()
}

/// The share of Poisson counts with this mean that are at most `count`.
fn poisson_cdf(count: u64, mean: f64) -> f64 {
    let term = |k: u64| {
        let factorial: f64 = (1..=k).map(|k| (k as f64).ln()).sum();
        (k as f64 * mean.ln() - mean - factorial).exp()
    };
    (0..=count).map(term).sum()
}

/// Whether a count is none of the one in ten thousand on either side.
fn plausible(count: u64, mean: f64) -> bool {
    if mean == 0.0 {
        return count == 0;
    }
    let below = count
        .checked_sub(1)
        .map_or(0.0, |less| poisson_cdf(less, mean));
    poisson_cdf(count, mean) > 1e-4 && 1.0 - below > 1e-4
}

fn counts(instants: &[f64], width: f64) -> Vec<u64> {
    let mut counts = vec![0; (HORIZON / width).round() as usize];
    for at in instants {
        if let Some(count) = counts.get_mut((at / width) as usize) {
            *count += 1;
        }
    }
    counts
}

#[test]
fn a_shaped_poisson_process_has_the_counts_of_its_rate_function() {
    for (shape, factor) in SHAPES {
        let client = format!("rate: 40/s, shape: {shape}, do: ask");
        let instants = instants("horizon: 120s", &client);
        for width in [SECOND, 5.0, 30.0] {
            for (n, &count) in counts(&instants, width).iter().enumerate() {
                let from = width * n as f64;
                let mean = 40.0 * integral(factor, from, from + width);
                assert!(
                    plausible(count, mean),
                    "{shape}: {count} within {width} s from {from} s, where {mean} are expected"
                );
            }
        }
    }
}

/// In operational time the arrivals are a Poisson process of rate 1: the gaps are exponential (Kolmogorov 1933, at the
/// level of one in a thousand).
#[test]
fn a_shaped_poisson_process_stays_one() {
    for (shape, factor) in SHAPES {
        let client = format!("rate: 40/s, shape: {shape}, do: ask");
        let (mut before, mut level, mut gaps) = (0.0, 0.0, Vec::new());
        for at in instants("horizon: 120s", &client) {
            level += 40.0 * fine_integral(factor, before, at);
            gaps.push(1.0 - (-level).exp());
            (before, level) = (at, 0.0);
        }
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        let distance = |(rank, gap): (usize, &f64)| {
            (gap - rank as f64 / n)
                .abs()
                .max((rank as f64 + 1.0) / n - gap)
        };
        let distance = gaps.iter().enumerate().map(distance).fold(0.0, f64::max);
        assert!(distance * n.sqrt() < 1.95, "{shape}: {distance} of {n}");
    }
}

/// The integral over a short stretch.
fn fine_integral(factor: Factor, from: f64, to: f64) -> f64 {
    let steps = 1 + ((to - from) / 0.0005) as u64;
    let step = (to - from) / steps as f64;
    (0..steps)
        .map(|n| step * factor(from + step * (n as f64 + 0.5)))
        .sum()
}

#[test]
fn constant_arrivals_follow_the_integral_of_a_shape_to_one_arrival() {
    for (shape, factor) in SHAPES {
        let client = format!("rate: 40/s, arrival: constant, shape: {shape}, do: ask");
        let instants = instants("horizon: 120s", &client);
        let mut expected = 0.0;
        let mut found = 0;
        for (n, &count) in counts(&instants, SECOND).iter().enumerate() {
            found += count;
            expected += 40.0 * integral(factor, n as f64, n as f64 + 1.0);
            assert!(
                (found as f64 - expected).abs() < 1.02,
                "{shape}: {found} up to second {n}, where {expected} are expected"
            );
        }
    }
}

#[test]
fn a_burst_is_so_many_sessions_at_one_instant() {
    let client = "arrival: {burst: {count: 5k, at: 1.5s}}, do: ask";
    let burst = sent("horizon: 2s", client);
    assert_eq!(burst.len(), 5_000);
    assert!(burst.iter().all(|(at, ..)| *at == 1_500_000_000));
    let users: std::collections::BTreeSet<u64> = burst.iter().map(|(_, user, ..)| *user).collect();
    assert_eq!(users.len(), 5_000, "each is a session of its own");
    // At the start unless it says when, also without a horizon: the load is over then.
    let now = sent("requests: 10k", "arrival: {burst: {count: 3}}, do: ask");
    assert_eq!(
        now.iter().map(|(at, ..)| *at).collect::<Vec<_>>(),
        [0, 0, 0]
    );
    // A budget cuts it, and what its sessions do afterwards is theirs.
    let client = "arrival: {burst: {count: 5k}}, do: ask, session: {rounds: 2, think: 1s}";
    assert_eq!(sent("requests: 700", client).len(), 700);
    assert_eq!(sent("horizon: 2s", client).len(), 10_000);
}

#[test]
fn a_burst_offers_its_count_within_the_horizon() {
    let rate = |run: &str, burst: &str| {
        let client = format!("arrival: {{burst: {burst}}}, do: ask");
        let load = offered(&model_of(&text(run, &client), &Files::default())).clients[0];
        assert_eq!(load.peak_requests_per_second, None);
        load.requests_per_second
    };
    assert_eq!(rate("horizon: 10s", "{count: 5k, at: 4s}"), 500.0);
    assert_eq!(rate("requests: 9k", "{count: 5k, at: 4s}"), 1250.0);
    assert_eq!(rate("requests: 9k", "{count: 5k}"), 5000.0);
    let model = model_of(
        &text("horizon: 9s", "arrival: {burst: {count: 5}}, do: ask"),
        &Files::default(),
    );
    assert!(exact(&model).is_err(), "no closed form knows bursts");
}

/// A process of a high cv keeps it at every level: thinned, it would come close to a Poisson process.
#[test]
fn the_variability_of_a_renewal_process_is_the_same_at_every_level() {
    let cv = |gaps: &[f64]| {
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
        variance.sqrt() / mean
    };
    for (arrival, expected) in [("gamma", 3.0), ("weibull", 0.3)] {
        let client = format!(
            "rate: 1k/s, arrival: {{{arrival}: {{cv: {expected}}}}}, do: ask, \
             shape: {{stairs: {{levels: [0.1, 1], every: 60s}}}}"
        );
        let instants = instants("horizon: 120s", &client);
        for (from, to) in [(0.0, 60.0), (60.0, 120.0)] {
            let within: Vec<f64> = instants
                .iter()
                .copied()
                .filter(|at| (from..to).contains(at))
                .collect();
            let gaps: Vec<f64> = within.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let found = cv(&gaps);
            assert!(
                (found / expected - 1.0).abs() < 0.08,
                "{arrival} from {from}: {found}"
            );
        }
    }
}

#[test]
fn a_factor_of_one_is_no_shape_to_the_last_bit() {
    for arrival in [
        "constant",
        "poisson",
        "{gamma: {cv: 2}}",
        "{weibull: {cv: 0.5}}",
    ] {
        let plain = format!("rate: 333/s, arrival: {arrival}, do: {{ask: 2, tell: 1}}");
        let expected = {
            let text = text("horizon: 20s", &plain);
            let spec = spec::read(&text).expect("a spec");
            let lowered = spec::lower(&spec).expect("a model");
            simulated(&lowered.model).into_sink().0
        };
        assert!(expected.len() > 5000);
        for shape in [
            "constant",
            "{ramp: {from: 1, to: 1, at: 3s, over: 4s}}",
            "{stairs: {levels: [1, 1, 1], every: 1500ms}}",
            "{spike: {at: 1s, for: 7s, factor: 1}}",
            "{diurnal: {period: 1234567ns, levels: [1, 1, 1]}}",
            "{diurnal: {period: 3s, low: 1, peak_at: 1s}}",
            "{windows: [{at: 0s, for: 1h}]}",
        ] {
            let text = text("horizon: 20s", &format!("{plain}, shape: {shape}"));
            let spec = spec::read(&text).expect("a spec");
            let lowered = spec::lower(&spec).expect("a model");
            let found = simulated(&lowered.model).into_sink().0;
            assert!(found == expected, "{arrival}, {shape}");
        }
    }
}

#[test]
fn silence_costs_no_events() {
    let client =
        "rate: 1k/s, shape: {windows: [{at: 0s, for: 1s}, {at: 20000h, for: 1s}]}, do: tell";
    let text = text("horizon: 40000h", client);
    let simulation = simulated(&model_of(&text, &Files::default()));
    let (events, requests) = (simulation.events(), simulation.sink().0.len() as u64);
    assert!(requests > 1800);
    assert_eq!(events, requests, "an arrival each, and nothing else");
    let second = simulation.sink().0.last().expect("requests").0;
    assert!((20_000 * 3600..20_000 * 3600 + 1).contains(&(second / 1_000_000_000)));
}

#[test]
fn a_shape_that_ends_ends_the_load() {
    let client = "rate: 50/s, shape: {drain: {at: 1s, over: 2s}}, do: ask";
    let instants = instants("requests: 1M", client);
    assert!(plausible(instants.len() as u64, 100.0));
    assert!(instants.iter().all(|at| *at < 3.0));
}

fn recorded(csv: &str, client: &str) -> Vec<Sent> {
    let mut files = Files::default();
    files.insert("trace.csv", csv);
    let text = text(
        "horizon: 60s",
        &format!("arrival: {{trace: trace.csv}}, {client}"),
    );
    let spec = spec::read(&text).expect("a spec");
    let lowered = spec::lower_with(&spec, &files).expect("a model");
    simulated(&lowered.model).into_sink().0
}

#[test]
fn recorded_arrivals_are_replayed_exactly() {
    let csv = "time\n0\n0.000000001\n1.5\n1.5\n2500ms\n3e0\n1m\n61\n";
    let found = recorded(csv, "do: ask");
    let expected = [
        0,
        1,
        1_500_000_000,
        1_500_000_000,
        2_500_000_000,
        3_000_000_000,
        60_000_000_000,
    ];
    let times: Vec<u64> = found.iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, expected, "the last one is beyond the horizon");
    let numbers: Vec<u64> = found.iter().map(|(_, number, ..)| *number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn recorded_actions_are_those_of_the_sessions() {
    let csv = "time,action\n0,ask\n1,tell\n1,ask\n";
    let session = "session: {rounds: 2, think: 10ms}";
    let found = recorded(csv, session);
    let actions: Vec<(u64, u64, ActionId)> = found
        .iter()
        .map(|&(_, user, number, action)| (user, number, action))
        .collect();
    let (ask, tell) = (ActionId(0), ActionId(1));
    assert_eq!(
        actions,
        [
            (0, 0, ask),
            (0, 1, ask),
            (1, 0, tell),
            (2, 0, ask),
            (1, 1, tell),
            (2, 1, ask)
        ]
    );
}

#[test]
fn a_population_of_one_is_no_population_to_the_last_bit() {
    for client in [
        "rate: 200/s, do: {ask: 1, tell: 2}",
        "rate: 200/s, arrival: constant, shape: {ramp: {over: 5s}}, do: {ask: 1, tell: 2}",
        "rate: 50/s, session: {rounds: {uniform: {min: 1, max: 4}}, think: 20ms}, do: {ask: 1, tell: 2}",
        "concurrency: 30, think: {exponential: {mean: 100ms}}, do: {ask: 1, tell: 2}",
    ] {
        let run = |client: &str| {
            let spec = spec::read(&text("horizon: 10s", client)).expect("a spec");
            simulated(&spec::lower(&spec).expect("a model").model)
                .into_sink()
                .0
        };
        let plain = run(client);
        assert!(plain.len() > 100);
        assert!(
            run(&format!("population: 1, {client}")) == plain,
            "{client}"
        );
    }
}

/// What a member sends does not depend on how many others there are.
#[test]
fn members_are_independent_of_one_another() {
    let client = "rate: 20/s, shape: {ramp: {over: 10s}}, do: ask";
    let alone = sent("horizon: 30s", client);
    let five = sent("horizon: 30s", &format!("population: 5, {client}"));
    let members: Vec<Vec<u64>> = (0..5)
        .map(|member| {
            let own = five.iter().filter(|(_, user, ..)| user >> 40 == member);
            own.map(|(at, ..)| *at).collect()
        })
        .collect();
    let first: Vec<u64> = alone.iter().map(|(at, ..)| *at).collect();
    assert_eq!(members[0], first);
    for (n, member) in members.iter().enumerate() {
        assert!(plausible(member.len() as u64, 20.0 * 25.0), "member {n}");
        assert!(members.iter().skip(n + 1).all(|other| other != member));
    }
    let mut users: Vec<u64> = five.iter().map(|(_, user, ..)| *user).collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!(
        users.len(),
        five.len(),
        "sessions have numbers of their own"
    );
}

#[test]
fn members_of_a_closed_cohort_have_their_users_each() {
    let sent = sent(
        "requests: 12",
        "population: 3, concurrency: 4, think: 1s, do: ask",
    );
    let firsts: Vec<(u64, u64)> = sent.iter().map(|&(at, user, ..)| (at, user)).collect();
    let quarter = 250_000_000;
    let expected: Vec<(u64, u64)> = (0..4)
        .flat_map(|user| (0..3).map(move |member| (user * quarter, member * 4 + user)))
        .collect();
    assert_eq!(firsts, expected);
}

#[test]
fn a_million_members_take_no_more_than_their_arrivals() {
    let client = "population: 1M, rate: 1/h, session: {rounds: 1}, do: ask";
    let model = model_of(&text("horizon: 36s", client), &Files::default());
    let Source::Open { arrival, .. } = &model.clients[0].source else {
        panic!("an open client")
    };
    assert!((arrival.rate() * 3600.0 - 1.0).abs() < 1e-12);
    let simulation = simulated(&model);
    let count = simulation.sink().0.len() as u64;
    assert!((count as f64 - 10_000.0).abs() < 400.0, "{count}");
    assert!(simulation.events() < 3 * count);
}

#[test]
fn closed_forms_know_cohorts_and_no_changing_rates() {
    let exact_of = |client: &str| {
        let text = text("horizon: 60s", &format!("{client}, do: ask"));
        let text = text.replace(
            "workers: 1000, time: 1us",
            "workers: 1, time: {exponential: {mean: 10ms}}",
        );
        exact(&model_of(&text, &Files::default()))
    };
    let forms = [
        ("rate: 80/s", "population: 4, rate: 20/s"),
        (
            "concurrency: 12, think: {exponential: {mean: 1s}}",
            "population: 3, concurrency: 4, think: {exponential: {mean: 1s}}",
        ),
    ];
    for (one, many) in forms {
        let form = exact_of(one).expect("a closed form");
        assert_eq!(exact_of(many), Ok(form), "{many}");
    }
    for none in [
        "population: 2, rate: 20/s, arrival: constant",
        "population: 2, rate: 20/s, arrival: {gamma: {cv: 2}}",
        "rate: 80/s, shape: {ramp: {over: 10s}}",
    ] {
        assert!(exact_of(none).is_err(), "{none}");
    }
}

#[test]
fn the_offered_load_has_the_mean_and_the_peak_of_a_shape() {
    let load = |run: &str, client: &str| {
        let model = model_of(&text(run, &format!("{client}, do: ask")), &Files::default());
        let load = offered(&model).clients[0];
        (load.requests_per_second, load.peak_requests_per_second)
    };
    let ramp = "rate: 10/s, shape: {ramp: {to: 3, over: 20s}}";
    assert_eq!(load("horizon: 10s", ramp), (7.5, Some(15.0)));
    assert_eq!(load("horizon: 40s", ramp), (22.5, Some(30.0)));
    assert_eq!(load("requests: 100", ramp), (30.0, Some(30.0)));
    let cohort = format!("population: 7, {ramp}, session: {{rounds: 2}}");
    assert_eq!(load("horizon: 40s", &cohort), (315.0, Some(420.0)));
}
