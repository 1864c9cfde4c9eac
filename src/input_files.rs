//! The files that a spec refers to: read from beside it, and copied into the directory of a run.
//!
//! A spec may come from a stranger, so it may not name any file of the machine: only regular files whose canonical paths
//! lie in the folder of the spec, in the working directory, or in a folder that was allowed. What is checked is the file
//! that is read: it is opened once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use blis_live::journal::{NamedText, Readers};
use blis_live::os_error::unnumbered;
use blis_sim::spec::error::shown;
use blis_sim::spec::files::{Files, MAX_BYTES};
use blis_sim::spec::{self, Spanned, Spec, SpecError, SpecErrors, wanted_files};

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

    /// How it is written into the run directory: for the user's eyes only, as the file may be.
    pub fn named_text(&self) -> NamedText {
        NamedText {
            name: self.path(),
            text: self.text.clone(),
            readers: Readers::Owner,
        }
    }

    /// SHA-256 of its text.
    pub fn sha256(&self) -> String {
        spec::sha256(&self.text)
    }
}

/// Reads the files that a spec refers to, by paths relative to `folder`, from there, from the working directory and from
/// the folders that are allowed beside them.
///
/// # Errors
/// One for each file that may not or cannot be read, is not UTF-8, or is more than what is left of [`MAX_BYTES`], at the place
/// where the spec names it.
pub fn read(spec: &Spec, folder: &Path, allowed: &[PathBuf]) -> Result<Files, SpecErrors> {
    let here = Path::new(".");
    let own = match folder.as_os_str().is_empty() {
        true => here,
        false => folder,
    };
    let folders = [own, here]
        .into_iter()
        .chain(allowed.iter().map(PathBuf::as_path));
    let allowed: Vec<PathBuf> = folders
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    let mut read = Files::default();
    let mut errors = Vec::new();
    let mut left = MAX_BYTES;
    for path in wanted_files(spec) {
        let text = match read.get(&path.value) {
            Some(text) => Ok(text.to_string()),
            None => read_one(&path, folder, &allowed, left),
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
        false => Err(errors.into()),
    }
}

fn too_large(path: &Spanned<String>) -> SpecError {
    let most = MAX_BYTES >> 20;
    path.error(format!("the file `{}` is too large", path.value))
        .help(format!(
            "use less than {most} MiB in total; a file counts each time it is named"
        ))
}

fn read_one(
    path: &Spanned<String>,
    folder: &Path,
    allowed: &[PathBuf],
    left: u64,
) -> Result<String, SpecError> {
    let unreadable = |error: std::io::Error| {
        path.error(format!(
            "the file `{}` cannot be read: {}",
            shown(&path.value),
            unnumbered(&error)
        ))
        .help("give the path of a file, relative to the directory of the spec")
    };
    let opened = open(&folder.join(&path.value)).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    let canonical = canonical(&opened, &folder.join(&path.value)).map_err(unreadable)?;
    if !metadata.is_file() || of_the_system(&canonical) {
        let message = format!("`{}` is not a regular file", shown(&path.value));
        return Err(path
            .error(message)
            .help("name a file, not a directory, a pipe or a device"));
    }
    if !allowed.iter().any(|folder| canonical.starts_with(folder)) {
        let message = format!(
            "the file `{}` is neither in the directory of the spec nor in the working directory",
            shown(&path.value)
        );
        let within = canonical
            .parent()
            .unwrap_or(&canonical)
            .display()
            .to_string();
        let help = format!(
            "if you trust the spec, allow its directory: --allow-files {}",
            shown(&within)
        );
        return Err(path.error(message).help(help));
    }
    if metadata.len() > left {
        return Err(too_large(path));
    }
    let mut bytes = Vec::new();
    // A file may grow, and some do not say how long they are; one byte more than is accepted is enough to refuse it.
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

/// Opens a file to be read. A pipe without a writer does not make it wait.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    File::options()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// Whether a path leads to what the system shows of itself, which has the looks of files. The working directory may be the
/// root of everything.
fn of_the_system(canonical: &Path) -> bool {
    let folders = ["/proc", "/sys", "/dev"];
    cfg!(target_os = "linux") && folders.iter().any(|folder| canonical.starts_with(folder))
}

/// The path of an opened file without links in it.
fn canonical(opened: &File, path: &Path) -> std::io::Result<PathBuf> {
    // Linux tells the path of the very file that is open, whatever has taken its name since.
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let own = format!("/proc/self/fd/{}", opened.as_raw_fd());
        if let Ok(path) = std::fs::read_link(own) {
            return Ok(path);
        }
    }
    let _ = opened;
    path.canonicalize()
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

// The path is the same for who includes this file from elsewhere.
#[cfg(all(test, unix))]
#[path = "input_files/hostile.rs"]
mod hostile;

#[cfg(all(test, unix))]
mod tests {
    use blis_sim::random::{Key, Kind, Purpose};

    use super::hostile::{Fate, Folder, PARTS};

    /// References that are drawn.
    const CASES: u64 = 3_000;

    #[test]
    fn every_part_of_a_reference_survives() {
        let folder = Folder::new();
        let fate = |path: &str| folder.survives(path);
        for inside in ["a.csv", "./a.csv", "folder/../a.csv", "in.csv", "empty.csv"] {
            assert_eq!(fate(inside), Fate::Read, "{inside}");
        }
        for refused in [
            "out.csv",
            "loop.csv",
            "latin.csv",
            "huge.csv",
            "pipe",
            "socket",
            "folder",
            "zero",
            "proc",
            "../outside/secret.csv",
            "/etc/passwd",
            "/dev/stdin",
            "/proc/self/environ",
            "nowhere.csv",
            "",
        ] {
            assert_eq!(fate(refused), Fate::Refused, "{refused}");
        }
        let secret = folder.secret();
        assert_eq!(fate(&secret), Fate::Refused);
    }

    #[test]
    fn drawn_references_survive() {
        let folder = Folder::new();
        let key = Key::new(1, Kind::Client, "references", Purpose::Choice);
        let secret = folder.secret();
        let (mut read, mut refused) = (0, 0);
        for case in 0..CASES {
            let mut draw = key.draw(case, 0);
            let mut parts = Vec::new();
            for _ in 0..1 + draw.below(4) {
                let number = draw.below(PARTS.len() as u64 + 1) as usize;
                parts.push(PARTS.get(number).copied().unwrap_or(&secret));
            }
            match folder.survives(&parts.join("/")) {
                Fate::Read => read += 1,
                Fate::Refused => refused += 1,
            }
        }
        assert!(read > 50 && refused > 1_000, "{read} {refused}");
    }
}
