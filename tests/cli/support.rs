//! Running the binary, with a limit on how long it may take.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// How long a run may take before it counts as hanging.
pub const LIMIT: Duration = Duration::from_secs(180);

/// A run that came to its end.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

impl Ran {
    /// The result document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no document: {error}\n{self:?}"))
    }
}

/// The binary, ready to be given arguments.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blis"));
    command.timeout(LIMIT);
    command
}

/// Runs the binary with nothing on stdin.
pub fn blis<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    finished(binary().args(args))
}

/// Runs the binary with these words, split at blanks.
pub fn words(line: &str) -> Ran {
    blis(line.split_whitespace())
}

/// Runs the binary with this text on stdin.
pub fn with_stdin(line: &str, stdin: &str) -> Ran {
    finished(binary().args(line.split_whitespace()).write_stdin(stdin))
}

/// Runs a command to its end.
pub fn finished(command: &mut Command) -> Ran {
    command.output().expect("the binary can be run").into()
}

/// The result document of a run with these words.
pub fn json(line: &str) -> Value {
    let ran = words(&format!("run --json {line}"));
    assert!(matches!(ran.code, Some(0 | 5 | 99)), "{ran:?}");
    ran.json()
}

/// A shipped spec.
pub fn shipped(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "specs", name].iter().collect()
}

/// A folder with a spec, and what is run of it.
pub struct Runs(TempDir);

impl Runs {
    /// With this spec.
    pub fn of(spec: &str) -> Runs {
        let runs = Runs(tempfile::tempdir().expect("a folder"));
        runs.write("shop.yaml", spec);
        runs
    }

    /// Runs the spec with these flags into a directory of this name.
    pub fn run(&self, name: &str, flags: &str) -> String {
        let out = self.path(name);
        let spec = self.path("shop.yaml");
        let ran = words(&format!("run {spec} --out {out} {flags}"));
        // 5 where nothing succeeds.
        assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
        out
    }

    /// A place in the folder.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Writes a file into the folder, and says where it is.
    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("a file");
        self.path(name)
    }
}

/// A member of a document by its path, such as `requests.ok`.
pub fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(document, |value, key| {
        value
            .get(key)
            .unwrap_or_else(|| panic!("there is no {path} in the document"))
    })
}

/// A number of a document by its path.
pub fn number(document: &Value, path: &str) -> f64 {
    let value = at(document, path);
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{path} is {value}"))
}

/// A count of a document by its path.
pub fn count(document: &Value, path: &str) -> u64 {
    let value = at(document, path);
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{path} is {value}"))
}

/// A run that may take so many kilobytes. The limit is on addresses, so that the test takes no memory.
#[cfg(target_os = "linux")]
pub fn with_memory(kilobytes: u64, args: &str) -> Ran {
    let script = format!(
        "ulimit -v {kilobytes} && exec '{}' {args}",
        env!("CARGO_BIN_EXE_blis")
    );
    let mut command = Command::new("sh");
    finished(command.args(["-c", &script]).timeout(LIMIT))
}
