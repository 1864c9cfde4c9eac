//! A driver that runs its connections itself loses one and gets it back while it waits.

mod played;

use std::sync::atomic::{AtomicU64, Ordering};

use blis_live::wire::event_loop::RunBy;
use blis_sim::event::Outcome;
use played::SUBJECT;

const REQUESTS: u64 = 4_000;
/// The request of all at which the connection is closed, unanswered.
const BREAKS: u64 = 1_000;

#[test]
fn a_connection_that_is_lost_comes_back_and_every_request_ends() {
    let text = format!(
        "{{blis: 1, name: lost, run: {{requests: {REQUESTS}, drain: 5s}}, connections: shared, \
         clients: {{load: {{concurrency: 20, do: ask, on_failure: {{respawn: true}}}}}}, \
         actions: {{ask: {{path: [reply], live: {{request: {SUBJECT}}}}}}}}}"
    );
    let spec = blis_sim::spec::read(&text).expect("it reads");
    let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
    assert_eq!(RunBy::of(&model), RunBy::Driver);
    let asked = AtomicU64::new(0);
    let url = played::server(
        || (),
        move || asked.fetch_add(1, Ordering::Relaxed) + 1 != BREAKS,
    );
    let mut observed = played::observed(&model, &url);
    let intended = observed.ended.intended;
    observed
        .measure
        .finish(intended)
        .expect("the books balance");
    assert_eq!(intended, REQUESTS);
    assert!(!observed.ended.lost);
    assert_eq!(observed.told.lost.load(Ordering::Relaxed), 1);
    let requests = observed.measure.total().requests();
    let (ok, lost) = (
        requests.ended(Outcome::Ok),
        requests.ended(Outcome::TransportError),
    );
    assert_eq!(ok + lost, REQUESTS);
    // Those in flight, and those of users who found no connection until it was there again.
    assert!((1..1_000).contains(&lost), "{lost} were lost");
}
