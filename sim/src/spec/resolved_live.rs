//! The live part of a spec written back.

use std::fmt::{self, Display, Formatter};

use super::deliveries::{Await, Deliverer, Until};
use super::distribution::Distribution;
use super::live::{
    By, Condition, Connections, Delivery, InFlightPolicy, MaxInFlight, Per, Variable,
};
use super::named::Named;
use super::spanned::Spanned;
use super::syntax::Action;
use super::written::{Law, Quoted};

/// How an action's requests are sent and what they carry.
pub(super) fn sending(f: &mut Formatter<'_>, action: &Action) -> fmt::Result {
    if let Some(live) = &action.live {
        writeln!(f, "    live:")?;
        let live = &live.value;
        let texts = [
            ("request", &live.request),
            ("publish", &live.publish),
            ("jetstream", &live.jetstream),
            ("request_id", &live.request_id),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                writeln!(f, "      {key}: {}", Quoted(&text.value))?;
            }
        }
        let keys = [
            ("kv_put", &live.kv_put),
            ("kv_create", &live.kv_create),
            ("kv_get", &live.kv_get),
        ];
        for (word, key) in keys {
            if let Some(Spanned { value: key, .. }) = key {
                let fields = Fields::default()
                    .quoted("bucket", Some(&key.bucket))
                    .quoted("key", Some(&key.key));
                writeln!(f, "      {word}: {fields}")?;
            }
        }
        if let Some(Spanned { value: stored, .. }) = &live.direct_get {
            let fields = Fields::default()
                .quoted("stream", Some(&stored.stream))
                .quoted("subject", Some(&stored.subject));
            writeln!(f, "      direct_get: {fields}")?;
        }
        if let Some(headers) = live
            .headers
            .as_ref()
            .filter(|headers| !headers.value.0.is_empty())
        {
            writeln!(f, "      headers:")?;
            for (name, text) in &headers.value.0 {
                writeln!(f, "        {}: {}", name.value, Quoted(&text.value))?;
            }
        }
        conditions(f, "      ", "error_when", live.error_when.as_ref())?;
        conditions(f, "      ", "rejected_when", live.rejected_when.as_ref())?;
        if let Some(names) = &live.record_headers {
            let names: Vec<String> = names
                .value
                .iter()
                .map(|name| Quoted(&name.value).to_string())
                .collect();
            writeln!(f, "      record_headers: [{}]", names.join(", "))?;
        }
        if let Some(written) = &live.delivery {
            delivery(f, &written.value)?;
        }
    }
    let Some(payload) = &action.payload else {
        return Ok(());
    };
    let size = payload.value.size.as_ref();
    let fields = Fields::default()
        .law("size", size)
        .plain("at_most", payload.value.at_most.as_ref())
        .quoted("text", payload.value.text.as_ref())
        .quoted("file", payload.value.file.as_ref());
    writeln!(f, "    payload: {fields}")
}

/// A mapping on one line.
#[derive(Default)]
struct Fields(Vec<String>);

impl Fields {
    fn plain<T: Display>(mut self, key: &str, value: Option<&Spanned<T>>) -> Fields {
        let field = value.map(|value| format!("{key}: {}", value.value));
        self.0.extend(field);
        self
    }

    fn law<Q: Display + Copy>(
        mut self,
        key: &str,
        value: Option<&Spanned<Distribution<Q>>>,
    ) -> Fields {
        let field = value.map(|value| format!("{key}: {}", Law(&value.value)));
        self.0.extend(field);
        self
    }

    fn quoted(mut self, key: &str, value: Option<&Spanned<String>>) -> Fields {
        let field = value.map(|value| format!("{key}: {}", Quoted(&value.value)));
        self.0.extend(field);
        self
    }
}

impl Display for Fields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0.join(", "))
    }
}

fn conditions(
    f: &mut Formatter<'_>,
    indent: &str,
    key: &str,
    written: Option<&Spanned<Vec<Spanned<Condition>>>>,
) -> fmt::Result {
    let Some(written) = written.filter(|written| !written.value.is_empty()) else {
        return Ok(());
    };
    writeln!(f, "{indent}{key}:")?;
    for condition in &written.value {
        let Condition {
            header,
            json,
            text,
            status,
            is,
        } = &condition.value;
        let fields = Fields::default()
            .quoted("header", header.as_ref())
            .quoted("json", json.as_ref())
            .quoted("text", text.as_ref())
            .plain("status", status.as_ref())
            .quoted("is", is.as_ref());
        writeln!(f, "{indent}  - {fields}")?;
    }
    Ok(())
}

fn delivery(f: &mut Formatter<'_>, delivery: &Delivery) -> fmt::Result {
    writeln!(f, "      delivery:")?;
    writeln!(f, "        subject: {}", Quoted(&delivery.subject.value))?;
    match delivery.by.as_ref().map(|by| &by.value) {
        None => {}
        Some(By::Header(name)) => writeln!(f, "        by: {{header: {}}}", Quoted(&name.value))?,
        Some(By::Token(number)) => writeln!(f, "        by: {{token: {}}}", number.value)?,
        Some(By::Json(at)) => writeln!(f, "        by: {{json: {}}}", Quoted(&at.value))?,
    }
    if let Some(text) = &delivery.equals {
        writeln!(f, "        equals: {}", Quoted(&text.value))?;
    }
    conditions(f, "        ", "when", delivery.when.as_ref())
}

/// What an action's requests await.
pub(super) fn awaited(f: &mut Formatter<'_>, awaited: &Await) -> fmt::Result {
    let from = match awaited.from.as_ref().map(|from| &from.value) {
        None => None,
        Some(Deliverer::FanOut(name)) => {
            Some(format!("from: {{fan_out: {}}}", Quoted(&name.value)))
        }
        Some(Deliverer::Consumer(name)) => {
            Some(format!("from: {{consumer: {}}}", Quoted(&name.value)))
        }
    };
    let until = awaited.until.as_ref().map(|until| match until.value {
        Until::All => "until: all".to_owned(),
        Until::First => "until: first".to_owned(),
        Until::Count(count) => format!("until: {count}"),
    });
    let mut fields = Fields(from.into_iter().collect())
        .plain("subscribers", awaited.subscribers.as_ref())
        .plain("deliveries", awaited.deliveries.as_ref());
    fields.0.extend(until);
    writeln!(f, "    await: {fields}")
}

/// Over which connections users send.
pub(super) fn connections(
    f: &mut Formatter<'_>,
    indent: &str,
    connections: &Connections,
) -> fmt::Result {
    write!(f, "{indent}connections: ")?;
    match connections {
        Connections::PerUser => writeln!(f, "per_user"),
        Connections::Shared => writeln!(f, "shared"),
        Connections::Pool(count) => writeln!(f, "{{pool: {}}}", count.value),
    }
}

/// A limit of requests in flight, as a mapping on one line.
pub(super) struct InFlight<'a>(pub(super) &'a MaxInFlight);

impl Display for InFlight<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let InFlight(MaxInFlight { limit, policy }) = self;
        let policy = match policy.as_ref().map(|policy| policy.value) {
            None | Some(InFlightPolicy::Drop) => "drop",
            Some(InFlightPolicy::Delay) => "delay",
        };
        write!(f, "{{limit: {}, policy: {policy}}}", limit.value)
    }
}

/// How many requests may be in flight.
pub(super) fn max_in_flight(
    f: &mut Formatter<'_>,
    indent: &str,
    written: &MaxInFlight,
) -> fmt::Result {
    writeln!(f, "{indent}max_in_flight: {}", InFlight(written))
}

/// Words of the spec's own.
pub(super) fn variables(f: &mut Formatter<'_>, variables: &Named<Variable>) -> fmt::Result {
    if variables.0.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nvariables:")?;
    for (name, variable) in &variables.0 {
        let texts = variable.one_of.as_ref().map(|texts| {
            let texts: Vec<String> = texts
                .value
                .iter()
                .map(|text| Quoted(&text.value).to_string())
                .collect();
            format!("one_of: [{}]", texts.join(", "))
        });
        let per = variable.per.as_ref().map(|per| match per.value {
            Per::Request => "per: request".to_owned(),
            Per::User => "per: user".to_owned(),
        });
        let mut fields = Fields(texts.into_iter().collect())
            .plain("from", variable.from.as_ref())
            .plain("to", variable.to.as_ref());
        fields.0.extend(per);
        writeln!(f, "  {}: {fields}", name.value)?;
    }
    Ok(())
}
