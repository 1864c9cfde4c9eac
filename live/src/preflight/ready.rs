//! The model as it is sent: with texts from the environment, and with the prefix of the JetStream API.
//!
//! Checks of the spec are repeated, because only now all texts are known: headers contain values of the environment, and the
//! API may have any prefix.

use std::env::VarError;

use blis_sim::model::rendered::{API, Flaw};
use blis_sim::model::{Looked, Model, Piece, SendKind, Sending, Template, Texts};

use crate::preflight::environment::{self, Missing};

/// Why a model is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// A variable of the environment is not what a text needs.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A subject that is not sent.
    #[error("the subject {subject:?}, where action {action} sends, {flaw}: {}", flaw.help())]
    Subject {
        /// The action.
        action: String,
        /// What its template comes to.
        subject: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A header that is not sent. Its value, which may be a secret, is never told.
    #[error("the header {name} of action {action} {flaw}: {}", flaw.help())]
    Header {
        /// The action.
        action: String,
        /// The header.
        name: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// The model as it is sent, where the JetStream API is at `api`.
///
/// # Errors
/// The first text that may not be sent, or cannot be filled in.
pub fn ready<P: Clone>(
    model: &Model<P>,
    api: &str,
    variable: impl Fn(&str) -> Result<String, VarError>,
) -> Result<Model<P>, Unready> {
    let mut model = environment::filled(model, variable)?;
    for action in &mut model.actions {
        if let Some(sending) = &mut action.sending {
            address(sending, api);
        }
    }
    judge(&model, api)?;
    Ok(model)
}

/// Puts the JetStream API where it is into the subject of what is asked of it.
fn address(sending: &mut Sending, api: &str) {
    if api == API {
        return;
    }
    let subject = &mut sending.subject;
    match sending.kind {
        SendKind::KvGet | SendKind::DirectGet => {
            if let Some(Piece::Text(text)) = subject.0.first_mut()
                && let Some(function) = text.strip_prefix(API)
            {
                *text = format!("{api}{function}");
            }
        }
        // Buckets of a domain are written to behind its prefix.
        SendKind::KvPut | SendKind::KvCreate => {
            let written = std::mem::replace(subject, Template(Vec::new()));
            *subject = written.after(&format!("{api}."));
        }
        SendKind::Request | SendKind::Publish | SendKind::Jetstream => {}
    }
}

fn judge<P>(model: &Model<P>, api: &str) -> Result<(), Unready> {
    let mut texts = Texts::new(&model.variables);
    for (number, action) in model.actions.iter().enumerate() {
        let Some(sending) = &action.sending else {
            continue;
        };
        let sends = |client: &&blis_sim::model::Client| {
            let mut shares = client.mix.shares.iter();
            shares.any(|(of, _)| of.index() == number)
        };
        let clients = model.clients.iter().filter(sends);
        let clients: Vec<&str> = clients.map(|client| client.name.as_str()).collect();
        let action = action.name.clone();
        if let Looked::Found((subject, flaw)) = texts.subject_flaw(sending, &clients, api) {
            return Err(Unready::Subject {
                action,
                subject,
                flaw,
            });
        }
        for (name, template) in &sending.headers {
            if let Looked::Found((_, flaw)) = texts.header_flaw(name, template, &clients) {
                let name = name.clone();
                return Err(Unready::Header { action, name, flaw });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(live: &str) -> Model {
        let spec = format!(
            "{{blis: 1, name: a, run: {{requests: 9}}, clients: {{users: {{concurrency: 9, do: ask}}}}, \
             actions: {{ask: {{path: [reply], live: {live}}}}}, variables: {{v: {{one_of: [a, STREAM.PURGE.A]}}}}}}"
        );
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        blis_sim::spec::lower(&spec).expect("it lowers").model
    }

    fn subject(live: &str, api: &str) -> Result<String, Unready> {
        let model = ready(&model(live), api, |_| Err(VarError::NotPresent))?;
        let sending = model.actions[0].sending.as_ref().expect("it is sent");
        Ok(sending.subject.wildcards())
    }

    #[test]
    fn buckets_and_streams_are_where_the_api_is() {
        let key = "{bucket: carts, key: \"of.{user}\"}";
        let stored = "{direct_get: {stream: orders, subject: \"orders.{user}\"}}";
        let hub = "$JS.hub.API";
        for (live, api, there) in [
            (format!("{{kv_put: {key}}}"), API, "$KV.carts.of.*"),
            (
                format!("{{kv_create: {key}}}"),
                hub,
                "$JS.hub.API.$KV.carts.of.*",
            ),
            (
                format!("{{kv_get: {key}}}"),
                API,
                "$JS.API.DIRECT.GET.KV_carts.$KV.carts.of.*",
            ),
            (
                format!("{{kv_get: {key}}}"),
                hub,
                "$JS.hub.API.DIRECT.GET.KV_carts.$KV.carts.of.*",
            ),
            (
                stored.to_owned(),
                hub,
                "$JS.hub.API.DIRECT.GET.orders.orders.*",
            ),
            (
                stored.to_owned(),
                "shop.js",
                "shop.js.DIRECT.GET.orders.orders.*",
            ),
        ] {
            assert_eq!(subject(&live, api).as_deref(), Ok(there), "{live} at {api}");
        }
    }

    #[test]
    fn administration_is_refused_wherever_the_api_is() {
        let live = "{request: \"shop.js.{v}\"}";
        assert_eq!(subject(live, API).as_deref(), Ok("shop.js.*"));
        let refused = subject(live, "shop.js").expect_err("a purge");
        assert!(
            matches!(&refused, Unready::Subject { subject, .. } if subject == "shop.js.a"),
            "{refused}"
        );
    }

    #[test]
    fn what_comes_from_the_environment_is_judged_and_not_told() {
        let live = "{publish: a, headers: {KV-Operation: \"{env:WHAT}\"}}";
        let with = |value: &str| ready(&model(live), API, |_| Ok(value.to_owned()));
        assert!(with("PUT").is_ok());
        for value in ["DEL", " purge", "a\u{1b}b"] {
            let refused = with(value).expect_err("refused").to_string();
            assert!(
                refused.starts_with("the header KV-Operation of action ask "),
                "{refused}"
            );
            assert!(!refused.contains(value), "{refused}");
        }
        let odd = std::ffi::OsString::from("odd");
        let refused = ready(&model(live), API, |_| {
            Err(VarError::NotUnicode(odd.clone()))
        });
        let refused = refused.expect_err("refused").to_string();
        assert!(refused.contains("is not UTF-8; correct it"), "{refused}");
        let refused = ready(&model(live), API, |_| Err(VarError::NotPresent));
        let refused = refused.expect_err("refused").to_string();
        assert!(refused.contains("is not set; set it"), "{refused}");
    }
}
