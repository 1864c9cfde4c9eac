//! A spec written to a separate file.

use std::io::{self, Write as _};
use std::path::Path;

use crate::exit::Failure;

/// Holds where there is nothing at the place of `--output`, or it may be replaced.
///
/// # Errors
/// [`Failure::Usage`] otherwise, and where it is a directory.
pub fn refuse_to_replace(file: &Path, force: bool) -> Result<(), Failure> {
    match file.symlink_metadata() {
        Ok(_) if !force => Err(Failure::Usage(format!(
            "--output {} exists; overwrite it with --force",
            file.display()
        ))),
        Ok(found) if found.is_dir() => Err(Failure::Usage(format!(
            "--output {} is a directory; name a file",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// Writes the file whole or not at all.
///
/// # Errors
/// [`Failure::Output`] where it cannot be written.
pub fn write(file: &Path, text: &str) -> Result<(), Failure> {
    replace(file, text).map_err(|why| Failure::Output {
        to: file.display().to_string(),
        why,
    })
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let staged = tempfile::Builder::new()
        .prefix(".blis-")
        .tempdir_in(parent)?;
    let new = staged.path().join("new");
    let mut written = std::fs::File::create(&new)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    std::fs::rename(&new, file)
}
