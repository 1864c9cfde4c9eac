//! From the command line to a checked model: which spec is meant, and what the flags change in it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use blis_sim::model::Model;
use blis_sim::spec::error::{Origin, line_and_column, shown};
use blis_sim::spec::syntax::Warmup;
use blis_sim::spec::units::Duration;
use blis_sim::spec::{self, ClientFlags, Overrides, Setting, Spanned, Spec, SpecError, yaml};

use crate::cli::{ClientArgs, OverrideArgs};
use crate::diagnostics::{self, Style};
use crate::exit::{Failure, show};
use crate::input_files::{self, Copy};
use crate::memory;

/// The spec that runs when none is named.
const QUICKSTART: &str = include_str!("../specs/quickstart.yaml");
/// What it is called in messages.
const QUICKSTART_NAME: &str = "specs/quickstart.yaml (embedded)";

/// A workload that is ready to run.
#[derive(Debug)]
pub struct Workload {
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
    pub model: Model,
}

/// The text of a spec with its name.
pub struct Source {
    /// What the user calls it.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where the paths in it begin.
    folder: PathBuf,
}

/// The workload that these arguments mean. Warnings go to stderr.
///
/// # Errors
/// [`Failure::Usage`] when the spec cannot be read or the flags contradict one another, [`Failure::Spec`] when
/// the spec is not accepted.
pub fn load(
    file: Option<&Path>,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<Workload, Failure> {
    if file.is_some() {
        refuse_client_flags(clients)?;
    }
    let source = match file {
        Some(file) => read(file)?,
        None => Source {
            name: QUICKSTART_NAME.to_owned(),
            text: QUICKSTART.to_owned(),
            folder: PathBuf::new(),
        },
    };
    let (workload, warnings) = prepare(&source, file.is_some(), clients, overrides)?;
    show(&warnings);
    Ok(workload)
}

/// The workload of a run that is on disk, whose warnings were told when it was run.
///
/// # Errors
/// Those of [`load`].
pub fn load_again(file: &Path) -> Result<Workload, Failure> {
    let (clients, overrides) = (ClientArgs::default(), OverrideArgs::default());
    Ok(prepare(&read(file)?, true, &clients, &overrides)?.0)
}

/// A spec as it is and as its variant, which `--set` makes; the other overrides are for both. Warnings go to stderr,
/// once where both have the same.
///
/// # Errors
/// Those of [`load`].
pub fn load_variant(file: &Path, overrides: &OverrideArgs) -> Result<[Workload; 2], Failure> {
    let no_clients = ClientArgs {
        concurrency: None,
        think_time_ms: None,
        rate: None,
    };
    let as_it_is = OverrideArgs {
        set: Vec::new(),
        ..overrides.clone()
    };
    let source = read(file)?;
    let (base, warnings) = prepare(&source, true, &no_clients, &as_it_is)?;
    show(&warnings);
    let (variant, of_variant) = prepare(&source, true, &no_clients, overrides)?;
    if of_variant != warnings {
        show(&of_variant);
    }
    Ok([base, variant])
}

/// The workload of a source, and its warnings as text.
fn prepare(
    source: &Source,
    named: bool,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<(Workload, String), Failure> {
    refuse_contradictions(clients, overrides)?;
    let style = Style::for_stderr();
    let refused = |errors: Vec<spec::SpecError>| {
        Failure::Spec(diagnostics::errors(
            &source.name,
            &source.text,
            &errors,
            style,
        ))
    };
    let mut read = spec::read_with(&source.text, &overrides.set).map_err(refused)?;
    apply(&mut read, !named, clients, overrides)?;
    let files =
        input_files::read(&read, &source.folder, &overrides.allow_files).map_err(refused)?;
    let lowered = spec::lower_with(&read, &files).map_err(refused)?;
    let warnings = match lowered.warnings.is_empty() {
        true => String::new(),
        false => diagnostics::warnings(&source.name, &source.text, &lowered.warnings, style),
    };
    memory::suffices(&lowered.model)?;
    let workload = Workload {
        file: named.then(|| source.name.clone()),
        sha256: spec::sha256(&source.text),
        resolved: spec::resolved(&read),
        files: input_files::copies(&files),
        configuration: spec::settings(&read),
        model: lowered.model,
    };
    Ok((workload, warnings))
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
            "--think-time-ms",
            clients.think_time_ms.is_some(),
            "clients.NAME.think",
        ),
        ("--rate", clients.rate.is_some(), "clients.NAME.rate"),
    ];
    match flags.into_iter().find(|(_, given, _)| *given) {
        None => Ok(()),
        Some((flag, _, key)) => Err(Failure::Usage(format!(
            "{flag} describes the client of the embedded quickstart and cannot be used with --spec; set \
             {key} in the spec instead"
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
    let flags: [(&str, bool, &[&str]); 8] = [
        ("--concurrency", clients.concurrency.is_some(), whole),
        ("--think-time-ms", clients.think_time_ms.is_some(), whole),
        ("--rate", clients.rate.is_some(), whole),
        (
            "--num-requests",
            overrides.num_requests.is_some(),
            &["run", "requests"],
        ),
        (
            "--horizon",
            overrides.horizon.is_some(),
            &["run", "horizon"],
        ),
        ("--warmup", overrides.warmup.is_some(), &["run", "warmup"]),
        (
            "--timeout",
            overrides.timeout.is_some(),
            &["clients", "*", "timeout"],
        ),
        ("--seed", overrides.seed.is_some(), &["seed"]),
    ];
    for (flag, _, key) in flags.into_iter().filter(|(_, given, _)| *given) {
        let both = overrides.set.iter().find(|set| set.is_within(key));
        if let Some(set) = both {
            return Err(Failure::Usage(format!(
                "{flag} and --set {}={} give the same; use one of them",
                shown(set.path()),
                shown(set.value())
            )));
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
            if let Some(set) = overrides.set.iter().find(|set| set.is_within(&key)) {
                return Err(Failure::Usage(format!(
                    "--slo and --set {}={} both give {limit}; use one of them",
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
    let (horizon, flag) = match overrides.horizon {
        Some(horizon) => (Some(horizon), "--horizon"),
        None => (set_horizon.map(|horizon| horizon.value), "--set"),
    };
    let tenth = horizon.map(|horizon| Duration((horizon.0 / 10.0).floor()));
    match tenth {
        _ if overrides.num_requests.is_some() => {
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
    let budget_is_given = overrides.num_requests.is_some() || budget_is_set;
    let horizon_is_given = overrides.horizon.is_some() || horizon_is_set;
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
    embedded: bool,
    clients: &ClientArgs,
    overrides: &OverrideArgs,
) -> Result<(), Failure> {
    let flags = ClientFlags {
        concurrency: clients.concurrency,
        think_time: clients.think_time_ms,
        rate: clients.rate,
    };
    let usage = |error: SpecError| {
        let help = error.help.as_ref();
        let help = help.map_or(String::new(), |help| format!("; {help}"));
        Failure::Usage(format!("{error}{help}"))
    };
    spec::overrides::replace_clients(spec, &flags).map_err(usage)?;
    spec::objectives::apply(spec, &overrides.slo).map_err(usage)?;
    if embedded {
        drop_embedded_bound(spec, overrides);
        shorten_warmup(spec, overrides);
    }
    spec::overrides::apply(spec, &values(overrides));
    Ok(())
}

/// The flags that override keys of any spec, but for `--set`.
pub fn values(overrides: &OverrideArgs) -> Overrides {
    Overrides {
        seed: overrides.seed.map(|seed| seed.0),
        requests: overrides.num_requests,
        horizon: overrides.horizon,
        warmup: overrides.warmup,
        timeout: overrides.timeout,
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
    // One byte more than is accepted is enough to refuse the rest.
    let most = yaml::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let outcome = if from_stdin {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(most).read_to_end(&mut bytes))
    };
    outcome.map_err(|error| {
        Failure::Usage(format!(
            "the spec {name} cannot be read: {error}; name a file, or - for stdin"
        ))
    })?;
    if bytes.len() > yaml::MAX_BYTES {
        // What was read may end within a character.
        return Err(Failure::Usage(format!(
            "the spec {name} is too large; a spec may have up to {} bytes",
            yaml::MAX_BYTES
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
