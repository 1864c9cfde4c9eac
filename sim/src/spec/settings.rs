//! The values of a run, with the source of each.

use std::collections::BTreeMap;
use std::fmt::Display;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults::{DEFAULT_DRAIN, DEFAULT_SEED};
use super::error::{Origin, shown};
use super::layout::one_line;
use super::objectives::given;
use super::spanned::Spanned;
use super::syntax::{Run, Spec};

/// The source of a value that `--set` gave.
const SET: &str = "--set";
/// The source of a value that nothing gave.
const DEFAULT: &str = "default";

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The value as a spec writes it.
    pub value: String,
    /// `spec`, `default`, or the flag or the command that gave it.
    pub source: String,
}

impl Setting {
    /// A value as a spec writes it.
    fn of<T: Serialize>(spanned: &Spanned<T>) -> Setting {
        Setting::shown(spanned, one_line(&spanned.value))
    }

    /// A value as a message shows it.
    fn shown<T>(spanned: &Spanned<T>, value: impl Display) -> Setting {
        let source = match spanned.origin {
            Origin::Text(_) => "spec",
            Origin::Flag(flag) => flag,
            Origin::Set(_) => SET,
            Origin::Default => DEFAULT,
        };
        Setting {
            value: value.to_string(),
            source: source.to_owned(),
        }
    }

    /// A value as a spec writes it, or its default.
    fn or<T: Serialize>(spanned: &Option<Spanned<T>>, default: impl Display) -> Setting {
        spanned.as_ref().map_or_else(
            || Setting {
                value: default.to_string(),
                source: DEFAULT.to_owned(),
            },
            Setting::of,
        )
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
    put(
        "seed".to_owned(),
        Some(Setting::or(&spec.seed, DEFAULT_SEED)),
    );
    let none = Run::default();
    let run = spec.run.as_ref().map_or(&none, |run| &run.value);
    let of_run = [
        ("requests", run.requests.as_ref().map(Setting::of)),
        ("horizon", run.horizon.as_ref().map(Setting::of)),
        ("warmup", Some(Setting::or(&run.warmup, "0s"))),
        ("drain", Some(Setting::or(&run.drain, DEFAULT_DRAIN))),
    ];
    for (key, setting) in of_run {
        put(format!("run.{key}"), setting);
    }
    put(
        "max_in_flight".to_owned(),
        spec.max_in_flight.as_ref().map(Setting::of),
    );
    for (name, client) in &spec.clients.value.0 {
        let of_client = [
            ("population", client.population.as_ref().map(Setting::of)),
            ("concurrency", client.concurrency.as_ref().map(Setting::of)),
            ("rate", client.rate.as_ref().map(Setting::of)),
            ("think", client.think.as_ref().map(Setting::of)),
            ("timeout", client.timeout.as_ref().map(Setting::of)),
        ];
        for (key, setting) in of_client {
            put(format!("clients.{}.{key}", name.value), setting);
        }
    }
    for (name, action) in &spec.actions.value.0 {
        let key = |key: &str| format!("actions.{}.{key}", name.value);
        // What the spec says itself of how a request is sent is in its text.
        let by_flag = |text: &&Spanned<String>| matches!(text.origin, Origin::Flag(_));
        let live = action.live.as_ref().map(|live| &live.value);
        let subject = live.and_then(|live| live.request.as_ref()).filter(by_flag);
        put(
            key("live.request"),
            subject.map(|subject| Setting::shown(subject, &subject.value)),
        );
        let payload = action.payload.as_ref().map(|payload| &payload.value);
        let text = payload
            .and_then(|payload| payload.text.as_ref())
            .filter(by_flag);
        put(
            key("payload.text"),
            text.map(|text| Setting::shown(text, shown(&text.value))),
        );
        let file = payload
            .and_then(|payload| payload.file.as_ref())
            .filter(by_flag);
        put(
            key("payload.file"),
            file.map(|file| Setting::shown(file, shown(&file.value))),
        );
        let limits = action.slo.iter().flat_map(|slo| given(&slo.value));
        for (limit, value) in limits.flatten() {
            let key = format!("actions.{}.slo.{limit}", name.value);
            put(key, Some(Setting::shown(&value, &value.value)));
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
            put(key, none.map(Setting::of));
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
