//! Lowers texts with placeholders: templates, and the subjects that are made of them.

use super::Findings;
use crate::model::{ENVIRONMENT, PLACES, Piece, Template, rendered};
use crate::spec::error::shown;
use crate::spec::spanned::Spanned;
use crate::spec::syntax::Spec;

/// The names of the spec's own words for templates.
pub fn variable_names(spec: &Spec) -> impl Iterator<Item = &str> + Clone {
    let variables = spec.variables.iter();
    variables.flat_map(|variables| {
        variables
            .value
            .0
            .iter()
            .map(|(name, _)| name.value.as_str())
    })
}

/// A template as the spec writes it.
pub fn template(spec: &Spec, text: &Spanned<String>, findings: &mut Findings) -> Template {
    parsed(spec, text, &text.value, findings)
}

/// A template whose text, or the file that has it, is named at `place`.
pub fn parsed(
    spec: &Spec,
    place: &Spanned<String>,
    text: &str,
    findings: &mut Findings,
) -> Template {
    Template::parse(text, variable_names(spec)).unwrap_or_else(|why| {
        let words = PLACES.iter().map(|(word, _)| *word);
        let places: Vec<String> = words
            .chain(variable_names(spec).take(10))
            .map(|word| format!("`{{{word}}}`"))
            .collect();
        let help = format!(
            "accepted: {}, and in headers and texts `{{{ENVIRONMENT}NAME}}`; write `{{{{word}}}}` for a word in braces",
            places.join(", ")
        );
        findings.error(place.error(why).help(help));
        Template(Vec::new())
    })
}

/// What a subject is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Publish,
    Subscribe,
}

/// A subject that can be published or subscribed to, for each request. What its places make of it is looked at once all
/// of the spec is read.
pub fn subject_of(
    spec: &Spec,
    subject: &Spanned<String>,
    r#use: Use,
    findings: &mut Findings,
) -> Template {
    let to = known_places(spec, subject, findings);
    let text = subject.value.as_str();
    let flaw = to.fixed().and_then(|fixed| match r#use {
        Use::Publish => rendered::subject_flaw(fixed, rendered::API),
        Use::Subscribe => rendered::subscription_flaw(fixed),
    });
    let of_no_place = text.split('.').any(|token| {
        token.contains("{{") || token.matches('{').count() != token.matches('}').count()
    });
    if of_no_place {
        let what = format!(
            "the subject `{}` has a brace that is not part of a placeholder",
            shown(text)
        );
        findings.error(
            subject
                .error(what)
                .help("write tokens with dots between, such as `demo.ask`"),
        );
    } else if let Some(flaw) = flaw {
        let error = subject.error(format!("the subject `{}` {flaw}", shown(text)));
        findings.error(error.help(flaw.help()));
    }
    to
}

/// A template of a subject, which takes nothing from the environment.
pub fn known_places(spec: &Spec, text: &Spanned<String>, findings: &mut Findings) -> Template {
    let to = template(spec, text, findings);
    let secret = |piece: &Piece| matches!(piece, Piece::Environment(_));
    if to.0.iter().any(secret) {
        let error =
            text.error("a subject may not use the environment, because servers show subjects");
        findings.error(error.help("write the value, or give it with --set"));
    }
    to
}
