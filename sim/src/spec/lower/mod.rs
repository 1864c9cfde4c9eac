//! A spec to a model: every check beyond the syntax, all of them in one go.
//!
//! What comes out is runnable. What does not come out is a list of errors, each at the value it is about; a value
//! that a flag gave names the flag. Warnings concern what is legal and probably not meant. A part with an error is
//! lowered to a placeholder, so that the other parts are still checked; no model with a placeholder leaves here.

mod clients;
mod distributions;
mod paths;
mod run;
mod services;
mod standstill;

pub use run::{DEFAULT_DRAIN, DEFAULT_SEED, LANGUAGE, MAX_NAME};

use std::collections::BTreeMap;

use super::error::{MAX_ERRORS, SpecError, nearest, one_of, shown, sort};
use super::named::Named;
use super::node::Node;
use super::spanned::Spanned;
use super::syntax::Spec;
use crate::model::Model;

/// Most clients, actions or services: their positions are 16 bits wide.
pub const MAX_ENTITIES: usize = 65_535;

/// A model, and what is odd about the spec it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered {
    /// The model.
    pub model: Model,
    /// What is legal and probably not meant, in the order of the text.
    pub warnings: Vec<SpecError>,
}

/// Lowers a spec, or says what is wrong with it, in the order of the text and up to [`MAX_ERRORS`] errors.
pub fn lower(spec: &Spec) -> Result<Lowered, Vec<SpecError>> {
    let (model, mut findings) = checked(spec, None);
    if findings.errors.is_empty() {
        run::warn_of_small_budget(spec, &model, &mut findings);
        services::check_timeouts(spec, &model, &mut findings);
        paths::warn_of_unmissable(spec, &model, &mut findings);
        standstill::check(spec, &model, &mut findings);
    }
    for found in [&mut findings.errors, &mut findings.warnings] {
        sort(found);
        spec.set.name(found);
    }
    match findings.errors.is_empty() {
        true => Ok(Lowered {
            model,
            warnings: findings.warnings,
        }),
        false => Err(findings.errors),
    }
}

/// The errors of a spec that was read in part, as far as they stand on their own: none is about something that may
/// only be missing because it could not be read. The tree of the whole document gives the names that may be referred
/// to although what they stand for could not be read.
pub fn standing_errors(spec: &Spec, document: &Node) -> Vec<SpecError> {
    let (_, findings) = checked(spec, Some(document));
    findings
        .errors
        .into_iter()
        .filter(|error| !error.absence)
        .collect()
}

/// The model, with placeholders where there were errors.
fn checked(spec: &Spec, document: Option<&Node>) -> (Model, Findings) {
    let mut findings = Findings::default();
    let names = Names::new(spec, document, &mut findings);
    run::check_version(spec, &mut findings);
    let services = services::lower(spec, &mut findings);
    let (actions, program) = paths::lower(spec, &names, &mut findings);
    let clients = clients::lower(spec, &names, &mut findings);
    let model = Model {
        name: run::name(spec, &mut findings),
        seed: run::seed(spec),
        limits: run::limits(spec, &mut findings),
        clients,
        actions,
        services,
        one_way: spec
            .network
            .as_ref()
            .map(|network| distributions::time(&network.one_way, &mut findings)),
        program,
    };
    (model, findings)
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Findings {
    errors: Vec<SpecError>,
    warnings: Vec<SpecError>,
}

impl Findings {
    fn error(&mut self, error: SpecError) {
        if !self.full() {
            self.errors.push(error);
        }
    }

    fn warn(&mut self, warning: SpecError) {
        if self.warnings.len() < MAX_ERRORS {
            self.warnings.push(warning);
        }
    }

    fn full(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
    }
}

/// The positions of what can be referred to, by name.
struct Names<'a> {
    actions: BTreeMap<&'a str, u16>,
    services: BTreeMap<&'a str, u16>,
}

impl<'a> Names<'a> {
    fn new(spec: &'a Spec, document: Option<&'a Node>, findings: &mut Findings) -> Names<'a> {
        fn index<'a, T>(
            what: &str,
            named: &'a Spanned<Named<T>>,
            findings: &mut Findings,
        ) -> BTreeMap<&'a str, u16> {
            if named.value.0.is_empty() {
                findings.error(
                    named
                        .error(format!("there are no {what}"))
                        .help(format!("{what} have at least one entry"))
                        .absence(),
                );
            }
            if named.value.0.len() > MAX_ENTITIES {
                let message = format!("there are {} {what}", named.value.0.len());
                findings.error(
                    named
                        .error(message)
                        .help(format!("there may be up to {MAX_ENTITIES}")),
                );
            }
            (0..=u16::MAX)
                .zip(named.value.names())
                .map(|(position, name)| (name, position))
                .collect()
        }
        index("clients", &spec.clients, findings);
        let mut names = Names {
            actions: index("actions", &spec.actions, findings),
            services: spec
                .services
                .as_ref()
                .map(|services| index("services", services, findings))
                .unwrap_or_default(),
        };
        if let Some(document) = document {
            for name in document.keys_under("actions") {
                names.actions.entry(name).or_insert(0);
            }
            for name in document.keys_under("services") {
                names.services.entry(name).or_insert(0);
            }
        }
        names
    }
}

/// The position of what `name` refers to; 0 stands in for what is not there.
fn refer(
    what: &str,
    name: &Spanned<String>,
    known: &BTreeMap<&str, u16>,
    findings: &mut Findings,
) -> u16 {
    if let Some(&position) = known.get(name.value.as_str()) {
        return position;
    }
    if findings.full() {
        return 0;
    }
    let names = || known.keys().copied();
    let list = format!("the {what}s are {}", one_of(names()));
    let help = match nearest(&name.value, names()) {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    };
    findings.error(
        name.error(format!("there is no {what} `{}`", shown(&name.value)))
            .labelled("unknown")
            .help(help),
    );
    0
}
