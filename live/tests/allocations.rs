//! What a live request costs in allocations, which is the same on every machine.
//!
//! The driver is counted over a scripted connection, and everything together, `async-nats` included, over a scripted server
//! of this process whose own allocations do not count.

#[path = "../../sim/tests/counting/mod.rs"]
mod counting;
mod played;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use blis_live::clock::Clock;
use blis_live::generator::driver::{Driver, LoadWatch};
use blis_live::run::recent_ends::Recent;
use blis_live::wire::transport::{Incoming, Sent, Transport};
use blis_sim::event::{FlightId, Outcome, Reply, Request};
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::runner::Epoch;
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::users::mailbox::Key;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use played::SUBJECT;

const IN_FLIGHT: u32 = 50;

fn model(run: &str, client: &str) -> Model {
    let text = format!(
        "{{blis: 1, name: counts, run: {run}, connections: shared, clients: {{load: {{{client}, do: ask}}}}, \
         actions: {{ask: {{path: [reply], payload: {{size: 128B}}, live: {{request: {SUBJECT}}}}}}}}}"
    );
    let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .model
}

/// A connection that answers each request after 100 us, and the clock that shows it.
#[derive(Clone, Default)]
struct Scripted(Rc<RefCell<Stage>>);

#[derive(Default)]
struct Stage {
    now: Time,
    coming: VecDeque<(Time, FlightId)>,
    sent: u64,
    /// The allocations of the thread at each thousandth request.
    counts: Vec<u64>,
}

fn done((at, flight): (Time, FlightId)) -> Incoming {
    Incoming::Done {
        flight,
        epoch: Epoch::FIRST,
        ending: Ok(()),
        reply: Reply::default(),
        at,
    }
}

impl Clock<Incoming> for Scripted {
    fn now(&self) -> Time {
        self.0.borrow().now
    }

    fn wait(&mut self, until: Time) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        let next = stage.coming.front().map_or(Time::NEVER, |(at, _)| *at);
        stage.now = stage.now.max(next.min(until));
        let comes = next <= until;
        comes.then(|| stage.coming.pop_front()).flatten().map(done)
    }

    fn poll(&mut self) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        let now = stage.now;
        let comes = stage.coming.front().is_some_and(|(at, _)| *at <= now);
        comes.then(|| stage.coming.pop_front()).flatten().map(done)
    }
}

impl Transport for Scripted {
    fn send(&mut self, now: Time, flight: FlightId, _request: &Request) -> Sent {
        let mut stage = self.0.borrow_mut();
        stage.sent += 1;
        if stage.sent.is_multiple_of(1_000) {
            stage.counts.push(counting::allocations());
        }
        let at = now + Span::from_nanos(100_000);
        stage.coming.push_back((at, flight));
        Sent::Waiting(0)
    }

    fn hand_over(&mut self) {}

    fn key(&mut self, _flight: FlightId) -> Option<Key> {
        None
    }

    fn had(&self, _connection: u32, _flight: FlightId) -> bool {
        true
    }

    fn had_sent(&self, _connection: u32, _flight: FlightId, _subject: u64) -> bool {
        true
    }

    fn written(&mut self, _connection: u32) -> u64 {
        u64::MAX
    }

    fn flush(&mut self) {}
}

#[test]
fn the_driver_allocates_nothing_for_a_request() {
    counting::apart();
    for client in [
        "concurrency: 50",
        "concurrency: 50, timeout: 1s, think: 1ms",
        "rate: 20k/s, timeout: 1s",
    ] {
        let model = model("{requests: 100k, drain: 1s}", client);
        let scripted = Scripted::default();
        scripted.0.borrow_mut().counts.reserve(1_000);
        let sink = (Measure::new(&model), Recent::default());
        let clock = scripted.clone();
        let driver = Driver::new(
            Epoch::FIRST,
            &model,
            scripted.clone(),
            clock,
            sink,
            Arc::default(),
        );
        let watch = LoadWatch {
            stop: &|| false,
            enough: &|| false,
            show: &mut |_, _| (),
        };
        driver.run(watch);
        let stage = scripted.0.borrow();
        assert_eq!(stage.sent, 100_000, "{client}");
        // The first ones fill what is used again and again.
        let (half, end) = (stage.counts[49], stage.counts[99]);
        assert_eq!(end - half, 0, "{client}: allocations of 50000 requests");
    }
}

/// The allocations of a run of `blis observe`, without a record.
fn observed(url: &str, requests: u64) -> u64 {
    let before = counting::of_all();
    let run = format!("{{requests: {requests}, drain: 5s}}");
    let model = model(&run, &format!("concurrency: {IN_FLIGHT}"));
    let observed = played::observed(&model, url);
    let answered = observed.measure.total().requests().ended(Outcome::Ok);
    assert_eq!(answered, requests);
    counting::of_all() - before
}

/// Those of a loop that asks again for every reply that is there, with unlike subjects, and knows nothing else.
fn bare(url: &str, requests: u64) -> u64 {
    let before = counting::of_all();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = async_nats::connect(url).await.expect("it accepts");
        let inbox = client.new_inbox();
        let mut replies = client.subscribe(format!("{inbox}.*")).await.expect("up");
        let payload = Bytes::from(vec![b'x'; 128]);
        let mut asked = 0;
        let mut ask = || {
            asked += 1;
            (asked <= requests).then(|| {
                client.publish_with_reply(SUBJECT, format!("{inbox}.{asked}"), payload.clone())
            })
        };
        for _ in 0..IN_FLIGHT {
            if let Some(asks) = ask() {
                asks.await.expect("up");
            }
        }
        let mut answered = 0;
        while answered < requests {
            let mut next = replies.next().await;
            while next.take().is_some() {
                answered += 1;
                if let Some(asks) = ask() {
                    asks.await.expect("up");
                }
                next = replies.next().now_or_never().flatten();
            }
        }
    });
    drop(runtime);
    counting::of_all() - before
}

#[test]
fn over_the_client_library_a_request_allocates_no_more_than_a_bare_loop() {
    let url = played::server(counting::apart, || true);
    let each = |of: &dyn Fn(&str, u64) -> u64| {
        let few = of(&url, 20_000);
        (of(&url, 120_000) as f64 - few as f64) / 100_000.0
    };
    let (ours, bare) = (each(&observed), each(&bare));
    assert!(bare >= 1.0, "{bare:.3}: the counting allocator counts");
    assert!(
        ours <= bare,
        "{ours:.3} a request, {bare:.3} of a bare loop"
    );
}
