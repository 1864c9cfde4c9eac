//! Whether a validation finds how far a model is from a world that is known to differ from it, and lets nothing else pass.

use blis_sim::compare::{Compared, Tolerances};
use blis_sim::result::SpecIdentity;
use blis_sim::validation::{About, AtLoad, Objective, ValidationResult, validate};
use blis_sim::verdict::Status;

use crate::support::{self, model};

/// Two workers of 4 ms, who carry 500/s: one more than is asked of most, less than of the last.
const LOADS: [f64; 4] = [150.0, 300.0, 400.0, 560.0];
const MODEL: &str = "services: {api: {workers: 2, time: {gamma: {mean: 4ms, cv: 0.5}}}}";

fn run(name: &str, world: &str, load: f64, seed: u64) -> Compared {
    run_for(22, name, world, load, seed)
}

fn run_for(seconds: u32, name: &str, world: &str, load: f64, seed: u64) -> Compared {
    let model = model(&format!(
        "{{blis: 1, name: {name}, seed: {seed}, run: {{horizon: {seconds}s, warmup: 2s, drain: 1s}}, clients: {{users: {{rate: {load}/s, do: ask}}}}, \
         actions: {{ask: {{path: [{{visit: api}}, reply]}}}}, {world}}}"
    ));
    Compared {
        name: format!("{name} {seed}"),
        run: support::run(&model),
        record: None,
    }
}

/// Three runs of a world and ten of the model at each load.
fn loads(world: &str) -> Vec<AtLoad> {
    let at = |load: f64| AtLoad {
        load,
        disturbed_by: Vec::new(),
        measured: (4..=6).map(|seed| run("real", world, load, seed)).collect(),
        predicted: (11..=20)
            .map(|seed| run("model", MODEL, load, seed))
            .collect(),
    };
    LOADS.map(at).to_vec()
}

fn validated(loads: Vec<AtLoad>, tolerances: &str) -> ValidationResult {
    validated_under(&[], loads, tolerances)
}

fn validated_under(
    objectives: &[Objective],
    loads: Vec<AtLoad>,
    tolerances: &str,
) -> ValidationResult {
    let about = About {
        spec: SpecIdentity {
            name: "model".to_owned(),
            sha256: String::new(),
            resolved_sha256: String::new(),
            files: Default::default(),
            fitted: None,
        },
        parameter: "rate",
        unit: "1/s",
        shown: &|load| format!("{load}/s"),
        lengths_s: [2.0, 20.0],
        is_closed: false,
        repeats: 3,
        objectives,
        interrupted: false,
    };
    let tolerances: Tolerances = match tolerances {
        "" => Tolerances::default(),
        given => given.parse().unwrap(),
    };
    validate(&about, loads, &tolerances).unwrap()
}

/// What is found of a world, beside how far off its figures are.
fn findings(world: &str) -> Vec<String> {
    let found = validated(loads(world), "");
    assert!(
        found.findings[0].starts_with("Largest errors"),
        "{:?}",
        found.findings
    );
    assert!(
        found.findings[1].starts_with("Largest throughput"),
        "{:?}",
        found.findings
    );
    found.findings[2..].to_vec()
}

fn error(found: &ValidationResult, load: usize, name: &str) -> f64 {
    let figures = &found.loads[load].figures;
    figures
        .iter()
        .find(|one| one.name == name)
        .unwrap()
        .error
        .unwrap()
}

#[test]
fn a_model_that_is_right_is_told_to_be_within_chance_and_passes() {
    let found = validated(loads(MODEL), "throughput=6%,p50=15%,errors=5%");
    assert_eq!(found.findings.len(), 3, "{:?}", found.findings);
    assert!(
        found.findings[2].starts_with("No difference is more than chance"),
        "{found:#?}"
    );
    let below = found.loads[..3].iter().flat_map(|load| &load.tolerances);
    assert!(below.clone().count() >= 9);
    let capacity = found.capacity.unwrap();
    assert_eq!(
        (capacity.measured_at, capacity.predicted_at),
        (560.0, 560.0)
    );
    assert!(
        (capacity.measured / 500.0 - 1.0).abs() < 0.02,
        "{}",
        capacity.measured
    );
    let [low, high] = capacity.error_ci95.unwrap();
    assert!(low < 0.0 && 0.0 < high, "{low} {high}");
    assert_eq!(found.reservations, [""; 0]);
    // Above the ceiling the response times depend on chance; below it a tolerance is kept.
    let below = validated(loads(MODEL)[..3].to_vec(), "throughput=6%,p50=15%");
    assert_eq!(below.verdict, Some(Status::Pass), "{:#?}", below.loads);
}

/// The ceiling under an objective lies between the loads that were looked at, in both worlds.
#[test]
fn ceilings_under_objectives_differ_by_as_much_as_service_times_do() {
    let objectives = [("p95", 0.95, 20.0), ("p50", 0.5, 0.1), ("p99", 0.99, 1e6)];
    let objectives =
        objectives.map(|(_, quantile, limit)| Objective::of("ask", quantile, limit).unwrap());
    let met = |world: &str| {
        let found = validated_under(&objectives, loads(world), "");
        let said = found.findings.join(" ");
        assert!(
            said.contains("p95 of ask within 20.0ms: predicted up to"),
            "{said}"
        );
        assert!(
            said.contains("p50 of ask within 100us: predicted not even at"),
            "{said}"
        );
        assert!(
            said.contains("p99 of ask within 1000000.0ms: predicted at all loads up to 560/s"),
            "{said}"
        );
        let [p95, p50, p99] = found.objectives.try_into().unwrap();
        assert_eq!((p50.measured.is_met, p50.error), (false, None));
        assert_eq!((p99.predicted.is_reached, p99.error), (false, None));
        p95
    };
    let right = met(MODEL);
    assert!((350.0..560.0).contains(&right.measured.load), "{right:?}");
    assert!(right.error.unwrap().abs() < 0.05, "{right:?}");
    let slower = met("services: {api: {workers: 2, time: {gamma: {mean: 4.4ms, cv: 0.5}}}}");
    assert!((0.04..0.2).contains(&slower.error.unwrap()), "{slower:?}");
    // What fails at once is over every limit.
    let failing = "services: {api: {workers: 2, errors: 20%, time: {gamma: {mean: 4ms, cv: 0.5}}}}";
    let found = validated_under(&objectives, loads(failing), "");
    let p95 = &found.objectives[0];
    assert_eq!((p95.measured.is_met, p95.predicted.is_met), (false, true));
}

/// However many figures of however many loads are tested, a model that is right is seldom told to be wrong in one.
#[test]
fn a_right_model_differs_by_more_than_chance_in_few_validations() {
    let differs = |set: &u64| {
        let seed = 100 * set;
        let at = |load: f64| AtLoad {
            load,
            disturbed_by: Vec::new(),
            measured: (1..=3)
                .map(|nth| run_for(12, "real", MODEL, load, seed + nth))
                .collect(),
            predicted: (11..=15)
                .map(|nth| run_for(12, "model", MODEL, load, seed + nth))
                .collect(),
        };
        let found = validated([200.0, 400.0].map(at).to_vec(), "");
        let mut figures = found.loads.iter().flat_map(|load| &load.figures);
        figures.any(|figure| figure.more_than_chance == Some(true))
    };
    let number = (1..=14).filter(differs).count();
    assert!(number <= 2, "{number} of 14");
}

#[test]
fn what_a_model_misses_is_named() {
    let with_network = format!("network: {{one_way: 1ms}}, {MODEL}");
    let found = findings(&with_network);
    let said = found.join(" ");
    assert!(
        said.contains("lacks a constant") && said.contains("more of network.one_way"),
        "{said}"
    );
    let one_way: f64 = {
        let (_, rest) = said.split_once("network delay (").unwrap();
        let (text, _) = rest.split_once(' ').unwrap();
        match text.strip_suffix("us") {
            Some(micros) => micros.parse::<f64>().unwrap() / 1e3,
            None => text.strip_suffix("ms").unwrap().parse().unwrap(),
        }
    };
    assert!((one_way - 1.0).abs() < 0.15, "{one_way}");
    let slower = findings("services: {api: {workers: 2, time: {gamma: {mean: 4.6ms, cv: 0.5}}}}");
    assert!(
        slower
            .iter()
            .any(|one| one.starts_with("The capacity of the system is below")),
        "{slower:?}"
    );
    let quicker = findings("services: {api: {workers: 2, time: {gamma: {mean: 3.4ms, cv: 0.5}}}}");
    assert!(
        quicker
            .iter()
            .any(|one| one.starts_with("The capacity of the system is above")),
        "{quicker:?}"
    );
    let failing =
        findings("services: {api: {workers: 2, time: {gamma: {mean: 4ms, cv: 0.5}}, errors: 3%}}");
    assert!(
        failing
            .iter()
            .any(|one| one.starts_with("More requests failed")),
        "{failing:?}"
    );
    // Every half second both workers pause for 15 ms.
    let pauses: Vec<String> = (0..44)
        .map(|at| {
            format!(
                "{{from: {0}ms, to: {1}ms, down: hung}}",
                at * 500,
                at * 500 + 15
            )
        })
        .collect();
    let tail = findings(&MODEL.replace(
        "workers: 2,",
        &format!("workers: 2, outages: [{}],", pauses.join(", ")),
    ));
    assert!(
        tail.iter()
            .any(|one| one.contains("the p99 is longer than predicted")),
        "{tail:?}"
    );
}

#[test]
fn a_load_of_equal_latency_says_how_far_off_a_model_is_near_its_knee() {
    // A world that carries 15 % less has the latency of a load at one that is 15 % larger.
    let found = validated(
        loads("services: {api: {workers: 2, time: {gamma: {mean: 4.6ms, cv: 0.5}}}}"),
        "",
    );
    let equal = found.loads[2].equal_latency.as_ref().unwrap();
    assert!((0.05..0.3).contains(&equal.error), "{equal:?}");
    assert!(error(&found, 2, "p95") < -0.2);
    assert_eq!(found.loads[0].equal_latency, None);
}

#[test]
fn nothing_passes_that_was_not_earned() {
    let gate = "throughput=6%,p50=15%,p99=30%";
    let status = |loads: Vec<AtLoad>| validated(loads, gate).verdict.unwrap();
    let of = |world: &str| loads(world)[..2].to_vec();
    // Everything fails, half of it does, and a little.
    for (errors, gate) in [("100%", gate), ("50%", "p50=20%"), ("2%", "p50=20%")] {
        let world = format!(
            "services: {{api: {{workers: 2, errors: {errors}, time: {{gamma: {{mean: 4ms, cv: 0.5}}}}}}}}"
        );
        let found = validated(of(&world), gate);
        assert_ne!(found.verdict, Some(Status::Pass), "{errors}");
    }
    let half = "services: {api: {workers: 2, errors: 50%, time: {gamma: {mean: 4ms, cv: 0.5}}}}";
    assert_eq!(validated(of(half), "p50=20%").verdict, Some(Status::Trip));
    assert_eq!(
        status(of(
            "services: {api: {workers: 2, time: {gamma: {mean: 8ms, cv: 0.5}}}}"
        )),
        Status::Trip
    );
    // What fails less than it should is no better.
    let mut fails_less = of(MODEL);
    for one in &mut fails_less {
        one.predicted = (1..=3)
            .map(|seed| run("model", half, one.load, seed))
            .collect();
    }
    let found = validated(fails_less, "p50=20%");
    assert_eq!(found.verdict, Some(Status::Trip));
    assert!(
        found
            .findings
            .iter()
            .any(|one| one.starts_with("Fewer requests failed")),
        "{:?}",
        found.findings
    );
    // A slower system trips, and not where something else was at work.
    let mut disturbed = of("services: {api: {workers: 2, time: {gamma: {mean: 8ms, cv: 0.5}}}}");
    for one in &mut disturbed {
        one.disturbed_by =
            vec!["The trial began while the one before was still being answered.".to_owned()];
    }
    assert_eq!(status(disturbed), Status::Inconclusive);
    // A run of three is missing, all of a load, or everything.
    let mut missing = of(MODEL);
    missing[1].measured.pop();
    let found = validated(missing, gate);
    assert_eq!(found.verdict, Some(Status::Inconclusive));
    assert_eq!(
        found.reservations,
        ["300/s: 2 of 3 live runs can be compared"]
    );
    let mut none = of(MODEL);
    none[1].measured.clear();
    assert_eq!(status(none), Status::Inconclusive);
    assert_eq!(status(Vec::new()), Status::Inconclusive);
}
