//! Lowers the live part to the model: how requests are sent, their payloads, connections and limits in flight.

use std::num::NonZeroU32;

use super::numbers::count;
use super::texts::{Use, known_places, parsed, subject_of, template};
use super::{Findings, replies, sizes};
use crate::model::{
    Answer, By, Choice, Connections, InFlightPolicy, MaxInFlight, PLACES, Payload, REQUEST_ID,
    SendKind, Sending, Sizes, Template, Variable, rendered,
};
use crate::spec::error::shown;
use crate::spec::live::{self, Live, Per};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};

/// Most connections of a pool.
const MAX_POOL: u64 = 10_000;
/// The largest limit of requests in flight: as many as have a place.
const MAX_LIMIT: u64 = u32::MAX as u64;

/// Over which connections users send.
pub fn connections(written: &live::Connections, findings: &mut Findings) -> Connections {
    match written {
        live::Connections::PerUser => Connections::PerUser,
        live::Connections::Shared => Connections::Pool(NonZeroU32::MIN),
        live::Connections::Pool(size) => Connections::Pool(count(
            size,
            &format!("a pool of {} connections", size.value),
            MAX_POOL,
            "connections",
            findings,
        )),
    }
}

/// How many requests may be in flight together.
pub fn max_in_flight(written: &live::MaxInFlight, findings: &mut Findings) -> MaxInFlight {
    let what = format!("a limit of {} requests in flight", written.limit.value);
    MaxInFlight {
        limit: count(&written.limit, &what, MAX_LIMIT, "requests", findings),
        policy: match written.policy.as_ref().map(|policy| policy.value) {
            None | Some(live::InFlightPolicy::Drop) => InFlightPolicy::Drop,
            Some(live::InFlightPolicy::Delay) => InFlightPolicy::Delay,
        },
    }
}

/// How many requests of a client may be in flight together, which are no more than those of the run.
pub fn of_client(
    client: &syntax::Client,
    run: Option<&Spanned<live::MaxInFlight>>,
    findings: &mut Findings,
) -> Option<MaxInFlight> {
    let own = client.max_in_flight.as_ref()?;
    let limit = max_in_flight(&own.value, findings);
    if let Some(run) = run
        && own.value.limit.value > run.value.limit.value
    {
        findings.error(own.value.limit.error(format!(
            "`max_in_flight` of the client is {}, but that of the run is {}; give the client at most {}, or raise that of the run",
            own.value.limit.value, run.value.limit.value, run.value.limit.value
        )));
    }
    Some(limit)
}

/// The spec's own words for templates.
pub fn variables(spec: &Spec, findings: &mut Findings) -> Vec<Variable> {
    let Some(written) = &spec.variables else {
        return Vec::new();
    };
    if written.value.0.len() > super::MAX_ENTITIES {
        let error = written.error(format!("there are {} variables", written.value.0.len()));
        findings.error(error.help(format!("there may be up to {}", super::MAX_ENTITIES)));
    }
    let variables = written.value.0.iter().map(|(name, variable)| {
        if PLACES.iter().any(|(place, _)| *place == name.value) {
            let error = name.error(format!(
                "`{}` is the name of a built-in placeholder",
                name.value
            ));
            findings.error(error.help("give the variable another name"));
        }
        Variable {
            name: name.value.clone(),
            choice: choice(name, variable, findings),
            of_user: variable.per.as_ref().map(|per| per.value) == Some(Per::User),
        }
    });
    variables.collect()
}

fn choice(name: &Spanned<String>, variable: &live::Variable, findings: &mut Findings) -> Choice {
    const HELP: &str = "give `one_of: [north, south]`, or `from` and `to`";
    match (&variable.one_of, &variable.from, &variable.to) {
        (Some(texts), None, None) if !texts.value.is_empty() => {
            Choice::OneOf(texts.value.iter().map(|text| text.value.clone()).collect())
        }
        (Some(texts), None, None) => {
            findings.error(texts.error("`one_of` is empty").help(HELP));
            Choice::OneOf(vec![String::new()])
        }
        (None, Some(from), Some(to)) if from.value <= to.value => {
            Choice::Range(from.value.0, to.value.0)
        }
        (None, Some(from), Some(to)) => {
            let error = to.error(format!(
                "`to` ({}) is below `from` ({})",
                to.value, from.value
            ));
            findings.error(error.help("give a `to` of at least `from`"));
            Choice::Range(0, 0)
        }
        (Some(_), _, _) => {
            findings.error(name.error("a variable takes one form").help(HELP));
            Choice::Range(0, 0)
        }
        (None, _, _) => {
            let error = name.error(format!("`{}` has no values", shown(&name.value)));
            findings.error(error.help(HELP).absence());
            Choice::Range(0, 0)
        }
    }
}

/// How the requests of an action are sent, `None` where the spec does not say; and how large they are, as far as that
/// is known.
pub fn sending(
    spec: &Spec,
    action: &syntax::Action,
    findings: &mut Findings,
) -> (Option<Sending>, Option<Sizes>) {
    let (payload, size) = payload(spec, action, findings);
    let Some(written) = &action.live else {
        if let Some(payload) = &action.payload
            && !sizes::matter(spec)
        {
            let error = payload.error("`payload` has no effect without `live`");
            findings
                .error(error.help("add `live: {request: demo.ask}`, or give a service `by_size`"));
        }
        return (None, size);
    };
    let has_double = action.path.is_some();
    (sent(spec, written, payload, has_double, findings), size)
}

fn sent(
    spec: &Spec,
    written: &Spanned<Live>,
    payload: Payload,
    has_double: bool,
    findings: &mut Findings,
) -> Option<Sending> {
    let live = &written.value;
    let (kind, to) = kind(written, findings)?;
    let headers = live
        .headers
        .as_ref()
        .map(|headers| headers.value.0.as_slice());
    let headers = headers
        .unwrap_or_default()
        .iter()
        .map(|(name, text)| (name.value.clone(), template(spec, text, findings)));
    let headers: Vec<_> = headers.collect();
    let named = live.request_id.as_ref();
    let named = named.map(|name| replies::header(name, findings));
    let id_header = named.as_deref().unwrap_or(REQUEST_ID);
    if let Some((name, _)) = headers.iter().find(|(name, _)| name == id_header) {
        let error = written.error(format!("the header `{name}` carries the request's id"));
        findings.error(error.help("remove it from `headers`, or name another `request_id`"));
    }
    let (subject, stream) = addressed(spec, kind, to, findings);
    replies::check(kind, live, findings);
    let delivery = live.delivery.as_ref();
    let delivery = delivery.map(|one| replies::delivery(spec, one, id_header, findings));
    let is_named_by_it = delivery
        .as_ref()
        .is_some_and(|one| one.by == By::Header(id_header.to_owned()));
    let is_needed = named.is_some() || is_named_by_it || (has_double && is_handed_on(kind));
    let request_id = is_needed.then(|| id_header.to_owned());
    Some(Sending {
        kind,
        subject,
        stream,
        headers,
        payload,
        error_when: replies::conditions(live.error_when.as_ref(), findings),
        rejected_when: replies::conditions(live.rejected_when.as_ref(), findings),
        record_headers: replies::recorded(kind, live, findings),
        delivery,
        request_id,
    })
}

/// Whether a double hears of a request by a message whose reply subject does not say whose it is: there is none, or a stream
/// is in between.
fn is_handed_on(kind: SendKind) -> bool {
    match kind.answer() {
        Answer::Nothing | Answer::Acknowledgement => true,
        Answer::Reply | Answer::Stored => false,
    }
}

/// What a request is sent to, as the spec writes it.
#[derive(Clone, Copy)]
enum To<'a> {
    Subject(&'a Spanned<String>),
    Key(&'a Spanned<live::Key>),
    Stored(&'a Spanned<live::Stored>),
}

/// The one way in which a request is sent, with what it is sent to.
fn kind<'a>(written: &'a Spanned<Live>, findings: &mut Findings) -> Option<(SendKind, To<'a>)> {
    const HELP: &str = "give one of `request`, `publish` and `jetstream` with a subject, of `kv_put`, `kv_create` and \
                        `kv_get` with a bucket and a key, or `direct_get` with a stream and a subject";
    let live = &written.value;
    let kinds = [
        (SendKind::Request, live.request.as_ref().map(To::Subject)),
        (SendKind::Publish, live.publish.as_ref().map(To::Subject)),
        (
            SendKind::Jetstream,
            live.jetstream.as_ref().map(To::Subject),
        ),
        (SendKind::KvPut, live.kv_put.as_ref().map(To::Key)),
        (SendKind::KvCreate, live.kv_create.as_ref().map(To::Key)),
        (SendKind::KvGet, live.kv_get.as_ref().map(To::Key)),
        (
            SendKind::DirectGet,
            live.direct_get.as_ref().map(To::Stored),
        ),
    ];
    let mut given = kinds.into_iter().filter_map(|(kind, to)| Some((kind, to?)));
    let (first, second) = (given.next(), given.next());
    if let Some((_, another)) = second {
        const WHAT: &str = "`live` takes one way to send";
        let error = match another {
            To::Subject(subject) => subject.error(WHAT),
            To::Key(key) => key.error(WHAT),
            To::Stored(stored) => stored.error(WHAT),
        };
        findings.error(error.help(HELP));
    }
    if first.is_none() {
        let error = written.error("`live` has no way to send the request");
        findings.error(error.help(HELP).absence());
    }
    first
}

/// The subject of a request, and the stream that it is about.
fn addressed(
    spec: &Spec,
    kind: SendKind,
    to: To<'_>,
    findings: &mut Findings,
) -> (Template, Option<String>) {
    match to {
        To::Subject(subject) => (subject_of(spec, subject, Use::Publish, findings), None),
        To::Key(Spanned { value: key, .. }) => {
            let bucket = &key.bucket.value;
            if !rendered::is_bucket(bucket) {
                let error = key
                    .bucket
                    .error(format!("`{}` is not the name of a bucket", shown(bucket)));
                findings.error(error.help("write letters, digits, `-` and `_`"));
            }
            let stream = format!("{}{bucket}", rendered::BUCKET);
            let before = match kind {
                SendKind::KvGet => format!("{}.DIRECT.GET.{stream}.", rendered::API),
                _ => String::new(),
            };
            let before = format!("{before}{}.{bucket}.", rendered::KEYS);
            let key = known_places(spec, &key.key, findings);
            (key.after(&before), Some(stream))
        }
        To::Stored(Spanned { value: stored, .. }) => {
            let stream = &stored.stream.value;
            if !rendered::is_stream(stream) {
                let error = stored
                    .stream
                    .error(format!("`{}` is not the name of a stream", shown(stream)));
                findings
                    .error(error.help("write a name without blanks, dots, slashes and wildcards"));
            }
            let subject = known_places(spec, &stored.subject, findings);
            let before = format!("{}.DIRECT.GET.{stream}.", rendered::API);
            (subject.after(&before), Some(stream.clone()))
        }
    }
}

/// What the requests of an action carry, and its size as far as that is known.
fn payload(
    spec: &Spec,
    action: &syntax::Action,
    findings: &mut Findings,
) -> (Payload, Option<Sizes>) {
    const HELP: &str = "give one of `size`, `text` and `file`";
    let known = |(payload, sizes)| (payload, Some(sizes));
    let Some(written) = &action.payload else {
        return known(sizes::fixed(0));
    };
    let live::Payload {
        size,
        at_most,
        text,
        file,
    } = &written.value;
    if let (None, Some(at_most)) = (size, at_most) {
        let error = at_most.error("`at_most` has no effect without `size`");
        findings.error(error.help("remove it").absence());
    }
    match (size, text, file) {
        (Some(size), None, None) => known(sizes::payload(size, at_most.as_ref(), findings)),
        (None, Some(text), None) => sizes::text(template(spec, text, findings)),
        (None, None, Some(path)) => match findings.file(path) {
            Some(text) => sizes::text(parsed(spec, path, &text, findings)),
            None => known(sizes::fixed(0)),
        },
        (None, None, None) => {
            let error = written.error("`payload` is empty");
            findings.error(error.help(HELP).absence());
            known(sizes::fixed(0))
        }
        _ => {
            findings.error(written.error("`payload` takes one form").help(HELP));
            known(sizes::fixed(0))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_id_is_in_a_header_where_somebody_needs_it() {
        for (action, header) in [
            ("path: [reply], live: {request: a}", None),
            ("live: {request: a}", None),
            (
                "path: [reply], live: {request: a, request_id: X}",
                Some("X"),
            ),
            (
                "await: {}, live: {request: a, delivery: {subject: b}}",
                Some("Blis-Request"),
            ),
            (
                "await: {}, live: {request: a, delivery: {subject: b, by: {header: Blis-Request}}}",
                Some("Blis-Request"),
            ),
            (
                "await: {}, live: {request: a, request_id: X, delivery: {subject: b}}",
                Some("X"),
            ),
            (
                "await: {}, live: {request: a, delivery: {subject: b, by: {header: Else}, equals: \"{id}\"}}",
                None,
            ),
            (
                "await: {}, live: {request: a, delivery: {subject: b, by: {json: /id}, equals: \"{id}\"}}",
                None,
            ),
            // There is no reply, or a stream in between.
            ("path: [reply], live: {publish: a}", Some("Blis-Request")),
            ("path: [reply], live: {jetstream: a}", Some("Blis-Request")),
            (
                "path: [reply], live: {kv_put: {bucket: a, key: b}}",
                Some("Blis-Request"),
            ),
            // Nobody plays what has no path.
            ("live: {publish: a}", None),
            ("live: {jetstream: a}", None),
            ("path: [reply], live: {kv_get: {bucket: a, key: b}}", None),
            (
                "path: [reply], live: {direct_get: {stream: a, subject: b}}",
                None,
            ),
        ] {
            let text = format!(
                "{{blis: 1, name: a, run: {{requests: 9}}, clients: {{c: {{concurrency: 1, do: ask}}}}, actions: {{ask: {{{action}}}}}}}"
            );
            let spec = crate::spec::read(&text).expect("it reads");
            let lowered =
                crate::spec::lower_live(&spec, &crate::spec::Files::default()).expect("it lowers");
            let sending = lowered.model.actions[0]
                .sending
                .as_ref()
                .expect("it is sent");
            assert_eq!(sending.request_id.as_deref(), header, "{action}");
        }
    }
}
