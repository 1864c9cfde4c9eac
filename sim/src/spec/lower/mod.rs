//! Lowers a spec to a model: every check beyond the syntax, all of them in one go.
//!
//! The result is a runnable model, or a list of errors, each at its value; the error of a value from a flag names the flag.
//! Warnings concern specs that are legal but probably not meant. A part with an error is lowered to a placeholder, so that the
//! other parts are still checked; no model with a placeholder leaves here.

mod by_name;
mod clients;
mod conditions;
mod cycles;
mod deliveries;
mod distributions;
mod emptiness;
mod live;
mod members;
mod moments;
mod numbers;
mod objectives;
mod paths;
mod quantiles;
mod recordings;
mod replies;
mod run;
mod services;
mod shapes;
mod sizes;
mod standstill;
mod streams;
mod subscriptions;
mod templates;
mod texts;

pub use run::{MAX_NAME, MOST_RUNS};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{MAX_ERRORS, SpecError, SpecErrors, nearest, one_of, shown, sort};
use super::files::Files;
use super::named::Named;
use super::node::Node;
use super::spanned::Spanned;
use super::syntax::Spec;
use crate::model::{LiveModel, Model, Path};

/// Most clients, actions or services: their positions are 16 bits wide.
pub const MAX_ENTITIES: usize = 65_535;

/// A model, and what is odd about the spec it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered<P = Path> {
    /// The model.
    pub model: Model<P>,
    /// What is legal and probably not meant, in the order of the text.
    pub warnings: Vec<SpecError>,
}

/// Lowers a spec that refers to no files, or says what is wrong with it, in the order of the text and up to
/// [`MAX_ERRORS`] errors.
pub fn lower(spec: &Spec) -> Result<Lowered, SpecErrors> {
    lower_with(spec, &Files::default())
}

/// As [`lower`], for a spec that refers to these files.
pub fn lower_with(spec: &Spec, files: &Files) -> Result<Lowered, SpecErrors> {
    let lowered = lower_live(spec, files)?;
    match lowered.model.simulable() {
        Ok(model) => Ok(Lowered {
            model,
            warnings: lowered.warnings,
        }),
        Err(_) => {
            let mut findings = Findings::default();
            paths::check_simulable(spec, &mut findings);
            Err(in_order(spec, findings.errors).into())
        }
    }
}

/// As [`lower_with`], for a real backend: an action may say how it is sent and not what it does.
pub fn lower_live(spec: &Spec, files: &Files) -> Result<Lowered<Option<Path>>, SpecErrors> {
    let spec: &Spec = &by_name::by_name(spec);
    let (model, mut findings) = checked(spec, None, Sought::Read(files.clone()));
    if findings.errors.is_empty() {
        run::warn_of_small_budget(spec, &model, &mut findings);
        templates::check(spec, &model, &mut findings);
        emptiness::check(spec, &model, &mut findings);
        services::check_timeouts(spec, &model, &mut findings);
        sizes::check(spec, &model, &mut findings);
        objectives::warn_of_unmissable(spec, &model, &mut findings);
        paths::warn_of_unanswered(spec, &model, &mut findings);
        standstill::check(spec, &model, &mut findings);
        conditions::warn(spec, &model, &mut findings);
        streams::check(
            spec,
            &subscriptions::Subscriptions::new(spec),
            &mut findings,
        );
    }
    match findings.errors.is_empty() {
        true => Ok(Lowered {
            model,
            warnings: in_order(spec, findings.warnings),
        }),
        false => Err(in_order(spec, findings.errors).into()),
    }
}

/// What was found, in the order of the text, with the `--set` that it is about.
fn in_order(spec: &Spec, mut found: Vec<SpecError>) -> Vec<SpecError> {
    sort(&mut found);
    spec.set.name(&mut found);
    found
}

/// The errors of a spec that was read in part, as far as they stand on their own: none is about something that may
/// only be missing because it could not be read. The tree of the whole document gives the names that may be referred
/// to although what they stand for could not be read.
pub fn standing_errors(spec: &Spec, document: &Node) -> Vec<SpecError> {
    let spec = by_name::by_name(spec);
    let (_, findings) = checked(&spec, Some(document), Sought::default());
    findings
        .errors
        .into_iter()
        .filter(|error| !error.absence)
        .collect()
}

/// The paths of the files that a spec refers to, each as often as it does.
pub fn wanted_files(spec: &Spec) -> Vec<Spanned<String>> {
    match checked(spec, None, Sought::default()).1.files {
        Sought::Wanted(paths) => paths,
        Sought::Read(_) => Vec::new(),
    }
}

/// The model, with placeholders where there were errors or files that were not read. What has a name is in the order of
/// the names.
fn checked(spec: &Spec, document: Option<&Node>, files: Sought) -> (LiveModel, Findings) {
    let mut findings = Findings {
        files,
        ..Findings::default()
    };
    let names = Names::new(spec, document, &mut findings);
    run::check_version(spec, &mut findings);
    streams::check_classes(spec, &mut findings);
    let services = services::lower(spec, &names, &mut findings);
    let subscriptions = subscriptions::Subscriptions::new(spec);
    let program = paths::lower(spec, &names, &subscriptions, &mut findings);
    let streams = streams::streams(spec, &mut findings);
    let consumers = streams::consumers(
        &subscriptions,
        &program.consumers,
        &services,
        &names,
        &mut findings,
    );
    cycles::check_held(&program.held, &services, &mut findings);
    let dead_letters: Vec<_> = subscriptions.dead_letters().collect();
    cycles::check_fed(
        &program.fed,
        &consumers,
        &streams,
        &dead_letters,
        &mut findings,
    );
    let clients = clients::lower(spec, &names, &mut findings);
    paths::check_network(spec, &mut findings);
    let mut model = Model {
        name: run::name(spec, &mut findings),
        seed: run::seed(spec),
        limits: run::limits(spec, &mut findings),
        clients,
        actions: program.actions,
        services,
        streams,
        consumers,
        fan_outs: streams::fan_outs(spec, &names, &mut findings),
        classes: streams::classes(spec)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        one_way: spec
            .network
            .as_ref()
            .map(|network| distributions::time(&network.one_way, &mut findings)),
        program: program.steps,
        connections: spec
            .connections
            .as_ref()
            .map(|written| live::connections(&written.value, &mut findings))
            .unwrap_or_default(),
        max_in_flight: spec
            .max_in_flight
            .as_ref()
            .map(|written| live::max_in_flight(&written.value, &mut findings)),
        variables: live::variables(spec, &mut findings),
        fitted: spec
            .provenance
            .as_ref()
            .map(|written| run::fitted(&written.value, &mut findings)),
    };
    if findings.errors.is_empty() {
        deliveries::bind(spec, &mut model, &names, &mut findings);
    }
    (model, findings)
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Findings {
    errors: Vec<SpecError>,
    warnings: Vec<SpecError>,
    files: Sought,
}

/// The files that a spec refers to.
#[derive(Debug)]
enum Sought {
    /// Nothing has been read yet; these were asked for.
    Wanted(Vec<Spanned<String>>),
    /// What was read.
    Read(Files),
}

impl Default for Sought {
    fn default() -> Sought {
        Sought::Wanted(Vec::new())
    }
}

impl Findings {
    /// The text of a file, as far as files were read.
    fn file(&mut self, path: &Spanned<String>) -> Option<Arc<str>> {
        match &mut self.files {
            Sought::Wanted(paths) => {
                paths.push(path.clone());
                None
            }
            Sought::Read(files) => {
                let text = files.get(&path.value).cloned();
                if text.is_none() {
                    let message = format!("the file `{}` was not read", shown(&path.value));
                    self.error(path.error(message).help("name a file that can be read"));
                }
                text
            }
        }
    }

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
    streams: BTreeMap<&'a str, u16>,
    fan_outs: BTreeMap<&'a str, u16>,
    classes: BTreeMap<&'a str, u16>,
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
            streams: spec
                .streams
                .as_ref()
                .map(|streams| index("streams", streams, findings))
                .unwrap_or_default(),
            fan_outs: spec
                .fan_outs
                .as_ref()
                .map(|fan_outs| index("fan_outs", fan_outs, findings))
                .unwrap_or_default(),
            classes: (0..=u16::MAX)
                .zip(streams::classes(spec))
                .map(|(position, name)| (name, position))
                .collect(),
        };
        if let Some(document) = document {
            for name in document.keys_under("actions") {
                names.actions.entry(name).or_insert(0);
            }
            for name in document.keys_under("services") {
                names.services.entry(name).or_insert(0);
            }
            for name in document.keys_under("streams") {
                names.streams.entry(name).or_insert(0);
            }
            for name in document.keys_under("fan_outs") {
                names.fan_outs.entry(name).or_insert(0);
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
    let many = match what {
        "class" => "classes".to_owned(),
        _ => format!("{what}s"),
    };
    let list = match known.is_empty() {
        true => format!("there are no {many}"),
        false => format!("the {many} are {}", one_of(names())),
    };
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
