//! Statistics that services report (`$SRV.STATS`, ADR-32): before the load, at the end of the warm-up, in between, and after
//! the load.
//!
//! The data is foreign, so it is bounded: the first of very many instances, fewer samples of long runs, and a limited size of
//! additional data.

use std::collections::{BTreeMap, BTreeSet};

use blis_sim::result::{InstanceSample, ObservedInstance, ObservedService};
use serde_json::Value;

use super::asking::{Asker, Unanswered};
use crate::wire::subjects::overlap;

/// Where services are asked.
const STATS: &str = "$SRV.STATS";
/// The most instances of which samples are kept, each counted for every endpoint of its own.
const MOST_INSTANCES: usize = 64;
/// The most samples that are kept beside those of start, warm-up and end.
const MOST_SAMPLES: usize = 32;
/// The most bytes that are kept of what an instance says beside its counts.
const MOST_DATA: usize = 512;
/// The longest id or name that is kept as it is.
const MOST_TEXT: usize = 128;
/// Of how many rounds the first one is asked.
const EVERY: u64 = 5;

/// Where the actions are sent: subjects, and names of actions.
pub type Sent = Vec<(String, String)>;

/// What the endpoints of all instances had done, by service and endpoint, and instance.
pub type Stats = BTreeMap<(String, String), Endpoint>;

/// What an endpoint had done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    subject: String,
    actions: Vec<String>,
    queue_group: Option<String>,
    requests: u64,
    errors: u64,
    /// In nanoseconds.
    handling: u64,
    data: Option<Value>,
}

/// Asks all services, and keeps the endpoints that these actions are sent to.
///
/// # Errors
/// Why they could not be asked.
pub async fn stats(asker: &Asker, sent: &Sent) -> Result<Stats, Unanswered> {
    let answers = asker.ask_all(STATS).await?;
    let endpoints = answers.iter().flat_map(|answer| endpoints(answer, sent));
    Ok(endpoints.collect())
}

fn endpoints(answer: &Value, sent: &Sent) -> Vec<((String, String), Endpoint)> {
    let text = |of: &Value, field: &str| {
        let text = of.get(field)?.as_str()?;
        Some(text.chars().take(MOST_TEXT).collect::<String>())
    };
    let (Some(id), Some(service)) = (text(answer, "id"), text(answer, "name")) else {
        return Vec::new();
    };
    let listed = answer.get("endpoints").and_then(Value::as_array);
    let read = listed.into_iter().flatten().filter_map(|endpoint| {
        let number = |field: &str| endpoint.get(field)?.as_u64();
        let subject = text(endpoint, "subject")?;
        let under_test = sent.iter().filter(|(to, _)| overlap(to, &subject));
        let actions: BTreeSet<String> = under_test.map(|(_, action)| action.clone()).collect();
        let name = format!("{service}/{}", text(endpoint, "name")?);
        let data = endpoint.get("data").filter(|data| !data.is_null());
        (!actions.is_empty()).then_some(())?;
        let done = Endpoint {
            subject,
            actions: actions.into_iter().collect(),
            queue_group: text(endpoint, "queue_group"),
            requests: number("num_requests")?,
            errors: number("num_errors")?,
            handling: number("processing_time")?,
            data: data
                .filter(|data| data.to_string().len() <= MOST_DATA)
                .cloned(),
        };
        Some(((name, id.clone()), done))
    });
    read.collect()
}

/// What instances said over a run.
#[derive(Debug, Default)]
pub struct Course {
    rounds: Vec<Round>,
    /// How many rounds there were.
    seen: u64,
    /// How often the distance between them was doubled.
    doubled: u32,
}

/// What they said at an instant.
#[derive(Debug)]
struct Round {
    at_s: f64,
    /// Whether it is kept whatever comes.
    is_kept: bool,
    stats: Stats,
}

impl Course {
    /// One more round: whether it is one in which services are asked.
    pub fn wants(&mut self) -> bool {
        let distance = EVERY << self.doubled.min(32);
        let wants = self.seen > 0 && self.seen.is_multiple_of(distance);
        self.seen += 1;
        wants
    }

    /// What they say at an instant; start, end of the warm-up and end are kept however long the run is.
    pub fn add(&mut self, at_s: f64, is_kept: bool, mut stats: Stats) {
        while stats.len() > MOST_INSTANCES {
            stats.pop_last();
        }
        let rounds = self.rounds.iter().filter(|round| !round.is_kept);
        if rounds.count() == MOST_SAMPLES {
            let mut number = 0;
            self.rounds.retain(|round| {
                number += u32::from(!round.is_kept);
                round.is_kept || number % 2 == 0
            });
            self.doubled += 1;
        }
        let round = Round {
            at_s,
            is_kept,
            stats,
        };
        self.rounds.push(round);
    }

    /// Each instance with what it said, by service and endpoint.
    fn by_endpoint(self) -> BTreeMap<String, BTreeMap<String, ObservedInstance>> {
        let mut all: BTreeMap<String, BTreeMap<String, ObservedInstance>> = BTreeMap::new();
        for Round { at_s, stats, .. } in self.rounds {
            for ((name, id), said) in stats {
                let instance = all.entry(name).or_default().entry(id).or_default();
                instance.queue_group = said.queue_group;
                instance.samples.push(InstanceSample {
                    at_s,
                    requests: said.requests,
                    errors: said.errors,
                    handling_ms: said.handling as f64 / 1e6,
                    data: said.data,
                });
            }
        }
        all
    }
}

/// What was done between two times of asking, and what was said meanwhile.
pub fn observed(
    before: &Stats,
    after: &Stats,
    course: Course,
) -> BTreeMap<String, ObservedService> {
    let mut services: BTreeMap<String, ObservedService> = BTreeMap::new();
    let mut handling: BTreeMap<&str, u64> = BTreeMap::new();
    for (key @ (name, _), now) in after {
        // An instance that came in between has done nothing before.
        let then = before.get(key).cloned().unwrap_or_default();
        let service = services.entry(name.clone()).or_insert_with(|| service(now));
        service.instances += 1;
        service.requests += now.requests.saturating_sub(then.requests);
        service.errors += now.errors.saturating_sub(then.errors);
        *handling.entry(name).or_default() += now.handling.saturating_sub(then.handling);
    }
    for (key @ (name, _), then) in before {
        if !after.contains_key(key) {
            let service = services.entry(name.clone());
            service
                .or_insert_with(|| self::service(then))
                .instances_lost += 1;
        }
    }
    let mut said = course.by_endpoint();
    for (name, service) in &mut services {
        let handling = handling.get(name.as_str()).copied().unwrap_or(0);
        service.handler_mean_ms =
            (service.requests > 0).then(|| handling as f64 / 1e6 / service.requests as f64);
        service.by_instance = said.remove(name).unwrap_or_default();
    }
    services
}

fn service(endpoint: &Endpoint) -> ObservedService {
    ObservedService {
        subject: endpoint.subject.clone(),
        actions: endpoint.actions.clone(),
        instances: 0,
        instances_lost: 0,
        requests: 0,
        errors: 0,
        handler_mean_ms: None,
        by_instance: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent() -> Sent {
        vec![("demo.ask".to_owned(), "ask".to_owned())]
    }

    fn with_data(id: &str, requests: u64, errors: u64, nanos: u64, data: Value) -> Stats {
        let answer = json!({
            "type": "io.nats.micro.v1.stats_response", "name": "api", "id": id, "endpoints": [
                {"name": "ask", "subject": "demo.ask", "queue_group": "q", "num_requests": requests, "num_errors": errors,
                 "processing_time": nanos, "average_processing_time": 1, "data": data},
                {"name": "tell", "subject": "demo.tell", "num_requests": 9, "num_errors": 9, "processing_time": 9}
            ]
        });
        endpoints(&answer, &sent()).into_iter().collect()
    }

    fn answer(id: &str, requests: u64, errors: u64, nanos: u64) -> Stats {
        with_data(id, requests, errors, nanos, Value::Null)
    }

    #[test]
    fn instances_are_added_up_by_what_they_did_in_between() {
        let mut before = answer("a", 10, 1, 1_000_000);
        before.extend(answer("gone", 5, 0, 7));
        let mut after = answer("a", 30, 2, 41_000_000);
        after.extend(answer("new", 20, 0, 40_000_000));
        let services = observed(&before, &after, Course::default());
        assert_eq!(services.len(), 1, "only what the subjects are for");
        let api = &services["api/ask"];
        assert_eq!((api.instances, api.instances_lost), (2, 1));
        assert_eq!((api.requests, api.errors), (40, 1));
        assert_eq!(api.handler_mean_ms, Some(2.0));
        assert_eq!(
            (api.subject.as_str(), &api.actions[..]),
            ("demo.ask", &["ask".to_owned()][..])
        );
    }

    #[test]
    fn without_requests_there_is_no_mean() {
        let stats = answer("a", 10, 1, 5);
        let of = |before: &Stats, after: &Stats| observed(before, after, Course::default());
        assert_eq!(of(&stats, &stats)["api/ask"].handler_mean_ms, None);
        assert!(of(&Stats::new(), &Stats::new()).is_empty());
        let gone = &of(&stats, &Stats::new())["api/ask"];
        assert_eq!((gone.instances, gone.instances_lost), (0, 1));
    }

    #[test]
    fn each_instance_is_kept_with_what_it_said() {
        let mut course = Course::default();
        let data = json!({"cache": "warm"});
        course.add(0.0, true, with_data("a", 10, 1, 2_000_000, data.clone()));
        let mut later = with_data("a", 30, 1, 9_000_000, json!("x".repeat(MOST_DATA)));
        later.extend(answer(&"b".repeat(1_000), 0, 0, 0));
        course.add(1.5, true, later.clone());
        let services = observed(&answer("a", 10, 1, 2_000_000), &later, course);
        let instances = &services["api/ask"].by_instance;
        let lengths: Vec<usize> = instances.keys().map(String::len).collect();
        assert_eq!(lengths, [1, MOST_TEXT]);
        let a = &instances["a"];
        assert_eq!(a.queue_group.as_deref(), Some("q"));
        let said: Vec<_> = a
            .samples
            .iter()
            .map(|one| (one.at_s, one.requests, one.handling_ms))
            .collect();
        assert_eq!(said, [(0.0, 10, 2.0), (1.5, 30, 9.0)]);
        // What is too large is not kept.
        assert_eq!(
            (&a.samples[0].data, &a.samples[1].data),
            (&Some(data), &None)
        );
    }

    #[test]
    fn many_instances_and_long_runs_are_bounded() {
        let mut course = Course::default();
        let crowd: Stats = (0..200)
            .flat_map(|id| answer(&format!("{id:03}"), 1, 0, 1))
            .collect();
        course.add(0.0, true, crowd.clone());
        let mut asked = Vec::new();
        for round in 0..5_000 {
            if round == 7 {
                course.add(7.0, true, crowd.clone());
            }
            if course.wants() {
                asked.push(round);
                course.add(round as f64, false, crowd.clone());
            }
        }
        course.add(5_000.0, true, crowd.clone());
        assert_eq!(asked[..3], [5, 10, 15]);
        let services = observed(&crowd, &crowd, course);
        let api = &services["api/ask"];
        // All of them count, and the first ones are kept.
        assert_eq!(
            (api.instances, api.by_instance.len()),
            (200, MOST_INSTANCES)
        );
        for instance in api.by_instance.values() {
            let at: Vec<f64> = instance.samples.iter().map(|one| one.at_s).collect();
            assert!(at.len() <= 35, "{}", at.len());
            assert!(
                [0.0, 7.0, 5_000.0].iter().all(|kept| at.contains(kept)),
                "{at:?}"
            );
            assert!(at.is_sorted());
        }
    }
}
