//! Members and service times of a record in the place of the model's draws.

use blis_sim::backend::{RecordedVisit, RecordedVisits};
use blis_sim::event::{Event, FlightId, Outcome, Sink, VisitStep};
use blis_sim::model::{ActionId, ClientId, Model, ServiceId};
use blis_sim::random::{Key, Kind, Purpose};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::trace::{Row, Trace};
use blis_sim::users::Script;
use proptest::prelude::*;

/// So many of a group, whose own draws are nothing like what is recorded.
const MEMBERS: u32 = 4;

fn model(path: &str, services: &str) -> Model {
    let text = format!(
        "blis: 1\nname: m\nrun: {{horizon: 100s}}\nclients: {{c: {{rate: 1/s, do: a, timeout: 100h}}}}\n\
         actions: {{a: {{path: {path}}}}}\nservices:\n{services}\n"
    );
    let read = spec::read(&text).expect("a spec");
    spec::lower(&read).expect("a model").model
}

fn group() -> Model {
    let group =
        format!("  s: {{workers: 1, members: {MEMBERS}, time: {{exponential: {{mean: 7ms}}}}}}");
    model("[{visit: s}, reply]", &group)
}

/// A request of a user of its own.
fn row(user: u64, at: Time) -> Row {
    Row {
        client: ClientId(0),
        user,
        number: 0,
        attempt: 0,
        action: ActionId(0),
        intended: at,
        sent: at,
        done: at,
        outcome: Outcome::Ok,
        in_window: true,
        reason: None,
        connection: None,
        reply_bytes: None,
    }
}

fn visit(service: u16, member: u32, nanos: u64) -> RecordedVisit {
    RecordedVisit {
        service: ServiceId(service),
        member: Some(member),
        time: Some(Span::from_nanos(nanos)),
    }
}

/// When each request of these users ended.
fn done(model: &Model, rows: &[Row], visits: Option<RecordedVisits>) -> Vec<(u64, Time)> {
    let script = Script::new(rows, 1).expect("a script");
    let mut ended = Vec::new();
    let trace = Trace::new(model, |row: &Row| ended.push((row.user, row.done)));
    let mut simulation = match visits {
        Some(visits) => Simulation::following(model, script, visits, trace),
        None => Simulation::replaying(model, script, trace),
    };
    simulation.run().expect("time goes on");
    drop(simulation);
    ended.sort_unstable();
    ended
}

/// Times at which a member of its own serves each request, one after the other.
fn lindley(requests: &[(u64, u32, u64)]) -> Vec<(u64, Time)> {
    let mut free = [0; MEMBERS as usize];
    let ends = requests.iter().map(|&(at, member, time)| {
        let free = &mut free[member as usize];
        *free = at.max(*free) + time;
        Time::ZERO + Span::from_nanos(*free)
    });
    (0..).zip(ends).collect()
}

proptest! {
    #[test]
    fn each_member_serves_exactly_whom_it_served(
        gaps in prop::collection::vec((1..9_000_000u64, 0..MEMBERS, 1..30_000_000u64), 1..200),
    ) {
        let mut at = 0;
        let requests: Vec<(u64, u32, u64)> = gaps
            .into_iter()
            .map(|(gap, member, time)| {
                at += gap;
                (at, member, time)
            })
            .collect();
        let model = group();
        let mut recorded = RecordedVisits::new(&model);
        let rows: Vec<Row> = (0..)
            .zip(&requests)
            .map(|(user, (at, ..))| row(user, Time::ZERO + Span::from_nanos(*at)))
            .collect();
        for (row, (_, member, time)) in rows.iter().zip(&requests) {
            prop_assert!(recorded.add(row, &[visit(0, *member, *time)]));
        }
        prop_assert_eq!(done(&model, &rows, Some(recorded)), lindley(&requests));
    }
}

/// The visits of each request: its flight, the service, the member and the time.
#[derive(Debug, Default)]
struct Seen(Vec<(FlightId, RecordedVisit)>, Vec<(FlightId, u64)>);

impl Sink for Seen {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, _: Time, event: Event<'_>) {
        match event {
            Event::Visit {
                service,
                line,
                flight,
                step: VisitStep::Completed { served, .. },
                ..
            } => {
                // The group is the first service: they are in the order of their names.
                let member = if service == ServiceId(0) { line } else { 0 };
                self.0
                    .push((flight, visit(service.0, member, served.as_nanos())));
            }
            Event::Done {
                request, flight, ..
            } => self.1.push((flight, request.user_number)),
            _ => {}
        }
    }
}

const THREE: &str = "  a: {workers: 1, members: 4, time: {exponential: {mean: 7ms}}}\n  d: {workers: 2, time: {gamma: {mean: 2ms, cv: 2}}}";

fn poisson(requests: u64) -> Vec<Row> {
    let key = Key::new(7, Kind::Client, "by hand", Purpose::Request);
    let mut at = Time::ZERO;
    let gaps = (0..requests).map(|user| {
        let gap = -key.draw(user, 0).open_unit().ln() * 2_500_000.0;
        at = at + Span::from_nanos_f64(gap) + Span::from_nanos(1);
        row(user, at)
    });
    gaps.collect()
}

/// What a model drew itself and is given as a record changes nothing, though every visit takes the longer way.
#[test]
fn its_own_draws_are_the_same_run() {
    let model = model("[{visit: a}, {visit: d}, {visit: a}, reply]", THREE);
    let rows = poisson(2_000);
    let script = Script::new(&rows, 1).expect("a script");
    let mut simulation = Simulation::replaying(&model, script, Seen::default());
    simulation.run().expect("time goes on");
    let Seen(visits, sent) = simulation.into_sink();
    let mut recorded = RecordedVisits::new(&model);
    for (flight, user) in sent {
        let own = visits.iter().filter(|(of, _)| *of == flight);
        let own: Vec<RecordedVisit> = own.map(|(_, visit)| *visit).collect();
        assert_eq!(own.len(), 3);
        assert!(recorded.add(&rows[user as usize], &own));
    }
    let plain = done(&model, &rows, None);
    // Under another seed, where the model's own draws are others.
    let mut other = model.clone();
    other.seed += 1;
    assert_ne!(done(&other, &rows, None), plain);
    assert_eq!(done(&model, &rows, Some(recorded)), plain);
}

#[test]
fn what_was_not_recorded_is_drawn() {
    let model = group();
    let rows = poisson(500);
    let plain = done(&model, &rows, None);
    let empty = RecordedVisits::new(&model);
    assert_eq!(done(&model, &rows, Some(empty)), plain);
    // A member alone leaves the service time as it is drawn: nobody waits among a few requests far apart.
    let far: Vec<Row> = (0..50u64)
        .map(|user| {
            row(
                user,
                Time::ZERO + Span::from_nanos((user + 1) * 1_000_000_000),
            )
        })
        .collect();
    let mut members = RecordedVisits::new(&model);
    for row in &far {
        let only = RecordedVisit {
            time: None,
            ..visit(0, 3, 0)
        };
        assert!(members.add(row, &[only]));
        assert!(!members.add(row, &[only]), "it is known");
    }
    assert_eq!(done(&model, &far, Some(members)), done(&model, &far, None));
}

/// The visits of a request to one service come in their order, each with its own time.
#[test]
fn visits_of_one_service_are_taken_in_their_order() {
    let model = model("[{visit: a}, {visit: d}, {visit: a}, reply]", THREE);
    let at = Time::ZERO + Span::from_nanos(1_000);
    let rows = [row(0, at)];
    for (visits, took) in [
        (
            vec![visit(0, 1, 10), visit(1, 0, 200), visit(0, 2, 3_000)],
            3_210,
        ),
        // Those of another service stand wherever they do.
        (
            vec![visit(1, 0, 200), visit(0, 1, 10), visit(0, 2, 3_000)],
            3_210,
        ),
    ] {
        let mut recorded = RecordedVisits::new(&model);
        recorded.add(&rows[0], &visits);
        let ended = done(&model, &rows, Some(recorded));
        assert_eq!(ended, [(0, at + Span::from_nanos(took))]);
    }
}

/// A recorded time is what the visit took, whatever the member's speed; a member that is gone serves nobody.
#[test]
fn speeds_and_outages_are_those_of_the_model() {
    let slow = model(
        "[{visit: s}, reply]",
        "  s: {members: [{workers: 1, speed: 0.5}, {workers: 1}], time: 10ms, outages: [{from: 10s, to: 90s, member: 1}]}",
    );
    let (before, within) = (1_000_000_000, 20_000_000_000);
    let at = |nanos| Time::ZERO + Span::from_nanos(nanos);
    let rows = [
        row(0, at(before)),
        row(1, at(within)),
        row(2, at(within + 1)),
    ];
    let mut recorded = RecordedVisits::new(&slow);
    for row in &rows {
        assert!(recorded.add(row, &[visit(0, 0, 5_000_000)]));
    }
    // While the first member is gone the other one serves all, one after the other.
    let ended = [
        (0, at(before + 5_000_000)),
        (1, at(within + 5_000_000)),
        (2, at(within + 10_000_000)),
    ];
    assert_eq!(done(&slow, &rows, Some(recorded)), ended);
}
