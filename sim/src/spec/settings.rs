//! The values of a run, with the source of each.

use std::collections::BTreeMap;
use std::fmt::Display;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::{DEFAULT_DRAIN, DEFAULT_SEED};
use super::error::{Origin, shown};
use super::objectives::given;
use super::resolved_live::InFlight;
use super::spanned::Spanned;
use super::syntax::{Run, Spec, Warmup};
use super::written::Law;

/// The source of a value that `--set` gave.
const SET: &str = "--set";

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The value as a spec writes it.
    pub value: String,
    /// `spec`, `default`, or the flag or the command that gave it.
    pub source: String,
}

impl Setting {
    fn of<T>(spanned: &Spanned<T>, value: impl Display) -> Setting {
        let source = match spanned.origin {
            Origin::Text(_) => "spec",
            Origin::Flag(flag) => flag,
            Origin::Set(_) => SET,
        };
        Setting {
            value: value.to_string(),
            source: source.to_owned(),
        }
    }

    fn default(value: impl Display) -> Setting {
        Setting {
            value: value.to_string(),
            source: "default".to_owned(),
        }
    }
}

/// The settings of a spec by key: the seed, the limits of the run and of requests in flight, of each client its size, think time and timeout, of
/// each action its objectives, of each consumer whether its backlog may grow, and what flags say of how it is sent, and whatever else `--set` gave, as it was written.
///
/// A limit or timeout that nothing gave is not there.
pub fn settings(spec: &Spec) -> BTreeMap<String, Setting> {
    let mut found = BTreeMap::new();
    let mut put = |key: String, setting: Option<Setting>| {
        if let Some(setting) = setting {
            found.insert(key, setting);
        }
    };
    let seed = spec.seed.as_ref().map(|seed| Setting::of(seed, seed.value));
    put(
        "seed".to_owned(),
        Some(seed.unwrap_or_else(|| Setting::default(DEFAULT_SEED))),
    );
    let none = Run::default();
    let run = spec.run.as_ref().map_or(&none, |run| &run.value);
    put(
        "run.requests".to_owned(),
        run.requests.as_ref().map(|v| Setting::of(v, v.value)),
    );
    put(
        "run.horizon".to_owned(),
        run.horizon.as_ref().map(|v| Setting::of(v, v.value)),
    );
    let warmup = run.warmup.as_ref().map(|v| match v.value {
        Warmup::At(at) => Setting::of(v, at),
        Warmup::Auto => Setting::of(v, "auto"),
    });
    put(
        "run.warmup".to_owned(),
        Some(warmup.unwrap_or_else(|| Setting::default("0s"))),
    );
    let drain = run.drain.as_ref().map(|v| Setting::of(v, v.value));
    put(
        "run.drain".to_owned(),
        Some(drain.unwrap_or_else(|| Setting::default(DEFAULT_DRAIN))),
    );
    put(
        "max_in_flight".to_owned(),
        spec.max_in_flight
            .as_ref()
            .map(|v| Setting::of(v, InFlight(&v.value))),
    );
    for (name, client) in &spec.clients.value.0 {
        let key = |key: &str| format!("clients.{}.{key}", name.value);
        put(
            key("population"),
            client.population.as_ref().map(|v| Setting::of(v, v.value)),
        );
        put(
            key("concurrency"),
            client.concurrency.as_ref().map(|v| Setting::of(v, v.value)),
        );
        put(
            key("rate"),
            client.rate.as_ref().map(|v| Setting::of(v, v.value)),
        );
        put(
            key("think"),
            client.think.as_ref().map(|v| Setting::of(v, Law(&v.value))),
        );
        put(
            key("timeout"),
            client.timeout.as_ref().map(|v| Setting::of(v, v.value)),
        );
    }
    for (name, action) in &spec.actions.value.0 {
        let key = |key: &str| format!("actions.{}.{key}", name.value);
        // What the spec says itself of how a request is sent is in its text.
        let by_flag = |text: &&Spanned<String>| matches!(text.origin, Origin::Flag(_));
        let live = action.live.as_ref().map(|live| &live.value);
        let subject = live.and_then(|live| live.request.as_ref()).filter(by_flag);
        put(
            key("live.request"),
            subject.map(|subject| Setting::of(subject, &subject.value)),
        );
        let payload = action.payload.as_ref().map(|payload| &payload.value);
        let text = payload
            .and_then(|payload| payload.text.as_ref())
            .filter(by_flag);
        put(
            key("payload.text"),
            text.map(|text| Setting::of(text, shown(&text.value))),
        );
        let file = payload
            .and_then(|payload| payload.file.as_ref())
            .filter(by_flag);
        put(
            key("payload.file"),
            file.map(|file| Setting::of(file, shown(&file.value))),
        );
        let limits = action.slo.iter().flat_map(|slo| given(&slo.value));
        for (limit, value) in limits.flatten() {
            let key = format!("actions.{}.slo.{limit}", name.value);
            put(key, Some(Setting::of(&value, &value.value)));
        }
    }
    let streams = spec.streams.iter().flat_map(|streams| &streams.value.0);
    for (stream, of) in streams {
        for (consumer, of) in of.consumers.iter().flat_map(|consumers| &consumers.0) {
            let slo = of.slo.as_ref();
            let none = slo.and_then(|slo| slo.value.no_growth.as_ref());
            let key = format!(
                "streams.{}.consumers.{}.slo.no_growth",
                stream.value, consumer.value
            );
            put(key, none.map(|none| Setting::of(none, none.value)));
        }
    }
    for assignment in spec.set.assignments() {
        let setting = Setting {
            value: assignment.value().to_owned(),
            source: SET.to_owned(),
        };
        found.entry(assignment.path().to_owned()).or_insert(setting);
    }
    found
}
