//! What only a real cluster sees, to the model: how requests are sent, what they carry, and over which connections.

use std::num::NonZeroU32;

use super::Findings;
use crate::model::{Connections, ENVIRONMENT, PLACES, Payload, Piece, SendKind, Sending, Template};
use crate::spec::live::{self, Live};
use crate::spec::spanned::Spanned;
use crate::spec::syntax;

/// Most connections of a pool.
const MAX_POOL: u64 = 10_000;
/// The most bytes of a payload: the most that a server can be set to take.
const MAX_PAYLOAD: u64 = 64 << 20;

/// Over which connections users send.
pub fn connections(spec: &syntax::Spec, findings: &mut Findings) -> Connections {
    let Some(written) = &spec.connections else {
        return Connections::default();
    };
    match &written.value {
        live::Connections::PerUser => Connections::PerUser,
        live::Connections::Shared => Connections::Pool(NonZeroU32::MIN),
        live::Connections::Pool(count) => {
            let fits = (1..=MAX_POOL).contains(&count.value.0);
            let pool = u32::try_from(count.value.0).ok().and_then(NonZeroU32::new);
            if !fits {
                let error = count.error(format!("a pool of {} connections", count.value));
                findings.error(error.help(format!("give 1 to {MAX_POOL} connections")));
            }
            Connections::Pool(pool.unwrap_or(NonZeroU32::MIN))
        }
    }
}

/// How the requests of an action are sent; `None` where the spec does not say.
pub fn sending(action: &syntax::Action, findings: &mut Findings) -> Option<Sending> {
    let payload = payload(action, findings);
    let Some(written) = &action.live else {
        if let Some(payload) = &action.payload {
            let error = payload.error("`payload` has no effect without `live`");
            findings.error(
                error.help("say how the request is sent, such as `live: {request: demo.ask}`"),
            );
        }
        return None;
    };
    let Live {
        request,
        publish,
        jetstream,
        headers,
    } = &written.value;
    let kinds = [
        (SendKind::Request, request),
        (SendKind::Publish, publish),
        (SendKind::Jetstream, jetstream),
    ];
    let mut given = kinds
        .into_iter()
        .filter_map(|(kind, subject)| Some((kind, subject.as_ref()?)));
    let (first, second) = (given.next(), given.next());
    if let Some((_, another)) = second {
        let error = another.error("a request is sent in one way");
        findings.error(error.help("give one of `request`, `publish` and `jetstream`"));
    }
    let Some((kind, subject)) = first else {
        let error = written.error("`live` does not say how the request is sent");
        findings.error(
            error
                .help("give one of `request`, `publish` and `jetstream` with a subject")
                .absence(),
        );
        return None;
    };
    let headers = headers.as_ref().map(|headers| headers.value.0.as_slice());
    let headers = headers.unwrap_or_default().iter().map(|(name, text)| {
        if text.value.contains(['\r', '\n']) {
            let error = text.error("a header has one line");
            findings.error(error.help("remove the line breaks"));
        }
        (name.value.clone(), template(text, findings))
    });
    let headers = headers.collect();
    check_subject(subject, findings);
    let to = template(subject, findings);
    if to
        .0
        .iter()
        .any(|piece| matches!(piece, Piece::Environment(_)))
    {
        let error = subject
            .error("a subject takes nothing from the environment, because servers tell subjects");
        findings.error(error.help("write it, or give it with --set"));
    }
    Some(Sending {
        kind,
        subject: to,
        headers,
        payload,
    })
}

fn payload(action: &syntax::Action, findings: &mut Findings) -> Payload {
    let Some(written) = &action.payload else {
        return Payload::Size(0);
    };
    match (&written.value.size, &written.value.text) {
        (Some(size), None) => {
            if size.value.0 > MAX_PAYLOAD {
                let error = size.error(format!(
                    "a payload of {} is more than any server takes",
                    size.value
                ));
                findings.error(error.help("a payload may have up to 64MiB"));
            }
            Payload::Size(usize::try_from(size.value.0.min(MAX_PAYLOAD)).unwrap_or(0))
        }
        (None, Some(text)) => Payload::Text(template(text, findings)),
        (Some(_), Some(text)) => {
            let error = text.error("a payload is given once");
            findings.error(error.help("give one of `size` and `text`"));
            Payload::Size(0)
        }
        (None, None) => {
            let error = written.error("`payload` does not say what it is");
            findings.error(error.help("give one of `size` and `text`").absence());
            Payload::Size(0)
        }
    }
}

fn template(text: &Spanned<String>, findings: &mut Findings) -> Template {
    Template::parse(&text.value).unwrap_or_else(|why| {
        let places: Vec<String> = PLACES
            .iter()
            .map(|(word, _)| format!("`{{{word}}}`"))
            .collect();
        findings.error(text.error(why).help(format!(
            "accepted: {}, and in headers and texts `{{{ENVIRONMENT}NAME}}`",
            places.join(", ")
        )));
        Template(Vec::new())
    })
}

/// A subject that can be published to: tokens with dots between, none empty, and no wildcard.
fn check_subject(subject: &Spanned<String>, findings: &mut Findings) {
    let flaw = subject.value.split('.').find_map(|token| {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        match token {
            "" => Some("has an empty token"),
            "*" | ">" => Some("is a wildcard, which nobody can publish to"),
            _ if token.contains(odd) => Some("has a blank in it"),
            _ => None,
        }
    });
    let reserved = subject
        .value
        .starts_with('$')
        .then_some("is of the server itself");
    if let Some(flaw) = flaw.or(reserved) {
        let error = subject.error(format!("the subject `{}` {flaw}", subject.value));
        findings.error(error.help("write tokens with dots between, such as `demo.ask`"));
    }
}
