//! `blis compose`: combines several specs into one, which is printed or written to a file.

use std::path::PathBuf;

use blis_sim::spec::compose::{self, Composition, Options, Refused, SpecPart};
use blis_sim::spec::{self, Files, Spec, SpecErrors};
use blis_sim::visible;

use crate::cli::{ClientArgs, ComposeArgs};
use crate::commands::print_data;
use crate::diagnostics::{self, Style};
use crate::exit::{Done, Failure, show, tell};
use crate::spec_file;
use crate::workload::{self, Source};

/// Composes the specs, checks what comes out, and writes it. What was shared, added up and renamed is told on stderr.
///
/// # Errors
/// [`Failure::Usage`] when the specs cannot be read, or the file is there already; [`Failure::Spec`] when one of them, or
/// the composition, is not accepted, or they do not go together; [`Failure::Output`] when it cannot be
/// written.
pub fn execute(args: &ComposeArgs) -> Result<Done, Failure> {
    let no_clients = ClientArgs::default();
    workload::refuse_contradictions(&no_clients, &args.overrides)?;
    refuse_repetition_of_stdin(args.specs())?;
    if let Some(file) = &args.output {
        spec_file::refuse_to_replace(file, args.force)?;
    }
    let sources: Vec<Source> = args
        .specs()
        .iter()
        .map(|file| workload::read(file))
        .collect::<Result<_, _>>()?;
    let specs: Vec<Spec> = sources.iter().map(accepted).collect::<Result<_, _>>()?;
    let part = |(source, spec)| -> SpecPart<'_> {
        let source: &Source = source;
        SpecPart {
            label: &source.name,
            text: &source.text,
            spec,
        }
    };
    let parts: Vec<SpecPart<'_>> = sources.iter().zip(&specs).map(part).collect();
    let options = Options {
        name: args.name.clone(),
        prefix: args.prefix,
        overrides: workload::values(&args.overrides),
        set: args.overrides.values.set.clone(),
    };
    let composition = compose::compose(&parts, &options).map_err(refusal)?;
    check(&composition)?;
    for note in &composition.notes {
        tell(&format!("blis: note: {note}\n"));
    }
    match &args.output {
        None => print_data(&composition.text)?,
        Some(file) => spec_file::write(file, &composition.text)?,
    }
    Ok(Done::Well)
}

/// The spec of a source, which must be right by itself.
fn accepted(source: &Source) -> Result<Spec, Failure> {
    let refused = |errors: SpecErrors| {
        let style = Style::for_stderr();
        Failure::Spec(diagnostics::errors(
            &source.name,
            &source.text,
            &errors,
            style,
        ))
    };
    let spec = spec::read(&source.text).map_err(refused)?;
    spec::lower_live(&spec, &Files::default()).map_err(refused)?;
    Ok(spec)
}

/// The parts may be right and the whole not, and flags may set anything.
fn check(composition: &Composition) -> Result<(), Failure> {
    let (name, text) = ("the composition", &composition.text);
    let style = Style::for_stderr();
    let Err(errors) = spec::lower_live(&composition.spec, &Files::default()) else {
        // The warnings once more, with places in the text that is written.
        let again = spec::read(text).and_then(|spec| spec::lower_live(&spec, &Files::default()));
        let lowered = again
            .map_err(|errors| Failure::Spec(diagnostics::errors(name, text, &errors, style)))?;
        if !lowered.warnings.is_empty() {
            show(&diagnostics::warnings(name, text, &lowered.warnings, style));
        }
        return Ok(());
    };
    // A value of a flag is told by the flag, everything else by its place in the text.
    let mut told = errors;
    if told.iter().any(|error| error.flag.is_some()) {
        let of_flags = told.into_iter().filter(|error| error.flag.is_some());
        told = of_flags.collect::<Vec<_>>().into();
    } else if let Err(placed) =
        spec::read(text).and_then(|spec| spec::lower_live(&spec, &Files::default()))
    {
        told = placed;
    }
    Err(Failure::Spec(diagnostics::errors(name, text, &told, style)))
}

fn refusal(refused: Refused) -> Failure {
    let line = |reason: &String| format!("blis: {}\n", visible::line(reason));
    Failure::Spec(refused.reasons.iter().map(line).collect())
}

fn refuse_repetition_of_stdin(specs: &[PathBuf]) -> Result<(), Failure> {
    match specs.iter().filter(|file| file.as_os_str() == "-").count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::Usage(
            "stdin can be read only once; name files for the other specs".to_owned(),
        )),
    }
}
