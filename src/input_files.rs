//! The files that a spec refers to: read from beside it, and copied into the directory of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use blis_sim::spec::files::{self, Files, MAX_BYTES};
use blis_sim::spec::{self, Spanned, Spec, SpecError};

/// The folder of a run directory that holds copies of the files its spec refers to.
pub const FOLDER: &str = "files";

/// A copy of a file that a spec refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The path as the spec writes it.
    pub written: String,
    /// The name within [`FOLDER`].
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl Copy {
    /// The path relative to the run directory.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    /// SHA-256 of its text.
    pub fn sha256(&self) -> String {
        spec::sha256(&self.text)
    }
}

/// Reads the files that a spec refers to, by paths relative to `folder`.
///
/// # Errors
/// One for each file that cannot be read, is not UTF-8, or is more than what is left of [`MAX_BYTES`], at the place
/// where the spec names it.
pub fn read(spec: &Spec, folder: &Path) -> Result<Files, Vec<SpecError>> {
    let mut read = Files::default();
    let mut errors = Vec::new();
    let mut left = MAX_BYTES;
    for path in files::wanted(spec) {
        let text = match read.get(&path.value) {
            Some(text) => Ok(text.to_string()),
            None => read_one(&path, folder, left),
        };
        match text {
            Ok(text) if text.len() as u64 <= left => {
                left -= text.len() as u64;
                read.insert(path.value, text);
            }
            Ok(_) => errors.push(too_large(&path)),
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(read),
        false => Err(errors),
    }
}

fn too_large(path: &Spanned<String>) -> SpecError {
    let most = MAX_BYTES >> 20;
    path.error(format!("the file `{}` is too large", path.value))
        .help(format!(
            "the files of a spec may have {most} MiB together, each counted as often as it is named"
        ))
}

fn read_one(path: &Spanned<String>, folder: &Path, left: u64) -> Result<String, SpecError> {
    let unreadable = |error: std::io::Error| {
        path.error(format!("the file `{}` cannot be read: {error}", path.value))
            .help("name a file by its path from the folder of the spec")
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(folder.join(&path.value)).map_err(unreadable)?;
    if opened.metadata().map_err(unreadable)?.len() > left {
        return Err(too_large(path));
    }
    // What is no regular file does not say how long it is; one byte more than is accepted is enough to refuse it.
    let size = opened.take(left + 1).read_to_end(&mut bytes);
    if size.map_err(unreadable)? as u64 > left {
        return Err(too_large(path));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        path.error(format!(
            "the file `{}` is not UTF-8 in line {line}",
            path.value
        ))
        .help("save the file as UTF-8")
    })
}

/// Copies of all files under distinct names, which are those of the files as far as these differ.
pub fn copies(files: &Files) -> Vec<Copy> {
    let mut taken = BTreeSet::new();
    let copy = |(written, text): (&str, &str)| {
        let path = Path::new(written);
        let part =
            |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let stem = part(path.file_stem()).unwrap_or_else(|| "file".to_owned());
        let extension =
            part(path.extension()).map_or(String::new(), |extension| format!(".{extension}"));
        let mut name = format!("{stem}{extension}");
        let mut number = 1;
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}{extension}");
        }
        Copy {
            written: written.to_owned(),
            name,
            text: text.to_owned(),
        }
    };
    files.iter().map(copy).collect()
}

/// The resolved spec with the paths of the copies, as a run directory holds it.
pub fn with_copies(resolved: &str, copies: &[Copy]) -> String {
    if copies.is_empty() {
        return resolved.to_owned();
    }
    let paths: BTreeMap<&str, String> = copies
        .iter()
        .map(|copy| (copy.written.as_str(), copy.path()))
        .collect();
    spec::with_paths(resolved, |written| paths.get(written).cloned())
}
