//! Headers as a record may hold them, whoever wrote them.

use blis_sim::event::Outcome;
use blis_sim::model::{ActionId, ClientId};
use blis_sim::simulation::Simulation;
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::trace::Trace;
use blis_sim::users::Script;

use super::*;

const BOTH: Wanted = Wanted {
    members: true,
    times: true,
};
const SERVICES: &str = "group: {workers: 1, members: 4, time: 5ms}, db: {workers: 2, time: 1ms}";

fn model_of(path: &str, live: &str, rest: &str) -> Model<Path> {
    let text = format!(
        "{{blis: 1, name: m, run: {{horizon: 10s}}, clients: {{c: {{rate: 1/s, do: ask}}}}, actions: {{ask: {{path: {path}, live: \
         {{request: a.b{live}}}}}}}, {rest}}}"
    );
    let read = spec::read(&text).unwrap_or_else(|why| panic!("{why:?}"));
    let lowered = spec::lower(&read).unwrap_or_else(|why| panic!("{why:?}"));
    lowered.model
}

fn model(path: &str) -> Model<Path> {
    model_of(path, "", &format!("services: {{{SERVICES}}}"))
}

const SINGLE: &str = "[{visit: group}, reply]";
const SEVERAL: &str = "[{visit: group}, {visit: db}, {visit: group}, reply]";

/// The number of a request, 20 ms from its sending to its reply.
fn row(user: u64) -> Row {
    let sent = Time::ZERO + Span::from_nanos(user * 100_000_000);
    Row {
        client: ClientId(0),
        user,
        number: 0,
        attempt: 0,
        action: ActionId(0),
        intended: sent,
        sent,
        done: sent + Span::from_nanos(20_000_000),
        outcome: Outcome::Ok,
        in_window: true,
        reason: None,
        connection: None,
        reply_bytes: Some(0),
    }
}

/// Members, service times and visits in the order in which they are recorded unless the spec says otherwise.
fn headers(values: &[(usize, &str)]) -> ReplyHeaders {
    ReplyHeaders::of(values.iter().copied())
}

fn read(
    model: &Model<Path>,
    rows: &[Row],
    headers: &[ReplyHeaders],
    wanted: Wanted,
) -> Result<(RecordedVisits, u64), String> {
    let of_run = model.live();
    let requests = Requests {
        model,
        of_run: &of_run,
        rows,
        headers,
    };
    visits(requests, wanted).map_err(|why| why.to_string())
}

/// How long each request takes with what its headers say.
fn took(model: &Model<Path>, rows: &[Row], recorded: RecordedVisits) -> Vec<u64> {
    let script = Script::new(rows, 1).expect("a script");
    let mut took = Vec::new();
    let trace = Trace::new(model, |row: &Row| {
        took.push((row.user, row.service().as_nanos()))
    });
    let mut simulation = Simulation::replaying(model, script, trace).following(recorded);
    simulation.run().expect("time goes on");
    drop(simulation);
    took.sort_unstable();
    took.into_iter().map(|(_, nanos)| nanos).collect()
}

#[test]
fn what_headers_say_is_used_and_what_they_do_not_say_is_drawn() {
    let model = model(SINGLE);
    let rows: Vec<Row> = (0..4).map(row).collect();
    let refused = Row {
        outcome: Outcome::Rejected,
        ..rows[3]
    };
    let rows = [rows[0], rows[1], rows[2], refused];
    let said = [
        headers(&[(0, "2"), (1, "7000000")]),
        headers(&[]),
        headers(&[(0, "3")]),
        // It found no room, and takes its own time where it finds some.
        headers(&[(0, "1"), (1, "0")]),
    ];
    let (recorded, without) = read(&model, &rows, &said, BOTH).expect("visits");
    assert_eq!(without, 2);
    let own = 5_000_000;
    assert_eq!(took(&model, &rows, recorded), [7_000_000, own, own, own]);
    let members = Wanted {
        times: false,
        ..BOTH
    };
    let (recorded, without) = read(&model, &rows, &said, members).expect("visits");
    assert_eq!((without, took(&model, &rows, recorded)), (1, vec![own; 4]));
}

#[test]
fn each_visit_of_several_is_used() {
    let model = model(SEVERAL);
    let rows = [row(0), row(1), row(2)];
    let said = [
        headers(&[
            (0, "1"),
            (1, "3210"),
            (2, "group/3/10,db/0/200,group/1/3000"),
        ]),
        headers(&[(0, "1"), (1, "3210")]),
        // The last visit found no room.
        headers(&[(2, "group/3/10,db/0/200,group/1/-")]),
    ];
    let (recorded, without) = read(&model, &rows, &said, BOTH).expect("visits");
    assert_eq!(without, 1);
    assert_eq!(
        took(&model, &rows, recorded),
        [3_210, 11_000_000, 5_000_210]
    );
}

#[test]
fn rows_that_say_what_cannot_be_are_refused_by_number() {
    let single = model(SINGLE);
    let several = model(SEVERAL);
    let fine = [(0, "1"), (1, "7000000")];
    for (model, values, said) in [
        (
            &single,
            &[(0, "4"), (1, "7")][..],
            "the member in Blis-Member is `4`, but the service group of the model has 4",
        ),
        (&single, &[(0, "-1"), (1, "7")], "`-1`"),
        (&single, &[(0, "one\u{1b}[2J"), (1, "7")], "one\\u001b[2J"),
        (
            &single,
            &[(0, "99999999999999999999"), (1, "7")],
            "Blis-Member",
        ),
        (
            &single,
            &[(0, "1"), (1, "7ms")],
            "`7ms`, which is not a number of nanoseconds",
        ),
        (
            &single,
            &[(0, "1"), (1, "-7")],
            "not a number of nanoseconds",
        ),
        (
            &single,
            &[(0, "1"), (1, "18446744073709551615")],
            "longer than the 20ms from sending to reply",
        ),
        (
            &single,
            &[(0, "1"), (1, "22000000")],
            "longer than the 20ms",
        ),
        (
            &several,
            &[(2, "group/1/7,db/0")],
            "is not SERVICE/MEMBER/NANOSECONDS",
        ),
        (
            &several,
            &[(2, "group/1/7,db/0/7/7")],
            "is not SERVICE/MEMBER/NANOSECONDS",
        ),
        (
            &several,
            &[(2, "group/1/7,other/0/7")],
            "the record has visits of the service other",
        ),
        (
            &several,
            &[(2, "group/9/7")],
            "the member in Blis-Visits is `9`",
        ),
        (
            &several,
            &[(2, "group/1/7,db/0/12…")],
            "Blis-Visits was cut",
        ),
    ] {
        let said_first = match std::ptr::eq(model, &single) {
            true => headers(&fine),
            false => headers(&[(2, "group/1/7")]),
        };
        let why = read(
            model,
            &[row(0), row(1)],
            &[said_first, headers(values)],
            BOTH,
        );
        let why = why.expect_err("it is refused");
        assert!(
            why.starts_with("row 2 of the record (client c, user 1, "),
            "{why}"
        );
        assert!(why.contains(said), "{said}: {why}");
    }
    let twice = [headers(&fine), headers(&fine)];
    let why = read(&single, &[row(0), row(0)], &twice, BOTH).expect_err("it is refused");
    assert!(
        why.contains("row 2") && why.contains("recorded before"),
        "{why}"
    );
}

#[test]
fn records_without_headers_are_refused_with_the_key_that_is_missing() {
    let [single, several] = [SINGLE, SEVERAL].map(|path| {
        let other = ", record_headers: [Server-Id]";
        model_of(path, other, &format!("services: {{{SERVICES}}}"))
    });
    let rows = [row(0)];
    let none = [headers(&[(0, "7")])];
    for (model, said) in [
        (
            &single,
            "add `record_headers: [Server-Id, Blis-Member, Blis-Service-Time-Ns]` to `actions.ask.live`",
        ),
        (
            &several,
            "add `record_headers: [Server-Id, Blis-Visits]` to `actions.ask.live`",
        ),
    ] {
        let why = read(model, &rows, &none, BOTH).expect_err("it is refused");
        assert!(why.contains(said), "{why}");
    }
    for path in [SINGLE, SEVERAL] {
        let why = read(&model(path), &rows, &[headers(&[])], BOTH).expect_err("it is refused");
        assert!(why.contains("which `blis serve` sends"), "{why}");
    }
    // Nobody answered.
    let silent = [Row {
        reply_bytes: None,
        ..row(0)
    }];
    let read = read(&model(SINGLE), &silent, &[headers(&[])], BOTH);
    assert_eq!(read.map(|(_, without)| without), Ok(1));
}

#[test]
fn paths_on_which_a_reply_does_not_say_enough_are_refused() {
    let with = |services: &str, rest: &str| format!("services: {{{SERVICES}{services}}}{rest}");
    let times = Wanted {
        members: false,
        ..BOTH
    };
    for (path, rest, wanted, said) in [
        (
            "[{publish: s}]",
            with(
                "",
                ", streams: {s: {consumers: {c: {service: db, during: [reply]}}}}",
            ),
            BOTH,
            "is answered by a consumer",
        ),
        (
            "[{visit: group}, {emit: f}, reply]",
            with("", ", fan_outs: {f: {subscribers: 3, service: db}}"),
            BOTH,
            "has deliveries that db serves",
        ),
        (
            "[{parallel: {paths: [[{visit: db}], [{visit: db}]]}}, {visit: group}, reply]",
            with("", ""),
            BOTH,
            "visits db more than once",
        ),
        (
            "[{visit: common}, reply]",
            with(
                ", common: {workers: 2, time: 5ms, queue: {order: shared}}",
                "",
            ),
            times,
            "leave out service of --recorded",
        ),
    ] {
        let model = model_of(path, "", &rest);
        let said_of_it = [headers(&[(0, "0"), (1, "7"), (2, "")])];
        let why = read(&model, &[row(0)], &said_of_it, wanted).map(|_| ());
        match why {
            Err(why) => assert!(why.contains(said), "{why}"),
            // Nothing is visited on the way.
            Ok(()) => panic!("{path}"),
        }
    }
}
