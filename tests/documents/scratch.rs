//! Where examples run: a folder of its own that holds what the root offers to a reader, and nothing of the others.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The programs that an example may call.
const PROGRAMS: [&str; 4] = ["blis", "grep", "head", "ls"];
/// What a command of an example may not hold: whatever would make it more than a pipe of programs.
const SHELL: &str = ";&<>`$\\(){}*\n";
/// How a reader of a fresh clone calls the program.
const FROM_SOURCE: &str = "cargo run --release -- ";

/// The folder in which the examples of one document run, one after the other.
pub struct Scratch(TempDir);

/// What a command did.
pub struct Ran {
    /// Its results.
    pub stdout: String,
    /// Its messages.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

impl Scratch {
    /// A folder with a copy of `specs/`.
    pub fn new() -> Scratch {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let specs = folder.path().join("specs");
        std::fs::create_dir(&specs).expect("the folder is writable");
        for entry in super::root()
            .join("specs")
            .read_dir()
            .expect("specs/ is readable")
        {
            let from = entry.expect("the entry is readable").path();
            let name = from.file_name().expect("an entry has a name");
            std::fs::copy(&from, specs.join(name)).expect("the spec can be copied");
        }
        Scratch(folder)
    }

    /// Saves a file that the examples after it use.
    pub fn save(&self, name: &str, text: &str) {
        let plain = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        assert!(plain, "{name} is not a file of the folder");
        std::fs::write(self.0.path().join(name), text).expect("the folder is writable");
    }

    /// Why a command is not one that examples may hold.
    pub fn refusal(command: &str) -> Option<String> {
        let command = command.replacen(FROM_SOURCE, "blis ", 1);
        // To the shell, nothing within single quotes means anything.
        let command = without(&command, '\'');
        if command.contains(|c| SHELL.contains(c)) {
            return Some(format!("`{command}` is more than a pipe of programs"));
        }
        // A bar within quotes belongs to a pattern.
        let unquoted = without(&command, '"');
        let unknown = unquoted.split('|').find(|stage| {
            let program = stage.split_whitespace().next();
            !program.is_some_and(|program| PROGRAMS.contains(&program))
        });
        unknown.map(|stage| format!("`{}` calls none of {PROGRAMS:?}", stage.trim()))
    }

    /// Runs a command through the shell, as a reader would.
    pub fn run(&self, command: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_blis"));
        let folder = program.parent().expect("the program is in a folder");
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .arg("-c")
            .arg(command.replacen(FROM_SOURCE, "blis ", 1))
            .current_dir(self.0.path())
            .env("PATH", path)
            .env("LC_ALL", "C")
            .env_remove("COLUMNS")
            .output()
            .expect("a shell can be started");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Ran {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

/// A command without what is between these quotes: every other piece.
fn without(command: &str, quote: char) -> String {
    command.split(quote).step_by(2).collect()
}
