//! The double with its own clock and without a network.

mod streams;

use blis_sim::model::REQUEST_ID;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use blis_sim::backend::Call;
use blis_sim::runner::Epoch;
use blis_sim::spec;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::double::handed_out::parse_call;
use crate::double::peers::Announcement;
use crate::double::service_protocol::{Question, Verb};
use crate::wire::identity::VISIT;

/// A clock that goes to what comes in next, or to what is waited for.
struct Script {
    now: Time,
    incoming: VecDeque<(Time, Heard)>,
}

impl Clock<Heard> for Script {
    fn now(&self) -> Time {
        self.now
    }

    fn wait(&mut self, until: Time) -> Option<Heard> {
        let next = self.incoming.front().map_or(Time::NEVER, |(at, _)| *at);
        self.now = self.now.max(until.min(next));
        self.poll()
    }

    fn poll(&mut self) -> Option<Heard> {
        let (at, _) = self.incoming.front()?;
        (*at <= self.now)
            .then(|| self.incoming.pop_front())
            .flatten()
            .map(|(_, heard)| heard)
    }
}

/// What was sent.
#[derive(Clone, Default)]
struct Sent(Rc<RefCell<Vec<Outgoing>>>, Connections);

/// Says which connection is open; the number is that of the messages sent so far.
type Connections = Option<fn(usize) -> Option<u64>>;

impl Outlet for Sent {
    fn publish(&mut self, message: Outgoing) -> bool {
        self.0.borrow_mut().push(message);
        true
    }

    fn connection(&self) -> Option<u64> {
        match self.1 {
            Some(connections) => connections(self.0.borrow().len()),
            None => Some(1),
        }
    }
}

fn ms(millis: u64) -> Time {
    Time::ZERO + Span::from_nanos(millis * 1_000_000)
}

fn model(services: &str, path: &str) -> Model {
    let text = format!(
        "blis: 1\nname: a double\nrun: {{requests: 1}}\nclients: {{users: {{rate: 1/s, do: ask}}}}\nactions:\n  ask: \
         {{path: {path}, live: {{request: a.b}}}}\nservices: {services}\n"
    );
    lowered(&text)
}

fn lowered(text: &str) -> Model {
    let read = spec::read(text).expect("a spec");
    spec::lower(&read).expect("a model").model
}

struct Played {
    sent: Vec<Outgoing>,
    statement: Statement,
    listening: UnboundedReceiver<BTreeSet<Listening>>,
}

/// Plays these services, with what comes in, for ten seconds.
fn play(model: &Model, only: &[&str], incoming: Vec<(Time, Heard)>) -> Played {
    play_over(None, model, only, incoming)
}

/// The same over these connections.
fn play_over(
    connections: Connections,
    model: &Model,
    only: &[&str],
    incoming: Vec<(Time, Heard)>,
) -> Played {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    let plays = entrances::played(model, &only).expect("services");
    let services = model.services.iter().zip(plays);
    let services = services.map(|(one, plays)| (one.name.clone(), entrances::places(one), plays));
    let (asks, listening) = unbounded_channel();
    let sent = Sent(Rc::default(), connections);
    let setup = Setup {
        outlet: sent.clone(),
        roster: Roster::new("m".to_owned(), services),
        inbox: "box.".to_owned(),
        pulls: "pull.".to_owned(),
        api: "$JS.hub.API".to_owned(),
        listener: asks,
        open: Arc::new(AtomicUsize::new(0)),
        control: None,
    };
    let clock = Script {
        now: Time::ZERO,
        incoming: incoming.into(),
    };
    let looks = RefCell::new(0);
    let statement = Double::new(model, setup, clock)
        .expect("something to play")
        .play(DoubleWatch {
            // It looks every 50 ms.
            stop: &|| looks.replace_with(|looks| *looks + 1) >= 200,
            show: &mut |_| {},
        });
    let sent = sent.0.take();
    Played {
        sent,
        statement,
        listening,
    }
}

fn asks(at: Time, member: Option<u32>, number: u64) -> (Time, Heard) {
    asks_in(Epoch::FIRST, at, member, number)
}

/// The same as a request of a later load.
fn asks_in(epoch: Epoch, at: Time, member: Option<u32>, number: u64) -> (Time, Heard) {
    let identity = Identity {
        client: ClientId(0),
        user: 0,
        number,
        attempt: 0,
        epoch,
    };
    let arrived = Arrived {
        action: ActionId(0),
        member,
        identity: Some(identity),
        reply: Some(format!("answer.{number}").into()),
        at,
    };
    (at, Heard::Request(arrived))
}

fn header<'a>(message: &'a Outgoing, name: &str) -> Option<&'a str> {
    Some(message.headers.get(name)?.as_str())
}

fn sent_to<'a>(played: &'a Played, prefix: &str) -> Vec<&'a Outgoing> {
    let sent = played.sent.iter();
    sent.filter(|one| one.subject.starts_with(prefix)).collect()
}

#[test]
fn the_member_that_the_server_chose_serves() {
    let model = model(
        "{api: {members: 3, workers: 1, time: 10ms}}",
        "[{visit: api}, reply]",
    );
    let incoming = (0..6).map(|number| asks(ms(1), Some(number as u32 % 2 + 1), number));
    let played = play(&model, &[], incoming.collect());
    let mut members: Vec<u64> = Vec::new();
    for answer in sent_to(&played, "answer.") {
        let number: u64 = answer.subject[7..].parse().expect("a number");
        let member = (number % 2 + 1).to_string();
        assert_eq!(header(answer, MEMBER), Some(member.as_str()));
        assert_eq!(header(answer, SERVICE_TIME), Some("10000000"));
        members.push(number);
    }
    assert_eq!(members.len(), 6);
    let (name, tallies) = &played.statement.services[0];
    assert_eq!(name, "api");
    let visits = tallies.iter().map(|(_, tally)| tally.visits);
    assert_eq!(visits.collect::<Vec<_>>(), [0, 3, 3]);
}

/// What the double waits for is divided by the speed of the member that the server chose.
#[test]
fn a_member_serves_at_its_own_speed() {
    let model = model(
        "{api: {members: [{workers: 1, speed: 0.5}, {workers: 2}], time: 10ms}}",
        "[{visit: api}, reply]",
    );
    let incoming = (0..4).map(|number| asks(ms(1), Some(number as u32 % 2), number));
    let played = play(&model, &[], incoming.collect());
    let mut answered: Vec<(u64, Option<&str>)> = sent_to(&played, "answer.")
        .into_iter()
        .map(|answer| {
            let number = answer.subject[7..].parse().expect("a number");
            (number, header(answer, SERVICE_TIME))
        })
        .collect();
    answered.sort_unstable();
    let (slow, fast) = (Some("20000000"), Some("10000000"));
    assert_eq!(answered, [(0, slow), (1, fast), (2, slow), (3, fast)]);
    let (_, tallies) = &played.statement.services[0];
    let busy = tallies.iter().map(|(_, tally)| tally.service.as_nanos());
    assert_eq!(busy.collect::<Vec<_>>(), [40_000_000, 20_000_000]);
}

#[test]
fn members_have_subscriptions_of_their_own_only_where_the_server_spreads() {
    let of = |dispatch: &str| {
        let services =
            format!("{{api: {{members: 3, workers: 1, time: 1ms, dispatch: {dispatch}}}}}");
        let model = model(&services, "[{visit: api}, reply]");
        let mut listening = play(&model, &[], Vec::new()).listening;
        let first = listening.try_recv().expect("it listens");
        let asked = first.into_iter().filter(|one| one.subject == "a.b");
        asked.map(|one| one.member).collect::<Vec<_>>()
    };
    assert_eq!(of("random"), [Some(0), Some(1), Some(2)]);
    assert_eq!(of("shared"), [None]);
    assert_eq!(of("least_loaded"), [None]);
}

const TWO: &str = "{api: {workers: 1, time: 10ms}, db: {workers: 1, time: 5ms}}";

#[test]
fn visits_of_others_are_handed_on_and_return() {
    let model = model(TWO, "[{visit: api}, {visit: db}, reply]");
    let back = |ticket, outcome, at| {
        let returned = Returned {
            ticket,
            outcome,
            served: Some((0, Span::from_nanos(5_000_000))),
            at,
        };
        (at, Heard::Returned(returned))
    };
    let incoming = vec![
        asks(ms(1), None, 0),
        asks(ms(1), None, 1),
        back(0, Outcome::Ok, ms(40)),
        back(1, Outcome::Rejected, ms(41)),
        back(7, Outcome::Ok, ms(42)),
    ];
    let played = play(&model, &["api"], incoming);
    let handed = sent_to(&played, "blis.a_double.visit.db");
    assert_eq!(handed.len(), 2);
    assert_eq!(header(handed[0], REQUEST_ID), Some("users/0/0/0"));
    let reply = handed[1].reply.as_ref().map(Subject::as_str);
    assert_eq!(reply, Some("box.v1"));
    let answers = sent_to(&played, "answer.");
    assert_eq!(answers[0].subject.as_str(), "answer.0");
    // The service times of both visits.
    assert_eq!(header(answers[0], SERVICE_TIME), Some("15000000"));
    assert_eq!(header(answers[0], SERVICE_ERROR_CODE), None);
    assert_eq!(header(answers[1], SERVICE_ERROR_CODE), Some(REJECTED));
    // What was done elsewhere is told with what was done here; who found no room has no time.
    let visits = [0, 1].map(|nth| header(answers[nth], VISITS));
    let told = ["api/0/10000000,db/0/5000000", "api/0/10000000,db/0/-"];
    assert_eq!(visits, told.map(Some));
    assert_eq!(played.statement.played.handed_on, 2);
    assert_eq!(played.statement.services.len(), 1);
}

#[test]
fn a_reply_says_each_visit_where_there_is_not_just_one() {
    const SERVICES: &str = "{api: {members: 3, workers: 1, time: 10ms}, db: {workers: 4, time: 5ms}, \
                            log: {workers: 1, time: 100ms}, full: {workers: 1, time: 50ms, queue: {limit: 0}}}";
    for (path, told) in [
        ("[reply]", None),
        ("[{visit: api}, reply]", None),
        (
            "[{visit: api}, {visit: db}, reply]",
            Some("api/2/10000000,db/0/5000000"),
        ),
        (
            "[{visit: api}, {visit: db}, {visit: db}, reply]",
            Some("api/2/10000000,db/0/5000000,db/0/5000000"),
        ),
        // A visit that holds its worker has its own time, before those that it is held for.
        (
            "[{visit: {service: api, during: [{visit: db}]}}, reply]",
            Some("api/2/10000000,db/0/5000000"),
        ),
        // Those of whom nothing is known yet when the reply is sent are not in it.
        ("[reply, {visit: api}]", Some("")),
        (
            "[{parallel: {join: none, paths: [[{visit: log}]]}}, {visit: api}, reply]",
            Some("api/2/10000000"),
        ),
        (
            "[{visit: api}, {branch: [{weight: 1, path: [{visit: db}]}, {weight: 1, path: [{visit: db}]}]}, reply]",
            Some("api/2/10000000,db/0/5000000"),
        ),
    ] {
        let played = play(&model(SERVICES, path), &[], vec![asks(ms(1), Some(2), 0)]);
        let answers = sent_to(&played, "answer.");
        assert_eq!(header(answers[0], VISITS), told, "{path}");
    }
    let path = "[{visit: db}, {visit: full}, reply]";
    let both = vec![asks(ms(1), None, 0), asks(ms(1), None, 1)];
    let played = play(&model(SERVICES, path), &[], both);
    let answers = sent_to(&played, "answer.");
    let refused = answers
        .iter()
        .find(|answer| header(answer, SERVICE_ERROR_CODE).is_some());
    let told = refused.and_then(|refused| header(refused, VISITS));
    assert_eq!(told, Some("db/0/5000000,full/0/-"));
}

/// A visit whose worker was taken for a more urgent one has its whole time.
#[test]
fn an_interrupted_visit_is_told_as_one() {
    let text = "{blis: 1, name: a double, run: {requests: 1}, clients: {users: {rate: 1/s, do: {slow: 1, quick: \
                1}}}, actions: {slow: {class: later, path: [{visit: api}, {visit: db}, reply], live: {request: a.slow}}, quick: {class: \
                soon, path: [{visit: api}, reply], live: {request: a.quick}}}, services: {api: {workers: 1, time: 10ms, queue: {order: \
                {priority: {classes: [soon, later], preempt: true}}}}, db: {workers: 1, time: 5ms}}}";
    // Actions are in the order of their names: the quick ones are the first.
    let asks_for = |action, at, number| match asks(at, None, number) {
        (at, Heard::Request(arrived)) => {
            let action = ActionId(action);
            (at, Heard::Request(Arrived { action, ..arrived }))
        }
        other => other,
    };
    let incoming = vec![
        asks_for(1, ms(1), 0),
        asks_for(0, ms(4), 1),
        asks_for(0, ms(16), 2),
    ];
    let played = play(&lowered(text), &[], incoming);
    let answers = sent_to(&played, "answer.0");
    assert_eq!(
        header(answers[0], VISITS),
        Some("api/0/10000000,db/0/5000000")
    );
}

#[test]
fn a_visit_whose_answer_is_lost_ends_as_if_nobody_were_there() {
    let model = model(TWO, "[{visit: api}, {visit: db}, reply]");
    let late = Returned {
        ticket: 0,
        outcome: Outcome::Ok,
        served: None,
        at: ms(6_000),
    };
    let incoming = vec![
        asks(ms(1), None, 0),
        asks(ms(5_500), None, 1),
        (ms(6_000), Heard::Returned(late)),
        (
            ms(6_001),
            Heard::Returned(Returned {
                ticket: 1,
                at: ms(6_001),
                ..late
            }),
        ),
    ];
    let answers = play(&model, &["api"], incoming).statement.played.answers;
    let of = |outcome| answers.get(outcome).copied();
    assert_eq!((of("transport_error"), of("ok")), (Some(1), Some(1)));
}

#[test]
fn a_visit_that_is_handed_in_has_the_demand_that_it_would_have_at_home() {
    let services = TWO.replace("time: 5ms", "time: {exponential: {mean: 5ms}}");
    let model = model(&services, "[{visit: api}, {visit: db}, reply]");
    let whole = play(&model, &[], vec![asks(ms(1), None, 3)]);
    let answers = sent_to(&whole, "answer.");
    let time: u64 = header(answers[0], SERVICE_TIME)
        .and_then(|time| time.parse().ok())
        .expect("a time");
    let part = play(&model, &["api"], vec![asks(ms(1), None, 3)]);
    let handed = sent_to(&part, "blis.a_double.visit.db");
    let call = header(handed[0], VISIT).and_then(parse_call);
    let called = Called {
        service: 1,
        member: None,
        call,
        reply: Some("back".into()),
        at: ms(1),
    };
    let other = play(&model, &["db"], vec![(ms(1), Heard::Visit(called.clone()))]);
    let back = sent_to(&other, "back");
    let own = (time - 10_000_000).to_string();
    assert_eq!(header(back[0], SERVICE_TIME), Some(own.as_str()));
    assert_eq!(other.statement.played.taken, 1);
    // A visit of another spec is refused.
    let unknown = Called {
        call: call.map(|call| Call {
            step: 0xFFFF,
            ..call
        }),
        ..called
    };
    let other = play(&model, &["db"], vec![(ms(1), Heard::Visit(unknown))]);
    let back = sent_to(&other, "back");
    assert_eq!(header(back[0], SERVICE_ERROR_CODE), Some("500"));
}

#[test]
fn each_load_over_the_same_double_has_service_times_of_its_own() {
    let services = TWO.replace("time: 10ms", "time: {exponential: {mean: 10ms}}");
    let model = model(&services, "[{visit: api}, reply]");
    let times = |epoch: Epoch| {
        let asked = (0..20).map(|number| asks_in(epoch, ms(1), None, number));
        let played = play(&model, &[], asked.collect());
        let answers = sent_to(&played, "answer.");
        let time = |answer: &&Outgoing| header(answer, SERVICE_TIME).map(str::to_owned);
        answers.iter().filter_map(time).collect::<Vec<_>>()
    };
    let (first, second) = (times(Epoch::FIRST), times(Epoch::FIRST.next()));
    assert_eq!((first.len(), first.clone()), (20, times(Epoch::FIRST)));
    assert_eq!(second.len(), 20);
    assert!(first.iter().all(|time| !second.contains(time)));
}

#[test]
fn processes_share_members_as_they_come_and_go() {
    let model = model(
        "{api: {members: 4, workers: 1, time: 1ms}}",
        "[{visit: api}, reply]",
    );
    let told = |id: &str, leaves, at| {
        let told = Announcement {
            id: id.to_owned(),
            run: String::new(),
            services: vec!["api".to_owned()],
            leaves,
        };
        (at, Heard::Peer(told, at))
    };
    let incoming = vec![
        told("a", false, ms(10)),
        told("z", false, ms(20)),
        told("a", true, ms(30)),
    ];
    let mut played = play(&model, &[], incoming);
    let mut seen = Vec::new();
    while let Ok(listening) = played.listening.try_recv() {
        let asked = listening.into_iter().filter(|one| one.subject == "a.b");
        seen.push(asked.filter_map(|one| one.member).collect::<Vec<_>>());
    }
    // Alone; second of two; second of three; first of two; alone, as the other is silent; at its end.
    let expected: [&[u32]; 6] = [&[0, 1, 2, 3], &[1, 3], &[1], &[0, 2], &[0, 1, 2, 3], &[]];
    assert_eq!(seen, expected);
    let said = sent_to(&played, "blis.a_double.peers");
    let said: Vec<bool> = said
        .iter()
        .filter_map(|one| Announcement::parse(&one.payload))
        .map(|told| told.leaves)
        .collect();
    // At its start, to each of the two who came, and once in each of the ten seconds.
    assert_eq!(said.iter().filter(|leaves| !**leaves).count(), 1 + 2 + 10);
    assert_eq!(said.iter().filter(|leaves| **leaves).count(), 1);
    assert_eq!(said.last(), Some(&true));
}

#[test]
fn questions_are_answered_by_the_services_that_are_played() {
    let model = model(TWO, "[{visit: api}, reply]");
    let asked = |service, reply: &str| {
        let question = Question {
            verb: Verb::Stats,
            service,
            reply: reply.into(),
        };
        (ms(100), Heard::Asked(question))
    };
    let incoming = vec![
        asks(ms(1), None, 0),
        asked(None, "all"),
        asked(Some(0), "one"),
    ];
    let played = play(&model, &["api"], incoming);
    for subject in ["all", "one"] {
        let answers = sent_to(&played, subject);
        assert_eq!(answers.len(), 1, "{subject}");
        let stats: serde_json::Value = serde_json::from_slice(&answers[0].payload).expect("JSON");
        assert_eq!(stats["name"], "api");
        assert_eq!(stats["endpoints"][0]["name"], "ask");
        assert_eq!(stats["endpoints"][0]["num_requests"], 1);
        assert_eq!(stats["endpoints"][0]["processing_time"], 10_000_000);
        assert_eq!(
            stats["endpoints"][0]["data"]["members"][0]["service_time"],
            10_000_000
        );
    }
}

#[test]
fn fan_outs_are_sent_when_they_are_due() {
    let text = "blis: 1\nname: a double\nrun: {requests: 1}\nclients: {users: {rate: 1/s, do: ask}}\nactions:\n  ask: {path: \
                [{emit: room}, reply], live: {request: a.b}}\nservices: {api: {workers: 1, time: 1ms}}\nfan_outs: {room: {subscribers: 3, delay: 10ms, \
                each: 1ms}}\n";
    let model = lowered(text);
    let played = play(&model, &[], vec![asks(ms(1), None, 0)]);
    let deliveries = sent_to(&played, "blis.a_double.fanout.room.");
    let last: Vec<&str> = deliveries
        .iter()
        .filter_map(|one| one.subject.rsplit('.').next())
        .collect();
    assert_eq!(last, ["0", "1", "2"]);
    assert!(
        deliveries
            .iter()
            .all(|one| header(one, REQUEST_ID) == Some("users/0/0/0"))
    );
    // All of them after the answer, which waits for nobody.
    let order = |prefix: &str| {
        played
            .sent
            .iter()
            .position(|one| one.subject.starts_with(prefix))
    };
    assert!(order("answer.") < order("blis.a_double.fanout."));
    assert_eq!(played.statement.played.deliveries, 3);
}

#[test]
fn what_was_taken_is_played_to_its_end() {
    let model = model("{api: {workers: 1, time: 2s}}", "[{visit: api}, reply]");
    // It shall stop after ten seconds, a second before the answer.
    let played = play(
        &model,
        &[],
        vec![asks(ms(9_000), None, 0), asks(ms(9_900), None, 1)],
    );
    let answers = sent_to(&played, "answer.");
    assert_eq!(answers.len(), 2);
    assert!(played.statement.elapsed >= ms(13_000).since(Time::ZERO));
}

#[test]
fn a_worker_that_is_held_serves_only_its_own_time() {
    let path = "[{visit: {service: api, during: [{visit: db}]}}, reply]";
    let played = play(&model(TWO, path), &[], vec![asks(ms(1), None, 0)]);
    let answers = sent_to(&played, "answer.");
    assert_eq!(header(answers[0], SERVICE_TIME), Some("15000000"));
    // The same where the visit meanwhile is somebody else's.
    let part = play(&model(TWO, path), &["api"], vec![asks(ms(1), None, 0)]);
    assert_eq!(sent_to(&part, "blis.a_double.visit.db").len(), 1);
}
