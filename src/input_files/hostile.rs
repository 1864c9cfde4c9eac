//! What any reference to a file has to survive, for the tests here and the fuzz target in `fuzz/`: it is read from within the
//! folder of the spec, or refused at its place without a word of what the file holds, and nobody waits for a pipe.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use blis_sim::spec;
use tempfile::TempDir;

use super::read;

/// What stands in files that are none of the spec's.
const CANARY: &str = "canary-of-a-stranger";
/// What stands in those that are.
const INSIDE: [&str; 2] = ["time\n0s\n1ms\n", ""];

/// What references are put together from.
pub const PARTS: [&str; 26] = [
    ".",
    "..",
    "",
    "a.csv",
    "empty.csv",
    "latin.csv",
    "huge.csv",
    "folder",
    "pipe",
    "socket",
    "out.csv",
    "in.csv",
    "loop.csv",
    "up",
    "zero",
    "proc",
    "specs",
    "outside",
    "secret.csv",
    "\u{0}",
    "a\nb",
    "~",
    "/etc/passwd",
    "/dev/stdin",
    "/proc/self/environ",
    "ö\u{202e}",
];

/// What happened to a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A file inside was read.
    Read,
    /// It was refused.
    Refused,
}

/// A folder of a spec with files of every kind, beside one that is none of its own.
pub struct Folder {
    home: TempDir,
    // Is there as long as it listens.
    _socket: std::os::unix::net::UnixListener,
}

impl Folder {
    /// Makes it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new() -> Folder {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join("specs").join(name);
        let write = |path: PathBuf, text: &[u8]| fs::write(path, text).expect("it can be written");
        for folder in ["specs", "specs/folder", "outside"] {
            fs::create_dir(home.path().join(folder)).expect("a folder");
        }
        write(at("a.csv"), INSIDE[0].as_bytes());
        write(at("empty.csv"), INSIDE[1].as_bytes());
        write(at("latin.csv"), &[CANARY.as_bytes(), b"\xe9\n"].concat());
        // It takes no room on the disk.
        let huge = fs::File::create(at("huge.csv")).expect("a file");
        huge.set_len(super::MAX_BYTES + 1).expect("a length");
        let secret = format!("time\n{CANARY}\n");
        write(home.path().join("outside/secret.csv"), secret.as_bytes());
        for (name, to) in [
            ("out.csv", "../outside/secret.csv"),
            ("in.csv", "a.csv"),
            ("loop.csv", "loop.csv"),
            ("up", ".."),
            ("zero", "/dev/zero"),
            ("proc", "/proc/self/environ"),
        ] {
            std::os::unix::fs::symlink(to, at(name)).expect("a link");
        }
        let made = Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.expect("mkfifo is there").success());
        let socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("a socket");
        Folder {
            home,
            _socket: socket,
        }
    }

    /// The path of a file that no spec in it may read.
    pub fn secret(&self) -> String {
        let secret = self.home.path().join("outside/secret.csv");
        secret.display().to_string()
    }

    /// Refers to a file by this path, wherever a spec may.
    ///
    /// # Panics
    /// When something is not as it has to be.
    pub fn survives(&self, path: &str) -> Fate {
        let quoted = serde_json::Value::from(path).to_string();
        let fates = [
            (format!("arrival: {{trace: {quoted}}}"), "", "1ms".to_owned()),
            (format!("arrival: {{trace: {{file: {quoted}, offset: first}}}}"), "", "1ms".to_owned()),
            ("rate: 1/s".to_owned(), &*format!(", payload: {{file: {quoted}}}"), "1ms".to_owned()),
            ("rate: 1/s".to_owned(), "", format!("{{empirical: {{file: {quoted}}}}}")),
        ]
        .map(|(client, payload, time)| {
            let text = format!(
                "{{blis: 1, name: f, run: {{horizon: 1s}}, clients: {{c: {{{client}, do: a}}}}, actions: {{a: {{path: [{{visit: \
                 s}}, reply], live: {{request: a}}{payload}}}}}, services: {{s: {{workers: 1, time: {time}}}}}}}"
            );
            self.reads(&text)
        });
        // A path that the reading of the spec refuses already is refused everywhere.
        match fates.contains(&Fate::Read) {
            true => Fate::Read,
            false => Fate::Refused,
        }
    }

    fn reads(&self, text: &str) -> Fate {
        let Ok(spec) = spec::read(text) else {
            return Fate::Refused;
        };
        let errors = match read(&spec, &self.home.path().join("specs"), &[]) {
            Ok(files) => {
                for (path, text) in files.iter() {
                    assert!(INSIDE.contains(&text), "{path} holds {text:?}");
                }
                let lowered = spec::lower_with(&spec, &files);
                shows_nothing(text, &lowered.err().unwrap_or_default());
                return Fate::Read;
            }
            Err(errors) => errors,
        };
        assert!(!errors.is_empty());
        shows_nothing(text, &errors);
        Fate::Refused
    }
}

/// Errors have their places in the spec, and nothing of a file that is none of its own.
fn shows_nothing(text: &str, errors: &[spec::SpecError]) {
    for error in errors {
        let place = error.span.clone();
        assert!(place.is_none_or(|span| text.get(span).is_some()), "{error}");
        let shown = format!("{error:?}");
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(shown.len() < 20_000, "{}", shown.len());
    }
}
