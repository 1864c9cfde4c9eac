//! The flags of a service without a spec, for every command that takes them.

use std::path::{Path, PathBuf};

use blis_sim::spec::service::{PayloadFlag, ServiceFlags};

use crate::cli::{OverrideArgs, ServiceArgs};
use crate::exit::Failure;

/// The requests to a service without a spec, where the flags name one. The overrides allow the file of its payload.
///
/// # Errors
/// [`Failure::Usage`] when there is a spec too, or a path is no text.
pub fn flags(
    args: &ServiceArgs,
    spec: Option<&Path>,
    overrides: &mut OverrideArgs,
) -> Result<Option<ServiceFlags>, Failure> {
    let Some(subject) = &args.subject else {
        return Ok(None);
    };
    if spec.is_some() {
        return Err(Failure::Usage(
            "--subject is only for a service without a spec; with a spec, set actions.NAME.live instead"
                .to_owned(),
        ));
    }
    let flags = of(subject, args)?;
    // The file is named on the command line, wherever it is.
    let folder = args.payload_file.as_deref().map(folder_of);
    overrides.values.allow_files.extend(folder);
    Ok(Some(flags))
}

/// What the flags say of the requests to a service.
fn of(subject: &str, args: &ServiceArgs) -> Result<ServiceFlags, Failure> {
    let path = args.payload_file.as_ref();
    let path = path.map(|path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            Failure::Usage(format!(
                "the path {} of --payload-file is not UTF-8; rename the file",
                path.display()
            ))
        })
    });
    let text = args.payload.clone().map(PayloadFlag::Text);
    Ok(ServiceFlags {
        subject: subject.to_owned(),
        payload: text.or(path.transpose()?.map(PayloadFlag::File)),
        headers: args.header.clone(),
    })
}

/// The folder of a file.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
