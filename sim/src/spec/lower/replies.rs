//! Lowers the meaning of replies and deliveries of a real cluster: conditions, and the request of a delivery.

use std::num::NonZeroUsize;

use super::Findings;
use super::texts::{Use, subject_of, template};
use crate::event::MOST_HEADERS;
use crate::model::{
    Answer, By, Condition, DeliveredAt, MEMBER, Piece, SERVICE_TIME, SendKind, Template, VISITS,
};
use crate::spec::error::shown;
use crate::spec::live::{self, Delivery, Live};
use crate::spec::spanned::Spanned;
use crate::spec::syntax::Spec;
use crate::spec::units::Count;

/// The longest name of a header that is recorded.
const MOST_NAME: usize = 64;

/// What is said of replies has replies to look at.
pub fn check(kind: SendKind, live: &Live, findings: &mut Findings) {
    let conditions = [&live.error_when, &live.rejected_when];
    for condition in conditions.into_iter().flatten() {
        if !matches!(kind.answer(), Answer::Reply | Answer::Stored) {
            let error = condition.error("conditions have no effect without a reply of a service");
            findings
                .error(error.help("remove them, or send with `request`, `kv_get` or `direct_get`"));
        }
    }
}

/// The headers of replies that are recorded.
pub fn recorded(kind: SendKind, live: &Live, findings: &mut Findings) -> Vec<String> {
    let has_replies = matches!(kind.answer(), Answer::Reply | Answer::Stored);
    let Some(written) = &live.record_headers else {
        return match kind.answer() {
            Answer::Reply => [MEMBER, SERVICE_TIME, VISITS].map(str::to_owned).to_vec(),
            Answer::Stored | Answer::Acknowledgement | Answer::Nothing => Vec::new(),
        };
    };
    let names = &written.value;
    if !has_replies && !names.is_empty() {
        let error = written.error("`record_headers` has no effect without a reply of a service");
        findings.error(error.help("remove it, or send with `request`, `kv_get` or `direct_get`"));
    }
    if names.len() > MOST_HEADERS {
        let error = written.error(format!("{} headers to record are too many", names.len()));
        findings.error(error.help(format!("give up to {MOST_HEADERS}")));
    }
    for (at, name) in names.iter().enumerate() {
        recordable(name, findings);
        if names[..at].iter().any(|before| before.value == name.value) {
            let error = name.error(format!("`{}` is given twice", shown(&name.value)));
            findings.error(error.help("give a header once"));
        }
    }
    names.iter().map(|name| name.value.clone()).collect()
}

/// The name of a header that is recorded is one of a column, too: a token of HTTP (RFC 9110, 5.6.2).
fn recordable(name: &Spanned<String>, findings: &mut Findings) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let length = name.value.len();
    if length == 0 || length > MOST_NAME || !name.value.chars().all(token) {
        let error = name.error(format!(
            "`{}` is not the name of a header to record",
            shown(&name.value)
        ));
        findings.error(error.help(format!(
            "write up to {MOST_NAME} letters, digits and hyphens, such as `Server-Id`"
        )));
    }
}

/// The conditions of a list.
pub fn conditions(
    written: Option<&Spanned<Vec<Spanned<live::Condition>>>>,
    findings: &mut Findings,
) -> Vec<Condition> {
    let conditions = written.map(|written| written.value.as_slice());
    let conditions = conditions.unwrap_or_default().iter();
    conditions
        .filter_map(|written| condition(written, findings))
        .collect()
}

fn condition(written: &Spanned<live::Condition>, findings: &mut Findings) -> Option<Condition> {
    const HELP: &str = "give one of `header`, `json`, `text` and `status`";
    let live::Condition {
        header: name,
        json,
        text,
        status: code,
        is,
    } = &written.value;
    let value = is.as_ref().map(|is| is.value.clone());
    match (name, json, text, code) {
        (Some(name), None, None, None) => Some(Condition::Header {
            name: header(name, findings),
            is: value,
        }),
        (None, Some(at), None, None) => Some(Condition::Json {
            pointer: pointer(at, findings),
            is: value,
        }),
        (None, None, None, Some(code)) => Some(Condition::Status {
            code: status(code, findings),
            is: value,
        }),
        (None, None, Some(text), None) => {
            if let Some(is) = is {
                let error = is.error("`is` has no effect beside `text`");
                findings.error(error.help("use `is` with `header`, `json` or `status`"));
            }
            if text.value.is_empty() {
                let error = text.error("an empty text is in every reply");
                findings.error(error.help("give a text that only such replies contain"));
            }
            Some(Condition::Text(text.value.clone()))
        }
        (None, None, None, None) => {
            let error = written.error("the condition is empty");
            findings.error(error.help(HELP).absence());
            None
        }
        _ => {
            findings.error(
                written
                    .error("a condition takes one of `header`, `json`, `text` and `status`")
                    .help(HELP),
            );
            None
        }
    }
}

/// The code of a status line.
fn status(code: &Spanned<Count>, findings: &mut Findings) -> u16 {
    let fitting = u16::try_from(code.value.0).ok();
    fitting
        .filter(|code| (100..=999).contains(code))
        .unwrap_or_else(|| {
            let error = code.error(format!("{} is not a status code", code.value));
            findings.error(error.help("give three digits, such as 404"));
            0
        })
}

/// The name of a header.
pub fn header(name: &Spanned<String>, findings: &mut Findings) -> String {
    let token = |c: char| c.is_ascii_graphic() && c != ':';
    if name.value.is_empty() || !name.value.chars().all(token) {
        let error = name.error(format!(
            "`{}` is not the name of a header",
            shown(&name.value)
        ));
        findings.error(error.help("write letters, digits and hyphens, such as `Request-Id`"));
    }
    name.value.clone()
}

fn pointer(pointer: &Spanned<String>, findings: &mut Findings) -> String {
    if !pointer.value.is_empty() && !pointer.value.starts_with('/') {
        let error = pointer.error(format!("`{}` is not a JSON pointer", shown(&pointer.value)));
        findings.error(error.help("start it with a slash, such as `/error/code`"));
    }
    pointer.value.clone()
}

/// Where deliveries come that requests await.
pub fn delivery(
    spec: &Spec,
    written: &Spanned<Delivery>,
    request_id: &str,
    findings: &mut Findings,
) -> DeliveredAt {
    let Delivery {
        subject,
        by,
        equals,
        when,
    } = &written.value;
    let delivered_to = subject_of(spec, subject, Use::Subscribe, findings);
    let by = match by.as_ref().map(|by| &by.value) {
        None => By::Header(request_id.to_owned()),
        Some(live::By::Header(name)) => By::Header(header(name, findings)),
        Some(live::By::Json(at)) => By::Json(pointer(at, findings)),
        Some(live::By::Token(number)) => token(number, &delivered_to, findings),
    };
    if let Some(text) = equals {
        check_unique(text, &template(spec, text, findings), findings);
    }
    if let Some(when) = when
        && when.value.is_empty()
    {
        let error = when.error("an empty `when` matches no message");
        findings.error(
            error.help("give a condition such as `{header: Kind, is: order}`, or remove `when`"),
        );
    }
    DeliveredAt {
        subject: delivered_to,
        by,
        equals: match equals {
            Some(text) => template(spec, text, findings),
            None => Template(vec![Piece::Id]),
        },
        when: conditions(when.as_ref(), findings),
    }
}

/// What names a request is not the same for another one.
fn check_unique(text: &Spanned<String>, equals: &Template, findings: &mut Findings) {
    let has = |piece: &Piece| equals.0.contains(piece);
    let alone = [Piece::Id, Piece::Uuid, Piece::Sequence];
    if alone.iter().any(has) || (has(&Piece::User) && has(&Piece::Number)) {
        return;
    }
    let error = text.error("several requests have the same `equals`");
    findings.error(error.help("give it `{id}`, `{uuid}`, `{seq}`, or both `{user}` and `{n}`"));
}

fn token(number: &Spanned<Count>, subject: &Template, findings: &mut Findings) -> By {
    let wildcards = subject.wildcards();
    let position = usize::try_from(number.value.0)
        .ok()
        .and_then(NonZeroUsize::new);
    let found = position.and_then(|position| wildcards.split('.').nth(position.get() - 1));
    if found != Some("*") && found != Some(">") {
        let error = number.error(format!(
            "token {} of the subject is the same for every request",
            number.value
        ));
        findings.error(
            error.help("give the number, from 1, of a token that has a place, such as `{uuid}`"),
        );
    }
    By::Token(position.unwrap_or(NonZeroUsize::MIN))
}
