//! That the generated specs reach what the properties are about: a property of what never happens proves nothing.

use std::collections::BTreeMap;

use blis_sim::event::VisitStep;
use blis_sim::model::Source;
use blis_sim::time::Span;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::cases;
use crate::record::{Kept, Run, run};
use crate::specs::{Scope, plan};

fn kind(event: &Kept) -> String {
    match event {
        Kept::Intended(request) if request.attempt > 0 => "retry".to_owned(),
        Kept::Intended(_) => "first try".to_owned(),
        Kept::Done { outcome, .. } => format!("{outcome:?}"),
        Kept::Settled { outcome, .. } => format!("settled {outcome:?}"),
        Kept::LateReply => "late reply".to_owned(),
        Kept::DuplicateReply => "duplicate reply".to_owned(),
        Kept::SessionStarted(_) => "session".to_owned(),
        Kept::SessionEnded(_, end) => format!("session {end:?}"),
        Kept::LoadEnded => "load ended".to_owned(),
        Kept::Visit { step, .. } => match step {
            VisitStep::TakenAtOnce => "taken at once".to_owned(),
            VisitStep::Joined => "joined".to_owned(),
            VisitStep::Started { .. } => "started".to_owned(),
            VisitStep::Completed { error: true, .. } => "completed in error".to_owned(),
            VisitStep::Completed { .. } => "completed".to_owned(),
            VisitStep::Rejected => "refused".to_owned(),
            VisitStep::Left { waited: Span::ZERO } => "left at once".to_owned(),
            VisitStep::Left { .. } => "left".to_owned(),
            VisitStep::Abandoned { .. } => "abandoned".to_owned(),
            VisitStep::CutWaiting { .. } => "cut waiting".to_owned(),
            VisitStep::CutRunning { .. } => "cut running".to_owned(),
            VisitStep::Held { .. }
            | VisitStep::Preempted { .. }
            | VisitStep::LostWaiting { .. }
            | VisitStep::LostRunning { .. }
            | VisitStep::Unreachable
            | VisitStep::WorkerBusy
            | VisitStep::WorkerIdle => unreachable!("these services do not do that: {step:?}"),
        },
    }
}

/// Adds how often each kind of thing happened in a run.
fn count(run: &Run, kinds: &mut BTreeMap<String, u64>) {
    let mut add = |kind: String| *kinds.entry(kind).or_default() += 1;
    run.events.iter().for_each(|(_, event)| add(kind(event)));
    add(format!("ended by {:?}", run.load_end));
    run.model
        .services
        .iter()
        .for_each(|service| add(format!("{:?} {:?}", service.dispatch, service.on_timeout)));
    let session = |client: &blis_sim::model::Client| {
        matches!(
            client.source,
            Source::Open {
                session: Some(_),
                ..
            }
        )
    };
    let shaped = |client: &blis_sim::model::Client| {
        matches!(client.source, Source::Open { shape: Some(_), .. })
    };
    for client in &run.model.clients {
        if shaped(client) {
            add("shape".to_owned());
        }
        match (client.population.get(), client.closed_users()) {
            (1, _) => {}
            (_, 0) => add("open cohort".to_owned()),
            _ => add("closed cohort".to_owned()),
        }
    }
    if run.model.clients.iter().any(session) && run.model.one_way.is_some() {
        add("sessions over a network".to_owned());
    }
    let ties = run
        .events
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .count();
    (0..ties).for_each(|_| add("tie".to_owned()));
}

#[test]
fn the_generated_specs_reach_everything_that_can_happen() {
    let mut runner = TestRunner::new(cases(1));
    let mut kinds = BTreeMap::new();
    for _ in 0..400 {
        let plan = plan(Scope::Whole).new_tree(&mut runner).unwrap().current();
        count(&run(&plan.text()), &mut kinds);
    }
    let expected = [
        "retry",
        "first try",
        "Ok",
        "AppError",
        "Rejected",
        "TimedOut",
        "TransportError",
        "Unresolved",
        "late reply",
        "session",
        "session Completed",
        "session Cancelled",
        "session HorizonInterrupted",
        "session BudgetExhausted",
        "load ended",
        "taken at once",
        "joined",
        "started",
        "completed",
        "completed in error",
        "refused",
        "left",
        "left at once",
        "abandoned",
        "cut waiting",
        "cut running",
        "ended by Some(Horizon)",
        "ended by Some(Budget)",
        "ended by Some(Idle)",
        "sessions over a network",
        "shape",
        "open cohort",
        "closed cohort",
        "tie",
    ];
    for kind in expected {
        assert!(
            kinds.get(kind).is_some_and(|&count| count >= 5),
            "{kind} is too rare: {kinds:#?}"
        );
    }
    for dispatch in ["Random", "Shared", "LeastLoaded"] {
        for on_timeout in ["Stay", "Leave", "Abandon"] {
            let kind = format!("{dispatch} {on_timeout}");
            assert!(kinds.contains_key(&kind), "{kind} never came: {kinds:#?}");
        }
    }
    assert_eq!(kinds.get("Dropped"), None, "nothing holds requests back");
}
