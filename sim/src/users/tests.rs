use super::*;
use crate::spec;

/// What users said of all tries together.
#[derive(Default)]
struct Said(Vec<(Outcome, Span)>);

impl Sink for Said {
    fn advance(&mut self, _: Time) {}

    fn record(&mut self, _: Time, event: Event<'_>) {
        if let Event::Settled { outcome, lag, .. } = event {
            self.0.push((outcome, lag));
        }
    }
}

/// What a user of this many requests at most says whose tries, three at most, are each sent 1 ms late and end so.
fn said(requests: u64, ends: &[Outcome]) -> Vec<(Outcome, Span)> {
    let text = format!(
        "{{blis: 1, name: t, run: {{requests: {requests}}}, clients: {{c: {{concurrency: 1, do: a, on_failure: {{retry: \
         {{times: 2, backoff: 5ms}}}}}}}}, actions: {{a: {{path: [{{visit: s}}, reply]}}}}, services: {{s: {{workers: 1, time: \
         1ms}}}}}}"
    );
    let model = spec::lower(&spec::read(&text).expect("it is there"))
        .expect("it is there")
        .model;
    let (mut users, mut said) = (Users::new(&model), Said::default());
    let mut due = None;
    users.start(|at, wake| due = Some((at, wake)));
    for outcome in ends {
        let (at, wake) = due.expect("it is there");
        let request = users.wake(at, wake, &mut said).send.expect("it is there");
        let sent = at + Span::from_nanos(1_000_000);
        due = users.done(sent, &request, sent, *outcome, &mut said);
    }
    if let Some((at, wake)) = due {
        users.wake(at, wake, &mut said);
    }
    users.finish(Time::from_nanos(1_000_000_000), &mut said);
    said.0
}

#[test]
fn a_request_is_dropped_where_no_try_of_it_was_sent() {
    use Outcome::{AppError, Dropped, Ok, TimedOut, Unresolved};
    let cases: [(&[Outcome], Outcome); 7] = [
        (&[Dropped, Dropped, Dropped], Dropped),
        (&[AppError, Dropped, Dropped], AppError),
        (&[Dropped, TimedOut, Dropped], TimedOut),
        (&[AppError, TimedOut, Dropped], TimedOut),
        (&[Dropped, Dropped, AppError], AppError),
        (&[AppError, Dropped, Ok], Ok),
        (&[AppError, Dropped, Unresolved], Unresolved),
    ];
    for (ends, outcome) in cases {
        let lag = Span::from_nanos(3_000_000);
        assert_eq!(said(3, ends), [(outcome, lag)], "{ends:?}");
    }
    // The budget is used up, and another try should have followed.
    assert_eq!(said(2, &[AppError, Dropped])[0].0, Unresolved);
}

#[test]
fn what_became_of_a_request_says_nothing_of_the_next() {
    use Outcome::{AppError, Dropped};
    let ends = [AppError, AppError, AppError, Dropped, Dropped, Dropped];
    let said: Vec<Outcome> = said(6, &ends).into_iter().map(|(end, _)| end).collect();
    assert_eq!(said, [AppError, Dropped]);
}
