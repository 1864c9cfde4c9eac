//! Series, growth, verdict and result document.

use blis_sim::event::MessageStep;
use blis_sim::model::Model;
use blis_sim::verdict::{Standing, Status};
use serde_json::{Value, json};

use crate::feed::{AUDIT, Feed, INDEXER, MAILER, model, ms, plain};

/// One message is stored every second from 1 s to 60 s; every fourth is delivered and acknowledged at once, and every
/// tenth, once it is delivered, is delivered again. The load ends at 60 s, the run at 70 s.
fn feed(model: Model) -> Feed {
    let mut feed = Feed::new(model);
    let zero = ms(0);
    for second in 1..=60u64 {
        let millis = second * 1_000;
        feed.published(millis, AUDIT, true);
        feed.message(millis, INDEXER, MessageStep::Stored);
        feed.message(millis, MAILER, MessageStep::Stored);
        let delivered = MessageStep::Delivered { waited: zero };
        feed.message(millis, MAILER, delivered);
        if second % 10 == 0 {
            feed.message(millis, MAILER, MessageStep::Redelivered);
        }
        let (age, held) = (zero, zero);
        feed.message(millis, MAILER, MessageStep::Acknowledged { age, held });
        if second % 4 == 0 {
            feed.message(millis, INDEXER, delivered);
            feed.message(millis, INDEXER, MessageStep::Acknowledged { age, held });
        }
    }
    feed.load_ends(60_000);
    for second in (1..=60u64).filter(|second| second % 4 != 0) {
        let waited = ms(70_000 - second * 1_000);
        feed.message(70_000, INDEXER, MessageStep::CutPending { waited });
    }
    feed.finish(70_000).unwrap();
    feed
}

fn json_of(feed: &Feed) -> Value {
    serde_json::from_str(&feed.document().to_json().unwrap()).unwrap()
}

#[test]
fn the_series_shows_levels_at_the_end_of_intervals_and_what_the_end_cut_off() {
    let document = json_of(&feed(model()));
    let series = document["series"].as_array().unwrap();
    assert_eq!(series.len(), 35);
    let consumer = |row: usize, name: &str| &series[row]["streams"]["audit"]["consumers"][name];
    // An interval of 2 s ends before what happens at its last instant: at 2 s one message was there.
    let expected = json!({"backlog": 1, "ack_pending": 0, "redelivered": 0});
    assert_eq!(consumer(0, "indexer"), &expected);
    // At 20 s there were 19, of which those of 4 s, 8 s, 12 s and 16 s were gone.
    assert_eq!(consumer(9, "indexer")["backlog"], json!(15));
    // The end of the run finds 45, and they are there until then.
    assert_eq!(consumer(34, "indexer")["backlog"], json!(45));
    let redelivered = |row| consumer(row, "mailer")["redelivered"].as_u64().unwrap();
    assert_eq!((redelivered(4), redelivered(5)), (0, 1));
    assert_eq!((0..35).map(redelivered).sum::<u64>(), 6);
    assert_eq!(consumer(9, "mailer")["backlog"], json!(0));
}

#[test]
fn the_result_has_the_figures_of_streams_and_consumers() {
    let document = json_of(&feed(model()));
    let audit = &document["streams"]["audit"];
    assert_eq!(audit["published"], json!(51));
    assert_eq!(audit["duplicates"], json!(0));
    let indexer = &audit["consumers"]["indexer"];
    assert_eq!(indexer["stored"], json!(51));
    assert_eq!(indexer["acknowledged"], json!(13));
    assert_eq!(indexer["acknowledged_per_s"], json!(13.0 / 50.0));
    assert_eq!(indexer["unfinished_pending"], json!(45));
    assert_eq!(indexer["unfinished_delivered"], json!(0));
    // A message of a fourth second is there for an instant: the 60th is the 46th then.
    assert_eq!(indexer["backlog_max"], json!(46));
    assert_eq!(indexer["pending_max"], json!(46));
    assert_eq!(indexer["ack_pending_max"], json!(1));
    assert_eq!(indexer["ack_pending_mean"], json!(0.0));
    assert_eq!(indexer["age_ms"]["count"], json!(51));
    assert_eq!(indexer["age_ms"]["censored"], json!(38));
    assert_eq!(indexer["wait_ms"]["censored"], json!(38));
    let slope = indexer["backlog_slope_per_s"].as_f64().unwrap();
    assert!((slope - 0.75).abs() < 0.01, "{slope}");
    assert_eq!(indexer["backlog_grows"], json!(true));
    let mailer = &audit["consumers"]["mailer"];
    assert_eq!(mailer["redelivered"], json!(6));
    assert_eq!(mailer["backlog_slope_per_s"], json!(0.0));
    assert_eq!(mailer["backlog_grows"], json!(false));
    assert_eq!(
        document["streams"]["dead"]["consumers"]["indexer"]["stored"],
        json!(0)
    );
    assert_eq!(document["fan_outs"]["rooms"]["emissions"], json!(0));
    assert_eq!(document["fan_outs"]["rooms"].get("completion_ratio"), None);
}

#[test]
fn the_result_of_a_model_without_messages_says_nothing_of_them() {
    let mut feed = Feed::new(plain());
    feed.load_ends(60_000);
    feed.finish(60_000).unwrap();
    let document = json_of(&feed);
    assert_eq!(document.get("streams"), None);
    assert_eq!(document.get("fan_outs"), None);
    assert_eq!(document["series"][0].get("streams"), None);
    assert!(document["series"][0].get("services").is_some());
}

#[test]
fn a_load_that_ends_within_the_warm_up_measures_nothing() {
    let mut feed = Feed::new(model());
    feed.published(1_000, AUDIT, true);
    feed.message(1_000, INDEXER, MessageStep::Stored);
    feed.load_ends(5_000);
    let waited = ms(29_000);
    feed.message(30_000, INDEXER, MessageStep::CutPending { waited });
    feed.finish(30_000).unwrap();
    let document = json_of(&feed);
    let indexer = &document["streams"]["audit"]["consumers"]["indexer"];
    let absent = [
        "acknowledged_per_s",
        "backlog_max",
        "backlog_slope_per_s",
        "backlog_grows",
        "pending_mean",
        "pending_max",
        "ack_pending_mean",
        "ack_pending_max",
    ];
    for key in absent {
        assert_eq!(indexer.get(key), None, "{key}");
    }
    assert_eq!(indexer["stored"], json!(0));
    assert_eq!(indexer["unfinished_pending"], json!(1));
}

/// The verdict on the same run when the indexer's backlog may grow by so much; some requests are there to be judged.
fn judged(limit: f64) -> (Status, Standing, Vec<String>) {
    let mut limited = model();
    limited.consumers[INDEXER.index()].growth_limit = Some(limit);
    let feed = feed(limited);
    let mut evidence =
        blis_sim::verdict::evidence(&feed.model, &feed.measure, false, &Default::default())
            .unwrap();
    (evidence.intended, evidence.sent) = (1, 1);
    let [signal] = evidence.signals.as_slice() else {
        panic!("one signal: {evidence:?}");
    };
    assert_eq!(signal.of, "Consumer audit/indexer");
    let standing = signal.standing(false);
    let verdict = blis_sim::verdict::judge(&evidence);
    (verdict.status, standing, verdict.reasons)
}

#[test]
fn a_backlog_is_judged_where_its_growth_has_a_limit() {
    let (status, standing, reasons) = judged(0.5);
    assert_eq!((status, standing), (Status::Trip, Standing::Over));
    assert!(
        reasons[0].starts_with("Consumer audit/indexer: its backlog grew by 0.7")
            && reasons[0].ends_with(" messages/s, over its objective of 0.5 messages/s."),
        "{reasons:?}"
    );
    let (status, standing, _) = judged(1.0);
    assert_eq!((status, standing), (Status::Pass, Standing::Within));
    // Without a limit nothing is judged but that nobody sent anything.
    let verdict = feed(model()).document().verdict;
    assert_eq!(verdict.map(|verdict| verdict.signals), Some(Vec::new()));
}

#[test]
fn a_backlog_that_was_not_measured_is_inconclusive() {
    let mut limited = model();
    limited.consumers[INDEXER.index()].growth_limit = Some(1.0);
    let mut feed = Feed::new(limited);
    feed.load_ends(5_000);
    feed.finish(5_000).unwrap();
    let mut evidence =
        blis_sim::verdict::evidence(&feed.model, &feed.measure, false, &Default::default())
            .unwrap();
    (evidence.intended, evidence.sent) = (1, 1);
    let verdict = blis_sim::verdict::judge(&evidence);
    assert_eq!(verdict.status, Status::Inconclusive);
    assert_eq!(
        verdict.reasons,
        [
            "Consumer audit/indexer: its backlog growth was not measured; lengthen the run or shorten the warm-up."
        ]
    );
}
