//! From the command line to a checked model: the spec, and the changes by flags.

mod basis;

pub use basis::{Basis, Variations};

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use blis_live::os_error::unnumbered;
use blis_sim::model::{Model, Path as Known};
use blis_sim::spec::error::{MAX_BYTES, Origin, line_and_column, shown};
use blis_sim::spec::service::ServiceFlags;
use blis_sim::spec::syntax::{Run, Warmup};
use blis_sim::spec::units::Duration;
use blis_sim::spec::{
    self, Assignment, ClientFlags, Files, Overrides, Setting, Spanned, Spec, SpecError, SpecErrors,
};

use crate::cli::{ClientArgs, OverrideArgs};
use crate::exit::{Failure, show};
use crate::input_files::Copy;
use crate::runs::names::SPEC;

/// The spec that runs when none is named.
const QUICKSTART: &str = include_str!("../specs/quickstart.yaml");
/// What it is called in messages.
const QUICKSTART_NAME: &str = "specs/quickstart.yaml (embedded)";
/// The spec of a service of which nothing is known but what the flags say.
const SERVICE: &str = include_str!("service.yaml");
/// What it is called in messages.
const SERVICE_NAME: &str = "the spec of --subject";

/// Whose a spec is.
#[derive(Debug, Clone)]
enum Whose {
    /// The user's.
    User,
    /// The embedded quickstart.
    Quickstart,
    /// That of a service without a spec.
    Service(ServiceFlags),
}

/// A workload that is ready to run: to be simulated, or, as a [`LiveWorkload`], to be sent.
#[derive(Debug)]
pub struct Workload<P = Known> {
    /// What the user calls the spec; `None` for the embedded one.
    pub file: Option<String>,
    /// SHA-256 of the spec's text.
    pub sha256: String,
    /// The spec written back with defaults and flags in place.
    pub resolved: String,
    /// Copies of the files that it refers to.
    pub files: Vec<Copy>,
    /// The values that decide the run.
    pub configuration: BTreeMap<String, Setting>,
    /// The model.
    pub model: Model<P>,
}

/// A workload for a real backend, some of whose actions may have no path.
pub type LiveWorkload = Workload<Option<Known>>;

/// The text of a spec with its name.
#[derive(Debug, Clone)]
pub struct Source {
    /// What the user calls it.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where the paths in it begin.
    folder: PathBuf,
}

/// What a spec is lowered to, and how.
type Lower<P> = fn(&Spec, &Files) -> Result<spec::Lowered<P>, SpecErrors>;

/// The workload that these arguments mean, to be simulated. Warnings go to stderr.
///
/// # Errors
/// [`Failure::Usage`] when the spec cannot be read or the flags contradict one another, [`Failure::Spec`] when
/// the spec is not accepted, or has an action without a path.
pub fn load(
    file: Option<&Path>,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<Workload, Failure> {
    load_as(file, clients, overrides, spec::lower_with)
}

/// The workload that these arguments mean, to be sent to a real backend. Warnings go to stderr.
///
/// # Errors
/// Those of [`load`], but that of an action without a path.
pub fn load_live(
    file: Option<&Path>,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<LiveWorkload, Failure> {
    load_as(file, clients, overrides, spec::lower_live)
}

/// The workload whose backend these arguments mean: nothing ends what is played, whatever bounds a load of it. Warnings go to
/// stderr.
///
/// # Errors
/// Those of [`load_live`].
pub fn load_backend(
    file: Option<&Path>,
    overrides: &OverrideArgs,
) -> Result<LiveWorkload, Failure> {
    let basis = Basis::of(file, &ClientArgs::default(), overrides)?;
    let variations = Variations::of(basis, spec::lower_live)?.bounded_by("serve");
    let (workload, warnings) = variations.workload(&variations.spec(&[])?)?;
    show(&warnings);
    Ok(workload)
}

/// Gives a spec without any bound one, for a command that has its own.
pub fn bounded(spec: &mut Spec, by: &'static str) {
    let run = spec
        .run
        .get_or_insert_with(|| Spanned::flag(by, Run::default()));
    if run.value.requests.is_none() && run.value.horizon.is_none() {
        let warmup = match run.value.warmup.as_ref().map(|warmup| warmup.value) {
            Some(Warmup::At(time)) => time.0,
            Some(Warmup::Auto) | None => 0.0,
        };
        run.value.horizon = Some(Spanned::flag(by, Duration(warmup + 60e9)));
    }
}

/// The workload of requests to a service without a spec. No backend, objective or think time is known of it.
///
/// # Errors
/// Those of [`load_live`], and [`Failure::Usage`] where the flags do not say how much is sent.
pub fn load_service(
    flags: &ServiceFlags,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<LiveWorkload, Failure> {
    if clients.concurrency.is_none() && clients.rate.is_none() {
        return Err(Failure::Usage(
            "--subject needs a load; give --concurrency 20 for closed-loop users, or --rate 200/s for open arrivals"
                .to_owned(),
        ));
    }
    let (workload, warnings) =
        Basis::of_service(flags, clients, overrides)?.prepare(spec::lower_live)?;
    show(&warnings);
    Ok(workload)
}

/// What a flag says of a service is not said by `--set` too.
fn refuse_service_set_twice(flags: &ServiceFlags, overrides: &OverrideArgs) -> Result<(), Failure> {
    let given: [(&str, bool, &[&str]); 3] = [
        ("--subject", true, &["actions", "*", "live", "request"]),
        (
            "--header",
            !flags.headers.is_empty(),
            &["actions", "*", "live", "headers"],
        ),
        (
            "a payload",
            flags.payload.is_some(),
            &["actions", "*", "payload"],
        ),
    ];
    for (flag, _, key) in given.into_iter().filter(|(_, given, _)| *given) {
        if let Some(set) = overrides.values.set.iter().find(|set| set.is_within(key)) {
            return Err(given_twice(flag, set));
        }
    }
    Ok(())
}

fn given_twice(flag: &str, set: &Assignment) -> Failure {
    Failure::Usage(format!(
        "{flag} and --set {}={} set the same key; use one of them",
        shown(set.path()),
        shown(set.value())
    ))
}

fn load_as<P>(
    file: Option<&Path>,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
    lower: Lower<P>,
) -> Result<Workload<P>, Failure> {
    let (workload, warnings) = Basis::of(file, clients, overrides)?.prepare(lower)?;
    show(&warnings);
    Ok(workload)
}

/// The workload of a run that is on disk, whose warnings were told when it was run.
///
/// # Errors
/// Those of [`load`].
pub fn load_again(file: &Path) -> Result<LiveWorkload, Failure> {
    let (clients, overrides) = (ClientArgs::default(), OverrideArgs::default());
    let basis = Basis::of(Some(file), &clients, &overrides)?;
    Ok(basis.prepare(spec::lower_live)?.0)
}

/// A spec as it is and as its variant, which `--set` makes; the other overrides are for both. Warnings go to stderr,
/// once where both have the same.
///
/// # Errors
/// Those of [`load`].
pub fn load_variant(file: &Path, overrides: &OverrideArgs) -> Result<[Workload; 2], Failure> {
    let no_clients = ClientArgs::default();
    let mut as_it_is = overrides.clone();
    as_it_is.values.set = Vec::new();
    let basis = Basis::of(Some(file), &no_clients, &as_it_is)?;
    let with_changes = basis.clone().overridden_by(overrides);
    let (base, warnings) = basis.prepare(spec::lower_with)?;
    show(&warnings);
    let (variant, of_variant) = with_changes.prepare(spec::lower_with)?;
    if of_variant != warnings {
        show(&of_variant);
    }
    Ok([base, variant])
}

/// The values that decide the run. What no user wrote and no flag gave is a default.
fn settings(spec: &Spec, whose: &Whose) -> BTreeMap<String, Setting> {
    let mut settings = spec::settings(spec);
    if let Whose::Service(_) = whose {
        let written = settings
            .values_mut()
            .filter(|setting| setting.source == "spec");
        written.for_each(|setting| "default".clone_into(&mut setting.source));
    }
    settings
}

/// The text about a directory in the place of a spec.
fn directory(path: &Path) -> String {
    let name = path.display();
    match path.join(SPEC).is_file() {
        true => format!("{name} is a directory; give the spec in it: {name}/{SPEC}"),
        false => format!("{name} is a directory; give the file of a workload spec, or - for stdin"),
    }
}

/// Where the paths in a spec begin: at its folder, or at the working directory for one from stdin.
fn folder_of(file: Option<&Path>) -> PathBuf {
    let folder = file
        .filter(|file| file.as_os_str() != "-")
        .and_then(Path::parent);
    folder.map_or_else(PathBuf::new, Path::to_owned)
}

/// A spec of the user's own says in its own keys who its clients are.
fn refuse_client_flags(clients: &ClientArgs) -> Result<(), Failure> {
    let flags = [
        (
            "--concurrency",
            clients.concurrency.is_some(),
            "clients.NAME.concurrency",
        ),
        (
            "--think-time",
            clients.think_time.is_some(),
            "clients.NAME.think",
        ),
        (
            "--think-time-ms",
            clients.think_time_ms.is_some(),
            "clients.NAME.think",
        ),
        ("--rate", clients.rate.is_some(), "clients.NAME.rate"),
    ];
    match flags.into_iter().find(|(_, given, _)| *given) {
        None => Ok(()),
        Some((flag, _, key)) => Err(Failure::Usage(format!(
            "{flag} is only for runs without a spec; set {key} in the spec instead"
        ))),
    }
}

/// A value is given by one flag only.
///
/// # Errors
/// [`Failure::Usage`] when `--set` gives what another flag gives too.
pub fn refuse_contradictions(
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<(), Failure> {
    let whole: &[&str] = &["clients"];
    let flags: [(&str, bool, &[&str]); 9] = [
        ("--concurrency", clients.concurrency.is_some(), whole),
        ("--think-time", clients.think_time.is_some(), whole),
        ("--think-time-ms", clients.think_time_ms.is_some(), whole),
        ("--rate", clients.rate.is_some(), whole),
        (
            "--num-requests",
            overrides.bounds.num_requests.is_some(),
            &["run", "requests"],
        ),
        (
            "--horizon",
            overrides.bounds.horizon.is_some(),
            &["run", "horizon"],
        ),
        (
            "--warmup",
            overrides.bounds.warmup.is_some(),
            &["run", "warmup"],
        ),
        (
            "--timeout",
            overrides.values.timeout.is_some(),
            &["clients", "*", "timeout"],
        ),
        ("--seed", overrides.values.seed.is_some(), &["seed"]),
    ];
    for (flag, _, key) in flags.into_iter().filter(|(_, given, _)| *given) {
        let both = overrides.values.set.iter().find(|set| set.is_within(key));
        if let Some(set) = both {
            return Err(given_twice(flag, set));
        }
    }
    refuse_objectives_set_twice(overrides)
}

/// A limit is given by `--slo` or by `--set`.
fn refuse_objectives_set_twice(overrides: &OverrideArgs) -> Result<(), Failure> {
    for objectives in &overrides.slo {
        let action = objectives.action().unwrap_or("*");
        for limit in objectives.given() {
            let key = ["actions", action, "slo", limit];
            if let Some(set) = overrides.values.set.iter().find(|set| set.is_within(&key)) {
                return Err(Failure::Usage(format!(
                    "--slo and --set {}={} both set {limit}; use one of them",
                    shown(set.path()),
                    shown(set.value())
                )));
            }
        }
    }
    Ok(())
}

/// Shortens the warm-up of the embedded spec, which suits its own length, where a flag shortens the run: to a tenth of
/// the horizon, and to nothing for a budget, whose time is not known beforehand. A warm-up that was set stays.
fn shorten_warmup(spec: &mut Spec, overrides: &OverrideArgs) {
    let Some(run) = &mut spec.run else { return };
    let Some(warmup) = &mut run.value.warmup else {
        return;
    };
    let Warmup::At(usual) = warmup.value else {
        return;
    };
    if is_set(warmup.origin) {
        return;
    }
    let budget = run.value.requests.as_ref();
    let budget_is_set = budget.is_some_and(|budget| is_set(budget.origin));
    let horizon = run.value.horizon.as_ref();
    let set_horizon = horizon.filter(|horizon| is_set(horizon.origin));
    let (horizon, flag) = match overrides.bounds.horizon {
        Some(horizon) => (Some(horizon), "--horizon"),
        None => (set_horizon.map(|horizon| horizon.value), "--set"),
    };
    let tenth = horizon.map(|horizon| Duration((horizon.0 / 10.0).floor()));
    match tenth {
        _ if overrides.bounds.num_requests.is_some() => {
            *warmup = Spanned::flag("--num-requests", Warmup::At(Duration(0.0)));
        }
        _ if budget_is_set => *warmup = Spanned::flag("--set", Warmup::At(Duration(0.0))),
        Some(tenth) if tenth.0 < usual.0 => *warmup = Spanned::flag(flag, Warmup::At(tenth)),
        _ => {}
    }
}

/// A bound that the user gives replaces the horizon and the budget of the embedded spec, which suit its own length.
fn drop_embedded_bound(spec: &mut Spec, overrides: &OverrideArgs) {
    let Some(run) = &mut spec.run else { return };
    let run = &mut run.value;
    let set = |origin: Option<Origin>| origin.is_some_and(is_set);
    let budget_is_set = set(run.requests.as_ref().map(|budget| budget.origin));
    let horizon_is_set = set(run.horizon.as_ref().map(|horizon| horizon.origin));
    let budget_is_given = overrides.bounds.num_requests.is_some() || budget_is_set;
    let horizon_is_given = overrides.bounds.horizon.is_some() || horizon_is_set;
    if budget_is_given && !horizon_is_given {
        run.horizon = None;
    }
    if horizon_is_given && !budget_is_given {
        run.requests = None;
    }
}

fn is_set(origin: Origin) -> bool {
    matches!(origin, Origin::Set(_))
}

fn apply(
    spec: &mut Spec,
    whose: &Whose,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<(), Failure> {
    let flags = ClientFlags {
        concurrency: clients.concurrency,
        think_time: think_time(clients),
        rate: clients.rate,
    };
    let usage = |error: SpecError| {
        let help = error.help.as_ref();
        let help = help.map_or(String::new(), |help| format!("; {help}"));
        Failure::Usage(format!("{error}{help}"))
    };
    if let Whose::Service(service) = whose {
        spec::service::send_to(spec, service).map_err(usage)?;
    }
    spec::overrides::replace_clients(spec, &flags).map_err(usage)?;
    spec::objectives::apply(spec, &overrides.slo).map_err(usage)?;
    if !matches!(whose, Whose::User) {
        drop_embedded_bound(spec, overrides);
        shorten_warmup(spec, overrides);
    }
    spec::overrides::apply(spec, &values(overrides));
    Ok(())
}

/// The think time, with the flag that gave it.
fn think_time(clients: &ClientArgs) -> Option<Spanned<Duration>> {
    let time = clients
        .think_time
        .map(|time| Spanned::flag("--think-time", time));
    time.or(clients
        .think_time_ms
        .map(|time| Spanned::flag("--think-time-ms", time)))
}

/// The flags that override keys of any spec, but for `--set`.
pub fn values(overrides: &OverrideArgs) -> Overrides {
    Overrides {
        seed: overrides.values.seed.map(|seed| seed.0),
        requests: overrides.bounds.num_requests,
        horizon: overrides.bounds.horizon,
        warmup: overrides.bounds.warmup,
        timeout: overrides.values.timeout,
        max_in_flight: overrides
            .values
            .max_in_flight
            .map(|limit| (limit, overrides.values.in_flight_policy.into())),
    }
}

/// Reads a spec from a file, or from stdin when it is called `-`.
///
/// # Errors
/// [`Failure::Usage`] when it cannot be read, is too large or is not UTF-8.
pub fn read(file: &Path) -> Result<Source, Failure> {
    let from_stdin = file.as_os_str() == "-";
    let name = if from_stdin {
        "stdin".to_owned()
    } else {
        file.display().to_string()
    };
    if file.is_dir() {
        return Err(Failure::Usage(directory(file)));
    }
    // One byte more than is accepted is enough to refuse the rest.
    let most = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let outcome = if from_stdin {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(most).read_to_end(&mut bytes))
    };
    outcome.map_err(|error| {
        Failure::Usage(format!(
            "the spec {name} cannot be read: {}; name a file, or - for stdin",
            unnumbered(&error)
        ))
    })?;
    if bytes.len() > MAX_BYTES {
        // What was read may end within a character.
        return Err(Failure::Usage(format!(
            "the spec {name} is too large; use at most {} bytes",
            MAX_BYTES
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source {
            name,
            text,
            folder: folder_of(Some(file)),
        }),
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..upto]);
            let (line, column) = line_and_column(&before, upto);
            Err(Failure::Usage(format!(
                "the spec is not UTF-8 at {name}:{line}:{column}; save the file as UTF-8"
            )))
        }
    }
}
