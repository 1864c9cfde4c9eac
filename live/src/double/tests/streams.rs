//! What members ask their streams for, and what they tell them.

use super::*;
use crate::double::messages::{Delivery, Fetched};
use blis_sim::backend::Message;
use blis_sim::model::REQUEST_ID;

fn shop(consumer: &str, work: &str) -> Model {
    lowered(&format!(
        "blis: 1\nname: shop\nrun: {{requests: 1}}\nclients: {{users: {{rate: 1/s, do: ask}}, visitors: {{rate: 1/s, do: ask}}}}\nactions:\n  ask: {{path: \
         [{{publish: orders}}, reply], live: {{request: a.b}}}}\nstreams:\n  orders: {{consumers: {{biller: {{service: work, \
         {consumer}}}}}}}\n  unbilled: {{consumers: {{desk: {{service: yard}}}}}}\nservices:\n  work: {{{work}}}\n  yard: {{workers: \
         1, time: 1ms}}\n"
    ))
}

fn delivers(at: Time, member: usize, sequence: u64, number: u32) -> (Time, Heard) {
    let delivery = Delivery {
        subject: "orders".to_owned(),
        message: Some(Message {
            identity: sequence,
            client: 0,
            answered: true,
        }),
        identity: None,
        reply: None,
        ack: format!("ack.{sequence}.{number}").into(),
        sequence,
        number,
    };
    let fetched = Fetched {
        consumer: 0,
        member,
        delivery: Some(delivery),
        unfilled: 0,
        at,
    };
    (at, Heard::Fetched(fetched))
}

fn ends(at: Time, member: usize, unfilled: u32) -> (Time, Heard) {
    let fetched = Fetched {
        consumer: 0,
        member,
        delivery: None,
        unfilled,
        at,
    };
    (at, Heard::Fetched(fetched))
}

/// How many messages a member of the biller asked for, each time.
fn asked(played: &Played, member: usize) -> Vec<u64> {
    let reply = format!("pull.0.{member}");
    sent_to(played, "$JS.hub.API.CONSUMER.MSG.NEXT.orders.biller")
        .into_iter()
        .filter(|one| one.reply.as_ref().map(Subject::as_str) == Some(reply.as_str()))
        .filter_map(|one| {
            let body: serde_json::Value = serde_json::from_slice(&one.payload).ok()?;
            body["batch"].as_u64()
        })
        .collect()
}

/// What the stream was told of each delivery.
fn told(played: &Played) -> Vec<(&str, &str)> {
    sent_to(played, "ack.")
        .into_iter()
        .map(|one| {
            let text = std::str::from_utf8(&one.payload).expect("text");
            (&one.subject.as_str()[4..], text)
        })
        .collect()
}

#[test]
fn a_member_asks_for_what_it_has_workers_for() {
    let model = shop("prefetch: 1", "members: 2, workers: 2, time: 10ms");
    let incoming = vec![
        delivers(ms(1), 0, 1, 1),
        delivers(ms(1), 0, 2, 1),
        delivers(ms(1), 0, 3, 1),
        ends(ms(50), 1, 2),
    ];
    let played = play(&model, &[], incoming);
    // Three are worked on by two workers: two are done first, and then the third.
    assert_eq!(asked(&played, 0)[..3], [3, 2, 1]);
    // Of three that the other had asked for, two did not come.
    assert_eq!(asked(&played, 1)[..2], [3, 2]);
    assert_eq!(
        told(&played),
        [("1.1", "+ACK"), ("2.1", "+ACK"), ("3.1", "+ACK")]
    );
    let (_, members) = &played.statement.services[0];
    let visits = members.iter().map(|(_, tally)| tally.visits);
    assert_eq!(visits.collect::<Vec<_>>(), [3, 0]);
    assert_eq!(played.statement.played.fetched, 3);
}

#[test]
fn what_was_asked_for_over_a_lost_connection_is_asked_for_again() {
    let model = shop("prefetch: 1", "workers: 2, time: 10ms");
    let incoming = || {
        (1..4)
            .map(|sequence| delivers(ms(1), 0, sequence, 1))
            .collect()
    };
    let over = |connections| asked(&play_over(Some(connections), &model, &[], incoming()), 0);
    let lasting: Vec<u64> = over(|_| Some(1));
    assert_eq!(lasting.iter().sum::<u64>(), 6, "{lasting:?}");
    // Another connection once all is acknowledged, while the member waits for three messages.
    let again: Vec<u64> = over(|sent| Some(1 + u64::from(sent > 8)));
    assert_eq!(again.last(), Some(&3), "{again:?}");
    let gone: Vec<u64> = over(|sent| (sent < 3).then_some(1));
    assert_eq!(gone, [3], "nothing is asked for without a connection");
}

#[test]
fn batches_close_when_they_are_full_or_have_waited() {
    let batch = "batch: {size: 3, linger: 100ms, per_batch: 5ms, per_item: 1ms}";
    let model = shop(batch, "workers: 1, time: 1ms");
    let incoming = vec![
        delivers(ms(1), 0, 1, 1),
        delivers(ms(2), 0, 2, 1),
        delivers(ms(3), 0, 3, 1),
        delivers(ms(50), 0, 4, 1),
    ];
    let played = play(&model, &[], incoming);
    assert_eq!(asked(&played, 0)[..2], [3, 3]);
    let acked: Vec<&str> = told(&played).into_iter().map(|(which, _)| which).collect();
    assert_eq!(acked, ["1.1", "2.1", "3.1", "4.1"]);
    let (_, members) = &played.statement.services[0];
    let (_, tally) = members[0];
    // 5 + 3 ms and 5 + 1 ms.
    assert_eq!(
        (tally.visits, tally.service),
        (2, Span::from_nanos(14_000_000))
    );
}

#[test]
fn a_batch_that_has_waited_waits_for_a_worker_too() {
    let batch = "batch: {size: 2, linger: 10ms, per_batch: 100ms}";
    let model = shop(batch, "workers: 1, time: 1ms");
    let incoming = vec![
        delivers(ms(1), 0, 1, 1),
        delivers(ms(1), 0, 2, 1),
        delivers(ms(20), 0, 3, 1),
        delivers(ms(60), 0, 4, 1),
    ];
    let played = play(&model, &[], incoming);
    let (_, members) = &played.statement.services[0];
    assert_eq!(members[0].1.visits, 2, "what came meanwhile is one batch");
    assert_eq!(told(&played).len(), 4);
}

#[test]
fn failures_are_delivered_again_and_given_up_in_the_end() {
    let consumer = "max_deliver: 3, nak_delay: [5ms, 7ms], after_max_deliver: {publish: unbilled}";
    let model = shop(consumer, "workers: 1, time: 1ms, errors: 100%");
    let incoming = vec![
        delivers(ms(1), 0, 9, 1),
        delivers(ms(20), 0, 9, 2),
        delivers(ms(40), 0, 9, 3),
    ];
    let played = play(&model, &[], incoming);
    assert_eq!(
        told(&played),
        [
            ("9.1", "-NAK {\"delay\":5000000}"),
            ("9.2", "-NAK {\"delay\":7000000}"),
            ("9.3", "+TERM"),
        ]
    );
    let dead = sent_to(&played, "unbilled");
    assert_eq!(dead.len(), 1);
    assert!(header(dead[0], crate::wire::identity::MESSAGE).is_some());
}

#[test]
fn a_last_delivery_that_takes_too_long_is_given_up_once() {
    let consumer = "max_deliver: 2, ack_wait: 50ms, after_max_deliver: {publish: unbilled}";
    let model = shop(consumer, "workers: 2, time: 200ms");
    let incoming = vec![delivers(ms(1), 0, 8, 1), delivers(ms(60), 0, 9, 2)];
    let played = play(&model, &[], incoming);
    // The first is the server's to deliver again; whoever is done first acknowledges it.
    assert_eq!(told(&played), [("9.2", "+TERM"), ("8.1", "+ACK")]);
    assert_eq!(sent_to(&played, "unbilled").len(), 1);
}

#[test]
fn a_message_of_another_spec_is_worked_on_all_the_same() {
    let model = shop(
        "max_deliver: 2",
        "workers: 1, time: 1ms, queue: {order: {fair: {weights: {users: 2}}}}",
    );
    let (at, mut heard) = delivers(ms(1), 0, 8, 1);
    if let Heard::Fetched(Fetched {
        delivery: Some(Delivery {
            message: Some(message),
            ..
        }),
        ..
    }) = &mut heard
    {
        message.client = 7;
    }
    let played = play(&model, &[], vec![(at, heard)]);
    assert_eq!(told(&played), [("8.1", "+ACK")]);
}

#[test]
fn a_publication_is_waited_for_and_carries_its_identity() {
    let model = shop("max_deliver: 3", "workers: 1, time: 1ms");
    let stored = |outcome| {
        let returned = Returned {
            ticket: 0,
            outcome,
            served: None,
            at: ms(30),
        };
        (ms(30), Heard::Returned(returned))
    };
    let play = |outcome| play(&model, &[], vec![asks(ms(1), None, 0), stored(outcome)]);
    let played = play(Outcome::Ok);
    let published = sent_to(&played, "orders");
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].reply.as_deref(), Some("box.p0"));
    assert_eq!(header(published[0], REQUEST_ID), Some("users/0/0/0"));
    let message = header(published[0], crate::wire::identity::MESSAGE).expect("an identity");
    assert!(message.ends_with("/0/0"), "{message}");
    assert_eq!(
        header(sent_to(&played, "answer.")[0], SERVICE_ERROR_CODE),
        None
    );
    let played = play(Outcome::AppError);
    let answers = sent_to(&played, "answer.");
    assert_eq!(header(answers[0], SERVICE_ERROR_CODE), Some("500"));
}

#[test]
fn who_leaves_gives_back_what_it_has_not_begun() {
    let batch = "batch: {size: 3, per_item: 1ms}";
    let model = shop(batch, "workers: 1, time: 1ms");
    let incoming = vec![delivers(ms(1), 0, 1, 1), delivers(ms(2), 0, 2, 1)];
    let played = play(&model, &[], incoming);
    assert_eq!(told(&played), [("1.1", "-NAK"), ("2.1", "-NAK")]);
}
