//! A service without a spec: the flags of its requests, put into a spec.

use super::error::{SpecError, shown};
use super::live::Payload;
use super::named::{Named, RULE, flaw};
use super::spanned::Spanned;
use super::syntax::Spec;

/// What the command line says of the requests to a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceFlags {
    /// `--subject`
    pub subject: String,
    /// `--payload` or `--payload-file`
    pub payload: Option<PayloadFlag>,
    /// `--header`, name and value
    pub headers: Vec<(String, String)>,
}

/// Where a payload comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum PayloadFlag {
    /// `--payload`, the text itself
    Text(String),
    /// `--payload-file`, the file that has it
    File(String),
}

/// Says how the requests of a spec's actions, all of them, are sent.
///
/// # Errors
/// A header that is given twice, or has no name that a spec can have.
pub fn send_to(spec: &mut Spec, flags: &ServiceFlags) -> Result<(), SpecError> {
    const HEADER: &str = "--header";
    let mut headers: Vec<(Spanned<String>, Spanned<String>)> = Vec::new();
    for (name, value) in &flags.headers {
        if headers.iter().any(|(known, _)| known.value == *name) {
            let name = Spanned::flag(HEADER, name);
            let error = name.error(format!("the header `{}` is given twice", shown(name.value)));
            return Err(error.help("give it once"));
        }
        if let Some(flaw) = flaw(name) {
            let error = Spanned::flag(HEADER, ()).error(format!("`{}` {flaw}", shown(name)));
            return Err(error.help(RULE));
        }
        headers.push((
            Spanned::flag(HEADER, name.clone()),
            Spanned::flag(HEADER, value.clone()),
        ));
    }
    for (_, action) in &mut spec.actions.value.0 {
        if let Some(live) = &mut action.live {
            live.value.request = Some(Spanned::flag("--subject", flags.subject.clone()));
            live.value.headers =
                (!headers.is_empty()).then(|| Spanned::flag(HEADER, Named(headers.clone())));
        }
        action.payload = flags.payload.as_ref().map(payload);
    }
    Ok(())
}

fn payload(flag: &PayloadFlag) -> Spanned<Payload> {
    let of = |name, text: Option<&String>, file: Option<&String>| {
        let given = |value: &String| Spanned::flag(name, value.clone());
        let payload = Payload {
            size: None,
            at_most: None,
            text: text.map(given),
            file: file.map(given),
        };
        Spanned::flag(name, payload)
    };
    match flag {
        PayloadFlag::Text(text) => of("--payload", Some(text), None),
        PayloadFlag::File(path) => of("--payload-file", None, Some(path)),
    }
}
