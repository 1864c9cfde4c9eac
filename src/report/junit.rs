//! What was judged as JUnit XML, which build servers show: one test case for each objective or tolerance.
//!
//! An objective that was missed is a failure. What the evidence does not say is an error, not skipped: a build that cannot tell has not
//! passed.

use blis_sim::compare::{self, CompareResult, ToleranceResult};
use blis_sim::result::{CeilingEnd, CeilingResult, Run};
use blis_sim::validation::ValidationResult;
use blis_sim::verdict::{Standing, Status};
use blis_sim::visible;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::difference;
use super::verdict::status_name;

/// What was judged, and how it stands.
struct Case {
    of: String,
    name: String,
    status: Status,
    says: String,
}

/// The objectives of a run.
///
/// # Errors
/// Where the text cannot be written as XML.
pub fn of_run(run: &Run) -> Result<String, SerializeError> {
    let signals = run.verdict.iter().flat_map(|verdict| &verdict.signals);
    let cases = signals.map(|signal| Case {
        of: signal.of.clone(),
        name: signal.name.clone(),
        status: match signal.standing {
            Standing::Within => Status::Pass,
            Standing::Over => Status::Trip,
            Standing::GeneratorLimited | Standing::TooFew | Standing::Missing => {
                Status::Inconclusive
            }
        },
        says: signal.summary.clone(),
    });
    let whole = run.verdict.as_ref().map(|verdict| verdict.status);
    let reasons = run.verdict.iter().flat_map(|verdict| &verdict.reasons);
    written(
        &run.spec.name,
        cases.collect(),
        whole,
        &reasons.cloned().collect::<Vec<_>>(),
    )
}

/// The answer of a search.
///
/// # Errors
/// Where the text cannot be written as XML.
pub fn of_ceiling(found: &CeilingResult) -> Result<String, SerializeError> {
    let (status, says) = match (&found.answer, found.ended) {
        (Some(answer), _) => (
            Status::Pass,
            format!("{} {} {}", answer.parameter, answer.value, answer.unit),
        ),
        (None, CeilingEnd::NonePassed) => (Status::Trip, found.next_limit.join(" ")),
        (None, _) => (Status::Inconclusive, found.next_limit.join(" ")),
    };
    let case = Case {
        of: found.spec.name.clone(),
        name: format!("ceiling of {}", found.varied.parameter),
        status,
        says,
    };
    written(&found.spec.name, vec![case], Some(status), &[])
}

/// The tolerances of a comparison.
///
/// # Errors
/// Where the text cannot be written as XML.
pub fn of_comparison(found: &CompareResult) -> Result<String, SerializeError> {
    let cases = found.tolerances.iter().map(|one| tolerated(&one.of, one));
    written(
        "compare",
        cases.collect(),
        found.verdict,
        &found.reservations,
    )
}

/// The tolerances of a validation.
///
/// # Errors
/// Where the text cannot be written as XML.
pub fn of_validation(found: &ValidationResult) -> Result<String, SerializeError> {
    let cases = found.loads.iter().flat_map(|load| {
        let of = format!("{} {}", load.load, found.unit);
        load.tolerances.iter().map(move |one| tolerated(&of, one))
    });
    written(
        "validate",
        cases.collect(),
        found.verdict,
        &found.reservations,
    )
}

fn tolerated(of: &str, one: &ToleranceResult) -> Case {
    Case {
        of: of.to_owned(),
        name: one.figure.clone(),
        status: match one.standing {
            compare::Standing::Within => Status::Pass,
            compare::Standing::Beyond => Status::Trip,
            compare::Standing::Undecided => Status::Inconclusive,
        },
        says: difference::sentence(one),
    }
}

/// The suite. Where the whole is worse than every case of it, or cannot be told for a reason that no case has, a case of its own
/// says why.
fn written(
    name: &str,
    cases: Vec<Case>,
    whole: Option<Status>,
    reasons: &[String],
) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new(shown(name));
    let is_told = |reason: &String| cases.iter().any(|case| case.says == *reason);
    let is_shown = |whole: Status| {
        let like_it = cases.iter().any(|case| case.status == whole);
        like_it && (whole != Status::Inconclusive || reasons.iter().all(is_told))
    };
    match whole {
        None => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("no objective and no tolerance is set");
            suite.add_test_case(TestCase::new("verdict", status));
        }
        Some(whole) if !is_shown(whole) => {
            let untold: Vec<&str> = reasons
                .iter()
                .filter(|reason| !is_told(reason))
                .map(String::as_str)
                .collect();
            suite.add_test_case(case("blis", "verdict", whole, &untold.join(" ")));
        }
        Some(_) => {}
    }
    suite.add_test_cases(
        cases
            .iter()
            .map(|one| case(&one.of, &one.name, one.status, &one.says)),
    );
    let mut report = Report::new("blis");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(of: &str, name: &str, status: Status, says: &str) -> TestCase {
    let kind = match status {
        Status::Pass => None,
        Status::Trip => Some(NonSuccessKind::Failure),
        Status::Inconclusive => Some(NonSuccessKind::Error),
    };
    let told = match kind {
        None => TestCaseStatus::success(),
        Some(kind) => {
            let mut told = TestCaseStatus::non_success(kind);
            told.set_type(status_name(status));
            told.set_message(shown(says));
            told
        }
    };
    let mut case = TestCase::new(shown(name), told);
    case.set_classname(shown(of));
    if status == Status::Pass {
        case.set_system_out(shown(says));
    }
    case
}

/// A text of a stranger with what is hidden in it made visible.
fn shown(text: &str) -> String {
    visible::line(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: Status) -> Case {
        Case {
            of: "Action <ask>".to_owned(),
            name: "p99".to_owned(),
            status,
            says: "120 ms & more".to_owned(),
        }
    }

    fn suite(cases: Vec<Case>, whole: Option<Status>) -> String {
        written(
            "told",
            cases,
            whole,
            &["The generator was the limit.".to_owned()],
        )
        .expect("XML")
    }

    #[test]
    fn a_miss_is_a_failure_and_what_cannot_be_told_an_error() {
        let missed = suite(vec![of(Status::Pass), of(Status::Trip)], Some(Status::Trip));
        assert!(
            missed.contains(r#"tests="2" skipped="0" errors="0" failures="1""#),
            "{missed}"
        );
        assert!(missed.contains("Action &lt;ask&gt;"), "{missed}");
        assert!(missed.contains("120 ms &amp; more"), "{missed}");
        let open = suite(vec![of(Status::Inconclusive)], Some(Status::Inconclusive));
        assert!(
            open.contains(r#"tests="2" skipped="0" errors="2" failures="0""#),
            "{open}"
        );
    }

    #[test]
    fn a_verdict_that_is_worse_than_its_objectives_is_a_case() {
        let open = suite(vec![of(Status::Pass)], Some(Status::Inconclusive));
        assert!(
            open.contains(r#"tests="2" skipped="0" errors="1" failures="0""#),
            "{open}"
        );
        assert!(open.contains("The generator was the limit."), "{open}");
    }

    #[test]
    fn a_limit_of_the_generator_is_told_beside_objectives_that_are_open_too() {
        let open = suite(vec![of(Status::Inconclusive)], Some(Status::Inconclusive));
        assert!(open.contains(r#"tests="2""#), "{open}");
        assert!(open.contains("The generator was the limit."), "{open}");
        let told = Case {
            says: "The generator was the limit.".to_owned(),
            ..of(Status::Inconclusive)
        };
        let once = suite(vec![told], Some(Status::Inconclusive));
        assert!(once.contains(r#"tests="1""#), "{once}");
    }

    #[test]
    fn nothing_judged_is_skipped_and_no_success() {
        let none = suite(Vec::new(), None);
        assert!(
            none.contains(r#"tests="1" skipped="1" errors="0" failures="0""#),
            "{none}"
        );
    }
}
