//! Publications that wait for nothing: their users go on at once, and they end well if they are written.

use super::*;

/// A run of publications of which this many are written meanwhile, and this many by the end.
fn publish(written: u64, flushed: u64, client: &str, stage: Stage) -> (Measure, Ended, u64) {
    let stage = Stage {
        publishes: true,
        written,
        flushed,
        ..stage
    };
    let spec = text("{horizon: 1s, drain: 10s}", client);
    let read = spec::read(&spec).expect("a spec");
    let model = spec::lower(&read).expect("a model").model;
    let shared = Shared(Rc::new(RefCell::new(stage)));
    let echo = Echo {
        stage: shared.clone(),
        after: None,
        down: false,
    };
    let driver = Driver::new(
        Epoch::FIRST,
        &model,
        echo,
        shared.clone(),
        Measure::new(&model),
        Arc::default(),
    );
    let watch = LoadWatch {
        stop: &|| false,
        enough: &|| false,
        show: &mut |_, _| (),
    };
    let (_, mut measure, ended) = driver.run(watch);
    measure.finish(ended.intended).expect("the books balance");
    let looks = shared.0.borrow().looks;
    (measure, ended, looks)
}

#[test]
fn publications_that_are_never_known_to_be_written_have_failed() {
    let client = "{rate: 100/s, arrival: constant, do: a}";
    for (written, flushed, ok) in [
        (u64::MAX, 0, 100),
        (0, 100, 100),
        (0, 0, 0),
        (0, 99, 99),
        (30, 0, 30),
        (30, 60, 60),
    ] {
        let (measure, ended, looks) = publish(written, flushed, client, Stage::default());
        let total = measure.total();
        let requests = total.window.requests;
        assert_eq!(requests.ended(Outcome::Ok), ok, "{written} {flushed}");
        assert_eq!(requests.ended(Outcome::TransportError), 100 - ok);
        assert_eq!(ended.reasons.of(Reason::NotWritten), 100 - ok);
        // They were done when their connection took them, however late that was known.
        let response = total.window.latencies.response();
        assert_eq!(
            (response.count(), response.max().unwrap_or(Span::ZERO)),
            (ok, Span::ZERO)
        );
        assert_eq!(total.completed, ok);
        // It is asked a bounded number of times, and not where nothing is open.
        assert!((1..=202).contains(&looks), "{looks}");
        assert_eq!(ended.at, millis(1000));
    }
}

#[test]
fn the_user_of_a_publication_goes_on_at_once_and_tries_nothing_again() {
    let retries =
        "{concurrency: 1, think: 100ms, do: a, on_failure: {retry: {times: 2, backoff: 5ms}}}";
    for (flushed, ok) in [(u64::MAX, 11), (3, 3), (0, 0)] {
        let (measure, ended, _) = publish(0, flushed, retries, Stage::default());
        assert_eq!(ended.intended, 11);
        assert_eq!(measure.retries(), 0);
        let overall = measure
            .overall(blis_sim::model::ActionId(0))
            .expect("tries");
        for requests in [
            measure.total().window.requests,
            overall.cell.window.requests,
        ] {
            assert_eq!(requests.ended(Outcome::Ok), ok);
            assert_eq!(requests.ended(Outcome::TransportError), 11 - ok);
        }
    }
}

#[test]
fn publications_that_were_not_written_are_lost_with_their_connection() {
    for (connection, lost) in [(0, 50), (1, 0)] {
        let at = millis(505);
        let lost_then = Incoming::Lost { connection, at };
        let stage = Stage {
            coming: VecDeque::from([(at, lost_then)]),
            ..Stage::default()
        };
        let client = "{rate: 100/s, arrival: constant, do: a}";
        let (measure, ended, _) = publish(0, 100, client, stage);
        assert_eq!(ended.reasons.of(Reason::LostWithConnection), lost);
        let requests = measure.total().window.requests;
        assert_eq!(requests.ended(Outcome::Ok), 100 - lost);
        assert_eq!(requests.ended(Outcome::TransportError), lost);
    }
}
