//! Checks all texts of the templates of live actions at their places, as before they are sent.

use super::Findings;
use super::sizes::MAX_PAYLOAD;
use crate::model::rendered::{self, Flaw};
use crate::model::{
    Action, By, DeliveredAt, LiveModel, Looked, Path, Payload, Piece, Sending, Template, Texts,
};
use crate::spec::error::shown;
use crate::spec::live::Live;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::{self, Spec};

/// Judges the templates of every action.
pub fn check(spec: &Spec, model: &LiveModel, findings: &mut Findings) {
    let mut texts = Texts::new(&model.variables);
    let senders = senders(model);
    let tries = tried_again(model);
    let written = spec.actions.value.0.iter().map(|(_, action)| action);
    let senders = senders.iter().zip(&tries);
    for ((written, action), (clients, tries)) in written.zip(&model.actions).zip(senders) {
        if let (Some(live), Some(sending)) = (&written.live, &action.sending) {
            let mut judge = Judge {
                texts: &mut texts,
                clients,
                findings: &mut *findings,
            };
            judge.action(written, &live.value, action, sending, *tries);
        }
    }
}

/// The names of the clients that send each action.
fn senders(model: &LiveModel) -> Vec<Vec<&str>> {
    let mut senders = vec![Vec::new(); model.actions.len()];
    for client in &model.clients {
        for (action, _) in &client.mix.shares {
            senders[action.index()].push(client.name.as_str());
        }
    }
    senders
}

/// Whether some client tries each action again.
fn tried_again(model: &LiveModel) -> Vec<bool> {
    let mut tried = vec![false; model.actions.len()];
    let retrying = model
        .clients
        .iter()
        .filter(|client| client.on_failure.retries > 0);
    for (action, _) in retrying.flat_map(|client| &client.mix.shares) {
        tried[action.index()] = true;
    }
    tried
}

/// What judges the templates of an action.
struct Judge<'a, 'b> {
    texts: &'a mut Texts<'b>,
    clients: &'a [&'a str],
    findings: &'a mut Findings,
}

/// A text that is wrong, and why.
type Wrong = (String, Flaw);

impl Judge<'_, '_> {
    fn action(
        &mut self,
        written: &syntax::Action,
        live: &Live,
        action: &Action<Option<Path>>,
        sending: &Sending,
        tries: bool,
    ) {
        if let Some(place) = destination(live) {
            self.destination(place, sending);
        }
        self.headers(live, sending);
        if let (Some(written), Some(delivery)) = (&live.delivery, &sending.delivery) {
            self.delivery(&written.value.subject, delivery);
            if let Some(equals) = &written.value.equals {
                self.tells_apart(equals, delivery, tries);
                self.equals(equals, delivery);
            }
        }
        let Payload::Text(template) = &sending.payload else {
            return;
        };
        if let Some(payload) = &written.payload {
            let bytes = self.texts.most_bytes(template);
            if let Some(what) = too_much(&format!("payload of {}", action.name), bytes) {
                let error = payload.error(what).help("a payload may have up to 64MiB");
                self.findings.error(error);
            }
        }
    }

    /// Whether a text that travels with a payload is not too much for any server; told where it is.
    fn fits(&mut self, what: &str, place: &Spanned<String>, template: &Template) -> bool {
        let Some(told) = too_much(what, self.texts.most_bytes(template)) else {
            return true;
        };
        let error = place.error(told).help("a text may have up to 64MiB");
        self.findings.error(error);
        false
    }

    fn destination(&mut self, place: Place<'_>, sending: &Sending) {
        let looked = self
            .texts
            .subject_flaw(sending, self.clients, rendered::API);
        // What has no places was told where it is written, unless it is a part of a subject.
        if sending.subject.fixed().is_some() && place.whole {
            return;
        }
        self.told("subject", place.text, looked);
    }

    fn told(&mut self, what: &str, place: &Spanned<String>, looked: Looked<Wrong>) {
        match looked {
            Looked::Found((text, flaw)) => {
                let error = place.error(format!(
                    "the {what} `{}` may be `{}`, which {flaw}",
                    shown(&place.value),
                    shown(&text)
                ));
                self.findings.error(error.help(flaw.help()));
            }
            Looked::Nothing { all: false } => {
                let warning = place.error(format!(
                    "the {what} `{}` may have too many values to check before a load",
                    shown(&place.value)
                ));
                let help = "give its variables fewer values to check all of them before";
                self.findings.warn(warning.help(help));
            }
            Looked::Nothing { all: true } => {}
        }
    }

    fn headers(&mut self, live: &Live, sending: &Sending) {
        if let Some(name) = &live.request_id
            && let Some(flaw) = rendered::header_name_flaw(&name.value)
        {
            let error = name.error(format!("the header `{}` {flaw}", shown(&name.value)));
            self.findings
                .error(error.help("use another header for the request id"));
        }
        let written = live.headers.iter().flat_map(|headers| &headers.value.0);
        for ((name, place), (_, template)) in written.zip(&sending.headers) {
            if let Some(flaw) = rendered::header_name_flaw(&name.value) {
                let error = name.error(format!("the header `{}` {flaw}", name.value));
                self.findings.error(error.help(flaw.help()));
                continue;
            }
            let what = format!("header {}", name.value);
            if self.fits(&what, place, template) {
                let looked = self.texts.header_flaw(&name.value, template, self.clients);
                self.told(&what, place, looked);
            }
        }
    }

    /// Deliveries come on the subjects that the subscription has: each place is one token, or a part of one.
    fn delivery(&mut self, place: &Spanned<String>, delivery: &DeliveredAt) {
        let wildcards = delivery.subject.wildcards();
        let tokens = wildcards.split('.').count();
        let of_spec = written_wildcards(&delivery.subject);
        let looked = match self.texts.is_too_long(&delivery.subject, self.clients) {
            true => Looked::Found((String::new(), Flaw::TooLong)),
            false => self.texts.look(&delivery.subject, self.clients, |text| {
                let several = text.split('.').count() != tokens || count_wildcards(text) != of_spec;
                let flaw = rendered::subscription_flaw(text);
                let flaw = flaw.or_else(|| several.then_some(Flaw::NoToken))?;
                Some((text.to_owned(), flaw))
            }),
        };
        if delivery.subject.fixed().is_none() {
            self.told("awaited subject", place, looked);
        }
    }

    /// What names a request is not the same for one of another client, or for another try.
    fn tells_apart(&mut self, place: &Spanned<String>, delivery: &DeliveredAt, tries: bool) {
        let has = |piece: &Piece| delivery.equals.0.contains(piece);
        let alone = [Piece::Id, Piece::Uuid, Piece::Sequence];
        if alone.iter().any(has) {
            return;
        }
        let lacking = [
            (
                self.clients.len() > 1 && !has(&Piece::Client),
                "{client}",
                "requests of several clients",
            ),
            (
                tries && !has(&Piece::Attempt),
                "{attempt}",
                "several tries of a request",
            ),
        ];
        for (_, word, who) in lacking.into_iter().filter(|(lacks, ..)| *lacks) {
            let error = place.error(format!("{who} have the same `equals`"));
            self.findings.error(error.help(format!(
                "add `{word}`, or write `{{id}}`, `{{uuid}}` or `{{seq}}`"
            )));
        }
    }

    fn equals(&mut self, place: &Spanned<String>, delivery: &DeliveredAt) {
        if !self.fits("text", place, &delivery.equals) {
            return;
        }
        let looked = self.texts.look(&delivery.equals, self.clients, |text| {
            let flaw = match delivery.by {
                By::Token(_) => rendered::single_token_flaw(text),
                By::Header(_) => rendered::header_flaw("", text),
                By::Json(_) => None,
            };
            flaw.map(|flaw| (text.to_owned(), flaw))
        });
        self.told("text", place, looked);
    }
}

/// What is wrong with a text of this many bytes, if anything.
fn too_much(what: &str, bytes: usize) -> Option<String> {
    let over = u64::try_from(bytes).is_ok_and(|bytes| bytes > MAX_PAYLOAD);
    over.then(|| format!("the {what} may have {bytes} bytes, more than any server accepts"))
}

/// What says where a request is sent.
struct Place<'a> {
    text: &'a Spanned<String>,
    /// Whether it is the whole subject.
    whole: bool,
}

fn destination(live: &Live) -> Option<Place<'_>> {
    let subjects = [&live.request, &live.publish, &live.jetstream];
    if let Some(text) = subjects.into_iter().flatten().next() {
        return Some(Place { text, whole: true });
    }
    let keys = [&live.kv_put, &live.kv_create, &live.kv_get];
    let keys = keys.into_iter().flatten().map(|key| &key.value.key);
    let stored = live.direct_get.iter().map(|stored| &stored.value.subject);
    let text = keys.chain(stored).next()?;
    Some(Place { text, whole: false })
}

/// The tokens of a template that are wildcards as they stand.
fn written_wildcards(template: &Template) -> usize {
    let text: String = template
        .0
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            _ => "x",
        })
        .collect();
    count_wildcards(&text)
}

fn count_wildcards(subject: &str) -> usize {
    let wildcard = |token: &&str| matches!(*token, "*" | ">");
    subject.split('.').filter(wildcard).count()
}
