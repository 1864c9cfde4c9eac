//! The services of a double for others: the protocol of NATS services (ADR-32).
//!
//! Every service of the model that a process runs is one instance of that service. It answers `$SRV.PING`, `$SRV.INFO` and
//! `$SRV.STATS`, each also with `.NAME` and `.NAME.ID`. The service of the client library counts the work of its handlers;
//! here the model decides how long a request took and which member served it, so the answers are written here.

use std::time::{SystemTime, UNIX_EPOCH};

use async_nats::Subject;
use blis_sim::time::Span;
use serde_json::{Value, json};

use crate::double::record::MemberTally;

/// The version of the services.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Who is there.
    Ping,
    /// What it listens to.
    Info,
    /// What it did.
    Stats,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 3] = [Verb::Ping, Verb::Info, Verb::Stats];

    /// As it is in subjects.
    pub fn token(self) -> &'static str {
        match self {
            Verb::Ping => "PING",
            Verb::Info => "INFO",
            Verb::Stats => "STATS",
        }
    }
}

/// A question that came.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked for.
    pub verb: Verb,
    /// The requested service, by its position [default: all].
    pub service: Option<usize>,
    /// Where the answer goes.
    pub reply: Subject,
}

/// Something that a service listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The action, or `visit` for visits that other processes hand on.
    pub name: String,
    /// Where it listens.
    pub subject: String,
    /// Requests that were answered.
    pub requests: u64,
    /// Those of them whose answer was an error.
    pub errors: u64,
    /// The last of these errors.
    pub last_error: Option<&'static str>,
    /// From the arrival of requests to their answers, together.
    pub processing: Span,
}

impl Endpoint {
    /// One that nobody has asked yet.
    pub fn new(name: &str, subject: String) -> Endpoint {
        Endpoint {
            name: name.to_owned(),
            subject,
            requests: 0,
            errors: 0,
            last_error: None,
            processing: Span::ZERO,
        }
    }

    /// Counts an answer.
    pub fn count(&mut self, processing: Span, error: Option<&'static str>) {
        self.requests += 1;
        self.processing = self.processing + processing;
        if error.is_some() {
            self.errors += 1;
            self.last_error = error;
        }
    }
}

/// A service as others see it.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name in the spec.
    pub name: String,
    /// Unlike that of every other instance.
    pub id: String,
    /// The spec.
    pub spec: String,
    /// The queue group that it listens in.
    pub group: &'static str,
    /// When it started, as RFC 3339 has it.
    pub started: String,
    /// What it listens to.
    pub endpoints: Vec<Endpoint>,
}

impl Instance {
    /// The answer to a question. `members` are those that this process plays, each with its number.
    pub fn answer(&self, verb: Verb, members: &[(usize, MemberTally)]) -> String {
        let answer = match verb {
            Verb::Ping => self.identified("io.nats.micro.v1.ping_response", &[]),
            Verb::Info => self.identified(
                "io.nats.micro.v1.info_response",
                &[
                    ("description", json!(format!("the double of {}", self.name))),
                    ("endpoints", self.endpoints(|_| Vec::new())),
                ],
            ),
            Verb::Stats => self.identified(
                "io.nats.micro.v1.stats_response",
                &[
                    ("started", json!(self.started)),
                    (
                        "endpoints",
                        self.endpoints(|endpoint| stats(endpoint, members)),
                    ),
                ],
            ),
        };
        answer.to_string()
    }

    fn identified(&self, kind: &str, more: &[(&str, Value)]) -> Value {
        let mut answer = json!({
            "type": kind,
            "name": self.name,
            "id": self.id,
            "version": VERSION,
            "metadata": {"blis.spec": self.spec},
        });
        for (key, value) in more {
            answer[*key] = value.clone();
        }
        answer
    }

    fn endpoints(&self, more: impl Fn(&Endpoint) -> Vec<(&'static str, Value)>) -> Value {
        let endpoints = self.endpoints.iter().map(|endpoint| {
            let mut one = json!({
                "name": endpoint.name,
                "subject": endpoint.subject,
                "queue_group": self.group,
            });
            for (key, value) in more(endpoint) {
                one[key] = value;
            }
            one
        });
        endpoints.collect()
    }
}

fn stats(endpoint: &Endpoint, members: &[(usize, MemberTally)]) -> Vec<(&'static str, Value)> {
    let processing = endpoint.processing.as_nanos();
    let average = processing.checked_div(endpoint.requests).unwrap_or(0);
    let tallies = members.iter().map(|(member, tally)| {
        json!({
            "member": member,
            "visits": tally.visits,
            "errors": tally.errors,
            "rejected": tally.rejected,
            "service_time": tally.service.as_nanos(),
        })
    });
    let tallies: Vec<Value> = tallies.collect();
    let sum = members.iter().map(|(_, tally)| tally.service.as_nanos());
    vec![
        ("num_requests", json!(endpoint.requests)),
        ("num_errors", json!(endpoint.errors)),
        ("last_error", json!(endpoint.last_error.unwrap_or_default())),
        ("processing_time", json!(processing)),
        ("average_processing_time", json!(average)),
        (
            "data",
            json!({"members": tallies, "service_time": sum.sum::<u64>()}),
        ),
    ]
}

/// Now, as RFC 3339 has it.
pub fn now_text() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    date_text(since.map_or(0, |since| since.as_secs()))
}

/// An instant in seconds since 1970. The date is by the algorithm of Hinnant (2013), "chrono-compatible low-level date
/// algorithms".
fn date_text(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
        ] {
            assert_eq!(date_text(seconds), text);
        }
    }

    #[test]
    fn answers_have_the_types_and_figures_of_the_protocol() {
        let mut ask = Endpoint::new("ask", "demo.ask".to_owned());
        ask.count(Span::from_nanos(10), None);
        ask.count(Span::from_nanos(30), Some("an injected error"));
        let instance = Instance {
            name: "api".to_owned(),
            id: "X1".to_owned(),
            spec: "quickstart".to_owned(),
            group: "q",
            started: date_text(0),
            endpoints: vec![ask],
        };
        let tally = MemberTally {
            visits: 2,
            errors: 1,
            rejected: 0,
            service: Span::from_nanos(25),
        };
        let answer = |verb| -> Value {
            serde_json::from_str(&instance.answer(verb, &[(3, tally)])).expect("JSON")
        };
        for (verb, kind) in Verb::ALL.into_iter().zip(["ping", "info", "stats"]) {
            let answer = answer(verb);
            assert_eq!(
                answer["type"],
                format!("io.nats.micro.v1.{kind}_response").as_str()
            );
            assert_eq!(
                (&answer["name"], &answer["id"]),
                (&json!("api"), &json!("X1"))
            );
        }
        assert!(answer(Verb::Ping).get("endpoints").is_none());
        assert_eq!(
            answer(Verb::Info)["endpoints"],
            json!([{"name": "ask", "subject": "demo.ask", "queue_group": "q"}])
        );
        let stats = answer(Verb::Stats);
        let endpoint = &stats["endpoints"][0];
        assert_eq!(endpoint["num_requests"], 2);
        assert_eq!(endpoint["num_errors"], 1);
        assert_eq!(endpoint["last_error"], "an injected error");
        assert_eq!(endpoint["processing_time"], 40);
        assert_eq!(endpoint["average_processing_time"], 20);
        assert_eq!(endpoint["data"]["members"][0]["member"], 3);
        assert_eq!(endpoint["data"]["service_time"], 25);
    }
}
