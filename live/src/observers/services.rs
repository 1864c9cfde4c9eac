//! Services as they tell of themselves (`$SRV.STATS`, ADR-32), before and after the load.

use std::collections::BTreeMap;

use blis_sim::result::ObservedService;
use serde_json::Value;

use super::asking::{Asker, Unanswered};
use crate::subjects::overlap;

/// Where services are asked.
const STATS: &str = "$SRV.STATS";

/// What the endpoints of all instances had done, by instance, service and endpoint.
pub type Stats = BTreeMap<(String, String), Endpoint>;

/// What an endpoint had done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    subject: String,
    requests: u64,
    errors: u64,
    /// In nanoseconds.
    handling: u64,
}

/// Asks all services, and keeps the endpoints that these subjects are for.
///
/// # Errors
/// Why they could not be asked.
pub async fn stats(asker: &Asker, subjects: &[String]) -> Result<Stats, Unanswered> {
    let answers = asker.ask_all(STATS).await?;
    let endpoints = answers
        .iter()
        .flat_map(|answer| endpoints(answer, subjects));
    Ok(endpoints.collect())
}

fn endpoints(answer: &Value, subjects: &[String]) -> Vec<((String, String), Endpoint)> {
    let text = |of: &Value, field: &str| Some(of.get(field)?.as_str()?.to_owned());
    let (Some(id), Some(service)) = (text(answer, "id"), text(answer, "name")) else {
        return Vec::new();
    };
    let listed = answer.get("endpoints").and_then(Value::as_array);
    let read = listed.into_iter().flatten().filter_map(|endpoint| {
        let number = |field: &str| endpoint.get(field)?.as_u64();
        let subject = text(endpoint, "subject")?;
        let under_test = subjects.iter().any(|sent| overlap(sent, &subject));
        let name = format!("{service}/{}", text(endpoint, "name")?);
        under_test.then_some(())?;
        let done = Endpoint {
            subject,
            requests: number("num_requests")?,
            errors: number("num_errors")?,
            handling: number("processing_time")?,
        };
        Some(((name, id.clone()), done))
    });
    read.collect()
}

/// What was done between two times of asking.
pub fn observed(before: &Stats, after: &Stats) -> BTreeMap<String, ObservedService> {
    let mut services: BTreeMap<String, ObservedService> = BTreeMap::new();
    let mut handling: BTreeMap<&str, u64> = BTreeMap::new();
    for (key @ (name, _), now) in after {
        // An instance that came in between has done nothing before.
        let then = before.get(key).cloned().unwrap_or_default();
        let service = services
            .entry(name.clone())
            .or_insert_with(|| service(&now.subject));
        service.instances += 1;
        service.requests += now.requests.saturating_sub(then.requests);
        service.errors += now.errors.saturating_sub(then.errors);
        *handling.entry(name).or_default() += now.handling.saturating_sub(then.handling);
    }
    for (key @ (name, _), then) in before {
        if !after.contains_key(key) {
            let service = services.entry(name.clone());
            service
                .or_insert_with(|| self::service(&then.subject))
                .instances_lost += 1;
        }
    }
    for (name, service) in &mut services {
        let handling = handling.get(name.as_str()).copied().unwrap_or(0);
        service.handler_mean_ms =
            (service.requests > 0).then(|| handling as f64 / 1e6 / service.requests as f64);
    }
    services
}

fn service(subject: &str) -> ObservedService {
    ObservedService {
        subject: subject.to_owned(),
        instances: 0,
        instances_lost: 0,
        requests: 0,
        errors: 0,
        handler_mean_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(id: &str, requests: u64, errors: u64, nanos: u64) -> Stats {
        let answer = json!({
            "type": "io.nats.micro.v1.stats_response", "name": "api", "id": id, "endpoints": [
                {"name": "ask", "subject": "demo.ask", "num_requests": requests, "num_errors": errors,
                 "processing_time": nanos, "average_processing_time": 1},
                {"name": "tell", "subject": "demo.tell", "num_requests": 9, "num_errors": 9, "processing_time": 9}
            ]
        });
        endpoints(&answer, &["demo.ask".to_owned()])
            .into_iter()
            .collect()
    }

    #[test]
    fn instances_are_added_up_by_what_they_did_in_between() {
        let mut before = answer("a", 10, 1, 1_000_000);
        before.extend(answer("gone", 5, 0, 7));
        let mut after = answer("a", 30, 2, 41_000_000);
        after.extend(answer("new", 20, 0, 40_000_000));
        let services = observed(&before, &after);
        assert_eq!(services.len(), 1, "only what the subjects are for");
        let api = &services["api/ask"];
        assert_eq!((api.instances, api.instances_lost), (2, 1));
        assert_eq!((api.requests, api.errors), (40, 1));
        assert_eq!(api.handler_mean_ms, Some(2.0));
        assert_eq!(api.subject, "demo.ask");
    }

    #[test]
    fn without_requests_there_is_no_mean() {
        let stats = answer("a", 10, 1, 5);
        assert_eq!(observed(&stats, &stats)["api/ask"].handler_mean_ms, None);
        assert!(observed(&Stats::new(), &Stats::new()).is_empty());
        let gone = &observed(&stats, &Stats::new())["api/ask"];
        assert_eq!((gone.instances, gone.instances_lost), (0, 1));
    }
}
